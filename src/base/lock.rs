//! `flock(2)` on a lock file, the primitive that the Python planfile uses (`reference/planfile.md` §5).

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why a lock was not had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Held by another program for the whole wait.
    #[error("{path} is locked by another program; it did not let go within {waited_ms} ms")]
    Busy {
        /// The lock file.
        path: PathBuf,
        /// How long we waited.
        waited_ms: u64,
    },
    /// The lock file cannot be opened.
    #[error("opening the lock {path} failed: {source}")]
    Io {
        /// The lock file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// A held lock; released by dropping.
#[derive(Debug)]
pub struct FileLock {
    _file: File,
}

impl FileLock {
    /// Takes the exclusive lock, trying with back-off for at most `wait`. The file is created (0644) and never deleted.
    ///
    /// # Errors
    /// See [`LockError`].
    pub fn acquire(path: &Path, wait: Duration) -> Result<FileLock, LockError> {
        let _ = (path, wait);
        unimplemented!()
    }
}
