#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! What the store refuses and what it leaves alone: broken files, foreign layouts, stale decisions, held tickets, taken
//! ids; and what it does beside the sprint file (journal, mirror, mode, counter).

#[path = "support/store.rs"]
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use koru_tui::base::lock::FileLock;
use koru_tui::plan::lifecycle::{NewTicket, Op, Refusal};
use koru_tui::plan::store::{MutateError, OpenError, Step, Store};
use koru_tui::plan::ticket::Status;
use serde_json::Value;
use support::{Copy, fixture, id, on_disk};

fn note(text: &str) -> Op {
    let patch = koru_tui::plan::lifecycle::Patch { note: Some(text.to_owned()), ..Default::default() };
    Op::Update(patch)
}

fn start(by: &str) -> Op {
    Op::Start { by: Some(by.to_owned()), until: Some("2026-11-21T13:00:00Z".parse().unwrap()) }
}

/// The healthy store of the malformed corpus with the case's files in place.
fn malformed(case: &str) -> Copy {
    let copy = Copy::of("pairs/note/before");
    for control in ["00-control", case] {
        for entry in fs::read_dir(fixture("malformed").join(control)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let folder = if name.starts_with("config") { "" } else { "sprints/" };
            copy.write(&format!("{folder}{name}"), fs::read(entry.path()).unwrap());
        }
    }
    copy
}

fn cases() -> Vec<String> {
    let mut cases: Vec<String> = fs::read_dir(fixture("malformed"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    cases.sort();
    assert!(cases.len() > 80, "{}", cases.len());
    cases
}

#[test]
fn a_file_that_does_not_parse_is_never_written() {
    let mut broken = 0;
    for case in cases() {
        let copy = malformed(&case);
        let before = copy.bytes();
        let Ok(mut store) = Store::open(copy.path()) else {
            assert!(case.starts_with('8'), "{case} does not open");
            continue;
        };
        if store.plan().faults.is_empty() {
            continue;
        }
        broken += 1;
        let fault = store.plan().faults[0].to_string();
        assert!(fault.starts_with(".planfile/sprints/current.yaml: line "), "{case}: {fault}");
        let ops = [note("n"), start("me"), Op::Ready { note: None }, Op::Block { reason: "r".to_owned() }];
        for op in ops {
            let error = store.mutate(&id("PLF-001"), op, None).unwrap_err();
            assert!(matches!(error, MutateError::Broken(_)), "{case}: {error}");
        }
        let new = NewTicket { name: "new".to_owned(), ..NewTicket::default() };
        let error = store.create(&new).unwrap_err();
        assert!(matches!(error, MutateError::Broken(_)), "{case}: {error}");
        assert_eq!(copy.bytes(), before, "{case}");
    }
    assert!(broken >= 24, "{broken} cases are broken");
}

#[test]
fn what_parses_stays_usable_and_nothing_else_is_lost() {
    for case in cases() {
        let copy = malformed(&case);
        let Ok(mut store) = Store::open(copy.path()) else { continue };
        if !store.plan().faults.is_empty() || store.read_only().is_some() {
            continue;
        }
        let before = store.plan();
        let found = store.mutate(&id("PLF-002"), note("n"), None);
        let after = Store::open(copy.path()).unwrap().plan();
        assert_eq!(after.faults, vec![], "{case}");
        let Ok(found) = found else {
            assert_eq!(before.tickets, after.tickets, "{case}");
            continue;
        };
        assert_eq!(found.ticket.outputs.notes, ["n"], "{case}");
        for ticket in &before.tickets {
            let now = after.ticket(&ticket.id).unwrap_or_else(|| panic!("{case} lost {}", ticket.id));
            assert!(*ticket.id.as_str() == *"PLF-002" || now == ticket, "{case} changed {}", ticket.id);
        }
    }
}

#[test]
fn configs_that_cannot_be_trusted_do_not_open() {
    for (case, line) in [("81-config-broken", 1), ("85-config-root-list", 1)] {
        let copy = malformed(case);
        match Store::open(copy.path()).unwrap_err() {
            OpenError::Config { path, fault } => {
                assert!(path.ends_with(".planfile/config.yaml"), "{path:?}");
                assert!(fault.line >= line && fault.column >= 1, "{fault}");
            }
            other => panic!("{case}: {other}"),
        }
    }
}

#[test]
fn a_counter_that_is_no_number_refuses_new_tickets_and_nothing_else() {
    let copy = malformed("83-config-next-id-string");
    let mut store = copy.store();
    let before = copy.bytes();
    let error = store.create(&NewTicket { name: "new".to_owned(), ..NewTicket::default() }).unwrap_err();
    assert!(matches!(&error, MutateError::Refused(Refusal::Invalid { field: "next_id", .. })), "{error}");
    assert_eq!(copy.bytes(), before);
    if store.read_only().is_none() {
        store.mutate(&id("PLF-001"), note("n"), None).unwrap();
    }
}

#[test]
fn other_layouts_are_told_apart() {
    let nothing = tempfile::tempdir().unwrap();
    assert!(matches!(Store::open(nothing.path()), Err(OpenError::Uninitialised(_))));
    let lone_config = Copy::of("fresh-init");
    fs::remove_dir_all(lone_config.at("sprints")).unwrap();
    assert!(matches!(Store::open(lone_config.path()), Err(OpenError::Uninitialised(_))));
    let sharded = Copy::of("sharded");
    let error = Store::open(sharded.path()).unwrap_err();
    assert!(error.to_string().contains("storage.backend=sharded-yaml"), "{error}");
}

#[test]
fn a_planfile_of_a_release_without_a_lock_is_read_and_not_written() {
    let copy = Copy::of("legacy-0.1.93");
    let before = copy.bytes();
    let mut store = copy.store();
    let plan = store.plan();
    assert!(!plan.tickets.is_empty() && plan.faults.is_empty());
    assert!(store.read_only().unwrap().contains("no `storage:` section"));
    let first = plan.tickets[0].id.clone();
    assert!(matches!(store.mutate(&first, note("n"), None), Err(MutateError::LegacyWriter(_))));
    let new = NewTicket { name: "new".to_owned(), ..NewTicket::default() };
    assert!(matches!(store.create(&new), Err(MutateError::LegacyWriter(_))));
    assert!(matches!(store.flush_archive(), Err(MutateError::LegacyWriter(_))));
    assert_eq!(copy.bytes(), before);
    assert!(!copy.at(".store.lock").exists());
}

#[test]
fn a_decision_on_an_old_state_is_refused() {
    let copy = Copy::of("pairs/start/before");
    let mut store = copy.store();
    let seen = store.plan().ticket(&id("PLF-001")).unwrap().updated_at;
    copy.store().mutate(&id("PLF-001"), note("meanwhile"), None).unwrap();
    let step = Step { seen, ..Step::new(id("PLF-001"), start("me")) };
    let before = copy.bytes();
    let error = store.apply(std::slice::from_ref(&step)).remove(0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "PLF-001 was changed by someone else at 2026-11-21T12:00:00+00:00; look at it again before deciding"
    );
    assert_eq!(copy.bytes(), before);
    // The same instant in another spelling is the same state.
    let step = Step { seen: Some("2026-11-21T13:00:00+01:00".parse().unwrap()), ..step };
    store.apply(&[step]).remove(0).unwrap();
}

#[test]
fn several_steps_on_one_ticket_are_one_write_and_one_decision() {
    let copy = Copy::of("pairs/start/before");
    let mut store = copy.store();
    let seen = store.plan().ticket(&id("PLF-001")).unwrap().updated_at;
    let claim = Op::Claim { by: "me".to_owned(), until: Some("2026-11-21T13:00:00Z".parse().unwrap()) };
    let done =
        Op::Complete { note: Some("answer".to_owned()), artifacts: vec![], result: Some("answer".into()) };
    let steps = [claim, start("me"), done].map(|op| Step {
        seen,
        actor: Some("me".to_owned()),
        ..Step::new(id("PLF-001"), op)
    });
    let results = store.apply(&steps);
    let last = results.into_iter().map(Result::unwrap).next_back().unwrap();
    assert_eq!((last.ticket.status, last.ticket.outputs.notes.len()), (Status::Done, 1));
    let record = on_disk(copy.path(), "current", "PLF-001").unwrap();
    let stamps: Vec<&str> = record["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["timestamp"].as_str().unwrap())
        .collect();
    assert_eq!(
        stamps,
        ["2026-11-21T12:00:00+00:00", "2026-11-21T12:00:00.000001+00:00", "2026-11-21T12:00:00.000002+00:00"]
    );
}

#[test]
fn two_stores_never_both_start_a_ticket() {
    let copy = Copy::of("pairs/start/before");
    let (mut one, mut two) = (copy.store(), copy.store());
    assert_eq!(one.plan(), two.plan());
    one.mutate(&id("PLF-001"), start("koru-shell"), None).unwrap();
    let error = two.mutate(&id("PLF-001"), start("koru-shell"), None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "PLF-001 is held by koru-shell until 2026-11-21T13:00:00Z; wait, or release it first"
    );
    assert!(two.plan().ticket(&id("PLF-001")).unwrap().status == Status::InProgress);
}

#[test]
fn a_lock_that_is_not_let_go_is_a_clear_error() {
    let copy = Copy::of("pairs/start/before");
    let mut store = copy.store().with_lock_wait(Duration::from_millis(5));
    let _held = FileLock::acquire(&copy.at(".store.lock"), Duration::ZERO).unwrap();
    let before = copy.bytes();
    let error = store.mutate(&id("PLF-001"), note("n"), None).unwrap_err();
    assert!(matches!(error, MutateError::Locked { .. }), "{error}");
    assert_eq!(copy.bytes(), before);
}

#[test]
fn ids_are_above_every_id_on_disk() {
    let copy = Copy::of("statuses-archived");
    copy.write("config.yaml", copy.read("config.yaml").replace("next_id: 8", "next_id: 2 # lags"));
    let mut store = copy.store();
    let made = store.create(&NewTicket { name: "new".to_owned(), ..NewTicket::default() }).unwrap();
    assert_eq!((made.ticket.id.as_str(), made.sprint.as_str()), ("PLF-008", "current"));
    assert!(copy.read("config.yaml").contains("next_id: 9 # lags\n"));
    let mut other = copy.store();
    let sprint = Some("later-1".to_owned());
    let made = other.create(&NewTicket { name: "x".to_owned(), sprint, ..NewTicket::default() }).unwrap();
    assert_eq!((made.ticket.id.as_str(), made.sprint.as_str()), ("PLF-009", "later-1"));
    assert!(copy.read("sprints/later-1.yaml").starts_with("sprint:\n  id: later-1\n  name: Later-1\n"));
    for odd in ["", "../x", ".x", "history-2026-11-21"] {
        let new = NewTicket { name: "x".to_owned(), sprint: Some(odd.to_owned()), ..NewTicket::default() };
        assert!(matches!(other.create(&new), Err(MutateError::Refused(_))), "{odd}");
    }
}

#[test]
fn a_refused_ticket_burns_no_id() {
    let copy = Copy::of("fresh-init");
    let before = copy.bytes();
    assert!(copy.store().create(&NewTicket { name: " ".to_owned(), ..NewTicket::default() }).is_err());
    assert_eq!(copy.bytes(), before);
}

#[test]
fn mode_mirror_and_journal_are_looked_after() {
    let copy = Copy::of("statuses-no-archive");
    let current = copy.at("sprints/current.yaml");
    fs::set_permissions(&current, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(copy.at("sprints/current.yaml.fast.json").exists());
    let rows = copy.read("events/operations.jsonl").lines().count();
    copy.store().mutate(&id("PLF-001"), note("token=hunter2 password: hunter2"), Some("me")).unwrap();
    assert_eq!(fs::metadata(&current).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(!copy.at("sprints/current.yaml.fast.json").exists());
    let journal = copy.read("events/operations.jsonl");
    assert_eq!(journal.lines().count(), rows + 1);
    let row: Value = serde_json::from_str(journal.lines().last().unwrap()).unwrap();
    let event = &row["event"];
    assert_eq!(
        (&event["ticket_id"], &event["actor"], &event["oql"]),
        (&"PLF-001".into(), &"me".into(), &"ticket.update".into())
    );
}

#[test]
fn a_journal_that_cannot_be_written_is_a_warning() {
    let copy = Copy::of("pairs/note/before");
    copy.write("events", "a file in the folder's place");
    let mut store = copy.store();
    store.mutate(&id("PLF-001"), note("n"), None).unwrap();
    let warnings = &store.plan().warnings;
    assert!(warnings.iter().any(|warning| warning.message.contains("journaling it failed")), "{warnings:?}");
}

#[test]
fn the_last_good_state_stays_beside_the_fault() {
    let copy = Copy::of("pairs/start/before");
    let mut store = copy.store();
    let good = store.plan();
    let text = copy.read("sprints/current.yaml");
    let inside_a_quote = text.find("created_at: '").unwrap() + 20;
    copy.write("sprints/current.yaml", &text[..inside_a_quote]);
    assert!(store.refresh());
    let plan = store.plan();
    assert_eq!((plan.tickets.clone(), plan.faults.len()), (good.tickets.clone(), 1));
    assert!(!store.refresh());
    copy.write("sprints/current.yaml", &text);
    assert!(store.refresh());
    assert_eq!((store.plan().tickets.clone(), store.plan().faults.len()), (good.tickets.clone(), 0));
    assert!(store.plan().revision > plan.revision);
}

#[test]
fn only_changed_tickets_are_new() {
    let copy = Copy::of("statuses-no-archive");
    let mut store = copy.store();
    let before = store.plan();
    let text =
        copy.read("sprints/current.yaml").replace("name: ticket that becomes review", "name: edited by hand");
    copy.write("sprints/current.yaml", text);
    assert!(store.refresh());
    let after = store.plan();
    let changed: Vec<&str> = before
        .tickets
        .iter()
        .zip(&after.tickets)
        .filter(|(old, new)| !std::sync::Arc::ptr_eq(old, new))
        .map(|(old, _)| old.id.as_str())
        .collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
}

#[test]
fn receipts_show_in_the_record_and_stay_out_of_the_file() {
    let copy = Copy::of("evidence");
    let store = copy.store();
    let file = fs::read_dir(copy.at("evidence")).unwrap().next().unwrap().unwrap().file_name();
    let name = file.to_str().unwrap().trim_end_matches(".jsonl").to_owned();
    let row: Value =
        serde_json::from_str(copy.read(&format!("evidence/{name}.jsonl")).lines().next().unwrap()).unwrap();
    let record = store.record(&id(&name)).unwrap();
    let collection = row["collection"].as_str().unwrap();
    assert_eq!(record["outputs"]["result"][collection][0], row["evidence"]);
    let raw = on_disk(copy.path(), "current", &name).unwrap();
    assert!(raw.pointer(&format!("/outputs/result/{collection}")).is_none());
}
