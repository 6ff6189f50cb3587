//! From foreign line to rows on screen: redacted, sanitised, wrapped. Kept for the lines that were lately asked for.

use std::collections::HashMap;
use std::ops::Range;

use super::store::{Line, Store};
use crate::base::redact::Redactor;
use crate::base::text::{self, SafeLine};

/// Lines kept ready. More than any screen has rows, so that scrolling by pages finds them again.
const READY: usize = 512;
/// Rows kept ready: on a narrow screen one line can have hundreds.
const READY_ROWS: usize = 16 * 1024;

/// One line, ready for the screen.
#[derive(Debug)]
pub(super) struct Ready {
    /// The whole line.
    pub(super) line: SafeLine,
    /// Its rows at the width of the layout; `None` when it is not wrapped or fits, and is its own only row.
    wrapped: Option<Vec<SafeLine>>,
    used: u64,
}

impl Ready {
    /// Rows it takes.
    pub(super) fn rows(&self) -> usize {
        self.wrapped.as_ref().map_or(1, Vec::len)
    }

    /// One of its rows.
    pub(super) fn row(&self, row: usize) -> Option<&SafeLine> {
        match &self.wrapped {
            Some(rows) => rows.get(row),
            None => (row == 0).then_some(&self.line),
        }
    }

    /// The row in which a column of the whole line stands, and the columns before that row.
    pub(super) fn row_of(&self, column: usize) -> (usize, usize) {
        let mut before = 0;
        for row in 0..self.rows() {
            let width = self.row(row).map_or(0, SafeLine::width);
            if column < before + width || row + 1 == self.rows() {
                return (row, before);
            }
            before += width;
        }
        (0, 0)
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

    /// The line with this number; `None` when it is not held.
    pub(super) fn ready(&mut self, number: u64, store: &Store) -> Option<&Ready> {
        self.clock += 1;
        if !self.ready.contains_key(&number) {
            let line = show(store.line(number)?, &self.redactor);
            let wrapped = (self.wrap && line.width() > self.width).then(|| line.wrap(self.width));
            if self.ready.len() >= READY || self.rows >= READY_ROWS {
                // Half at once, so that this is rare.
                let oldest = self.clock.saturating_sub(READY as u64 / 2);
                self.ready.retain(|_, ready| ready.used >= oldest && self.rows < READY_ROWS);
                self.rows = self.ready.values().map(Ready::rows).sum();
            }
            let ready = Ready { line, wrapped, used: 0 };
            self.rows += ready.rows();
            self.ready.insert(number, ready);
        }
        let ready = self.ready.get_mut(&number)?;
        ready.used = self.clock;
        Some(ready)
    }

    /// Rows of a line; a line that is not held takes one.
    pub(super) fn rows(&mut self, number: u64, store: &Store) -> usize {
        self.ready(number, store).map_or(1, Ready::rows)
    }

    /// The text that is searched: what would be shown.
    pub(super) fn searched(&self, line: &Line) -> String {
        show(line, &self.redactor).plain()
    }
}

/// Redaction looks at what would be read on screen: a secret that escape sequences cut apart is one all the same. A
/// line with a secret loses its colours.
fn show(line: &Line, redactor: &Redactor) -> SafeLine {
    let safe = text::safe_line(line.text.as_bytes());
    let plain;
    let shown: &str = if line.plain {
        &line.text
    } else {
        plain = safe.plain();
        &plain
    };
    match redactor.clean(shown) {
        std::borrow::Cow::Borrowed(_) => safe,
        std::borrow::Cow::Owned(clean) => SafeLine::from(text::safe_text(&clean)),
    }
}

/// The columns of a byte range of a safe text.
pub(super) fn columns(text: &str, range: &Range<usize>) -> Range<usize> {
    let start = text::width(&text[..range.start]);
    start..start + text::width(&text[range.clone()])
}
