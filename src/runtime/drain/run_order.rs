//! The run order of a drain, kept up to date without computing it anew for each of ten thousand tickets.
//!
//! A ticket that nobody waits for leaves the order of all others as it was, so it is only taken out. The order is
//! computed again when a ticket that others wait for ended, and when the plan changed in any way that was not our doing
//! (the store shares the tickets that did not change, so that is a comparison of addresses).

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use crate::plan::queue::{Scope, order};
use crate::plan::store::Plan;
use crate::plan::ticket::{Ticket, TicketId};

/// Runnable tickets in run order, as of one plan.
#[derive(Debug)]
pub(super) struct RunOrder {
    scope: Scope,
    plan: Arc<Plan>,
    queue: VecDeque<TicketId>,
    /// Tickets that an unfinished ticket names as its blocker.
    blockers: HashSet<TicketId>,
    /// Tickets that this drain has written.
    ours: HashSet<TicketId>,
    stale: bool,
}

impl RunOrder {
    /// An empty line; the first [`RunOrder::follow`] fills it.
    pub(super) fn new(scope: Scope) -> Self {
        Self {
            scope,
            plan: Arc::default(),
            queue: VecDeque::new(),
            blockers: HashSet::new(),
            ours: HashSet::new(),
            stale: true,
        }
    }

    /// Takes over the plan as it is now.
    pub(super) fn follow(&mut self, plan: &Arc<Plan>, now: Timestamp) {
        if !Arc::ptr_eq(&self.plan, plan) {
            self.stale |= !self.only_ours_changed(plan);
            self.plan = Arc::clone(plan);
        }
        if std::mem::take(&mut self.stale) {
            self.compute(now);
        }
    }

    /// Tickets in line, next first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Ticket>> {
        self.queue.iter().filter_map(|id| self.plan.ticket(id))
    }

    /// Takes a ticket out of the line because we are about to write it.
    pub(super) fn take(&mut self, id: &TicketId) {
        if self.queue.front() == Some(id) {
            self.queue.pop_front();
        } else {
            self.queue.retain(|other| other != id);
        }
        self.ours.insert(id.clone());
    }

    /// Whether others wait for this ticket: its end changes the order.
    pub(super) fn is_blocker(&self, id: &TicketId) -> bool {
        self.blockers.contains(id)
    }

    /// The order must be computed again before it is used.
    pub(super) fn distrust(&mut self) {
        self.stale = true;
    }

    fn compute(&mut self, now: Timestamp) {
        self.queue = order(&self.plan.tickets, &self.scope, now).runnable.into();
        let waiting = self.plan.tickets.iter().filter(|ticket| !ticket.status.satisfies_dependants());
        self.blockers = waiting.flat_map(|ticket| ticket.blocked_by.iter().cloned()).collect();
    }

    /// Whether `plan` differs from ours in tickets that we wrote only.
    fn only_ours_changed(&self, plan: &Plan) -> bool {
        let (mut old, mut new) = (self.plan.tickets.iter().peekable(), plan.tickets.iter().peekable());
        loop {
            match (old.peek(), new.peek()) {
                (None, None) => return true,
                (Some(one), Some(other)) if Arc::ptr_eq(one, other) => {
                    old.next();
                    new.next();
                }
                (Some(one), _) if self.ours.contains(&one.id) => {
                    old.next();
                }
                (_, Some(other)) if self.ours.contains(&other.id) => {
                    new.next();
                }
                _ => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ticket::{Executor, ExecutorKind, Status};

    fn ticket(n: u32) -> Ticket {
        Ticket {
            id: TicketId::new(format!("PLF-{n}")),
            sprint: "current".to_owned(),
            executor: Executor { kind: ExecutorKind::Shell, ..Executor::default() },
            ..Ticket::default()
        }
    }

    fn plan(tickets: &[Arc<Ticket>]) -> Arc<Plan> {
        Arc::new(Plan { tickets: tickets.to_vec(), ..Plan::default() })
    }

    fn ids(run_order: &RunOrder) -> Vec<&str> {
        run_order.iter().map(|ticket| ticket.id.as_str()).collect()
    }

    #[test]
    fn own_changes_keep_the_line_and_foreign_ones_renew_it() {
        let now = Timestamp::UNIX_EPOCH;
        let all: Vec<Arc<Ticket>> = (1..=4).map(|n| Arc::new(ticket(n))).collect();
        let mut run_order = RunOrder::new(Scope::default());
        run_order.follow(&plan(&all), now);
        assert_eq!(ids(&run_order), ["PLF-1", "PLF-2", "PLF-3", "PLF-4"]);

        // We finish the first: it is moved to the end of the plan, as an archive move does.
        run_order.take(&all[0].id);
        let done = Arc::new(Ticket { status: Status::Done, ..ticket(1) });
        let ours = [&all[1..], &[done]].concat();
        assert!(run_order.only_ours_changed(&plan(&ours)));
        run_order.follow(&plan(&ours), now);
        assert_eq!(ids(&run_order), ["PLF-2", "PLF-3", "PLF-4"]);

        // Somebody else cancels the third.
        let mut theirs = ours.clone();
        theirs[1] = Arc::new(Ticket { status: Status::Canceled, ..ticket(3) });
        assert!(!run_order.only_ours_changed(&plan(&theirs)));
        run_order.follow(&plan(&theirs), now);
        assert_eq!(ids(&run_order), ["PLF-2", "PLF-4"]);
    }

    #[test]
    fn blockers_are_known() {
        let blocked = Ticket { blocked_by: vec![TicketId::new("PLF-1")], ..ticket(2) };
        let mut run_order = RunOrder::new(Scope::default());
        run_order.follow(&plan(&[Arc::new(ticket(1)), Arc::new(blocked)]), Timestamp::UNIX_EPOCH);
        assert!(run_order.is_blocker(&TicketId::new("PLF-1")));
        assert!(!run_order.is_blocker(&TicketId::new("PLF-2")));
    }
}
