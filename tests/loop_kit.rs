#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! loop-kit's acceptance cases L01 to L28 (`reference/loop-kit.md` §16) through the real binary, with its own scripted
//! agents and its own trees.

#[path = "loop_support/mod.rs"]
mod loop_support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use loop_support::{Scratch, fixtures, ran};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

fn outcome(scratch: &Scratch) -> String {
    scratch.state()["outcome"].as_str().unwrap_or("-").to_owned()
}

#[test]
fn l01_a_rejection_and_an_approval_end_well() {
    let scratch = Scratch::new();
    let base = scratch.git(&["rev-parse", "HEAD"]);
    let ran = scratch.run(&[], &[]).expect(0);
    assert!(ran.out.contains("[worker] Editing: app.py"), "{}", ran.out);
    let state = scratch.state();
    let details = state["round_details"].as_array().unwrap();
    assert_eq!((&state["outcome"], details.len(), &state["base_sha"]), (&json!("approved"), 2, &json!(base)));
    assert_eq!(details[1]["tests_summary"], json!({"total": 1, "pass": 1, "fail": 0, "other": 0}));
    let fixes = scratch.read("fix_list.json");
    assert_eq!((&fixes["round"], &fixes["fixes"][0]["required_change"]), (&json!(2), &json!("use +")));
    let summary = scratch.read("summary.json");
    assert_eq!((&summary["rounds"], &summary["files_changed"]), (&json!(2), &json!(["src/app.py"])));
    assert_eq!(
        scratch.archived("T-001"),
        [
            "r1_review_report.json",
            "r1_review_request.json",
            "r1_state.json",
            "r1_work_report.json",
            "r2_fix_list.json",
            "r2_review_report.json",
            "r2_review_request.json",
            "r2_state.2.json",
            "r2_state.json",
            "r2_work_report.json",
            "summary.json",
        ]
    );
    for n in [1, 2] {
        assert_eq!(scratch.read(&format!("archive/T-001/r{n}_review_report.json"))["round"], json!(n));
    }
    let told = fs::read_to_string(scratch.noted().join("codex.worker.r2.stdin")).unwrap();
    assert!(told.contains("Required: use +") && told.contains("add(2, 3) == 5"), "{told}");
}

#[test]
fn l02_rounds_run_out_and_another_one_can_be_allowed() {
    let scratch = Scratch::new();
    let never = [("FAKE_APPROVE_AT", "9")];
    scratch.run(&["--max-rounds", "2"], &never).expect(1);
    assert_eq!(outcome(&scratch), "max_rounds_exhausted");
    assert_eq!(scratch.state()["round_details"].as_array().unwrap().len(), 2);
    scratch.run(&["--max-rounds", "2", "--resume"], &[]).expect(1);
    let three = [("FAKE_APPROVE_AT", "3")];
    scratch.run(&["--max-rounds", "3", "--resume"], &three).expect(0);
    assert_eq!(scratch.state()["round_details"].as_array().unwrap().len(), 3);
}

#[test]
fn l03_a_worker_that_did_nothing_is_seen_before_the_reviewer_is_paid() {
    let scratch = Scratch::new();
    scratch.run(&[], &[("FAKE_NOOP", "1")]).expect(3);
    assert_eq!(outcome(&scratch), "worker_noop");
    assert_eq!(scratch.calls(), ["codex.worker.r1"]);
    assert!(scratch.archived("T-001").contains(&"r1_work_report.json".to_owned()));
}

/// A person's report in round 1: what the loop makes of it.
fn reported(report: &Value, more: &[&str]) -> (i32, String, Scratch) {
    let scratch = Scratch::new();
    let args = [&["run", "--loop-dir", ".loop"], more].concat();
    let mut child = scratch.command(&args, &[]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let waits = lines.by_ref().map(Result::unwrap).any(|line| line.contains("waiting for the worker"));
    assert!(waits, "the loop waits for a person");
    fs::write(scratch.bus().join("work_report.json"), report.to_string()).unwrap();
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    let done = ran(child.wait_with_output().unwrap());
    (done.code, format!("{}\n{}", rest.join("\n"), done.err), scratch)
}

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

/// Replaces the agents by a script that knows its role as `$role` and its round as `$round`.
fn script(scratch: &Scratch, body: &str) {
    let head = "#!/bin/sh\nprompt=$(cat)\nrole=worker\ncase \"$prompt\" in 'Role: reviewer'*) role=reviewer ;; esac\n\
                round=$(printf '%s\\n' \"$prompt\" | sed -n 's/^Current task_id: .*, round: \\([0-9]*\\)\\.$/\\1/p')\n\
                work() { echo \"$round\" >> src/app.py; git add -A; git commit -q -m w; \
                printf '{\"task_id\":\"T-001\",\"round\":%s,\"head_sha\":\"%s\"}' \"$round\" \
                \"$(git rev-parse HEAD)\" > .loop/work_report.json; }\n\
                review() { printf '{\"task_id\":\"T-001\",\"round\":%s,%s}' \"$round\" \"$1\" > \
                .loop/review_report.json; }\n";
    fs::write(scratch.outside().join("bin/codex"), format!("{head}{body}\n")).unwrap();
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
    let scratch = Scratch::new();
    let issue = "\"blocking_issues\":[{\"severity\":\"high\",\"reason\":\"bad\"}]";
    script(
        &scratch,
        &format!("[ $role = worker ] && {{ work; exit; }}; review '\"decision\":\"approve\",{issue}'"),
    );
    let ran = scratch.run(&[], &[]).expect(3);
    assert_eq!(outcome(&scratch), "contradictory_verdict");
    assert!(ran.all().contains("approved and named findings"), "{}", ran.all());
    // The person mends the report; nobody is paid again.
    let report = json!({"task_id": "T-001", "round": 1, "decision": "approve", "blocking_issues": []});
    fs::write(scratch.bus().join("review_report.json"), report.to_string()).unwrap();
    script(&scratch, "exit 9");
    scratch.run(&["--resume"], &[]).expect(0);

    let scratch = Scratch::new();
    script(
        &scratch,
        "[ $role = worker ] && { work; exit; }; echo x >> src/app.py; review '\"decision\":\"approve\"'",
    );
    let ran = scratch.run(&[], &[]).expect(3);
    assert_eq!(outcome(&scratch), "reviewer_changed_tree");
    assert!(ran.all().contains("src/app.py"), "{}", ran.all());
}

#[test]
fn work_that_does_not_descend_from_the_base_and_idle_second_rounds_are_caught() {
    let scratch = Scratch::new();
    script(&scratch, "git checkout -q --orphan other; work");
    scratch.run(&[], &[]).expect(3);
    assert_eq!(outcome(&scratch), "git_compare_failed");
    let scratch = Scratch::new();
    let reject = "review '\"decision\":\"changes_required\",\"blocking_issues\":[{\"reason\":\"no\"}]'";
    script(
        &scratch,
        &format!(
            "[ $role = reviewer ] && {{ {reject}; exit; }}; [ $round = 1 ] && {{ work; exit; }}; printf \
             '{{\"task_id\":\"T-001\",\"round\":2,\"head_sha\":\"HEAD\"}}' > .loop/work_report.json"
        ),
    );
    scratch.run(&[], &[]).expect(3);
    assert_eq!((outcome(&scratch).as_str(), &scratch.state()["round"]), ("worker_noop", &json!(2)));
}

#[test]
fn l10_l11_l12_a_changed_tracked_file_is_named_in_full_and_untracked_ones_are_nobodys() {
    let scratch = Scratch::new();
    scratch.put("new.txt", "x");
    scratch.put("src/app.py", "changed\n");
    let ran = scratch.run(&[], &[]).expect(4);
    assert!(ran.err.contains("\nsrc/app.py"), "{}", ran.err);
    assert!(scratch.calls().is_empty());
    let ran = scratch.run(&["--allow-dirty"], &[]).expect(0);
    assert!(ran.err.contains("warning: 1 tracked files differ"), "{}", ran.err);
    let scratch = Scratch::new();
    scratch.put("new.txt", "x");
    scratch.run(&[], &[]).expect(0);
}

#[test]
fn l13_l14_one_loop_at_a_time_and_a_dead_ones_lock_is_no_obstacle() {
    let scratch = Scratch::new();
    fs::write(scratch.bus().join("lock"), "\0").unwrap();
    let args = ["run", "--loop-dir", ".loop"];
    let mut first = scratch.command(&args, &[]).spawn().unwrap();
    let mut lines = BufReader::new(first.stdout.take().unwrap()).lines();
    assert!(lines.by_ref().map(Result::unwrap).any(|line| line.contains("waiting for the worker")));
    scratch.run(&[], &[]).expect(5);
    scratch.run(&["--single-round", "--round", "1"], &[]).expect(5);
    kill(Pid::from_raw(first.id().try_into().unwrap()), Signal::SIGKILL).unwrap();
    first.wait().unwrap();
    scratch.run(&[], &[]).expect(0);
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
fn l19_a_killed_loop_resumes_at_the_review_and_never_pays_the_worker_again() {
    let scratch = Scratch::of_fixture("interrupted-round2-review");
    let before = scratch.state();
    scratch.run(&["--resume"], &[]).expect(0);
    let state = scratch.state();
    assert_eq!((&state["outcome"], &state["round"]), (&json!("approved"), &json!(2)));
    assert_eq!(state["base_sha"], before["base_sha"]);
    assert_eq!(scratch.calls(), ["codex.reviewer.r2"]);
    assert_eq!(
        scratch.read("archive/T-001/r2_review_report.json")["round"],
        json!(1),
        "theirs stays as it was"
    );
    assert_eq!(scratch.read("archive/T-001/r2_review_report.2.json")["round"], json!(2));
}

#[test]
fn l20_l21_what_is_over_is_not_resumed() {
    for name in ["approved-round2", "v031-approved-round2"] {
        let scratch = Scratch::of_fixture(name);
        let before = fs::read(scratch.bus().join("state.json")).unwrap();
        scratch.run(&["--resume"], &[]).expect(0);
        assert_eq!(fs::read(scratch.bus().join("state.json")).unwrap(), before);
        assert!(scratch.calls().is_empty());
    }
    for entry in fs::read_dir(fixtures().join("states")).unwrap() {
        let path = entry.unwrap().path();
        let scratch = Scratch::new();
        fs::copy(&path, scratch.bus().join("state.json")).unwrap();
        let recorded = scratch.state();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        match name.as_str() {
            // Ours goes on where theirs cannot.
            "sigint.state.json" | "max-rounds-exhausted.state.json" => continue,
            "single-round-no-contract.state.json" => {
                scratch.run(&["--resume"], &[]).expect(3);
            }
            _ => {
                let ran = scratch.run(&["--resume"], &[]).expect(3);
                for key in ["outcome", "error"] {
                    let shown = recorded[key].as_str().unwrap();
                    assert!(ran.err.contains(shown), "{name}: {shown} in {}", ran.err);
                }
            }
        }
        assert!(scratch.calls().is_empty(), "{name}");
    }
}

#[test]
fn ctrl_c_leaves_nobody_and_the_loop_goes_on_in_the_same_phase() {
    let scratch = Scratch::new();
    let args = ["run", "--loop-dir", ".loop", "--auto-dispatch"];
    let hang = [("FAKE_HANG_AT", "reviewer.1"), ("FAKE_HANG_SEC", "300")];
    let mut child = scratch.command(&args, &hang).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.by_ref().map(Result::unwrap).any(|line| line.contains("[reviewer] Session")));
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    drop(lines);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(outcome(&scratch), "interrupted");
    let still: Vec<String> = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| {
            let cwd = fs::read_link(entry.path().join("cwd"));
            cwd.is_ok_and(|cwd| cwd.starts_with(scratch.root()))
        })
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    assert_eq!(still, Vec::<String>::new(), "the agent is gone");
    fs::remove_dir_all(scratch.noted()).unwrap();
    scratch.run(&["--resume"], &[]).expect(0);
    assert_eq!(scratch.calls(), ["codex.reviewer.r1", "codex.reviewer.r2", "codex.worker.r2"]);
    assert_eq!(outcome(&scratch), "approved");
}

#[test]
fn l22_a_broken_state_is_no_crash() {
    let scratch = Scratch::new();
    fs::write(scratch.bus().join("state.json"), "{\"state\": ").unwrap();
    let ran = scratch.call(&["status", "--loop-dir", ".loop"], &[]).expect(0);
    assert!(ran.out.contains("state:   idle") && ran.err.contains("warning"), "{}", ran.all());
    scratch.run(&[], &[]).expect(0);
    assert_eq!(fs::read_to_string(scratch.bus().join("state.json.broken-1")).unwrap(), "{\"state\": ");
}

fn argv(text: &str) -> Vec<String> {
    let words = text.lines().map(|line| line.split_once('=').unwrap().1.to_owned());
    // 0.3.0 has two blanks in its instruction, 0.3.1 has one.
    words.map(|word| word.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
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
fn l25_a_card_from_elsewhere_is_copied_and_left_as_it_was() {
    let scratch = Scratch::new();
    fs::remove_file(scratch.bus().join("task_card.json")).unwrap();
    let card = fs::read_to_string(fixtures().join("fakes/task_card.json")).unwrap();
    let path = scratch.outside().join("card.json");
    fs::write(&path, &card).unwrap();
    scratch.run(&["--task", path.to_str().unwrap()], &[]).expect(0);
    assert_eq!(scratch.read("task_card.json"), serde_json::from_str::<Value>(&card).unwrap());
    assert_eq!(fs::read_to_string(&path).unwrap(), card);
    fs::create_dir(scratch.bus().join("tasks")).unwrap();
    fs::write(scratch.bus().join("tasks/T-601-x.json"), card.replace("T-001", "T-601")).unwrap();
    scratch.run(&["T-601"], &[]).expect(0);
    assert_eq!(scratch.state()["task_id"], json!("T-601"));
    scratch.run(&["T-602"], &[]).expect(1);
}

#[test]
fn l26_l27_names_that_are_none_are_refused() {
    let scratch = Scratch::new();
    scratch.run(&[], &[]).expect(0);
    let ran = scratch.call(&["extract-diff", "HEAD~2", "HEAD"], &[]).expect(0);
    assert_eq!(ran.out.trim_end(), scratch.git(&["diff", "HEAD~2..HEAD"]));
    for bad in ["nowhere", "--output=x", "a..b"] {
        let ran = scratch.call(&["extract-diff", bad, "HEAD"], &[]).expect(1);
        assert!(ran.out.is_empty() && ran.err.contains(bad), "{}", ran.all());
    }
    let archive = |args: &[&str]| scratch.call(&[&["archive", "--loop-dir", ".loop"], args].concat(), &[]);
    archive(&["--task-id", "../x"]).expect(1);
    archive(&["--task-id", "T-001", "--restore", "../../../state.json"]).expect(1);
    archive(&["--task-id", "T-001", "--restore", "r9_state"]).expect(1);
    assert!(archive(&["--task-id", "T-001"]).expect(0).out.contains("r1_work_report.json"));
    archive(&["--task-id", "T-001", "--restore", "r1_work_report"]).expect(0);
    assert_eq!(scratch.read("work_report.json")["round"], json!(1));
}

#[test]
fn l28_flags_that_exclude_each_other_are_named_one_by_one() {
    let scratch = Scratch::new();
    let cases: [&[&str]; 6] = [
        &["--single-round"],
        &["--round", "1"],
        &["--single-round", "--round", "1", "--resume"],
        &["--single-round", "--round", "0"],
        &["--max-rounds", "0"],
        &["--worker-backend", "nobody"],
    ];
    let said: Vec<String> = cases.iter().map(|more| scratch.run(more, &[]).expect(1).err).collect();
    for (at, one) in said.iter().enumerate() {
        assert_eq!(said.iter().position(|other| other == one), Some(at), "each has its own words: {one}");
    }
    assert!(!scratch.bus().join("state.json").exists());
}

#[test]
fn single_rounds_are_the_same_rounds() {
    let scratch = Scratch::new();
    scratch.run(&["--single-round", "--round", "2"], &[]).expect(3);
    assert_eq!(outcome(&scratch), "state_contract_missing");
    fs::remove_file(scratch.bus().join("state.json")).unwrap();
    scratch.run(&["--single-round", "--round", "1"], &[]).expect(0);
    assert_eq!((&scratch.state()["state"], &scratch.state()["round"]), (&json!("awaiting_work"), &json!(2)));
    scratch.run(&["--single-round", "--round", "2"], &[]).expect(0);
    assert_eq!(outcome(&scratch), "approved");
}

#[test]
fn a_second_run_and_a_reset_keep_the_history_of_the_first() {
    let scratch = Scratch::new();
    scratch.run(&[], &[]).expect(0);
    let first = scratch.read("archive/T-001/r1_work_report.json");
    // The agents write the same file, so that the work must begin from before it.
    scratch.git(&["reset", "-q", "--hard", "HEAD~2"]);
    scratch.run(&["--reset"], &[]).expect(0);
    assert_eq!(scratch.read("archive/T-001/run-1/r1_work_report.json"), first);
    assert_eq!(outcome(&scratch), "approved");
    assert_eq!(scratch.read("task_card.json")["task_id"], json!("T-001"), "the card stays");
}

#[test]
fn hostile_cards_and_links_write_nothing_outside() {
    let scratch = Scratch::new();
    let card = json!({"task_id": "../../x", "goal": "g"});
    fs::write(scratch.bus().join("task_card.json"), card.to_string()).unwrap();
    let ran = scratch.run(&[], &[]).expect(1);
    assert!(ran.err.contains("the task id"), "{}", ran.err);
    assert!(!scratch.root().join("x").exists() && !scratch.outside().join("x").exists());
    let scratch = Scratch::new();
    let target = scratch.outside().join("elsewhere.json");
    fs::write(&target, "{}").unwrap();
    symlink(&target, scratch.bus().join("state.json")).unwrap();
    scratch.run(&[], &[]).expect(1);
    assert_eq!(fs::read_to_string(&target).unwrap(), "{}");
    assert!(scratch.calls().is_empty());
}

#[test]
fn repositories_without_a_commit_and_folders_without_one_are_said() {
    let scratch = Scratch::new();
    fs::remove_dir_all(scratch.root().join(".git")).unwrap();
    let ran = scratch.run(&[], &[]).expect(1);
    assert!(ran.err.contains("git work tree"), "{}", ran.err);
    scratch.git(&["init", "-q", "-b", "main"]);
    let ran = scratch.run(&[], &[]).expect(1);
    assert!(ran.err.contains("has no commit"), "{}", ran.err);
    scratch.commit("init");
    scratch.git(&["checkout", "-q", "--detach"]);
    scratch.run(&[], &[]).expect(0);
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
fn without_a_folder_the_loop_of_a_project_lives_beside_its_planfile() {
    let scratch = Scratch::new();
    fs::remove_dir_all(scratch.bus()).unwrap();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_koru-tui"));
    let init = ran(scratch.program(program, &["init"], &[]).output().unwrap()).expect(0);
    assert!(!init.out.is_empty());
    scratch.commit("planfile");
    let card = fixtures().join("fakes/task_card.json");
    let folder = ".planfile/.koru/loop/T-001";
    let knobs = [("FAKE_LOOP_DIR", folder)];
    let args = ["run", card.to_str().unwrap(), "--auto-dispatch"];
    scratch.call(&args, &knobs).expect(0);
    assert!(scratch.root().join(folder).join("summary.json").is_file());
    let status = scratch.call(&["status", "--format", "json"], &[]).expect(0);
    assert_eq!(serde_json::from_str::<Value>(&status.out).unwrap()["state"]["outcome"], json!("approved"));
    let list = ran(scratch.program(program, &["ticket", "list", "--format", "json"], &[]).output().unwrap());
    let list: Value = serde_json::from_str(&list.expect(0).out).unwrap();
    let id = list[0]["id"].as_str().unwrap().to_owned();
    let said = scratch.call(&["run", &id], &[]).expect(1);
    assert!(said.err.contains(&format!("ticket run {id}")), "{}", said.err);
}
