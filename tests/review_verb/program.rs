//! The external reviewer: every row of the table of outcomes (kagura-engineer §8).

use serde_json::{Value, json};

use super::{Scene, fixtures};

fn reviewed(mode: &str, code: i32) -> Value {
    Scene::new().report(&["feat/x"], &[("FAKE_REVIEW", mode)], code)
}

#[test]
fn k15_green_and_yellow_pass_and_keep_their_counts() {
    let green = reviewed("green", 0);
    assert_eq!((&green["status"], &green["verdict"]), (&json!("ok"), &json!("green")));
    assert_eq!(green["summary"], json!({"total": 0, "blocking": 0, "by_severity": {}, "incomplete": false}));
    let yellow = reviewed("yellow", 0);
    assert_eq!((&yellow["verdict"], &yellow["detail"]), (&json!("yellow"), &json!("yellow: 2 finding(s)")));
    assert_eq!(yellow["summary"]["by_severity"], json!({"LOW": 1, "MEDIUM": 1}));
}

#[test]
fn k16_red_blocks_and_lists_what_was_found() {
    let red = reviewed("red", 2);
    assert_eq!((&red["status"], &red["verdict"]), (&json!("blocked"), &json!("red")));
    assert_eq!((&red["summary"]["blocking"], &red["base"]), (&json!(2), &json!("main")));
    assert_eq!(red["detail"], "blocking verdict (red): 3 finding(s)");
    let keys = ["dimension", "severity", "file", "line", "title"];
    let first: Vec<&Value> = keys.iter().map(|key| &red["findings"][0][key]).collect();
    let wanted = [
        json!("security"),
        json!("CRITICAL"),
        json!("src/auth.py"),
        json!(41),
        json!("Token compared with =="),
    ];
    assert_eq!(first, wanted.iter().collect::<Vec<_>>());
    let incomplete = reviewed("red-incomplete", 2);
    assert_eq!(incomplete["detail"], "blocking verdict (red): 1 finding(s) (incomplete)");
}

#[test]
fn k17_k19_a_reviewer_that_could_not_review_gives_no_verdict() {
    let cases = [
        ("infra2", "reviewer could not complete (exit 2): git error: bad revision"),
        ("infra3", "reviewer could not complete (exit 3): backend unavailable"),
        ("garbage", "reviewer could not complete (exit 0): it gave no report that can be read"),
    ];
    for (mode, detail) in cases {
        let report = reviewed(mode, 1);
        assert_eq!((&report["status"], &report["verdict"]), (&json!("fail"), &Value::Null), "{mode}");
        assert!(report["detail"].as_str().unwrap().starts_with(detail), "{report}");
        assert_eq!(report["findings"], json!([]));
    }
}

#[test]
fn k18_an_old_report_is_not_used() {
    let scene = Scene::new();
    scene.report(&["feat/x"], &[("FAKE_REVIEW", "green")], 0);
    let report = scene.report(&["feat/x"], &[("FAKE_REVIEW", "nowrite")], 1);
    assert_eq!((&report["verdict"], &report["report_path"]), (&Value::Null, &Value::Null));
}

#[test]
fn k20_a_word_that_nobody_knows_is_shown_and_blocks() {
    let scene = Scene::new();
    let word =
        std::fs::copy(fixtures().join("envelopes/unknown-verdict.json"), scene.log().join("unknown.json"));
    word.unwrap();
    let folder = scene.log().display().to_string();
    let report = scene.report(&["feat/x"], &[("FAKE_REVIEW", "unknown"), ("FAKE_ENVELOPES", &folder)], 2);
    assert_eq!((&report["status"], &report["verdict"]), (&json!("blocked"), &json!("purple")));
}

#[test]
fn k21_nothing_to_review_is_green_whoever_says_so() {
    let said = reviewed("nochanges", 0);
    assert_eq!((&said["verdict"], &said["detail"]), (&json!("green"), &json!("no changes to review")));
    let scene = Scene::new();
    let found = scene.report(&["main"], &[("FAKE_REVIEW", "red")], 0);
    assert_eq!((&found["verdict"], &found["detail"]), (&json!("green"), &json!("no changes to review")));
    assert_eq!(scene.logged("reviewer.argv"), None, "nobody is asked about nothing");
}

#[test]
fn it_is_called_as_kagura_calls_it_and_leaves_nothing_behind() {
    let scene = Scene::new();
    let before = scene.state();
    let report = scene.report(&["feat/x"], &[], 0);
    let argv = scene.logged("reviewer.argv").unwrap();
    let words: Vec<&str> =
        argv.lines().filter_map(|line| line.split_once('=')).map(|(_, word)| word).collect();
    let [base, main, head, branch, repo, folder, format, json, out, path, effort, med] = words[..] else {
        panic!("{argv}")
    };
    let options = [base, main, head, branch, repo, format, json, out, effort, med];
    let wanted =
        ["--base", "main", "--head", "feat/x", "--repo", "--format", "json", "--out", "--effort", "med"];
    assert_eq!(options, wanted);
    assert!(folder.contains(".planfile/.koru/worktrees/review-"), "{folder}");
    assert_eq!(report["report_path"], path);
    assert!(!std::path::Path::new(folder).exists(), "the worktree is gone");
    assert_eq!(scene.state(), before);
}

#[test]
fn a_program_that_is_not_there_or_dies_is_named() {
    for (command, said) in
        [("[no-such-reviewer-here]", "could not be started"), ("[sh, -c, 'kill -9 $$']", "signal 9")]
    {
        let scene = Scene::with(&format!("review: {{command: {command}}}\n"));
        let report = scene.report(&["feat/x"], &[], 1);
        assert!(report["detail"].as_str().unwrap().contains(said), "{report}");
    }
}

#[test]
fn a_program_that_changes_the_work_has_not_reviewed_it() {
    let script = "echo x >> app.py; echo \"{\\\"verdict\\\": \\\"green\\\"}\"";
    let scene = Scene::with(&format!("review: {{command: [sh, -c, '{script}']}}\n"));
    let before = scene.state();
    let report = scene.report(&["feat/x"], &[], 1);
    let detail = report["detail"].as_str().unwrap();
    assert!(
        detail.contains("changed the work that it was to judge") && detail.ends_with("app.py"),
        "{detail}"
    );
    assert_eq!((&report["verdict"], scene.state()), (&Value::Null, before));
}

#[test]
fn red_hidden_under_green_blocks() {
    let envelope = "{\"verdict\": \"green\", \"findings\": [{\"severity\": \"HIGH\", \"title\": \"t\"}]}";
    let scene =
        Scene::with("review: {command: [sh, -c, 'cat \"$FAKE_LOG/answer\"']}\nenvironment: ['FAKE_*']\n");
    std::fs::write(scene.log().join("answer"), envelope).unwrap();
    let report = scene.report(&["feat/x"], &[], 2);
    assert_eq!(report["contradiction"], "approved_with_blockers");
    assert!(scene.review(&["feat/x"], &[]).expect(2).out.contains("approved and named findings"));
}
