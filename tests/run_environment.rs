#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! What a ticket's command sees of the environment, through the real binary: what is usual, what the operator adds, what
//! the ticket asks for, and what is said of the rest.

#[path = "support/cli.rs"]
mod cli;
mod support;

use std::fs;

use cli::Place;
use support::project::{Project, shell};

/// Runs the one ticket of `place` with these variables besides the usual ones; gives what its run said.
fn run(place: &Project, code: i32) -> String {
    let variables =
        [("CARGO_HOME", "/cargo"), ("MY_MODE", "fast"), ("MY_TOKEN", "t-0123456789"), ("GIT_DIR", "/else")];
    let output = place.command(&["queue", "run"]).envs(variables).output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
    let runs = fs::read_dir(place.path().join(".planfile/.koru/runs")).unwrap();
    let transcripts =
        runs.map(|run| run.unwrap().path().join("transcript.jsonl")).filter(|path| path.is_file());
    transcripts.map(|path| fs::read_to_string(path).unwrap()).collect()
}

const SHOW: &str = "echo \"[$CARGO_HOME|$MY_MODE|${MY_TOKEN:+token}|$GIT_DIR|$KORU_TICKET]\"";

#[test]
fn a_command_sees_the_usual_and_nothing_is_said_when_all_is_well() {
    let place = Project::with(&[shell("PLF-001", "Show", SHOW)]);
    let said = run(&place, 0);
    assert!(said.contains("[/cargo||||PLF-001]"), "{}", said);
    assert!(!said.contains("not passed on"), "{}", said);
}

#[test]
fn the_configuration_and_the_ticket_add_to_it() {
    let ticket = shell("PLF-001", "Show", SHOW).input("env_keys: [MY_TOKEN]");
    let place = Project::with(&[ticket]);
    place.put(".planfile/.koru/config.yaml", "environment: ['MY_*']\n");
    let said = run(&place, 0);
    assert!(said.contains("[/cargo|fast|token||PLF-001]"), "{}", said);
}

#[test]
fn a_run_that_failed_says_what_it_did_not_get() {
    let place = Project::with(&[shell("PLF-001", "Fail", "test \"$MY_MODE\" = fast")]);
    place.put(".planfile/.koru/config.yaml", "environment: ['MY_*']\n");
    run(&place, 0);
    let place = Project::with(&[shell("PLF-001", "Fail", "test \"$MY_MODE\" = fast")]);
    let said = run(&place, 1);
    assert!(said.contains("[3 variables are not passed on: GIT_DIR, MY_MODE, MY_TOKEN;"), "{}", said);
}
