//! The commit that a round left, and what was changed after it: how it is known that a judge only looked.

use std::path::{Path, PathBuf};

use git2::Oid;
use git2::build::CheckoutBuilder;

use super::changes::{compare, is_planfile};
use super::commit::branch_tip;
use super::error::WorktreeError;
use super::{Change, ChangeKind, Worktree, open, standing};
use crate::base::atomic;
use crate::base::repo::patrol::Patrol;

/// The commit that the ticket's branch is at, 40 hexadecimal digits.
///
/// # Errors
/// See [`WorktreeError`].
pub fn tip(worktree: &Worktree) -> Result<String, WorktreeError> {
    let repo = open::inside(worktree)?;
    branch_tip(&repo, worktree).map(|id| id.to_string())
}

/// What the files of the worktree differ in from `commit`, `.planfile/` left out. Sorted by path.
///
/// # Errors
/// See [`WorktreeError`].
pub fn since(worktree: &Worktree, commit: &str) -> Result<Vec<Change>, WorktreeError> {
    let repo = open::inside(worktree)?;
    let found = compare(&repo, worktree, oid(worktree, commit)?)?;
    Ok(found.into_iter().filter(|change| !is_planfile(&change.path)).collect())
}

/// Puts the files of these changes back as they are in `commit`, and takes away what is not in it. Nothing outside of the
/// worktree is touched: what lies behind a symbolic link is left, and the link itself is among the changes.
///
/// # Errors
/// See [`WorktreeError`]; some files may be back then. Compare again with [`since`].
pub fn put_back(worktree: &Worktree, commit: &str, changes: &[Change]) -> Result<(), WorktreeError> {
    let git = |error: git2::Error| WorktreeError::git("putting files back in", &worktree.path)(error);
    let repo = open::inside(worktree)?;
    let tree = repo.find_commit(oid(worktree, commit)?).and_then(|commit| commit.tree()).map_err(git)?;
    let mut wanted = CheckoutBuilder::new();
    wanted.force().update_index(false).disable_pathspec_match(true);
    let mut any = false;
    for change in changes {
        let known = tree.get_path(Path::new(&change.path)).is_ok();
        if let Some(path) = own_path(&worktree.path, &change.path)
            && (!known || change.kind == ChangeKind::Modified)
        {
            remove(&path).map_err(WorktreeError::io("taking away", &path))?;
        }
        if known {
            wanted.path(change.path.as_str());
            any = true;
        }
    }
    if any {
        let _patrol = Patrol::clearing(&worktree.path);
        repo.checkout_tree(tree.as_object(), Some(&mut wanted)).map_err(git)?;
    }
    Ok(())
}

/// Like [`put_back`], but what would be lost is moved below the folder `to` (in `.koru`), under the paths that it had.
/// Repositories in the worktree stay as they are.
///
/// # Errors
/// See [`WorktreeError`]; what was not moved is where it was then.
pub fn set_aside(
    worktree: &Worktree,
    commit: &str,
    changes: &[Change],
    to: &Path,
) -> Result<(), WorktreeError> {
    let mut changes = changes.to_vec();
    changes.retain(|change| change.kind != ChangeKind::Submodule);
    for change in changes.iter().filter(|change| change.kind != ChangeKind::Deleted) {
        let Some(from) = own_path(&worktree.path, &change.path) else { continue };
        let kept = to.join(&change.path);
        let above = kept.parent().unwrap_or(to);
        atomic::make_own_dir(above).map_err(WorktreeError::io("making the folder", above))?;
        match std::fs::rename(&from, &kept) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(WorktreeError::io("moving out of the way", &from)(error));
            }
            _ => {}
        }
    }
    put_back(worktree, commit, &changes)
}

fn oid(worktree: &Worktree, commit: &str) -> Result<Oid, WorktreeError> {
    Oid::from_str(commit).map_err(WorktreeError::git("reading a commit of", &worktree.path))
}

/// The path in the worktree, unless a symbolic link leads to it.
fn own_path(top: &Path, relative: &str) -> Option<PathBuf> {
    let path = top.join(relative);
    let mut above = path.parent()?;
    while above != top {
        if above.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink()) || !above.starts_with(top) {
            return None;
        }
        above = above.parent()?;
    }
    Some(path)
}

fn remove(path: &Path) -> std::io::Result<()> {
    if standing::is_dir(path) { std::fs::remove_dir_all(path) } else { standing::remove_file(path) }
}
