//! Writing the files of the bus, one after the other, as the ledger says.

use jiff::Timestamp;
use serde_json::json;

use super::ledger::Write;
use super::{Driver, LoopError};
use crate::verify::bus::{
    File, FixList, Handoff, Level, LoopState, ReviewReport, ReviewRequest, Role, Summary, WorkReport,
    check_task_id,
};

impl Driver {
    /// Writes them in order; `state` is what they are about.
    pub(super) fn write_all(&mut self, writes: Vec<Write>, state: &LoopState) -> Result<(), LoopError> {
        writes.into_iter().try_for_each(|write| self.write(write, state))
    }

    fn write(&mut self, write: Write, state: &LoopState) -> Result<(), LoopError> {
        let task = self.card.task_id.clone();
        match write {
            Write::Save(state) => self.bus.set_state(&state)?,
            Write::CloseHistory => self.close(&task)?,
            Write::ArchiveState(round) => self.bus.archive_state(&self.task_of(File::State), round)?,
            Write::ArchiveRound(round) => self.bus.archive_round(&task, round)?,
            Write::Retire(round, file) => self.retire(round, file)?,
            Write::Request(work) => self.request(&work, state)?,
            Write::Fixes(round, review, notes) => self.fixes(round, &review, notes, state)?,
            Write::Summary(review) => self.summary(&review, state)?,
            Write::Say(level, text) => self.say(level, &text),
        }
        Ok(())
    }

    fn close(&self, task: &str) -> Result<(), LoopError> {
        self.bus.archive_summary(task)?;
        Ok(self.bus.close_history(task)?)
    }

    /// Under the task that the file itself names: it may be an older one.
    fn retire(&self, round: u32, file: File) -> Result<(), LoopError> {
        if file == File::Summary {
            return Ok(self.bus.remove(file)?);
        }
        Ok(self.bus.retire(&self.task_of(file), round, file)?)
    }

    /// The task that a file names, else that of the card.
    fn task_of(&self, file: File) -> String {
        let task = self.bus.claims(file).0.filter(|task| check_task_id(task).is_ok());
        task.unwrap_or_else(|| self.card.task_id.clone())
    }

    fn request(&mut self, work: &WorkReport, state: &LoopState) -> Result<(), LoopError> {
        let now = Timestamp::now();
        let comparison = self.compared.clone().unwrap_or_default();
        // Of a round that another program ran: it kept none of it.
        let (_, round) = self.bus.claims(File::ReviewRequest);
        if round.is_some_and(|round| round != u64::from(state.round)) {
            self.retire(state.round, File::ReviewRequest)?;
        }
        let request = ReviewRequest {
            task_id: self.card.task_id.clone(),
            base_sha: state.base_sha.clone().unwrap_or_default(),
            head_sha: comparison.head.clone(),
            commits: comparison.commits,
            diff: comparison.diff,
            acceptance_criteria: self.card.acceptance_criteria.clone(),
            constraints: self.card.constraints.clone(),
            round: state.round,
            worker_notes: work.notes.clone(),
            worker_tests: work.tests.clone(),
            ..ReviewRequest::default()
        };
        self.bus.write_review_request(&request)?;
        let tests = work.summary();
        let handoff = Handoff {
            done: vec![
                format!("The worker reported round {}.", state.round),
                format!("Head commit: {}", comparison.head),
                format!("Worker notes: {}", work.notes.clone().unwrap_or_default()),
            ],
            next_actions: vec!["The reviewer judges review_request.json.".to_owned()],
            evidence: vec![format!(
                "tests_total={} pass={} fail={} other={}",
                tests.total, tests.pass, tests.fail, tests.other
            )],
            must_read_files: comparison.files,
            ..Handoff::default()
        };
        self.bus.leave_handoff(&self.card.task_id, Role::Worker, state.round, &handoff, now)?;
        self.say(Level::Info, &format!("the worker is done: {}", comparison.head));
        Ok(())
    }

    fn fixes(
        &self,
        round: u32,
        review: &ReviewReport,
        notes: Option<String>,
        state: &LoopState,
    ) -> Result<(), LoopError> {
        if self.bus.path(File::FixList).exists() {
            self.retire(round - 1, File::FixList)?;
        }
        let list = FixList {
            task_id: self.card.task_id.clone(),
            round,
            base_sha: state.base_sha.clone().unwrap_or_default(),
            head_sha: state.head_sha.clone().unwrap_or_default(),
            fixes: review.blocking_issues.clone(),
            prior_round_notes: notes,
            prior_review_non_blocking: review.non_blocking_suggestions.clone(),
            ..FixList::default()
        };
        self.bus.write_fix_list(&list)?;
        self.hand_over(review)
    }

    fn summary(&self, review: &ReviewReport, state: &LoopState) -> Result<(), LoopError> {
        let files = self.compared.as_ref().map(|comparison| comparison.files.clone()).unwrap_or_default();
        let summary = Summary {
            task_id: self.card.task_id.clone(),
            outcome: state.outcome.clone().unwrap_or_default(),
            rounds: state.round,
            base_sha: state.base_sha.clone().unwrap_or_default(),
            head_sha: state.head_sha.clone().unwrap_or_default(),
            files_changed: files,
            review_non_blocking: review.non_blocking_suggestions.clone(),
            round_details: state.round_details.clone(),
            ..Summary::default()
        };
        self.bus.write_summary(&summary)?;
        self.bus.archive_summary(&self.card.task_id)?;
        self.hand_over(review)?;
        let data = json!({"task_id": summary.task_id, "outcome": summary.outcome, "rounds": summary.rounds});
        self.bus.tell(Timestamp::now(), Level::Info, "approved", data);
        Ok(())
    }

    fn hand_over(&self, review: &ReviewReport) -> Result<(), LoopError> {
        let word = review.decision.word();
        let questions =
            review.non_blocking_suggestions.iter().filter_map(|one| one.as_str().map(str::to_owned));
        let handoff = Handoff {
            done: vec![format!("Reviewer decision for round {}: {word}.", review.round)],
            open_questions: questions.collect(),
            evidence: vec![format!("blocking_issues={}", review.blocking_issues.len())],
            ..Handoff::default()
        };
        let (task, now) = (&self.card.task_id, Timestamp::now());
        Ok(self.bus.leave_handoff(task, Role::Reviewer, review.round, &handoff, now)?)
    }
}
