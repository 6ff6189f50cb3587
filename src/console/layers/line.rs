//! One line of text: the filter, the search, the reason for a block. Drawn in the title of its pane or over the footer.

use jiff::Timestamp;

use crate::plan::ticket::TicketId;

use super::field::TextField;

/// What the line is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LineKind {
    /// Filters the queue while typing; holds the filter to go back to.
    Filter { before: String },
    /// Searches the output while typing.
    Search,
    /// Searches the diff while typing.
    ReviewSearch,
    /// Why a ticket is blocked.
    Block { ticket: TicketId, seen: Option<Timestamp> },
}

/// One line of text.
#[derive(Debug)]
pub(crate) struct LineInput {
    pub(crate) kind: LineKind,
    pub(crate) text: TextField,
}

impl LineInput {
    pub(crate) fn new(kind: LineKind, text: &str) -> LineInput {
        LineInput { kind, text: TextField::new(text, true) }
    }
}
