//! What consoles read: one snapshot, made anew when anything changed and swapped as a whole.

use std::sync::{Arc, PoisonError};

use super::Supervisor;
use crate::runtime::protocol::{PROTOCOL, QueueView, RunView, Snapshot};

/// Ended runs that a session keeps in view.
const PAST_RUNS: usize = 200;

impl Supervisor {
    /// Publishes a snapshot if anything changed.
    pub(super) fn publish(&mut self) {
        if !std::mem::take(&mut self.dirty) {
            return;
        }
        self.revision += 1;
        let snapshot = Arc::new(self.snapshot());
        *self.shared.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
        self.outbox.changed(self.revision);
    }

    fn snapshot(&self) -> Snapshot {
        let active = self.runs.iter().map(|run| Arc::clone(&run.view));
        Snapshot {
            version: PROTOCOL,
            revision: self.revision,
            root: self.options.root.display().to_string(),
            name: crate::runtime::project_name(&self.view.plan.project, &self.options.root),
            branch: self.branch.clone(),
            health: self.view.health.clone(),
            plan: Arc::clone(&self.view.plan),
            order: Arc::clone(&self.view.order),
            runs: active.chain(self.past.iter().cloned()).collect(),
            queue: QueueView {
                running: self.queue.running,
                jobs: self.queue.jobs,
                active: u32::try_from(self.busy()).unwrap_or(u32::MAX),
            },
            held: self.queue.held.clone(),
            actor: self.options.actor.clone(),
            agents: self.staff.names.clone(),
            servers: self.staff.servers.clone(),
            cost_today: self.cost_today(),
            day_usd: self.staff.day_usd,
            reviews: self.reviews.shown.clone(),
            promotions: Arc::clone(&self.promotions.view),
        }
    }

    /// Moves a run's view to the past.
    pub(super) fn keep_past(&mut self, view: Arc<RunView>) {
        self.past.insert(0, view);
        self.past.truncate(PAST_RUNS);
        self.dirty = true;
    }
}
