//! The state of a loop, and which files of the bus are written, in which order, when something happened. What follows
//! from it is decided by the [`Cycle`]; in here that becomes loop-kit's phases, outcomes and files. Pure.
//!
//! Invariant: after a crash between two writes of a list, resuming from what is on disk loses no work and no verdict, and
//! takes none that nobody held against the tree. A report is taken away only after the state that no longer needs it, and
//! the summary is written before the state that says that all is over.

use super::tree::Comparison;
use super::{End, Rules};
use crate::verify::bus::{
    File, Level, LoopState, OutcomeWord, Phase, ReviewReport, Role, RoundDetail, WorkReport,
};
use crate::verify::cycle::{Begin, Cycle, Do, Input, Judgement, Position};
use crate::verify::finding::Source;
use crate::verify::rounds::{Stage, Wait};

/// Key of the state in which we keep whose turn it was when somebody stopped the loop; loop-kit keeps it without looking.
pub(super) const STOPPED_IN: &str = "stopped_in";

/// Key of the state in which we keep that an agent is judging: a report that it wrote before the loop was cut off was never
/// held against the tree, so that it does not count.
pub(super) const JUDGING: &str = "agent_judging";

/// Paths that are named when the reviewer changed the tree.
const NAMED: usize = 10;

/// Something to write, or to say.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Write {
    /// The state.
    Save(Box<LoopState>),
    /// Move what an earlier run of the task left in the archive aside.
    CloseHistory,
    /// Keep the state in the archive, as of that round.
    ArchiveState(u32),
    /// Keep the round's files in the archive.
    ArchiveRound(u32),
    /// Keep a file in the archive, as of that round at the latest, and take it away.
    Retire(u32, File),
    /// The review request for that work.
    Request(Box<WorkReport>),
    /// The fix list of that round, from that review and what the worker said.
    Fixes(u32, Box<ReviewReport>, Option<String>),
    /// The summary.
    Summary(Box<ReviewReport>),
    /// A line for whoever looks on.
    Say(Level, String),
}

/// Why a turn brought no report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lack {
    /// The agent could not be brought to end well.
    Failed(String),
    /// There is one that breaks the rules.
    Bad(String),
    /// None came.
    Absent(String),
    /// Somebody stopped the loop.
    Stopped,
}

/// A loop.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    pub(super) rules: Rules,
    pub(super) state: LoopState,
    cycle: Cycle,
    next: Do,
    /// The work of this round, once there is a report.
    work: Option<WorkReport>,
    end: End,
}

impl Ledger {
    /// Goes on from `at`; `work` is what stands in the bus and is to be looked at.
    pub(super) fn begin(
        rules: Rules,
        state: LoopState,
        (at, begin): (Position, Begin),
        work: Option<WorkReport>,
        now: &str,
    ) -> (Ledger, Vec<Write>) {
        let (cycle, next) = Cycle::begin(at, begin);
        let mut ledger = Ledger { rules, state, cycle, next, work, end: End::Ok };
        let writes = match next {
            Do::Work => ledger.entered(now),
            Do::End => ledger.exhausted(now),
            _ => Vec::new(),
        };
        (ledger, writes)
    }

    /// What is to be done next.
    pub(super) fn next(&self) -> Do {
        self.next
    }

    /// How it ended, once there is nothing more to do.
    pub(super) fn end(&self) -> End {
        self.end
    }

    /// The work that is to be looked at, or is being judged.
    pub(super) fn work(&self) -> Option<&WorkReport> {
        self.work.as_ref()
    }

    /// The agent of a role.
    pub(super) fn backend(&self, role: Role) -> &str {
        &self.rules.backends[usize::from(role == Role::Reviewer)]
    }

    fn save(&self) -> Write {
        Write::Save(Box::new(self.state.clone()))
    }

    /// A round begins: nothing of an older one is taken for its own. The state is saved before their reports go: after a
    /// crash in between, a report of another round is nobody's, while a state without its verdict would be judged again.
    fn entered(&mut self, now: &str) -> Vec<Write> {
        let round = self.state.round;
        self.state.phase = Phase::AwaitingWork;
        self.state.started_at = Some(now.to_owned());
        self.work = None;
        vec![
            self.save(),
            Write::ArchiveState(round),
            Write::Retire(round, File::WorkReport),
            Write::Retire(round, File::ReviewReport),
            Write::Say(Level::Info, format!("round {round} of {}", self.rules.max_rounds.max(round))),
        ]
    }

    /// The worker's report, held against git.
    pub(super) fn worked(
        &mut self,
        report: WorkReport,
        found: Result<&Comparison, &str>,
        now: &str,
    ) -> Vec<Write> {
        let round = self.state.round;
        let found = match found {
            Ok(found) => found,
            Err(why) => return self.failed("git_compare_failed", why.to_owned(), End::Invalid, now),
        };
        let head = found.head.clone();
        if self.next == Do::Work {
            self.next = self.cycle.step(Input::Worked { head: head.clone() });
        }
        if self.next == Do::Check {
            self.next = self.cycle.step(Input::Checked { head: head.clone(), red: false });
        }
        if self.next == Do::End {
            let short: String = head.chars().take(12).collect();
            let why =
                format!("the worker changed nothing in round {round}: its commit {short} is where it began");
            return self.failed("worker_noop", why, End::Invalid, now);
        }
        if !found.descends {
            let why = format!("the worker's commit {head} does not descend from the base of the task");
            return self.failed("git_compare_failed", why, End::Invalid, now);
        }
        self.asked(report, head)
    }

    /// The reviewer is asked, or the report that is there is read.
    fn asked(&mut self, work: WorkReport, head: String) -> Vec<Write> {
        let asked = self.next == Do::Judge;
        self.state.head_sha = Some(head);
        self.state.phase = Phase::AwaitingReview;
        if self.rules.auto && asked {
            self.state.extra.insert(JUDGING.to_owned(), self.backend(Role::Reviewer).into());
        }
        let retired = asked.then_some(Write::Retire(self.state.round, File::ReviewReport));
        let request = Write::Request(Box::new(work.clone()));
        self.work = Some(work);
        retired.into_iter().chain([request, self.save()]).collect()
    }

    /// The reviewer's report, and what it did to the tree besides.
    pub(super) fn reviewed(&mut self, report: ReviewReport, changed: Vec<String>, now: &str) -> Vec<Write> {
        let source = Source::Reviewer { name: self.backend(Role::Reviewer).to_owned() };
        let verdict = Ok(report.verdict(&source, self.state.head_sha.as_deref()));
        self.next = self.cycle.step(Input::Judged(Judgement { verdict, changed, unproven: None }));
        match self.cycle.at().stage.clone() {
            Stage::Waiting { why: Wait::ReviewerChangedWork { paths } } => {
                let why = changed_by_reviewer(&paths);
                return self.distrusted(OutcomeWord::REVIEWER_CHANGED, why, now);
            }
            Stage::Waiting { why: Wait::Contradiction { sentence } } => {
                let why =
                    format!("{sentence}; a person decides: mend review_report.json and --resume takes it");
                return self.failed(OutcomeWord::CONTRADICTION, why, End::Invalid, now);
            }
            _ => {}
        }
        let mut writes = self.judged(&report);
        // Nobody is listened to here: what people want goes into the fix list.
        while self.next == Do::Listen {
            if self.cycle.at().stage == Stage::Approved {
                writes.extend(self.approved(report.clone()));
            }
            self.next = self.cycle.step(Input::Said(false));
        }
        if self.cycle.at().stage != Stage::Approved {
            writes.extend(self.sent_back(report));
            match (self.next, &self.cycle.at().stage) {
                (Do::Work, _) => writes.extend(self.entered(now)),
                (_, Stage::Working) => {
                    writes.extend([self.save(), Write::Retire(self.state.round - 1, File::WorkReport)]);
                }
                _ => writes.extend(self.exhausted(now)),
            }
        }
        writes
    }

    /// The verdict counts, after a crash too.
    fn judged(&mut self, report: &ReviewReport) -> Vec<Write> {
        let round = self.state.round;
        let detail = RoundDetail {
            round,
            started_at: self.state.started_at.clone(),
            worker_notes: self.work.as_ref().and_then(|work| work.notes.clone()),
            tests_summary: self.work.as_ref().map(WorkReport::summary).unwrap_or_default(),
            review_decision: Some(report.decision.word().to_owned()),
            ..RoundDetail::default()
        };
        self.state.round_details.retain(|detail| detail.round != round);
        self.state.round_details.push(detail);
        let by_agent = self.state.extra.shift_remove(JUDGING).is_some();
        by_agent.then(|| self.save()).into_iter().chain([Write::ArchiveRound(round)]).collect()
    }

    fn approved(&mut self, report: ReviewReport) -> Vec<Write> {
        let round = self.state.round;
        let fail = self.work.as_ref().map(WorkReport::summary).unwrap_or_default().fail;
        let red = format!("round {round} is approved although the worker tells of {fail} failed tests");
        let red = (fail > 0).then_some(Write::Say(Level::Warning, red));
        self.state.phase = Phase::Done;
        self.state.outcome = Some(OutcomeWord::APPROVED.to_owned());
        let done = [
            // First: a loop that is over writes nothing any more.
            Write::Summary(Box::new(report)),
            self.save(),
            Write::ArchiveState(round),
            Write::Say(Level::Info, format!("round {round}: approve")),
        ];
        red.into_iter().chain(done).collect()
    }

    fn sent_back(&mut self, report: ReviewReport) -> Vec<Write> {
        let round = self.state.round;
        let blocking = report.blocking_issues.len();
        let notes = self.work.take().and_then(|work| work.notes);
        self.state.phase = Phase::AwaitingWork;
        self.state.round = round + 1;
        vec![
            Write::Say(Level::Info, format!("round {round}: changes_required, {blocking} blocking")),
            Write::Fixes(round + 1, Box::new(report), notes),
        ]
    }

    /// All rounds were used.
    fn exhausted(&mut self, now: &str) -> Vec<Write> {
        self.state.phase = Phase::Done;
        self.state.outcome = Some(OutcomeWord::MAX_ROUNDS.to_owned());
        self.state.failed_at = Some(now.to_owned());
        self.end = End::Exhausted;
        let max = self.rules.max_rounds;
        let say = format!(
            "max_rounds_exhausted: {max} rounds were used and the reviewer still requires changes; `--resume \
             --max-rounds {}` allows another one",
            max.saturating_add(1)
        );
        vec![self.save(), Write::ArchiveState(self.state.round), Write::Say(Level::Error, say)]
    }

    /// A turn brought no report.
    pub(super) fn lacks(&mut self, role: Role, lack: Lack, now: &str) -> Vec<Write> {
        let worker = role == Role::Worker;
        let (words, why, end) = match lack {
            Lack::Stopped => return self.interrupted(now),
            Lack::Failed(why) if !worker => {
                return self.distrusted(OutcomeWord::REVIEWER_FAILED, why, now);
            }
            Lack::Bad(why) => (["invalid_work_report", OutcomeWord::INVALID_REVIEW], why, End::Invalid),
            Lack::Absent(why) if !self.rules.auto => {
                (["worker_timeout", OutcomeWord::REVIEWER_LATE], why, End::TimedOut)
            }
            Lack::Failed(why) | Lack::Absent(why) => {
                (["worker_dispatch_failed", OutcomeWord::REVIEWER_FAILED], why, End::Invalid)
            }
        };
        self.failed(words[usize::from(!worker)], why, end, now)
    }

    /// Somebody stopped it: whose turn it was is kept.
    pub(super) fn interrupted(&mut self, now: &str) -> Vec<Write> {
        let word = self.state.phase.word();
        self.state.extra.insert(STOPPED_IN.to_owned(), word.into());
        let why = "stopped by the operator; `--resume` goes on in this round".to_owned();
        self.failed(OutcomeWord::INTERRUPTED, why, End::Interrupted, now)
    }

    /// A failure of the reviewer whose report must not count: the archive has it from now on, and whoever resumes asks
    /// anew. It goes before the state is saved, so that no crash leaves it to be taken for a verdict.
    fn distrusted(&mut self, outcome: &str, why: String, now: &str) -> Vec<Write> {
        let retired = Write::Retire(self.state.round, File::ReviewReport);
        [retired].into_iter().chain(self.failed(outcome, why, End::Invalid, now)).collect()
    }

    fn failed(&mut self, outcome: &str, why: String, end: End, now: &str) -> Vec<Write> {
        self.next = Do::End;
        self.end = end;
        failure(&mut self.state, outcome, why, now)
    }
}

/// Ends a loop otherwise than well.
pub(super) fn failure(state: &mut LoopState, outcome: &str, why: String, now: &str) -> Vec<Write> {
    state.phase = Phase::Done;
    state.outcome = Some(outcome.to_owned());
    state.failed_at = Some(now.to_owned());
    state.error = Some(why.clone());
    if outcome != OutcomeWord::INTERRUPTED {
        state.extra.shift_remove(JUDGING);
    }
    let kept = match OutcomeWord::lacks_verdict(outcome) {
        true => "; the work is kept, and --resume asks the reviewer again",
        false => "",
    };
    vec![
        Write::Save(Box::new(state.clone())),
        Write::ArchiveRound(state.round),
        Write::Say(Level::Error, format!("{outcome}: {why}{kept}")),
    ]
}

fn changed_by_reviewer(paths: &[String]) -> String {
    let more = paths.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let named = paths.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    format!("the reviewer changed what it was to judge: {named}{more}; look at it first")
}
