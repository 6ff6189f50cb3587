//! How a loop begins, and where it goes on.

use super::*;

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
    Told::begins(rules(), state, Opening::Resume(Box::new(standing)))
}

/// The commit that is looked at first.
fn looks_at(told: &Told) -> Option<&str> {
    told.0.work().filter(|_| told.0.next() == Do::Check).map(|work| work.head_sha.as_str())
}

#[test]
fn a_missing_review_never_pays_the_worker_again() {
    let told = resumed(state(Phase::AwaitingReview, None), standing(Some(work(2, "h2"))));
    assert_eq!(looks_at(&told), Some("h2"));
    assert_eq!(told.checked().dispatched(), Some((Role::Reviewer, None)));
    let there = Standing { review: Some(review(2, true)), ..standing(Some(work(2, "h2"))) };
    let told = resumed(state(Phase::AwaitingReview, None), there).checked();
    assert_eq!(told.0.next(), Do::Take, "a review that is there counts");
    let told = resumed(state(Phase::AwaitingWork, None), standing(Some(work(2, "h3"))));
    assert_eq!(looks_at(&told), Some("h3"), "so does work that nobody saw");
}

#[test]
fn a_loop_that_lacks_nothing_but_a_verdict_asks_the_reviewer_again() {
    for word in
        ["reviewer_dispatch_failed", "invalid_review_report", "reviewer_timeout", "contradictory_verdict"]
    {
        let told = resumed(state(Phase::Done, Some(word)), standing(Some(work(2, "h2"))));
        assert_eq!(looks_at(&told), Some("h2"), "{word}");
        let told = told.checked();
        assert_eq!(told.dispatched(), Some((Role::Reviewer, None)), "{word}");
        assert_eq!((&told.0.state.outcome, &told.0.state.error), (&None, &None), "{word}");
        assert_eq!(refused(state(Phase::Done, Some(word)), standing(None)), End::Invalid, "{word}");
    }
    // Report and request are lost: the state names the commit.
    let told = resumed(state(Phase::AwaitingReview, None), standing(None));
    assert_eq!(looks_at(&told), Some("h2"));
}

#[test]
fn an_interrupted_loop_goes_on_where_it_stopped() {
    let told = Told::fresh(rules()).works(1, "h1").stopped();
    assert_eq!((told.outcome().2, told.end()), (Some("interrupted"), Some(End::Interrupted)));
    let told = resumed(told.0.state, standing(Some(work(1, "h1"))));
    assert_eq!(looks_at(&told), Some("h1"));
    assert_eq!(told.0.state.extra.get("stopped_in"), None);
    let told = resumed(state(Phase::Done, Some("interrupted")), standing(None));
    assert_eq!(told.dispatched(), Some((Role::Worker, None)), "loop-kit's own can be resumed too");
}

#[test]
fn a_refused_or_cut_off_verdict_is_not_taken_on_resume() {
    let at_review = || Told::fresh(rules()).works(1, "h1");
    let changed = at_review().exited().reviewed(review(1, true), &["src/x"]);
    assert_eq!(changed.outcome().2, Some("reviewer_changed_tree"));
    assert_eq!(changed.1[0], Write::Retire(1, File::ReviewReport));
    let gone = at_review().lacks(Role::Reviewer, Lack::Failed("x".to_owned()));
    assert_eq!(gone.outcome().2, Some("reviewer_dispatch_failed"));
    assert_eq!(gone.1[0], Write::Retire(1, File::ReviewReport));
    let there = || Standing { review: Some(review(1, true)), ..standing(Some(work(1, "h1"))) };
    // Killed, and stopped politely, after the reviewer wrote and before anybody looked at the tree.
    for cut in [at_review().0.state, at_review().stopped().0.state] {
        assert_eq!(resumed(cut, there()).checked().dispatched(), Some((Role::Reviewer, None)));
    }
    let person = Told::fresh(Rules { auto: false, ..rules() }).found(work(1, "h1"), "h1");
    assert_eq!(resumed(person.0.state, there()).checked().0.next(), Do::Take);
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
        let head = looks_at(&told).unwrap().to_owned();
        (head, told.checked().dispatched().is_some())
    };
    for (phase, outcome) in [(Phase::AwaitingReview, None), (Phase::Done, Some("contradictory_verdict"))] {
        assert_eq!(resume(at(phase, outcome), "HEAD"), (asked.clone(), false));
        assert_eq!(resume(at(phase, outcome), &asked[..12]), (asked[..12].to_owned(), false));
        assert_eq!(resume(at(phase, outcome), &other), (other.clone(), true), "its review is of another");
    }
    let (head, _) = resume(at(Phase::AwaitingWork, None), "HEAD");
    assert_eq!(head, "HEAD", "nobody was asked yet");
}

/// How a loop ends that is refused, with nothing written but a line for people.
fn refused(state: LoopState, standing: Standing) -> End {
    let opening = Opening::Resume(Box::new(standing));
    match open(rules(), state.clone(), opening, |_| None, "now") {
        Err(Refused { end, state: kept, writes }) => {
            assert_eq!(*kept, state);
            assert!(matches!(&writes[..], [Write::Say(..)]), "{writes:?}");
            end
        }
        Ok((ledger, _)) => panic!("{ledger:?}"),
    }
}

#[test]
fn what_cannot_be_resumed_is_refused_without_a_write() {
    assert_eq!(refused(state(Phase::Done, Some("approved")), standing(None)), End::Ok);
    assert_eq!(refused(state(Phase::Done, Some("worker_noop")), standing(None)), End::Invalid);
    let other = Standing { task_id: "U".to_owned(), ..Standing::default() };
    assert_eq!(refused(state(Phase::AwaitingWork, None), other), End::Invalid);
    assert_eq!(refused(LoopState::default(), standing(None)), End::Invalid);
    let used = LoopState { round: 4, ..state(Phase::AwaitingWork, None) };
    assert_eq!(resumed(used.clone(), standing(None)).end(), Some(End::Exhausted));
    assert_eq!(resumed(used, standing(Some(work(4, "h4")))).end(), Some(End::Exhausted));
}

fn single(state: LoopState, round: u32, head: &str, work: Option<WorkReport>) -> Result<Told, Refused> {
    let opening = Opening::Single { round, standing: Box::new(standing(work)), head: head.to_owned() };
    let rules = Rules { single: true, ..rules() };
    open(rules, state, opening, |name| Some(name.to_owned()), "now")
        .map(|(ledger, writes)| Told(ledger, writes))
}

#[test]
fn a_single_round_needs_its_state() {
    let worker = Some((Role::Worker, None));
    let begun = |state, round| single(state, round, "b0", None).map(|told| told.dispatched().is_some());
    let ends = |state, round| begun(state, round).map_err(|refused| refused.end);
    assert_eq!(single(LoopState::default(), 1, "b0", None).unwrap().dispatched(), worker);
    let none = single(LoopState::default(), 2, "b0", None).err().unwrap();
    assert_eq!((none.state.outcome.as_deref(), none.end), (Some("state_contract_missing"), End::Invalid));
    assert!(matches!(none.writes[0], Write::Save(_)));
    assert_eq!(ends(state(Phase::AwaitingWork, None), 3), Err(End::Invalid));
    assert_eq!(ends(state(Phase::AwaitingWork, None), 2), Ok(true));
    let told = single(state(Phase::Done, Some("worker_noop")), 2, "b0", None).unwrap();
    assert_eq!(told.dispatched(), worker, "a failed round is done again when it is named");
    assert_eq!(told.outcome(), (Phase::AwaitingWork, 2, None));
    assert_eq!(ends(state(Phase::Done, Some("worker_noop")), 3), Err(End::Invalid));
    assert_eq!(ends(state(Phase::Done, Some("approved")), 2), Err(End::Ok));
    let beyond = LoopState { round: 7, ..state(Phase::AwaitingWork, None) };
    assert_eq!(ends(beyond, 7), Ok(true), "who names a round wants it");
}

#[test]
fn a_first_round_that_failed_is_done_again_from_its_own_base() {
    let first = |state: LoopState, work: Option<WorkReport>| {
        let told = single(state, 1, "b9", work).unwrap();
        (told.0.state.base_sha.clone().unwrap(), told.0.next(), looks_at(&told).map(str::to_owned))
    };
    let failed = |word| LoopState { round: 1, head_sha: None, ..state(Phase::Done, Some(word)) };
    assert_eq!(first(failed("worker_noop"), None), ("b0".to_owned(), Do::Work, None));
    let judged = first(failed("reviewer_timeout"), Some(work(1, "h1")));
    assert_eq!(judged, ("b0".to_owned(), Do::Check, Some("h1".to_owned())));
    let other = LoopState { task_id: Some("U".to_owned()), ..failed("worker_noop") };
    for state in [failed("approved"), other, state(Phase::Done, Some("worker_noop"))] {
        assert_eq!(first(state, None), ("b9".to_owned(), Do::Work, None), "a new beginning");
    }
}
