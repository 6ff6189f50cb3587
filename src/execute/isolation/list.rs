//! The worktrees of a project, with what an operator wants to know before pruning.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use git2::{Oid, Repository, StatusOptions};

use super::changes::is_planfile;
use super::error::WorktreeError;
use super::{Worktree, WorktreeInfo, kept, open, record, standing};
use crate::base::paths::ProjectPaths;
use crate::base::process::ProcessIdentity;
use crate::base::repo::patrol::Patrol;
use crate::execute::folder::{RecordState, all_records};
use crate::plan::ticket::TicketId;

/// The worktrees of the project at `root` that have a folder, by name. What cannot be read is listed with its trouble.
/// Walks every worktree: seconds when they are large, so not on the thread that draws.
pub fn list(root: &Path) -> Vec<WorktreeInfo> {
    let root = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
    let used = tickets_in_use(&root);
    record::all(&root)
        .into_iter()
        .filter(|(place, _)| place.checkout().symlink_metadata().is_ok())
        .map(|(_, record)| look(record.worktree, &used))
        .collect()
}

/// What can be said of one worktree.
pub(super) fn look(worktree: Worktree, used: &HashSet<TicketId>) -> WorktreeInfo {
    let in_use = used.contains(&worktree.ticket);
    let bytes = bytes_below(&worktree.path).saturating_add(bytes_below(&worktree.git_dir));
    let counted =
        open::inside(&worktree).and_then(|repo| Ok((unmerged(&repo, &worktree)?, dirty(&repo, &worktree)?)));
    match counted {
        Ok((unmerged, dirty)) => WorktreeInfo { worktree, bytes, unmerged, dirty, in_use, trouble: None },
        Err(error) => {
            let trouble = Some(error.to_string());
            WorktreeInfo { worktree, bytes, unmerged: 0, dirty: 0, in_use, trouble }
        }
    }
}

/// Tickets that a living supervisor works now, by the records of their runs.
pub(super) fn tickets_in_use(root: &Path) -> HashSet<TicketId> {
    all_records(&ProjectPaths::new(root).runs())
        .into_iter()
        .map(|(_, record)| record)
        .filter(|record| record.state == RecordState::Running)
        .filter(|record| {
            let lives =
                |identity: &Option<ProcessIdentity>| identity.as_ref().is_some_and(ProcessIdentity::is_alive);
            lives(&record.supervisor) || lives(&record.child)
        })
        .map(|record| record.ticket)
        .collect()
}

/// Commits of the ticket's branch and of the worktree's HEAD that no other branch, remote branch or tag has.
pub(super) fn unmerged(repo: &Repository, worktree: &Worktree) -> Result<u32, WorktreeError> {
    let head = repo.head().and_then(|head| head.peel_to_commit()).map(|commit| commit.id());
    alone(repo, worktree, head.ok())
}

/// As [`unmerged`], for the branch alone.
pub(super) fn branch_unmerged(repo: &Repository, worktree: &Worktree) -> Result<u32, WorktreeError> {
    alone(repo, worktree, None)
}

fn alone(repo: &Repository, worktree: &Worktree, head: Option<Oid>) -> Result<u32, WorktreeError> {
    let counted = || -> Result<usize, git2::Error> {
        let mut walk = repo.revwalk()?;
        let branch = repo.find_reference(&worktree.branch_ref()).and_then(|branch| branch.peel_to_commit());
        for commit in branch.ok().map(|commit| commit.id()).into_iter().chain(head) {
            walk.push(commit)?;
        }
        let others = others(repo, worktree)?;
        for other in &others {
            // Something that is no commit (a tag of a tree, say) hides nothing.
            let _ = walk.hide(*other);
        }
        kept::nowhere_else(repo, &walk.collect::<Result<Vec<Oid>, _>>()?, &others)
    };
    let count = counted().map_err(WorktreeError::git("counting the commits of", &worktree.path))?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Commits of every branch, remote branch and tag but the ticket's own.
fn others(repo: &Repository, worktree: &Worktree) -> Result<Vec<Oid>, git2::Error> {
    let own = worktree.branch_ref();
    let mut found = Vec::new();
    for reference in repo.references()? {
        // One broken reference must not hide the others; what it named simply does not count as kept.
        let Ok(reference) = reference else { continue };
        let name = reference.name_bytes();
        let counts =
            [&b"refs/heads/"[..], b"refs/remotes/", b"refs/tags/"].iter().any(|kind| name.starts_with(kind));
        if counts && name != own.as_bytes() {
            found.extend(reference.peel_to_commit().map(|commit| commit.id()));
        }
    }
    Ok(found)
}

/// Files changed and not committed, untracked ones included, `.planfile/` and ignored ones not.
pub(super) fn dirty(repo: &Repository, worktree: &Worktree) -> Result<u32, WorktreeError> {
    let mut options = StatusOptions::new();
    options.include_untracked(true).recurse_untracked_dirs(true).include_ignored(false).no_refresh(true);
    let _patrol = Patrol::clearing(&worktree.path);
    let statuses = repo
        .statuses(Some(&mut options))
        .map_err(WorktreeError::git("reading the state of", &worktree.path))?;
    let changed =
        statuses.iter().filter(|entry| !is_planfile(&String::from_utf8_lossy(entry.path_bytes()))).count();
    Ok(u32::try_from(changed).unwrap_or(u32::MAX))
}

/// Bytes on disk below a folder; files with several names count once, links are not followed.
pub(super) fn bytes_below(folder: &Path) -> u64 {
    let mut seen = HashSet::new();
    let mut waiting = vec![folder.to_path_buf()];
    let mut bytes: u64 = 0;
    while let Some(folder) = waiting.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.nlink() > 1 && !metadata.is_dir() && !seen.insert((metadata.dev(), metadata.ino())) {
                continue;
            }
            bytes = bytes.saturating_add(metadata.blocks().saturating_mul(512));
            if standing::is_dir(&entry.path()) {
                waiting.push(entry.path());
            }
        }
    }
    bytes
}
