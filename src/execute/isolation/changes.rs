//! What the work of a ticket amounts to: base against the files in the worktree, committed or not.
//!
//! Found with our own index, so that nothing an agent did to its index hides a file. Ignored files do not count: they
//! never land.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use git2::{Delta, Diff, DiffDelta, DiffOptions, FileMode, Oid, Patch, Repository};

use super::error::WorktreeError;
use super::record::Place;
use super::{ChangedFile, Worktree, open, submodules};
use crate::base::repo::filters;
use crate::base::repo::patrol::Patrol;

/// Files larger than this count as binary: their lines are not counted.
const TEXT_LIMIT: i64 = 16 * 1024 * 1024;

/// The same for files as they lie there, in bytes.
const LARGE: u64 = TEXT_LIMIT.unsigned_abs();

/// One difference between base and worktree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Path from the top of the repository (foreign text; bytes that are no UTF-8 are replaced).
    pub path: String,
    /// What it is.
    pub kind: ChangeKind,
    /// Lines added; 0 for what is no text.
    pub added: u32,
    /// Lines removed.
    pub removed: u32,
    /// Where the link points, for a symbolic link that is new or changed (foreign text).
    pub link: Option<Link>,
}

/// Where a symbolic link points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its text.
    pub target: String,
    /// Following it from where it is leads out of the worktree, or into git's own folder.
    pub leaves: bool,
}

/// What a [`Change`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// A new file or link.
    Added,
    /// Other content, mode or type.
    Modified,
    /// Gone.
    Deleted,
    /// A submodule came, went or moved, or a repository of its own lies in the worktree.
    Submodule,
}

/// Every difference between the worktree and its base: committed, uncommitted and untracked, `.planfile/` included.
/// Sorted by path.
///
/// # Errors
/// See [`WorktreeError`].
pub fn survey(worktree: &Worktree) -> Result<Vec<Change>, WorktreeError> {
    let repo = open::inside(worktree)?;
    let base = Oid::from_str(&worktree.base);
    let base = base.map_err(WorktreeError::git("reading the base of", &worktree.path))?;
    compare(&repo, worktree, base)
}

/// The files that differ between base and worktree, `.planfile/` left out (DESIGN §4).
///
/// # Errors
/// See [`WorktreeError`].
pub fn changes(worktree: &Worktree) -> Result<Vec<ChangedFile>, WorktreeError> {
    let found = survey(worktree)?.into_iter().filter(|change| !is_planfile(&change.path));
    Ok(found
        .map(|change| ChangedFile { path: change.path, added: change.added, removed: change.removed })
        .collect())
}

/// Whether the path lies in a planfile folder: never part of the work (DESIGN §4).
pub(crate) fn is_planfile(path: &str) -> bool {
    path.split('/').any(|part| part == ".planfile")
}

/// What differs between the tree of `commit` and the files now.
pub(super) fn compare(
    repo: &Repository,
    worktree: &Worktree,
    commit: Oid,
) -> Result<Vec<Change>, WorktreeError> {
    let git = |error: git2::Error| WorktreeError::git("comparing the worktree", &worktree.path)(error);
    let tree = repo.find_commit(commit).and_then(|commit| commit.tree()).map_err(git)?;
    let mut options = DiffOptions::new();
    options
        .include_untracked(true)
        .recurse_untracked_dirs(true)
        .show_untracked_content(true)
        .include_typechange(true)
        .ignore_submodules(false)
        .update_index(false)
        .max_size(TEXT_LIMIT);
    let _patrol = Patrol::clearing(&worktree.path);
    let diff = repo.diff_tree_to_workdir_with_index(Some(&tree), Some(&mut options)).map_err(git)?;
    let drivers = trusted_drivers(repo, worktree);
    let mut found = Vec::new();
    for at in 0..diff.deltas().len() {
        let Some(delta) = diff.get_delta(at) else { continue };
        found.extend(change(repo, worktree, &drivers, &diff, at, &delta));
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found.dedup_by(|a, b| a.path == b.path);
    Ok(found)
}

fn change(
    repo: &Repository,
    worktree: &Worktree,
    drivers: &BTreeSet<String>,
    diff: &Diff<'_>,
    at: usize,
    delta: &DiffDelta<'_>,
) -> Option<Change> {
    let bytes = delta.new_file().path_bytes().or_else(|| delta.old_file().path_bytes())?;
    let path = PathBuf::from(std::ffi::OsStr::from_bytes(bytes));
    let kind = kind_of(delta, bytes)?;
    let same = match kind {
        ChangeKind::Modified => driver_says_same(repo, drivers, delta, &path),
        ChangeKind::Submodule => has_only_new_files(repo, delta, &path),
        ChangeKind::Added | ChangeKind::Deleted => false,
    };
    if same {
        return None;
    }
    // libgit2 keeps 32 bits of a size, so its own limit lets a sparse file of many GB through, and reads it to its end.
    let large = || worktree.path.join(&path).symlink_metadata().is_ok_and(|found| found.len() > LARGE);
    let countless = kind == ChangeKind::Submodule || (kind != ChangeKind::Deleted && large());
    let (added, removed) = if countless { (0, 0) } else { lines(diff, at) };
    let link = (delta.new_file().mode() == FileMode::Link && kind != ChangeKind::Deleted)
        .then(|| link(&worktree.path, &path))
        .flatten();
    let path = String::from_utf8_lossy(bytes).trim_end_matches('/').to_owned();
    Some(Change { path, kind, added, removed, link })
}

fn kind_of(delta: &DiffDelta<'_>, path: &[u8]) -> Option<ChangeKind> {
    let modules = [delta.old_file().mode(), delta.new_file().mode()].contains(&FileMode::Commit);
    // An untracked folder is only reported as one when it is a repository of its own.
    if (modules || path.ends_with(b"/")) && delta.status() != Delta::Unmodified {
        return Some(ChangeKind::Submodule);
    }
    Some(match delta.status() {
        Delta::Added | Delta::Untracked | Delta::Copied => ChangeKind::Added,
        Delta::Deleted => ChangeKind::Deleted,
        Delta::Modified | Delta::Renamed | Delta::Typechange | Delta::Conflicted | Delta::Unreadable => {
            ChangeKind::Modified
        }
        Delta::Unmodified | Delta::Ignored => return None,
    })
}

/// A submodule in which something was built, and that is all, has not changed.
fn has_only_new_files(repo: &Repository, delta: &DiffDelta<'_>, path: &Path) -> bool {
    let modules = delta.old_file().mode() == FileMode::Commit && delta.new_file().mode() == FileMode::Commit;
    modules && delta.status() == Delta::Modified && submodules::stands(repo, path, delta.old_file().id())
}

/// The filter drivers of the configuration, as long as they are those from before the agent worked: they are programs
/// that would run outside of its fence. None when they changed since.
pub fn trusted_drivers(repo: &Repository, worktree: &Worktree) -> BTreeSet<String> {
    let drivers = filters::drivers(repo);
    if drivers.is_empty() {
        return drivers;
    }
    let recorded = Place::of_worktree(worktree).and_then(|place| place.read());
    match recorded.is_some_and(|record| record.filters == filters::fingerprint(repo)) {
        true => drivers,
        false => BTreeSet::new(),
    }
}

/// A file under a filter is the same when its filter gives what the base has.
fn driver_says_same(
    repo: &Repository,
    drivers: &BTreeSet<String>,
    delta: &DiffDelta<'_>,
    path: &Path,
) -> bool {
    filters::driver_of(repo, drivers, path).is_some()
        && filters::clean(repo, path).is_ok_and(|id| id == delta.old_file().id())
}

fn lines(diff: &Diff<'_>, at: usize) -> (u32, u32) {
    let counted = Patch::from_diff(diff, at).ok().flatten().and_then(|patch| patch.line_stats().ok());
    let small = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    counted.map_or((0, 0), |(_, added, removed)| (small(added), small(removed)))
}

fn link(top: &Path, path: &Path) -> Option<Link> {
    let here = top.join(path);
    let target = std::fs::read_link(&here).ok()?;
    let text = target.to_string_lossy().into_owned();
    Some(Link { leaves: leaves(top, &here, &target), target: text })
}

/// Judged twice: by the letter, since a target may not be there yet, and by where the system would end up.
fn leaves(top: &Path, here: &Path, target: &Path) -> bool {
    use std::path::Component;
    if target.is_absolute() {
        return true;
    }
    let inside = here.parent().and_then(|folder| folder.strip_prefix(top).ok()).unwrap_or(Path::new(""));
    let mut depth: Vec<_> = inside.components().collect();
    for part in target.components() {
        match part {
            Component::ParentDir if depth.pop().is_none() => return true,
            Component::Normal(_) => depth.push(part),
            _ => {}
        }
    }
    if depth.first().is_some_and(|first| first.as_os_str() == ".git") {
        return true;
    }
    matches!((here.canonicalize(), top.canonicalize()), (Ok(end), Ok(top)) if !end.starts_with(&top))
}
