//! Listing and removing worktrees.

use super::*;
use crate::base::paths::ProjectPaths;
use crate::base::process::ProcessIdentity;
use crate::execute::folder::{FORMAT, RecordState, RunFolder, RunRecord};

fn kept(ticket: &str, why: &str) -> Kept {
    Kept { ticket: TicketId::new(ticket), why: why.to_owned() }
}

#[test]
fn only_what_is_somewhere_else_is_removed() {
    let scratch = Scratch::new();
    let (clean, _) = scratch.prepare("CLEAN");
    let (dirty, _) = scratch.prepare("DIRTY");
    write(&dirty.path, "new", "work");
    let (ahead, _) = scratch.prepare("AHEAD");
    write(&ahead.path, "new", "work");
    commit(&ahead);
    let (merged, _) = scratch.prepare("MERGED");
    write(&merged.path, "new", "other work");
    let tip = commit(&merged).commit.unwrap();
    scratch.repo.reference("refs/remotes/origin/landed", Oid::from_str(&tip).unwrap(), true, "x").unwrap();
    write(&clean.path, ".planfile/config.yaml", "noise that never counts");
    std::fs::create_dir(clean.path.join("out.o")).unwrap();
    let infos: Vec<_> = list(&scratch.root)
        .into_iter()
        .map(|info| {
            (info.worktree.ticket.to_string(), info.unmerged, info.dirty, info.in_use, info.bytes > 0)
        })
        .collect();
    let expected = [("AHEAD", 1, 0), ("CLEAN", 0, 0), ("DIRTY", 0, 1), ("MERGED", 0, 0)];
    let expected: Vec<_> =
        expected.map(|(name, unmerged, dirty)| (name.to_owned(), unmerged, dirty, false, true)).into();
    assert_eq!(infos, expected);

    let report = prune_all(&scratch.root).unwrap();
    let removed = |ticket: &str| Removed {
        ticket: TicketId::new(ticket),
        branch: format!("koru/{ticket}"),
        branch_removed: true,
    };
    assert_eq!(report.removed, [removed("CLEAN"), removed("MERGED")]);
    assert_eq!(
        report.kept,
        [kept("AHEAD", "1 commit(s) are on koru/AHEAD alone"), kept("DIRTY", "1 file(s) are not committed")]
    );
    assert!(report.freed > 0);
    assert!(!clean.path.exists() && !clean.git_dir.exists() && dirty.path.exists() && ahead.path.exists());
    assert!(scratch.repo.find_reference("refs/heads/koru/MERGED").is_err());
    assert!(scratch.repo.find_reference("refs/heads/koru/AHEAD").is_ok());
    // The ticket can be worked again.
    assert_eq!(scratch.prepare("CLEAN").1.readiness, Readiness::Created);
}

#[test]
fn work_that_was_made_again_on_a_base_that_moved_on_is_somewhere_else() {
    let scratch = Scratch::new();
    let picked = |ticket: &str, text: &str| {
        let (worktree, _) = scratch.prepare(ticket);
        write(&worktree.path, "new", text);
        let tip = Oid::from_str(&commit(&worktree).commit.unwrap()).unwrap();
        scratch.repo.find_commit(tip).unwrap()
    };
    let (landed, near) = (picked("LANDED", "a\n\tb\n"), picked("NEAR", "a\n  b\n"));
    scratch.write("README.md", "moved on\n");
    let base = scratch.commit("moved on");
    let base = scratch.repo.find_commit(base).unwrap();
    let again = |commit: &git2::Commit<'_>| {
        let mut index = scratch.repo.cherrypick_commit(commit, &base, 0, None).unwrap();
        let tree = scratch.repo.find_tree(index.write_tree_to(&scratch.repo).unwrap()).unwrap();
        let who = commit.author();
        scratch.repo.commit(None, &who, &who, "again", &tree, &[&base]).unwrap()
    };
    scratch.repo.reference("refs/heads/main", again(&landed), true, "landed").unwrap();
    let counts: Vec<_> = list(&scratch.root)
        .into_iter()
        .map(|info| (info.worktree.ticket.to_string(), info.unmerged))
        .collect();
    // A change of blanks alone is a change.
    assert_eq!(counts, [("LANDED".to_owned(), 0), ("NEAR".to_owned(), 1)]);
    drop(near);
    let removed: Vec<_> =
        prune_all(&scratch.root).unwrap().removed.into_iter().map(|gone| gone.ticket.to_string()).collect();
    assert_eq!(removed, ["LANDED"]);
}

#[test]
fn a_worktree_in_use_or_in_trouble_stays() {
    let scratch = Scratch::new();
    let (used, _) = scratch.prepare("USED");
    let (broken, _) = scratch.prepare("BROKEN");
    std::fs::write(broken.path.join(".git"), "gitdir: /nowhere").unwrap();
    let runs = ProjectPaths::new(&scratch.root).runs();
    let folder = RunFolder::create(&runs, &used.ticket, jiff::Timestamp::UNIX_EPOCH).unwrap();
    let record = RunRecord {
        format: FORMAT,
        run: folder.name().to_owned(),
        ticket: used.ticket.clone(),
        executor: "llm".to_owned(),
        label: String::new(),
        holder: String::new(),
        supervisor: ProcessIdentity::own(),
        child: None,
        started_at: jiff::Timestamp::UNIX_EPOCH,
        state: RecordState::Running,
        ended_at: None,
        exit_code: None,
        message: None,
        agent: None,
        spent: None,
    };
    folder.write_record(&record).unwrap();
    let tickets = ["USED", "BROKEN", "NONE"].map(TicketId::new);
    let report = prune(&scratch.root, &tickets).unwrap();
    assert_eq!(report.removed, []);
    assert_eq!(
        report.kept.iter().map(|kept| kept.ticket.as_str()).collect::<Vec<_>>(),
        ["BROKEN", "USED", "NONE"]
    );
    assert_eq!(report.kept[1..], [kept("USED", "a run uses it"), kept("NONE", "it has no worktree")]);
    assert!(list(&scratch.root).iter().any(|info| info.trouble.is_some()));
    assert!(list(&scratch.root).iter().any(|info| info.in_use));
}
