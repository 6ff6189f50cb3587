//! Why a worktree could not be had, read or committed. No outcome here has lost or overwritten anything.

use std::io;
use std::path::PathBuf;

/// What went wrong. Messages name the operation, the path and what to do next; they quote foreign names.
#[derive(Debug, thiserror::Error)]
pub enum WorktreeError {
    /// There is no repository.
    #[error("making a worktree failed: {root} is in no git repository; run `git init` and commit once")]
    NoRepository {
        /// Project.
        root: PathBuf,
    },
    /// The project lies in a bare repository.
    #[error("making a worktree failed: {path} is a bare repository; use a checkout of it as the project")]
    Bare {
        /// Repository.
        path: PathBuf,
    },
    /// No commit yet.
    #[error(
        "making a worktree failed: {path} has no commit yet; commit once, a worktree starts from a commit"
    )]
    Unborn {
        /// Repository.
        path: PathBuf,
    },
    /// The base names no commit.
    #[error("making a worktree failed: {base:?} names no commit here ({why}); name a branch, tag or commit")]
    BadBase {
        /// As given.
        base: String,
        /// git's reason.
        why: String,
    },
    /// Works that it builds on do not fit together.
    #[error(
        "making a worktree failed: the work of {ticket} and that of {with} change the same places, and this ticket builds on \
         both; land one of them first"
    )]
    Apart {
        /// Ticket.
        ticket: String,
        /// What it does not fit.
        with: String,
    },
    /// The branch name cannot be made, because a branch is where its folder would be, or all names are taken.
    #[error("making the branch {branch} failed: {why}; rename or delete the branch that is in the way")]
    BranchBlocked {
        /// Wanted.
        branch: String,
        /// What is in the way.
        why: String,
    },
    /// Two tickets have the same name on disk.
    #[error("the worktree name {name} belongs to the ticket {owner}; finish or prune that one first")]
    NameTaken {
        /// Name.
        name: String,
        /// Ticket that has it.
        owner: String,
    },
    /// `git worktree lock` was used on it.
    #[error("the worktree {path} is locked ({reason}); run `git worktree unlock` when it may be used again")]
    Locked {
        /// Folder.
        path: PathBuf,
        /// As recorded by git.
        reason: String,
    },
    /// Something is there that is not what we made, and may hold work.
    #[error("the worktree {path} cannot be used: {why}; look at it, move it away, and retry the ticket")]
    Corrupt {
        /// Folder.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The configuration of git's filters is not the one that the worktree was made with.
    #[error(
        "committing in {path} failed: git's filter configuration changed since the worktree was made, and running a \
         filter that an agent may have set is refused; check `git config --list --show-origin`, then retry the ticket"
    )]
    FiltersChanged {
        /// Folder.
        path: PathBuf,
    },
    /// A file that is larger than what is committed.
    #[error(
        "committing in {folder} failed: {file} has {gib} GiB, and files of more than 2 GiB are not committed; remove it \
         there or have git ignore it, then retry the ticket"
    )]
    TooLarge {
        /// Folder.
        folder: PathBuf,
        /// File, from there (foreign text).
        file: String,
        /// Its size, rounded down.
        gib: u64,
    },
    /// A file under a filter could not be put through it.
    #[error("running git's filter on {path} failed: {why}; install what the filter needs, then retry")]
    Filter {
        /// File.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// libgit2 refused.
    #[error("{doing} in {path} failed: {why}")]
    Git {
        /// Operation.
        doing: &'static str,
        /// Repository or worktree.
        path: PathBuf,
        /// libgit2's words.
        why: String,
    },
    /// The system refused.
    #[error("{doing} {path} failed: {source}")]
    Io {
        /// Operation.
        doing: &'static str,
        /// File or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl WorktreeError {
    /// For `map_err` on calls of libgit2.
    pub(super) fn git(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(git2::Error) -> Self {
        let path = path.into();
        move |error| WorktreeError::Git { doing, path, why: error.message().to_owned() }
    }

    /// For `map_err` on file operations.
    pub(super) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| WorktreeError::Io { doing, path, source }
    }
}
