//! Long texts under a head line: bounded, with what was left out counted.

use super::{Sink, words};
use crate::execute::output::Channel;

/// Lines of a body.
const LINES: usize = 200;

/// Bytes of a body.
const BYTES: usize = 64 * 1024;

/// Lines that are kept from the end of a body that is too long: a test's verdict is there.
const TAIL_LINES: usize = 60;

/// Bytes of that end.
const TAIL_BYTES: usize = 20 * 1024;

/// Bytes of one line of a body.
const LINE: usize = 4 * 1024;

/// Writes a text as a body: all of it, or its head and tail with the number of lines left out between them.
pub(super) fn both_ends(channel: Channel, text: &str, block: u32, sink: &mut Sink<'_>) {
    let text = text.strip_suffix('\n').unwrap_or(text);
    if text.len() <= BYTES && memchr::memchr_iter(b'\n', text.as_bytes()).count() < LINES {
        for line in text.split('\n') {
            sink.line(channel, cut(line), block);
        }
        return;
    }
    let mut rest = text;
    let (mut lines, mut bytes) = (0, 0);
    while lines < LINES - TAIL_LINES && bytes < BYTES - TAIL_BYTES {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        sink.line(channel, cut(line), block);
        (lines, bytes, rest) = (lines + 1, bytes + line.len().min(LINE), after);
        if rest.is_empty() {
            return;
        }
    }
    let mut tail = Vec::new();
    bytes = 0;
    while tail.len() < TAIL_LINES && bytes < TAIL_BYTES && !rest.is_empty() {
        let (before, line) = rest.rsplit_once('\n').unwrap_or(("", rest));
        bytes += line.len().min(LINE);
        tail.push(line);
        rest = before;
    }
    if !rest.is_empty() {
        let left = memchr::memchr_iter(b'\n', rest.as_bytes()).count() + 1;
        sink.line(channel, format!("({} left out; see the raw stream)", lines_word(left)), block);
    }
    for line in tail.into_iter().rev() {
        sink.line(channel, cut(line), block);
    }
}

/// Writes the first lines of a body and counts the rest.
pub(super) fn head<'a>(
    channel: Channel,
    lines: impl Iterator<Item = &'a str>,
    block: u32,
    sink: &mut Sink<'_>,
) {
    let (mut kept, mut bytes, mut left) = (0, 0, 0_usize);
    for line in lines {
        if kept < LINES && bytes < BYTES {
            sink.line(channel, cut(line), block);
            (kept, bytes) = (kept + 1, bytes + line.len().min(LINE));
        } else {
            left += 1;
        }
    }
    if left > 0 {
        sink.line(channel, format!("({} more; see the raw stream)", lines_word(left)), block);
    }
}

/// Writes a text of any length: a single line stands alone, several are a block under the first.
pub(super) fn block(channel: Channel, text: &str, sink: &mut Sink<'_>) {
    let text = text.trim();
    let block = if text.contains('\n') { sink.block() } else { 0 };
    both_ends(channel, text, block, sink);
}

/// `1 line`, `214 lines`.
pub(super) fn lines_word(count: usize) -> String {
    if count == 1 { "1 line".to_owned() } else { format!("{count} lines") }
}

/// A line without its carriage return, cut when it is very long.
fn cut(line: &str) -> Box<str> {
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.len() <= LINE {
        return line.into();
    }
    let kept = words::prefix(line, LINE);
    format!("{kept} … [line cut: {} more bytes]", line.len() - kept.len()).into()
}
