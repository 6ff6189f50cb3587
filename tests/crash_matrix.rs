#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
//! A process that dies, or a disk that fails, at every durable step of a ticket's life: afterwards the planfile reads,
//! no ticket is lost, duplicated, changed halfway or runnable twice, and the work can go on.
//!
//! The child is this very test binary, told by the environment to live one life in a folder (`KORU_TUI_CRASH_DIR`)
//! while `KORU_TUI_FAULT` says at which step it dies.

#[path = "support/peer.rs"]
mod peer;
#[path = "support/store.rs"]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::OnceLock;

use koru_tui::plan::lifecycle::{NewTicket, Op};
use koru_tui::plan::queue::{Scope, order};
use koru_tui::plan::store::{Step, Store};
use koru_tui::plan::ticket::{Status, TicketId};
use support::{Copy, id};

/// Set for the child: the project to live in.
const CRASH_DIR: &str = "KORU_TUI_CRASH_DIR";

fn until() -> Option<jiff::Timestamp> {
    Some("2099-01-01T00:00:00Z".parse().unwrap())
}

/// The life: what a drain does to tickets, each acknowledged step said on standard output.
fn live(root: &Path) {
    let mut store = Store::open(root).unwrap();
    let by = || "me".to_owned();
    let one = |name: &str, op: Op| vec![(name.to_owned(), op)];
    let done = Op::Complete { note: Some("ok".to_owned()), artifacts: vec![], result: None };
    let fail = Op::Fail { error: "boom".to_owned(), result: None };
    let claim_and_start = |name: &str| {
        vec![
            (name.to_owned(), Op::Claim { by: by(), until: until() }),
            (name.to_owned(), Op::Start { by: Some(by()), until: until() }),
        ]
    };
    let acts = [
        claim_and_start("PLF-001"),
        one("PLF-001", Op::Renew { by: by(), until: until().unwrap() }),
        one("PLF-001", done),
        claim_and_start("PLF-002"),
        one("PLF-002", fail),
        one("PLF-002", Op::Ready { note: None }),
        one("PLF-003", Op::Block { reason: "vendor".to_owned() }),
    ];
    for act in acts {
        let steps: Vec<Step> = act
            .into_iter()
            .map(|(name, op)| Step { actor: Some(by()), ..Step::new(id(&name), op) })
            .collect();
        for result in store.apply(&steps) {
            match result {
                Ok(done) => println!("ok {} {}", done.ticket.id, done.ticket.status.word()),
                Err(error) => println!("error {error}"),
            }
        }
    }
    match store.create(&NewTicket { name: "new".to_owned(), ..NewTicket::default() }) {
        Ok(made) => println!("ok {} open", made.ticket.id),
        Err(error) => println!("error {error}"),
    }
}

/// Not a test of its own: the child's way in. Without the variable it does nothing.
#[test]
fn child_lives_here() {
    if let Some(root) = std::env::var_os(CRASH_DIR) {
        live(Path::new(&root));
    }
}

/// A planfile with four tickets, made once and copied.
fn project() -> Copy {
    static TEMPLATE: OnceLock<Copy> = OnceLock::new();
    let template = TEMPLATE.get_or_init(|| {
        let copy = Copy::of("fresh-init");
        let mut store = copy.store();
        for n in 1..=4 {
            store.create(&NewTicket { name: format!("ticket {n}"), ..NewTicket::default() }).unwrap();
        }
        copy
    });
    Copy::of_tree(template.path())
}

fn child(copy: &Copy, fault: &str) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_lives_here", "--nocapture", "--test-threads=1"])
        .env(CRASH_DIR, copy.path())
        .env("KORU_TUI_FAULT", fault)
        .output()
        .unwrap()
}

/// Durable steps of an undisturbed life.
fn steps() -> usize {
    let copy = project();
    let count = copy.path().join("count");
    let output = child(&copy, &format!("count:{}", count.display()));
    assert!(output.status.success(), "{output:?}");
    let said = acknowledged(&output);
    assert_eq!(said.len(), 4, "{output:?}");
    usize::try_from(fs::metadata(count).unwrap().len()).unwrap()
}

/// The last acknowledged status of each ticket.
fn acknowledged(output: &Output) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = text.lines().filter_map(|line| line.split_once("ok PLF-").map(|(_, rest)| rest.to_owned()));
    lines
        .filter_map(|rest| {
            let (number, status) = rest.split_once(' ')?;
            Some((format!("PLF-{number}"), status.to_owned()))
        })
        .collect()
}

/// Every file parses, every ticket stands once for readers, what was acknowledged is there, and the store takes changes.
fn check(copy: &Copy, said: &BTreeMap<String, String>, case: &str) {
    let mut store = Store::open(copy.path()).unwrap_or_else(|error| panic!("{case}: {error}"));
    let plan = store.plan();
    assert_eq!(plan.faults, vec![], "{case}");
    for n in 1..=4 {
        let ticket =
            plan.ticket(&id(&format!("PLF-00{n}"))).unwrap_or_else(|| panic!("{case}: PLF-00{n} is lost"));
        assert_eq!(ticket.invalid, None, "{case}");
        assert_eq!(ticket.name, format!("ticket {n}"), "{case}");
    }
    let mut ids: Vec<&TicketId> = plan.tickets.iter().map(|ticket| &ticket.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), plan.tickets.len(), "{case}: a ticket stands twice");
    for (name, status) in said {
        let found = plan.ticket(&id(name)).unwrap_or_else(|| panic!("{case}: acknowledged {name} is lost"));
        let next: &[&str] = match status.as_str() {
            // The step after the acknowledged one may have been written before the process died.
            "in_progress" => &["in_progress", "done", "failed"],
            "failed" => &["failed", "open"],
            "open" if *name == *"PLF-002" => &["open"],
            "open" => &["open", "in_progress"],
            other => &[other][..],
        };
        assert!(
            next.contains(&found.status.word()),
            "{case}: {name} was {status}, is {}",
            found.status.word()
        );
    }
    let queue = order(&plan.tickets, &Scope::default(), jiff::Timestamp::now());
    for name in &queue.runnable {
        assert_eq!(plan.ticket(name).unwrap().status, Status::Open, "{case}");
    }
    // The next change heals whatever the crash tore apart: afterwards each ticket stands in one file only.
    store.mutate(&id("PLF-004"), Op::Claim { by: "other".to_owned(), until: until() }, None).unwrap();
    store.flush_archive().unwrap();
    for n in 1..=4 {
        let places = stems(copy)
            .into_iter()
            .filter(|s| support::on_disk(copy.path(), s, &format!("PLF-00{n}")).is_some());
        let places: Vec<String> = places.collect();
        assert_eq!(places.len(), 1, "{case}: PLF-00{n} stands in {places:?}");
    }
}

fn stems(copy: &Copy) -> Vec<String> {
    let entries = fs::read_dir(copy.at("sprints")).unwrap();
    entries
        .filter_map(|entry| Some(entry.unwrap().file_name().to_str()?.strip_suffix(".yaml")?.to_owned()))
        .collect()
}

/// What planfile itself lists in all sprints: id → status.
fn as_planfile_sees(python: &Path, copies: &[(&Path, String)]) -> Vec<BTreeMap<String, String>> {
    const READ: &str = "
import json, sys, warnings
warnings.simplefilter('ignore')
from planfile import Planfile
for root in sys.argv[1:]:
    seen = {}
    for ticket in Planfile(root).list_tickets(sprint='all'):
        status = getattr(ticket.status, 'value', ticket.status)
        seen.setdefault(ticket.id, []).append(status)
    print('PLAN ' + json.dumps(seen))
";
    let output = Command::new(python)
        .args(["-c", READ])
        .args(copies.iter().map(|(path, _)| path))
        .env("PYTHONWARNINGS", "ignore")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let plans: Vec<BTreeMap<String, String>> = text
        .lines()
        .filter_map(|line| line.strip_prefix("PLAN "))
        .map(|json| {
            let seen: BTreeMap<String, Vec<String>> = serde_json::from_str(json).unwrap();
            seen.into_iter().map(|(id, statuses)| (id, statuses[0].clone())).collect()
        })
        .collect();
    assert_eq!(plans.len(), copies.len(), "{}", String::from_utf8_lossy(&output.stderr));
    plans
}

#[test]
fn a_process_killed_at_any_step_leaves_a_planfile_that_both_programs_read() {
    let steps = steps();
    assert!(steps > 60, "{steps}");
    let mut copies = Vec::new();
    for at in 1..=steps {
        let copy = project();
        let output = child(&copy, &format!("kill@{at}"));
        assert!(!output.status.success(), "step {at} did not kill: {output:?}");
        copies.push((copy, acknowledged(&output), format!("kill@{at} of {steps}")));
    }
    if let Some(python) = peer::planfile_python() {
        let roots: Vec<(&Path, String)> =
            copies.iter().map(|(copy, _, case)| (copy.path(), case.clone())).collect();
        let plans = as_planfile_sees(&python, &roots);
        for ((copy, _, case), seen) in copies.iter().zip(plans) {
            let ours = Store::open(copy.path()).unwrap().plan();
            let ours: BTreeMap<String, String> =
                ours.tickets.iter().map(|t| (t.id.to_string(), t.status.word().to_owned())).collect();
            assert_eq!(seen, ours, "{case}");
        }
    }
    for (copy, said, case) in &copies {
        check(copy, said, case);
    }
}

#[test]
fn a_disk_that_fails_at_any_step_leaves_the_old_file_whole_and_says_so() {
    let steps = steps();
    for kind in ["eio", "enospc"] {
        for at in 1..=steps {
            let case = format!("{kind}@{at} of {steps}");
            let copy = project();
            let output = child(&copy, &format!("{kind}@{at}"));
            assert!(output.status.success(), "{case}: {output:?}");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            for line in text.lines().filter_map(|line| line.split_once("error ").map(|(_, rest)| rest)) {
                let clear = line.contains("the old file is whole") && line.contains(".planfile")
                    // What follows from a step that was refused.
                    || line.contains("no longer held by");
                assert!(clear, "{case}: {line}");
            }
            let left: Vec<_> = fs::read_dir(copy.at("sprints"))
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .filter(|name| name.ends_with(".tmp"))
                .collect();
            assert_eq!(left, Vec::<String>::new(), "{case}");
            check(&copy, &acknowledged(&output), &case);
        }
    }
}
