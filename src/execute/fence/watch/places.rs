//! Which folders are watched, and what an event there means.
//!
//! References behind the kernel's fence that the run cannot write are not worth a look. In the worktree, the folders that
//! git tracks are watched and those that come while the run works, but not what is ignored or made by package managers:
//! up to [`FOLDERS`] of each, since watches are shared by all programs of a user.

use std::path::{Path, PathBuf};

use git2::{ObjectType, Repository, RepositoryOpenFlags};
use notify::RecursiveMode;
use notify::event::{AccessKind, AccessMode, CreateKind, EventKind, ModifyKind, RenameMode};

use super::Watched;
use crate::base::repo::patrol::Patrol;
use crate::execute::fence::Guard;

/// Most folders of a worktree that are watched.
const FOLDERS: usize = 512;

/// Entries of a new folder, and of those in it, that are looked at.
const ENTRIES: usize = 10_000;

/// Files of an administrative folder that matter.
const GIT_DIR: [&str; 4] = ["HEAD", "gitdir", "commondir", "config.worktree"];

/// What an event means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A reference, a HEAD or a link may have changed.
    References,
    /// A git of the run said something.
    Told,
    /// A file of the worktree that is forbidden by its name was touched; its path from the top.
    Forbidden(String),
    /// A folder came into the worktree.
    NewFolder(PathBuf),
}

/// The places of one run.
pub(super) struct Places<'a> {
    guard: &'a Guard,
    watched: Watched,
    /// The worktree, for what is ignored.
    repo: Option<Repository>,
    /// Folders that came.
    count: usize,
}

impl<'a> Places<'a> {
    pub(super) fn new(guard: &'a Guard, watched: Watched) -> Self {
        let flags = RepositoryOpenFlags::NO_SEARCH | RepositoryOpenFlags::NO_DOTGIT;
        let git_dir = &guard.worktree.git_dir;
        let repo = Repository::open_ext(git_dir, flags, std::iter::empty::<&Path>()).ok();
        Self { guard, watched, repo, count: 0 }
    }

    /// Folders without which nothing is watched.
    pub(super) fn needed(&self) -> Vec<(PathBuf, RecursiveMode)> {
        let (common, git_dir) = (&self.guard.common, &self.guard.worktree.git_dir);
        let mut folders = vec![
            (common.clone(), RecursiveMode::NonRecursive),
            (common.join("refs"), RecursiveMode::Recursive),
            (git_dir.clone(), RecursiveMode::NonRecursive),
            (self.guard.worktree.path.clone(), RecursiveMode::NonRecursive),
        ];
        if self.guard.writable.is_empty() {
            let others = std::fs::read_dir(common.join("worktrees")).into_iter().flatten().flatten();
            let others = others.map(|entry| entry.path()).filter(|path| path != git_dir && path.is_dir());
            folders.extend(others.map(|path| (path, RecursiveMode::NonRecursive)));
        }
        folders
    }

    /// What is watched if it is there: git's trace.
    pub(super) fn told(&self) -> Option<PathBuf> {
        Some(self.guard.hooks.events.clone()).filter(|events| events.exists())
    }

    /// Folders of the worktree, the upper ones first.
    pub(super) fn folders(&self) -> Vec<PathBuf> {
        if self.watched == Watched::References {
            return Vec::new();
        }
        self.tracked().unwrap_or_default()
    }

    fn tracked(&self) -> Result<Vec<PathBuf>, git2::Error> {
        let Some(repo) = &self.repo else { return Ok(Vec::new()) };
        let base = git2::Oid::from_str(&self.guard.worktree.base)?;
        let mut found: Vec<(PathBuf, git2::Oid)> = vec![(PathBuf::new(), repo.find_commit(base)?.tree_id())];
        let mut at = 0;
        while at < found.len() && found.len() < FOLDERS {
            let (folder, tree) = found[at].clone();
            at += 1;
            for entry in &repo.find_tree(tree)? {
                if entry.kind() == Some(ObjectType::Tree) && found.len() < FOLDERS {
                    let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
                    found.push((folder.join(name), entry.id()));
                }
            }
        }
        let top = &self.guard.worktree.path;
        Ok(found
            .into_iter()
            .skip(1)
            .map(|(folder, _)| top.join(folder))
            .filter(|path| path.is_dir())
            .collect())
    }

    /// What an event means; nothing of most.
    pub(super) fn meanings(&self, event: &notify::Result<notify::Event>) -> Vec<Meaning> {
        let Ok(event) = event else { return vec![Meaning::References] };
        if event.need_rescan() {
            return vec![Meaning::References];
        }
        // Files are opened and closed by every reader, ourselves included.
        if matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write)) {
            return Vec::new();
        }
        event.paths.iter().filter_map(|path| self.meaning(event.kind, path)).collect()
    }

    fn meaning(&self, kind: EventKind, path: &Path) -> Option<Meaning> {
        let guard = self.guard;
        if path == guard.hooks.events {
            return Some(Meaning::Told);
        }
        if let Ok(inner) = path.strip_prefix(&guard.worktree.path) {
            if inner == Path::new(".git") || inner == Path::new("") {
                return Some(Meaning::References);
            }
            return self.file(kind, path, inner);
        }
        let name = path.file_name()?.to_str()?;
        let inner = path.strip_prefix(&guard.common).ok()?;
        let text = inner.to_str()?;
        let matters = if path.parent() == Some(&guard.worktree.git_dir) {
            GIT_DIR.contains(&name)
        } else if inner.starts_with("refs") {
            !name.ends_with(".lock")
        } else {
            name == "HEAD" || inner == Path::new("packed-refs")
        };
        let gone = path == guard.worktree.git_dir;
        (gone || (matters && guard.could_write(text))).then_some(Meaning::References)
    }

    fn file(&self, kind: EventKind, path: &Path, inner: &Path) -> Option<Meaning> {
        if self.watched == Watched::References {
            return None;
        }
        let came = matches!(
            kind,
            EventKind::Create(CreateKind::Folder) | EventKind::Modify(ModifyKind::Name(RenameMode::To))
        );
        if came && is_folder(path) {
            return Some(Meaning::NewFolder(path.to_path_buf()));
        }
        self.forbidden(inner).map(Meaning::Forbidden)
    }

    /// Whether a folder that came is worth a watch.
    fn is_watched(&self, inner: &Path) -> bool {
        let _patrol = Patrol::clearing(&self.guard.worktree.path);
        let ignored = self.repo.as_ref().is_none_or(|repo| repo.is_path_ignored(inner).unwrap_or(true));
        !ignored && self.count < FOLDERS
    }

    /// The path as text, if the policy forbids to change it.
    fn forbidden(&self, inner: &Path) -> Option<String> {
        let path = inner.to_str()?;
        let worktree = &self.guard.worktree;
        let in_project = worktree.in_project(path).unwrap_or(path);
        let policy = &self.guard.policy;
        let found = policy.forbidden_path(in_project).or_else(|| policy.forbidden_path(path));
        found.map(|_| path.to_owned())
    }

    /// A folder that came, with all that was in it by then: the folders to watch, and forbidden paths. Whoever calls
    /// this watches each folder before it asks for the next, so that nothing comes unseen in between.
    pub(super) fn inside(&mut self, came: &Path, mut watch: impl FnMut(&Path)) -> Vec<String> {
        let top = self.guard.worktree.path.clone();
        let mut found = Vec::new();
        let mut waiting = vec![came.to_path_buf()];
        let mut left = ENTRIES;
        while let Some(folder) = waiting.pop() {
            let Ok(inner) = folder.strip_prefix(&top) else { continue };
            found.extend(self.forbidden(inner));
            if !self.is_watched(inner) {
                continue;
            }
            self.count += 1;
            watch(&folder);
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten().take(left) {
                left -= 1;
                let path = entry.path();
                match is_folder(&path) {
                    true => waiting.push(path),
                    false => {
                        found.extend(path.strip_prefix(&top).ok().and_then(|inner| self.forbidden(inner)))
                    }
                }
            }
        }
        found
    }
}

fn is_folder(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|found| found.is_dir())
}
