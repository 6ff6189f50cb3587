//! Agents as reviewers: scripts that answer well, badly, for something else, or that touch what they judge.

use koru_tui::execute::agents::tally::{Tally, Tokens};
use koru_tui::execute::folder::RunFolder;
use koru_tui::plan::ticket::TicketId;
use serde_json::json;

use super::{Scene, fixtures};

/// A reviewer that runs `script` with the head in `$head`; `@` in its last line is the head too.
pub(crate) fn judged_by(script: &str) -> Scene {
    let scene = Scene::with(
        "roles: {reviewer: judge}\nagents:\n  judge: {kind: custom, args: [sh, SCRIPT, '{prompt_file}']}\n",
    );
    let path = scene.project.around().join("judge.sh");
    let find = "head=$(sed -n 's/.*`head`: \"\\([0-9a-f]*\\)\".*/\\1/p' \"$1\")\n";
    std::fs::write(&path, format!("{find}{script}\n")).unwrap();
    let config = scene.project.read(".planfile/.koru/config.yaml");
    let config = config.replace("SCRIPT", &format!("'{}'", path.display()));
    scene.project.write(".planfile/.koru/config.yaml", &config);
    scene
}

const APPROVE: &str = "\\\"head\\\": \\\"$head\\\", \\\"decision\\\": \\\"approve\\\", \\\"summary\\\": \\\"Good.\\\", \\\"findings\\\": []";

pub(crate) fn approve(ticket: &str) -> String {
    format!("echo \"{{\\\"ticket\\\": \\\"{ticket}\\\", {APPROVE}}}\"")
}

#[test]
fn an_agent_that_approves_is_green() {
    let scene = judged_by(&approve("feat/x"));
    let before = scene.state();
    let report = scene.report(&["feat/x"], &[], 0);
    assert_eq!((&report["verdict"], &report["reviewer"]), (&json!("green"), &json!("judge")));
    assert_eq!((&report["words"], &report["summary"]["total"]), (&json!("Good."), &json!(0)));
    assert_eq!(scene.state(), before);
    let run = report["run"].as_str().unwrap();
    let record = scene.project.read(&format!(".planfile/.koru/runs/{run}/run.json"));
    assert!(record.contains("\"state\":\"done\""), "{record}");
}

#[test]
fn an_agent_that_requires_changes_is_red() {
    let finding = json!([{
        "earlier_id": null, "severity": "high", "blocking": true, "file": "app.py", "line": 2, "end_line": null,
        "reason": "it subtracts", "required_change": "use +", "dimension": "correctness",
    }]);
    let rest = json!({"decision": "changes_required", "summary": "No.", "findings": finding}).to_string();
    let scene = judged_by(&format!(
        "printf '{{\"ticket\": \"feat/x\", \"head\": \"%s\", %s' \"$head\" '{}'",
        &rest[1..]
    ));
    let ran = scene.review(&["feat/x"], &[]).expect(2);
    assert!(ran.out.starts_with("red  feat/x against main\n"), "{}", ran.out);
    assert!(ran.out.contains("high      app.py:2  it subtracts\n          → use +\n"), "{}", ran.out);
}

#[test]
fn an_agent_that_approves_what_must_be_mended_has_not_approved_it() {
    let finding = json!([{
        "earlier_id": null, "severity": "critical", "blocking": false, "file": "app.py", "line": 2, "end_line": null,
        "reason": "it leaks the key", "required_change": null, "dimension": "security",
    }]);
    let rest = json!({"decision": "approve", "summary": "Fine.", "findings": finding}).to_string();
    let script =
        format!("printf '{{\"ticket\": \"feat/x\", \"head\": \"%s\", %s' \"$head\" '{}'", &rest[1..]);
    let report = judged_by(&script).report(&["feat/x"], &[], 2);
    assert_eq!(
        (&report["verdict"], &report["contradiction"]),
        (&json!("red"), &json!("approved_with_blockers"))
    );
    assert!(report["detail"].as_str().unwrap().contains("approved and named findings"), "{report}");
}

#[test]
fn an_answer_in_a_code_fence_in_crlf_or_after_a_byte_order_mark_counts() {
    let answer = approve("feat/x");
    for script in [
        format!("echo 'I looked at it.'; echo '```json'; {answer}; echo '```'"),
        format!("{{ echo '```json'; {answer}; echo '```'; }} | sed 's/$/\\r/'"),
        format!("printf '\\357\\273\\277'; {answer}"),
    ] {
        let report = judged_by(&script).report(&["feat/x"], &[], 0);
        assert_eq!((&report["verdict"], &report["words"]), (&json!("green"), &json!("Good.")), "{script}");
    }
}

#[test]
fn what_is_no_verdict_is_named() {
    let cases = [
        ("true".to_owned(), "did not finish: its stream ended without an end"),
        ("echo 'Looks good to me.'".to_owned(), "is prose"),
        ("printf '{\"ticket\": \"feat/x\", \"head\": '".to_owned(), "is not valid JSON"),
        (format!("{0}; {0}", approve("feat/x")), "several JSON objects"),
        (format!("echo '```'; {}; echo '```'; echo 'But wait.'", approve("feat/x")), "more text after"),
        (format!("{}; echo done.", approve("feat/x")), "more text after"),
        (approve("feat/y"), "answered for \"feat/y\""),
        (approve("feat/x").replace("$head", "ffffffff"), "judged the commit \"ffffffff\""),
        (approve("feat/x").replace("approve", "maybe"), "unknown variant `maybe`"),
        (format!("{}; exit 4", approve("feat/x")), "did not finish"),
    ];
    for (script, said) in cases {
        let report = judged_by(&script).report(&["feat/x"], &[], 1);
        assert!(report["detail"].as_str().unwrap().contains(said), "{script}: {report}");
        assert_eq!(report["verdict"], json!(null));
    }
}

#[test]
fn whoever_gave_no_verdict_is_asked_once_more() {
    let script = format!(
        "echo x >> \"$FAKE_LOG/asked\"\n[ \"$(wc -l < \"$FAKE_LOG/asked\")\" -gt 1 ] || {{ echo 'Looks good.'; exit 0; }}\n\
         cp \"$1\" \"$FAKE_LOG/prompt\"\n{}",
        approve("feat/x")
    );
    let scene = judged_by(&script);
    let config = scene.project.read(".planfile/.koru/config.yaml");
    scene.project.write(".planfile/.koru/config.yaml", &format!("{config}environment: ['FAKE_*']\n"));
    let ran = scene.review(&["feat/x"], &[]).expect(0);
    assert!(
        ran.err.contains("is prose, not the JSON object that was asked for; judge is asked once more"),
        "{}",
        ran.err
    );
    assert!(scene.logged("prompt").unwrap().contains("That was no verdict"));
    // Once, and not for ever.
    std::fs::remove_file(scene.log().join("asked")).unwrap();
    let prose = "echo x >> \"$FAKE_LOG/asked\"; echo 'Looks good.'\n";
    std::fs::write(scene.project.around().join("judge.sh"), prose).unwrap();
    scene.review(&["feat/x"], &[]).expect(1);
    assert_eq!(scene.logged("asked").unwrap().lines().count(), 2);
}

#[test]
fn an_agent_that_changes_what_it_judges_has_not_reviewed_it() {
    let work = approve("feat/x");
    for meddling in [
        "echo '# fine' >> app.py",
        "rm app.py",
        "echo x > extra.txt",
        "git update-ref refs/heads/feat/x main",
    ] {
        let scene = judged_by(&format!("{meddling}\n{work}"));
        let before = scene.state();
        let report = scene.report(&["feat/x"], &[], if meddling.starts_with("git") { 0 } else { 1 });
        if !meddling.starts_with("git") {
            assert!(report["detail"].as_str().unwrap().contains("changed the work"), "{meddling}: {report}");
        }
        assert_eq!(scene.state(), before, "{meddling}");
    }
    // What running the tests leaves behind is no change of the work.
    let scene = judged_by(&format!("mkdir __pycache__ && echo x > __pycache__/app.pyc\n{work}"));
    scene.report(&["feat/x"], &[], 0);
}

#[test]
fn a_day_whose_budget_is_used_up_starts_no_agent_and_a_program_costs_nothing() {
    let scene = judged_by(&format!("echo x > \"$KORU_RUN\"; {}", approve("feat/x")));
    let config = scene.project.read(".planfile/.koru/config.yaml");
    scene.project.write(".planfile/.koru/config.yaml", &format!("{config}budgets: {{day_tokens: 100}}\n"));
    let (runs, ticket) = (scene.project.path().join(".planfile/.koru/runs"), TicketId::new("PLF-9"));
    let now = jiff::Timestamp::now();
    let folder = RunFolder::create(&runs, &ticket, now).unwrap();
    let tokens = Tokens { output: 100, ..Tokens::default() };
    let record = json!({
        "format": 1, "run": folder.name(), "ticket": ticket, "executor": "llm", "label": "asked", "holder": "",
        "supervisor": null, "child": null, "started_at": now, "state": "done",
        "spent": Tally { tokens, ..Tally::default() },
    });
    std::fs::write(folder.path().join("run.json"), record.to_string()).unwrap();
    let report = scene.report(&["feat/x"], &[], 1);
    let said = "today's budget of 100 tokens is used up (100 used)";
    assert!(report["detail"].as_str().unwrap().contains(said), "{report}");
    assert_eq!(scene.git(&["worktree", "list"]).lines().count(), 1);
    let program = format!("review: {{command: ['{}/fakes/kagura-code-reviewer']}}\n", fixtures().display());
    scene.project.write(
        ".planfile/.koru/config.yaml",
        &format!("{program}environment: ['FAKE_*']\nbudgets: {{day_tokens: 100}}\n"),
    );
    scene.report(&["feat/x"], &[], 0);
}
