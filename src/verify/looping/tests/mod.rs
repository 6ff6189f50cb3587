//! A loop without anything around it: what is written, and in which order.

mod resume;

use serde_json::json;

use super::attempts::{After, AgentEnd};
use super::ledger::{Lack, Ledger, Write};
use super::resume::open;
use super::tree::Comparison;
use super::*;
use crate::verify::bus::{Phase, ReviewReport};

fn rules() -> Rules {
    Rules {
        max_rounds: 3,
        auto: true,
        backends: ["codex".to_owned(), "claude".to_owned()],
        retries: 2,
        retry_base: Duration::from_secs(5),
        max_session_rounds: 0,
        single: false,
    }
}

fn work(round: u32, head: &str) -> WorkReport {
    WorkReport { task_id: "T".to_owned(), round, head_sha: head.to_owned(), ..WorkReport::default() }
}

fn review(round: u32, approve: bool) -> ReviewReport {
    use crate::verify::verdict::Decision;
    let issue = crate::verify::bus::Issue::default();
    ReviewReport {
        task_id: "T".to_owned(),
        round,
        decision: if approve { Decision::Approve } else { Decision::ChangesRequired },
        blocking_issues: if approve { vec![] } else { vec![issue] },
        non_blocking_suggestions: vec![],
        extra: serde_json::Map::new(),
    }
}

/// A loop with all that it wrote last.
struct Told(Ledger, Vec<Write>);

impl Told {
    fn fresh(rules: Rules) -> Self {
        Self::begins(rules, LoopState::default(), new("b0"))
    }

    fn begins(rules: Rules, state: LoopState, opening: Opening) -> Self {
        let full = |name: &str| Some(name.to_owned());
        match open(rules, state, opening, full, "now") {
            Ok((ledger, writes)) => Told(ledger, writes),
            Err(refused) => panic!("{refused:?}"),
        }
    }

    fn exited(mut self) -> Self {
        let role = if self.0.next() == Do::Work { Role::Worker } else { Role::Reviewer };
        let ended = AgentEnd::Exited { session: Some("s1".to_owned()) };
        assert!(matches!(self.0.after(role, 1, ended), After::Report(_)));
        self
    }

    fn found(self, work: WorkReport, head: &str) -> Self {
        self.compared(work, &Comparison { head: head.to_owned(), descends: true, ..Comparison::default() })
    }

    fn compared(mut self, work: WorkReport, found: &Comparison) -> Self {
        let writes = self.0.worked(work, Ok(found), "now");
        Told(self.0, writes)
    }

    /// What stands in the bus is held against git.
    fn checked(self) -> Self {
        assert_eq!(self.0.next(), Do::Check);
        let work = self.0.work().cloned().unwrap();
        let head = work.head_sha.clone();
        self.found(work, &head)
    }

    fn works(self, round: u32, head: &str) -> Self {
        self.exited().found(work(round, head), head)
    }

    fn reviewed(mut self, report: ReviewReport, changed: &[&str]) -> Self {
        let changed = changed.iter().map(|path| (*path).to_owned()).collect();
        let writes = self.0.reviewed(report, changed, "now");
        Told(self.0, writes)
    }

    fn reviews(self, round: u32, approve: bool) -> Self {
        self.exited().reviewed(review(round, approve), &[])
    }

    fn lacks(mut self, role: Role, lack: Lack) -> Self {
        let writes = self.0.lacks(role, lack, "now");
        Told(self.0, writes)
    }

    fn stopped(mut self) -> Self {
        let writes = self.0.interrupted("now");
        Told(self.0, writes)
    }

    fn outcome(&self) -> (Phase, u32, Option<&str>) {
        (self.0.state.phase, self.0.state.round, self.0.state.outcome.as_deref())
    }

    fn end(&self) -> Option<End> {
        (self.0.next() == Do::End).then(|| self.0.end())
    }

    /// Who is paid next, and the conversation that it goes on with.
    fn dispatched(&self) -> Option<(Role, Option<&str>)> {
        let role = match self.0.next() {
            Do::Work => Role::Worker,
            Do::Judge => Role::Reviewer,
            _ => return None,
        };
        Some((role, self.0.conversation(role).map(|session| session.session_id.as_str())))
    }
}

fn new(base: &str) -> Opening {
    Opening::New { task_id: "T".to_owned(), base: base.to_owned() }
}

#[test]
fn two_rounds_end_with_an_approval_and_go_on_with_their_conversations() {
    let told = Told::fresh(rules());
    assert_eq!(told.dispatched(), Some((Role::Worker, None)));
    let told = told.works(1, "h1");
    assert_eq!(told.dispatched(), Some((Role::Reviewer, None)));
    let told = told.reviews(1, false);
    assert_eq!(told.dispatched(), Some((Role::Worker, Some("s1"))));
    assert!(told.1.contains(&Write::ArchiveRound(1)));
    let told = told.works(2, "h2").reviews(2, true);
    assert_eq!(told.outcome(), (Phase::Done, 2, Some("approved")));
    assert_eq!(told.end(), Some(End::Ok));
    assert!(told.1.contains(&Write::ArchiveRound(2)), "the last round is kept too");
    let details: Vec<_> = told.0.state.round_details.iter().map(|detail| detail.round).collect();
    assert_eq!(details, [1, 2]);
}

#[test]
fn a_round_without_a_change_is_seen_by_where_it_began() {
    let told = Told::fresh(rules()).works(1, "b0");
    assert_eq!((told.outcome(), told.end()), ((Phase::Done, 1, Some("worker_noop")), Some(End::Invalid)));
    let told = Told::fresh(rules()).works(1, "h1").reviews(1, false).works(2, "h1");
    assert_eq!(told.outcome(), (Phase::Done, 2, Some("worker_noop")), "an idle second round is one too");
}

#[test]
fn work_beside_the_base_a_changed_tree_and_a_contradiction_are_caught() {
    let beside = Comparison { head: "h1".to_owned(), ..Comparison::default() };
    let told = Told::fresh(rules()).exited().compared(work(1, "h1"), &beside);
    assert_eq!(told.outcome().2, Some("git_compare_failed"));
    let mut ledger = Told::fresh(rules()).exited().0;
    ledger.worked(work(1, "nothing"), Err("git does not know it"), "now");
    assert_eq!(ledger.state.outcome.as_deref(), Some("git_compare_failed"));
    let at_review = || Told::fresh(rules()).works(1, "h1").exited();
    let told = at_review().reviewed(review(1, true), &["src/x"]);
    assert_eq!((told.outcome().2, told.end()), (Some("reviewer_changed_tree"), Some(End::Invalid)));
    let liar = ReviewReport { blocking_issues: review(1, false).blocking_issues, ..review(1, true) };
    let told = at_review().reviewed(liar, &[]);
    assert_eq!((told.outcome().2, told.end()), (Some("contradictory_verdict"), Some(End::Invalid)));
}

fn failed(permanent: bool, session_lost: bool) -> AgentEnd {
    AgentEnd::Failed { why: "x".to_owned(), permanent, session_lost }
}

#[test]
fn failures_are_tried_again_with_growing_pauses_unless_that_is_of_no_use() {
    let after = |retries, attempt, permanent| {
        let mut told = Told::fresh(Rules { retries, ..rules() });
        told.0.after(Role::Worker, attempt, failed(permanent, false))
    };
    let pause = |after: After| match after {
        After::Again(pause, _) => Some(pause.as_secs()),
        _ => None,
    };
    assert_eq!(pause(after(2, 1, false)), Some(5));
    assert_eq!(pause(after(2, 2, false)), Some(10));
    let over = |attempt: u32| After::Over(Lack::Failed(format!("attempt {attempt} of 3: x")));
    assert_eq!(after(2, 3, false), over(3));
    assert_eq!(after(2, 1, true), over(1));
    assert_eq!(pause(after(9, 8, false)), Some(60));
    let told = Told::fresh(rules()).lacks(Role::Worker, Lack::Failed("x".to_owned()));
    assert_eq!(told.outcome().2, Some("worker_dispatch_failed"));
}

#[test]
fn a_lost_conversation_begins_anew_and_costs_no_try() {
    let mut told = Told::fresh(rules()).works(1, "h1").reviews(1, false);
    assert_eq!(told.dispatched(), Some((Role::Worker, Some("s1"))));
    assert!(matches!(told.0.after(Role::Worker, 1, failed(false, true)), After::Anew(_)));
    assert_eq!(told.dispatched(), Some((Role::Worker, None)));
    let limited = Rules { max_session_rounds: 1, ..rules() };
    let told = Told::fresh(limited).works(1, "h1").reviews(1, false);
    assert_eq!(told.dispatched(), Some((Role::Worker, None)), "a conversation has its number of rounds");
}

#[test]
fn rounds_run_out_and_a_single_one_stops() {
    let two = Rules { max_rounds: 2, ..rules() };
    let told = Told::fresh(two).works(1, "h1").reviews(1, false).works(2, "h2").reviews(2, false);
    assert_eq!(told.outcome(), (Phase::Done, 3, Some("max_rounds_exhausted")));
    assert_eq!(told.end(), Some(End::Exhausted));
    let single = Rules { single: true, ..rules() };
    let told = Told::fresh(single).works(1, "h1").reviews(1, false);
    assert_eq!((told.outcome(), told.end()), ((Phase::AwaitingWork, 2, None), Some(End::Ok)));
}

#[test]
fn no_crash_between_two_writes_loses_a_verdict_or_a_summary() {
    let place = |writes: &[Write], wanted: &dyn Fn(&Write) -> bool| {
        writes.iter().position(wanted).unwrap_or_else(|| panic!("{writes:?}"))
    };
    let saved = |write: &Write| matches!(write, Write::Save(state) if state.phase != Phase::AwaitingReview);
    let retired = |write: &Write| matches!(write, Write::Retire(..));
    for single in [false, true] {
        let told = Told::fresh(Rules { single, ..rules() }).works(1, "h1").reviews(1, false);
        assert!(place(&told.1, &saved) < place(&told.1, &retired), "{:?}", told.1);
    }
    let told = Told::fresh(rules()).works(1, "h1").reviews(1, true);
    let summed = |write: &Write| matches!(write, Write::Summary(_));
    assert!(place(&told.1, &summed) < place(&told.1, &saved), "{:?}", told.1);
    let told = Told::fresh(rules()).works(1, "h1");
    let requested = |write: &Write| matches!(write, Write::Request(_));
    let asked = |write: &Write| matches!(write, Write::Save(_));
    assert!(place(&told.1, &requested) < place(&told.1, &asked), "{:?}", told.1);
    let replaced = Told::fresh(rules()).works(1, "h1").0.state;
    let told = Told::begins(rules(), replaced, new("b1"));
    assert_eq!(told.1[0], Write::ArchiveState(1), "the state that is replaced is kept");
}

#[test]
fn people_are_waited_for_and_time_out_by_that_name() {
    let manual = Rules { auto: false, ..rules() };
    let late = Lack::Absent("work_report.json did not come".to_owned());
    let told = Told::fresh(manual.clone()).lacks(Role::Worker, late);
    assert_eq!((told.outcome().2, told.end()), (Some("worker_timeout"), Some(End::TimedOut)));
    assert_eq!(told.0.state.error.as_deref(), Some("work_report.json did not come"));
    let told = Told::fresh(manual).lacks(Role::Worker, Lack::Bad("`round` is missing".to_owned()));
    assert_eq!(told.outcome().2, Some("invalid_work_report"));
    let told = Told::fresh(rules()).works(1, "h1").lacks(Role::Reviewer, Lack::Bad("no json".to_owned()));
    assert_eq!(told.outcome().2, Some("invalid_review_report"));
}

#[test]
fn keys_of_others_survive_a_new_run() {
    let mut state = Told::fresh(rules()).works(1, "h1").reviews(1, true).0.state;
    state.extra.insert("theirs".to_owned(), json!(1));
    let told = Told::begins(rules(), state, new("b1"));
    assert_eq!(told.0.state.extra.get("theirs"), Some(&json!(1)));
    assert_eq!(told.0.state.base_sha.as_deref(), Some("b1"));
}
