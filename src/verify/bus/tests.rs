//! The bus as a whole: real files in a folder of the test's own.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use super::*;
use crate::verify::finding::{Severity, Source};
use crate::verify::verdict::Decision;

fn bus() -> (tempfile::TempDir, Bus) {
    let folder = tempfile::tempdir().unwrap();
    let bus = Bus::open(folder.path().join(".loop")).unwrap();
    (folder, bus)
}

fn put(bus: &Bus, file: File, text: impl AsRef<[u8]>) {
    fs::write(bus.path(file), text).unwrap();
}

fn work(extra: Value) -> Value {
    let mut value = json!({"task_id": "T-001", "round": 1, "head_sha": "abc1234"});
    value.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    value
}

fn complaint(bus: &Bus, value: &Value) -> String {
    put(bus, File::WorkReport, value.to_string());
    bus.work_report().unwrap_err().why.to_string()
}

#[test]
fn a_work_report_is_checked_field_by_field_and_element_by_element() {
    let (_folder, bus) = bus();
    let cases = [
        (json!({"round": null}), "`round` is missing"),
        (json!({"round": true}), "`round` must be an integer, not true"),
        (json!({"round": 1.5}), "`round` must be an integer, not a number with a fraction"),
        (json!({"round": -1}), "`round` must be an integer from 0 to 4294967295"),
        (json!({"round": "1"}), "`round` must be an integer, not a text"),
        (json!({"task_id": " "}), "`task_id` must not be empty"),
        (json!({"head_sha": ["x"]}), "`head_sha` must be a text, not a list"),
        (json!({"head_sha": "--output=/tmp/x"}), "`head_sha` is refused: it looks like an option"),
        (json!({"head_sha": "a..b"}), "`head_sha` is refused: it is a range, not a commit"),
        (json!({"tests": {}}), "`tests` must be a list, not an object"),
        (json!({"tests": [{"name": "a"}, "b"]}), "`tests[1]` must be an object, not a text"),
        (json!({"tests": [{"name": 1}]}), "`tests[0].name` must be a text, not a number"),
        (json!({"files_changed": "a"}), "`files_changed` must be a list, not a text"),
        (json!({"files_changed": ["a", null]}), "`files_changed[1]` must be a text, not null"),
    ];
    for (change, expected) in cases {
        assert_eq!(complaint(&bus, &work(change.clone())), expected, "{change}");
    }
}

#[test]
fn a_decision_is_one_of_two_exact_words() {
    let (_folder, bus) = bus();
    for word in ["Approve", "approve ", "APPROVE", "reject", ""] {
        put(&bus, File::ReviewReport, json!({"task_id": "T", "round": 1, "decision": word}).to_string());
        assert!(bus.review_report().unwrap_err().why.to_string().starts_with("`decision` must"), "{word}");
    }
    put(&bus, File::ReviewReport, json!({"task_id": "T", "round": 1, "decision": "approve"}).to_string());
    assert_eq!(bus.review_report().unwrap().decision, Decision::Approve);
    let issue = json!({"task_id": "T", "round": 1, "decision": "approve", "blocking_issues": ["no"]});
    put(&bus, File::ReviewReport, issue.to_string());
    assert_eq!(
        bus.review_report().unwrap_err().why.to_string(),
        "`blocking_issues[0]` must be an object, not a text"
    );
}

#[test]
fn everything_that_can_be_wrong_with_a_file_has_a_name() {
    let (folder, bus) = bus();
    let path = bus.path(File::WorkReport);
    let why = || bus.work_report().unwrap_err().why;
    assert!(matches!(why(), Unread::Missing));
    let cases: [(&[u8], &str); 9] = [
        (b"", "it ends too early (line 1); it was cut off or is still being written"),
        (b"{\"task_id\": \"T\", ", "it ends too early (line 1); it was cut off or is still being written"),
        (b"[1]", "it must hold a JSON object, not a list"),
        (b"true", "it must hold a JSON object, not true or false"),
        (b"null", "it must hold a JSON object, not null"),
        (b"{} and prose", "there is text after the JSON object (line 1); it must stand alone in the file"),
        (b"\xff\xfe{}", "it is not UTF-8 text"),
        (b"nonsense", "it is not JSON: line 1, column 2: expected ident"),
        (
            br#"{"round": 1, "round": 2}"#,
            "the key \"round\" stands in it twice; which one counts cannot be known",
        ),
    ];
    for (bytes, expected) in cases {
        fs::write(&path, bytes).unwrap();
        assert_eq!(why().to_string(), expected);
    }
    fs::remove_file(&path).unwrap();
    fs::write(folder.path().join("outside.json"), work(json!({})).to_string()).unwrap();
    symlink(folder.path().join("outside.json"), &path).unwrap();
    assert!(matches!(why(), Unread::Link));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(why(), Unread::NoFile));
    fs::remove_dir(&path).unwrap();
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert!(matches!(why(), Unread::NoFile), "a pipe without a writer does not hold us up");
    fs::remove_file(&path).unwrap();
    fs::File::create(&path).unwrap().set_len(read::LIMIT + 1).unwrap();
    assert!(matches!(why(), Unread::Huge));
}

#[test]
fn a_file_that_is_replaced_while_it_is_read_is_read_as_one_version() {
    let (_folder, bus) = bus();
    let version = |round: u32| work(json!({"round": round, "notes": "x".repeat(200_000)})).to_string();
    put(&bus, File::WorkReport, version(1));
    let (path, beside) = (bus.path(File::WorkReport), bus.folder().join("beside"));
    let texts = [version(1), version(2)];
    let writer = std::thread::spawn(move || {
        for n in 0..300 {
            fs::write(&beside, &texts[n % 2]).unwrap();
            fs::rename(&beside, &path).unwrap();
        }
    });
    let mut whole = 0;
    while !writer.is_finished() {
        match bus.work_report() {
            Ok(report) => {
                assert_eq!(report.notes.map(|notes| notes.len()), Some(200_000));
                whole += 1;
            }
            Err(error) => assert!(matches!(error.why, Unread::Changing), "{error}"),
        }
    }
    writer.join().unwrap();
    assert!(whole > 0 && bus.work_report().is_ok());
}

#[test]
fn a_fence_a_mark_and_carriage_returns_are_no_obstacle() {
    let (_folder, bus) = bus();
    let text = format!("{:#}", work(json!({"notes": "ż"})));
    let expected = WorkReport {
        task_id: "T-001".to_owned(),
        round: 1,
        head_sha: "abc1234".to_owned(),
        notes: Some("ż".to_owned()),
        ..WorkReport::default()
    };
    let crlf = text.replace('\n', "\r\n");
    for form in [
        format!("\u{feff}{text}"),
        crlf.clone(),
        format!("```json\n{text}\n```\n"),
        format!("```\r\n{crlf}\r\n```"),
    ] {
        put(&bus, File::WorkReport, &form);
        assert_eq!(bus.work_report().unwrap(), expected, "{form}");
    }
}

#[test]
fn keys_that_nobody_knows_stay_where_they_were() {
    let (_folder, bus) = bus();
    let card = json!({
        "task_id": "T-001", "goal": "g", "in_scope": ["a"], "out_of_scope": [], "acceptance_criteria": [],
        "constraints": [], "status": "in_progress", "x": {"y": [1]},
    });
    put(&bus, File::TaskCard, card.to_string());
    bus.write_task_card(&bus.task_card().unwrap()).unwrap();
    let read: Value = serde_json::from_slice(&fs::read(bus.path(File::TaskCard)).unwrap()).unwrap();
    assert_eq!(read, card);
    let state = json!({
        "version": 1, "state": "awaiting_review", "round": 2, "task_id": "T-001", "base_sha": "b",
        "started_at": "2026-11-21T04:55:20Z",
        "sessions": {"worker": {"session_id": "s", "backend": "claude", "started_round": 1, "z": 0}},
        "round_details": [{"round": 1, "started_at": "t", "worker_notes": "n",
            "tests_summary": {"total": 1, "pass": 0, "fail": 1, "other": 0}, "review_decision": "changes_required"}],
        "head_sha": "h", "later": true,
    });
    put(&bus, File::State, state.to_string());
    let (read, source) = bus.state();
    assert!(matches!(source, StateSource::File));
    bus.set_state(&read).unwrap();
    let written: Value = serde_json::from_slice(&fs::read(bus.path(File::State)).unwrap()).unwrap();
    assert_eq!(written, state);
}

#[test]
fn a_broken_state_is_taken_from_its_copy_and_kept_beside() {
    let (_folder, bus) = bus();
    let state = LoopState { phase: Phase::AwaitingWork, round: 2, ..LoopState::default() };
    bus.set_state(&state).unwrap();
    bus.set_state(&LoopState { round: 3, ..state.clone() }).unwrap();
    put(&bus, File::State, "{\"state\": ");
    let (read, source) = bus.state();
    assert_eq!(read, state);
    assert!(matches!(source, StateSource::Backup(_)), "{source:?}");
    bus.set_state(&read).unwrap();
    assert_eq!(fs::read_to_string(bus.folder().join("state.json.broken-1")).unwrap(), "{\"state\": ");
    fs::remove_file(bus.folder().join(".state.json.bak")).unwrap();
    put(&bus, File::State, json!({"state": "dancing", "round": 1}).to_string());
    let (read, source) = bus.state();
    assert_eq!(read, LoopState::default());
    let StateSource::Fresh(error) = source else { panic!("{source:?}") };
    assert!(error.to_string().contains("not \"dancing\""), "{error}");
}

#[test]
fn hostile_ids_write_nothing() {
    let (folder, bus) = bus();
    let card = TaskCard { task_id: "../../x".to_owned(), ..TaskCard::default() };
    assert!(bus.write_task_card(&card).is_err());
    assert!(bus.archive_round("../../x", 1).is_ok(), "there is nothing to keep yet");
    put(&bus, File::WorkReport, work(json!({})).to_string());
    assert!(bus.archive_round("../../x", 1).is_err());
    assert!(bus.close_history("..").is_err());
    assert!(bus.restore("../x", "r1_state").is_err());
    assert!(bus.restore("T", "../../../etc/passwd").is_err());
    assert!(bus.set_state(&LoopState { task_id: Some("a/b".to_owned()), ..LoopState::default() }).is_err());
    let names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, [".loop"]);
    fs::remove_dir(bus.folder().join("archive")).unwrap();
    symlink(folder.path(), bus.folder().join("archive")).unwrap();
    assert!(bus.archive_round("T-001", 1).is_err(), "a linked archive is not written through");
}

fn names(bus: &Bus) -> Vec<String> {
    bus.archived("T-001").unwrap().into_iter().map(|one| one.name).collect()
}

#[test]
fn every_round_is_kept_under_its_own_number_and_nothing_is_replaced() {
    let (_folder, bus) = bus();
    put(&bus, File::WorkReport, work(json!({"round": 2})).to_string());
    put(&bus, File::FixList, json!({"task_id": "T-001", "round": 2, "fixes": []}).to_string());
    bus.archive_round("T-001", 1).unwrap();
    assert!(names(&bus).is_empty(), "files of another round are not this round's");
    bus.archive_round("T-001", 2).unwrap();
    bus.archive_round("T-001", 2).unwrap();
    put(&bus, File::WorkReport, work(json!({"round": 2, "notes": "again"})).to_string());
    bus.retire("T-001", 2, File::WorkReport).unwrap();
    assert!(!bus.path(File::WorkReport).exists());
    assert_eq!(names(&bus), ["r2_fix_list.json", "r2_work_report.2.json", "r2_work_report.json"]);
    bus.close_history("T-001").unwrap();
    put(&bus, File::WorkReport, work(json!({"round": 2, "notes": "new run"})).to_string());
    bus.archive_round("T-001", 2).unwrap();
    let all = names(&bus);
    assert!(all.contains(&"run-1/r2_work_report.json".to_owned()), "{all:?}");
    assert!(all.contains(&"r2_work_report.json".to_owned()), "{all:?}");
    bus.restore("T-001", "run-1/r2_work_report").unwrap();
    assert_eq!(bus.work_report().unwrap().notes, None);
    assert!(names(&bus).contains(&"before_restore_work_report.json".to_owned()));
    // What is too long for the archive is not replaced either.
    fs::File::create(bus.path(File::WorkReport)).unwrap().set_len(read::LIMIT + 1).unwrap();
    bus.restore("T-001", "run-1/r2_work_report").unwrap();
    let aside = bus.folder().join("work_report.json.aside-1");
    assert_eq!(fs::metadata(aside).unwrap().len(), read::LIMIT + 1);
    assert_eq!(bus.work_report().unwrap().notes, None);
}

#[test]
fn a_verdict_and_its_report_are_each_others() {
    let source = Source::Reviewer { name: "codex".to_owned() };
    let (_folder, bus) = bus();
    let text = r#"{"task_id":"T-001","round":1,"decision":"changes_required","blocking_issues":[{"severity":"high",
        "file":"src/app.py","line":2,"reason":"add() subtracts","required_change":"use +"}],
        "non_blocking_suggestions":["add a docstring"]}"#;
    put(&bus, File::ReviewReport, text);
    let verdict = bus.review_report().unwrap().verdict(&source, Some("h"));
    let found: Vec<_> = verdict
        .findings
        .iter()
        .map(|one| (one.blocking, one.severity, one.place(), one.required_change.as_deref()))
        .collect();
    assert_eq!(
        found,
        [
            (true, Severity::High, Some("src/app.py:2".to_owned()), Some("use +")),
            (false, Severity::Info, None, None)
        ]
    );
    bus.write_review_report("T-001", 1, &verdict).unwrap();
    let again = bus.review_report().unwrap().verdict(&source, Some("h"));
    assert_eq!(again, verdict);
    let head = FixList { task_id: "T-001".to_owned(), round: 2, ..FixList::default() };
    bus.write_fixes(head, &verdict.findings).unwrap();
    assert_eq!(bus.fix_list().unwrap().fixes[0].text("required_change"), Some("use +"));
}

#[test]
fn contradictions_are_seen() {
    let report = |decision: &str, blocking: Value, suggestions: Value| {
        let map = json!({"task_id": "T", "round": 1, "decision": decision, "blocking_issues": blocking,
            "non_blocking_suggestions": suggestions});
        ReviewReport::parse(map.as_object().unwrap().clone()).unwrap().contradiction()
    };
    let issue = json!([{"severity": "high", "reason": "wrong"}]);
    assert_eq!(report("approve", json!([]), json!(["nice"])), None);
    assert_eq!(report("changes_required", issue.clone(), json!([])), None);
    assert!(report("approve", issue.clone(), json!([])).unwrap().contains("approved and named findings"));
    assert!(report("changes_required", json!([]), json!([])).unwrap().contains("named none"));
    assert!(report("approve", json!([]), issue).unwrap().contains("severity high among its suggestions"));
}
