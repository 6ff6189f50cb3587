//! Removing worktrees that hold nothing which is not somewhere else.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::WorktreeError;
use super::record::{Place, Record};
use super::{list, open, prepare, record, standing};
use crate::plan::ticket::TicketId;

/// What pruning did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PruneReport {
    /// Worktrees that are gone.
    pub removed: Vec<Removed>,
    /// Worktrees that stay.
    pub kept: Vec<Kept>,
    /// Bytes on disk that were freed.
    pub freed: u64,
}

/// A worktree that was removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Ticket.
    pub ticket: TicketId,
    /// Its branch.
    pub branch: String,
    /// The branch was removed too, because all of its commits are on others.
    pub branch_removed: bool,
}

/// A worktree that was not removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Ticket.
    pub ticket: TicketId,
    /// Why, in a sentence (foreign text).
    pub why: String,
}

/// Removes the worktrees of `tickets` where nothing is lost by it: no run uses it, all is committed, and no commit is on
/// its branch alone. A ticket without a worktree is kept with that reason.
///
/// # Errors
/// When another pruning or making cannot be waited for; single worktrees that cannot be removed are kept with a reason.
pub fn prune(root: &Path, tickets: &[TicketId]) -> Result<PruneReport, WorktreeError> {
    sweep(root, Some(tickets))
}

/// As [`prune`], for every worktree of the project.
///
/// # Errors
/// As [`prune`].
pub fn prune_all(root: &Path) -> Result<PruneReport, WorktreeError> {
    sweep(root, None)
}

fn sweep(root: &Path, tickets: Option<&[TicketId]>) -> Result<PruneReport, WorktreeError> {
    let root = root.canonicalize().map_err(WorktreeError::io("finding the project", root))?;
    let _lock = prepare::lock(&root)?;
    let used = list::tickets_in_use(&root);
    let mut report = PruneReport::default();
    let mut seen = HashSet::new();
    for (place, record) in record::all(&root) {
        let ticket = record.worktree.ticket.clone();
        seen.insert(ticket.clone());
        if tickets.is_some_and(|tickets| !tickets.contains(&ticket)) {
            continue;
        }
        match remove(&root, &place, &record, &used) {
            Ok((removed, bytes)) => {
                report.removed.extend(removed);
                report.freed = report.freed.saturating_add(bytes);
            }
            Err(why) => report.kept.push(Kept { ticket, why }),
        }
    }
    for ticket in tickets.unwrap_or_default().iter().filter(|ticket| !seen.contains(*ticket)) {
        report.kept.push(Kept { ticket: ticket.clone(), why: "it has no worktree".to_owned() });
    }
    Ok(report)
}

/// Removes one worktree, or says why it stays.
fn remove(
    root: &Path,
    place: &Place,
    record: &Record,
    used: &HashSet<TicketId>,
) -> Result<(Option<Removed>, u64), String> {
    let worktree = &record.worktree;
    let repo = open::operator(root).map_err(|error| error.to_string())?;
    let here = place.checkout().symlink_metadata().is_ok();
    let mut freed = 0;
    if here {
        let info = list::look(worktree.clone(), used);
        stays(&info)?;
        if let Some(reason) = standing::lock_reason(worktree) {
            return Err(format!("git says that it is locked: {reason}"));
        }
        // Renamed first: a crash half way leaves no folder that looks like a whole worktree.
        let gone = place.folder.join(format!(".{}.tmp", place.name));
        let removed = remove_folder(&gone)
            .and_then(|()| fs::rename(place.checkout(), &gone))
            .and_then(|()| remove_folder(&worktree.git_dir))
            .and_then(|()| remove_folder(&gone));
        removed.map_err(|error| format!("removing it failed: {error}"))?;
        freed = info.bytes;
    }
    let unmerged = unmerged_of_branch(&repo, record);
    let branch_removed = unmerged == Some(0) && delete_branch(&repo, record);
    if branch_removed || unmerged.is_none() {
        place.forget().map_err(|error| error.to_string())?;
    }
    let removed =
        Removed { ticket: worktree.ticket.clone(), branch: worktree.branch.clone(), branch_removed };
    Ok(((here || branch_removed).then_some(removed), freed))
}

fn stays(info: &super::WorktreeInfo) -> Result<(), String> {
    if info.in_use {
        return Err("a run uses it".to_owned());
    }
    if let Some(trouble) = &info.trouble {
        return Err(trouble.clone());
    }
    if info.dirty > 0 {
        return Err(format!("{} file(s) are not committed", info.dirty));
    }
    if info.unmerged > 0 {
        return Err(format!("{} commit(s) are on {} alone", info.unmerged, info.worktree.branch));
    }
    Ok(())
}

/// Commits that only the ticket's branch has; `None` when there is no such branch.
fn unmerged_of_branch(repo: &git2::Repository, record: &Record) -> Option<u32> {
    repo.find_reference(&record.worktree.branch_ref()).ok()?;
    // HEAD of this repository is the operator's own and on a branch that counts, or detached and harmless to count.
    Some(list::branch_unmerged(repo, &record.worktree).unwrap_or(u32::MAX))
}

fn delete_branch(repo: &git2::Repository, record: &Record) -> bool {
    let branch = repo.find_branch(&record.worktree.branch, git2::BranchType::Local);
    // git refuses for a branch that is checked out somewhere.
    branch.and_then(|mut branch| branch.delete()).is_ok()
}

/// Removes a folder with all in it, also folders that were made read-only (module caches do that).
pub(super) fn remove_folder(folder: &Path) -> std::io::Result<()> {
    if !standing::is_dir(folder) {
        return standing::remove_file(folder);
    }
    if fs::remove_dir_all(folder).is_ok() {
        return Ok(());
    }
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(folder) = waiting.pop() {
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        for entry in fs::read_dir(&folder)?.flatten() {
            if standing::is_dir(&entry.path()) {
                waiting.push(entry.path());
            }
        }
    }
    fs::remove_dir_all(folder)
}
