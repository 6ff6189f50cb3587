//! The loop of worker and reviewer as a pure machine: a state and an input make a state and effects. It starts nothing,
//! reads nothing and waits for nothing; [`super::looping`] does what it says and tells it what came of it.
//!
//! Rules (`reference/loop-kit.md` §5–§10, and what loop-kit misses): a round without a change is seen by the commit that
//! *this round* began from; the work must descend from the base; a reviewer that changed the work did not review it; a
//! verdict that contradicts itself is a person's; a missing review never pays the worker again; the outcome that is
//! recorded is the precise one. Invariant: every list of effects ends with exactly one that brings the next input, or
//! with [`Effect::End`].

mod fail;
mod resume;
mod turns;

use std::time::Duration;

use super::bus::{File, Level, LoopState, OutcomeWord, ReviewReport, Role, Session, WorkReport};

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

/// What a loop begins with.
#[derive(Clone, Debug, PartialEq)]
pub enum Begin {
    /// A new task, or an old one from its beginning.
    New {
        /// The task.
        task_id: String,
        /// Commit that it begins from.
        base: String,
    },
    /// Where the state says that it stopped.
    Resume(Box<Standing>),
    /// One round of that number.
    Single {
        /// Its number.
        round: u32,
        /// What the bus holds.
        standing: Box<Standing>,
        /// Commit that the tree is at.
        head: String,
    },
}

/// What stands in the bus when a loop is resumed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// Task of the card.
    pub task_id: String,
    /// The work report of the state's task and round, when there is one.
    pub work: Option<WorkReport>,
    /// The review report of the state's task and round, when there is one.
    pub review: Option<ReviewReport>,
    /// Commit that the tree is at.
    pub head: Option<String>,
    /// Why the commit that the state began from cannot be used, when it cannot.
    pub lost: Option<String>,
}

/// How the start of an agent ended.
#[derive(Clone, Debug, PartialEq)]
pub enum AgentEnd {
    /// With exit code 0; what it was told to write is looked for next.
    Exited {
        /// Its conversation, when it told one.
        session: Option<String>,
    },
    /// The time limit stopped it; it may have written its report before.
    TimedOut {
        /// The limit.
        limit: Duration,
    },
    /// Otherwise.
    Failed {
        /// Why (foreign text).
        why: String,
        /// Trying again is of no use.
        permanent: bool,
        /// It does not know the conversation that it was to go on with.
        session_lost: bool,
    },
}

/// What the worker's commit is, as git knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Its full hash.
    pub head: String,
    /// Whether it descends from the base, or is it.
    pub descends: bool,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The loop begins.
    Begin(Begin),
    /// The agent that was started ended.
    Ended(AgentEnd),
    /// The worker's report is there.
    Work(Box<WorkReport>),
    /// The reviewer's report is there.
    Review(Box<ReviewReport>),
    /// A report is there that breaks the rules; a sentence.
    Bad(String),
    /// No report came; a sentence that names the file.
    Absent(String),
    /// The pause is over.
    BackedOff,
    /// The worker's commit was looked at; a sentence when git could not.
    Compared(Result<Compared, String>),
    /// Paths that changed while the reviewer judged (foreign text).
    Looked(Vec<String>),
    /// Somebody stopped it.
    Interrupted,
}

/// What is to be done, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Write the state.
    Save(Box<LoopState>),
    /// Move what an earlier run of the task left in the archive aside.
    CloseHistory,
    /// Keep the state in the archive, as of that round.
    ArchiveState(u32),
    /// Keep the round's files in the archive.
    ArchiveRound(u32),
    /// Keep a file in the archive, as of that round at the latest, and take it away.
    Retire(u32, File),
    /// Write the review request for that work.
    Request(Box<WorkReport>),
    /// Write the fix list of that round from that review and what the worker said.
    Fixes(u32, Box<ReviewReport>, Option<String>),
    /// Write the summary.
    Summary(Box<ReviewReport>),
    /// Remember what the tree looks like before the reviewer begins.
    Remember,
    /// Say something.
    Say(Level, String),
    /// Start the role's agent: brings [`Input::Ended`].
    Dispatch {
        /// Whose.
        role: Role,
        /// Round.
        round: u32,
        /// Which try, from 1.
        attempt: u32,
        /// Conversation to go on with.
        resume: Option<String>,
    },
    /// Wait for the role's report: brings `Work`, `Review`, `Bad` or `Absent`.
    Await {
        /// Whose.
        role: Role,
        /// A person's rather than an agent's that ended.
        person: bool,
    },
    /// Pause: brings [`Input::BackedOff`].
    BackOff(Duration),
    /// Look at the worker's commit: brings [`Input::Compared`].
    Compare {
        /// As the worker names it.
        head: String,
    },
    /// Look at what the reviewer did to the tree: brings [`Input::Looked`].
    Look,
    /// It is over.
    End(End),
}

/// How it ended.
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

/// What is being waited for.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Start,
    Working(Role),
    Comparing(Box<WorkReport>),
    Looking(Box<ReviewReport>),
    Over,
}

/// The loop.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    rules: Rules,
    state: LoopState,
    step: Step,
    /// Starts of the current agent.
    attempt: u32,
    /// Commit that this round began from; `None` when that is not known any more.
    from: Option<String>,
    work: Option<WorkReport>,
    /// The next conversation of a role must be a new one.
    review_again: bool,
}

impl Machine {
    /// A loop that stands where `state` says.
    pub fn new(rules: Rules, state: LoopState) -> Self {
        Self { rules, state, step: Step::Start, attempt: 0, from: None, work: None, review_again: false }
    }

    /// Where it stands.
    pub fn state(&self) -> &LoopState {
        &self.state
    }

    /// What follows from `input`, at `now` (as the bus writes times). An input that does not fit is ignored: it is of a
    /// step that is over.
    #[must_use]
    pub fn step(mut self, input: Input, now: &str) -> (Self, Vec<Effect>) {
        let step = self.step.clone();
        let effects = match (step, input) {
            (Step::Over, _) => Vec::new(),
            (_, Input::Interrupted) => self.interrupted(now),
            (Step::Start, Input::Begin(begin)) => self.begin(begin, now),
            (Step::Working(role), Input::Ended(end)) => self.ended(role, end, now),
            (Step::Working(role), Input::BackedOff) => {
                let mut effects = vec![Effect::Retire(self.state.round, role.report())];
                effects.extend(self.dispatch(role));
                effects
            }
            (Step::Working(Role::Worker), Input::Work(report)) => self.worked(*report),
            (Step::Working(Role::Reviewer), Input::Review(report)) => self.reviewed(*report),
            (Step::Working(role), Input::Bad(why)) => {
                let word = match role {
                    Role::Worker => "invalid_work_report",
                    Role::Reviewer => OutcomeWord::INVALID_REVIEW,
                };
                self.fail(word, why, End::Invalid, now)
            }
            (Step::Working(role), Input::Absent(why)) => self.absent(role, why, now),
            (Step::Comparing(report), Input::Compared(compared)) => self.compared(*report, compared, now),
            (Step::Looking(report), Input::Looked(paths)) => self.judged(*report, &paths, now),
            _ => Vec::new(),
        };
        (self, effects)
    }

    fn backend(&self, role: Role) -> &str {
        match role {
            Role::Worker => &self.rules.backends[0],
            Role::Reviewer => &self.rules.backends[1],
        }
    }

    /// The conversation that a role goes on with in this round.
    fn conversation(&self, role: Role) -> Option<&Session> {
        let session = self.state.session(role)?;
        let age = self.state.round.saturating_sub(session.started_round);
        let limit = self.rules.max_session_rounds;
        let fits =
            session.backend == self.backend(role) && super::bus::check_session(&session.session_id).is_ok();
        (fits && (limit == 0 || age < limit)).then_some(session)
    }
}

#[cfg(test)]
mod tests;
