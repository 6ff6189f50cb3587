//! The turns of a round: the worker's, the look at its commit, the reviewer's, the verdict.

use super::fail::JUDGING;
use super::{Compared, Effect, End, Machine, Step};
use crate::verify::bus::{
    File, Level, OutcomeWord, Phase, ReviewReport, Role, RoundDetail, Session, TestsSummary, WorkReport,
    check_session,
};
use crate::verify::verdict::Decision;

/// Paths that are named when the reviewer changed the tree.
const NAMED: usize = 10;

impl Machine {
    /// A round begins: nothing of an older one is taken for its own. The state is saved before their reports go: after a
    /// crash in between, a report of another round is nobody's, while a state without its verdict would be judged again.
    pub(super) fn enter_round(&mut self, now: &str) -> Vec<Effect> {
        let round = self.state.round;
        self.state.started_at = Some(now.to_owned());
        self.work = None;
        self.review_again = true;
        let mut effects = vec![
            Effect::Save(Box::new(self.state.clone())),
            Effect::ArchiveState(round),
            Effect::Retire(round, File::WorkReport),
            Effect::Retire(round, File::ReviewReport),
            Effect::Say(Level::Info, format!("round {round} of {}", self.rules.max_rounds.max(round))),
        ];
        self.attempt = 0;
        effects.extend(self.dispatch(Role::Worker));
        effects
    }

    /// The role's turn: its agent is started, or a person waited for.
    pub(super) fn dispatch(&mut self, role: Role) -> Vec<Effect> {
        self.step = Step::Working(role);
        if !self.rules.auto {
            return vec![Effect::Await { role, person: true }];
        }
        self.attempt += 1;
        let resume = self.conversation(role).map(|session| session.session_id.clone());
        vec![Effect::Dispatch { role, round: self.state.round, attempt: self.attempt, resume }]
    }

    /// Remembers the conversation that a role told of.
    pub(super) fn keep_session(&mut self, role: Role, session: Option<String>) {
        let Some(session_id) = session.filter(|id| check_session(id).is_ok()) else { return };
        let started_round = self.conversation(role).map_or(self.state.round, |known| known.started_round);
        let backend = self.backend(role).to_owned();
        let known = Session { session_id, backend, started_round, extra: serde_json::Map::new() };
        self.state.set_session(role, Some(known));
    }

    pub(super) fn worked(&mut self, report: WorkReport) -> Vec<Effect> {
        self.compare(report)
    }

    pub(super) fn compare(&mut self, report: WorkReport) -> Vec<Effect> {
        let head = report.head_sha.clone();
        self.step = Step::Comparing(Box::new(report));
        vec![Effect::Compare { head }]
    }

    pub(super) fn compared(
        &mut self,
        report: WorkReport,
        compared: Result<Compared, String>,
        now: &str,
    ) -> Vec<Effect> {
        let compared = match compared {
            Ok(compared) => compared,
            Err(why) => return self.fail("git_compare_failed", why, End::Invalid, now),
        };
        let round = self.state.round;
        if self.from.as_deref() == Some(&compared.head)
            || self.state.base_sha.as_deref() == Some(&compared.head)
        {
            let short: String = compared.head.chars().take(12).collect();
            let why =
                format!("the worker changed nothing in round {round}: its commit {short} is where it began");
            return self.fail("worker_noop", why, End::Invalid, now);
        }
        if !compared.descends {
            let why =
                format!("the worker's commit {} does not descend from the base of the task", compared.head);
            return self.fail("git_compare_failed", why, End::Invalid, now);
        }
        self.state.head_sha = Some(compared.head);
        self.state.phase = Phase::AwaitingReview;
        self.work = Some(report.clone());
        if self.rules.auto && self.review_again {
            self.state.extra.insert(JUDGING.to_owned(), self.backend(Role::Reviewer).into());
        }
        let mut effects = Vec::new();
        if self.review_again {
            effects.push(Effect::Retire(round, File::ReviewReport));
        }
        effects.extend([
            Effect::Request(Box::new(report)),
            Effect::Save(Box::new(self.state.clone())),
            Effect::Remember,
        ]);
        self.attempt = 0;
        if self.review_again {
            effects.extend(self.dispatch(Role::Reviewer));
        } else {
            // It was written before the loop stopped.
            self.step = Step::Working(Role::Reviewer);
            effects.push(Effect::Await { role: Role::Reviewer, person: true });
        }
        effects
    }

    pub(super) fn reviewed(&mut self, report: ReviewReport) -> Vec<Effect> {
        self.step = Step::Looking(Box::new(report));
        vec![Effect::Look]
    }

    pub(super) fn judged(&mut self, report: ReviewReport, changed: &[String], now: &str) -> Vec<Effect> {
        if !changed.is_empty() {
            let more = changed.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let named = changed.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
            let why = format!("the reviewer changed what it was to judge: {named}{more}; look at it first");
            return self.distrust(OutcomeWord::REVIEWER_CHANGED, why, now);
        }
        let by_agent = self.state.extra.shift_remove(JUDGING).is_some();
        if let Some(why) = report.contradiction() {
            let why = format!("{why}; a person decides: mend review_report.json and --resume takes it");
            return self.fail(OutcomeWord::CONTRADICTION, why, End::Invalid, now);
        }
        let round = self.state.round;
        let tests = self.work.as_ref().map(WorkReport::summary).unwrap_or_default();
        let detail = RoundDetail {
            round,
            started_at: self.state.started_at.clone(),
            worker_notes: self.work.as_ref().and_then(|work| work.notes.clone()),
            tests_summary: tests,
            review_decision: Some(report.decision.word().to_owned()),
            ..RoundDetail::default()
        };
        self.state.round_details.retain(|detail| detail.round != round);
        self.state.round_details.push(detail);
        let mut effects = Vec::new();
        if by_agent {
            // From here on the verdict counts, after a crash too.
            effects.push(Effect::Save(Box::new(self.state.clone())));
        }
        effects.push(Effect::ArchiveRound(round));
        match report.decision {
            Decision::Approve => self.approved(report, tests, effects),
            Decision::ChangesRequired => self.rejected(report, effects, now),
        }
    }

    fn approved(
        &mut self,
        report: ReviewReport,
        tests: TestsSummary,
        mut effects: Vec<Effect>,
    ) -> Vec<Effect> {
        let round = self.state.round;
        if tests.fail > 0 {
            let fail = tests.fail;
            let why = format!("round {round} is approved although the worker tells of {fail} failed tests");
            effects.push(Effect::Say(Level::Warning, why));
        }
        self.state.phase = Phase::Done;
        self.state.outcome = Some(OutcomeWord::APPROVED.to_owned());
        self.step = Step::Over;
        effects.extend([
            // First: a loop that is over writes nothing any more.
            Effect::Summary(Box::new(report)),
            Effect::Save(Box::new(self.state.clone())),
            Effect::ArchiveState(round),
            Effect::Say(Level::Info, format!("round {round}: approve")),
            Effect::End(End::Ok),
        ]);
        effects
    }

    fn rejected(&mut self, report: ReviewReport, mut effects: Vec<Effect>, now: &str) -> Vec<Effect> {
        let round = self.state.round;
        let blocking = report.blocking_issues.len();
        let say = format!("round {round}: changes_required, {blocking} blocking");
        effects.push(Effect::Say(Level::Info, say));
        let notes = self.work.take().and_then(|work| work.notes);
        effects.push(Effect::Fixes(round + 1, Box::new(report), notes));
        self.state.phase = Phase::AwaitingWork;
        self.state.round = round + 1;
        self.from = self.state.head_sha.clone();
        if self.rules.single {
            self.step = Step::Over;
            effects.push(Effect::Save(Box::new(self.state.clone())));
            effects.push(Effect::Retire(round, File::WorkReport));
            effects.push(Effect::End(End::Ok));
        } else if round >= self.rules.max_rounds {
            effects.extend(self.exhausted(now));
        } else {
            effects.extend(self.enter_round(now));
        }
        effects
    }
}
