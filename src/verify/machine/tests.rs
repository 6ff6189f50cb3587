//! The machine without anything around it.

use serde_json::json;

use super::*;
use crate::verify::bus::Phase;

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

/// A machine with all that it said last.
struct Told(Machine, Vec<Effect>);

impl Told {
    fn new(rules: Rules, state: LoopState) -> Self {
        Told(Machine::new(rules, state), Vec::new())
    }

    fn fresh(rules: Rules) -> Self {
        let begin = Begin::New { task_id: "T".to_owned(), base: "b0".to_owned() };
        Self::new(rules, LoopState::default()).on(Input::Begin(begin))
    }

    fn on(self, input: Input) -> Self {
        let (machine, effects) = self.0.step(input, "now");
        Told(machine, effects)
    }

    fn exited(self) -> Self {
        self.on(Input::Ended(AgentEnd::Exited { session: Some("s1".to_owned()) }))
    }

    fn works(self, round: u32, head: &str) -> Self {
        let found = Compared { head: head.to_owned(), descends: true };
        self.exited().on(Input::Work(Box::new(work(round, head)))).on(Input::Compared(Ok(found)))
    }

    fn reviews(self, round: u32, approve: bool) -> Self {
        self.exited().on(Input::Review(Box::new(review(round, approve)))).on(Input::Looked(vec![]))
    }

    fn outcome(&self) -> (Phase, u32, Option<&str>) {
        (self.0.state.phase, self.0.state.round, self.0.state.outcome.as_deref())
    }

    fn end(&self) -> Option<End> {
        match self.1.last() {
            Some(Effect::End(end)) => Some(*end),
            _ => None,
        }
    }

    fn dispatched(&self) -> Option<(Role, u32, Option<&str>)> {
        match self.1.last() {
            Some(Effect::Dispatch { role, attempt, resume, .. }) => {
                Some((*role, *attempt, resume.as_deref()))
            }
            _ => None,
        }
    }
}

#[test]
fn two_rounds_end_with_an_approval_and_go_on_with_their_conversations() {
    let told = Told::fresh(rules());
    assert_eq!(told.dispatched(), Some((Role::Worker, 1, None)));
    let told = told.works(1, "h1");
    assert_eq!(told.dispatched(), Some((Role::Reviewer, 1, None)));
    let told = told.reviews(1, false);
    assert_eq!(told.dispatched(), Some((Role::Worker, 1, Some("s1"))));
    assert!(told.1.contains(&Effect::ArchiveRound(1)));
    let told = told.works(2, "h2").reviews(2, true);
    assert_eq!(told.outcome(), (Phase::Done, 2, Some("approved")));
    assert_eq!(told.end(), Some(End::Ok));
    assert!(told.1.contains(&Effect::ArchiveRound(2)), "the last round is kept too");
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
    let beside = Compared { head: "h1".to_owned(), descends: false };
    let told = Told::fresh(rules())
        .exited()
        .on(Input::Work(Box::new(work(1, "h1"))))
        .on(Input::Compared(Ok(beside)));
    assert_eq!(told.outcome().2, Some("git_compare_failed"));
    let at_review = || Told::fresh(rules()).works(1, "h1").exited();
    let told =
        at_review().on(Input::Review(Box::new(review(1, true)))).on(Input::Looked(vec!["src/x".to_owned()]));
    assert_eq!((told.outcome().2, told.end()), (Some("reviewer_changed_tree"), Some(End::Invalid)));
    let liar = ReviewReport { blocking_issues: review(1, false).blocking_issues, ..review(1, true) };
    let told = at_review().on(Input::Review(Box::new(liar))).on(Input::Looked(vec![]));
    assert_eq!((told.outcome().2, told.end()), (Some("contradictory_verdict"), Some(End::Invalid)));
}

fn failed(permanent: bool, session_lost: bool) -> Input {
    Input::Ended(AgentEnd::Failed { why: "x".to_owned(), permanent, session_lost })
}

#[test]
fn failures_are_tried_again_with_growing_pauses_unless_that_is_of_no_use() {
    let told = Told::fresh(rules()).on(failed(false, false));
    assert_eq!(told.1.last(), Some(&Effect::BackOff(Duration::from_secs(5))));
    let told = told.on(Input::BackedOff);
    assert_eq!(told.dispatched(), Some((Role::Worker, 2, None)));
    assert_eq!(told.1[0], Effect::Retire(1, File::WorkReport), "what a failed try wrote does not count");
    let told = told.on(failed(false, false));
    assert_eq!(told.1.last(), Some(&Effect::BackOff(Duration::from_secs(10))));
    let told = told.on(Input::BackedOff).on(failed(false, false));
    assert_eq!(told.outcome().2, Some("worker_dispatch_failed"));
    let told = Told::fresh(rules()).on(failed(true, false));
    assert_eq!(told.outcome().2, Some("worker_dispatch_failed"));
    let many = Rules { retries: 9, ..rules() };
    let told = (0..7).fold(Told::fresh(many), |told, _| told.on(failed(false, false)).on(Input::BackedOff));
    let told = told.on(failed(false, false));
    assert_eq!(told.1.last(), Some(&Effect::BackOff(Duration::from_secs(60))));
}

#[test]
fn a_lost_conversation_begins_anew_and_costs_no_try() {
    let told = Told::fresh(rules()).works(1, "h1").reviews(1, false);
    assert_eq!(told.dispatched(), Some((Role::Worker, 1, Some("s1"))));
    assert_eq!(told.on(failed(false, true)).dispatched(), Some((Role::Worker, 1, None)));
    let limited = Rules { max_session_rounds: 1, ..rules() };
    let told = Told::fresh(limited).works(1, "h1").reviews(1, false);
    assert_eq!(told.dispatched(), Some((Role::Worker, 1, None)), "a conversation has its number of rounds");
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

fn standing(work: Option<WorkReport>) -> Standing {
    Standing { task_id: "T".to_owned(), work, ..Standing::default() }
}

fn state(phase: Phase, outcome: Option<&str>) -> LoopState {
    LoopState {
        phase,
        round: 2,
        task_id: Some("T".to_owned()),
        base_sha: Some("b0".to_owned()),
        head_sha: Some("h2".to_owned()),
        outcome: outcome.map(str::to_owned),
        ..LoopState::default()
    }
}

fn resumed(state: LoopState, standing: Standing) -> Told {
    Told::new(rules(), state).on(Input::Begin(Begin::Resume(Box::new(standing))))
}

#[test]
fn a_missing_review_never_pays_the_worker_again() {
    let told = resumed(state(Phase::AwaitingReview, None), standing(Some(work(2, "h2"))));
    assert_eq!(told.1.last(), Some(&Effect::Compare { head: "h2".to_owned() }));
    let found = Compared { head: "h2".to_owned(), descends: true };
    let told = told.on(Input::Compared(Ok(found.clone())));
    assert_eq!(told.dispatched(), Some((Role::Reviewer, 1, None)));
    let there = Standing { review: Some(review(2, true)), ..standing(Some(work(2, "h2"))) };
    let told = resumed(state(Phase::AwaitingReview, None), there).on(Input::Compared(Ok(found)));
    assert_eq!(
        told.1.last(),
        Some(&Effect::Await { role: Role::Reviewer, person: true }),
        "a review that is there counts"
    );
    let told = resumed(state(Phase::AwaitingWork, None), standing(Some(work(2, "h3"))));
    assert_eq!(
        told.1.last(),
        Some(&Effect::Compare { head: "h3".to_owned() }),
        "so does work that nobody saw"
    );
}

#[test]
fn a_loop_that_lacks_nothing_but_a_verdict_asks_the_reviewer_again() {
    for word in
        ["reviewer_dispatch_failed", "invalid_review_report", "reviewer_timeout", "contradictory_verdict"]
    {
        let told = resumed(state(Phase::Done, Some(word)), standing(Some(work(2, "h2"))));
        assert_eq!(told.1.last(), Some(&Effect::Compare { head: "h2".to_owned() }), "{word}");
        let told = told.on(Input::Compared(Ok(Compared { head: "h2".to_owned(), descends: true })));
        assert_eq!(told.dispatched(), Some((Role::Reviewer, 1, None)), "{word}");
        assert_eq!((told.0.state.outcome, told.0.state.error), (None, None), "{word}");
        assert_eq!(
            resumed(state(Phase::Done, Some(word)), standing(None)).end(),
            Some(End::Invalid),
            "{word}"
        );
    }
    // Report and request are lost: the state names the commit.
    let told = resumed(state(Phase::AwaitingReview, None), standing(None));
    assert_eq!(told.1.last(), Some(&Effect::Compare { head: "h2".to_owned() }));
}

#[test]
fn an_interrupted_loop_goes_on_where_it_stopped() {
    let told = Told::fresh(rules()).works(1, "h1").on(Input::Interrupted);
    assert_eq!((told.outcome().2, told.end()), (Some("interrupted"), Some(End::Interrupted)));
    let told = resumed(told.0.state, standing(Some(work(1, "h1"))));
    assert_eq!(told.1.last(), Some(&Effect::Compare { head: "h1".to_owned() }));
    assert_eq!(told.0.state.extra.get("stopped_in"), None);
    let told = resumed(state(Phase::Done, Some("interrupted")), standing(None));
    assert_eq!(told.dispatched(), Some((Role::Worker, 1, None)), "loop-kit's own can be resumed too");
}

#[test]
fn a_refused_or_cut_off_verdict_is_not_taken_on_resume() {
    let at_review = || Told::fresh(rules()).works(1, "h1");
    let changed = at_review()
        .exited()
        .on(Input::Review(Box::new(review(1, true))))
        .on(Input::Looked(vec!["src/x".to_owned()]));
    assert_eq!(changed.outcome().2, Some("reviewer_changed_tree"));
    assert_eq!(changed.1[0], Effect::Retire(1, File::ReviewReport));
    let gone = at_review().on(failed(true, false));
    assert_eq!(gone.outcome().2, Some("reviewer_dispatch_failed"));
    assert_eq!(gone.1[0], Effect::Retire(1, File::ReviewReport));
    let there = || Standing { review: Some(review(1, true)), ..standing(Some(work(1, "h1"))) };
    let found = || Input::Compared(Ok(Compared { head: "h1".to_owned(), descends: true }));
    // Killed, and stopped politely, after the reviewer wrote and before anybody looked at the tree.
    for cut in [at_review().0.state, at_review().on(Input::Interrupted).0.state] {
        let told = resumed(cut, there()).on(found());
        assert_eq!(told.dispatched(), Some((Role::Reviewer, 1, None)));
    }
    let person = Told::fresh(Rules { auto: false, ..rules() }).on(Input::Work(Box::new(work(1, "h1"))));
    let told = resumed(person.on(found()).0.state, there()).on(found());
    assert_eq!(told.1.last(), Some(&Effect::Await { role: Role::Reviewer, person: true }));
    let done = at_review().reviews(1, true).0.state;
    assert_eq!(done.extra, serde_json::Map::new(), "nothing of it stays in a state that is over");
}

#[test]
fn the_commit_that_was_asked_about_stays_the_one_that_is_judged() {
    let (asked, other) = ("a".repeat(40), "b".repeat(40));
    let at = |phase, outcome| LoopState { head_sha: Some("a".repeat(40)), ..state(phase, outcome) };
    let resume = |state: LoopState, named: &str| {
        let there = Standing { review: Some(review(2, true)), ..standing(Some(work(2, named))) };
        let told = resumed(state, there);
        let Some(Effect::Compare { head }) = told.1.last().cloned() else { panic!("{:?}", told.1) };
        let found = Compared { head: head.clone(), descends: true };
        (head, told.on(Input::Compared(Ok(found))).dispatched().is_some())
    };
    for (phase, outcome) in [(Phase::AwaitingReview, None), (Phase::Done, Some("contradictory_verdict"))] {
        assert_eq!(resume(at(phase, outcome), "HEAD"), (asked.clone(), false));
        assert_eq!(resume(at(phase, outcome), &asked[..12]), (asked[..12].to_owned(), false));
        assert_eq!(resume(at(phase, outcome), &other), (other.clone(), true), "its review is of another");
    }
    let (head, _) = resume(at(Phase::AwaitingWork, None), "HEAD");
    assert_eq!(head, "HEAD", "nobody was asked yet");
}

#[test]
fn no_crash_between_two_writes_loses_a_verdict_or_a_summary() {
    let place = |effects: &[Effect], wanted: &dyn Fn(&Effect) -> bool| {
        effects.iter().position(wanted).unwrap_or_else(|| panic!("{effects:?}"))
    };
    let saved =
        |effect: &Effect| matches!(effect, Effect::Save(state) if state.phase != Phase::AwaitingReview);
    let retired = |effect: &Effect| matches!(effect, Effect::Retire(..));
    for single in [false, true] {
        let told = Told::fresh(Rules { single, ..rules() }).works(1, "h1").reviews(1, false);
        assert!(place(&told.1, &saved) < place(&told.1, &retired), "{:?}", told.1);
    }
    let told = Told::fresh(rules()).works(1, "h1").reviews(1, true);
    let summed = |effect: &Effect| matches!(effect, Effect::Summary(_));
    assert!(place(&told.1, &summed) < place(&told.1, &saved), "{:?}", told.1);
    let begin = Begin::New { task_id: "T".to_owned(), base: "b1".to_owned() };
    let told = Told::new(rules(), state(Phase::AwaitingReview, None)).on(Input::Begin(begin));
    assert_eq!(told.1[0], Effect::ArchiveState(2), "the state that is replaced is kept");
}

#[test]
fn what_cannot_be_resumed_is_refused_without_a_write() {
    let refused = |state: LoopState, standing: Standing| {
        let told = resumed(state.clone(), standing);
        assert_eq!(told.0.state, state);
        assert_eq!(told.1.len(), 2, "{:?}", told.1);
        told.end()
    };
    assert_eq!(refused(state(Phase::Done, Some("approved")), standing(None)), Some(End::Ok));
    assert_eq!(refused(state(Phase::Done, Some("worker_noop")), standing(None)), Some(End::Invalid));
    let other = Standing { task_id: "U".to_owned(), ..Standing::default() };
    assert_eq!(refused(state(Phase::AwaitingWork, None), other), Some(End::Invalid));
    assert_eq!(refused(LoopState::default(), standing(None)), Some(End::Invalid));
    let used = LoopState { round: 4, ..state(Phase::AwaitingWork, None) };
    assert_eq!(resumed(used, standing(None)).end(), Some(End::Exhausted));
}

#[test]
fn a_single_round_needs_its_state() {
    let single = |state: LoopState, round| {
        let begin = Begin::Single { round, standing: Box::new(standing(None)), head: "b0".to_owned() };
        Told::new(Rules { single: true, ..rules() }, state).on(Input::Begin(begin))
    };
    assert_eq!(single(LoopState::default(), 1).dispatched(), Some((Role::Worker, 1, None)));
    let told = single(LoopState::default(), 2);
    assert_eq!((told.outcome().2, told.end()), (Some("state_contract_missing"), Some(End::Invalid)));
    assert_eq!(single(state(Phase::AwaitingWork, None), 3).end(), Some(End::Invalid));
    assert_eq!(single(state(Phase::AwaitingWork, None), 2).dispatched(), Some((Role::Worker, 1, None)));
    let told = single(state(Phase::Done, Some("worker_noop")), 2);
    assert_eq!(
        told.dispatched(),
        Some((Role::Worker, 1, None)),
        "a failed round is done again when it is named"
    );
    assert_eq!(told.outcome(), (Phase::AwaitingWork, 2, None));
    assert_eq!(single(state(Phase::Done, Some("worker_noop")), 3).end(), Some(End::Invalid));
    assert_eq!(single(state(Phase::Done, Some("approved")), 2).end(), Some(End::Ok));
}

#[test]
fn a_first_round_that_failed_is_done_again_from_its_own_base() {
    let single = |state: LoopState, work: Option<WorkReport>| {
        let begin = Begin::Single { round: 1, standing: Box::new(standing(work)), head: "b9".to_owned() };
        let told = Told::new(Rules { single: true, ..rules() }, state).on(Input::Begin(begin));
        (told.0.state.base_sha.clone(), told.1.last().cloned())
    };
    let failed = |word| LoopState { round: 1, head_sha: None, ..state(Phase::Done, Some(word)) };
    let worker = Effect::Dispatch { role: Role::Worker, round: 1, attempt: 1, resume: None };
    let (base, next) = single(failed("worker_noop"), None);
    assert_eq!((base.as_deref(), next), (Some("b0"), Some(worker.clone())));
    let (base, next) = single(failed("reviewer_timeout"), Some(work(1, "h1")));
    assert_eq!((base.as_deref(), next), (Some("b0"), Some(Effect::Compare { head: "h1".to_owned() })));
    let other = LoopState { task_id: Some("U".to_owned()), ..failed("worker_noop") };
    for state in [failed("approved"), other, state(Phase::Done, Some("worker_noop"))] {
        let (base, next) = single(state, None);
        assert_eq!((base.as_deref(), next), (Some("b9"), Some(worker.clone())), "a new beginning");
    }
}

#[test]
fn people_are_waited_for_and_time_out_by_that_name() {
    let manual = Rules { auto: false, ..rules() };
    let told = Told::fresh(manual.clone());
    assert_eq!(told.1.last(), Some(&Effect::Await { role: Role::Worker, person: true }));
    let told = told.on(Input::Absent("work_report.json did not come".to_owned()));
    assert_eq!((told.outcome().2, told.end()), (Some("worker_timeout"), Some(End::TimedOut)));
    assert_eq!(told.0.state.error.as_deref(), Some("work_report.json did not come"));
    let told = Told::fresh(manual).on(Input::Bad("`round` is missing".to_owned()));
    assert_eq!(told.outcome().2, Some("invalid_work_report"));
}

#[test]
fn keys_of_others_survive_a_new_run() {
    let mut state = state(Phase::Done, Some("approved"));
    state.extra.insert("theirs".to_owned(), json!(1));
    let begin = Begin::New { task_id: "T".to_owned(), base: "b1".to_owned() };
    let told = Told::new(rules(), state).on(Input::Begin(begin));
    assert_eq!(told.0.state.extra.get("theirs"), Some(&json!(1)));
    assert_eq!(told.0.state.base_sha.as_deref(), Some("b1"));
}
