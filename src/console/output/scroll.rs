//! Moving through the output: by rows, pages, columns, to the ends, and to matches.

use super::layout::columns;
use super::search::{Place, Search};
use super::view::OutputView;
use super::walk::Position;

impl OutputView {
    /// Scrolls by rows, up when negative. Up freezes; down to the last row follows again.
    pub(crate) fn scroll_rows(&mut self, rows: i64) {
        self.stay();
        let count = usize::try_from(rows.unsigned_abs()).unwrap_or(usize::MAX);
        if rows < 0 {
            let start = self.current_top();
            self.freeze();
            self.top = self.up(start, count);
        } else if !self.follow {
            let bottom = self.bottom();
            self.top = self.down(self.top, count, bottom);
            if self.top >= bottom {
                self.end();
            }
        }
    }

    /// Scrolls by pages, up when negative; one row stays in sight.
    pub(crate) fn scroll_pages(&mut self, pages: i64) {
        let page = i64::from(self.size.1.saturating_sub(1).max(1));
        self.scroll_rows(page.saturating_mul(pages));
    }

    /// To the first line.
    pub(crate) fn home(&mut self) {
        self.stay();
        self.freeze();
        self.top = Position::default();
        self.cursor = None;
    }

    /// To the tail, and follows.
    pub(crate) fn end(&mut self) {
        self.stay();
        self.follow = true;
        self.cursor = None;
        self.top = self.bottom();
    }

    /// A search is carried out at the next frame; a move that came after it counts.
    fn stay(&mut self) {
        if let Some(search) = &mut self.search {
            search.stay();
        }
    }

    /// Scrolls sideways, to the left when negative; nothing happens while lines are wrapped.
    pub(crate) fn scroll_columns(&mut self, by: i64) {
        if self.wrap {
            return;
        }
        let by_columns = usize::try_from(by.unsigned_abs()).unwrap_or(usize::MAX);
        if by < 0 {
            self.left = self.left.saturating_sub(by_columns);
        } else {
            let widest = self.widest_in_sight().saturating_sub(usize::from(self.text_width()));
            self.left = self.left.saturating_add(by_columns).min(widest.max(self.left));
        }
    }

    /// Begins a search; the view is remembered for [`OutputView::search_cancel`].
    pub(crate) fn search_begin(&mut self) {
        self.origin = Some((self.current_top(), self.follow));
        self.generation += 1;
        self.search = Some(Search::new(self.generation));
    }

    /// The text typed so far. The nearest match is shown: downwards from the first row on screen, or, when the view was
    /// at the tail, upwards from there.
    pub(crate) fn search_set(&mut self, query: &str) {
        if self.search.is_none() {
            self.search_begin();
        }
        self.generation += 1;
        let (top, follow) = self.origin.unwrap_or((self.top, self.follow));
        let last = self.store.total().saturating_sub(1);
        let Some(search) = &mut self.search else { return };
        search.set(query, self.generation);
        if follow {
            search.seek(Place::Behind(last), false);
        } else {
            search.seek(Place::Before(top.line), true);
        }
        if query.is_empty() {
            self.return_to_origin();
        }
    }

    /// The search is typed; an empty one is ended.
    pub(crate) fn search_accept(&mut self) {
        match &mut self.search {
            Some(search) if !search.query.is_empty() => search.editing = false,
            _ => self.search = None,
        }
    }

    /// Ends the search and returns to where it began.
    pub(crate) fn search_cancel(&mut self) {
        self.return_to_origin();
        (self.search, self.origin) = (None, None);
    }

    /// Ends the search and stays.
    pub(crate) fn search_clear(&mut self) {
        (self.search, self.origin) = (None, None);
    }

    /// To the next match, on from the first one after the last.
    pub(crate) fn search_next(&mut self) {
        self.search_on(true);
    }

    /// To the match before, on from the last one before the first.
    pub(crate) fn search_previous(&mut self) {
        self.search_on(false);
    }

    fn search_on(&mut self, forward: bool) {
        let top = self.current_top().line;
        let Some(search) = &mut self.search else { return };
        let from = match search.current {
            Some(current) => Place::At(current),
            None if forward => Place::Before(top),
            None => Place::Behind(top),
        };
        search.seek(from, forward);
    }

    /// What is shown changed (other secrets are taken out): matches are looked for anew.
    pub(super) fn search_again(&mut self) {
        self.generation += 1;
        let generation = self.generation;
        if let Some(search) = &mut self.search {
            let (query, current) = (search.query.clone(), search.current);
            search.set(&query, generation);
            search.current = current;
        }
    }

    fn return_to_origin(&mut self) {
        if let Some((top, follow)) = self.origin {
            (self.top, self.follow) = (top, follow);
        }
    }

    /// Puts the current match on screen and freezes there.
    pub(super) fn reveal_current(&mut self) {
        let Some((search, current)) = self.search.as_ref().and_then(|search| Some((search, search.current?)))
        else {
            return;
        };
        let Some(pattern) = search.pattern().cloned() else { return };
        self.shown.reveal(current.line);
        let indent = self.indent(current.line);
        let Some(ready) = self.layout.ready(current.line, indent, &self.store) else { return };
        let text = ready.line.plain();
        let nth = usize::try_from(current.nth).unwrap_or(0);
        let found = pattern.find(&text).get(nth).map(|range| columns(&text, range)).unwrap_or_default();
        let row = ready.row_of(found.start);
        // A folded head has one row, wherever in it the match is.
        let row = row.min(self.rows_of(current.line) - 1);
        let place = Position { line: current.line, row };
        self.cursor = Some(place);
        let top = self.current_top();
        let height = usize::from(self.size.1).max(1);
        let last = self.down(top, height - 1, Position { line: u64::MAX, row: 0 });
        self.freeze();
        self.top = if (top..=last).contains(&place) { top } else { self.up(place, height / 3) };
        let width = usize::from(self.text_width()).max(1);
        if !self.wrap && (found.start < self.left || found.end > self.left + width) {
            self.left = if found.end <= width { 0 } else { found.start.saturating_sub(width / 3) };
        }
    }

    pub(super) fn freeze(&mut self) {
        if self.follow {
            self.top = self.current_top();
            self.frozen_at = self.store.total();
            self.follow = false;
        }
    }

    pub(super) fn current_top(&mut self) -> Position {
        if self.follow { self.bottom() } else { self.top }
    }

    fn widest_in_sight(&mut self) -> usize {
        let lines: Vec<u64> = self.rows.iter().map(|row| row.at.line).collect();
        let mut widest = 0;
        for line in lines {
            let indent = self.indent(line);
            let ready = self.layout.ready(line, indent, &self.store);
            widest = widest.max(ready.map_or(0, |ready| ready.line.width() + indent));
        }
        widest
    }
}
