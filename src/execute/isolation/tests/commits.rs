//! Committing and comparing, whatever an agent did to its worktree.

use super::*;
use crate::plan::policy::Policy;

#[test]
fn the_runtime_commits_what_lies_in_the_worktree() {
    let scratch = Scratch::new();
    let before = scratch.checkout();
    let (worktree, _) = scratch.prepare("PLF-1");
    write(&worktree.path, "src/lib.rs", "fn two() {}\nfn three() {}\n");
    write(&worktree.path, "src/new.rs", "//\n");
    std::fs::remove_file(worktree.path.join("README.md")).unwrap();
    write(&worktree.path, "out.o", "ignored");
    write(&worktree.path, ".planfile/config.yaml", "project: stolen\n");
    write(&worktree.path, ".planfile/extra", "x");
    write(&worktree.path, ".github/ci.yml", "on: never\n");
    write(&worktree.path, "deep/.env", "A=1\n");
    assert_eq!(
        changes(&worktree).unwrap(),
        [
            changed(".github/ci.yml", 1, 1),
            changed("README.md", 0, 1),
            changed("deep/.env", 1, 0),
            changed("src/lib.rs", 2, 1),
            changed("src/new.rs", 1, 0),
        ]
    );
    let done = commit(&worktree);
    assert_eq!(done.left_out, [".github/ci.yml", "deep/.env"]);
    let id = done.commit.unwrap();
    assert_eq!(scratch.tip("refs/heads/koru/PLF-1"), id);
    let files = [".github/ci.yml", ".gitignore", ".planfile/config.yaml", "src/lib.rs", "src/new.rs"];
    assert_eq!(scratch.files_of(&id), files);
    let made = scratch.repo.find_commit(Oid::from_str(&id).unwrap()).unwrap();
    assert_eq!(
        (made.author().name().unwrap(), made.author().email().unwrap()),
        ("koru-tui", "koru-tui@localhost")
    );
    assert_eq!(made.parent_id(0).unwrap().to_string(), worktree.base);
    let log = scratch.repo.reflog("refs/heads/koru/PLF-1").unwrap();
    assert_eq!(log.get(0).unwrap().committer().email().unwrap(), "koru-tui@localhost");
    // Nothing new is no commit, and what was left out is still said.
    let again = commit(&worktree);
    assert_eq!(
        again,
        Committed { commit: None, left_out: vec![".github/ci.yml".into(), "deep/.env".into()] }
    );
    assert_eq!(scratch.checkout(), before);
}

#[test]
fn tricks_with_the_index_hide_nothing_and_smuggle_nothing() {
    let scratch = Scratch::new();
    let (worktree, _) = scratch.prepare("PLF-1");
    let linked = Repository::open(&worktree.path).unwrap();
    let mut index = linked.index().unwrap();
    // Staged by force although ignored, and a change that git is told to overlook (assume-unchanged).
    write(&worktree.path, "out.o", "ignored");
    index.add_all(["out.o"], git2::IndexAddOption::FORCE, None).unwrap();
    let mut entry = index.get_path(Path::new("src/lib.rs"), 0).unwrap();
    entry.flags |= 0x8000;
    index.add(&entry).unwrap();
    index.write().unwrap();
    write(&worktree.path, "src/lib.rs", "fn hidden() {}\n");
    assert_eq!(changes(&worktree).unwrap(), [changed("src/lib.rs", 1, 1)]);
    let id = commit(&worktree).commit.unwrap();
    assert!(!scratch.files_of(&id).contains(&"out.o".to_owned()));
    assert_eq!(linked.find_commit(Oid::from_str(&id).unwrap()).unwrap().parent_count(), 1);
    // A broken index and left locks of a killed git stop nobody.
    for name in ["index", "index.lock"] {
        std::fs::write(worktree.git_dir.join(name), "broken").unwrap();
    }
    write(&worktree.path, "more", "x\n");
    assert_eq!(changes(&worktree).unwrap(), [changed("more", 1, 0), changed("src/lib.rs", 1, 1)]);
    assert!(commit(&worktree).commit.is_some());
}

#[test]
fn commits_of_the_agent_stand_and_only_the_rest_is_added() {
    let scratch = Scratch::new();
    let (worktree, _) = scratch.prepare("PLF-1");
    let linked = Repository::open(&worktree.path).unwrap();
    let who = Signature::now("Agent", "agent@example.invalid").unwrap();
    write(&worktree.path, "forced.o", "ignored, committed by force");
    write(&worktree.path, "a", "1\n");
    let mut index = linked.index().unwrap();
    index.add_all(["a", "forced.o"], git2::IndexAddOption::FORCE, None).unwrap();
    index.write().unwrap();
    let tree = linked.find_tree(index.write_tree().unwrap()).unwrap();
    let head = linked.head().unwrap().peel_to_commit().unwrap();
    let theirs = linked.commit(Some("HEAD"), &who, &who, "agent's own", &tree, &[&head]).unwrap();
    write(&worktree.path, "b", "2\n");
    let id = commit(&worktree).commit.unwrap();
    let made = scratch.repo.find_commit(Oid::from_str(&id).unwrap()).unwrap();
    assert_eq!(made.parent_id(0).unwrap(), theirs);
    let files = scratch.files_of(&id);
    assert!(["a", "b", "forced.o"].iter().all(|name| files.contains(&(*name).to_owned())), "{files:?}");
    assert_eq!(commit(&worktree), Committed::default());
}

#[test]
fn odd_things_in_a_worktree_are_told_apart() {
    use std::os::unix::fs::symlink;
    let scratch = Scratch::new();
    let (worktree, _) = scratch.prepare("PLF-1");
    symlink("/etc/hostname", worktree.path.join("out")).unwrap();
    symlink("../../../../..", worktree.path.join("src/up")).unwrap();
    symlink("README.md", worktree.path.join("in")).unwrap();
    symlink("src", worktree.path.join("folder")).unwrap();
    symlink("folder/../..", worktree.path.join("round")).unwrap();
    symlink(".git/config", worktree.path.join("git")).unwrap();
    nix::unistd::mkfifo(&worktree.path.join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let inner = Repository::init(worktree.path.join("inner")).unwrap();
    write(&worktree.path, "inner/file", "x");
    drop(inner);
    write(&worktree.path, "stray/.git", "no repository");
    write(&worktree.path, "stray/file", "x\n");
    let found = survey(&worktree).unwrap();
    let of = |path: &str| found.iter().find(|change| change.path == path);
    let leaves = |path: &str| of(path).and_then(|change| change.link.as_ref()).map(|link| link.leaves);
    assert_eq!(leaves("out"), Some(true));
    assert_eq!(leaves("src/up"), Some(true));
    assert_eq!(leaves("in"), Some(false));
    assert_eq!(leaves("folder"), Some(false));
    assert_eq!(leaves("round"), Some(true));
    assert_eq!(leaves("git"), Some(true));
    assert_eq!(of("inner").map(|change| change.kind), Some(ChangeKind::Submodule), "{found:?}");
    let id = commit(&worktree).commit.unwrap();
    let files = scratch.files_of(&id);
    assert!(!files.iter().any(|name| name.starts_with("inner") || name == "pipe"), "{files:?}");
    assert!(files.contains(&"in".to_owned()), "{files:?}");
}

#[test]
fn a_filter_is_run_and_only_while_it_is_the_recorded_one() {
    let scratch = Scratch::new();
    let mut config = scratch.repo.config().unwrap();
    config.set_str("filter.shout.clean", "tr a-z A-Z").unwrap();
    config.set_str("filter.shout.smudge", "tr A-Z a-z").unwrap();
    scratch.write(".gitattributes", "*.up filter=shout\n");
    scratch.write("x.up", "STORED\n");
    scratch.commit("filtered");
    let (worktree, prepared) = scratch.prepare("PLF-1");
    let names = vec!["shout".to_owned()];
    assert_eq!(prepared.notes.first(), Some(&Note::Filters { names, files: 1, unfilled: None }));
    assert_eq!(std::fs::read_to_string(worktree.path.join("x.up")).unwrap(), "stored\n");
    assert_eq!(changes(&worktree).unwrap(), []);
    write(&worktree.path, "x.up", "more\n");
    write(&worktree.path, "y.up", "new\n");
    let id = commit(&worktree).commit.unwrap();
    let tree = scratch.repo.find_commit(Oid::from_str(&id).unwrap()).unwrap().tree().unwrap();
    let text = |name: &str| {
        let blob = scratch.repo.find_blob(tree.get_name(name).unwrap().id()).unwrap();
        String::from_utf8_lossy(blob.content()).into_owned()
    };
    assert_eq!((text("x.up"), text("y.up")), ("MORE\n".to_owned(), "NEW\n".to_owned()));
    assert_eq!(commit(&worktree), Committed::default());
    config.set_str("filter.shout.clean", "touch /nonexistent; cat").unwrap();
    write(&worktree.path, "x.up", "again\n");
    let refused = commit_all(&worktree, "m", &Identity::default(), &Policy::default());
    assert!(matches!(refused, Err(WorktreeError::FiltersChanged { .. })), "{refused:?}");
    assert_eq!(scratch.tip("refs/heads/koru/PLF-1"), id);
}
