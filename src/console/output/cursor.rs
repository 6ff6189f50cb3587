//! The cursor row of a view that does not follow, and what is folded and opened with it.

use super::shown::{Filter, Usual};
use super::view::OutputView;
use super::walk::Position;

impl OutputView {
    /// Moves the cursor by rows, up when negative, and the view with it. The first step up from the tail freezes the
    /// view and puts the cursor on the last row; a step down from the last row follows again.
    pub(crate) fn move_cursor(&mut self, rows: i64) {
        if self.follow {
            if rows < 0 {
                let last = self.last();
                self.freeze();
                self.cursor = Some(last);
            }
            return;
        }
        let count = usize::try_from(rows.unsigned_abs()).unwrap_or(usize::MAX);
        let from = self.cursor.unwrap_or(self.top);
        let to = if rows < 0 {
            self.up(from, count)
        } else {
            let last = self.last();
            let to = self.down(from, count, last);
            if from == last {
                return self.end();
            }
            to
        };
        self.cursor = Some(to);
        self.bring_into_sight(to);
    }

    /// Folds or opens the block at the cursor; at the tail the last one that can be. False when there is none.
    pub(crate) fn toggle_fold(&mut self) -> bool {
        let line = match self.cursor {
            Some(cursor) => Some(cursor.line),
            None => self.rows.iter().rev().map(|row| row.at.line).find(|line| self.foldable(*line).is_some()),
        };
        let Some(head) = line.and_then(|line| self.shown.toggle(line)) else { return false };
        self.freeze();
        let at = Position { line: head, row: 0 };
        self.cursor = Some(at);
        self.bring_into_sight(at);
        true
    }

    /// Whether the cursor stands on something that can be folded or opened.
    pub(crate) fn is_on_fold(&self) -> bool {
        self.cursor.is_some_and(|cursor| self.foldable(cursor.line).is_some())
    }

    fn foldable(&self, line: u64) -> Option<u64> {
        let head = self.shown.index.head(line);
        self.shown.fold(head).map(|_| head)
    }

    /// Folds every block.
    pub(crate) fn fold_all(&mut self) {
        self.set_folds(Usual::Folded);
    }

    /// Opens every block; once more goes back to what is usual for each kind.
    pub(crate) fn open_all(&mut self) {
        let all = self.shown.is_all_open();
        self.set_folds(if all { Usual::Kind } else { Usual::Open });
    }

    fn set_folds(&mut self, usual: Usual) {
        let at = self.cursor.or((!self.follow).then_some(self.top));
        self.shown.set_all(usual);
        self.stay_at(at);
    }

    /// Shows another part of the output, as near as possible to where the view was.
    pub(crate) fn set_filter(&mut self, filter: Filter) {
        let at = self.cursor.or((!self.follow).then_some(self.top));
        self.shown.filter = filter;
        self.stay_at(at);
    }

    /// What is shown.
    pub(crate) fn filter(&self) -> Filter {
        self.shown.filter
    }

    /// What is shown changed: the line that was looked at, or the nearest that is left, keeps its place.
    fn stay_at(&mut self, at: Option<Position>) {
        let Some(at) = at else { return };
        let near = |forward| self.shown.next(at.line, forward).line();
        let line = if self.shown.is_visible(at.line) {
            at.line
        } else {
            near(false).or_else(|| near(true)).unwrap_or(0)
        };
        let at = Position { line, row: 0 };
        self.cursor = Some(at);
        self.top = self.up(at, usize::from(self.size.1) / 3);
    }

    /// Scrolls as little as it takes.
    pub(super) fn bring_into_sight(&mut self, at: Position) {
        let height = usize::from(self.size.1).max(1);
        let end = self.down(self.top, height - 1, Position { line: u64::MAX, row: 0 });
        if at < self.top {
            self.top = at;
        } else if at > end {
            self.top = self.up(at, height - 1);
        }
    }

    /// Keeps the cursor on a row that is seen.
    pub(super) fn clamp_cursor(&mut self) {
        let (Some(first), Some(last)) = (self.rows.first(), self.rows.last()) else {
            self.cursor = None;
            return;
        };
        let (first, last) = (first.at, last.at);
        self.cursor = (!self.follow).then(|| self.cursor.unwrap_or(first).clamp(first, last));
        // Between two rows after a fold: onto the one above.
        if let Some(cursor) = self.cursor {
            self.cursor = self.rows.iter().map(|row| row.at).rfind(|at| *at <= cursor);
        }
    }
}
