//! One comparison: its files, and what each of them holds on both sides.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use git2::{
    Delta, Diff, DiffDelta, DiffFile, DiffFindOptions, DiffOptions, FileMode, Index, Oid, Repository,
};
use sha2::{Digest, Sha256};

use super::blocks::Block;
use super::comparing::{compare, stat};
use super::content::{self, Content, Side};
use super::error::DiffError;
use super::lines::Lines;
use super::listing::{Body, Counted, FileChange, FileEntry, Listing, Stat};
use super::range::{self, DiffRange};
use crate::base::repo::filters;
use crate::base::repo::patrol::Patrol;
use crate::execute::isolation::{Worktree, is_planfile, trusted_drivers};
use crate::plan::ticket::TicketId;
use crate::verify::rounds::Review;

/// Most files that are listed.
pub const FILES: usize = 50_000;

/// Files above which renames of changed content are not looked for: each is compared with each.
const RENAMES: usize = 400;

/// Blocks that are kept between counting a file and showing it.
const KEPT_BLOCKS: usize = 1_000_000;

/// One comparison. It holds an open repository, so it stays on the thread that made it.
pub struct Differ {
    repo: Repository,
    /// Of the files that lie in a worktree.
    worktree: Option<Worktree>,
    whitespace: bool,
    base_tree: Oid,
    pairs: Vec<Pair>,
    kept: HashMap<usize, Arc<[Block]>>,
    kept_blocks: usize,
    /// What the file that was looked into last holds, as far as the repository stores it and it cannot change. A file is
    /// counted and then shown, or the other way round: the second look takes this instead of reading (and hashing, as
    /// libgit2 does) megabytes once more.
    held: Option<(usize, Held)>,
}

/// The stored sides of one file; `None` for a side that lies in the worktree.
struct Held {
    old: Content,
    new: Option<Content>,
}

/// The two sides of one file.
struct Pair {
    old: Option<Side>,
    new: Option<Side>,
}

/// Both contents of a file, how much they differ, and where.
struct Looked {
    old: Content,
    new: Content,
    stat: Stat,
    blocks: Arc<[Block]>,
    new_blob: Option<String>,
}

impl Differ {
    /// Finds the two states of `range` and the files that differ.
    ///
    /// # Errors
    /// See [`DiffError`].
    pub fn open(
        root: &Path,
        ticket: &TicketId,
        review: Option<&Review>,
        range: &DiffRange,
        whitespace: bool,
    ) -> Result<(Differ, Listing), DiffError> {
        Differ::open_while(root, ticket, review, range, whitespace, &|| true)
    }

    /// Like [`Differ::open`], for as long as it is `wanted`: asked between the walk over both states, the search for
    /// renames, and files. Within the first two nobody is asked: libgit2 could be stopped there by its `notify_cb`, which
    /// git2 0.21 does not expose.
    ///
    /// # Errors
    /// See [`DiffError`].
    pub fn open_while(
        root: &Path,
        ticket: &TicketId,
        review: Option<&Review>,
        range: &DiffRange,
        whitespace: bool,
        wanted: &dyn Fn() -> bool,
    ) -> Result<(Differ, Listing), DiffError> {
        let ends = range::resolve(root, ticket, review, range)?;
        let subfolder = range::subfolder(root, ends.worktree.as_ref(), &ends.repo);
        let worktree = ends.worktree.filter(|_| ends.head.is_none());
        let walk = Walk { repo: &ends.repo, worktree: worktree.as_ref(), subfolder: &subfolder, wanted };
        let listed = walk.list(ends.base, ends.head).map_err(|error| {
            let (path, why) = (ends.repo.path().to_path_buf(), error.message().to_owned());
            DiffError::Git { doing: "comparing", path, why }
        })?;
        let Some((mut pairs, files, base_tree)) = listed else { return Err(DiffError::Unwanted) };
        let left_out = u32::try_from(files.len().saturating_sub(FILES)).unwrap_or(u32::MAX);
        pairs.truncate(FILES);
        let listing = Listing {
            base: ends.base.to_string(),
            head: ends.head.map(|head| head.to_string()),
            files: files.into_iter().take(FILES).collect(),
            left_out,
        };
        let (kept, kept_blocks) = (HashMap::new(), 0);
        let held = None;
        let differ =
            Differ { repo: ends.repo, worktree, whitespace, base_tree, pairs, kept, kept_blocks, held };
        Ok((differ, listing))
    }

    /// Looks into one file; `None` when there is no such file.
    pub fn count(&mut self, file: usize) -> Option<Counted> {
        let looked = self.look(file)?;
        self.keep(file, &looked.blocks);
        let file = u32::try_from(file).ok()?;
        Some(Counted { file, stat: looked.stat, new_blob: looked.new_blob })
    }

    /// The texts of one file and where they differ; `None` when there is no such file.
    pub fn body(&mut self, file: usize) -> Option<Body> {
        let looked = self.look(file)?;
        self.keep(file, &looked.blocks);
        let text = matches!(looked.stat, Stat::Text { .. });
        let lines = |content: &Content| {
            let bytes = content.bytes().filter(|_| text).unwrap_or_default();
            Arc::new(Lines::decode(bytes))
        };
        Some(Body {
            old: lines(&looked.old),
            new: lines(&looked.new),
            stat: looked.stat,
            blocks: looked.blocks,
            new_blob: looked.new_blob,
        })
    }

    /// A hash over base, paths, modes and contents, 64 hexadecimal digits. Of files in the worktree that were not
    /// counted yet nothing is known, so it is asked for when all were.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"koru diff 1\0");
        hash.update(self.base_tree.as_bytes());
        for pair in &self.pairs {
            for side in [&pair.old, &pair.new] {
                match side {
                    None => hash.update(b"-"),
                    Some(side) => {
                        hash.update(u32::from(side.mode).to_be_bytes());
                        hash.update((side.path.len() as u64).to_be_bytes());
                        hash.update(&side.path);
                        hash.update(side.id.as_bytes());
                    }
                }
            }
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Keeps where a file differs while there is room: it is counted and shown, in either order.
    fn keep(&mut self, file: usize, blocks: &Arc<[Block]>) {
        if self.kept_blocks + blocks.len() <= KEPT_BLOCKS && !self.kept.contains_key(&file) {
            self.kept_blocks += blocks.len();
            self.kept.insert(file, Arc::clone(blocks));
        }
    }

    fn look(&mut self, file: usize) -> Option<Looked> {
        let pair = self.pairs.get_mut(file)?;
        let held = self.held.take().and_then(|(of, held)| (of == file).then_some(held));
        let again = held.is_some();
        let (old, new) = held.map(|held| (held.old, held.new)).unzip();
        let stored = |held: Option<Content>, side: &Option<Side>| {
            held.map_or_else(|| content::stored(&self.repo, side.as_ref()), |held| (held, None))
        };
        let (old, old_blob) = stored(old, &pair.old);
        let (new, new_blob) = match &self.worktree {
            None => stored(new.flatten(), &pair.new),
            Some(worktree) => {
                let (content, id) = content::lying(&self.repo, &worktree.path, pair.new.as_ref());
                if let Some(side) = &mut pair.new {
                    // It may have changed since it was looked into last.
                    if side.id != id
                        && let Some(blocks) = self.kept.remove(&file)
                    {
                        self.kept_blocks -= blocks.len();
                        tracing::debug!(file, "a file of the worktree changed while it was shown");
                    }
                    side.id = id;
                }
                (content, None)
            }
        };
        if !again {
            let new = self.worktree.is_none().then(|| new.clone());
            self.held = Some((file, Held { old: old.clone(), new }));
        }
        let (stat, blocks) = match self.kept.get(&file) {
            Some(blocks) => (stat(&old, &new, blocks), Arc::clone(blocks)),
            None => compare(&old, &new, old_blob.as_ref().zip(new_blob.as_ref()), self.whitespace),
        };
        let new_blob = pair.new.as_ref().and_then(blob);
        Some(Looked { old, new, stat, blocks, new_blob })
    }
}

impl std::fmt::Debug for Differ {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Differ({} files)", self.pairs.len())
    }
}

fn blob(side: &Side) -> Option<String> {
    (!side.id.is_zero()).then(|| side.id.to_string())
}

type Listed = (Vec<Pair>, Vec<FileEntry>, Oid);

/// What finding the files that differ needs.
struct Walk<'a> {
    repo: &'a Repository,
    worktree: Option<&'a Worktree>,
    subfolder: &'a str,
    /// Whether anybody still waits for it.
    wanted: &'a dyn Fn() -> bool,
}

impl Walk<'_> {
    /// Walks the two states; `None` when nobody waits for it any more.
    fn list(&self, base: Oid, head: Option<Oid>) -> Result<Option<Listed>, git2::Error> {
        let Walk { repo, worktree, subfolder, wanted } = *self;
        let old = repo.find_commit(base)?.tree()?;
        let mut options = DiffOptions::new();
        options.include_typechange(true).ignore_submodules(false);
        let _patrol = worktree.map(|worktree| Patrol::clearing(&worktree.path));
        let mut diff = match head {
            Some(head) => {
                let new = repo.find_commit(head)?.tree()?;
                repo.diff_tree_to_tree(Some(&old), Some(&new), Some(&mut options))?
            }
            None => {
                options.include_untracked(true).recurse_untracked_dirs(true).update_index(false);
                repo.diff_tree_to_workdir_with_index(Some(&old), Some(&mut options))?
            }
        };
        if !wanted() {
            return Ok(None);
        }
        let mut find = DiffFindOptions::new();
        find.renames(true)
            .for_untracked(true)
            .rename_limit(RENAMES)
            .exact_match_only(diff.deltas().len() > RENAMES);
        // To tell renames it reads new files to their end, a sparse one of 100 GB too.
        if !worktree.filter(|_| head.is_none()).is_some_and(|worktree| has_huge(&diff, worktree)) {
            diff.find_similar(Some(&mut find))?;
        }
        let conflicts = worktree.filter(|_| head.is_none()).and_then(conflicts).unwrap_or_default();
        let drivers = worktree.map(|worktree| trusted_drivers(repo, worktree)).unwrap_or_default();
        let mut found: Vec<(Pair, FileEntry)> = (0..diff.deltas().len())
            .take_while(|_| wanted())
            .filter_map(|at| entry(&diff, at, subfolder))
            .map(|(pair, mut file)| {
                // libgit2 compares what lies there and does not look which files wait for a merge.
                if [&pair.old, &pair.new].into_iter().flatten().any(|side| conflicts.contains(&side.path)) {
                    file.change = FileChange::Conflicted;
                }
                (pair, file)
            })
            .filter(|(pair, _)| {
                // A file under a filter is the same when its filter gives what the base has.
                let (Some(old), Some(new)) = (&pair.old, &pair.new) else { return true };
                let path = content::as_path(&new.path);
                drivers.is_empty()
                    || filters::driver_of(repo, &drivers, &path).is_none()
                    || !filters::clean(repo, &path).is_ok_and(|id| id == old.id)
            })
            .collect();
        if !wanted() {
            return Ok(None);
        }
        found.sort_by(|a, b| a.1.path.cmp(&b.1.path));
        let (pairs, files) = found.into_iter().unzip();
        Ok(Some((pairs, files, old.id())))
    }
}

/// Files that a merge left in conflict, from the top of the repository: whoever works in the worktree wrote that into its
/// index, beside which we keep one of our own.
fn conflicts(worktree: &Worktree) -> Option<HashSet<Vec<u8>>> {
    let index = Index::open(&worktree.git_dir.join("index")).ok()?;
    let sides = index.conflicts().ok()?.flatten().flat_map(|one| [one.ancestor, one.our, one.their]);
    Some(sides.flatten().map(|side| side.path).collect())
}

/// Whether a new file of the worktree is too large to be read.
fn has_huge(diff: &Diff<'_>, worktree: &Worktree) -> bool {
    let new = diff.deltas().filter(|delta| matches!(delta.status(), Delta::Added | Delta::Untracked));
    let mut paths = new.filter_map(|delta| Some(content::as_path(delta.new_file().path_bytes()?)));
    paths.any(|path| {
        worktree.path.join(path).symlink_metadata().is_ok_and(|found| found.len() > content::HUGE)
    })
}

fn entry(diff: &Diff<'_>, at: usize, subfolder: &str) -> Option<(Pair, FileEntry)> {
    let delta = diff.get_delta(at)?;
    let change = change(&delta)?;
    let old = (!matches!(delta.status(), Delta::Added | Delta::Untracked | Delta::Copied))
        .then(|| side(&delta.old_file()))
        .flatten();
    let new = (delta.status() != Delta::Deleted).then(|| side(&delta.new_file())).flatten();
    let named = new.as_ref().or(old.as_ref())?;
    if [&old, &new].into_iter().flatten().all(|side| is_planfile(&String::from_utf8_lossy(&side.path))) {
        return None;
    }
    let shown = |side: &Side| project_path(&side.path, subfolder);
    let path = shown(named);
    let old_path = old.as_ref().map(shown).filter(|before| *before != path);
    let file = FileEntry {
        path,
        old_path,
        change,
        old_mode: old.as_ref().map(|side| u32::from(side.mode)),
        new_mode: new.as_ref().map(|side| u32::from(side.mode)),
        old_blob: old.as_ref().and_then(blob),
        new_blob: new.as_ref().and_then(blob),
    };
    Some((Pair { old, new }, file))
}

fn side(file: &DiffFile<'_>) -> Option<Side> {
    let path = file.path_bytes()?.to_vec();
    // Untracked repositories are said as a folder.
    let mode = if path.ends_with(b"/") { FileMode::Commit } else { file.mode() };
    Some(Side { path, mode, id: file.id() })
}

fn change(delta: &DiffDelta<'_>) -> Option<FileChange> {
    Some(match delta.status() {
        Delta::Added | Delta::Untracked | Delta::Copied => FileChange::Added,
        Delta::Deleted => FileChange::Deleted,
        Delta::Renamed => FileChange::Renamed,
        Delta::Typechange => FileChange::Retyped,
        Delta::Conflicted => FileChange::Conflicted,
        Delta::Modified | Delta::Unreadable => FileChange::Modified,
        Delta::Unmodified | Delta::Ignored => return None,
    })
}

/// A path from the project's folder.
fn project_path(path: &[u8], subfolder: &str) -> String {
    let path = Lines::decode(path).text().trim_end_matches('/').to_owned();
    if subfolder.is_empty() {
        return path;
    }
    match path.strip_prefix(subfolder).and_then(|rest| rest.strip_prefix('/')) {
        Some(inside) => inside.to_owned(),
        None => format!(":/{path}"),
    }
}
