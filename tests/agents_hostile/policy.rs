//! What the policy forbids, done by an agent in the middle of its work: refused, or found and put back, and always named.
//! That refs, the operator's checkout and its index are as they were is checked for every run by `Stage::over`; the
//! fence's own suite is `agent_fence`.

use super::agents::stage::{ID, Played};
use super::play;

/// What holds whichever way a forbidden change of references was met: nothing of the agent's is left on any branch, and
/// either git said no to the agent, or the run is a violation with evidence.
#[track_caller]
fn came_to_nothing(behaviour: &str) -> Played {
    let played = play(behaviour);
    let bench = &played.stage.bench;
    let all = bench.git(&["log", "--all", "--format=%s"]);
    assert!(!all.contains("by the agent"), "{all}\n{}", played.told);
    let head = super::agents::bench::git(&bench.worktree(ID), &["symbolic-ref", "--short", "HEAD"]);
    assert_eq!(head, "koru/PLF-001\n", "{}", played.told);
    if bench.noted("exit") == "0" {
        is_violation(&played);
    }
    played
}

#[track_caller]
fn is_violation(played: &Played) {
    assert_eq!(played.ran.code, Some(1), "{}", played.told);
    let breaches = played.result()["breaches"].as_array().cloned().unwrap_or_default();
    assert!(!breaches.is_empty(), "no breach is named\n{}", played.told);
    for breach in breaches {
        assert!(breach["evidence"].as_str().is_some_and(|text| !text.is_empty()), "{}", played.told);
    }
    let audit = played.stage.bench.project.path().join(".planfile/.koru/audit");
    let written: String = std::fs::read_dir(audit)
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    assert!(written.contains("policy.breach"), "{written}");
}

/// The hooks, or the kernel before them, say no, the work goes on, and the refusal is told.
#[track_caller]
fn refused(behaviour: &str, gate: &str) -> Played {
    let played = came_to_nothing(behaviour);
    assert_ne!(played.stage.bench.noted("exit"), "0", "{}", played.told);
    let is_told = played.holds(gate) || played.holds("Permission denied");
    assert!(is_told, "neither {gate} nor the kernel is named\n{}", played.told);
    played
}

#[test]
fn a_commit_is_refused() {
    refused("commits", "allow_commit");
}

#[test]
fn a_tag_is_refused() {
    refused("tags", "allow_tag");
}

#[test]
fn a_branch_is_refused() {
    refused("branches", "allow_branch_create");
}

#[test]
fn a_switch_is_refused() {
    refused("switches", "allow_branch");
}

#[test]
fn a_push_is_refused() {
    let played = refused("pushes", "allow_push");
    let remote = played.stage.bench.around("outside").join("remote.git");
    assert_eq!(super::agents::bench::git(&remote, &["for-each-ref"]), "");
}

#[test]
fn going_round_the_hooks_comes_to_nothing() {
    for behaviour in ["commits-anyway", "tags-anyway", "branches-anyway", "switches-anyway", "moves-main"] {
        came_to_nothing(behaviour);
    }
}

#[test]
fn the_operators_head_is_out_of_reach() {
    let played = play("rewires");
    assert_ne!(played.stage.bench.noted("exit"), "0", "{}", played.told);
}

#[test]
fn a_write_outside_is_out_of_reach() {
    let played = play("writes-outside");
    assert_ne!(played.stage.bench.noted("exit"), "0", "{}", played.told);
    assert!(!played.stage.bench.around("outside").join("stray.txt").exists(), "{}", played.told);
    let played = play("writes-checkout");
    assert_ne!(played.stage.bench.noted("exit"), "0", "{}", played.told);
}

#[test]
fn the_true_planfile_is_out_of_reach() {
    let played = play("edits-true-planfile");
    assert_ne!(played.stage.bench.noted("exit"), "0", "{}", played.told);
    let current = played.stage.bench.project.read(".planfile/sprints/current.yaml");
    assert!(!current.contains("broken: ["), "{current}");
}

#[test]
fn an_edit_of_its_own_planfile_is_a_violation() {
    let played = play("edits-planfile");
    is_violation(&played);
    assert_eq!(played.stage.bench.committed(ID, ".planfile/sprints/current.yaml"), None, "{}", played.told);
}
