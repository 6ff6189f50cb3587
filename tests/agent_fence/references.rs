//! Commits, branches, tags, switches and pushes: through git, around the hooks, and by hand.

use super::scene::{Outcome, Scene, git};

/// Runs `script` with and without the kernel's fence; nothing but the ticket's branch may have moved for good, and that
/// one only where `check` says so.
fn stopped(script: &str, check: impl Fn(&Scene, &Outcome)) {
    for kernel in [true, false] {
        let scene = Scene::new(kernel);
        let (before, tip) = (scene.references(), scene.rev("koru/PLF-1"));
        let pushed = git(&scene.remote, &["for-each-ref"]);
        let outcome = scene.run(script);
        let context = format!("kernel {kernel}\n{script}\n{}\n{:#?}", outcome.said, outcome.settled);
        assert_eq!(scene.references(), before, "{context}");
        assert_eq!(scene.rev("koru/PLF-1"), tip, "{context}");
        assert_eq!(git(&scene.remote, &["for-each-ref"]), pushed, "{context}");
        let head = std::fs::read_to_string(scene.worktree.git_dir.join("HEAD")).unwrap();
        assert_eq!(head, "ref: refs/heads/koru/PLF-1\n", "{context}");
        check(&scene, &outcome);
    }
}

/// The hooks refuse, nothing has to be put back, and the message names the gate. Behind the kernel's fence git fails
/// before it asks a hook, where it has to make a lock file outside of the run's reach: then its trace names the gate.
fn refused(script: &str, gate: &str) {
    stopped(script, |scene, outcome| {
        let context = format!("{script}\n{}\n{:#?}", outcome.said, outcome.settled);
        assert_ne!(outcome.exit, 0, "{context}");
        assert_eq!(outcome.rules(), [], "{context}");
        let by_kernel = scene.kernel && gate != "allow_commit" && outcome.said.contains("Permission denied");
        assert!(by_kernel || outcome.said.contains(&format!("policy.{gate}=false")), "{context}");
        assert!(outcome.settled.refused.iter().any(|refusal| refusal.gate == gate), "{context}");
    });
}

#[test]
fn hooks_refuse_what_the_policy_forbids_and_name_the_gate() {
    refused("echo x >> src/a.txt; git commit -qam no", "allow_commit");
    refused("echo x >> src/a.txt; git commit -qam no --no-verify", "allow_commit");
    refused("git commit -q --allow-empty -m no --no-verify", "allow_commit");
    refused("git tag no", "allow_tag");
    refused("git tag -a -m no no", "allow_tag");
    refused("git tag -d v1", "allow_tag");
    refused("git branch no", "allow_branch_create");
    refused("git branch -D victim", "allow_branch_create");
    refused("git branch -f victim other", "allow_branch_create");
    refused("git switch -qc no", "allow_branch_create");
    refused("git update-ref refs/heads/no HEAD", "allow_branch_create");
    refused("git update-ref refs/heads/koru/PLF-1 other", "allow_commit");
    refused("git symbolic-ref HEAD refs/heads/other", "allow_branch_switch");
    refused("git checkout -q --detach", "allow_branch_switch");
}

#[test]
fn the_stash_is_shared_and_stays_closed_with_commits() {
    stopped("echo x >> src/a.txt; git stash", |scene, outcome| {
        assert_ne!(outcome.exit, 0, "{}", outcome.said);
        assert!(scene.kernel || outcome.said.contains("policy.allow_commit=false"), "{}", outcome.said);
        assert_eq!(isolation_changes(scene), ["src/a.txt"]);
    });
}

#[test]
fn pushing_goes_nowhere_with_and_without_the_hook() {
    for push in [
        "git push -q origin HEAD:no",
        "git push -q --no-verify origin HEAD:no",
        "git push \"$REMOTE\" HEAD:no",
    ] {
        stopped(push, |_, outcome| {
            assert_ne!(outcome.exit, 0, "{}", outcome.said);
            assert!(outcome.said.contains("policy.allow_push=false"), "{}", outcome.said);
        });
    }
    // A remote that the fence does not know: the hook is what refuses.
    refused(
        "git clone -q --bare . \"$TMPDIR\"/b; git push -q \"$TMPDIR\"/b HEAD:refs/heads/no",
        "allow_push",
    );
}

#[test]
fn a_refused_switch_leaves_the_files_of_the_ticket() {
    for switch in ["git switch -q other", "git checkout -q other", "git checkout -q --detach other"] {
        refused(&format!("echo mine > new.txt; {switch}"), "allow_branch_switch");
        stopped(&format!("echo mine > new.txt; {switch}"), |scene, _| {
            let path = |name: &str| std::fs::read_to_string(scene.worktree.path.join(name)).unwrap();
            assert_eq!((path("src/a.txt"), path("new.txt")), ("one\n".to_owned(), "mine\n".to_owned()));
        });
    }
}

/// Around the hooks: the kernel stops it, or it is found and put back with its evidence.
fn found(script: &str, rule: &str) {
    stopped(script, |scene, outcome| {
        let context = format!("kernel {}\n{script}\n{}\n{:#?}", scene.kernel, outcome.said, outcome.settled);
        if scene.kernel {
            assert!(outcome.rules().iter().all(|(_, undone)| *undone), "{context}");
        } else {
            assert_eq!(outcome.rules(), [(rule, true)], "{context}");
        }
    });
}

#[test]
fn what_goes_round_the_hooks_is_stopped_or_put_back() {
    let around = "-c core.hooksPath=/dev/null";
    found(&format!("git {around} branch no"), "allow_branch_create");
    found(&format!("git {around} branch -f victim other"), "allow_commit");
    found(&format!("git {around} tag no"), "allow_tag");
    found(&format!("git {around} tag -f v1 other"), "allow_tag");
    found(&format!("git {around} update-ref refs/heads/main other"), "allow_commit");
    found(&format!("git {around} update-ref refs/heads/deep/er/no HEAD"), "allow_branch_create");
    // By hand.
    found("rm \"$ROOT\"/.git/refs/heads/victim", "allow_branch_create");
    found("git rev-parse other > \"$ROOT\"/.git/refs/heads/victim", "allow_commit");
    found("git rev-parse other > \"$ROOT\"/.git/refs/heads/no", "allow_branch_create");
    found("echo broken > \"$ROOT\"/.git/refs/heads/victim", "allow_commit");
    found("echo broken > \"$ROOT\"/.git/refs/tags/v1", "allow_tag");
    found("ln -sf /etc/hostname \"$ROOT\"/.git/refs/heads/no", "allow_branch_create");
    found("echo 'ref: refs/heads/other' > \"$ROOT\"/.git/HEAD", "allow_branch_switch");
    // A branch of ours in the place of one of theirs.
    let script = "rm \"$ROOT\"/.git/refs/heads/victim; mkdir \"$ROOT\"/.git/refs/heads/victim && \
                  git rev-parse other > \"$ROOT\"/.git/refs/heads/victim/no";
    stopped(script, |scene, outcome| {
        let rules: &[(&str, bool)] = if scene.kernel { &[] } else { &[("allow_branch_create", true); 2] };
        assert_eq!(outcome.rules(), rules, "{:#?}", outcome.settled);
    });
}

#[test]
fn commits_past_the_hooks_are_undone_softly_and_their_work_is_kept() {
    let ways = [
        "git -c core.hooksPath=/dev/null commit -qam sneaky",
        "env -i PATH=\"$PATH\" git -c user.name=x -c user.email=x@y commit -qam sneaky",
        "env -i PATH=\"$PATH\" HOME=\"$HOME\" git commit -qam sneaky",
        "git add -A; t=$(git write-tree); c=$(git commit-tree -p HEAD -m sneaky $t); \
         git -c core.hooksPath=/dev/null update-ref HEAD $c",
        "git add -A; t=$(git write-tree); c=$(git commit-tree -p HEAD -m sneaky $t); \
         echo $c > \"$ROOT\"/.git/refs/heads/koru/PLF-1",
    ];
    for way in ways {
        stopped(&format!("echo two >> src/a.txt; {way}"), |scene, outcome| {
            let context = format!("kernel {}\n{way}\n{}\n{:#?}", scene.kernel, outcome.said, outcome.settled);
            if !scene.kernel {
                assert_eq!(outcome.rules(), [("allow_commit", true)], "{context}");
                assert!(outcome.settled.breaches[0].evidence.contains("sneaky"), "{context}");
            }
            assert_eq!(isolation_changes(scene), ["src/a.txt"], "{context}");
            // The runtime's own commit then has it.
            let commit = scene.commit_all().commit.unwrap();
            assert_eq!(scene.rev("koru/PLF-1"), commit);
            assert_eq!(git(&scene.root, &["show", &format!("{commit}:src/a.txt")]), "one\ntwo\n");
            assert_eq!(git(&scene.root, &["log", "--format=%s", "-2", &commit]), "PLF-1: work\none\n");
            assert_eq!(git(&scene.worktree.path, &["status", "--porcelain"]), "");
        });
    }
}

fn isolation_changes(scene: &Scene) -> Vec<String> {
    let changes = koru_tui::execute::isolation::changes(&scene.worktree).unwrap();
    changes.into_iter().map(|change| change.path).collect()
}

#[test]
fn references_to_smuggled_commits_are_found_without_a_trace_in_the_environment() {
    // A cleared environment leaves no name of the run anywhere, but the commit is one that only the run can have made.
    let bare = "env -i PATH=\"$PATH\" git -c user.name=x -c user.email=x@y";
    let script = format!("{bare} commit -q --allow-empty -m sneaky; {bare} tag no; {bare} branch no");
    stopped(&script, |scene, outcome| {
        if !scene.kernel {
            let rules = [("allow_commit", true), ("allow_branch_create", true), ("allow_tag", true)];
            assert_eq!(outcome.rules(), rules, "{}\n{:#?}", outcome.said, outcome.settled);
        }
    });
}

#[test]
fn the_worktrees_head_and_branch_come_back() {
    let around = "git -c core.hooksPath=/dev/null";
    let cases = [
        (format!("{around} checkout -q --detach"), "allow_branch_switch"),
        (format!("{around} symbolic-ref HEAD refs/heads/other"), "allow_branch_switch"),
        ("rm $(git rev-parse --git-dir)/HEAD".to_owned(), "allow_branch_switch"),
        ("echo zzz > $(git rev-parse --git-dir)/HEAD".to_owned(), "allow_branch_switch"),
    ];
    for (script, rule) in cases {
        stopped(&script, |_, outcome| {
            assert_eq!(outcome.rules(), [(rule, true)], "{script}\n{}\n{:#?}", outcome.said, outcome.settled);
        });
    }
    for script in
        ["rm \"$ROOT\"/.git/refs/heads/koru/PLF-1", "echo zzz > \"$ROOT\"/.git/refs/heads/koru/PLF-1"]
    {
        stopped(script, |_, outcome| {
            assert_eq!(outcome.rules().len(), 1, "{script}\n{:#?}", outcome.settled);
        });
    }
}

#[test]
fn what_the_operator_does_meanwhile_stays() {
    for kernel in [true, false] {
        let scene = Scene::new(kernel);
        let outcome = scene.run_with("echo two >> src/a.txt; git -c core.hooksPath=/dev/null tag no", || {
            std::fs::write(scene.root.join("mine"), "x").unwrap();
            git(&scene.root, &["add", "mine"]);
            git(&scene.root, &["commit", "-qm", "the operator's"]);
            git(&scene.root, &["tag", "v2"]);
            git(&scene.root, &["branch", "-q", "feature"]);
            git(&scene.root, &["branch", "-qD", "victim"]);
            git(&scene.root, &["push", "-q", "origin", "main"]);
            git(&scene.root, &["switch", "-q", "feature"]);
        });
        let context = format!("kernel {kernel}\n{}\n{:#?}", outcome.said, outcome.settled);
        assert_eq!(git(&scene.root, &["log", "-1", "--format=%s", "main"]), "the operator's\n", "{context}");
        let names = git(&scene.root, &["for-each-ref", "--format=%(refname:short)"]);
        let names: Vec<&str> = names.lines().collect();
        let want = ["feature", "koru/PLF-1", "main", "other", "origin/main", "v1", "v2"];
        assert_eq!(names, want, "{context}");
        assert_eq!(git(&scene.root, &["symbolic-ref", "--short", "HEAD"]), "feature\n", "{context}");
        let rules: &[(&str, bool)] = if kernel { &[] } else { &[("allow_tag", true)] };
        assert_eq!(outcome.rules(), rules, "{context}");
        assert_eq!(outcome.settled.meanwhile.len(), 5, "{context}");
    }
}

#[test]
fn a_branch_that_the_operator_moved_on_after_the_run_is_not_taken_back() {
    let scene = Scene::new(false);
    let outcome =
        scene.run_with("git -c core.hooksPath=/dev/null update-ref refs/heads/victim other", || {
            let on = git(&scene.root, &["commit-tree", "-p", "other", "-m", "moved on", "other^{tree}"]);
            git(&scene.root, &["update-ref", "refs/heads/victim", on.trim()]);
        });
    assert_eq!(outcome.rules(), [("allow_commit", false)], "{:#?}", outcome.settled);
    assert_eq!(git(&scene.root, &["log", "-1", "--format=%s", "victim"]), "moved on\n");
}

#[test]
fn open_gates_let_through_what_they_are_for() {
    for kernel in [true, false] {
        let scene = Scene::allowing(kernel, |policy| {
            policy.allow_commit = true;
            policy.allow_tag = true;
            policy.allow_branch_create = true;
            policy.allow_push = true;
        });
        let mut scene = scene;
        scene.writable = vec![scene.remote.clone()];
        let outcome = scene.run(
            "set -e; echo two >> src/a.txt; git commit -qam theirs; git tag made; git branch made; \
             git push -q origin HEAD:made",
        );
        let context = format!("kernel {kernel}\n{}\n{:#?}", outcome.said, outcome.settled);
        assert_eq!((outcome.exit, outcome.rules()), (0, vec![]), "{context}");
        std::fs::write(scene.worktree.path.join("rest"), "x").unwrap();
        let commit = scene.commit_all().commit.unwrap();
        assert_eq!(git(&scene.root, &["log", "--format=%s", "-3", &commit]), "PLF-1: work\ntheirs\none\n");
        assert_eq!(scene.rev("made"), scene.rev(&format!("{commit}~1")));
        assert!(git(&scene.remote, &["for-each-ref"]).contains("refs/heads/made"), "{context}");
        // What was there before stays out of reach; the kernel does not let git even ask.
        let outcome = scene.run("git branch -D victim");
        assert!(kernel || outcome.said.contains("was there before this run"), "{}", outcome.said);
        assert_eq!(scene.rev("victim"), scene.rev("main"));
    }
}
