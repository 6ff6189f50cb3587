//! Honest work goes unhindered, with every layer up.

use koru_tui::execute::fence::layers;

use super::scene::{Scene, git, write_script};

#[test]
fn editing_building_and_reading_git_work() {
    let scene = Scene::new(true);
    let outcome = scene.run(
        "set -e; echo two >> src/a.txt; mkdir -p out/deep; sed s/one/1/ src/a.txt > out/deep/b.txt; \
         printf 'all:\\n\\tcp src/a.txt out/built\\n' > Makefile; sh -c 'cp src/a.txt out/built'; \
         git status --short; git diff --stat; git log --oneline -1; git show HEAD:src/a.txt; git blame -s src/a.txt; \
         git add -A; git diff --cached --stat; git reset -q; git restore src/a.txt; git ls-files; git grep -n one; \
         git rm -q --cached src/a.txt; git add -A; git rev-parse HEAD; git cat-file -p HEAD > /dev/null; \
         git mv src/a.txt src/b.txt; git clean -nd; git diff HEAD > patch; git reset -q --hard; git branch --list; \
         git tag --list; git fetch -q origin || true; echo done > result",
    );
    assert_eq!(outcome.exit, 0, "{}", outcome.said);
    assert_eq!(outcome.rules(), []);
    assert_eq!(outcome.settled.refused, []);
}

#[test]
fn repositories_of_the_works_own_are_not_fenced() {
    for kernel in [true, false] {
        let scene = Scene::new(kernel);
        let outcome = scene.run(
            "set -e; cd \"$TMPDIR\"; git init -q -b main r; cd r; git config user.name a; git config user.email a@b; \
             printf '#!/bin/sh\\necho own hook\\n' > .git/hooks/pre-commit; chmod +x .git/hooks/pre-commit; \
             echo 1 > f; git add f; git commit -qm one; git tag x; git switch -qc y; git init -q --bare ../b; \
             git push -q ../b y; git clone -q ../b ../c; git stash list; git gc -q; git log --oneline",
        );
        assert_eq!(outcome.exit, 0, "kernel {kernel}: {}", outcome.said);
        assert!(outcome.said.contains("own hook"), "{}", outcome.said);
        assert_eq!(outcome.rules(), [], "kernel {kernel}: {:#?}", outcome.settled);
    }
}

#[test]
fn hooks_of_the_project_go_on_working_for_what_is_allowed() {
    for (configured, folder) in [(None, ".git/hooks"), (Some("core.hooksPath"), "husky")] {
        let scene = Scene::allowing(true, |policy| policy.allow_commit = true);
        let hooks = match configured {
            // A relative folder is meant from the top of each worktree.
            Some(key) => {
                git(&scene.root, &["config", key, folder]);
                scene.worktree.path.join(folder)
            }
            None => scene.root.join(folder),
        };
        std::fs::create_dir_all(&hooks).unwrap();
        write_script(
            &hooks.join("commit-msg"),
            "#!/bin/sh\ngrep -q good \"$1\" || { echo bad message; exit 1; }\n",
        );
        write_script(&hooks.join("post-commit"), "#!/bin/sh\necho after\n");
        write_script(
            &hooks.join("reference-transaction"),
            "#!/bin/sh\necho \"$1\" >> \"$TMPDIR/seen\"; cat >> \"$TMPDIR/seen\"\n",
        );
        let outcome = scene.run(
            "echo 1 > n; git add n; git commit -qm evil && exit 8; git commit -qm good || exit 9; cat \"$TMPDIR/seen\"",
        );
        assert_eq!(outcome.exit, 0, "{folder}: {}", outcome.said);
        for said in ["bad message", "after", "prepared", "refs/heads/koru/PLF-1"] {
            assert!(outcome.said.contains(said), "{folder}: {said}: {}", outcome.said);
        }
        assert_eq!(outcome.rules(), [], "{:#?}", outcome.settled);
    }
}

#[test]
fn runs_side_by_side_do_not_answer_for_each_other() {
    use koru_tui::execute::isolation;
    use koru_tui::plan::ticket::TicketId;
    for kernel in [true, false] {
        let scene = Scene::new(kernel);
        let raised = scene.raise();
        let (second, _) = isolation::prepare(&scene.root, &TicketId::new("PLF-2"), None).unwrap();
        std::fs::write(second.path.join("new"), "x").unwrap();
        let identity = isolation::Identity::default();
        let done = isolation::commit_all(&second, "PLF-2: work", &identity, &scene.policy).unwrap();
        let settled = raised.guard.settle();
        assert_eq!(settled.breaches, [], "kernel {kernel}");
        assert_eq!(scene.rev("koru/PLF-2"), done.commit.unwrap());
    }
}

#[test]
fn the_layers_of_this_machine_are_all_up() {
    let off: Vec<_> = layers().into_iter().filter(|layer| !layer.active).collect();
    assert_eq!(off, []);
}
