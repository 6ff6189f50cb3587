//! The check as a table: what each text runs into. Only strings, never run.

mod destructive;
mod git;

use super::super::{Gate, Policy, Violation};
use proptest::prelude::*;

use Gate::{
    AllowBranchCreate as Create, AllowBranchSwitch as Switch, AllowCommit as Commit,
    AllowDestructiveShell as Destructive, AllowPush as Push, AllowTag as Tag,
};

fn gates(text: &str) -> Vec<Gate> {
    let mut gates: Vec<Gate> =
        Policy::default().check_command(text).into_iter().map(|violation| violation.gate).collect();
    gates.dedup();
    gates
}

#[track_caller]
fn table(rows: &[(&str, &[Gate])]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter(|(text, expected)| gates(text) != *expected)
        .map(|(text, expected)| format!("{text:?}: expected {expected:?}, got {:?}", gates(text)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every text of the list runs into exactly this gate.
#[track_caller]
fn all(gate: Gate, texts: &[&str]) {
    let rows: Vec<(&str, &[Gate])> = texts.iter().map(|text| (*text, std::slice::from_ref(&gate))).collect();
    table(&rows);
}

#[track_caller]
fn harmless(texts: &[&str]) {
    let rows: Vec<(&str, &[Gate])> = texts.iter().map(|text| (*text, &[] as &[Gate])).collect();
    table(&rows);
}

#[test]
fn a23_of_koru() {
    let policy = Policy::default();
    assert_eq!(
        policy.check_command("git commit -m x"),
        [Violation { gate: Commit, reason: "`git commit` is left to the operator".to_owned() }]
    );
    assert_eq!(
        policy.check_command("git commit -m x")[0].to_string(),
        "policy.allow_commit=false: `git commit` is left to the operator"
    );
    assert!(policy.check_command("git push --force").len() >= 2);
    assert_eq!(gates("git push --force"), [Push, Destructive]);
    assert_eq!(gates("git checkout -b f"), [Create]);
    assert_eq!(gates("rm -rf /"), [Destructive]);
    harmless(&["pytest -q", "", "   \n\t", "cargo test && cargo clippy"]);
}

#[test]
fn an_open_gate_lets_its_own_commands_through_and_no_others() {
    let policy = Policy { allow_branch_switch: true, ..Policy::default() };
    assert_eq!(policy.check_command("git switch main"), []);
    assert_eq!(policy.check_command("git checkout main"), []);
    assert_eq!(policy.check_command("git switch -c x").len(), 1);
    let policy = Policy { allow_push: true, ..Policy::default() };
    assert_eq!(policy.check_command("git push"), []);
    assert_eq!(policy.check_command("git push -f").len(), 1);
    let policy = Policy { allow_destructive_shell: true, ..Policy::default() };
    assert_eq!(policy.check_command("rm -rf /"), []);
}

#[test]
fn the_operators_own_patterns_are_matched_anywhere_but_not_inside_words() {
    let mut policy = Policy::default();
    policy.forbidden_shell_patterns.extend(["terraform  destroy".to_owned(), "DROP TABLE".to_owned()]);
    let reason = "the policy forbids the pattern `terraform destroy`".to_owned();
    assert_eq!(
        policy.check_command("cd x && terraform \"destroy\" -auto-approve"),
        [Violation { gate: Destructive, reason }]
    );
    assert_eq!(policy.check_command("psql -c 'DROP TABLE users'").len(), 1);
    assert_eq!(policy.check_command("psql -c 'DROP TABLESPACE x'"), []);
    assert_eq!(policy.check_command("terraform plan"), []);
    policy.allow_destructive_shell = true;
    assert_eq!(policy.check_command("terraform destroy"), []);
}

#[test]
fn several_gates_are_all_named() {
    assert_eq!(
        gates("git add -A && git commit -m x && git tag v1 && git push && git switch main"),
        [Commit, Push, Switch, Tag]
    );
}

#[test]
fn what_is_too_deep_or_too_long_is_refused_and_answered_quickly() {
    let deep = [
        "$(".repeat(20_000),
        "((((".repeat(20_000),
        "`".repeat(50_000),
        "\"$(".repeat(20_000),
        "${a:-".repeat(20_000),
        "$((".repeat(20_000),
        "<<A ".repeat(20_000),
        "x <<A\n".repeat(20_000),
        "eval ".repeat(20_000),
        "sudo ".repeat(20_000),
        "{a,".repeat(20_000),
        "{a,b}".repeat(20_000),
        "X=$X$X\n".repeat(5_000),
        "for a in 1 2 3 4 5 6 7 8; do ".repeat(2_000),
    ];
    for text in &deep {
        let started = std::time::Instant::now();
        let _ = Policy::default().check_command(text);
        let took = started.elapsed();
        // Far above what any of them needs; only work without a bound gets there.
        assert!(took.as_secs() < 20, "{:?}… took {took:?}", &text[..12]);
    }
    assert_eq!(gates(&"$(".repeat(100)), [Destructive]);
    assert_eq!(gates(&"x".repeat(300 * 1024)), [Destructive]);
    let nested = (0..40).fold("true".to_owned(), |inner, _| format!("eval {inner}"));
    assert_eq!(gates(&nested), [Destructive]);
}

proptest! {
    #[test]
    fn any_text_gets_an_answer(text in "\\PC{0,200}") {
        let _ = Policy::default().check_command(&text);
    }

    #[test]
    fn any_mix_of_shell_signs_gets_an_answer(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "$(", ")", "`", "\"", "'", "\\", "\n", ";", "|", "&", "<<E", "E\n", "{", "}", "${x:-", "$((", "))",
                "case x in", "esac", ";;", "for i in", "do", "done", "a", " ", "git", "commit", "rm -rf", "/", "sh -c",
                "eval", "X=", "$X", ">", "<(", "#", "~", ",", "é", "\u{1}", "\0",
            ]),
            0..60,
        )
    ) {
        let _ = Policy::default().check_command(&parts.concat());
    }

    #[test]
    fn a_commit_after_any_harmless_command_is_found(before in "[a-z]{1,8}( [a-z0-9./-]{1,8}){0,3}") {
        let text = format!("{before}; git commit -m x");
        prop_assert!(Policy::default().check_command(&text).iter().any(|found| found.gate == Commit));
    }
}
