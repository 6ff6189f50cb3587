//! The operator's working tree as a commit that no reference names, so that it can be judged like any other.
//!
//! Neither index nor references are touched. What is left out is said: what is not committed within submodules,
//! which are repositories of their own, and untracked files so large that they are data.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::base::repo::patrol::Patrol;
use git2::{Index, IndexAddOption, Oid, Repository, Signature};

/// Bytes of an untracked file that is still taken for somebody's work.
const LARGEST: u64 = 32 * 1024 * 1024;

/// What was taken.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    /// The commit; `None` when nothing differs.
    pub(super) commit: Option<Oid>,
    /// What was left out, in sentences (foreign text).
    pub(super) notes: Vec<String>,
}

/// Why the working tree is not to be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum SnapshotError {
    #[error("reviewing the working tree failed: {0:?} has conflicts; settle them, or name what to review")]
    Conflicts(String),
    #[error("reviewing the working tree failed: {0}; name what to review, or look with `git status`")]
    Git(#[from] git2::Error),
}

/// Takes the working tree on top of `head`. Blocking; reads every file that differs.
pub(super) fn take(repo: &Repository, head: Oid) -> Result<Snapshot, SnapshotError> {
    let parent = repo.find_commit(head)?;
    let mut index = repo.index()?;
    if index.has_conflicts() {
        return Err(SnapshotError::Conflicts(conflict(&index)));
    }
    let taken = staged(repo, &mut index);
    // The operator's index on disk stays as it is; only this handle knows the change.
    index.read(true)?;
    let (tree, notes) = taken?;
    if tree == parent.tree_id() {
        return Ok(Snapshot { commit: None, notes });
    }
    let who = Signature::now("koru-tui", "koru-tui@localhost")?;
    let tree = repo.find_tree(tree)?;
    let commit = repo.commit(None, &who, &who, "The working tree, for review\n", &tree, &[&parent])?;
    Ok(Snapshot { commit: Some(commit), notes })
}

/// The tree of everything that is there, and what was left out of it.
fn staged(repo: &Repository, index: &mut Index) -> Result<(Oid, Vec<String>), git2::Error> {
    let is_module = |mode: u32| mode == u32::from(git2::FileMode::Commit);
    let modules: Vec<Vec<u8>> =
        index.iter().filter(|entry| is_module(entry.mode)).map(|entry| entry.path).collect();
    let workdir = repo.workdir().map(Path::to_owned).unwrap_or_default();
    let mut large: Vec<PathBuf> = Vec::new();
    let known: std::collections::HashSet<Vec<u8>> = index.iter().map(|entry| entry.path).collect();
    let mut leave = |path: &Path, _: &[u8]| -> i32 {
        let bytes = path.as_os_str().as_bytes();
        let ours = path.components().any(|part| part.as_os_str() == ".planfile");
        let module = modules.iter().any(|module| module == bytes) || bytes.ends_with(b"/");
        let data = !known.contains(bytes)
            && workdir.join(path).symlink_metadata().is_ok_and(|metadata| metadata.len() > LARGEST);
        if data {
            large.push(path.to_owned());
        }
        i32::from(ours || module || data)
    };
    let _patrol = repo.workdir().map(Patrol::watching);
    index.add_all(["*"], IndexAddOption::DEFAULT, Some(&mut leave))?;
    let mut notes: Vec<String> = large
        .iter()
        .map(|path| format!("{} is not reviewed: it is untracked and larger than 32 MiB", path.display()))
        .collect();
    notes.extend(modules.iter().map(|module| {
        let module = String::from_utf8_lossy(module);
        format!("what changed within the submodule {module} is not reviewed: its recorded commit counts")
    }));
    Ok((index.write_tree()?, notes))
}

/// The first path that two sides changed.
fn conflict(index: &Index) -> String {
    let first = index.conflicts().ok().and_then(|mut all| all.next()?.ok());
    let entry = first.and_then(|conflict| conflict.our.or(conflict.their).or(conflict.ancestor));
    entry.map(|entry| String::from_utf8_lossy(&entry.path).into_owned()).unwrap_or_default()
}
