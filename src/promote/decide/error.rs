//! Why a decision about a promotion is not carried out.

use std::path::PathBuf;

use super::super::combine::CombineError;
use super::super::landing::MoveError;
use super::super::request::RequestError;
use crate::base::lock::LockError;
use crate::execute::isolation::WorktreeError;

/// Why a decision is not carried out. Nothing was decided then, but where the message says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// No such promotion, or its file cannot be read.
    #[error("the promotion {id} cannot be read: {source}")]
    Unknown {
        /// Name.
        id: String,
        /// Why.
        source: std::io::Error,
    },
    /// Somebody decided already.
    #[error("{id} is {state} already, by {by}")]
    Decided {
        /// Name.
        id: String,
        /// State in a word.
        state: &'static str,
        /// Who.
        by: String,
    },
    /// What was seen is not what is there.
    #[error("{id} is not what you saw ({seen}); look again, then decide")]
    Unseen {
        /// Name.
        id: String,
        /// What was seen.
        seen: String,
    },
    /// The ticket's work went on.
    #[error("the work of {ticket} went on since; its new promotion is {now}")]
    WentOn {
        /// Ticket.
        ticket: String,
        /// The promotion of what is there now.
        now: String,
    },
    /// The ticket is not finished.
    #[error("{ticket} is {status}; only finished work lands")]
    Unfinished {
        /// Ticket.
        ticket: String,
        /// Status.
        status: &'static str,
    },
    /// A rule or a check keeps it out.
    #[error("{id} may not land: {why}")]
    Blocked {
        /// Name.
        id: String,
        /// Sentence (foreign text in it).
        why: String,
    },
    /// High-risk work needs the word.
    #[error("{id} is high-risk; type {word} to land it")]
    Word {
        /// Name.
        id: String,
        /// The word.
        word: String,
    },
    /// A rejection needs a reason.
    #[error("a rejection without a reason helps nobody; say why")]
    NoReason,
    /// It is not on its base branch, so it cannot be taken back.
    #[error("{id} is {state}, so there is nothing to take back")]
    NotApplied {
        /// Name.
        id: String,
        /// State in a word.
        state: &'static str,
    },
    /// The base branch does not hold it any more.
    #[error("{branch} does not hold {id} any more; somebody rewrote it")]
    Rewritten {
        /// Name.
        id: String,
        /// Base branch.
        branch: String,
    },
    /// The work and the base do not come together.
    #[error("{id} does not fit onto its base: {source}")]
    Combine {
        /// Name.
        id: String,
        /// Why.
        source: CombineError,
    },
    /// The base does not move.
    #[error("{id} was not moved: {source}")]
    Move {
        /// Name.
        id: String,
        /// Why.
        source: MoveError,
    },
    /// There is nothing to land.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The repository cannot be used.
    #[error(transparent)]
    Worktree(#[from] WorktreeError),
    /// git failed.
    #[error("git could not look at {id}: {source}")]
    Git {
        /// Name.
        id: String,
        /// Why.
        source: git2::Error,
    },
    /// Somebody else decides right now.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The record cannot be kept.
    #[error("keeping {id} in {} failed: {source}", folder.display())]
    Io {
        /// Name.
        id: String,
        /// Folder.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}
