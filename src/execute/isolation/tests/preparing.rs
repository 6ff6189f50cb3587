//! Making, finding and mending worktrees.

use super::*;
use crate::base::paths::ProjectPaths;

#[test]
fn a_worktree_starts_from_head_and_leaves_the_operators_checkout_alone() {
    let scratch = Scratch::new();
    scratch.write("README.md", "not committed\n");
    let before = scratch.checkout();
    let (worktree, prepared) = scratch.prepare("PLF-1");
    assert_eq!(scratch.checkout(), before);
    let base = scratch.tip("refs/heads/main");
    let folder = scratch.root.join(".planfile/.koru/worktrees/PLF-1");
    assert_eq!(
        worktree,
        Worktree {
            ticket: TicketId::new("PLF-1"),
            path: folder.clone(),
            branch: "koru/PLF-1".to_owned(),
            base: base.clone(),
            subfolder: String::new(),
            git_dir: scratch.root.join(".git/worktrees/koru-PLF-1"),
        }
    );
    let notes = vec![Note::OperatorDirty];
    assert_eq!(prepared, Prepared { readiness: Readiness::Created, tip: base.clone(), notes });
    assert_eq!(std::fs::read_to_string(folder.join("README.md")).unwrap(), "one\n");
    assert_eq!(scratch.tip("refs/heads/koru/PLF-1"), base);
    assert_eq!(changes(&worktree).unwrap(), []);
    assert_eq!(ProjectPaths::find(&folder.join("src")), Some(ProjectPaths::new(&scratch.root)));
    // Without koru's line in `.gitignore` the worktree is not seen as untracked either.
    scratch.write(".gitignore", "");
    let status = scratch.repo.status_file(Path::new(".planfile/.koru/worktrees/PLF-1/README.md"));
    assert!(status.is_err() || status.unwrap().is_ignored());
}

#[test]
fn a_retry_goes_on_where_the_last_run_was() {
    let scratch = Scratch::new();
    let (worktree, _) = scratch.prepare("PLF-1");
    write(&worktree.path, "src/lib.rs", "fn two() {}\n");
    let first = commit(&worktree).commit.unwrap();
    write(&worktree.path, "README.md", "half done\n");
    let old_main = scratch.tip("refs/heads/main");
    scratch.write("other", "x");
    let new_main = scratch.commit("two").to_string();
    let (again, prepared) = scratch.prepare("PLF-1");
    assert_eq!(again, worktree);
    let moved = Note::BaseMoved { branch: "main".to_owned(), from: old_main, to: new_main };
    assert_eq!(prepared, Prepared { readiness: Readiness::Reused, tip: first, notes: vec![moved] });
    assert_eq!(changes(&again).unwrap(), [changed("README.md", 1, 1), changed("src/lib.rs", 1, 1)]);
}

#[test]
fn a_folder_that_vanished_is_made_again_from_its_branch() {
    let scratch = Scratch::new();
    let (worktree, _) = scratch.prepare("PLF-1");
    write(&worktree.path, "src/lib.rs", "fn two() {}\n");
    let tip = commit(&worktree).commit.unwrap();
    std::fs::remove_dir_all(&worktree.path).unwrap();
    let (again, prepared) = scratch.prepare("PLF-1");
    assert_eq!((&again, prepared.readiness, prepared.tip), (&worktree, Readiness::Repaired, tip));
    assert_eq!(changes(&again).unwrap(), [changed("src/lib.rs", 1, 1)]);
}

#[test]
fn work_survives_when_git_forgot_the_worktree_or_its_links_were_changed() {
    type Harm = fn(&Worktree);
    let harms: [Harm; 5] = [
        |worktree| std::fs::remove_dir_all(&worktree.git_dir).unwrap(),
        |worktree| std::fs::write(worktree.path.join(".git"), "gitdir: /nowhere\n").unwrap(),
        |worktree| std::fs::remove_file(worktree.path.join(".git")).unwrap(),
        |worktree| std::fs::write(worktree.git_dir.join("commondir"), "/nowhere\n").unwrap(),
        |worktree| std::fs::write(worktree.git_dir.join("config.worktree"), "[core]\nbare = true\n").unwrap(),
    ];
    for (at, harm) in harms.into_iter().enumerate() {
        let scratch = Scratch::new();
        let (worktree, _) = scratch.prepare("PLF-1");
        write(&worktree.path, "src/lib.rs", "fn two() {}\n");
        commit(&worktree);
        write(&worktree.path, "new", "uncommitted\n");
        harm(&worktree);
        assert!(matches!(changes(&worktree), Err(WorktreeError::Corrupt { .. })), "{at}");
        let (again, prepared) = scratch.prepare("PLF-1");
        assert_eq!(prepared.readiness, Readiness::Repaired, "{at}");
        assert_eq!(changes(&again).unwrap(), [changed("new", 1, 0), changed("src/lib.rs", 1, 1)], "{at}");
        let linked = Repository::open(&again.path).unwrap();
        assert_eq!(linked.head().unwrap().shorthand().unwrap(), "koru/PLF-1", "{at}");
        assert_eq!(
            linked.statuses(None).unwrap().iter().filter(|s| !s.status().is_ignored()).count(),
            1,
            "{at}"
        );
    }
}

#[test]
fn a_making_that_was_cut_short_is_begun_again() {
    let scratch = Scratch::new();
    let (worktree, _) = scratch.prepare("PLF-1");
    let place = record::Place::of(&scratch.root, &worktree.ticket);
    let unfinished = record::Record { ready: false, ..place.read().unwrap() };
    place.write(&unfinished).unwrap();
    std::fs::remove_file(worktree.path.join("README.md")).unwrap();
    std::fs::remove_file(worktree.git_dir.join("index")).unwrap();
    let (again, _) = scratch.prepare("PLF-1");
    assert_eq!(again, worktree);
    assert_eq!(changes(&again).unwrap(), []);
    assert!(place.read().unwrap().ready);
}

#[test]
fn head_elsewhere_and_a_lost_branch_are_put_right_and_nothing_is_lost() {
    let scratch = Scratch::new();
    let (worktree, _) = scratch.prepare("PLF-1");
    let linked = Repository::open(&worktree.path).unwrap();
    let who = Signature::now("A", "a@example.invalid").unwrap();
    let base = linked.find_commit(Oid::from_str(&worktree.base).unwrap()).unwrap();
    let lonely = linked.commit(None, &who, &who, "lonely", &base.tree().unwrap(), &[&base]).unwrap();
    linked.set_head_detached(lonely).unwrap();
    let (_, prepared) = scratch.prepare("PLF-1");
    let kept = format!("refs/koru/kept/{lonely}");
    assert_eq!(prepared.notes, [Note::HeadMoved { from: lonely.to_string(), kept: Some(kept.clone()) }]);
    assert_eq!(scratch.tip(&kept), lonely.to_string());

    write(&worktree.path, "src/lib.rs", "fn two() {}\n");
    let tip = commit(&worktree).commit.unwrap();
    std::fs::remove_file(scratch.root.join(".git/refs/heads/koru/PLF-1")).unwrap();
    let (_, prepared) = scratch.prepare("PLF-1");
    assert_eq!(prepared.tip, tip);
    assert_eq!(scratch.tip("refs/heads/koru/PLF-1"), tip);
}

#[test]
fn what_cannot_be_done_has_a_name() {
    let ticket = TicketId::new("PLF-1");
    let keep = tempfile::tempdir().unwrap();
    assert!(matches!(prepare(keep.path(), &ticket, None), Err(WorktreeError::NoRepository { .. })));
    assert_eq!(std::fs::read_dir(keep.path()).unwrap().count(), 0);
    let scratch = Scratch::empty();
    assert!(matches!(prepare(&scratch.root, &ticket, None), Err(WorktreeError::Unborn { .. })));
    let bare = keep.path().join("bare");
    Repository::init_bare(&bare).unwrap();
    assert!(matches!(prepare(&bare, &ticket, None), Err(WorktreeError::Bare { .. })));
    let scratch = Scratch::new();
    let bad = prepare(&scratch.root, &ticket, Some("no-such"));
    assert!(matches!(bad, Err(WorktreeError::BadBase { .. })), "{bad:?}");
    // A branch `koru` leaves no room for `koru/…`.
    let head = scratch.repo.head().unwrap().peel_to_commit().unwrap();
    scratch.repo.branch("koru", &head, false).unwrap();
    let blocked = prepare(&scratch.root, &ticket, None);
    assert!(matches!(blocked, Err(WorktreeError::BranchBlocked { .. })), "{blocked:?}");
    assert_eq!(list(&scratch.root), []);
    assert!(!scratch.root.join(".git/worktrees/koru-PLF-1").exists());
    scratch.repo.find_branch("koru", git2::BranchType::Local).unwrap().delete().unwrap();
    scratch.prepare("PLF-1");
    scratch.repo.find_worktree("koru-PLF-1").unwrap().lock(Some("mine")).unwrap();
    let locked = prepare(&scratch.root, &ticket, None);
    assert!(matches!(&locked, Err(WorktreeError::Locked { reason, .. }) if reason == "mine"), "{locked:?}");
}

#[test]
fn a_foreign_branch_is_left_alone() {
    let scratch = Scratch::new();
    let head = scratch.repo.head().unwrap().peel_to_commit().unwrap();
    scratch.repo.branch("koru/PLF-1", &head, false).unwrap();
    let (worktree, prepared) = scratch.prepare("PLF-1");
    assert_eq!(worktree.branch, "koru/PLF-1-2");
    let (wanted, used) = ("koru/PLF-1".to_owned(), "koru/PLF-1-2".to_owned());
    assert_eq!(prepared.notes, [Note::BranchTaken { wanted, used }]);
    assert_eq!(scratch.prepare("PLF-1").0, worktree);
}

#[test]
fn hostile_ids_get_worktrees_of_their_own() {
    let scratch = Scratch::new();
    let long = "x".repeat(200);
    let ids = ["../x", ".lock", "a..b", &long, "naïve \u{1F600}", "-rf", "x/y", "HEAD"];
    let mut paths = std::collections::BTreeSet::new();
    for id in ids {
        let (worktree, _) = scratch.prepare(id);
        assert_eq!(worktree.path.parent(), Some(&*scratch.root.join(".planfile/.koru/worktrees")), "{id}");
        assert!(paths.insert(worktree.path.clone()), "{id}");
        assert_eq!(scratch.prepare(id).0, worktree, "{id}");
    }
    assert_eq!(list(&scratch.root).len(), ids.len());
}

#[test]
fn a_project_below_the_top_works_in_its_folder() {
    let scratch = Scratch::new();
    scratch.write("apps/web/.planfile/config.yaml", "project: web\n");
    scratch.write("apps/web/main.js", "1\n");
    scratch.commit("web");
    let root = scratch.root.join("apps/web");
    let (worktree, _) = prepare(&root, &TicketId::new("W-1"), None).unwrap();
    assert_eq!(worktree.subfolder, "apps/web");
    assert_eq!(worktree.work_folder(), root.join(".planfile/.koru/worktrees/W-1/apps/web"));
    assert_eq!(ProjectPaths::find(&worktree.work_folder()), Some(ProjectPaths::new(&root)));
    assert_eq!(worktree.in_project("apps/web/main.js"), Some("main.js"));
    assert_eq!(worktree.in_project("apps/website"), None);
}

#[test]
fn a_moved_project_keeps_its_worktrees() {
    let scratch = Scratch::new();
    let (worktree, _) = scratch.prepare("PLF-1");
    write(&worktree.path, "new", "work\n");
    let moved = scratch.root.with_file_name("moved");
    std::fs::rename(&scratch.root, &moved).unwrap();
    let (again, prepared) = prepare(&moved, &worktree.ticket, None).unwrap();
    assert_eq!(prepared.readiness, Readiness::Repaired);
    assert_eq!(again.path, moved.join(".planfile/.koru/worktrees/PLF-1"));
    assert_eq!(changes(&again).unwrap(), [changed("new", 1, 0)]);
}
