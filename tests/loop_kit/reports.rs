//! What agents and people report, how agents are called, and how they fail.

use std::fs;
use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::loop_support::{Scratch, fixtures};
use crate::{argv, outcome, reported, script};

#[test]
fn l04_l05_l09_a_report_that_breaks_a_rule_is_named_by_its_field() {
    let good = json!({"task_id": "T-001", "round": 1, "head_sha": "HEAD"});
    let with = |key: &str, value: Value| {
        let mut report = good.clone();
        report[key] = value;
        report
    };
    let cases = [
        (with("round", Value::Null), "`round` is missing"),
        (with("round", json!(true)), "`round` must be an integer, not true"),
        (with("tests", json!({})), "`tests` must be a list"),
        (with("head_sha", json!("--output=x")), "`head_sha` is refused"),
    ];
    for (report, expected) in cases {
        let (code, said, scratch) = reported(&report, &["--timeout", "20"]);
        assert_eq!((code, outcome(&scratch).as_str()), (3, "invalid_work_report"), "{said}");
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn l06_l07_reports_of_others_are_left_alone_and_named_once() {
    let cases = [
        json!({"task_id": "T-999", "round": 1, "head_sha": "HEAD"}),
        json!({"task_id": "T-001", "round": 0, "head_sha": "HEAD"}),
    ];
    for report in cases {
        let (code, said, scratch) = reported(&report, &["--timeout", "2"]);
        assert_eq!((code, outcome(&scratch).as_str()), (2, "worker_timeout"), "{said}");
        assert_eq!(said.matches("is left alone").count(), 1, "{said}");
        assert!(scratch.bus().join("work_report.json").exists(), "it is still there");
    }
}

#[test]
fn l08_a_decision_in_other_letters_is_no_approval() {
    let scratch = Scratch::new();
    script(&scratch, "[ $role = worker ] && { work; exit; }; review '\"decision\":\"Approve\"'");
    let ran = scratch.run(&[], &[]).expect(3);
    assert_eq!(outcome(&scratch), "invalid_review_report");
    assert!(ran.all().contains("`decision` must be exactly"), "{}", ran.all());
}

#[test]
fn contradictions_and_reviewers_that_change_the_work_are_caught_and_can_be_resumed() {
    let high = r#"[{"severity":"high","reason":"bad"}]"#;
    let cases = [
        (format!(r#""decision":"approve","blocking_issues":{high}"#), "approved and named findings"),
        (r#""decision":"changes_required","blocking_issues":[]"#.to_owned(), "named none"),
        (format!(r#""decision":"approve","non_blocking_suggestions":{high}"#), "among its suggestions"),
    ];
    for (verdict, expected) in cases {
        let scratch = Scratch::new();
        script(&scratch, &format!("[ $role = worker ] && {{ work; exit; }}; review '{verdict}'"));
        let ran = scratch.run(&[], &[]).expect(3);
        assert_eq!(outcome(&scratch), "contradictory_verdict");
        assert!(ran.all().contains(expected), "{}", ran.all());
        // The person mends the report; nobody is paid again.
        let report = json!({"task_id": "T-001", "round": 1, "decision": "approve", "blocking_issues": []});
        fs::write(scratch.bus().join("review_report.json"), report.to_string()).unwrap();
        script(&scratch, "exit 9");
        scratch.run(&["--resume"], &[]).expect(0);
    }

    let scratch = Scratch::new();
    script(
        &scratch,
        "[ $role = worker ] && { work; exit; }; echo x >> src/app.py; review '\"decision\":\"approve\"'",
    );
    let ran = scratch.run(&[], &[]).expect(3);
    assert_eq!(outcome(&scratch), "reviewer_changed_tree");
    assert!(ran.all().contains("src/app.py"), "{}", ran.all());
    // Its verdict does not count once the tree is as it was: another one is asked for.
    scratch.git(&["checkout", "-q", "src/app.py"]);
    assert!(!scratch.bus().join("review_report.json").exists());
    script(&scratch, "[ $role = worker ] && exit 9; touch .loop/asked; review '\"decision\":\"approve\"'");
    scratch.run(&["--resume"], &[]).expect(0);
    assert!(scratch.bus().join("asked").exists());

    let scratch = Scratch::new();
    let hides = "git checkout -q --orphan nowhere; review '\"decision\":\"approve\"'";
    script(&scratch, &format!("[ $role = worker ] && {{ work; exit; }}; {hides}"));
    let ran = scratch.run(&[], &[]).expect(3);
    assert_eq!(outcome(&scratch), "reviewer_changed_tree");
    assert!(ran.all().contains("the tree cannot be looked at any more"), "{}", ran.all());
}

#[test]
fn l15_l16_a_transient_failure_is_tried_again_and_a_refused_login_is_not() {
    let scratch = Scratch::new();
    let started = Instant::now();
    let ran = scratch.run(&["--dispatch-retry-base-sec", "1"], &[("FAKE_FAIL_FIRST", "1")]).expect(0);
    assert!(started.elapsed() >= Duration::from_secs(2), "a second for each role");
    assert!(ran.err.contains("attempt 1 of 3"), "{}", ran.err);
    let scratch = Scratch::new();
    let knobs = [("FAKE_FAIL_FIRST", "9"), ("FAKE_STDERR", "error: Unauthorized")];
    let ran = scratch.run(&[], &knobs).expect(3);
    assert_eq!(outcome(&scratch), "worker_dispatch_failed");
    assert!(ran.err.contains("attempt 1 of 3") && ran.err.contains("login"), "{}", ran.err);
    assert_eq!(fs::read_to_string(scratch.noted().join("count.worker")).unwrap().trim(), "1");
}

#[test]
fn l17_an_agent_without_a_report_is_waited_for_so_long() {
    let scratch = Scratch::new();
    let started = Instant::now();
    let ran = scratch.run(&["--artifact-timeout", "2"], &[("FAKE_NO_ARTIFACT", "1")]).expect(3);
    let took = started.elapsed();
    assert!(took >= Duration::from_secs(2) && took < Duration::from_secs(20), "{took:?}");
    assert!(ran.err.contains("work_report.json"), "{}", ran.err);
    assert_eq!(outcome(&scratch), "worker_dispatch_failed");
}

#[test]
fn l18_what_a_hanging_agent_wrote_counts_and_nothing_of_it_is_left() {
    let scratch = Scratch::new();
    script(
        &scratch,
        "[ $role = reviewer ] && { review '\"decision\":\"approve\"'; exit; }; work; sleep 300 & sleep 300",
    );
    let started = Instant::now();
    let ran = scratch.run(&["--dispatch-timeout", "2"], &[]).expect(0);
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    assert!(ran.err.contains("was stopped"), "{}", ran.err);
}

#[test]
fn l24_agents_are_called_as_in_the_captures_with_the_prompt_on_standard_input() {
    let scratch = Scratch::new();
    let agents = ["--worker-backend", "claude", "--reviewer-backend", "codex"];
    scratch.run(&agents, &[]).expect(0);
    let root = scratch.root().canonicalize().unwrap();
    let noted = |name: &str| {
        let text = fs::read_to_string(scratch.noted().join(name)).unwrap();
        argv(&text.replace(root.to_str().unwrap(), "/repo"))
    };
    let captured = |name: &str| argv(&fs::read_to_string(fixtures().join("captures").join(name)).unwrap());
    assert_eq!(noted("codex.reviewer.r1.argv"), captured("codex.reviewer.r1.argv"));
    assert_eq!(noted("codex.reviewer.r2.argv"), captured("v031.codex.reviewer.r2.argv"));
    let (mut ours, mut theirs) = (noted("claude.worker.r2.argv"), captured("v031.claude.worker.r2.argv"));
    let id = ours.pop().unwrap();
    theirs.pop();
    assert_eq!(ours, theirs);
    assert_eq!(noted("claude.worker.r1.argv").pop(), Some(id), "the conversation goes on");
    let prompt = fs::read_to_string(scratch.noted().join("codex.reviewer.r1.stdin")).unwrap();
    assert!(prompt.starts_with("Role: reviewer\nCurrent task_id: T-001, round: 1.\n"), "{prompt}");
    let again = Scratch::new();
    again.run(&["--worker-backend", "opencode"], &[]).expect(0);
    let text = fs::read_to_string(again.noted().join("opencode.worker.r1.argv")).unwrap();
    assert_eq!(argv(&text), captured("opencode.worker.r1.argv"));
}

#[test]
fn signs_of_life_are_given_told_and_required() {
    let scratch = Scratch::new();
    let health = || scratch.call(&["health", "--loop-dir", ".loop", "--format", "json"], &[]).expect(0);
    let alive = |text: &str| serde_json::from_str::<Value>(text).unwrap()["roles"][0]["alive"].clone();
    assert_eq!(alive(&health().out), json!(false));
    let args = ["run", "--loop-dir", ".loop", "--require-heartbeat"];
    scratch.call(&args, &[]).expect(2);
    assert_eq!(outcome(&scratch), "worker_timeout");
    let mut child =
        scratch.command(&["heartbeat", "--role", "worker", "--loop-dir", ".loop"], &[]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while alive(&health().out) != json!(true) {
        assert!(Instant::now() < until, "no sign of life");
    }
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_report_that_is_being_written_is_waited_for_and_one_that_stays_broken_is_named() {
    let scratch = Scratch::new();
    let mut child = scratch.command(&["run", "--loop-dir", ".loop"], &[]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut errors = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("waiting for the worker")));
    let path = scratch.bus().join("work_report.json");
    let good = |round: u32| json!({"task_id": "T-001", "round": round, "head_sha": "HEAD"}).to_string();
    fs::write(&path, &good(1)[..20]).unwrap();
    assert!(errors.next().unwrap().contains("work_report.json is left alone: it ends too early"));
    scratch.put("src/app.py", "better\n");
    scratch.commit("work");
    // In two pieces, as a slow writer has it: nobody is told of the first.
    fs::write(&path, "{\"task_id\"").unwrap();
    fs::write(&path, good(1)).unwrap();
    assert!(lines.any(|line| line.contains("waiting for the reviewer")));
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(errors.filter(|line| line.contains("left alone")).count(), 0);
}

#[test]
fn l23_a_stream_is_shown_as_in_the_golden_data() {
    let scratch = Scratch::new();
    let stream = fixtures().join("stream/codex.jsonl");
    script(
        &scratch,
        "[ $role = worker ] && { cat \"$STREAM\"; work; exit; }; review '\"decision\":\"approve\"'",
    );
    let ran = scratch.run(&[], &[("STREAM", stream.to_str().unwrap())]).expect(0);
    let shown: Vec<&str> = ran.out.lines().filter(|line| line.starts_with("[worker] ")).collect();
    let golden = fs::read_to_string(fixtures().join("stream/codex.v030.expected.txt")).unwrap();
    assert_eq!(shown, golden.lines().collect::<Vec<_>>());
}
