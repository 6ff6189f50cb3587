//! The verdict pane: whole screens at three sizes, and what its keys send.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod console_support;

use std::sync::Arc;
use std::time::Duration;

use console_support::{Bench, ago, busy, id};
use koru_tui::console::RuntimeMessage;
use koru_tui::plan::queue::Standing;
use koru_tui::plan::store::Plan;
use koru_tui::plan::ticket::Status;
use koru_tui::runtime::protocol::diff::{DiffCommand, DiffRange};
use koru_tui::runtime::protocol::review::{
    Decision, Finding, Part, Review, ReviewChoice, Round, Severity, Source, Stage, Verdict, Wait,
};
use koru_tui::runtime::protocol::{
    Command, Cost, DraftCommand, GateResult, GateState, Outcome, ReviewCommand, RunState, Snapshot, Tokens,
};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];
const BASE: &str = "3f9c2e1000000000000000000000000000000000";
const FIRST: &str = "11d0c4a000000000000000000000000000000000";
const HEAD: &str = "a81b7d0000000000000000000000000000000000";

fn finding(file: &str, line: u32, severity: Severity, reason: &str, required: Option<&str>) -> Finding {
    Finding {
        id: Finding::key(Some(file), reason),
        severity,
        blocking: severity >= Severity::High,
        file: Some(file.to_owned()),
        line: Some(line),
        required_change: required.map(str::to_owned),
        ..Finding::blocking(reason, Source::Reviewer { name: "codex".to_owned() })
    }
}

fn swallowed() -> Finding {
    finding("src/parser.rs", 118, Severity::High, "CR alone ends a line too", None)
}

fn twin() -> Finding {
    let reason = "the lexer has the same bug: it looks for LF only, so a file of an old Mac is one line for it and \
                  every position after it is wrong\u{1b}[2J";
    finding("src/lexer.rs", 40, Severity::High, reason, Some("split at CR, LF and CRLF in one place"))
}

fn unnamed() -> Finding {
    finding("tests/parser.rs", 12, Severity::Low, "the name says nothing", None)
}

fn part(by: &str, began: i64, seconds: Option<u64>, usd: f64) -> Part {
    Part {
        by: by.to_owned(),
        run: Some("r1".to_owned()),
        began: ago(began),
        took: seconds.map(Duration::from_secs),
        cost: seconds.map(|_| Cost { usd, estimated: false }),
        tokens: Tokens::default(),
        conversation: None,
        notes: String::new(),
    }
}

fn gate(name: &str, failed: bool) -> GateResult {
    let state = if failed { GateState::Failed { why: "exit 1".to_owned() } } else { GateState::Passed };
    GateResult {
        gate: name.to_owned(),
        state,
        command: None,
        exit_code: Some(i32::from(failed)),
        output: String::new(),
        duration: Duration::from_secs(4),
    }
}

fn judged(number: u32, from: &str, head: &str, findings: Vec<Finding>, fixes: Vec<Finding>) -> Round {
    let decision = Decision::ChangesRequired;
    let by = Source::Reviewer { name: "codex".to_owned() };
    Round {
        number,
        from: from.to_owned(),
        head: Some(head.to_owned()),
        fixes,
        worker: Some(part("claude", 600, Some(192), 0.38)),
        gates: vec![gate("fmt", false), gate("clippy", false), gate("test", false)],
        reviewer: Some(part("codex", 400, Some(41), 0.05)),
        verdict: Some(Verdict {
            decision,
            summary: format!("Round {number}: the parser is right now, its twin is not."),
            findings,
            by,
            head: Some(head.to_owned()),
        }),
    }
}

/// Two rounds, of which the second was judged too.
fn rounds() -> Vec<Round> {
    let first = vec![swallowed(), twin()];
    vec![
        judged(1, BASE, FIRST, first.clone(), Vec::new()),
        judged(2, FIRST, HEAD, vec![twin(), unnamed()], first),
    ]
}

fn with(rounds: Vec<Round>, stage: Stage) -> Snapshot {
    let mut snapshot = busy();
    let (ticket, base) = (id("PLF-074"), BASE.to_owned());
    let review = Review { ticket, max_rounds: 3, base, rounds, stage, reviewer: None, gated: None };
    snapshot.reviews.insert(id("PLF-074"), Arc::new(review));
    snapshot
}

/// All rounds are used: the run is over and the ticket waits.
fn waiting() -> Snapshot {
    let mut snapshot = with(rounds(), Stage::Waiting { why: Wait::MaxRounds });
    let mut plan = Plan::clone(&snapshot.plan);
    for ticket in &mut plan.tickets {
        if ticket.id == id("PLF-074") {
            let ticket = Arc::make_mut(ticket);
            ticket.status = Status::InProgress;
            ticket.execution.state = "waiting_input".to_owned();
        }
    }
    snapshot.plan = Arc::new(plan);
    Arc::make_mut(&mut snapshot.order).standing.insert(id("PLF-074"), Standing::NeedsYou);
    for run in &mut snapshot.runs {
        if run.ticket == id("PLF-074") {
            let run = Arc::make_mut(run);
            run.state = RunState::NeedsYou;
            run.ended_at = Some(ago(30));
        }
    }
    snapshot
}

/// The third round: the worker is done, gates too, and the reviewer judges.
fn reviewing() -> Snapshot {
    let mut rounds = rounds();
    let third = Round {
        verdict: None,
        reviewer: Some(part("codex", 12, None, 0.0)),
        gates: vec![gate("fmt", false), gate("clippy", false), gate("test", true)],
        ..judged(3, HEAD, HEAD, Vec::new(), vec![twin()])
    };
    rounds.push(third);
    with(rounds, Stage::Reviewing)
}

/// A bench on PLF-074.
fn bench(snapshot: Snapshot, width: u16, height: u16) -> Bench {
    let mut bench = Bench::new(snapshot, width, height);
    bench.screen();
    bench.keys(r#"/ "PLF-074" enter"#);
    bench.screen();
    bench.requests();
    bench
}

/// What was asked of reviews.
fn decided(bench: &mut Bench) -> Vec<ReviewCommand> {
    let asked = bench.requests();
    asked
        .into_iter()
        .filter_map(|(_, command)| match command {
            Command::Review(command) => Some(command),
            _ => None,
        })
        .collect()
}

fn decide(choice: ReviewChoice) -> ReviewCommand {
    ReviewCommand::Decide { ticket: id("PLF-074"), seen: HEAD.to_owned(), choice }
}

#[test]
fn the_pane_at_three_sizes() {
    for (width, height) in SIZES {
        let mut waits = bench(waiting(), width, height);
        waits.keys("V");
        insta::assert_snapshot!(format!("verdict_waiting_{width}x{height}"), waits.screen());
        let mut judges = bench(reviewing(), width, height);
        if width < 120 {
            judges.keys("V");
        }
        insta::assert_snapshot!(format!("verdict_reviewing_{width}x{height}"), judges.screen());
    }
}

#[test]
fn a_narrow_pane_tells_less_and_never_half_of_it() {
    for width in (30..160).step_by(9) {
        let mut bench = bench(waiting(), width, 30);
        bench.keys("V");
        let screen = bench.screen();
        let cut = screen.lines().any(|line| line.contains("✕ change") && !line.contains("✕ changes"));
        assert!(!cut, "{width}: {screen}");
    }
}

#[test]
fn one_key_decides_on_the_commit_that_was_shown() {
    let after = |script: &str| {
        let mut bench = bench(waiting(), 120, 40);
        bench.keys("V");
        bench.screen();
        bench.keys(script);
        decided(&mut bench)
    };
    assert_eq!(after("A"), [], "approving asks first");
    assert_eq!(after("A y"), [decide(ReviewChoice::Accept)]);
    assert_eq!(after("v"), [], "a verdict goes and a reviewer is paid, so this asks too");
    assert_eq!(after("v v"), []);
    assert_eq!(after("v y"), [decide(ReviewChoice::ReviewAgain)]);
    assert_eq!(after("R ctrl-s"), [], "a rejection needs a reason");
    let reason = "wrong idea".to_owned();
    assert_eq!(after(r#"R "wrong idea" ctrl-s"#), [decide(ReviewChoice::Reject { reason })]);
    // What is not touched goes back as it was found.
    let fixes = vec![twin(), unnamed()];
    assert_eq!(after("n ctrl-s"), [decide(ReviewChoice::Another { fixes })]);
}

#[test]
fn the_question_says_how_many_blockers_still_stand() {
    let mut bench = bench(waiting(), 120, 40);
    bench.keys("V");
    bench.screen();
    bench.keys("A");
    let screen = bench.screen();
    assert!(
        screen.contains("approve PLF-074 as it is at a81b7d000000?")
            && screen.contains("1 blocker still stands. The ticket is complete then"),
        "{screen}"
    );
}

#[test]
fn reviewing_again_says_what_becomes_of_the_verdict() {
    let mut bench = bench(waiting(), 120, 40);
    bench.keys("V v");
    let screen = bench.screen();
    assert!(screen.contains("review PLF-074 again at a81b7d000000?"), "{screen}");
    assert!(screen.contains("with 2 findings, goes into the audit"), "{screen}");
}

#[test]
fn a_round_that_came_since_is_looked_at_first() {
    let mut bench = bench(waiting(), 120, 40);
    bench.keys("V");
    bench.screen();
    let moved = "b".repeat(40);
    let mut rounds = rounds();
    rounds[1].head = Some(moved);
    let mut snapshot = waiting();
    let review = Review {
        ticket: id("PLF-074"),
        max_rounds: 3,
        base: BASE.to_owned(),
        rounds,
        stage: Stage::Waiting { why: Wait::MaxRounds },
        reviewer: None,
        gated: None,
    };
    snapshot.revision += 1;
    snapshot.reviews.insert(id("PLF-074"), Arc::new(review));
    bench.hear(RuntimeMessage::Snapshot(Arc::new(snapshot)));
    bench.keys("v");
    assert_eq!(decided(&mut bench), []);
    assert!(bench.screen().contains("was not on the screen yet"), "{}", bench.screen());
    bench.keys("v y");
    let [ReviewCommand::Decide { seen, .. }] = &decided(&mut bench)[..] else { panic!("nothing was sent") };
    assert_eq!(*seen, "b".repeat(40));
}

#[test]
fn what_is_refused_keeps_the_words() {
    let mut bench = bench(waiting(), 120, 40);
    bench.keys("V");
    bench.screen();
    bench.keys(r#"R "it drops tabs" ctrl-s"#);
    let asked = bench.requests();
    assert!(asked.iter().any(|(_, command)| matches!(
        command,
        Command::Draft(DraftCommand::Save { key, text }) if key == "reject-PLF-074" && text == "it drops tabs"
    )));
    let (request, _) = asked.iter().find(|(_, command)| matches!(command, Command::Review(_))).unwrap();
    let message = "the work is not as you saw it".to_owned();
    bench.reply(*request, Outcome::Refused { message: message.clone() });
    assert!(bench.screen().contains(&message), "{}", bench.screen());
    // The draft is still there for the next try.
    let dropped = |(_, command): &(_, Command)| matches!(command, Command::Draft(DraftCommand::Save { text, .. }) if text.is_empty());
    assert!(!bench.requests().iter().any(dropped));
}

#[test]
fn a_finding_opens_at_its_line() {
    let opened = |script: &str| -> Vec<DiffRange> {
        let mut bench = bench(waiting(), 120, 40);
        bench.keys("V");
        bench.screen();
        bench.keys(script);
        let asked = bench.requests();
        let ranges = asked.into_iter().filter_map(|(_, command)| match command {
            Command::Diff(DiffCommand::Open { range, .. }) => Some(range),
            _ => None,
        });
        ranges.collect()
    };
    assert_eq!(opened("enter"), [DiffRange::Whole]);
    // While the next round is worked on, the lines are those of the round that was judged.
    let mut later = rounds();
    later.push(Round { verdict: None, ..judged(3, HEAD, BASE, Vec::new(), vec![twin()]) });
    let mut bench = bench(with(later, Stage::Reviewing), 120, 40);
    bench.keys("V enter");
    let asked = bench.requests();
    let range = asked.into_iter().find_map(|(_, command)| match command {
        Command::Diff(DiffCommand::Open { range, .. }) => Some(range),
        _ => None,
    });
    assert_eq!(range, Some(DiffRange::Round { number: 2 }));
}

#[test]
fn answering_a_ticket_that_waits_for_a_decision_goes_to_the_pane() {
    let mut bench = bench(waiting(), 120, 40);
    bench.keys("a");
    let screen = bench.screen();
    assert!(!screen.contains("Ctrl-S submit"), "{screen}");
    bench.keys("A");
    assert!(bench.screen().contains("approve PLF-074 as it is"), "{}", bench.screen());
}
