//! `review --fix`: K23 to K25, and what kagura did not see.

use koru_tui::base::paths::ProjectPaths;
use koru_tui::base::process::ProcessIdentity;
use koru_tui::execute::folder::{FORMAT, RecordState, RunFolder, RunRecord};
use koru_tui::execute::isolation::{self, Identity};
use koru_tui::plan::policy::Policy;
use koru_tui::plan::ticket::TicketId;
use serde_json::{Value, json};

use super::Scene;

/// A worker that always changes something.
const ADDS: &str = "echo x >> app.py; echo done";

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
    let note = report["notes"][0].as_str().unwrap();
    assert!(note.contains(&format!("`git merge {branch}` brings them")), "{report}");
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

/// The scripted reviewer and a worker that does `script`, under this policy and bound.
fn mended_by(script: &str, policy: &str, max_loops: u32) -> Scene {
    let scene = Scene::new();
    let path = scene.project.around().join("worker.sh");
    std::fs::write(&path, script).unwrap();
    let config = scene.project.read(".planfile/.koru/config.yaml");
    let kept = config.lines().filter(|line| !line.contains("fixer: {kind")).collect::<Vec<_>>().join("\n");
    let kept = kept.replace("review: {command", &format!("review: {{max_loops: {max_loops}, command"));
    let worker = format!("  fixer: {{kind: custom, args: [sh, '{}']}}\n", path.display());
    scene.project.write(".planfile/.koru/config.yaml", &format!("{kept}\n{worker}"));
    scene.project.write(".planfile/.koru/policy.yaml", policy);
    scene
}

#[test]
fn max_loops_of_none_is_a_review_alone() {
    let scene = mended_by(ADDS, "llm: {}\n", 0);
    let report = scene.report(&["feat/x", "--fix"], &[("FAKE_REVIEW", "red")], 2);
    assert_eq!((&report["fixes_attempted"], report["iterations"].as_array().unwrap().len()), (&json!(0), 1));
    let report = scene.report(&["feat/x", "--fix"], &[("FAKE_REVIEW", "green")], 0);
    assert_eq!(report["detail"], "green: 0 finding(s)");
}

#[test]
fn max_loops_bounds_the_fixes() {
    let scene = mended_by(ADDS, "llm: {}\n", 1);
    let report = scene.report(&["feat/x", "--fix"], &[("FAKE_REVIEW", "red")], 2);
    assert_eq!((&report["fixes_attempted"], report["iterations"].as_array().unwrap().len()), (&json!(1), 2));
}

#[test]
fn a_commit_with_nothing_in_it_is_no_fix() {
    let script =
        "git -c user.name=w -c user.email=w@localhost commit -q --allow-empty -m 'All mended' && echo done";
    let scene = mended_by(script, "llm: {allow_commit: true}\n", 3);
    let before = scene.state();
    let report = scene.report(&["feat/x", "--fix"], &[("FAKE_REVIEW", "red")], 2);
    assert_eq!(
        (&report["fixes_attempted"], &report["fixes"][0]["commit"]),
        (&json!(1), &Value::Null),
        "{report}"
    );
    assert!(report["detail"].as_str().unwrap().contains("fixer changed nothing"), "{report}");
    assert_eq!(scene.state(), before);
}

#[test]
fn a_fix_that_brings_back_what_was_judged_ends_it() {
    let scene = mended_by("if [ -e new ]; then rm new; else echo x > new; fi; echo done", "llm: {}\n", 9);
    let report = scene.report(&["feat/x", "--fix"], &[("FAKE_REVIEW", "red")], 2);
    assert_eq!(report["fixes_attempted"], 2, "{report}");
    assert!(report["detail"].as_str().unwrap().contains("brought back what review 1 had judged"), "{report}");
}

#[test]
fn a_fix_that_breaks_the_policy_ends_it_and_is_not_kept() {
    let policy = "llm: {}\nforbidden_paths: [secrets/**]\n";
    let scene = mended_by("mkdir secrets && echo x > secrets/key; echo x >> app.py; echo done", policy, 3);
    let before = scene.git(&["rev-parse", "feat/x", "main"]);
    let report = scene.report(&["feat/x", "--fix"], &[("FAKE_REVIEW", "red")], 1);
    let detail = report["detail"].as_str().unwrap();
    assert!(detail.contains("the fix broke the policy"), "{report}");
    assert_eq!((&report["fixes_attempted"], &report["branch"]), (&json!(1), &Value::Null));
    assert_eq!(scene.git(&["rev-parse", "feat/x", "main"]), before);
    // What it did stays where it was done, for whoever wants to look.
    let place = report["notes"][0].as_str().unwrap().strip_prefix("what was not committed is in ").unwrap();
    assert!(std::path::Path::new(place).join("secrets/key").exists(), "{report}");
}

#[test]
fn a_branch_that_moves_while_it_is_mended_loses_no_fix() {
    let script = format!("{ADDS}; echo x > \"$FAKE_LOG/began\"; cat \"$FAKE_LOG/go on\"");
    let scene = mended_by(&script, "llm: {}\n", 3);
    let (began, go_on) = (scene.log().join("began"), scene.log().join("go on"));
    nix::unistd::mkfifo(&go_on, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let report = std::thread::scope(|scope| {
        scope.spawn(|| {
            crate::support::wait::text_in(&began);
            scene.git(&["update-ref", "refs/heads/feat/x", "main"]);
            std::fs::write(&go_on, "now\n").unwrap();
        });
        scene.report(&["feat/x", "--fix"], &[("FAKE_REVIEW", "red")], 1)
    });
    let branch = report["branch"].as_str().unwrap();
    assert!(branch.starts_with("koru/fix-"), "{report}");
    assert!(scene.git(&["show", &format!("{branch}:app.py")]).ends_with('x'), "{report}");
    assert_eq!(scene.git(&["rev-parse", "feat/x"]), scene.git(&["rev-parse", "main"]));
}

#[test]
fn no_second_fix_goes_where_another_run_works_by_then() {
    let script = format!("{ADDS}; echo x > \"$FAKE_LOG/began\"; cat \"$FAKE_LOG/go on\"");
    let scene = mended_by(&script, "llm: {}\n", 3);
    let id = TicketId::new("PLF-001");
    let (worktree, _) = isolation::prepare(scene.project.path(), &id, None).unwrap();
    std::fs::write(worktree.path.join("app.py"), "one\n").unwrap();
    isolation::commit_all(&worktree, "Work", &Identity::default(), &Policy::default()).unwrap();
    let (began, go_on) = (scene.log().join("began"), scene.log().join("go on"));
    nix::unistd::mkfifo(&go_on, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let report = std::thread::scope(|scope| {
        scope.spawn(|| {
            crate::support::wait::text_in(&began);
            working(&scene, &id);
            std::fs::write(&go_on, "now\n").unwrap();
        });
        scene.report(&["PLF-001", "--fix"], &[("FAKE_REVIEW", "red")], 1)
    });
    let said = report["detail"].as_str().unwrap();
    assert!(
        said.starts_with("fixing failed: the run PLF-001-") && said.ends_with("works on PLF-001 now"),
        "{report}"
    );
    let fixes: Vec<&Value> = report["fixes"].as_array().unwrap().iter().map(|fix| &fix["commit"]).collect();
    assert_eq!(fixes, [&json!(scene.git(&["rev-parse", &worktree.branch]))], "the first fix alone stands");
}

/// A run of the ticket that this process says it works.
fn working(scene: &Scene, id: &TicketId) {
    let started_at = jiff::Timestamp::now();
    let runs = ProjectPaths::new(scene.project.path()).runs();
    let folder = RunFolder::create(&runs, id, started_at).unwrap();
    let record = RunRecord {
        format: FORMAT,
        run: folder.name().to_owned(),
        ticket: id.clone(),
        executor: "agent".to_owned(),
        label: "work".to_owned(),
        holder: "me".to_owned(),
        supervisor: ProcessIdentity::own(),
        child: None,
        started_at,
        state: RecordState::Running,
        ended_at: None,
        exit_code: None,
        message: None,
        agent: None,
        spent: None,
    };
    folder.write_record(&record).unwrap();
}

#[test]
fn a_ticket_is_mended_in_its_own_worktree_unless_work_stands_there() {
    let scene = Scene::new();
    let (worktree, _) = isolation::prepare(scene.project.path(), &TicketId::new("PLF-001"), None).unwrap();
    std::fs::write(worktree.path.join("app.py"), "one\n").unwrap();
    isolation::commit_all(&worktree, "Work", &Identity::default(), &Policy::default()).unwrap();
    std::fs::write(worktree.path.join("half.py"), "half\n").unwrap();
    let report = scene.report(&["PLF-001", "--fix"], &[("FAKE_REVIEW", "red")], 1);
    let said = "a run left work on PLF-001 that is not committed (half.py)";
    assert!(report["detail"].as_str().unwrap().contains(said), "{report}");
    assert!(worktree.path.join("half.py").exists());
    std::fs::remove_file(worktree.path.join("half.py")).unwrap();
    let report = scene.report(&["PLF-001", "--fix"], &[THEN_GREEN], 0);
    assert_eq!((&report["branch"], &report["fixes_attempted"]), (&json!(worktree.branch), &json!(1)));
    assert!(scene.git(&["show", &format!("{}:app.py", worktree.branch)]).ends_with("fixed"));
}
