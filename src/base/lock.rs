//! `flock(2)` on a lock file, the primitive that the Python planfile uses (`reference/planfile.md` §5).
//!
//! Blocking: callers on an async runtime take it on a thread of their own. The lock belongs to the open file, so two
//! acquirers in one process exclude each other as two processes do, and the kernel releases it when the holder dies.
//! Never run the `planfile` program while holding planfile's lock: its writes would wait for us for ever.
//!
//! Trying again and again would starve us: the Python programs wait in the kernel's queue, and between one of them
//! letting go and the next one taking over, the lock is free for microseconds. So a thread of ours waits in that queue
//! too and hands the lock over. That wait cannot be broken off; when the caller's patience ends first, the thread stays
//! (one a lock file at most, for whoever asks next) and lets go at once of a lock that nobody wants any more.

use std::collections::{HashMap, VecDeque};
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;

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
    /// Takes the exclusive lock, waiting for at most `wait`. The file is created (0644) and never deleted.
    ///
    /// # Errors
    /// See [`LockError`].
    pub fn acquire(path: &Path, wait: Duration) -> Result<FileLock, LockError> {
        let failed = |source| LockError::Io { path: path.to_path_buf(), source };
        let file = open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => return Ok(FileLock { _file: file }),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
            Err(TryLockError::WouldBlock) => drop(file),
        }
        let start = Instant::now();
        let (hand_over, handed) = mpsc::channel();
        if !wait.is_zero() {
            queue(path, hand_over).map_err(failed)?;
        }
        match handed.recv_timeout(wait) {
            Ok(locked) => locked.map(|file| FileLock { _file: file }).map_err(failed),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                let waited_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
                Err(LockError::Busy { path: path.to_path_buf(), waited_ms })
            }
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    // A pipe in its place is an error; without this it would be waited for. So is a link, which a repository can bring:
    // a file would be made wherever it leads.
    let flags = (OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW).bits();
    OpenOptions::new().create(true).append(true).mode(0o644).custom_flags(flags).open(path)
}

/// Who waits for the lock in this process.
type Waiter = Sender<io::Result<File>>;

/// Waiters by lock file; an entry means that its thread runs.
static QUEUES: Mutex<Option<HashMap<PathBuf, VecDeque<Waiter>>>> = Mutex::new(None);

/// Adds a waiter, and starts the thread of its lock file if there is none.
fn queue(path: &Path, waiter: Waiter) -> io::Result<()> {
    let mut queues = QUEUES.lock().unwrap_or_else(PoisonError::into_inner);
    let queues = queues.get_or_insert_default();
    if let Some(waiters) = queues.get_mut(path) {
        waiters.push_back(waiter);
        return Ok(());
    }
    let owned = path.to_path_buf();
    std::thread::Builder::new().name("lock".to_owned()).spawn(move || serve(&owned))?;
    queues.insert(path.to_path_buf(), VecDeque::from([waiter]));
    Ok(())
}

/// Waits in the kernel's queue and hands over, until nobody waits any more.
fn serve(path: &Path) {
    loop {
        let mut locked = open(path).and_then(|file| lock(&file).map(|()| file));
        loop {
            let mut queues = QUEUES.lock().unwrap_or_else(PoisonError::into_inner);
            let queues = queues.get_or_insert_default();
            let Some(waiter) = queues.get_mut(path).and_then(VecDeque::pop_front) else {
                // Dropping what was locked lets go of it.
                queues.remove(path);
                return;
            };
            match waiter.send(locked) {
                Ok(()) if queues.get(path).is_none_or(VecDeque::is_empty) => {
                    queues.remove(path);
                    return;
                }
                Ok(()) => break,
                // That one's patience has ended: the next one gets it.
                Err(refused) => locked = refused.0,
            }
        }
    }
}

fn lock(file: &File) -> io::Result<()> {
    loop {
        match file.lock() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
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
        // The thread that waited for the impatient one may have the lock for a moment.
        FileLock::acquire(&path, Duration::from_secs(60)).unwrap();
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
    fn many_takers_in_and_out_of_the_queue_exclude_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let inside = std::sync::atomic::AtomicUsize::new(0);
        let (taken, patience) = (std::sync::atomic::AtomicUsize::new(0), Duration::from_secs(60));
        std::thread::scope(|scope| {
            for n in 0..8_u64 {
                let (path, inside, taken) = (&path, &inside, &taken);
                scope.spawn(move || {
                    for _ in 0..50 {
                        // Some are impatient: what they left behind must not block the others.
                        let wait = if n < 4 { patience } else { Duration::from_micros(n * 20) };
                        let Ok(_held) = FileLock::acquire(path, wait) else { continue };
                        use std::sync::atomic::Ordering::SeqCst;
                        assert_eq!(inside.fetch_add(1, SeqCst), 0);
                        taken.fetch_add(1, SeqCst);
                        assert_eq!(inside.fetch_sub(1, SeqCst), 1);
                    }
                });
            }
        });
        assert!(taken.into_inner() >= 200);
        FileLock::acquire(&path, patience).unwrap();
    }

    #[test]
    fn we_are_not_starved_by_those_who_wait_in_the_kernel() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    // As the Python planfile does it: blocking, one after the other, without a pause.
                    while !done.load(std::sync::atomic::Ordering::SeqCst) {
                        let file = open(&path).unwrap();
                        file.lock().unwrap();
                    }
                });
            }
            for _ in 0..20 {
                FileLock::acquire(&path, Duration::from_secs(30)).unwrap();
            }
            done.store(true, std::sync::atomic::Ordering::SeqCst);
        });
    }

    #[test]
    fn a_lock_that_cannot_be_opened_names_its_path() {
        let error = FileLock::acquire(Path::new("/nonexistent/lock"), Duration::ZERO).unwrap_err();
        assert!(error.to_string().starts_with("opening the lock /nonexistent/lock failed"), "{error}");
    }
}
