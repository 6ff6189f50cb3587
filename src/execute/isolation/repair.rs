//! Going on in a worktree that a ticket has, with whatever has happened to it since.
//!
//! Nothing that may be an agent's work is removed or overwritten here: folders are only cleared when their record says
//! that they were never finished, and a commit that no branch would have any more gets a name of its own.

use std::fs;
use std::path::Path;

use git2::{Oid, Repository};

use super::error::WorktreeError;
use super::note::Note;
use super::prepare::{Prepared, Readiness, add, clear, create, free_git_dir, subfolder};
use super::record::{Place, Record};
use super::stack::Start;
use super::{Worktree, open, standing};
use crate::base::repo::{filters, refs};

/// The worktree of `record`, made whole again where need be; a new one when neither folder nor branch is left.
pub(super) fn go_on(
    repo: &Repository,
    root: &Path,
    place: &Place,
    mut record: Record,
    from: Start<'_>,
) -> Result<(Worktree, Prepared), WorktreeError> {
    record.worktree.path = place.folder.join(&place.name);
    record.worktree.subfolder = subfolder(repo, root);
    let mut notes = Vec::new();
    adopt_git_dir(repo, place, &mut record)?;
    if let Some(reason) = standing::lock_reason(&record.worktree) {
        return Err(WorktreeError::Locked { path: place.checkout(), reason });
    }
    if !record.ready {
        clear(repo, place, &record.worktree)?;
    }
    let folder = place.checkout();
    let here = folder.symlink_metadata();
    if here.as_ref().is_ok_and(|metadata| !metadata.is_dir()) {
        return Err(WorktreeError::Corrupt { path: folder, why: "it is no folder".to_owned() });
    }
    let tip = match branch_tip(repo, &record.worktree) {
        Some(tip) => tip,
        None if here.is_err() => {
            let ticket = record.worktree.ticket.clone();
            clear(repo, place, &record.worktree)?;
            return create(repo, root, place, &ticket, from);
        }
        None => restore_branch(repo, &record.worktree, &mut notes)?,
    };
    let worktree = &record.worktree;
    let mut readiness = Readiness::Reused;
    if here.is_err() {
        clear(repo, place, worktree)?;
        notes.extend(add(repo, place, worktree)?);
        notes.push(Note::Repaired("its folder had gone".to_owned()));
        readiness = Readiness::Repaired;
    } else if !standing::is_dir(&worktree.git_dir) {
        rebuild_git_dir(repo, place, worktree)?;
        notes.push(Note::Repaired("git had forgotten it".to_owned()));
        readiness = Readiness::Repaired;
    } else if let Some(why) = standing::broken_links(worktree) {
        standing::mend_links(worktree).map_err(WorktreeError::io("mending the links of", &worktree.path))?;
        notes.push(Note::Repaired(why));
        readiness = Readiness::Repaired;
    }
    let locks = standing::remove_locks(worktree, &open::common_dir(repo))
        .map_err(WorktreeError::io("removing left locks of", &worktree.path))?;
    if !locks.is_empty() {
        notes.push(Note::LocksRemoved(locks));
    }
    notes.extend(head_on_branch(worktree)?);
    notes.extend(base_moved(repo, &record));
    record.ready = true;
    record.filters = filters::fingerprint(repo);
    place.write(&record)?;
    Ok((record.worktree, Prepared { readiness, tip: tip.to_string(), notes }))
}

/// Makes sure that the administrative folder of the record is one of this repository and of this worktree; a project
/// that was moved, or a record that was written by somebody else, gets the folder that it should have.
fn adopt_git_dir(repo: &Repository, place: &Place, record: &mut Record) -> Result<(), WorktreeError> {
    let folder = open::common_dir(repo).join("worktrees");
    let recorded = &record.worktree.git_dir;
    let name = recorded.file_name().map(std::ffi::OsStr::to_owned).unwrap_or_default();
    let here = folder.join(&name);
    let ours = name.to_string_lossy().starts_with("koru-");
    if ours && *recorded == here {
        return Ok(());
    }
    record.worktree.git_dir =
        if ours && standing::is_dir(&here) { here } else { free_git_dir(repo, &place.name)? };
    Ok(())
}

fn branch_tip(repo: &Repository, worktree: &Worktree) -> Option<Oid> {
    let branch = repo.find_reference(&worktree.branch_ref()).ok()?;
    Some(branch.peel_to_commit().ok()?.id())
}

/// The branch of a worktree whose folder is there has gone: the commit that its HEAD was last at is the best that is
/// known, and the base when that cannot be read.
fn restore_branch(
    repo: &Repository,
    worktree: &Worktree,
    notes: &mut Vec<Note>,
) -> Result<Oid, WorktreeError> {
    let log = refs::log(&worktree.git_dir.join("logs/HEAD"));
    let last = log.iter().map(|entry| entry.new).find(|id| repo.find_commit(*id).is_ok());
    let git = WorktreeError::git("restoring the branch of", &worktree.path);
    let tip = match last {
        Some(tip) => tip,
        None => Oid::from_str(&worktree.base).map_err(git)?,
    };
    repo.reference(&worktree.branch_ref(), tip, true, "koru-tui: restore the ticket's branch")
        .map_err(WorktreeError::git("restoring the branch of", &worktree.path))?;
    notes.push(Note::Repaired(format!("its branch had gone; it is at {tip} again")));
    Ok(tip)
}

/// git has no entry for a folder that is there (somebody ran `git worktree prune` while it was away): the entry of a
/// fresh worktree beside it is made to mean the old folder, whose files stay as they are.
fn rebuild_git_dir(repo: &Repository, place: &Place, worktree: &Worktree) -> Result<(), WorktreeError> {
    let beside = Worktree { path: place.folder.join(format!(".{}.tmp", place.name)), ..worktree.clone() };
    if standing::is_dir(&beside.path) {
        fs::remove_dir_all(&beside.path).map_err(WorktreeError::io("removing", &beside.path))?;
    }
    let place_beside = Place { folder: place.folder.clone(), name: format!(".{}.tmp", place.name) };
    add(repo, &place_beside, &beside)?;
    let joined = fs::rename(place_beside.index(), place.index())
        .and_then(|()| fs::remove_dir_all(&beside.path))
        .and_then(|()| standing::mend_links(worktree));
    joined.map_err(WorktreeError::io("joining git's entry to", &worktree.path))
}

/// Puts HEAD of the worktree on the ticket's branch. The files stay as they are; a commit that only HEAD had is kept.
fn head_on_branch(worktree: &Worktree) -> Result<Option<Note>, WorktreeError> {
    let branch = worktree.branch_ref();
    let path = worktree.git_dir.join("HEAD");
    let text = standing::read_link_file(&path).unwrap_or_default();
    if text == format!("ref: {branch}") {
        return Ok(None);
    }
    standing::remove_file(&path).map_err(WorktreeError::io("replacing", &path))?;
    fs::write(&path, format!("ref: {branch}\n")).map_err(WorktreeError::io("writing", &path))?;
    let repo = open::inside(worktree)?;
    let kept = Oid::from_str(&text).ok().filter(|id| !is_reachable(&repo, *id)).and_then(|id| {
        let name = format!("refs/koru/kept/{id}");
        repo.reference(&name, id, true, "koru-tui: keep a commit that only HEAD had").ok()?;
        Some(name)
    });
    let from = text.strip_prefix("ref: ").unwrap_or(&text).to_owned();
    Ok(Some(Note::HeadMoved { from, kept }))
}

/// Whether a reference has `id` in its history; an id that is no commit counts, as there is nothing to keep.
fn is_reachable(repo: &Repository, id: Oid) -> bool {
    let found = || -> Result<bool, git2::Error> {
        let mut walk = repo.revwalk()?;
        walk.push(id)?;
        walk.hide_glob("refs/*")?;
        Ok(walk.next().is_none())
    };
    found().unwrap_or(true)
}

fn base_moved(repo: &Repository, record: &Record) -> Option<Note> {
    // What starts on work that had not landed is behind its base from the beginning, and comes onto it as a whole.
    let branch = record.base_branch.as_ref().filter(|_| record.beneath.is_empty())?;
    let now = repo.find_branch(branch, git2::BranchType::Local).ok()?.get().peel_to_commit().ok()?.id();
    let (from, to) = (record.worktree.base.clone(), now.to_string());
    (from != to).then(|| Note::BaseMoved { branch: branch.clone(), from, to })
}
