//! Numbers of pull requests: `gh` as it answers, as it refuses, and where it is not installed.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Scene, fixtures};

/// A PATH with `folder` before all others.
fn path_with(folder: &Path) -> String {
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

/// A PATH on which `gh` is this script.
fn gh(scene: &Scene, script: &str) -> String {
    let folder = scene.project.around().join("bin");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("gh"), format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(folder.join("gh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    path_with(&folder)
}

/// A PATH with what the scripted reviewer calls and nothing else.
fn no_gh(scene: &Scene) -> String {
    let folder = scene.project.around().join("few");
    std::fs::create_dir(&folder).unwrap();
    for name in ["sh", "cp", "cat", "mkdir"] {
        let places = ["/usr/bin", "/bin"].map(|place| PathBuf::from(place).join(name));
        symlink(places.iter().find(|place| place.exists()).unwrap(), folder.join(name)).unwrap();
    }
    folder.display().to_string()
}

#[test]
fn k22_a_number_is_a_pull_request_or_else_a_reference() {
    let scene = Scene::new();
    scene.git(&["branch", "feat/from-pr-42", "feat/x"]);
    scene.git(&["branch", "42", "feat/x"]);
    let path = path_with(&fixtures().join("fakes"));
    let report = scene.report(&["42"], &[("PATH", &path)], 0);
    assert_eq!(report["target"], "feat/from-pr-42");
    assert!(scene.logged("reviewer.argv").unwrap().contains("argv[3]=feat/from-pr-42\n"));
    let report = scene.report(&["42"], &[("PATH", &gh(&scene, "exit 1"))], 0);
    assert_eq!(report["target"], "42");
    assert!(scene.logged("reviewer.argv").unwrap().contains("argv[3]=42\n"));
}

#[test]
fn gh_is_asked_in_these_words_and_once_more_for_checks() {
    let scene = Scene::new();
    let log = scene.log().join("gh");
    let path = gh(&scene, &format!("printf '%s\\n' \"$@\" >> '{}'; echo feat/x", log.display()));
    scene.report(&["7"], &[("PATH", &path)], 0);
    let fields = "headRefName,headRefOid,baseRefName";
    let query = ".headRefName, .headRefOid, .baseRefName";
    let asked = scene.logged("gh").unwrap();
    let asked: Vec<_> = asked.lines().collect();
    assert_eq!(asked[..7], ["pr", "view", "7", "--json", fields, "-q", query]);
    assert_eq!(asked[7..13], ["pr", "view", "7", "--json", "statusCheckRollup", "-q"]);
    assert_eq!(asked.len(), 14);
}

#[test]
fn checks_that_failed_on_the_host_are_told_beside_the_verdict() {
    let scene = Scene::new();
    let path = gh(
        &scene,
        "case \"$*\" in *statusCheckRollup*) printf 'ci / test\\nlint\\n' ;; *) echo feat/x ;; esac",
    );
    let report = scene.report(&["7"], &[("PATH", &path)], 0);
    assert_eq!(report["failed_checks"], serde_json::json!(["ci / test", "lint"]));
    let ran = scene.review(&["7"], &[("PATH", &path)]).expect(0);
    assert!(ran.err.contains("checks that failed on pull request 7: ci / test, lint"), "{}", ran.err);
    // Whoever may not read them reviews all the same.
    let path = gh(
        &scene,
        "case \"$*\" in *statusCheckRollup*) echo 'no access' >&2; exit 1 ;; *) echo feat/x ;; esac",
    );
    let ran = scene.review(&["7"], &[("PATH", &path)]).expect(0);
    assert!(
        ran.err.contains("the checks of pull request 7 are not known: gh says: no access"),
        "{}",
        ran.err
    );
    assert_eq!(scene.report(&["7"], &[("PATH", &path)], 0)["failed_checks"], serde_json::json!([]));
}

#[test]
fn where_gh_is_not_installed_a_number_that_is_no_reference_says_so() {
    let scene = Scene::new();
    let path = no_gh(&scene);
    let ran = scene.review(&["42"], &[("PATH", &path)]).expect(1);
    let said = "42 is no ticket, branch or commit here, nor known as a pull request: gh is not installed";
    assert!(ran.err.contains(said) && ran.out.is_empty(), "{}", ran.err);
    assert_eq!(scene.logged("reviewer.argv"), None);
    // A reference of that name needs no host.
    scene.git(&["branch", "42", "feat/x"]);
    assert_eq!(scene.report(&["42"], &[("PATH", &path)], 0)["target"], "42");
}

#[test]
fn what_gh_refuses_is_told_in_its_words() {
    let scene = Scene::new();
    let cases = [
        (
            "echo 'no pull requests found' >&2; exit 1",
            "gh says: no pull requests found; see `gh auth status`",
        ),
        ("exit 4", "gh says: nothing"),
        ("true", "gh named no branch"),
        ("echo null", "gh named no branch"),
    ];
    for (script, said) in cases {
        let ran = scene.review(&["42"], &[("PATH", &gh(&scene, script))]).expect(1);
        assert!(ran.err.contains(said), "{script}: {}", ran.err);
    }
    assert_eq!(scene.logged("reviewer.argv"), None);
}

#[test]
fn what_gh_says_is_a_name_and_no_option() {
    let scene = Scene::new();
    for script in
        ["echo --upload-pack=x", "printf -- '--upload-pack=x\\n%s\\nmain\\n' \"$(git rev-parse main)\""]
    {
        let ran = scene.review(&["42"], &[("PATH", &gh(&scene, script))]).expect(1);
        assert!(ran.err.contains("is no name of a branch"), "{}", ran.err);
    }
    // Nor may the branch that it goes into be one: the base branch of this repository is taken.
    let head = scene.git(&["rev-parse", "feat/x"]);
    let path = gh(&scene, &format!("printf 'feat/x\\n{head}\\n--output=x\\n'"));
    assert_eq!(scene.report(&["42"], &[("PATH", &path)], 0)["base"], "main");
}

#[test]
fn the_newest_commit_of_the_host_is_judged_not_a_branch_of_that_name_here() {
    let scene = Scene::new();
    // A fork calls its branch `main`; ours of that name has nothing to review.
    let head = scene.git(&["rev-parse", "feat/x"]);
    let path = gh(&scene, &format!("printf 'main\\n{head}\\nmain\\n'"));
    let report = scene.report(&["42"], &[("PATH", &path), ("FAKE_REVIEW", "red")], 2);
    assert_eq!((&report["target"], &report["head"]), (&json!("main"), &json!(head)));
    assert!(scene.logged("reviewer.argv").unwrap().contains(&format!("argv[3]={head}\n")));
    let ran = scene.review(&["42"], &[("PATH", &path)]).expect(0);
    assert!(
        ran.err.contains("the branch main here is not at the newest commit of pull request 42"),
        "{}",
        ran.err
    );
    // A fix of it would be nowhere.
    let ran = scene.review(&["42", "--fix"], &[("PATH", &path), ("FAKE_REVIEW", "red")]).expect(1);
    assert!(ran.err.contains("is no branch"), "{}", ran.err);
}

#[test]
fn a_pull_request_is_compared_with_what_it_goes_into() {
    let scene = Scene::new();
    let (main, head) = (scene.git(&["rev-parse", "main"]), scene.git(&["rev-parse", "feat/x"]));
    scene.git(&["branch", "release", "main~1"]);
    scene.git(&["update-ref", "refs/remotes/origin/next", &main]);
    let base = |into: &str| {
        let path = gh(&scene, &format!("printf 'feat/x\\n{head}\\n{into}\\n'"));
        let report = scene.report(&["42"], &[("PATH", &path)], 0);
        (report["base"].as_str().unwrap().to_owned(), report["base_commit"].clone())
    };
    assert_eq!(base("next"), ("origin/next".to_owned(), json!(main)));
    assert_eq!(base("release"), ("release".to_owned(), json!(scene.git(&["rev-parse", "main~1"]))));
    assert_eq!(base("gone"), ("main".to_owned(), json!(main)));
}

#[test]
fn a_commit_that_is_not_here_is_named_with_what_brings_it() {
    let scene = Scene::new();
    let elsewhere = "1234567890123456789012345678901234567890";
    for head in [elsewhere, "HEAD", "zz"] {
        let path = gh(&scene, &format!("printf 'feat/x\\n{head}\\nmain\\n'"));
        let ran = scene.review(&["42"], &[("PATH", &path)]).expect(1);
        assert!(ran.err.contains("git fetch origin pull/42/head"), "{head}: {}", ran.err);
    }
    assert_eq!(scene.logged("reviewer.argv"), None);
}
