//! The runs of one ticket, those of earlier sessions too: which there are, until one is opened.
//!
//! Owns the list as it stood when it came. Reading it takes a moment, so it is asked for and awaited.

use std::sync::Arc;

use crate::plan::ticket::TicketId;
use crate::runtime::protocol::RunView;

/// The list.
#[derive(Clone, Debug)]
pub(crate) struct Earlier {
    pub(crate) ticket: TicketId,
    /// Newest first; `None` while they are read.
    pub(crate) list: Option<Vec<Arc<RunView>>>,
    /// How many there are, listed or not.
    pub(crate) total: u64,
    pub(crate) selected: usize,
}

impl Earlier {
    /// The list of this ticket's runs, not read yet.
    pub(crate) fn of(ticket: TicketId) -> Earlier {
        Earlier { ticket, list: None, total: 0, selected: 0 }
    }

    pub(crate) fn step(&mut self, by: isize) {
        let last = self.list.as_ref().map_or(0, Vec::len).saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }

    pub(crate) fn chosen(&self) -> Option<&Arc<RunView>> {
        self.list.as_ref()?.get(self.selected)
    }
}
