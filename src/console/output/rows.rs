//! What stands in each row of the pane, ready to be copied to the screen.

use std::ops::Range;

use super::layout::columns;
use super::search::Match;
use super::view::OutputView;
use super::walk::Position;
use crate::base::text::{SafeLine, width};
use crate::runtime::protocol::Channel;

/// One row, as it will be drawn.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) at: Position,
    pub(super) content: Content,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Text {
        at_ms: u64,
        channel: Channel,
        line: SafeLine,
        /// Columns that it stands in from the left.
        indent: u16,
        /// Columns that match the search, and whether it is the current match.
        matches: Vec<(Range<usize>, bool)>,
        /// The block that begins here: folded (true) or open.
        fold: Option<bool>,
        /// The line is the head of its block, or stands alone.
        head: bool,
        /// What stands at the right: how a call went, how much is folded.
        note: Option<Note>,
    },
    /// Not held: on its way, or (`true`) not to be had.
    Missing(bool),
}

/// A few words at the right of a folded head.
#[derive(Clone, Debug)]
pub(super) struct Note {
    pub(super) text: String,
    pub(super) channel: Channel,
    /// The result whose head it is, and which is not held.
    missing: Option<u64>,
}

impl Row {
    /// A line that this row shows something of and that is not held.
    pub(super) fn missing(&self) -> Option<u64> {
        match &self.content {
            Content::Missing(_) => Some(self.at.line),
            Content::Text { note, .. } => note.as_ref().and_then(|note| note.missing),
        }
    }
}

impl OutputView {
    pub(super) fn build_rows(&mut self) {
        self.rows.clear();
        let (height, total) = (usize::from(self.size.1), self.store.total());
        let room = height.saturating_sub(if self.follow { self.partial_rows.len() } else { 0 });
        let mut at = self.top;
        if total == 0 || !self.shown.is_visible(at.line) {
            return;
        }
        while self.rows.len() < room && at.line < total {
            let rows = self.rows_of(at.line);
            for row in at.row..rows.min(at.row + room - self.rows.len()) {
                let content = self.content(at.line, row);
                self.rows.push(Row { at: Position { line: at.line, row }, content });
            }
            match self.shown.next(at.line, true).line() {
                Some(line) => at = Position { line, row: 0 },
                None => break,
            }
        }
    }

    /// Whether lines of a block stand in under their head: those that explain it do, answers do not.
    pub(super) fn stands_in(&self, line: u64) -> bool {
        self.store.line(line).is_some_and(|line| {
            matches!(
                line.channel,
                Channel::Thinking
                    | Channel::ToolInput
                    | Channel::ToolOutput
                    | Channel::ToolError
                    | Channel::Diff
                    | Channel::Error
            )
        })
    }

    fn content(&mut self, number: u64, row: usize) -> Content {
        let missing = Content::Missing(self.is_refused(number));
        let fold = self.shown.fold(number).filter(|_| row == 0);
        let note = if fold == Some(true) { self.note(number) } else { None };
        let indent = self.indent(number);
        let room = self.layout.width().saturating_sub(indent).max(1);
        let left = self.left;
        let (Some(held), Some(ready)) =
            (self.store.line(number), self.layout.ready(number, indent, &self.store))
        else {
            return missing;
        };
        let (before, line) = match fold {
            Some(true) => {
                let taken = note.as_ref().map_or(0, |note| width(&note.text) + 4);
                (0, ready.line.truncate_end(room.saturating_sub(taken).max(room / 3)))
            }
            _ => ready.row(row).map(|(before, line)| (before, line.clone())).unwrap_or_default(),
        };
        let mut matches = Vec::new();
        if let Some((search, pattern)) =
            self.search.as_ref().and_then(|search| Some((search, search.pattern()?)))
        {
            let text = ready.line.plain();
            for (nth, range) in (0..).zip(pattern.find(&text)) {
                let found = columns(&text, &range);
                // In columns of this row, then of what is on screen of it.
                let (start, end) = (found.start.max(before), found.end.min(before + line.width()));
                if start < end && end > before + left {
                    let current = search.current == Some(Match { line: number, nth });
                    matches.push((start.saturating_sub(before + left)..end - before - left, current));
                }
            }
        }
        let line = if self.wrap || fold == Some(true) { line } else { line.slice(left, room) };
        let head = !self.shown.index.goes_on(number);
        let indent = u16::try_from(indent).unwrap_or(0);
        Content::Text { at_ms: held.at_ms, channel: held.channel, line, indent, matches, fold, head, note }
    }

    /// What a folded head says at its right.
    fn note(&mut self, head: u64) -> Option<Note> {
        let width = self.layout.width();
        let taken = self.layout.ready(head, 0, &self.store).map_or(0, |ready| ready.line.width());
        // All that the head leaves, the mark of a failure and blanks taken off; half of the row in any case.
        let room = width.saturating_sub(taken + 4).max(width / 2);
        if let Some(result) = self.shown.joined(head) {
            let (text, channel, missing) = match self.layout.ready(result, 0, &self.store) {
                Some(ready) => (ready.line.truncate_end(room).plain(), None, None),
                None => ("…".to_owned(), Some(Channel::ToolOutput), Some(result)),
            };
            let channel =
                channel.or_else(|| self.store.line(result).map(|line| line.channel)).unwrap_or(Channel::Out);
            return Some(Note { text, channel, missing });
        }
        let inside = self.shown.inside(head);
        let counts =
            matches!(self.store.line(head)?.channel, Channel::Thinking | Channel::File | Channel::Text);
        let text = if inside == 1 { "+1 line".to_owned() } else { format!("+{inside} lines") };
        (counts && inside > 0).then_some(Note { text, channel: Channel::Note, missing: None })
    }
}
