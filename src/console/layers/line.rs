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

impl LineKind {
    /// What Enter does, for the footer.
    pub(crate) fn accept(&self) -> &'static str {
        match self {
            LineKind::Filter { .. } => "keep the filter",
            LineKind::Search | LineKind::ReviewSearch => "keep the search",
            LineKind::Block { .. } => "block",
        }
    }

    /// What Esc does, for the footer.
    pub(crate) fn back(&self) -> &'static str {
        match self {
            LineKind::Filter { .. } => "as it was",
            LineKind::Search | LineKind::ReviewSearch => "end the search",
            LineKind::Block { .. } => "do not block",
        }
    }
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
