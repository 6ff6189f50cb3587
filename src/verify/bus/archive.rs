//! The archive: `archive/<task>/r<N>_<name>.json` (loop-kit §8), with every file under the round that it is *of*, the
//! last round included.
//!
//! Invariant: an archived file is never replaced. What is the same is not kept twice; what differs gets the next free
//! number (`r2_review_report.2.json`), and what an earlier run of the same task left is moved into `run-<n>/` before a
//! new run begins.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::ids::{BadName, check_file_name, check_task_id};
use super::read::{self, BusError, Unread};
use super::{Bus, File, ReviewReport, write};
use crate::base::atomic;

/// Versions of one file that are kept apart.
const VERSIONS: u32 = 1000;

/// One archived file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Archived {
    /// Its name below the task's folder: `r1_state.json`, `run-1/r1_state.json`.
    pub name: String,
    /// Bytes.
    pub bytes: u64,
}

/// Why something could not be taken from or put into the archive.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// A name that would lead out of the archive.
    #[error(transparent)]
    Name(#[from] BadName),
    /// There is no such file.
    #[error("{name:?} is not in the archive of {task_id}; `loop archive --task-id {task_id}` lists what is")]
    Missing {
        /// The task.
        task_id: String,
        /// What was asked for.
        name: String,
    },
    /// It is no file of the bus.
    #[error("{name:?} belongs to no file of the bus, so it cannot be restored")]
    NotOfBus {
        /// What was asked for.
        name: String,
    },
    /// Reading or writing failed.
    #[error(transparent)]
    Bus(#[from] BusError),
}

impl Bus {
    /// The archived files of a task, in the order of their names.
    ///
    /// # Errors
    /// An id that is no id.
    pub fn archived(&self, task_id: &str) -> Result<Vec<Archived>, ArchiveError> {
        check_task_id(task_id)?;
        let folder = self.folder().join("archive").join(task_id);
        let mut found = list(&folder, "");
        for run in folders(&folder) {
            found.extend(list(&folder.join(&run), &format!("{run}/")));
        }
        found.sort();
        Ok(found)
    }

    /// Keeps what stands in the bus of round `round`, each file only when it says that it is of that round.
    ///
    /// # Errors
    /// See [`ArchiveError`].
    pub fn archive_round(&self, task_id: &str, round: u32) -> Result<(), ArchiveError> {
        for file in [File::WorkReport, File::ReviewRequest, File::ReviewReport, File::FixList] {
            let Ok(bytes) = read::bytes(&self.path(file)) else { continue };
            let of = read::of_bytes(&bytes).ok();
            let of = of.as_ref().and_then(|map| map.get("round")).and_then(Value::as_u64);
            if of == Some(u64::from(round)) {
                // A request is made again from its commit.
                let synced = file != File::ReviewRequest;
                self.keep_version(task_id, &format!("r{round}_{}", file.stem()), &bytes, synced)?;
            }
        }
        Ok(())
    }

    /// Keeps one file as it stands, whatever is in it, under that round, and takes it away.
    ///
    /// # Errors
    /// See [`ArchiveError`].
    pub fn retire(&self, task_id: &str, round: u32, file: File) -> Result<(), ArchiveError> {
        match read::bytes(&self.path(file)) {
            Ok(bytes) => {
                // A report that says of which round it is, is kept under that one.
                let of = read::of_bytes(&bytes).ok();
                let of = of.as_ref().and_then(|map| map.get("round")).and_then(Value::as_u64);
                let round =
                    of.and_then(|of| u32::try_from(of).ok()).filter(|of| *of <= round).unwrap_or(round);
                self.keep(task_id, &format!("r{round}_{}", file.stem()), &bytes)?;
            }
            Err(Unread::Missing) => return Ok(()),
            // A link or a folder in its place holds nothing of ours: it is moved aside, not followed.
            Err(Unread::Link | Unread::NoFile | Unread::Huge) => return self.set_aside(file),
            Err(why) => return Err(BusError::new(&self.path(file), why).into()),
        }
        Ok(self.remove(file)?)
    }

    /// Keeps the state as it is on entry to a round, or at the end.
    ///
    /// # Errors
    /// See [`ArchiveError`].
    pub fn archive_state(&self, task_id: &str, round: u32) -> Result<(), ArchiveError> {
        match read::bytes(&self.path(File::State)) {
            Ok(bytes) => self.keep_version(task_id, &format!("r{round}_state"), &bytes, false),
            Err(_) => Ok(()),
        }
    }

    /// The review report of a round as the archive has it: the last version that is of that task and round.
    ///
    /// # Errors
    /// See [`ArchiveError`].
    pub fn archived_review(&self, task_id: &str, round: u32) -> Result<ReviewReport, ArchiveError> {
        check_task_id(task_id)?;
        let stem = format!("r{round}_{}", File::ReviewReport.stem());
        let folder = self.folder().join("archive").join(task_id);
        let mut found = None;
        for version in 1..=VERSIONS {
            match read::object(&folder.join(version_name(&stem, version)), ReviewReport::parse) {
                Ok(report) if report.belongs(task_id, round) => found = Some(report),
                Err(error) if error.is_missing() => break,
                // Something else's, or broken: a later version may be the one.
                _ => {}
            }
        }
        found.ok_or(ArchiveError::Missing { task_id: task_id.to_owned(), name: stem })
    }

    /// Keeps the summary.
    ///
    /// # Errors
    /// See [`ArchiveError`].
    pub fn archive_summary(&self, task_id: &str) -> Result<(), ArchiveError> {
        match read::bytes(&self.path(File::Summary)) {
            Ok(bytes) => self.keep(task_id, "summary", &bytes),
            Err(_) => Ok(()),
        }
    }

    /// Moves what an earlier run of this task left into a folder of its own, before a new one begins.
    ///
    /// # Errors
    /// See [`ArchiveError`].
    pub fn close_history(&self, task_id: &str) -> Result<(), ArchiveError> {
        check_task_id(task_id)?;
        let folder = self.make_folder(&["archive", task_id])?;
        let old = list(&folder, "");
        if old.is_empty() {
            return Ok(());
        }
        let taken = folders(&folder);
        let free =
            (1..).map(|n: u32| format!("run-{n}")).find(|name| !taken.contains(name)).unwrap_or_default();
        let to = self.make_folder(&["archive", task_id, &free])?;
        for file in old {
            let from = folder.join(&file.name);
            std::fs::rename(&from, to.join(&file.name))
                .map_err(|error| BusError::io(&from, "moving", error))?;
        }
        Ok(())
    }

    /// Puts an archived file back into the bus; what stands there is kept in the archive first. Gives where it went.
    ///
    /// # Errors
    /// See [`ArchiveError`]; names that lead out of the archive are refused.
    pub fn restore(&self, task_id: &str, name: &str) -> Result<PathBuf, ArchiveError> {
        check_task_id(task_id)?;
        let (run, file) = match name.split_once('/') {
            Some((run, file)) if run.starts_with("run-") => (Some(run), file),
            _ => (None, name),
        };
        for part in run.into_iter().chain([file]) {
            check_file_name(part)?;
        }
        let full = if file.ends_with(".json") { file.to_owned() } else { format!("{file}.json") };
        let mut folder = self.folder().join("archive").join(task_id);
        folder.extend(run);
        let missing = || ArchiveError::Missing { task_id: task_id.to_owned(), name: name.to_owned() };
        let bytes = match read::bytes(&folder.join(&full)) {
            Ok(bytes) => bytes,
            Err(Unread::Missing) => return Err(missing()),
            Err(why) => return Err(BusError::new(&folder.join(&full), why).into()),
        };
        let of = target(&full).ok_or_else(|| ArchiveError::NotOfBus { name: name.to_owned() })?;
        let map = read::of_bytes(&bytes).map_err(|why| BusError::new(&folder.join(&full), why))?;
        match read::bytes(&self.path(of)) {
            Ok(standing) if standing == bytes => {}
            Ok(standing) => self.keep(task_id, &format!("before_restore_{}", of.stem()), &standing)?,
            Err(Unread::Missing) => {}
            Err(Unread::Link | Unread::NoFile | Unread::Huge) => self.set_aside(of)?,
            Err(why) => return Err(BusError::new(&self.path(of), why).into()),
        }
        write(&self.path(of), &Value::Object(map))?;
        Ok(self.path(of))
    }

    fn keep(&self, task_id: &str, stem: &str, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.keep_version(task_id, stem, bytes, true)
    }

    /// Writes bytes under a stem, or finds that they are there. What is not synced, a power loss may take.
    fn keep_version(
        &self,
        task_id: &str,
        stem: &str,
        bytes: &[u8],
        synced: bool,
    ) -> Result<(), ArchiveError> {
        check_task_id(task_id)?;
        let write = if synced { atomic::replace_derived } else { atomic::replace_unsynced };
        let folder = self.make_folder(&["archive", task_id])?;
        for version in 1..=VERSIONS {
            let path = folder.join(version_name(stem, version));
            match read::bytes(&path) {
                Ok(there) if there == bytes => return Ok(()),
                Err(Unread::Missing) => {
                    let written = write(&path, &[bytes]);
                    return written.map(drop).map_err(|error| BusError::io(&path, "writing", error).into());
                }
                _ => {}
            }
        }
        Err(BusError::io(&folder, "archiving in", io::Error::other("too many versions of one file")).into())
    }

    fn set_aside(&self, file: File) -> Result<(), ArchiveError> {
        let from = self.path(file);
        let free = (1..VERSIONS).map(|n| self.folder().join(format!("{}.aside-{n}", file.name())));
        let Some(to) = free.into_iter().find(|to| to.symlink_metadata().is_err()) else {
            let full = io::Error::other("too many files were moved aside");
            return Err(BusError::io(&from, "moving aside", full).into());
        };
        std::fs::rename(&from, to).map_err(|error| BusError::io(&from, "moving aside", error).into())
    }
}

/// `r2_state.json`, `r2_state.2.json`, …
fn version_name(stem: &str, version: u32) -> String {
    if version == 1 { format!("{stem}.json") } else { format!("{stem}.{version}.json") }
}

/// The file of the bus that an archived name is of: `r2_state.json`, `r2_state.2.json`, `before_restore_state.json`.
fn target(name: &str) -> Option<File> {
    let stem = name.split('.').next()?;
    let stem = stem.strip_prefix("before_restore_").unwrap_or(stem);
    let stem = match stem.strip_prefix('r').and_then(|rest| rest.split_once('_')) {
        Some((number, rest)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => rest,
        _ => stem,
    };
    File::ALL.into_iter().find(|file| file.stem() == stem)
}

fn list(folder: &Path, prefix: &str) -> Vec<Archived> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let found = entry.metadata().ok().filter(|found| found.is_file())?;
            let shown = name.ends_with(".json") && !name.starts_with('.');
            shown.then(|| Archived { name: format!("{prefix}{name}"), bytes: found.len() })
        })
        .collect()
}

/// Folders of earlier runs.
fn folders(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with("run-"))
        .collect()
}
