//! The external reviewer: every row of the table of outcomes (kagura-engineer §8).

use serde_json::{Value, json};

use super::hostile::program;
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

/// A reviewer that does what a recorded one did.
fn recorded(name: &str) -> (Value, Value) {
    let text = std::fs::read_to_string(fixtures().join("envelopes").join(name)).unwrap();
    let said: Value = serde_json::from_str(&text).unwrap();
    let scene =
        Scene::with("review: {command: [sh, -c, '. \"$FAKE_LOG/play\"', it]}\nenvironment: ['FAKE_*']\n");
    let quoted = |key: &str| shlex::try_quote(said[key].as_str().unwrap()).unwrap().into_owned();
    let play =
        format!("printf %s {}; printf %s {} >&2; exit {}", quoted("stdout"), quoted("stderr"), said["exit"]);
    std::fs::write(scene.log().join("play"), play).unwrap();
    let code = if said["exit"] == 0 { 0 } else { 1 };
    let report = scene.report(&["feat/x"], &[], code);
    (said, report)
}

#[test]
fn k17_a_reviewer_that_could_not_review_gives_no_verdict() {
    for name in ["infra-exit2.json", "infra-exit3.json"] {
        let (said, report) = recorded(name);
        let detail = format!(
            "reviewer could not complete (exit {}): {}",
            said["exit"],
            said["stderr"].as_str().unwrap()
        );
        assert_eq!(report["detail"], detail);
        assert_eq!((&report["status"], &report["verdict"]), (&json!("fail"), &Value::Null), "{name}");
        assert_eq!((&report["findings"], &report["summary"]), (&json!([]), &json!({})));
    }
}

#[test]
fn k19_a_report_that_is_no_json_is_none() {
    let report = reviewed("garbage", 1);
    let detail = report["detail"].as_str().unwrap();
    assert!(detail.starts_with("reviewer could not complete (exit 0): it gave no report"), "{report}");
    assert_eq!((&report["status"], &report["verdict"]), (&json!("fail"), &Value::Null));
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
    let (_, said) = recorded("no-changes.json");
    assert_eq!(
        (&said["verdict"], &said["detail"]),
        (&json!("green"), &json!("no changes to review, says sh, though the commits differ"))
    );
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
    assert_eq!((&report["report_path"], &report["reviewer"]), (&json!(path), &json!("kagura-code-reviewer")));
    assert!(!std::path::Path::new(folder).exists(), "the worktree is gone");
    assert_eq!(scene.state(), before);
}

#[test]
fn what_a_worktree_has_for_itself_is_told_as_a_commit() {
    let scene = Scene::new();
    let id = |name: &str| scene.git(&["rev-parse", name]);
    let told = |args: &[&str]| {
        scene.report(args, &[], 0);
        let argv = scene.logged("reviewer.argv").unwrap();
        let word = |at: u32| {
            argv.lines().find_map(|line| line.strip_prefix(&format!("argv[{at}]="))).unwrap().to_owned()
        };
        (word(1), word(3))
    };
    // HEAD of the worktree that the program runs in is what it judges.
    assert_eq!(told(&["feat/x", "--base", "HEAD"]), (id("main"), "feat/x".to_owned()));
    scene.git(&["checkout", "-q", "feat/x"]);
    scene.git(&["commit", "-q", "--allow-empty", "-m", "Nothing more"]);
    assert_eq!(told(&["HEAD~1", "--base", "refs/heads/main"]), ("refs/heads/main".to_owned(), id("HEAD~1")));
    assert_eq!(told(&["HEAD"]), ("main".to_owned(), id("feat/x")));
    scene.git(&["tag", "v1", "main"]);
    assert_eq!(told(&["feat/x", "--base", "v1"]), ("v1".to_owned(), "feat/x".to_owned()));
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

#[test]
fn who_says_nothing_to_review_and_reports_or_fails_all_the_same_is_not_believed() {
    let red = fixtures().join("envelopes/red.json");
    let cases = [
        (
            format!("echo No changes to review.; cp {} \"$out\"; exit 1", red.display()),
            2,
            "blocking verdict (red)",
        ),
        ("echo No changes to review.; exit 3".to_owned(), 1, "reviewer could not complete (exit 3)"),
    ];
    for (script, code, said) in cases {
        let report = program(&script).report(&["feat/x"], &[], code);
        assert!(report["detail"].as_str().unwrap().starts_with(said), "{report}");
    }
}

/// kagura-engineer's own report of the same scripted review, without what depends on the place and the time.
fn kaguras(report: &Value) -> Value {
    let keys = ["base", "status", "verdict", "summary"];
    let mut out: serde_json::Map<String, Value> =
        keys.iter().map(|key| ((*key).to_owned(), report[key].clone())).collect();
    let mut findings: Vec<Value> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            let keys = ["dimension", "severity", "file", "line", "title"];
            json!(keys.map(|key| finding[key].clone()))
        })
        .collect();
    // Ours are sorted, worst first.
    findings.sort_by_key(ToString::to_string);
    out.insert("findings".to_owned(), json!(findings));
    out.insert("hinted".to_owned(), json!(report["resume_hint"].is_string()));
    Value::Object(out)
}

#[test]
fn our_reports_say_what_kaguras_said_of_the_same_reviews() {
    let modes = [
        "green",
        "yellow",
        "red",
        "red-incomplete",
        "unknown",
        "nochanges",
        "infra2",
        "infra3",
        "garbage",
        "nowrite",
    ];
    for mode in modes {
        let file = fixtures().join(format!("reports/review-{mode}.json"));
        let theirs: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let code = match theirs["status"].as_str().unwrap() {
            "ok" => 0,
            "fail" => 1,
            _ => 2,
        };
        let scene = Scene::new();
        std::fs::copy(fixtures().join("envelopes/unknown-verdict.json"), scene.log().join("unknown.json"))
            .unwrap();
        let folder = if mode == "unknown" { scene.log() } else { fixtures().join("envelopes") };
        let vars = [("FAKE_REVIEW", mode), ("FAKE_ENVELOPES", folder.to_str().unwrap())];
        let ours = scene.report(&["feat/x"], &vars, code);
        assert_eq!(kaguras(&ours), kaguras(&theirs), "{mode}");
        if theirs["status"] != "fail" {
            // Ours says besides that a word which blocks came with nothing to mend.
            let detail = ours["detail"].as_str().unwrap();
            assert!(detail.starts_with(theirs["detail"].as_str().unwrap()), "{mode}: {detail}");
        }
    }
}
