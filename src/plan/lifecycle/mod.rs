//! What each lifecycle verb does to a ticket, as pure data (planfile 0.1.126, `reference/planfile.md` §6.2, §7).
//!
//! [`changes`] answers "which keys get which values" for one [`Op`] on one ticket at one instant. It touches no file:
//! `plan::store` applies the answer as span edits under the lock, together with the history entry from [`history`].
//!
//! Where we differ from planfile on purpose: a live lease excludes others (planfile: last claim wins), `block` keeps
//! the description, `update --status open` is written as `ready` (planfile leaves a ticket that `next` never serves),
//! and [`Op::Renew`] is ours.

mod checks;
mod effects;
pub(crate) mod history;
mod instant;
mod record;
#[cfg(test)]
mod tests;

pub(crate) use instant::with_offset;
pub(crate) use record::new_record;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ticket::{ExecutorKind, Priority, Status, Ticket, TicketId};

/// One operation on one ticket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Op {
    /// Assignee and lease; state pending → ready. Unlike planfile, refused while another holder's lease is live.
    Claim {
        /// Holder.
        by: String,
        /// Lease end, if any.
        until: Option<Timestamp>,
    },
    /// Status in_progress, state running, `started_at` if unset. Refused while another holder's lease is live, and
    /// while the ticket runs under a live lease at all: two consoles of one actor must not run it twice.
    Start {
        /// Holder, kept when `None`.
        by: Option<String>,
        /// Lease end, kept when `None`.
        until: Option<Timestamp>,
    },
    /// Moves the end of a holder's lease. A heartbeat, not a change of the work: it leaves `updated_at`, `history` and
    /// the journal alone, so that it neither floods the history nor disturbs an operator's optimistic check.
    Renew {
        /// Holder; refused when somebody else holds the ticket.
        by: String,
        /// New end.
        until: Timestamp,
    },
    /// Done, with outputs.
    Complete {
        /// Appended to `outputs.notes`.
        note: Option<String>,
        /// Appended to `outputs.artifacts`.
        artifacts: Vec<String>,
        /// Replaces `outputs.result` when given.
        result: Option<Value>,
    },
    /// One attempt failed; exhausted attempts end in failed, others go back to open/ready.
    Fail {
        /// `last_error`.
        error: String,
        /// Replaces `outputs.result` when given.
        result: Option<Value>,
    },
    /// Waits for a human: state waiting_input, prompt replaced, env keys merged.
    Input {
        /// What is asked.
        prompt: String,
        /// Variables asked for.
        env_keys: Vec<String>,
        /// Appended note.
        note: Option<String>,
    },
    /// A run is over and a person must decide what becomes of it: open/waiting_input, let go, nothing counted as an
    /// attempt. Ours: planfile's `input` replaces `inputs.prompt`, which is the very instruction that an agent works by,
    /// so what is asked stands in `execution.last_error` here ([`super::ticket::Ticket::question`] reads it).
    Wait {
        /// What is asked, with its reason.
        question: String,
        /// Replaces `outputs.result` when given.
        result: Option<Value>,
        /// Appended note.
        note: Option<String>,
    },
    /// Back to open/ready; assignee, start, finish, lease and error removed, attempt kept. From an archive file the
    /// ticket is moved back to `current` (planfile 0.1.126 leaves it where `next` never looks).
    Ready {
        /// Appended note.
        note: Option<String>,
    },
    /// Blocked. Unlike planfile the description is kept: the reason goes to `outputs.notes` and `execution.last_error`.
    Block {
        /// Why.
        reason: String,
    },
    /// Field changes.
    Update(Patch),
    /// Puts keys back to what they were: the way back from an operation, whatever the ticket is now. Ours.
    Restore {
        /// What was, by key.
        changes: Vec<Change>,
    },
}

/// Field changes of [`Op::Update`]; `None` leaves the key alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Patch {
    /// New title.
    pub name: Option<String>,
    /// New body.
    pub description: Option<String>,
    /// New status; `open` is written as [`Op::Ready`] so that the ticket stays runnable.
    pub status: Option<Status>,
    /// New priority.
    pub priority: Option<Priority>,
    /// New labels.
    pub labels: Option<Vec<String>>,
    /// New blockers.
    pub blocked_by: Option<Vec<TicketId>>,
    /// New file scope.
    pub files: Option<Vec<String>>,
    /// New executor kind.
    pub executor: Option<ExecutorKind>,
    /// New `inputs.prompt`.
    pub prompt: Option<String>,
    /// New `inputs.script`.
    pub script: Option<String>,
    /// Appended to `outputs.notes`.
    pub note: Option<String>,
}

/// A ticket to be made. Ids are allotted by the store.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewTicket {
    /// Title, required and not blank.
    pub name: String,
    /// Body.
    pub description: String,
    /// Priority.
    pub priority: Priority,
    /// Target sprint file stem; `current` when `None`.
    pub sprint: Option<String>,
    /// Labels.
    pub labels: Vec<String>,
    /// Blockers.
    pub blocked_by: Vec<TicketId>,
    /// File scope.
    pub files: Vec<String>,
    /// Acceptance criteria.
    pub acceptance_criteria: Vec<String>,
    /// Executor kind.
    pub executor: ExecutorKind,
    /// `interactive` or `automatic`; derived from the kind when `None`.
    pub mode: Option<String>,
    /// `executor.handler`.
    pub handler: Option<String>,
    /// Queue name; `default` when `None`.
    pub queue: Option<String>,
    /// `execution.max_attempts`; 1 when `None`.
    pub max_attempts: Option<i64>,
    /// Free `inputs` keys, written as given.
    pub inputs: serde_json::Map<String, Value>,
    /// `source.tool`; `koru-tui` when `None`.
    pub source_tool: Option<String>,
    /// `source.context`.
    pub source_context: serde_json::Map<String, Value>,
}

/// One key to set or to remove, by path from the ticket's root.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Keys from the root, e.g. `["execution", "state"]`.
    pub path: Vec<String>,
    /// New value; `None` removes the key.
    pub value: Option<Value>,
}

/// Why an operation may not be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Someone else's lease is live.
    #[error("{id} is held by {holder} until {until}; wait, or release it first")]
    Held {
        /// Ticket.
        id: TicketId,
        /// Holder.
        holder: String,
        /// RFC 3339 end of the lease, or `no end`.
        until: String,
    },
    /// A finished ticket must not become active again (planfile: `immutable_terminal_reopen`).
    #[error("{id} is {status}; a finished ticket is not started again, create a new one")]
    Terminal {
        /// Ticket.
        id: TicketId,
        /// Its status word.
        status: &'static str,
    },
    /// The lease to renew is not there (any more): the ticket was released, finished or taken over.
    #[error("{id} is no longer held by {by}; stop working on it")]
    NotHeld {
        /// Ticket.
        id: TicketId,
        /// Who thought to hold it.
        by: String,
    },
    /// The value is not one that planfile can read back.
    #[error("{field}: {reason}")]
    Invalid {
        /// Field.
        field: &'static str,
        /// What is wrong and what is allowed.
        reason: String,
    },
}

/// The changes that `op` makes to `ticket` at `now`, without `updated_at` and `history`, which the store adds.
///
/// # Errors
/// See [`Refusal`].
pub fn changes(ticket: &Ticket, op: &Op, now: Timestamp) -> Result<Vec<Change>, Refusal> {
    effects::changes(ticket, op, now)
}

impl Change {
    /// Sets the key at `path`.
    pub fn set(path: &[&str], value: impl Into<Value>) -> Self {
        Change { path: path.iter().map(|key| (*key).to_owned()).collect(), value: Some(value.into()) }
    }

    /// Removes the key at `path`.
    pub fn remove(path: &[&str]) -> Self {
        Change { path: path.iter().map(|key| (*key).to_owned()).collect(), value: None }
    }
}

/// Whether somebody holds `ticket` at `now`: a claim without an end never expires by itself.
pub fn live_holder(ticket: &Ticket, now: Timestamp) -> Option<&str> {
    let holder = ticket.execution.assigned_to.as_deref().filter(|holder| !holder.trim().is_empty())?;
    match ticket.execution.lease_expires_at {
        Some(end) if end <= now => None,
        _ => Some(holder),
    }
}
