//! The files of a diff as a tree: one row a folder, with the files that it holds, and one row a file.
//!
//! Folders that hold nothing but one folder are one row. Made once when the files come; they are sorted by path, so that
//! each folder's files stand together and the rows are in the order of the files.

use std::ops::Range;

use crate::runtime::protocol::diff::FileEntry;

/// Deepest folder that is set further in; hostile paths may be thousands deep.
const DEEPEST: usize = 8;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TreeRow {
    /// A folder: its name below the one that it is in, and its files.
    Folder { depth: usize, name: String, files: Range<usize> },
    /// A file: its number, and where in its path its name begins.
    File { depth: usize, file: usize, name: usize },
}

/// The rows of all files.
pub(crate) fn rows(files: &[FileEntry]) -> Vec<TreeRow> {
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let mut rows = Vec::with_capacity(paths.len());
    // Folders that are open: up to which file, and how much of the paths they name.
    let mut open: Vec<(usize, usize)> = Vec::new();
    for file in 0..paths.len() {
        while open.last().is_some_and(|(end, _)| *end <= file) {
            open.pop();
        }
        loop {
            let (end, begin) = open.last().copied().unwrap_or((paths.len(), 0));
            let Some(slash) = paths[file][begin..].find('/').map(|at| begin + at + 1) else { break };
            let upto = end_of(&paths, file, end, slash);
            let below = deepest(paths[file], paths[upto - 1], slash);
            rows.push(TreeRow::Folder {
                depth: open.len().min(DEEPEST),
                name: paths[file][begin..below].to_owned(),
                files: file..upto,
            });
            open.push((upto, below));
        }
        let name = open.last().map_or(0, |(_, begin)| *begin);
        rows.push(TreeRow::File { depth: open.len().min(DEEPEST), file, name });
    }
    rows
}

/// Up to which file the paths begin as that of `file` does, up to byte `upto`.
fn end_of(paths: &[&str], file: usize, end: usize, upto: usize) -> usize {
    let lead = &paths[file].as_bytes()[..upto];
    file + paths[file..end].partition_point(|path| path.as_bytes().starts_with(lead))
}

/// How far the first and the last path of a folder are in the same folders.
fn deepest(first: &str, last: &str, from: usize) -> usize {
    let common = first.bytes().zip(last.bytes()).take_while(|(a, b)| a == b).count();
    first.as_bytes()[..common].iter().rposition(|byte| *byte == b'/').map_or(from, |at| (at + 1).max(from))
}

/// The row of a file.
pub(crate) fn row_of(rows: &[TreeRow], file: usize) -> usize {
    rows.partition_point(|row| match row {
        TreeRow::Folder { files, .. } => files.start <= file,
        TreeRow::File { file: at, .. } => *at < file,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::protocol::diff::FileChange;

    fn told(paths: &[&str]) -> Vec<String> {
        let entry = |path: &&str| FileEntry {
            path: (*path).to_owned(),
            old_path: None,
            change: FileChange::Modified,
            old_mode: None,
            new_mode: None,
            old_blob: None,
            new_blob: None,
        };
        let files: Vec<FileEntry> = paths.iter().map(entry).collect();
        let rows = rows(&files);
        for file in 0..files.len() {
            assert!(matches!(rows[row_of(&rows, file)], TreeRow::File { file: at, .. } if at == file));
        }
        let row = |row: &TreeRow| match row {
            TreeRow::Folder { depth, name, files } => {
                format!("{}{name} {}", "  ".repeat(*depth), files.len())
            }
            TreeRow::File { depth, file, name } => {
                format!("{}{}", "  ".repeat(*depth), &files[*file].path[*name..])
            }
        };
        rows.iter().map(row).collect()
    }

    #[test]
    fn files_stand_below_their_folders_and_lone_folders_are_one() {
        assert_eq!(
            told(&["a", "docs/x", "src/base/deep/a.rs", "src/base/deep/b.rs", "src/main.rs"]),
            ["a", "docs/ 1", "  x", "src/ 3", "  base/deep/ 2", "    a.rs", "    b.rs", "  main.rs"]
        );
        assert_eq!(told(&["a/b/c/d", "a/b/c/e"]), ["a/b/c/ 2", "  d", "  e"]);
        assert_eq!(told(&["a/b", "a/b/c"]), ["a/ 2", "  b", "  b/ 1", "    c"]);
        assert_eq!(told(&[]), Vec::<String>::new());
        // Depth is bounded, and nothing recurses.
        let deep = "d/".repeat(3_000) + "x";
        assert_eq!(told(&[&deep, &format!("{deep}/y")]).len(), 4);
    }
}
