//! The file bus of worker and reviewer: loop-kit's files (`reference/loop-kit.md` §3–§8), in a folder of a ticket
//! (`.koru/loop/<ticket>/`) or in a foreign `.loop/`.
//!
//! Owned by whoever runs the loop, who holds [`Bus::lock`]; agents and people write the two reports. Invariants: nothing
//! is written outside of the folder (ids and names are checked, links in it are refused); every write is a whole file or
//! none; nothing that was said is lost (what is replaced was archived under its own round, and an archived file is never
//! replaced); keys that we do not know stay. All texts in it are foreign.

mod archive;
mod card;
mod child;
mod feed;
mod fields;
mod fixes;
mod handoff;
mod heartbeat;
mod ids;
mod issue;
mod read;
mod request;
mod review;
mod state;
mod summary;
mod work;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value};

pub use archive::{ArchiveError, Archived};
pub use card::TaskCard;
pub use feed::Level;
pub use fields::Invalid;
pub use fixes::FixList;
pub use handoff::Handoff;
pub use heartbeat::{Heartbeat, Pulse};
pub use ids::{BadName, check_reference, check_session, check_task_id};
pub use issue::Issue;
pub use read::{BusError, Unread};
pub use request::ReviewRequest;
pub use review::ReviewReport;
pub use state::{LoopState, OutcomeWord, Phase, RoundDetail, Session, StateSource, TestsSummary};
pub use summary::Summary;
pub use work::{TestResult, WorkReport};

use crate::base::atomic;
use crate::base::lock::{FileLock, LockError};
use crate::verify::finding::Finding;
use crate::verify::verdict::Verdict;

/// Who works in a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Writes.
    Worker,
    /// Judges.
    Reviewer,
}

impl Role {
    /// Both, in the order of a round.
    pub const BOTH: [Role; 2] = [Role::Worker, Role::Reviewer];

    /// The word in file names and prompts.
    pub fn word(self) -> &'static str {
        match self {
            Role::Worker => "worker",
            Role::Reviewer => "reviewer",
        }
    }

    /// The file that this role writes.
    pub fn report(self) -> File {
        match self {
            Role::Worker => File::WorkReport,
            Role::Reviewer => File::ReviewReport,
        }
    }
}

/// The files at the top of the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum File {
    /// What is to be done.
    TaskCard,
    /// What the next round has to mend.
    FixList,
    /// What the worker did.
    WorkReport,
    /// What the reviewer judges.
    ReviewRequest,
    /// What the reviewer decided.
    ReviewReport,
    /// Where the loop stands.
    State,
    /// How it ended well.
    Summary,
}

impl File {
    /// Every one of them, in the order in which `status` lists them.
    pub const ALL: [File; 7] = [
        File::TaskCard,
        File::FixList,
        File::WorkReport,
        File::ReviewRequest,
        File::ReviewReport,
        File::State,
        File::Summary,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            File::TaskCard => "task_card.json",
            File::FixList => "fix_list.json",
            File::WorkReport => "work_report.json",
            File::ReviewRequest => "review_request.json",
            File::ReviewReport => "review_report.json",
            File::State => "state.json",
            File::Summary => "summary.json",
        }
    }

    /// Its name without the ending, as the archive has it.
    pub(super) fn stem(self) -> &'static str {
        self.name().trim_end_matches(".json")
    }
}

/// A bus. Plain paths: it holds nothing open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bus {
    folder: PathBuf,
}

impl Bus {
    /// The bus in `folder`; nothing is made or looked at.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The bus in `folder`, which is made with the folders that every bus has.
    ///
    /// # Errors
    /// A folder that cannot be made, or a link where one of them would be.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, BusError> {
        let bus = Self::at(folder);
        atomic::make_own_dir(&bus.folder).map_err(|error| BusError::io(&bus.folder, "making", error))?;
        for name in ["logs", "runtime", "archive"] {
            bus.make_folder(&[name])?;
        }
        Ok(bus)
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Path of one of its files.
    pub fn path(&self, file: File) -> PathBuf {
        self.folder.join(file.name())
    }

    /// Takes the loop's lock without waiting: loop-kit's own, which excludes its runs and ours.
    ///
    /// # Errors
    /// [`LockError::Busy`] when another run holds it; [`LockError::Io`] besides when what stands there is no file: through
    /// a link one would be made elsewhere, and a pipe would be waited for.
    pub fn lock(&self) -> Result<FileLock, LockError> {
        let path = self.folder.join("lock");
        if path.symlink_metadata().is_ok_and(|found| !found.is_file()) {
            let source = io::Error::other("it is not a regular file");
            return Err(LockError::Io { path, source });
        }
        FileLock::acquire(&path, Duration::ZERO)
    }

    /// Reads the task card.
    ///
    /// # Errors
    /// See [`BusError`].
    pub fn task_card(&self) -> Result<TaskCard, BusError> {
        TaskCard::read(&self.path(File::TaskCard))
    }

    /// Reads the work report, which may be any task's and any round's: see [`WorkReport::belongs`].
    ///
    /// # Errors
    /// See [`BusError`].
    pub fn work_report(&self) -> Result<WorkReport, BusError> {
        self.read(File::WorkReport, WorkReport::parse)
    }

    /// Reads the review request.
    ///
    /// # Errors
    /// See [`BusError`].
    pub fn review_request(&self) -> Result<ReviewRequest, BusError> {
        self.read(File::ReviewRequest, ReviewRequest::parse)
    }

    /// Reads the review report, which may be any task's and any round's: see [`ReviewReport::belongs`].
    ///
    /// # Errors
    /// See [`BusError`].
    pub fn review_report(&self) -> Result<ReviewReport, BusError> {
        self.read(File::ReviewReport, ReviewReport::parse)
    }

    /// Reads the fix list.
    ///
    /// # Errors
    /// See [`BusError`].
    pub fn fix_list(&self) -> Result<FixList, BusError> {
        self.read(File::FixList, FixList::parse)
    }

    /// Reads the summary.
    ///
    /// # Errors
    /// See [`BusError`].
    pub fn summary(&self) -> Result<Summary, BusError> {
        self.read(File::Summary, Summary::parse)
    }

    /// Writes the task card.
    ///
    /// # Errors
    /// An id that is no id, or an I/O error.
    pub fn write_task_card(&self, card: &TaskCard) -> Result<(), BusError> {
        self.write_named(File::TaskCard, &card.task_id, &card.to_value())
    }

    /// Writes a work report (a person's, or one made for an agent that writes none itself).
    ///
    /// # Errors
    /// As [`Bus::write_task_card`].
    pub fn write_work_report(&self, report: &WorkReport) -> Result<(), BusError> {
        self.write_named(File::WorkReport, &report.task_id, &report.to_value())
    }

    /// Writes what the reviewer shall judge. Not synced: it is made again from the commit.
    ///
    /// # Errors
    /// As [`Bus::write_task_card`].
    pub fn write_review_request(&self, request: &ReviewRequest) -> Result<(), BusError> {
        let path = self.path(File::ReviewRequest);
        check_task_id(&request.task_id).map_err(|bad| BusError::new(&path, Unread::Name(bad)))?;
        write_lightly(&path, &request.to_value())
    }

    /// Writes a verdict as the review report of that round.
    ///
    /// # Errors
    /// As [`Bus::write_task_card`].
    pub fn write_review_report(&self, task_id: &str, round: u32, verdict: &Verdict) -> Result<(), BusError> {
        let report = ReviewReport::of_verdict(task_id, round, verdict);
        self.write_named(File::ReviewReport, task_id, &report.to_value())
    }

    /// Writes what the next round has to mend. Synced: an operator may have edited it.
    ///
    /// # Errors
    /// As [`Bus::write_task_card`].
    pub fn write_fix_list(&self, list: &FixList) -> Result<(), BusError> {
        self.write_named(File::FixList, &list.task_id, &list.to_value())
    }

    /// Writes what the next round has to mend from findings, blocking ones first to the worker.
    ///
    /// # Errors
    /// As [`Bus::write_task_card`].
    pub fn write_fixes(&self, head: FixList, findings: &[Finding]) -> Result<(), BusError> {
        let fixes = findings.iter().map(Issue::of_finding).collect();
        self.write_fix_list(&FixList { fixes, ..head })
    }

    /// Writes how it ended well.
    ///
    /// # Errors
    /// As [`Bus::write_task_card`].
    pub fn write_summary(&self, summary: &Summary) -> Result<(), BusError> {
        self.write_named(File::Summary, &summary.task_id, &summary.to_value())
    }

    /// The task and the round that a file says it is of, whatever else is in it.
    pub fn claims(&self, file: File) -> (Option<String>, Option<u64>) {
        let map = read::bytes(&self.path(file)).ok().and_then(|bytes| read::of_bytes(&bytes).ok());
        let Some(map) = map else { return (None, None) };
        let task = map.get("task_id").and_then(Value::as_str).map(str::to_owned);
        (task, map.get("round").and_then(Value::as_u64))
    }

    /// Takes a file away; one that is not there is no error.
    ///
    /// # Errors
    /// Any other I/O error.
    pub fn remove(&self, file: File) -> Result<(), BusError> {
        remove(&self.path(file))
    }

    fn read<T>(
        &self,
        file: File,
        parse: impl FnOnce(Map<String, Value>) -> Result<T, Invalid>,
    ) -> Result<T, BusError> {
        read::object(&self.path(file), parse)
    }

    fn write_named(&self, file: File, task_id: &str, value: &Value) -> Result<(), BusError> {
        let path = self.path(file);
        check_task_id(task_id).map_err(|bad| BusError::new(&path, Unread::Name(bad)))?;
        write(&path, value)
    }

    /// Makes a folder below the bus and refuses a link on the way.
    ///
    /// # Errors
    /// A link or a file where one of them would be, or an I/O error.
    pub(crate) fn make_folder(&self, names: &[&str]) -> Result<PathBuf, BusError> {
        let mut folder = self.folder.clone();
        for name in names {
            folder.push(name);
            match std::fs::symlink_metadata(&folder) {
                Ok(found) if found.is_dir() => {}
                Ok(found) if found.is_symlink() => return Err(BusError::new(&folder, Unread::Link)),
                Ok(_) => return Err(BusError::new(&folder, Unread::NoFile)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let made = atomic::make_private_dir(&folder);
                    made.map_err(|error| BusError::io(&folder, "make", error))?;
                }
                Err(error) => return Err(BusError::io(&folder, "look at", error)),
            }
        }
        Ok(folder)
    }
}

/// As [`write`], for what is made again when a power loss takes it: not synced.
fn write_lightly(path: &Path, value: &Value) -> Result<(), BusError> {
    atomic::replace_unsynced(path, &[pretty(value).as_bytes()])
        .map_err(|error| BusError::io(path, "write", error))?;
    Ok(())
}

/// Writes a JSON file whole, indented by 2 as loop-kit does.
fn write(path: &Path, value: &Value) -> Result<(), BusError> {
    let text = pretty(value);
    atomic::replace_derived(path, &[text.as_bytes()]).map_err(|error| BusError::io(path, "write", error))?;
    Ok(())
}

/// JSON for people, with a line end.
fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

fn remove(path: &Path) -> Result<(), BusError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(BusError::io(path, "remove", error)),
        _ => Ok(()),
    }
}

/// Now, as the bus has it: UTC, whole seconds.
pub fn stamp(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests;
