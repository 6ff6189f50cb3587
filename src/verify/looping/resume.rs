//! How a loop begins, and where it goes on: loop-kit's phases and outcomes, and the reports that stand in the bus, read as
//! the position of a [`Cycle`](crate::verify::cycle::Cycle). Pure.
//!
//! loop-kit's own, and so decided here: `--resume` takes up a loop that was stopped or lacks a verdict, but none that ended
//! with a word about the worker; that takes `--single-round`. Nobody vouches for the tree between two runs, so that work
//! is always held against git again.

use super::ledger::{JUDGING, Ledger, STOPPED_IN, Write, failure};
use super::{End, Rules};
use crate::verify::bus::{File, Level, LoopState, OutcomeWord, Phase, ReviewReport, WorkReport};
use crate::verify::cycle::{Begin, Position};
use crate::verify::finding::Source;
use crate::verify::rounds::Stage;

/// What a loop begins with.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Opening {
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
pub(super) struct Standing {
    /// Task of the card.
    pub(super) task_id: String,
    /// The work report of the state's task and round, when there is one.
    pub(super) work: Option<WorkReport>,
    /// The review report of the state's task and round, when there is one.
    pub(super) review: Option<ReviewReport>,
    /// Commit that the tree is at.
    pub(super) head: Option<String>,
    /// Why the commit that the state began from cannot be used, when it cannot.
    pub(super) lost: Option<String>,
}

/// It is over before it began. Where nothing is saved, the state is another task's or somebody's result.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refused {
    /// How.
    pub(super) end: End,
    /// The state that is on disk then.
    pub(super) state: Box<LoopState>,
    /// What to say, and to write.
    pub(super) writes: Vec<Write>,
}

/// A loop that begins, or why none does. `full` is the whole hash of what a report calls its commit, when git knows it.
pub(super) fn open(
    rules: Rules,
    state: LoopState,
    opening: Opening,
    full: impl Fn(&str) -> Option<String>,
    now: &str,
) -> Result<(Ledger, Vec<Write>), Refused> {
    let reading = Reading { rules, state, now };
    match opening {
        Opening::New { task_id, base } => Ok(reading.anew(task_id, base)),
        Opening::Resume(standing) => reading.resume(*standing, full),
        Opening::Single { round, standing, head } => reading.single(round, *standing, head, full),
    }
}

struct Reading<'a> {
    rules: Rules,
    state: LoopState,
    now: &'a str,
}

impl Reading<'_> {
    fn anew(mut self, task_id: String, base: String) -> (Ledger, Vec<Write>) {
        let round = self.state.round.max(1);
        let mut writes: Vec<Write> = Vec::new();
        if self.state.task_id.is_some() {
            writes.push(Write::ArchiveState(self.state.round));
        }
        // What stands in the bus is of an earlier run: it goes into that one's history.
        for file in [File::WorkReport, File::ReviewReport, File::ReviewRequest, File::FixList] {
            writes.push(Write::Retire(round, file));
        }
        writes.extend([Write::CloseHistory, Write::Retire(0, File::Summary)]);
        let mut extra = std::mem::take(&mut self.state.extra);
        extra.shift_remove(STOPPED_IN);
        extra.shift_remove(JUDGING);
        self.state = LoopState {
            phase: Phase::AwaitingWork,
            round: 1,
            task_id: Some(task_id),
            base_sha: Some(base.clone()),
            extra,
            ..LoopState::default()
        };
        let at = self.position(Stage::Working, Some(base));
        let (ledger, first) = self.begin(at, Begin::default(), None);
        writes.extend(first);
        (ledger, writes)
    }

    fn single(
        mut self,
        round: u32,
        mut standing: Standing,
        head: String,
        full: impl Fn(&str) -> Option<String>,
    ) -> Result<(Ledger, Vec<Write>), Refused> {
        let contract = self.state.task_id.is_some() && self.state.base_sha.is_some();
        let over = matches!(self.state.phase, Phase::Done | Phase::Idle);
        let approved = self.state.outcome.as_deref() == Some(OutcomeWord::APPROVED);
        // A first round of this task that failed is done again from the commit that it began from, not from a new one.
        let failed = self.state.phase == Phase::Done
            && !approved
            && self.state.round == 1
            && self.state.task_id.as_deref() == Some(&standing.task_id);
        if round == 1 && (!contract || over && !failed) {
            return Ok(self.anew(standing.task_id, head));
        }
        if !contract {
            let why = format!("round {round} needs the state of the rounds before it, and there is none");
            let writes = failure(&mut self.state, "state_contract_missing", why, self.now);
            return Err(Refused { end: End::Invalid, state: Box::new(self.state), writes });
        }
        if self.state.round != round {
            let at = self.state.round;
            let why = format!("--round {round} was asked for, and the state is in round {at}");
            return self.refuse(format!("state_contract_mismatch: {why}"), End::Invalid);
        }
        if over && !approved && self.turn(&standing).is_none() {
            // Who names the round asks for it once more, after whatever ended it was mended. Work that was refused for
            // itself is no work.
            if matches!(self.state.outcome.as_deref(), Some("worker_noop" | "git_compare_failed")) {
                standing.work = None;
            }
            self.state.phase = Phase::AwaitingWork;
            self.state.outcome = None;
        }
        self.resume(standing, full)
    }

    fn resume(
        self,
        mut standing: Standing,
        full: impl Fn(&str) -> Option<String>,
    ) -> Result<(Ledger, Vec<Write>), Refused> {
        let (Some(task_id), Some(_)) = (self.state.task_id.clone(), self.state.base_sha.clone()) else {
            let why =
                "there is no state to resume: it names no task or no base commit; start without --resume";
            return self.refuse(format!("invalid_resume_state: {why}"), End::Invalid);
        };
        if task_id != standing.task_id {
            let why = format!("the state is of task {task_id:?}, the card of {:?}", standing.task_id);
            return self.refuse(format!("state_task_mismatch: {why}"), End::Invalid);
        }
        let Some(phase) = self.turn(&standing) else { return self.refuse_done() };
        if let Some(why) = &standing.lost {
            let why = format!("the commit that the task began from cannot be used: {why}");
            return self.refuse(format!("invalid_resume_state: {why}"), End::Invalid);
        }
        if phase == Phase::Idle || self.state.round == 0 {
            let why = "the state is of a loop that never began; start without --resume";
            return self.refuse(format!("invalid_resume_state: {why}"), End::Invalid);
        }
        if phase == Phase::AwaitingWork && self.state.round > self.rules.max_rounds && !self.rules.single {
            // Whatever was written meanwhile, the cycle lets nobody work.
            let at = self.position(Stage::Working, None);
            return Ok(self.begin(at, Begin::default(), None));
        }
        if standing.work.as_mut().is_some_and(|work| self.pin(work)) {
            // It judged another commit.
            standing.review = None;
        }
        let say = format!("resuming task {task_id} in round {}, {}", self.state.round, phase.word());
        let mut writes = vec![Write::Say(Level::Info, say)];
        let (ledger, first) = self.go_on(phase, standing, full);
        writes.extend(first);
        Ok((ledger, writes))
    }

    fn go_on(
        mut self,
        phase: Phase,
        standing: Standing,
        full: impl Fn(&str) -> Option<String>,
    ) -> (Ledger, Vec<Write>) {
        self.state.phase = phase;
        self.state.outcome = None;
        self.state.failed_at = None;
        self.state.error = None;
        self.state.extra.shift_remove(STOPPED_IN);
        let cut_off = self.state.extra.shift_remove(JUDGING).is_some();
        let known = self.state.head_sha.clone();
        if phase == Phase::AwaitingWork
            && known.is_some()
            && standing.head.is_some()
            && known != standing.head
        {
            // Somebody else went on meanwhile: what the agents remember is not the work any more.
            self.state.sessions.clear();
        }
        let work = standing.work.or_else(|| self.recorded(phase));
        let Some(work) = work else {
            let at = self.position(Stage::Working, known.or_else(|| self.state.base_sha.clone()));
            return self.begin(at, Begin::default(), None);
        };
        if phase == Phase::AwaitingReview {
            // Which commit this round began from is not known any more: the worker was believed once already.
            let at = self.position(Stage::Reviewing, None);
            let source = Source::Reviewer { name: self.rules.backends[1].clone() };
            let review = standing.review.filter(|_| !cut_off);
            let given = review.map(|review| review.verdict(&source, full(&work.head_sha).as_deref()));
            return self.begin(at, Begin { given, ..Begin::default() }, Some(work));
        }
        // The worker was done and nobody had looked yet.
        let at = self.position(Stage::Checking, known.or_else(|| self.state.base_sha.clone()));
        self.begin(at, Begin::default(), Some(work))
    }

    /// loop-kit's state as a position. The commit that the worker left is found out anew each time.
    fn position(&self, stage: Stage, from: Option<String>) -> Position {
        Position {
            base: self.state.base_sha.clone().unwrap_or_default(),
            round: self.state.round,
            of: self.rules.max_rounds,
            from,
            head: None,
            stage,
        }
    }

    fn begin(self, at: Position, begin: Begin, work: Option<WorkReport>) -> (Ledger, Vec<Write>) {
        let begin = Begin { single: self.rules.single, ..begin };
        Ledger::begin(self.rules, self.state, (at, begin), work, self.now)
    }

    /// Once the reviewer was asked, the commit is the one that the state names: a branch or `HEAD` may be another by now.
    /// Whether the report names another one by its hash instead.
    fn pin(&self, work: &mut WorkReport) -> bool {
        let outcome = self.state.outcome.as_deref();
        let stopped = self.state.extra.get(STOPPED_IN).and_then(|word| word.as_str());
        let asked = match self.state.phase {
            Phase::AwaitingReview => true,
            Phase::Done if outcome == Some(OutcomeWord::INTERRUPTED) => {
                stopped == Some(Phase::AwaitingReview.word())
            }
            Phase::Done => outcome.is_some_and(OutcomeWord::lacks_verdict),
            _ => false,
        };
        let known = self.state.head_sha.as_deref().filter(|known| asked && is_hash(known));
        match known {
            None => false,
            Some(known) if is_hash(&work.head_sha) => {
                let (known, named) = (known.to_ascii_lowercase(), work.head_sha.to_ascii_lowercase());
                !known.starts_with(&named) && !named.starts_with(&known)
            }
            Some(known) => {
                known.clone_into(&mut work.head_sha);
                false
            }
        }
    }

    /// Whose turn it is in fact; `None` for a loop that is over and stays so.
    fn turn(&self, standing: &Standing) -> Option<Phase> {
        let held = if standing.work.is_some() { Phase::AwaitingReview } else { Phase::AwaitingWork };
        match (self.state.phase, self.state.outcome.as_deref()) {
            (Phase::Done, Some(OutcomeWord::INTERRUPTED)) => {
                let word = self.state.extra.get(STOPPED_IN).and_then(|word| word.as_str());
                // Without our word (loop-kit's own), a work report of the round says that the worker is done.
                Some(word.and_then(Phase::parse).unwrap_or(held))
            }
            (Phase::Done, Some(word)) if OutcomeWord::lacks_verdict(word) && standing.work.is_some() => {
                Some(Phase::AwaitingReview)
            }
            (Phase::Done, Some(OutcomeWord::MAX_ROUNDS)) => Some(Phase::AwaitingWork),
            (Phase::Done, _) => None,
            (phase, _) => Some(phase),
        }
    }

    /// The work that the state names although nobody kept its report: the commit is all that the reviewer needs.
    fn recorded(&self, phase: Phase) -> Option<WorkReport> {
        let head_sha = self.state.head_sha.clone().filter(|_| phase == Phase::AwaitingReview)?;
        let task_id = self.state.task_id.clone()?;
        Some(WorkReport { task_id, round: self.state.round, head_sha, ..WorkReport::default() })
    }

    fn refuse_done(self) -> Result<(Ledger, Vec<Write>), Refused> {
        let outcome = self.state.outcome.clone().unwrap_or_else(|| "no outcome".to_owned());
        if outcome == OutcomeWord::APPROVED {
            return self
                .refuse("the work is approved already; there is nothing to resume".to_owned(), End::Ok);
        }
        let error = self.state.error.as_deref().unwrap_or("no error recorded");
        let round = self.state.round;
        let why = format!(
            "it cannot be resumed: it ended with {outcome} ({error}); mend that, then do this round again with \
             `--single-round --round {round}`, or start without --resume"
        );
        self.refuse(why, End::Invalid)
    }

    fn refuse(self, why: String, end: End) -> Result<(Ledger, Vec<Write>), Refused> {
        let level = if end == End::Ok { Level::Info } else { Level::Error };
        let writes = vec![Write::Say(level, why)];
        Err(Refused { end, state: Box::new(self.state), writes })
    }
}

/// Whether it can only be a hash, whole or short.
fn is_hash(name: &str) -> bool {
    name.len() >= 7 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}
