//! What a console draws: the snapshot and its parts.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Breach, ChangedFile, Cost, GateResult, Hearing, PromotionsView, RunId, Tally, Worktree};
#[cfg(doc)]
use super::{OutputLine, PROTOCOL, RunCommand};
use crate::execute::folder::AgentRecord;
use crate::plan::queue::Order;
use crate::plan::store::Plan;
use crate::plan::ticket::TicketId;
use crate::verify::rounds::Review;

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
    /// Agents that a ticket can be delegated to, by name, the one that is taken when none is named first.
    pub agents: Vec<String>,
    /// MCP servers of the configuration, by name; without one, no `mcp` ticket can run.
    #[serde(default)]
    pub servers: Vec<String>,
    /// What the runs of today have cost, ended ones and earlier sessions included; `None` while nothing is known.
    pub cost_today: Option<Cost>,
    /// US dollars that a day may cost ([`crate::plan::settings::Budgets::day_usd`]).
    pub day_usd: Option<f64>,
    /// Reviews of tickets, by ticket: those of this session and those that the disk knows of tickets that are not over.
    pub reviews: BTreeMap<TicketId, Arc<Review>>,
    /// Finished work that waits to land, and what became of the rest.
    pub promotions: Arc<PromotionsView>,
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
    /// A rate limit keeps its agent asleep.
    Asleep {
        /// Agent, by its name in the configuration (foreign text).
        agent: String,
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
            HeldWhy::Asleep { agent, until } => {
                write!(f, "waits for {agent}, which a rate limit keeps asleep until {until:.0}")
            }
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
    /// Runs that occupy a job now; those that sleep do not.
    pub active: u32,
}

/// The state of a run, in the operator's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Works and was heard lately.
    Running,
    /// Over, and a human must decide what becomes of the ticket.
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
    /// Sleeps until a rate limit is over, then goes on by itself. It occupies no job meanwhile.
    Sleeping,
    /// Broke the policy and was stopped; [`AgentView::breaches`] has the evidence.
    Violation,
}

impl RunState {
    /// Whether its work is not over.
    pub fn is_active(self) -> bool {
        matches!(self, RunState::Running | RunState::Stalled | RunState::Stopping | RunState::Sleeping)
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
    /// More about the run of a coding agent.
    pub agent: Option<Arc<AgentView>>,
}

/// What there is to say of a run when an agent works it. Texts are foreign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentView {
    /// Name in the configuration.
    pub agent: String,
    /// What happens.
    pub phase: AgentPhase,
    /// Whose turn in which round it is, when the work is reviewed.
    #[serde(default)]
    pub turn: Option<Turn>,
    /// Model, turns, tokens, cost, what it does right now.
    pub tally: Tally,
    /// Whether it hears the operator now.
    pub hearing: Hearing,
    /// Messages that wait for the next round.
    pub queued: Vec<String>,
    /// It ends after this turn, as asked.
    pub pausing: bool,
    /// Where it works.
    pub worktree: Option<Worktree>,
    /// When a sleeping run wakes.
    pub sleeping_until: Option<Timestamp>,
    /// It woke, all jobs are taken, and it waits for one to go on.
    #[serde(default)]
    pub waits_for_job: bool,
    /// Rules that it broke.
    pub breaches: Vec<Breach>,
    /// What the gates said.
    pub gates: Vec<GateResult>,
    /// What it changed, known when its work is over.
    pub changed: Vec<ChangedFile>,
    /// Lines of the stream as it came, in `stream.jsonl` beside the transcript; [`OutputLine`]s number otherwise.
    pub raw_lines: u64,
}

impl AgentView {
    /// What is left to say of a run that its record alone tells of.
    pub(in crate::runtime) fn of_record(record: &AgentRecord) -> AgentView {
        AgentView {
            agent: record.agent.clone(),
            phase: AgentPhase::Over,
            turn: None,
            tally: record.tally.clone(),
            hearing: Hearing::NextRound,
            queued: Vec::new(),
            pausing: false,
            worktree: record.worktree.clone(),
            sleeping_until: None,
            waits_for_job: false,
            breaches: Vec::new(),
            gates: Vec::new(),
            changed: Vec::new(),
            raw_lines: 0,
        }
    }
}

/// Whose turn it is in a run whose work is reviewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Turn {
    /// Round, from 1.
    pub round: u32,
    /// Rounds that there may be before a person decides.
    pub of: u32,
    /// Who works.
    pub role: Role,
}

/// A part in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Does the work.
    Worker,
    /// Judges it.
    Reviewer,
}

impl Role {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Role::Worker => "worker",
            Role::Reviewer => "reviewer",
        }
    }
}

/// What happens in a run of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum AgentPhase {
    /// Worktree, hooks and brief are made.
    Preparing,
    /// The agent works.
    Working,
    /// Refs and files are compared with what the policy and the ticket allow.
    Inspecting,
    /// A quality gate runs.
    Checking {
        /// Its name.
        gate: String,
    },
    /// The reviewer judges.
    Reviewing,
    /// All is over.
    Over,
}
