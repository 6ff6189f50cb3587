//! Runs in worktrees that are made for one look and thrown away after it (a review, the checks of what lands), and what
//! is left of them when their process was killed: nobody's work is in it.
//!
//! Such a run's record has its word as executor, and its worktree an id that begins with that word.

use std::path::Path;

use jiff::Timestamp;

use super::folder::{FORMAT, RecordState, RunFolder, RunRecord};
use super::isolation;
use crate::base::paths::ProjectPaths;
use crate::base::process::ProcessIdentity;
use crate::plan::ticket::TicketId;

/// An id for a worktree of the kind `word`, for `what`; no ticket has it.
pub fn scratch_id(word: &str, what: &str) -> TicketId {
    let now = Timestamp::now();
    let (seconds, part) = (now.as_second(), now.subsec_nanosecond());
    TicketId::new(format!("{word}-{what}{seconds}-{}-{part}", std::process::id()))
}

/// The record of a run of the kind `word` that begins, in its folder.
pub fn begun(
    word: &str,
    folder: &RunFolder,
    ticket: &TicketId,
    label: String,
    began: Timestamp,
) -> RunRecord {
    RunRecord {
        format: FORMAT,
        run: folder.name().to_owned(),
        ticket: ticket.clone(),
        executor: word.to_owned(),
        label,
        holder: String::new(),
        supervisor: ProcessIdentity::own(),
        child: None,
        started_at: began,
        state: RecordState::Running,
        ended_at: None,
        exit_code: None,
        message: None,
        agent: None,
        spent: None,
    }
}

/// Throws away the worktrees of the kind `word` whose process died, and closes their records. What cannot be removed
/// stays for the next time. Blocking.
pub fn sweep(root: &Path, word: &str) {
    let runs = ProjectPaths::new(root).runs();
    let Ok(entries) = std::fs::read_dir(&runs) else { return };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    for name in names.filter(|name| name.starts_with(&format!("{word}-"))) {
        let Some(folder) = RunFolder::at(&runs, &name) else { continue };
        let Some(record) = folder.read_record().filter(|record| is_dead(record, word)) else { continue };
        let thrown = isolation::known(root, &record.ticket).map(|left| isolation::discard(root, &left));
        if let Some(Err(error)) = thrown {
            tracing::warn!(%error, run = name, "the worktree of a killed run cannot be removed");
            continue;
        }
        let (state, ended_at) = (RecordState::Interrupted, Some(Timestamp::now()));
        if let Err(error) = folder.write_record(&RunRecord { state, ended_at, ..record }) {
            tracing::warn!(%error, run = name, "the record of a killed run cannot be closed");
        }
    }
}

/// A run of that kind which went on when its process died.
fn is_dead(record: &RunRecord, word: &str) -> bool {
    let alive = record.supervisor.as_ref().is_some_and(ProcessIdentity::is_alive);
    let ours = record.executor == word && record.ticket.as_str().starts_with(&format!("{word}-"));
    ours && record.state == RecordState::Running && !alive
}
