#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! The real agents against the scripted model, without us in between: proves the installs, the script's four protocols
//! and the seats, so that a failure of `agents_real` is ours.

#[path = "support/agents/mod.rs"]
mod agents;
mod support;

use agents::installed::Agent;
use agents::scenario;
use agents::stub::Stub;
use support::project::Project;

/// Runs an agent through an edit, in a repository of its own.
fn edits(agent: Agent) {
    let Some(installed) = agent.installed() else { return };
    let project = Project::bare();
    project.write(scenario::FILE, scenario::GREETING);
    let stub = Stub::start(scenario::edit_success());
    let seat = installed.seat(&project.around().join("state"), &stub);

    let ran = seat.run(project.path(), scenario::TASK);

    let seen = stub.seen();
    let told = format!("--- stdout\n{}\n--- stderr\n{}", ran.out, ran.err);
    assert!(ran.status.success(), "{:?}\n{told}", ran.status);
    assert_eq!(project.read(scenario::FILE), scenario::CORRECTED, "{told}");
    assert_eq!(stub.turns_used(), 4, "{told}");
    assert!(seen.main()[0].holds(scenario::TASK), "the prompt did not arrive: {}", seen.main()[0].body);
    assert!(
        seen.main()[3].holds("Second line."),
        "the command's output did not arrive: {}",
        seen.main()[3].body
    );
    assert!(ran.out.contains("Done: hello.txt now says"), "{told}");
}

#[test]
fn claude_edits() {
    edits(Agent::Claude);
}

#[test]
fn codex_edits() {
    edits(Agent::Codex);
}

#[test]
fn pi_edits() {
    edits(Agent::Pi);
}

#[test]
fn opencode_edits() {
    edits(Agent::Opencode);
}

#[test]
fn gemini_edits() {
    edits(Agent::Gemini);
}
