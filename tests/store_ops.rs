#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! Every operation on copies of the corpus: the record on disk is, key by key, what planfile 0.1.126 itself made of the
//! same command, apart from the differences that are ours on purpose.

#[path = "support/store.rs"]
mod support;

use koru_tui::plan::lifecycle::{Op, Patch};
use koru_tui::plan::ticket::{Priority, Status};
use serde_json::{Value, json};
use support::{Copy, id, on_disk};

fn claim(by: &str) -> Op {
    Op::Claim { by: by.to_owned(), until: Some("2026-11-21T12:10:00Z".parse().unwrap()) }
}

/// What each command of the corpus is in our words.
fn commands() -> Vec<(&'static str, Op)> {
    vec![
        ("claim", claim("worker-a")),
        ("start", Op::Start { by: Some("worker-a".to_owned()), until: None }),
        (
            "complete",
            Op::Complete {
                note: Some("all green".to_owned()),
                artifacts: vec!["report.txt".to_owned()],
                result: Some(json!({"exit_code": 0})),
            },
        ),
        ("done", Op::Complete { note: None, artifacts: vec![], result: None }),
        ("fail", Op::Fail { error: "exit status 2".to_owned(), result: None }),
        ("fail-retry", Op::Fail { error: "timeout".to_owned(), result: None }),
        (
            "input",
            Op::Input {
                prompt: "Which region?".to_owned(),
                env_keys: vec!["REGION".to_owned()],
                note: Some("two candidates".to_owned()),
            },
        ),
        ("ready-after-fail", Op::Ready { note: None }),
        ("ready-after-input", Op::Ready { note: Some("eu-west".to_owned()) }),
        ("reclaim", claim("worker-b")),
        (
            "update",
            Op::Update(Patch {
                status: Some(Status::Review),
                priority: Some(Priority::Critical),
                name: Some("renamed".to_owned()),
                ..Patch::default()
            }),
        ),
        ("note", Op::Update(Patch { note: Some("remember this".to_owned()), ..Patch::default() })),
        ("block", Op::Block { reason: "vendor outage".to_owned() }),
    ]
}

/// Replaces what differs by nature: instants by a word each (so that presence is still compared) and the source of the
/// history entry.
fn neutral(mut record: Value) -> Value {
    for key in ["started_at", "finished_at", "lease_expires_at"] {
        if let Some(Value::String(text)) = record.pointer_mut(&format!("/execution/{key}")) {
            "an instant".clone_into(text);
        }
    }
    record["updated_at"] = json!("an instant");
    for entry in record["history"].as_array_mut().into_iter().flatten() {
        assert!(entry["timestamp"].is_string());
        entry["timestamp"] = json!("an instant");
        entry["source"] = json!("a store");
    }
    record
}

#[test]
fn each_operation_leaves_the_record_that_planfile_leaves() {
    for (name, op) in commands() {
        let copy = Copy::of(&format!("pairs/{name}/before"));
        let after = Copy::of(&format!("pairs/{name}/after"));
        // The leases of the corpus ended in the morning: at noon they exclude nobody.
        let mutated =
            copy.store().mutate(&id("PLF-001"), op, None).unwrap_or_else(|error| panic!("{name}: {error}"));
        let found = neutral(on_disk(copy.path(), "current", "PLF-001").unwrap());
        let mut wanted = neutral(on_disk(after.path(), "current", "PLF-001").unwrap());
        if name == "block" {
            wanted["description"] = json!("original text");
            wanted["execution"]["last_error"] = json!("vendor outage");
            wanted["outputs"] = json!({"artifacts": [], "notes": ["BLOCKED: vendor outage"]});
            let last = wanted["history"].as_array_mut().unwrap().last_mut().unwrap();
            last["changes"] = json!(["execution", "outputs", "status"]);
        }
        assert_eq!(found, wanted, "{name}");
        assert_eq!(mutated.sprint, "current");
        assert_eq!(copy.store().plan().ticket(&id("PLF-001")), Some(&mutated.ticket), "{name}");
    }
}

#[test]
fn nothing_but_the_named_keys_changes() {
    for (name, op) in commands() {
        let copy = Copy::of(&format!("pairs/{name}/before"));
        let before = copy.read("sprints/current.yaml");
        copy.store().mutate(&id("PLF-001"), op, None).unwrap();
        let after = copy.read("sprints/current.yaml");
        let kept = |text: &str| {
            let lines = text.lines().filter(|line| {
                [
                    "      dsl:",
                    "      created_at:",
                    "      acceptance_criteria:",
                    "        timestamp: '",
                    "      source:",
                ]
                .iter()
                .any(|start| line.starts_with(start))
                    || line.starts_with("        ") && line.contains("input_hash")
            });
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        let (old, new) = (kept(&before), kept(&after));
        assert!(new.starts_with(&old[..2]) && old.iter().all(|line| new.contains(line)), "{name}\n{after}");
        let removed = before.lines().filter(|line| !after.contains(*line)).count();
        assert!(removed <= 10, "{name} removed {removed} lines\n{after}");
    }
}
