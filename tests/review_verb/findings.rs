//! One type for what is wrong, whoever says it: checks that failed, the operator, a reviewer.

use std::time::Duration;

use koru_tui::verify::comments::{Anchor, Comment, TextSide};
use koru_tui::verify::finding::{Finding, Severity, Source};
use koru_tui::verify::gates::{GateResult, GateState};
use koru_tui::verify::review::{fix_prompt, from_gates};
use serde_json::{Value, json};

use super::Scene;

#[test]
fn a_failed_check_and_a_typed_comment_are_findings_that_the_worker_is_told() {
    let failed = GateResult {
        gate: "ci".to_owned(),
        state: GateState::Failed { why: "it exited with 1".to_owned() },
        command: Some("make test".to_owned()),
        exit_code: Some(1),
        output: "1 test failed\n".to_owned(),
        duration: Duration::from_secs(2),
    };
    let mut findings = from_gates::findings(&[failed]);
    let comment = Comment {
        id: "c1".to_owned(),
        file: "src/a.rs".to_owned(),
        side: TextSide::New,
        first: 3,
        last: 5,
        anchor: Anchor { blob: "0".repeat(40), lines: vec!["x".to_owned()], before: 0 },
        near: None,
        text: "say why".to_owned(),
        actor: "ada".to_owned(),
        at: "2026-11-21T06:00:00Z".parse().unwrap(),
        sent: None,
    };
    findings.push(comment.finding(&"b".repeat(40)));
    let by_a_gate = Finding {
        id: Finding::key(None, "gate ci"),
        severity: Severity::High,
        blocking: true,
        file: None,
        line: None,
        end_line: None,
        reason: "the gate ci failed: it exited with 1\n1 test failed".to_owned(),
        required_change: Some("make `make test` pass".to_owned()),
        source: Source::Gate { gate: "ci".to_owned() },
        dimension: Some("gate".to_owned()),
        confidence: None,
    };
    let typed = Finding {
        id: "c1".to_owned(),
        file: Some("src/a.rs".to_owned()),
        line: Some(3),
        end_line: Some(5),
        reason: "say why\nAbout these lines of bbbbbbbbbbbb:\n> x".to_owned(),
        required_change: None,
        source: Source::Operator { actor: "ada".to_owned() },
        dimension: None,
        ..by_a_gate.clone()
    };
    assert_eq!(findings, [by_a_gate, typed]);
    let told = fix_prompt(&findings);
    let list = "1. [high, blocking, gate]\n   the gate ci failed: it exited with 1\n   1 test failed\n   \
                Required: make `make test` pass\n2. [high, blocking, operator] src/a.rs:3-5\n   say why\n   \
                About these lines of bbbbbbbbbbbb:\n   > x\n";
    assert!(told.contains(list), "{told}");
}

/// The rounds of the ticket, as they are kept.
fn rounds(scene: &Scene) -> Value {
    serde_json::from_str(&scene.project.read(".planfile/.koru/loop/PLF-001/rounds.json")).unwrap()
}

#[test]
fn a_check_that_failed_in_a_round_comes_back_as_a_finding_and_no_reviewer_is_paid() {
    let scene = Scene::with("");
    let script = |name: &str, text: &str| {
        let path = scene.project.around().join(name);
        std::fs::write(&path, text).unwrap();
        format!("'{}'", path.display())
    };
    let log = scene.log();
    let worker = script(
        "worker.sh",
        "n=$(ls worked.* 2>/dev/null | wc -l)\necho x > worked.$n\n[ \"$n\" -gt 0 ] && echo x > ok\n\
         cat \"$1\" > \"$FAKE_LOG/prompt.$n\"\necho Done.\n",
    );
    let judge = script(
        "judge.sh",
        "head=$(sed -n 's/.*`head`: \"\\([0-9a-f]*\\)\".*/\\1/p' \"$1\")\necho x >> \"$FAKE_LOG/judged\"\n\
         printf '{\"ticket\": \"PLF-001\", \"head\": \"%s\", \"decision\": \"approve\", \"summary\": \"Good.\", \
         \"findings\": []}\\n' \"$head\"\n",
    );
    scene.project.write(
        ".planfile/.koru/config.yaml",
        &format!(
            "environment: ['FAKE_*']\nroles: {{worker: w, reviewer: r}}\nagents:\n  \
             w: {{kind: custom, args: [sh, {worker}, '{{prompt_file}}']}}\n  \
             r: {{kind: custom, args: [sh, {judge}, '{{prompt_file}}']}}\n"
        ),
    );
    scene.project.write(".planfile/.koru/policy.yaml", "ci:\n  command: test -e ok\n");
    let mut command = crate::cli::Place::command(&scene.project, &["ticket", "run", "PLF-001", "--agent"]);
    let output = command.env("FAKE_LOG", &log).output().unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let rounds = rounds(&scene);
    let all = rounds["rounds"].as_array().unwrap();
    assert_eq!(all.len(), 2, "{said}\n{rounds:#}");
    let finding = &all[0]["verdict"]["findings"][0];
    assert_eq!(finding["source"], json!({"by": "gate", "gate": "ci"}), "{rounds:#}");
    assert_eq!((&all[0]["reviewer"], &all[1]["fixes"][0]), (&Value::Null, finding));
    let told = scene.logged("prompt.1").unwrap();
    assert!(told.contains("1. [high, blocking, gate]\n   the gate ci failed: it exited with 1"), "{told}");
    assert_eq!(all[1]["verdict"]["decision"], "approve", "{said}\n{rounds:#}");
    assert_eq!(scene.logged("judged").unwrap().lines().count(), 1);
}
