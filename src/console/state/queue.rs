//! The queue pane's own state: rows, selection, scroll, view.
//!
//! Invariants: the selection is a ticket, never a position, so re-sorting does not move it (rule A). When the selected
//! ticket is gone, the one that now stands in its place is selected, or the last one: while there are rows, one of them
//! is selected. That such a ticket takes no decision before it was drawn is [`super::Console::strayed`]'s matter.

use jiff::Timestamp;

use crate::plan::ticket::TicketId;
use crate::runtime::protocol::Snapshot;

use crate::console::rows::{Row, Rows, View, rows};

/// The queue pane.
#[derive(Clone, Debug)]
pub(crate) struct QueuePane {
    pub(crate) view: View,
    pub(crate) rows: Rows,
    pub(crate) selected: Option<TicketId>,
    /// Row of the selection.
    pub(crate) cursor: usize,
    /// First visible row.
    pub(crate) top: usize,
}

impl Default for QueuePane {
    fn default() -> Self {
        Self {
            view: View { sprint: Some("current".to_owned()), ..View::default() },
            rows: Rows::default(),
            selected: None,
            cursor: 0,
            top: 0,
        }
    }
}

impl QueuePane {
    /// Computes the rows again; the selection stays on its ticket, or on its place when the ticket is gone.
    pub(crate) fn refresh(&mut self, snapshot: &Snapshot, now: Timestamp) {
        self.rows = rows(snapshot, &self.view, now);
        match self.selected.as_ref().and_then(|id| self.position(snapshot, id)) {
            Some(position) => self.cursor = position,
            None => self.select(snapshot, self.cursor),
        }
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
        self.cursor = position.min(self.rows.rows.len().saturating_sub(1));
        self.selected = self
            .rows
            .rows
            .get(self.cursor)
            .and_then(|row| snapshot.plan.tickets.get(row.ticket as usize))
            .map(|ticket| ticket.id.clone());
    }

    /// Moves the selection.
    pub(crate) fn step(&mut self, snapshot: &Snapshot, by: isize) {
        self.select(snapshot, self.cursor.saturating_add_signed(by));
    }

    /// Scrolls so that the selection stands within `height` rows.
    pub(crate) fn reveal(&mut self, height: usize) {
        if height == 0 {
            return;
        }
        let last = self.rows.rows.len().saturating_sub(height);
        self.top = self.top.min(last).min(self.cursor).max((self.cursor + 1).saturating_sub(height));
    }

    /// The rows within `height`.
    pub(crate) fn visible(&self, height: usize) -> &[Row] {
        let end = (self.top + height).min(self.rows.rows.len());
        self.rows.rows.get(self.top.min(end)..end).unwrap_or_default()
    }
}
