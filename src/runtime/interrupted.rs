//! Runs whose supervisor died: what their folder tells, and whether something they started is still alive.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::protocol::{AgentView, RunId, RunState, RunView};
use crate::base::process::Group;
use crate::execute::folder::{RecordState, RunFolder, RunRecord, records_of, safe_name};
use crate::execute::transcript::TranscriptReader;
use crate::plan::ticket::Ticket;

/// One of them.
#[derive(Clone, Debug)]
pub(super) struct Interrupted {
    /// As shown.
    pub(super) view: RunView,
}

/// What can be said about the runs of `tickets`, all of them in progress with a dead holder. Reads folders.
pub(super) fn find(runs: &Path, tickets: &[Arc<Ticket>]) -> Vec<Interrupted> {
    tickets.iter().map(|ticket| describe(runs, ticket)).collect()
}

fn describe(runs: &Path, ticket: &Ticket) -> Interrupted {
    let found = newest(runs, ticket);
    let holder = ticket.execution.assigned_to.as_deref().unwrap_or("nobody");
    let mut view = RunView {
        id: RunId(format!("{}-interrupted", safe_name(ticket.id.as_str())).into()),
        ticket: ticket.id.clone(),
        executor: ticket.executor.kind.word().to_owned(),
        label: ticket.name.clone(),
        state: RunState::Interrupted,
        started_at: ticket.execution.started_at.or(ticket.updated_at).unwrap_or(Timestamp::UNIX_EPOCH),
        ended_at: None,
        last_output_at: None,
        lines: 0,
        exit_code: None,
        message: Some(format!("its runner {holder} died without a word")),
        kill_at: None,
        orphaned: false,
        agent: None,
    };
    if let Some((folder, record)) = found {
        view.id = RunId(folder.name().into());
        view.orphaned = orphan(&record).is_some();
        view.executor.clone_from(&record.executor);
        // Whoever worked it works it again when the operator retries.
        view.agent = record.agent.as_ref().map(|agent| Arc::new(AgentView::of_record(agent)));
        view.label = record.label;
        view.started_at = record.started_at;
        view.lines = TranscriptReader::new(&folder.transcript()).count().unwrap_or(0);
        if view.orphaned {
            let sentence = "processes that it started are still alive";
            view.message = Some(format!("its runner {holder} died without a word; {sentence}"));
        }
    }
    Interrupted { view }
}

/// The newest record of a run of `ticket` by its present holder.
fn newest(runs: &Path, ticket: &Ticket) -> Option<(RunFolder, RunRecord)> {
    records_of(runs, &ticket.id)
        .into_iter()
        .filter(|(_, record)| Some(&*record.holder) == ticket.execution.assigned_to.as_deref())
        .max_by(|(_, a), (_, b)| a.started_at.cmp(&b.started_at))
}

/// What a dead supervisor's run left behind, if anything of it is alive.
fn orphan(record: &RunRecord) -> Option<Group> {
    let child = record.child.as_ref().filter(|_| record.state == RecordState::Running)?;
    Some(Group::of_orphan(child)).filter(|group| !group.members().is_empty())
}

/// Whether anything that a run left behind lives. Reads all of `/proc`.
pub(super) fn is_left(runs: &Path, run: &str) -> bool {
    RunFolder::at(runs, run).and_then(|folder| folder.read_record()).as_ref().and_then(orphan).is_some()
}

/// Stops what a run left behind: TERM to its group, `grace`, KILL. False when nothing was alive.
pub(super) async fn stop_orphan(runs: &Path, run: &str, grace: Duration) -> bool {
    let record = RunFolder::at(runs, run).and_then(|folder| folder.read_record());
    match record.as_ref().and_then(orphan) {
        Some(group) => group.stop(grace, std::future::pending()).await.left.is_empty(),
        None => false,
    }
}

/// Notes in the run's record that it was decided.
pub(super) fn settle(runs: &Path, run: &str, now: Timestamp) {
    let Some(folder) = RunFolder::at(runs, run) else { return };
    if let Some(mut record) = folder.read_record().filter(|record| record.state == RecordState::Running) {
        record.state = RecordState::Interrupted;
        record.ended_at = Some(now);
        if let Err(error) = folder.write_record(&record) {
            tracing::info!(run, %error, "the record of an interrupted run cannot be closed");
        }
    }
}
