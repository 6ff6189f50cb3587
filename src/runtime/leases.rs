//! Leases of others, read from the tickets: when the next one ends, which are over, how they are released.

use std::sync::Arc;

use jiff::Timestamp;

use super::holder::{Holder, Life, life_of};
use crate::plan::lifecycle::Op;
use crate::plan::ticket::{Status, Ticket};

/// Whether the ticket is in progress in the sense that somebody executes it.
pub(crate) fn is_running(ticket: &Ticket) -> bool {
    ticket.status == Status::InProgress && ticket.execution.state == "running" && ticket.invalid.is_none()
}

/// The next end of a lease that is not `own`.
pub(crate) fn next_expiry(tickets: &[Arc<Ticket>], own: &str, now: Timestamp) -> Option<Timestamp> {
    tickets
        .iter()
        .filter(|ticket| !ticket.status.is_terminal())
        .filter(|ticket| ticket.execution.assigned_to.as_deref().is_some_and(|holder| holder != own))
        .filter_map(|ticket| ticket.execution.lease_expires_at)
        .filter(|end| *end > now)
        .min()
}

/// Tickets in progress whose lease is over, unless their holder is known to live on this machine (a machine that slept
/// wakes up with every lease over and all its runs alive).
pub(crate) fn expired<'a>(
    tickets: &'a [Arc<Ticket>],
    own: &Holder,
    now: Timestamp,
) -> impl Iterator<Item = &'a Arc<Ticket>> {
    tickets.iter().filter(move |ticket| {
        let over = ticket.execution.lease_expires_at.is_some_and(|end| end <= now);
        over && is_running(ticket)
            && ticket
                .execution
                .assigned_to
                .as_deref()
                .is_some_and(|holder| matches!(life_of(holder, own), Life::Dead | Life::Unknown))
    })
}

/// The operation that releases an expired ticket.
pub(crate) fn release(ticket: &Ticket) -> Op {
    let holder = ticket.execution.assigned_to.as_deref().unwrap_or("nobody");
    Op::Ready { note: Some(format!("Released: the lease of {holder} was over")) }
}
