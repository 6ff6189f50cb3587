//! Programs that a repository's configuration, attributes, hooks and submodules have git run.

use super::agents::stage::ID;
use super::scene::Scene;

/// Everything in a configuration that names a program, and attributes that have git use it.
const PLANT: &str = r#"
plant() { git config --file "$1" "$2" "$3" || echo "no $2" >>"$NOTES/refused"; }
traps() {
  plant "$1" core.hooksPath "$PWD/.traps"
  plant "$1" core.fsmonitor "$TRAP"
  plant "$1" core.sshCommand "$TRAP"; plant "$1" core.editor "$TRAP"; plant "$1" core.pager "$TRAP"
  plant "$1" core.askPass "$TRAP"; plant "$1" core.gitProxy "$TRAP"; plant "$1" credential.helper "$TRAP"
  plant "$1" core.alternateRefsCommand "$TRAP"; plant "$1" gpg.program "$TRAP"
  plant "$1" commit.gpgSign true; plant "$1" tag.gpgSign true
  plant "$1" diff.external "$TRAP"; plant "$1" diff.evil.textconv "$TRAP"; plant "$1" diff.evil.command "$TRAP"
  plant "$1" merge.evil.driver "$TRAP"; plant "$1" merge.default evil
  for what in clean smudge process; do plant "$1" "filter.evil.$what" "$TRAP"; done
  plant "$1" filter.evil.required true
  for name in status diff commit add show log; do plant "$1" "alias.$name" "!$TRAP"; done
  plant "$1" uploadpack.packObjectsHook "$TRAP"; plant "$1" submodule.sub.update "!$TRAP"
}
mkdir .traps
for hook in pre-commit post-commit prepare-commit-msg commit-msg post-checkout post-index-change reference-transaction \
  pre-auto-gc post-rewrite fsmonitor-watchman post-merge pre-push update post-update; do
  cp "$TRAP" ".traps/$hook"
done
printf '* filter=evil diff=evil merge=evil\n' >.gitattributes
printf 'Hello, world!\n' >hello.txt
"#;

/// The repository's own configuration, which the run was let write to: nothing of ours runs what it says. That the traps
/// work is shown by git itself, last.
#[test]
fn configuration_of_the_repository_runs_nothing_of_ours() {
    let mut scene = Scene::new();
    let git = scene.bench.project.path().join(".git");
    scene.agent(&format!("{PLANT}traps \"$CHECKOUT/.git/config\"\n"), &[git]);
    let ran = scene.run();
    assert_eq!(scene.sprung(), None, "{ran:?}");
    let config = scene.bench.project.read(".git/config");
    assert!(config.contains("fsmonitor") && config.contains("[filter \"evil\"]"), "{config}");
    scene.look();
    assert_eq!(scene.sprung(), None);
    scene.bench.git(&["status"]);
    assert!(scene.sprung().is_some_and(|sprung| sprung.contains("trap")), "the trap is none");
}

/// Behind the fence the repository's configuration is out of reach, and that of the worktree is taken away again.
#[test]
fn configuration_of_the_worktree_is_taken_away_and_runs_nothing() {
    let mut scene = Scene::new();
    let before = scene.bench.project.read(".git/config");
    let deeds = format!(
        "{PLANT}traps \"$CHECKOUT/.git/config\"\ntraps \"$(git rev-parse --git-dir)/config.worktree\"\n\
         traps \"$CHECKOUT/.git/worktrees/{ID}/config\"\n"
    );
    scene.agent(&deeds, &[]);
    let ran = scene.run();
    assert_eq!(scene.bench.project.read(".git/config"), before, "{ran:?}");
    assert!(scene.bench.noted("refused").contains("no core.hooksPath"));
    let own = scene.bench.project.path().join(".git/worktrees").join(ID).join("config.worktree");
    assert!(!own.exists());
    assert!(ran.out.contains("the worktree was detached from its repository (worktree, undone)"), "{ran:?}");
    scene.look();
    assert_eq!(scene.sprung(), None);
}

/// Attributes that name a filter which nobody defined, and those of an operator's own filter: the operator's filter is
/// run for what the operator put under it, and an agent that changes filters mid-run gains nothing.
#[test]
fn attributes_alone_run_nothing() {
    let mut scene = Scene::new();
    scene.agent(PLANT, &[]);
    let ran = scene.run().expect(0).out.clone();
    scene.look();
    assert_eq!(scene.sprung(), None, "{ran}");
    assert_eq!(scene.bench.committed(ID, "hello.txt").as_deref(), Some("Hello, world!\n"));
}

/// A repository in the worktree, with hooks and configuration of its own, and one that calls itself a submodule.
#[test]
fn repositories_in_the_worktree_run_nothing_and_stay_out_of_the_commit() {
    let mut scene = Scene::new();
    let deeds = format!(
        "{PLANT}\
         git init -q sub && (cd sub && mkdir .traps && cp ../.traps/* .traps/ && cp .traps/* .git/hooks/ && echo x >x \
           && git add x && git -c core.hooksPath=/dev/null commit -qm x) \n\
         (cd sub && traps .git/config)\n\
         printf '[submodule \"sub\"]\\n\\tpath = sub\\n\\turl = ext::%s\\n\\tupdate = !%s\\n' \"$TRAP\" \"$TRAP\" >.gitmodules\n\
         git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),gone\n"
    );
    scene.agent(&deeds, &[]);
    let ran = scene.run();
    scene.look();
    assert_eq!(scene.sprung(), None, "{ran:?}");
    let tree = scene.tree();
    assert!(!tree.contains("160000") && !tree.contains("sub/"), "{tree}");
}

/// Configuration that sends git elsewhere: another work tree, other files to include, other hosts, other owners.
#[test]
fn configuration_that_leads_elsewhere_leads_us_nowhere() {
    for plant in [
        "git config --file \"$c\" core.worktree \"$OUTSIDE/tree\"",
        "git config --file \"$c\" core.bare true",
        "printf '[core]\\n\\tfsmonitor = %s\\n\\thooksPath = %s\\n[diff]\\n\\texternal = %s\\n' \"$TRAP\" \"$NOTES\" \"$TRAP\" \
         >\"$NOTES/more\"; git config --file \"$c\" include.path \"$NOTES/more\"; \
         git config --file \"$c\" includeIf.gitdir:/.path \"$NOTES/more\"",
        "git config --file \"$c\" url.ext::$TRAP.insteadOf https://; git config --file \"$c\" remote.origin.url https://h/x; \
         git config --file \"$c\" remote.origin.uploadpack \"$TRAP\"; git config --file \"$c\" protocol.ext.allow always",
        "git config --file \"$c\" safe.directory '*'; git config --file \"$c\" core.sharedRepository 0777; \
         git config --file \"$c\" trace2.eventTarget \"$OUTSIDE/trace\"; git config --file \"$c\" core.gitProxy \"$TRAP\"",
        "printf '[submodule \"-u./x\"]\\n\\tpath = ../../../../../outside/tree\\n\\turl = -u./x\\n[submodule \"a\"]\\n\\tpath = a\\n\\turl = ext::%s\\n' \
         \"$TRAP\" >.gitmodules; git config --file \"$c\" submodule.a.update \"!$TRAP\"",
    ] {
        let mut scene = Scene::new();
        let outside = scene.bench.around("outside");
        std::fs::create_dir(outside.join("tree")).unwrap();
        std::fs::write(outside.join("tree/kept"), "kept").unwrap();
        let git = scene.bench.project.path().join(".git");
        let deeds = format!("printf 'Hello, world!\\n' >hello.txt\nc=\"$CHECKOUT/.git/config\"\n{plant}\n");
        scene.agent(&deeds, &[git]);
        let before = scene.bench.project.read(".git/config");
        let ran = scene.bench.koru(&["ticket", "run", ID, "--agent", super::agents::bench::SCRIPTED]);
        assert!(matches!(ran.code, Some(0..=1)), "{plant}: {ran:?}");
        for args in [
            &["diff", ID][..],
            &["worktree", "list"],
            &["brief"],
            &["doctor"],
            &["ticket", "show", ID],
            &["review", ID],
        ] {
            let looked = scene.bench.koru(args);
            assert!(matches!(looked.code, Some(0..=2)), "{plant}: {args:?} {looked:?}");
        }
        assert_eq!(scene.sprung(), None, "{plant}: {ran:?}");
        let names: Vec<_> = std::fs::read_dir(outside.join("tree"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, ["kept"], "{plant}");
        assert_eq!(scene.bench.project.read("hello.txt"), super::agents::scenario::GREETING, "{plant}");
        // What changed is told, where the change is one of configuration.
        if scene.bench.project.read(".git/config") != before {
            let log = scene.bench.koru(&["ticket", "log", ID]).out;
            assert!(
                log.contains("config") || ran.out.contains("config"),
                "{plant}: nobody is told\n{log}\n{ran:?}"
            );
        }
    }
}
