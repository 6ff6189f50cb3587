//! Gates between worker and reviewer: what lies in the worktree becomes the commit of the round, is checked, and is as it
//! was committed when the gates are done. What they leave behind (reports, caches, lock files) is nobody's work: it is
//! taken away, so that neither the next round nor a person's decision mistakes it for some.

use super::super::found::Found;
use super::{Loop, Turned, fixes, is_stopped};
use crate::execute::fence;
use crate::execute::isolation;
use crate::verify::cycle::Input;
use crate::verify::gates::Consequence;
use crate::verify::gates::waiver::waiver;

impl Loop<'_> {
    /// Gates on what the worker left. What somebody changed by hand since is part of the round, under the same rules.
    pub(super) async fn check(&mut self) -> Result<Turned, String> {
        let head = match self.head().await? {
            Ok(head) => head,
            Err(found) => return Ok(self.violated(*found).await),
        };
        let kept = head.clone();
        self.book.gated(Some(head.clone()));
        self.book.change(|round| round.head = Some(kept)).await?;
        let (report, broke) =
            self.run.checked_clean(self.plan, &self.place, &head, self.stop.clone(), self.recorder).await?;
        self.book.gated(None);
        let stopped = is_stopped(&self.stop);
        let results = if stopped { Vec::new() } else { report.results.clone() };
        self.book.put(|round| round.gates = results);
        if stopped || !broke.is_empty() {
            self.book.change(|_| ()).await?;
        }
        if !broke.is_empty() {
            let mut left = match self.left.take() {
                Some(left) => left,
                None => self.as_found().await,
            };
            left.found.breaches = broke;
            self.left = Some(left);
            return Ok(Turned::Over(Box::new(self.told(|told| told.violation()).await)));
        }
        if stopped {
            return Ok(Turned::Over(Box::new(self.told(|told| told.stopped()).await)));
        }
        let red = matches!(
            report.consequence(&self.plan.policy, waiver(self.run.ticket).as_ref()),
            Consequence::Fail { .. }
        );
        if red {
            let verdict = fixes::verdict(&report, &head);
            self.recorder.note(&format!("[gates: {}; no reviewer is asked]", report.summary()));
            self.book.put(|round| round.verdict = Some(verdict));
        }
        Ok(Turned::Tell(Input::Checked { head, red }))
    }

    /// The commit of the round, with whatever lies in the worktree by now; or what of it may not be committed, whoever
    /// left it there.
    async fn head(&mut self) -> Result<Result<String, Box<Found>>, String> {
        if let Some(left) = &self.left {
            return Ok(Ok(left.found.head.clone()));
        }
        let (worktree, policy) = (self.place.worktree.clone(), self.plan.policy.clone());
        let (ticket, number) = (self.run.ticket.clone(), self.book.round().number);
        let commit = move || -> Result<Result<String, Box<Found>>, isolation::WorktreeError> {
            let survey = isolation::survey(&worktree)?;
            let breaches = fence::judge(&worktree, &survey, &policy, &ticket.files);
            if !breaches.is_empty() {
                let changed = isolation::changes(&worktree)?;
                return Ok(Err(Box::new(Found { breaches, changed, ..Found::default() })));
            }
            let message = format!("{}: round {number}, as it was found\n", ticket.id);
            isolation::commit_all(&worktree, &message, &isolation::Identity::default(), &policy)?;
            isolation::tip(&worktree).map(Ok)
        };
        let committed = tokio::task::spawn_blocking(commit).await;
        let committed = committed.map_err(|error| format!("committing failed: {error}"))?;
        committed.map_err(|error| error.to_string())
    }

    /// What lies there breaks the policy: it is on record, nobody judges it, and a person has to see to it.
    async fn violated(&mut self, found: Found) -> Turned {
        let found = found.cleaned(self.recorder);
        self.run.present(self.plan, &found, self.recorder).await;
        let mut left = self.as_found().await;
        left.found = found;
        self.left = Some(left);
        Turned::Over(Box::new(self.told(|told| told.violation()).await))
    }
}
