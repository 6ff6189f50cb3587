#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! koru's acceptance cases A01–A10 and A24–A25 (`koru.md` §8): init, bootstrap and doctor, through the real binary.

#[path = "support/cli.rs"]
mod cli;
mod support;

use cli::{Empty, Place};
use serde_json::Value;
use support::project::Project;

const ONE_TASK: &str = "\
project: till
description: |
  First steps
  of the till
tasks:
- id: TILL-001
  name: Open the shop
  executor: {kind: shell, handler: echo open}
";

fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

#[test]
fn a01_init_makes_config_sprint_and_policy() {
    let place = Empty::new();
    let ran = place.run(&["init"]).expect(0);
    assert_eq!(ran.err, "");
    let config = yaml(&place.get(".planfile/config.yaml"));
    assert_eq!(
        (&config["prefix"], &config["next_id"], &config["project"]),
        (&"STARTER".into(), &3.into(), &"shop".into())
    );
    assert_eq!(place.current_ids(), ["STARTER-001", "STARTER-002"]);
    let (first, second) = (place.on_disk("STARTER-001"), place.on_disk("STARTER-002"));
    assert_eq!(first["executor"]["kind"], "shell");
    assert_eq!(first["executor"]["handler"], "echo \"koru is wired\"");
    assert_eq!((&first["priority"], &first["execution"]["state"]), (&"high".into(), &"ready".into()));
    assert_eq!(second["executor"]["kind"], "human");
    assert_eq!(second["blocked_by"], serde_json::json!(["STARTER-001"]));
    assert!(yaml(&place.get(".planfile/.koru/policy.yaml"))["llm"].is_object());
    // The starter pipeline is built in: no temporary file at any time.
    let left: Vec<String> = place.planfile_bytes().keys().map(|path| path.display().to_string()).collect();
    assert!(!left.iter().any(|path| path.contains("starter") || path.ends_with(".tmp")), "{left:?}");
    assert!(ran.out.contains(&place.root().canonicalize().unwrap().display().to_string()), "{}", ran.out);
    assert!(ran.out.contains("tickets: 2 imported") && ran.out.contains("starter scaffold"), "{}", ran.out);
}

#[test]
fn a02_the_project_root_gets_exactly_two_entries() {
    let place = Empty::new();
    place.run(&["init"]).expect(0);
    assert_eq!(place.names(), [".gitignore", ".planfile"]);
}

#[test]
fn a03_init_refuses_a_second_time_unless_forced() {
    let place = Empty::new();
    place.run(&["init"]).expect(0);
    place.run(&["ticket", "update", "STARTER-001", "--name", "Renamed"]).expect(0);
    let before = place.planfile_bytes();
    let ran = place.run(&["init"]).expect(1);
    assert!(ran.err.contains("already initialised") && ran.err.contains("--force"), "{}", ran.err);
    // [OURS] koru's refusal claims that force overwrites the policy stub; ours says that it does not.
    assert!(ran.err.contains("the policy is not touched"), "{}", ran.err);
    assert_eq!(place.planfile_bytes(), before);
    place.run(&["init", "--force"]).expect(0);
    assert_ne!(place.on_disk("STARTER-001")["name"], "Renamed");
    // [OURS] what force replaced is kept under .koru/.
    let kept = place.planfile_bytes().into_iter().any(|(path, bytes)| {
        path.to_string_lossy().contains(".koru/") && String::from_utf8_lossy(&bytes).contains("Renamed")
    });
    assert!(kept, "no copy of the replaced sprint");
}

#[test]
fn a04_force_leaves_an_edited_policy_alone() {
    let place = Empty::new();
    place.run(&["init"]).expect(0);
    let edited = "# mine\nllm: {allow_commit: true}\n";
    place.put(".planfile/.koru/policy.yaml", edited);
    place.run(&["init", "--force"]).expect(0);
    assert_eq!(place.get(".planfile/.koru/policy.yaml"), edited);
}

#[test]
fn a05_the_ignore_line_is_added_once_and_user_lines_survive() {
    let place = Empty::new();
    place.put(".gitignore", "target/\n*.log");
    place.run(&["init", "--force"]).expect(0);
    place.run(&["init", "--force"]).expect(0);
    assert_eq!(
        place.get(".gitignore"),
        "target/\n*.log\n\n# koru runtime artefacts (generated)\n.planfile/.koru/\n"
    );
}

#[test]
fn a06_init_from_imports_exactly_the_pipeline() {
    let place = Empty::new();
    place.put("pipeline.yaml", ONE_TASK);
    let ran = place.run(&["init", "--from", "pipeline.yaml", "--format", "json"]).expect(0).json();
    assert_eq!((&ran["imported"], &ran["starter"]), (&1.into(), &false.into()));
    assert_eq!(place.current_ids(), ["TILL-001"]);
    let config = yaml(&place.get(".planfile/config.yaml"));
    assert_eq!((&config["prefix"], &config["next_id"]), (&"TILL".into(), &2.into()));
    let sprint = yaml(&place.get(".planfile/sprints/current.yaml"));
    assert_eq!(sprint["sprint"]["name"], "First steps");
}

#[test]
fn a07_a_bare_call_in_an_uninitialised_repository_is_a_brief_and_writes_nothing() {
    let place = Project::bare();
    let ran = place.run(&[]).expect(0);
    assert!(ran.out.starts_with("# koru handoff"), "{}", ran.out);
    // [OURS] the command is named in both spellings.
    for part in ["Setup required", "koru-tui init ", "koru-tui --init", "koru-tui init --from"] {
        assert!(ran.out.contains(part), "{part:?} is not in {}", ran.out);
    }
    assert_eq!(place.names(), [".git"]);
}

#[test]
fn a08_init_doctor_brief_and_queue_work_one_after_the_other() {
    let place = Project::bare();
    place.run(&["init"]).expect(0);
    place.run(&["doctor"]).expect(0);
    assert!(place.run(&["brief"]).expect(0).out.contains("STARTER-001"));
    let ran = place.run(&["queue", "run"]).expect(0);
    assert!(
        ran.out.starts_with("koru queue: status=completed ticket=STARTER-001 executor=shell\n"),
        "{}",
        ran.out
    );
}

#[test]
fn a08_the_same_with_korus_own_flags() {
    let place = Project::bare();
    place.run(&["--init"]).expect(0);
    place.run(&["--doctor"]).expect(0);
    let brief = place.run(&["--context"]).expect(0).json();
    assert_eq!(brief["ticket"]["id"], "STARTER-001");
    let ran = place.run(&["--queue"]).expect(0);
    assert!(ran.out.contains("status=completed"), "{}", ran.out);
}

#[test]
fn a09_every_mistake_of_a_pipeline_is_named_at_once() {
    let place = Empty::new();
    place.put(
        "bad.yaml",
        "tasks:\n- {id: A-1, name: one}\n- {id: A-1, name: two}\n- {id: A-2, name: three, executor: {kind: martian}}\n\
         - {id: A-3, name: four, priority: urgent}\n",
    );
    let ran = place.run(&["bootstrap", "--from", "bad.yaml"]).expect(2);
    assert!(ran.err.contains("bad.yaml: validation failed"), "{}", ran.err);
    for mistake in ["A-1: id:", "martian", "urgent"] {
        assert!(ran.err.contains(mistake), "{mistake} is not named:\n{}", ran.err);
    }
    assert_eq!(place.names(), ["bad.yaml"], "nothing is written when validation fails");
    // A missing file is a mistake of the caller too.
    place.run(&["bootstrap", "--from", "missing.yaml"]).expect(2);
    place.run(&["bootstrap"]).expect(2);
}

#[test]
fn a10_bootstrap_sets_states_and_refuses_an_existing_sprint() {
    let place = Empty::new();
    place.put("two.yaml", "tasks:\n- {id: A-1, name: one}\n- {id: A-2, name: two, blocked_by: [A-1]}\n");
    place.run(&["bootstrap", "--from", "two.yaml"]).expect(0);
    assert_eq!(place.on_disk("A-1")["execution"]["state"], "ready");
    assert_eq!(place.on_disk("A-2")["execution"]["state"], "pending");
    let ran = place.run(&["bootstrap", "--from", "two.yaml"]).expect(1);
    assert!(ran.err.contains("already exists"), "{}", ran.err);
    place.run(&["bootstrap", "--from", "two.yaml", "--force"]).expect(0);
    // A ring is refused, with the ring in the message.
    place.put(
        "ring.yaml",
        "tasks:\n- {id: A-1, name: a, blocked_by: [A-2]}\n- {id: A-2, name: b, blocked_by: [A-1]}\n",
    );
    let ran = place.run(&["bootstrap", "--from", "ring.yaml", "--sprint", "other"]).expect(2);
    assert!(ran.err.contains("cycle detected"), "{}", ran.err);
}

fn check<'a>(report: &'a Value, name: &str) -> Option<&'a Value> {
    report["checks"].as_array().unwrap().iter().find(|check| check["name"] == name)
}

#[test]
fn a24_doctor_without_git_warns_and_does_not_ask_for_gitignore() {
    let place = Empty::new();
    place.run(&["init"]).expect(0);
    let report = place.run(&["doctor", "--format", "json"]).expect(0).json();
    assert_eq!(check(&report, "git_repo").unwrap()["status"], "warn");
    assert_eq!(check(&report, "gitignore"), None);
    assert_eq!(report["has_failures"], false);
    assert_eq!(report["summary"]["fail"], 0);
}

#[test]
fn a25_doctor_without_a_planfile_fails_in_both_formats() {
    let place = Empty::new();
    let report = place.run(&["doctor", "--format", "json"]).expect(1).json();
    assert_eq!(report["schema_version"], "1");
    assert_eq!(check(&report, "planfile_config").unwrap()["status"], "fail");
    assert_eq!(report["has_failures"], true);
    let text = place.run(&["doctor"]).expect(1).out;
    assert!(text.starts_with("koru doctor — ") && text.contains("[FAIL] planfile_config"), "{text}");
    // Markdown means text here, as in koru.
    assert_eq!(place.run(&["doctor", "--format", "markdown"]).expect(1).out, text);
    assert_eq!(place.names(), Vec::<String>::new(), "the doctor writes nothing");
}
