//! One run of an agent program, from its command line to its end.
//!
//! The parts: [`start`] starts it; [`watch`] is the loop that reads ([`blocks`]), limits and stops, and [`turns`] steers;
//! [`stream`] makes its output into lines and a tally, [`raw`] keeps it as it came; [`repeats`] sees a program that turns in circles; [`ending`] names how it ended.
//! A session owns the process tree that it started and leaves nobody of it behind.

mod answer;
mod blocks;
mod ending;
mod input;
mod raw;
mod repeats;
mod report;
mod split;
mod start;
mod stream;
mod turns;
mod watch;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;

use super::kind::AgentKind;
use super::tally::Tally;
use crate::execute::fence::{Fence, Sighting};
use crate::execute::outcome::{Ending, Outcome};
use crate::execute::recorder::Recorder;
use crate::execute::stop::StopWatch;
use crate::plan::settings::AgentSettings;

/// What to run.
#[derive(Debug)]
pub struct AgentJob {
    /// Which program.
    pub kind: AgentKind,
    /// Its configuration: path, model, arguments, environment.
    pub settings: AgentSettings,
    /// What it is told.
    pub prompt: String,
    /// Working folder: the ticket's worktree.
    pub folder: PathBuf,
    /// Its environment before the fence's variables:
    /// [`Environment::for_agent`](crate::execute::environment::Environment::for_agent).
    pub env: Vec<(OsString, OsString)>,
    /// Files that the ticket names, relative to the worktree, for programs that must be told (aider).
    pub files: Vec<String>,
    /// Conversation to go on with.
    pub resume: Option<String>,
    /// Tokens and dollars that the conversation had used before this run.
    pub before: Option<Tally>,
    /// JSON schema of the final answer.
    pub schema: Option<Value>,
    /// Folder of the run, for files that the agent is given (schema, prompt) and its raw stream.
    pub scratch: PathBuf,
    /// What stops it.
    pub limits: Limits,
    /// What keeps it in.
    pub fence: Fence,
}

/// What stops a run by itself. `None` means no such limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Wall time.
    pub timeout: Duration,
    /// Silence after which the run is stopped.
    pub silence: Option<Duration>,
    /// Tokens of this run ([`super::tally::Tokens::total`]).
    pub tokens: Option<u64>,
    /// US dollars of this run.
    pub usd: Option<f64>,
    /// TERM to KILL.
    pub grace: Duration,
}

/// What a running agent, or whoever runs it, is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Steer {
    /// A message.
    Say(String),
    /// End after this turn, or no longer.
    PauseAfterTurn(bool),
    /// The runtime's, not the operator's: it broke the policy, and is stopped; or something was refused, and it is told
    /// by what if it hears.
    Seen(Box<Sighting>),
}

/// Whether an agent hears the operator while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hearing {
    /// At once.
    Live,
    /// Only when it is started again: messages wait for the next round.
    NextRound,
}

/// How a run of an agent ended, named (issue: bad input).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ending", rename_all = "snake_case")]
pub enum AgentEnding {
    /// It finished and every sign agrees.
    Finished,
    /// It paused after a turn, as asked.
    Paused,
    /// It reported an error, or its exit code did.
    Failed,
    /// It exited well without a finish, an answer or a change.
    NothingDone,
    /// Its stream made no sense from the first to the last line.
    Garbage,
    /// The program is not there.
    Missing,
    /// It is not logged in, or its key was refused.
    NotLoggedIn,
    /// It does not know the options that we need.
    WrongVersion,
    /// The model's host refuses until then.
    RateLimited {
        /// When to try again; `None` when nobody said.
        until: Option<Timestamp>,
    },
    /// A limit of ours stopped it.
    Limit {
        /// Which: `time`, `silence`, `tokens`, `cost`, or `repeats` for one that turned in circles.
        which: String,
    },
    /// The operator stopped it.
    Stopped,
    /// It broke the policy and was stopped.
    Violation,
}

/// How a run of an agent ended, with everything that is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentReport {
    /// How.
    pub ending: AgentEnding,
    /// The process: exit code, tails of its answer and its standard error, our reason.
    pub outcome: Outcome,
    /// What it amounts to.
    pub tally: Tally,
    /// Final answer.
    pub answer: Option<String>,
    /// Structured final answer, if a schema was given and it is valid JSON.
    pub structured: Option<Value>,
    /// What the operator said and the agent did not hear, oldest first: it belongs into the next round.
    pub unheard: Vec<String>,
}

/// Runs the job to its end. Dropping the future kills everything that it started. The recorder outlives the session: one
/// run may be several sessions (a rate limit slept over, a message taken up), with the runtime's notes between them.
pub async fn run(
    job: AgentJob,
    stop: StopWatch,
    mut steer: mpsc::UnboundedReceiver<Steer>,
    recorder: &mut Recorder,
) -> AgentReport {
    let mut report = watch::run(job, stop, &mut steer, recorder).await;
    // What came after its last look, or to one that was never started, was not heard either.
    steer.close();
    while let Ok(said) = steer.try_recv() {
        if let Steer::Say(text) = said {
            report.unheard.push(text);
        }
    }
    report
}

impl AgentReport {
    /// Nothing was started, and why.
    fn not_started(ending: AgentEnding, outcome: Outcome) -> Self {
        Self { ending, outcome, tally: Tally::default(), answer: None, structured: None, unheard: Vec::new() }
    }
}

/// What a ticket's run is called that ended so.
fn of_outcome(ending: &AgentEnding) -> Ending {
    match ending {
        AgentEnding::Finished => Ending::Succeeded,
        AgentEnding::Limit { which } if which == "time" => Ending::TimedOut,
        AgentEnding::Stopped | AgentEnding::Paused => Ending::Stopped,
        _ => Ending::Failed,
    }
}
