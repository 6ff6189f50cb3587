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
            store.write_records(&kept, &mut records);
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
