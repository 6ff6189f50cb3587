//! The state table of `reference/planfile.md` §7 as a test, then each rule by itself with whole values.

use serde_json::json;

use super::record::new_record;
use super::*;
use crate::plan::ticket::{Execution, Executor, Inputs, Outputs};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-11-21T05:00:00.5Z")
}

/// `open/ready*` as a ticket; `*` means that `w` holds it.
fn ticket(cell: &str) -> Ticket {
    let (bare, held) = (cell.trim_end_matches('*'), cell.ends_with('*'));
    let (status, state) = bare.split_once('/').unwrap();
    Ticket {
        id: TicketId::new("PLF-001"),
        status: Status::parse(status).unwrap(),
        execution: Execution {
            state: if state == "-" { String::new() } else { state.to_owned() },
            assigned_to: held.then(|| "w".to_owned()),
            max_attempts: 1,
            ..Execution::default()
        },
        ..Ticket::default()
    }
}

/// The cell that the changes lead to.
fn cell_after(ticket: &Ticket, op: &Op) -> String {
    let Ok(changes) = changes(ticket, op, now()) else { return "ERR".to_owned() };
    let state = ticket.execution.state.as_str();
    let mut record = json!({"status": ticket.status.word()});
    if !state.is_empty() {
        record["execution"] = json!({"state": state, "assigned_to": ticket.execution.assigned_to});
    }
    changes.iter().for_each(|change| history::apply(&mut record, change));
    let state = record.pointer("/execution/state").and_then(Value::as_str).unwrap_or("-").to_owned();
    let held = record.pointer("/execution/assigned_to").is_some_and(Value::is_string);
    format!("{}/{state}{}", record["status"].as_str().unwrap(), if held { "*" } else { "" })
}

fn update(status: Status) -> Op {
    Op::Update(Patch { status: Some(status), ..Patch::default() })
}

fn every_op() -> [Op; 10] {
    [
        Op::Claim { by: "w".to_owned(), until: None },
        Op::Start { by: Some("w".to_owned()), until: None },
        Op::Input { prompt: "which?".to_owned(), env_keys: vec![], note: None },
        Op::Ready { note: None },
        Op::Complete { note: None, artifacts: vec![], result: None },
        Op::Fail { error: "boom".to_owned(), result: None },
        Op::Block { reason: "vendor".to_owned() },
        update(Status::Review),
        update(Status::Open),
        update(Status::Canceled),
    ]
}

#[test]
fn the_state_table_holds() {
    let failed = "failed/failed";
    let blocked = "blocked/blocked";
    let canceled = "canceled/canceled";
    // The column "update open" is ours: planfile leaves the state alone and so makes a ticket that nobody serves.
    let table = [
        ("open/-", ["open/ready*", "in_progress/running*", "open/waiting_input", "review/-"]),
        ("open/pending", ["open/ready*", "in_progress/running*", "open/waiting_input", "review/pending"]),
        ("open/ready*", ["open/ready*", "in_progress/running*", "open/waiting_input*", "review/ready*"]),
        (
            "in_progress/running*",
            ["in_progress/running*", "in_progress/running*", "in_progress/waiting_input*", "review/running*"],
        ),
        (
            "in_progress/waiting_input*",
            [
                "in_progress/waiting_input*",
                "in_progress/running*",
                "in_progress/waiting_input*",
                "review/waiting_input*",
            ],
        ),
        ("review/-", ["review/ready*", "in_progress/running*", "review/waiting_input", "review/-"]),
        (
            "blocked/blocked",
            ["blocked/blocked*", "in_progress/running*", "blocked/waiting_input", "review/blocked"],
        ),
        (
            "failed/failed",
            ["failed/failed*", "in_progress/running*", "failed/waiting_input", "review/failed"],
        ),
        ("done/done", ["done/done*", "ERR", "ERR", "ERR"]),
        ("canceled/canceled", ["canceled/canceled*", "ERR", "ERR", "ERR"]),
    ];
    for (from, [claim, start, input, review]) in table {
        let finished = review == "ERR";
        let open = if finished { "ERR" } else { "open/ready" };
        let wanted = [claim, start, input, open, "done/done", failed, blocked, review, open, canceled];
        let found: Vec<String> = every_op().iter().map(|op| cell_after(&ticket(from), op)).collect();
        assert_eq!(found, wanted, "from {from}");
    }
}

#[test]
fn completing_writes_what_planfile_writes() {
    let mut subject = ticket("in_progress/running*");
    subject.outputs = Outputs { notes: vec!["one".to_owned()], ..Outputs::default() };
    let op = Op::Complete {
        note: Some("all green".to_owned()),
        artifacts: vec!["report.txt".to_owned()],
        result: Some(json!({"exit_code": 0})),
    };
    let wanted = vec![
        Change::set(&["status"], "done"),
        Change::set(&["execution", "state"], "done"),
        Change::set(&["execution", "assigned_to"], Value::Null),
        Change::set(&["execution", "lease_expires_at"], Value::Null),
        Change::set(&["execution", "finished_at"], "2026-11-21T05:00:00.500000+00:00"),
        Change::remove(&["execution", "last_error"]),
        Change::set(&["outputs", "artifacts"], json!(["report.txt"])),
        Change::set(&["outputs", "notes"], json!(["one", "all green"])),
        Change::set(&["outputs", "result"], json!({"exit_code": 0})),
    ];
    assert_eq!(changes(&subject, &op, now()), Ok(wanted));
}

#[test]
fn failing_counts_attempts_and_ends_when_they_are_used_up() {
    let mut subject = ticket("in_progress/running*");
    subject.execution.max_attempts = 3;
    subject.execution.attempt = 1;
    let op = Op::Fail { error: "timeout".to_owned(), result: None };
    let retried = vec![
        Change::set(&["status"], "open"),
        Change::set(&["execution", "state"], "ready"),
        Change::remove(&["execution", "assigned_to"]),
        Change::remove(&["execution", "lease_expires_at"]),
        Change::remove(&["execution", "finished_at"]),
        Change::set(&["execution", "attempt"], 2),
        Change::set(&["execution", "last_error"], "timeout"),
    ];
    assert_eq!(changes(&subject, &op, now()), Ok(retried));
    subject.execution.attempt = 2;
    assert_eq!(cell_after(&subject, &op), "failed/failed");
    subject.execution.attempt = i64::MAX;
    assert_eq!(cell_after(&subject, &op), "failed/failed");
}

#[test]
fn a_failure_with_attempts_left_does_not_reopen_a_finished_ticket() {
    let mut subject = ticket("done/done");
    subject.execution.max_attempts = 3;
    let op = Op::Fail { error: "late".to_owned(), result: None };
    let wanted = Refusal::Terminal { id: subject.id.clone(), status: "done" };
    assert_eq!(changes(&subject, &op, now()), Err(wanted));
}

#[test]
fn a_live_lease_excludes_others_and_an_expired_one_does_not() {
    let claim = |by: &str| Op::Claim { by: by.to_owned(), until: Some(at("2026-11-21T06:00:00Z")) };
    let start = |by: &str| Op::Start { by: Some(by.to_owned()), until: None };
    let held = |until: &str| {
        Err(Refusal::Held { id: TicketId::new("PLF-001"), holder: "w".to_owned(), until: until.to_owned() })
    };
    let mut subject = ticket("open/ready*");
    assert_eq!(changes(&subject, &claim("x"), now()), held("no end"));
    assert_eq!(changes(&subject, &start("x"), now()), held("no end"));
    subject.execution.lease_expires_at = Some(at("2026-11-21T05:10:00Z"));
    assert_eq!(changes(&subject, &claim("x"), now()), held("2026-11-21T05:10:00Z"));
    assert_eq!(cell_after(&subject, &claim("w")), "open/ready*");
    subject.execution.lease_expires_at = Some(now());
    let taken = vec![
        Change::set(&["execution", "assigned_to"], "x"),
        Change::set(&["execution", "lease_expires_at"], "2026-11-21T06:00:00Z"),
    ];
    assert_eq!(changes(&subject, &claim("x"), now()), Ok(taken));
    let started = changes(&subject, &start("x"), now()).unwrap();
    assert!(started.contains(&Change::remove(&["execution", "lease_expires_at"])), "{started:?}");
}

#[test]
fn a_running_ticket_under_a_live_lease_is_not_started_again_even_by_its_holder() {
    let mut subject = ticket("in_progress/running*");
    subject.execution.lease_expires_at = Some(at("2026-11-21T05:10:00Z"));
    for by in [None, Some("w".to_owned())] {
        let refusal = changes(&subject, &Op::Start { by, until: None }, now()).unwrap_err();
        assert!(matches!(refusal, Refusal::Held { .. }), "{refusal}");
    }
    subject.execution.state = "waiting_input".to_owned();
    assert_eq!(cell_after(&subject, &Op::Start { by: None, until: None }), "in_progress/running*");
}

#[test]
fn renewing_needs_the_ticket_to_be_held() {
    let renew = |by: &str| Op::Renew { by: by.to_owned(), until: at("2026-11-21T06:00:00Z") };
    let wanted = vec![Change::set(&["execution", "lease_expires_at"], "2026-11-21T06:00:00Z")];
    assert_eq!(changes(&ticket("in_progress/running*"), &renew("w"), now()), Ok(wanted));
    for (cell, by) in [("in_progress/running*", "x"), ("open/ready", "w"), ("failed/failed*", "w")] {
        let refused = Refusal::NotHeld { id: TicketId::new("PLF-001"), by: by.to_owned() };
        assert_eq!(changes(&ticket(cell), &renew(by), now()), Err(refused));
    }
}

#[test]
fn blocking_keeps_the_description() {
    let subject = ticket("in_progress/running*");
    let found = changes(&subject, &Op::Block { reason: "vendor outage".to_owned() }, now()).unwrap();
    assert!(found.iter().all(|change| change.path != ["description"]));
    assert!(found.contains(&Change::set(&["execution", "last_error"], "vendor outage")));
    assert!(found.contains(&Change::set(&["outputs", "notes"], json!(["BLOCKED: vendor outage"]))));
}

#[test]
fn asking_for_input_merges_the_variables() {
    let mut subject = ticket("in_progress/running*");
    subject.inputs = Inputs { env_keys: vec!["A".to_owned(), "B".to_owned()], ..Inputs::default() };
    let op = Op::Input {
        prompt: "Which?".to_owned(),
        env_keys: vec!["B".to_owned(), "C".to_owned()],
        note: Some("n".to_owned()),
    };
    let wanted = vec![
        Change::set(&["execution", "state"], "waiting_input"),
        Change::set(&["inputs", "prompt"], "Which?"),
        Change::set(&["inputs", "env_keys"], json!(["A", "B", "C"])),
        Change::set(&["outputs", "artifacts"], json!([])),
        Change::set(&["outputs", "notes"], json!(["n"])),
    ];
    assert_eq!(changes(&subject, &op, now()), Ok(wanted));
}

#[test]
fn the_first_step_of_a_ticket_without_execution_gets_planfiles_defaults() {
    let wanted = vec![
        Change::set(&["execution", "attempt"], 0),
        Change::set(&["execution", "max_attempts"], 1),
        Change::set(&["execution", "queue"], "default"),
        Change::set(&["execution", "assigned_to"], "w"),
        Change::set(&["execution", "state"], "ready"),
    ];
    let subject = Ticket { id: TicketId::new("PLF-001"), ..Ticket::default() };
    let op = Op::Claim { by: "w".to_owned(), until: None };
    assert_eq!(changes(&subject, &op, now()), Ok(wanted));
}

#[test]
fn values_that_planfile_could_not_read_back_are_refused_by_field() {
    let patch = |patch: Patch| Op::Update(patch);
    let cases = [
        (Op::Claim { by: " ".to_owned(), until: None }, "assigned_to"),
        (Op::Fail { error: String::new(), result: None }, "error"),
        (Op::Block { reason: "\n".to_owned() }, "reason"),
        (Op::Input { prompt: String::new(), env_keys: vec![], note: None }, "prompt"),
        (Op::Input { prompt: "p".to_owned(), env_keys: vec!["A=B".to_owned()], note: None }, "env_keys"),
        (Op::Ready { note: Some(" ".to_owned()) }, "note"),
        (patch(Patch::default()), "update"),
        (patch(Patch { name: Some(" ".to_owned()), ..Patch::default() }), "name"),
        (
            patch(Patch { priority: Some(Priority::Other("urgent".to_owned())), ..Patch::default() }),
            "priority",
        ),
        (patch(Patch { labels: Some(vec![String::new()]), ..Patch::default() }), "labels"),
        (patch(Patch { blocked_by: Some(vec![TicketId::new("PLF-001")]), ..Patch::default() }), "blocked_by"),
        (patch(Patch { executor: Some(ExecutorKind::Other(String::new())), ..Patch::default() }), "executor"),
    ];
    for (op, wanted) in cases {
        match changes(&ticket("open/ready"), &op, now()) {
            Err(Refusal::Invalid { field, .. }) => assert_eq!(field, wanted),
            other => panic!("{op:?} gave {other:?}"),
        }
    }
}

#[test]
fn a_ticket_that_planfile_cannot_read_takes_only_updates() {
    let mut subject = ticket("open/ready");
    subject.invalid = Some("unknown status".to_owned());
    for op in every_op() {
        let is_update = matches!(op, Op::Update(_));
        assert_eq!(changes(&subject, &op, now()).is_ok(), is_update, "{op:?}");
    }
}

#[test]
fn a_change_of_kind_takes_its_mode_along() {
    let mut subject = ticket("open/ready");
    subject.executor = Executor { kind: ExecutorKind::Human, ..Executor::default() };
    let op = Op::Update(Patch { executor: Some(ExecutorKind::Shell), ..Patch::default() });
    let wanted =
        vec![Change::set(&["executor", "kind"], "shell"), Change::set(&["executor", "mode"], "automatic")];
    assert_eq!(changes(&subject, &op, now()), Ok(wanted));
}

#[test]
fn history_tells_what_changed_and_is_capped() {
    let record = json!({
        "status": "open", "execution": {"state": "pending"}, "updated_at": "2026-11-21T05:00:00.5Z",
        "history": (0..200).map(|n| json!({"n": n})).collect::<Vec<_>>(),
    });
    let op = Op::Start { by: Some("w".to_owned()), until: None };
    let mut found = changes(&ticket("open/pending"), &op, now()).unwrap();
    let facts = history::complete(&record, &mut found, &op, Some("w"), now()).unwrap();
    // One microsecond later than the clock, because the record carries the clock's very instant.
    let stamp = "2026-11-21T05:00:00.500001+00:00";
    let entry = json!({
        "action": "status_change", "changes": ["execution", "status"], "source": "koru-tui", "timestamp": stamp,
        "previous_status": "open", "status": "in_progress", "previous_execution_state": "pending",
        "execution_state": "running", "actor": "w", "by": "w",
    });
    let entries = found.iter().find(|change| change.path == ["history"]).unwrap().value.clone().unwrap();
    let entries = entries.as_array().unwrap();
    assert_eq!((entries.len(), &entries[0], &entries[199]), (200, &json!({"n": 1}), &entry));
    assert!(found.contains(&Change::set(&["updated_at"], stamp)));
    assert_eq!(facts.changes, ["execution", "status"]);
}

#[test]
fn what_changes_nothing_is_not_written() {
    let record = json!({"status": "open", "execution": {"state": "ready", "assigned_to": "w"}});
    let op = Op::Claim { by: "w".to_owned(), until: None };
    let mut found = changes(&ticket("open/ready*"), &op, now()).unwrap();
    assert_eq!(history::complete(&record, &mut found, &op, None, now()), None);
    assert_eq!(found, vec![]);
}

#[test]
fn a_heartbeat_leaves_no_trace_but_the_lease() {
    let record = json!({"status": "in_progress", "execution": {"state": "running", "assigned_to": "w"}});
    let op = Op::Renew { by: "w".to_owned(), until: at("2026-11-21T06:00:00Z") };
    let mut found = changes(&ticket("in_progress/running*"), &op, now()).unwrap();
    assert_eq!(history::complete(&record, &mut found, &op, Some("w"), now()), None);
    assert_eq!(found, vec![Change::set(&["execution", "lease_expires_at"], "2026-11-21T06:00:00Z")]);
}

#[test]
fn a_new_record_has_planfiles_shape() {
    let new = NewTicket {
        name: "build".to_owned(),
        executor: ExecutorKind::Shell,
        inputs: json!({"script": "make", "env_keys": ["CI"]}).as_object().unwrap().clone(),
        ..NewTicket::default()
    };
    let stamp = "2026-11-21T05:00:00.500000Z";
    let wanted = json!({
        "id": "PLF-007", "name": "build", "contract_version": "planfile.ticket/v1", "status": "open",
        "priority": "normal", "sprint": "current", "description": "", "acceptance_criteria": [], "labels": [],
        "blocked_by": [], "blocks": [], "children": [], "files": [], "history": [], "sync": {},
        "source": {"tool": "koru-tui", "timestamp": stamp, "context": {}},
        "executor": {"kind": "shell", "mode": "automatic"},
        "execution": {"queue": "default", "state": "pending", "attempt": 0, "max_attempts": 1},
        "created_at": stamp, "updated_at": stamp,
        "inputs": {
            "api_headers": {}, "api_method": "GET", "api_timeout_seconds": 30.0, "env_keys": ["CI"],
            "uri_processes": [], "script": "make",
        },
    });
    assert_eq!(new_record(&TicketId::new("PLF-007"), &new, now()), Ok(wanted));
}

#[test]
fn a_decision_is_asked_for_without_touching_the_instruction() {
    let subject = ticket("in_progress/running*");
    let op = Op::Wait { question: "broke the policy".to_owned(), result: None, note: Some("n".to_owned()) };
    let found = changes(&subject, &op, now()).unwrap();
    assert!(found.iter().all(|change| change.path != ["inputs", "prompt"]), "{found:?}");
    assert!(found.contains(&Change::set(&["status"], "open")));
    assert!(found.contains(&Change::set(&["execution", "state"], "waiting_input")));
    assert!(found.contains(&Change::set(&["execution", "last_error"], "broke the policy")));
    assert!(found.contains(&Change::remove(&["execution", "assigned_to"])));
}
