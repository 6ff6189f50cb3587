//! `Command`, `Event`, `Snapshot`: what may be said to and by the runtime, versioned, plain data, grouped by area.
//!
//! Text in here is foreign unless it says otherwise; consoles and verbs sanitise where it enters them.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use crate::execute::output::{Channel, OutputLine};
use crate::plan::lifecycle::{NewTicket, Op};
use crate::plan::queue::Order;
use crate::plan::store::Plan;
use crate::plan::ticket::TicketId;

/// Version of everything in this module; a peer with another number is refused.
pub const PROTOCOL: u32 = 1;

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
}

/// Commands on one ticket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
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
}

/// Commands on runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum RunCommand {
    /// Runs this ticket now, if it is runnable (otherwise the reply says why not).
    Start {
        /// Ticket.
        ticket: TicketId,
    },
    /// Stop ladder: TERM to the group, grace, KILL. A second stop skips the grace. On an interrupted run that left
    /// processes behind (`RunView::orphaned`), stops those.
    Stop {
        /// Run.
        run: RunId,
    },
    /// Decides what becomes of the ticket of an interrupted, failed or stopped run.
    Resolve {
        /// Run.
        run: RunId,
        /// The decision.
        how: Resolution,
    },
    /// Lines of a run's transcript, answered by [`RunEvent::Lines`].
    Fetch {
        /// Run.
        run: RunId,
        /// First line, from 0.
        from: u64,
        /// At most this many.
        count: u32,
    },
}

/// What becomes of the ticket of a run that did not end well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// Back to ready, then started again at once.
    Retry,
    /// Back to ready; whoever comes next may take it.
    Release,
    /// One failed attempt, as if the run had ended badly.
    MarkFailed,
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

/// Events of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RunEvent {
    /// New output at the tail; batched, at most about 30 batches a second per run. A console that is slow, or a child
    /// that is very fast, makes gaps: when `first` is above the number expected next, fetch what is missing.
    Output {
        /// Run.
        run: RunId,
        /// Number of the first line in `lines`.
        first: u64,
        /// Lines.
        lines: Arc<[OutputLine]>,
    },
    /// Answer to [`RunCommand::Fetch`].
    Lines {
        /// Run.
        run: RunId,
        /// Number of the first line in `lines`.
        first: u64,
        /// Lines.
        lines: Arc<[OutputLine]>,
    },
    /// The run is over (its view in the snapshot says how).
    Ended {
        /// Run.
        run: RunId,
        /// How.
        state: RunState,
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
}

/// Everything a console needs to draw, at one moment. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// [`PROTOCOL`].
    pub version: u32,
    /// Grows with every change.
    pub revision: u64,
    /// Project folder, absolute.
    pub root: String,
    /// Project name.
    pub name: String,
    /// Git branch, if any.
    pub branch: Option<String>,
    /// What can be said about the planfile.
    pub health: PlanHealth,
    /// The tickets (last good state).
    pub plan: Arc<Plan>,
    /// Order, standing, effective priority for `plan`.
    pub order: Arc<Order>,
    /// Runs of this session: active ones first, then ended ones, newest first.
    pub runs: Vec<Arc<RunView>>,
    /// The queue.
    pub queue: QueueView,
    /// Runnable tickets that are not started right now, and why (`Order` knows nothing of running ones).
    pub held: Vec<Held>,
    /// Who writes: the actor recorded in tickets.
    pub actor: String,
}

/// What can be said about the planfile as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "health", rename_all = "snake_case")]
pub enum PlanHealth {
    /// Not read yet (the first frame is drawn before the YAML is).
    Loading,
    /// No planfile here.
    Uninitialised,
    /// Opened; individual files may still be at fault (`Plan::faults`).
    Open {
        /// The store must not be written (a planfile release without lock); the sentence says why.
        read_only: Option<String>,
        /// How changes are noticed: `watch`, or `poll` with the reason.
        watching: String,
    },
    /// Cannot be opened: sharded storage, broken config, unreadable.
    Refused {
        /// Sentence.
        message: String,
    },
}

/// A ticket that stands in line but is passed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Ticket.
    pub ticket: TicketId,
    /// Why.
    pub why: HeldWhy,
}

/// Why a runnable ticket is passed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum HeldWhy {
    /// A run of another ticket works on the same files.
    Files {
        /// The ticket that runs.
        with: TicketId,
        /// The path of this ticket that collides (foreign text).
        path: String,
    },
    /// The policy forbids its command line; each violation is a sentence.
    Policy {
        /// Violations.
        violations: Vec<String>,
    },
    /// It failed and has attempts left; the queue tries again at this time.
    Backoff {
        /// Not before.
        until: Timestamp,
    },
    /// It could not be claimed or started; the sentence says why.
    Start {
        /// Sentence.
        message: String,
    },
}

impl std::fmt::Display for HeldWhy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            HeldWhy::Files { with, path } => write!(f, "waits for {with}, which works on {path}"),
            HeldWhy::Policy { violations } => write!(f, "refused by policy: {}", violations.join("; ")),
            HeldWhy::Backoff { until } => write!(f, "failed, is tried again at {until:.0}"),
            HeldWhy::Start { message } => f.write_str(message),
        }
    }
}

/// State of the queue runner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueView {
    /// Whether runnable tickets are being started.
    pub running: bool,
    /// Limit of parallel runs.
    pub jobs: u32,
    /// Runs active now.
    pub active: u32,
}

/// The state of a run, in the operator's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Works and was heard lately.
    Running,
    /// Waits for a human.
    NeedsYou,
    /// Works but was silent for longer than the stall limit.
    Stalled,
    /// Being stopped.
    Stopping,
    /// Ended well.
    Done,
    /// Ended badly.
    Failed,
    /// Stopped by the operator.
    Stopped,
    /// Its process or console died without a word.
    Interrupted,
}

impl RunState {
    /// Whether it occupies a job.
    pub fn is_active(self) -> bool {
        matches!(self, RunState::Running | RunState::NeedsYou | RunState::Stalled | RunState::Stopping)
    }
}

/// One run as shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunView {
    /// Id.
    pub id: RunId,
    /// Its ticket.
    pub ticket: TicketId,
    /// Executor kind word.
    pub executor: String,
    /// What is run, in one line (foreign text).
    pub label: String,
    /// State.
    pub state: RunState,
    /// Start.
    pub started_at: Timestamp,
    /// End.
    pub ended_at: Option<Timestamp>,
    /// Last output.
    pub last_output_at: Option<Timestamp>,
    /// Lines so far.
    pub lines: u64,
    /// Exit code or HTTP status once known.
    pub exit_code: Option<i32>,
    /// Why it failed or what is asked (foreign text).
    pub message: Option<String>,
    /// While stopping: when KILL follows.
    pub kill_at: Option<Timestamp>,
    /// Interrupted, and processes that it started are still alive; [`RunCommand::Stop`] stops them.
    pub orphaned: bool,
}
