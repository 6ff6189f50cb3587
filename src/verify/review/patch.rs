//! The difference that a reviewer is given: every file by name, as much text as fits, the rest to be read in the
//! worktree. Read from git's objects alone, so that nothing in a worktree can lie about it.

use std::path::Path;

use git2::{Delta, Diff, DiffOptions, Oid, Repository};

/// Bytes of difference that a prompt holds.
pub const PROMPT_BYTES: usize = 160 * 1024;

/// Bytes of one file's difference.
const FILE_BYTES: usize = 32 * 1024;

/// Files whose content is larger count as binary.
const TEXT_LIMIT: i64 = 4 * 1024 * 1024;

/// Most files that are named.
const NAMED: usize = 1000;

/// A difference, bounded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    /// Unified diff (foreign text; bytes that are no UTF-8 are replaced).
    pub text: String,
    /// Files that differ, in the order of their paths.
    pub files: Vec<PatchFile>,
    /// Files that differ beyond those that are named.
    pub more: usize,
}

/// A file that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchFile {
    /// Path from the top of the repository (foreign text).
    pub path: String,
    /// `added`, `modified`, `deleted`, `renamed from …`, …
    pub what: String,
    /// Its difference stands in [`Patch::text`] to its end.
    pub whole: bool,
}

impl Patch {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

/// What differs between the commits `base` and `head` in the repository that holds `folder`; `.planfile/` is left out, it
/// is never part of the work (DESIGN §4). At most `bytes` of text.
///
/// # Errors
/// libgit2's: a commit that is not there, objects that cannot be read.
pub fn between(folder: &Path, base: &str, head: &str, bytes: usize) -> Result<Patch, git2::Error> {
    let repo = Repository::discover(folder)?;
    let tree = |id: &str| repo.find_commit(Oid::from_str(id)?)?.tree();
    let mut options = DiffOptions::new();
    options.max_size(TEXT_LIMIT).include_typechange(true).show_binary(false);
    let mut diff = repo.diff_tree_to_tree(Some(&tree(base)?), Some(&tree(head)?), Some(&mut options))?;
    diff.find_similar(None)?;
    Ok(bounded(&diff, bytes))
}

fn bounded(diff: &Diff<'_>, bytes: usize) -> Patch {
    let mut patch = Patch::default();
    for at in 0..diff.deltas().len() {
        let Some(delta) = diff.get_delta(at) else { continue };
        let path = |file: git2::DiffFile<'_>| {
            file.path_bytes().map(|path| String::from_utf8_lossy(path).into_owned()).unwrap_or_default()
        };
        let (old, new) = (path(delta.old_file()), path(delta.new_file()));
        let name = if new.is_empty() { old.clone() } else { new };
        if name.split('/').any(|part| part == ".planfile") {
            continue;
        }
        if patch.files.len() == NAMED {
            patch.more += 1;
            continue;
        }
        let what = match delta.status() {
            Delta::Added | Delta::Copied => "added".to_owned(),
            Delta::Deleted => "deleted".to_owned(),
            Delta::Renamed => format!("renamed from {old}"),
            Delta::Typechange => "of another type".to_owned(),
            _ => "modified".to_owned(),
        };
        let room = bytes.saturating_sub(patch.text.len()).min(FILE_BYTES);
        let whole = append(&mut patch.text, diff, at, room);
        patch.files.push(PatchFile { path: name, what, whole });
    }
    patch
}

/// Appends the difference of one file, or as much of it as there is room for, in whole lines. True when that was all.
fn append(text: &mut String, diff: &Diff<'_>, at: usize, room: usize) -> bool {
    if room == 0 {
        return false;
    }
    let Some(mut patch) = git2::Patch::from_diff(diff, at).ok().flatten() else { return true };
    let end = text.len() + room;
    let mut whole = true;
    let printed = patch.print(&mut |_, _, line| {
        let origin = line.origin();
        let sign = matches!(origin, '+' | '-' | ' ').then_some(origin);
        let content = String::from_utf8_lossy(line.content());
        if text.len() + content.len() + 1 > end {
            whole = false;
            return false;
        }
        text.extend(sign);
        text.push_str(&content);
        true
    });
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    if !whole {
        text.push_str("[… the rest of this file's difference is left out]\n");
    }
    whole && printed.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository with one commit a set of files; returns their ids.
    fn commits(folder: &Path, states: &[Vec<(&str, &str)>]) -> Vec<String> {
        let repo = Repository::init(folder).unwrap();
        let who = git2::Signature::now("t", "t@localhost").unwrap();
        let mut ids: Vec<Oid> = Vec::new();
        for state in states {
            let mut index = git2::Index::new().unwrap();
            for (path, content) in state {
                let entry = git2::IndexEntry {
                    ctime: git2::IndexTime::new(0, 0),
                    mtime: git2::IndexTime::new(0, 0),
                    dev: 0,
                    ino: 0,
                    mode: 0o100_644,
                    uid: 0,
                    gid: 0,
                    file_size: 0,
                    id: repo.blob(content.as_bytes()).unwrap(),
                    flags: 0,
                    flags_extended: 0,
                    path: path.as_bytes().to_vec(),
                };
                index.add(&entry).unwrap();
            }
            let tree = repo.find_tree(index.write_tree_to(&repo).unwrap()).unwrap();
            let parents: Vec<_> = ids.last().map(|id| repo.find_commit(*id).unwrap()).into_iter().collect();
            let parents: Vec<_> = parents.iter().collect();
            ids.push(repo.commit(None, &who, &who, "c", &tree, &parents).unwrap());
        }
        ids.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_difference_names_all_files_and_leaves_the_planfile_out() {
        let folder = tempfile::tempdir().unwrap();
        let before = vec![("a.txt", "one\ntwo\n"), ("gone.txt", "x\n")];
        let after = vec![(".planfile/x", "1"), ("a.txt", "one\n2\n"), ("b.bin", "\0\x01"), ("n.txt", "y")];
        let ids = commits(folder.path(), &[before, after]);
        let patch = between(folder.path(), &ids[0], &ids[1], PROMPT_BYTES).unwrap();
        let files: Vec<_> = patch.files.iter().map(|file| (&*file.path, &*file.what, file.whole)).collect();
        assert_eq!(files.len(), 4, "{files:?}");
        assert_eq!(files[0], ("a.txt", "modified", true));
        assert_eq!(files[1], ("b.bin", "added", true));
        assert!(patch.text.contains("-two\n+2\n"), "{}", patch.text);
        assert!(!patch.text.contains(".planfile"), "{}", patch.text);
        assert!(between(folder.path(), &ids[1], &ids[1], 1000).unwrap().is_empty());
        assert!(between(folder.path(), &"0".repeat(40), &ids[1], 1000).is_err());
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let long = "line\n".repeat(1000);
        let ids = commits(folder.path(), &[vec![], vec![("a", &long), ("b", "b\n")]]);
        let patch = between(folder.path(), &ids[0], &ids[1], 500).unwrap();
        assert!(patch.text.len() < 600, "{}", patch.text.len());
        assert!(patch.text.contains("left out"), "{}", patch.text);
        let whole: Vec<bool> = patch.files.iter().map(|file| file.whole).collect();
        assert_eq!(whole, [false, false]);
    }
}
