//! From row to row over what is shown, in bounded steps: nothing in here looks at more lines than there are rows on the
//! way, and the folded ones between them.

use super::index::Near;
use super::view::OutputView;

/// A row of the output: the line, and which of its rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) line: u64,
    pub(super) row: usize,
}

/// Columns by which what belongs to a head stands in.
const INSIDE: usize = 2;

impl OutputView {
    /// Columns that a line's rows stand in.
    pub(super) fn indent(&self, line: u64) -> usize {
        if self.shown.index.goes_on(line) && self.stands_in(line) { INSIDE } else { 0 }
    }

    /// Rows of a visible line. A folded head has one, and so has a line that is not held.
    pub(super) fn rows_of(&mut self, line: u64) -> usize {
        if self.shown.fold(line) == Some(true) {
            return 1;
        }
        let indent = self.indent(line);
        self.layout.ready(line, indent, &self.store).map_or(1, super::layout::Ready::rows)
    }

    /// The first row of the last page.
    pub(super) fn bottom(&mut self) -> Position {
        let mut left = usize::from(self.size.1).saturating_sub(self.partial_rows.len()).max(1);
        let mut at = Position { line: self.store.total(), row: 0 };
        while let Some(line) = self.shown.next(at.line, false).line() {
            let rows = self.rows_of(line);
            if rows >= left {
                return Position { line, row: rows - left };
            }
            left -= rows;
            at = Position { line, row: 0 };
        }
        if at.line == self.store.total() { Position::default() } else { at }
    }

    /// So many rows up, but not above the first.
    pub(super) fn up(&mut self, from: Position, mut rows: usize) -> Position {
        let mut at = from;
        while rows > at.row {
            let Some(line) = self.shown.next(at.line, false).line() else {
                return Position { line: at.line, row: 0 };
            };
            rows -= at.row + 1;
            at = Position { line, row: self.rows_of(line) - 1 };
        }
        Position { line: at.line, row: at.row - rows }
    }

    /// So many rows down, but not beyond `limit`, nor beyond the last row.
    pub(super) fn down(&mut self, from: Position, mut rows: usize, limit: Position) -> Position {
        let mut at = from;
        while rows > 0 && at < limit {
            let below = self.rows_of(at.line).saturating_sub(at.row + 1);
            if rows <= below {
                at.row += rows;
                break;
            }
            let next = match self.shown.next(at.line, true) {
                Near::Line(line) | Near::Unread(line) if line < self.store.total() => line,
                _ => {
                    at.row += below;
                    break;
                }
            };
            rows -= below + 1;
            at = Position { line: next, row: 0 };
        }
        at.min(limit)
    }

    /// The last row of all.
    pub(super) fn last(&mut self) -> Position {
        match self.shown.next(self.store.total(), false).line() {
            Some(line) => Position { line, row: self.rows_of(line) - 1 },
            None => Position::default(),
        }
    }

    /// Keeps the place within what there is: after a resize, new lines, a fold, another filter or way of wrapping.
    pub(super) fn settle(&mut self) {
        if !self.shown.is_visible(self.top.line) {
            let near = |forward| self.shown.next(self.top.line, forward).line();
            self.top = Position { line: near(false).or_else(|| near(true)).unwrap_or(0), row: 0 };
        }
        let bottom = self.bottom();
        if self.follow || self.top > bottom {
            self.top = bottom;
        }
        let rows = self.rows_of(self.top.line);
        self.top.row = self.top.row.min(rows - 1);
    }
}
