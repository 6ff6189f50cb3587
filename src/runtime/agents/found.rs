//! What an agent did: references and files compared with what policy and ticket allow, and the commit that is made of
//! the rest. Git work, for blocking threads.

use std::sync::Arc;

use super::{Plan, breach_watch};
use crate::execute::fence::{self, Breach, Guard, Refusal, Settlement};
use crate::execute::isolation::{self, ChangedFile, Identity, Worktree};
use crate::execute::recorder::Recorder;
use crate::plan::ticket::Ticket;

/// What a run left.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    pub(super) breaches: Vec<Breach>,
    pub(super) changed: Vec<ChangedFile>,
    pub(super) commit: Option<String>,
    /// Commit that the ticket's branch is at.
    pub(super) head: String,
    pub(super) notes: Vec<String>,
}

impl Found {
    /// What the guard found.
    pub(super) fn of(settled: Settlement) -> Found {
        let mut found = Found { breaches: settled.breaches, notes: settled.meanwhile, ..Found::default() };
        found.notes.extend(settled.refused.iter().map(Refusal::sentence));
        found
    }

    /// Nothing could be compared.
    pub(super) fn trouble(why: &str) -> Found {
        let notes = vec![format!("what happened to the references cannot be told: {why}")];
        Found { notes, ..Found::default() }
    }

    /// Without secrets: what was found is shown, kept and put on record. Paths stay exact; they are compared.
    pub(super) fn cleaned(mut self, recorder: &Recorder) -> Found {
        for breach in &mut self.breaches {
            breach.what = recorder.clean(&breach.what);
            breach.evidence = recorder.clean(&breach.evidence);
        }
        self
    }
}

/// What looking at the work needs.
pub(super) struct Looking {
    pub(super) guard: Guard,
    pub(super) caught: Vec<Breach>,
    pub(super) round: Option<u32>,
    pub(super) worktree: Worktree,
    pub(super) ticket: Arc<Ticket>,
    pub(super) plan: Arc<Plan>,
}

impl Looking {
    /// Compares, undoes what is forbidden, and commits what is allowed.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub(super) fn look(self) -> Result<Found, String> {
        let policy = &self.plan.policy;
        let mut found = Found::of(self.guard.settle());
        let broken = !found.breaches.is_empty() || !self.caught.is_empty();
        match self.compare(&mut found) {
            // What is known already counts, whatever else cannot be.
            Err(why) if broken => found.notes.push(why),
            compared => compared?,
        }
        breach_watch::join(&mut found.breaches, self.caught);
        if found.breaches.is_empty() {
            let name = &self.plan.name;
            let round = self.round.map(|round| format!(" Round {round}.")).unwrap_or_default();
            let message =
                format!("{}: {}\n\nWorked by the agent {name}.{round}\n", self.ticket.id, self.ticket.name);
            let committed = isolation::commit_all(&self.worktree, &message, &Identity::default(), policy)
                .map_err(|error| error.to_string())?;
            found.commit = committed.commit;
            found
                .notes
                .extend(committed.left_out.iter().map(|path| format!("left out of the commit: {path}")));
            found.head = isolation::tip(&self.worktree).map_err(|error| error.to_string())?;
        }
        Ok(found)
    }

    /// Base against files.
    fn compare(&self, found: &mut Found) -> Result<(), String> {
        let survey = isolation::survey(&self.worktree).map_err(|error| error.to_string())?;
        found.breaches.extend(fence::judge(&self.worktree, &survey, &self.plan.policy, &self.ticket.files));
        found.changed = isolation::changes(&self.worktree).map_err(|error| error.to_string())?;
        Ok(())
    }
}
