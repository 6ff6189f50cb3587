#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! An agent that misbehaves (`tests/fixtures/agents/misbehave`), at a real ticket with our real binary: a named outcome on
//! the ticket, the evidence kept, nobody left, the operator's checkout and every ref as they were. [`Stage::over`] checks
//! the last three for every run.

#[path = "support/agents/mod.rs"]
mod agents;
#[path = "agents_hostile/policy.rs"]
mod policy;
mod support;

use agents::bench::{Ran, SCRIPTED};
use agents::stage::{ID, Played, Stage, ticket};
use nix::sys::signal::Signal;
use serde_json::json;
use support::project::shell;
use support::wait;

/// Runs the behaviour to its end.
#[track_caller]
fn play(behaviour: &str) -> Played {
    Stage::scripted(behaviour).play()
}

/// Runs the behaviour until it notes its pid, then stops it as an operator does.
#[track_caller]
fn stop(behaviour: &str) -> Played {
    let stage = Stage::scripted(behaviour);
    let running = stage.start();
    let agent = wait::text_in(&stage.bench.around("notes").join("agent.pid"));
    running.signal(Signal::SIGINT);
    let ran = running.end();
    assert!(!wait::is_alive(&agent), "the agent lives on");
    stage.over(ran)
}

const EDITED: Option<&str> = Some("Hello, world!\n");

#[test]
fn one_that_works_is_committed() {
    let played = play("works");
    played.expect(0, "done", "finished");
    assert_eq!(played.committed().as_deref(), EDITED, "{}", played.told);
}

#[test]
fn one_that_is_not_there_is_named() {
    let played = Stage::scripted_with("works", ticket(), |bench| {
        bench.agent(SCRIPTED, json!({"kind": "custom", "args": ["/nonexistent/agent", "{prompt}"]}));
    })
    .play();
    played.expect(1, "failed", "missing");
    assert!(played.ran.out.contains("/nonexistent/agent"), "{}", played.told);
}

#[test]
fn one_that_does_nothing_did_nothing() {
    play("nothing").expect(1, "failed", "nothing_done");
}

#[test]
fn garbage_is_kept_and_named() {
    let played = play("garbage");
    played.expect(1, "failed", "garbage");
    assert!(played.holds("Segmentation fault? <html>"), "{}", played.told);
}

#[test]
fn ten_megabytes_in_one_line_are_cut_and_the_work_counts() {
    let played = play("huge-line");
    played.expect(0, "done", "finished");
    assert_eq!(played.committed().as_deref(), EDITED, "{}", played.told);
    let longest = played.lines.iter().map(|(_, line)| line.len()).max().unwrap();
    assert!(longest < 1 << 20, "a line of {longest} bytes in the transcript");
}

#[test]
fn ten_megabytes_without_a_line_end_do_no_harm() {
    let played = play("huge-noise");
    played.expect(0, "done", "finished");
    assert_eq!(played.committed().as_deref(), EDITED, "{}", played.told);
}

#[test]
fn bytes_that_are_no_text_are_shown_as_such() {
    let played = play("invalid-utf8");
    played.expect(0, "done", "finished");
    assert!(played.holds("\u{fffd}\u{fffd}"), "{}", played.told);
}

#[test]
fn what_acts_on_a_terminal_is_not_printed() {
    let played = play("hostile-text");
    played.expect(0, "done", "finished");
    let acts = |text: &str| text.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
    assert_eq!((acts(&played.ran.out), acts(&played.ran.err)), (None, None), "{}", played.told);
}

#[test]
fn a_rate_limit_is_slept_over_until_it_ends() {
    let played = play("rate-limited");
    played.expect(0, "done", "finished");
    assert!(played.holds("[rate limit: asleep until ") && played.holds("Going on."), "{}", played.told);
    assert_eq!(played.committed().as_deref(), EDITED, "{}", played.told);
}

#[test]
fn one_that_dies_in_mid_sentence_failed() {
    let played = play("dies-mid-json");
    played.expect(1, "failed", "failed");
    // Its work is evidence.
    assert_eq!(played.committed().as_deref(), EDITED, "{}", played.told);
}

#[test]
fn an_error_in_its_words_is_a_failure() {
    let played = play("fails");
    played.expect(1, "failed", "failed");
    assert!(played.result().to_string().contains("scripted failure"), "{}", played.told);
}

#[test]
fn an_error_in_its_exit_code_is_a_failure() {
    play("lies").expect(1, "failed", "failed");
}

#[test]
fn one_that_hangs_up_and_lives_on_is_ended() {
    let played = play("closes-stdout");
    played.expect(0, "done", "finished");
    let agent = played.stage.bench.noted("agent.pid");
    assert!(!wait::is_alive(&agent), "{}", played.told);
}

#[test]
fn a_child_that_holds_its_output_is_ended() {
    let played = play("holds-pipes");
    played.expect(0, "done", "finished");
    let child = played.stage.bench.noted("child.pid");
    assert!(!wait::is_alive(&child), "{}", played.told);
}

#[test]
fn a_child_that_left_its_session_is_ended_with_the_work() {
    let played = play("double-forks-and-ends");
    played.expect(0, "done", "finished");
    let child = played.stage.bench.noted("child.pid");
    assert!(!wait::is_alive(&child), "{}", played.told);
}

#[test]
fn one_that_ignores_the_request_to_end_is_ended() {
    let played = stop("ignores-term");
    assert_eq!(played.record["state"], "stopped", "{}", played.told);
}

#[test]
fn a_child_that_left_its_session_is_stopped_too() {
    let played = stop("double-forks");
    let child = played.stage.bench.noted("child.pid");
    assert!(!wait::is_alive(&child), "{}", played.told);
}

#[test]
fn a_child_that_left_everything_of_ours_is_stopped_too() {
    let played = stop("forgets-environment");
    let child = played.stage.bench.noted("child.pid");
    assert!(!wait::is_alive(&child), "{}", played.told);
}

#[test]
fn silence_is_ended_by_its_limit() {
    let played = Stage::scripted_with("silent", ticket(), |bench| {
        bench.configure("budgets", json!({"silence_minutes": 0.01}));
    })
    .play();
    assert_eq!(
        played.record["agent"]["ending"],
        json!({"ending": "limit", "which": "silence"}),
        "{}",
        played.told
    );
}

#[test]
fn a_base_that_moves_on_is_left_alone() {
    let mut stage = Stage::scripted("waits");
    let base = stage.bench.git(&["rev-parse", "main"]);
    let running = stage.start();
    wait::text_in(&stage.bench.around("notes").join("agent.pid"));
    stage.operator(|bench| {
        bench.git(&["commit", "-q", "-m", "By the operator"]);
    });
    std::fs::write(stage.bench.around("notes").join("go"), "").unwrap();
    let ran = running.end();
    let played = stage.over(ran);
    played.expect(0, "done", "finished");
    assert_eq!(played.committed().as_deref(), EDITED, "{}", played.told);
    assert_eq!(played.stage.bench.git(&["merge-base", "main", "koru/PLF-001"]), base, "{}", played.told);
}

#[test]
fn a_worktree_that_cannot_be_made_is_named_and_nothing_is_started() {
    let played = Stage::scripted_with("works", ticket(), |bench| {
        bench.project.write(".planfile/.koru/worktrees", "a file where a folder should be\n");
    })
    .play();
    played.expect(1, "failed", "");
    assert!(played.ran.out.contains(".koru/worktrees"), "{}", played.told);
    assert_eq!(played.record["child"], json!(null), "{}", played.told);
}

#[test]
fn the_queue_goes_on_after_an_agent_that_failed() {
    let mut bench = agents::bench::Bench::new(&[
        ticket().execution("max_attempts: 1"),
        shell("PLF-002", "next", "echo 'Hello, world!' > hello.txt"),
    ]);
    bench.misbehaves("garbage");
    bench.configure("roles", json!({"worker": SCRIPTED}));
    // The ticket's executor names the agent, so that the queue itself gives it the ticket.
    let current = bench.project.read(".planfile/sprints/current.yaml");
    let kind = "        kind: llm\n";
    let named = current.replacen(kind, &format!("        handler: agent\n{kind}"), 1);
    assert_ne!(named, current);
    bench.project.write(".planfile/sprints/current.yaml", &named);
    let Ran { out, err, .. } = bench.koru(&["queue", "run", "--loop"]);
    let status = |id: &str| bench.project.record(id)["status"].as_str().unwrap().to_owned();
    assert_eq!((status(ID).as_str(), status("PLF-002").as_str()), ("failed", "done"), "{out}\n{err}");
}
