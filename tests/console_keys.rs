//! What keys and events do: scripts of keys against the console without a runtime, and the commands that come of them.
//! Above 400 lines because each script is short and all of them share the helpers below.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod console_support;

use std::sync::Arc;

use console_support::{Bench, ago, busy, empty, id, run, ticket, with};
use koru_tui::console::{
    Effect, ExitReason, InputMessage, Keymap, Message, Notify, RuntimeMessage, Settings, SystemMessage,
};
use koru_tui::plan::lifecycle::{NewTicket, Op, Patch};
use koru_tui::plan::queue::Standing;
use koru_tui::plan::store::Plan;
use koru_tui::plan::ticket::{ExecutorKind, Priority, Status};
use koru_tui::runtime::protocol::{
    Command, DraftCommand, Held, HeldWhy, Outcome, PlanHealth, ProjectCommand, ProjectEvent, QueueCommand,
    Resolution, RunCommand, RunId, RunState, RunView, Snapshot, TicketCommand,
};
use serde_json::json;

fn bench() -> Bench {
    Bench::new(busy(), 120, 40)
}

fn run_id(text: &str) -> RunId {
    RunId(text.into())
}

fn draft_came(bench: &mut Bench, key: &str, text: &str) {
    bench.hear(RuntimeMessage::Project(ProjectEvent::Draft { key: key.to_owned(), text: text.to_owned() }));
}

fn save(key: &str, text: &str) -> Command {
    Command::Draft(DraftCommand::Save { key: key.to_owned(), text: text.to_owned() })
}

fn load(key: &str) -> Command {
    Command::Draft(DraftCommand::Load { key: key.to_owned() })
}

fn apply(name: &str, op: Op) -> Command {
    Command::Ticket(TicketCommand::Apply { id: id(name), op, seen: Some(ago(120)) })
}

#[test]
fn an_answer_is_drafted_on_a_pause_and_sent_with_what_was_seen() {
    let mut bench = bench();
    bench.keys(r#"a tab "PKCE""#);
    assert_eq!(bench.sent(), [load("PLF-081")]);
    bench.pass(999);
    assert_eq!(bench.sent(), []);
    bench.pass(1);
    assert_eq!(bench.sent(), [save("PLF-081", "PKCE")]);
    bench.keys(r#"" please" ctrl-s"#);
    let answer =
        TicketCommand::Answer { id: id("PLF-081"), text: "PKCE please".to_owned(), seen: Some(ago(120)) };
    assert_eq!(bench.sent(), [save("PLF-081", "PKCE please"), Command::Ticket(answer)]);
}

/// Rule A: a ticket that stands on this very frame can be decided on, and its footer says so at once, not at the next key.
#[test]
fn the_first_frame_that_shows_a_ticket_offers_what_it_asks_for() {
    let mut bench = Bench::new(empty(), 120, 40);
    bench.hear(RuntimeMessage::Snapshot(Arc::new(busy())));
    let screen = bench.screen();
    assert!(screen.lines().last().unwrap().contains("a answer"), "{screen}");
}

#[test]
fn a_refused_answer_says_why_and_keeps_every_word() {
    let mut bench = bench();
    bench.keys(r#"a tab "PKCE" ctrl-s"#);
    let (request, _) = bench.requests().pop().unwrap();
    let message =
        "PLF-081 was changed by someone else at 12:00:01; look at it again before deciding".to_owned();
    bench.reply(request, Outcome::Refused { message });
    assert!(bench.screen().contains("not sent, your text is kept"), "{}", bench.screen());
    bench.keys("a");
    let screen = bench.screen();
    assert!(screen.contains("PKCE") && screen.contains("was changed by someone else"), "{screen}");
    bench.keys("ctrl-s");
    assert!(
        matches!(bench.sent().last(), Some(Command::Ticket(TicketCommand::Answer { text, .. })) if text == "PKCE")
    );
}

#[test]
fn an_answer_goes_without_any_modifier_too() {
    let mut bench = bench();
    bench.keys(r#"a tab "yes" tab enter"#);
    assert!(
        matches!(bench.sent().last(), Some(Command::Ticket(TicketCommand::Answer { text, .. })) if text == "yes")
    );
}

#[test]
fn a_choice_is_taken_by_its_number_and_digits_in_the_text_are_typed() {
    let mut bench = bench();
    bench.keys(r#"a 2 " 2" ctrl-s"#);
    assert!(
        matches!(bench.sent().last(), Some(Command::Ticket(TicketCommand::Answer { text, .. })) if text == "PKCE 2")
    );
    let mut none = self::bench();
    none.keys("a 9 ctrl-s");
    assert!(
        matches!(none.sent().last(), Some(Command::Ticket(TicketCommand::Answer { text, .. })) if text == "9")
    );
}

#[test]
fn a_blank_answer_is_not_sent() {
    let mut bench = bench();
    bench.keys(r#"a tab "  " ctrl-s"#);
    assert_eq!(bench.sent(), [load("PLF-081")]);
    assert!(bench.screen().contains("an answer needs words"));
}

#[test]
fn esc_keeps_the_draft_and_the_form_brings_it_back() {
    let mut bench = bench();
    bench.keys(r#"a tab "half a thou" esc"#);
    assert_eq!(bench.sent(), [load("PLF-081"), save("PLF-081", "half a thou")]);
    bench.keys("a");
    assert!(bench.screen().contains("half a thou"));
    assert_eq!(bench.sent(), [], "what is known is not asked for again");
}

#[test]
fn a_draft_of_a_crashed_console_is_restored_and_never_over_what_was_typed() {
    let mut bench = bench();
    bench.keys("a");
    draft_came(&mut bench, "PLF-081", "before the crash");
    assert!(bench.screen().contains("before the crash"));
    let mut late = self::bench();
    late.keys(r#"a tab "typed""#);
    draft_came(&mut late, "PLF-081", "old, ");
    late.keys("ctrl-s");
    assert!(
        matches!(late.sent().last(), Some(Command::Ticket(TicketCommand::Answer { text, .. })) if text == "old, typed")
    );
}

#[test]
fn events_never_take_the_keys_from_a_form() {
    let mut bench = bench();
    bench.keys(r#"a tab "one ""#);
    let mut later = busy();
    later.revision = 2;
    let mut plan = Plan::clone(&later.plan);
    plan.tickets
        .insert(0, Arc::new(ticket("PLF-099", "new question", ExecutorKind::Human, Priority::Critical)));
    later.plan = Arc::new(plan);
    Arc::make_mut(&mut later.order).standing.insert(id("PLF-099"), Standing::NeedsYou);
    bench.hear(RuntimeMessage::Snapshot(Arc::new(later)));
    bench.keys(r#""q two" ctrl-s"#);
    let sent = bench.sent();
    assert!(
        matches!(sent.last(), Some(Command::Ticket(TicketCommand::Answer { id, text, .. })) if id.as_str() == "PLF-081" && text == "one q two"),
        "{sent:?}"
    );
}

#[test]
fn the_selection_stays_on_its_ticket_when_the_order_changes() {
    let mut bench = bench();
    bench.keys("j");
    let mut later = busy();
    later.revision = 2;
    let mut plan = Plan::clone(&later.plan);
    let failed = plan.tickets.iter_mut().find(|ticket| ticket.id.as_str() == "PLF-061").unwrap();
    Arc::make_mut(failed).status = Status::Open;
    later.plan = Arc::new(plan);
    Arc::make_mut(&mut later.order).standing.insert(id("PLF-061"), Standing::Ready { position: 5 });
    bench.hear(RuntimeMessage::Snapshot(Arc::new(later)));
    bench.screen();
    bench.keys("+");
    let patch = Patch { priority: Some(Priority::Critical), ..Patch::default() };
    assert_eq!(bench.sent(), [apply("PLF-061", Op::Update(patch))]);
}

/// The busy board without these tickets, a revision later.
fn busy_without(gone: &[&str]) -> RuntimeMessage {
    let mut later = busy();
    later.revision = 2;
    let mut plan = Plan::clone(&later.plan);
    plan.tickets.retain(|ticket| !gone.contains(&ticket.id.as_str()));
    later.plan = Arc::new(plan);
    RuntimeMessage::Snapshot(Arc::new(later))
}

#[test]
fn the_place_of_a_vanished_ticket_is_selected_and_takes_no_key_before_it_was_drawn() {
    let mut bench = bench();
    bench.keys("j");
    // PLF-061 stood second; PLF-059 comes up to its place and was on the screen already.
    bench.hear(busy_without(&["PLF-061"]));
    bench.tell(Message::Input(InputMessage::Key("+".parse_key())));
    assert_eq!(bench.sent(), [], "a key must not fall on a ticket that an event put under the cursor");
    let screen = bench.screen();
    assert!(screen.contains("was not on the screen yet"), "{screen}");
    bench.keys("+");
    let patch = Patch { priority: Some(Priority::High), ..Patch::default() };
    assert_eq!(bench.sent(), [apply("PLF-059", Op::Update(patch))]);
}

#[test]
fn the_last_row_is_selected_when_the_place_is_gone_and_a_move_needs_no_frame() {
    let mut bench = bench();
    bench.keys("end");
    bench.hear(busy_without(&["PLF-083"]));
    bench.screen();
    bench.keys("+");
    let patch = Patch { priority: Some(Priority::Normal), ..Patch::default() };
    assert_eq!(bench.sent(), [apply("PLF-090", Op::Update(patch))]);
    // What the operator moves to after the event is meant.
    let mut moved = self::bench();
    moved.hear(busy_without(&["PLF-081"]));
    moved.tell(Message::Input(InputMessage::Key("j".parse_key())));
    moved.tell(Message::Input(InputMessage::Key("+".parse_key())));
    let patch = Patch { priority: Some(Priority::High), ..Patch::default() };
    assert_eq!(moved.sent(), [apply("PLF-059", Op::Update(patch))]);
}

#[test]
fn a_retry_shows_the_output_of_its_own_run_and_older_ones_stay_reachable() {
    let ended =
        |name: &str, state| Arc::new(RunView { ended_at: Some(ago(1)), ..run(name, "PLF-061", state, 9) });
    let mut first = busy();
    first.runs.push(ended("old", RunState::Failed));
    let mut bench = Bench::new(first.clone(), 120, 40);
    bench.keys("j");
    assert!(bench.screen().contains("run 4/4"), "{}", bench.screen());
    let mut later = Snapshot { revision: 2, ..first };
    later.runs.insert(0, Arc::new(run("new", "PLF-061", RunState::Running, 0)));
    bench.hear(RuntimeMessage::Snapshot(Arc::new(later.clone())));
    assert!(bench.screen().contains("run 1/5"), "{}", bench.screen());
    // What the operator chose to look at stays when nothing new began.
    bench.keys("] ] ] ]");
    later.revision = 3;
    bench.hear(RuntimeMessage::Snapshot(Arc::new(later.clone())));
    assert!(bench.screen().contains("run 5/5"), "{}", bench.screen());
    // A run that was over before it was seen is shown too.
    later.revision = 4;
    later.runs[0] = ended("newer", RunState::Failed);
    bench.hear(RuntimeMessage::Snapshot(Arc::new(later)));
    assert!(bench.screen().contains("run 1/5"), "{}", bench.screen());
}

#[test]
fn kinds_without_a_runner_are_not_called_ready_and_are_not_started() {
    let tickets = [
        ("A-1", ExecutorKind::Mcp),
        ("A-2", ExecutorKind::Other("quantum".to_owned())),
        ("A-3", ExecutorKind::Shell),
    ]
    .into_iter()
    .zip(0..)
    .map(|((name, kind), position)| {
        (ticket(name, "in line", kind, Priority::Normal), Standing::Ready { position })
    });
    let mut bench = Bench::new(with(tickets.collect()), 120, 40);
    let screen = bench.screen();
    let rows: Vec<Vec<&str>> = screen
        .lines()
        .skip(2)
        .take(3)
        .map(|line| line.split('│').next().unwrap().split_whitespace().collect())
        .collect();
    assert_eq!(
        rows,
        [
            vec!["▹", "A-3", "norm", "in", "line", "ready", "2m"],
            vec!["∅", "A-1", "norm", "in", "line", "no", "runner", "2m"],
            vec!["∅", "A-2", "norm", "in", "line", "no", "runner", "2m"],
        ]
    );
    bench.keys("j s");
    assert_eq!(bench.sent(), []);
    assert!(
        bench.screen().contains("run now: no MCP server is configured; name one under `mcp` in"),
        "{}",
        bench.screen()
    );
    bench.keys("j");
    assert!(bench.screen().contains("executor kind quantum is not run by this"), "{}", bench.screen());
}

#[test]
fn an_mcp_ticket_is_started_where_a_server_is_configured() {
    let tool = ticket("A-1", "in line", ExecutorKind::Mcp, Priority::Normal);
    let snapshot = with(vec![(tool, Standing::Ready { position: 0 })]);
    let mut bench = Bench::new(Snapshot { servers: vec!["docs".to_owned()], ..snapshot }, 120, 40);
    assert!(bench.screen().contains("ready"), "{}", bench.screen());
    bench.keys("s");
    assert_eq!(bench.sent().len(), 1, "{}", bench.screen());
}

#[test]
fn what_the_policy_refuses_stands_with_what_needs_the_operator() {
    let mut snapshot = busy();
    let why = HeldWhy::Policy { violations: vec!["`rm` is not allowed".to_owned()] };
    snapshot.held = vec![Held { ticket: id("PLF-090"), why }];
    let mut bench = Bench::new(snapshot, 200, 60);
    let screen = bench.screen();
    assert!(screen.lines().next().unwrap().contains("⊗ 1 refused"), "{screen}");
    let ids: Vec<&str> =
        screen.lines().skip(2).take(4).map(|line| line.split_whitespace().nth(1).unwrap()).collect();
    assert_eq!(ids, ["PLF-081", "PLF-061", "PLF-090", "PLF-059"]);
    // The policy may have been changed since: trying is allowed, and the runtime decides.
    bench.keys("j j s");
    assert_eq!(bench.sent(), [Command::Run(RunCommand::Start { ticket: id("PLF-090") })]);
}

#[test]
fn decisions_fall_on_what_was_drawn() {
    let mut bench = bench();
    let mut later = busy();
    later.revision = 2;
    let mut plan = Plan::clone(&later.plan);
    let question = plan.tickets.iter_mut().find(|ticket| ticket.id.as_str() == "PLF-081").unwrap();
    Arc::make_mut(question).updated_at = Some(ago(0));
    later.plan = Arc::new(plan);
    bench.hear(RuntimeMessage::Snapshot(Arc::new(later)));
    // No frame in between: the key still means the ticket as it stood on the screen.
    bench.tell(Message::Input(InputMessage::Key("+".parse_key())));
    bench.tell(Message::Input(InputMessage::Key("-".parse_key())));
    let patch = Patch { priority: Some(Priority::High), ..Patch::default() };
    assert_eq!(bench.sent(), [apply("PLF-081", Op::Update(patch))]);
}

trait ParseKey {
    fn parse_key(&self) -> koru_tui::console::Key;
}

impl ParseKey for str {
    fn parse_key(&self) -> koru_tui::console::Key {
        koru_tui::console::Key::parse(self).unwrap()
    }
}

#[test]
fn a_failed_ticket_is_made_ready_and_run_and_a_known_run_is_resolved() {
    let mut bench = bench();
    bench.keys("j r");
    let sent = bench.requests();
    assert_eq!(sent[0].1, apply("PLF-061", Op::Ready { note: None }));
    bench.reply(sent[0].0, Outcome::Done { ticket: Some(id("PLF-061")), run: None });
    assert_eq!(bench.sent(), [Command::Run(RunCommand::Start { ticket: id("PLF-061") })]);

    let mut snapshot = busy();
    snapshot.runs.push(Arc::new(run("r9", "PLF-061", RunState::Failed, 60)));
    let mut known = Bench::new(snapshot, 120, 40);
    known.keys("j r U");
    let resolve = |how| Command::Run(RunCommand::Resolve { run: run_id("r9"), how, note: None });
    let sent: Vec<Command> =
        known.sent().into_iter().filter(|c| !matches!(c, Command::Run(RunCommand::Fetch { .. }))).collect();
    assert_eq!(sent, [resolve(Resolution::Retry), resolve(Resolution::Release)]);
}

#[test]
fn an_interrupted_ticket_is_called_failed_only_after_a_second_key() {
    let mut bench = bench();
    bench.keys("j j F F");
    assert_eq!(bench.sent(), [], "the same key again is not a yes");
    bench.keys("F y");
    let op = Op::Fail { error: "interrupted; called failed by the operator".to_owned(), result: None };
    assert_eq!(bench.sent(), [apply("PLF-059", op)]);
}

#[test]
fn a_stop_asks_then_counts_down_then_kills() {
    let mut bench = bench();
    bench.keys("j j j j x n");
    assert_eq!(bench.sent(), []);
    bench.keys("x y");
    let stop = Command::Run(RunCommand::Stop { run: run_id("r1") });
    assert_eq!(bench.sent(), std::slice::from_ref(&stop));
    let mut stopping = run("r1", "PLF-074", RunState::Stopping, 192);
    stopping.kill_at = Some(ago(-7));
    let mut later = busy();
    later.revision = 2;
    later.runs[0] = Arc::new(stopping);
    bench.hear(RuntimeMessage::Snapshot(Arc::new(later)));
    assert!(bench.screen().contains("stopping, kill in 7s (x kills now)"), "{}", bench.screen());
    bench.keys("x");
    assert_eq!(bench.sent(), [stop]);
}

#[test]
fn a_block_needs_a_reason() {
    let mut bench = bench();
    bench.keys(r#"b enter"#);
    assert_eq!(bench.sent(), []);
    bench.keys(r#""waits for legal" enter"#);
    assert_eq!(bench.sent(), [apply("PLF-081", Op::Block { reason: "waits for legal".to_owned() })]);
}

#[test]
fn a_ticket_is_made_from_the_keyboard() {
    let mut bench = Bench::new(empty(), 80, 24);
    bench.keys(r#"n "Split the lexer" tab "Two things." tab left tab right tab "cargo test" tab "bug, lexer" tab "PLF-001" tab "src/lexer.rs" tab enter"#);
    let sent = bench.requests();
    let new = NewTicket {
        name: "Split the lexer".to_owned(),
        description: "Two things.".to_owned(),
        priority: Priority::High,
        labels: vec!["bug".to_owned(), "lexer".to_owned()],
        blocked_by: vec![id("PLF-001")],
        files: vec!["src/lexer.rs".to_owned()],
        executor: ExecutorKind::Shell,
        inputs: json!({"script": "cargo test"}).as_object().unwrap().clone(),
        ..NewTicket::default()
    };
    let (request, command) = sent.last().unwrap();
    assert_eq!(*command, Command::Ticket(TicketCommand::Create(Box::new(new))));
    bench.reply(*request, Outcome::Done { ticket: Some(id("PLF-002")), run: None });
    assert_eq!(bench.sent(), [save("new", "")], "the draft of a made ticket goes");
    assert!(bench.screen().contains("PLF-002 is made"), "{}", bench.screen());
}

#[test]
fn a_nameless_ticket_is_not_made_and_an_escaped_form_comes_back() {
    let mut bench = Bench::new(empty(), 120, 40);
    bench.keys(r#"n tab "body" ctrl-s"#);
    assert_eq!(bench.sent(), [load("new")]);
    assert!(bench.screen().contains("a ticket needs a name"));
    bench.keys("esc n");
    assert!(bench.screen().contains("body"));
}

#[test]
fn an_edit_sends_only_what_was_changed() {
    let mut bench = bench();
    bench.keys(r#"j j j j e "!" tab tab tab tab "make" ctrl-s"#);
    let patch = Patch {
        name: Some("parser drops CRLF!".to_owned()),
        script: Some("make".to_owned()),
        ..Patch::default()
    };
    assert_eq!(bench.sent().last(), Some(&apply("PLF-074", Op::Update(patch))));
    let mut nothing = self::bench();
    nothing.keys("e ctrl-s");
    assert_eq!(nothing.sent(), [load("edit-PLF-081"), save("edit-PLF-081", "")]);
}

#[test]
fn priorities_move_by_a_step_and_by_a_menu() {
    let mut bench = bench();
    bench.keys("+");
    assert_eq!(bench.sent(), [], "critical is the highest");
    assert!(bench.screen().contains("its priority is crit already"));
    bench.keys("p 4");
    let patch = Patch { priority: Some(Priority::Low), ..Patch::default() };
    assert_eq!(bench.sent(), [apply("PLF-081", Op::Update(patch))]);
}

#[test]
fn the_queue_is_worked_paused_and_widened() {
    let mut bench = bench();
    bench.keys("w > <");
    let queue = Command::Queue;
    assert_eq!(
        bench.sent(),
        [
            queue(QueueCommand::Pause),
            queue(QueueCommand::Jobs { limit: 4 }),
            queue(QueueCommand::Jobs { limit: 2 })
        ]
    );
    let mut idle = Bench::new(empty(), 120, 40);
    idle.keys("w");
    assert_eq!(idle.sent(), [queue(QueueCommand::Resume)]);
}

#[test]
fn quitting_asks_while_runs_are_active() {
    let mut idle = Bench::new(empty(), 80, 24);
    idle.keys("q");
    assert_eq!(idle.effects, [Effect::Exit(ExitReason::Quit)]);

    let mut stay = bench();
    stay.keys("q esc");
    assert_eq!(stay.sent(), []);

    let mut stop = bench();
    stop.keys("q s");
    let stops = ["r1", "r2", "r3"].map(|run| Command::Run(RunCommand::Stop { run: run_id(run) }));
    assert_eq!(stop.sent(), [vec![Command::Queue(QueueCommand::Pause)], stops.to_vec()].concat());
    stop.hear(RuntimeMessage::Snapshot(Arc::new(Snapshot { revision: 2, runs: Vec::new(), ..busy() })));
    assert_eq!(stop.effects, [Effect::Exit(ExitReason::Quit)]);

    let mut wait = bench();
    wait.keys("q w");
    assert_eq!(wait.sent(), [Command::Queue(QueueCommand::Pause)]);
    wait.hear(RuntimeMessage::Snapshot(Arc::new(Snapshot { revision: 2, runs: Vec::new(), ..busy() })));
    assert_eq!(wait.effects, [Effect::Exit(ExitReason::Quit)]);
}

#[test]
fn the_question_of_leaving_follows_the_runs() {
    let quiet = || RuntimeMessage::Snapshot(Arc::new(Snapshot { revision: 2, runs: Vec::new(), ..busy() }));
    let mut bench = bench();
    bench.keys("q");
    let one =
        Snapshot { revision: 2, runs: vec![Arc::new(run("r1", "PLF-074", RunState::Running, 5))], ..busy() };
    bench.hear(RuntimeMessage::Snapshot(Arc::new(one)));
    assert!(bench.screen().contains("1 run is still active"));
    bench.hear(quiet());
    let screen = bench.screen();
    assert!(screen.contains("nothing runs any more") && !screen.contains("still active"), "{screen}");
    assert_eq!(bench.effects, [], "an event neither leaves nor closes what asks");
    // The key that was about to stop them all must not start a ticket on the board.
    bench.keys("s");
    assert_eq!(bench.effects, [Effect::Exit(ExitReason::Quit)]);
    let mut stays = self::bench();
    stays.keys("q");
    stays.hear(quiet());
    stays.keys("esc");
    assert!(!stays.screen().contains("nothing runs any more"));
    assert_eq!(stays.effects, []);
}

#[test]
fn a_signal_saves_the_draft_and_goes() {
    let mut bench = bench();
    bench.keys(r#"a tab "unsaved""#);
    bench.sent();
    bench.tell(Message::System(SystemMessage::Terminate));
    assert!(
        matches!(&bench.effects[..], [Effect::Send { command, .. }, Effect::Exit(ExitReason::Terminated)] if *command == save("PLF-081", "unsaved"))
    );
}

#[test]
fn the_editor_gets_the_text_and_gives_it_back() {
    let mut bench = bench();
    bench.keys(r#"a tab "draft" ctrl-e"#);
    assert_eq!(
        bench.effects.last(),
        Some(&Effect::Edit { key: "PLF-081".to_owned(), text: "draft".to_owned() })
    );
    let result = Ok("from the editor\n".to_owned());
    bench.tell(Message::System(SystemMessage::Edited { key: "PLF-081".to_owned(), result }));
    bench.keys("ctrl-s");
    assert!(
        matches!(bench.sent().last(), Some(Command::Ticket(TicketCommand::Answer { text, .. })) if text == "from the editor")
    );
}

#[test]
fn an_uninitialised_folder_offers_init_and_nothing_else() {
    let mut bench = Bench::new(Snapshot { health: PlanHealth::Uninitialised, ..empty() }, 80, 24);
    bench.keys("n a w s i");
    assert_eq!(bench.sent(), [Command::Project(ProjectCommand::Init)]);
}

#[test]
fn a_read_only_planfile_refuses_every_change_with_its_reason() {
    let reason = "written by a planfile release that takes no lock".to_owned();
    let health = PlanHealth::Open { read_only: Some(reason.clone()), watching: "watch".to_owned() };
    let mut bench = Bench::new(Snapshot { health, ..busy() }, 120, 40);
    for keys in ["a", "e", "n", "+", "p", "b", "s", "w", ">", "j r", "F"] {
        bench.keys(keys);
        let screen = bench.screen();
        let footer = screen.lines().last().unwrap();
        assert!(footer.contains(&reason), "{keys}: {footer}");
    }
    assert_eq!(bench.sent(), []);
}

#[test]
fn the_filter_narrows_while_typing_and_esc_drops_it() {
    let mut bench = bench();
    bench.keys(r#"/ "login""#);
    let screen = bench.screen();
    assert!(screen.contains("PLF-070") && !screen.contains("PLF-066"), "{screen}");
    bench.keys("enter esc");
    assert!(bench.screen().contains("PLF-066"));
    bench.keys(r#"/ "nothing like it" enter"#);
    assert!(bench.screen().contains("No ticket holds these words."));
}

#[test]
fn finished_tickets_fold_and_unfold_and_nothing_in_flight_is_hidden_by_a_sprint() {
    let mut bench = bench();
    assert!(!bench.screen().contains("first steps"));
    bench.keys("f");
    assert!(bench.screen().contains("first steps"));
    bench.keys("S");
    let screen = bench.screen();
    assert!(
        screen.contains("backlog") && screen.contains("PLF-074") && !screen.contains("PLF-090"),
        "{screen}"
    );
}

#[test]
fn the_palette_runs_what_is_chosen_and_says_why_not() {
    let mut bench = bench();
    bench.keys(r#": "work the queue" enter"#);
    assert_eq!(bench.sent(), [Command::Queue(QueueCommand::Pause)]);
    bench.keys(r#"ctrl-p "retry" enter"#);
    assert!(
        bench.screen().contains("not now: it is needs you") || bench.screen().contains("retry:"),
        "{}",
        bench.screen()
    );
    assert_eq!(bench.sent(), []);
}

#[test]
fn a_draft_that_comes_while_a_form_is_filled_in_is_offered_and_neither_is_lost() {
    let stored = r#"{"name":"stored name","description":"stored words"}"#;
    let mut bench = bench();
    bench.keys(r#"n "typed""#);
    draft_came(&mut bench, "new", stored);
    let screen = bench.screen();
    assert!(screen.contains("typed") && screen.contains("Ctrl-O"), "{screen}");
    assert!(!screen.contains("stored name"), "what is typed is not written over:\n{screen}");
    bench.sent();
    bench.keys("ctrl-o");
    let screen = bench.screen();
    assert!(screen.contains("stored name") && screen.contains("stored words"), "{screen}");
    bench.keys("esc");
    // What is kept on disk holds both, so a crash now loses neither.
    let Some(Command::Draft(DraftCommand::Save { key, text })) = bench.sent().pop() else {
        panic!("no draft was saved")
    };
    let mut again = self::bench();
    again.keys("n");
    draft_came(&mut again, &key, &text);
    assert!(again.screen().contains("stored name"));
    again.keys("ctrl-o");
    assert!(again.screen().contains("typed") && !again.screen().contains("stored name"));
    again.sent();
    // One is sent; the other is the draft of the next form.
    again.keys("ctrl-s");
    let (request, command) = again.requests().pop().unwrap();
    assert!(matches!(command, Command::Ticket(TicketCommand::Create(new)) if new.name == "typed"));
    again.reply(request, Outcome::Done { ticket: Some(id("PLF-100")), run: None });
    let Some(Command::Draft(DraftCommand::Save { text, .. })) = again.sent().pop() else {
        panic!("the other draft is gone")
    };
    assert!(text.contains("stored name") && !text.contains("typed"), "{text}");
}

#[test]
fn a_chosen_theme_is_remembered_and_one_that_is_only_looked_at_is_not() {
    let mut bench = bench();
    bench.keys("T j esc");
    assert_eq!(bench.effects, []);
    bench.keys("T j enter");
    assert_eq!(bench.effects, [Effect::KeepTheme("koru-light".to_owned())]);
}

#[test]
fn themes_change_while_they_are_chosen_and_esc_goes_back() {
    let mut bench = bench();
    let before = bench.buffer()[(60, 30)].bg;
    bench.keys("T j");
    assert_ne!(bench.buffer()[(60, 38)].bg, before);
    bench.keys("esc");
    assert_eq!(bench.buffer()[(60, 30)].bg, before);
}

#[test]
fn a_users_keymap_moves_the_keys_help_and_footer_with_it() {
    let (keymap, troubles) = Keymap::read("ticket.answer: ctrl-a\nquit: Q\n");
    assert_eq!(troubles, Vec::<String>::new());
    let mut bench = Bench::with_settings(Settings { keymap, ..Settings::default() }, busy(), 120, 40);
    assert!(bench.screen().lines().last().unwrap().contains("Ctrl-A answer"));
    bench.keys("q a");
    assert_eq!((bench.sent(), bench.effects.len()), (vec![], 0));
    bench.keys("ctrl-a");
    assert_eq!(bench.sent(), [load("PLF-081")]);
}

#[test]
fn nothing_moves_by_itself_while_nothing_runs() {
    let quiet = with(vec![(
        ticket("PLF-001", "x", ExecutorKind::Shell, Priority::Low),
        Standing::Ready { position: 0 },
    )]);
    let bench = Bench::new(quiet, 120, 40);
    assert_eq!((bench.console.next_wake(), bench.console.is_dirty()), (None, false));
    let mut ignored = bench;
    ignored.keys("f5 ctrl-y Z");
    assert!(!ignored.console.is_dirty(), "a key that means nothing costs no frame");
    assert!(Bench::new(busy(), 120, 40).console.next_wake().is_some());
}

#[test]
fn a_new_question_rings_once_when_that_is_wanted() {
    let mut bench = Bench::with_settings(
        Settings { notify: Notify::read("bell: true").0, ..Settings::default() },
        empty(),
        120,
        40,
    );
    bench.hear(RuntimeMessage::Snapshot(Arc::new(Snapshot { revision: 2, ..busy() })));
    bench.hear(RuntimeMessage::Snapshot(Arc::new(Snapshot { revision: 3, ..busy() })));
    assert_eq!(bench.effects.iter().filter(|effect| **effect == Effect::Bell).count(), 1);
}

#[test]
fn ten_thousand_tickets_are_walked_through_without_a_pause() {
    let tickets = (0..10_000)
        .map(|n| {
            (
                ticket(&format!("PLF-{n:05}"), "one of many", ExecutorKind::Shell, Priority::Normal),
                Standing::Ready { position: n },
            )
        })
        .collect();
    let mut bench = Bench::new(with(tickets), 120, 40);
    bench.keys("pagedown pagedown G");
    assert!(bench.screen().contains("10000/10000"));
    bench.keys("home j");
    assert!(bench.screen().contains("2/10000"));
}

#[test]
fn output_is_searched_while_typing_and_esc_goes_back_to_the_tail() {
    let mut bench = bench();
    let lines: Vec<String> =
        (1..=200).map(|n| if n == 42 { "the needle".to_owned() } else { format!("row {n}") }).collect();
    bench.hear(console_support::output("r1", &lines.iter().map(String::as_str).collect::<Vec<_>>()));
    assert!(bench.screen().contains("row 200"));
    bench.keys(r#"tab / "needle""#);
    assert!(bench.screen().contains("the needle"), "{}", bench.screen());
    bench.keys("esc");
    assert!(bench.screen().contains("row 200"));
    bench.keys(r#"/ "needle" enter"#);
    assert!(bench.screen().contains("/needle  hit 1/1"), "{}", bench.screen());
    bench.keys("G");
    assert!(bench.screen().contains("row 200") && bench.screen().contains("following"));
}

#[test]
fn scrolling_freezes_the_output_and_counts_what_is_new() {
    let mut bench = bench();
    let lines: Vec<String> = (0..100).map(|n| format!("row {n}")).collect();
    bench.hear(console_support::output("r1", &lines.iter().map(String::as_str).collect::<Vec<_>>()));
    bench.keys("tab pageup");
    let more: Vec<String> = (0..107).map(|n| format!("row {n}")).collect();
    bench.hear(console_support::output("r1", &more.iter().map(String::as_str).collect::<Vec<_>>()));
    let screen = bench.screen();
    assert!(screen.contains("7 new, End follows") && !screen.contains("row 99"), "{screen}");
}

#[test]
fn output_that_was_not_heard_is_fetched_and_a_refusal_is_not_asked_for_ever() {
    let mut snapshot = busy();
    let mut late = run("r1", "PLF-074", RunState::Running, 192);
    late.lines = 500;
    snapshot.runs[0] = Arc::new(late);
    let mut bench = Bench::new(snapshot, 120, 40);
    let sent = bench.requests();
    let fetched = |command: &Command| matches!(command, Command::Run(RunCommand::Fetch { run, .. }) if *run == run_id("r1"));
    assert_eq!(sent.iter().filter(|(_, command)| fetched(command)).count(), 1, "{sent:?}");
    bench.screen();
    bench.screen();
    assert_eq!(bench.sent(), [], "what is on its way is not asked for again");
}

#[test]
fn the_grid_shows_every_running_one() {
    let mut bench = Bench::new(busy(), 200, 60);
    for (name, text) in [("r1", "from the first"), ("r2", "from the second"), ("r3", "from the third")] {
        bench.hear(console_support::output(name, &[text]));
    }
    bench.keys("g");
    let screen = bench.screen();
    for text in ["from the first", "from the second", "from the third"] {
        assert!(screen.contains(text), "{screen}");
    }
    bench.keys("g");
    assert!(!bench.screen().contains("from the second"));
}

#[test]
fn the_ticket_of_the_output_is_what_keys_mean_while_it_has_the_focus() {
    let mut bench = bench();
    bench.keys("tab ] x y");
    let sent = bench.sent();
    assert_eq!(sent.last(), Some(&Command::Run(RunCommand::Stop { run: run_id("r2") })), "{sent:?}");
}
