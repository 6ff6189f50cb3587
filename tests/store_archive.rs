#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! Finished tickets go to the history files by planfile's rule and come back when they are made ready; what a crash
//! leaves in two files is healed by the next change.

#[path = "support/store.rs"]
mod support;

use std::fs;

use koru_tui::plan::lifecycle::{NewTicket, Op};
use koru_tui::plan::queue::{Scope, order};
use koru_tui::plan::store::{Step, Store};
use koru_tui::plan::ticket::Status;
use support::{Copy, id, noon, on_disk};

const HISTORY: &str = "history-2026-11-21";

/// A fresh planfile with tickets PLF-001 to PLF-00n.
fn planfile(tickets: usize) -> Copy {
    let copy = Copy::of("fresh-init");
    let mut store = copy.store();
    for n in 1..=tickets {
        let new = NewTicket { name: format!("ticket {n}"), ..NewTicket::default() };
        assert_eq!(store.create(&new).unwrap().ticket.id, id(&format!("PLF-{n:03}")));
    }
    copy
}

fn done() -> Op {
    Op::Complete { note: Some("ok".to_owned()), artifacts: vec![], result: None }
}

fn fail() -> Op {
    Op::Fail { error: "boom".to_owned(), result: None }
}

fn step(name: &str, op: Op) -> Step {
    Step { actor: Some("me".to_owned()), ..Step::new(id(name), op) }
}

/// Where each id stands: (stem, status).
fn places(copy: &Copy, name: &str) -> Vec<(String, String)> {
    let mut stems: Vec<String> = fs::read_dir(copy.at("sprints"))
        .unwrap()
        .filter_map(|entry| Some(entry.unwrap().file_name().to_str()?.strip_suffix(".yaml")?.to_owned()))
        .collect();
    stems.sort();
    let found = stems.into_iter().filter_map(|stem| {
        let status = on_disk(copy.path(), &stem, name)?["status"].as_str()?.to_owned();
        Some((stem, status))
    });
    found.collect()
}

fn pair(stem: &str, status: &str) -> Vec<(String, String)> {
    vec![(stem.to_owned(), status.to_owned())]
}

#[test]
fn a_finished_ticket_moves_to_the_day_it_ended() {
    let copy = planfile(2);
    let moved = copy.store().mutate(&id("PLF-001"), done(), None).unwrap();
    assert_eq!((moved.sprint.as_str(), moved.ticket.sprint.as_str()), (HISTORY, HISTORY));
    assert_eq!(places(&copy, "PLF-001"), pair(HISTORY, "done"));
    assert_eq!(places(&copy, "PLF-002"), pair("current", "open"));
    assert_eq!(on_disk(copy.path(), HISTORY, "PLF-001").unwrap()["sprint"], HISTORY);
    let locator = copy.read("index/history-locations.yaml");
    assert_eq!(locator, format!("schema: planfile.history-locations/v1\ntickets:\n  PLF-001: {HISTORY}\n"));
    let header = copy.read(&format!("sprints/{HISTORY}.yaml"));
    let header: Vec<&str> = header.lines().filter(|line| !line.starts_with("    ")).collect();
    assert_eq!(
        header,
        [
            "sprint:",
            "  id: history-2026-11-21",
            "  name: History 2026-11-21",
            "  status: archived",
            "  tickets:"
        ]
    );
}

#[test]
fn all_finished_tickets_of_a_batch_move_together_and_others_stay() {
    let copy = planfile(4);
    let mut store = copy.store();
    let results = store.apply(&[step("PLF-001", done()), step("PLF-009", done()), step("PLF-003", fail())]);
    assert!(results[0].is_ok() && results[2].is_ok());
    assert_eq!(
        results[1].as_ref().unwrap_err().to_string(),
        "no ticket PLF-009 in this planfile; `koru-tui ticket list` shows what there is"
    );
    assert_eq!(places(&copy, "PLF-001"), pair(HISTORY, "done"));
    assert_eq!(places(&copy, "PLF-003"), pair(HISTORY, "failed"));
    assert_eq!(places(&copy, "PLF-002"), pair("current", "open"));
    let plan = store.plan();
    assert_eq!(plan.tickets.len(), 4);
    assert_eq!(
        plan.sprints,
        vec![("current".to_owned(), 2), ("backlog".to_owned(), 0), (HISTORY.to_owned(), 2)]
    );
    assert_eq!(Store::open(copy.path()).unwrap().plan().tickets, plan.tickets);
}

#[test]
fn a_retried_ticket_comes_back_and_is_served() {
    let copy = planfile(2);
    let mut store = copy.store();
    store.mutate(&id("PLF-001"), fail(), None).unwrap();
    store.mutate(&id("PLF-002"), fail(), None).unwrap();
    let back =
        store.mutate(&id("PLF-001"), Op::Ready { note: Some("again".to_owned()) }, Some("me")).unwrap();
    assert_eq!((back.sprint.as_str(), back.ticket.status), ("current", Status::Open));
    assert_eq!(places(&copy, "PLF-001"), pair("current", "open"));
    assert_eq!(on_disk(copy.path(), "current", "PLF-001").unwrap()["sprint"], "current");
    assert!(!copy.read("index/history-locations.yaml").contains("PLF-001"));
    let order = order(&store.plan().tickets, &Scope::default(), noon());
    assert_eq!(order.runnable, vec![id("PLF-001")]);
}

#[test]
fn with_archiving_off_everything_stays() {
    let copy = planfile(1);
    copy.write("config.yaml", copy.read("config.yaml").replace("enabled: true", "enabled: false"));
    copy.store().mutate(&id("PLF-001"), done(), None).unwrap();
    assert_eq!(places(&copy, "PLF-001"), pair("current", "done"));
    assert!(!copy.at("index").exists());
}

#[test]
fn a_batched_archive_waits_until_it_is_full_or_flushed() {
    let copy = planfile(5);
    let mut store = copy.store();
    store.batch_archive(3);
    for n in 1..=2 {
        let finished = store.mutate(&id(&format!("PLF-00{n}")), done(), None).unwrap();
        assert_eq!(finished.sprint, "current");
    }
    store.mutate(&id("PLF-003"), done(), None).unwrap();
    for n in 1..=3 {
        assert_eq!(places(&copy, &format!("PLF-00{n}")), pair(HISTORY, "done"));
    }
    store.mutate(&id("PLF-004"), done(), None).unwrap();
    assert_eq!(places(&copy, "PLF-004"), pair("current", "done"));
    store.flush_archive().unwrap();
    assert_eq!(places(&copy, "PLF-004"), pair(HISTORY, "done"));
    assert_eq!(places(&copy, "PLF-005"), pair("current", "open"));
}

#[test]
fn a_move_torn_by_a_crash_is_completed_by_the_next_change() {
    let copy = planfile(2);
    let before = copy.read("sprints/current.yaml");
    copy.store().mutate(&id("PLF-001"), done(), None).unwrap();
    // As after a crash before the removal: the finished record stands in both files.
    let record = copy.read(&format!("sprints/{HISTORY}.yaml"));
    let lines: String = record.lines().filter(|l| l.starts_with("    ")).map(|l| format!("{l}\n")).collect();
    copy.write("sprints/current.yaml", before.replace(&first_ticket(&before), &lines));
    let mut store = copy.store();
    assert_eq!(store.plan().tickets.len(), 2);
    store.mutate(&id("PLF-002"), done(), None).unwrap();
    assert_eq!(places(&copy, "PLF-001"), pair(HISTORY, "done"));
    assert_eq!(places(&copy, "PLF-002"), pair(HISTORY, "done"));
}

#[test]
fn a_return_torn_by_a_crash_is_completed_by_the_next_change() {
    let copy = planfile(2);
    let before = copy.read("sprints/current.yaml");
    copy.store().mutate(&id("PLF-001"), fail(), None).unwrap();
    copy.write("sprints/current.yaml", &before);
    let mut store = copy.store();
    assert_eq!(store.plan().ticket(&id("PLF-001")).unwrap().status, Status::Open);
    store.mutate(&id("PLF-002"), Op::Claim { by: "me".to_owned(), until: None }, None).unwrap();
    assert_eq!(places(&copy, "PLF-001"), pair("current", "open"));
    assert!(!copy.read("index/history-locations.yaml").contains("PLF-001"));
}

fn first_ticket(text: &str) -> String {
    let start = text.find("    PLF-001:").unwrap();
    let end = text.find("    PLF-002:").unwrap();
    text[start..end].to_owned()
}

#[test]
fn a_history_file_that_does_not_parse_keeps_the_ticket_in_current() {
    let copy = planfile(1);
    copy.write(&format!("sprints/{HISTORY}.yaml"), "sprint: [\n");
    let mut store = copy.store();
    let finished = store.mutate(&id("PLF-001"), done(), None).unwrap();
    assert_eq!(finished.sprint, "current");
    assert_eq!(copy.read(&format!("sprints/{HISTORY}.yaml")), "sprint: [\n");
    let warnings = store.plan().warnings.clone();
    assert!(
        warnings.iter().any(|warning| warning.message.contains("finished tickets stay in current")),
        "{warnings:?}"
    );
}

#[test]
fn a_locator_that_is_none_is_left_alone_and_the_ticket_stays() {
    let copy = planfile(1);
    copy.write("index/history-locations.yaml", "- not a locator\n");
    let finished = copy.store().mutate(&id("PLF-001"), done(), None).unwrap();
    assert_eq!(finished.ticket.status, Status::Done);
    assert_eq!(copy.read("index/history-locations.yaml"), "- not a locator\n");
    assert!(on_disk(copy.path(), "current", "PLF-001").is_some());
}

#[test]
fn retention_keeps_finished_tickets_for_days() {
    let copy = planfile(2);
    let config = copy.read("config.yaml").replace("retain_terminal_days: 0", "retain_terminal_days: 2");
    copy.write("config.yaml", config);
    copy.store().mutate(&id("PLF-001"), done(), None).unwrap();
    assert_eq!(places(&copy, "PLF-001"), pair("current", "done"));
    let later = koru_tui::base::clock::Clock::manual("2026-11-23T00:00:00Z".parse().unwrap());
    copy.store().with_clock(later).mutate(&id("PLF-002"), done(), None).unwrap();
    assert_eq!(places(&copy, "PLF-001"), pair(HISTORY, "done"));
    assert_eq!(places(&copy, "PLF-002"), pair("current", "done"));
}
