//! Runs a loop of worker and reviewer on a bus: does what the [cycle](super::cycle) says, and keeps loop-kit's files of it
//! ([`ledger`], [`resume`]) so that either program can go on with the other's loop. Agents are sessions of the house ([`crate::execute::agents::session`]), so that they are stopped with everything
//! that they started; reports are waited for by watching the folder.
//!
//! Owns the lock of the bus for the whole run, single rounds too. Works in the tree as it is, like loop-kit: no worktree,
//! no fence, the whole environment; tickets of the planfile are worked by the runtime instead.

mod agents;
mod argv;
mod attempts;
pub mod display;
mod ledger;
mod prompt;
mod references;
mod resume;
#[cfg(test)]
mod tests;
mod tree;
mod turns;
mod waiting;
mod writes;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;

use super::bus::{
    Bus, BusError, File, Level, LoopState, Role, StateSource, TaskCard, WorkReport, check_task_id, stamp,
};
use super::cycle::Do;
use crate::base::lock::LockError;
use crate::execute::stop::StopWatch;

use resume::{Opening, Refused, Standing};

pub use argv::{BACKENDS, known_backend};
pub use tree::{DiffError, diff_of};

/// What a loop may do.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// Rounds before it is given up.
    pub max_rounds: u32,
    /// Agents are started; otherwise people are waited for.
    pub auto: bool,
    /// Agent of each role, by its name: worker, reviewer.
    pub backends: [String; 2],
    /// Times that a failed agent is started again.
    pub retries: u32,
    /// First pause before that; doubled each time, at most a minute.
    pub retry_base: Duration,
    /// Rounds after which a conversation is begun anew; 0 means never.
    pub max_session_rounds: u32,
    /// Only one round.
    pub single: bool,
}

/// What to run.
#[derive(Clone, Debug)]
pub struct LoopPlan {
    /// The bus.
    pub bus: PathBuf,
    /// Top of the work tree that is worked in.
    pub root: PathBuf,
    /// The card, when it is not the one in the bus.
    pub card: Option<PathBuf>,
    /// What it may do.
    pub rules: Rules,
    /// How it begins.
    pub how: How,
    /// Limit of one start of an agent; `None` is none.
    pub dispatch_timeout: Option<Duration>,
    /// How long a report may take to appear after its agent ended.
    pub artifact_timeout: Option<Duration>,
    /// How long a person may take.
    pub phase_timeout: Option<Duration>,
    /// A person must give signs of life that are at most this old.
    pub heartbeat: Option<Duration>,
    /// Go on although tracked files differ.
    pub allow_dirty: bool,
    /// Show every line of the agents.
    pub verbose: bool,
}

/// How a loop begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// From the first round.
    New,
    /// From the first round, after everything in the bus but its archive was put away.
    Reset,
    /// Where it stopped.
    Resume,
    /// One round of that number.
    Single(u32),
}

/// What is told while it runs. Texts are foreign.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// By the loop.
    Note(Level, String),
    /// By an agent.
    Agent(Role, String),
}

/// How a loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The work passed, or there was nothing left to do, or the single round went as it should.
    Ok,
    /// All rounds were used.
    Exhausted,
    /// Nobody wrote the report in time.
    TimedOut,
    /// Something is not as it must be.
    Invalid,
    /// Somebody stopped it.
    Interrupted,
}

/// How it ended, and where.
#[derive(Clone, Debug)]
pub struct LoopEnd {
    /// How.
    pub end: End,
    /// The state that is on disk.
    pub state: LoopState,
}

/// Why a loop did not begin, or could not go on.
#[derive(Debug, thiserror::Error)]
pub enum LoopError {
    /// Another run works on this bus.
    #[error("another loop runs on this bus: {0}")]
    Locked(LockError),
    /// The lock of the bus is none.
    #[error("the bus cannot be locked: {0}; take that away")]
    NoLock(LockError),
    /// Tracked files differ from the last commit.
    #[error(
        "tracked files differ from the last commit, so the work could not be told from them; commit or stash them, or \
         use --allow-dirty:\n{}", .0.join("\n")
    )]
    Dirty(Vec<String>),
    /// Git is in the middle of something: a commit of the worker's would end it.
    #[error(
        "{0} is in progress in this tree, and a commit of the worker would become part of it; finish or abort it"
    )]
    Unfinished(&'static str),
    /// The folder is no work tree with a commit.
    #[error("{0}")]
    NoTree(String),
    /// The card cannot be used.
    #[error("the task card cannot be used: {0}")]
    Card(BusError),
    /// The bus cannot be written.
    #[error("the bus cannot be used: {0}")]
    Bus(#[from] BusError),
    /// The archive cannot be written.
    #[error("the archive cannot be used: {0}")]
    Archive(#[from] super::bus::ArchiveError),
}

/// Runs a loop to its end.
///
/// # Errors
/// See [`LoopError`]; the state on disk is that of the last step.
pub async fn run(plan: LoopPlan, stop: StopWatch, said: UnboundedSender<Said>) -> Result<LoopEnd, LoopError> {
    let bus = Bus::open(&plan.bus)?;
    let lock = bus.lock().map_err(|error| match error {
        LockError::Busy { .. } => LoopError::Locked(error),
        LockError::Io { .. } => LoopError::NoLock(error),
    })?;
    agents::stop_orphans(&bus, &said).await;
    if let Some(what) = tree::unfinished(&plan.root).map_err(LoopError::NoTree)? {
        return Err(LoopError::Unfinished(what));
    }
    let dirty = tree::dirty(&plan.root, bus.folder()).map_err(LoopError::NoTree)?;
    if !dirty.is_empty() {
        if !plan.allow_dirty {
            return Err(LoopError::Dirty(dirty));
        }
        let text = format!("{} tracked files differ from the last commit: {}", dirty.len(), dirty.join(", "));
        let _ = said.send(Said::Note(Level::Warning, text));
    }
    let path = plan.card.clone().unwrap_or_else(|| bus.path(File::TaskCard));
    let card = TaskCard::read(&path).map_err(LoopError::Card)?;
    if plan.how == How::Reset {
        let of = bus.claims(File::State).0.filter(|task| check_task_id(task).is_ok());
        bus.archive_state(of.as_deref().unwrap_or(&card.task_id), 0)?;
        bus.forget_state()?;
    }
    let state = read_state(&bus, &said);
    let head = tree::head(&plan.root).map_err(LoopError::NoTree)?;
    let mut standing = Box::new(standing(&bus, &state, &card.task_id, &head));
    standing.lost = state.base_sha.as_deref().and_then(|base| tree::unknown(&plan.root, base));
    let opening = match plan.how {
        How::New | How::Reset => Opening::New { task_id: card.task_id.clone(), base: head },
        How::Resume => Opening::Resume(standing),
        How::Single(round) => Opening::Single { round, standing, head },
    };
    let full = |name: &str| tree::full(&plan.root, name);
    let opened = resume::open(plan.rules.clone(), state, opening, full, &stamp(Timestamp::now()));
    // A loop that is over at once leaves the card of the one that stands there.
    if opened.as_ref().is_ok_and(|(ledger, _)| ledger.next() != Do::End) {
        adopt_card(&path, &card, &bus)?;
    }
    let mut driver = Driver { plan, bus, card, stop, said, compared: None, watched: None };
    let end = match opened {
        Ok((mut ledger, writes)) => {
            driver.write_all(writes, &ledger.state)?;
            driver.drive(&mut ledger).await?;
            LoopEnd { end: ledger.end(), state: ledger.state }
        }
        Err(Refused { end, state, writes }) => {
            driver.write_all(writes, &state)?;
            LoopEnd { end, state: *state }
        }
    };
    drop(lock);
    Ok(end)
}

/// The state that is there; what is the matter with its file is said.
fn read_state(bus: &Bus, said: &UnboundedSender<Said>) -> LoopState {
    let (state, source) = bus.state();
    let text = match source {
        StateSource::File => return state,
        StateSource::Backup(error) => format!("{error}; taken from its copy"),
        StateSource::Fresh(error) => format!("{error}; it counts as a new loop"),
    };
    let _ = said.send(Said::Note(Level::Warning, text));
    state
}

/// Makes the card of this run, when it is from elsewhere, the one of the bus.
fn adopt_card(path: &Path, card: &TaskCard, bus: &Bus) -> Result<(), LoopError> {
    let own = bus.path(File::TaskCard);
    if path.canonicalize().ok().is_some_and(|path| own.canonicalize().is_ok_and(|own| own == path)) {
        return Ok(());
    }
    match bus.task_card() {
        Ok(old) if old == *card => return Ok(()),
        // It may be another task's.
        Ok(old) => bus.retire(&old.task_id, 0, File::TaskCard)?,
        Err(error) if error.is_missing() => {}
        // Whoever broke it may still want what is in it.
        Err(_) => bus.retire(&card.task_id, 0, File::TaskCard)?,
    }
    Ok(bus.write_task_card(card)?)
}

/// What the bus holds of the state's task and round.
fn standing(bus: &Bus, state: &LoopState, task_id: &str, head: &str) -> Standing {
    let round = state.round;
    let work = bus.work_report().ok().filter(|work| work.belongs(task_id, round)).or_else(|| {
        // Without the report, the request that was made of it says as much.
        let request = bus
            .review_request()
            .ok()
            .filter(|request| request.task_id == task_id && request.round == round)?;
        Some(WorkReport {
            task_id: request.task_id,
            round,
            head_sha: request.head_sha,
            tests: request.worker_tests,
            notes: request.worker_notes,
            ..WorkReport::default()
        })
    });
    let review = bus.review_report().ok().filter(|review| review.belongs(task_id, round));
    Standing { task_id: task_id.to_owned(), work, review, head: Some(head.to_owned()), lost: None }
}

/// What a run owns.
struct Driver {
    plan: LoopPlan,
    bus: Bus,
    card: TaskCard,
    stop: StopWatch,
    said: UnboundedSender<Said>,
    /// What was compared last.
    compared: Option<tree::Comparison>,
    /// Watches the folder of the bus, once something was waited for.
    watched: Option<waiting::Folder>,
}

impl Driver {
    fn say(&self, level: Level, text: &str) {
        let data = serde_json::json!({"message": text, "task_id": self.card.task_id});
        self.bus.tell(Timestamp::now(), level, "log", data);
        let _ = self.said.send(Said::Note(level, text.to_owned()));
    }
}
