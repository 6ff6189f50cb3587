//! The rules of the queue for one ticket: effective priority, standing with every reason, and the sort key.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::graph::{Graph, is_live};
use super::{Effective, Lift, Scope, Standing, WaitReason};
use crate::plan::lifecycle::live_holder;
use crate::plan::ticket::{ExecutorKind, Priority, Status, Ticket, TicketId};

/// What was found for one ticket.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Its standing does not depend on the others.
    Settled(Standing),
    /// It takes a place in the run order.
    Runnable,
}

/// Effective priority of every unfinished ticket.
pub(super) fn effective(tickets: &[Arc<Ticket>], graph: &Graph<'_>) -> HashMap<TicketId, Effective> {
    let mut all = HashMap::with_capacity(tickets.len());
    for (at, ticket) in tickets.iter().enumerate() {
        if graph.is_first(at) && is_live(ticket) {
            all.insert(ticket.id.clone(), lift(tickets, graph, at));
        }
    }
    all
}

fn lift(tickets: &[Arc<Ticket>], graph: &Graph<'_>, at: usize) -> Effective {
    let ticket = &tickets[at];
    if ticket.priority == Priority::Critical {
        return Effective { priority: Priority::Critical, reasons: Vec::new() };
    }
    let mut priority = ticket.priority.clone();
    let mut reasons = Vec::new();
    if let (true, Some(higher)) = (ticket.is_bug(), one_step_up(&priority)) {
        priority = higher;
        reasons.push(Lift::Bug);
    }
    let mut waiting: Vec<TicketId> =
        graph.waiting_for(at).into_iter().map(|other| tickets[other].id.clone()).collect();
    if !waiting.is_empty() {
        waiting.sort_by(|a, b| a.natural_key().cmp(&b.natural_key()));
        priority = Priority::Critical;
        reasons.push(Lift::Blocks(waiting));
    }
    Effective { priority, reasons }
}

/// koru's step for bugs. A priority that is none of the four is not understood and stays where it is.
fn one_step_up(priority: &Priority) -> Option<Priority> {
    match priority {
        Priority::Low => Some(Priority::Normal),
        Priority::Normal => Some(Priority::High),
        Priority::High => Some(Priority::Critical),
        Priority::Critical | Priority::Other(_) => None,
    }
}

/// Where the ticket stands.
pub(super) fn standing(
    tickets: &[Arc<Ticket>],
    graph: &Graph<'_>,
    at: usize,
    scope: &Scope,
    now: Timestamp,
) -> Verdict {
    let ticket = &tickets[at];
    if let Some(reason) = &ticket.invalid {
        return Verdict::Settled(Standing::Invalid { reason: reason.clone() });
    }
    let waits_for_input = ticket.execution.state == "waiting_input";
    Verdict::Settled(match ticket.status {
        Status::Done => Standing::Done,
        Status::Canceled => Standing::Canceled,
        Status::Failed => Standing::Failed,
        Status::Blocked => Standing::Blocked,
        Status::Review => Standing::Review,
        Status::InProgress | Status::Open if waits_for_input => Standing::NeedsYou,
        Status::InProgress => match ticket.execution.lease_expires_at {
            Some(end) if end <= now => Standing::LeaseExpired,
            _ => Standing::Running,
        },
        Status::Open => {
            let reasons = wait_reasons(ticket, graph, at, scope, now);
            if reasons.is_empty() {
                return Verdict::Runnable;
            }
            Standing::Waiting { reasons }
        }
    })
}

/// The standing of a runnable ticket: a human ticket in line asks for the operator.
pub(super) fn runnable_standing(ticket: &Ticket, position: usize) -> Standing {
    match ticket.executor.kind {
        ExecutorKind::Human => Standing::NeedsYou,
        _ => Standing::Ready { position },
    }
}

fn wait_reasons(
    ticket: &Ticket,
    graph: &Graph<'_>,
    at: usize,
    scope: &Scope,
    now: Timestamp,
) -> Vec<WaitReason> {
    let mut reasons = Vec::new();
    if ticket.sprint != scope.sprint {
        reasons.push(WaitReason::OtherSprint { sprint: ticket.sprint.clone() });
    }
    if !matches!(ticket.execution.state.as_str(), "" | "pending" | "ready") {
        reasons.push(WaitReason::State { state: ticket.execution.state.clone() });
    }
    let holding = ticket.labels.iter().filter(|label| holds_back(label));
    reasons.extend(holding.map(|label| WaitReason::Label { label: label.clone() }));
    let queue = if ticket.execution.queue.is_empty() { "default" } else { &ticket.execution.queue };
    if scope.queue.as_deref().is_some_and(|wanted| wanted != queue) {
        reasons.push(WaitReason::OtherQueue { queue: queue.to_owned() });
    }
    if let Some(holder) = live_holder(ticket, now).filter(|holder| scope.actor.as_deref() != Some(holder)) {
        let until = ticket.execution.lease_expires_at;
        reasons.push(WaitReason::Claimed { holder: holder.to_owned(), until });
    }
    reasons.extend(graph.ring(at).map(|ring| WaitReason::Cycle { ring }));
    let mut seen = HashSet::new();
    for blocker in ticket.blocked_by.iter().filter(|blocker| seen.insert(*blocker)) {
        reasons.extend(blocker_reason(ticket, graph, blocker));
    }
    reasons
}

/// Labels that planfile's `next` honours, compared in lower case.
fn holds_back(label: &str) -> bool {
    let label = label.to_lowercase();
    matches!(label.as_str(), "autonomy-frontier" | "actor:human")
        || label.starts_with("waiting:")
        || label.starts_with("needs-human")
}

fn blocker_reason(ticket: &Ticket, graph: &Graph<'_>, id: &TicketId) -> Option<WaitReason> {
    let Some(blocker) = graph.find(id) else {
        return Some(WaitReason::DanglingBlocker { id: id.clone() });
    };
    if blocker.invalid.is_some() {
        return Some(WaitReason::BlockedBy { id: id.clone(), status: "invalid".to_owned() });
    }
    if blocker.status.satisfies_dependants() {
        return None;
    }
    Some(if blocker.sprint == ticket.sprint || is_archive(&blocker.sprint) {
        WaitReason::BlockedBy { id: id.clone(), status: blocker.status.word().to_owned() }
    } else {
        WaitReason::CrossSprintBlocker { id: id.clone(), sprint: blocker.sprint.clone() }
    })
}

/// planfile's names for files of finished tickets.
fn is_archive(stem: &str) -> bool {
    stem.starts_with("history-") || stem.starts_with("archive-")
}

/// The order of the queue: effective rank, bugs first, oldest first (unknown age last), natural id.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SortKey {
    rank: u8,
    not_a_bug: bool,
    unknown_age: bool,
    created_at: Option<Timestamp>,
    id: NaturalId,
}

/// An id that orders `PLF-999` before `PLF-1000`.
#[derive(Debug, PartialEq, Eq)]
struct NaturalId(TicketId);

impl Ord for NaturalId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.natural_key().cmp(&other.0.natural_key())
    }
}

impl PartialOrd for NaturalId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// See [`SortKey`].
pub(super) fn sort_key(ticket: &Ticket, effective: Option<&Effective>) -> SortKey {
    SortKey {
        rank: effective.map_or_else(|| ticket.priority.rank(), |effective| effective.priority.rank()),
        not_a_bug: !ticket.is_bug(),
        unknown_age: ticket.created_at.is_none(),
        created_at: ticket.created_at,
        id: NaturalId(ticket.id.clone()),
    }
}
