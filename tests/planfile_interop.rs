#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! Beside the real planfile 0.1.126: it reads every result of every operation as we mean it, its journal reader accepts
//! our rows, and eight of its writer processes beside ours lose nothing in 2,000 changes. The table of expectations stays
//! in one piece, though longer than 60 lines.

#[path = "support/peer.rs"]
mod peer;
#[path = "support/store.rs"]
mod support;
#[path = "planfile_interop/writers.rs"]
mod writers;

use std::path::Path;
use std::process::Command;

use koru_tui::plan::lifecycle::{NewTicket, Op, Patch};
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
