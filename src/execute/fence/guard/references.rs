//! Which references differ from how they stood, and which of the differences are the run's against the policy.
//!
//! Judging changes nothing; [`super::undo`] puts back what was judged.

use git2::{Oid, Repository};

use super::culprit::{Culprit, log_path};
use super::{Act, Breach, Difference, Finding, Guard};
use crate::base::repo::refs::{self, LogEntry, RefValue, Refs};
use crate::plan::policy::Gate;

impl Guard {
    /// What differs from how everything stood, new references first: a branch `a/b` in the place of a deleted `a` must
    /// go before `a` can come back.
    pub(super) fn differences<'a>(&'a self, after: &'a Refs) -> Vec<Difference<'a>> {
        let mut differences: Vec<Difference<'_>> = self
            .before
            .keys()
            .chain(after.keys().filter(|name| !self.before.contains_key(*name)))
            .map(|name| Difference { name, before: self.before.get(name), after: after.get(name) })
            .filter(|difference| difference.before != difference.after)
            .collect();
        differences.sort_by_key(|difference| difference.before.is_some());
        differences
    }

    /// The breaches among `differences`, which `after` has; what else changed is told in `meanwhile`.
    pub(super) fn findings<'a>(
        &self,
        repo: &Repository,
        after: &'a Refs,
        differences: Vec<Difference<'a>>,
        meanwhile: &mut Vec<String>,
    ) -> Vec<Finding<'a>> {
        let made = self.made_by_run(after);
        let mut found: Vec<Finding<'_>> = self.own_head(after).into_iter().collect();
        found.extend(self.own_branch(repo, after));
        for difference in differences {
            let own =
                difference.name == self.worktree.branch_ref() || difference.name == self.own_head_name();
            if !own {
                found.extend(self.one(repo, &made, difference, after, meanwhile));
            }
        }
        found
    }

    /// Judges one reference that is not the ticket's own.
    fn one<'a>(
        &self,
        repo: &Repository,
        made: &[Oid],
        difference: Difference<'a>,
        after: &Refs,
        meanwhile: &mut Vec<String>,
    ) -> Option<Finding<'a>> {
        let log = refs::log(&log_path(&self.common, difference.name));
        let (rule, allowed) = self.rule(&difference, &log)?;
        let name = difference.name;
        let by_whom = match self.culprit(repo, made, &difference, &log) {
            Culprit::Run(_) if allowed => return None,
            Culprit::Run(how) => {
                let breach = Breach {
                    rule: rule.to_owned(),
                    what: format!("{name} was {} by the run ({how})", verb(&difference)),
                    evidence: format!("{name}: {}", told(&difference)),
                    undone: false,
                };
                return Some(Finding { breach, act: Act::PutBack { difference, log, rule } });
            }
            Culprit::Other if is_of_another_ticket(name, after) || name.ends_with("HEAD") => return None,
            Culprit::Other => "not by the run",
            Culprit::Unknown => "and it cannot be told by whom",
        };
        meanwhile.push(format!(
            "{name} was {} meanwhile, {by_whom}: {}; left as it is",
            verb(&difference),
            told(&difference)
        ));
        None
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
