//! From foreign line to rows on screen: redacted, sanitised, wrapped. Kept for the lines that were lately asked for.

use std::collections::HashMap;
use std::ops::Range;

use super::store::{Line, Store};
use crate::base::redact::Redactor;
use crate::base::text::{self, SafeLine};
use crate::runtime::protocol::Channel;

/// Lines kept ready. More than any screen has rows, so that scrolling by pages finds them again.
const READY: usize = 512;
/// Rows kept ready: on a narrow screen one line can have hundreds.
const READY_ROWS: usize = 16 * 1024;
/// Columns from which on a line is no prose: it is broken anywhere, as a terminal would.
const PROSE: usize = 2_000;
/// So many of the same sign in a row make a bar.
const BAR: usize = 10;

/// One line, ready for the screen.
#[derive(Debug)]
pub(super) struct Ready {
    /// The whole line.
    pub(super) line: SafeLine,
    /// Its rows at the width of the layout, each with the column of the line where it begins; `None` when it is not
    /// wrapped or fits, and is its own only row.
    wrapped: Option<Vec<(usize, SafeLine)>>,
    /// Columns that its rows stand in from the left.
    indent: usize,
    used: u64,
}

impl Ready {
    /// Rows it takes.
    pub(super) fn rows(&self) -> usize {
        self.wrapped.as_ref().map_or(1, Vec::len)
    }

    /// One of its rows, and the column of the line where it begins.
    pub(super) fn row(&self, row: usize) -> Option<(usize, &SafeLine)> {
        match &self.wrapped {
            Some(rows) => rows.get(row).map(|(start, line)| (*start, line)),
            None => (row == 0).then_some((0, &self.line)),
        }
    }

    /// The row in which a column of the whole line stands.
    pub(super) fn row_of(&self, column: usize) -> usize {
        let rows = self.wrapped.as_deref().unwrap_or_default();
        rows.partition_point(|(start, _)| *start <= column).saturating_sub(1)
    }
}

/// Rows by (line, width). The width is one for all: a new one starts afresh.
#[derive(Debug, Default)]
pub(super) struct Layout {
    ready: HashMap<u64, Ready>,
    width: usize,
    wrap: bool,
    redactor: Redactor,
    clock: u64,
    rows: usize,
}

impl Layout {
    /// Sets how lines are laid out.
    pub(super) fn set(&mut self, width: usize, wrap: bool) {
        if (width, wrap) != (self.width, self.wrap) {
            (self.width, self.wrap) = (width, wrap);
            self.forget();
        }
    }

    /// Sets what is taken out of lines.
    pub(super) fn set_redactor(&mut self, redactor: Redactor) {
        self.redactor = redactor;
        self.forget();
    }

    fn forget(&mut self) {
        self.ready.clear();
        self.rows = 0;
    }

    /// Columns for text.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The line with this number, its rows `indent` columns in from the left; `None` when it is not held.
    pub(super) fn ready(&mut self, number: u64, indent: usize, store: &Store) -> Option<&Ready> {
        self.clock += 1;
        if self.ready.get(&number).is_none_or(|ready| ready.indent != indent) {
            let line = show(store.line(number)?, &self.redactor);
            let width = self.width.saturating_sub(indent).max(1);
            let wrapped = (self.wrap && line.width() > width).then(|| wrap(&line, width));
            if self.ready.len() >= READY || self.rows >= READY_ROWS {
                // Half at once, so that this is rare.
                let oldest = self.clock.saturating_sub(READY as u64 / 2);
                self.ready.retain(|_, ready| ready.used >= oldest && self.rows < READY_ROWS);
                self.rows = self.ready.values().map(Ready::rows).sum();
            }
            let ready = Ready { line, wrapped, indent, used: 0 };
            self.rows += ready.rows();
            if let Some(before) = self.ready.insert(number, ready) {
                self.rows -= before.rows();
            }
        }
        let ready = self.ready.get_mut(&number)?;
        ready.used = self.clock;
        Some(ready)
    }

    /// A text that is not in the transcript yet, as its last rows.
    pub(super) fn unfinished(&self, text: &str, rows: usize) -> Vec<SafeLine> {
        // Only the end is seen; what wraps to more rows than that is not even looked at.
        let room = self.width.saturating_mul(rows).saturating_mul(4).max(1);
        let from = text.len().saturating_sub(room);
        let start = (from..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(from);
        let end = &text.as_bytes()[start..];
        let line = clean(end, text::is_plain(end), &self.redactor);
        let mut all = if self.wrap { line.wrap_words(self.width) } else { vec![(0, line)] };
        all.drain(..all.len().saturating_sub(rows));
        all.into_iter().map(|(_, row)| row).collect()
    }

    /// The text that is searched: what would be shown.
    pub(super) fn searched(&self, line: &Line) -> String {
        show(line, &self.redactor).plain()
    }
}

/// The rows of a line that is too long for one. Prose is broken between words; bars and the rows of tables are cut, for
/// they mean nothing when their end stands below their beginning.
fn wrap(line: &SafeLine, width: usize) -> Vec<(usize, SafeLine)> {
    if line.width() > PROSE {
        let from = |start: &mut usize, row: SafeLine| {
            let at = *start;
            *start += row.width();
            Some((at, row))
        };
        return line.wrap(width).into_iter().scan(0, from).collect();
    }
    if is_drawn(line) {
        return vec![(0, line.truncate_end(width))];
    }
    line.wrap_words(width)
}

/// Whether a line is drawn rather than written: a progress bar, a rule, the row of a table.
fn is_drawn(line: &SafeLine) -> bool {
    let (mut run, mut last, mut walls) = (0, ' ', 0);
    for c in line.spans().iter().flat_map(|span| span.text.chars()) {
        run = if c == last { run + 1 } else { 1 };
        last = c;
        walls += usize::from(matches!(c, '│' | '┃' | '║'));
        if walls > 2 || (run >= BAR && !c.is_alphanumeric() && c != ' ') {
            return true;
        }
    }
    false
}

/// What of a line is shown. An error and a retry say so in a word, wherever their own words do not.
fn show(line: &Line, redactor: &Redactor) -> SafeLine {
    let word = match line.channel {
        Channel::Error => "error",
        Channel::Retry => "retry",
        _ => return clean(line.text.as_bytes(), line.plain, redactor),
    };
    let lower = line.text.to_lowercase();
    if line.block != 0 || ["error", "fail", "retry", "again", "limit"].iter().any(|said| lower.contains(said))
    {
        return clean(line.text.as_bytes(), line.plain, redactor);
    }
    clean(format!("{word}: {}", line.text).as_bytes(), line.plain, redactor)
}

/// Redaction looks at what would be read on screen: a secret that escape sequences cut apart is one all the same. A
/// line with a secret loses its colours.
fn clean(text: &[u8], is_plain: bool, redactor: &Redactor) -> SafeLine {
    let safe = text::safe_line(text);
    let plain = if is_plain { String::from_utf8_lossy(text) } else { safe.plain().into() };
    match redactor.clean(&plain) {
        std::borrow::Cow::Borrowed(_) => safe,
        std::borrow::Cow::Owned(clean) => SafeLine::from(text::safe_text(&clean)),
    }
}

/// The columns of a byte range of a safe text.
pub(super) fn columns(text: &str, range: &Range<usize>) -> Range<usize> {
    let start = text::width(&text[..range.start]);
    start..start + text::width(&text[range.clone()])
}
