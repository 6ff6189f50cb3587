//! Finding what a run did to the repository, and putting it back (DESIGN §5, layer 2).
//!
//! Hooks can be gone round (`git -c core.hooksPath=…`, plumbing, a cleared environment, files written by hand), so every
//! reference is noted before a run and compared after it. The operator, other runs and other tools work in the same
//! repository meanwhile, and what *they* did must stay. The decision, for each reference that differs:
//!
//! 1. Behind the kernel's fence the run can only have written where it was let; anything else was somebody else.
//! 2. The ticket's own branch and the worktree's own HEAD are nobody else's business: their change is the run's.
//! 3. A reflog entry in the run's own name (every git of the run gets a committer address of its own) is the run's;
//!    one in another name is not, unless the reference names a commit that only this run can have made.
//! 4. A branch that changed without a reflog entry, a reference that says something no git would write, and a branch
//!    that has gone while its reflog is still there were written by hand: no tool does that in daily work, so they are
//!    laid at the run's door.
//! 5. What is left (a tag without a reflog on an old commit, a branch that was deleted without a trace) cannot be told
//!    apart from the operator's doing. It is reported with its hashes and left alone.
//!
//! What is put back is put back under the reference's lock, only from the very value that was judged, with a reflog entry.
//! Commits are never lost by it: they stay in the object database and in the breach's evidence. HEAD of the operator's
//! checkout is put back only when it was written by hand; after a real switch its files belong to the other branch.
//! Configuration and hooks of the repository cannot be laid at anybody's door; changes there that make git run programs
//! are a breach that is not undone, others are reported. Behind the kernel's fence none of them can be the run's.

mod culprit;
mod files;
mod own;
mod undo;

use std::path::{Path, PathBuf};

use git2::Repository;

use super::hooks::HookFolder;
use super::{Breach, FenceRequest, Settlement};
use crate::base::repo::refs::{self, LogEntry, RefValue, Refs};
use crate::execute::isolation::{Worktree, standing};
use crate::plan::policy::{Gate, Policy};
use culprit::{Culprit, log_path};

/// Most things that changed meanwhile which are told one by one.
const TOLD: usize = 40;

/// Knows how references, links and configuration stood before the run.
#[derive(Debug)]
pub struct Guard {
    worktree: Worktree,
    policy: Policy,
    /// The shared `.git` folder.
    common: PathBuf,
    /// Where the run could write; empty without the kernel's fence.
    writable: Vec<PathBuf>,
    /// Committer address of the run.
    who: String,
    hooks: HookFolder,
    before: Refs,
    /// Newest reflog entry of each HEAD: a HEAD that changes without a new one was written by hand.
    heads: Vec<(String, Option<LogEntry>)>,
    files: files::Files,
}

/// One reference that differs.
struct Difference<'a> {
    name: &'a str,
    before: Option<&'a RefValue>,
    after: Option<&'a RefValue>,
}

impl Guard {
    pub(super) fn new(
        request: &FenceRequest<'_>,
        common: &Path,
        writable: &[PathBuf],
        who: String,
        hooks: HookFolder,
    ) -> Guard {
        let before = refs::read_all(common);
        let heads = before
            .keys()
            .filter(|name| name.ends_with("HEAD") && !name.starts_with("refs/"))
            .map(|name| (name.clone(), refs::log(&log_path(common, name)).into_iter().next()))
            .collect();
        Guard {
            worktree: request.worktree.clone(),
            policy: request.policy.clone(),
            common: common.to_path_buf(),
            writable: writable.to_vec(),
            who,
            hooks,
            before,
            heads,
            files: files::Files::read(common),
        }
    }

    /// Names of the references that are there before the run.
    pub(super) fn known(&self) -> impl Iterator<Item = String> {
        self.before.keys().filter(|name| name.starts_with("refs/")).cloned()
    }

    /// Compares with how everything stood and puts back what the run changed against the policy. Call once, when every
    /// process of the run is gone, before [`crate::execute::isolation::commit_all`].
    pub fn settle(self) -> Settlement {
        let mut found = Settlement { refused: self.hooks.refusals(), ..Settlement::default() };
        self.links(&mut found);
        match Repository::open(&self.common) {
            Ok(repo) => self.references(&repo, &mut found),
            Err(error) => found.breaches.push(Breach {
                rule: "git_config".to_owned(),
                what: "the repository cannot be opened any more, so references could not be compared"
                    .to_owned(),
                evidence: error.message().to_owned(),
                undone: false,
            }),
        }
        if self.writable.is_empty() {
            self.files.compare(&self.common, &mut found);
        }
        let told = found.meanwhile.len();
        if told > TOLD {
            found.meanwhile.truncate(TOLD);
            found.meanwhile.push(format!("and {} more references changed meanwhile", told - TOLD));
        }
        found
    }

    /// The files that join the worktree to the repository, and locks that a killed git left.
    fn links(&self, found: &mut Settlement) {
        if let Some(why) = standing::broken_links(&self.worktree) {
            let mended = standing::mend_links(&self.worktree);
            found.breaches.push(Breach {
                rule: "worktree".to_owned(),
                what: "the worktree was detached from its repository".to_owned(),
                evidence: why,
                undone: mended.is_ok() && standing::broken_links(&self.worktree).is_none(),
            });
        }
        let _ = standing::remove_locks(&self.worktree, &self.common);
    }

    fn references(&self, repo: &Repository, found: &mut Settlement) {
        let after = refs::read_all(&self.common);
        let made = self.made_by_run(&after);
        let mut differences: Vec<Difference<'_>> = self
            .before
            .keys()
            .chain(after.keys().filter(|name| !self.before.contains_key(*name)))
            .map(|name| Difference { name, before: self.before.get(name), after: after.get(name) })
            .filter(|difference| difference.before != difference.after)
            .collect();
        // New ones first: a branch `a/b` in the place of a deleted `a` must go before `a` can come back.
        differences.sort_by_key(|difference| difference.before.is_some());
        self.own_head(&after, found);
        self.own_branch(repo, &after, found);
        for difference in differences {
            if difference.name == self.worktree.branch_ref() || difference.name == self.own_head_name() {
                continue;
            }
            self.one(repo, &made, &difference, &after, found);
        }
    }

    /// Judges one reference that is not the ticket's own.
    fn one(
        &self,
        repo: &Repository,
        made: &[git2::Oid],
        difference: &Difference<'_>,
        after: &Refs,
        found: &mut Settlement,
    ) {
        let log = refs::log(&log_path(&self.common, difference.name));
        let Some((rule, allowed)) = self.rule(difference, &log) else { return };
        let name = difference.name;
        match self.culprit(repo, made, difference, &log) {
            Culprit::Run(how) => {
                if allowed {
                    return;
                }
                let undone = self.can_undo(difference, &log).and_then(|()| self.undo(repo, difference, rule));
                let mut evidence = format!("{name}: {}", told(difference));
                if let Err(why) = &undone {
                    evidence.push_str(&format!("; left as it is: {why}"));
                }
                found.breaches.push(Breach {
                    rule: rule.to_owned(),
                    what: format!("{name} was {} by the run ({how})", verb(difference)),
                    evidence,
                    undone: undone.is_ok(),
                });
            }
            Culprit::Other if is_of_another_ticket(name, after) || name.ends_with("HEAD") => {}
            Culprit::Other => found.meanwhile.push(format!(
                "{name} was {} meanwhile, not by the run: {}; left as it is",
                verb(difference),
                told(difference)
            )),
            Culprit::Unknown => found.meanwhile.push(format!(
                "{name} was {} meanwhile, and it cannot be told by whom: {}; left as it is",
                verb(difference),
                told(difference)
            )),
        }
    }

    /// The rule that a change falls under, and whether the policy lets the run make it; `None` when no rule is about it.
    fn rule(&self, difference: &Difference<'_>, log: &[LogEntry]) -> Option<(&'static str, bool)> {
        let policy = &self.policy;
        let name = difference.name;
        Some(match name {
            _ if name.starts_with("refs/heads/") => match (difference.before, difference.after) {
                (None, _) => (Gate::AllowBranchCreate.key(), policy.allow_branch_create),
                (Some(_), None) => (Gate::AllowBranchCreate.key(), false),
                (Some(_), Some(_)) => {
                    (Gate::AllowCommit.key(), policy.allow_commit && policy.allow_branch_create)
                }
            },
            _ if name.starts_with("refs/tags/") => (Gate::AllowTag.key(), policy.allow_tag),
            _ if name.starts_with("refs/remotes/") => {
                // Fetching is nobody's offence; a push notes itself.
                let pushed = log.first().is_some_and(|entry| entry.message.contains("update by push"));
                let broken = matches!(difference.after, Some(RefValue::Broken(_)));
                if !pushed && !broken {
                    return None;
                }
                (Gate::AllowPush.key(), policy.allow_push)
            }
            "refs/stash" => (Gate::AllowCommit.key(), policy.allow_commit),
            _ if name.starts_with("refs/notes/") => (Gate::AllowCommit.key(), policy.allow_commit),
            _ if name.starts_with("refs/") => (Gate::AllowBranchCreate.key(), policy.allow_branch_create),
            _ if difference.before.is_none() => ("worktree", policy.allow_branch_create),
            _ => (Gate::AllowBranchSwitch.key(), false),
        })
    }
}

fn verb(difference: &Difference<'_>) -> &'static str {
    match (difference.before, difference.after) {
        (None, _) => "made",
        (Some(_), None) => "deleted",
        (Some(_), Some(_)) => "moved",
    }
}

fn told(difference: &Difference<'_>) -> String {
    let text = |value: Option<&RefValue>| value.map_or_else(|| "nothing".to_owned(), ToString::to_string);
    format!("{} → {}", text(difference.before), text(difference.after))
}

/// Whether another worktree of ours has this branch out: its own run answers for it.
fn is_of_another_ticket(name: &str, after: &Refs) -> bool {
    after.iter().any(|(head, value)| {
        head.starts_with("worktrees/koru-") && *value == RefValue::Symbolic(name.to_owned())
    })
}
