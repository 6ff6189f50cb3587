#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! kill -9 while a ticket is worked in rounds: in each phase, and at durable steps all over the run. The next
//! `ticket run` goes on at that very phase; whoever had finished a turn is not paid for it again, and the rounds end as
//! they would have ended.

#[path = "support/agents/mod.rs"]
mod agents;
mod support;

use std::path::Path;

use agents::bench::{Bench, Ran};
use agents::stage::ID;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use support::project::Ticket;
use support::wait;

/// What both agents begin with: Claude Code's stream, a count of the turns that were begun, and waiting while a test
/// holds the phase. A turn waits at most once, so that the next one goes through.
const SPEECH: &str = r#"#!/bin/sh
begin() { echo x >>"$SIGNS/$1"; printf '{"type":"system","subtype":"init","session_id":"%s","model":"m","tools":[]}\n' "$1"; }
hold() {
  [ -e "$SIGNS/hold-$1" ] || return 0
  echo "$$" >"$SIGNS/held.new"; mv "$SIGNS/held.new" "$SIGNS/held-$1"
  n=0; while [ -e "$SIGNS/hold-$1" ] && [ $n -lt 1200 ]; do n=$((n + 1)); sleep 0.05; done
}
finish() { printf '{"type":"result","subtype":"success","is_error":false,"result":"%s","session_id":"%s","num_turns":1,"usage":{"input_tokens":10,"output_tokens":5},"total_cost_usd":0.01}\n' "$2" "$1"; }
"#;

/// Works as it is told: the second time at length.
const WORKER: &str = r#"begin worked
case $1 in *'says too little'*) hold worker-2; echo 'Hello, world! At length.' >hello.txt ;;
*) hold worker-1; echo 'Hello, world!' >hello.txt ;; esac
finish worked Done.
"#;

/// Judges what lies there.
const JUDGE: &str = r#"begin judged
if grep -q length hello.txt; then hold reviewer-2; decision=approve; findings=
else hold reviewer-1; decision=changes_required
findings='{"earlier_id":null,"severity":"high","blocking":true,"file":"hello.txt","line":1,"end_line":null,"reason":"says too little","required_change":null,"dimension":null}'
fi
printf '{"type":"result","subtype":"success","is_error":false,"result":"judged","structured_output":{"ticket":"PLF-001","head":"%s","decision":"%s","summary":"s","findings":[%s]},"session_id":"judged","num_turns":1,"total_cost_usd":0.01}\n' "$(git rev-parse HEAD)" "$decision" "$findings"
"#;

/// A project whose ticket is worked in rounds; the folder `notes` beside it has the signs.
fn bench() -> Bench {
    let ticket = Ticket::new(ID, "Greet at length", "llm").file("hello.txt");
    let mut bench = Bench::new(&[ticket]);
    let signs = bench.around("notes");
    for (name, script) in [("fake", WORKER), ("judge", JUDGE)] {
        let program = signs.join(name);
        std::fs::write(&program, format!("{SPEECH}{script}")).unwrap();
        let settings = json!({
            "kind": "custom", "stream": "claude", "args": ["/bin/sh", program, "{prompt}"], "env": {"SIGNS": signs},
            "writable": [signs],
        });
        bench.agent(name, settings);
    }
    bench.configure("roles", json!({"worker": "fake", "reviewer": "judge"}));
    // A gate may write nothing outside of the worktree, so it only looks whether it is held. It leaves a report, which is
    // no file of the ticket.
    let gate = format!(
        "echo left >report.xml; n=0; while {{ grep -q length hello.txt && r=2 || r=1; [ -e {signs}/hold-gate-$r ]; }} && [ $n -lt 1200 ]; do n=$((n + \
         1)); sleep 0.05; done; grep -q world hello.txt",
        signs = signs.display()
    );
    let script = signs.join("gate");
    std::fs::write(&script, gate).unwrap();
    let policy = json!({"llm": {}, "ci": {"command": format!("sh {}", script.display())}});
    bench.project.write(".planfile/.koru/policy.yaml", &format!("{policy:#}\n"));
    bench
}

/// Where the ticket is worked on.
const WORKTREE: &str = ".planfile/.koru/worktrees/PLF-001";

const RUN: [&str; 4] = ["ticket", "run", ID, "--agent=fake"];

fn review(bench: &Bench) -> Option<Value> {
    let path = bench.project.path().join(format!(".planfile/.koru/loop/{ID}/rounds.json"));
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

fn turns(bench: &Bench, name: &str) -> usize {
    std::fs::read_to_string(bench.around("notes").join(name)).unwrap_or_default().lines().count()
}

/// The work is approved after two rounds, whatever happened on the way.
#[track_caller]
fn ended(bench: &Bench, ran: &Ran, case: &str) {
    let review = review(bench).unwrap_or_else(|| panic!("{case}: no rounds\n{}\n{}", ran.out, ran.err));
    let told = format!("{case}\n{review:#}\n--- stdout\n{}\n--- stderr\n{}", ran.out, ran.err);
    assert_eq!(ran.code, Some(0), "{told}");
    let rounds = review["rounds"].as_array().unwrap();
    let decisions: Vec<_> = rounds.iter().map(|round| round["verdict"]["decision"].clone()).collect();
    assert_eq!(decisions, ["changes_required", "approve"], "{told}");
    let numbers: Vec<_> = rounds.iter().map(|round| round["number"].clone()).collect();
    assert_eq!(numbers, [1, 2], "{told}");
    assert_eq!(rounds[1]["fixes"][0]["reason"], "says too little", "{told}");
    assert_eq!(review["stage"]["stage"], "approved", "{told}");
    assert_eq!(bench.project.record(ID)["status"], "done", "{told}");
    assert_eq!(bench.committed(ID, "hello.txt").as_deref(), Some("Hello, world! At length.\n"), "{told}");
}

/// The operator lets the ticket of a dead runner go on.
fn goes_on(bench: &Bench) -> Ran {
    if bench.project.record(ID)["status"] == "in_progress" {
        bench.koru(&["ticket", "ready", ID]).expect(0);
    }
    bench.koru(&RUN)
}

/// The reports that were moved out of the worktree.
fn set_aside(bench: &Bench) -> Vec<String> {
    let archive = bench.project.path().join(format!(".planfile/.koru/loop/{ID}/archive"));
    let folders = std::fs::read_dir(archive).into_iter().flatten().flatten();
    folders.filter_map(|folder| std::fs::read_to_string(folder.path().join("report.xml")).ok()).collect()
}

/// Kills the run in a phase, lets another one go on, and says how many turns worker and reviewer began in all.
#[track_caller]
fn killed_in(phase: &str) -> (usize, usize) {
    let bench = bench();
    let signs = bench.around("notes");
    let hold = signs.join(format!("hold-{phase}"));
    std::fs::write(&hold, "").unwrap();
    let running = bench.start(&RUN);
    match phase.strip_prefix("gate-") {
        Some(round) => wait::until("the gate", || {
            let review = review(&bench)?;
            let rounds = review["rounds"].as_array()?.len().to_string();
            let begun = bench.project.path().join(WORKTREE).join("report.xml").exists();
            (review["stage"]["stage"] == "checking" && rounds == round && begun).then_some(())
        }),
        None => drop(wait::text_in(&signs.join(format!("held-{phase}")))),
    }
    running.signal(Signal::SIGKILL);
    let killed = running.end();
    assert_eq!(killed.code, None, "{phase}: it was not killed\n{}", killed.out);
    // Whoever was left behind in the middle of its turn ends, unheard.
    std::fs::remove_file(&hold).unwrap();
    assert_eq!(support::leftover::wait_none(support::pty::patience(), || bench.left()), vec![], "{phase}");
    let ran = goes_on(&bench);
    ended(&bench, &ran, phase);
    // What the gate left that was cut off is nobody's work, and is not lost either.
    let kept: Vec<String> = set_aside(&bench);
    let wanted = if phase.starts_with("gate-") { vec!["left\n"] } else { Vec::new() };
    assert_eq!(kept, wanted, "{phase}");
    assert!(!bench.project.path().join(WORKTREE).join("report.xml").exists(), "{phase}");
    (turns(&bench, "worked"), turns(&bench, "judged"))
}

#[test]
fn a_run_that_was_killed_goes_on_in_the_phase_it_was_in() {
    let undisturbed = bench();
    let ran = undisturbed.koru(&RUN);
    ended(&undisturbed, &ran, "undisturbed");
    assert_eq!((turns(&undisturbed, "worked"), turns(&undisturbed, "judged")), (2, 2));
    // Only the turn that was cut off is begun again.
    let wanted = [
        ("worker-1", (3, 2)),
        ("gate-1", (2, 2)),
        ("reviewer-1", (2, 3)),
        ("worker-2", (3, 2)),
        ("gate-2", (2, 2)),
        ("reviewer-2", (2, 3)),
    ];
    let found = wanted.map(|(phase, _)| (phase, killed_in(phase)));
    assert_eq!(found, wanted);
}

/// Durable steps that a process is killed at, spread evenly; every one of them when the whole matrix is asked for.
const CASES: u64 = 16;

#[test]
fn a_process_that_dies_at_any_durable_step_loses_no_finished_turn() {
    let whole = bench();
    let count = whole.around("notes").join("steps");
    let fault = format!("count:{}", count.display());
    let ran = whole.start_in(&RUN, &[("KORU_TUI_FAULT", &fault)]).end();
    ended(&whole, &ran, "counting");
    let steps = std::fs::metadata(count).unwrap().len();
    assert!(steps > CASES, "{steps}");
    let stride = if std::env::var_os("KORU_TUI_WHOLE_MATRIX").is_some() { 1 } else { steps.div_ceil(CASES) };
    for at in (1..=steps).step_by(usize::try_from(stride).unwrap()) {
        killed_at(at, steps);
    }
}

#[track_caller]
fn killed_at(at: u64, steps: u64) {
    let case = format!("kill@{at} of {steps}");
    let bench = bench();
    let killed = bench.start_in(&RUN, &[("KORU_TUI_FAULT", &format!("kill@{at}"))]).end();
    let before = review(&bench);
    let (worked, judged) = finished(before.as_ref());
    assert_eq!(killed.code, None, "{case}: it was not killed\n{}", killed.out);
    assert_eq!(support::leftover::wait_none(support::pty::patience(), || bench.left()), vec![], "{case}");
    if bench.project.record(ID)["status"] == "done" {
        return;
    }
    ended(&bench, &goes_on(&bench), &case);
    // A turn whose end is on record is never begun again: at most the one that was cut off is.
    let (all_worked, all_judged) = (turns(&bench, "worked"), turns(&bench, "judged"));
    let told = format!("{case}: {all_worked} and {all_judged} turns\n{before:#?}");
    assert!((2..=3).contains(&all_worked) && (2..=3).contains(&all_judged), "{told}");
    assert!(all_worked + all_judged <= 5, "{told}");
    assert!(worked <= 2 && judged <= 2, "{told}");
    let path = bench.project.path().to_owned();
    assert!(is_whole(&path), "{case}: git does not find its objects");
}

/// Turns of worker and reviewer whose end is on record.
fn finished(review: Option<&Value>) -> (usize, usize) {
    let rounds = review.and_then(|review| review["rounds"].as_array()).cloned().unwrap_or_default();
    let over = |part: &str| rounds.iter().filter(|round| round[part]["took"].is_object()).count();
    (over("worker"), over("reviewer"))
}

fn is_whole(root: &Path) -> bool {
    let checked =
        std::process::Command::new("git").args(["fsck", "--connectivity-only"]).current_dir(root).output();
    checked.unwrap().status.success()
}
