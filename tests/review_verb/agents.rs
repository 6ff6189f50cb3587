//! Agents as reviewers: scripts that answer well, badly, for something else, or that touch what they judge.

use serde_json::json;

use super::Scene;

/// A reviewer that runs `script` with the head in `$head`; `@` in its last line is the head too.
fn scene(script: &str) -> Scene {
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

fn approve(ticket: &str) -> String {
    format!("echo \"{{\\\"ticket\\\": \\\"{ticket}\\\", {APPROVE}}}\"")
}

#[test]
fn an_agent_that_approves_is_green() {
    let scene = scene(&approve("feat/x"));
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
    let scene =
        scene(&format!("printf '{{\"ticket\": \"feat/x\", \"head\": \"%s\", %s' \"$head\" '{}'", &rest[1..]));
    let ran = scene.review(&["feat/x"], &[]).expect(2);
    assert!(ran.out.starts_with("red  feat/x against main\n"), "{}", ran.out);
    assert!(ran.out.contains("high      app.py:2  it subtracts\n          → use +\n"), "{}", ran.out);
}

#[test]
fn what_is_no_verdict_is_named() {
    let cases = [
        ("echo 'Looks good to me.'".to_owned(), "is prose"),
        (format!("{}; echo done.", approve("feat/x")), "more text after"),
        (approve("feat/y"), "answered for \"feat/y\""),
        (approve("feat/x").replace("$head", "ffffffff"), "judged the commit \"ffffffff\""),
        (approve("feat/x").replace("approve", "maybe"), "unknown variant `maybe`"),
        (format!("{}; exit 4", approve("feat/x")), "did not finish"),
    ];
    for (script, said) in cases {
        let report = scene(&script).report(&["feat/x"], &[], 1);
        assert!(report["detail"].as_str().unwrap().contains(said), "{script}: {report}");
        assert_eq!(report["verdict"], json!(null));
    }
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
        let scene = scene(&format!("{meddling}\n{work}"));
        let before = scene.state();
        let report = scene.report(&["feat/x"], &[], if meddling.starts_with("git") { 0 } else { 1 });
        if !meddling.starts_with("git") {
            assert!(report["detail"].as_str().unwrap().contains("changed the work"), "{meddling}: {report}");
        }
        assert_eq!(scene.state(), before, "{meddling}");
    }
    // What running the tests leaves behind is no change of the work.
    let scene = scene(&format!("mkdir __pycache__ && echo x > __pycache__/app.pyc\n{work}"));
    scene.report(&["feat/x"], &[], 0);
}
