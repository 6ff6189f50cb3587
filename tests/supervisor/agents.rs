//! Agents under the supervisor: handed a ticket, steered, paused, asleep, over budget, and their worktrees.
//!
//! The agent is a small script that speaks Claude Code's stream and waits for files, never for time.

use std::path::Path;
use std::process::Command as Process;

use koru_tui::base::paths::ProjectPaths;
use koru_tui::base::process::ProcessIdentity;
use koru_tui::execute::folder::{FORMAT, RecordState, RunFolder, RunRecord};
use koru_tui::plan::ticket::{Status, TicketId};
use koru_tui::runtime::Options;
use koru_tui::runtime::protocol::{
    Channel, Command, Event, HeldWhy, ProjectEvent, QueueCommand, Resolution, RunCommand, RunEvent, RunId,
    RunState, Snapshot, WorktreeCommand,
};

use super::console::{Console, project, ticket, view};
use super::script::until_exists;

/// Lines of Claude Code's stream, as shell functions; `awaits FILE` waits until the test makes that file.
const SPEECH: &str = r#"#!/bin/sh
session() { printf '{"type":"system","subtype":"init","session_id":"c-1","model":"m","tools":[]}\n'; }
text() { printf '{"type":"assistant","message":{"id":"%s","content":[{"type":"text","text":"%s"}]},"session_id":"c-1"}\n' "$1" "$2"; }
finish() { printf '{"type":"result","subtype":"success","is_error":false,"result":"%s","session_id":"c-1","num_turns":1,"usage":{"input_tokens":%s,"output_tokens":5},"total_cost_usd":0.25}\n' "$1" "${2:-10}"; }
limited() { printf '{"type":"assistant","error":"rate_limit","is_api_error_message":true,"api_error_status":429,"message":{"id":"s1","model":"<synthetic>","content":[{"type":"text","text":"API Error: 429 rate limit"}]}}\n'; printf '{"type":"result","subtype":"success","is_error":true,"api_error_status":429,"result":"API Error: 429 rate limit","session_id":"c-1","num_turns":1,"usage":{"input_tokens":1,"output_tokens":1},"total_cost_usd":0.01}\n'; exit 1; }
awaits() { n=0; while [ ! -e "$SIGNS/$1" ] && [ $n -lt 600 ]; do n=$((n + 1)); sleep 0.05; done; }
"#;

pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Process::new("git").args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A git project whose agent `fake` is this script; `budgets` are lines of its configuration.
pub(crate) fn bench(
    script: &str,
    budgets: &str,
    tickets: &[String],
) -> (tempfile::TempDir, tempfile::TempDir) {
    let (project, signs) = (project(tickets), tempfile::tempdir().unwrap());
    let root = project.path();
    let program = signs.path().join("agent");
    std::fs::write(&program, format!("{SPEECH}{script}")).unwrap();
    git(root, &["init", "-q", "-b", "main"]);
    std::fs::write(root.join(".gitignore"), ".planfile/.koru/\n").unwrap();
    std::fs::write(root.join("hello.txt"), "hello\n").unwrap();
    git(root, &["add", "-A"]);
    git(root, &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "one"]);
    let koru = root.join(".planfile/.koru");
    std::fs::create_dir_all(&koru).unwrap();
    let config = format!(
        "agents:\n  fake:\n    kind: custom\n    stream: claude\n    args: [/bin/sh, {program}, '{{prompt}}']\n    env: \
         {{SIGNS: {signs}, PIN: violet-ox}}\n    writable: [{signs}]\n{budgets}",
        program = program.display(),
        signs = signs.path().display(),
    );
    std::fs::write(koru.join("config.yaml"), config).unwrap();
    let policy = "llm:\n  require_ci_pass_before_complete: true\nci:\n  command: grep -q world hello.txt\n";
    std::fs::write(koru.join("policy.yaml"), policy).unwrap();
    (project, signs)
}

pub(crate) fn delegate(id: &str, note: Option<&str>) -> Command {
    let agent = Some("fake".to_owned());
    let note = note.map(str::to_owned);
    Command::Run(RunCommand::Delegate { ticket: TicketId::new(id), agent, note })
}

pub(super) async fn lines_until(console: &mut Console, run: &RunId, text: &str) {
    loop {
        let heard = console.heard.iter().any(|event| match event {
            Event::Run(RunEvent::Output { run: of, lines, .. }) if of == run => {
                lines.iter().any(|line| line.text.contains(text))
            }
            _ => false,
        });
        if heard {
            return;
        }
        console.next().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_is_handed_to_an_agent_and_done_on_its_own_branch() {
    let script =
        "session; text m1 \"$1\" >/dev/null; text m1 Fixing; echo 'hello world' >hello.txt; finish Done.";
    let (project, _signs) = bench(script, "budgets:\n  day_usd: 9.0\n", &[ticket("PLF-1", "human", "", "")]);
    let mut console = Console::open(project.path());
    console.loaded().await;
    let run = console.done(delegate("PLF-1", Some("be kind"))).await.unwrap();
    let ended = console.ended(&run).await;
    assert_eq!((ended.state, ended.executor.as_str()), (RunState::Done, "agent"), "{:?}", ended.message);
    let agent = ended.agent.as_ref().unwrap();
    assert_eq!((agent.agent.as_str(), agent.tally.turns, agent.tally.tokens.input), ("fake", 1, 10));
    assert_eq!(agent.changed.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["hello.txt"]);
    assert_eq!(agent.gates.len(), 1);
    let snapshot = console.until(|snapshot| !snapshot.agents.is_empty()).await;
    assert_eq!((snapshot.agents[0].as_str(), snapshot.day_usd), ("fake", Some(9.0)));
    assert_eq!(snapshot.cost_today.map(|cost| (cost.usd, cost.estimated)), Some((0.25, false)));
    assert_eq!(console.ticket("PLF-1").status, Status::Done);
    assert_eq!(git(project.path(), &["show", "koru/PLF-1:hello.txt"]), "hello world\n");
    assert_eq!(std::fs::read_to_string(project.path().join("hello.txt")).unwrap(), "hello\n");

    console.done(Command::Run(RunCommand::FetchRaw { run: run.clone(), from: 0, count: 10 })).await;
    let raw = console.heard.iter().find_map(|event| match event {
        Event::Run(RunEvent::RawLines { total, lines, .. }) => Some((*total, lines[0].text.to_string())),
        _ => None,
    });
    let (total, first) = raw.unwrap();
    assert_eq!(total, 3);
    assert!(first.contains("\"session_id\":\"c-1\""), "{first}");
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_agent_cannot_hear_now_is_its_next_round() {
    let script = "case \"$1\" in *'use tabs'*) session; text m2 Again; echo 'hello world' >hello.txt; finish Done. ;;\n\
                  *) session; text m1 Working; awaits go; finish First. ;; esac";
    let (project, signs) = bench(script, "", &[ticket("PLF-1", "human", "", "")]);
    let mut console = Console::open(project.path());
    console.loaded().await;
    let run = console.done(delegate("PLF-1", None)).await.unwrap();
    lines_until(&mut console, &run, "Working").await;
    console.done(Command::Run(RunCommand::Say { run: run.clone(), text: "use tabs".to_owned() })).await;
    let queued = |queued: &[String]| queued.len() == 1;
    console
        .until(|snapshot| {
            view(snapshot, &run)
                .and_then(|view| view.agent.as_ref())
                .is_some_and(|agent| queued(&agent.queued))
        })
        .await;
    std::fs::write(signs.path().join("go"), "").unwrap();
    let ended = console.ended(&run).await;
    assert_eq!(ended.state, RunState::Done, "{:?}", ended.message);
    let agent = ended.agent.as_ref().unwrap();
    assert_eq!((agent.queued.len(), agent.tally.turns, agent.tally.tokens.output), (0, 2, 10));
    let texts = console.transcript(&run).await;
    let at = |text: &str| {
        texts.iter().position(|line| line == text).unwrap_or_else(|| panic!("{text} in {texts:?}"))
    };
    assert!(at("use tabs") < at("Again"), "{texts:?}");
    let late = Command::Run(RunCommand::Say { run, text: "more".to_owned() });
    assert!(console.refused(late).await.contains("is over"));
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_limit_is_slept_over_and_stopping_wakes() {
    let script = "if [ -e \"$SIGNS/limited\" ]; then session; text m1 Hm; limited; else session; limited; fi";
    let (project, _signs) = bench(script, "", &[ticket("PLF-1", "human", "", "")]);
    let mut console = Console::open(project.path());
    console.loaded().await;
    let run = console.done(delegate("PLF-1", None)).await.unwrap();
    let asleep = console
        .until(|snapshot| view(snapshot, &run).is_some_and(|view| view.state == RunState::Sleeping))
        .await;
    assert!(view(&asleep, &run).unwrap().agent.as_ref().unwrap().sleeping_until.is_some());
    console.done(Command::Run(RunCommand::Stop { run: run.clone() })).await;
    assert_eq!(console.ended(&run).await.state, RunState::Stopped);
    assert_eq!(console.ticket("PLF-1").execution.state, "ready");
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_that_is_used_up_waits_for_the_operator() {
    let script = "session; text m1 Working; finish Done. 5000; awaits never";
    let budgets = "budgets:\n  day_tokens: 1000\n";
    let (project, _signs) = bench(script, budgets, &[ticket("PLF-1", "human", "", "")]);
    let mut console = Console::open(project.path());
    console.loaded().await;
    let run = console.done(delegate("PLF-1", None)).await.unwrap();
    let ended = console.ended(&run).await;
    assert_eq!(ended.state, RunState::NeedsYou);
    let message = ended.message.as_deref().unwrap();
    assert!(message.contains("today's budget of 1000 tokens is used up"), "{message}");
    let waiting = console.ticket("PLF-1");
    assert_eq!((waiting.status, waiting.execution.state.as_str()), (Status::Open, "waiting_input"));
    assert_eq!(waiting.execution.attempt, 0);
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_run_is_retried_by_the_same_agent_with_a_note() {
    let script = "case \"$1\" in *'try harder'*) session; text m2 Yes; echo 'hello world' >hello.txt; finish Done. ;;\n\
                  *) session; text m1 No; finish Done. ;; esac";
    let (project, _signs) = bench(script, "", &[ticket("PLF-1", "human", "", "")]);
    let mut console = Console::open(project.path());
    console.loaded().await;
    let run = console.done(delegate("PLF-1", None)).await.unwrap();
    let failed = console.ended(&run).await;
    assert_eq!(failed.state, RunState::Failed);
    assert!(failed.message.as_deref().unwrap().contains("the gate ci failed"), "{:?}", failed.message);
    let (how, note) = (Resolution::Retry, Some("try harder".to_owned()));
    let again = console.done(Command::Run(RunCommand::Resolve { run, how, note })).await.unwrap();
    let ended = console.ended(&again).await;
    assert_eq!((ended.state, ended.executor.as_str()), (RunState::Done, "agent"), "{:?}", ended.message);

    console.done(Command::Worktree(WorktreeCommand::List)).await;
    let listed = console.heard.iter().find_map(|event| match event {
        Event::Project(ProjectEvent::Worktrees { list }) => Some(list.clone()),
        _ => None,
    });
    let listed = listed.unwrap();
    assert_eq!((listed.len(), listed[0].unmerged, listed[0].dirty), (1, 1, 0));
    console.done(Command::Worktree(WorktreeCommand::Prune { tickets: Vec::new() })).await;
    let report = console.heard.iter().find_map(|event| match event {
        Event::Project(ProjectEvent::Pruned { report }) => Some(report.clone()),
        _ => None,
    });
    let report = report.unwrap();
    assert_eq!((report.removed.len(), report.kept.len()), (0, 1), "unmerged work stays");
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thinking_and_tools_reach_the_console_as_what_they_are() {
    let script = r#"session
printf '{"type":"assistant","message":{"id":"m1","content":[{"type":"thinking","thinking":"hmm"}]}}\n'
printf '{"type":"assistant","message":{"id":"m1","content":[{"type":"tool_use","id":"t1","name":"Bash","input":{"command":"ls"}}]}}\n'
printf '{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t1","content":"hello.txt"}]}}\n'
text m2 Done; echo 'hello world' >hello.txt; finish Done."#;
    let (project, _signs) = bench(script, "", &[ticket("PLF-1", "human", "", "")]);
    let mut console = Console::open(project.path());
    console.loaded().await;
    let run = console.done(delegate("PLF-1", None)).await.unwrap();
    assert_eq!(console.ended(&run).await.state, RunState::Done);
    console.transcript(&run).await;
    let lines = console.heard.iter().rev().find_map(|event| match event {
        Event::Run(RunEvent::Lines { lines, .. }) => Some(lines),
        _ => None,
    });
    let channels: Vec<Channel> = lines.unwrap().iter().map(|line| line.channel).collect();
    for channel in [Channel::Thinking, Channel::Tool, Channel::ToolOutput, Channel::Text, Channel::Status] {
        assert!(channels.contains(&channel), "{channel:?} in {channels:?}");
    }
    console.handle.shutdown().await;
}

/// What a folder holds, all files together.
fn all_text(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| match path.is_dir() {
            true => all_text(&path),
            false => String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned(),
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_configuration_gives_an_agent_is_shown_nowhere() {
    let script = "session; text m1 \"my $PIN opens brass-key\"; echo \"lost $PIN\" >&2; echo x >\"$PIN.txt\"\n\
                  echo 'hello world' >hello.txt; finish \"done with $PIN and brass-key\"";
    let mcp = "mcp:\n  door:\n    url: http://127.0.0.1:9/\n    headers: {X-Door: Bearer brass-key}\n";
    let (project, _signs) = bench(script, mcp, &[ticket("PLF-1", "human", "", "")]);
    let mut console = Console::open(project.path());
    console.loaded().await;
    let run = console.done(delegate("PLF-1", None)).await.unwrap();
    let ended = console.ended(&run).await;
    assert_eq!(ended.state, RunState::Done, "{:?}", ended.message);
    console.handle.shutdown().await;
    let planfile = project.path().join(".planfile");
    let kept = [all_text(&planfile.join(".koru/runs")), all_text(&planfile.join("sprints"))].concat();
    assert!(kept.contains("my [redacted] opens [redacted]"), "{kept}");
    assert!(kept.contains("done with [redacted] and [redacted]"), "{kept}");
    let heard: Vec<String> = console
        .heard
        .iter()
        .filter(|event| matches!(event, Event::Run(RunEvent::Output { .. })))
        .map(|event| format!("{event:?}"))
        .collect();
    for text in [kept, heard.concat(), ended.message.clone().unwrap_or_default(), ended.label.clone()] {
        assert!(!text.contains("violet-ox") && !text.contains("brass-key"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sleeps_occupies_no_job_but_keeps_its_files() {
    let files = "      files:\n      - src/a.rs\n";
    let tickets = [
        ticket("PLF-1", "human", "", files),
        ticket("PLF-2", "shell", "true", files),
        ticket("PLF-3", "shell", "echo 'hello world' >hello.txt", ""),
        ticket("PLF-4", "llm", "", "").replace("kind: llm", "kind: llm\n        handler: agent:fake"),
    ];
    let (project, _signs) = bench("session; text m1 Hm; limited", "", &tickets);
    let mut console = Console::with(Options { jobs: 1, ..Options::new(project.path().to_owned()) });
    console.loaded().await;
    let run = console.done(delegate("PLF-1", None)).await.unwrap();
    console.until(|snapshot| view(snapshot, &run).is_some_and(|view| view.state == RunState::Sleeping)).await;
    console.done(Command::Queue(QueueCommand::Resume)).await;
    let done = |snapshot: &Snapshot| {
        let other = snapshot.plan.ticket(&TicketId::new("PLF-3")).unwrap();
        other.status == Status::Done && snapshot.held.len() == 2 && snapshot.queue.active == 0
    };
    let snapshot = console.until(done).await;
    assert_eq!(view(&snapshot, &run).unwrap().state, RunState::Sleeping);
    let why = |id: &str| snapshot.held.iter().find(|held| held.ticket.as_str() == id).map(|held| &held.why);
    let overlap = HeldWhy::Files { with: TicketId::new("PLF-1"), path: "src/a.rs".to_owned() };
    assert_eq!(why("PLF-2"), Some(&overlap));
    let sleeps = |why: &HeldWhy| matches!(why, HeldWhy::Asleep { agent, .. } if agent == "fake");
    assert!(why("PLF-4").is_some_and(sleeps), "{:?}", why("PLF-4"));
    console.handle.shutdown().await;
    assert_eq!(console.ticket("PLF-1").execution.state, "ready");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_wakes_waits_for_a_job_and_goes_on_with_the_first_that_is_free() {
    let script = r#"session; if [ -e "$SIGNS/slept" ]; then text m2 Again; echo 'hello world' >hello.txt; finish Done.; exit; fi
        : >"$SIGNS/slept"; text m1 Hm
        printf '{"type":"rate_limit_event","rate_limit_info":{"status":"rejected","resetsAt":%s}}\n' $(($(date +%s) + 6)); limited"#;
    let tickets = [ticket("PLF-1", "human", "", ""), ticket("PLF-2", "shell", &until_exists("go"), "")];
    let (project, _signs) = bench(script, "", &tickets);
    let mut console = Console::with(Options { jobs: 1, ..Options::new(project.path().to_owned()) });
    console.loaded().await;
    let other = console.run("PLF-2").await;
    let run = console.done(delegate("PLF-1", None)).await.unwrap();
    lines_until(&mut console, &run, "awake again; it waits for a free job").await;
    let waits = |snapshot: &Snapshot| {
        let view = view(snapshot, &run).unwrap();
        view.state == RunState::Sleeping && view.agent.as_ref().unwrap().waits_for_job
    };
    let snapshot = console.until(waits).await;
    assert_eq!(snapshot.queue.active, 1);
    std::fs::write(project.path().join("go"), "").unwrap();
    console.ended(&other).await;
    let ended = console.ended(&run).await;
    assert_eq!(ended.state, RunState::Done, "{:?}", ended.message);
    assert!(!ended.agent.as_ref().unwrap().waits_for_job);
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_agent_is_let_into_a_worktree_where_another_process_works() {
    let (project, _signs) = bench(
        "session; echo 'hello world' >hello.txt; finish Done.",
        "",
        &[ticket("PLF-1", "human", "", "")],
    );
    let mut other = tokio::process::Command::new("sleep").arg("50").kill_on_drop(true).spawn().unwrap();
    let at = jiff::Timestamp::now();
    let folder =
        RunFolder::create(&ProjectPaths::new(project.path()).runs(), &TicketId::new("PLF-1"), at).unwrap();
    let record = RunRecord {
        format: FORMAT,
        run: folder.name().to_owned(),
        ticket: TicketId::new("PLF-1"),
        executor: "review".to_owned(),
        label: "fix".to_owned(),
        holder: String::new(),
        supervisor: ProcessIdentity::of(other.id().unwrap()),
        child: None,
        started_at: at,
        state: RecordState::Running,
        ended_at: None,
        exit_code: None,
        message: None,
        agent: None,
        spent: None,
    };
    folder.write_record(&record).unwrap();
    let mut console = Console::open(project.path());
    console.loaded().await;
    let run = console.done(delegate("PLF-1", None)).await.unwrap();
    let said = console.ended(&run).await.message.clone().unwrap_or_default();
    let name = folder.name();
    assert!(said.contains(&format!("the run {name} works in the worktree of PLF-1 now")), "{said}");
    assert!(!project.path().join(".planfile/.koru/worktrees").exists(), "nothing was made");
    other.kill().await.unwrap();
    console.handle.shutdown().await;
}
