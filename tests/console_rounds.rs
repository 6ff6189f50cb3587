#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! The console, a real worker and a real reviewer: Claude Code writes, Codex judges, a scripted model on the loopback
//! interface speaks for both. The work goes back once and passes, and the screen tells it.

#[path = "support/agents/mod.rs"]
mod agents;
mod support;

use std::time::{Duration, Instant};

use agents::bench::Bench;
use agents::installed::Agent;
use agents::scenario::{self, HEAD, Turn, act, say};
use agents::stage::{ID, ticket};
use agents::stub::Stub;
use serde_json::{Value, json};
use support::pty::{Launch, Terminal, patience};

/// A verdict as a model gives it.
fn verdict(decision: &str, findings: &Value) -> Turn {
    act().structured(json!({
        "ticket": ID, "head": HEAD, "decision": decision, "summary": "Read with care.", "findings": findings,
    }))
}

fn finding() -> Value {
    json!({
        "earlier_id": null, "severity": "high", "blocking": true, "file": "hello.txt", "line": 2, "end_line": null,
        "reason": "the second line is never announced", "required_change": "call it the second line",
        "dimension": "correctness",
    })
}

/// What the reviewer's model says: it looks, judges, and is asked again in the next round.
fn judging(agent: Agent) -> Vec<Turn> {
    let look = || act().bash("git log --oneline -1");
    // Claude Code hands the verdict in with a tool, and its model has the last word.
    let last = || if agent == Agent::Claude { vec![say("Delivered.")] } else { Vec::new() };
    [
        vec![look(), verdict("changes_required", &json!([finding()]))],
        last(),
        vec![look(), verdict("approve", &json!([]))],
        last(),
    ]
    .concat()
}

/// What the worker's model says: the scenarios' edit, and then what the reviewer wants.
fn working() -> Vec<Turn> {
    let mended = vec![
        act().edit(scenario::FILE, "Second line.", "The second line."),
        say("Done: the second line is announced."),
    ];
    [scenario::edit_success(), mended].concat()
}

/// Agents take seconds to start, so this waits longer than other tests of the screen.
#[track_caller]
fn wait_long(terminal: &Terminal, text: &str) -> String {
    let deadline = Instant::now() + patience() * 12;
    loop {
        let screen = terminal.text();
        if screen.contains(text) {
            return screen;
        }
        assert!(Instant::now() < deadline, "waited for {text:?}; the screen says:\n{screen}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn two_rounds(worker: Agent, judge: Agent) {
    let (Some(worker), Some(judge)) = (worker.installed(), judge.installed()) else { return };
    let mut bench = Bench::new(&[ticket()]);
    let stubs = [Stub::start(working()), Stub::start(judging(judge.agent))];
    for (installed, stub) in [&worker, &judge].into_iter().zip(&stubs) {
        let seat = installed.seat(&bench.around("state").join(installed.agent.name()), stub);
        bench.seat(&seat);
    }
    let (by, of) = (worker.agent.name(), judge.agent.name());
    bench.configure("roles", json!({"worker": by, "reviewer": of}));
    let before = bench.checkout();

    let mut terminal = Launch::koru(bench.project.path(), &[]).size(140, 44).start();
    terminal.wait_for(ID);
    // Whoever has the role stands first.
    terminal.send("D");
    terminal.wait_for("who works");
    terminal.send("\r");
    terminal.wait_for(&format!("{by} works {ID}"));
    terminal.send("\x13");
    wait_long(&terminal, "✕ changes (1)");
    wait_long(&terminal, "✓ approve");
    let screen = wait_long(&terminal, "✓ approved");
    for text in ["round 2/3", "✓ fixed  high  hello.txt:2", by, of] {
        assert!(screen.contains(text), "no {text:?} on:\n{screen}");
    }
    wait_long(&terminal, "1 done");

    // One key from the finding to its line.
    terminal.send("V");
    terminal.wait_for("required: call it the second line");
    terminal.send("\r");
    terminal.wait_until("the finding at its line", |screen| {
        // It was mended since: its line is that of the round that it was found in.
        let words = ["file 1/1", "base to round 1", "the second line is never announced", "FINDINGS"];
        words.iter().all(|text| screen.contains(text))
    });
    terminal.send("\x1b");
    terminal.wait_gone("FINDINGS");
    terminal.send("q");
    assert!(terminal.wait_exit().success());

    let told = stubs[0].seen();
    let asked = told.main();
    assert!(
        asked.last().unwrap().holds("the second line is never announced")
            && asked.last().unwrap().holds(scenario::TASK),
        "the worker was not told what to mend in the conversation that it was in"
    );
    let judged = stubs[1].seen();
    assert!(judged.main().iter().all(|asked| asked.holds("Judge the work on `PLF-001`")));
    assert_eq!(bench.committed(ID, scenario::FILE).as_deref(), Some("Hello, world!\nThe second line.\n"));
    assert_eq!(bench.project.record(ID)["status"], "done");
    assert_eq!(bench.checkout(), before, "the operator's checkout was touched");
    assert_eq!(bench.left(), vec![], "left behind");
}

#[test]
fn claude_works_and_codex_judges() {
    two_rounds(Agent::Claude, Agent::Codex);
}

#[test]
fn codex_works_and_claude_judges() {
    two_rounds(Agent::Codex, Agent::Claude);
}
