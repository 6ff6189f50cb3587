#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! The demo project through the real binary: it is made whole, both programs read it, and its queue does what it shows.

#[path = "support/cli.rs"]
mod cli;
mod support;

use std::collections::BTreeSet;
use std::path::PathBuf;

use cli::{Empty, Place};
use serde_json::Value;
use support::pty::Launch;

/// A demo made at `shop/demo`.
fn demo() -> (Empty, PathBuf) {
    let place = Empty::new();
    let ran = place.run(&["demo", "--no-open", "--path", "demo"]).expect(0);
    let path = PathBuf::from(ran.out.trim_end());
    assert_eq!(path, place.root().canonicalize().unwrap().join("demo"));
    (place, path)
}

fn at<'a>(path: &'a std::path::Path, args: &[&'a str]) -> Vec<&'a str> {
    [&["--project", path.to_str().unwrap()], args].concat()
}

#[test]
fn the_demo_is_a_committed_project_with_every_kind_of_work() {
    let (place, path) = demo();
    let repository = git2::Repository::open(&path).unwrap();
    assert_eq!(repository.head().unwrap().shorthand().ok(), Some("main"));
    let head = repository.head().unwrap().peel_to_commit().unwrap();
    assert!(head.tree().unwrap().get_path(".planfile/sprints/current.yaml".as_ref()).is_ok());
    let mut options = git2::StatusOptions::new();
    options.include_untracked(true);
    let dirty: Vec<String> = repository
        .statuses(Some(&mut options))
        .unwrap()
        .iter()
        .map(|entry| String::from_utf8_lossy(entry.path_bytes()).into_owned())
        .collect();
    assert_eq!(dirty, Vec::<String>::new());

    let ran = place.run(&at(&path, &["ticket", "list", "--sprint", "all", "--format", "json"])).expect(0);
    assert_eq!(ran.err, "");
    let list = ran.json();
    let tickets = list.as_array().unwrap();
    assert!(tickets.len() >= 14, "{} tickets", tickets.len());
    let words = |pointer: &str| -> BTreeSet<&str> {
        tickets.iter().filter_map(|ticket| ticket.pointer(pointer).and_then(Value::as_str)).collect()
    };
    assert_eq!(words("/executor/kind"), BTreeSet::from(["api", "human", "llm", "mcp", "shell"]));
    let statuses = ["blocked", "canceled", "done", "failed", "in_progress", "open", "review"];
    assert_eq!(words("/status"), BTreeSet::from(statuses));
    let text = list.to_string();
    assert!(!text.contains('@') || !text.contains("@-"), "a word was not filled in");
}

#[test]
fn a_second_demo_never_overwrites_a_folder() {
    let (place, path) = demo();
    let before = cli::files(&path);
    let ran = place.run(&["demo", "--no-open", "--path", "demo"]).expect(2);
    assert!(ran.err.contains("not empty"), "{}", ran.err);
    assert_eq!(cli::files(&path), before);
    // Without --path each one gets a fresh folder in the user's state folder.
    let first = place.run(&["demo", "--no-open"]).expect(0).out;
    let second = place.run(&["demo", "--no-open"]).expect(0).out;
    assert_ne!(first, second);
    assert!(first.starts_with(place.home_folder().join("state").to_str().unwrap()), "{first}");
}

#[test]
fn without_a_terminal_nothing_is_made() {
    let place = Empty::new();
    let ran = place.run(&["demo", "--path", "demo"]).expect(1);
    assert!(ran.err.contains("--no-open"), "{}", ran.err);
    assert_eq!(place.names(), Vec::<String>::new());
}

#[test]
fn the_doctor_finds_only_what_the_demo_shows_on_purpose() {
    let (place, path) = demo();
    let report = place.run(&at(&path, &["doctor", "--format", "json"])).json();
    let failed: Vec<String> = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["status"] == "fail")
        .map(|check| check.to_string())
        .collect();
    let on_purpose =
        |check: &String| ["TILL-099", "TILL-011", "planfile_binary"].iter().any(|word| check.contains(word));
    assert!(failed.iter().all(on_purpose), "{failed:#?}");
    assert!(report.to_string().contains("TILL-099"), "the dangling blocker is not named: {report:#}");
}

#[test]
fn the_queue_of_the_demo_starts_with_the_chain() {
    let (place, path) = demo();
    let report = place
        .run(&at(&path, &["ticket", "next", "--debug", "--queue", "default", "--format", "json"]))
        .expect(0)
        .json();
    let reason = |id: &str| {
        let found = report["skipped"].as_array().unwrap().iter().find(|entry| entry["id"] == id);
        found.map(|entry| entry["reason"].as_str().unwrap().to_owned()).unwrap_or_default()
    };
    assert_eq!(report["selected"], "TILL-012");
    assert_eq!(reason("TILL-021"), "blocked by TILL-099, which does not exist");
    assert!(reason("TILL-018").contains("blocked by TILL-012 (open)"), "{}", reason("TILL-018"));
    assert!(reason("TILL-011").contains("lease is over"), "{}", reason("TILL-011"));
    assert_eq!(reason("TILL-027"), "in queue nightly");
    assert_eq!(reason("TILL-015"), "label waiting:demo-server");
}

#[test]
fn the_real_planfile_reads_the_demo_as_we_do() {
    let Some(planfile) = support::peer::planfile() else { return };
    let (place, path) = demo();
    let output = std::process::Command::new(planfile)
        .args(["ticket", "list", "--sprint", "all", "--format", "json"])
        .current_dir(&path)
        .env("NO_COLOR", "1")
        .env("TERM", "dumb")
        .env("COLUMNS", "100000")
        .output()
        .unwrap();
    let theirs: Value = serde_json::from_slice(&output.stdout).unwrap();
    let ours =
        place.run(&at(&path, &["ticket", "list", "--sprint", "all", "--format", "json"])).expect(0).json();
    let pick = |list: &Value| -> BTreeSet<(String, String, String)> {
        let word = |record: &Value, key: &str| record[key].as_str().unwrap().to_owned();
        list.as_array().unwrap().iter().map(|r| (word(r, "id"), word(r, "name"), word(r, "status"))).collect()
    };
    assert_eq!(pick(&ours), pick(&theirs));
}

/// The demo's environment with a `sleep` that does not.
fn hurried(place: &Empty, path: &std::path::Path, args: &[&str]) -> (Option<i32>, String) {
    let folder = place.home_folder().join("bin");
    std::fs::create_dir_all(&folder).unwrap();
    let sleep = folder.join("sleep");
    if !sleep.exists() {
        std::os::unix::fs::symlink("/bin/true", &sleep).unwrap();
    }
    let search = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let output = place.command(&at(path, args)).env("PATH", search).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

fn status(place: &Empty, path: &std::path::Path, id: &str) -> String {
    let record = place.run(&at(path, &["ticket", "show", id, "--format", "json"])).expect(0).json();
    format!("{}/{}", record["status"].as_str().unwrap(), record["execution"]["state"].as_str().unwrap())
}

#[test]
fn the_queue_of_the_demo_does_what_its_comments_say() {
    let (place, path) = demo();
    let (code, out) = hurried(&place, &path, &["queue", "run", "--loop", "--jobs", "1"]);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("iterations=3 completed=2 failed=0 waiting=1 last_status=waiting_input"), "{out}");
    assert!(path.join("dist/till.bundle").exists());
    place.run(&at(&path, &["ticket", "answer", "TILL-016", "--text", "front"])).expect(0);
    place.run(&at(&path, &["ticket", "answer", "TILL-017", "--text", "yes"])).expect(0);
    let (code, out) = hurried(&place, &path, &["queue", "run", "--loop"]);
    assert_eq!(code, Some(1), "a ticket of the demo fails: {out}");
    assert!(out.contains("error: column"), "the failure says why, without its colours: {out}");
    let found: Vec<(&str, String)> = [
        "TILL-012", "TILL-013", "TILL-014", "TILL-016", "TILL-018", "TILL-019", "TILL-020", "TILL-021",
        "TILL-022", "TILL-031",
    ]
    .map(|id| (id, status(&place, &path, id)))
    .to_vec();
    let wanted = [
        ("TILL-012", "done/done"),
        ("TILL-013", "done/done"),
        ("TILL-014", "failed/failed"),
        ("TILL-016", "done/done"),
        ("TILL-018", "done/done"),
        ("TILL-019", "done/done"),
        ("TILL-020", "done/done"),
        ("TILL-021", "open/ready"),
        ("TILL-022", "open/ready"),
        ("TILL-031", "done/done"),
    ];
    assert_eq!(found, wanted.map(|(id, state)| (id, state.to_owned())));
    // What the agent left went back once, for a reason that is true, and came back mended.
    let review =
        place.run(&at(&path, &["ticket", "review", "TILL-031", "--format", "json"])).expect(0).json();
    let rounds: Vec<(&str, usize)> = review["rounds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|round| {
            let verdict = &round["verdict"];
            (verdict["decision"].as_str().unwrap(), verdict["findings"].as_array().unwrap().len())
        })
        .collect();
    assert_eq!(rounds, [("changes_required", 2), ("approve", 1)]);
    assert_eq!(review["stage"]["stage"], "approved");
    let text = place.run(&at(&path, &["ticket", "review", "TILL-031"])).expect(0).out;
    assert!(
        text.contains("fixed high     src/receipt.sh:10 a receipt with one item ends with 1 lines"),
        "{text}"
    );
}

#[test]
fn the_demo_opens_on_a_working_queue_and_leaves_its_folder() {
    let place = Empty::new();
    let mut terminal = Launch::koru(&place.root(), &["demo", "--path", "demo"]).size(120, 40).start();
    // Work begins by itself: a worker's output streams in before any key was pressed.
    terminal.wait_for("TILL-012");
    terminal.wait_until("a run", |screen| screen.contains("2 running"));
    assert_eq!(status(&place, &place.root().join("demo"), "TILL-012"), "in_progress/running");
    terminal.send("q");
    terminal.wait_for("still active");
    terminal.send("s");
    let ended = terminal.wait_exit();
    assert!(ended.success(), "{ended:?}");
    let last = String::from_utf8_lossy(&terminal.raw()).into_owned();
    assert!(last.contains("the demo is kept in"), "{last:?}");
    assert_eq!(
        status(&place, &place.root().join("demo"), "TILL-012"),
        "open/ready",
        "stopped work is released"
    );
}
