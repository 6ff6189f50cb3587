//! Moving a base branch, with every work tree that has it checked out: all of it, or nothing.
//!
//! The caller keeps the [`Move`] on disk before [`Move::make`] and forgets it after: a process that is killed in between
//! is followed by [`Move::settle`], which finds out how far it came and goes on or back. The order is: look at
//! everything; work trees; the reference last, from the value that was seen and no other. Whoever moved the branch in
//! the meantime wins.

use std::path::Path;

use git2::{Oid, Repository, Signature};
use serde::{Deserialize, Serialize};

use super::checkouts::{self, Checkout, CheckoutError};
use crate::base::faults;
use crate::base::repo::moving::move_reference;

/// One move of one branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// Branch, its short name.
    pub branch: String,
    /// Commit that it is at, 40 hexadecimal digits.
    pub from: String,
    /// Commit that it goes to.
    pub to: String,
}

/// Why a branch does not move.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// A work tree does not follow.
    #[error(transparent)]
    Checkout(#[from] CheckoutError),
    /// The branch is somewhere else by now.
    #[error("{branch} is at {now} by now, not at {seen}; look again, then decide")]
    Moved {
        /// Branch.
        branch: String,
        /// Where it is; `nothing` when it is gone.
        now: String,
        /// Where it was when it was looked at.
        seen: String,
    },
    /// git failed.
    #[error("git could not move {branch}: {source}")]
    Git {
        /// Branch.
        branch: String,
        /// Why.
        source: git2::Error,
    },
    /// A durable step failed.
    #[error("moving {branch} failed: {source}")]
    Io {
        /// Branch.
        branch: String,
        /// Why.
        source: std::io::Error,
    },
}

/// How far a move came that nobody saw the end of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It is made, all of it.
    Made,
    /// It is not made, and nothing of it is left.
    NotMade,
}

impl Move {
    /// Makes the move. `agents` is the folder of the agents' worktrees; `log` goes into the branch's reflog.
    ///
    /// # Errors
    /// See [`MoveError`]; branch and work trees are as they were.
    pub fn make(
        &self,
        repo: &Repository,
        agents: &Path,
        who: &Signature<'_>,
        log: &str,
    ) -> Result<(), MoveError> {
        let (from, to) = self.ends()?;
        self.is_at(repo, from)?;
        let trees = checkouts::on_branch(repo, &self.branch)?;
        for tree in &trees {
            tree.may_follow(agents, from, to)?;
        }
        let mut followed: Vec<&Checkout> = Vec::new();
        let made = (|| {
            for tree in &trees {
                self.step("updating a work tree")?;
                tree.follow(from, to)?;
                followed.push(tree);
            }
            self.step("moving the branch")?;
            let name = self.name();
            move_reference(repo, &name, Some(from), Some(to), who, log).map_err(|source| self.git(source))
        })();
        if made.is_err() {
            go_back(&followed, from, to);
        }
        made
    }

    /// What became of a move that was begun and whose end nobody saw: goes on where it can, else back.
    ///
    /// # Errors
    /// See [`MoveError`]; it is neither made nor undone then, and can be settled again.
    pub fn settle(
        &self,
        repo: &Repository,
        agents: &Path,
        who: &Signature<'_>,
        log: &str,
    ) -> Result<Settled, MoveError> {
        let (from, to) = self.ends()?;
        let now = repo.refname_to_id(&self.name()).ok();
        if now.is_some_and(|now| went(repo, from, to, now)) {
            return Ok(Settled::Made);
        }
        let trees = checkouts::on_branch(repo, &self.branch)?;
        if now != Some(from) {
            // Somebody else decided where it is. What git had not written to its end is theirs to see.
            return Ok(Settled::NotMade);
        }
        for tree in &trees {
            if tree.holds(from, to) {
                continue;
            }
            tree.adopt(from, to)?;
        }
        let (done, open): (Vec<&Checkout>, Vec<&Checkout>) =
            trees.iter().partition(|tree| tree.holds(from, to));
        if let Some(refused) = open.iter().find_map(|tree| tree.may_follow(agents, from, to).err()) {
            if matches!(refused, CheckoutError::Locked { .. }) {
                return Err(refused.into());
            }
            go_back(&done, from, to);
            return Ok(Settled::NotMade);
        }
        for tree in open {
            self.step("updating a work tree")?;
            tree.follow(from, to)?;
        }
        self.step("moving the branch")?;
        move_reference(repo, &self.name(), Some(from), Some(to), who, log)
            .map_err(|source| self.git(source))?;
        Ok(Settled::Made)
    }

    fn name(&self) -> String {
        format!("refs/heads/{}", self.branch)
    }

    fn ends(&self) -> Result<(Oid, Oid), MoveError> {
        let oid = |text: &str| Oid::from_str(text).map_err(|source| self.git(source));
        Ok((oid(&self.from)?, oid(&self.to)?))
    }

    fn is_at(&self, repo: &Repository, from: Oid) -> Result<(), MoveError> {
        let now = repo.refname_to_id(&self.name()).ok();
        if now == Some(from) {
            return Ok(());
        }
        let now = now.map_or_else(|| "nothing".to_owned(), |now| now.to_string());
        Err(MoveError::Moved { branch: self.branch.clone(), now, seen: self.from.clone() })
    }

    fn step(&self, what: &'static str) -> Result<(), MoveError> {
        faults::step(what).map_err(|source| MoveError::Io { branch: self.branch.clone(), source })
    }

    fn git(&self, source: git2::Error) -> MoveError {
        MoveError::Git { branch: self.branch.clone(), source }
    }
}

/// Whether a branch that is at `now` went from `from` to `to`, and maybe on from there. Where the move went back, what is
/// at or on top of `from` holds `to` as well and did not go.
fn went(repo: &Repository, from: Oid, to: Oid, now: Oid) -> bool {
    let on = |commit: Oid| now == commit || repo.graph_descendant_of(now, commit).unwrap_or(false);
    let back = repo.graph_descendant_of(from, to).unwrap_or(false);
    on(to) && !(back && on(from))
}

/// Work trees that had followed already return. One that cannot keeps what was landed as staged changes, and is told.
fn go_back(trees: &[&Checkout], from: Oid, to: Oid) {
    for tree in trees {
        if let Err(error) = tree.follow(to, from) {
            tracing::warn!(%error, "a work tree keeps the files of a landing that was not made");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::bench::{Bench, who};
    use super::*;
    use crate::base::faults::{Fault, inject};

    fn going(bench: &Bench, to: Oid) -> Move {
        Move { branch: "main".to_owned(), from: bench.tip("main").to_string(), to: to.to_string() }
    }

    fn make(bench: &Bench, going: &Move) -> Result<(), MoveError> {
        going.make(&bench.repo, &bench.root().join(".planfile/.koru/worktrees"), &who(), "land")
    }

    fn settle(bench: &Bench, going: &Move) -> Settled {
        going.settle(&bench.repo, &bench.root().join(".planfile/.koru/worktrees"), &who(), "land").unwrap()
    }

    fn read(bench: &Bench, path: &str) -> String {
        fs::read_to_string(bench.root().join(path)).unwrap()
    }

    /// What git says is not as committed.
    fn changed(bench: &Bench) -> Vec<String> {
        let statuses = bench.repo.statuses(None).unwrap();
        let changed = statuses.iter().filter(|entry| entry.status() != git2::Status::CURRENT);
        changed.map(|entry| entry.path().unwrap().to_owned()).collect()
    }

    #[test]
    fn the_operators_checkout_follows_and_keeps_changes_elsewhere() {
        let bench = Bench::new();
        bench.commit("main", "own", "as it was\n");
        bench.check_out();
        bench.repo.reference("refs/heads/work", bench.tip("main"), true, "again").unwrap();
        let head = bench.commit("work", "a", "landed\n");
        fs::write(bench.root().join("own"), "mine, not committed\n").unwrap();
        make(&bench, &going(&bench, head)).unwrap();
        assert_eq!((bench.tip("main"), read(&bench, "a").as_str()), (head, "landed\n"));
        assert_eq!(read(&bench, "own"), "mine, not committed\n");
        assert_eq!(changed(&bench), ["own"]);
    }

    #[test]
    fn changes_in_the_files_that_would_be_written_refuse_it_by_name() {
        let bench = Bench::new();
        bench.commit("work", "new", "theirs\n");
        let head = bench.commit("work", "a", "landed\n");
        let before = bench.tip("main");
        fs::write(bench.root().join("a"), "mine\n").unwrap();
        fs::write(bench.root().join("new"), "unknown to git\n").unwrap();
        let refused = make(&bench, &going(&bench, head)).unwrap_err();
        match &refused {
            MoveError::Checkout(CheckoutError::Overlap { files, .. }) => assert_eq!(*files, ["a", "new"]),
            other => panic!("{other}"),
        }
        assert_eq!((bench.tip("main"), read(&bench, "a").as_str()), (before, "mine\n"));
        assert_eq!(read(&bench, "new"), "unknown to git\n");
    }

    #[test]
    fn a_branch_that_moved_meanwhile_and_a_lock_of_another_git_are_refused() {
        let bench = Bench::new();
        let head = bench.commit("work", "a", "landed\n");
        let stale = going(&bench, head);
        fs::write(bench.repo.path().join("index.lock"), "").unwrap();
        let locked = make(&bench, &stale).unwrap_err();
        assert!(matches!(locked, MoveError::Checkout(CheckoutError::Locked { .. })), "{locked}");
        fs::remove_file(bench.repo.path().join("index.lock")).unwrap();
        bench.commit("main", "b", "somebody else\n");
        let moved = make(&bench, &stale).unwrap_err();
        assert!(matches!(moved, MoveError::Moved { .. }), "{moved}");
    }

    #[test]
    fn a_linked_work_tree_on_the_base_follows_too() {
        let bench = Bench::new();
        bench.repo.set_head("refs/heads/work").unwrap();
        let linked = bench.root().join("linked");
        let branch = bench.repo.find_reference("refs/heads/main").unwrap();
        let mut options = git2::WorktreeAddOptions::new();
        bench.repo.worktree("linked", &linked, Some(options.reference(Some(&branch)))).unwrap();
        let head = bench.commit("work", "a", "landed\n");
        make(&bench, &going(&bench, head)).unwrap();
        assert_eq!(fs::read_to_string(linked.join("a")).unwrap(), "landed\n");
        assert_eq!(read(&bench, "a"), "1\n2\n3\n");
    }

    #[test]
    fn a_move_that_fails_at_any_step_leaves_all_as_it_was() {
        for step in 1..=2 {
            let bench = Bench::new();
            let before = bench.tip("main");
            let head = bench.commit("work", "a", "landed\n");
            let fault = Fault::Fail(step, nix::errno::Errno::ENOSPC);
            let (made, _) = inject(Some(fault), || make(&bench, &going(&bench, head)));
            assert!(made.is_err());
            assert_eq!(
                (bench.tip("main"), read(&bench, "a").as_str(), changed(&bench)),
                (before, "1\n2\n3\n", Vec::new())
            );
        }
    }

    #[test]
    fn a_move_that_was_cut_off_is_finished_or_taken_back() {
        let half = |write: bool, index: bool| {
            let bench = Bench::new();
            let head = bench.commit("work", "a", "landed\n");
            let going = going(&bench, head);
            if write {
                fs::write(bench.root().join("a"), "landed\n").unwrap();
            }
            if index {
                let mut held = bench.repo.index().unwrap();
                held.add_path(Path::new("a")).unwrap();
                held.write().unwrap();
            }
            (bench, going, head)
        };
        for (write, index) in [(false, false), (true, false), (true, true)] {
            let (bench, going, head) = half(write, index);
            // What the operator has staged elsewhere is neither in the way nor taken for ours.
            fs::write(bench.root().join("staged"), "mine\n").unwrap();
            let mut held = bench.repo.index().unwrap();
            held.add_path(Path::new("staged")).unwrap();
            held.write().unwrap();
            assert_eq!(settle(&bench, &going), Settled::Made);
            assert_eq!(
                (bench.tip("main"), read(&bench, "a").as_str(), changed(&bench)),
                (head, "landed\n", vec!["staged".to_owned()])
            );
            assert_eq!(settle(&bench, &going), Settled::Made);
        }
        let (bench, going, _) = half(false, false);
        fs::write(bench.root().join("a"), "mine since\n").unwrap();
        assert_eq!(settle(&bench, &going), Settled::NotMade);
        assert_eq!(read(&bench, "a"), "mine since\n");
        let (bench, going, _) = half(false, false);
        let other = bench.commit("main", "b", "somebody else\n");
        assert_eq!(settle(&bench, &going), Settled::NotMade);
        assert_eq!(bench.tip("main"), other);
    }
}
