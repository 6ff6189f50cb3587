//! What a shell ticket must show besides its exit code: the changes that it promised, and CI where the policy names one
//! (koru §4.5, §7 later contract).
//!
//! A shell ticket works in the operator's own checkout, so its changes are what differs between before and after there.
//! Only `ci.command` is run: without one, the operator's command is its own check, and nothing is detected for it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use git2::{Repository, StatusOptions};

use super::launch::Ground;
use crate::base::regular::{self, Links};
use crate::base::repo::patrol::Patrol;
use crate::execute::fence::Fence;
use crate::execute::outcome::{Ending, Outcome};
use crate::execute::recorder::Recorder;
use crate::execute::stop::StopWatch;
use crate::plan::policy::Policy;
use crate::plan::ticket::Ticket;
use crate::verify::gates::expectation::expectation;
use crate::verify::gates::waiver::waiver;
use crate::verify::gates::{self, Consequence, GateJob};

/// Most files that are compared; a ticket that declares a larger folder is compared as far as this.
const FILES: usize = 20_000;

/// Largest file whose content is compared, in bytes.
const HASHED: u64 = 64 * 1024 * 1024;

/// The files as they were before a run, if its ticket promises changes.
pub(super) struct Before {
    root: PathBuf,
    files: Vec<String>,
    /// Path and a hash of its content.
    seen: BTreeMap<String, u64>,
}

impl Before {
    /// Looks at the files; `None` when nothing is promised. Blocking.
    pub(super) fn look(root: &Path, ticket: &Ticket) -> Option<Before> {
        if ticket.inputs.expect_files_changed != Some(true) {
            return None;
        }
        let files = ticket.files.clone();
        let seen = look(root, &files);
        Some(Before { root: root.to_owned(), files, seen })
    }

    /// Whether the promise was kept. Blocking.
    ///
    /// # Errors
    /// A sentence for the ticket.
    fn kept(&self) -> Result<(), String> {
        let now = look(&self.root, &self.files);
        let paths = self.seen.keys().chain(now.keys());
        let mut changed: Vec<String> =
            paths.filter(|path| self.seen.get(*path) != now.get(*path)).cloned().collect();
        changed.sort_unstable();
        changed.dedup();
        expectation(&changed, &self.files, Some(true))
    }
}

/// Content hashes of the declared files and folders, or, when none are declared, of whatever git calls changed.
fn look(root: &Path, files: &[String]) -> BTreeMap<String, u64> {
    let mut seen = BTreeMap::new();
    if files.is_empty() {
        for path in changed_for_git(root) {
            add(root, &root.join(path), &mut seen);
        }
    }
    for file in files {
        add(root, &root.join(file), &mut seen);
    }
    seen
}

fn changed_for_git(root: &Path) -> Vec<PathBuf> {
    let Ok(repo) = Repository::discover(root) else { return vec![PathBuf::from(".")] };
    let Some(top) = repo.workdir().map(Path::to_path_buf) else { return Vec::new() };
    let mut options = StatusOptions::new();
    options.include_untracked(true).recurse_untracked_dirs(true);
    let _patrol = Patrol::watching(&top);
    let Ok(statuses) = repo.statuses(Some(&mut options)) else { return Vec::new() };
    statuses.iter().filter_map(|status| status.path().ok().map(|path| top.join(path))).collect()
}

fn add(root: &Path, path: &Path, seen: &mut BTreeMap<String, u64>) {
    let mut folders = vec![path.to_path_buf()];
    while let Some(path) = folders.pop() {
        if seen.len() >= FILES {
            return;
        }
        let Ok(meta) = path.symlink_metadata() else { continue };
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        // Also for single files that git names: what we write ourselves is no work.
        if matches!(name.split('/').next(), Some(".git" | ".planfile")) {
            continue;
        }
        if meta.is_dir() {
            let entries = std::fs::read_dir(&path).into_iter().flatten().flatten();
            folders.extend(entries.map(|entry| entry.path()));
        } else if meta.is_file() {
            seen.insert(name, hash(&path));
        }
    }
}

/// A hash of the content, or, for a file larger than [`HASHED`], of its length and time.
fn hash(path: &Path) -> u64 {
    use xxhash_rust::xxh3::xxh3_64;
    let read = regular::read(path, Links::Refused, HASHED);
    match (read, path.symlink_metadata()) {
        (Ok(bytes), _) => xxh3_64(&bytes),
        (Err(error), Ok(found)) if error.kind() == std::io::ErrorKind::FileTooLarge => {
            xxh3_64(format!("{} {:?}", found.len(), found.modified().ok()).as_bytes())
        }
        _ => 0,
    }
}

/// Looks at the files before a run of `ticket`, if it promises changes.
pub(super) async fn look_before(ground: &Ground, ticket: &Arc<Ticket>) -> Option<Before> {
    ticket.inputs.expect_files_changed.filter(|expected| *expected)?;
    let (root, ticket) = (ground.root.clone(), Arc::clone(ticket));
    tokio::task::spawn_blocking(move || Before::look(&root, &ticket)).await.unwrap_or_default()
}

/// Holds a run that ended well to the promise of its ticket.
pub(super) async fn hold(before: Option<Before>, outcome: Outcome) -> Outcome {
    let Some(before) = before.filter(|_| outcome.succeeded()) else { return outcome };
    let kept = tokio::task::spawn_blocking(move || before.kept()).await;
    match kept.unwrap_or_else(|error| Err(error.to_string())) {
        Ok(()) => outcome,
        Err(sentence) => judged(outcome, Ending::Failed, sentence),
    }
}

/// Judges a shell run that ended well: the promise first, then CI.
pub(super) async fn judge(
    ground: &Ground,
    ticket: &Ticket,
    env: Vec<(std::ffi::OsString, std::ffi::OsString)>,
    before: Option<Before>,
    outcome: Outcome,
    stop: StopWatch,
    recorder: &mut Recorder,
) -> Outcome {
    let outcome = hold(before, outcome).await;
    if !outcome.succeeded() {
        return outcome;
    }
    let (policy, _) = Policy::load(&ground.root);
    if !policy.require_ci_pass_before_complete || policy.ci_command.trim().is_empty() {
        return outcome;
    }
    let waiver = waiver(ticket);
    let job = GateJob {
        gates: gates::plan(&ground.root, &policy, &env),
        folder: ground.root.clone(),
        env,
        fence: Fence::default(),
        waiver: waiver.clone(),
        timeout: Duration::from_secs(policy.ci_timeout_seconds),
        grace: ground.grace,
    };
    let report = gates::run(&job, stop.clone(), recorder).await;
    let mut outcome = outcome;
    outcome.facts.insert("gates".to_owned(), serde_json::json!(report.results));
    if stop.current() > crate::execute::stop::Stop::No {
        return judged(outcome, Ending::Stopped, "stopped by the operator".to_owned());
    }
    match report.consequence(&policy, waiver.as_ref()) {
        Consequence::Complete => outcome,
        Consequence::Fail { why } => judged(outcome, Ending::Failed, why),
        Consequence::Ask { why } => judged(outcome, Ending::Waiting, why),
    }
}

fn judged(outcome: Outcome, ending: Ending, reason: String) -> Outcome {
    Outcome { ending, exit_code: 1, reason: Some(reason), ..outcome }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ticket::{Inputs, TicketId};

    fn ticket(files: &[&str], expect: Option<bool>) -> Ticket {
        Ticket {
            id: TicketId::new("PLF-1"),
            files: files.iter().map(|file| (*file).to_owned()).collect(),
            inputs: Inputs { expect_files_changed: expect, ..Inputs::default() },
            ..Ticket::default()
        }
    }

    #[test]
    fn without_a_promise_nothing_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Before::look(folder.path(), &ticket(&["a"], None)).is_none());
        assert!(Before::look(folder.path(), &ticket(&["a"], Some(false))).is_none());
    }

    #[test]
    fn a_promise_about_files_is_kept_by_those_files() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("src")).unwrap();
        std::fs::write(folder.path().join("src/a"), "1").unwrap();
        let before = Before::look(folder.path(), &ticket(&["src"], Some(true))).unwrap();
        assert!(before.kept().is_err());
        std::fs::write(folder.path().join("elsewhere"), "1").unwrap();
        assert!(before.kept().is_err());
        std::fs::write(folder.path().join("src/a"), "2").unwrap();
        assert_eq!(before.kept(), Ok(()));
    }

    #[test]
    fn without_declared_files_any_change_that_git_sees_keeps_it() {
        let folder = tempfile::tempdir().unwrap();
        Repository::init(folder.path()).unwrap();
        std::fs::write(folder.path().join("there"), "1").unwrap();
        let before = Before::look(folder.path(), &ticket(&[], Some(true))).unwrap();
        assert!(before.kept().is_err());
        std::fs::create_dir(folder.path().join(".planfile")).unwrap();
        std::fs::write(folder.path().join(".planfile/run"), "ours").unwrap();
        assert!(before.kept().is_err(), "what we write ourselves is no work");
        std::fs::write(folder.path().join("there"), "2").unwrap();
        assert_eq!(before.kept(), Ok(()));
    }
}
