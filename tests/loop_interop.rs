#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! The real loop-kit (agent-task-runner 0.3.1) and koru-tui take turns on one `.loop/` folder: each goes on where the other
//! stopped, each understands what the other wrote, and each respects the other's lock.

#[path = "loop_support/mod.rs"]
mod loop_support;
#[path = "support/peer.rs"]
mod peer;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;

use loop_support::{Ran, Scratch};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

/// Approves in round 4, so that there is enough to take turns over.
const LATE: [(&str, &str); 1] = [("FAKE_APPROVE_AT", "4")];

fn theirs(scratch: &Scratch, program: &Path, args: &[&str]) -> Ran {
    Ran::of(scratch.program(program, args, &LATE).output().unwrap())
}

fn single(round: &str) -> Vec<&str> {
    vec!["run", "--auto-dispatch", "--single-round", "--round", round]
}

/// A scratch repository whose bus loop-kit made.
fn scratch(program: &Path) -> Scratch {
    let scratch = Scratch::new();
    theirs(&scratch, program, &["init"]).expect(0);
    scratch
}

fn details(state: &Value) -> Vec<(u64, String)> {
    let details = state["round_details"].as_array().unwrap().iter();
    details
        .map(|one| (one["round"].as_u64().unwrap(), one["review_decision"].as_str().unwrap().to_owned()))
        .collect()
}

#[test]
fn rounds_alternate_on_one_folder() {
    let Some(program) = peer::loop_kit() else { return };
    for ours_first in [true, false] {
        let scratch = scratch(&program);
        let base = scratch.git(&["rev-parse", "HEAD"]);
        for round in 1..=4 {
            let text = round.to_string();
            if (round % 2 == 1) == ours_first {
                scratch.call(&[&single(&text)[..], &["--loop-dir", ".loop"]].concat(), &LATE).expect(0);
            } else {
                theirs(&scratch, &program, &single(&text)).expect(0);
            }
        }
        let state = scratch.state();
        assert_eq!((&state["outcome"], &state["base_sha"]), (&json!("approved"), &json!(base)));
        assert_eq!(state["version"], json!(1));
        let decisions = ["changes_required", "changes_required", "changes_required", "approve"];
        let want: Vec<(u64, String)> = (1..).zip(decisions.map(str::to_owned)).collect();
        assert_eq!(details(&state), want, "ours first: {ours_first}");
        for n in 1..=3 {
            let report = scratch.read(&format!("archive/T-001/r{n}_work_report.json"));
            assert_eq!(report["round"], json!(n), "ours first: {ours_first}");
        }
        // The conversation of a role went on through both programs.
        let last = fs::read_to_string(scratch.noted().join("codex.worker.r4.argv")).unwrap();
        assert!(last.contains("=resume"), "{last}");
    }
}

#[test]
fn theirs_runs_in_a_folder_that_ours_made() {
    let Some(program) = peer::loop_kit() else { return };
    let scratch = Scratch::new();
    scratch.call(&["init", "--loop-dir", ".loop"], &[]).expect(0);
    theirs(&scratch, &program, &["run", "--auto-dispatch", "--max-rounds", "4"]).expect(0);
    assert_eq!((&scratch.state()["outcome"], &scratch.state()["round"]), (&json!("approved"), &json!(4)));
}

#[test]
fn each_resumes_what_the_other_left() {
    let Some(program) = peer::loop_kit() else { return };
    let one = scratch(&program);
    one.call(&[&single("1")[..], &["--loop-dir", ".loop"]].concat(), &LATE).expect(0);
    theirs(&one, &program, &["run", "--auto-dispatch", "--resume", "--max-rounds", "5"]).expect(0);
    assert_eq!(one.state()["outcome"], json!("approved"));
    one.run(&["--resume"], &LATE).expect(0);
    let status = one.call(&["status", "--loop-dir", ".loop"], &[]).expect(0);
    assert!(status.out.contains("outcome: approved"), "{}", status.out);

    let other = scratch(&program);
    theirs(&other, &program, &single("1")).expect(0);
    other.run(&["--resume", "--max-rounds", "5"], &LATE).expect(0);
    let said = theirs(&other, &program, &["run", "--auto-dispatch", "--resume"]).expect(0);
    assert!(said.all().to_lowercase().contains("not needed"), "{}", said.all());
    theirs(&other, &program, &["status"]).expect(0);
    let listed = theirs(&other, &program, &["archive", "--task-id", "T-001"]).expect(0);
    assert!(listed.out.contains("r4_review_report"), "{}", listed.out);
}

#[test]
fn a_running_loop_of_ours_keeps_theirs_out() {
    let Some(program) = peer::loop_kit() else { return };
    let scratch = scratch(&program);
    let mut child = scratch.command(&["run", "--loop-dir", ".loop"], &[]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.by_ref().map(Result::unwrap).any(|line| line.contains("waiting for the worker")));
    theirs(&scratch, &program, &["run", "--auto-dispatch"]).expect(5);
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
