//! Runs of a drain: claimed, launched, followed to their end, recorded in their ticket.

use std::sync::Arc;

use super::TickStatus;
use super::engine::{Engine, Mail, Purpose};
use super::ticks::{Now, Slot};
use crate::execute::outcome::{Ending, Outcome};
use crate::execute::stop::Stop;
use crate::plan::store::{MutateError, Mutated};
use crate::plan::ticket::Ticket;
use crate::runtime::ending;
use crate::runtime::launch::{Launched, RunNotice, launch};

/// How often the end of a run is written again after the ticket changed meanwhile.
const FINISH_TRIES: u32 = 5;

/// How often somebody else may be faster with a ticket that still looks runnable before that is an error.
const RACES: u32 = 3;

/// One run.
#[derive(Debug)]
pub(super) struct Active {
    /// The ticket as claimed.
    pub(super) ticket: Arc<Ticket>,
    slot: Slot,
    pub(super) launched: Launched,
    outcome: Option<Box<Outcome>>,
}

impl Engine<'_> {
    /// Sends the claim.
    pub(super) fn begin(&mut self, ticket: Arc<Ticket>) {
        let slot = self.ticks.dispatch(Some(&ticket));
        self.run_order.take(&ticket.id);
        self.starting.push(Arc::clone(&ticket));
        let step = self.claimant.claim(&ticket, self.options.clock.now());
        self.steps.push((step, Purpose::Start(slot, ticket)));
    }

    /// The claim is durable: the run begins.
    pub(super) fn started(&mut self, slot: Slot, ticket: &Arc<Ticket>, result: Result<Mutated, MutateError>) {
        let claimed = match result {
            Ok(mutated) => mutated.ticket,
            Err(error) => return self.not_started(slot, ticket, &error),
        };
        self.starting.retain(|starting| starting.id != ticket.id);
        *self.attempts.entry(claimed.id.clone()).or_default() += 1;
        let post = self.post.clone();
        let launched = launch(&self.ground, &claimed, self.order(&claimed), move |run, notice| {
            let _ = post.send(Mail::Run(Arc::clone(run), notice));
        });
        if self.options.stop.is_cancelled() {
            launched.stopper.at_least(Stop::Polite);
        }
        self.active.push(Active { ticket: claimed, slot, launched, outcome: None });
    }

    /// Somebody else was faster, which is no error: the ticket is looked at again. Unless it keeps happening, or the
    /// planfile cannot be written.
    fn not_started(&mut self, slot: Slot, ticket: &Arc<Ticket>, error: &MutateError) {
        self.starting.retain(|starting| starting.id != ticket.id);
        self.run_order.distrust();
        let message = format!("{} was not started: {error}", ticket.id);
        let status = match error {
            MutateError::NoTicket(_) | MutateError::Changed { .. } | MutateError::Refused(_) => {
                let races = self.races.entry(ticket.id.clone()).or_default();
                *races += 1;
                if *races < RACES {
                    let at = self.options.clock.now();
                    return self.ticks.withdraw(slot, Now { at, io: self.io });
                }
                TickStatus::ClaimFailed
            }
            _ => TickStatus::PlanfileError,
        };
        self.halted = true;
        self.settle(slot, status, &message);
    }

    pub(super) fn take_notice(&mut self, id: &Arc<str>, notice: RunNotice) {
        let Some(at) = self.active.iter().position(|run| run.launched.id == *id) else { return };
        match notice {
            RunNotice::Batch(batch) => {
                let lines = Vec::from(batch.lines);
                if !lines.is_empty() {
                    self.io.output(&self.active[at].ticket.id, &lines);
                }
            }
            RunNotice::Over(outcome) => {
                let mut run = self.active.remove(at);
                let awaited = outcome.succeeded() && self.run_order.is_blocker(&run.ticket.id);
                run.outcome = Some(outcome);
                self.ending.push((run, awaited));
                self.record_end(id, 1);
            }
        }
    }

    fn record_end(&mut self, id: &Arc<str>, tries: u32) {
        let Some((run, _)) = self.ending.iter().find(|(run, _)| run.launched.id == *id) else { return };
        let Some(outcome) = &run.outcome else { return };
        let op = ending::operation(outcome, &self.options.actor, &run.launched.label);
        let found = self.view.plan.ticket(&run.ticket.id).unwrap_or(&run.ticket);
        let step = self.claimant.step_on(found, op);
        self.steps.push((step, Purpose::Finish(Arc::clone(id), tries)));
    }

    /// The end of a run was written, or not.
    pub(super) fn finished(&mut self, id: &Arc<str>, tries: u32, result: Result<Mutated, MutateError>) {
        let Some(at) = self.ending.iter().position(|(run, _)| run.launched.id == *id) else { return };
        if let Err(MutateError::Changed { .. }) = &result
            && tries < FINISH_TRIES
            && self.still_ours(at)
        {
            return self.record_end(id, tries + 1);
        }
        let (run, awaited) = self.ending.remove(at);
        let Some(outcome) = run.outcome else { return };
        let (status, message) = match &result {
            Ok(mutated) => {
                if awaited || !outcome.succeeded() {
                    self.run_order.distrust();
                }
                let attempts = self.attempts.get(&mutated.ticket.id).copied().unwrap_or(0);
                if attempts >= mutated.ticket.execution.max_attempts.max(1) {
                    // Whatever the file says by then, one drain tries no more often than it was allowed to.
                    self.passed.insert(mutated.ticket.id.clone());
                }
                (status(&outcome), message(&outcome, &run.launched.label))
            }
            Err(
                error @ (MutateError::Changed { .. } | MutateError::NoTicket(_) | MutateError::Refused(_)),
            ) => {
                self.run_order.distrust();
                let message = format!(
                    "{} was taken away while it ran ({error}); its end is kept in runs/{id} only",
                    run.ticket.id
                );
                (TickStatus::Failed, message)
            }
            Err(error) => {
                self.halted = true;
                (TickStatus::PlanfileError, format!("the end of {} was not written: {error}", run.ticket.id))
            }
        };
        let at = self.options.clock.now();
        self.ticks.settle_run(run.slot, status, message, &outcome, Now { at, io: self.io });
    }

    /// Whether the ticket of an ended run is still held by us, as the plan says now.
    fn still_ours(&self, at: usize) -> bool {
        self.ending.get(at).is_some_and(|(run, _)| {
            let found = self.view.plan.ticket(&run.ticket.id);
            found.is_some_and(|ticket| self.claimant.holds(ticket))
        })
    }

    /// The caller wants to end: runs are stopped by the ladder, their tickets released.
    pub(super) fn stop_all(&mut self) {
        self.halted = true;
        for run in &self.active {
            run.launched.stopper.at_least(Stop::Polite);
        }
    }
}

fn status(outcome: &Outcome) -> TickStatus {
    match outcome.ending {
        Ending::Succeeded => TickStatus::Completed,
        Ending::Failed | Ending::TimedOut => TickStatus::Failed,
        Ending::Stopped => TickStatus::Interrupted,
        Ending::Waiting => TickStatus::WaitingInput,
        Ending::Violation => TickStatus::PolicyDenied,
    }
}

/// What koru says of a run: what was executed, or why it failed.
fn message(outcome: &Outcome, label: &str) -> String {
    match outcome.ending {
        Ending::Succeeded => outcome.label.as_deref().unwrap_or(label).to_owned(),
        Ending::Failed | Ending::TimedOut | Ending::Stopped | Ending::Waiting | Ending::Violation => {
            outcome.error_text()
        }
    }
}
