//! Rounds from their beginning to their end: verdicts, limits, cards, archives, arguments.

use std::fs;

use serde_json::{Value, json};

use crate::loop_support::{Ran, Scratch, fixtures};
use crate::{outcome, script};

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
fn without_a_folder_the_loop_of_a_project_lives_beside_its_planfile() {
    let scratch = Scratch::new();
    fs::remove_dir_all(scratch.bus()).unwrap();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_koru-tui"));
    let init = Ran::of(scratch.program(program, &["init"], &[]).output().unwrap()).expect(0);
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
    let list =
        Ran::of(scratch.program(program, &["ticket", "list", "--format", "json"], &[]).output().unwrap());
    let list: Value = serde_json::from_str(&list.expect(0).out).unwrap();
    let id = list[0]["id"].as_str().unwrap().to_owned();
    let said = scratch.call(&["run", &id], &[]).expect(1);
    assert!(said.err.contains(&format!("ticket run {id}")), "{}", said.err);
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
