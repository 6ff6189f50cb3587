//! The ticket's own branch and the worktree's own HEAD: nobody but the run moves them while it works.

use git2::{Oid, Repository, Signature};

use super::{Act, Breach, Finding, Guard};
use crate::base::repo::moving::move_reference;
use crate::base::repo::refs::{RefValue, Refs};
use crate::execute::isolation::{Identity, standing};
use crate::plan::policy::Gate;

/// Most commits that are named as evidence.
const NAMED: usize = 5;

impl Guard {
    /// HEAD belongs on the ticket's branch, except where the policy lets the run switch.
    pub(super) fn own_head(&self, after: &Refs) -> Option<Finding<'static>> {
        let wanted = RefValue::Symbolic(self.worktree.branch_ref());
        let now = after.get(&self.own_head_name());
        let sound = matches!(now, Some(RefValue::Symbolic(_) | RefValue::Id(_)));
        if now == Some(&wanted) || (sound && self.policy.allow_branch_switch) {
            return None;
        }
        let now = now.map_or_else(|| "nothing".to_owned(), ToString::to_string);
        let breach = Breach {
            rule: Gate::AllowBranchSwitch.key().to_owned(),
            what: "HEAD of the worktree was taken off the ticket's branch; its files were left as they are"
                .to_owned(),
            evidence: format!("HEAD: {wanted} → {now}"),
            undone: false,
        };
        Some(Finding { breach, act: Act::Head })
    }

    /// Puts HEAD on the ticket's branch. The files stay as they are.
    pub(super) fn put_head_back(&self) -> std::io::Result<()> {
        let path = self.worktree.git_dir.join("HEAD");
        standing::remove_file(&path)?;
        std::fs::write(&path, format!("ref: {}\n", self.worktree.branch_ref()))
    }

    /// The branch stays where it was, unless the policy lets the run commit and it only went forward. Commits are undone
    /// softly: the branch goes back, their content is in the worktree and is committed by the runtime.
    pub(super) fn own_branch(&self, repo: &Repository, after: &Refs) -> Option<Finding<'static>> {
        let name = self.worktree.branch_ref();
        let (before, now) = (self.before.get(&name).and_then(RefValue::id)?, after.get(&name));
        if now == Some(&RefValue::Id(before)) {
            return None;
        }
        let tip = now.and_then(RefValue::id);
        let forward = |tip: Oid| repo.graph_descendant_of(tip, before).unwrap_or(false);
        if self.policy.allow_commit && tip.is_some_and(forward) {
            return None;
        }
        let what = match (now, tip) {
            (None, _) => "the ticket's branch was deleted",
            (Some(_), None) => "the ticket's branch was broken",
            (Some(_), Some(tip)) if forward(tip) => {
                "the run committed; the branch went back, and the work stays in the files"
            }
            (Some(_), Some(_)) => "the ticket's branch was rewritten",
        };
        let rule = if now.is_none() { Gate::AllowBranchCreate } else { Gate::AllowCommit };
        let mut evidence =
            format!("{name}: {before} → {}", now.map_or_else(|| "nothing".into(), ToString::to_string));
        for commit in commits(repo, before, tip) {
            evidence.push_str("; ");
            evidence.push_str(&commit);
        }
        let breach = Breach { rule: rule.key().to_owned(), what: what.to_owned(), evidence, undone: false };
        Some(Finding { breach, act: Act::Branch { now: now.cloned(), to: before } })
    }

    pub(super) fn put_branch_back(
        &self,
        repo: &Repository,
        now: Option<&RefValue>,
        to: Oid,
    ) -> Result<(), git2::Error> {
        let name = self.worktree.branch_ref();
        let from = match now {
            Some(RefValue::Id(id)) => Some(*id),
            Some(_) => {
                super::undo::remove_loose(&self.common, &name)?;
                repo.refname_to_id(&name).ok()
            }
            None => None,
        };
        let identity = Identity::default();
        let who = Signature::now(&identity.name, &identity.email)?;
        let message = format!("koru-tui: undo what the run did, policy.{}=false", Gate::AllowCommit.key());
        move_reference(repo, &name, from, Some(to), &who, &message)
    }
}

/// Hash and subject of the commits that were added, newest first.
fn commits(repo: &Repository, before: Oid, tip: Option<Oid>) -> Vec<String> {
    let walk = || -> Result<Vec<String>, git2::Error> {
        let Some(tip) = tip else { return Ok(Vec::new()) };
        let mut walk = repo.revwalk()?;
        walk.push(tip)?;
        walk.hide(before)?;
        let mut named = Vec::new();
        for id in walk.take(NAMED) {
            let commit = repo.find_commit(id?)?;
            let subject =
                commit.summary_bytes().map(String::from_utf8_lossy).unwrap_or_default().into_owned();
            named.push(format!("{} {subject}", commit.id()));
        }
        Ok(named)
    };
    walk().unwrap_or_default()
}
