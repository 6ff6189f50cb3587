//! Making a ticket's worktree, or finding the one that it has.

use std::path::{Path, PathBuf};
use std::time::Duration;

use git2::{Repository, WorktreeAddOptions};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::WorktreeError;
use super::note::Note;
use super::record::{Place, Record};
use super::stack::Start;
use super::{Worktree, open, repair, standing, submodules};
use crate::base::lock::FileLock;
use crate::base::paths::ProjectPaths;
use crate::base::repo::filters;
use crate::base::{atomic, repo as facts};
use crate::plan::ticket::TicketId;

/// How many names are tried when the usual one is somebody else's.
const NAMES_TRIED: u32 = 9;

/// How long another making of a worktree is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(120);

/// What came of preparing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    /// How the worktree came to be.
    pub readiness: Readiness,
    /// Commit that the branch is at.
    pub tip: String,
    /// What is worth knowing.
    pub notes: Vec<Note>,
}

/// How a worktree came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Readiness {
    /// Made now.
    Created,
    /// The ticket had it, and goes on there.
    Reused,
    /// The ticket had it, and something of it had to be made again.
    Repaired,
}

/// Gives `ticket` of the project at `root` a worktree: the one it has, else a new one at `base` (any revision that git
/// understands), or at the operator's HEAD. A `base` does not move a worktree that is there.
///
/// Blocking, seconds in a large repository. Nothing is fetched; no hook runs. The ticket must not have a run.
///
/// # Errors
/// See [`WorktreeError`]; nothing is lost or half made.
pub fn prepare(
    root: &Path,
    ticket: &TicketId,
    base: Option<&str>,
) -> Result<(Worktree, Prepared), WorktreeError> {
    start(root, ticket, base.map_or(Start::Head, Start::Revision))
}

/// The same for work that builds on that of other tickets, which are done: a new worktree starts from the operator's HEAD
/// and whatever of their work has not landed.
///
/// # Errors
/// See [`WorktreeError`]; nothing is lost or half made.
pub fn prepare_on(
    root: &Path,
    ticket: &TicketId,
    done: &[TicketId],
) -> Result<(Worktree, Prepared), WorktreeError> {
    start(root, ticket, Start::On(done))
}

fn start(root: &Path, ticket: &TicketId, from: Start<'_>) -> Result<(Worktree, Prepared), WorktreeError> {
    let root = root.canonicalize().map_err(WorktreeError::io("finding the project", root))?;
    let repo = open::operator(&root)?;
    let _lock = lock(&root)?;
    let place = Place::of(&root, ticket);
    let mut ready = match place.read() {
        Some(record) if record.worktree.ticket != *ticket => {
            let owner = record.worktree.ticket.to_string();
            return Err(WorktreeError::NameTaken { name: place.name, owner });
        }
        Some(record) => repair::go_on(&repo, &root, &place, record, from)?,
        None if place.checkout().symlink_metadata().is_ok() => {
            let why = "a folder without a record of ours is there".to_owned();
            return Err(WorktreeError::Corrupt { path: place.checkout(), why });
        }
        None => create(&repo, &root, &place, ticket, from)?,
    };
    let fresh = ready.1.readiness == Readiness::Created;
    ready.1.notes.extend(submodules::fill(&repo, &ready.0));
    about_the_repository(&repo, fresh, &mut ready.1.notes);
    Ok(ready)
}

/// One making at a time: git's own folder of worktrees is not made for two.
pub(super) fn lock(root: &Path) -> Result<FileLock, WorktreeError> {
    let folder = ProjectPaths::new(root).worktrees();
    atomic::make_own_dir(&folder).map_err(WorktreeError::io("making the folder", &folder))?;
    let path = folder.join(".lock");
    FileLock::acquire(&path, LOCK_WAIT)
        .map_err(|error| WorktreeError::io("locking", &path)(std::io::Error::other(error.to_string())))
}

/// Makes branch, folder and record from nothing.
pub(super) fn create(
    repo: &Repository,
    root: &Path,
    place: &Place,
    ticket: &TicketId,
    from: Start<'_>,
) -> Result<(Worktree, Prepared), WorktreeError> {
    let base = from.base(repo, root)?;
    let wanted = format!("koru/{}", place.name);
    let branch = free_branch(repo, &wanted)?;
    let worktree = Worktree {
        ticket: ticket.clone(),
        path: place.folder.join(&place.name),
        branch: branch.clone(),
        base: base.commit.to_string(),
        subfolder: subfolder(repo, root),
        git_dir: free_git_dir(repo, &place.name)?,
    };
    let filters = filters::fingerprint(repo);
    let mut record = Record::new(worktree.clone(), &base, Timestamp::now(), filters);
    place.write(&record)?;
    let made = repo
        .reference(&worktree.branch_ref(), base.commit, false, &format!("koru-tui: start {ticket}"))
        .map_err(|error| blocked(&branch, &error))
        .and_then(|_| add(repo, place, &worktree));
    let mut notes = match made {
        Ok(notes) => notes,
        Err(error) => {
            let _ = clear(repo, place, &worktree);
            let _ = repo.find_reference(&worktree.branch_ref()).and_then(|mut made| made.delete());
            let _ = place.forget();
            return Err(error);
        }
    };
    record.ready = true;
    place.write(&record)?;
    if branch != wanted {
        notes.push(Note::BranchTaken { wanted, used: branch });
    }
    if !base.beneath.is_empty() {
        notes.push(Note::StartsOn(base.beneath.iter().map(ToString::to_string).collect()));
    }
    let tip = worktree.base.clone();
    Ok((worktree, Prepared { readiness: Readiness::Created, tip, notes }))
}

/// Adds the worktree for a branch that exists, with our index of it. The folder must not be there.
pub(super) fn add(repo: &Repository, place: &Place, worktree: &Worktree) -> Result<Vec<Note>, WorktreeError> {
    let refused = |error: git2::Error| WorktreeError::git("adding the worktree", &worktree.path)(error);
    let branch = repo.find_reference(&worktree.branch_ref()).map_err(refused)?;
    let name = worktree.git_dir.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let mut options = WorktreeAddOptions::new();
    options.reference(Some(&branch));
    repo.worktree(name, &worktree.path, Some(&options)).map_err(|error| {
        if error.message().contains("checked out") {
            let why = "it is checked out somewhere else".to_owned();
            return WorktreeError::BranchBlocked { branch: worktree.branch.clone(), why };
        }
        refused(error)
    })?;
    let index = worktree.git_dir.join("index");
    let copy =
        || std::fs::copy(&index, place.index()).map_err(WorktreeError::io("copying the index", &index));
    copy()?;
    let filled = fill_filtered(worktree);
    if filled.is_some() {
        copy()?;
    }
    Ok(filled.into_iter().collect())
}

/// Takes away what [`add`] made, when no agent can have been in it.
pub(super) fn clear(repo: &Repository, place: &Place, worktree: &Worktree) -> Result<(), WorktreeError> {
    let folder = place.checkout();
    for gone in [&folder, &worktree.git_dir] {
        let ours = *gone == folder || gone.parent() == Some(&open::common_dir(repo).join("worktrees"));
        if ours && standing::is_dir(gone) {
            std::fs::remove_dir_all(gone).map_err(WorktreeError::io("removing", gone))?;
        }
    }
    Ok(())
}

/// Puts files under a git filter (LFS, say) through it, as a checkout by the git program does.
fn fill_filtered(worktree: &Worktree) -> Option<Note> {
    let repo = open::inside(worktree).ok()?;
    let found = filters::filtered_files(&repo);
    if found.files.is_empty() {
        return None;
    }
    let files = u32::try_from(found.files.len()).unwrap_or(u32::MAX);
    let unfilled = filters::fill(&repo, &found.files).err();
    Some(Note::Filters { names: found.names.into_iter().collect(), files, unfilled })
}

/// The commit to start from and, when there is one, the branch that it is the tip of.
pub(super) fn find_base(
    repo: &Repository,
    base: Option<&str>,
) -> Result<(git2::Oid, Option<String>), WorktreeError> {
    let Some(base) = base else {
        let head = repo.head().map_err(|error| match error.code() {
            git2::ErrorCode::UnbornBranch | git2::ErrorCode::NotFound => {
                WorktreeError::Unborn { path: repo.path().to_path_buf() }
            }
            _ => WorktreeError::git("reading HEAD", repo.path())(error),
        })?;
        let commit =
            head.peel_to_commit().map_err(WorktreeError::git("reading HEAD's commit", repo.path()))?;
        let branch = head.is_branch().then(|| head.shorthand().map(str::to_owned).ok()).flatten();
        return Ok((commit.id(), branch));
    };
    let bad = |error: git2::Error| WorktreeError::BadBase {
        base: base.to_owned(),
        why: error.message().to_owned(),
    };
    let commit = repo.revparse_single(base).and_then(|object| object.peel_to_commit()).map_err(bad)?;
    let branch = repo.find_branch(base, git2::BranchType::Local).is_ok().then(|| base.to_owned());
    Ok((commit.id(), branch))
}

/// `wanted`, or it with a number when that branch exists: a branch without a record of ours is somebody else's.
fn free_branch(repo: &Repository, wanted: &str) -> Result<String, WorktreeError> {
    let candidates =
        std::iter::once(wanted.to_owned()).chain((2..=NAMES_TRIED).map(|n| format!("{wanted}-{n}")));
    for candidate in candidates {
        if repo.find_reference(&format!("refs/heads/{candidate}")).is_err() {
            return Ok(candidate);
        }
    }
    let why = format!("it and its like up to {wanted}-{NAMES_TRIED} exist");
    Err(WorktreeError::BranchBlocked { branch: wanted.to_owned(), why })
}

fn blocked(branch: &str, error: &git2::Error) -> WorktreeError {
    WorktreeError::BranchBlocked { branch: branch.to_owned(), why: error.message().to_owned() }
}

/// An administrative folder that is not there yet.
pub(super) fn free_git_dir(repo: &Repository, name: &str) -> Result<PathBuf, WorktreeError> {
    let folder = open::common_dir(repo).join("worktrees");
    let candidates =
        std::iter::once(format!("koru-{name}")).chain((2..=NAMES_TRIED).map(|n| format!("koru-{name}.{n}")));
    let free = candidates.map(|name| folder.join(name)).find(|path| path.symlink_metadata().is_err());
    free.ok_or_else(|| WorktreeError::Corrupt {
        path: folder.clone(),
        why: format!("koru-{name} and its like are taken; run `git worktree prune`"),
    })
}

/// The project's folder from the top of the repository, with `/`.
pub(super) fn subfolder(repo: &Repository, root: &Path) -> String {
    let top = repo.workdir().and_then(|top| top.canonicalize().ok()).unwrap_or_default();
    root.strip_prefix(&top).map(|inner| inner.to_string_lossy().into_owned()).unwrap_or_default()
}

fn about_the_repository(repo: &Repository, fresh: bool, notes: &mut Vec<Note>) {
    let sparse = repo.config().and_then(|config| config.get_bool("core.sparsecheckout")).unwrap_or(false);
    if sparse && fresh {
        notes.push(Note::Sparse);
    }
    if fresh && repo.workdir().is_some_and(|top| facts::has_tracked_changes(top, ".planfile")) {
        notes.push(Note::OperatorDirty);
    }
}
