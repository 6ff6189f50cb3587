//! Runs of agents on the screen: whole screens at three sizes, and what keys do to them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod console_support;

use std::sync::Arc;

use console_support::agents::{agent, checks, raw, said, trouble, with_agent, worktrees};
use console_support::{Bench, ago, id, noon, run};
use jiff::SignedDuration;
use koru_tui::console::{Depth, Effect, RuntimeMessage, Settings};
use koru_tui::plan::queue::Standing;
use koru_tui::plan::ticket::{ExecutorKind, Priority};
use koru_tui::runtime::protocol::{
    AgentPhase, Channel, Command, DraftCommand, Hearing, Outcome, ProjectEvent, PruneReport, Resolution,
    RunCommand, RunEvent, RunId, RunState, Snapshot, WorktreeCommand,
};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

/// Compares a screen at the three sizes; the colours of a light theme change no text.
fn at_three_sizes(name: &str, snapshot: &Snapshot, play: impl Fn(&mut Bench)) {
    for (width, height) in SIZES {
        let screen = |theme: &str| {
            let settings = Settings { theme: theme.to_owned(), depth: Depth::True, ..Settings::default() };
            let mut bench = Bench::with_settings(settings, snapshot.clone(), width, height);
            bench.hear(said("r1"));
            play(&mut bench);
            bench.screen()
        };
        let dark = screen("koru-dark");
        assert_eq!(dark, screen("high-contrast"), "{name}");
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), dark);
    }
}

/// The queue's selection is on the run's ticket, and the output has the focus.
fn on_run(bench: &mut Bench) {
    bench.keys("j j j j tab");
}

fn working() -> Snapshot {
    with_agent(RunState::Running, |_, _| {})
}

#[test]
fn an_agent_at_work_with_its_tools_folded() {
    at_three_sizes("agent_folded", &working(), on_run);
}

#[test]
fn an_agent_at_work_with_a_tool_open() {
    at_three_sizes("agent_unfolded", &working(), |bench| {
        on_run(bench);
        bench.keys("home j j j j space");
    });
}

#[test]
fn the_raw_stream() {
    at_three_sizes("agent_raw", &working(), |bench| {
        on_run(bench);
        bench.keys("v");
        bench.hear(raw("r1"));
    });
}

/// The run broke the policy: its ticket waits for a human.
fn violated() -> Snapshot {
    let mut snapshot = with_agent(RunState::Violation, |run, agent| {
        run.ended_at = Some(ago(5));
        run.message = Some("the policy was broken: agent_commit_allowed: a commit was made".to_owned());
        agent.phase = AgentPhase::Over;
        trouble(agent);
    });
    Arc::make_mut(&mut snapshot.order).standing.insert(id("PLF-074"), Standing::NeedsYou);
    snapshot
}

#[test]
fn a_run_that_broke_the_policy() {
    at_three_sizes("agent_violation", &violated(), |bench| {
        bench.keys("j tab");
    });
}

#[test]
fn the_evidence_on_the_tickets_page() {
    at_three_sizes("agent_evidence", &violated(), |bench| {
        bench.keys("j enter");
    });
}

#[test]
fn a_run_that_sleeps_until_a_limit_is_over() {
    let asleep = with_agent(RunState::Sleeping, |run, agent| {
        run.message = Some("rate limit: 5-hour limit reached".to_owned());
        agent.sleeping_until = Some(noon() + SignedDuration::from_secs(1_500));
        agent.phase = AgentPhase::Working;
    });
    at_three_sizes("agent_sleeping", &asleep, on_run);
}

#[test]
fn a_run_that_woke_says_that_it_waits_for_a_job() {
    let awake = with_agent(RunState::Sleeping, |_, agent| agent.waits_for_job = true);
    let mut bench = Bench::new(awake, 120, 40);
    on_run(&mut bench);
    let screen = bench.screen();
    assert!(screen.contains("☾ waits for a job"), "{screen}");
    assert!(screen.contains("awake again; 3 jobs are taken, > allows one more"), "{screen}");
}

#[test]
fn a_run_that_has_been_silent_for_too_long() {
    let stalled = with_agent(RunState::Stalled, |run, agent| {
        run.last_output_at = Some(ago(412));
        agent.hearing = Hearing::NextRound;
        agent.pausing = true;
        agent.queued = vec!["one".to_owned()];
        checks(agent);
    });
    at_three_sizes("agent_stalled", &stalled, on_run);
}

#[test]
fn a_grid_of_four_agents() {
    let mut snapshot = with_agent(RunState::Running, |_, _| {});
    for (at, (ticket, state)) in
        [("PLF-066", RunState::Running), ("PLF-070", RunState::Stalled), ("PLF-082", RunState::Sleeping)]
            .into_iter()
            .enumerate()
    {
        let mut view = run(&format!("a{at}"), ticket, state, 60 * (i64::try_from(at).unwrap() + 1));
        let mut with = agent(ticket);
        with.agent = ["codex", "pi", "opencode"][at].to_owned();
        with.sleeping_until = (state == RunState::Sleeping).then(|| noon() + SignedDuration::from_secs(90));
        view.agent = Some(Arc::new(with));
        snapshot.runs.insert(1, Arc::new(view));
    }
    snapshot.runs.truncate(4);
    at_three_sizes("agent_grid", &snapshot, |bench| {
        bench.hear(said("a0"));
        bench.hear(said("a2"));
        bench.keys("g");
    });
}

#[test]
fn a_message_to_an_agent_that_hears_it_now() {
    at_three_sizes("agent_message", &working(), |bench| {
        on_run(bench);
        bench.keys(r#"m "Keep the public API." enter "No new crates.""#);
    });
}

#[test]
fn the_worktrees() {
    at_three_sizes("agent_worktrees", &working(), |bench| {
        bench.keys("ctrl-w");
        bench.hear(worktrees());
        bench.keys("j");
    });
}

fn bench_of(snapshot: Snapshot) -> Bench {
    let mut bench = Bench::new(snapshot, 120, 40);
    bench.hear(said("r1"));
    on_run(&mut bench);
    bench.effects.clear();
    bench
}

fn r1() -> RunId {
    RunId("r1".into())
}

fn save(key: &str, text: &str) -> Command {
    Command::Draft(DraftCommand::Save { key: key.to_owned(), text: text.to_owned() })
}

fn load(key: &str) -> Command {
    Command::Draft(DraftCommand::Load { key: key.to_owned() })
}

#[test]
fn a_message_is_drafted_sent_and_kept_when_it_is_refused() {
    let mut bench = bench_of(working());
    bench.keys(r#"m "stop guessing""#);
    assert_eq!(bench.sent(), [load("say-PLF-074")]);
    assert!(bench.screen().contains("claude hears it now"), "{}", bench.screen());
    bench.pass(1_000);
    assert_eq!(bench.sent(), [save("say-PLF-074", "stop guessing")]);
    bench.keys("ctrl-s");
    let sent = bench.requests();
    let say = Command::Run(RunCommand::Say { run: r1(), text: "stop guessing".to_owned() });
    assert_eq!(
        sent.iter().map(|(_, command)| command.clone()).collect::<Vec<_>>(),
        [save("say-PLF-074", "stop guessing"), say]
    );
    bench.reply(sent[1].0, Outcome::Refused { message: "the run is over".to_owned() });
    bench.keys("m");
    let screen = bench.screen();
    assert!(screen.contains("stop guessing") && screen.contains("the run is over"), "{screen}");
    bench.keys("ctrl-s");
    let (request, _) = bench.requests().pop().unwrap();
    bench.reply(request, Outcome::Done { ticket: None, run: None });
    assert_eq!(bench.sent(), [save("say-PLF-074", "")], "what was said is no draft any more");
}

#[test]
fn a_message_that_waits_says_so_before_it_is_sent() {
    let deaf = with_agent(RunState::Running, |_, agent| {
        agent.hearing = Hearing::NextRound;
        agent.queued = vec!["mind the tabs\u{202e}".to_owned()];
    });
    let mut bench = bench_of(deaf);
    assert!(bench.screen().contains("hears later"), "{}", bench.screen());
    bench.keys("m");
    let screen = bench.screen();
    assert!(screen.contains("hears nothing while it works: it is told in its next round"), "{screen}");
    assert!(screen.contains("waits: mind the tabs<U+202E>"), "{screen}");
    bench.keys("ctrl-s");
    assert!(bench.screen().contains("it needs words; Esc closes without"));
    assert_eq!(bench.sent(), [load("say-PLF-074")]);
}

#[test]
fn an_agent_is_paused_after_its_turn_and_let_go_again() {
    let mut bench = bench_of(working());
    bench.keys("P");
    assert_eq!(bench.sent(), [Command::Run(RunCommand::PauseAfterTurn { run: r1(), on: true })]);
    let paused = with_agent(RunState::Running, |_, agent| agent.pausing = true);
    bench.hear(RuntimeMessage::Snapshot(Arc::new(Snapshot { revision: 2, ..paused })));
    assert!(bench.screen().contains("pauses after this turn"), "{}", bench.screen());
    bench.keys("P");
    assert_eq!(bench.sent(), [Command::Run(RunCommand::PauseAfterTurn { run: r1(), on: false })]);
    // A command has no turns.
    bench.keys("] P");
    assert!(bench.screen().contains("no agent works it"), "{}", bench.screen());
    assert_eq!(bench.sent(), []);
}

#[test]
fn a_violation_is_retried_with_a_note() {
    let mut bench = Bench::new(violated(), 120, 40);
    let screen = bench.screen();
    assert!(
        screen.contains("PLF-074 high↑ parser drops CRLF      broke policy")
            && screen.contains("⊘ 1 broke policy"),
        "{screen}"
    );
    bench.effects.clear();
    bench.keys(r#"j I "do not commit" tab enter"#);
    let note = Some("do not commit".to_owned());
    let resolve = Command::Run(RunCommand::Resolve { run: r1(), how: Resolution::Retry, note });
    assert_eq!(bench.sent(), [load("retry-PLF-074"), save("retry-PLF-074", "do not commit"), resolve]);
}

#[test]
fn a_ticket_is_given_to_an_agent_by_name_with_or_without_a_note() {
    let mut snapshot = working();
    snapshot.agents = vec!["claude".to_owned(), "codex".to_owned()];
    let mut bench = Bench::new(snapshot, 120, 40);
    bench.effects.clear();
    bench.keys("j j j j j j D");
    assert!(bench.screen().contains("who works PLF-082?"), "{}", bench.screen());
    bench.keys("2 ctrl-s");
    let delegate = |note: Option<&str>| {
        let agent = Some("codex".to_owned());
        Command::Run(RunCommand::Delegate { ticket: id("PLF-082"), agent, note: note.map(str::to_owned) })
    };
    let sent = bench.sent();
    assert_eq!(sent.last(), Some(&delegate(None)), "{sent:?}");
    bench.keys(r#"D 2 "mind the tests" ctrl-s"#);
    assert_eq!(bench.sent().last(), Some(&delegate(Some("mind the tests"))));
    // What runs is not given away.
    bench.keys("home j j j D");
    assert!(bench.screen().contains("delegate: it is stalled"), "{}", bench.screen());
}

#[test]
fn a_ticket_for_an_agent_has_a_runner_and_one_for_a_chat_says_what_it_lacks() {
    let mut ready = console_support::ticket("PLF-001", "for an agent", ExecutorKind::Llm, Priority::Normal);
    ready.executor.handler = Some("agent:codex".to_owned());
    let snapshot = console_support::with(vec![(ready, Standing::Ready { position: 0 })]);
    let screen = Bench::new(snapshot, 120, 40).screen();
    assert!(screen.contains("ready") && !screen.contains("no runner"), "{screen}");
}

#[test]
fn a_shell_opens_where_the_agent_works() {
    let mut bench = bench_of(working());
    bench.keys("!");
    let folder = agent("PLF-074").worktree.unwrap().path;
    assert_eq!(bench.effects, [Effect::Attach { folder }]);
}

#[test]
fn worktrees_are_measured_and_removed_after_a_question() {
    let list = || Command::Worktree(WorktreeCommand::List);
    let prune = |tickets: &[&str]| {
        Command::Worktree(WorktreeCommand::Prune {
            tickets: tickets.iter().map(|ticket| id(ticket)).collect(),
        })
    };
    let mut bench = bench_of(working());
    bench.keys("ctrl-w");
    assert_eq!(bench.sent(), [list()]);
    assert!(bench.screen().contains("measuring them"));
    bench.hear(worktrees());
    bench.keys("j d");
    let screen = bench.screen();
    assert!(screen.contains("the worktree of PLF-061 stays: 1 file uncommitted"), "{screen}");
    bench.keys("j d n");
    assert_eq!(bench.sent(), [], "only the named key says yes");
    bench.keys("d y");
    assert_eq!(bench.sent(), [prune(&["PLF-050"])]);
    bench.keys("D y");
    assert_eq!(bench.sent(), [prune(&[])]);
    let report = PruneReport { removed: Vec::new(), kept: Vec::new(), freed: 2_048 };
    bench.hear(RuntimeMessage::Project(ProjectEvent::Pruned { report }));
    assert_eq!(bench.sent(), [list()], "what is left is measured again");
    assert!(bench.screen().contains("0 worktrees are removed, 2.0 KiB freed"), "{}", bench.screen());
    bench.keys("esc");
    assert!(!bench.screen().contains("may go"));
}

#[test]
fn kinds_errors_and_folds_by_key() {
    let mut bench = bench_of(working());
    bench.keys("f 5");
    let screen = bench.screen();
    assert!(screen.contains("errors only") && screen.contains("answered 529"), "{screen}");
    assert!(!screen.contains("I'll read the failing test"), "{screen}");
    bench.keys("esc");
    assert!(bench.screen().contains("I'll read the failing test"));
    bench.keys("K K K K");
    assert!(bench.screen().contains("there is no error above"), "{}", bench.screen());
    bench.keys("O home");
    assert!(bench.screen().contains("file_path: tests/parser.rs"));
    bench.keys("C");
    assert!(!bench.screen().contains("memchr2"), "{}", bench.screen());
    // Enter on a block folds and opens; anywhere else it opens the ticket.
    bench.keys("home j j enter");
    assert!(bench.screen().contains("before I touch anything."), "{}", bench.screen());
    bench.keys("G enter");
    assert!(bench.screen().contains("A lone CR ends a line too") && !bench.screen().contains(" RUN "));
}

#[test]
fn text_that_is_being_written_is_shown_and_goes_with_the_run() {
    let mut bench = bench_of(working());
    let partial = |text: &str| {
        RuntimeMessage::Run(RunEvent::Partial { run: r1(), channel: Channel::Text, text: text.into() })
    };
    bench.hear(partial("half a sen"));
    assert!(bench.console.is_dirty() && bench.screen().contains("half a sen"));
    bench.hear(partial(""));
    assert!(!bench.screen().contains("half a sen"));
    bench.hear(partial("cut off"));
    bench.hear(RuntimeMessage::Run(RunEvent::Ended { run: r1(), state: RunState::Done }));
    assert!(!bench.screen().contains("cut off"));
}

#[test]
fn the_raw_stream_is_fetched_by_windows() {
    let mut bench = bench_of(working());
    bench.keys("v");
    assert_eq!(bench.sent(), [Command::Run(RunCommand::FetchRaw { run: r1(), from: 0, count: 40 })]);
    bench.hear(raw("r1"));
    bench.screen();
    assert_eq!(bench.sent(), []);
    bench.keys("v");
    assert!(bench.screen().contains("I'll read the failing test"));
}

#[test]
fn what_was_spent_stands_in_the_header() {
    let mut snapshot = working();
    snapshot.day_usd = Some(25.0);
    assert!(Bench::new(snapshot.clone(), 200, 60).screen().contains("$0.38 / $25.00"));
    snapshot.cost_today = Some(koru_tui::runtime::protocol::Cost { usd: 3.1, estimated: true });
    assert!(Bench::new(snapshot, 200, 60).screen().contains("~$3.10 / $25.00"));
}

#[test]
fn a_run_that_ended_by_asking_moves_nothing() {
    let asked = with_agent(RunState::NeedsYou, |run, _| run.ended_at = Some(ago(5)));
    let mut only = asked;
    only.runs.truncate(1);
    let bench = Bench::new(only, 120, 40);
    assert_eq!(bench.console.next_wake(), None);
}
