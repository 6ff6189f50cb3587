//! Opening repositories for worktrees: the operator's by the project's folder, a worktree's by what its record says.

use std::path::{Path, PathBuf};

use git2::{Repository, RepositoryOpenFlags};

use super::Worktree;
use super::error::WorktreeError;
use super::record::Place;
use super::stack;
use super::standing;
use crate::plan::ticket::TicketId;

/// The worktree of `ticket` in the project at `root`, by its record; `None` when it has none, or its folder is gone and
/// its branch is all that is left.
pub fn find(root: &Path, ticket: &TicketId) -> Option<Worktree> {
    let root = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
    let place = Place::of(&root, ticket);
    let mut worktree =
        place.read().map(|record| record.worktree).filter(|worktree| worktree.ticket == *ticket)?;
    // The project may have been moved; a record never sends us elsewhere.
    worktree.path = place.checkout();
    Some(worktree)
}

/// The operator's branch that the worktree of `ticket` was made from; `None` without a record, or when it was made from a
/// bare commit.
pub fn base_branch(root: &Path, ticket: &TicketId) -> Option<String> {
    let place = Place::of(&root.canonicalize().ok()?, ticket);
    place.read().filter(|record| record.worktree.ticket == *ticket)?.base_branch
}

/// Finished tickets that the worktree of `ticket` was made on top of and whose work is not on `base` (a commit) yet.
///
/// # Errors
/// See [`WorktreeError`].
pub fn beneath(root: &Path, ticket: &TicketId, base: git2::Oid) -> Result<Vec<TicketId>, WorktreeError> {
    let root = root.canonicalize().map_err(WorktreeError::io("finding the project", root))?;
    let read = |ticket: &TicketId| {
        Place::of(&root, ticket).read().filter(|record| record.worktree.ticket == *ticket)
    };
    let Some(record) = read(ticket) else { return Ok(Vec::new()) };
    let repo = operator(&root)?;
    let mut open = Vec::new();
    for below in record.beneath {
        let tip = read(&below).and_then(|record| repo.refname_to_id(&record.worktree.branch_ref()).ok());
        let Some(tip) = tip else { continue };
        if !stack::landed(&repo, base, tip)
            .map_err(WorktreeError::git("looking for landed work in", &root))?
        {
            open.push(below);
        }
    }
    Ok(open)
}

/// The repository of a worktree, for reading: opened by its record, with an index of our own.
///
/// # Errors
/// See [`WorktreeError`].
pub fn repository(worktree: &Worktree) -> Result<Repository, WorktreeError> {
    inside(worktree)
}

/// The operator's repository, for reading.
///
/// # Errors
/// See [`WorktreeError`].
pub fn operators_repository(root: &Path) -> Result<Repository, WorktreeError> {
    operator(root)
}

/// The repository that holds the project at `root`, for worktrees to be made from.
pub(super) fn operator(root: &Path) -> Result<Repository, WorktreeError> {
    let opened = Repository::open_ext(root, RepositoryOpenFlags::empty(), std::iter::empty::<&Path>());
    let repo = match opened {
        Ok(repo) => repo,
        Err(error) if error.code() == git2::ErrorCode::NotFound => {
            return Err(WorktreeError::NoRepository { root: root.to_path_buf() });
        }
        Err(error) => return Err(WorktreeError::git("opening the repository", root)(error)),
    };
    if repo.is_bare() || repo.workdir().is_none() {
        return Err(WorktreeError::Bare { path: repo.path().to_path_buf() });
    }
    Ok(repo)
}

/// The folder that all worktrees of `repo` share (`.git`), links resolved.
pub(super) fn common_dir(repo: &Repository) -> PathBuf {
    let common = repo.commondir();
    common.canonicalize().unwrap_or_else(|_| common.components().collect())
}

/// The worktree's repository, opened by its administrative folder and never through the `.git` file in it, whose words
/// an agent may have changed. Its index is our own.
pub(super) fn inside(worktree: &Worktree) -> Result<Repository, WorktreeError> {
    let corrupt = |why: String| WorktreeError::Corrupt { path: worktree.path.clone(), why };
    if let Some(why) = standing::broken_links(worktree) {
        return Err(corrupt(why));
    }
    let flags = RepositoryOpenFlags::NO_SEARCH | RepositoryOpenFlags::NO_DOTGIT;
    let repo = Repository::open_ext(&worktree.git_dir, flags, std::iter::empty::<&Path>())
        .map_err(WorktreeError::git("opening the worktree", &worktree.path))?;
    let workdir = repo.workdir().and_then(|folder| folder.canonicalize().ok());
    if workdir.as_deref() != worktree.path.canonicalize().ok().as_deref() || workdir.is_none() {
        return Err(corrupt(format!("git takes {workdir:?} for its folder")));
    }
    let place = Place::of_worktree(worktree).ok_or_else(|| corrupt("it has no folder of its own".into()))?;
    let mut index = own_index(&place)?;
    repo.set_index(&mut index).map_err(WorktreeError::git("setting the index", &worktree.path))?;
    Ok(repo)
}

/// Our index of the worktree; an empty one when ours is missing or broken, which only costs time: whoever uses it
/// compares it with HEAD first.
fn own_index(place: &Place) -> Result<git2::Index, WorktreeError> {
    let path = place.index();
    if let Ok(index) = git2::Index::open(&path) {
        return Ok(index);
    }
    standing::remove_file(&path).map_err(WorktreeError::io("removing the broken index", &path))?;
    git2::Index::open(&path).map_err(WorktreeError::git("making an index", &path))
}
