//! Questions to git about the tree that is worked in, through git2: no program is started.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use git2::{Commit, Diff, DiffFormat, DiffOptions, Repository, RepositoryState, Sort, Status, StatusOptions};

use super::references::References;
use crate::base::repo::patrol::Patrol;
use crate::verify::bus::{BadName, check_reference};

/// Bytes of a difference that a review request holds.
const DIFF_LIMIT: usize = 16 * 1024 * 1024;

/// Commits that a review request names.
const COMMITS: usize = 500;

/// What lies between the base and the worker's commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Comparison {
    /// Full hash.
    pub(super) head: String,
    /// Whether it descends from the base.
    pub(super) descends: bool,
    /// A line a commit, newest first.
    pub(super) commits: String,
    /// Unified.
    pub(super) diff: String,
    /// Files that differ, sorted.
    pub(super) files: Vec<String>,
}

/// Why a difference could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    /// A name that is no commit's.
    #[error(transparent)]
    Name(#[from] BadName),
    /// There is no such commit.
    #[error("{name:?} is not a commit of this repository: {why}")]
    Unknown {
        /// The name (foreign text).
        name: String,
        /// What git says.
        why: String,
    },
    /// Git cannot.
    #[error("comparing failed: {0}")]
    Git(String),
}

/// The difference `base..head` as unified text.
///
/// # Errors
/// See [`DiffError`].
pub fn diff_of(root: &Path, base: &str, head: &str) -> Result<String, DiffError> {
    let repo = open(root).map_err(DiffError::Git)?;
    let (base, head) = (resolve(&repo, base)?, resolve(&repo, head)?);
    let git = |error: git2::Error| DiffError::Git(error.message().to_owned());
    let diff = between(&repo, &base, &head).map_err(git)?;
    text(&diff, usize::MAX).map_err(git)
}

/// Full hash of HEAD.
pub(super) fn head(root: &Path) -> Result<String, String> {
    let repo = open(root)?;
    let head = repo.head().and_then(|head| head.peel_to_commit());
    head.map(|commit| commit.id().to_string()).map_err(|error| {
        format!("{} has no commit to begin from ({}); make a first one", root.display(), error.message())
    })
}

/// What git is in the middle of in this tree: a merge, a rebase and their like.
pub(super) fn unfinished(root: &Path) -> Result<Option<&'static str>, String> {
    Ok(match open(root)?.state() {
        RepositoryState::Clean => None,
        RepositoryState::Merge => Some("a merge"),
        RepositoryState::Revert | RepositoryState::RevertSequence => Some("a revert"),
        RepositoryState::CherryPick | RepositoryState::CherryPickSequence => Some("a cherry-pick"),
        RepositoryState::Bisect => Some("a bisection"),
        RepositoryState::Rebase | RepositoryState::RebaseInteractive | RepositoryState::RebaseMerge => {
            Some("a rebase")
        }
        RepositoryState::ApplyMailbox | RepositoryState::ApplyMailboxOrRebase => Some("git am"),
    })
}

/// Why `name` is no commit here; `None` when it is one.
pub(super) fn unknown(root: &Path, name: &str) -> Option<String> {
    let repo = match open(root) {
        Ok(repo) => repo,
        Err(why) => return Some(why),
    };
    resolve(&repo, name).err().map(|error| error.to_string())
}

/// The whole hash of what `name` names here, when that is a commit.
pub(super) fn full(root: &Path, name: &str) -> Option<String> {
    let repo = open(root).ok()?;
    resolve(&repo, name).ok().map(|commit| commit.id().to_string())
}

/// Tracked files that differ from HEAD, those of the bus and untracked ones left out.
pub(super) fn dirty(root: &Path, bus: &Path) -> Result<Vec<String>, String> {
    let repo = open(root)?;
    let mut options = StatusOptions::new();
    options.include_untracked(false).include_ignored(false).exclude_submodules(true).no_refresh(true);
    let _patrol = repo.workdir().map(Patrol::watching);
    let statuses = repo.statuses(Some(&mut options)).map_err(|error| error.message().to_owned())?;
    let inside = below(&repo, bus);
    let names = statuses.iter().filter(|entry| entry.status() != Status::CURRENT);
    let names = names.map(|entry| String::from_utf8_lossy(entry.path_bytes()).into_owned());
    Ok(names.filter(|name| inside.as_ref().is_none_or(|inside| !name.starts_with(inside.as_str()))).collect())
}

/// What lies between `base` and `head`, which is what the worker calls its commit.
pub(super) fn compare(root: &Path, base: &str, head: &str) -> Result<Comparison, String> {
    let repo = open(root)?;
    let base = resolve(&repo, base).map_err(|error| error.to_string())?;
    let head = resolve(&repo, head).map_err(|error| error.to_string())?;
    let git = |error: git2::Error| error.message().to_owned();
    let descends = base.id() == head.id() || repo.graph_descendant_of(head.id(), base.id()).map_err(git)?;
    let diff = between(&repo, &base, &head).map_err(git)?;
    let mut files: Vec<String> = diff
        .deltas()
        .filter_map(|delta| delta.new_file().path_bytes().or(delta.old_file().path_bytes()))
        .map(|path| String::from_utf8_lossy(path).into_owned())
        .collect();
    files.sort();
    files.dedup();
    Ok(Comparison {
        head: head.id().to_string(),
        descends,
        commits: commits(&repo, &base, &head).map_err(git)?,
        diff: text(&diff, DIFF_LIMIT).map_err(git)?,
        files,
    })
}

fn open(root: &Path) -> Result<Repository, String> {
    Repository::discover(root).map_err(|error| {
        format!("{} is in no git repository ({}); run it in one", root.display(), error.message())
    })
}

fn resolve<'r>(repo: &'r Repository, name: &str) -> Result<Commit<'r>, DiffError> {
    check_reference(name)?;
    repo.revparse_single(name)
        .and_then(|object| object.peel_to_commit())
        .map_err(|error| DiffError::Unknown { name: name.to_owned(), why: error.message().to_owned() })
}

fn between<'r>(repo: &'r Repository, base: &Commit<'_>, head: &Commit<'_>) -> Result<Diff<'r>, git2::Error> {
    let mut options = DiffOptions::new();
    repo.diff_tree_to_tree(Some(&base.tree()?), Some(&head.tree()?), Some(&mut options))
}

fn text(diff: &Diff<'_>, limit: usize) -> Result<String, git2::Error> {
    let mut bytes: Vec<u8> = Vec::new();
    let printed = diff.print(DiffFormat::Patch, |_, _, line| {
        if matches!(line.origin(), '+' | '-' | ' ') {
            bytes.push(line.origin() as u8);
        }
        bytes.extend_from_slice(line.content());
        bytes.len() <= limit
    });
    let cut = bytes.len() > limit;
    if let Err(error) = printed
        && !cut
    {
        return Err(error);
    }
    bytes.truncate(limit);
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    text.truncate(text.trim_end_matches('\n').len());
    if cut {
        text.push_str("\n… the difference is longer; ask git for the rest");
    }
    Ok(text)
}

fn commits(repo: &Repository, base: &Commit<'_>, head: &Commit<'_>) -> Result<String, git2::Error> {
    let mut walk = repo.revwalk()?;
    walk.set_sorting(Sort::TOPOLOGICAL)?;
    walk.push(head.id())?;
    walk.hide(base.id())?;
    let mut lines = Vec::new();
    for id in walk.take(COMMITS) {
        let id = id?;
        let commit = repo.find_commit(id)?;
        let summary = commit.summary_bytes().map(String::from_utf8_lossy).unwrap_or_default();
        let short: String = id.to_string().chars().take(7).collect();
        lines.push(format!("{short} {summary}"));
    }
    Ok(lines.join("\n"))
}

/// What a tree looks like: its commit and references, and every file that differs from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Look {
    head: String,
    references: References,
    files: BTreeMap<String, (u32, u64, i128)>,
}

/// Looks at the tree, the bus left out.
pub(super) fn look(root: &Path, bus: &Path) -> Result<Look, String> {
    use std::os::unix::fs::MetadataExt;
    let repo = open(root)?;
    let mut options = StatusOptions::new();
    options.include_untracked(true).recurse_untracked_dirs(true).include_ignored(false).no_refresh(true);
    options.exclude_submodules(true);
    let _patrol = repo.workdir().map(Patrol::watching);
    let statuses = repo.statuses(Some(&mut options)).map_err(|error| error.message().to_owned())?;
    let inside = below(&repo, bus);
    let mut files = BTreeMap::new();
    for entry in statuses.iter().filter(|entry| entry.status() != Status::CURRENT) {
        let name = String::from_utf8_lossy(entry.path_bytes()).into_owned();
        let ours = inside.as_ref().is_some_and(|inside| name.starts_with(inside.as_str()));
        if ours || name.starts_with(".planfile/") {
            continue;
        }
        let found = repo.workdir().and_then(|top| std::fs::symlink_metadata(top.join(&name)).ok());
        let (size, changed) = found.map_or((0, 0), |found| {
            (found.size(), i128::from(found.mtime()) * 1_000_000_000 + i128::from(found.mtime_nsec()))
        });
        files.insert(name, (entry.status().bits(), size, changed));
    }
    let references = References::of(&repo).map_err(|error| error.message().to_owned())?;
    Ok(Look { head: head(root)?, references, files })
}

impl Look {
    /// What differs, by name.
    pub(super) fn changed(&self, after: &Look) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        if self.head != after.head {
            names.push(format!("HEAD (now {})", after.head.chars().take(12).collect::<String>()));
        }
        names.extend(self.references.changed(&after.references));
        let all = self.files.keys().chain(after.files.keys());
        let mut changed: Vec<String> =
            all.filter(|name| self.files.get(*name) != after.files.get(*name)).cloned().collect();
        changed.sort();
        changed.dedup();
        names.extend(changed);
        names
    }
}

/// The bus as a prefix of names in the tree, when it is in it.
fn below(repo: &Repository, bus: &Path) -> Option<String> {
    let top = repo.workdir()?.canonicalize().ok()?;
    let bus: PathBuf = bus.canonicalize().ok()?;
    let inside = bus.strip_prefix(&top).ok()?.to_str()?;
    (!inside.is_empty()).then(|| format!("{inside}/"))
}
