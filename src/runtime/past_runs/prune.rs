//! Making room: folders of old runs and old run logs go, as far as nobody can need them any more.
//!
//! What stays whatever its age: a run that goes on, one that was interrupted and waits for a decision, every run of a
//! ticket that is not finished (its conversation may be resumed, its reason read), a run whose record cannot be read, and
//! a run that broke the policy while the audit does not hold the evidence too. A folder goes in two steps: out of sight
//! by a rename, then for good; what a crash leaves between the two is removed by the next call.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;

use crate::base::paths::ProjectPaths;
use crate::base::process::{Group, ProcessIdentity};
use crate::execute::folder::{RecordState, RunFolder, RunRecord};
use crate::learn::audit;
use crate::plan::store::{OpenError, Plan, Store};
use crate::plan::ticket::{Status, TicketId};

/// Beginning of the name of a folder that is being removed.
const GONE: &str = ".gone-";

/// How the names of run logs begin and end.
const LOG: (&str, &str) = ("queue-", ".jsonl");

/// Why nothing was removed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PruneError {
    /// The planfile cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A file of the planfile does not parse.
    #[error("{0} does not parse, and its tickets may be open; repair it first, nothing was removed")]
    Broken(String),
    /// The folder of runs cannot be read.
    #[error("reading {path} failed: {source}")]
    Read {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What was removed, or would be, and what old runs stay.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct PruneReport {
    /// Nothing was removed: this is what would be.
    pub(crate) dry_run: bool,
    /// Runs that went.
    pub(crate) removed: Vec<Removed>,
    /// Old runs that stay.
    pub(crate) kept: Vec<Kept>,
    /// Run logs that went.
    pub(crate) logs: u64,
    /// Bytes that were freed.
    pub(crate) freed: u64,
}

/// A run that went.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Removed {
    /// Run.
    pub(crate) run: String,
    /// Its ticket.
    pub(crate) ticket: TicketId,
    /// Bytes that it took.
    pub(crate) bytes: u64,
}

/// An old run that stays.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Kept {
    /// Run.
    pub(crate) run: String,
    /// Why, as the end of a sentence.
    pub(crate) why: String,
}

/// Removes runs of the project at `root` that ended before `before`; with `dry_run` only says which.
///
/// # Errors
/// See [`PruneError`]. A single folder that cannot be removed stays, with the reason in the report.
pub(crate) fn prune(root: &Path, before: Timestamp, dry_run: bool) -> Result<PruneReport, PruneError> {
    let paths = ProjectPaths::new(root);
    let plan = Store::open(root)?.plan();
    if let Some(fault) = plan.faults.first() {
        return Err(PruneError::Broken(fault.path.clone()));
    }
    let mut report = PruneReport { dry_run, ..PruneReport::default() };
    let runs = paths.runs();
    let entries = match fs::read_dir(&runs) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(report),
        Err(source) => return Err(PruneError::Read { path: runs, source }),
    };
    let mut names: Vec<String> =
        entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    let audited = audited(&paths);
    for name in names {
        let path = runs.join(&name);
        if name.starts_with(GONE) {
            if !dry_run && let Err(error) = fs::remove_dir_all(&path) {
                report.kept.push(Kept { run: name, why: format!("it cannot be removed: {error}") });
            }
        } else if name.starts_with(LOG.0) && name.ends_with(LOG.1) {
            log(&path, before, &mut report);
        } else if path.is_dir()
            && let Some(folder) = RunFolder::at(&runs, &name)
        {
            run(&folder, &plan, &audited, before, &mut report);
        }
    }
    Ok(report)
}

/// The moment before which a run is old.
pub(crate) fn days_before(now: Timestamp, days: u32) -> Timestamp {
    now.saturating_sub(SignedDuration::from_hours(i64::from(days) * 24)).unwrap_or(Timestamp::MIN)
}

fn run(
    folder: &RunFolder,
    plan: &Plan,
    audited: &HashSet<String>,
    before: Timestamp,
    report: &mut PruneReport,
) {
    let keep = |why: &str| Kept { run: folder.name().to_owned(), why: why.to_owned() };
    let Some(record) = folder.read_record() else {
        return report.kept.push(keep("its record cannot be read"));
    };
    if record.ended_at.unwrap_or(record.started_at) >= before {
        return;
    }
    if let Some(why) = needed(folder, &record, plan, audited) {
        return report.kept.push(keep(why));
    }
    let bytes = size(folder.path());
    if !report.dry_run
        && let Err(error) = remove(folder)
    {
        return report.kept.push(keep(&format!("it cannot be removed: {error}")));
    }
    report.freed += bytes;
    report.removed.push(Removed { run: folder.name().to_owned(), ticket: record.ticket, bytes });
}

/// Why an old run is still needed, if it is.
fn needed(
    folder: &RunFolder,
    record: &RunRecord,
    plan: &Plan,
    audited: &HashSet<String>,
) -> Option<&'static str> {
    if record.state == RecordState::Running {
        let alive = record.supervisor.as_ref().is_some_and(ProcessIdentity::is_alive)
            || record.child.as_ref().is_some_and(|child| !Group::of_orphan(child).members().is_empty());
        return Some(if alive { "it goes on" } else { "it was interrupted and waits for a decision" });
    }
    let finished = plan
        .ticket(&record.ticket)
        .is_none_or(|ticket| matches!(ticket.status, Status::Done | Status::Canceled));
    if !finished {
        return Some("its ticket is not finished");
    }
    let broke = record.state == RecordState::Violation || broke_policy(folder.read_result().as_ref());
    (broke && !audited.contains(folder.name())).then_some("it is the only evidence of a broken policy")
}

fn broke_policy(result: Option<&Value>) -> bool {
    let breaches = result.and_then(|result| result.get("breaches")).and_then(Value::as_array);
    breaches.is_some_and(|breaches| !breaches.is_empty())
        || result.is_some_and(|result| result.get("policy_violation") == Some(&Value::Bool(true)))
}

/// Runs whose breaches of the policy stand in the audit.
fn audited(paths: &ProjectPaths) -> HashSet<String> {
    let rows = audit::tail(&paths.audit(), usize::MAX).map(|tail| tail.rows).unwrap_or_default();
    let breaches = rows.into_iter().filter(|row| row.kind == "policy.breach");
    breaches.filter_map(|row| Some(row.detail.get("run")?.as_str()?.to_owned())).collect()
}

/// Out of sight first, so that nobody finds half a run.
fn remove(folder: &RunFolder) -> io::Result<()> {
    let gone = folder.path().with_file_name(format!("{GONE}{}", folder.name()));
    fs::rename(folder.path(), &gone)?;
    fs::remove_dir_all(gone)
}

fn log(path: &Path, before: Timestamp, report: &mut PruneReport) {
    let Ok(metadata) = fs::symlink_metadata(path) else { return };
    let written = metadata.modified().ok().and_then(|at| Timestamp::try_from(at).ok());
    let old = written.is_some_and(|at| at < before);
    if metadata.is_file() && old && (report.dry_run || fs::remove_file(path).is_ok()) {
        report.logs += 1;
        report.freed += metadata.len();
    }
}

/// Bytes of the files below a folder; links are not followed.
fn size(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
