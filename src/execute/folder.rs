//! The folder of one run under `.koru/runs/`: its name, its private files, its record.
//!
//! `run.json` is written before the child is spawned, so that a run whose supervisor died can be found by the next
//! start. Files here are not synced: they must survive a crash of the process, not of the machine, and losing one
//! loses no ticket.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::agents::session::AgentEnding;
use super::agents::tally::Tally;
use super::isolation::Worktree;
use crate::base::atomic;
use crate::base::process::ProcessIdentity;
use crate::base::regular::{self, Links};
use crate::plan::ticket::TicketId;

/// Version of the files in a run folder. A reader refuses what is newer and ignores unknown keys.
pub const FORMAT: u32 = 1;

/// Longest record that is read; ours are far shorter.
const RECORD_LIMIT: u64 = 1024 * 1024;

/// Longest ticket part of a folder name.
const NAME_LIMIT: usize = 64;

/// What `run.json` says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// [`FORMAT`].
    pub format: u32,
    /// Folder name.
    pub run: String,
    /// Ticket.
    pub ticket: TicketId,
    /// Executor kind word.
    pub executor: String,
    /// What is run, in one line, redacted (foreign text).
    pub label: String,
    /// `assigned_to` of the ticket while this run holds it.
    pub holder: String,
    /// The process that supervises the run.
    pub supervisor: Option<ProcessIdentity>,
    /// The leader of the child's process group, once spawned.
    pub child: Option<ProcessIdentity>,
    /// Start.
    pub started_at: Timestamp,
    /// Where it stands.
    pub state: RecordState,
    /// End.
    #[serde(default)]
    pub ended_at: Option<Timestamp>,
    /// Exit code or HTTP status.
    #[serde(default)]
    pub exit_code: Option<i32>,
    /// Why it ended badly (foreign text).
    #[serde(default)]
    pub message: Option<String>,
    /// What is known of the agent that worked, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentRecord>,
    /// What a question to a language model used, if this run asked one: it counts in the day's budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent: Option<Tally>,
}

/// What a run folder keeps of an agent: enough to resume its conversation and to count what a day cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentRecord {
    /// Name in the configuration.
    pub agent: String,
    /// Where it works.
    pub worktree: Option<Worktree>,
    /// What the run amounts to, all its sessions together; names the conversation.
    pub tally: Tally,
    /// How its last session ended.
    pub ending: Option<AgentEnding>,
}

/// Where a run stands, as recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordState {
    /// Runs, or its supervisor died.
    Running,
    /// Ended well.
    Done,
    /// Ended badly.
    Failed,
    /// Stopped by the operator.
    Stopped,
    /// Over, and a person decides what becomes of the ticket.
    Waiting,
    /// Broke the policy and was stopped.
    Violation,
    /// Found after its supervisor died; decided since.
    Interrupted,
}

/// One run's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
    name: String,
}

impl RunFolder {
    /// Makes a new folder `<ticket>-<UTC stamp>-<n>` under `runs`, with the first `n` that is free.
    ///
    /// # Errors
    /// Any I/O error but a name that is taken.
    pub fn create(runs: &Path, ticket: &TicketId, at: Timestamp) -> io::Result<RunFolder> {
        let stem = format!("{}-{}", safe_name(ticket.as_str()), at.strftime("%Y%m%dT%H%M%SZ"));
        atomic::make_own_dir(runs)?;
        let mut n = 0_u32;
        loop {
            let name = format!("{stem}-{n}");
            let path = runs.join(&name);
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(RunFolder { path, name }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => n += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// The folder of the run `name` under `runs`; `None` when the name is none of ours (it could leave `runs`).
    pub fn at(runs: &Path, name: &str) -> Option<RunFolder> {
        let ours = !name.is_empty() && safe_name(name) == name.chars().take(NAME_LIMIT).collect::<String>();
        let plain = name.chars().all(is_name_char) && !name.starts_with('.');
        (ours && plain).then(|| RunFolder { path: runs.join(name), name: name.to_owned() })
    }

    /// The folder's name, which is the run's id.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The transcript file (it exists once the run said something).
    pub fn transcript(&self) -> PathBuf {
        self.path.join("transcript.jsonl")
    }

    /// The agent's stream as it came (it exists once the agent said something).
    pub fn stream(&self) -> PathBuf {
        self.path.join("stream.jsonl")
    }

    /// Writes `run.json`.
    ///
    /// # Errors
    /// Any I/O error; the old record is whole.
    pub fn write_record(&self, record: &RunRecord) -> io::Result<()> {
        self.write_json("run.json", &serde_json::to_value(record)?)
    }

    /// Reads `run.json`; `None` when there is none, it is torn, or newer than this reader.
    pub fn read_record(&self) -> Option<RunRecord> {
        let file = open_private(&self.path.join("run.json")).ok()?;
        let mut text = Vec::new();
        file.take(RECORD_LIMIT).read_to_end(&mut text).ok()?;
        let record: RunRecord = serde_json::from_slice(&text).ok()?;
        (record.format <= FORMAT).then_some(record)
    }

    /// Writes `result.json`, which holds what also went into the ticket.
    ///
    /// # Errors
    /// Any I/O error.
    pub fn write_result(&self, result: &Value) -> io::Result<()> {
        self.write_json("result.json", result)
    }

    /// Reads `result.json`; `None` when there is none, it is torn, or longer than any of ours.
    pub fn read_result(&self) -> Option<Value> {
        let file = open_private(&self.path.join("result.json")).ok()?;
        let mut text = Vec::new();
        file.take(RECORD_LIMIT).read_to_end(&mut text).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Writes beside and renames: a reader sees the old file or the new one.
    fn write_json(&self, name: &str, value: &Value) -> io::Result<()> {
        let beside = self.path.join(format!(".{name}.new"));
        let mut bytes = serde_json::to_vec(value)?;
        bytes.push(b'\n');
        // What a crash left there goes; a link that somebody put there is not written through.
        let _ = std::fs::remove_file(&beside);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(&bytes)?;
        drop(file);
        std::fs::rename(&beside, self.path.join(name))
    }
}

/// The records of all runs under `runs`, in no order. Folders without a readable record are passed over.
pub fn all_records(runs: &Path) -> Vec<(RunFolder, RunRecord)> {
    let Ok(entries) = std::fs::read_dir(runs) else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| RunFolder::at(runs, entry.file_name().to_str()?))
        .filter_map(|folder| folder.read_record().map(|record| (folder, record)))
        .collect()
}

/// The records of the runs that began on the day of `at` or a day before or after it (UTC), in no order. Only their
/// folders are read, as their names say when they began.
pub fn records_around(runs: &Path, at: Timestamp) -> Vec<RunRecord> {
    let day = jiff::SignedDuration::from_hours(24);
    let days = [at.saturating_sub(day), Ok(at), at.saturating_add(day)];
    let stamps: Vec<String> =
        days.into_iter().flatten().map(|at| format!("-{}T", at.strftime("%Y%m%d"))).collect();
    let Ok(entries) = std::fs::read_dir(runs) else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| stamps.iter().any(|stamp| name.contains(stamp)))
        .filter_map(|name| RunFolder::at(runs, &name)?.read_record())
        .collect()
}

/// The records of all runs, in no order.
pub fn records(runs: &Path) -> Vec<(RunFolder, RunRecord)> {
    let Ok(entries) = std::fs::read_dir(runs) else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter_map(|name| RunFolder::at(runs, &name))
        .filter_map(|folder| folder.read_record().map(|record| (folder, record)))
        .collect()
}

/// The records of the runs of one ticket, in no order.
pub fn records_of(runs: &Path, ticket: &TicketId) -> Vec<(RunFolder, RunRecord)> {
    let prefix = format!("{}-", safe_name(ticket.as_str()));
    let Ok(entries) = std::fs::read_dir(runs) else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with(&prefix))
        .filter_map(|name| RunFolder::at(runs, &name))
        .filter_map(|folder| folder.read_record().map(|record| (folder, record)))
        .filter(|(_, record)| record.ticket == *ticket)
        .collect()
}

/// The run of another process that works `ticket` now, if there is one; `own` is the caller's run. Runs of this process
/// are its own matter: it knows them better than their records do.
///
/// Of two that put a record on disk first and then ask, at least one sees the other.
pub fn worked_elsewhere(runs: &Path, ticket: &TicketId, own: &str) -> Option<String> {
    let us = ProcessIdentity::own();
    // A supervisor's child dies with it, in a moment: nobody is turned away for that moment.
    let lives = |record: &RunRecord| record.supervisor.as_ref().is_some_and(ProcessIdentity::is_alive);
    records_of(runs, ticket)
        .into_iter()
        .filter(|(folder, record)| folder.name() != own && record.state == RecordState::Running)
        .find(|(_, record)| record.supervisor != us && lives(record))
        .map(|(folder, _)| folder.name().to_owned())
}

/// Opens a regular file for reading, following no symbolic link in its last step and waiting for nobody.
pub(super) fn open_private(path: &Path) -> io::Result<File> {
    regular::open(path, Links::Refused).map(|(file, _)| file)
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// A foreign id as part of a file name: nothing that leaves the folder, hides it or needs quoting.
pub fn safe_name(text: &str) -> String {
    let name: String = text.chars().take(NAME_LIMIT).map(|c| if is_name_char(c) { c } else { '_' }).collect();
    match name.strip_prefix('.') {
        Some(rest) => format!("_{rest}"),
        None if name.is_empty() => "_".to_owned(),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn record(run: &str) -> RunRecord {
        RunRecord {
            format: FORMAT,
            run: run.to_owned(),
            ticket: TicketId::new("PLF-1"),
            executor: "shell".to_owned(),
            label: "true".to_owned(),
            holder: "me".to_owned(),
            supervisor: None,
            child: Some(ProcessIdentity { pid: 7, start_ticks: 8, boot_id: "b".to_owned(), marker: None }),
            started_at: "2026-11-21T06:00:00Z".parse().unwrap(),
            state: RecordState::Running,
            ended_at: None,
            exit_code: None,
            message: None,
            agent: None,
            spent: None,
        }
    }

    #[test]
    fn folders_are_private_distinct_and_hold_their_record() {
        let base = tempfile::tempdir().unwrap();
        let runs = base.path().join("runs");
        std::fs::create_dir(&runs).unwrap();
        let at = "2026-11-21T06:00:00Z".parse().unwrap();
        let first = RunFolder::create(&runs, &TicketId::new("../x y"), at).unwrap();
        let second = RunFolder::create(&runs, &TicketId::new("../x y"), at).unwrap();
        assert_eq!(first.name(), "_._x_y-20261121T060000Z-0");
        assert_eq!(second.name(), "_._x_y-20261121T060000Z-1");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(first.path()), 0o700);

        first.write_record(&record(first.name())).unwrap();
        assert_eq!(mode(&first.path().join("run.json")), 0o600);
        assert_eq!(all_records(&runs), [(first.clone(), record(first.name()))]);
        assert_eq!(RunFolder::at(&runs, first.name()), Some(first));
    }

    #[test]
    fn a_torn_or_newer_record_is_passed_over() {
        let base = tempfile::tempdir().unwrap();
        let at = "2026-11-21T06:00:00Z".parse().unwrap();
        let folder = RunFolder::create(base.path(), &TicketId::new("A-1"), at).unwrap();
        std::fs::write(folder.path().join("run.json"), "{\"format\": 1, ").unwrap();
        assert_eq!(folder.read_record(), None);
        folder.write_record(&RunRecord { format: FORMAT + 1, ..record("r") }).unwrap();
        assert_eq!(folder.read_record(), None);
    }

    #[test]
    fn names_from_outside_cannot_leave_the_folder() {
        let runs = Path::new("/runs");
        for bad in ["", "..", ".hidden", "a/b", "a b", "../../etc"] {
            assert_eq!(RunFolder::at(runs, bad), None, "{bad}");
        }
    }
}
