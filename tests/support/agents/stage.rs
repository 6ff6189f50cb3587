//! One ticket, one agent, our binary: set up, run, and looked at from outside. What holds after every run is checked for
//! every run: its folder on disk, the operator's checkout as it was, nobody left.

use std::cell::Cell;

use serde_json::Value;

use super::bench::{Bench, Checkout, Ran, Running, SCRIPTED};
use super::installed::Agent;
use super::scenario::{self, Turn};
use super::stub::Stub;
use crate::support::project::Ticket;

/// The ticket.
pub const ID: &str = "PLF-001";

/// A project with one ticket, and the agent that is to work it.
pub struct Stage {
    pub bench: Bench,
    agent: String,
    before: Checkout,
    /// Runs started so far.
    runs: Cell<usize>,
}

/// After the run.
pub struct Played {
    pub stage: Stage,
    pub ran: Ran,
    /// `run.json` of the newest run.
    pub record: Value,
    /// The lines of its transcript: channel and text.
    pub lines: Vec<(String, String)>,
    /// All of it, for messages.
    pub told: String,
}

/// The ticket of the scenarios: fix the file. `started` is what [`scenario::hang_in_tool`] writes.
pub fn ticket() -> Ticket {
    Ticket::new(ID, scenario::TASK, "llm").file(scenario::FILE).file("started")
}

impl Stage {
    /// A real agent that asks a scripted model. `None`, noted as skipped, when the agent is not installed.
    pub fn real(agent: Agent, turns: Vec<Turn>) -> Option<(Self, Stub)> {
        let installed = agent.installed()?;
        let mut bench = Bench::new(&[ticket()]);
        let stub = Stub::start(turns);
        let seat = installed.seat(&bench.around("state"), &stub);
        bench.seat(&seat);
        Some((Self::of(bench, agent.name()), stub))
    }

    /// The script that misbehaves in one way.
    pub fn scripted(behaviour: &str) -> Self {
        Self::scripted_with(behaviour, ticket(), |_| {})
    }

    /// The same with a ticket of its own, and a project that is prepared further.
    pub fn scripted_with(behaviour: &str, ticket: Ticket, prepare: impl FnOnce(&mut Bench)) -> Self {
        let mut bench = Bench::new(&[ticket]);
        bench.misbehaves(behaviour);
        prepare(&mut bench);
        Self::of(bench, SCRIPTED)
    }

    fn of(bench: Bench, agent: &str) -> Self {
        let before = bench.checkout();
        Self { bench, agent: agent.to_owned(), before, runs: Cell::new(0) }
    }

    /// The operator does something in the checkout: that is how it is to stand after the run.
    pub fn operator(&mut self, does: impl FnOnce(&Bench)) {
        does(&self.bench);
        self.before = self.bench.checkout();
    }

    /// Starts the run.
    pub fn start(&self) -> Running {
        self.start_with(&[])
    }

    /// Starts the run with more arguments.
    pub fn start_with(&self, more: &[&str]) -> Running {
        self.runs.set(self.runs.get() + 1);
        self.bench.start(&[&["ticket", "run", ID, "--agent", &self.agent], more].concat())
    }

    /// Runs the ticket to its end.
    #[track_caller]
    pub fn play(self) -> Played {
        let ran = self.start().end();
        self.over(ran)
    }

    /// Looks at what stands after the run.
    #[track_caller]
    pub fn over(self, ran: Ran) -> Played {
        let left = self.bench.left();
        let runs = self.bench.runs();
        let told = told(&ran, &runs);
        assert_eq!(runs.len(), self.runs.get(), "{told}");
        let records =
            runs.values().map(|run| (serde_json::from_str::<Value>(&run["run.json"]).unwrap(), run));
        let (record, run) = records.max_by_key(|(record, _)| record["started_at"].to_string()).unwrap();
        let lines = run.get("transcript.jsonl").map_or("", String::as_str).lines().skip(1);
        let lines = lines.map(|line| {
            let row: Value = serde_json::from_str(line).unwrap();
            (row["c"].as_str().unwrap().to_owned(), row["s"].as_str().unwrap().to_owned())
        });
        let lines = lines.collect();
        assert_eq!(left, vec![], "left behind\n{told}");
        assert_eq!(self.bench.checkout(), self.before, "the operator's checkout was touched\n{told}");
        Played { stage: self, ran, record, lines, told }
    }
}

impl Played {
    /// Fails unless these are our exit code, the ticket's status and the agent's ending.
    #[track_caller]
    pub fn expect(&self, code: i32, status: &str, ending: &str) -> &Self {
        let ticket = self.stage.bench.project.record(ID);
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let found_status = ticket["status"].as_str().unwrap_or_default().to_owned();
        let found = (self.ran.code, found_status, word(&self.record["agent"]["ending"]["ending"]));
        assert_eq!(found, (Some(code), status.to_owned(), ending.to_owned()), "{}", self.told);
        self
    }

    /// Whether a line of the transcript holds `text`.
    pub fn holds(&self, text: &str) -> bool {
        self.lines.iter().any(|(_, line)| line.contains(text))
    }

    /// What the ticket says of its last result.
    pub fn result(&self) -> Value {
        serde_json::to_value(&self.stage.bench.project.record(ID)["outputs"]["result"]).unwrap()
    }

    /// The file of the scenarios on the ticket's branch.
    pub fn committed(&self) -> Option<String> {
        self.stage.bench.committed(ID, scenario::FILE)
    }
}

/// Everything about a run, long texts cut.
fn told(
    ran: &Ran,
    runs: &std::collections::BTreeMap<String, std::collections::BTreeMap<String, String>>,
) -> String {
    let mut text = format!("--- stdout\n{}\n--- stderr\n{}", ran.out, ran.err);
    for (run, files) in runs {
        for (file, content) in files {
            let content: String = content.chars().take(20_000).collect();
            text.push_str(&format!("\n--- {run}/{file}\n{content}"));
        }
    }
    text
}
