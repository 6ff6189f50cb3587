//! A git worktree for each ticket that an agent works on, under `.planfile/.koru/worktrees/`, on a branch of its own
//! (DESIGN §4). The operator's checkout, its index and its HEAD are never touched.
//!
//! Owned here, all under `.koru/worktrees/`: the folder `<name>` of each ticket, its record `<name>.json` (which ticket,
//! branch and base, written before the folder is made, so that [`list`] works after a crash) and `<name>.index`, our own
//! index of it. The agent has the worktree's usual index for itself; what is committed and shown is found with ours, so
//! that no `git add -f`, `update-index --assume-unchanged` or broken index of an agent hides a change or smuggles one in.
//!
//! The worktree's `.git` file is the agent's to write, so it is never followed: every repository here is opened by the
//! administrative folder in the main repository that the record names. libgit2 does all of it and runs no program, no
//! hook and no filter of the repository; [`crate::base::repo::program`] is used for files under a git filter alone,
//! which libgit2 cannot run.
//!
//! Everything here blocks and reads work trees: callers on an async runtime use a thread for it. Callers also see to it
//! that one ticket is worked by one run at a time.

mod changes;
mod commit;
mod error;
mod judged;
mod kept;
mod list;
mod note;
mod open;
mod prepare;
mod prune;
mod record;
mod repair;
mod scratch;
mod stack;
pub(in crate::execute) mod standing;
mod submodules;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub(crate) use changes::is_planfile;
pub use changes::{Change, ChangeKind, Link, changes, survey, trusted_drivers};
pub use commit::{Committed, Identity, commit_all};
pub use error::WorktreeError;
pub use judged::{put_back, set_aside, since, tip};
pub use list::list;
pub use note::Note;
pub use open::{base_branch, beneath, find, operators_repository, repository};
pub use prepare::{Prepared, Readiness, prepare, prepare_on};
pub use prune::{Kept, PruneReport, Removed, prune, prune_all};
pub use scratch::{discard, known};

use crate::plan::ticket::TicketId;

/// The worktree of one ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worktree {
    /// Ticket.
    pub ticket: TicketId,
    /// Folder, absolute.
    pub path: PathBuf,
    /// Branch, `koru/<ticket>` (or close to it, when the id is no name for git or the branch is somebody else's).
    pub branch: String,
    /// Commit that it was made from, 40 hex digits.
    pub base: String,
    /// The project's folder within the repository, relative; empty when the project is the whole repository.
    #[serde(default)]
    pub subfolder: String,
    /// Its administrative folder in the main repository (`.git/worktrees/<name>`), absolute.
    #[serde(default)]
    pub git_dir: PathBuf,
}

impl Worktree {
    /// Where the agent works: the project's folder in the worktree.
    pub fn work_folder(&self) -> PathBuf {
        if self.subfolder.is_empty() { self.path.clone() } else { self.path.join(&self.subfolder) }
    }

    /// The full name of its branch.
    pub fn branch_ref(&self) -> String {
        format!("refs/heads/{}", self.branch)
    }

    /// `path` (from the top of the repository) as policy and tickets know it: from the project's folder; `None` when it
    /// lies outside of the project.
    pub fn in_project<'a>(&self, path: &'a str) -> Option<&'a str> {
        if self.subfolder.is_empty() {
            return Some(path);
        }
        path.strip_prefix(self.subfolder.as_str())?.strip_prefix('/')
    }
}

/// A worktree with what an operator wants to know before pruning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorktreeInfo {
    /// The worktree.
    pub worktree: Worktree,
    /// Bytes on disk.
    pub bytes: u64,
    /// Commits that no other branch, remote branch or tag has, neither as they are nor made again.
    pub unmerged: u32,
    /// Files changed and not committed.
    pub dirty: u32,
    /// A run uses it now.
    pub in_use: bool,
    /// Why it cannot be read, if so (foreign text); the numbers are zero then and nothing of it is pruned.
    #[serde(default)]
    pub trouble: Option<String>,
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
