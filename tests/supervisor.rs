//! The supervisor on a real project: commands in, events out, children run, tickets written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use koru_tui::plan::lifecycle::Op;
use koru_tui::plan::ticket::{Status, Ticket, TicketId};
use koru_tui::runtime::protocol::{
    Command, DraftCommand, Event, HeldWhy, Outcome, PlanHealth, ProjectCommand, ProjectEvent, QueueCommand,
    RequestId, Resolution, RunCommand, RunEvent, RunId, RunState, RunView, Snapshot, TicketCommand,
};
use koru_tui::runtime::{Events, Handle, Options, start};

/// Longest wait for anything.
const LIMIT: Duration = Duration::from_secs(40);

/// A ticket of the test planfile; `extra` are further lines, indented as in the file.
fn ticket(id: &str, kind: &str, script: &str, extra: &str) -> String {
    let script = serde_json::to_string(script).unwrap();
    format!(
        "    {id}:\n      id: {id}\n      name: the ticket {id}\n      status: open\n      priority: normal\n      \
         executor:\n        kind: {kind}\n        mode: automatic\n      inputs:\n        script: {script}\n{extra}      \
         created_at: '2026-11-21T06:00:00Z'\n      updated_at: '2026-11-21T06:00:00Z'\n"
    )
}

fn project(tickets: &[String]) -> tempfile::TempDir {
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
struct Console {
    handle: Handle,
    events: Events,
    last: u64,
    heard: Vec<Event>,
}

impl Console {
    fn open(root: &Path) -> Console {
        Console::with(Options { grace: Duration::from_secs(20), ..Options::new(root.to_owned()) })
    }

    fn with(options: Options) -> Console {
        let (handle, events) = start(options);
        Console { handle, events, last: 0, heard: Vec::new() }
    }

    async fn next(&mut self) -> Event {
        let event = tokio::time::timeout(LIMIT, self.events.recv()).await.expect("an event in time").unwrap();
        self.heard.push(event.clone());
        event
    }

    /// Waits until the snapshot is as wanted.
    async fn until(&mut self, wanted: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
        loop {
            let snapshot = self.handle.snapshot();
            if wanted(&snapshot) {
                return snapshot;
            }
            self.next().await;
        }
    }

    async fn loaded(&mut self) -> Arc<Snapshot> {
        self.until(|snapshot| matches!(snapshot.health, PlanHealth::Open { .. })).await
    }

    async fn ask(&mut self, command: Command) -> Outcome {
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

    async fn done(&mut self, command: Command) -> Option<RunId> {
        match self.ask(command).await {
            Outcome::Done { run, .. } => run,
            Outcome::Refused { message } => panic!("refused: {message}"),
        }
    }

    async fn refused(&mut self, command: Command) -> String {
        match self.ask(command).await {
            Outcome::Refused { message } => message,
            done @ Outcome::Done { .. } => panic!("{done:?}"),
        }
    }

    async fn run(&mut self, id: &str) -> RunId {
        self.done(Command::Run(RunCommand::Start { ticket: TicketId::new(id) })).await.unwrap()
    }

    async fn ended(&mut self, run: &RunId) -> Arc<RunView> {
        let snapshot =
            self.until(|snapshot| view(snapshot, run).is_some_and(|view| !view.state.is_active())).await;
        Arc::clone(view(&snapshot, run).unwrap())
    }

    /// Texts of all lines of a run, as the transcript has them.
    async fn transcript(&mut self, run: &RunId) -> Vec<String> {
        let command = RunCommand::Fetch { run: run.clone(), from: 0, count: 1000 };
        self.done(Command::Run(command)).await;
        let lines = self.heard.iter().rev().find_map(|event| match event {
            Event::Run(RunEvent::Lines { run: of, lines, .. }) if of == run => Some(lines),
            _ => None,
        });
        lines.unwrap().iter().map(|line| line.text.to_string()).collect()
    }

    fn ticket(&self, id: &str) -> Arc<Ticket> {
        Arc::clone(self.handle.snapshot().plan.ticket(&TicketId::new(id)).unwrap())
    }
}

fn view<'a>(snapshot: &'a Snapshot, run: &RunId) -> Option<&'a Arc<RunView>> {
    snapshot.runs.iter().find(|view| view.id == *run)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_streams_ends_and_completes_its_ticket() {
    let project = project(&[ticket("PLF-1", "shell", "echo hello; echo oops >&2", "")]);
    let mut console = Console::open(project.path());
    assert_eq!(console.handle.snapshot().health, PlanHealth::Loading);
    console.loaded().await;
    let run = console.run("PLF-1").await;
    let running = console.ticket("PLF-1");
    assert_eq!((running.status, running.execution.state.as_str()), (Status::InProgress, "running"));
    assert!(running.execution.assigned_to.as_deref().unwrap().starts_with("koru-shell@"));
    assert!(running.execution.lease_expires_at.is_some());

    let view = console.ended(&run).await;
    assert_eq!((view.state, view.exit_code, view.lines), (RunState::Done, Some(0), 2));
    let done = console.ticket("PLF-1");
    assert_eq!(done.status, Status::Done);
    assert_eq!(done.outputs.notes, ["Executed by koru-shell: echo hello; echo oops >&2"]);
    let want = serde_json::json!({"exit_code": 0, "stdout": "hello\n", "stderr": "oops\n"});
    assert_eq!(done.outputs.result, Some(want));
    let mut lines = console.transcript(&run).await;
    lines.sort();
    assert_eq!(lines, ["hello", "oops"]);
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_use_up_attempts_and_can_be_retried() {
    let marker = "test -e ran && exit 0; touch ran; echo boom >&2; exit 7";
    let project = project(&[ticket("PLF-1", "shell", marker, "")]);
    let mut console = Console::open(project.path());
    console.loaded().await;
    let run = console.run("PLF-1").await;
    let view = console.ended(&run).await;
    assert_eq!((view.state, view.exit_code), (RunState::Failed, Some(7)));
    assert_eq!(view.message.as_deref(), Some("boom"));
    let failed = console.ticket("PLF-1");
    assert_eq!((failed.status, failed.execution.last_error.as_deref()), (Status::Failed, Some("boom")));
    let message = console.refused(Command::Run(RunCommand::Start { ticket: TicketId::new("PLF-1") })).await;
    assert!(message.contains("it failed"), "{message}");

    let how = Resolution::Retry;
    let again = console.done(Command::Run(RunCommand::Resolve { run, how })).await.unwrap();
    assert_eq!(console.ended(&again).await.state, RunState::Done);
    assert_eq!(console.ticket("PLF-1").status, Status::Done);
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_a_run_releases_its_ticket_and_shutdown_leaves_nothing() {
    let tickets = [
        ticket("PLF-1", "shell", "echo $$; sleep 1000", ""),
        ticket("PLF-2", "shell", "trap '' TERM; echo $$; while :; do sleep 1000; done", ""),
    ];
    let project = project(&tickets);
    let mut console = Console::with(Options {
        grace: Duration::from_millis(300),
        ..Options::new(project.path().to_owned())
    });
    console.loaded().await;
    let first = console.run("PLF-1").await;
    let second = console.run("PLF-2").await;
    for run in [&first, &second] {
        console.until(|snapshot| view(snapshot, run).is_some_and(|view| view.lines > 0)).await;
    }
    let pids = [console.transcript(&first).await[0].clone(), console.transcript(&second).await[0].clone()];
    console.done(Command::Run(RunCommand::Stop { run: first.clone() })).await;
    let stopped = console.ended(&first).await;
    assert_eq!(stopped.state, RunState::Stopped);
    let released = console.ticket("PLF-1");
    assert_eq!((released.status, released.execution.assigned_to.clone()), (Status::Open, None));
    assert_eq!(released.execution.attempt, 0, "an operator's stop is no failed attempt");

    console.handle.shutdown().await;
    let released = console.handle.snapshot().plan.ticket(&TicketId::new("PLF-2")).unwrap().clone();
    assert_eq!((released.status, released.execution.state.as_str()), (Status::Open, "ready"));
    for pid in pids {
        assert!(!Path::new(&format!("/proc/{pid}")).exists(), "{pid} is still there");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_queue_respects_jobs_files_and_policy_and_leaves_people_alone() {
    let files = |path: &str| format!("      files:\n      - {path}\n");
    let tickets = [
        ticket("PLF-1", "shell", "until test -e go; do sleep 0.02; done", &files("src/a.rs")),
        ticket("PLF-2", "shell", "true", &files("src")),
        ticket("PLF-3", "human", "", ""),
        ticket("PLF-4", "shell", "git push origin main", ""),
        ticket("PLF-5", "shell", "true", ""),
        ticket("PLF-6", "shell", "  ", ""),
    ];
    let project = project(&tickets);
    let mut console = Console::open(project.path());
    console.loaded().await;
    console.done(Command::Queue(QueueCommand::Resume)).await;
    let snapshot = console
        .until(|snapshot| {
            snapshot.plan.ticket(&TicketId::new("PLF-5")).unwrap().status == Status::Done
                && snapshot.held.len() == 2
                && snapshot.plan.ticket(&TicketId::new("PLF-6")).unwrap().execution.state == "waiting_input"
        })
        .await;
    let why = |id: &str| snapshot.held.iter().find(|held| held.ticket.as_str() == id).map(|held| &held.why);
    let overlap = HeldWhy::Files { with: TicketId::new("PLF-1"), path: "src".to_owned() };
    assert_eq!(why("PLF-2"), Some(&overlap));
    let Some(HeldWhy::Policy { violations }) = why("PLF-4") else { panic!("{:?}", snapshot.held) };
    assert!(violations[0].contains("allow_push"), "{violations:?}");
    assert_eq!(snapshot.plan.ticket(&TicketId::new("PLF-4")).unwrap().status, Status::Open);
    assert_eq!(snapshot.plan.ticket(&TicketId::new("PLF-3")).unwrap().status, Status::Open);
    assert_eq!(snapshot.queue.active, 1);

    std::fs::write(project.path().join("go"), "").unwrap();
    console
        .until(|snapshot| {
            let done = |id: &str| snapshot.plan.ticket(&TicketId::new(id)).unwrap().status == Status::Done;
            done("PLF-1") && done("PLF-2") && snapshot.queue.active == 0
        })
        .await;
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_human_ticket_is_answered_in_one_go_and_the_draft_dropped() {
    let project = project(&[ticket("PLF-1", "human", "", "")]);
    let mut console = Console::open(project.path());
    console.loaded().await;
    let save = DraftCommand::Save { key: "PLF-1".to_owned(), text: "half an ans".to_owned() };
    console.done(Command::Draft(save)).await;
    let load = || Command::Draft(DraftCommand::Load { key: "PLF-1".to_owned() });
    console.done(load()).await;
    let draft =
        |text: &str| Event::Project(ProjectEvent::Draft { key: "PLF-1".to_owned(), text: text.to_owned() });
    assert!(console.heard.contains(&draft("half an ans")));

    let seen = console.ticket("PLF-1").updated_at;
    let answer = |text: &str, seen| {
        let text = text.to_owned();
        Command::Ticket(TicketCommand::Answer { id: TicketId::new("PLF-1"), text, seen })
    };
    let message = console.refused(answer(" \n", seen)).await;
    assert!(message.contains("empty"), "{message}");
    let old = Some("2020-01-01T00:00:00Z".parse().unwrap());
    let message = console.refused(answer("late", old)).await;
    assert!(message.contains("changed"), "{message}");
    assert_eq!(console.ticket("PLF-1").status, Status::Open);

    console.done(answer("the left one", seen)).await;
    let done = console.ticket("PLF-1");
    assert_eq!(done.status, Status::Done);
    let want =
        serde_json::json!({"actor": "koru-shell", "prompt": "the ticket PLF-1", "answer": "the left one"});
    assert_eq!(done.outputs.result, Some(want));
    console.done(load()).await;
    assert!(console.heard.contains(&draft("")));
    let kept = std::fs::read_dir(project.path().join(".planfile/.koru/prompts")).unwrap();
    assert_eq!(kept.filter(|entry| entry.as_ref().unwrap().path().is_file()).count(), 2);
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_from_outside_appear_and_an_empty_folder_can_be_initialised() {
    let project = project(&[ticket("PLF-1", "shell", "true", "")]);
    let mut console = Console::open(project.path());
    console.loaded().await;
    let path = project.path().join(".planfile/sprints/current.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("the ticket PLF-1", "renamed outside")).unwrap();
    console.until(|snapshot| snapshot.plan.tickets[0].name == "renamed outside").await;
    console.handle.shutdown().await;

    let empty = tempfile::tempdir().unwrap();
    let mut console = Console::open(empty.path());
    console.until(|snapshot| snapshot.health == PlanHealth::Uninitialised).await;
    console.done(Command::Project(ProjectCommand::Init)).await;
    let snapshot = console.loaded().await;
    assert!(snapshot.plan.tickets.len() >= 2);
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_taken_away_while_it_runs_is_not_overwritten() {
    let project = project(&[ticket("PLF-1", "shell", "until test -e go; do sleep 0.02; done", "")]);
    let mut console = Console::open(project.path());
    let mut other = Console::open(project.path());
    console.loaded().await;
    other.loaded().await;
    let run = console.run("PLF-1").await;
    other.until(|snapshot| snapshot.plan.tickets[0].status == Status::InProgress).await;
    let op = Op::Block { reason: "not now".to_owned() };
    let id = TicketId::new("PLF-1");
    other.done(Command::Ticket(TicketCommand::Apply { id, op, seen: None })).await;
    console.until(|snapshot| view(snapshot, &run).is_some_and(|view| view.message.is_some())).await;
    std::fs::write(project.path().join("go"), "").unwrap();
    let view = console.ended(&run).await;
    assert!(view.message.as_deref().unwrap().contains("changed by someone else"), "{:?}", view.message);
    assert_eq!(console.ticket("PLF-1").status, Status::Blocked);
    console.handle.shutdown().await;
    other.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_supervisors_never_run_one_ticket_twice() {
    let tickets: Vec<String> = (1..=50)
        .map(|n| ticket(&format!("PLF-{n:02}"), "shell", &format!("echo {n:02} >> ran"), ""))
        .collect();
    let project = project(&tickets);
    let mut consoles = [Console::open(project.path()), Console::open(project.path())];
    for console in &mut consoles {
        console.loaded().await;
        console.done(Command::Queue(QueueCommand::Jobs { limit: 4 })).await;
        console.done(Command::Queue(QueueCommand::Resume)).await;
    }
    let all_done = |snapshot: &Snapshot| {
        snapshot.plan.tickets.iter().filter(|ticket| ticket.status == Status::Done).count() == 50
            && snapshot.queue.active == 0
    };
    let [one, other] = &mut consoles;
    tokio::join!(one.until(all_done), other.until(all_done));
    let mut ran: Vec<String> =
        std::fs::read_to_string(project.path().join("ran")).unwrap().lines().map(str::to_owned).collect();
    ran.sort();
    let want: Vec<String> = (1..=50).map(|n| format!("{n:02}")).collect();
    assert_eq!(ran, want);
    let share = |console: &Console| console.handle.snapshot().runs.len();
    assert_eq!(share(one) + share(other), 50, "each run is seen by one console");
    for console in &consoles {
        console.handle.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_fast_streams_stay_coalesced_and_complete_on_disk() {
    // 8 streams of 1,000 lines, paced to about a second by the shell itself.
    let script = "i=0; while [ $i -lt 20 ]; do i=$((i+1)); seq 1 50; sleep 0.05; done";
    let tickets: Vec<String> = (1..=8).map(|n| ticket(&format!("PLF-{n}"), "shell", script, "")).collect();
    let project = project(&tickets);
    let mut console = Console::open(project.path());
    console.loaded().await;
    console.done(Command::Queue(QueueCommand::Jobs { limit: 8 })).await;
    let began = std::time::Instant::now();
    console.done(Command::Queue(QueueCommand::Resume)).await;
    let snapshot = console
        .until(|snapshot| snapshot.runs.iter().filter(|view| view.state == RunState::Done).count() == 8)
        .await;
    let seconds = began.elapsed().as_secs_f64();
    for view in &snapshot.runs {
        assert_eq!(view.lines, 1000);
        let outputs: Vec<(u64, usize)> = console
            .heard
            .iter()
            .filter_map(|event| match event {
                Event::Run(RunEvent::Output { run, first, lines }) if *run == view.id => {
                    Some((*first, lines.len()))
                }
                _ => None,
            })
            .collect();
        assert!(outputs.len() as f64 <= 31.0 * seconds + 2.0, "{} batches in {seconds} s", outputs.len());
        let mut next = 0;
        for (first, count) in outputs {
            assert!(first >= next, "lines come in order");
            next = first + count as u64;
        }
        assert_eq!(next, 1000, "the last lines are always told");
        let command = RunCommand::Fetch { run: view.id.clone(), from: 998, count: 10 };
        console.done(Command::Run(command)).await;
        let Some(Event::Run(RunEvent::Lines { lines, .. })) =
            console.heard.iter().rev().find(|event| matches!(event, Event::Run(RunEvent::Lines { .. })))
        else {
            panic!()
        };
        let texts: Vec<&str> = lines.iter().map(|line| &*line.text).collect();
        assert_eq!(texts, ["49", "50"]);
    }
    console.handle.shutdown().await;
}

/// Run by [`a_killed_console_leaves_an_interrupted_run_that_can_be_retried`] in a process of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn helper_console_that_is_killed() {
    let Ok(root) = std::env::var("KORU_TEST_ROOT") else { return };
    let mut console = Console::open(Path::new(&root));
    console.loaded().await;
    let run = console.run("PLF-1").await;
    console.until(|snapshot| view(snapshot, &run).is_some_and(|view| view.lines > 0)).await;
    std::fs::write(Path::new(&root).join("running"), "").unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_console_leaves_an_interrupted_run_that_can_be_retried() {
    // The grandchild ignores TERM and outlives the console; the leader dies with it.
    let script = "test -e again && exit 0; touch again; \
                  sh -c 'trap \"\" TERM; echo $$ > orphan; while :; do sleep 0.05; done' & echo started; wait";
    let project = project(&[ticket("PLF-1", "shell", script, "")]);
    let mut helper = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "helper_console_that_is_killed"])
        .env("KORU_TEST_ROOT", project.path())
        .stdout(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let appears = async {
        while !(project.path().join("running").exists() && project.path().join("orphan").exists()) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, appears).await.unwrap();
    helper.kill().await.unwrap();

    let mut console = Console::with(Options {
        grace: Duration::from_millis(100),
        ..Options::new(project.path().to_owned())
    });
    let snapshot =
        console.until(|snapshot| snapshot.runs.iter().any(|view| view.state == RunState::Interrupted)).await;
    let found = Arc::clone(&snapshot.runs[0]);
    assert_eq!((found.ticket.as_str(), found.lines, found.orphaned), ("PLF-1", 1, true));
    assert_eq!(console.transcript(&found.id).await, ["started"]);
    let resolve = |how| Command::Run(RunCommand::Resolve { run: found.id.clone(), how });
    let message = console.refused(resolve(Resolution::Retry)).await;
    assert!(message.contains("still alive"), "{message}");

    let orphan = std::fs::read_to_string(project.path().join("orphan")).unwrap();
    console.done(Command::Run(RunCommand::Stop { run: found.id.clone() })).await;
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", orphan.trim())).unwrap_or_default();
    assert!(stat.is_empty() || stat.contains(") Z "), "the orphan is gone: {stat}");
    console.until(|snapshot| snapshot.runs.iter().all(|view| !view.orphaned)).await;

    let again = console.done(resolve(Resolution::Retry)).await.unwrap();
    assert_eq!(console.ended(&again).await.state, RunState::Done);
    let done = console.ticket("PLF-1");
    assert_eq!(done.status, Status::Done);
    assert!(console.handle.snapshot().runs.iter().all(|view| view.state != RunState::Interrupted));
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_run_is_stalled_until_it_speaks() {
    let script =
        "echo one; until test -e go; do sleep 0.02; done; echo two; until test -e end; do sleep 0.02; done";
    let project = project(&[ticket("PLF-1", "shell", script, "")]);
    let mut console = Console::with(Options {
        stall_after: Duration::from_millis(300),
        ..Options::new(project.path().to_owned())
    });
    console.loaded().await;
    let run = console.run("PLF-1").await;
    let state = |snapshot: &Snapshot| view(snapshot, &run).map(|view| view.state);
    console.until(|snapshot| state(snapshot) == Some(RunState::Stalled)).await;
    std::fs::write(project.path().join("go"), "").unwrap();
    console.until(|snapshot| view(snapshot, &run).is_some_and(|view| view.lines == 2)).await;
    std::fs::write(project.path().join("end"), "").unwrap();
    console.ended(&run).await;
    assert!(
        console.heard.iter().any(|event| matches!(event, Event::Run(RunEvent::Ended { .. }))) || {
            matches!(console.next().await, Event::Run(RunEvent::Ended { .. }))
        }
    );
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_lease_is_released_only_while_the_queue_runs() {
    let held = "      execution:\n        state: running\n        assigned_to: someone@elsewhere\n        \
                lease_expires_at: '2026-01-01T00:00:00Z'\n        attempt: 0\n        max_attempts: 1\n";
    let text = ticket("PLF-1", "shell", "true", held).replace("status: open", "status: in_progress");
    let project = project(&[text]);
    let mut console = Console::open(project.path());
    console.loaded().await;
    assert_eq!(console.ticket("PLF-1").status, Status::InProgress);
    console.done(Command::Queue(QueueCommand::Resume)).await;
    console.until(|snapshot| snapshot.plan.tickets[0].status == Status::Done).await;
    let notes = &console.ticket("PLF-1").outputs.notes;
    assert_eq!(notes[0], "Released: the lease of someone@elsewhere was over");
    console.handle.shutdown().await;
}
