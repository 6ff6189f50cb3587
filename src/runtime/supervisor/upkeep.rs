//! What time does: leases move on, silence becomes a stall, dead holders' tickets are found and expired ones swept.
//!
//! There is one deadline, computed anew each turn, and none at all when nothing is due.

use std::sync::Arc;

use tokio::time::Instant;

use super::starts::until;
use super::{Mail, Purpose, Supervisor};
use crate::plan::store::{MutateError, Mutated, Step};
use crate::plan::ticket::{Ticket, TicketId};
use crate::runtime::holder::{Life, life_of};
use crate::runtime::interrupted::{self, Interrupted};
use crate::runtime::leases;
use crate::runtime::protocol::RunState;

/// Deadlines that do not follow from the runs alone.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    /// When the leases of all runs are moved on; `None` without runs.
    pub(super) renew_at: Option<Instant>,
    /// The next lease end as of the last look.
    expiry: Option<jiff::Timestamp>,
}

impl Supervisor {
    /// The next moment at which something is due.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        let now = self.now();
        let running = self.runs.iter().filter(|run| run.view.state == RunState::Running);
        let stall = running.map(|run| run.heard_at + run.stall_after(&self.options)).min();
        let expiry = self.next_expiry().map(|at| Instant::now() + until(at, now));
        let again = self.queue.next_try().map(|at| Instant::now() + until(at, now));
        let closing = self.closing.as_ref().and_then(super::closing::Closing::wake_at);
        [self.upkeep.renew_at, stall, expiry, again, closing].into_iter().flatten().min()
    }

    /// The next end of somebody else's lease: the order changes then.
    fn next_expiry(&self) -> Option<jiff::Timestamp> {
        let own = self.ground.holder.to_string();
        leases::next_expiry(&self.view.plan.tickets, &own, self.now())
    }

    /// Does what is due.
    pub(super) fn upkeep(&mut self) {
        let now = Instant::now();
        for run in &mut self.runs {
            let silent = now >= run.heard_at + run.stall_after(&self.options);
            if run.view.state == RunState::Running && silent && run.outcome.is_none() {
                Arc::make_mut(&mut run.view).state = RunState::Stalled;
                self.dirty = true;
            }
        }
        if self.upkeep.renew_at.is_some_and(|at| now >= at) {
            self.renew();
        }
        self.escalate_closing();
        let expiry = self.next_expiry();
        if self.upkeep.expiry != expiry {
            // A lease ended since the last look: what it held back may run now.
            self.upkeep.expiry = expiry;
            self.storage.reorder();
        }
        self.look_for_interrupted();
        self.sweep();
        // Time alone may have made a waiting ticket startable; `fill` runs after each turn.
    }

    /// Moves the leases of all runs on, in one write.
    fn renew(&mut self) {
        let now = self.now();
        let held: Vec<_> =
            self.runs.iter().filter(|run| run.outcome.is_none() && run.lost.is_none()).collect();
        let renewals: Vec<(Step, Purpose)> = held
            .into_iter()
            .map(|run| {
                let step = self.claimant.renewal(&run.ticket, now);
                (step, Purpose::Renew { run: Arc::clone(&run.launched.id) })
            })
            .collect();
        self.steps.extend(renewals);
        self.upkeep.renew_at = Some(Instant::now() + self.options.lease / 3);
    }

    /// Releases tickets whose lease is over and whose holder is not known to live. Only while the queue runs: a person
    /// who only looks changes nothing. Interrupted runs in view wait for the operator's decision instead.
    fn sweep(&mut self) {
        if !self.queue.running || self.closing.is_some() {
            return;
        }
        let now = self.now();
        let expired: Vec<Arc<Ticket>> = leases::expired(&self.view.plan.tickets, &self.ground.holder, now)
            .filter(|ticket| !self.is_interrupted(&ticket.id) && !self.starting.contains(&ticket.id))
            .cloned()
            .collect();
        for ticket in expired {
            let step = self.claimant.step_on(&ticket, leases::release(&ticket));
            self.step(step, Purpose::Tidy { ticket: ticket.id.clone() });
        }
    }

    fn is_interrupted(&self, id: &TicketId) -> bool {
        self.past.iter().any(|view| view.ticket == *id && view.state == RunState::Interrupted)
    }

    pub(super) fn tidied(&mut self, id: &TicketId, result: Result<Mutated, MutateError>) {
        if let Err(error) = result {
            tracing::info!(ticket = id.as_str(), %error, "a ticket was not tidied; it changed meanwhile");
        }
    }

    /// Looks for tickets in progress whose holder on this machine is dead, and drops those that were decided since.
    pub(super) fn look_for_interrupted(&mut self) {
        let own = &self.ground.holder;
        let dead: Vec<Arc<Ticket>> = self
            .view
            .plan
            .tickets
            .iter()
            .filter(|ticket| leases::is_running(ticket))
            .filter(|ticket| {
                let holder = ticket.execution.assigned_to.as_deref().unwrap_or_default();
                life_of(holder, own) == Life::Dead
            })
            .cloned()
            .collect();
        let before = self.past.len();
        self.past.retain(|view| {
            view.state != RunState::Interrupted || dead.iter().any(|ticket| ticket.id == view.ticket)
        });
        self.dirty |= self.past.len() != before;
        let new: Vec<Arc<Ticket>> =
            dead.into_iter().filter(|ticket| !self.is_interrupted(&ticket.id)).collect();
        if new.is_empty() {
            return;
        }
        let (runs, post) = (self.paths.runs(), self.post.clone());
        self.files.work(move || {
            let _ = post.send(Mail::Found(interrupted::find(&runs, &new)));
        });
    }

    pub(super) fn take_found(&mut self, found: Vec<Interrupted>) {
        for one in found {
            let still = self.view.ticket(&one.view.ticket).is_some_and(|ticket| leases::is_running(ticket));
            if still && !self.is_interrupted(&one.view.ticket) {
                self.keep_past(Arc::new(one.view));
            }
        }
    }
}
