//! Worktrees that are made for one look and thrown away after it, and finding one without making it.

use std::path::Path;

use super::error::WorktreeError;
use super::record::Place;
use super::{Worktree, open, prepare, prune};
use crate::plan::ticket::TicketId;

/// The worktree that `ticket` has, as its record says; its folder may be gone.
pub fn known(root: &Path, ticket: &TicketId) -> Option<Worktree> {
    let place = Place::of(&root.canonicalize().ok()?, ticket);
    let record = place.read().filter(|record| record.worktree.ticket == *ticket)?;
    Some(Worktree { path: place.checkout(), ..record.worktree })
}

/// Takes away a worktree, its branch and its record, whatever is in them: only for one that nobody's work is in.
///
/// # Errors
/// See [`WorktreeError`].
pub fn discard(root: &Path, worktree: &Worktree) -> Result<(), WorktreeError> {
    let root = root.canonicalize().map_err(WorktreeError::io("finding the project", root))?;
    let repo = open::operator(&root)?;
    let _lock = prepare::lock(&root)?;
    let place = Place::of(&root, &worktree.ticket);
    let ours = worktree.git_dir.parent() == Some(&open::common_dir(&repo).join("worktrees"));
    let folder = place.checkout();
    prune::remove_folder(&folder).map_err(WorktreeError::io("removing", &folder))?;
    if ours {
        prune::remove_folder(&worktree.git_dir).map_err(WorktreeError::io("removing", &worktree.git_dir))?;
    }
    if let Ok(mut branch) = repo.find_reference(&worktree.branch_ref()) {
        branch.delete().map_err(WorktreeError::git("deleting the branch of", &worktree.path))?;
    }
    place.forget()
}
