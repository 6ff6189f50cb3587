//! Runs of before: what their folders tell, in the same shape in which live runs are shown.
//!
//! Owns nothing, and changes nothing but in [`prune`]. A record is foreign, though we wrote it once: a run is known by its folder's name,
//! never by what stands in the record.

pub(crate) mod prune;
pub(crate) mod search;

use std::path::Path;

use serde_json::Value;

use super::protocol::{AgentView, RunId, RunState, RunView};
use crate::base::process::ProcessIdentity;
use crate::execute::folder::{RecordState, RunFolder, RunRecord, records_of};
use crate::execute::raw_stream::RawReader;
use crate::execute::transcript::TranscriptReader;
use crate::plan::ticket::TicketId;

/// Most runs of one ticket that are listed.
pub(crate) const LISTED: usize = 1_000;

/// The runs of `ticket`, newest first, at most [`LISTED`], and how many there are. Reads a small file a run, and no
/// transcript: their lines are not counted.
pub(crate) fn list(runs: &Path, ticket: &TicketId) -> (Vec<RunView>, u64) {
    let mut found = records_of(runs, ticket);
    let total = found.len() as u64;
    found.sort_by(|(one, a), (other, b)| {
        b.started_at.cmp(&a.started_at).then_with(|| other.name().cmp(one.name()))
    });
    found.truncate(LISTED);
    (found.iter().map(|(folder, record)| view(folder, record)).collect(), total)
}

/// The run `name` with what it printed counted, and what became of an agent's work; `None` when nothing is kept of it.
pub(crate) fn open(runs: &Path, name: &str) -> Option<RunView> {
    let folder = RunFolder::at(runs, name)?;
    let mut view = view(&folder, &folder.read_record()?);
    view.lines = TranscriptReader::new(&folder.transcript()).count().unwrap_or(0);
    if let Some(agent) = view.agent.as_mut().map(std::sync::Arc::make_mut) {
        agent.raw_lines = RawReader::new(&folder.stream()).count().unwrap_or(0);
        if let Some(mut result) = folder.read_result() {
            agent.breaches = fact(&mut result, "breaches");
            agent.gates = fact(&mut result, "gates");
            agent.changed = fact(&mut result, "changed");
        }
    }
    Some(view)
}

/// A fact of a result, nothing when it is missing or of another shape.
fn fact<T: serde::de::DeserializeOwned + Default>(result: &mut Value, name: &str) -> T {
    result
        .get_mut(name)
        .map(Value::take)
        .and_then(|fact| serde_json::from_value(fact).ok())
        .unwrap_or_default()
}

fn view(folder: &RunFolder, record: &RunRecord) -> RunView {
    let state = state(record);
    let silent = (state == RunState::Interrupted).then(|| "its runner died without a word".to_owned());
    RunView {
        id: RunId(folder.name().into()),
        ticket: record.ticket.clone(),
        executor: record.executor.clone(),
        label: record.label.clone(),
        state,
        started_at: record.started_at,
        ended_at: record.ended_at,
        last_output_at: None,
        lines: 0,
        exit_code: record.exit_code,
        message: record.message.clone().or(silent),
        kill_at: None,
        orphaned: false,
        agent: record.agent.as_ref().map(|agent| AgentView::of_record(agent).into()),
    }
}

/// How a recorded run stands. One that never ended runs in another process, or its process died.
fn state(record: &RunRecord) -> RunState {
    match record.state {
        RecordState::Running if record.supervisor.as_ref().is_some_and(ProcessIdentity::is_alive) => {
            RunState::Running
        }
        RecordState::Running | RecordState::Interrupted => RunState::Interrupted,
        RecordState::Done => RunState::Done,
        RecordState::Failed => RunState::Failed,
        RecordState::Stopped => RunState::Stopped,
        RecordState::Waiting => RunState::NeedsYou,
        RecordState::Violation => RunState::Violation,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::execute::folder::{AgentRecord, FORMAT};
    use crate::execute::output::{Channel, OutputLine};
    use crate::execute::transcript::TranscriptWriter;
    use crate::runtime::protocol::{ChangedFile, Tally};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).unwrap()
    }

    fn record(second: i64, state: RecordState, supervisor: Option<ProcessIdentity>) -> RunRecord {
        RunRecord {
            format: FORMAT,
            run: "../somewhere-else".to_owned(),
            ticket: TicketId::new("PLF-1"),
            executor: "shell".to_owned(),
            label: "true".to_owned(),
            holder: "h".to_owned(),
            supervisor,
            child: None,
            started_at: at(second),
            state,
            ended_at: (state != RecordState::Running).then(|| at(second + 5)),
            exit_code: Some(0),
            message: None,
            agent: None,
            spent: None,
        }
    }

    fn keep(runs: &Path, record: &RunRecord) -> RunFolder {
        let folder = RunFolder::create(runs, &record.ticket, record.started_at).unwrap();
        folder.write_record(record).unwrap();
        folder
    }

    #[test]
    fn runs_of_a_ticket_newest_first_under_their_folders_names() {
        let base = tempfile::tempdir().unwrap();
        let dead = ProcessIdentity { start_ticks: 1, ..ProcessIdentity::own().unwrap() };
        let states = [
            (RecordState::Done, None, RunState::Done),
            (RecordState::Failed, None, RunState::Failed),
            (RecordState::Stopped, None, RunState::Stopped),
            (RecordState::Waiting, None, RunState::NeedsYou),
            (RecordState::Violation, None, RunState::Violation),
            (RecordState::Interrupted, None, RunState::Interrupted),
            (RecordState::Running, None, RunState::Interrupted),
            (RecordState::Running, Some(dead), RunState::Interrupted),
            (RecordState::Running, ProcessIdentity::own(), RunState::Running),
        ];
        let mut want = Vec::new();
        for (second, (state, supervisor, shown)) in (0..).zip(states) {
            let folder = keep(base.path(), &record(second, state, supervisor));
            want.insert(0, (folder.name().to_owned(), shown));
        }
        // Another ticket whose id begins alike, and a folder that tells nothing.
        let other = RunRecord { ticket: TicketId::new("PLF-1-x"), ..record(0, RecordState::Done, None) };
        keep(base.path(), &other);
        RunFolder::create(base.path(), &TicketId::new("PLF-1"), at(99)).unwrap();
        let (listed, total) = list(base.path(), &TicketId::new("PLF-1"));
        let got: Vec<_> = listed.iter().map(|view| (view.id.0.to_string(), view.state)).collect();
        assert_eq!((got, total), (want, 9));
    }

    #[test]
    fn an_opened_run_knows_its_lines_and_what_became_of_the_work() {
        let base = tempfile::tempdir().unwrap();
        let agent = AgentRecord {
            agent: "claude".to_owned(),
            worktree: None,
            tally: Tally { turns: 3, ..Tally::default() },
            ending: None,
        };
        let record = RunRecord { agent: Some(agent), ..record(0, RecordState::Done, None) };
        let folder = keep(base.path(), &record);
        let mut transcript = TranscriptWriter::new(folder.transcript(), folder.name());
        transcript
            .append(&[OutputLine::new(1, Channel::Text, "a"), OutputLine::new(2, Channel::Text, "b")])
            .unwrap();
        std::fs::write(folder.stream(), "{}\n{}\n{}\n").unwrap();
        let changed = ChangedFile { path: "a.rs".to_owned(), added: 2, removed: 1 };
        folder.write_result(&json!({ "changed": [changed], "gates": "of another shape" })).unwrap();
        let view = open(base.path(), folder.name()).unwrap();
        let agent = view.agent.unwrap();
        assert_eq!((view.lines, agent.raw_lines, agent.tally.turns), (2, 3, 3));
        assert_eq!((agent.changed.clone(), agent.gates.len()), (vec![changed], 0));
        assert_eq!(open(base.path(), "PLF-1-nothing"), None);
        assert_eq!(open(base.path(), "../PLF-1"), None);
    }
}
