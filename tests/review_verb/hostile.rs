//! Repositories in every state that a person can get them into: each is reviewed, or refused by name, and none is changed.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use serde_json::{Value, json};

use super::agents::{approve, judged_by};
use super::{Scene, fixtures};

/// Reviews with a reviewer that approves; the report, and everything said on standard error.
fn approved(scene: &Scene, args: &[&str]) -> (Value, String) {
    let ran = scene.review(&[args, &["--json"]].concat(), &[]).expect(0);
    (ran.json(), ran.err)
}

#[test]
fn a_detached_head_is_reviewed_and_a_fix_of_it_refused() {
    let scene = Scene::new();
    scene.git(&["checkout", "-q", "--detach", "feat/x"]);
    let before = scene.state();
    for args in [&[][..], &["HEAD"]] {
        let (report, _) = approved(&scene, args);
        assert_eq!((&report["target"], &report["verdict"]), (&json!("HEAD"), &json!("green")));
        assert_eq!(report["head"], json!(scene.git(&["rev-parse", "feat/x"])));
    }
    let ran = scene.review(&["HEAD", "--fix"], &[("FAKE_REVIEW", "red")]).expect(1);
    assert!(ran.err.contains("is no branch, so fixes would be nowhere"), "{}", ran.err);
    assert_eq!(scene.state(), before);
}

#[test]
fn an_unborn_branch_beside_others_is_named_and_the_others_are_reviewed() {
    let scene = Scene::new();
    scene.git(&["checkout", "-q", "--orphan", "fresh"]);
    assert!(scene.review(&[], &[]).expect(1).err.contains("no commit yet"));
    assert_eq!(approved(&scene, &["feat/x"]).0["verdict"], "green");
}

#[test]
fn whatever_is_in_progress_is_named() {
    let scene = Scene::new();
    let git = scene.project.path().join(".git");
    let head = scene.git(&["rev-parse", "feat/x"]);
    let files =
        [("MERGE_HEAD", "a merge"), ("CHERRY_PICK_HEAD", "a cherry-pick"), ("REVERT_HEAD", "a revert")];
    for (file, said) in files {
        std::fs::write(git.join(file), format!("{head}\n")).unwrap();
        let ran = scene.review(&[], &[]).expect(1);
        assert!(ran.err.contains(&format!("{said} is in progress; finish or abort it")), "{}", ran.err);
        // What is named has nothing to do with it.
        assert_eq!(approved(&scene, &["feat/x"]).0["verdict"], "green");
        std::fs::remove_file(git.join(file)).unwrap();
    }
    for (folder, said) in [("rebase-merge", "a rebase"), ("rebase-apply", "a git am")] {
        std::fs::create_dir(git.join(folder)).unwrap();
        let ran = scene.review(&[], &[]).expect(1);
        assert!(ran.err.contains(&format!("{said} is in progress")), "{folder}: {}", ran.err);
        std::fs::remove_dir(git.join(folder)).unwrap();
    }
}

#[test]
fn conflicts_that_no_merge_tells_of_are_named() {
    let scene = Scene::new();
    scene.project.write("app.py", "def add(a, b):\n    return b\n");
    scene.git(&["stash", "-q"]);
    scene.git(&["checkout", "-q", "feat/x"]);
    // The stash cannot be applied cleanly; git reports that with an exit code.
    let popped = std::process::Command::new("git")
        .args(["stash", "pop"])
        .current_dir(scene.project.path())
        .output()
        .unwrap();
    assert!(!popped.status.success());
    let ran = scene.review(&[], &[]).expect(1);
    assert!(ran.err.contains("\"app.py\" has conflicts; settle them"), "{}", ran.err);
    assert!(scene.project.read("app.py").contains("<<<<<<<"));
}

#[test]
fn a_name_that_means_two_commits_is_refused() {
    let scene = Scene::new();
    scene.git(&["tag", "feat/x", "main"]);
    let ran = scene.review(&["feat/x"], &[]).expect(1);
    assert!(ran.err.contains("is a branch and a tag, and they differ; say heads/feat/x"), "{}", ran.err);
    let (report, _) = approved(&scene, &["heads/feat/x"]);
    assert_eq!(report["head"], json!(scene.git(&["rev-parse", "refs/heads/feat/x"])));
    scene.git(&["tag", "-f", "feat/x", "refs/heads/feat/x"]);
    approved(&scene, &["feat/x"]);
}

#[test]
fn a_branch_that_only_the_remote_has_is_named_as_git_knows_it() {
    let scene = Scene::new();
    scene.git(&["update-ref", "refs/remotes/origin/feat/y", "feat/x"]);
    let (report, _) = approved(&scene, &["feat/y"]);
    assert_eq!(report["target"], "feat/y");
    assert!(scene.logged("reviewer.argv").unwrap().contains("argv[3]=origin/feat/y\n"));
}

#[test]
fn paths_and_contents_that_are_no_utf8_are_reviewed_like_others() {
    let scene = judged_by(&approve("feat/x"));
    scene.git(&["checkout", "-q", "feat/x"]);
    let name = OsStr::from_bytes(b"caf\xe9 -\n\x1b[31m.txt");
    std::fs::write(scene.project.path().join(name), b"\xff\xfe\x00 latin \xe9\n").unwrap();
    std::fs::write(scene.project.path().join("-rf"), "not an option\n").unwrap();
    scene.git(&["add", "-A", "--", ".", ":!.planfile"]);
    scene.git(&["commit", "-q", "-m", "Odd names"]);
    scene.git(&["checkout", "-q", "main"]);
    let before = scene.state();
    let (report, err) = approved(&scene, &["feat/x"]);
    assert_eq!(report["verdict"], "green");
    assert!(!err.contains('\u{1b}'), "{err:?}");
    assert_eq!(scene.state(), before);
    // One that the reviewer changes is seen, and named without harm to a terminal.
    let scene = judged_by(&format!("for f in caf*; do echo x >> \"$f\"; done\n{}", approve("HEAD")));
    std::fs::write(scene.project.path().join(name), b"\xff").unwrap();
    let ran = scene.review(&["--json"], &[]).expect(1);
    let detail = ran.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("changed the work") && detail.contains("caf\u{fffd}"), "{detail:?}");
    let shown = scene.review(&[], &[]).expect(1).all();
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
}

#[test]
fn submodules_are_judged_by_their_commit_and_never_looked_into() {
    let scene = judged_by(&approve("feat/x"));
    let commit = scene.git(&["rev-parse", "main"]);
    scene.git(&["checkout", "-q", "feat/x"]);
    scene.project.write(".gitmodules", "[submodule \"dep\"]\n\tpath = vendor/dep\n\turl = ./nowhere\n");
    scene.git(&["add", ".gitmodules"]);
    scene.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},vendor/dep")]);
    scene.git(&["commit", "-q", "-m", "Depend"]);
    let (report, _) = approved(&scene, &["feat/x"]);
    assert_eq!((&report["verdict"], &report["detail"]), (&json!("green"), &json!("green: 0 finding(s)")));
    // In the working tree it is a repository of its own, with work in it that is not this project's.
    let module = scene.project.path().join("vendor/dep");
    git2::Repository::init(&module).unwrap();
    std::fs::write(module.join("inner.txt"), "inner\n").unwrap();
    scene.project.write("app.py", "changed\n");
    let scene_head = scene.git(&["rev-parse", "HEAD"]);
    let config = scene.project.read(".planfile/.koru/config.yaml");
    let script = config.split('\'').nth(1).unwrap().to_owned();
    std::fs::write(&script, std::fs::read_to_string(&script).unwrap().replace("\"feat/x", "\"HEAD")).unwrap();
    let ran = scene.review(&["--json"], &[]);
    let told = "what changed within the submodule vendor/dep is not reviewed: its recorded commit counts";
    assert!(ran.err.contains(told), "{}\n{}", ran.out, ran.err);
    let head = ran.json()["head"].as_str().unwrap().to_owned();
    assert_eq!(scene.git(&["diff", "--name-only", &scene_head, &head]), "app.py");
    assert_eq!(scene.git(&["rev-parse", &format!("{head}:vendor/dep")]), commit);
}

#[test]
fn the_working_tree_is_taken_as_it_is_and_what_is_left_out_is_said() {
    let scene = Scene::new();
    scene.project.write("ignored.log", "noise\n");
    scene.project.write(".gitignore", "*.log\n");
    std::fs::remove_file(scene.project.path().join("app.py")).unwrap();
    let data = std::fs::File::create(scene.project.path().join("data.bin")).unwrap();
    data.set_len(33 * 1024 * 1024).unwrap();
    std::os::unix::fs::symlink("/nowhere", scene.project.path().join("link")).unwrap();
    let (before, index) = (scene.state(), std::fs::read(scene.project.path().join(".git/index")).unwrap());
    let (report, err) = approved(&scene, &[]);
    let head = report["head"].as_str().unwrap();
    let names = scene.git(&["diff", "--name-status", "main", head]);
    assert_eq!(names, "A\t.gitignore\nD\tapp.py\nA\tlink");
    assert!(err.contains("data.bin is not reviewed: it is untracked and larger than 32 MiB"), "{err}");
    assert_eq!(scene.state(), before);
    assert_eq!(std::fs::read(scene.project.path().join(".git/index")).unwrap(), index);
}

#[test]
fn a_bare_repository_is_named() {
    let scene = Scene::new();
    scene.git(&["config", "core.bare", "true"]);
    let ran = scene.review(&["feat/x"], &[]).expect(1);
    assert!(ran.err.contains("is a bare repository"), "{}", ran.err);
}

/// A reviewing program that does `script` with `$out` as the place of its report.
pub(crate) fn program(script: &str) -> Scene {
    let scene = Scene::with("review: {command: [sh, SCRIPT]}\nenvironment: ['FAKE_*']\n");
    let path = scene.project.around().join("program.sh");
    let find = "while [ $# -gt 0 ]; do case $1 in --out) out=$2 ;; esac; shift; done\n";
    std::fs::write(&path, format!("{find}{script}\n")).unwrap();
    let config = scene.project.read(".planfile/.koru/config.yaml");
    scene
        .project
        .write(".planfile/.koru/config.yaml", &config.replace("SCRIPT", &format!("'{}'", path.display())));
    scene
}

#[test]
fn a_report_that_is_no_plain_file_of_json_is_none() {
    let green = fixtures().join("envelopes/green.json");
    let cases = [
        format!("ln -s '{}' \"$out\"", green.display()),
        "mkfifo \"$out\"".to_owned(),
        "mkdir \"$out\"".to_owned(),
        "dd if=/dev/zero of=\"$out\" bs=1 count=0 seek=17M 2>/dev/null".to_owned(),
        "printf '{\"verdict\": \"gre' > \"$out\"".to_owned(),
        "printf '[\"green\"]' > \"$out\"".to_owned(),
        "printf '{\"verdict\": true}' > \"$out\"".to_owned(),
        "printf '\\377\\376{}' > \"$out\"".to_owned(),
        format!("(cat '{}'; echo trailing) > \"$out\"", green.display()),
    ];
    for script in cases {
        let report = program(&script).report(&["feat/x"], &[], 1);
        let detail = report["detail"].as_str().unwrap();
        assert!(
            detail.starts_with("reviewer could not complete (exit 0): it gave no report"),
            "{script}: {detail}"
        );
        assert_eq!(report["verdict"], Value::Null, "{script}");
    }
}

#[test]
fn a_report_in_crlf_or_on_standard_output_counts() {
    let green = fixtures().join("envelopes/yellow.json");
    for script in [
        format!("sed 's/$/\\r/' '{}' > \"$out\"", green.display()),
        format!("(printf '\\357\\273\\277'; cat '{}') > \"$out\"", green.display()),
        format!("cat '{}'; : > \"$out\"", green.display()),
    ] {
        let report = program(&script).report(&["feat/x"], &[], 0);
        assert_eq!(
            (&report["verdict"], &report["summary"]["total"]),
            (&json!("yellow"), &json!(2)),
            "{script}"
        );
    }
}
