//! One line of text: the filter, the search, the reason for a block, the word that high-risk work asks for. Drawn in the title of its pane or over the footer.

use jiff::Timestamp;

use crate::plan::ticket::TicketId;

use super::field::TextField;
use crate::console::promotions::Seen;

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
    /// Searches the promotions while typing; holds the search to go back to.
    Promotions { before: String },
    /// The ticket's id, typed to land high-risk work as it was seen; `wrong` after something else was typed.
    Word { ticket: TicketId, seen: Seen, wrong: bool },
}

impl LineKind {
    /// What Enter does, for the footer.
    pub(crate) fn accept(&self) -> &'static str {
        match self {
            LineKind::Filter { .. } => "keep the filter",
            LineKind::Search | LineKind::ReviewSearch | LineKind::Promotions { .. } => "keep the search",
            LineKind::Block { .. } => "block",
            LineKind::Word { .. } => "land it",
        }
    }

    /// What Esc does, for the footer.
    pub(crate) fn back(&self) -> &'static str {
        match self {
            LineKind::Filter { .. } => "as it was",
            LineKind::Search | LineKind::ReviewSearch => "end the search",
            LineKind::Promotions { .. } => "as it was",
            LineKind::Block { .. } => "do not block",
            LineKind::Word { .. } => "land nothing",
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
