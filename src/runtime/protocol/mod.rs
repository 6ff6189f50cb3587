//! `Command`, `Event`, `Snapshot`: what may be said to and by the runtime, versioned, plain data, grouped by area.
//!
//! Text in here is foreign unless it says otherwise; consoles and verbs sanitise where it enters them.

pub mod diff;
pub mod promotion;
pub mod review;
mod run;
mod views;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use crate::execute::agents::session::Hearing;
pub use crate::execute::agents::tally::{Cost, Tally, Tokens};
pub use crate::execute::fence::Breach;
pub use crate::execute::isolation::{ChangedFile, PruneReport, Worktree, WorktreeInfo};
pub use crate::execute::output::{Channel, OutputLine};
use crate::plan::lifecycle::{NewTicket, Op};
use crate::plan::ticket::TicketId;
pub use crate::verify::gates::{GateResult, GateState};

pub use diff::{DiffCommand, DiffEvent};
pub use promotion::{PromotionCommand, PromotionEvent, PromotionsView};
pub use review::{Review, ReviewChoice, ReviewCommand};
pub use run::{Resolution, RunCommand, RunEvent};
pub use views::{
    AgentPhase, AgentView, Held, HeldWhy, PlanHealth, QueueView, Role, RunState, RunView, Snapshot, Turn,
};

/// Version of everything in this module; a peer with another number is refused.
pub const PROTOCOL: u32 = 5;

/// Number given by the sender of a command, echoed in its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RequestId(pub u64);

/// Id of one run, also its folder's name under `.koru/runs/`: `<ticket>-<UTC stamp>-<n>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub Arc<str>);

/// A command, by area.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "area", content = "do", rename_all = "snake_case")]
pub enum Command {
    /// One ticket.
    Ticket(TicketCommand),
    /// One run.
    Run(RunCommand),
    /// The queue.
    Queue(QueueCommand),
    /// Drafts of answers.
    Draft(DraftCommand),
    /// The project.
    Project(ProjectCommand),
    /// Worktrees of agents.
    Worktree(WorktreeCommand),
    /// Rounds of worker and reviewer.
    Review(ReviewCommand),
    /// Differences that an operator looks at.
    Diff(DiffCommand),
    /// Finished work that waits to land.
    Promotion(PromotionCommand),
}

/// Commands on one ticket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "commands are few and short-lived; their shape is the protocol"
)]
pub enum TicketCommand {
    /// Makes one.
    Create(Box<NewTicket>),
    /// Applies a lifecycle operation, refused when the ticket changed since `seen`.
    Apply {
        /// Ticket.
        id: TicketId,
        /// Operation.
        op: Op,
        /// `updated_at` on the operator's screen.
        seen: Option<Timestamp>,
    },
    /// A human's answer: claim, start, complete with note and result, in one durable step; the draft is dropped after.
    Answer {
        /// Ticket.
        id: TicketId,
        /// The answer, kept verbatim; blank is refused.
        text: String,
        /// `updated_at` on the operator's screen.
        seen: Option<Timestamp>,
    },
    /// Takes the last change back that a person made to the ticket through koru-tui; refused once it was changed again.
    Undo {
        /// Ticket.
        id: TicketId,
    },
}

/// Commands on the worktrees of agents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum WorktreeCommand {
    /// Measures them; answered by [`ProjectEvent::Worktrees`].
    List,
    /// Removes the worktrees of these tickets, all that may go when empty. One that holds uncommitted or unmerged work,
    /// or that a run uses, stays; answered by [`ProjectEvent::Pruned`], which says which and why.
    Prune {
        /// Tickets.
        tickets: Vec<TicketId>,
    },
}

/// Commands on the queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum QueueCommand {
    /// Keep starting runnable tickets, up to the limit of jobs.
    Resume,
    /// Start nothing new; what runs goes on.
    Pause,
    /// Change the number of parallel runs (1 or more).
    Jobs {
        /// Limit.
        limit: u32,
    },
}

/// Commands on drafts, which live under `.koru/prompts/drafts/`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum DraftCommand {
    /// Keeps a draft durably. An empty text drops it.
    Save {
        /// What it belongs to: a ticket id, or `new` for the form that makes a ticket.
        key: String,
        /// The text.
        text: String,
    },
    /// Asks for a draft; answered by [`ProjectEvent::Draft`].
    Load {
        /// As in `Save`.
        key: String,
    },
}

/// Commands on the project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum ProjectCommand {
    /// Makes the planfile (starter pipeline) in an uninitialised folder.
    Init,
    /// Reads the disk again now.
    Reload,
    /// What people did and what broke the policy, newest first; answered by [`ProjectEvent::Audit`].
    Audit {
        /// At most so many rows.
        count: u32,
    },
}

/// An event, by area.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "area", content = "is", rename_all = "snake_case")]
pub enum Event {
    /// A new snapshot can be read; carries its revision. Bursts are collapsed.
    Changed {
        /// `Snapshot::revision`.
        revision: u64,
    },
    /// The answer to one command.
    Reply {
        /// Which.
        request: RequestId,
        /// How it went.
        outcome: Outcome,
    },
    /// About one run.
    Run(RunEvent),
    /// About the project.
    Project(ProjectEvent),
    /// About a diff that is looked at.
    Diff(DiffEvent),
    /// About work that lands.
    Promotion(PromotionEvent),
}

/// How a command went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Done and durable.
    Done {
        /// The ticket concerned (the new id after a create).
        ticket: Option<TicketId>,
        /// The run concerned.
        run: Option<RunId>,
    },
    /// Not done, and why, as a sentence for the operator.
    Refused {
        /// Sentence.
        message: String,
    },
}

/// Events of the project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ProjectEvent {
    /// Answer to [`DraftCommand::Load`].
    Draft {
        /// As asked.
        key: String,
        /// The text; empty when there is none.
        text: String,
    },
    /// Answer to [`WorktreeCommand::List`].
    Worktrees {
        /// Worktrees, biggest first.
        list: Vec<WorktreeInfo>,
    },
    /// Answer to [`ProjectCommand::Audit`], newest first.
    Audit {
        /// Rows.
        rows: Vec<AuditRow>,
    },
    /// Answer to [`WorktreeCommand::Prune`], before the reply.
    Pruned {
        /// What was removed, what stays and why.
        report: PruneReport,
    },
}

/// One row of the audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// When.
    pub at: Timestamp,
    /// What kind: `ticket.changed`, `review.decide`, `policy.breach`, `run.stop`, …
    pub kind: String,
    /// Who (foreign text).
    pub who: String,
    /// The rest in words: ticket, what, hashes (foreign text).
    pub text: String,
}
