#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! `gate authorize` through the real binary (koru A44, §6.5): the note, the exit codes, who it was, and the audit.

#[path = "support/cli.rs"]
mod cli;
mod support;

use cli::Place;
use koru_tui::plan::store::Store;
use koru_tui::plan::ticket::TicketId;
use koru_tui::verify::gates::{Waiver, WaiverMode, waiver};
use serde_json::{Value, json};
use support::project::{Project, shell};

fn place() -> Project {
    Project::with(&[shell("PLF-001", "Work", "true"), shell("PLF-002", "More", "true")])
}

fn notes(place: &Project, id: &str) -> Vec<String> {
    let record = place.on_disk(id);
    let notes = record["outputs"]["notes"].as_array().cloned().unwrap_or_default();
    notes.iter().map(|note| note.as_str().unwrap().to_owned()).collect()
}

/// The waiver that gates would honour.
fn honoured(place: &Project, id: &str) -> Option<Waiver> {
    let store = Store::open(place.path()).unwrap();
    waiver(store.plan().ticket(&TicketId::new(id)).unwrap())
}

#[test]
fn a44_the_note_begins_with_its_mark_and_holds_sorted_json() {
    let place = place();
    let args = ["gate", "authorize", "PLF-001", "--mode", "advisory", "--reason", " the \"runner\" is down "];
    let more = ["--skipped", "ci", "--skipped", "cargo test", "--authorized-by", "ada"];
    let ran = place.run(&[&args[..], &more].concat()).expect(0);
    assert!(ran.out.contains("PLF-001 may skip ci, cargo test (advisory, by ada)"), "{}", ran.out);
    let notes = notes(&place, "PLF-001");
    assert_eq!(notes.len(), 1);
    let text = notes[0].strip_prefix("KORU-GATE-AUTH ").unwrap();
    let value: Value = serde_json::from_str(text).unwrap();
    let at = value["authorized_at"].as_str().unwrap();
    assert!(at.len() == 20 && at.ends_with('Z'), "{at}");
    assert_eq!(
        value,
        json!({
            "authorized_at": at, "authorized_by": "ada", "kind": "gate_authorization", "mode": "advisory",
            "reason": "the \"runner\" is down", "skipped": ["ci", "cargo test"], "ticket": "PLF-001",
        })
    );
    let keys: Vec<&String> = value.as_object().unwrap().keys().collect();
    assert!(keys.is_sorted(), "{keys:?}");
    let audit = place.path().join(".planfile/.koru/audit").join(format!("{}.jsonl", &at[..10]));
    let row: Value = serde_json::from_str(std::fs::read_to_string(audit).unwrap().trim()).unwrap();
    assert_eq!((&row["kind"], &row["who"]), (&json!("gate.authorized"), &json!("ada")));
    assert_eq!((&row["ticket"], &row["skipped"]), (&json!("PLF-001"), &json!(["ci", "cargo test"])));
    assert_eq!(ran.err, "");
    let waiver = honoured(&place, "PLF-001").unwrap();
    assert!(waiver.skips("cargo test") && waiver.skips("pytest"), "ci names all of them");
    assert_eq!(honoured(&place, "PLF-002"), None);
}

#[test]
fn a44_a_blank_reason_and_an_unknown_mode_are_mistakes_of_the_caller() {
    let place = place();
    let before = place.planfile_bytes();
    let ran = place.run(&["gate", "authorize", "PLF-001", "--mode", "auto", "--reason", "  "]).expect(2);
    assert!(ran.err.contains("--reason"), "{}", ran.err);
    let ran = place.run(&["gate", "authorize", "PLF-001", "--mode", "maybe", "--reason", "x"]).expect(2);
    assert!(ran.err.contains("maybe") && ran.err.contains("mandatory_human"), "{}", ran.err);
    place.run(&["gate", "authorize", "PLF-9", "--mode", "auto", "--reason", "x"]).expect(2);
    assert_eq!(place.planfile_bytes(), before);
    place.put(".planfile/sprints/current.yaml", "sprint:\n\ttickets: {}\n");
    let ran = place.run(&["gate", "authorize", "PLF-001", "--mode", "auto", "--reason", "x"]).expect(1);
    assert!(ran.err.contains("line 2"), "{}", ran.err);
}

#[test]
fn who_authorizes_is_the_flag_then_the_environment() {
    let place = place();
    let call = |variables: &[(&str, &str)]| {
        let args = ["gate", "authorize", "PLF-001", "--mode", "auto", "--reason", "x", "--format", "json"];
        let output = place.command(&args).envs(variables.iter().copied()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        said["authorized_by"].as_str().unwrap().to_owned()
    };
    assert_eq!(call(&[]), "unknown");
    assert_eq!(call(&[("LOGNAME", "log")]), "log");
    assert_eq!(call(&[("LOGNAME", "log"), ("USER", "user")]), "user");
    assert_eq!(call(&[("USER", "user"), ("KORU_AGENT", "bot")]), "bot");
    assert_eq!(call(&[("USER", "user"), ("KORU_AGENT", "  ")]), "user");
    assert_eq!(notes(&place, "PLF-001").len(), 5);
}

#[test]
fn the_last_waiver_counts() {
    let place = place();
    place
        .run(&["gate", "authorize", "PLF-001", "--mode", "auto", "--reason", "a", "--skipped", "ci"])
        .expect(0);
    let ran =
        place.run(&["gate", "authorize", "PLF-001", "--mode", "mandatory_human", "--reason", "b"]).expect(0);
    assert!(ran.out.contains("a person decides"), "{}", ran.out);
    place.run(&["ticket", "update", "PLF-001", "--note", "KORU-GATE-AUTH {torn"]).expect(0);
    let waiver = honoured(&place, "PLF-001").unwrap();
    assert_eq!((waiver.mode, waiver.reason.as_str()), (WaiverMode::MandatoryHuman, "b"));
}

#[test]
fn a_run_cannot_waive_its_own_gates() {
    let place = place();
    let args = ["gate", "authorize", "PLF-001", "--mode", "auto", "--reason", "x", "--skipped", "ci"];
    let output = place.command(&args).env("KORU_RUN", "PLF-001-x").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("ask the operator"));
    assert_eq!(notes(&place, "PLF-001"), Vec::<String>::new());
}
