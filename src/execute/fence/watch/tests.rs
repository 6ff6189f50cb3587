//! The looking at stamps, which no other test can force; what is watched is the business of `tests/agent_fence`.

use std::path::Path;

use super::*;
use crate::execute::fence::{FenceRequest, raise};
use crate::execute::isolation;
use crate::plan::policy::Policy;
use crate::plan::ticket::TicketId;

/// A repository with one commit and the worktree of a ticket, and a guard of it without the kernel's fence.
fn guard(root: &Path) -> Guard {
    let repo = git2::Repository::init(root).unwrap();
    let who = git2::Signature::now("a", "a@example.invalid").unwrap();
    let tree = repo.find_tree(repo.treebuilder(None).unwrap().write().unwrap()).unwrap();
    repo.commit(Some("HEAD"), &who, &who, "one", &tree, &[]).unwrap();
    let (worktree, _) = isolation::prepare(root, &TicketId::new("PLF-1"), None).unwrap();
    let run = root.join(".planfile/.koru/runs/PLF-1-0");
    std::fs::create_dir_all(&run).unwrap();
    let request = FenceRequest {
        worktree: &worktree,
        policy: &Policy::default(),
        run: &run,
        writable: &[],
        env: &[],
        kernel: false,
        looks_only: false,
    };
    raise(&request).unwrap().guard
}

#[test]
fn without_events_stamps_tell() {
    let keep = tempfile::tempdir().unwrap();
    let root = keep.path().canonicalize().unwrap();
    let guard = guard(&root);
    let (found, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let (inbox, messages) = mpsc::channel();
    let tip = std::fs::read_to_string(root.join(".git/refs/heads/koru/PLF-1")).unwrap();
    let guard = &guard;
    std::thread::scope(|scope| {
        scope.spawn(move || poll::run(guard, &mut Looker::new(guard, found), &messages));
        // Seen as it stands, or as a change.
        std::fs::write(root.join(".git/refs/heads/by-hand"), &tip).unwrap();
        let Some(Sighting::Breach(breach)) = heard.blocking_recv() else { panic!("no breach") };
        let evidence = format!("refs/heads/by-hand: nothing → {}", tip.trim());
        assert_eq!((breach.rule.as_str(), breach.evidence), ("allow_branch_create", evidence));
        inbox.send(Message::Stop).unwrap();
    });
    assert_eq!(heard.blocking_recv(), None);
}
