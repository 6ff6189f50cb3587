//! Differences that an operator looks at: what a console may ask for, and the answers.
//!
//! Everything is asked for by a number of the console's own ([`DiffId`]), so that an answer that comes after the view was
//! closed is dropped and one that is still computed can be cancelled.

use serde::{Deserialize, Serialize};

use crate::plan::ticket::TicketId;

/// One open diff view. Chosen by the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DiffId(pub u64);

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "range", rename_all = "snake_case")]
pub enum DiffRange {
    /// Everything on the ticket's branch against the commit that the work began from.
    Whole,
    /// What one round did.
    Round {
        /// Its number, from 1.
        number: u32,
    },
    /// What changed from the end of one round to the end of another.
    Between {
        /// Earlier round; 0 is the commit that the work began from.
        from: u32,
        /// Later round.
        to: u32,
    },
    /// The files of the worktree, committed or not, against the commit that the work began from.
    WorkingTree,
}

/// Commands on diffs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum DiffCommand {
    /// Opens one.
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
    /// Not looked at any more; whatever is still computed for it is dropped.
    Close {
        /// Its number.
        id: DiffId,
    },
}
