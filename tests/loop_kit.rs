#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! loop-kit's acceptance cases L01 to L28 (`reference/loop-kit.md` §16; L23 and L24 also beside their code) through the
//! real binary, with its own scripted agents and its own trees, and what else can be wrong with a bus.

#[path = "loop_kit/ground.rs"]
mod ground;
#[path = "loop_kit/hostile.rs"]
mod hostile;
#[path = "loop_support/mod.rs"]
mod loop_support;
#[path = "loop_kit/reports.rs"]
mod reports;
#[path = "loop_kit/rounds.rs"]
mod rounds;
#[path = "loop_kit/standing.rs"]
mod standing;
#[path = "loop_kit/told.rs"]
mod told;

use std::fs;
use std::io::{BufRead, BufReader};

use loop_support::{Ran, Scratch};
use serde_json::Value;

fn outcome(scratch: &Scratch) -> String {
    scratch.state()["outcome"].as_str().unwrap_or("-").to_owned()
}

/// A person's report in round 1: what the loop makes of it.
fn reported(report: &Value, more: &[&str]) -> (i32, String, Scratch) {
    let scratch = Scratch::new();
    let args = [&["run", "--loop-dir", ".loop"], more].concat();
    let mut child = scratch.command(&args, &[]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let waits = lines.by_ref().map(Result::unwrap).any(|line| line.contains("waiting for the worker"));
    assert!(waits, "the loop waits for a person");
    fs::write(scratch.bus().join("work_report.json"), report.to_string()).unwrap();
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    let done = Ran::of(child.wait_with_output().unwrap());
    (done.code, format!("{}\n{}", rest.join("\n"), done.err), scratch)
}

/// Replaces the agents by a script that knows its role as `$role` and its round as `$round`.
fn script(scratch: &Scratch, body: &str) {
    let head = "#!/bin/sh\nprompt=$(cat)\nrole=worker\ncase \"$prompt\" in 'Role: reviewer'*) role=reviewer ;; esac\n\
                round=$(printf '%s\\n' \"$prompt\" | sed -n 's/^Current task_id: .*, round: \\([0-9]*\\)\\.$/\\1/p')\n\
                work() { echo \"$round\" >> src/app.py; git add -A; git commit -q -m w; \
                printf '{\"task_id\":\"T-001\",\"round\":%s,\"head_sha\":\"%s\"}' \"$round\" \
                \"$(git rev-parse HEAD)\" > .loop/work_report.json; }\n\
                review() { printf '{\"task_id\":\"T-001\",\"round\":%s,%s}' \"$round\" \"$1\" > \
                .loop/review_report.json; }\n";
    fs::write(scratch.outside().join("bin/codex"), format!("{head}{body}\n")).unwrap();
}

fn argv(text: &str) -> Vec<String> {
    let words = text.lines().map(|line| line.split_once('=').unwrap().1.to_owned());
    // 0.3.0 has two blanks in its instruction, 0.3.1 has one.
    words.map(|word| word.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}
