//! What agents are told, and what a loop goes by: texts of the project, templates, the configuration, `loop init`.

use std::fs;

use serde_json::{Value, json};

use crate::loop_support::Scratch;
use crate::outcome;

fn told(scratch: &Scratch, call: &str) -> String {
    fs::read_to_string(scratch.noted().join(format!("codex.{call}.stdin"))).unwrap()
}

#[test]
fn texts_of_the_project_win_over_built_in_ones_and_stand_in_every_round() {
    let scratch = Scratch::new();
    scratch.put("AGENTS.md", "Use tabs.\n");
    scratch.put("docs/roles/code-writer.md", "Write like Knuth.\n");
    scratch.put("docs/roles/reviewer.md", "   \n");
    scratch.commit("roles");
    scratch.run(&[], &[]).expect(0);
    for round in [1, 2] {
        let worker = told(&scratch, &format!("worker.r{round}"));
        assert!(worker.contains("Use tabs.") && worker.contains("Write like Knuth."), "{worker}");
        assert!(worker.contains("add(2, 3) == 5"), "the card is there in every round: {worker}");
        let reviewer = told(&scratch, &format!("reviewer.r{round}"));
        assert!(
            reviewer.contains("Use tabs.") && reviewer.contains("You judge somebody else's change"),
            "{reviewer}"
        );
    }
}

#[test]
fn a_template_is_filled_once_and_what_it_leaves_out_follows() {
    let scratch = Scratch::new();
    scratch.put("AGENTS.md", "Use {tabs} and {task_id}.\n");
    scratch.commit("rules");
    let folder = scratch.bus().join("templates");
    fs::create_dir(&folder).unwrap();
    let text = "Mine for {task_id} {round_num} {agents_md} {nobody} { }{work_report_path}\n";
    fs::write(folder.join("worker_prompt.txt"), text).unwrap();
    fs::write(folder.join("reviewer_prompt.txt"), "Judge {task_id}.\n").unwrap();
    scratch.run(&[], &[]).expect(0);
    let path = scratch.root().canonicalize().unwrap().join(".loop/work_report.json");
    for round in [1, 2] {
        let worker = told(&scratch, &format!("worker.r{round}"));
        // What is filled in is not looked at again, and a brace that nobody knows is no crash.
        let filled = format!(
            "Mine for T-001 {round} Use {{tabs}} and {{task_id}}.\n {{nobody}} {{ }}{}\n",
            path.display()
        );
        assert!(worker.contains(&filled), "{worker}");
        assert!(worker.contains("add(2, 3) == 5"), "{worker}");
        assert_eq!(worker.matches("Use {tabs}").count(), 1, "{worker}");
    }
    assert!(told(&scratch, "worker.r2").contains("Required: use +"));
    let reviewer = told(&scratch, "reviewer.r1");
    assert!(reviewer.contains("Judge T-001.") && reviewer.contains("Use {tabs}"), "{reviewer}");
    assert!(reviewer.contains("add(2, 3) == 5") && reviewer.contains("review_request.json"), "{reviewer}");
}

#[test]
fn flags_win_over_variables_and_those_over_the_folder() {
    let config = json!({
        "max_rounds": 1, "auto_dispatch": true, "worker_backend": "claude", "dispatch_retries": "many", "x": 1,
    });
    let run = |more: &[&str], knobs: &[(&str, &str)]| {
        let scratch = Scratch::new();
        fs::write(scratch.bus().join("config.json"), config.to_string()).unwrap();
        let knobs = [&[("FAKE_APPROVE_AT", "9")], knobs].concat();
        let ran = scratch.call(&[&["run", "--loop-dir", ".loop"], more].concat(), &knobs).expect(1);
        assert!(ran.err.contains("`dispatch_retries` in the loop's configuration"), "{}", ran.err);
        assert_eq!(outcome(&scratch), "max_rounds_exhausted");
        scratch.calls()
    };
    assert_eq!(run(&[], &[]), ["claude.worker.r1", "codex.reviewer.r1"]);
    let two = ["claude.worker.r1", "claude.worker.r2", "codex.reviewer.r1", "codex.reviewer.r2"];
    assert_eq!(run(&[], &[("LOOP_MAX_ROUNDS", "2")]), two);
    assert_eq!(
        run(&["--max-rounds", "1", "--worker-backend", "codex"], &[("LOOP_MAX_ROUNDS", "2")]),
        ["codex.reviewer.r1", "codex.worker.r1"]
    );
    let scratch = Scratch::new();
    fs::write(scratch.bus().join("config.yaml"), "max_rounds: [").unwrap();
    let ran = scratch.run(&[], &[]).expect(0);
    assert!(ran.err.contains("config.yaml cannot be read; the defaults count"), "{}", ran.err);
}

#[test]
fn a_conversation_begins_anew_after_so_many_rounds() {
    let scratch = Scratch::new();
    let three = [("FAKE_APPROVE_AT", "3")];
    scratch.run(&["--worker-backend", "claude", "--max-session-rounds", "2"], &three).expect(0);
    let argv = |round: u32| {
        fs::read_to_string(scratch.noted().join(format!("claude.worker.r{round}.argv"))).unwrap()
    };
    assert!(argv(1).contains("--session-id") && argv(2).contains("--resume"));
    assert!(argv(3).contains("--session-id"), "{}", argv(3));
    assert_eq!(scratch.state()["sessions"]["worker"]["started_round"], json!(3));
}

#[test]
fn a_folder_is_made_once_and_nothing_in_it_is_replaced() {
    let scratch = Scratch::new();
    let own = scratch.bus().join("templates/worker_prompt.txt");
    fs::create_dir(own.parent().unwrap()).unwrap();
    fs::write(&own, "mine").unwrap();
    let init = ["init", "--loop-dir", ".loop", "--format", "json"];
    let made: Value = serde_json::from_str(&scratch.call(&init, &[]).expect(0).out).unwrap();
    assert_eq!(made["made"], json!(["examples/task_card.json", "templates/reviewer_prompt.txt"]));
    assert_eq!(fs::read_to_string(&own).unwrap(), "mine");
    for folder in ["logs", "runtime", "archive", "templates", "examples"] {
        assert!(scratch.bus().join(folder).is_dir(), "{folder}");
    }
    let made: Value = serde_json::from_str(&scratch.call(&init, &[]).expect(0).out).unwrap();
    assert_eq!(made["made"], json!([]));
    fs::remove_file(&own).unwrap();
    scratch.call(&init, &[]).expect(0);
    scratch.run(&[], &[]).expect(0);
    let worker = told(&scratch, "worker.r1");
    assert_eq!(worker.matches("Role: worker").count(), 1, "{worker}");
    assert!(worker.contains("add(2, 3) == 5") && worker.contains("A round without a new commit"), "{worker}");
}
