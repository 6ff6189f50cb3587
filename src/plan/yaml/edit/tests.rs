//! Exact texts before and after an edit.

use serde_json::{Value, json};

use crate::plan::lifecycle::Change;
use crate::plan::yaml::{EditError, SprintDoc};

const HEAD: &str = "sprint:\n  id: s\n  tickets:\n    A-1:\n";

fn change(path: &str, value: Option<Value>) -> Change {
    Change { path: path.split('.').map(str::to_owned).collect(), value }
}

/// The ticket body after the changes, when the body is `before`.
fn edited(before: &str, changes: &[(&str, Option<Value>)]) -> String {
    let text = format!("{HEAD}{before}");
    let doc = SprintDoc::parse("current", text.into_bytes(), None).unwrap();
    let changes: Vec<Change> = changes.iter().map(|(path, value)| change(path, value.clone())).collect();
    let doc = doc.edit("A-1", &changes).unwrap();
    doc.text().strip_prefix(HEAD).unwrap().to_owned()
}

#[test]
fn only_the_named_value_changes() {
    let before = "      id: A-1  # why\n      status:   'open'   # trailing\n      name: x\n";
    assert_eq!(
        edited(before, &[("status", Some(json!("in_progress")))]),
        "      id: A-1  # why\n      status:   in_progress   # trailing\n      name: x\n"
    );
}

#[test]
fn equal_values_are_not_touched() {
    let before = "      id: A-1\n      status: \"open\"\n      updated_at: 2026-05-11T10:00:00Z\n      labels: [ b,a ]\n";
    let same = [
        ("status", Some(json!("open"))),
        ("updated_at", Some(json!("2026-05-11T10:00:00+00:00"))),
        ("labels", Some(json!(["b", "a"]))),
        ("absent", None),
    ];
    assert_eq!(edited(before, &same), before);
}

#[test]
fn new_keys_take_their_sorted_place_in_a_sorted_mapping() {
    let before = "      description: d\n      id: A-1\n      # about the name\n      name: x\n";
    assert_eq!(
        edited(
            before,
            &[("labels", Some(json!(["l"]))), ("acceptance", Some(json!([]))), ("zed", Some(json!(1.5)))]
        ),
        "      acceptance: []\n      description: d\n      id: A-1\n      labels:\n      - l\n      # about the name\n      name: x\n      zed: 1.5\n"
    );
}

#[test]
fn new_keys_go_to_the_end_of_an_unsorted_mapping() {
    let before = "      name: x # c\n      id: A-1";
    assert_eq!(
        edited(before, &[("b", Some(json!(true))), ("a", Some(json!(null)))]),
        "      name: x # c\n      id: A-1\n      b: true\n      a: null"
    );
}

#[test]
fn missing_mappings_are_made() {
    let before = "      id: A-1\n      inputs: {}\n      name: x\n      outputs:\n";
    let changes = [
        ("execution.state", Some(json!("ready"))),
        ("execution.attempt", Some(json!(0))),
        ("inputs.prompt", Some(json!("why?"))),
        ("outputs.notes", Some(json!(["note"]))),
    ];
    assert_eq!(
        edited(before, &changes),
        "      execution:\n        attempt: 0\n        state: ready\n      id: A-1\n      inputs:\n        prompt: 'why?'\n      name: x\n      outputs:\n        notes:\n        - note\n"
    );
}

#[test]
fn lists_grow_in_place() {
    let before = "      id: A-1\n      labels: []   # none yet\n      notes:\n      - 'one'   # first\n      # between\n      - \"two\"\n      # after\n      tags: [a,b]\n";
    let changes = [
        ("labels", Some(json!(["l"]))),
        ("notes", Some(json!(["one", "two", {"k": ["v"], "a": 1}]))),
        ("tags", Some(json!(["a", "b", "c, d"]))),
    ];
    assert_eq!(
        edited(before, &changes),
        "      id: A-1\n      labels:   # none yet\n      - l\n      notes:\n      - 'one'   # first\n      # between\n      - \"two\"\n      - a: 1\n        k:\n        - v\n      # after\n      tags: [a,b, 'c, d']\n"
    );
}

#[test]
fn a_capped_list_drops_its_oldest_items() {
    let before =
        "      history:\n      - action: one\n        at: '1'\n      - action: two   # kept\n      id: A-1\n";
    assert_eq!(
        edited(before, &[("history", Some(json!([{"action": "two"}, {"action": "three"}])))]),
        "      history:\n      - action: two   # kept\n      - action: three\n      id: A-1\n"
    );
}

#[test]
fn block_values_become_plain_ones_and_back() {
    let before = "      id: A-1\n      labels: # l\n      - a\n      - b\n      inputs:\n        prompt: p\n      description: |\n        two\n        lines\n\n      name: x\n";
    let changes = [
        ("labels", Some(json!([]))),
        ("inputs", None),
        ("description", Some(json!("one\ntwo"))),
        ("name", Some(json!({"deep": {"er": [[1], []]}}))),
    ];
    assert_eq!(
        edited(before, &changes),
        "      id: A-1\n      labels: [] # l\n      description: \"one\\ntwo\"\n\n      name:\n        deep:\n          er:\n          - - 1\n          - []\n"
    );
}

#[test]
fn flow_records_are_edited_in_flow() {
    let before = "      id: A-1\n      execution: {state: pending, queue: default, x: {y: 1}} # c\n";
    let changes = [
        ("execution.state", Some(json!("running"))),
        ("execution.queue", None),
        ("execution.assigned_to", Some(json!("a: b"))),
        ("execution.x.z", Some(json!(["q"]))),
    ];
    assert_eq!(
        edited(before, &changes),
        "      id: A-1\n      execution: {assigned_to: 'a: b', state: running, x: {y: 1, z: [q]}} # c\n"
    );
}

#[test]
fn removing_every_key_of_a_mapping_leaves_an_empty_one() {
    let before = "      execution:\n        state: ready\n        attempt: 1\n      id: A-1\n";
    assert_eq!(
        edited(before, &[("execution.state", None), ("execution.attempt", None)]),
        "      execution: {}\n      id: A-1\n"
    );
}

#[test]
fn line_ends_and_byte_order_mark_stay() {
    let text = "\u{feff}sprint:\r\n  tickets:\r\n    A-1:\r\n      id: A-1\r\n      name: x\r\n    B-1:\r\n      id: B-1\r\n      name: y\r\n";
    let doc = SprintDoc::parse("current", text.as_bytes().to_vec(), None).unwrap();
    let doc = doc.edit("A-1", &[change("labels", Some(json!(["l"]))), change("name", None)]).unwrap();
    assert_eq!(
        doc.text(),
        "\u{feff}sprint:\r\n  tickets:\r\n    A-1:\r\n      id: A-1\r\n      labels:\r\n      - l\r\n    B-1:\r\n      id: B-1\r\n      name: y\r\n"
    );
    let text = text.replace("\r\n", "\r");
    let doc = SprintDoc::parse("current", text.into_bytes(), None).unwrap();
    let doc = doc.edit("A-1", &[change("labels", Some(json!(["l"])))]).unwrap();
    assert_eq!(
        doc.text(),
        "\u{feff}sprint:\r  tickets:\r    A-1:\r      id: A-1\r      labels:\r      - l\r      name: x\r    B-1:\r      id: B-1\r      name: y\r"
    );
}

#[test]
fn aliases_are_replaced_and_anchors_kept() {
    let before = "      id: A-1\n      labels: &l [one, two]\n      acceptance_criteria: *l\n";
    assert_eq!(
        edited(before, &[("acceptance_criteria", Some(json!(["one", "three"])))]),
        "      id: A-1\n      labels: &l [one, two]\n      acceptance_criteria:\n      - one\n      - three\n"
    );
    let text = format!("{HEAD}{before}");
    let doc = SprintDoc::parse("current", text.into_bytes(), None).unwrap();
    let refused = doc.edit("A-1", &[change("labels", Some(json!(["x"])))]);
    assert!(matches!(refused, Err(EditError::NotAsMeant { .. })), "{refused:?}");
}

#[test]
fn merged_keys_are_overridden_and_never_removed() {
    let text = "base: &b {priority: high, status: open}\nsprint:\n  tickets:\n    A-1:\n      <<: *b\n      id: A-1\n      name: x\n";
    let doc = SprintDoc::parse("current", text.as_bytes().to_vec(), None).unwrap();
    let after = doc
        .edit("A-1", &[change("status", Some(json!("done"))), change("priority", Some(json!("high")))])
        .unwrap();
    assert_eq!(after.text(), format!("{text}      status: done\n"));
    let refused = doc.edit("A-1", &[change("status", None)]);
    assert!(matches!(refused, Err(EditError::NotAsMeant { .. })), "{refused:?}");
}

#[test]
fn duplicate_keys_are_never_edited() {
    let text = format!(
        "{HEAD}      id: A-1\n      name: x\n      name: y\n    B-1:\n      id: B-1\n      name: z\n"
    );
    let doc = SprintDoc::parse("current", text.into_bytes(), None).unwrap();
    let refused = doc.edit("A-1", &[change("status", Some(json!("done")))]);
    assert!(matches!(refused, Err(EditError::NotAsMeant { .. })), "{refused:?}");
    assert!(doc.edit("B-1", &[change("status", Some(json!("done")))]).is_ok());
}

#[test]
fn many_edits_are_one_splice_and_fail_alone() {
    let text = format!(
        "{HEAD}      id: A-1\n      name: x\n    B-1:\n      id: B-1\n      name: y\n      name: y\n    C-1:\n      id: C-1\n      name: z\n"
    );
    let doc = SprintDoc::parse("current", text.clone().into_bytes(), None).unwrap();
    let done = [change("status", Some(json!("done")))];
    let twice = [change("status", Some(json!("open")))];
    let (after, results) =
        doc.edit_many(&[("A-1", &done), ("B-1", &done), ("nope", &done), ("C-1", &done), ("A-1", &twice)]);
    let fine: Vec<bool> = results.iter().map(Result::is_ok).collect();
    assert_eq!(fine, [true, false, false, true, true]);
    assert_eq!(
        after.text(),
        text.replace("name: x\n", "name: x\n      status: open\n")
            .replace("name: z\n", "name: z\n      status: done\n")
    );
}

#[test]
fn tickets_come_and_go() {
    let empty =
        SprintDoc::parse("current", SprintDoc::empty_text("s-1", "Sprint 1", "active").into_bytes(), None)
            .unwrap();
    assert_eq!(empty.text(), "sprint:\n  id: s-1\n  name: Sprint 1\n  status: active\n  tickets: {}\n");
    let record = json!({"id": "A-2", "name": "two", "labels": []});
    let one = empty.insert("A-2", &record).unwrap();
    assert_eq!(
        one.text(),
        "sprint:\n  id: s-1\n  name: Sprint 1\n  status: active\n  tickets:\n    A-2:\n      id: A-2\n      labels: []\n      name: two\n"
    );
    let text = one.text().to_owned() + "    # tail\n";
    let one = SprintDoc::parse("current", text.into_bytes(), None).unwrap();
    let three = one
        .insert("A-3", &json!({"id": "A-3", "name": "three"}))
        .unwrap()
        .insert("A-1", &json!({"id": "A-1", "name": "1"}))
        .unwrap();
    let tickets = "    A-1:\n      id: A-1\n      name: '1'\n    A-2:\n      id: A-2\n      labels: []\n      name: two\n    A-3:\n      id: A-3\n      name: three\n    # tail\n";
    assert!(three.text().ends_with(tickets), "{}", three.text());
    assert_eq!(three.insert("A-1", &record).unwrap_err(), EditError::Taken("A-1".to_owned()));
    let moved = empty.insert_source("A-2", three.source("A-2").unwrap()).unwrap();
    assert_eq!(moved.text(), one.text().replace("    # tail\n", ""));
    let back = three.remove(&["A-1", "A-3"]).unwrap();
    assert_eq!(back.text(), one.text());
    let none = moved.remove(&["A-2"]).unwrap();
    assert_eq!(none.text(), empty.text());
}

#[test]
fn a_block_text_at_the_end_of_a_ticket_goes_with_its_line_ends() {
    let file = |tickets: &str| {
        SprintDoc::parse("current", format!("sprint:\n  tickets:\n{tickets}").into_bytes(), None).unwrap()
    };
    let z = "    Z-1:\n      id: Z-1\n";
    for (text, reads) in [
        ("|\n        a\n", "a\n"),
        ("|-\n        a\n", "a"),
        (">\n        a\n        b\n", "a b\n"),
        ("|+\n        a\n\n  \n", "a\n\n\n"),
        ("|+\n\n\n", "\n\n"),
    ] {
        let ticket = format!("    A-1:\n      id: A-1\n      v: {text}");
        let from = file(&format!("{ticket}{z}"));
        assert_eq!(from.source("A-1"), Some(&*ticket));
        assert_eq!(from.record("A-1").unwrap()["v"], json!(reads));
        for to in ["", "    B-1:\n      id: B-1\n", "        B-1:\n          id: B-1\n"] {
            let to = if to.is_empty() { file("    {}\n") } else { file(to) };
            let moved = to.insert_source("A-1", from.source("A-1").unwrap()).unwrap();
            assert_eq!(moved.record("A-1"), from.record("A-1"), "{}", moved.text());
            assert!(moved.text().contains(text.lines().next().unwrap()), "{}", moved.text());
        }
        // What is before and behind it stays as it is.
        assert_eq!(from.remove(&["A-1"]).unwrap().text(), file(z).text());
        assert_eq!(from.remove(&["Z-1"]).unwrap().text(), file(&ticket).text());
        let between = from.insert("B-1", &json!({"id": "B-1"})).unwrap();
        assert_eq!(between.text(), file(&format!("{ticket}    B-1:\n      id: B-1\n{z}")).text());
    }
    // What stands behind a block text, and has no content, is the end.
    for rest in ["      -", "      - !!str", "      - &a", "      - ? "] {
        let ticket = format!("    A-1:\n      - |+\n        a\n\n{rest}");
        let from = file(&format!("{ticket}\n{z}"));
        assert_eq!(from.source("A-1"), Some(ticket.trim_end()), "{rest}");
    }
    // Without a last line end the text says something else than with one, so nothing can follow it.
    let open = file("    A-1:\n      id: A-1\n      v: |\n        a");
    assert_eq!(open.record("A-1").unwrap()["v"], json!("a"));
    assert!(matches!(open.insert("B-1", &json!({"id": "B-1"})), Err(EditError::NotAsMeant { .. })));
    let moved = file(z).insert_source("A-1", open.source("A-1").unwrap()).unwrap();
    assert_eq!(moved.record("A-1"), open.record("A-1"));
}

#[test]
fn a_ticket_whose_lines_end_otherwise_moves_as_it_reads() {
    // The text is indented from the ticket's key, which has to keep its own indentation.
    for end in ["\u{2028}", "\u{2029}", "\u{85}", "\r"] {
        let text = format!("sprint:\n  tickets:{end}    A-1: |2{end}       a{end}    B-1: {{}}{end}");
        let from = SprintDoc::parse("current", text.into_bytes(), None).unwrap();
        let to = "sprint:\n  tickets:\n    Z-1:\n      id: Z-1\n";
        let to = SprintDoc::parse("backlog", to.into(), None).unwrap();
        let moved = to.insert_source("A-1", from.source("A-1").unwrap()).unwrap();
        assert_eq!(moved.record("A-1"), from.record("A-1"), "{end:?} {}", moved.text());
    }
}

#[test]
fn a_merged_value_that_is_no_mapping_cannot_take_keys() {
    // It was said to be done, and nothing was.
    let text = "b: &b {execution: x}\nsprint:\n  tickets:\n    A-1:\n      <<: *b\n      id: A-1\n";
    let doc = SprintDoc::parse("current", text.into(), None).unwrap();
    let refused = doc.edit("A-1", &[change("execution.state", Some(json!("done")))]).unwrap_err();
    assert!(refused.to_string().contains("not a mapping"), "{refused}");
}
