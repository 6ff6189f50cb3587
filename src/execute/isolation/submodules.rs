//! Submodules of a worktree. git leaves them empty in every worktree but the first, and an agent that builds or tests
//! would miss them: they are filled from the operator's own clones. Nothing is fetched, and no clone is changed.
//!
//! Owned here: a repository for each below the worktree's administrative folder (`modules/<path>`, gone with it), which
//! borrows the objects of the operator's clone (git's alternates), and the `.git` file that names it. A folder that an
//! agent has put something into is left as it is.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use git2::build::CheckoutBuilder;
use git2::{FileMode, Oid, Repository, RepositoryInitOptions, RepositoryOpenFlags, ResetType, StatusOptions};

use super::note::Note;
use super::{Worktree, open, standing};
use crate::base::repo::patrol::Patrol;

/// Submodules of submodules are followed so far.
const LEVELS: u32 = 8;

/// What came of it.
#[derive(Debug, Default)]
struct Found {
    filled: u32,
    empty: Vec<String>,
}

/// A repository whose submodules are filled, and where it comes from.
struct Level<'a> {
    /// The operator's.
    theirs: &'a Repository,
    /// The worktree, or a submodule of it.
    ours: &'a Repository,
    /// Its folder.
    folder: PathBuf,
    /// Where the repositories of its submodules lie.
    modules: PathBuf,
    /// Its path in the worktree, with `/` at the end unless empty.
    name: String,
    levels: u32,
}

/// Fills the submodules of a worktree that are empty; `None` when it has none.
pub(super) fn fill(operator: &Repository, worktree: &Worktree) -> Option<Note> {
    let ours = open::inside(worktree).ok()?;
    let mut found = Found::default();
    let top = Level {
        theirs: operator,
        ours: &ours,
        folder: worktree.path.clone(),
        modules: worktree.git_dir.join("modules"),
        name: String::new(),
        levels: LEVELS,
    };
    top.fill(&mut found);
    let Found { filled, empty } = found;
    (filled > 0 || !empty.is_empty()).then_some(Note::Submodules { filled, empty })
}

impl Level<'_> {
    fn fill(&self, found: &mut Found) {
        for (path, commit) in recorded(self.ours) {
            let name = format!("{}{}", self.name, path.display());
            let (folder, dir) = (self.folder.join(&path), self.modules.join(&path));
            match self.fill_one(&path, &folder, &dir, commit) {
                Some((theirs, ours)) => {
                    found.filled += 1;
                    if self.levels > 0 {
                        let (modules, name) = (dir.join("modules"), name + "/");
                        let (theirs, ours, levels) = (&theirs, &ours, self.levels - 1);
                        Level { theirs, ours, folder, modules, name, levels }.fill(found);
                    }
                }
                None => found.empty.push(name),
            }
        }
    }

    /// The operator's clone of a submodule and the worktree's, which is made where the folder is empty.
    fn fill_one(
        &self,
        path: &Path,
        folder: &Path,
        dir: &Path,
        commit: Oid,
    ) -> Option<(Repository, Repository)> {
        let theirs = self.theirs.find_submodule(path.to_str()?).and_then(|module| module.open()).ok()?;
        let inside = folder.canonicalize().ok()?.starts_with(self.folder.canonicalize().ok()?);
        if !inside || !standing::is_dir(folder) {
            return None;
        }
        if standing::is_dir(dir) {
            // Made before. Its links are written again: the project may have been moved since.
            let here = folder.join(".git").symlink_metadata().is_ok_and(|link| link.is_file());
            return (here && link(dir, folder, &theirs).is_ok())
                .then(|| reopen(dir).ok())
                .flatten()
                .map(|ours| (theirs, ours));
        }
        let is_empty = fs::read_dir(folder).ok()?.next().is_none();
        if !is_empty || theirs.find_commit(commit).is_err() {
            return None;
        }
        match make(dir, folder, &theirs, commit) {
            Ok(ours) => Some((theirs, ours)),
            Err(error) => {
                tracing::warn!(path = %folder.display(), %error, "a submodule cannot be filled");
                let _ = fs::remove_dir_all(dir);
                let _ = standing::remove_file(&folder.join(".git"));
                None
            }
        }
    }
}

/// Whether a submodule is at the commit that is recorded, and so are those in it, with no file of theirs changed. Files
/// that are new (something was built) do not count.
pub(super) fn stands(repo: &Repository, path: &Path, commit: Oid) -> bool {
    stands_at(repo, path, commit, LEVELS).unwrap_or(false)
}

fn stands_at(repo: &Repository, path: &Path, commit: Oid, levels: u32) -> Result<bool, git2::Error> {
    let inner = repo.find_submodule(&path.to_string_lossy())?.open()?;
    let head = inner.head()?.peel_to_commit()?;
    let mut options = StatusOptions::new();
    options.include_untracked(false).exclude_submodules(true);
    let _patrol = inner.workdir().map(Patrol::clearing);
    let staged = inner.diff_tree_to_index(Some(&head.tree()?), None, None)?;
    if head.id() != commit || staged.deltas().len() > 0 || !inner.statuses(Some(&mut options))?.is_empty() {
        return Ok(false);
    }
    for (path, commit) in recorded(&inner) {
        let is_there = inner.workdir().is_some_and(|folder| folder.join(&path).join(".git").exists());
        if is_there && !(levels > 0 && stands_at(&inner, &path, commit, levels - 1)?) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The submodules that a repository's index records, and at which commit.
fn recorded(repo: &Repository) -> Vec<(PathBuf, Oid)> {
    let Ok(index) = repo.index() else { return Vec::new() };
    let modules = index.iter().filter(|entry| entry.mode == u32::from(FileMode::Commit));
    let paths = modules.map(|entry| (PathBuf::from(std::ffi::OsStr::from_bytes(&entry.path)), entry.id));
    paths.filter(|(path, _)| path.components().all(|part| matches!(part, Component::Normal(_)))).collect()
}

fn make(dir: &Path, folder: &Path, theirs: &Repository, commit: Oid) -> Result<Repository, git2::Error> {
    let mut options = RepositoryInitOptions::new();
    options.no_dotgit_dir(true).mkpath(true).external_template(false).workdir_path(folder);
    Repository::init_opts(dir, &options)?;
    link(dir, folder, theirs).map_err(|error| git2::Error::from_str(&error.to_string()))?;
    let ours = reopen(dir)?;
    ours.set_head_detached(commit)?;
    let recorded = ours.find_commit(commit)?.into_object();
    ours.reset(&recorded, ResetType::Hard, Some(CheckoutBuilder::new().force()))?;
    drop(recorded);
    Ok(ours)
}

/// Joins the repository at `dir` to its folder, and to the objects that it borrows.
fn link(dir: &Path, folder: &Path, theirs: &Repository) -> std::io::Result<()> {
    let objects = open::common_dir(theirs).join("objects");
    let mut borrowed = objects.as_os_str().as_bytes().to_vec();
    // git reads the file by lines, and takes these for something else.
    if borrowed.contains(&b'\n') || matches!(borrowed.first(), Some(b'#' | b'"')) {
        return Err(std::io::Error::other("git cannot borrow objects from a folder with that name"));
    }
    borrowed.push(b'\n');
    let info = dir.join("objects/info");
    fs::create_dir_all(&info)?;
    replace(&info.join("alternates"), &borrowed)?;
    replace(&folder.join(".git"), &[b"gitdir: ", dir.as_os_str().as_bytes(), b"\n"].concat())?;
    let config = git2::Config::open(&dir.join("config")).map_err(std::io::Error::other);
    let worktree = folder.to_str().ok_or_else(|| std::io::Error::other("its path is no UTF-8"))?;
    config?.set_str("core.worktree", worktree).map_err(std::io::Error::other)
}

/// Writes a file anew: what is there may be a link that an agent made.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    standing::remove_file(path)?;
    fs::write(path, bytes)
}

fn reopen(dir: &Path) -> Result<Repository, git2::Error> {
    let flags = RepositoryOpenFlags::NO_SEARCH | RepositoryOpenFlags::NO_DOTGIT;
    Repository::open_ext(dir, flags, std::iter::empty::<&Path>())
}
