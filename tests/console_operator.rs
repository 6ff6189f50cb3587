//! What an hour at the console found: the place is kept when a run ends, nothing takes a refusal away, keys mean the same
//! in every pane, and comments always have somewhere to go.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod console_support;
#[allow(dead_code)]
#[path = "console_review/scene.rs"]
mod scene;

use std::sync::Arc;

use console_support::agents::with_agent;
use console_support::{Bench, ago, busy, empty, id};
use koru_tui::console::{Effect, Notify, RuntimeMessage, Settings};
use koru_tui::plan::queue::Standing;
use koru_tui::plan::ticket::Status;
use koru_tui::runtime::protocol::{
    AuditRow, Command, Outcome, PlanHealth, ProjectCommand, ProjectEvent, Resolution, ReviewCommand,
    RunCommand, RunEvent, RunId, RunState, RunView, Snapshot, TicketCommand,
};
use scene::{Answers, reviewed};

/// The snapshot after the run of `ticket` ended well.
fn finished(mut snapshot: Snapshot, ticket: &str) -> Snapshot {
    let plan = Arc::make_mut(&mut snapshot.plan);
    let found = plan.tickets.iter_mut().find(|known| known.id == id(ticket)).unwrap();
    let changed = Arc::make_mut(found);
    changed.status = Status::Done;
    changed.execution.finished_at = Some(ago(0));
    Arc::make_mut(&mut snapshot.order).standing.insert(id(ticket), Standing::Done);
    for run in snapshot.runs.iter_mut().filter(|run| run.ticket == id(ticket)) {
        let over = RunView { state: RunState::Done, ended_at: Some(ago(0)), ..RunView::clone(run) };
        *run = Arc::new(over);
    }
    snapshot.revision += 1;
    snapshot
}

fn selected(bench: &mut Bench) -> String {
    let screen = bench.screen();
    let at = screen.lines().position(|line| line.starts_with(" TICKET")).unwrap();
    screen.lines().nth(at + 1).unwrap().split_whitespace().next().unwrap().to_owned()
}

/// Rule A: the end of a run is an event, so the next key still falls on the ticket whose run it was.
#[test]
fn a_ticket_whose_run_ends_stays_selected_until_the_operator_goes_elsewhere() {
    let mut bench = Bench::new(busy(), 120, 40);
    bench.keys(r#"/ "PLF-074" enter esc"#);
    assert_eq!(selected(&mut bench), "PLF-074");
    bench.hear(RuntimeMessage::Snapshot(Arc::new(finished(busy(), "PLF-074"))));
    assert_eq!(selected(&mut bench), "PLF-074");
    bench.keys("home");
    assert_eq!(selected(&mut bench), "PLF-081");
    let screen = bench.screen();
    assert!(!screen.contains("PLF-074  parser") && screen.contains("3 finished"), "{screen}");
}

/// What the operator finishes makes room for what is next: answering goes on down the list.
#[test]
fn an_answered_ticket_makes_room_for_the_next() {
    let mut bench = Bench::new(busy(), 120, 40);
    assert_eq!(selected(&mut bench), "PLF-081");
    bench.hear(RuntimeMessage::Snapshot(Arc::new(finished(busy(), "PLF-081"))));
    assert_eq!(selected(&mut bench), "PLF-061");
}

#[test]
fn an_event_does_not_take_a_refusal_from_the_screen() {
    let mut bench = Bench::new(busy(), 120, 40);
    bench.keys("-");
    let (request, _) = bench.requests().pop().unwrap();
    bench.reply(request, Outcome::Refused { message: "it was changed meanwhile".to_owned() });
    bench.hear(RuntimeMessage::Run(RunEvent::Ended { run: RunId("r1".into()), state: RunState::Done }));
    let screen = bench.screen();
    assert!(screen.contains("it was changed meanwhile") && !screen.contains("PLF-074 is done"), "{screen}");
}

#[test]
fn every_pane_of_the_board_filters_the_queue_but_the_output_which_searches() {
    let mut bench = Bench::new(reviewed(), 120, 40);
    bench.keys(r#"/ "PLF-074" enter V"#);
    bench.keys(r#"/"#);
    let footer = bench.screen().lines().last().unwrap().to_owned();
    assert!(footer.contains("Enter keep the filter") && footer.contains("Esc as it was"), "{footer}");
    bench.keys(r#"ctrl-u "flaky" enter"#);
    assert!(bench.screen().contains("flaky"), "{}", bench.screen());
}

/// Esc goes back one step from wherever one is, to the queue in the end.
#[test]
fn esc_leaves_the_grid_and_then_goes_back_to_the_queue() {
    let mut bench = Bench::new(busy(), 120, 40);
    bench.keys("g");
    assert!(!bench.screen().contains("QUEUE"));
    bench.keys("esc");
    assert!(bench.screen().contains("QUEUE"));
    bench.keys("esc n");
    assert!(bench.screen().contains("new ticket"), "{}", bench.screen());
}

#[test]
fn on_a_screen_with_room_for_the_list_only_no_hidden_pane_gets_the_keys() {
    let mut bench = Bench::new(busy(), 40, 10);
    bench.resize(40, 10);
    bench.keys("tab");
    let screen = bench.screen();
    assert!(screen.contains("next pane: only the list has room"), "{screen}");
    bench.keys("j k");
    assert!(bench.screen().lines().last().unwrap().contains("a answer"), "{}", bench.screen());
}

/// An empty output pane shows no ticket: what is said about a key there must lead somewhere.
#[test]
fn a_ticket_that_is_not_on_the_screen_is_named_with_the_way_to_it() {
    let mut snapshot = busy();
    snapshot.runs.clear();
    let mut bench = Bench::new(snapshot, 80, 24);
    bench.keys("tab a");
    let screen = bench.screen();
    assert!(screen.contains("answer: PLF-081 is not on the screen; Tab goes to the queue"), "{screen}");
}

fn opened(snapshot: Snapshot) -> (Bench, Answers) {
    let mut bench = Bench::new(snapshot, 120, 40);
    let mut answers = Answers::default();
    bench.keys(r#"/ "PLF-074" enter d"#);
    answers.serve(&mut bench);
    (bench, answers)
}

fn keys(bench: &mut Bench, answers: &mut Answers, script: &str) {
    bench.keys(script);
    answers.serve(bench);
}

#[test]
fn a_comment_on_a_finding_stands_at_the_line_of_the_finding() {
    let (mut bench, mut answers) = opened(reviewed());
    keys(&mut bench, &mut answers, "f j");
    keys(&mut bench, &mut answers, r#"c "agreed" ctrl-s"#);
    let told: Vec<_> = answers.notebook.comments.iter().map(|one| (&*one.file, one.first)).collect();
    assert_eq!(told, [("src/parser.rs", 23)]);
}

/// Work without rounds that waits for a decision: the comments are what its next run is told.
#[test]
fn comments_on_work_without_rounds_are_told_to_the_next_run() {
    let failed = || {
        let mut snapshot = with_agent(RunState::Failed, |run, _| run.ended_at = Some(ago(9)));
        let plan = Arc::make_mut(&mut snapshot.plan);
        let found = plan.tickets.iter_mut().find(|known| known.id == id("PLF-074")).unwrap();
        Arc::make_mut(found).status = Status::Failed;
        Arc::make_mut(&mut snapshot.order).standing.insert(id("PLF-074"), Standing::Failed);
        snapshot
    };
    let (mut bench, mut answers) = opened(failed());
    keys(&mut bench, &mut answers, r#"c "say which release" ctrl-s"#);
    answers.seen.clear();
    keys(&mut bench, &mut answers, "S");
    let sent: Vec<_> = answers.seen.iter().filter(|command| matches!(command, Command::Run(_))).collect();
    let [Command::Run(RunCommand::Resolve { run, how: Resolution::Retry, note: Some(note) })] = sent[..]
    else {
        panic!("{sent:?}")
    };
    assert_eq!(run, &RunId("r1".into()));
    assert!(note.contains("CHANGELOG.md:1\nsay which release"), "{note}");
    assert!(answers.notebook.comments.iter().all(|comment| comment.sent.is_some()));
}

/// What cannot be done is not offered.
#[test]
fn a_review_offers_no_other_file_no_finding_and_no_decision_where_there_are_none() {
    let mut snapshot = finished(reviewed(), "PLF-074");
    snapshot.reviews.clear();
    let (mut bench, mut answers) = opened(snapshot);
    keys(&mut bench, &mut answers, r#"c "too late" ctrl-s"#);
    let screen = bench.screen();
    assert!(!screen.contains("next finding") && !screen.contains("decides on"), "{screen}");
    assert!(!screen.lines().last().unwrap().contains("send comments"), "{screen}");
    answers.seen.clear();
    keys(&mut bench, &mut answers, "S");
    assert!(
        !answers
            .seen
            .iter()
            .any(|command| matches!(command, Command::Review(ReviewCommand::SendFindings { .. })))
    );
    assert!(bench.screen().contains("the ticket is finished; the comments stay here"), "{}", bench.screen());
}

/// Rule E: a change can be taken back, by name, with a second key, the newest first.
#[test]
fn the_last_change_is_named_and_taken_back_on_yes() {
    let mut bench = Bench::new(busy(), 120, 40);
    bench.keys("u");
    assert!(bench.screen().contains("undo: nothing was changed from here yet"), "{}", bench.screen());
    bench.keys(r#"b "wait for ann" enter"#);
    let (request, _) = bench.requests().pop().unwrap();
    // What is not durable cannot be taken back.
    bench.keys("u");
    assert!(bench.screen().contains("nothing was changed from here yet"));
    bench.reply(request, Outcome::Done { ticket: Some(id("PLF-081")), run: None });
    bench.keys("down u");
    assert!(bench.screen().contains("take back that PLF-081 was blocked?"), "{}", bench.screen());
    bench.keys("n");
    assert_eq!(bench.sent(), []);
    bench.keys("u y");
    assert_eq!(bench.sent(), [Command::Ticket(TicketCommand::Undo { id: id("PLF-081") })]);
}

#[test]
fn what_people_did_is_a_key_away() {
    let mut bench = Bench::new(busy(), 120, 40);
    bench.keys("H");
    assert_eq!(bench.sent(), [Command::Project(ProjectCommand::Audit { count: 500 })]);
    let row = AuditRow {
        at: ago(60),
        kind: "review.decide".to_owned(),
        who: "ann\u{1b}[2J".to_owned(),
        text: "ticket PLF-074, head a81b7d0".to_owned(),
    };
    bench.hear(RuntimeMessage::Project(ProjectEvent::Audit { rows: vec![row] }));
    let screen = bench.screen();
    assert!(screen.contains("2026-11-21 11:59:00") && screen.contains("head a81b7d0"), "{screen}");
    assert!(!screen.contains('\u{1b}'));
    bench.keys("H");
    assert!(bench.screen().contains("QUEUE"));
}

/// Ask 1: whoever looks elsewhere is called the moment something waits, once for a burst, also for what a filter hides, and
/// never for what was there at the start.
#[test]
fn what_begins_to_wait_calls_the_operator_and_names_the_window() {
    let (notify, troubles) = Notify::read("bell: true\ndesktop: osc9\non: [needs_you, failed]\n");
    assert_eq!(troubles, Vec::<String>::new());
    let settings = || Settings { notify: notify.clone(), ..Settings::default() };
    let mut loading = empty();
    loading.health = PlanHealth::Loading;
    let mut first = Bench::with_settings(settings(), loading, 120, 40);
    first.hear(RuntimeMessage::Snapshot(Arc::new(busy())));
    let called = |bench: &Bench| {
        bench.effects.iter().filter(|effect| matches!(effect, Effect::Bell | Effect::Notify(_))).count()
    };
    assert_eq!(called(&first), 0);
    assert_eq!(first.effects, [Effect::Title("◆1 ✕1 ◌1 ●2 my-app - koru".to_owned())]);
    first.keys(r#"/ "nothing has this" enter"#);
    first.effects.clear();
    let mut asks = busy();
    for name in ["PLF-082", "PLF-090"] {
        Arc::make_mut(&mut asks.order).standing.insert(id(name), Standing::NeedsYou);
    }
    first.hear(RuntimeMessage::Snapshot(Arc::new(asks)));
    let [Effect::Bell, Effect::Notify(call), Effect::Title(title)] = &first.effects[..] else {
        panic!("{:?}", first.effects)
    };
    assert!(format!("{call:?}").contains("PLF-082 needs you: rate limit headers (and 1 more)"), "{call:?}");
    assert!(title.starts_with("◆3 "), "{title}");
}
