//! What stands there when a loop begins: changed files, another loop, a loop that was cut off.

use std::fs;
use std::io::{BufRead, BufReader};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use crate::loop_support::{Scratch, fixtures};
use crate::{outcome, script};

#[test]
fn l10_l11_l12_a_changed_tracked_file_is_named_in_full_and_untracked_ones_are_nobodys() {
    let scratch = Scratch::new();
    scratch.put("new.txt", "x");
    scratch.put("src/app.py", "changed\n");
    let ran = scratch.run(&[], &[]).expect(4);
    assert!(ran.err.contains("\nsrc/app.py"), "{}", ran.err);
    assert!(scratch.calls().is_empty());
    let ran = scratch.run(&["--allow-dirty"], &[]).expect(0);
    assert!(ran.err.contains("warning: 1 tracked files differ"), "{}", ran.err);
    let scratch = Scratch::new();
    scratch.put("new.txt", "x");
    scratch.run(&[], &[]).expect(0);
}

#[test]
fn l13_l14_one_loop_at_a_time_and_a_dead_ones_lock_is_no_obstacle() {
    let scratch = Scratch::new();
    fs::write(scratch.bus().join("lock"), "\0").unwrap();
    let args = ["run", "--loop-dir", ".loop"];
    let mut first = scratch.command(&args, &[]).spawn().unwrap();
    let mut lines = BufReader::new(first.stdout.take().unwrap()).lines();
    assert!(lines.by_ref().map(Result::unwrap).any(|line| line.contains("waiting for the worker")));
    scratch.run(&[], &[]).expect(5);
    scratch.run(&["--single-round", "--round", "1"], &[]).expect(5);
    kill(Pid::from_raw(first.id().try_into().unwrap()), Signal::SIGKILL).unwrap();
    first.wait().unwrap();
    scratch.run(&[], &[]).expect(0);
}

#[test]
fn l19_a_killed_loop_resumes_at_the_review_and_never_pays_the_worker_again() {
    let scratch = Scratch::of_fixture("interrupted-round2-review");
    let before = scratch.state();
    scratch.run(&["--resume"], &[]).expect(0);
    let state = scratch.state();
    assert_eq!((&state["outcome"], &state["round"]), (&json!("approved"), &json!(2)));
    assert_eq!(state["base_sha"], before["base_sha"]);
    assert_eq!(scratch.calls(), ["codex.reviewer.r2"]);
    assert_eq!(
        scratch.read("archive/T-001/r2_review_report.json")["round"],
        json!(1),
        "theirs stays as it was"
    );
    assert_eq!(scratch.read("archive/T-001/r2_review_report.2.json")["round"], json!(2));
}

#[test]
fn l20_l21_what_is_over_is_not_resumed() {
    for name in ["approved-round2", "v031-approved-round2"] {
        let scratch = Scratch::of_fixture(name);
        let before = fs::read(scratch.bus().join("state.json")).unwrap();
        scratch.run(&["--resume"], &[]).expect(0);
        assert_eq!(fs::read(scratch.bus().join("state.json")).unwrap(), before);
        assert!(scratch.calls().is_empty());
    }
    for entry in fs::read_dir(fixtures().join("states")).unwrap() {
        let path = entry.unwrap().path();
        let scratch = Scratch::new();
        fs::copy(&path, scratch.bus().join("state.json")).unwrap();
        let recorded = scratch.state();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        match name.as_str() {
            // Ours goes on where theirs cannot.
            "sigint.state.json" | "max-rounds-exhausted.state.json" => continue,
            "single-round-no-contract.state.json" => {
                scratch.run(&["--resume"], &[]).expect(3);
            }
            _ => {
                let ran = scratch.run(&["--resume"], &[]).expect(3);
                for key in ["outcome", "error"] {
                    let shown = recorded[key].as_str().unwrap();
                    assert!(ran.err.contains(shown), "{name}: {shown} in {}", ran.err);
                }
            }
        }
        assert!(scratch.calls().is_empty(), "{name}");
    }
}

/// Processes that work in the tree.
fn still(scratch: &Scratch) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let inside = entries.filter(|entry| {
        let cwd = fs::read_link(entry.path().join("cwd"));
        cwd.is_ok_and(|cwd| cwd.starts_with(scratch.root()))
    });
    inside.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

#[test]
fn what_a_killed_loop_left_is_stopped_before_the_next_one_works() {
    let scratch = Scratch::new();
    let args = ["run", "--loop-dir", ".loop", "--auto-dispatch"];
    // The agent itself dies with the loop; what it started does not.
    let hangs = "sleep 300 & echo '{\"type\":\"thread.started\",\"thread_id\":\"x\"}'; wait";
    script(&scratch, &format!("[ $role = worker ] && {{ work; exit; }}; {hangs}"));
    let mut child = scratch.command(&args, &[]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.by_ref().map(Result::unwrap).any(|line| line.contains("[reviewer] Session")));
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGKILL).unwrap();
    child.wait().unwrap();
    assert_ne!(still(&scratch), Vec::<String>::new(), "it outlives the loop");
    script(&scratch, "[ $role = worker ] && exit 9; review '\"decision\":\"approve\"'");
    let ran = scratch.run(&["--resume"], &[]).expect(0);
    assert!(ran.err.contains("the reviewer of a loop that was killed still ran"), "{}", ran.err);
    assert_eq!(still(&scratch), Vec::<String>::new());
    assert!(!scratch.bus().join("runtime/reviewer.child.json").exists());
}

#[test]
fn ctrl_c_leaves_nobody_and_the_loop_goes_on_in_the_same_phase() {
    let scratch = Scratch::new();
    let args = ["run", "--loop-dir", ".loop", "--auto-dispatch"];
    let hang = [("FAKE_HANG_AT", "reviewer.1"), ("FAKE_HANG_SEC", "300")];
    let mut child = scratch.command(&args, &hang).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.by_ref().map(Result::unwrap).any(|line| line.contains("[reviewer] Session")));
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    drop(lines);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(outcome(&scratch), "interrupted");
    assert_eq!(still(&scratch), Vec::<String>::new(), "the agent is gone");
    fs::remove_dir_all(scratch.noted()).unwrap();
    scratch.run(&["--resume"], &[]).expect(0);
    assert_eq!(scratch.calls(), ["codex.reviewer.r1", "codex.reviewer.r2", "codex.worker.r2"]);
    assert_eq!(outcome(&scratch), "approved");
}

#[test]
fn l22_a_broken_state_is_no_crash() {
    let scratch = Scratch::new();
    fs::write(scratch.bus().join("state.json"), "{\"state\": ").unwrap();
    let ran = scratch.call(&["status", "--loop-dir", ".loop"], &[]).expect(0);
    assert!(ran.out.contains("state:   idle") && ran.err.contains("warning"), "{}", ran.all());
    scratch.run(&[], &[]).expect(0);
    assert_eq!(fs::read_to_string(scratch.bus().join("state.json.broken-1")).unwrap(), "{\"state\": ");
}

#[test]
fn repositories_without_a_commit_and_folders_without_one_are_said() {
    let scratch = Scratch::new();
    fs::remove_dir_all(scratch.root().join(".git")).unwrap();
    let ran = scratch.run(&[], &[]).expect(1);
    assert!(ran.err.contains("git work tree"), "{}", ran.err);
    scratch.git(&["init", "-q", "-b", "main"]);
    let ran = scratch.run(&[], &[]).expect(1);
    assert!(ran.err.contains("has no commit"), "{}", ran.err);
    scratch.commit("init");
    scratch.git(&["checkout", "-q", "--detach"]);
    scratch.run(&[], &[]).expect(0);
}
