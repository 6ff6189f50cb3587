//! What the policy forbids, done by an agent in the middle of its work: refused, or found and put back, and always named.
//! That refs, the operator's checkout and its index are as they were is checked for every run by `Stage::over`; the
//! fence's own suite is `agent_fence`.

use serde_json::json;

use super::agents::bench::Bench;
use super::agents::stage::{ID, Played, Stage, ticket};
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

/// It would go on for a minute after its deed.
#[test]
fn a_breach_stops_it_in_the_middle() {
    let deeds =
        [("commits-and-stays", true), ("switches-and-stays", true), ("edits-planfile-and-stays", false)];
    for (behaviour, moves_references) in deeds {
        let played = if moves_references { came_to_nothing(behaviour) } else { play(behaviour) };
        is_violation(&played);
        assert_eq!(played.record["agent"]["ending"]["ending"], "violation", "{}", played.told);
        assert!(played.holds("; stopping"), "{}", played.told);
    }
}

/// A gate runs the agent's code after the agent is done.
#[test]
fn a_gate_that_moves_references_is_a_violation() {
    for (command, rule) in [
        (
            "git -c user.name=a -c user.email=a@b -c core.hooksPath=/dev/null commit -q --allow-empty -m 'by the agent'",
            "allow_commit",
        ),
        ("git -c core.hooksPath=/dev/null checkout -q --detach; sleep 60", "allow_branch_switch"),
    ] {
        let policy = format!("llm: {{}}\nci:\n  command: {command}\n");
        let prepare = |bench: &mut Bench| bench.project.write(".planfile/.koru/policy.yaml", &policy);
        let played = Stage::scripted_with("works", ticket(), prepare).play();
        is_violation(&played);
        let breaches = &played.result()["breaches"];
        assert_eq!(
            (breaches.as_array().unwrap().len(), &breaches[0]["rule"], &breaches[0]["undone"]),
            (1, &json!(rule), &json!(true)),
            "{}",
            played.told
        );
        let bench = &played.stage.bench;
        assert!(!bench.git(&["log", "--all", "--format=%s"]).contains("by the agent"), "{}", played.told);
        assert_eq!(played.committed().as_deref(), Some("Hello, world!\n"), "{}", played.told);
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
