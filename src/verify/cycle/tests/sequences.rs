//! What holds over every sequence of inputs from every record.

use proptest::prelude::*;

use super::*;

fn any_input() -> impl Strategy<Value = Input> {
    let commit = prop_oneof![Just(BASE), Just(FROM), Just(HEAD)];
    let commits = commit.clone();
    let words = prop_oneof![
        Just(Ok(approve())),
        Just(Ok(reject())),
        Just(Ok(verdict(Decision::Approve, vec![finding(true, Severity::Low)]))),
        Just(Err("none".to_owned())),
    ];
    let judged = (words, prop::bool::weighted(0.1), prop::bool::weighted(0.2));
    prop_oneof![
        commit.prop_map(|head| Input::Worked { head: head.to_owned() }),
        (commits, prop::bool::weighted(0.2))
            .prop_map(|(head, red)| Input::Checked { head: head.to_owned(), red }),
        judged.prop_map(|(verdict, changed, unproven)| Input::Judged(Judgement {
            verdict,
            changed: if changed { vec!["x".to_owned()] } else { Vec::new() },
            unproven: unproven.then(sentence),
        })),
        prop::bool::weighted(0.2).prop_map(Input::Said),
    ]
}

fn any_stage() -> impl Strategy<Value = Stage> {
    prop::sample::select(vec![
        Stage::Working,
        Stage::Checking,
        Stage::Reviewing,
        Stage::Approved,
        Stage::Ended { why: String::new() },
        waiting(Wait::NoVerdict { sentence: String::new() }),
        waiting(Wait::ReviewerChangedWork { paths: Vec::new() }),
        waiting(Wait::Contradiction { sentence: String::new() }),
        waiting(Wait::Gates { sentence: String::new() }),
        waiting(Wait::MaxRounds),
        waiting(Wait::NoChange),
    ])
}

fn any_position() -> impl Strategy<Value = Position> {
    let commit =
        || prop::option::of(prop_oneof![Just(BASE.to_owned()), Just(FROM.to_owned()), Just(HEAD.to_owned())]);
    (0_u32..5, 0_u32..4, commit(), commit(), any_stage()).prop_map(|(round, of, from, head, stage)| {
        Position { base: BASE.to_owned(), round, of, from, head, stage }
    })
}

fn any_begin() -> impl Strategy<Value = Begin> {
    let tip = prop_oneof![Just(BASE), Just(FROM), Just(HEAD)];
    let given = prop::option::of(prop_oneof![Just(approve()), Just(reject())]);
    (tip, any::<[bool; 4]>(), given, prop::option::of(1_u32..4)).prop_map(
        |(tip, [clean, cut_off, red, single], given, leave)| Begin {
            tip: tip.to_owned(),
            clean,
            cut_off,
            red,
            given,
            leave,
            single,
        },
    )
}

/// Whether the input is an answer to what is to be done.
fn fits(next: Do, input: &Input) -> bool {
    matches!(
        (next, input),
        (Do::Work, Input::Worked { .. })
            | (Do::Check, Input::Checked { .. })
            | (Do::Judge | Do::Take, Input::Judged(_))
            | (Do::Listen, Input::Said(_))
    )
}

/// What a driver that was cut off here finds on record, in a tree that nobody touched.
fn found(cycle: &Cycle, given: Option<Verdict>) -> Begin {
    let tip = cycle.at.head.clone().or(cycle.at.from.clone()).unwrap_or_default();
    Begin { tip, clean: true, cut_off: true, given, single: cycle.single, ..Begin::default() }
}

/// What is told there, in the words of who begins.
fn told_again(next: Do, stage: &Stage) -> Do {
    match (next, stage) {
        // The verdict is on record, and is taken; what checks said is asked again, which costs nobody anything.
        (Do::Listen, Stage::Reviewing) => Do::Take,
        (Do::Listen, Stage::Checking) => Do::Check,
        (same, _) => same,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_inputs_breaks_a_rule(
        from in any_position(), begin in any_begin(), inputs in prop::collection::vec(any_input(), 0..60)
    ) {
        let (mut cycle, mut next) = Cycle::begin(from.clone(), begin.clone());
        let lacks_review = matches!(
            from.stage,
            Stage::Checking
                | Stage::Reviewing
                | Stage::Waiting { why: Wait::NoVerdict { .. } | Wait::ReviewerChangedWork { .. } }
        );
        prop_assert!(next != Do::Work || !lacks_review || from.round == 0, "a missing review pays no worker");
        // The verdict of the round, on record.
        let mut given = if cycle.at.round == from.round { begin.given.clone() } else { None };
        let (mut proven, mut said) = (from.stage == Stage::Approved, 0);
        let limit = from.of.max(cycle.at.round).saturating_add(begin.leave.unwrap_or(0));
        for input in inputs {
            if !fits(next, &input) {
                let before = cycle.clone();
                prop_assert_eq!(cycle.step(input), next);
                prop_assert_eq!(&cycle, &before);
                continue;
            }
            match &input {
                Input::Judged(Judgement { verdict, changed, unproven }) => {
                    given = verdict.clone().ok().map(|heard| Verdict { head: cycle.at.head.clone(), ..heard });
                    let good = given.as_ref().is_some_and(|heard| heard.contradiction().is_none());
                    let passes = given.as_ref().is_some_and(|heard| heard.decision == Decision::Approve);
                    proven = good && passes && changed.is_empty() && unproven.is_none();
                }
                Input::Worked { .. } | Input::Checked { .. } => proven = false,
                Input::Said(more) => said += u32::from(*more),
            }
            let round = cycle.at.round;
            next = cycle.step(input);
            prop_assert!(cycle.at.stage != Stage::Approved || proven, "approved by {given:?}");
            if cycle.at.round > round {
                prop_assert!(cycle.at.round <= limit + said || begin.single, "round {}", cycle.at.round);
                given = None;
            }
            let (_, again) = Cycle::begin(cycle.at.clone(), found(&cycle, given.clone()));
            match (next, &cycle.at.stage) {
                // A single round that was sent back; what waits for a person waits on, or asks for what is missing.
                (Do::End, _) => {}
                _ => prop_assert_eq!(again, told_again(next, &cycle.at.stage), "{:?}", cycle.at),
            }
        }
    }
}
