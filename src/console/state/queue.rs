//! The queue pane's own state: rows, selection, scroll, view.
//!
//! Invariants: the selection is a ticket, never a position, so re-sorting does not move it (rule A). When the selected
//! ticket is gone, the one that now stands in its place is selected, or the last one: while there are rows, one of them
//! is selected. It is not gone by the end of its run, which is an event: until the operator goes elsewhere it keeps a row. That such a ticket takes no decision before it was drawn is [`super::Console::strayed`]'s matter.

use jiff::Timestamp;

use crate::plan::ticket::TicketId;
use crate::runtime::protocol::Snapshot;

use crate::console::list::{Cursor, Motion};
use crate::console::rows::{Row, Rows, View, rows};

/// The queue pane.
#[derive(Clone, Debug)]
pub(crate) struct QueuePane {
    pub(crate) view: View,
    pub(crate) rows: Rows,
    pub(crate) selected: Option<TicketId>,
    /// On the row of the selection.
    pub(crate) cursor: Cursor,
}

impl Default for QueuePane {
    fn default() -> Self {
        Self {
            view: View { sprint: Some("current".to_owned()), ..View::default() },
            rows: Rows::default(),
            selected: None,
            cursor: Cursor::default(),
        }
    }
}

impl QueuePane {
    /// Computes the rows again; the selection stays on its ticket, or on its place when the ticket is gone.
    pub(crate) fn refresh(&mut self, snapshot: &Snapshot, now: Timestamp) {
        let worked_on = self.rows.rows.get(self.cursor.at()).is_some_and(|row| row.state.is_worked_on());
        if worked_on || self.view.kept != self.selected {
            self.view.kept = self.selected.clone().filter(|_| worked_on);
        }
        self.rows = rows(snapshot, &self.view, now);
        match self.selected.as_ref().and_then(|id| self.position(snapshot, id)) {
            Some(position) => self.cursor.go_to(position, self.rows.rows.len()),
            None => self.select(snapshot, self.cursor.at()),
        }
    }

    /// Lets go of the finished ticket that was kept while it was selected; true when there was one.
    pub(crate) fn let_go(&mut self) -> bool {
        self.view.kept.take_if(|kept| self.selected.as_ref() != Some(kept)).is_some()
    }

    fn position(&self, snapshot: &Snapshot, id: &TicketId) -> Option<usize> {
        let tickets = &snapshot.plan.tickets;
        self.rows
            .rows
            .iter()
            .position(|row| tickets.get(row.ticket as usize).is_some_and(|ticket| ticket.id == *id))
    }

    /// Selects the row at `position`, or the last one.
    pub(crate) fn select(&mut self, snapshot: &Snapshot, position: usize) {
        self.cursor.go_to(position, self.rows.rows.len());
        self.follow(snapshot);
    }

    /// Moves the selection.
    pub(crate) fn go(&mut self, snapshot: &Snapshot, motion: Motion) {
        self.cursor.go(motion, self.rows.rows.len());
        self.follow(snapshot);
    }

    /// What stands under the cursor is selected.
    fn follow(&mut self, snapshot: &Snapshot) {
        self.selected = self
            .rows
            .rows
            .get(self.cursor.at())
            .and_then(|row| snapshot.plan.tickets.get(row.ticket as usize))
            .map(|ticket| ticket.id.clone());
    }

    /// Scrolls so that the selection stands within `height` rows.
    pub(crate) fn reveal(&mut self, height: usize) {
        self.cursor.reveal(self.rows.rows.len(), height);
    }

    /// The rows within `height`.
    pub(crate) fn visible(&self, height: usize) -> &[Row] {
        self.rows.rows.get(self.cursor.seen(self.rows.rows.len(), height)).unwrap_or_default()
    }
}
