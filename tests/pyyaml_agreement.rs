//! What we write, the real PyYAML reads as meant; what PyYAML reads, we read the same; what it refuses, we refuse.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod support;

#[path = "support/pyyaml.rs"]
mod pyyaml;

use std::path::{Path, PathBuf};

use koru_tui::plan::lifecycle::Change;
use koru_tui::plan::yaml::SprintDoc;
use serde_json::{Map, Value, json};

use pyyaml::{READER, compare, ours, python};

/// Strings that break YAML writers.
fn nasty() -> Vec<String> {
    let mut all: Vec<String> =
        serde_json::from_str(include_str!("fixtures/yaml/nasty-strings.json")).unwrap();
    all.push("x".repeat(5000));
    all.push("word ".repeat(900).trim_end().to_owned());
    all.push("ż".repeat(1200));
    all.push("line\n".repeat(50));
    all.push((0u8..=127).map(char::from).collect());
    all
}

fn sprint_of(tickets: &str) -> String {
    format!("sprint:\n  id: s\n  tickets:\n{tickets}")
}

/// Every nasty string as value, as list item, as key, in a nested record and in a flow record.
fn nasty_record() -> Value {
    let strings = nasty();
    let keyed: Map<String, Value> = strings.iter().map(|text| (text.clone(), json!(text))).collect();
    let fields: Map<String, Value> =
        strings.iter().enumerate().map(|(index, text)| (format!("f{index}"), json!(text))).collect();
    json!({
        "id": "N-1", "name": "nasty", "x_list": strings, "x_fields": fields, "x_keys": keyed,
        "x_deep": [[["a"], []], {}, [{"k": [1, {"z": null}]}], [true, false, null]],
        "x_numbers": [0, -1, 1.0, -0.5, 1e100, 1.5e-7, 1e16, 123_456_789_012_345_u64, i64::MIN, i64::MAX, 0.1, 30.0],
    })
}

#[test]
fn pyyaml_reads_every_nasty_string_as_meant() {
    let record = nasty_record();
    let empty =
        SprintDoc::parse("current", SprintDoc::empty_text("s", "S", "active").into_bytes(), None).unwrap();
    let block = empty.insert("N-1", &record).unwrap();
    // The same strings by way of edits, in block and in flow style.
    let mut texts = vec![block.text().to_owned()];
    for head in ["    N-1:\n      id: N-1\n      name: nasty\n", "    N-1: {id: N-1, name: nasty}\n"] {
        let doc = SprintDoc::parse("current", sprint_of(head).into_bytes(), None).unwrap();
        let changes: Vec<Change> = record
            .as_object()
            .unwrap()
            .iter()
            .map(|(key, value)| Change { path: vec![key.clone()], value: Some(value.clone()) })
            .collect();
        texts.push(doc.edit("N-1", &changes).unwrap().text().to_owned());
    }
    for text in &texts {
        assert_eq!(ours(text).unwrap()["N-1"], record);
    }
    let Some(read) = python(READER, &json!(texts)) else { return };
    for answer in read.as_array().unwrap() {
        assert_eq!(answer["tickets"]["N-1"], record, "{}", answer["refused"]);
    }
}

#[test]
fn a_json_writer_and_pyyaml_agree_on_the_bytes_we_keep() {
    // One string at a time, so that a failure names it.
    let empty =
        SprintDoc::parse("current", SprintDoc::empty_text("s", "S", "active").into_bytes(), None).unwrap();
    let strings = nasty();
    let texts: Vec<String> = strings
        .iter()
        .map(|text| empty.insert("N-1", &json!({"id": "N-1", "name": text})).unwrap().text().to_owned())
        .collect();
    let Some(read) = python(READER, &json!(texts)) else { return };
    for (answer, text) in read.as_array().unwrap().iter().zip(&strings) {
        assert_eq!(answer["tickets"]["N-1"]["name"], json!(text), "{answer}");
    }
}

/// Values as a person may write them, one a line.
const VALUES: &str = include_str!("fixtures/yaml/values.txt");

/// Blocks as a person may write them, below `v:`.
const BLOCKS: &str = include_str!("fixtures/yaml/blocks.json");

/// Whole files whose directives, marks or line ends are out of the ordinary.
const DOCUMENTS: &str = include_str!("fixtures/yaml/documents.json");

/// Every value and every block in each place where it may stand, and every file.
fn written_by_hand() -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for value in VALUES.strip_suffix('\n').unwrap().split('\n') {
        texts.push(sprint_of(&format!("    A-1:\n      v: {value}\n      id: A-1\n")));
        texts.push(sprint_of(&format!("    A-1:\n      id: A-1\n      l:\n      - {value}\n      - b\n")));
        texts.push(sprint_of(&format!("    A-1: {{id: A-1, v: {value}}}\n")));
        texts.push(sprint_of(&format!("    A-1:\n      {value}: v\n      id: A-1\n")));
    }
    let blocks: Vec<String> = serde_json::from_str(BLOCKS).unwrap();
    for block in blocks {
        texts.push(sprint_of(&format!("    A-1:\n      v:{block}      id: A-1\n    B-1:\n      id: B-1\n")));
        texts.push(sprint_of(&format!("    A-1:\n      id: A-1\n      v:{block}")));
        texts.push(sprint_of(&format!("    A-1:{block}")));
    }
    let documents: Vec<String> = serde_json::from_str(DOCUMENTS).unwrap();
    texts.extend(documents);
    texts
}

/// PyYAML 6.0.3's answers to [`written_by_hand`], one JSON a line, so that the agreement is tested without it as well.
fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/yaml/pyyaml-answers.jsonl")
}

#[test]
fn we_read_what_pyyaml_reads_and_refuse_what_it_refuses() {
    let texts = written_by_hand();
    let answers = std::fs::read_to_string(golden()).unwrap();
    let answers: Vec<Value> = answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), texts.len(), "run the suite with KORU_TUI_BLESS=1 and a PyYAML");
    compare(&texts, &answers);
}

#[test]
fn the_golden_answers_are_pyyamls() {
    let Some(read) = python(READER, &json!(written_by_hand())) else { return };
    let lines: Vec<String> = read
        .as_array()
        .unwrap()
        .iter()
        // Why PyYAML refuses is not what is compared, and differs between its releases.
        .map(|answer| {
            if answer.get("refused").is_some() { r#"{"refused":""}"#.to_owned() } else { answer.to_string() }
        })
        .collect();
    let text = lines.join("\n") + "\n";
    if std::env::var_os("KORU_TUI_BLESS").is_some() {
        std::fs::write(golden(), &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(golden()).unwrap(), text);
}
