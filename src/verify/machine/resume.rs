//! How a loop begins, and how it goes on where it stopped.

use super::fail::{JUDGING, STOPPED_IN};
use super::{Begin, Effect, End, Machine, Standing, Step};
use crate::verify::bus::{File, Level, LoopState, OutcomeWord, Phase, Role, WorkReport};

impl Machine {
    pub(super) fn begin(&mut self, begin: Begin, now: &str) -> Vec<Effect> {
        match begin {
            Begin::New { task_id, base } => self.anew(task_id, base, now),
            Begin::Resume(standing) => self.resume(*standing, now),
            Begin::Single { round, standing, head } => self.single(round, *standing, head, now),
        }
    }

    fn anew(&mut self, task_id: String, base: String, now: &str) -> Vec<Effect> {
        let round = self.state.round.max(1);
        let mut effects: Vec<Effect> = Vec::new();
        if self.state.task_id.is_some() {
            effects.push(Effect::ArchiveState(self.state.round));
        }
        // What stands in the bus is of an earlier run: it goes into that one's history.
        for file in [File::WorkReport, File::ReviewReport, File::ReviewRequest, File::FixList] {
            effects.push(Effect::Retire(round, file));
        }
        effects.extend([Effect::CloseHistory, Effect::Retire(0, File::Summary)]);
        let extra = std::mem::take(&mut self.state.extra);
        self.state = LoopState {
            phase: Phase::AwaitingWork,
            round: 1,
            task_id: Some(task_id),
            base_sha: Some(base.clone()),
            extra,
            ..LoopState::default()
        };
        self.state.extra.shift_remove(STOPPED_IN);
        self.state.extra.shift_remove(JUDGING);
        self.from = Some(base);
        effects.extend(self.enter_round(now));
        effects
    }

    fn single(&mut self, round: u32, mut standing: Standing, head: String, now: &str) -> Vec<Effect> {
        let contract = self.state.task_id.is_some() && self.state.base_sha.is_some();
        let over = matches!(self.state.phase, Phase::Done | Phase::Idle);
        let approved = self.state.outcome.as_deref() == Some(OutcomeWord::APPROVED);
        // A first round of this task that failed is done again from the commit that it began from, not from a new one.
        let failed = self.state.phase == Phase::Done
            && !approved
            && self.state.round == 1
            && self.state.task_id.as_deref() == Some(&standing.task_id);
        if round == 1 && (!contract || over && !failed) {
            return self.anew(standing.task_id, head, now);
        }
        if !contract {
            let why = format!("round {round} needs the state of the rounds before it, and there is none");
            return self.fail("state_contract_missing", why, End::Invalid, now);
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
        self.resume(standing, now)
    }

    fn resume(&mut self, mut standing: Standing, now: &str) -> Vec<Effect> {
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
            return self.exhausted(now);
        }
        let moved = standing.work.as_mut().is_some_and(|work| self.pin(work));
        if moved {
            // It judged another commit.
            standing.review = None;
        }
        self.state.phase = phase;
        self.state.outcome = None;
        self.state.failed_at = None;
        self.state.error = None;
        self.state.extra.shift_remove(STOPPED_IN);
        let known = self.state.head_sha.clone();
        if phase == Phase::AwaitingWork
            && known.is_some()
            && standing.head.is_some()
            && known != standing.head
        {
            // Somebody else went on meanwhile: what the agents remember is not the work any more.
            self.state.sessions.clear();
        }
        let say = format!("resuming task {task_id} in round {}, {}", self.state.round, phase.word());
        let mut effects = vec![Effect::Say(Level::Info, say)];
        effects.extend(self.go_on(phase, standing, now));
        effects
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

    fn refuse_done(&mut self) -> Vec<Effect> {
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

    fn go_on(&mut self, phase: Phase, standing: Standing, now: &str) -> Vec<Effect> {
        let Standing { work, review, .. } = standing;
        let cut_off = self.state.extra.shift_remove(JUDGING).is_some();
        let work = work.or_else(|| self.recorded(phase));
        if let (Phase::AwaitingReview, Some(work)) = (phase, work.clone()) {
            // Which commit this round began from is not known any more: the worker was believed once already.
            self.from = None;
            let contradicts = review.as_ref().is_some_and(|review| review.contradiction().is_some());
            self.review_again = review.is_none() || contradicts || cut_off;
            return self.compare(work);
        }
        self.state.phase = Phase::AwaitingWork;
        self.from = self.state.head_sha.clone().or_else(|| self.state.base_sha.clone());
        if let Some(work) = work {
            // The worker was done and nobody had looked yet.
            self.step = Step::Working(Role::Worker);
            self.review_again = true;
            return self.worked(work);
        }
        self.enter_round(now)
    }

    /// The work that the state names although nobody kept its report: the commit is all that the reviewer needs.
    fn recorded(&self, phase: Phase) -> Option<WorkReport> {
        let head_sha = self.state.head_sha.clone().filter(|_| phase == Phase::AwaitingReview)?;
        let task_id = self.state.task_id.clone()?;
        Some(WorkReport { task_id, round: self.state.round, head_sha, ..WorkReport::default() })
    }

    /// All rounds were used.
    pub(super) fn exhausted(&mut self, now: &str) -> Vec<Effect> {
        self.state.phase = Phase::Done;
        self.state.outcome = Some(OutcomeWord::MAX_ROUNDS.to_owned());
        self.state.failed_at = Some(now.to_owned());
        self.step = Step::Over;
        let max = self.rules.max_rounds;
        let say = format!(
            "max_rounds_exhausted: {max} rounds were used and the reviewer still requires changes; `--resume \
             --max-rounds {}` allows another one",
            max.saturating_add(1)
        );
        vec![
            Effect::Save(Box::new(self.state.clone())),
            Effect::ArchiveState(self.state.round),
            Effect::Say(Level::Error, say),
            Effect::End(End::Exhausted),
        ]
    }
}

/// Whether it can only be a hash, whole or short.
fn is_hash(name: &str) -> bool {
    name.len() >= 7 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}
