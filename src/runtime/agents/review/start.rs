//! Where a run goes on in the rounds of its ticket: a plain function of what is recorded and of how the work stands, so
//! that every place where a run can be cut off is tested without an agent. What was paid for is not paid for again.

use crate::verify::finding::Finding;
use crate::verify::gates::GateState;
use crate::verify::rounds::{Review, Round, Stage, Wait};

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The worker works, in the last round.
    Work,
    /// What lies in the worktree is committed and checked.
    Check,
    /// The reviewer judges what was checked.
    Judge,
    /// The work was approved; only the ticket does not know it yet.
    Complete,
}

/// How things stand when a run begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing<'a> {
    /// Commit that the ticket's branch is at.
    pub(super) tip: &'a str,
    /// No file differs from it.
    pub(super) clean: bool,
    /// The run before this one was cut off: its end never reached the ticket.
    pub(super) cut_off: bool,
    /// Rounds that may be added where the work goes on after an end.
    pub(super) rounds: u32,
}

/// Decides, and adds the round that the worker works in where a new one begins.
pub(super) fn start(review: &mut Review, standing: &Standing<'_>) -> Phase {
    let Some(last) = review.rounds.last() else {
        begin(review, standing, Vec::new());
        return Phase::Work;
    };
    // Somebody may have gone on by hand since; that is checked and judged, and costs no worker.
    let as_left = standing.clean && last.head.as_deref() == Some(standing.tip);
    // Nobody judges what gates found wanting: they are asked first, whoever wants a review.
    let checked = as_left && !last.gates.iter().any(|gate| matches!(gate.state, GateState::Failed { .. }));
    match &review.stage {
        Stage::Working => Phase::Work,
        Stage::Checking => Phase::Check,
        Stage::Reviewing if checked => Phase::Judge,
        Stage::Reviewing => Phase::Check,
        Stage::Approved if standing.cut_off && as_left => Phase::Complete,
        Stage::Approved | Stage::Ended { .. } => {
            review.max_rounds = rounds(review).saturating_add(standing.rounds);
            begin(review, standing, Vec::new());
            Phase::Work
        }
        Stage::Waiting { why } => match why {
            Wait::NoVerdict { .. } | Wait::ReviewerChangedWork { .. } if checked => Phase::Judge,
            Wait::NoVerdict { .. } | Wait::ReviewerChangedWork { .. } | Wait::Gates { .. } => Phase::Check,
            Wait::NoChange if !as_left => Phase::Check,
            Wait::NoChange => {
                let fixes = last.fixes.clone();
                begin(review, standing, fixes);
                Phase::Work
            }
            Wait::MaxRounds | Wait::Contradiction { .. } => {
                let fixes = last.verdict.as_ref().map(|verdict| verdict.findings.clone());
                begin(review, standing, fixes.unwrap_or_default());
                Phase::Work
            }
        },
    }
}

fn rounds(review: &Review) -> u32 {
    review.rounds.last().map_or(0, |round| round.number)
}

/// Adds a round, above the limit if need be.
fn begin(review: &mut Review, standing: &Standing<'_>, fixes: Vec<Finding>) {
    add(review, standing.tip, fixes);
    review.max_rounds = review.max_rounds.max(rounds(review));
}

/// Adds a round that begins from `from`, with what is to be mended in it.
pub(in crate::runtime) fn add(review: &mut Review, from: &str, fixes: Vec<Finding>) {
    review.rounds.push(Round {
        number: rounds(review).saturating_add(1),
        from: from.to_owned(),
        head: None,
        fixes,
        worker: None,
        gates: Vec::new(),
        reviewer: None,
        verdict: None,
    });
    review.stage = Stage::Working;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ticket::TicketId;
    use crate::verify::finding::{Severity, Source};
    use crate::verify::gates::GateResult;
    use crate::verify::verdict::{Decision, Verdict};

    const HEAD: &str = "1111111111111111111111111111111111111111";

    fn review(stage: Stage) -> Review {
        let by = Source::Reviewer { name: "judge".to_owned() };
        let finding = Finding {
            id: "f".to_owned(),
            severity: Severity::High,
            blocking: true,
            file: None,
            line: None,
            end_line: None,
            reason: "wrong".to_owned(),
            required_change: None,
            source: by.clone(),
            dimension: None,
            confidence: None,
        };
        let verdict = Verdict {
            decision: Decision::ChangesRequired,
            summary: String::new(),
            findings: vec![finding],
            by,
            head: Some(HEAD.to_owned()),
        };
        let mut review = Review {
            ticket: TicketId::new("PLF-1"),
            max_rounds: 1,
            base: "0".repeat(40),
            rounds: Vec::new(),
            stage: Stage::Working,
            reviewer: None,
            gated: None,
        };
        add(&mut review, &"0".repeat(40), Vec::new());
        review.rounds[0].head = Some(HEAD.to_owned());
        review.rounds[0].verdict = Some(verdict);
        review.stage = stage;
        review
    }

    fn at(stage: Stage, clean: bool, cut_off: bool) -> (Phase, usize, usize) {
        let mut review = review(stage);
        let phase = start(&mut review, &Standing { tip: HEAD, clean, cut_off, rounds: 3 });
        assert!(review.max_rounds as usize >= review.rounds.len());
        (phase, review.rounds.len(), review.rounds.last().unwrap().fixes.len())
    }

    #[test]
    fn what_was_cut_off_goes_on_at_its_phase_and_pays_no_worker_twice() {
        assert_eq!(at(Stage::Working, true, true), (Phase::Work, 1, 0));
        assert_eq!(at(Stage::Checking, true, true), (Phase::Check, 1, 0));
        assert_eq!(at(Stage::Reviewing, true, true), (Phase::Judge, 1, 0));
        assert_eq!(at(Stage::Reviewing, false, true), (Phase::Check, 1, 0));
        assert_eq!(at(Stage::Approved, true, true), (Phase::Complete, 1, 0));
    }

    #[test]
    fn what_gates_found_wanting_is_checked_again_before_anybody_judges_it() {
        let mut review = review(Stage::Reviewing);
        review.rounds[0].gates = vec![GateResult {
            gate: "ci".to_owned(),
            state: GateState::Failed { why: "exit 1".to_owned() },
            command: Some("make".to_owned()),
            exit_code: Some(1),
            output: String::new(),
            duration: std::time::Duration::ZERO,
        }];
        let standing = Standing { tip: HEAD, clean: true, cut_off: false, rounds: 3 };
        assert_eq!(start(&mut review, &standing), Phase::Check);
        review.rounds[0].gates[0].state = GateState::Passed;
        assert_eq!(start(&mut review, &standing), Phase::Judge);
    }

    #[test]
    fn what_waited_for_a_person_goes_on_with_what_is_missing() {
        let waiting = |why| Stage::Waiting { why };
        let sentence = String::new;
        assert_eq!(at(waiting(Wait::NoVerdict { sentence: sentence() }), true, false), (Phase::Judge, 1, 0));
        let changed = Wait::ReviewerChangedWork { paths: Vec::new() };
        assert_eq!(at(waiting(changed), true, false), (Phase::Judge, 1, 0));
        assert_eq!(at(waiting(Wait::MaxRounds), true, false), (Phase::Work, 2, 1));
        let contradiction = Wait::Contradiction { sentence: sentence() };
        assert_eq!(at(waiting(contradiction), true, false), (Phase::Work, 2, 1));
        assert_eq!(at(waiting(Wait::NoChange), true, false), (Phase::Work, 2, 0));
        assert_eq!(at(waiting(Wait::NoChange), false, false), (Phase::Check, 1, 0), "a person went on");
        assert_eq!(at(waiting(Wait::Gates { sentence: sentence() }), true, false), (Phase::Check, 1, 0));
    }

    #[test]
    fn work_that_is_taken_up_again_has_its_rounds_anew() {
        let mut over = review(Stage::Approved);
        let phase = start(&mut over, &Standing { tip: HEAD, clean: true, cut_off: false, rounds: 3 });
        assert_eq!((phase, over.rounds.len(), over.max_rounds), (Phase::Work, 2, 4));
        assert_eq!((over.rounds[1].number, over.rounds[1].from.as_str()), (2, HEAD));
    }
}
