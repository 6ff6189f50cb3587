//! Runs of earlier sessions: listed and read after a restart.

use std::sync::Arc;

use koru_tui::plan::ticket::TicketId;
use koru_tui::runtime::protocol::{
    Command, Event, Resolution, RunCommand, RunEvent, RunId, RunState, RunView,
};

use super::console::{Console, project, ticket};

/// The runs of PLF-1 as the runtime lists them.
async fn listed(console: &mut Console) -> Vec<Arc<RunView>> {
    console.heard.clear();
    console.done(Command::Run(RunCommand::Earlier { ticket: TicketId::new("PLF-1") })).await;
    let list = console.heard.iter().find_map(|event| match event {
        Event::Run(RunEvent::Earlier { runs, total, .. }) => Some((runs.clone(), *total)),
        _ => None,
    });
    let (runs, total) = list.unwrap();
    assert_eq!(total, runs.len() as u64);
    runs
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_of_an_earlier_session_are_listed_and_read() {
    let script = "test -e ran && { echo second; exit 0; }; touch ran; seq 1 500; exit 7";
    let project = project(&[ticket("PLF-1", "shell", script, "")]);
    let mut console = Console::open(project.path());
    console.loaded().await;
    let first = console.run("PLF-1").await;
    let printed = console.ended(&first).await.lines;
    let before = console.transcript(&first).await;
    let how = Resolution::Retry;
    let command = RunCommand::Resolve { run: first.clone(), how, note: None };
    let second = console.done(Command::Run(command)).await.unwrap();
    console.ended(&second).await;
    console.handle.shutdown().await;

    let mut console = Console::open(project.path());
    let snapshot = console.loaded().await;
    assert_eq!(snapshot.runs, [], "this session has run nothing");
    let runs = listed(&mut console).await;
    let facts: Vec<(RunId, RunState, Option<i32>, u64)> =
        runs.iter().map(|view| (view.id.clone(), view.state, view.exit_code, view.lines)).collect();
    let want = [(second, RunState::Done, Some(0), 0), (first.clone(), RunState::Failed, Some(7), 0)];
    assert_eq!(facts, want);

    console.done(Command::Run(RunCommand::Open { run: first.clone() })).await;
    let opened = console.heard.iter().find_map(|event| match event {
        Event::Run(RunEvent::Opened { view }) => Some(Arc::clone(view)),
        _ => None,
    });
    assert_eq!(opened.map(|view| (view.id.clone(), view.lines)), Some((first.clone(), printed)));
    assert!(before.len() >= 500, "{before:?}");
    assert_eq!(console.transcript(&first).await, before);
    let gone = RunId("PLF-1-20200101T000000Z-0".into());
    let message = console.refused(Command::Run(RunCommand::Open { run: gone })).await;
    assert_eq!(message, "nothing is kept of the run PLF-1-20200101T000000Z-0");
    console.handle.shutdown().await;
}
