//! `review --fix`: K23 to K25, and what kagura did not see.

use serde_json::{Value, json};

use super::Scene;

const THEN_GREEN: (&str, &str) = ("FAKE_REVIEW", "red-then-green");

#[test]
fn k23_red_once_then_green_is_one_fix_on_the_branch_that_was_reviewed() {
    let scene = Scene::new();
    let main = scene.git(&["rev-parse", "main"]);
    let before = scene.git(&["rev-parse", "feat/x"]);
    let report = scene.report(&["feat/x", "--fix"], &[THEN_GREEN], 0);
    assert_eq!((&report["status"], &report["fixes_attempted"]), (&json!("ok"), &json!(1)));
    assert_eq!(report["detail"], "clean (green) after 1 fix(es)");
    let verdicts: Vec<&Value> =
        report["iterations"].as_array().unwrap().iter().map(|one| &one["verdict"]).collect();
    assert_eq!(verdicts, [&json!("red"), &json!("green")]);
    let prompt = scene.logged("claude.fix.prompt").unwrap();
    assert!(
        prompt.contains("Wrong operator in add()") && prompt.contains("Token compared with =="),
        "{prompt}"
    );
    assert!(!prompt.contains("Existing helper available"), "{prompt}");
    // The branch went on by one commit of ours, and nothing else moved.
    let fix = scene.git(&["rev-parse", "feat/x"]);
    assert_eq!(scene.git(&["rev-parse", "feat/x~1"]), before);
    assert_eq!((&report["fixes"][0]["commit"], &report["branch"]), (&json!(fix), &json!("feat/x")));
    assert_eq!((&report["fixes"][0]["before"], &report["fixes"][0]["after"]), (&json!(2), &json!(0)));
    assert_eq!(scene.git(&["log", "-1", "--format=%an", "feat/x"]), "koru-tui");
    assert!(scene.git(&["show", "feat/x:app.py"]).ends_with("fixed"));
    assert_eq!(scene.git(&["rev-parse", "main"]), main);
    assert_eq!(scene.git(&["for-each-ref", "refs/heads/koru"]), "", "no branch of ours is left");
    assert_eq!(scene.git(&["worktree", "list"]).lines().count(), 1);
}

#[test]
fn k24_always_red_ends_at_max_loops() {
    let scene = Scene::new();
    let report = scene.report(&["feat/x", "--fix"], &[("FAKE_REVIEW", "red")], 2);
    assert_eq!((&report["status"], &report["fixes_attempted"]), (&json!("blocked"), &json!(3)));
    assert_eq!(report["iterations"].as_array().unwrap().len(), 4);
    assert!(report["detail"].as_str().unwrap().contains("after 3 fix(es)"), "{report}");
}

#[test]
fn k25_a_reviewer_that_could_not_review_starts_no_fix() {
    let scene = Scene::new();
    let report = scene.report(&["feat/x", "--fix"], &[("FAKE_REVIEW", "infra3")], 1);
    assert_eq!((&report["status"], &report["fixes_attempted"]), (&json!("fail"), &json!(0)));
    assert_eq!(scene.logged("claude.fix.prompt"), None);
}

#[test]
fn an_incomplete_red_is_no_finding_to_mend() {
    let scene = Scene::new();
    let report = scene.report(&["feat/x", "--fix"], &[("FAKE_REVIEW", "red-incomplete")], 2);
    assert_eq!(report["fixes_attempted"], 0);
    assert!(report["detail"].as_str().unwrap().contains("nothing was mended"), "{report}");
    assert_eq!(scene.logged("claude.fix.prompt"), None);
}

#[test]
fn a_fix_that_changes_nothing_ends_it() {
    let scene = Scene::new();
    let config = scene.project.read(".planfile/.koru/config.yaml");
    let lazy = config.lines().filter(|line| !line.contains("fixer: {kind")).collect::<Vec<_>>().join("\n");
    let lazy = format!("{lazy}\n  fixer: {{kind: custom, args: [echo, 'all is well']}}\n");
    scene.project.write(".planfile/.koru/config.yaml", &lazy);
    let before = scene.state();
    let report = scene.report(&["feat/x", "--fix"], &[("FAKE_REVIEW", "red")], 2);
    assert_eq!((&report["fixes_attempted"], &report["fixes"][0]["commit"]), (&json!(1), &Value::Null));
    assert!(report["detail"].as_str().unwrap().contains("fixer changed nothing"), "{report}");
    assert_eq!(scene.state(), before);
}

#[test]
fn a_fix_that_fails_ends_it() {
    let scene = Scene::new();
    let report = scene.report(&["feat/x", "--fix"], &[("FAKE_REVIEW", "red"), ("FAKE_RC", "3")], 1);
    assert_eq!(report["status"], "fail");
    assert!(report["detail"].as_str().unwrap().contains("the fix failed: fixer"), "{report}");
}

#[test]
fn a_branch_that_is_checked_out_is_not_moved() {
    let scene = Scene::new();
    scene.git(&["checkout", "-q", "feat/x"]);
    let before = scene.git(&["rev-parse", "feat/x"]);
    let report = scene.report(&["HEAD", "--fix"], &[THEN_GREEN], 0);
    let branch = report["branch"].as_str().unwrap();
    assert!(branch.starts_with("koru/fix-"), "{report}");
    assert!(
        report["detail"].as_str().unwrap().contains(&format!("git merge --ff-only {branch}")),
        "{report}"
    );
    assert_eq!(scene.git(&["rev-parse", "feat/x"]), before);
    assert_eq!(scene.git(&["rev-parse", &format!("{branch}~1")]), before);
    assert_eq!(scene.git(&["status", "--porcelain", "--untracked-files=no"]), "");
}

#[test]
fn where_a_fix_would_be_nowhere_none_is_made() {
    let scene = Scene::new();
    scene.project.write("app.py", "dirty\n");
    let ran = scene.review(&["--fix"], &[("FAKE_REVIEW", "red")]).expect(1);
    assert!(ran.err.contains("there is uncommitted work"), "{}", ran.err);
    scene.git(&["checkout", "-q", "-f", "--detach", "feat/x"]);
    let ran = scene.review(&["HEAD", "--fix"], &[("FAKE_REVIEW", "red")]).expect(1);
    assert!(ran.err.contains("is no branch"), "{}", ran.err);
}
