#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! koru's acceptance cases A11–A23 (`koru.md` §8): the brief and the policy, through the real binary.

#[path = "support/cli.rs"]
mod cli;
mod support;

use cli::{Empty, Place};
use koru_tui::plan::policy::Policy;
use serde_json::Value;
use support::project::{Project, human, shell};

fn context(place: &impl Place) -> Value {
    place.run(&["--context"]).expect(0).json()
}

fn rules(brief: &Value) -> String {
    let rules: Vec<&str> =
        brief["instructions"].as_array().unwrap().iter().map(|rule| rule.as_str().unwrap()).collect();
    rules.join("\n")
}

#[test]
fn a11_the_brief_of_a_runnable_ticket() {
    let place = Project::with(&[shell("PLF-001", "Say ok", "echo ok")]);
    let ran = place.run(&["--context"]).expect(0);
    let brief = ran.json();
    assert_eq!(brief["schema_version"], "1");
    assert_eq!(brief["ticket"]["id"], "PLF-001");
    assert_eq!(brief["ticket_error"], Value::Null);
    assert_eq!(brief["policy"]["allow_commit"], false);
    assert_eq!(brief["policy"]["allow_push"], false);
    assert_eq!(ran.err, "");
    assert_eq!(
        brief,
        place.run(&["brief", "--format", "json"]).expect(0).json(),
        "the verb is the same brief"
    );
}

#[test]
fn a12_an_idle_queue_is_data() {
    let place = Project::with(&[
        shell("PLF-001", "Waits", "true").blocked_by("PLF-002"),
        shell("PLF-002", "Busy", "true").status("review"),
    ]);
    let brief = context(&place);
    assert_eq!(brief["ticket"], Value::Null);
    assert_eq!(brief["ticket_error"], "queue is idle");
    assert!(rules(&brief).contains("koru scan --apply"), "{}", rules(&brief));
    assert_eq!(brief["all_tickets"].as_array().unwrap().len(), 2);
}

#[test]
fn a13_a_broken_backend_is_data_too() {
    let place = Project::with(&[shell("PLF-001", "Say ok", "echo ok")]);
    place.put(".planfile/sprints/current.yaml", "sprint:\n\ttickets: {}\n");
    let brief = context(&place);
    assert_eq!(brief["ticket"], Value::Null);
    // [OURS] there is no child process that can fail; the store's own error names the file and the line instead.
    let error = brief["ticket_error"].as_str().unwrap();
    assert!(error.contains("planfile") && error.contains("line 2"), "{error}");
}

#[test]
fn a14_the_ci_command_becomes_a_rule() {
    let place = Project::with(&[shell("PLF-001", "Say ok", "echo ok")]);
    place.put(".planfile/.koru/policy.yaml", "llm: {}\nci: {command: pytest -q}\n");
    let brief = context(&place);
    assert!(rules(&brief).contains("pytest -q"), "{}", rules(&brief));
    assert!(brief["self_service"]["verify_ci"].as_str().unwrap().contains("pytest -q"));
}

#[test]
fn a15_files_in_scope_become_a_rule() {
    let place = Project::with(&[shell("PLF-001", "Edit", "true").file("src/a.rs").file("src/b.rs")]);
    let brief = context(&place);
    let both = rules(&brief).lines().any(|rule| rule.contains("src/a.rs") && rule.contains("src/b.rs"));
    assert!(both, "{}", rules(&brief));
}

#[test]
fn a16_fixture_tickets_are_hidden_unless_asked_for() {
    let place = Project::with(&[
        shell("PLF-001", "Fixture", "true").label("Dry-Run"),
        shell("PLF-002", "Fixture", "true").label("synthetic"),
    ]);
    let brief = context(&place);
    assert_eq!(
        (&brief["ticket"], &brief["ticket_error"]),
        (&Value::Null, &"queue has only fixture tickets".into())
    );
    let shown = place.run(&["--context", "--include-fixtures"]).expect(0).json();
    assert_eq!(shown["ticket"]["id"], "PLF-001");
    // The variable does the same, and the flag beats it.
    let by_variable =
        place.command(&["brief", "--format", "json"]).env("KORU_INCLUDE_FIXTURES", "yes").output().unwrap();
    let by_variable: Value = serde_json::from_slice(&by_variable.stdout).unwrap();
    assert_eq!(by_variable["ticket"]["id"], "PLF-001");
    let refused = place
        .command(&["--context", "--no-include-fixtures"])
        .env("KORU_INCLUDE_FIXTURES", "1")
        .output()
        .unwrap();
    let refused: Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert_eq!(refused["ticket"], Value::Null);
}

#[test]
fn a17_a_named_fixture_ticket_is_returned() {
    let place = Project::with(&[shell("PLF-001", "Fixture", "true").label("test-only")]);
    let brief = place.run(&["--context", "--ticket", "PLF-001"]).expect(0).json();
    assert_eq!(brief["ticket"]["id"], "PLF-001");
    assert_eq!(brief["ticket_error"], Value::Null);
}

#[test]
fn a18_self_service_commands_carry_the_ticket() {
    let place = Project::with(&[human("PLF-007", "Ask", "What?")]);
    let brief = context(&place);
    let commands = brief["self_service"].as_object().unwrap();
    let with_id = commands.values().filter(|command| command.as_str().unwrap().contains("PLF-007")).count();
    assert!(with_id >= 5, "claim, start, complete, fail and input name the ticket: {commands:?}");
}

/// The six gates that the brief shows for a policy file.
fn gates(policy: &str) -> Vec<bool> {
    let place = Project::with(&[shell("PLF-001", "Say ok", "echo ok")]);
    place.put(".planfile/.koru/policy.yaml", policy);
    let brief = context(&place);
    ["commit", "push", "branch_create", "branch_switch", "tag", "destructive_shell"]
        .map(|gate| brief["policy"][format!("allow_{gate}")].as_bool().unwrap())
        .to_vec()
}

const CLOSED: [bool; 6] = [false; 6];

#[test]
fn a19_a_malformed_policy_closes_every_gate() {
    assert_eq!(gates("llm: {allow_commit: true\n"), CLOSED);
    assert_eq!(gates("- allow_commit\n- true\n"), CLOSED);
}

#[test]
fn a20_a_gate_given_as_text_is_closed() {
    assert_eq!(gates("llm: {allow_commit: \"true\"}\n"), CLOSED);
}

#[test]
fn a21_one_open_gate_opens_nothing_else() {
    assert_eq!(gates("llm: {allow_branch_create: true}\n"), [false, false, true, false, false, false]);
}

#[test]
fn a22_a_bad_timeout_is_the_default_and_unknown_keys_are_ignored() {
    let place = Project::with(&[shell("PLF-001", "Say ok", "echo ok")]);
    place.put(
        ".planfile/.koru/policy.yaml",
        "llm: {colour: red}\nci: {timeout_seconds: -5, speed: 9}\nmore: [1]\n",
    );
    let brief = context(&place);
    assert_eq!(brief["policy"]["ci_timeout_seconds"], 300);
    assert!(brief["policy"].get("colour").is_none());
}

#[test]
fn a23_command_lines_are_judged_by_the_strict_policy_without_running_them() {
    // A pure check: nothing here is ever handed to a shell or put into a ticket.
    let policy = Policy::default();
    let found: Vec<(&str, usize)> =
        ["git commit -m x", "git push --force", "git checkout -b f", "rm -rf /", "pytest -q", ""]
            .map(|command| (command, policy.check_command(command).len()))
            .to_vec();
    assert_eq!(found[0], ("git commit -m x", 1));
    assert!(found[1].1 >= 2, "a forced push is a push and a pattern: {found:?}");
    assert!(found[2].1 >= 1 && found[3].1 >= 1, "{found:?}");
    assert_eq!(found[4..], [("pytest -q", 0), ("", 0)]);
}

#[test]
fn the_brief_of_a_missing_folder_is_a_mistake_of_the_caller() {
    let place = Empty::new();
    let ran = place.run(&["--context", "--project", "nowhere"]).expect(2);
    assert!(ran.err.contains("no folder nowhere"), "{}", ran.err);
}
