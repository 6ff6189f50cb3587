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

/// A project with one finished and one open ticket, and a run folder a name, ended forty days ago unless it says so.
struct Shelf(Project);

impl Shelf {
    fn new() -> Shelf {
        let done = shell("PLF-001", "Done", "true").status("done");
        Shelf(Project::with(&[done, shell("PLF-002", "Open", "true").status("failed")]))
    }

    fn run(&self, name: &str, change: Value) {
        let ticket = &name[..name.len() - 2];
        let mut record = json!({
            "format": 1, "run": name, "ticket": ticket, "executor": "shell", "label": "true", "holder": "h",
            "supervisor": null, "child": null, "started_at": "2026-01-01T00:00:00Z", "state": "done",
            "ended_at": "2026-01-01T00:00:05Z",
        });
        record.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        self.0.write(&format!(".planfile/.koru/runs/{name}/run.json"), &record.to_string());
        self.0.write(&format!(".planfile/.koru/runs/{name}/transcript.jsonl"), "{}\n");
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path().join(".planfile/.koru/runs")).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

#[test]
fn pruning_removes_what_nobody_needs_and_says_what_stays_and_why() {
    let shelf = Shelf::new();
    shelf.run("PLF-001-1", json!({}));
    shelf.run(
        "PLF-001-2",
        json!({ "started_at": "2199-01-01T00:00:00Z", "ended_at": "2199-01-01T00:00:05Z" }),
    );
    shelf.run("PLF-001-3", json!({ "state": "running", "ended_at": null }));
    shelf.run("PLF-001-4", json!({ "state": "violation" }));
    shelf.run("PLF-001-5", json!({ "state": "violation" }));
    shelf.run("PLF-001-6", json!({ "state": "failed" }));
    shelf.0.write(".planfile/.koru/runs/PLF-001-6/result.json", r#"{"breaches": [{"rule": "allow_push"}]}"#);
    shelf.run("PLF-001-7", json!({ "state": "failed" }));
    shelf.run("PLF-002-1", json!({ "state": "failed" }));
    shelf.run("PLF-404-1", json!({ "state": "interrupted" }));
    shelf.0.write(".planfile/.koru/runs/PLF-001-8/run.json", "{");
    shelf.0.write(".planfile/.koru/runs/.gone-PLF-001-0/transcript.jsonl", "{}\n");
    shelf.0.write(".planfile/.koru/runs/queue-new.jsonl", "{}\n");
    shelf.0.write(".planfile/.koru/runs/queue-old.jsonl", "{}\n");
    shelf.0.write("keep.txt", "mine");
    let runs = shelf.0.path().join(".planfile/.koru/runs");
    let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    let log = std::fs::OpenOptions::new().append(true).open(runs.join("queue-old.jsonl")).unwrap();
    log.set_modified(old).unwrap();
    std::os::unix::fs::symlink(shelf.0.path(), runs.join("PLF-001-1/link")).unwrap();
    let audit = r#"{"at":"2026-01-01T00:00:05Z","kind":"policy.breach","who":"claude","run":"PLF-001-5","breach":{}}"#;
    shelf.0.write(".planfile/.koru/audit/2026-01-01.jsonl", &format!("{audit}\n"));

    let before = shelf.names();
    let dry = shelf.0.run(&["runs", "prune", "--dry-run", "--format", "json"]).expect(0).json();
    assert_eq!(shelf.names(), before);
    let real = shelf.0.run(&["runs", "prune", "--format", "json"]).expect(0).json();
    let runs_in = |report: &Value| {
        let rows = report["removed"].as_array().unwrap().clone();
        rows.iter().map(|row| row["run"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let gone = ["PLF-001-1", "PLF-001-5", "PLF-001-7", "PLF-404-1"];
    assert_eq!(
        (runs_in(&dry), runs_in(&real)),
        (gone.map(str::to_owned).to_vec(), gone.map(str::to_owned).to_vec())
    );
    assert_eq!((&dry["dry_run"], &real["dry_run"], &real["logs"]), (&json!(true), &json!(false), &json!(1)));
    assert_eq!(dry["kept"], real["kept"]);
    let evidence = "it is the only evidence of a broken policy";
    assert_eq!(
        real["kept"],
        json!([
            {"run": "PLF-001-3", "why": "it was interrupted and waits for a decision"},
            {"run": "PLF-001-4", "why": evidence},
            {"run": "PLF-001-6", "why": evidence},
            {"run": "PLF-001-8", "why": "its record cannot be read"},
            {"run": "PLF-002-1", "why": "its ticket is not finished"},
        ])
    );
    let left =
        ["PLF-001-2", "PLF-001-3", "PLF-001-4", "PLF-001-6", "PLF-001-8", "PLF-002-1", "queue-new.jsonl"];
    assert_eq!(shelf.names(), left);
    assert_eq!(shelf.0.read("keep.txt"), "mine");
}

#[test]
fn pruning_is_told_in_words_too() {
    let shelf = Shelf::new();
    shelf.run("PLF-001-4", json!({ "state": "violation" }));
    let text = shelf.0.run(&["runs", "prune"]).expect(0).out;
    let want = "PLF-001-4 stays: it is the only evidence of a broken policy\n0 runs and 0 run logs removed, 0 B freed\n";
    assert_eq!(text, want);
}

#[test]
fn pruning_does_nothing_while_a_file_does_not_parse() {
    let shelf = Shelf::new();
    shelf.run("PLF-001-1", json!({}));
    shelf.0.write(".planfile/sprints/backlog.yaml", "sprint: [\n");
    let ran = shelf.0.run(&["runs", "prune"]).expect(1);
    assert!(ran.err.contains("backlog.yaml does not parse"), "{}", ran.err);
    assert_eq!(shelf.names(), ["PLF-001-1"]);
    shelf.0.run(&["runs", "prune", "--keep-days", "0"]).expect(2);
}

#[test]
fn doctor_says_when_runs_take_much_room() {
    let shelf = Shelf::new();
    shelf.run("PLF-001-1", json!({}));
    let details = |ran: &cli::Ran| {
        let checks = ran.json()["checks"].as_array().unwrap().clone();
        let found = checks.iter().find(|check| check["name"] == "runs_size").cloned();
        found.map(|check| check["detail"].as_str().unwrap().to_owned())
    };
    let doctor = ["doctor", "--format", "json"];
    assert_eq!(details(&shelf.0.run(&doctor)), None);
    // A file with a hole takes no room on the disk of whoever tests.
    let path = shelf.0.path().join(".planfile/.koru/runs/PLF-001-1/stream.jsonl");
    std::fs::File::create(path).unwrap().set_len(1_288_490_189).unwrap();
    let want = "runs take 1.2 GiB; `koru-tui runs prune --dry-run` says which may go";
    assert_eq!(details(&shelf.0.run(&doctor)).as_deref(), Some(want));
}
