//! What runs left, through the real binary: which there are of a ticket, and what they said.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/cli.rs"]
mod cli;
mod support;

use cli::Place;
use serde_json::{Value, json};
use support::project::{Project, human, shell};

/// A ticket that failed once and then was done.
fn worked() -> Project {
    let script = "printf 'first\\033[2J \\342\\200\\256line\\n'; test -e ok || { echo no >&2; exit 3; }";
    let project = Project::with(&[shell("PLF-001", "Work", script), human("PLF-002", "Ask", "which?")]);
    project.run(&["ticket", "run", "PLF-001"]).expect(1);
    project.write("ok", "");
    project.run(&["ticket", "ready", "PLF-001"]).expect(0);
    project.run(&["ticket", "run", "PLF-001"]).expect(0);
    project
}

fn runs(project: &Project) -> Vec<Value> {
    let rows = project.run(&["ticket", "runs", "PLF-001", "--format", "json"]).expect(0).json();
    rows.as_array().unwrap().clone()
}

#[test]
fn the_runs_of_a_ticket_are_listed_newest_first() {
    let project = worked();
    let rows = runs(&project);
    let facts: Vec<Value> = rows
        .iter()
        .map(|row| json!([row["ticket"], row["state"], row["exit_code"], row["message"], row["agent"]]))
        .collect();
    assert_eq!(
        facts,
        [json!(["PLF-001", "done", 0, null, null]), json!(["PLF-001", "failed", 3, "no", null])]
    );
    let text = project.run(&["ticket", "runs", "PLF-001"]).expect(0).out;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with(rows[0]["run"].as_str().unwrap()) && lines[0].contains(" done "), "{text}");
    assert!(lines[1].contains(" failed ") && lines[1].ends_with("no"), "{text}");

    assert_eq!(project.run(&["ticket", "runs", "PLF-002"]).expect(0).out, "no run of PLF-002 is kept\n");
    let unknown = project.run(&["ticket", "runs", "PLF-404"]).expect(2);
    assert!(unknown.err.contains("PLF-404"), "{}", unknown.err);
}

#[test]
fn a_transcript_is_printed_as_text_that_no_terminal_obeys() {
    let project = worked();
    let rows = runs(&project);
    let failed = rows[1]["run"].as_str().unwrap();
    let text = project.run(&["ticket", "log", failed]).expect(0).out;
    // Behind the time, which depends on the machine.
    let untimed =
        |text: &str| text.lines().map(|line| line["0:00:00".len()..].to_owned()).collect::<Vec<_>>();
    let mut lines = untimed(&text);
    lines.sort_unstable();
    assert_eq!(lines, ["   first <U+202E>line", " ! no"]);
    // A ticket stands for its newest run.
    let newest = project.run(&["ticket", "log", "PLF-001", "--lines", "1"]).expect(0).out;
    assert_eq!(untimed(&newest), ["   first <U+202E>line"]);
    let json = project.run(&["ticket", "log", failed, "--format", "json", "-n", "9"]).expect(0);
    assert!(!json.out.contains('\u{1b}') && !json.out.contains('\u{202e}'), "{:?}", json.out);
    let mut said: Vec<(String, String)> = json
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["channel"].as_str().unwrap().to_owned(), line["text"].as_str().unwrap().to_owned()))
        .collect();
    said.sort();
    let want = [("err", "no"), ("out", "first\u{1b}[2J \u{202e}line")];
    assert_eq!(said, want.map(|(channel, text)| (channel.to_owned(), text.to_owned())));
}

#[test]
fn the_raw_stream_is_printed_exactly_where_it_is_json() {
    let project = worked();
    let rows = runs(&project);
    let (folder, run) = (rows[0]["folder"].as_str().unwrap(), rows[0]["run"].as_str().unwrap());
    let ran = project.run(&["ticket", "log", run, "--raw"]).expect(0);
    assert_eq!((ran.out.as_str(), ran.err.contains("no stream of an agent is kept")), ("", true));
    let long = format!("{{\"a\":\"{}\\u009b\"}}", "x".repeat(20_000));
    std::fs::write(format!("{folder}/stream.jsonl"), format!("{long}\nplain \u{1b}[2Jtext\n")).unwrap();
    let ran = project.run(&["ticket", "log", run, "--raw"]).expect(0);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines, [long.as_str(), "plain text"]);
}

#[test]
fn what_is_not_kept_is_an_error_that_says_where_to_look() {
    let project = worked();
    for name in ["PLF-002", "../../sprints", "PLF-001-20200101T000000Z-0"] {
        let ran = project.run(&["ticket", "log", name]).expect(2);
        assert!(ran.err.contains("ticket runs"), "{}", ran.err);
    }
    let empty = project.run(&["ticket", "log", "PLF-001", "--lines", "0", "--format", "json"]).expect(0);
    assert_eq!(empty.out, "[]\n");
}
