//! `queue run` without a console: koru's ticks and statuses (koru §4.1, §4.2) on our own store.
//!
//! One call drains one queue. Results are reported in the order of dispatch, also when runs overlap in time; every
//! path ends in complete, fail or release, and the run log always gets its `run.end`.

mod choose;
mod engine;
mod run_order;
mod runs;
mod ticks;

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::base::clock::Clock;
use crate::execute::output::OutputLine;
use crate::plan::ticket::{Ticket, TicketId};
pub use crate::runtime::launch::ReviewWish;

/// What to drain and how.
#[derive(Clone, Debug)]
pub struct DrainOptions {
    /// Project folder.
    pub root: PathBuf,
    /// Recorded in tickets; koru's default is `koru-shell`.
    pub actor: String,
    /// Only tickets of this queue; `None` takes every queue.
    pub queue: Option<String>,
    /// Exactly this ticket and nothing else.
    pub target: Option<Target>,
    /// Go on until idle, a human ticket, or the cap; otherwise one tick.
    pub looped: bool,
    /// Cap of ticks with `looped` (1 or more; koru's default is 100). The idle tick counts.
    pub max_iterations: u32,
    /// Say what would run, touch nothing, log nothing.
    pub dry_run: bool,
    /// Ask for the answers of human tickets through [`DrainIo::ask`].
    pub interactive: bool,
    /// Parallel runs (1 or more).
    pub jobs: u32,
    /// Write the run log.
    pub log: bool,
    /// Length of a run's lease.
    pub lease: Duration,
    /// TERM to KILL.
    pub grace: Duration,
    /// The clock.
    pub clock: Clock,
    /// Cancelled by the caller (a signal): nothing new starts, runs are stopped and their tickets released.
    pub stop: CancellationToken,
}

impl DrainOptions {
    /// One tick on the project at `root` with koru's defaults.
    pub fn new(root: PathBuf) -> Self {
        Self {
            root,
            actor: "koru-shell".to_owned(),
            queue: None,
            target: None,
            looped: false,
            max_iterations: 100,
            dry_run: false,
            interactive: false,
            jobs: 2,
            log: true,
            lease: Duration::from_secs(300),
            grace: Duration::from_secs(10),
            clock: Clock::System,
            stop: CancellationToken::new(),
        }
    }
}

/// One ticket that is to be run, whatever the order of the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The ticket.
    pub ticket: TicketId,
    /// Let an agent work it, whatever its executor says: by its name, or whoever has the role `worker`.
    pub agent: Option<Option<String>>,
    /// Said to the agent after the brief.
    pub note: Option<String>,
    /// Whether and by whom an agent's work is reviewed.
    pub review: ReviewWish,
}

/// An answer that may take its time; `None` when cancelled or empty.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Option<String>> + Send + 'a>>;

/// What a drain says while it works. All text is foreign and must be made safe by the implementor.
pub trait DrainIo: Send {
    /// A tick is final. Called in order of dispatch.
    fn tick(&mut self, tick: &Tick);

    /// Live output of a run.
    fn output(&mut self, ticket: &TicketId, lines: &[OutputLine]) {
        let _ = (ticket, lines);
    }

    /// Asks the operator a human ticket's question ([`Ticket::question`]). Only called with `interactive`.
    fn ask<'a>(&'a mut self, ticket: &'a Ticket) -> Answer<'a>;

    /// Something that does not stop the drain (the log cannot be written, a lease was swept).
    fn warn(&mut self, message: &str);
}

/// How one tick went (koru §4.2, and ours).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TickStatus {
    /// Executed, ended well.
    Completed,
    /// Executed, ended badly.
    Failed,
    /// Nothing runnable.
    Idle,
    /// A human is needed or an input is missing.
    WaitingInput,
    /// Would run.
    DryRun,
    /// A kind that this version does not run.
    UnsupportedExecutor,
    /// The planfile cannot be read or written.
    PlanfileError,
    /// Somebody else holds it, or it changed meanwhile.
    ClaimFailed,
    /// The ticket that was asked for cannot run now; nothing else was run instead.
    TargetNotRunnable,
    /// Refused by policy; the ticket is unchanged and passed over for the rest of the drain.
    PolicyDenied,
    /// Stopped from outside (a signal); the ticket was released.
    Interrupted,
}

impl TickStatus {
    /// The word on screen and in the log.
    pub fn word(self) -> &'static str {
        match self {
            TickStatus::Completed => "completed",
            TickStatus::Failed => "failed",
            TickStatus::Idle => "idle",
            TickStatus::WaitingInput => "waiting_input",
            TickStatus::DryRun => "dry_run",
            TickStatus::UnsupportedExecutor => "unsupported_executor",
            TickStatus::PlanfileError => "planfile_error",
            TickStatus::ClaimFailed => "claim_failed",
            TickStatus::TargetNotRunnable => "target_not_runnable",
            TickStatus::PolicyDenied => "policy_denied",
            TickStatus::Interrupted => "interrupted",
        }
    }

    /// koru's marker.
    pub fn marker(self) -> &'static str {
        match self {
            TickStatus::Completed => "✓",
            TickStatus::Failed => "✗",
            TickStatus::Idle => "•",
            TickStatus::WaitingInput => "⏸",
            TickStatus::DryRun => "?",
            TickStatus::UnsupportedExecutor | TickStatus::PlanfileError => "!",
            TickStatus::ClaimFailed
            | TickStatus::TargetNotRunnable
            | TickStatus::PolicyDenied
            | TickStatus::Interrupted => "·",
        }
    }

    /// Whether it counts as success for the exit code.
    pub fn is_ok(self) -> bool {
        matches!(
            self,
            TickStatus::Completed | TickStatus::Idle | TickStatus::WaitingInput | TickStatus::DryRun
        )
    }
}

/// One tick.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tick {
    /// From 1, in order of dispatch.
    pub iteration: u32,
    /// Ticket; `None` when idle or when the planfile cannot be read.
    pub ticket: Option<TicketId>,
    /// Executor kind word.
    pub executor: Option<String>,
    /// How it went.
    pub status: TickStatus,
    /// Exit code of the command; 0 or 1 for api.
    pub exit_code: Option<i32>,
    /// Command, question, error or what is missing (foreign text).
    pub message: String,
    /// Last characters of standard output (foreign text).
    pub stdout_tail: String,
    /// Last characters of standard error (foreign text).
    pub stderr_tail: String,
    /// Milliseconds from dispatch to end.
    pub duration_ms: u64,
}

/// How a drain went.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DrainReport {
    /// All ticks in order of dispatch.
    pub ticks: Vec<Tick>,
    /// Completed tickets.
    pub completed: Vec<TicketId>,
    /// Failed tickets (last result of each).
    pub failed: Vec<TicketId>,
    /// Tickets that wait for a human or for an input.
    pub waiting: Vec<TicketId>,
    /// Tickets refused by policy.
    pub denied: Vec<TicketId>,
    /// Tickets found in progress whose runner is dead; they wait for a decision.
    pub interrupted: Vec<TicketId>,
    /// Status of the last tick.
    pub last_status: TickStatus,
    /// The cap was hit while runnable work was left.
    pub capped: bool,
    /// Wall time in milliseconds.
    pub duration_ms: u64,
    /// The run log, relative to the project, if one was written.
    pub log: Option<String>,
}

impl DrainReport {
    /// 0 or 1: 1 when a ticket failed in the end or was refused, when anything else went wrong, or when the cap was hit
    /// with work left. Idle and waiting are 0, and so is a ticket that failed and succeeded at its next attempt.
    pub fn exit_code(&self) -> u8 {
        let wrong = |tick: &Tick| !tick.status.is_ok() && tick.status != TickStatus::Failed;
        let bad = self.capped || !self.failed.is_empty() || self.ticks.iter().any(wrong);
        u8::from(bad)
    }
}

/// Drains as told. Never fails as such: what went wrong is in the report.
pub async fn drain(options: DrainOptions, io: &mut dyn DrainIo) -> DrainReport {
    engine::Engine::new(options, io).work().await
}
