//! Where the cursor of a review stands: rows are made anew when anything that they depend on changed, and the cursor stays
//! on its line.

use std::sync::Arc;

use super::layout::{self, Layout, Options, Row};
use super::notes::Note;
use super::search::Search;
use super::{Place, ReviewScreen};
use crate::runtime::protocol::diff::TextSide;

/// What a layout was made of; another key, another layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LayoutKey {
    file: usize,
    body: usize,
    options: Options,
    notes: (u64, u64),
    width: usize,
}

impl ReviewScreen {
    /// The place of the cursor.
    pub(super) fn here(&self) -> Option<Place> {
        let file = self.entry()?.path.clone();
        let found = (self.cursor..self.layout.len).take(200).find_map(|row| {
            let row = self.layout.row(row)?;
            row.line(TextSide::New).map(|line| (TextSide::New, line))
        });
        let (side, line) = found.unwrap_or((TextSide::New, 0));
        Some(Place { file, side, line: line + 1 })
    }

    /// What stands under the cursor.
    pub(crate) fn row(&self) -> Option<Row> {
        self.layout.row(self.cursor)
    }

    /// Moves the cursor.
    pub(crate) fn move_to(&mut self, row: usize) {
        self.cursor = row.min(self.layout.len.saturating_sub(1));
    }

    /// Goes to a line of the shown file, opening its fold.
    pub(crate) fn go_to(&mut self, side: TextSide, line: u32) {
        if let Some(row) = self.layout.find(side, line) {
            if let Some(Row::Fold { gap, lines }) = self.layout.row(row) {
                self.open_fold(gap, lines);
                if let Some(file) = self.entry().map(|entry| entry.path.clone()) {
                    self.wanted = Some(Place { file, side, line: line + 1 });
                }
            }
            self.move_to(row);
            // A jump stands in the upper third, so that what follows is seen.
            self.top = self.cursor.saturating_sub(self.height / 3);
        }
    }

    /// Lays the shown file out when anything that it depends on changed, with `notes` for it.
    pub(crate) fn lay_out(
        &mut self,
        width: usize,
        version: u64,
        notes: impl FnOnce(&ReviewScreen) -> Vec<Note>,
    ) {
        let Some(body) = self.body().cloned() else { return };
        let key = LayoutKey {
            file: self.file,
            body: Arc::as_ptr(&body) as usize,
            options: self.options.clone(),
            notes: (self.notebook_version, version),
            width,
        };
        if self.laid_out.as_ref() != Some(&key) {
            let before = self.laid_out.as_ref().filter(|before| before.file == key.file).and(self.row());
            let offset = self.cursor.saturating_sub(self.top);
            self.notes = notes(self);
            let places: Vec<_> = self.notes.iter().map(Note::place).collect();
            let lines = (body.old.len(), body.new.len());
            self.layout = Layout::new(&body.blocks, lines, &self.options, &places);
            self.laid_out = Some(key);
            self.settle(before, offset);
            if let Some(search) = self.search.take() {
                let found = Search::new(&search.text, &body);
                let current = search.current.min(found.hits.len().saturating_sub(1));
                self.search = Some(Search { current, ..found });
                if let Some(seek) = search.waiting {
                    self.search_on(seek);
                }
            }
        }
        if std::mem::take(&mut self.wanted_top) {
            (self.cursor, self.top) = (0, 0);
        }
        // Whoever went to another file meanwhile does not want the place any more.
        let wanted = self.wanted.take();
        let here = self.entry().map(|entry| entry.path.as_str());
        if let Some(wanted) = wanted.filter(|wanted| here == Some(wanted.file.as_str())) {
            self.go_to(wanted.side, wanted.line.saturating_sub(1));
        }
    }

    /// Whether the next frame shows more without anything having happened: a search that goes on in a text that is
    /// there, or a fold that was opened after the file was laid out. Each step has less left to do, so it ends.
    pub(crate) fn goes_on(&self) -> bool {
        let searches = self.search.as_ref().is_some_and(|search| search.waiting.is_some());
        let unfolds = self.laid_out.as_ref().is_some_and(|key| key.options != self.options);
        (searches || unfolds) && self.body().is_some()
    }

    /// Puts the cursor on the line that it was on.
    fn settle(&mut self, before: Option<Row>, offset: usize) {
        let row = match before {
            Some(Row::Note { .. } | Row::Fold { .. }) => Some(self.cursor),
            Some(row) => [TextSide::New, TextSide::Old]
                .into_iter()
                .find_map(|side| row.line(side).and_then(|line| self.layout.find(side, line))),
            // A file begins at its first change.
            None if std::mem::take(&mut self.at_end) => self.layout.hunks.last().copied(),
            None => self.layout.hunks.first().copied(),
        };
        self.move_to(row.unwrap_or(0));
        self.top = match before {
            Some(_) => self.cursor.saturating_sub(offset),
            None => self.cursor.saturating_sub(layout::CONTEXT as usize + 1),
        };
    }

    /// Keeps the cursor within what is seen of `height` rows.
    pub(crate) fn reveal(&mut self, height: usize) {
        self.height = height;
        self.move_to(self.cursor);
        let last = self.layout.len.saturating_sub(height.max(1));
        self.top = self.top.min(last).min(self.cursor).max((self.cursor + 1).saturating_sub(height.max(1)));
    }

    /// First and last row of the selection, or the row of the cursor.
    pub(crate) fn selection(&self) -> (usize, usize) {
        let anchor = self.anchor.unwrap_or(self.cursor);
        (anchor.min(self.cursor), anchor.max(self.cursor))
    }
}
