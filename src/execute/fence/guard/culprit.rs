//! Who changed a reference (the decision stands at the top of [`super`]).

use std::path::{Path, PathBuf};

use git2::{Oid, Repository};

use super::{Difference, Guard};
use crate::base::repo::refs::{self, LogEntry, RefValue, Refs};

/// Whose doing a change is.
pub(super) enum Culprit {
    /// The run's, and how that is known.
    Run(&'static str),
    /// Somebody else's.
    Other,
    /// Nothing tells.
    Unknown,
}

/// The reflog of a reference; of `HEAD` and `worktrees/<name>/HEAD` too.
pub(super) fn log_path(common: &Path, name: &str) -> PathBuf {
    match name.strip_suffix("/HEAD").filter(|rest| rest.starts_with("worktrees/")) {
        Some(worktree) => common.join(worktree).join("logs/HEAD"),
        None => common.join("logs").join(name),
    }
}

impl Guard {
    /// Tips of what only this run can have made: where the ticket's branch and the worktree's HEAD are and have been
    /// since the run began.
    pub(super) fn made_by_run(&self, after: &Refs) -> Vec<Oid> {
        let branch = self.worktree.branch_ref();
        let logged = refs::log(&self.worktree.git_dir.join("logs/HEAD")).into_iter();
        let newest_before = self.heads.iter().find(|(name, _)| *name == self.own_head_name());
        let newest_before = newest_before.and_then(|(_, entry)| entry.clone());
        let mut tips: Vec<Oid> =
            logged.take_while(|entry| Some(entry) != newest_before.as_ref()).map(|entry| entry.new).collect();
        tips.extend([branch, self.own_head_name()].iter().filter_map(|name| after.get(name)?.id()));
        let old: Vec<Oid> = self.before.values().filter_map(RefValue::id).collect();
        tips.retain(|tip| !old.contains(tip));
        tips
    }

    pub(super) fn own_head_name(&self) -> String {
        let name = self.worktree.git_dir.file_name().unwrap_or_default();
        format!("worktrees/{}/HEAD", name.to_string_lossy())
    }

    pub(super) fn culprit(
        &self,
        repo: &Repository,
        made: &[Oid],
        difference: &Difference<'_>,
        log: &[LogEntry],
    ) -> Culprit {
        if !self.could_write(difference.name) {
            return Culprit::Other;
        }
        if difference.name.ends_with("HEAD") && !difference.name.starts_with("refs/") {
            return self.culprit_of_head(difference, log);
        }
        if matches!(difference.after, Some(RefValue::Broken(_))) {
            return Culprit::Run("written by hand");
        }
        let after = difference.after.and_then(RefValue::id);
        if after.is_some_and(|after| self.is_made(repo, made, after)) {
            return Culprit::Run("it names a commit of the run");
        }
        match (log.first(), after) {
            (Some(newest), Some(after)) if newest.new == after => {
                let run = since(difference, log).any(|entry| entry.email == self.who);
                if run { Culprit::Run("its reflog says so") } else { Culprit::Other }
            }
            (Some(newest), None) if Some(newest.new) == difference.before.and_then(RefValue::id) => {
                Culprit::Run("deleted by hand: its reflog is still there")
            }
            (_, Some(_)) if difference.name.starts_with("refs/heads/") && has_reflogs(repo) => {
                Culprit::Run("written by hand: no reflog knows of it")
            }
            _ => Culprit::Unknown,
        }
    }

    fn culprit_of_head(&self, difference: &Difference<'_>, log: &[LogEntry]) -> Culprit {
        let old = self.heads.iter().find(|(name, _)| name == difference.name);
        let Some((_, old)) = old else {
            let run = log.iter().any(|entry| entry.email == self.who);
            return if run { Culprit::Run("its reflog says so") } else { Culprit::Unknown };
        };
        match log.first() {
            newest if newest == old.as_ref() => Culprit::Run("written by hand: no reflog knows of it"),
            Some(newest) if newest.email == self.who => Culprit::Run("its reflog says so"),
            _ => Culprit::Other,
        }
    }

    /// Whether the kernel's fence, if there is one, let the run write this reference.
    pub(in crate::execute::fence) fn could_write(&self, name: &str) -> bool {
        let path = self.common.join(name);
        self.writable.is_empty() || self.writable.iter().any(|folder| path.starts_with(folder))
    }

    /// Whether `id` (a commit, or a tag of one) is one that only this run can have made.
    fn is_made(&self, repo: &Repository, made: &[Oid], id: Oid) -> bool {
        let commit = repo.find_object(id, None).and_then(|object| object.peel_to_commit());
        let Ok(commit) = commit.map(|commit| commit.id()) else { return false };
        let of_run = |tip: &Oid| *tip == commit || repo.graph_descendant_of(*tip, commit).unwrap_or(false);
        made.iter().any(of_run) && self.is_new(repo, commit).unwrap_or(false)
    }

    /// Whether no reference from before the run had `commit` in its history.
    fn is_new(&self, repo: &Repository, commit: Oid) -> Result<bool, git2::Error> {
        let mut walk = repo.revwalk()?;
        walk.push(commit)?;
        for old in self.before.values().filter_map(RefValue::id) {
            // A tag of something else than a commit hides nothing.
            let _ = walk.hide(old);
        }
        Ok(walk.next().is_some())
    }
}

/// The entries that were added since the reference stood at its old value, newest first.
pub(super) fn since<'a>(
    difference: &Difference<'_>,
    log: &'a [LogEntry],
) -> impl Iterator<Item = &'a LogEntry> {
    let before = difference.before.and_then(RefValue::id);
    log.iter().take_while(move |entry| Some(entry.new) != before)
}

/// Whether git writes reflogs for branches here.
fn has_reflogs(repo: &Repository) -> bool {
    let config = repo.config().and_then(|mut config| config.snapshot());
    config.map_or(true, |config| match config.get_string("core.logallrefupdates") {
        Ok(value) => !matches!(value.to_ascii_lowercase().as_str(), "false" | "no" | "off" | "0"),
        Err(_) => !repo.is_bare(),
    })
}
