//! Tickets that were left running, and what can be done about them. Pure: who is dead is told by the caller.

use jiff::Timestamp;

use super::Plan;
use crate::plan::lifecycle::Op;
use crate::plan::ticket::{Status, Ticket, TicketId};

/// Why a ticket in progress is taken for abandoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abandoned {
    /// Its lease ended at this instant.
    LeaseOver(Timestamp),
    /// Its holder is known to be dead.
    HolderDead,
}

/// What the operator (or the sweeper) decides about an abandoned ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Back to the queue, the attempt not counted.
    Release,
    /// The attempt counts as failed; further attempts are made when the ticket allows them.
    MarkFailed,
    /// Back to the queue with a note that it is a retry.
    Retry,
}

impl Remedy {
    /// The operation that does it.
    pub fn op(&self, why: Abandoned) -> Op {
        let cause = match why {
            Abandoned::LeaseOver(end) => format!("its lease was over at {end}"),
            Abandoned::HolderDead => "its runner died".to_owned(),
        };
        match self {
            Remedy::Release => Op::Ready { note: Some(format!("released: {cause}")) },
            Remedy::Retry => Op::Ready { note: Some(format!("retried: {cause}")) },
            Remedy::MarkFailed => Op::Fail { error: format!("interrupted: {cause}"), result: None },
        }
    }
}

/// The tickets in progress that nobody works on any more, in plan order. A ticket that waits for input is not among
/// them while nobody is known to be dead: its answer may come long after the lease.
pub fn abandoned(
    plan: &Plan,
    now: Timestamp,
    holder_is_dead: impl Fn(&Ticket) -> bool,
) -> Vec<(TicketId, Abandoned)> {
    let running = plan.tickets.iter().filter(|t| t.status == Status::InProgress && t.invalid.is_none());
    running
        .filter_map(|ticket| {
            let why = if holder_is_dead(ticket) {
                Abandoned::HolderDead
            } else {
                let end = ticket.execution.lease_expires_at.filter(|end| *end <= now)?;
                (ticket.execution.state != "waiting_input").then_some(Abandoned::LeaseOver(end))?
            };
            Some((ticket.id.clone(), why))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn only_work_that_nobody_does_is_listed() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let ticket = |id: &str, status, state: &str, lease: Option<&str>| {
            let mut ticket = Ticket { id: TicketId::new(id), status, ..Ticket::default() };
            ticket.execution.state = state.to_owned();
            ticket.execution.lease_expires_at = lease.map(at);
            Arc::new(ticket)
        };
        let (past, future) = ("2026-11-21T04:00:00Z", "2026-11-21T06:00:00Z");
        let plan = Plan {
            tickets: vec![
                ticket("A-1", Status::InProgress, "running", Some(past)),
                ticket("A-2", Status::InProgress, "running", Some(future)),
                ticket("A-3", Status::InProgress, "running", None),
                ticket("A-4", Status::Open, "ready", Some(past)),
                ticket("A-5", Status::InProgress, "waiting_input", Some(past)),
                ticket("A-6", Status::InProgress, "running", Some(future)),
            ],
            ..Plan::default()
        };
        let found = abandoned(&plan, at("2026-11-21T05:00:00Z"), |ticket| ticket.id.as_str() == "A-6");
        let wanted = vec![
            (TicketId::new("A-1"), Abandoned::LeaseOver(at(past))),
            (TicketId::new("A-6"), Abandoned::HolderDead),
        ];
        assert_eq!(found, wanted);
    }
}
