//! A git worktree for each ticket that an agent works on, under `.planfile/.koru/worktrees/`, on a branch of its own
//! (DESIGN §4). The operator's checkout is never touched.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::plan::ticket::TicketId;

/// The worktree of one ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worktree {
    /// Ticket.
    pub ticket: TicketId,
    /// Folder, absolute.
    pub path: PathBuf,
    /// Branch, `koru/<ticket>`.
    pub branch: String,
    /// Commit that it was made from, 40 hex digits.
    pub base: String,
}

/// A worktree with what an operator wants to know before pruning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorktreeInfo {
    /// The worktree.
    pub worktree: Worktree,
    /// Bytes on disk.
    pub bytes: u64,
    /// Commits that no other branch has.
    pub unmerged: u32,
    /// Files changed and not committed.
    pub dirty: u32,
    /// A run uses it now.
    pub in_use: bool,
}

/// A file that differs between base and worktree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedFile {
    /// Path from the top of the repository (foreign text).
    pub path: String,
    /// Lines added.
    pub added: u32,
    /// Lines removed.
    pub removed: u32,
}
