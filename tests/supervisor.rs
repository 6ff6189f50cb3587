//! The supervisor on a real project: commands in, events out, children run, tickets written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "supervisor/agents.rs"]
mod agents;
#[path = "supervisor/console.rs"]
mod console;
#[path = "supervisor/gated.rs"]
mod gated;
#[path = "supervisor/shelf.rs"]
mod past_runs;
#[path = "supervisor/promotions.rs"]
mod promotions;
#[path = "supervisor/rounds.rs"]
mod rounds;
#[path = "supervisor/said.rs"]
mod said;
#[path = "support/script.rs"]
mod script;
#[path = "supervisor/tools.rs"]
mod tools;
#[path = "supervisor/trouble.rs"]
mod trouble;

use std::path::Path;
use std::time::Duration;

use koru_tui::plan::lifecycle::Op;
use koru_tui::plan::ticket::{Status, TicketId};
use koru_tui::runtime::Options;
use koru_tui::runtime::protocol::{
    Command, DraftCommand, Event, HeldWhy, PlanHealth, ProjectCommand, ProjectEvent, QueueCommand,
    Resolution, RunCommand, RunState, TicketCommand,
};

use console::{Console, project, ticket, view};
use script::until_exists;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_streams_ends_and_completes_its_ticket() {
    let project = project(&[ticket("PLF-1", "shell", "echo hello; echo oops >&2", "")]);
    let mut console = Console::open(project.path());
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
    let again = console.done(Command::Run(RunCommand::Resolve { run, how, note: None })).await.unwrap();
    assert_eq!(console.ended(&again).await.state, RunState::Done);
    assert_eq!(console.ticket("PLF-1").status, Status::Done);
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_a_run_releases_its_ticket_and_shutdown_leaves_nothing() {
    let tickets = [
        ticket("PLF-1", "shell", "echo $$; sleep 60", ""),
        ticket("PLF-2", "shell", "trap '' TERM; echo $$; for i in 1 2 3; do sleep 20; done", ""),
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
        ticket("PLF-1", "shell", &until_exists("go"), &files("src/a.rs")),
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
    let project = project(&[ticket("PLF-1", "shell", &until_exists("go"), "")]);
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
