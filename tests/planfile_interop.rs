#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! Beside the real planfile 0.1.126: it reads every result of every operation as we mean it, its journal reader accepts
//! our rows, and eight of its writer processes beside ours lose nothing in 2,000 changes. The table of expectations and
//! the tale of the writers stay in one piece each, though longer than 60 lines.

#[path = "support/peer.rs"]
mod peer;
#[path = "support/store.rs"]
mod support;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use koru_tui::plan::lifecycle::{NewTicket, Op, Patch};
use koru_tui::plan::store::{MutateError, Store};
use koru_tui::plan::ticket::{ExecutorKind, Priority, Status, TicketId};
use serde_json::{Value, json};
use support::{Copy, id};

/// Prints every ticket of every named project as planfile models it, a line of JSON a project.
const DUMP: &str = "
import json, sys, warnings
warnings.simplefilter('ignore')
from planfile import Planfile
from planfile.core.operational_dsl import parse
for root in sys.argv[1:]:
    plan = Planfile(root)
    tickets = {t.id: t.model_dump(mode='json') for t in plan.list_tickets(sprint='all')}
    shown = {key: plan.get_ticket(key) is not None for key in tickets}
    report = plan.runnable_report()
    rows = []
    try:
        for raw in open(root + '/.planfile/events/operations.jsonl', encoding='utf-8'):
            row = json.loads(raw)
            assert parse(row['dsl']) == row['event'], row
            rows.append(row['event']['ticket_id'])
    except FileNotFoundError:
        pass
    print('PLAN ' + json.dumps({'tickets': tickets, 'shown': shown, 'servable': report['servable'], 'rows': rows}))
";

fn dump(python: &Path, roots: &[&Path]) -> Vec<Value> {
    let output = Command::new(python)
        .arg("-c")
        .arg(DUMP)
        .args(roots)
        .env("PYTHONWARNINGS", "ignore")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let plans: Vec<Value> = text
        .lines()
        .filter_map(|line| line.strip_prefix("PLAN "))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(plans.len(), roots.len(), "{}", String::from_utf8_lossy(&output.stderr));
    plans
}

/// A planfile with one shell ticket of three attempts and one that waits for it.
fn project() -> Copy {
    let copy = Copy::of("fresh-init");
    let mut store = copy.store();
    let inputs =
        json!({"script": "echo 'yes' # no: comment", "env_keys": ["CI"]}).as_object().unwrap().clone();
    let subject = NewTicket {
        name: "yes: 1e3 # \"quoted\" 🚀 zażółć".to_owned(),
        description: "line one\n\n  - two: three\n\ttab \u{85} end ".to_owned(),
        labels: vec!["bug".to_owned(), "on".to_owned(), "12:30:45".to_owned()],
        executor: ExecutorKind::Shell,
        max_attempts: Some(3),
        inputs,
        ..NewTicket::default()
    };
    store.create(&subject).unwrap();
    let waiting =
        NewTicket { name: "later".to_owned(), blocked_by: vec![id("PLF-001")], ..NewTicket::default() };
    store.create(&waiting).unwrap();
    copy
}

fn until() -> Option<jiff::Timestamp> {
    Some("2026-11-21T13:00:00Z".parse().unwrap())
}

/// Each operation, what must be done before it, and what planfile has to say afterwards about the keys named.
fn expectations() -> Vec<(&'static str, Vec<Op>, Value)> {
    let claim = Op::Claim { by: "me".to_owned(), until: until() };
    let start = Op::Start { by: Some("me".to_owned()), until: until() };
    let nasty = "null\n~ yes 0x1F: [a] {b} & *c !d | > '%' @ ` \u{7f}\u{feff} 1_000 =";
    let done = |result: Value| Op::Complete {
        note: Some(nasty.to_owned()),
        artifacts: vec!["- no list".to_owned()],
        result: Some(result),
    };
    let fail =
        || Op::Fail { error: nasty.to_owned(), result: Some(json!({"exit_code": 2, "stderr": nasty})) };
    let result =
        json!({"exit_code": 0, "stdout": nasty, "1e3": "1e3", "deep": [{"yes": null, "n": [1.5, true]}]});
    let state = |status: &str, state: &str| json!({"/status": status, "/execution/state": state});
    let with = |mut base: Value, more: Value| {
        base.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        base
    };
    vec![
        ("create", vec![], with(state("open", "pending"), json!({"/labels": ["bug", "on", "12:30:45"]}))),
        (
            "claim",
            vec![claim.clone()],
            with(
                state("open", "ready"),
                json!({"/execution/assigned_to": "me", "/execution/lease_expires_at": "2026-11-21T13:00:00Z"}),
            ),
        ),
        (
            "start",
            vec![claim.clone(), start.clone()],
            with(state("in_progress", "running"), json!({"/execution/started_at": "2026-11-21T12:00:00Z"})),
        ),
        (
            "complete",
            vec![start.clone(), done(result.clone())],
            with(
                state("done", "done"),
                json!({
                    "/outputs/result": result, "/outputs/notes": [nasty], "/outputs/artifacts": ["- no list"],
                    "/execution/assigned_to": null, "/execution/lease_expires_at": null,
                    "/sprint": "history-2026-11-21",
                }),
            ),
        ),
        (
            "fail once",
            vec![start.clone(), fail()],
            with(state("open", "ready"), json!({"/execution/attempt": 1, "/execution/last_error": nasty})),
        ),
        (
            "fail for good",
            vec![fail(), fail(), fail()],
            with(state("failed", "failed"), json!({"/execution/attempt": 3, "/execution/last_error": nasty})),
        ),
        (
            "input",
            vec![start, Op::Input { prompt: nasty.to_owned(), env_keys: vec!["A".to_owned()], note: None }],
            with(
                state("in_progress", "waiting_input"),
                json!({"/inputs/prompt": nasty, "/inputs/env_keys": ["CI", "A"]}),
            ),
        ),
        (
            "ready from the archive",
            vec![fail(), fail(), fail(), Op::Ready { note: Some("again".to_owned()) }],
            with(state("open", "ready"), json!({"/sprint": "current", "/execution/last_error": null})),
        ),
        (
            "block",
            vec![Op::Block { reason: nasty.to_owned() }],
            with(
                state("blocked", "blocked"),
                json!({"/description": "line one\n\n  - two: three\n\ttab \u{85} end ", "/execution/last_error": nasty}),
            ),
        ),
        (
            "update",
            vec![Op::Update(Patch {
                name: Some(nasty.to_owned()),
                description: Some(nasty.to_owned()),
                status: Some(Status::Review),
                priority: Some(Priority::Low),
                labels: Some(vec!["no".to_owned()]),
                blocked_by: Some(vec![id("yes")]),
                files: Some(vec!["a b".to_owned()]),
                executor: Some(ExecutorKind::Human),
                prompt: Some("1:2".to_owned()),
                script: Some(String::new()),
                note: Some("=".to_owned()),
            })],
            with(
                state("review", "pending"),
                json!({
                    "/name": nasty, "/description": nasty, "/priority": "low", "/labels": ["no"],
                    "/blocked_by": ["yes"], "/files": ["a b"], "/executor/kind": "human", "/inputs/prompt": "1:2",
                    "/inputs/script": null, "/outputs/notes": ["="],
                }),
            ),
        ),
        (
            "cancel",
            vec![claim, Op::Update(Patch { status: Some(Status::Canceled), ..Patch::default() })],
            state("canceled", "canceled"),
        ),
    ]
}

#[test]
fn planfile_reads_every_result_as_meant() {
    let Some(python) = peer::planfile_python() else { return };
    let mut copies = Vec::new();
    for (name, ops, wanted) in expectations() {
        let copy = project();
        let steps = ops.len();
        for op in ops {
            copy.store()
                .mutate(&id("PLF-001"), op, Some("me"))
                .unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        copies.push((name, copy, wanted, steps));
    }
    let roots: Vec<&Path> = copies.iter().map(|(_, copy, ..)| copy.path()).collect();
    for ((name, copy, wanted, steps), seen) in copies.iter().zip(dump(&python, &roots)) {
        let ticket = &seen["tickets"]["PLF-001"];
        for (pointer, value) in wanted.as_object().unwrap() {
            assert_eq!(ticket.pointer(pointer).unwrap_or(&Value::Null), value, "{name} {pointer}");
        }
        assert_eq!(seen["shown"], json!({"PLF-001": true, "PLF-002": true}), "{name}");
        assert_eq!(seen["rows"].as_array().unwrap().len(), 2 + steps, "{name}");
        let released = ticket["status"] == "done" || ticket["status"] == "canceled";
        let servable =
            koru_tui::plan::queue::order(&copy.store().plan().tickets, &Default::default(), support::noon());
        let theirs: Vec<TicketId> = seen["servable"]
            .as_array()
            .unwrap()
            .iter()
            .map(|id| TicketId::new(id.as_str().unwrap()))
            .collect();
        assert_eq!(theirs.contains(&id("PLF-002")), released, "{name}");
        // Ours knows the claim; planfile serves a claimed ticket again.
        if *name != "claim" {
            assert_eq!(servable.runnable, theirs, "{name}");
        }
        assert_eq!(ticket["history"].as_array().unwrap().len(), *steps, "{name}");
    }
}

#[test]
fn planfile_goes_on_where_we_stopped_and_we_where_it_did() {
    let Some(python) = peer::planfile_python() else { return };
    const ACT: &str = "
import sys, warnings
warnings.simplefilter('ignore')
from planfile import Planfile
plan = Planfile(sys.argv[1])
plan.complete_ticket('PLF-001', note='by planfile')
plan.claim_ticket('PLF-002', assigned_to='them', lease_seconds=600)
";
    let copy = project();
    let mut store = copy.store();
    store.mutate(&id("PLF-001"), Op::Start { by: Some("me".to_owned()), until: until() }, None).unwrap();
    let output = Command::new(&python).arg("-c").arg(ACT).arg(copy.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let error = store
        .mutate(&id("PLF-001"), Op::Start { by: Some("me".to_owned()), until: until() }, None)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "PLF-001 is done; a finished ticket is not started again, create a new one"
    );
    let plan = store.plan();
    assert_eq!(plan.ticket(&id("PLF-001")).unwrap().outputs.notes, ["by planfile"]);
    assert_eq!(plan.ticket(&id("PLF-002")).unwrap().execution.assigned_to.as_deref(), Some("them"));
}

/// One of planfile's own writers: makes tickets and notes on them through its Python interface.
const WRITER: &str = "
import sys, warnings
warnings.simplefilter('ignore')
from planfile import Planfile, Ticket
root, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
plan = Planfile(root)
print('READY', flush=True)
sys.stdin.readline()
mine = []
for n in range(count):
    if n % 5 == 0:
        made = plan.create_ticket(name=f'{name}-{n}', source={'tool': name})
        mine.append(made.id)
        print('MADE', made.id, flush=True)
    else:
        key = mine[-1]
        plan.add_ticket_note(key, f'{name}-{n}')
        print('NOTED', key, f'{name}-{n}', flush=True)
print('DONE', flush=True)
";

/// planfile's writers, and the changes that each makes. A change costs planfile a tenth of a second and more, so that
/// most of the 2,000 are ours.
const THEIRS: usize = 8;
const THEIR_CHANGES: usize = 50;
/// Our writers, the changes that each makes, and after how many it finishes a ticket, so that the archive moves too.
const OURS: usize = 2;
const OUR_CHANGES: usize = 800;
const OUR_LIFE: usize = 40;

#[test]
fn ten_writers_lose_nothing() {
    let Some(python) = peer::planfile_python() else { return };
    let copy = Copy::of("fresh-init");
    let mut children = Vec::new();
    for n in 0..THEIRS {
        let mut child = Command::new(&python)
            .arg("-c")
            .arg(WRITER)
            .arg(copy.path())
            .arg(format!("py{n}"))
            .arg(THEIR_CHANGES.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "READY");
        children.push((child, lines));
    }
    children.iter_mut().for_each(|(child, _)| drop(child.stdin.take()));
    let ours: Vec<_> = (0..OURS)
        .map(|n| {
            let root = copy.path().to_path_buf();
            std::thread::spawn(move || write_as_we_do(&root, &format!("rs{n}")))
        })
        .collect();
    let mut wanted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (mut child, lines) in children {
        let mut done = false;
        for line in lines.map(Result::unwrap) {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["MADE", id] => {
                    assert_eq!(wanted.insert(id.to_owned(), vec![]), None, "{id} was given twice")
                }
                ["NOTED", id, note] => wanted.get_mut(id).unwrap().push(note.to_owned()),
                _ => done = line == "DONE",
            }
        }
        assert!(child.wait().unwrap().success() && done);
    }
    for thread in ours {
        for (id, notes) in thread.join().unwrap() {
            assert_eq!(wanted.insert(id.clone(), notes), None, "{id} was given twice");
        }
    }
    let plan = Store::open(copy.path()).unwrap().plan();
    assert_eq!(plan.faults, vec![]);
    let found: BTreeMap<String, Vec<String>> =
        plan.tickets.iter().map(|t| (t.id.to_string(), t.outputs.notes.clone())).collect();
    assert_eq!(found, wanted);
    let seen = dump(&python, &[copy.path()]).remove(0);
    let seen: BTreeMap<String, Vec<String>> = seen["tickets"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(id, ticket)| {
            (id.clone(), serde_json::from_value(ticket["outputs"]["notes"].clone()).unwrap_or_default())
        })
        .collect();
    assert_eq!(seen, wanted);
    let changes = wanted.len() + wanted.values().map(Vec::len).sum::<usize>();
    assert_eq!(changes, 2_000);
    assert_eq!(changes, THEIRS * THEIR_CHANGES + OURS * OUR_CHANGES);
}

/// One of our writers.
fn write_as_we_do(root: &Path, name: &str) -> BTreeMap<String, Vec<String>> {
    let mut store = Store::open(root).unwrap().with_lock_wait(Duration::from_secs(120));
    let mut mine: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut last = id("");
    for n in 0..OUR_CHANGES {
        if n % OUR_LIFE == 0 {
            let made =
                retried(|| store.create(&NewTicket { name: format!("{name}-{n}"), ..NewTicket::default() }));
            last = made.ticket.id.clone();
            mine.insert(last.to_string(), vec![]);
            continue;
        }
        let note = Some(format!("{name}-{n}"));
        let op = if n % OUR_LIFE == OUR_LIFE - 1 {
            Op::Complete { note: note.clone(), artifacts: vec![], result: None }
        } else {
            Op::Update(Patch { note: note.clone(), ..Patch::default() })
        };
        let done = retried(|| store.mutate(&last, op.clone(), Some(name)));
        mine.get_mut(last.as_str()).unwrap().extend(note);
        assert_eq!(done.ticket.outputs.notes, mine[last.as_str()]);
    }
    mine
}

/// A lock that was not had in time is asked for again: the machine may be slow, nothing may be lost.
fn retried<T>(mut act: impl FnMut() -> Result<T, MutateError>) -> T {
    loop {
        match act() {
            Err(MutateError::Locked { .. }) => {}
            other => return other.unwrap(),
        }
    }
}
