//! Differences that an operator looks at: what a console may ask for, and the answers.
//!
//! Everything is asked for by a number of the console's own ([`DiffId`]), so that an answer that comes after the view was
//! closed is dropped and one that is still computed can be cancelled. A diff is said in the order in which it can be
//! known: its files, then how much of each changed, then, file by file as they are asked for, the texts. What is folded,
//! searched and jumped to within a text is the console's own affair.
//!
//! Notes (comments on lines, files that were viewed) belong to the ticket and not to one view of it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::plan::ticket::TicketId;
pub use crate::verify::comments::{
    Anchor, Comment, MOST_LINES, Notebook, NotebookChange, Standing, TextSide,
};
pub use crate::verify::diff::{
    Block, Body, Counted, DiffRange, FileChange, FileEntry, Lines, Listing, Stat, TEXT_LIMIT,
};

/// One open diff view. Chosen by the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DiffId(pub u64);

/// Commands on diffs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum DiffCommand {
    /// Opens one; replied to when its files are known, with [`DiffEvent::Listed`] before.
    Open {
        /// Its number.
        id: DiffId,
        /// Ticket.
        ticket: TicketId,
        /// What is compared.
        range: DiffRange,
        /// Whether differences in white space alone count.
        whitespace: bool,
    },
    /// The texts of one file, answered by [`DiffEvent::Body`]. Goes before what is still counted.
    Body {
        /// The diff.
        id: DiffId,
        /// Place in [`Listing::files`].
        file: u32,
    },
    /// Not looked at any more; whatever is still computed for it is dropped.
    Close {
        /// Its number.
        id: DiffId,
    },
    /// Reads or changes the operator's notes on a ticket; done when they are durable, with [`DiffEvent::Notes`] before.
    Note {
        /// Ticket.
        ticket: TicketId,
        /// What is changed.
        change: NotebookChange,
    },
}

/// Answers about diffs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DiffEvent {
    /// Its files.
    Listed {
        /// The diff.
        id: DiffId,
        /// The files.
        listing: Arc<Listing>,
    },
    /// How much of some files changed; batched.
    Counted {
        /// The diff.
        id: DiffId,
        /// The files.
        counted: Vec<Counted>,
        /// When that was the last of them: the hash over all that is shown, 64 hexadecimal digits.
        hash: Option<String>,
    },
    /// The texts of one file.
    Body {
        /// The diff.
        id: DiffId,
        /// Its place.
        file: u32,
        /// The texts.
        body: Arc<Body>,
    },
    /// The notes on a ticket as they are on disk now.
    Notes {
        /// Ticket.
        ticket: TicketId,
        /// The notes.
        notes: Arc<Notebook>,
    },
}
