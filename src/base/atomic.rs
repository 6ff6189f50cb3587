//! Durable writes: a file is either the old one or the new one, after any crash.
//!
//! Write beside (`.<name>.<random>.tmp`, same folder, mode of the old file or 0600), sync, rename, sync the folder.
//! The new modification time always differs from the old one: planfile trusts its mirror by mtime alone
//! (`reference/planfile.md` §5.3). Every durable step passes a [`super::faults`] point.

use std::fs::Metadata;
use std::io;
use std::path::Path;

/// What identifies one version of a file without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Modification time in nanoseconds since the epoch.
    pub mtime_ns: i128,
    /// Length in bytes.
    pub size: u64,
    /// Inode number.
    pub inode: u64,
}

impl Stamp {
    /// The stamp of these metadata.
    pub fn of(metadata: &Metadata) -> Stamp {
        let _ = metadata;
        unimplemented!()
    }

    /// The stamp of the file at `path`; `None` when there is none.
    ///
    /// # Errors
    /// Any I/O error but "not found".
    pub fn read(path: &Path) -> io::Result<Option<Stamp>> {
        let _ = path;
        unimplemented!()
    }
}

/// Replaces `path` by the concatenation of `parts`. A symlink is refused rather than replaced.
///
/// # Errors
/// The old file is whole and no temporary file is left behind.
pub fn replace(path: &Path, parts: &[&[u8]]) -> io::Result<Stamp> {
    let _ = (path, parts);
    unimplemented!()
}

/// Appends one line (a `\n` is added) in one write and syncs it. A torn last line left by a crash is ended first.
///
/// # Errors
/// Any I/O error.
pub fn append_line(path: &Path, line: &str) -> io::Result<()> {
    let _ = (path, line);
    unimplemented!()
}

/// Makes `path` and its parents, new folders with mode 0700.
///
/// # Errors
/// Any I/O error.
pub fn make_private_dir(path: &Path) -> io::Result<()> {
    let _ = path;
    unimplemented!()
}
