//! The order of the queue and why a ticket cannot run now, as pure functions over a list of tickets.
//!
//! Effective priority is computed and shown with its reason, and never written (koru's in-place promotion is the bug we
//! beat): an open ticket that carries the label `bug` is lifted one step; an open ticket that, transitively, blocks
//! another open ticket is critical. "Open" means here: not finished, so open, in progress or in review.
//!
//! Qualification follows planfile 0.1.126 (`reference/planfile.md` §8) with three differences: blockers are resolved
//! over every sprint, a live claim of somebody else excludes, and every reason is named instead of the first one.
//! `CURRENT_GOAL` is an environment switch of planfile's own agents and is not honoured here.

mod graph;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ticket::{Priority, Ticket, TicketId};

/// Priority as it counts in the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effective {
    /// Counts in the queue.
    pub priority: Priority,
    /// Why it differs from the one on disk, each reason once; empty when it does not differ.
    pub reasons: Vec<Lift>,
}

/// A reason why the effective priority is higher than the one on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lift {
    /// Label `bug`.
    Bug,
    /// Open tickets that wait for this one, directly or through others, in id order; the nearest [`MAX_NAMED`] of them.
    Blocks(Vec<TicketId>),
}

/// Where a ticket stands for the operator; the shapes and words of the console come from this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum Standing {
    /// A human must act: a human ticket that is next in line, or state `waiting_input`.
    NeedsYou,
    /// Ended badly.
    Failed,
    /// In progress, its holder alive as far as the file tells (the runtime refines this to stalled or interrupted).
    Running,
    /// In progress while its lease is over.
    LeaseExpired,
    /// Can run now; position in the run order, from 0.
    Ready {
        /// 0 is next.
        position: usize,
    },
    /// Open and cannot run, with every reason.
    Waiting {
        /// At least one.
        reasons: Vec<WaitReason>,
    },
    /// Status review.
    Review,
    /// Status blocked.
    Blocked,
    /// Status done.
    Done,
    /// Status canceled.
    Canceled,
    /// planfile would hide it; shown with the reason.
    Invalid {
        /// What is wrong.
        reason: String,
    },
}

/// One reason why an open ticket does not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum WaitReason {
    /// A blocker is not finished.
    BlockedBy {
        /// The blocker.
        id: TicketId,
        /// Its status word.
        status: String,
    },
    /// A blocker does not exist in any file.
    DanglingBlocker {
        /// The missing id.
        id: TicketId,
    },
    /// A blocker lives in another sprint and is not finished there. (Finished there counts as satisfied for us;
    /// planfile 0.1.126 would wait for ever, and `doctor` says so.)
    CrossSprintBlocker {
        /// The blocker.
        id: TicketId,
        /// Its file stem.
        sprint: String,
    },
    /// The blockers form a ring.
    Cycle {
        /// A ring, first id repeated at the end, starting at this ticket when the ticket is on it. A ring longer than
        /// [`MAX_NAMED`] is shortened by one entry `…`.
        ring: Vec<TicketId>,
    },
    /// `execution.state` is not pending, ready or empty.
    State {
        /// As written.
        state: String,
    },
    /// A label that planfile's `next` honours: `autonomy-frontier`, `actor:human`, `waiting:*`, `needs-human*`.
    Label {
        /// The label.
        label: String,
    },
    /// Someone else's claim is live.
    Claimed {
        /// Holder.
        holder: String,
        /// Lease end.
        until: Option<Timestamp>,
    },
    /// Another queue than the asked one.
    OtherQueue {
        /// The ticket's queue.
        queue: String,
    },
    /// Not in the sprint that is being worked.
    OtherSprint {
        /// Its file stem.
        sprint: String,
    },
    /// The executor kind cannot be run by this version. Never said by [`order`]: koru serves such a ticket and stops
    /// with `unsupported_executor`, so the runner says it when the turn comes.
    Unsupported {
        /// The kind.
        kind: String,
    },
}

/// At most this many ids are named in one reason, so that a chain of 10,000 tickets stays linear to explain.
pub const MAX_NAMED: usize = 20;

/// What the caller is looking for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Sprint file stem; `current` by default.
    pub sprint: String,
    /// Queue name; `None` takes every queue.
    pub queue: Option<String>,
    /// Holder whose own claims do not block.
    pub actor: Option<String>,
}

impl Default for Scope {
    fn default() -> Self {
        Self { sprint: "current".to_owned(), queue: None, actor: None }
    }
}

/// The queue computed once for one state of the plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Runnable tickets in run order.
    pub runnable: Vec<TicketId>,
    /// Standing of every ticket.
    pub standing: HashMap<TicketId, Standing>,
    /// Effective priority of every ticket that is not finished.
    pub effective: HashMap<TicketId, Effective>,
}

/// Computes order, standing and effective priority of all `tickets` in time linear in tickets and edges (plus the sort).
pub fn order(tickets: &[std::sync::Arc<Ticket>], scope: &Scope, now: Timestamp) -> Order {
    let graph = graph::Graph::new(tickets);
    let effective = rules::effective(tickets, &graph);
    let mut candidates = Vec::new();
    let mut standing = HashMap::with_capacity(tickets.len());
    for (index, ticket) in tickets.iter().enumerate() {
        if !graph.is_first(index) {
            continue;
        }
        match rules::standing(tickets, &graph, index, scope, now) {
            rules::Verdict::Settled(settled) => {
                standing.insert(ticket.id.clone(), settled);
            }
            rules::Verdict::Runnable => candidates.push(index),
        }
    }
    candidates
        .sort_by_cached_key(|&index| rules::sort_key(&tickets[index], effective.get(&tickets[index].id)));
    for (position, &index) in candidates.iter().enumerate() {
        standing.insert(tickets[index].id.clone(), rules::runnable_standing(&tickets[index], position));
    }
    let runnable = candidates.iter().map(|&index| tickets[index].id.clone()).collect();
    Order { runnable, standing, effective }
}
