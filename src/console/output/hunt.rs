//! Jumping to the next error, and reading what has to be read on the way, a piece at a time: the pane asks for one piece,
//! is drawn, and goes on when the piece comes, so that no key ever waits for a gigabyte.

use std::ops::Range;

use super::index::Near;
use super::shown::ERRORS;
use super::view::OutputView;
use super::walk::Position;

/// Lines read at a time on the way to something.
const PIECE: u64 = 2_000;

/// A jump under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hunt {
    forward: bool,
    /// Beyond this line.
    from: u64,
}

impl OutputView {
    /// Goes to the next error, or to the one before.
    pub(crate) fn jump_to_error(&mut self, forward: bool) {
        let from = match (self.cursor, self.follow) {
            (Some(cursor), _) => cursor.line,
            (None, true) => self.store.total(),
            // The first line on screen counts too, going down from where no cursor stands yet.
            (None, false) => self.top.line.saturating_sub(u64::from(forward)),
        };
        self.hunt = Some(Hunt { forward, from });
    }

    /// Whether a jump is under way.
    #[cfg(test)]
    pub(super) fn is_hunting(&self) -> bool {
        self.hunt.is_some()
    }

    /// Goes on with a jump as far as what is known goes; gives the lines that must be read before it can go on.
    pub(super) fn step_hunt(&mut self) -> Option<Range<u64>> {
        let mut hunt = self.hunt?;
        loop {
            match self.shown.index.nearest(hunt.from, hunt.forward, ERRORS) {
                // Only the beginning of an error is one; its lines are read with it.
                Near::Line(line) if self.shown.index.goes_on(line) => hunt.from = line,
                Near::Line(line) => {
                    self.hunt = None;
                    self.go_to(line);
                    return None;
                }
                Near::Unread(line) if !self.is_refused(line) => {
                    self.hunt = Some(hunt);
                    return Some(self.shown.index.unread(line, hunt.forward, PIECE));
                }
                Near::Unread(_) | Near::End => {
                    self.hunt = None;
                    let way = if hunt.forward { "below" } else { "above" };
                    self.said = Some(format!("there is no error {way}"));
                    return None;
                }
            }
        }
    }

    /// Lines that must be read before the filter knows what else to show.
    pub(super) fn step_filter(&self) -> Option<Range<u64>> {
        let unread = self.rows.iter().find(|row| !self.shown.index.is_known(row.at.line))?.at.line;
        let forward = unread > 0 && self.shown.index.is_known(unread - 1) && !self.follow;
        (!self.is_refused(unread)).then(|| self.shown.index.unread(unread, forward, PIECE))
    }

    /// Shows a line and puts the cursor there.
    fn go_to(&mut self, line: u64) {
        self.shown.reveal(line);
        self.freeze();
        let at = Position { line, row: 0 };
        self.cursor = Some(at);
        let height = usize::from(self.size.1).max(1);
        let end = self.down(self.top, height - 1, Position { line: u64::MAX, row: 0 });
        if !(self.top..=end).contains(&at) {
            self.top = self.up(at, height / 3);
        }
    }
}
