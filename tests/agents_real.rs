#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! The real agents at a real ticket: `koru-tui ticket run ID --agent NAME`, the agent's own program, a scripted model on
//! the loopback interface. Each scenario is looked at from outside: the ticket, the branch, the worktree, the transcript,
//! the operator's checkout, and whoever is left.
//!
//! What each agent makes of the scenarios without us is pinned by `agents_peers`.

#[path = "support/agents/mod.rs"]
mod agents;
#[path = "agents_real/aider.rs"]
mod aider;
#[allow(dead_code)]
#[path = "supervisor/console.rs"]
mod console;
#[path = "agents_real/steering.rs"]
mod steering;
mod support;

use agents::installed::Agent;
use agents::scenario::{self, act};
use agents::stage::{ID, Stage};
use nix::sys::signal::Signal;
use serde_json::json;

/// The agent reads, edits, checks and says that it is done.
fn edits(agent: Agent) {
    let Some((stage, stub)) = Stage::real(agent, scenario::edit_success()) else { return };
    let played = stage.play();
    played.expect(0, "done", "finished");
    let bench = &played.stage.bench;
    assert_eq!(played.committed().as_deref(), Some(scenario::CORRECTED), "{}", played.told);
    // One commit of ours on top of the base, nothing else in it, nothing left uncommitted.
    let log = bench.git(&["log", "--format=%s", "main..koru/PLF-001"]);
    assert_eq!(log.lines().count(), 1, "{log}");
    assert_eq!(bench.git(&["diff", "--name-only", "main", "koru/PLF-001"]), "hello.txt\n");
    assert_eq!(agents::bench::git(&bench.worktree(ID), &["status", "--porcelain"]), "");
    assert_eq!(stub.turns_used(), 4, "{}", played.told);
    let first = &stub.seen().main()[0].clone();
    assert!(first.holds(scenario::TASK), "the brief does not hold the ticket's name: {}", first.body);
    assert!(played.holds("I'll read hello.txt first.") && played.holds(scenario::DONE), "{}", played.told);
    let tally = &played.record["agent"]["tally"];
    let tokens = json!({"input": 1780, "cache_read": 3850, "cache_write": 0, "output": 164});
    assert_eq!(tally["tokens"], tokens, "{}", played.told);
    assert_eq!(tally["tools"], 3, "{}", played.told);
    assert!(tally["conversation"].is_string(), "{}", played.told);
}

/// Tools fail, and the agent says so: it finished, and changed nothing.
fn tools_fail(agent: Agent) {
    let Some((stage, stub)) = Stage::real(agent, scenario::tool_failure()) else { return };
    let played = stage.play();
    // It finished; that the work is not done is the check's word.
    played.expect(1, "failed", "finished");
    assert_eq!(stub.turns_used(), 5, "{}", played.told);
    assert!(played.holds("I could not make the change"), "{}", played.told);
    assert!(played.holds("to-stderr"), "{}", played.told);
    assert_eq!(played.committed().as_deref(), Some(scenario::GREETING), "{}", played.told);
}

/// The model's host says twice that it is asked too often.
fn is_told_to_wait(agent: Agent) {
    let Some((stage, stub)) = Stage::real(agent, scenario::rate_limit_then_success()) else { return };
    let played = stage.play();
    played.expect(0, "done", "finished");
    assert_eq!(played.committed().as_deref(), Some(scenario::CORRECTED), "{}", played.told);
    assert_eq!(stub.seen().main().len(), 6, "{}", played.told);
}

/// The connection is reset in the middle of a reply.
fn is_cut_off(agent: Agent) {
    let Some((stage, _stub)) = Stage::real(agent, scenario::disconnect()) else { return };
    let played = stage.play();
    if agent == Agent::Gemini {
        // It does not ask again.
        played.expect(1, "failed", "failed");
        return;
    }
    played.expect(0, "done", "finished");
    assert_eq!(played.committed().as_deref(), Some(scenario::CORRECTED), "{}", played.told);
}

/// Every reply breaks off with an event that does not parse.
fn hears_garbage(agent: Agent) {
    let Some((stage, _stub)) = Stage::real(agent, scenario::malformed()) else { return };
    let played = stage.play();
    // Claude Code asks again for a reply in one piece, which is whole.
    played.expect(1, "failed", if agent == Agent::Claude { "finished" } else { "failed" });
    assert_eq!(played.committed().as_deref(), Some(scenario::GREETING), "{}", played.told);
}

/// The model says what would act on a terminal.
fn hears_hostile_text(agent: Agent) {
    let Some((stage, _stub)) = Stage::real(agent, scenario::hostile_text()) else { return };
    let played = stage.play();
    played.expect(1, "failed", "finished");
    for text in [&played.ran.out, &played.ran.err] {
        assert_eq!(acts_on_a_terminal(text), None, "{}", played.told);
    }
    if agent != Agent::Gemini {
        // Its loop detection takes the line for a loop and says nothing.
        assert!(played.holds("plain"), "{}", played.told);
    }
}

/// The key is refused.
fn is_not_known(agent: Agent) {
    let Some((stage, _stub)) = Stage::real(agent, scenario::auth_error()) else { return };
    let played = stage.play();
    played.expect(1, "failed", "not_logged_in");
    assert!(played.ran.out.contains("scripted: invalid api key"), "{}", played.told);
}

/// The model's host says for ever that it is asked too often, and nobody wants to wait.
fn is_refused(agent: Agent) {
    let Some((mut stage, _stub)) = Stage::real(agent, scenario::rate_limit()) else { return };
    stage.bench.configure("budgets", json!({"rate_limit_sleeps": 0}));
    let played = stage.play();
    played.expect(0, "open", "rate_limited");
}

/// The model falls silent after its first reply, the operator stops the run, and lets it go on with a word: the
/// conversation is the same.
fn is_stopped_and_goes_on(agent: Agent) {
    let hang = scenario::hang().remove(0).times(1);
    let turns = [vec![act().read(scenario::FILE), hang], scenario::edit_success()].concat();
    let Some((stage, stub)) = Stage::real(agent, turns) else { return };
    let running = stage.start();
    stub.wait_silent();
    running.signal(Signal::SIGINT);
    let ran = running.end();
    let stopped = stage.over(ran);
    assert_eq!(stopped.record["state"], "stopped", "{}", stopped.told);
    assert_eq!(stopped.record["agent"]["ending"], json!({"ending": "stopped"}), "{}", stopped.told);
    let conversation = stopped.record["agent"]["tally"]["conversation"].clone();

    let running = stopped.stage.start_with(&["--note", "Mention cats."]);
    let ran = running.end();
    let played = stopped.stage.over(ran);
    played.expect(0, "done", "finished");
    assert_eq!(played.committed().as_deref(), Some(scenario::CORRECTED), "{}", played.told);
    let seen = stub.seen();
    let first = seen.main()[2];
    assert!(first.holds("Mention cats."), "{}", first.body);
    assert!(first.holds("was stopped by the operator"), "{}", first.body);
    assert!(conversation.is_string(), "{}", played.told);
    assert_eq!(played.record["agent"]["tally"]["conversation"], conversation, "{}", played.told);
}

/// pi keeps no conversation before the first reply: where there is nothing to go on with, the work begins anew.
#[test]
fn a_conversation_that_was_not_kept_begins_anew() {
    let turns = [vec![scenario::hang().remove(0).times(1)], scenario::edit_success()].concat();
    let Some((stage, stub)) = Stage::real(Agent::Pi, turns) else { return };
    let running = stage.start();
    stub.wait_silent();
    running.signal(Signal::SIGINT);
    let ran = running.end();
    let stopped = stage.over(ran);
    let ran = stopped.stage.start_with(&["--note", "Mention cats."]).end();
    let played = stopped.stage.over(ran);
    played.expect(0, "done", "finished");
    assert!(played.holds("could not be resumed; a new one begins"), "{}", played.told);
    let seen = stub.seen();
    let first = seen.main()[1];
    assert!(first.holds(scenario::TASK) && first.holds("Mention cats."), "{}", first.body);
}

/// A tool of the agent hangs, and the operator stops the run: the tool ends too, though it has a session of its own.
fn is_stopped_in_a_tool(agent: Agent) {
    let Some((stage, stub)) = Stage::real(agent, scenario::hang_in_tool()) else { return };
    let running = stage.start();
    stub.wait("the tool call", |seen| !seen.main().is_empty());
    support::wait::text_in(&stage.bench.worktree(ID).join("started"));
    running.signal(Signal::SIGINT);
    let ran = running.end();
    let played = stage.over(ran);
    assert_eq!(played.record["state"], "stopped", "{}", played.told);
}

fn acts_on_a_terminal(text: &str) -> Option<char> {
    text.chars().find(|c| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

macro_rules! agent {
    ($name:ident, $agent:expr) => {
        mod $name {
            use super::*;

            #[test]
            fn edits() {
                super::edits($agent);
            }

            #[test]
            fn tools_fail() {
                super::tools_fail($agent);
            }

            #[test]
            fn is_told_to_wait() {
                super::is_told_to_wait($agent);
            }

            #[test]
            fn is_cut_off() {
                super::is_cut_off($agent);
            }

            #[test]
            fn hears_garbage() {
                super::hears_garbage($agent);
            }

            #[test]
            fn hears_hostile_text() {
                super::hears_hostile_text($agent);
            }

            #[test]
            fn is_not_known() {
                super::is_not_known($agent);
            }

            #[test]
            fn is_refused() {
                super::is_refused($agent);
            }

            #[test]
            fn is_stopped_and_goes_on() {
                super::is_stopped_and_goes_on($agent);
            }

            #[test]
            fn is_stopped_in_a_tool() {
                super::is_stopped_in_a_tool($agent);
            }
        }
    };
}

agent!(claude, Agent::Claude);
agent!(codex, Agent::Codex);
agent!(pi, Agent::Pi);
agent!(opencode, Agent::Opencode);
agent!(gemini, Agent::Gemini);
