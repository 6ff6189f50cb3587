//! Putting a reference back as it was before the run.

use std::path::Path;

use git2::{Repository, Signature};

use super::culprit::{log_path, since};
use super::{Act, Difference, Guard};
use crate::base::repo::moving::move_reference;
use crate::base::repo::refs::{LogEntry, RefValue};
use crate::execute::isolation::{Identity, standing};

impl Guard {
    /// Puts one breach back; why it must stay, if so.
    pub(super) fn act(&self, repo: &Repository, act: &Act<'_>) -> Result<(), String> {
        match act {
            Act::Head => self.put_head_back().map_err(|error| error.to_string()),
            Act::Branch { now, to } => {
                self.put_branch_back(repo, now.as_ref(), *to).map_err(|error| error.message().to_owned())
            }
            Act::PutBack { difference, log, rule } => {
                self.can_undo(difference, log).and_then(|()| self.undo(repo, difference, rule))
            }
        }
    }

    /// Why a change of the run must stay, if so.
    fn can_undo(&self, difference: &Difference<'_>, log: &[LogEntry]) -> Result<(), String> {
        let name = difference.name;
        if name == "refs/stash" {
            return Err("the stash may hold work; see `git stash list`".to_owned());
        }
        if name.starts_with("refs/remotes/") && difference.after.and_then(RefValue::id).is_some() {
            return Err("the remote has it; take it back there".to_owned());
        }
        if !name.starts_with("refs/") {
            let logged = self.heads.iter().find(|(head, _)| head == name).map(|(_, newest)| newest.as_ref());
            return match logged {
                Some(newest) if newest == log.first() => Ok(()),
                Some(_) => Err("its files were switched with it; switch back there".to_owned()),
                None => Err("it may hold work; see `git worktree list`".to_owned()),
            };
        }
        if since(difference, log).any(|entry| entry.email != self.who)
            && since(difference, log).any(|entry| entry.email == self.who)
        {
            return Err("somebody else moved it on since; both are in its reflog".to_owned());
        }
        Ok(())
    }

    /// Puts the reference back, if it still is as it was judged.
    fn undo(&self, repo: &Repository, difference: &Difference<'_>, rule: &str) -> Result<(), String> {
        let name = difference.name;
        let text = |error: git2::Error| error.message().to_owned();
        if !name.starts_with("refs/") {
            let before = difference.before.ok_or("it was not there before")?;
            let path = self.common.join(name);
            let written =
                standing::remove_file(&path).and_then(|()| std::fs::write(&path, format!("{before}\n")));
            return written.map_err(|error| error.to_string());
        }
        let from = match difference.after {
            None => None,
            Some(RefValue::Id(id)) => Some(*id),
            Some(RefValue::Symbolic(_) | RefValue::Broken(_)) => {
                remove_loose(&self.common, name).map_err(text)?;
                // An older value may stand in packed-refs below.
                repo.refname_to_id(name).ok()
            }
        };
        let identity = Identity::default();
        let who = Signature::now(&identity.name, &identity.email).map_err(text)?;
        let message = format!("koru-tui: undo what the run did against {rule}");
        match difference.before {
            None if from.is_none() => {}
            None => move_reference(repo, name, from, None, &who, &message).map_err(text)?,
            Some(RefValue::Id(id)) if from == Some(*id) => {}
            Some(RefValue::Id(id)) => {
                move_reference(repo, name, from, Some(*id), &who, &message).map_err(text)?;
            }
            Some(RefValue::Symbolic(target)) => {
                repo.reference_symbolic(name, target, true, &message).map_err(text)?;
            }
            Some(RefValue::Broken(_)) => return Err("it was broken before".to_owned()),
        }
        if difference.before.is_none() {
            let _ = standing::remove_file(&log_path(&self.common, name));
        }
        Ok(())
    }
}

/// Takes away the file of a reference that says what no git would write.
pub(super) fn remove_loose(common: &Path, name: &str) -> Result<(), git2::Error> {
    standing::remove_file(&common.join(name)).map_err(|error| git2::Error::from_str(&error.to_string()))
}
