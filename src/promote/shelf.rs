//! Promotions on disk: `.koru/promotions/<id>.json`, one file each, and the lock under which they are decided on.
//!
//! Written under the lock alone, durably, and read by everybody. A file that cannot be read is named and left as it is;
//! it keeps nothing else from working.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::record::{FORMAT, Promotion};
use crate::base::atomic;
use crate::base::lock::{FileLock, LockError};
use crate::base::paths::ProjectPaths;

/// Longest file that is read.
const LIMIT: u64 = 8 * 1024 * 1024;

/// How long somebody else who decides is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(30);

/// The folder of a project's promotions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shelf {
    folder: PathBuf,
}

/// A file that is no promotion.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Unreadable {
    /// File.
    pub path: PathBuf,
    /// What is wrong with it (foreign text).
    pub why: String,
}

impl Shelf {
    /// The folder in the project at `root`; nothing is made yet.
    pub fn of(root: &Path) -> Shelf {
        Shelf { folder: ProjectPaths::new(root).promotions() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps everybody else from deciding, until it is dropped.
    ///
    /// # Errors
    /// The folder cannot be made, or somebody holds it for half a minute.
    pub(super) fn lock(&self) -> Result<FileLock, LockError> {
        let path = self.folder.join(".lock");
        atomic::make_own_dir(&self.folder)
            .map_err(|source| LockError::Io { path: self.folder.clone(), source })?;
        FileLock::acquire(&path, LOCK_WAIT)
    }

    /// All promotions, the newest first, and what is no promotion.
    pub fn list(&self) -> (Vec<Promotion>, Vec<Unreadable>) {
        let (mut found, mut unreadable) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_none_or(|ending| ending != "json") {
                continue;
            }
            match read(&path) {
                Ok(promotion) => found.push(promotion),
                Err(error) => unreadable.push(Unreadable { path, why: error.to_string() }),
            }
        }
        found.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| a.id.cmp(&b.id)));
        unreadable.sort_by(|a, b| a.path.cmp(&b.path));
        (found, unreadable)
    }

    /// The promotion with this name.
    ///
    /// # Errors
    /// It is not there, or cannot be read.
    pub fn read(&self, id: &str) -> io::Result<Promotion> {
        read(&self.path(id)?)
    }

    /// Writes it durably.
    ///
    /// # Errors
    /// Any I/O error; the old file is whole.
    pub(super) fn write(&self, promotion: &Promotion) -> io::Result<()> {
        atomic::make_own_dir(&self.folder)?;
        let bytes = serde_json::to_vec_pretty(promotion)?;
        atomic::replace(&self.path(&promotion.id)?, &[&bytes, b"\n"]).map(drop)
    }

    /// A name is a plain file's: it leads nowhere else.
    fn path(&self, id: &str) -> io::Result<PathBuf> {
        let plain = !id.is_empty()
            && !id.starts_with('.')
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if !plain {
            return Err(io::Error::new(io::ErrorKind::NotFound, "no promotion has such a name"));
        }
        Ok(self.folder.join(format!("{id}.json")))
    }
}

fn read(path: &Path) -> io::Result<Promotion> {
    let invalid = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let flags = nix::fcntl::OFlag::O_NOFOLLOW | nix::fcntl::OFlag::O_NONBLOCK;
    let file = fs::OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() > LIMIT {
        return Err(invalid(format!("it is no file of at most {LIMIT} bytes")));
    }
    let mut bytes = Vec::new();
    file.take(LIMIT).read_to_end(&mut bytes)?;
    let promotion: Promotion = serde_json::from_slice(&bytes).map_err(|error| invalid(error.to_string()))?;
    if promotion.format > FORMAT {
        return Err(invalid(format!(
            "it is of format {}, which is newer than this program",
            promotion.format
        )));
    }
    // A file under another name would be decided on as one and written as the other.
    if path.file_stem().and_then(|stem| stem.to_str()) != Some(promotion.id.as_str()) {
        return Err(invalid(format!("it says that it is {}", promotion.id)));
    }
    Ok(promotion)
}
