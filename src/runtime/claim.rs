//! How a runner of this process takes a ticket, keeps it, and writes to it: the console's supervisor and `queue run` alike.
//!
//! A claim is one durable step. It is refused when anything about the ticket changed since it was looked at, and only when
//! it is on disk a run is started. Owns no ticket: what is held stands in `assigned_to` of the ticket alone.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::holder::Holder;
use crate::plan::lifecycle::Op;
use crate::plan::store::Step;
use crate::plan::ticket::Ticket;

/// Who takes tickets, and for how long.
#[derive(Clone, Debug)]
pub(super) struct Claimant {
    /// Recorded in the history of tickets.
    actor: String,
    /// Stands in `assigned_to`: this process.
    holder: String,
    lease: Duration,
}

impl Claimant {
    /// This process, acting as `actor`, with leases of this length.
    pub(super) fn new(actor: &str, holder: &Holder, lease: Duration) -> Claimant {
        Claimant { actor: actor.to_owned(), holder: holder.to_string(), lease }
    }

    /// The claim with which a run begins. A bare claim under our own actor's name (made by a verb, say) is let go in the
    /// same write: holders are processes here, and a name alone would keep us out.
    pub(super) fn claim(&self, ticket: &Ticket, now: Timestamp) -> Step {
        let start = Op::Start { by: Some(self.holder.clone()), until: Some(self.lease_end(now)) };
        if ticket.execution.assigned_to.as_deref() == Some(&*self.actor) {
            Step { then: vec![start], ..self.step_on(ticket, Op::Ready { note: None }) }
        } else {
            self.step_on(ticket, start)
        }
    }

    /// Moves the lease of a ticket that we hold on. Nothing else about the ticket matters to that.
    pub(super) fn renewal(&self, ticket: &Ticket, now: Timestamp) -> Step {
        let op = Op::Renew { by: self.holder.clone(), until: self.lease_end(now) };
        Step::new(ticket.id.clone(), op)
    }

    /// A step that is refused when the ticket is not what we looked at.
    pub(super) fn step_on(&self, ticket: &Ticket, op: Op) -> Step {
        let actor = Some(self.actor.clone());
        Step { seen: ticket.updated_at, actor, ..Step::new(ticket.id.clone(), op) }
    }

    /// End of a lease taken now.
    pub(super) fn lease_end(&self, now: Timestamp) -> Timestamp {
        let lease = SignedDuration::try_from(self.lease).unwrap_or(SignedDuration::MAX);
        now.saturating_add(lease).unwrap_or(Timestamp::MAX)
    }

    /// Who stands in `assigned_to` of what we hold.
    pub(super) fn holder(&self) -> &str {
        &self.holder
    }

    /// Whether the ticket is held by us, as it stands now.
    pub(super) fn holds(&self, ticket: &Ticket) -> bool {
        ticket.execution.assigned_to.as_deref() == Some(&*self.holder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ticket::TicketId;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_claim_is_about_the_ticket_that_was_looked_at_and_lets_a_bare_one_go() {
        let now = at("2026-11-21T12:00:00Z");
        let claimant = Claimant::new("koru-shell", &Holder::own("koru-shell"), Duration::from_secs(300));
        let mut ticket = Ticket { id: TicketId::new("PLF-1"), updated_at: Some(now), ..Ticket::default() };
        let until = at("2026-11-21T12:05:00Z");
        let start = Op::Start { by: Some(claimant.holder().to_owned()), until: Some(until) };
        let actor = Some("koru-shell".to_owned());
        let step = Step { seen: Some(now), actor, ..Step::new(ticket.id.clone(), start.clone()) };
        assert_eq!(format!("{:?}", claimant.claim(&ticket, now)), format!("{step:?}"));
        assert!(!claimant.holds(&ticket));

        ticket.execution.assigned_to = Some("koru-shell".to_owned());
        let bare = Step { op: Op::Ready { note: None }, then: vec![start.clone()], ..step.clone() };
        assert_eq!(format!("{:?}", claimant.claim(&ticket, now)), format!("{bare:?}"));

        // Somebody else's claim is refused by the store, not gone round here.
        ticket.execution.assigned_to = Some("ann".to_owned());
        assert_eq!(format!("{:?}", claimant.claim(&ticket, now)), format!("{step:?}"));

        ticket.execution.assigned_to = Some(claimant.holder().to_owned());
        assert!(claimant.holds(&ticket));
        let renew = Step::new(ticket.id.clone(), Op::Renew { by: claimant.holder().to_owned(), until });
        assert_eq!(format!("{:?}", claimant.renewal(&ticket, now)), format!("{renew:?}"));
    }

    #[test]
    fn a_lease_without_end_ends_with_time_itself() {
        let claimant = Claimant::new("a", &Holder::own("a"), Duration::MAX);
        assert_eq!(claimant.lease_end(at("2026-11-21T12:00:00Z")), Timestamp::MAX);
    }
}
