//! Two supervisors at once, floods, a killed console, silence, leases that are over.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use koru_tui::plan::ticket::Status;
use koru_tui::runtime::Options;
use koru_tui::runtime::protocol::{
    Command, Event, QueueCommand, Resolution, RunCommand, RunEvent, RunState, Snapshot,
};

use super::agents::{bench, delegate, lines_until};
use super::console::{Console, LIMIT, project, ticket, view};
use super::script::until_exists;

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

/// Starts that process on the project at `root` and kills it when its run has left a file `orphan`.
async fn kill_helper(root: &Path) {
    let mut helper = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "trouble::helper_console_that_is_killed"])
        .env("KORU_TEST_ROOT", root)
        .stdout(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let appears = async {
        while !(root.join("running").exists() && root.join("orphan").exists()) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, appears).await.unwrap();
    helper.kill().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_console_leaves_an_interrupted_run_that_can_be_retried() {
    // The grandchild ignores TERM and outlives the console; the leader dies with it.
    let script = "test -e again && exit 0; touch again; \
                  sh -c 'trap \"\" TERM; echo $$ > orphan; for i in $(seq 1000); do sleep 0.05; done' & echo started; wait";
    let project = project(&[ticket("PLF-1", "shell", script, "")]);
    kill_helper(project.path()).await;

    let mut console = Console::with(Options {
        grace: Duration::from_millis(100),
        ..Options::new(project.path().to_owned())
    });
    let snapshot =
        console.until(|snapshot| snapshot.runs.iter().any(|view| view.state == RunState::Interrupted)).await;
    let found = Arc::clone(&snapshot.runs[0]);
    assert_eq!((found.ticket.as_str(), found.lines, found.orphaned), ("PLF-1", 1, true));
    assert_eq!(console.transcript(&found.id).await, ["started"]);
    let resolve = |how| Command::Run(RunCommand::Resolve { run: found.id.clone(), how, note: None });
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
async fn a_run_whose_leftovers_ended_since_they_were_found_is_retried_at_once() {
    let script =
        "test -e again && exit 0; touch again; sh -c 'echo $$ > orphan; exec sleep 50' & echo started; wait";
    let project = project(&[ticket("PLF-1", "shell", script, "")]);
    kill_helper(project.path()).await;
    let mut console = Console::open(project.path());
    let snapshot =
        console.until(|snapshot| snapshot.runs.iter().any(|view| view.state == RunState::Interrupted)).await;
    let found = Arc::clone(&snapshot.runs[0]);
    assert!(found.orphaned);
    let orphan = std::fs::read_to_string(project.path().join("orphan")).unwrap().trim().to_owned();
    let pid = nix::unistd::Pid::from_raw(orphan.parse().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
    let ends = async {
        let lives = |stat: String| !stat.is_empty() && !stat.contains(") Z ");
        while lives(std::fs::read_to_string(format!("/proc/{orphan}/stat")).unwrap_or_default()) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, ends).await.unwrap();
    let retry = RunCommand::Resolve { run: found.id.clone(), how: Resolution::Retry, note: None };
    let again = console.done(Command::Run(retry)).await.unwrap();
    assert_eq!(console.ended(&again).await.state, RunState::Done);
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_run_is_stalled_until_it_speaks() {
    let script = format!("echo one; {}; echo two; {}", until_exists("go"), until_exists("end"));
    let project = project(&[ticket("PLF-1", "shell", &script, "")]);
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

/// Run by [`an_interrupted_agents_run_is_retried_by_the_same_agent`] in a process of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn helper_console_that_is_killed_with_its_agent() {
    let Ok(root) = std::env::var("KORU_TEST_AGENT_ROOT") else { return };
    let mut console = Console::open(Path::new(&root));
    console.loaded().await;
    let run = console.done(delegate("PLF-1", None)).await.unwrap();
    lines_until(&mut console, &run, "Working").await;
    std::fs::write(Path::new(&root).join("running"), "").unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_agents_run_is_retried_by_the_same_agent() {
    // The operator chose `fake`, which is not the usual agent, for a ticket that asks a person by itself.
    let script = "session; if [ -e \"$SIGNS/again\" ]; then text m2 Again; echo 'hello world' >hello.txt; finish Done.; exit; \
                  fi; : >\"$SIGNS/again\"; text m1 Working; awaits never";
    let roles = "  other:\n    kind: custom\n    args: ['false']\nroles:\n  worker: other\n";
    let (project, _signs) = bench(script, roles, &[ticket("PLF-1", "human", "", "")]);
    let mut helper = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "trouble::helper_console_that_is_killed_with_its_agent"])
        .env("KORU_TEST_AGENT_ROOT", project.path())
        .stdout(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let appears = async {
        while !project.path().join("running").exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, appears).await.unwrap();
    helper.kill().await.unwrap();

    let mut console = Console::open(project.path());
    let snapshot =
        console.until(|snapshot| snapshot.runs.iter().any(|view| view.state == RunState::Interrupted)).await;
    let found = Arc::clone(&snapshot.runs[0]);
    assert_eq!(found.agent.as_ref().map(|agent| agent.agent.as_str()), Some("fake"));
    if found.orphaned {
        console.done(Command::Run(RunCommand::Stop { run: found.id.clone() })).await;
    }
    let how = Resolution::Retry;
    let retry = Command::Run(RunCommand::Resolve { run: found.id.clone(), how, note: None });
    let again = console.done(retry).await.unwrap();
    let ended = console.ended(&again).await;
    assert_eq!(ended.agent.as_ref().map(|agent| agent.agent.as_str()), Some("fake"));
    assert_eq!(ended.state, RunState::Done, "{:?}", ended.message);
    console.handle.shutdown().await;
}
