//! Moving in the review: lines, hunks, hits, findings.

use super::super::super::list::Motion;
use super::super::super::review::layout::Row;
use super::super::super::review::notes::{self, What};
use super::super::super::review::{Part, Place, ReviewScreen};
use super::super::super::state::{Console, NoticeKind};
use crate::base::text::safe_text;
use crate::runtime::protocol::diff::TextSide;

/// Lines that a fold opens by.
const OPENED: u32 = 20;

impl ReviewScreen {
    /// Moves by a line, a page or to an end, in the files or in the text.
    pub(in crate::console::update) fn move_by(&mut self, motion: Motion) {
        match self.part {
            Part::Files => {
                let page = self.height.saturating_sub(1).max(1);
                self.go_to_file(motion.from(self.file, self.files().len().saturating_sub(1), page));
            }
            Part::Text => {
                let height = self.height.max(1);
                // The cursor moves, so the last row is the end, and not the last page.
                let page = height.saturating_sub(1).max(1);
                match motion {
                    Motion::PageUp => self.top = self.top.saturating_sub(page),
                    Motion::PageDown => self.top += page,
                    Motion::Up | Motion::Down | Motion::Top | Motion::Bottom => {}
                }
                self.move_to(motion.from(self.cursor, self.layout.len.saturating_sub(1), page));
            }
        }
    }

    /// To the next hunk or the one before, over the files.
    pub(super) fn step_hunk(&mut self, forward: bool) {
        let found = if forward {
            self.layout.hunks.iter().find(|row| **row > self.cursor)
        } else {
            self.layout.hunks.iter().rev().find(|row| **row < self.cursor)
        };
        match found.copied() {
            Some(row) => {
                self.move_to(row);
                let below = self.top + self.height.saturating_sub(4);
                if row <= self.top || row >= below {
                    self.top = row.saturating_sub(self.height / 3);
                }
            }
            None if forward => self.go_to_file(self.file + 1),
            None if self.file > 0 => {
                self.go_to_file(self.file - 1);
                self.at_end = true;
            }
            None => {}
        }
    }

    /// Opens the fold under the cursor; on anything else goes from the files to the text.
    pub(super) fn fold_at_cursor(&mut self) {
        if self.part == Part::Files {
            (self.part, self.files_shown) = (Part::Text, false);
        } else if let Some(Row::Fold { gap, lines }) = self.row() {
            self.open_fold(gap, lines.min(OPENED));
        }
    }

    /// The id of the finding under the cursor.
    fn finding_here(&self) -> Option<&str> {
        let Some(Row::Note { note, .. }) = self.row() else { return None };
        match &self.notes.get(note)?.what {
            What::Finding(id) => Some(id),
            What::Comment(_) => None,
        }
    }
}

impl Console {
    /// To the next finding or the one before, wherever it is.
    pub(super) fn step_finding(&mut self, forward: bool) {
        let Some(screen) = self.review() else { return };
        let review = self.snapshot.reviews.get(&screen.ticket);
        let found = notes::findings(screen, review);
        let listed: Vec<_> = found.iter().filter(|listed| listed.finding.file.is_some()).collect();
        if listed.is_empty() {
            return self.say(NoticeKind::Info, "no findings name a file here");
        }
        let last = screen.last_finding.as_deref().or(screen.finding_here());
        let at = listed.iter().position(|listed| Some(listed.finding.id.as_str()) == last);
        let count = listed.len();
        let next = match at {
            Some(at) => (at + if forward { 1 } else { count - 1 }) % count,
            None if forward => 0,
            None => count - 1,
        };
        let finding = listed[next].finding;
        let line = finding.line.filter(|_| listed[next].exact);
        let (id, file) = (finding.id.clone(), finding.file.clone().unwrap_or_default());
        let reason = safe_text(&finding.reason).to_string();
        let place = screen.files().iter().position(|entry| entry.path == file);
        let Some(screen) = self.review_mut() else { return };
        screen.last_finding = Some(id);
        match place {
            Some(at) => {
                screen.go_to_file(at);
                screen.part = Part::Text;
                match line {
                    Some(line) => screen.wanted = Some(Place { file, side: TextSide::New, line }),
                    None => screen.wanted_top = true,
                }
            }
            None => {
                let file = safe_text(&file);
                self.say(NoticeKind::Info, format!("{file} is not part of this diff: {reason}"));
            }
        }
    }
}
