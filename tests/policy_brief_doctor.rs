#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! Policy, scaffold, brief and doctor through the library: on the corpus of real and broken planfiles, and against the
//! real planfile where one is provided.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use koru_tui::base::clock::Clock;
use koru_tui::detect::doctor::{self, CheckStatus, DoctorOptions};
use koru_tui::plan::brief::{self, BriefOptions};
use koru_tui::plan::policy::{Gate, Policy};
use koru_tui::plan::scaffold::{self, InitOptions};
use serde_json::{Value, json};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/planfile")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target);
        } else {
            fs::write(target, fs::read(source).unwrap()).unwrap();
        }
    }
}

/// A project with two healthy tickets whose files are replaced by those of one malformed case.
fn malformed(case: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let planfile = dir.path().join(".planfile");
    let control = corpus().join("malformed/00-control/current.yaml");
    fs::create_dir_all(planfile.join("sprints")).unwrap();
    fs::copy(control, planfile.join("sprints/current.yaml")).unwrap();
    fs::write(planfile.join("config.yaml"), "next_id: 3\nprefix: PLF\nproject: m\nstorage:\n  index: none\n")
        .unwrap();
    for entry in fs::read_dir(corpus().join("malformed").join(case)).unwrap().flatten() {
        let name = entry.file_name();
        let folder = if name == "config.yaml" { planfile.clone() } else { planfile.join("sprints") };
        fs::write(folder.join(name), fs::read(entry.path()).unwrap()).unwrap();
    }
    dir
}

/// Names of the checks that are not well, the machine's own aside, with their status.
fn troubles(root: &Path) -> Vec<(String, CheckStatus)> {
    let report = doctor::run(root, &DoctorOptions::default());
    let about_the_machine = ["git_repo", "planfile_binary", "ci_command", "inotify_limits"];
    report
        .checks
        .into_iter()
        .filter(|check| {
            check.status != CheckStatus::Pass && !about_the_machine.contains(&check.name.as_str())
        })
        .map(|check| (check.name, check.status))
        .collect()
}

/// Every file with its content.
fn state(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() { folders.push(entry.path()) } else { files.push(entry.path()) }
        }
    }
    files.sort();
    files.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

#[test]
fn the_doctor_judges_every_malformed_planfile_and_writes_nothing() {
    let mut unreadable = 0;
    let mut cases: Vec<_> = fs::read_dir(corpus().join("malformed")).unwrap().flatten().collect();
    cases.retain(|case| case.path().is_dir());
    cases.sort_by_key(std::fs::DirEntry::file_name);
    assert!(cases.len() > 80, "{} cases", cases.len());
    for case in cases {
        let name = case.file_name().to_string_lossy().into_owned();
        let dir = malformed(&name);
        let before = state(dir.path());
        let report = doctor::run(dir.path(), &DoctorOptions::default());
        assert_eq!(state(dir.path()), before, "{name}");
        for check in &report.checks {
            assert!(!check.detail.contains("probe crashed"), "{name}: {check:?}");
            assert!(!check.detail.chars().any(char::is_control), "{name}: {check:?}");
        }
        let syntax = report.checks.iter().find(|check| check.name == "sprint_syntax").unwrap();
        if syntax.status == CheckStatus::Fail {
            unreadable += 1;
            assert!(syntax.detail.contains("current.yaml, line "), "{name}: {}", syntax.detail);
            let page = brief::build(dir.path(), &BriefOptions::default(), None, &Clock::System);
            let value: Value = serde_json::from_str(&page.to_json()).unwrap();
            let error = value["ticket_error"].as_str().unwrap();
            assert!(error.contains("planfile") && error.contains("line "), "{name}: {error}");
            assert_eq!(state(dir.path()), before, "{name}");
        }
    }
    assert!(unreadable >= 25, "{unreadable} unreadable cases");
}

#[test]
fn what_the_doctor_calls_each_kind_of_trouble() {
    let rows: [(&str, &[(&str, CheckStatus)]); 9] = [
        ("00-control", &[]),
        ("12-duplicate-ticket-key", &[("invisible_tickets", CheckStatus::Warn)]),
        ("33-ticket-without-id", &[("invisible_tickets", CheckStatus::Warn)]),
        ("39-status-unknown", &[("invisible_tickets", CheckStatus::Warn)]),
        ("48-blocked-by-self-cycle", &[("blocker_cycles", CheckStatus::Warn)]),
        (
            "72-git-conflict-markers",
            &[("planfile_sprints", CheckStatus::Fail), ("sprint_syntax", CheckStatus::Fail)],
        ),
        (
            "81-config-broken",
            &[
                ("planfile_config", CheckStatus::Fail),
                ("next_id", CheckStatus::Skip),
                ("planfile_writer", CheckStatus::Skip),
            ],
        ),
        ("86-config-unknown-backend", &[("storage_backend", CheckStatus::Fail)]),
        ("90-mirror-garbage", &[]),
    ];
    for (case, expected) in rows {
        let expected: Vec<(String, CheckStatus)> =
            expected.iter().map(|(name, status)| ((*name).to_owned(), *status)).collect();
        // The case's own config may lack what the control has.
        let found: Vec<_> = troubles(malformed(case).path())
            .into_iter()
            .filter(|(name, status)| {
                expected.contains(&(name.clone(), *status))
                    || !["next_id", "planfile_writer"].contains(&name.as_str())
            })
            .collect();
        assert_eq!(found, expected, "{case}");
    }
}

#[test]
fn real_projects_of_planfile_are_healthy_where_they_are() {
    let rows: [(&str, &[&str]); 5] = [
        ("fresh-init", &["planfile_sprints"]),
        ("blocked-by", &["dangling_blockers"]),
        ("unicode", &[]),
        ("statuses-archived", &["stuck_runs"]),
        ("legacy-0.1.93", &["stuck_runs", "expired_leases", "planfile_writer"]),
    ];
    for (case, expected) in rows {
        let dir = tempfile::tempdir().unwrap();
        copy(&corpus().join(case), dir.path());
        let found: Vec<String> = troubles(dir.path()).into_iter().map(|(name, _)| name).collect();
        assert_eq!(found, expected, "{case}");
    }
}

#[test]
fn a23_the_policy_of_a_new_project_refuses_what_koru_names() {
    let dir = tempfile::tempdir().unwrap();
    scaffold::init(dir.path(), &InitOptions::default(), &Clock::System).unwrap();
    let (policy, notes) = Policy::load(dir.path());
    assert_eq!(notes, []);
    let gates = |command: &str| -> Vec<Gate> {
        policy.check_command(command).into_iter().map(|violation| violation.gate).collect()
    };
    assert_eq!(gates("git commit -m x"), [Gate::AllowCommit]);
    assert_eq!(gates("git push --force"), [Gate::AllowPush, Gate::AllowDestructiveShell]);
    assert_eq!(gates("git checkout -b f"), [Gate::AllowBranchCreate]);
    assert_eq!(gates("rm -rf /"), [Gate::AllowDestructiveShell]);
    assert_eq!(gates("pytest -q"), []);
    assert_eq!(gates("  "), []);
}

/// A pipeline with everything that a YAML 1.1 reader could misread.
const AWKWARD: &str = r##"
description: "yes"
tasks:
  - id: NO-1
    title: "no"
    description: "first\n\n  second: line\n\ttab 漢 🚀 \"q\" 'q' \\"
    labels: ["1e3", "010", "12:30", "null", "~", "on", "2026-01-01", "- x", "a: b", "#c", ""]
    files: ["a b.rs", "*.rs", "&x", "!y", "%z", "@w", "`v`"]
    executor: {kind: shell, handler: "echo 'a: b' # c"}
    inputs: {script: "set -e\necho one\n", env_keys: [CI], timeout_seconds: 5}
    priority: critical
  - id: NO-2
    name: " spaced "
    blocked_by: [NO-1]
    executor: {kind: human, mode: interactive}
    inputs: {prompt: "?\n"}
"##;

#[test]
fn the_real_planfile_reads_an_import_as_meant_and_writes_beside_us() {
    let Some(planfile) = support::peer::planfile() else { return };
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("project");
    let pipeline = dir.path().join("pipe.yaml");
    fs::write(&pipeline, AWKWARD).unwrap();
    let options = InitOptions { from: Some(pipeline), ..InitOptions::default() };
    scaffold::init(&root, &options, &Clock::System).unwrap();
    git2::Repository::init(&root).unwrap();
    let run = |arguments: &[&str]| -> Value {
        let output = Command::new(&planfile)
            .args(arguments)
            .current_dir(&root)
            .envs([("NO_COLOR", "1"), ("TERM", "dumb"), ("COLUMNS", "100000")])
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    };
    let listed = run(&["ticket", "list", "--format", "json"]);
    let first = &listed[0];
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(
        (&first["id"], &first["name"], &first["priority"]),
        (&json!("NO-1"), &json!("no"), &json!("critical"))
    );
    assert_eq!(first["description"], json!("first\n\n  second: line\n\ttab 漢 🚀 \"q\" 'q' \\"));
    let labels = json!(["1e3", "010", "12:30", "null", "~", "on", "2026-01-01", "- x", "a: b", "#c", ""]);
    assert_eq!(first["labels"], labels);
    assert_eq!(first["files"], json!(["a b.rs", "*.rs", "&x", "!y", "%z", "@w", "`v`"]));
    assert_eq!(
        first["executor"],
        json!({"kind": "shell", "mode": "automatic", "handler": "echo 'a: b' # c"})
    );
    assert_eq!(first["inputs"]["script"], json!("set -e\necho one\n"));
    assert_eq!(listed[1]["name"], json!(" spaced "));
    assert_eq!(listed[1]["inputs"]["prompt"], json!("?\n"));

    assert_eq!(run(&["ticket", "next", "--format", "json"])["id"], json!("NO-1"));
    run(&["ticket", "complete", "NO-1"]);
    assert_eq!(run(&["ticket", "next", "--format", "json"])["id"], json!("NO-2"));
    run(&["ticket", "create", "third"]);
    assert_eq!(run(&["ticket", "show", "NO-003", "--format", "json"])["name"], json!("third"));
    let ours = brief::build(&root, &BriefOptions::default(), None, &Clock::System);
    let ours: Value = serde_json::from_str(&ours.to_json()).unwrap();
    assert_eq!((&ours["ticket"]["id"], &ours["ticket_error"]), (&json!("NO-2"), &Value::Null));
    let found = troubles(&root);
    assert!(found.iter().all(|(_, status)| *status != CheckStatus::Fail), "{found:?}");
}
