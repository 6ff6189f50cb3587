#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! A person's answer is one durable step: a process that dies anywhere in `ticket answer` leaves the whole answer or
//! none of it, for koru-tui and for planfile, and the answer can be given again.

#[path = "support/peer.rs"]
mod peer;
#[path = "support/store.rs"]
mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use koru_tui::plan::lifecycle::NewTicket;
use koru_tui::plan::ticket::{ExecutorKind, Status};
use serde_json::Value;
use support::{Copy, id};

const TEXT: &str = "the left: one\n- of \"two\"";

/// A planfile with one question and one other ticket.
fn project() -> Copy {
    let copy = Copy::of("fresh-init");
    let mut store = copy.store();
    for kind in [ExecutorKind::Human, ExecutorKind::Shell] {
        let new = NewTicket { name: "Which one?".to_owned(), executor: kind, ..NewTicket::default() };
        store.create(&new).unwrap();
    }
    copy
}

fn answer(copy: &Copy, fault: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_koru-tui"))
        .args(["ticket", "answer", "PLF-001", "--text", TEXT, "--actor", "ann"])
        .current_dir(copy.path())
        .env("HOME", copy.path())
        .env("KORU_TUI_FAULT", fault)
        .output()
        .unwrap()
}

/// Status, state, holder, result and number of history entries of the question.
type Seen = (String, String, Value, Value, usize);

fn seen(record: &Value) -> Seen {
    let at = |path: &str| record.pointer(path).cloned().unwrap_or(Value::Null);
    let word = |path: &str| at(path).as_str().unwrap_or_default().to_owned();
    let entries = at("/history").as_array().map_or(0, Vec::len);
    (word("/status"), word("/execution/state"), at("/execution/assigned_to"), at("/outputs/result"), entries)
}

fn nothing() -> Seen {
    ("open".to_owned(), "pending".to_owned(), Value::Null, Value::Null, 0)
}

fn everything() -> Seen {
    let result = serde_json::json!({"actor": "ann", "prompt": "Which one?", "answer": TEXT});
    ("done".to_owned(), "done".to_owned(), Value::Null, result, 3)
}

/// What planfile itself says of the question in each of the folders.
fn as_planfile_sees(python: &Path, roots: &[&Path]) -> Vec<Seen> {
    const READ: &str = "
import json, sys, warnings
warnings.simplefilter('ignore')
from planfile import Planfile
for root in sys.argv[1:]:
    tickets = Planfile(root).list_tickets(sprint='all')
    assert len({ticket.id for ticket in tickets}) == 2, tickets
    first = [ticket for ticket in tickets if ticket.id == 'PLF-001'][0]
    print('TICKET ' + json.dumps(first.model_dump(mode='json')))
";
    let output =
        Command::new(python).args(["-c", READ]).args(roots).env("PYTHONWARNINGS", "ignore").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("TICKET "));
    let found: Vec<Seen> = lines.map(|json| seen(&serde_json::from_str(json).unwrap())).collect();
    assert_eq!(found.len(), roots.len(), "{}", String::from_utf8_lossy(&output.stderr));
    found
}

#[test]
fn a_process_killed_while_answering_leaves_the_whole_answer_or_none() {
    let whole = project();
    let count = whole.path().join("count");
    let output = answer(&whole, &format!("count:{}", count.display()));
    assert!(output.status.success(), "{output:?}");
    let steps = fs::metadata(count).unwrap().len();
    assert!((12..60).contains(&steps), "{steps}");

    let mut copies = vec![(whole, "undisturbed".to_owned())];
    for at in 1..=steps {
        let copy = project();
        let output = answer(&copy, &format!("kill@{at}"));
        assert!(!output.status.success(), "step {at} did not kill: {output:?}");
        copies.push((copy, format!("kill@{at} of {steps}")));
    }
    let ours: Vec<Seen> =
        copies.iter().map(|(copy, _)| seen(&copy.store().record(&id("PLF-001")).unwrap())).collect();
    for (found, (_, case)) in ours.iter().zip(&copies) {
        assert!([nothing(), everything()].contains(found), "{case}: {found:?}");
    }
    assert_eq!((&ours[0], &ours[1]), (&everything(), &nothing()));
    if let Some(python) = peer::planfile_python() {
        let roots: Vec<&Path> = copies.iter().map(|(copy, _)| copy.path()).collect();
        for ((theirs, ours), (_, case)) in as_planfile_sees(&python, &roots).iter().zip(&ours).zip(&copies) {
            assert_eq!(theirs, ours, "{case}");
        }
    }
    for ((copy, case), before) in copies.iter().zip(&ours) {
        let again = answer(copy, "");
        assert_eq!(again.status.success(), *before == nothing(), "{case}: {again:?}");
        let store = copy.store();
        assert_eq!(store.plan().ticket(&id("PLF-001")).unwrap().status, Status::Done, "{case}");
        assert_eq!(seen(&store.record(&id("PLF-001")).unwrap()), everything(), "{case}");
    }
}
