//! Where the tickets of a block-style sprint file stand, found by looking at line starts only.
//!
//! The answer is a guess until `load` has parsed the skeleton (the file without the ticket lines) and every chunk (the
//! lines of one ticket) alone. Why that suffices: a chunk starts at a line indented exactly as deep as the first
//! ticket key. Such a line can be inside a ticket only within an open quote or an open flow collection, since block
//! texts and continued plain texts are indented deeper (files with other line ends than LF and CRLF are not read by chunks at all); then the chunk before it does not parse alone, and `load` falls
//! back to parsing the whole file. Anchors, aliases and directives, which reach across chunks, fall back as well.

use std::ops::Range;

use memchr::{memchr, memchr_iter};

/// A guess at the layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Byte of the `tickets` key.
    pub(super) tickets: usize,
    /// Spaces before a ticket key.
    pub(super) indent: usize,
    /// Start of the first chunk.
    pub(super) start: usize,
    /// Starts of the chunks, in order; a chunk ends where the next begins, the last at `end`.
    pub(super) starts: Vec<usize>,
    /// End of the last chunk.
    pub(super) end: usize,
}

impl Layout {
    /// The chunks.
    pub(super) fn chunks(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let ends = self.starts.iter().skip(1).copied().chain(std::iter::once(self.end));
        self.starts.iter().zip(ends).map(|(start, end)| *start..end)
    }
}

/// Finds the ticket chunks of `text`, which begins at `from` (past a BOM). `None` when the file is laid out otherwise.
pub(super) fn find(text: &str, from: usize) -> Option<Layout> {
    let bytes = text.as_bytes();
    if other_line_ends(bytes) {
        return None;
    }
    let (tickets, mut at) = tickets_line(bytes, from)?;
    let parent = column(bytes, tickets);
    // The first line with content decides how deep ticket keys stand.
    let indent = loop {
        let line = line_at(bytes, at)?;
        match significant(bytes, &line) {
            Some(depth) if depth > parent => break depth,
            Some(_) => return None,
            None => at = line.end,
        }
    };
    let start = at;
    let mut starts = Vec::new();
    let mut end = bytes.len();
    let mut line_start = at;
    let newlines =
        memchr_iter(b'\n', &bytes[at..]).map(|offset| at + offset + 1).chain(std::iter::once(bytes.len()));
    for line_end in newlines {
        if line_start >= bytes.len() {
            break;
        }
        // A line of a ticket's body is deeper than its key; nearly every line is decided by these two bytes.
        let deeper = bytes.get(line_start + indent) == Some(&b' ') && bytes[line_start] == b' ';
        let depth = if deeper { None } else { significant(bytes, &(line_start..line_end)) };
        match depth {
            Some(depth) if depth < indent => {
                end = line_start;
                break;
            }
            Some(depth) if depth == indent => starts.push(line_start),
            _ => {}
        }
        line_start = line_end;
    }
    Some(Layout { tickets, indent, start, starts, end })
}

/// Whether lines may end in another way than LF or CRLF; looking at line feeds would not see such lines.
pub(super) fn other_line_ends(bytes: &[u8]) -> bool {
    memchr_iter(b'\r', bytes).any(|at| bytes.get(at + 1) != Some(&b'\n'))
        || memchr_iter(0xC2, bytes).any(|at| bytes.get(at + 1) == Some(&0x85))
        || memchr_iter(0xE2, bytes).any(|at| matches!(bytes.get(at + 1..at + 3), Some([0x80, 0xA8 | 0xA9])))
}

/// The `tickets` key whose value begins on the next line, and the start of that line.
fn tickets_line(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    while let Some(line) = line_at(bytes, at) {
        let content = &bytes[line.clone()];
        let depth = content.iter().take_while(|byte| **byte == b' ').count();
        if let Some(rest) = content[depth..].strip_prefix(b"tickets:") {
            let rest = rest.trim_ascii_start();
            if rest.is_empty() || (rest[0] == b'#' && content[depth + 8] == b' ') {
                return Some((line.start + depth, line.end));
            }
            return None;
        }
        at = line.end;
    }
    None
}

fn line_at(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    if at >= bytes.len() {
        return None;
    }
    let end = memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |offset| at + offset + 1);
    Some(at..end)
}

/// The indentation of a line, `None` when it is blank or a comment.
fn significant(bytes: &[u8], line: &Range<usize>) -> Option<usize> {
    let content = &bytes[line.clone()];
    let depth = content.iter().take_while(|byte| **byte == b' ').count();
    match content.get(depth) {
        None | Some(b'#' | b'\n' | b'\r') => None,
        Some(_) => Some(depth),
    }
}

fn column(bytes: &[u8], at: usize) -> usize {
    at - bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1)
}
