//! Files: outside of the worktree, in the planfile, through links, in git's own folders.

use super::scene::{Scene, write_script};

#[test]
fn the_kernel_keeps_writes_inside() {
    let scene = Scene::new(true);
    let outside = scene.keep.path().canonicalize().unwrap().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("file"), "as it was").unwrap();
    std::os::unix::fs::symlink(&outside, scene.worktree.path.join("link")).unwrap();
    let pid = std::process::id();
    let attempts = [
        format!("echo x > {0}/new", outside.display()),
        format!("echo x >> {0}/file", outside.display()),
        format!(": > {0}/file", outside.display()),
        format!("rm {0}/file", outside.display()),
        format!("mv {0}/file .", outside.display()),
        format!("ln {0}/file hard", outside.display()),
        format!("mkdir {0}/folder", outside.display()),
        "echo x > link/new".to_owned(),
        "echo x > \"$ROOT\"/src/a.txt".to_owned(),
        "echo x > \"$ROOT\"/.planfile/config.yaml".to_owned(),
        "echo x > \"$ROOT\"/.planfile/.koru/policy.yaml".to_owned(),
        "echo x > \"$ROOT\"/.git/config".to_owned(),
        "echo x > \"$ROOT\"/.git/hooks/post-checkout".to_owned(),
        "echo x > \"$ROOT\"/.git/packed-refs".to_owned(),
        "echo x > \"$ROOT\"/.git/objects/pack/x".to_owned(),
        "echo x > \"$ROOT\"/.git/objects/info/alternates".to_owned(),
        "git config core.pager evil".to_owned(),
        "echo x > \"$HOME\"/.profile".to_owned(),
        // A shell of its own, and a process that outlives it, are inside too.
        format!("sh -c 'setsid sh -c \"echo x > {0}/new\"'", outside.display()),
        // A hook script of the run cannot be rewritten by the run.
        "echo exit 0 > \"$GIT_CONFIG_VALUE_0\"/reference-transaction".to_owned(),
        // Signals to processes outside; 0 only asks.
        format!("kill -0 {pid}"),
    ];
    for attempt in attempts {
        let outcome = scene.run(&attempt);
        assert_ne!(outcome.exit, 0, "{attempt}\n{}", outcome.said);
    }
    let left: Vec<_> = std::fs::read_dir(&outside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["file"]);
    assert_eq!(std::fs::read_to_string(outside.join("file")).unwrap(), "as it was");
    assert_eq!(std::fs::read_to_string(scene.root.join("src/a.txt")).unwrap(), "one\n");
    // We are not inside ourselves.
    std::fs::write(outside.join("ours"), "x").unwrap();
}

#[test]
fn edits_of_the_planfile_and_links_out_are_breaches_and_never_committed() {
    for kernel in [true, false] {
        let scene = Scene::new(kernel);
        let outcome = scene.run(
            "echo 'project: stolen' > .planfile/config.yaml; ln -s /etc/passwd out; ln -s ../../../.. up; \
             git init -q inner; echo x > inner/file; echo KEY > .env; echo fine > fine.txt",
        );
        let context = format!("kernel {kernel}\n{}\n{:#?}", outcome.said, outcome.judged);
        assert_eq!(outcome.rules(), [], "{context}");
        let judged: Vec<(&str, &str)> = outcome
            .judged
            .iter()
            .map(|breach| (breach.rule.as_str(), breach.evidence.split(' ').next().unwrap()))
            .collect();
        let want = [
            ("forbidden_paths", ".env"),
            ("forbidden_paths", ".planfile/config.yaml"),
            ("submodules", "inner"),
            ("links", "out"),
            ("links", "up"),
        ];
        assert_eq!(judged, want, "{context}");
        let done = scene.commit_all();
        assert_eq!(done.left_out, [".env"], "{context}");
        let files =
            super::scene::git(&scene.root, &["show", "--name-only", "--format=", &done.commit.unwrap()]);
        assert_eq!(files, "fine.txt\nout\nup\n", "{context}");
    }
}

#[test]
fn a_worktree_that_was_turned_elsewhere_is_turned_back() {
    for kernel in [true, false] {
        let scene = Scene::new(kernel);
        let outcome = scene.run(
            "git init -q fake; d=$(git rev-parse --git-dir); echo 'gitdir: fake/.git' > .git; \
             echo \"$PWD/fake/.git\" > \"$d\"/commondir; \
             printf '[core]\\nfsmonitor = touch /nonexistent\\n' > \"$d\"/config.worktree; rm -r fake",
        );
        let context = format!("kernel {kernel}\n{}\n{:#?}", outcome.said, outcome.settled);
        assert_eq!(outcome.rules(), [("worktree", true)], "{context}");
        assert_eq!(outcome.judged, [], "{context}");
        assert_eq!(super::scene::git(&scene.worktree.path, &["status", "--porcelain"]), "");
    }
}

#[test]
fn without_the_kernel_planted_hooks_and_configuration_are_breaches() {
    let scene = Scene::new(false);
    let outcome = scene.run(
        "echo evil > \"$ROOT\"/.git/hooks/post-checkout; git config filter.x.clean evil; git config branch.main.x y; \
         echo /elsewhere > \"$ROOT\"/.git/objects/info/alternates",
    );
    let rules = [("git_config", false); 3];
    assert_eq!(outcome.rules(), rules, "{}\n{:#?}", outcome.said, outcome.settled);
    assert_eq!(outcome.settled.meanwhile, ["the repository's configuration changed: branch.main.x"]);
}

#[test]
fn state_folders_and_the_private_tmpdir_are_writable() {
    let mut scene = Scene::new(true);
    let state = scene.keep.path().canonicalize().unwrap().join("state");
    std::fs::create_dir(&state).unwrap();
    scene.writable = vec![state.clone()];
    let raised = scene.raise();
    let tmp = raised.fence.env.iter().find(|(name, _)| name == "TMPDIR").unwrap().1.clone();
    let (exit, said) = scene.act(
        &raised,
        &format!(
            "set -e; echo x > {}/kept; f=$(mktemp); echo x > \"$f\"; case $f in \"$TMPDIR\"/*) ;; *) exit 9 ;; esac; \
             echo x > /dev/null; mkdir -p deep/er; mv src/a.txt deep/er/; ln deep/er/a.txt hard; \
             mkdir \"$TMPDIR\"/s; [ ${{#TMPDIR}} -lt 80 ]",
            state.display()
        ),
    );
    assert_eq!(exit, 0, "{said}");
    assert!(state.join("kept").is_file());
    assert!(std::path::Path::new(&tmp).is_dir());
    drop(raised);
    assert!(!std::path::Path::new(&tmp).exists());
}

#[test]
fn what_lives_on_after_the_run_is_still_inside() {
    let scene = Scene::new(true);
    write_script(
        &scene.worktree.path.join("late.sh"),
        "#!/bin/sh\nread line < gate\necho x > \"$ROOT/late\"\necho $? > done\n",
    );
    let outcome =
        scene.run("mkfifo gate; setsid ./late.sh < /dev/null > /dev/null 2>&1 & echo go > gate; wait");
    assert_eq!(outcome.exit, 0, "{}", outcome.said);
    assert!(!scene.root.join("late").exists());
}
