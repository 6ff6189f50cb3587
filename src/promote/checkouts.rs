//! The work trees that have a base branch checked out: the operator's, and other linked ones. They follow the branch as
//! git would have it, or the move is refused.
//!
//! The git program writes into them and not libgit2: it knows sparse checkouts and the operator's filters, takes the
//! index's lock first, and refuses to overwrite what is not committed. No hook runs. What an agent's worktree holds is
//! not ours to move: one that has the base checked out refuses the move.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use git2::{Oid, Repository, RepositoryOpenFlags, RepositoryState, StatusOptions};

use crate::base::repo::program;
use crate::base::repo::refs::{self, RefValue};

/// How long git may take to update one work tree.
const LIMIT: Duration = Duration::from_secs(300);

/// Files that a refusal names.
const NAMED: usize = 20;

/// One work tree on the branch.
pub(super) struct Checkout {
    repo: Repository,
    folder: PathBuf,
}

/// Why a work tree does not follow.
#[derive(Debug, thiserror::Error)]
pub enum CheckoutError {
    /// Files that the move writes have changes that are not committed.
    #[error(
        "{} has changes of its own in files that this would write: {}; commit or stash them first",
        folder.display(), files.join(", ")
    )]
    Overlap {
        /// Work tree.
        folder: PathBuf,
        /// Paths, sorted, at most twenty (foreign text).
        files: Vec<String>,
    },
    /// A merge, rebase or the like is under way there.
    #[error("{} is in the middle of something ({doing}); finish or abort it first", folder.display())]
    Busy {
        /// Work tree.
        folder: PathBuf,
        /// What.
        doing: String,
    },
    /// Another git holds the index, or left its lock.
    #[error("another git works in {}; wait for it, or remove {} if none does", folder.display(), lock.display())]
    Locked {
        /// Work tree.
        folder: PathBuf,
        /// The lock.
        lock: PathBuf,
    },
    /// An agent's worktree has the base checked out.
    #[error("the agent's worktree {} has this branch checked out; put it back on its own branch first", folder.display())]
    Agent {
        /// Work tree.
        folder: PathBuf,
    },
    /// git failed.
    #[error("git could not update {}: {why}", folder.display())]
    Git {
        /// Work tree.
        folder: PathBuf,
        /// git's last words (foreign text).
        why: String,
    },
}

/// All work trees of the repository that are on `branch` (its short name).
///
/// # Errors
/// One that cannot be opened: it may be on the branch and would be left behind.
pub(super) fn on_branch(repo: &Repository, branch: &str) -> Result<Vec<Checkout>, CheckoutError> {
    let common = repo.commondir().to_path_buf();
    let wanted = RefValue::Symbolic(format!("refs/heads/{branch}"));
    let mut git_dirs = vec![common.clone()];
    for entry in std::fs::read_dir(common.join("worktrees")).into_iter().flatten().flatten() {
        git_dirs.push(entry.path());
    }
    let mut found = Vec::new();
    for git_dir in git_dirs.into_iter().filter(|dir| refs::read(&dir.join("HEAD")).as_ref() == Some(&wanted))
    {
        let flags = RepositoryOpenFlags::NO_SEARCH | RepositoryOpenFlags::NO_DOTGIT;
        let opened = Repository::open_ext(&git_dir, flags, std::iter::empty::<&Path>());
        let repo = opened.map_err(|error| CheckoutError::Git {
            folder: git_dir.clone(),
            why: error.message().to_owned(),
        })?;
        // A linked work tree whose folder was deleted, or a bare repository, has nothing to follow.
        if let Some(folder) = repo.workdir().filter(|folder| folder.is_dir()).map(Path::to_path_buf) {
            found.push(Checkout { repo, folder });
        }
    }
    Ok(found)
}

impl Checkout {
    /// Whether it may go from `from` to `to`. Writes nothing.
    ///
    /// # Errors
    /// See [`CheckoutError`].
    pub(super) fn may_follow(&self, agents: &Path, from: Oid, to: Oid) -> Result<(), CheckoutError> {
        let folder = self.folder.clone();
        if self.folder.canonicalize().is_ok_and(|folder| folder.starts_with(agents)) {
            return Err(CheckoutError::Agent { folder });
        }
        if self.repo.state() != RepositoryState::Clean {
            let doing = format!("{:?}", self.repo.state()).to_lowercase();
            return Err(CheckoutError::Busy { folder, doing });
        }
        let lock = self.repo.path().join("index.lock");
        if lock.symlink_metadata().is_ok() {
            return Err(CheckoutError::Locked { folder, lock });
        }
        let files = self.overlap(from, to).map_err(|error| self.git(error.message()))?;
        if files.is_empty() { Ok(()) } else { Err(CheckoutError::Overlap { folder, files }) }
    }

    /// Its files and index go from `from` to `to`. The reference is the caller's to move.
    ///
    /// # Errors
    /// See [`CheckoutError`]; git checks everything before it writes anything.
    pub(super) fn follow(&self, from: Oid, to: Oid) -> Result<(), CheckoutError> {
        let (from, to) = (from.to_string(), to.to_string());
        let arguments = ["-c", "submodule.recurse=false", "read-tree", "-m", "-u", &from, &to];
        program::run(&self.repo, &arguments, &[], LIMIT).map(drop).map_err(|why| self.git(&why))
    }

    /// Files that were brought to `to` by a git that did not live to write its index are entered there, so that going
    /// on from `from` does not take them for changes of the operator's.
    ///
    /// # Errors
    /// See [`CheckoutError`].
    pub(super) fn adopt(&self, from: Oid, to: Oid) -> Result<(), CheckoutError> {
        let git = |error: git2::Error| self.git(error.message());
        let mut index = self.repo.index().map_err(git)?;
        index.read(true).map_err(git)?;
        let mut any = false;
        for (path, wanted) in self.written(from, to).map_err(git)? {
            let known = index.get_path(Path::new(&path), 0).map(|entry| entry.id);
            let full = self.folder.join(&path);
            let Some(wanted) = wanted else { continue };
            let plain = full.symlink_metadata().is_ok_and(|found| found.is_file());
            let there = plain && self.repo.blob_path(&full).is_ok_and(|blob| blob == wanted);
            if there && known != Some(wanted) {
                index.add_path(Path::new(&path)).map_err(git)?;
                any = true;
            }
        }
        if any { index.write().map_err(git) } else { Ok(()) }
    }

    /// Whether its index holds everything that the move writes, whatever else the operator has staged.
    pub(super) fn holds(&self, from: Oid, to: Oid) -> bool {
        let held = || -> Result<bool, git2::Error> {
            let mut index = self.repo.index()?;
            index.read(true)?;
            let entry = |path: &str| index.get_path(Path::new(path), 0).map(|entry| entry.id);
            Ok(self.written(from, to)?.iter().all(|(path, wanted)| entry(path) == *wanted))
        };
        held().unwrap_or(false)
    }

    /// Paths that differ between the two commits, with the blob that the second has.
    fn written(&self, from: Oid, to: Oid) -> Result<Vec<(String, Option<Oid>)>, git2::Error> {
        let tree = |id: Oid| self.repo.find_commit(id)?.tree();
        let diff = self.repo.diff_tree_to_tree(Some(&tree(from)?), Some(&tree(to)?), None)?;
        let mut paths = Vec::new();
        for delta in diff.deltas() {
            let (old, new) = (delta.old_file(), delta.new_file());
            let path = new.path_bytes().or(old.path_bytes()).unwrap_or_default();
            let id = Some(new.id()).filter(|id| !id.is_zero());
            paths.push((String::from_utf8_lossy(path).into_owned(), id));
        }
        Ok(paths)
    }

    /// What the move would write and the operator has changed: staged, in the work tree, or a file that git does not
    /// know.
    fn overlap(&self, from: Oid, to: Oid) -> Result<Vec<String>, git2::Error> {
        let written = self.written(from, to)?;
        if written.is_empty() {
            return Ok(Vec::new());
        }
        let mut options = StatusOptions::new();
        options
            .include_untracked(true)
            .recurse_untracked_dirs(true)
            .include_ignored(true)
            .recurse_ignored_dirs(true)
            .exclude_submodules(true)
            .disable_pathspec_match(true)
            .no_refresh(true);
        for (path, _) in &written {
            options.pathspec(path);
        }
        let statuses = self.repo.statuses(Some(&mut options))?;
        let changed: BTreeSet<String> = statuses
            .iter()
            .filter(|entry| entry.status() != git2::Status::CURRENT)
            .map(|entry| String::from_utf8_lossy(entry.path_bytes()).into_owned())
            .collect();
        Ok(changed.into_iter().take(NAMED).collect())
    }

    fn git(&self, why: &str) -> CheckoutError {
        CheckoutError::Git { folder: self.folder.clone(), why: why.to_owned() }
    }
}
