//! The one way in which lists and texts of the console move: a key is a [`Motion`], a list has a [`Cursor`] in it.
//!
//! Invariants: the cursor stands on a row while there are any, it is within the rows that are seen after each
//! [`Cursor::reveal`], and a page is what was seen at the last frame.

use std::ops::Range;

use super::actions::Action;

/// Rows of a page before the first frame has said how many are seen.
const UNSEEN_PAGE: usize = 10;

/// Where a key goes in a list or in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Motion {
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
}

impl Motion {
    /// The motion that an action is, if it is one.
    pub(crate) fn of(action: Action) -> Option<Motion> {
        Some(match action {
            Action::Up => Motion::Up,
            Action::Down => Motion::Down,
            Action::PageUp => Motion::PageUp,
            Action::PageDown => Motion::PageDown,
            Action::Top => Motion::Top,
            Action::Bottom => Motion::Bottom,
            _ => return None,
        })
    }

    /// Where one stands after it, from `at`, in positions up to `last`, with pages of `page` positions.
    pub(crate) fn from(self, at: usize, last: usize, page: usize) -> usize {
        let to = match self {
            Motion::Up => at.saturating_sub(1),
            Motion::Down => at.saturating_add(1),
            Motion::PageUp => at.saturating_sub(page),
            Motion::PageDown => at.saturating_add(page),
            Motion::Top => 0,
            Motion::Bottom => last,
        };
        to.min(last)
    }

    /// The first line that is seen after it, of a text of `lines` lines of which `height` are seen. A page keeps one
    /// line of what was read.
    pub(crate) fn scroll(self, top: usize, lines: usize, height: usize) -> usize {
        self.from(top, lines.saturating_sub(height), page(height))
    }
}

/// Rows that a page goes on by where so many are seen: one stays for the eye.
fn page(height: usize) -> usize {
    height.saturating_sub(1).max(1)
}

/// Where the cursor of a list stands, and which rows are seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cursor {
    at: usize,
    top: usize,
    /// Rows that were seen at the last frame; 0 before it.
    height: usize,
}

impl Cursor {
    /// The row that it stands on.
    pub(crate) fn at(self) -> usize {
        self.at
    }

    /// Goes to a row of `len`, or to the last one.
    pub(crate) fn go_to(&mut self, row: usize, len: usize) {
        self.at = row.min(len.saturating_sub(1));
    }

    /// Moves within `len` rows.
    pub(crate) fn go(&mut self, motion: Motion, len: usize) {
        let page = if self.height == 0 { UNSEEN_PAGE } else { page(self.height) };
        self.at = motion.from(self.at, len.saturating_sub(1), page);
    }

    /// Scrolls as little as is needed for the cursor to be seen in `height` rows, without blank ones below the last.
    pub(crate) fn reveal(&mut self, len: usize, height: usize) {
        self.go_to(self.at, len);
        self.height = height;
        if height > 0 {
            let last = len.saturating_sub(height);
            self.top = self.top.min(last).min(self.at).max((self.at + 1).saturating_sub(height));
        }
    }

    /// The rows of `len` that are seen in `height`.
    pub(crate) fn seen(self, len: usize, height: usize) -> Range<usize> {
        let end = self.top.saturating_add(height).min(len);
        self.top.min(end)..end
    }
}

/// Rows with a cursor among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct List<T> {
    rows: Vec<T>,
    cursor: Cursor,
}

impl<T> List<T> {
    /// These rows, with the cursor on the first.
    pub(crate) fn new(rows: Vec<T>) -> List<T> {
        List { rows, cursor: Cursor::default() }
    }

    /// These rows, with the cursor on that one.
    pub(crate) fn at(rows: Vec<T>, row: usize) -> List<T> {
        let mut list = List::new(rows);
        list.go_to(row);
        list
    }

    pub(crate) fn rows(&self) -> &[T] {
        &self.rows
    }

    /// The row with the cursor.
    pub(crate) fn chosen(&self) -> Option<&T> {
        self.rows.get(self.cursor.at())
    }

    pub(crate) fn go_to(&mut self, row: usize) {
        self.cursor.go_to(row, self.rows.len());
    }

    pub(crate) fn go(&mut self, motion: Motion) {
        self.cursor.go(motion, self.rows.len());
    }

    /// Other rows; the cursor stays on the row that `same` knows again, else on its place.
    pub(crate) fn replace(&mut self, rows: Vec<T>, same: impl Fn(&T, &T) -> bool) {
        let known = self.chosen().and_then(|before| rows.iter().position(|row| same(before, row)));
        self.rows = rows;
        self.go_to(known.unwrap_or(self.cursor.at()));
    }

    /// As [`Cursor::reveal`].
    pub(crate) fn reveal(&mut self, height: usize) {
        self.cursor.reveal(self.rows.len(), height);
    }

    /// The rows that are seen in `height`, each with whether the cursor is on it.
    pub(crate) fn seen(&self, height: usize) -> impl Iterator<Item = (usize, &T, bool)> {
        let seen = self.cursor.seen(self.rows.len(), height);
        let chosen = self.cursor.at();
        self.rows
            .iter()
            .enumerate()
            .take(seen.end)
            .skip(seen.start)
            .map(move |(at, row)| (at, row, at == chosen))
    }
}

impl<T> Default for List<T> {
    fn default() -> List<T> {
        List::new(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_motion_stays_within_and_pages_are_what_is_seen() {
        let walk = |from: usize, motion: Motion| motion.from(from, 9, 4);
        assert_eq!(walk(0, Motion::Up), 0);
        assert_eq!(walk(9, Motion::Down), 9);
        assert_eq!(walk(7, Motion::PageDown), 9);
        assert_eq!(walk(7, Motion::PageUp), 3);
        assert_eq!((walk(5, Motion::Top), walk(5, Motion::Bottom)), (0, 9));
        assert_eq!(Motion::Bottom.from(0, 0, 4), 0);
        // A text of ten lines, four of them seen: the last page begins at line six.
        assert_eq!(Motion::PageDown.scroll(0, 10, 4), 3);
        assert_eq!(Motion::Bottom.scroll(0, 10, 4), 6);
        assert_eq!(Motion::Down.scroll(0, 3, 4), 0);
        assert_eq!(Motion::PageDown.scroll(0, 10, 0), 1);
    }

    #[test]
    fn every_motion_has_its_action_and_nothing_else_has_one() {
        let moving: Vec<_> = super::super::actions::SPECS
            .iter()
            .filter_map(|spec| Motion::of(spec.action).map(|motion| (spec.action, motion)))
            .collect();
        assert_eq!(moving.len(), 6);
        assert!(moving.contains(&(Action::PageUp, Motion::PageUp)));
    }

    #[test]
    fn the_cursor_is_seen_and_scrolling_is_no_more_than_that_takes() {
        let mut cursor = Cursor::default();
        cursor.reveal(20, 5);
        assert_eq!(cursor.seen(20, 5), 0..5);
        cursor.go_to(7, 20);
        cursor.reveal(20, 5);
        assert_eq!(cursor.seen(20, 5), 3..8);
        // Up again within what is seen: the rows stand still.
        cursor.go(Motion::PageUp, 20);
        cursor.reveal(20, 5);
        assert_eq!((cursor.at(), cursor.seen(20, 5)), (3, 3..8));
        // A higher screen shows no blank rows while there are others.
        cursor.go(Motion::Bottom, 20);
        cursor.reveal(20, 5);
        cursor.reveal(20, 8);
        assert_eq!((cursor.at(), cursor.seen(20, 8)), (19, 12..20));
        // Rows that went.
        cursor.reveal(2, 8);
        assert_eq!((cursor.at(), cursor.seen(2, 8)), (1, 0..2));
        cursor.reveal(0, 8);
        assert_eq!((cursor.at(), cursor.seen(0, 8)), (0, 0..0));
    }

    #[test]
    fn other_rows_keep_the_chosen_one_or_its_place() {
        let mut list = List::at(vec!["a", "b", "c"], 1);
        list.replace(vec!["x", "a", "b"], |before, row| before == row);
        assert_eq!((list.cursor.at(), list.chosen()), (2, Some(&"b")));
        list.replace(vec!["x", "y"], |before, row| before == row);
        assert_eq!((list.cursor.at(), list.chosen()), (1, Some(&"y")));
        list.replace(Vec::new(), |before, row| before == row);
        assert_eq!((list.cursor.at(), list.chosen()), (0, None));
    }

    #[test]
    fn what_is_seen_says_which_row_is_chosen() {
        let mut list = List::at((0..6).collect(), 4);
        list.reveal(3);
        let seen: Vec<_> = list.seen(3).map(|(at, row, chosen)| (at, *row, chosen)).collect();
        assert_eq!(seen, [(2, 2, false), (3, 3, false), (4, 4, true)]);
        // Before a first frame a page is a fixed one.
        let mut unseen = List::new((0..30).collect::<Vec<_>>());
        unseen.go(Motion::PageDown);
        assert_eq!(unseen.cursor.at(), 10);
    }
}
