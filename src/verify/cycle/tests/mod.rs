//! The decision without anything around it: the table of where a cycle goes on, and each step.

mod sequences;

use super::*;
use crate::verify::finding::{Finding, Severity};
use crate::verify::rounds::{Review, Stage};

const BASE: &str = "0000000000000000000000000000000000000000";
const FROM: &str = "1111111111111111111111111111111111111111";
const HEAD: &str = "2222222222222222222222222222222222222222";

fn finding(blocking: bool, severity: Severity) -> Finding {
    Finding {
        id: "f".to_owned(),
        severity,
        blocking,
        file: None,
        line: None,
        end_line: None,
        reason: "wrong".to_owned(),
        required_change: None,
        source: Source::Reviewer { name: "judge".to_owned() },
        dimension: None,
        confidence: None,
    }
}

fn verdict(decision: Decision, findings: Vec<Finding>) -> Verdict {
    let by = Source::Reviewer { name: "judge".to_owned() };
    Verdict { decision, summary: String::new(), findings, by, head: Some(HEAD.to_owned()) }
}

fn approve() -> Verdict {
    verdict(Decision::Approve, Vec::new())
}

fn reject() -> Verdict {
    verdict(Decision::ChangesRequired, vec![finding(true, Severity::Medium)])
}

/// Round 2 of 3.
fn at(stage: Stage) -> Position {
    Position {
        base: BASE.to_owned(),
        round: 2,
        of: 3,
        from: Some(FROM.to_owned()),
        head: Some(HEAD.to_owned()),
        stage,
    }
}

fn settled() -> Begin {
    Begin { tip: HEAD.to_owned(), clean: true, ..Begin::default() }
}

fn waiting(why: Wait) -> Stage {
    Stage::Waiting { why }
}

fn sentence() -> String {
    "why".to_owned()
}

fn started(stage: Stage, begin: Begin) -> (Do, u32, u32) {
    let (cycle, next) = Cycle::begin(at(stage), begin);
    (next, cycle.at.round, cycle.at.of)
}

#[test]
fn where_it_goes_on_is_a_table() {
    let ended = || Stage::Ended { why: sentence() };
    let no_verdict = || waiting(Wait::NoVerdict { sentence: sentence() });
    let changed = || waiting(Wait::ReviewerChangedWork { paths: vec!["x".to_owned()] });
    let contradiction = || waiting(Wait::Contradiction { sentence: sentence() });
    let gates = || waiting(Wait::Gates { sentence: sentence() });
    let (max, idle) = (|| waiting(Wait::MaxRounds), || waiting(Wait::NoChange));
    // Stage; as it was left; not as it was left; as it was left by leave; not as it was left by leave.
    let same = |next| (next, 2, 3);
    let more = (Do::Work, 3, 3);
    let anew = (Do::Work, 3, 6);
    let table = [
        (Stage::Working, [same(Do::Work), same(Do::Work), same(Do::Work), same(Do::Work)]),
        (Stage::Checking, [same(Do::Check), same(Do::Check), same(Do::Check), same(Do::Check)]),
        (Stage::Reviewing, [same(Do::Judge), same(Do::Check), same(Do::Judge), same(Do::Check)]),
        (no_verdict(), [same(Do::Judge), same(Do::Check), same(Do::Judge), same(Do::Check)]),
        (changed(), [same(Do::Judge), same(Do::Check), same(Do::Judge), same(Do::Check)]),
        (contradiction(), [same(Do::Judge), same(Do::Check), more, more]),
        (gates(), [same(Do::Check), same(Do::Check), same(Do::Check), same(Do::Check)]),
        (max(), [same(Do::End), same(Do::End), more, more]),
        (idle(), [same(Do::End), same(Do::End), more, same(Do::Check)]),
        (Stage::Approved, [same(Do::End), same(Do::End), (Do::Work, 3, 6), anew]),
        (ended(), [same(Do::End), same(Do::End), (Do::Work, 3, 6), anew]),
    ];
    for (stage, wanted) in table {
        let by = |clean, leave| started(stage.clone(), Begin { clean, leave, ..settled() });
        // The limit grows by what is added to the rounds there are: 2 + 4.
        let found = [by(true, None), by(false, None), by(true, Some(4)), by(false, Some(4))];
        assert_eq!(found, wanted, "{stage:?}");
    }
}

#[test]
fn what_stood_there_when_it_was_cut_off_decides_besides() {
    let cut = |clean| Begin { cut_off: true, clean, ..settled() };
    assert_eq!(started(Stage::Approved, cut(true)), (Do::Listen, 2, 3), "only the ticket does not know it");
    assert_eq!(started(Stage::Approved, Begin { leave: Some(4), ..cut(false) }), (Do::Work, 3, 6));
    let red = Begin { red: true, ..settled() };
    assert_eq!(started(Stage::Reviewing, red), (Do::Check, 2, 3), "nobody judges what checks found wanting");
    let elsewhere = Begin { tip: FROM.to_owned(), ..settled() };
    assert_eq!(started(Stage::Reviewing, elsewhere), (Do::Check, 2, 3), "somebody went on by hand");
    let none = Position { round: 0, of: 0, from: None, head: None, ..at(Stage::Working) };
    let (cycle, next) = Cycle::begin(none, Begin { tip: FROM.to_owned(), ..settled() });
    let first = Position { round: 1, of: 1, head: None, ..at(Stage::Working) };
    assert_eq!((cycle.at, next), (first, Do::Work));
    let beyond = |single| {
        let (cycle, next) =
            Cycle::begin(Position { round: 4, ..at(Stage::Working) }, Begin { single, ..settled() });
        (next, cycle.at.stage)
    };
    assert_eq!(beyond(false), (Do::End, waiting(Wait::MaxRounds)));
    assert_eq!(beyond(true), (Do::Work, Stage::Working), "who names a round wants it");
}

#[test]
fn a_verdict_on_record_is_taken_when_it_counts() {
    let given = |verdict| started(Stage::Reviewing, Begin { given: Some(verdict), ..settled() }).0;
    assert_eq!(given(approve()), Do::Take);
    assert_eq!(given(reject()), Do::Take);
    assert_eq!(
        given(Verdict { head: Some(FROM.to_owned()), ..approve() }),
        Do::Judge,
        "it is of another commit"
    );
    assert_eq!(given(Verdict { head: None, ..approve() }), Do::Judge);
    let gate = Source::Gate { gate: "ci".to_owned() };
    assert_eq!(given(Verdict { by: gate, ..reject() }), Do::Judge, "no reviewer said so");
    assert_eq!(given(verdict(Decision::Approve, vec![finding(true, Severity::Low)])), Do::Judge);
    let begin = Begin { given: Some(approve()), clean: false, ..settled() };
    let (mut cycle, next) = Cycle::begin(at(Stage::Reviewing), begin);
    assert_eq!(next, Do::Check);
    assert_eq!(
        cycle.step(Input::Checked { head: HEAD.to_owned(), red: false }),
        Do::Take,
        "the work is the same"
    );
    assert_eq!(cycle.step(Input::Judged(judgement(reject()))), Do::Listen);
    assert_eq!(cycle.step(Input::Said(false)), Do::Work, "and it was taken once");
    cycle.step(Input::Worked { head: BASE.replace('0', "3") });
    assert_eq!(cycle.step(Input::Checked { head: HEAD.to_owned(), red: false }), Do::Judge);
}

fn judgement(verdict: Verdict) -> Judgement {
    Judgement { verdict: Ok(verdict), changed: Vec::new(), unproven: None }
}

/// What follows from these inputs, from a first round of `of`.
fn played(of: u32, inputs: Vec<Input>) -> (Do, Position) {
    let none = Position { round: 0, of, from: None, head: None, ..at(Stage::Working) };
    let (mut cycle, mut next) =
        Cycle::begin(none, Begin { tip: BASE.to_owned(), clean: true, ..Begin::default() });
    for input in inputs {
        next = cycle.step(input);
    }
    (next, cycle.at)
}

fn worked(head: &str) -> Input {
    Input::Worked { head: head.to_owned() }
}

fn checked(head: &str) -> Input {
    Input::Checked { head: head.to_owned(), red: false }
}

fn ends(inputs: Vec<Input>) -> (Do, u32, Stage) {
    let (next, at) = played(2, inputs);
    (next, at.round, at.stage)
}

#[test]
fn two_rounds_end_with_an_approval() {
    let rejected = vec![worked(FROM), checked(FROM), Input::Judged(judgement(reject())), Input::Said(false)];
    let (next, at) = played(2, rejected.clone());
    let second = Position {
        base: BASE.to_owned(),
        round: 2,
        of: 2,
        from: Some(FROM.to_owned()),
        head: None,
        stage: Stage::Working,
    };
    assert_eq!((next, at), (Do::Work, second));
    let mut all = rejected;
    all.extend([worked(HEAD), checked(HEAD), Input::Judged(judgement(approve())), Input::Said(false)]);
    assert_eq!(ends(all.clone()), (Do::Listen, 2, Stage::Approved), "what is said until now counts");
    let said = [all.clone(), vec![Input::Said(true)]].concat();
    assert_eq!(ends(said), (Do::Work, 3, Stage::Working));
    all.push(Input::Said(false));
    assert_eq!(ends(all), (Do::End, 2, Stage::Approved));
}

#[test]
fn a_round_that_changed_nothing_goes_to_a_person() {
    let nothing = |round| (Do::End, round, waiting(Wait::NoChange));
    assert_eq!(ends(vec![worked(BASE)]), nothing(1));
    let second = vec![worked(FROM), checked(FROM), Input::Judged(judgement(reject())), Input::Said(false)];
    assert_eq!(ends([second.clone(), vec![worked(FROM)]].concat()), nothing(2));
    assert_eq!(ends([second, vec![worked(BASE)]].concat()), nothing(2), "it took everything back");
    // Work that was there before the first round is still to be judged.
    let none = Position { round: 0, from: None, head: None, ..at(Stage::Working) };
    let (mut cycle, _) = Cycle::begin(none, Begin { tip: HEAD.to_owned(), ..settled() });
    assert_eq!(cycle.step(worked(HEAD)), Do::Check);
    // A worker that nobody had looked at when the run was cut off.
    let unseen = Position { head: None, ..at(Stage::Checking) };
    let (mut cycle, _) = Cycle::begin(unseen, settled());
    assert_eq!((cycle.step(checked(FROM)), cycle.at.stage), (Do::End, waiting(Wait::NoChange)));
    // Somebody wants it judged all the same.
    let (mut cycle, _) = Cycle::begin(at(Stage::Checking), settled());
    assert_eq!(cycle.step(checked(FROM)), Do::Judge);
}

#[test]
fn what_is_no_good_verdict_goes_to_a_person() {
    let judged = |judgement| ends(vec![worked(HEAD), checked(HEAD), Input::Judged(judgement)]);
    let is = |why| (Do::End, 1, waiting(why));
    let paths = vec!["src/x".to_owned()];
    let changed = Judgement { changed: paths.clone(), ..judgement(approve()) };
    assert_eq!(judged(changed), is(Wait::ReviewerChangedWork { paths: paths.clone() }));
    let both = Judgement { verdict: Err(sentence()), changed: paths.clone(), unproven: None };
    assert_eq!(judged(both), is(Wait::ReviewerChangedWork { paths }));
    let none = Judgement { verdict: Err(sentence()), changed: Vec::new(), unproven: None };
    assert_eq!(judged(none), is(Wait::NoVerdict { sentence: sentence() }));
    for bad in [
        verdict(Decision::Approve, vec![finding(true, Severity::Low)]),
        verdict(Decision::Approve, vec![finding(false, Severity::High)]),
        verdict(Decision::ChangesRequired, vec![finding(false, Severity::Low)]),
    ] {
        let sentence = bad.contradiction().unwrap().to_string();
        assert_eq!(judged(judgement(bad)), is(Wait::Contradiction { sentence }));
    }
}

#[test]
fn nothing_passes_that_no_check_proves_and_red_work_is_judged_by_nobody() {
    let unproven = Judgement { unproven: Some(sentence()), ..judgement(approve()) };
    let judged = vec![worked(HEAD), checked(HEAD), Input::Judged(unproven)];
    let passed = [judged.clone(), vec![Input::Said(false)]].concat();
    assert_eq!(ends(passed), (Do::End, 1, waiting(Wait::Gates { sentence: sentence() })));
    assert_eq!(ends([judged, vec![Input::Said(true)]].concat()), (Do::Work, 2, Stage::Working));
    let red = vec![worked(HEAD), Input::Checked { head: HEAD.to_owned(), red: true }];
    assert_eq!(ends(red.clone()), (Do::Listen, 1, Stage::Checking));
    assert_eq!(ends([red, vec![Input::Said(false)]].concat()), (Do::Work, 2, Stage::Working));
}

#[test]
fn rounds_end_at_their_limit_unless_the_operator_has_more_to_say() {
    let rejected = |said| {
        let inputs = vec![worked(HEAD), checked(HEAD), Input::Judged(judgement(reject())), Input::Said(said)];
        let (next, at) = played(1, inputs);
        (next, at.round, at.of, at.stage)
    };
    assert_eq!(rejected(false), (Do::End, 1, 1, waiting(Wait::MaxRounds)));
    assert_eq!(rejected(true), (Do::Work, 2, 2, Stage::Working));
    let single = Begin { single: true, ..settled() };
    let (mut cycle, _) = Cycle::begin(Position { round: 3, ..at(Stage::Reviewing) }, single);
    cycle.step(Input::Judged(judgement(reject())));
    assert_eq!((cycle.step(Input::Said(false)), cycle.at.round), (Do::End, 4));
    assert_eq!(cycle.at.stage, Stage::Working, "a single round that was sent back");
}

#[test]
fn a_record_is_read_and_stands_where_it_is_told() {
    let mut review = Review {
        ticket: crate::plan::ticket::TicketId::new("PLF-1"),
        max_rounds: 1,
        base: BASE.to_owned(),
        rounds: Vec::new(),
        stage: Stage::Working,
        reviewer: None,
        gated: None,
    };
    let first = Position { round: 1, of: 1, head: None, ..at(Stage::Working) };
    review.stand(&first, Vec::new());
    assert_eq!(review.position(), first);
    let judged = Position { round: 1, of: 1, ..at(Stage::Reviewing) };
    review.stand(&judged, Vec::new());
    review.rounds[0].verdict = Some(reject());
    assert_eq!(review.position(), judged);
    let second = Position { head: None, ..at(Stage::Working) };
    review.stand(&second, vec![finding(true, Severity::Critical)]);
    assert_eq!(review.position(), second);
    let wanted = vec![finding(true, Severity::Medium), finding(true, Severity::Critical)];
    assert_eq!(review.rounds[1].fixes, wanted, "what is required, and what was said");
    review.rounds[1].verdict = Some(reject());
    review.stage = Stage::Ended { why: sentence() };
    review.stand(&Position { round: 3, head: None, ..at(Stage::Working) }, Vec::new());
    assert_eq!(review.rounds[2].fixes, Vec::new(), "what was over begins anew");
}
