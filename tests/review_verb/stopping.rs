//! Reviews that are stopped or killed: nobody goes on working, and what they left is cleared away.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Scene, fixtures};
use crate::support::wait;

/// A reviewer that says which process it is and waits, and what starts it.
fn waiting() -> Scene {
    let script = "echo $$ > \"$FAKE_LOG/pid\"; exec sleep 600";
    Scene::with(&format!("review: {{command: [sh, -c, '{script}']}}\nenvironment: ['FAKE_*']\n"))
}

fn signal(child: &std::process::Child, signal: Signal) {
    kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
}

#[test]
fn a_review_that_is_stopped_ends_its_reviewer_and_leaves_nothing() {
    let scene = waiting();
    scene.project.write("app.py", "not committed\n");
    let before = scene.state();
    let child = scene.start(&["--json"]);
    let pid = wait::text_in(&scene.log().join("pid"));
    signal(&child, Signal::SIGINT);
    let output = child.wait_with_output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), report["detail"].as_str()), (Some(1), Some("the review was stopped")));
    assert!(!wait::is_alive(&pid));
    assert_eq!(scene.git(&["worktree", "list"]).lines().count(), 1);
    assert_eq!(scene.state(), before);
}

#[test]
fn what_a_killed_review_left_is_cleared_away_by_the_next() {
    let scene = waiting();
    scene.project.write("app.py", "not committed\n");
    let before = scene.state();
    let mut child = scene.start(&[]);
    let pid = wait::text_in(&scene.log().join("pid"));
    signal(&child, Signal::SIGKILL);
    child.wait().unwrap();
    wait::until("the reviewer to die with its supervisor", || (!wait::is_alive(&pid)).then_some(()));
    assert_eq!(scene.git(&["worktree", "list"]).lines().count(), 2, "the case is not what it was");
    let program = format!("review: {{command: ['{}/fakes/kagura-code-reviewer']}}\n", fixtures().display());
    scene.project.write(".planfile/.koru/config.yaml", &format!("{program}environment: ['FAKE_*']\n"));
    scene.report(&["feat/x"], &[], 0);
    assert_eq!(scene.git(&["worktree", "list"]).lines().count(), 1);
    assert_eq!(scene.state(), before);
}
