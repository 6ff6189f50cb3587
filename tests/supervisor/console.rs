//! A test project, and a console that keeps what it hears.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use koru_tui::plan::ticket::{Ticket, TicketId};
use koru_tui::runtime::protocol::{
    Command, Event, Outcome, PlanHealth, RequestId, RunCommand, RunEvent, RunId, RunView, Snapshot,
};
use koru_tui::runtime::{Events, Handle, Options, start};

/// Longest wait for anything.
pub(crate) const LIMIT: Duration = Duration::from_secs(40);

/// A ticket of the test planfile; `extra` are further lines, indented as in the file.
pub(crate) fn ticket(id: &str, kind: &str, script: &str, extra: &str) -> String {
    let script = serde_json::to_string(script).unwrap();
    format!(
        "    {id}:\n      id: {id}\n      name: the ticket {id}\n      status: open\n      priority: normal\n      \
         executor:\n        kind: {kind}\n        mode: automatic\n      inputs:\n        script: {script}\n{extra}      \
         created_at: '2026-11-21T06:00:00Z'\n      updated_at: '2026-11-21T06:00:00Z'\n"
    )
}

pub(crate) fn project(tickets: &[String]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let planfile = folder.path().join(".planfile");
    std::fs::create_dir_all(planfile.join("sprints")).unwrap();
    let config = "project: demo\nprefix: PLF\nnext_id: 900\nstorage:\n  backend: single-yaml\n";
    std::fs::write(planfile.join("config.yaml"), config).unwrap();
    let mut text = "sprint:\n  id: current\n  name: now\n  status: active\n  tickets:".to_owned();
    text.push_str(if tickets.is_empty() { " {}\n" } else { "\n" });
    tickets.iter().for_each(|ticket| write!(text, "{ticket}").unwrap());
    std::fs::write(planfile.join("sprints/current.yaml"), text).unwrap();
    folder
}

/// A console that keeps what it hears.
pub(crate) struct Console {
    pub(crate) handle: Handle,
    pub(crate) events: Events,
    pub(crate) last: u64,
    pub(crate) heard: Vec<Event>,
}

impl Console {
    pub(crate) fn open(root: &Path) -> Console {
        Console::with(Options { grace: Duration::from_secs(20), ..Options::new(root.to_owned()) })
    }

    pub(crate) fn with(options: Options) -> Console {
        let (handle, events) = start(options);
        Console { handle, events, last: 0, heard: Vec::new() }
    }

    pub(crate) async fn next(&mut self) -> Event {
        let Ok(event) = tokio::time::timeout(LIMIT, self.events.recv()).await else {
            let snapshot = self.handle.snapshot();
            panic!("no event in time: {:?}\n{:#?}\n{:#?}", snapshot.queue, snapshot.held, snapshot.runs);
        };
        let event = event.unwrap();
        self.heard.push(event.clone());
        event
    }

    /// Waits until the snapshot is as wanted.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
        loop {
            let snapshot = self.handle.snapshot();
            if wanted(&snapshot) {
                return snapshot;
            }
            self.next().await;
        }
    }

    pub(crate) async fn loaded(&mut self) -> Arc<Snapshot> {
        self.until(|snapshot| matches!(snapshot.health, PlanHealth::Open { .. })).await
    }

    pub(crate) async fn ask(&mut self, command: Command) -> Outcome {
        self.last += 1;
        let asked = RequestId(self.last);
        self.handle.send(asked, command);
        loop {
            if let Event::Reply { request, outcome } = self.next().await
                && request == asked
            {
                return outcome;
            }
        }
    }

    pub(crate) async fn done(&mut self, command: Command) -> Option<RunId> {
        match self.ask(command).await {
            Outcome::Done { run, .. } => run,
            Outcome::Refused { message } => panic!("refused: {message}"),
        }
    }

    pub(crate) async fn refused(&mut self, command: Command) -> String {
        match self.ask(command).await {
            Outcome::Refused { message } => message,
            done @ Outcome::Done { .. } => panic!("{done:?}"),
        }
    }

    pub(crate) async fn run(&mut self, id: &str) -> RunId {
        self.done(Command::Run(RunCommand::Start { ticket: TicketId::new(id) })).await.unwrap()
    }

    pub(crate) async fn ended(&mut self, run: &RunId) -> Arc<RunView> {
        let snapshot =
            self.until(|snapshot| view(snapshot, run).is_some_and(|view| !view.state.is_active())).await;
        Arc::clone(view(&snapshot, run).unwrap())
    }

    /// Texts of all lines of a run, as the transcript has them.
    pub(crate) async fn transcript(&mut self, run: &RunId) -> Vec<String> {
        let command = RunCommand::Fetch { run: run.clone(), from: 0, count: 1000 };
        self.done(Command::Run(command)).await;
        let lines = self.heard.iter().rev().find_map(|event| match event {
            Event::Run(RunEvent::Lines { run: of, lines, .. }) if of == run => Some(lines),
            _ => None,
        });
        lines.unwrap().iter().map(|line| line.text.to_string()).collect()
    }

    pub(crate) fn ticket(&self, id: &str) -> Arc<Ticket> {
        Arc::clone(self.handle.snapshot().plan.ticket(&TicketId::new(id)).unwrap())
    }
}

pub(crate) fn view<'a>(snapshot: &'a Snapshot, run: &RunId) -> Option<&'a Arc<RunView>> {
    snapshot.runs.iter().find(|view| view.id == *run)
}
