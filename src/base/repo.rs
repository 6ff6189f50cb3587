//! Questions to git, through git2: never a spawned process, never a write.
//!
//! Submodules own what worktrees and the fence need besides: [`names`] that git takes, the state of all [`refs`], and
//! the git [`program`] for the few things that libgit2 cannot do.

pub mod filters;
pub mod moving;
pub mod names;
pub mod patrol;
pub mod program;
pub mod refs;

use std::path::{Path, PathBuf};

use git2::{Repository, RepositoryOpenFlags, Status, StatusOptions};

use self::patrol::Patrol;
use super::redact;

/// Hex digits of an abbreviated commit id.
const SHORT_ID: usize = 12;

/// What a screen or a brief says about the repository. Names and the URL are foreign text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepoFacts {
    /// Current branch; `None` when detached or without a repository. A branch without a commit yet is named too.
    pub branch: Option<String>,
    /// First 12 hex digits of HEAD.
    pub head: Option<String>,
    /// Whether tracked files differ or untracked ones exist.
    pub dirty: bool,
    /// URL of `origin`, credentials taken out.
    pub remote: Option<String>,
}

/// Reads the facts of the repository that holds `path`; all empty when there is none.
///
/// Walks the work tree for `dirty`: seconds in a huge repository, so not for the thread that draws.
pub fn facts(path: &Path) -> RepoFacts {
    let Some(repo) = open(path) else { return RepoFacts::default() };
    RepoFacts {
        branch: branch_of(&repo),
        head: repo
            .head()
            .ok()
            .and_then(|head| head.peel_to_commit().ok())
            .map(|commit| commit.id().to_string().chars().take(SHORT_ID).collect()),
        dirty: is_dirty(&repo),
        remote: repo
            .find_remote("origin")
            .ok()
            .and_then(|remote| remote.url().ok().map(redact::without_credentials)),
    }
}

/// Only the branch: cheap enough for start-up.
pub fn branch(path: &Path) -> Option<String> {
    branch_of(&open(path)?)
}

/// The work tree's root and, for a linked worktree, the main work tree's root (both the same otherwise, and for a
/// linked worktree of a bare repository, which has no main one). `None` outside of a work tree.
pub fn roots(path: &Path) -> Option<(PathBuf, PathBuf)> {
    let repo = open(path)?;
    let own = repo.workdir()?.to_path_buf();
    let main = if repo.is_worktree() {
        Repository::open(repo.commondir()).ok().and_then(|main| main.workdir().map(Path::to_path_buf))
    } else {
        None
    };
    Some((clean(&own), main.map_or_else(|| clean(&own), |main| clean(&main))))
}

/// Whether tracked files of the work tree at `path` differ from HEAD, those in folders called `but` left out.
pub fn has_tracked_changes(path: &Path, but: &str) -> bool {
    let Some(repo) = open(path) else { return false };
    let _patrol = Patrol::watching(repo.workdir().unwrap_or(path));
    let mut options = StatusOptions::new();
    options.include_untracked(false).include_ignored(false).exclude_submodules(true).no_refresh(true);
    repo.statuses(Some(&mut options)).is_ok_and(|statuses| {
        statuses.iter().any(|entry| {
            let left_out = String::from_utf8_lossy(entry.path_bytes()).split('/').any(|part| part == but);
            entry.status() != Status::CURRENT && !left_out
        })
    })
}

fn open(path: &Path) -> Option<Repository> {
    Repository::open_ext(path, RepositoryOpenFlags::empty(), std::iter::empty::<&Path>()).ok()
}

/// Without the slash that libgit2 puts at the end, links resolved, so that two roots compare.
fn clean(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.components().collect())
}

fn branch_of(repo: &Repository) -> Option<String> {
    // Reading the symbolic reference itself also names a branch that has no commit yet.
    let head = repo.find_reference("HEAD").ok()?;
    let target = head.symbolic_target_bytes()?;
    let target = String::from_utf8_lossy(target);
    target.strip_prefix("refs/heads/").map(str::to_owned)
}

fn is_dirty(repo: &Repository) -> bool {
    let Some(top) = repo.workdir() else { return false };
    let _patrol = Patrol::watching(top);
    let mut options = StatusOptions::new();
    options
        .include_untracked(true)
        .recurse_untracked_dirs(false)
        .include_ignored(false)
        .exclude_submodules(true)
        .no_refresh(true);
    let Ok(statuses) = repo.statuses(Some(&mut options)) else { return false };
    statuses.iter().any(|entry| entry.status() != Status::CURRENT)
}

#[cfg(test)]
mod tests;
