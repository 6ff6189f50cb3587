//! Why a difference cannot be shown.

use std::path::PathBuf;

use crate::execute::isolation::WorktreeError;
use crate::plan::ticket::TicketId;

/// What went wrong. Messages quote foreign names.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    /// Nobody worked on it in a worktree.
    #[error("{0} has no worktree and no rounds: no agent has worked on it, so there is nothing to compare")]
    NoWork(TicketId),
    /// The round is not known.
    #[error("{ticket} has no round {number}; it has {rounds}")]
    NoRound {
        /// Ticket.
        ticket: TicketId,
        /// As asked.
        number: u32,
        /// Rounds that there are.
        rounds: u32,
    },
    /// The round has left no commit yet.
    #[error("round {number} of {ticket} has left no commit yet; look at the working tree instead")]
    NoHead {
        /// Ticket.
        ticket: TicketId,
        /// As asked.
        number: u32,
    },
    /// The worktree is gone.
    #[error("the worktree of {0} is not there any more; what was committed can still be compared")]
    NoWorktree(TicketId),
    /// Whoever wanted to see it does not wait any more.
    #[error("it was closed before it was open")]
    Unwanted,
    /// It cannot be opened.
    #[error(transparent)]
    Worktree(#[from] WorktreeError),
    /// libgit2 refused.
    #[error("{doing} in {path} failed: {why}")]
    Git {
        /// Operation, as a gerund.
        doing: &'static str,
        /// Repository.
        path: PathBuf,
        /// libgit2's words.
        why: String,
    },
    /// `rounds.json` cannot be read.
    #[error(
        "reading the rounds in {path} failed: {why}; what was committed can still be compared as a whole"
    )]
    Rounds {
        /// File.
        path: PathBuf,
        /// Why.
        why: String,
    },
}
