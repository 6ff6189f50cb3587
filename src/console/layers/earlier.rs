//! The runs of one ticket, those of earlier sessions too: which there are, until one is opened.
//!
//! Owns the list as it stood when it came. Reading it takes a moment, so it is asked for and awaited.

use std::sync::Arc;

use crate::console::list::List;
use crate::plan::ticket::TicketId;
use crate::runtime::protocol::RunView;

/// The list.
#[derive(Clone, Debug)]
pub(crate) struct Earlier {
    pub(crate) ticket: TicketId,
    /// Newest first; `None` while they are read.
    pub(crate) list: Option<List<Arc<RunView>>>,
    /// How many there are, listed or not.
    pub(crate) total: u64,
}

impl Earlier {
    /// The list of this ticket's runs, not read yet.
    pub(crate) fn of(ticket: TicketId) -> Earlier {
        Earlier { ticket, list: None, total: 0 }
    }

    /// Puts the runs in that were read; the cursor stays on its run.
    pub(crate) fn read(&mut self, runs: Vec<Arc<RunView>>, total: u64) {
        self.list.get_or_insert_default().replace(runs, |before, run| before.id == run.id);
        self.total = total;
    }

    pub(crate) fn chosen(&self) -> Option<&Arc<RunView>> {
        self.list.as_ref()?.chosen()
    }
}
