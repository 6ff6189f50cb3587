//! Reviews on disk: `.koru/loop/<ticket>/rounds.json`, and beside it what the operator wants said in the next round.
//!
//! Written by the run that works the ticket, and by a person's decision while none does; read by everybody. Each write
//! is durable before anything of it is shown. A file that cannot be read is set aside, never overwritten.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::protocol::Review;
use super::protocol::review::{Finding, Stage};
use crate::base::atomic;
use crate::base::lock::FileLock;
use crate::base::paths::ProjectPaths;
use crate::base::repo::names::safe_component;
use crate::plan::ticket::TicketId;

/// The rounds of one ticket.
pub(crate) const ROUNDS: &str = "rounds.json";

/// Findings of the operator that no round was told yet.
pub(crate) const QUEUED: &str = "queued.json";

/// Held while the queue is changed.
const QUEUE_LOCK: &str = ".queued.lock";

/// Longest file that is read.
const LIMIT: u64 = 32 * 1024 * 1024;

/// How long somebody else who holds a lock of the folder is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// The folder of one ticket's review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReviewFolder {
    path: PathBuf,
    ticket: TicketId,
}

impl ReviewFolder {
    /// The folder of `ticket` in the project at `root`; nothing is made yet.
    pub(crate) fn of(root: &Path, ticket: &TicketId) -> ReviewFolder {
        let path = ProjectPaths::new(root).loops().join(safe_component(ticket.as_str()));
        ReviewFolder { path, ticket: ticket.clone() }
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The review; `None` when there is none yet.
    ///
    /// # Errors
    /// The file is there and cannot be read, or is of another ticket.
    pub(crate) fn read(&self) -> io::Result<Option<Review>> {
        let review: Option<Review> = read(&self.path.join(ROUNDS))?;
        match review {
            Some(review) if review.ticket != self.ticket => {
                Err(io::Error::other(format!("it is the review of {}", review.ticket)))
            }
            review => Ok(review),
        }
    }

    /// Writes the review durably.
    ///
    /// # Errors
    /// Any I/O error; the old file is whole.
    pub(crate) fn write(&self, review: &Review) -> io::Result<()> {
        atomic::make_own_dir(&self.path)?;
        write(&self.path.join(ROUNDS), review)
    }

    /// Keeps others from deciding on the rounds, and runs from taking them up, until it is dropped. The folder has to be
    /// there.
    ///
    /// # Errors
    /// Any I/O error, or somebody else decides right now and does not end.
    pub(crate) fn lock_rounds(&self) -> io::Result<FileLock> {
        self.lock(".rounds.lock")
    }

    /// Moves the review that is there into the archive, so that another one can begin.
    ///
    /// # Errors
    /// Any I/O error; it is where it was then.
    pub(crate) fn set_aside(&self, now: Timestamp) -> io::Result<()> {
        let archive = self.path.join("archive");
        atomic::make_own_dir(&archive)?;
        let stamp = now.strftime("%Y%m%dT%H%M%SZ");
        let free = (0_u32..)
            .map(|n| archive.join(format!("rounds-{stamp}-{n}.json")))
            .find(|path| path.symlink_metadata().is_err());
        match free {
            Some(free) => fs::rename(self.path.join(ROUNDS), free),
            None => Err(io::Error::other("every name is taken")),
        }
    }

    /// Keeps findings of the operator until the next round is told of them.
    ///
    /// # Errors
    /// Any I/O error; what was kept before still is.
    pub(crate) fn queue(&self, findings: &[Finding]) -> io::Result<()> {
        self.change_queued(|queued| {
            add(queued, findings);
            Ok(())
        })
    }

    /// Keeps findings of the operator for rounds that a run works right now, while these still take some. Whoever passes
    /// the work looks into the queue after the rounds say so: what was kept before is seen by then, and nothing is kept
    /// afterwards that nobody would be told.
    ///
    /// # Errors
    /// As [`ReviewFolder::queue`]; or the rounds are over, or there are none.
    pub(crate) fn queue_while_open(&self, findings: &[Finding]) -> io::Result<()> {
        self.change_queued(|queued| {
            let stage = self.read()?.map(|review| review.stage);
            match stage {
                Some(Stage::Approved | Stage::Ended { .. }) => {
                    Err(io::Error::other("its rounds are over; nobody would be told"))
                }
                None => Err(io::Error::other("it has no rounds; nobody would be told")),
                Some(_) => {
                    add(queued, findings);
                    Ok(())
                }
            }
        })
    }

    /// What is kept for the next round.
    ///
    /// # Errors
    /// The file is there and cannot be read: what was said is not known then, which is not the same as nothing.
    pub(crate) fn queued(&self) -> io::Result<Vec<Finding>> {
        let _lock = match self.path.is_dir() {
            true => Some(self.lock(QUEUE_LOCK)?),
            false => None,
        };
        Ok(read(&self.path.join(QUEUED))?.unwrap_or_default())
    }

    /// Drops what was kept and was told: these findings, no others.
    ///
    /// # Errors
    /// Any I/O error; then the next round is told them once more.
    pub(crate) fn told(&self, findings: &[Finding]) -> io::Result<()> {
        if findings.is_empty() {
            return Ok(());
        }
        self.change_queued(|queued| {
            queued.retain(|finding| !findings.contains(finding));
            Ok(())
        })
    }

    fn change_queued(&self, change: impl FnOnce(&mut Vec<Finding>) -> io::Result<()>) -> io::Result<()> {
        atomic::make_own_dir(&self.path)?;
        let _lock = self.lock(QUEUE_LOCK)?;
        let path = self.path.join(QUEUED);
        let mut queued: Vec<Finding> = read(&path)?.unwrap_or_default();
        change(&mut queued)?;
        match queued.is_empty() {
            true => fs::remove_file(&path)
                .or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }),
            false => write(&path, &queued),
        }
    }

    fn lock(&self, name: &str) -> io::Result<FileLock> {
        atomic::make_own_dir(&self.path)?;
        FileLock::acquire(&self.path.join(name), LOCK_WAIT)
            .map_err(|error| io::Error::other(error.to_string()))
    }
}

/// Adds findings. One on a file that is there already was sent twice: it is replaced. Words about no file share their
/// name with like words, so only the very same ones are left out.
fn add(queued: &mut Vec<Finding>, findings: &[Finding]) {
    for finding in findings {
        queued.retain(|held| held.file.is_none() || held.file != finding.file || held.id != finding.id);
        if !queued.contains(finding) {
            queued.push(finding.clone());
        }
    }
}

/// Every review that can be read, in no order. Reads one small file a ticket that was ever reviewed.
pub(crate) fn all(root: &Path) -> Vec<Review> {
    let Ok(entries) = fs::read_dir(ProjectPaths::new(root).loops()) else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| read::<Review>(&entry.path().join(ROUNDS)).ok().flatten())
        .collect()
}

fn read<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
    let file = match fs::OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() > LIMIT {
        return Err(io::Error::other("it is no file of ours"));
    }
    let mut text = Vec::new();
    file.take(LIMIT).read_to_end(&mut text)?;
    Ok(Some(serde_json::from_slice(&text)?))
}

fn write(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let bytes = serde_json::to_vec_pretty(value)?;
    atomic::replace(path, &[&bytes, b"\n"]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(reason: &str) -> Finding {
        Finding::of_operator(reason, "ann")
    }

    fn review(ticket: &str) -> Review {
        let (base, stage) = ("a".repeat(40), Stage::Working);
        let (ticket, rounds) = (TicketId::new(ticket), Vec::new());
        Review { ticket, max_rounds: 3, base, rounds, stage, reviewer: None, gated: None }
    }

    #[test]
    fn a_review_is_read_as_it_was_written_and_a_foreign_one_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let folder = ReviewFolder::of(root.path(), &TicketId::new("../x"));
        assert!(folder.path().starts_with(root.path().join(".planfile/.koru/loop")));
        assert_eq!(folder.read().unwrap(), None);
        folder.write(&review("../x")).unwrap();
        assert_eq!(folder.read().unwrap(), Some(review("../x")));
        assert_eq!(all(root.path()), [review("../x")]);
        folder.write(&review("PLF-9")).unwrap();
        assert!(folder.read().unwrap_err().to_string().contains("PLF-9"));
    }

    #[test]
    fn a_torn_review_is_set_aside_and_not_lost() {
        let root = tempfile::tempdir().unwrap();
        let folder = ReviewFolder::of(root.path(), &TicketId::new("PLF-1"));
        folder.write(&review("PLF-1")).unwrap();
        fs::write(folder.path().join(ROUNDS), "{\"ticket\": ").unwrap();
        assert!(folder.read().is_err());
        let now = "2026-11-21T06:00:00Z".parse().unwrap();
        folder.set_aside(now).unwrap();
        assert_eq!(folder.read().unwrap(), None);
        let kept = folder.path().join("archive/rounds-20261121T060000Z-0.json");
        assert_eq!(fs::read_to_string(kept).unwrap(), "{\"ticket\": ");
    }

    #[test]
    fn only_what_was_told_leaves_the_queue() {
        let root = tempfile::tempdir().unwrap();
        let folder = ReviewFolder::of(root.path(), &TicketId::new("PLF-1"));
        folder.queue(&[finding("one")]).unwrap();
        let told = folder.queued().unwrap();
        folder.queue(&[finding("two")]).unwrap();
        folder.told(&told).unwrap();
        assert_eq!(folder.queued().unwrap(), [finding("two")]);
        folder.told(&[finding("two")]).unwrap();
        assert_eq!(folder.queued().unwrap(), []);
        assert!(!folder.path().join(QUEUED).exists());
        fs::write(folder.path().join(QUEUED), "[{").unwrap();
        assert!(folder.queued().is_err(), "not known is not nothing");
    }

    #[test]
    fn comments_are_kept_once_and_only_while_a_round_would_read_them() {
        let root = tempfile::tempdir().unwrap();
        let folder = ReviewFolder::of(root.path(), &TicketId::new("PLF-1"));
        let comment =
            |reason: &str| Finding { file: Some("a".to_owned()), id: "c-1".to_owned(), ..finding(reason) };
        assert!(folder.queue_while_open(&[comment("one")]).is_err());
        folder.write(&review("PLF-1")).unwrap();
        folder.queue_while_open(&[comment("one")]).unwrap();
        folder.queue_while_open(&[comment("one, better said"), finding("port 80")]).unwrap();
        folder.queue(&[finding("port 80")]).unwrap();
        let kept = [comment("one, better said"), finding("port 80")];
        assert_eq!(folder.queued().unwrap(), kept);
        folder.write(&Review { stage: Stage::Approved, ..review("PLF-1") }).unwrap();
        assert!(folder.queue_while_open(&[finding("too late")]).unwrap_err().to_string().contains("over"));
        assert_eq!(folder.queued().unwrap(), kept);
    }
}
