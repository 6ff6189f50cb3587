//! Earlier runs of a ticket on the screen: the list, one of them opened, and the way back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod console_support;

use std::sync::Arc;

use console_support::agents::{agent, checks, raw};
use console_support::{Bench, ago, busy, id, noon, run};
use jiff::SignedDuration;
use koru_tui::console::RuntimeMessage;
use koru_tui::runtime::protocol::{
    AgentPhase, Channel, Command, Cost, Outcome, OutputLine, RunCommand, RunEvent, RunId, RunState, RunView,
};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];
const DAY: i64 = 86_400;

/// A run that is over, begun so many seconds before noon.
fn past(name: &str, state: RunState, seconds: i64, lasted: i64, message: Option<&str>) -> RunView {
    RunView {
        ended_at: Some(ago(seconds) + SignedDuration::from_secs(lasted)),
        message: message.map(str::to_owned),
        last_output_at: None,
        ..run(name, "PLF-061", state, seconds)
    }
}

fn by(view: RunView, name: &str, cost: Option<Cost>, raw_lines: u64) -> RunView {
    let mut with = agent("PLF-061");
    name.clone_into(&mut with.agent);
    with.phase = AgentPhase::Over;
    (with.tally.cost, with.tally.doing, with.raw_lines) = (cost, None, raw_lines);
    RunView { agent: Some(Arc::new(with)), ..view }
}

/// What the runtime says of PLF-061.
fn runs() -> Vec<Arc<RunView>> {
    let usd = |usd, estimated| Some(Cost { usd, estimated });
    let judged = past("PLF-061-c", RunState::NeedsYou, 2 * DAY, 1_210, Some("cargo test was skipped"));
    let broke = past("PLF-061-b", RunState::Violation, 3 * DAY, 61, Some("the policy was broken: a commit"));
    let mut silent =
        past("PLF-061-a", RunState::Interrupted, 9 * DAY, 0, Some("its runner died without a word"));
    silent.ended_at = None;
    [
        past(
            "PLF-061-d",
            RunState::Failed,
            3_700,
            8,
            Some("exit 2: relation \"users\" \u{1b}[2Jalready exists"),
        ),
        by(judged, "claude", usd(0.384, false), 0),
        by(broke, "codex", usd(1.25, true), 0),
        by(silent, "claude", None, 0),
        past("PLF-061-0", RunState::Done, 30 * DAY, 9_000, None),
    ]
    .map(Arc::new)
    .to_vec()
}

/// The list is asked for and comes.
fn listed(bench: &mut Bench) {
    bench.keys("home j E");
    let event = RunEvent::Earlier { ticket: id("PLF-061"), runs: runs(), total: 5 };
    bench.hear(RuntimeMessage::Run(event));
    bench.screen();
}

/// What the run by claude said; the list has its cursor there.
fn opened(bench: &mut Bench) {
    listed(bench);
    bench.keys("j enter");
    let mut view = RunView::clone(&runs()[1]);
    let mut with = agent("PLF-061");
    (with.phase, with.raw_lines) = (AgentPhase::Over, 40);
    checks(&mut with);
    (view.lines, view.agent) = (3, Some(Arc::new(with)));
    bench.hear(RuntimeMessage::Run(RunEvent::Opened { view: Arc::new(view) }));
    bench.screen();
    let lines: Vec<OutputLine> = ["I'll look at the migration.", "It needs a lock.", "Done."]
        .map(|text| OutputLine::new(1_000, Channel::Text, text))
        .to_vec();
    let run = RunId("PLF-061-c".into());
    bench.hear(RuntimeMessage::Run(RunEvent::Lines { run, first: 0, lines: lines.into() }));
    bench.screen();
}

fn at_three_sizes(name: &str, play: impl Fn(&mut Bench)) {
    for (width, height) in SIZES {
        let mut bench = Bench::new(busy(), width, height);
        play(&mut bench);
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), bench.screen());
    }
}

#[test]
fn the_runs_of_a_ticket() {
    at_three_sizes("earlier_list", listed);
}

#[test]
fn an_earlier_run_in_the_output_pane() {
    at_three_sizes("earlier_opened", opened);
}

#[test]
fn a_run_is_asked_for_when_it_is_opened_and_its_lines_when_they_are_seen() {
    let mut bench = Bench::new(busy(), 120, 40);
    listed(&mut bench);
    let asked = Command::Run(RunCommand::Earlier { ticket: id("PLF-061") });
    assert_eq!(bench.sent(), [asked]);
    bench.keys("esc");
    opened(&mut bench);
    let run = RunId("PLF-061-c".into());
    let sent: Vec<Command> = bench
        .sent()
        .into_iter()
        .filter(|sent| !matches!(sent, Command::Run(RunCommand::Earlier { .. })))
        .collect();
    let fetch = RunCommand::Fetch { run: run.clone(), from: 0, count: 3 };
    assert_eq!(sent, [Command::Run(RunCommand::Open { run: run.clone() }), Command::Run(fetch)]);
    // Its raw stream and its search work as those of any run.
    bench.keys("v");
    assert_eq!(bench.sent(), [Command::Run(RunCommand::FetchRaw { run, from: 0, count: 40 })]);
    bench.hear(raw("PLF-061-c"));
    assert!(bench.screen().contains("stream_event"), "{}", bench.screen());
    bench.keys(r#"v / "lock" enter"#);
    assert!(bench.screen().contains("/lock  hit 1/1"), "{}", bench.screen());
}

#[test]
fn esc_leads_back_step_by_step_to_where_one_came_from() {
    let mut bench = Bench::new(busy(), 120, 40);
    let before = bench.keys("j").screen();
    opened(&mut bench);
    bench.keys(r#"/ "lock" enter v"#);
    bench.hear(raw("PLF-061-c"));
    // The search, the raw stream, the run, the list.
    bench.keys("esc esc");
    assert!(bench.screen().contains("earlier run · Esc back"), "{}", bench.screen());
    assert!(bench.keys("esc").screen().contains("5 runs of PLF-061"));
    let after = bench.keys("esc").screen();
    assert_eq!(after, before);
}

#[test]
fn what_happens_meanwhile_takes_nothing_away() {
    let mut bench = Bench::new(busy(), 120, 40);
    opened(&mut bench);
    let shown = "I'll look at the migration.";
    let mut snapshot = busy();
    snapshot.revision = 2;
    // A run of the very ticket begins, and all others end.
    let over = |view: &Arc<RunView>| {
        Arc::new(RunView { state: RunState::Done, ended_at: Some(noon()), ..RunView::clone(view) })
    };
    snapshot.runs = snapshot.runs.iter().map(over).collect();
    snapshot.runs.insert(0, Arc::new(run("new", "PLF-061", RunState::Running, 0)));
    bench.hear(RuntimeMessage::Snapshot(Arc::new(snapshot)));
    assert!(bench.screen().contains(shown), "{}", bench.screen());
    // Going on to the runs of this session is the operator's own choice.
    assert!(!bench.keys("]").screen().contains(shown));
    assert!(!bench.keys("esc").screen().contains("runs of PLF-061"));
}

#[test]
fn nothing_kept_and_a_refusal_are_said() {
    let mut bench = Bench::new(busy(), 120, 40);
    bench.keys("j E");
    assert!(bench.screen().contains("reading them…"), "{}", bench.screen());
    let event = RunEvent::Earlier { ticket: id("PLF-061"), runs: Vec::new(), total: 0 };
    bench.hear(RuntimeMessage::Run(event));
    assert!(bench.screen().contains("Nothing is kept of any run of it."), "{}", bench.screen());
    // There is nothing to open.
    bench.sent();
    bench.keys("enter esc");
    assert_eq!(bench.sent(), []);
    opened(&mut bench);
    let open =
        bench.requests().into_iter().find(|(_, sent)| matches!(sent, Command::Run(RunCommand::Open { .. })));
    let message = "nothing is kept of the run PLF-061-c".to_owned();
    bench.reply(open.unwrap().0, Outcome::Refused { message: message.clone() });
    assert!(bench.screen().contains(&message), "{}", bench.screen());
}
