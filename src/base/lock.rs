//! `flock(2)` on a lock file, the primitive that the Python planfile uses (`reference/planfile.md` §5).
//!
//! Blocking: callers on an async runtime take it on a thread of their own. The lock belongs to the open file, so two
//! acquirers in one process exclude each other as two processes do, and the kernel releases it when the holder dies.
//! Never run the `planfile` program while holding planfile's lock: its writes would wait for us for ever.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// First pause between two tries; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// Longest pause between two tries: a holder that lets go is noticed within this.
const LONGEST_PAUSE: Duration = Duration::from_millis(25);

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
        let io = |source| LockError::Io { path: path.to_path_buf(), source };
        let file = OpenOptions::new().create(true).append(true).mode(0o644).open(path).map_err(io)?;
        let start = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(FileLock { _file: file }),
                Err(TryLockError::Error(source)) => return Err(io(source)),
                Err(TryLockError::WouldBlock) => {}
            }
            let waited = start.elapsed();
            if waited >= wait {
                let waited_ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
                return Err(LockError::Busy { path: path.to_path_buf(), waited_ms });
            }
            std::thread::sleep(pause.min(wait.saturating_sub(waited)));
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_taker_is_refused_until_the_first_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".store.lock");
        let held = FileLock::acquire(&path, Duration::ZERO).unwrap();
        let refused = FileLock::acquire(&path, Duration::from_millis(5)).unwrap_err();
        assert!(matches!(refused, LockError::Busy { waited_ms: 5.., .. }), "{refused}");
        drop(held);
        FileLock::acquire(&path, Duration::ZERO).unwrap();
        assert!(path.exists());
    }

    #[test]
    fn a_waiter_gets_the_lock_when_it_is_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = FileLock::acquire(&path, Duration::ZERO).unwrap();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| FileLock::acquire(&path, Duration::from_secs(60)));
            drop(held);
            waiter.join().unwrap().unwrap();
        });
    }

    #[test]
    fn a_lock_that_cannot_be_opened_names_its_path() {
        let error = FileLock::acquire(Path::new("/nonexistent/lock"), Duration::ZERO).unwrap_err();
        assert!(error.to_string().starts_with("opening the lock /nonexistent/lock failed"), "{error}");
    }
}
