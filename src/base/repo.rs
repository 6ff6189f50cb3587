//! Questions to git, through git2: never a spawned process, never a write.

use std::path::{Path, PathBuf};

/// What a screen or a brief says about the repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepoFacts {
    /// Current branch; `None` when detached or without a repository.
    pub branch: Option<String>,
    /// First 12 hex digits of HEAD.
    pub head: Option<String>,
    /// Whether tracked files differ or untracked ones exist.
    pub dirty: bool,
    /// URL of `origin`, credentials taken out.
    pub remote: Option<String>,
}

/// Reads the facts of the repository that holds `path`; all empty when there is none.
pub fn facts(path: &Path) -> RepoFacts {
    let _ = path;
    unimplemented!()
}

/// Only the branch: cheap enough for start-up.
pub fn branch(path: &Path) -> Option<String> {
    let _ = path;
    unimplemented!()
}

/// The work tree's root and, for a linked worktree, the main work tree's root.
pub fn roots(path: &Path) -> Option<(PathBuf, PathBuf)> {
    let _ = path;
    unimplemented!()
}
