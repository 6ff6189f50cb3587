//! The quick way against the long way: same bytes, and taken only where it may be.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::base::clock::Clock;
use crate::plan::lifecycle::Patch;

fn corpus(name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let from =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/planfile").join(name).join(".planfile");
    for relative in ["config.yaml", "sprints/current.yaml", "sprints/backlog.yaml"] {
        let to = folder.path().join(".planfile").join(relative);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, fs::read(from.join(relative)).unwrap()).unwrap();
    }
    let current = folder.path().join(".planfile/sprints/current.yaml");
    (folder, current)
}

fn open(folder: &tempfile::TempDir) -> Store {
    let noon = "2026-11-21T12:00:00Z".parse().unwrap();
    Store::open(folder.path()).unwrap().with_clock(Clock::manual(noon))
}

fn ops() -> Vec<Op> {
    vec![
        Op::Claim { by: "me".to_owned(), until: Some("2026-11-21T13:00:00Z".parse().unwrap()) },
        Op::Start { by: Some("me".to_owned()), until: None },
        Op::Input { prompt: "which: \"one\"?\n- a".to_owned(), env_keys: vec!["A".to_owned()], note: None },
        Op::Ready { note: Some("yes".to_owned()) },
        Op::Update(Patch { note: Some("# no comment".to_owned()), ..Patch::default() }),
    ]
}

/// Changes `id` in a process that read nothing before, after one that noted the file as whole.
fn quickly(name: &str, id: &TicketId, op: &Op) -> (Vec<u8>, bool, String) {
    let (folder, current) = corpus(name);
    open(&folder).engine.get_mut().refresh();
    let mut noted = open(&folder);
    noted.plan();
    noted.engine.get_mut().note_whole();
    let mut store = open(&folder);
    let outcome = format!("{:?}", store.mutate(id, op.clone(), Some("me")));
    (fs::read(current).unwrap(), !store.engine.get_mut().loaded, outcome)
}

#[test]
fn the_quick_way_writes_the_same_bytes_and_says_the_same() {
    let mut quick = 0;
    for name in ["statuses-no-archive", "unicode", "blocked-by", "executor-kinds", "evidence"] {
        let (folder, _) = corpus(name);
        for (place, ticket) in open(&folder).plan().tickets.iter().enumerate() {
            for op in [ops().remove(place % 5), ops().remove((place + 2) % 5)] {
                let (folder, current) = corpus(name);
                let mut store = open(&folder);
                store.plan();
                let outcome = format!("{:?}", store.mutate(&ticket.id, op.clone(), Some("me")));
                let (bytes, was_quick, said) = quickly(name, &ticket.id, &op);
                assert_eq!(said, outcome, "{name} {}", ticket.id);
                let (found, wanted) =
                    (String::from_utf8(bytes).unwrap(), fs::read_to_string(current).unwrap());
                assert_eq!(found, wanted, "{name} {} {op:?}", ticket.id);
                quick += usize::from(was_quick);
            }
        }
    }
    assert!(quick > 40, "only {quick} went the quick way");
}

/// A planfile whose `current` holds five open tickets and whose history of the day holds a sixth.
fn with_history() -> (tempfile::TempDir, PathBuf) {
    let (folder, current) = corpus("statuses-no-archive");
    let config = folder.path().join(".planfile/config.yaml");
    fs::write(config, "prefix: PLF\nnext_id: 1\nstorage:\n  backend: single-yaml\n").unwrap();
    fs::write(&current, "sprint:\n  id: sprint-001\n  name: Sprint 1\n  status: active\n  tickets: {}\n")
        .unwrap();
    let backlog = "sprint:\n  id: backlog\n  name: Backlog\n  status: backlog\n  tickets: {}\n";
    fs::write(current.with_file_name("backlog.yaml"), backlog).unwrap();
    let mut store = open(&folder);
    for n in 1..=6 {
        store.create(&NewTicket { name: format!("ticket {n}"), ..NewTicket::default() }).unwrap();
    }
    store.mutate(&TicketId::new("PLF-006"), done(), None).unwrap();
    (folder, current)
}

fn done() -> Op {
    Op::Complete { note: Some("- done: \"so\"".to_owned()), artifacts: Vec::new(), result: Some("r".into()) }
}

/// Every ticket of every file as JSON, with the file it stands in.
fn everything(folder: &tempfile::TempDir) -> Vec<(String, Value)> {
    let store = open(folder);
    let plan = store.plan();
    assert_eq!((&plan.faults, &plan.warnings), (&Vec::new(), &Vec::new()));
    let mut all: Vec<_> = plan
        .tickets
        .iter()
        .map(|ticket| (store.engine.borrow().files.home_of(ticket.id.as_str()).unwrap().to_owned(), ticket))
        .map(|(home, ticket)| (home, store.record(&ticket.id).unwrap()))
        .collect();
    all.sort_by_key(|(_, record)| record["id"].to_string());
    all
}

#[test]
fn a_finished_ticket_moves_the_quick_way_as_it_does_the_long_way() {
    for id in ["PLF-001", "PLF-003", "PLF-005"].map(TicketId::new) {
        let long = with_history();
        // Without the note, and with a comment that makes the store read everything.
        fs::remove_file(long.0.path().join(".planfile/.koru/known-whole.json")).unwrap();
        let mut store = open(&long.0);
        let wanted = store.mutate(&id, done(), Some("me")).unwrap();

        let unread = with_history();
        let mut store = open(&unread.0);
        let moved = store.mutate(&id, done(), Some("me")).unwrap();
        assert!(!store.engine.get_mut().loaded, "{id} took the long way");
        assert_eq!(moved, wanted);
        assert_eq!(moved.sprint, "history-2026-11-21");

        let read = with_history();
        let mut store = open(&read.0);
        store.plan();
        assert_eq!(store.mutate(&id, done(), Some("me")).unwrap(), wanted);
        let known: Vec<_> = store.plan().tickets.iter().map(|ticket| ticket.id.to_string()).collect();
        let fresh: Vec<_> = open(&read.0).plan().tickets.iter().map(|ticket| ticket.id.to_string()).collect();
        assert_eq!(known, fresh);

        let expected = everything(&long.0);
        assert_eq!(everything(&unread.0), expected);
        assert_eq!(everything(&read.0), expected);
        let locator = |at: &tempfile::TempDir| {
            fs::read_to_string(at.path().join(".planfile/index/history-locations.yaml")).unwrap()
        };
        assert_eq!((locator(&unread.0), locator(&read.0)), (locator(&long.0), locator(&long.0)));
        for (_, current) in [&unread, &read] {
            assert_eq!(fs::read_to_string(current).unwrap(), fs::read_to_string(&long.1).unwrap());
        }
    }
}

#[test]
fn the_last_ticket_and_a_second_finished_one_leave_the_long_way() {
    let (folder, current) = with_history();
    let text = fs::read_to_string(&current).unwrap().replacen("status: open", "status: done", 1);
    fs::write(&current, text).unwrap();
    open(&folder).engine.get_mut().refresh();
    let mut noted = open(&folder);
    noted.plan();
    noted.engine.get_mut().note_whole();
    let mut store = open(&folder);
    store.mutate(&TicketId::new("PLF-003"), done(), None).unwrap();
    assert!(store.engine.get_mut().loaded, "PLF-001 is finished and has to move, too");
    for id in ["PLF-002", "PLF-004", "PLF-005"] {
        open(&folder).mutate(&TicketId::new(id), done(), None).unwrap();
    }
    let text = fs::read_to_string(&current).unwrap();
    assert!(text.ends_with("  tickets: {}\n"), "{text}");
    assert_eq!(everything(&folder).len(), 6);
}

#[test]
fn a_plan_that_is_kept_up_to_date_is_the_plan_that_is_read() {
    let (folder, _) = with_history();
    let mut store = open(&folder);
    store.plan();
    store.batch_archive(3);
    for (place, id) in ["PLF-002", "PLF-005", "PLF-001", "PLF-004"].map(TicketId::new).iter().enumerate() {
        for op in [ops().remove(1), done()] {
            store.mutate(id, op, Some("me")).unwrap();
            let (known, read) = (store.plan(), open(&folder).plan());
            assert_eq!(known.tickets, read.tickets, "{place}");
            assert_eq!((&known.sprints, &known.warnings), (&read.sprints, &read.warnings));
            for ticket in &known.tickets {
                assert_eq!(known.ticket(&ticket.id), Some(ticket));
            }
        }
    }
    store.flush_archive().unwrap();
    assert_eq!(store.plan().tickets, open(&folder).plan().tickets);
    assert_eq!(
        store.plan().sprints,
        [("current".to_owned(), 1), ("backlog".to_owned(), 0), ("history-2026-11-21".to_owned(), 5)]
    );
}

#[test]
fn comments_behind_a_ticket_survive_the_quick_way() {
    let (folder, current) = corpus("statuses-no-archive");
    let text = fs::read_to_string(&current).unwrap();
    let text =
        text.replace("    PLF-002:\n", "      # about the first\n\n    # about the second\n    PLF-002:\n");
    fs::write(&current, &text).unwrap();
    let mut noted = open(&folder);
    noted.plan();
    noted.engine.get_mut().note_whole();
    let mut store = open(&folder);
    store.mutate(&TicketId::new("PLF-001"), ops().remove(0), None).unwrap();
    assert!(!store.engine.get_mut().loaded);
    let after = fs::read_to_string(&current).unwrap();
    assert!(after.contains("      # about the first\n\n    # about the second\n    PLF-002:\n"), "{after}");
    assert_eq!(open(&folder).plan().faults, vec![]);
}

#[test]
fn an_unnoted_or_changed_file_takes_the_long_way() {
    let (folder, current) = corpus("statuses-no-archive");
    let mut store = open(&folder);
    store.mutate(&TicketId::new("PLF-001"), ops().remove(0), None).unwrap();
    assert!(store.engine.get_mut().loaded, "nothing was noted");
    let mut text = fs::read_to_string(&current).unwrap();
    text.push_str("garbage");
    fs::write(&current, text).unwrap();
    let mut store = open(&folder);
    let error = store.mutate(&TicketId::new("PLF-001"), ops().remove(4), None).unwrap_err();
    assert!(matches!(error, MutateError::Broken(_)), "{error}");
}

#[test]
fn a_plan_finds_tickets_by_id_and_keeps_the_first() {
    let ticket = |id: &str, name: &str| {
        Arc::new(Ticket { id: TicketId::new(id), name: name.to_owned(), ..Ticket::default() })
    };
    let plan =
        Plan { tickets: vec![ticket("A-1", "x"), ticket("A-2", "y"), ticket("A-1", "z")], ..Plan::default() };
    assert_eq!(plan.ticket(&TicketId::new("A-1")).unwrap().name, "x");
    assert_eq!(plan.ticket(&TicketId::new("A-2")).unwrap().name, "y");
    assert_eq!(plan.ticket(&TicketId::new("A-3")), None);
    assert_eq!(plan.clone(), plan);
}

#[test]
fn listing_without_a_plan_says_what_the_plan_says() {
    for name in ["statuses-no-archive", "unicode", "blocked-by", "executor-kinds"] {
        let (folder, current) = corpus(name);
        let listed = |store: &Store, keep: &dyn Fn(&Ticket) -> bool| {
            let plan = store.plan();
            let kept: Vec<_> =
                plan.tickets.iter().filter(|ticket| ticket.sprint == "current" && keep(ticket)).collect();
            let mut records = Vec::new();
            assert!(store.write_records(&kept, &mut records));
            String::from_utf8(records).unwrap()
        };
        let store = open(&folder);
        let quick = store.current_records(None).unwrap().join(",");
        assert!(!store.engine.borrow().loaded, "{name}");
        let high = |ticket: &Ticket| ticket.priority == crate::plan::ticket::Priority::High;
        let some = open(&folder).current_records(Some(&high)).unwrap().join(",");
        assert_eq!(quick, listed(&store, &|_| true), "{name}");
        assert_eq!(some, listed(&store, &high), "{name}");
        assert_eq!(store.current_records(None), None, "a plan that was made is used");
        let backlog = current.with_file_name("backlog.yaml");
        fs::write(&backlog, "sprint: [\n").unwrap();
        assert_eq!(open(&folder).current_records(None), None, "a broken file is to be named");
        fs::remove_file(backlog).unwrap();
        assert_eq!(open(&folder).current_records(None).unwrap().join(","), quick, "{name}");
        let receipts = folder.path().join(".planfile/evidence");
        fs::create_dir_all(&receipts).unwrap();
        fs::write(receipts.join("A.jsonl"), "").unwrap();
        assert_eq!(open(&folder).current_records(None), None, "receipts are to be merged");
    }
}
