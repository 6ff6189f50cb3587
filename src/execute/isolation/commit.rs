//! Committing an agent's work in its place: the runtime's own commit on the ticket's branch (DESIGN §5).
//!
//! libgit2 runs no hook, signs nothing and asks nothing. What goes in is what lies in the worktree, not what an agent
//! staged: ignored files, `.planfile/`, forbidden paths, submodules and repositories of their own stay out.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use git2::{Commit, FileMode, Index, IndexAddOption, IndexEntry, IndexTime, Oid, Repository, Signature};

use super::changes::is_planfile;
use super::error::WorktreeError;
use super::record::Place;
use super::{Worktree, open, standing};
use crate::base::repo::filters;
use crate::base::repo::moving::move_reference;
use crate::base::repo::patrol::Patrol;
use crate::plan::policy::Policy;

/// Who commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Name.
    pub name: String,
    /// Address.
    pub email: String,
}

impl Default for Identity {
    fn default() -> Self {
        Self { name: "koru-tui".to_owned(), email: "koru-tui@localhost".to_owned() }
    }
}

/// What came of committing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// The new commit; `None` when nothing had changed.
    pub commit: Option<String>,
    /// Changed paths that were left out because no run may change them (foreign text). They stay in the worktree.
    pub left_out: Vec<String>,
}

/// Commits everything that changed in the worktree to the ticket's branch. Only for a worktree without a running agent;
/// [`crate::execute::fence::Guard::settle`] comes first, so that the branch is where it should be.
///
/// Commits that the agent was allowed to make stand; the new one comes after them and has the rest.
///
/// # Errors
/// See [`WorktreeError`]; the branch is where it was.
pub fn commit_all(
    worktree: &Worktree,
    message: &str,
    identity: &Identity,
    policy: &Policy,
) -> Result<Committed, WorktreeError> {
    let git = |error: git2::Error| WorktreeError::git("committing", &worktree.path)(error);
    let repo = open::inside(worktree)?;
    let parent = parent(&repo, worktree)?;
    let head_tree = parent.tree().map_err(git)?;
    let mut index = repo.index().map_err(git)?;
    // An index that is not HEAD's (the agent committed, or ours was lost) starts again from HEAD; what did not change
    // keeps its stamps.
    let differs = repo.diff_tree_to_index(Some(&head_tree), Some(&index), None).map_err(git)?;
    if differs.deltas().len() > 0 {
        index.read_tree(&head_tree).map_err(git)?;
    }
    let _patrol = Patrol::clearing(&worktree.path);
    let mut staging = Staging::new(&repo, worktree, policy);
    staging.stage(&mut index)?;
    let tree = index.write_tree().map_err(git)?;
    index.write().map_err(git)?;
    let mut done = Committed { commit: None, left_out: staging.left_out.into_iter().collect() };
    if tree != head_tree.id() {
        let tree = repo.find_tree(tree).map_err(git)?;
        let who = Signature::now(&identity.name, &identity.email).map_err(git)?;
        let id = repo.commit(None, &who, &who, message, &tree, &[&parent]).map_err(git)?;
        let first = message.lines().next().unwrap_or_default();
        let log = format!("commit (koru-tui): {first}");
        let tip = branch_tip(&repo, worktree)?;
        move_reference(&repo, &worktree.branch_ref(), Some(tip), Some(id), &who, &log).map_err(git)?;
        done.commit = Some(id.to_string());
    }
    hand_over_index(worktree)?;
    repo.cleanup_state().map_err(git)?;
    Ok(done)
}

pub(super) fn branch_tip(repo: &Repository, worktree: &Worktree) -> Result<Oid, WorktreeError> {
    let tip = repo.find_reference(&worktree.branch_ref()).and_then(|branch| branch.peel_to_commit());
    Ok(tip.map_err(WorktreeError::git("reading the ticket's branch in", &worktree.path))?.id())
}

/// The ticket branch's tip, or HEAD where the agent was allowed to go on from there on another branch.
fn parent<'repo>(repo: &'repo Repository, worktree: &Worktree) -> Result<Commit<'repo>, WorktreeError> {
    let git =
        |error: git2::Error| WorktreeError::git("reading the ticket's branch in", &worktree.path)(error);
    let tip = branch_tip(repo, worktree)?;
    let head = repo.head().and_then(|head| head.peel_to_commit()).map(|commit| commit.id());
    let parent = match head {
        Ok(head) if head != tip && repo.graph_descendant_of(head, tip).unwrap_or(false) => head,
        Ok(_) | Err(_) => tip,
    };
    repo.find_commit(parent).map_err(git)
}

/// The agent's own index of the worktree becomes ours: for whoever looks with git, all is as committed.
fn hand_over_index(worktree: &Worktree) -> Result<(), WorktreeError> {
    let Some(place) = Place::of_worktree(worktree) else { return Ok(()) };
    let (index, beside) = (worktree.git_dir.join("index"), worktree.git_dir.join("index.koru"));
    let handed = standing::remove_file(&beside)
        .and_then(|()| std::fs::copy(place.index(), &beside))
        .and_then(|_| std::fs::rename(&beside, &index));
    handed.map_err(WorktreeError::io("writing", &index))
}

/// Largest file that is committed, in bytes.
const FILE_LIMIT: u64 = 2 << 30;

/// Gathers into the index what may be committed.
struct Staging<'a> {
    repo: &'a Repository,
    worktree: &'a Worktree,
    policy: &'a Policy,
    drivers: BTreeSet<String>,
    /// Changed paths that no run may change.
    left_out: BTreeSet<String>,
    /// Changed files under a filter.
    filtered: Vec<PathBuf>,
    /// A file that is too large, and its size.
    large: Option<(String, u64)>,
}

impl<'a> Staging<'a> {
    fn new(repo: &'a Repository, worktree: &'a Worktree, policy: &'a Policy) -> Self {
        let drivers = filters::drivers(repo);
        Staging {
            repo,
            worktree,
            policy,
            drivers,
            left_out: BTreeSet::new(),
            filtered: Vec::new(),
            large: None,
        }
    }

    fn stage(&mut self, index: &mut Index) -> Result<(), WorktreeError> {
        let modules: BTreeSet<Vec<u8>> = index
            .iter()
            .filter(|entry| entry.mode == u32::from(FileMode::Commit))
            .map(|entry| entry.path)
            .collect();
        let mut filtered = Vec::new();
        let mut judge = |path: &Path, _: &[u8]| -> i32 {
            let bytes = path.as_os_str().as_bytes();
            if modules.contains(bytes) || self.is_left_out(path) {
                return 1;
            }
            if filters::driver_of(self.repo, &self.drivers, path).is_some() {
                filtered.push(path.to_path_buf());
                return 1;
            }
            let metadata = self.worktree.path.join(path).symlink_metadata().ok();
            let size = metadata.as_ref().filter(|found| found.is_file()).map_or(0, std::fs::Metadata::len);
            if size > FILE_LIMIT {
                self.large.get_or_insert_with(|| (path.to_string_lossy().into_owned(), size));
                return 1;
            }
            i32::from(!metadata.as_ref().is_none_or(is_committable))
        };
        index
            .add_all(
                ["*"],
                IndexAddOption::DISABLE_PATHSPEC_MATCH | IndexAddOption::DEFAULT,
                Some(&mut judge),
            )
            .map_err(WorktreeError::git("gathering the changes of", &self.worktree.path))?;
        self.filtered = filtered;
        // Reading a sparse file of 100 GB takes long, and git has no use for it.
        if let Some((file, size)) = self.large.take() {
            let folder = self.worktree.path.clone();
            return Err(WorktreeError::TooLarge { folder, file, gib: size >> 30 });
        }
        self.stage_filtered(index)
    }

    /// Whether no run may change `path`; `.planfile/` silently, as it is never part of the work.
    fn is_left_out(&mut self, path: &Path) -> bool {
        let text = path.to_string_lossy();
        if is_planfile(&text) {
            return true;
        }
        let inner = self.worktree.in_project(&text).unwrap_or(&text);
        let forbidden =
            self.policy.forbidden_path(inner).is_some() || self.policy.forbidden_path(&text).is_some();
        if forbidden {
            self.left_out.insert(text.into_owned());
        }
        forbidden
    }

    fn stage_filtered(&mut self, index: &mut Index) -> Result<(), WorktreeError> {
        if self.filtered.is_empty() {
            return Ok(());
        }
        let recorded = Place::of_worktree(self.worktree).and_then(|place| place.read());
        if recorded.is_none_or(|record| record.filters != filters::fingerprint(self.repo)) {
            return Err(WorktreeError::FiltersChanged { path: self.worktree.path.clone() });
        }
        for path in std::mem::take(&mut self.filtered) {
            let full = self.worktree.path.join(&path);
            let git = WorktreeError::git("gathering the changes of", &self.worktree.path);
            match full.symlink_metadata() {
                Err(_) => index.remove_path(&path).map_err(git)?,
                Ok(metadata) if metadata.is_file() => {
                    let id = filters::clean(self.repo, &path)
                        .map_err(|why| WorktreeError::Filter { path: full, why })?;
                    index.add(&entry(&path, id, &metadata)).map_err(git)?;
                }
                Ok(_) => index.add_path(&path).map_err(git)?,
            }
        }
        Ok(())
    }
}

/// A file, a link, or gone: the rest (pipes, sockets, devices, repositories of their own) is nothing for a commit.
fn is_committable(metadata: &std::fs::Metadata) -> bool {
    metadata.is_file() || metadata.is_symlink()
}

/// An entry with the stamps of the file as it is now, so that it is not filtered again while it stays so.
fn entry(path: &Path, id: Oid, metadata: &std::fs::Metadata) -> IndexEntry {
    use std::os::unix::fs::MetadataExt;
    // git's index keeps the low 32 bits of each.
    let low = |value: u64| u32::try_from(value & u64::from(u32::MAX)).unwrap_or(0);
    let time = |seconds: i64, nanoseconds: i64| {
        IndexTime::new(i32::try_from(seconds).unwrap_or(0), u32::try_from(nanoseconds).unwrap_or(0))
    };
    let mode = if metadata.mode() & 0o100 == 0 { FileMode::Blob } else { FileMode::BlobExecutable };
    IndexEntry {
        ctime: time(metadata.ctime(), metadata.ctime_nsec()),
        mtime: time(metadata.mtime(), metadata.mtime_nsec()),
        dev: low(metadata.dev()),
        ino: low(metadata.ino()),
        mode: mode.into(),
        uid: metadata.uid(),
        gid: metadata.gid(),
        file_size: low(metadata.size()),
        id,
        flags: 0,
        flags_extended: 0,
        path: path.as_os_str().as_bytes().to_vec(),
    }
}
