//! A console without terminal and runtime: snapshots made by hand, keys as a script, the screen as text.
#![allow(dead_code)]

pub(crate) mod agents;

use std::sync::Arc;

use jiff::Timestamp;
use koru_tui::console::{
    Console, Effect, InputMessage, Key, Message, RuntimeMessage, Settings, SystemMessage,
};
use koru_tui::plan::queue::{Effective, Lift, Order, Standing, WaitReason};
use koru_tui::plan::store::Plan;
use koru_tui::plan::ticket::{Execution, Executor, ExecutorKind, Priority, Status, Ticket, TicketId};
use koru_tui::runtime::protocol::{
    Channel, Command, Outcome, OutputLine, PROTOCOL, PlanHealth, QueueView, RequestId, RunEvent, RunId,
    RunState, RunView, Snapshot,
};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Noon of the day on which all tests happen.
pub(crate) fn noon() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

/// Seconds before noon.
pub(crate) fn ago(seconds: i64) -> Timestamp {
    Timestamp::from_second(noon().as_second() - seconds).unwrap()
}

pub(crate) fn id(text: &str) -> TicketId {
    TicketId::new(text)
}

/// A ticket of the current sprint.
pub(crate) fn ticket(name: &str, title: &str, kind: ExecutorKind, priority: Priority) -> Ticket {
    Ticket {
        id: id(name),
        name: title.to_owned(),
        priority,
        sprint: "current".to_owned(),
        executor: Executor { kind, ..Executor::default() },
        execution: Execution { queue: "default".to_owned(), ..Execution::default() },
        created_at: Some(ago(7_200)),
        updated_at: Some(ago(120)),
        ..Ticket::default()
    }
}

/// A run of a ticket.
pub(crate) fn run(name: &str, ticket: &str, state: RunState, seconds: i64) -> RunView {
    RunView {
        id: RunId(name.into()),
        ticket: id(ticket),
        executor: "shell".to_owned(),
        label: "cargo test --workspace".to_owned(),
        state,
        started_at: ago(seconds),
        ended_at: None,
        last_output_at: Some(ago(1)),
        lines: 0,
        exit_code: None,
        message: None,
        kill_at: None,
        orphaned: false,
        agent: None,
    }
}

/// A snapshot without tickets.
pub(crate) fn empty() -> Snapshot {
    Snapshot {
        version: PROTOCOL,
        revision: 1,
        root: "/home/ada/my-app".to_owned(),
        name: "my-app".to_owned(),
        branch: Some("main".to_owned()),
        health: PlanHealth::Open { read_only: None, watching: "watch".to_owned() },
        plan: Arc::new(Plan { revision: 1, project: "my-app".to_owned(), ..Plan::default() }),
        order: Arc::new(Order::default()),
        runs: Vec::new(),
        queue: QueueView { running: false, jobs: 2, active: 0 },
        held: Vec::new(),
        actor: "koru-shell".to_owned(),
        agents: Vec::new(),
        servers: Vec::new(),
        cost_today: None,
        day_usd: None,
        reviews: std::collections::BTreeMap::new(),
        promotions: Arc::default(),
    }
}

/// A snapshot of these tickets with their standings.
pub(crate) fn with(tickets: Vec<(Ticket, Standing)>) -> Snapshot {
    let mut snapshot = empty();
    let mut order = Order::default();
    let mut plan = Plan::clone(&snapshot.plan);
    for (ticket, standing) in tickets {
        if let Standing::Ready { .. } = standing {
            order.runnable.push(ticket.id.clone());
        }
        let effective = Effective { priority: ticket.priority.clone(), reasons: Vec::new() };
        order.effective.insert(ticket.id.clone(), effective);
        order.standing.insert(ticket.id.clone(), standing);
        plan.tickets.push(Arc::new(ticket));
    }
    plan.sprints = vec![("current".to_owned(), plan.tickets.len()), ("backlog".to_owned(), 0)];
    snapshot.plan = Arc::new(plan);
    snapshot.order = Arc::new(order);
    snapshot
}

fn done(name: &str, title: &str) -> (Ticket, Standing) {
    let mut ticket = ticket(name, title, ExecutorKind::Shell, Priority::Normal);
    ticket.status = Status::Done;
    ticket.execution.finished_at = Some(ago(3_600));
    (ticket, Standing::Done)
}

/// A board on which much is going on: every state that a row can be in.
pub(crate) fn busy() -> Snapshot {
    use ExecutorKind::{Api, Human, Llm, Shell};
    use Priority::{Critical, High, Low, Normal};
    let mut question = ticket("PLF-081", "which auth flow?", Human, Critical);
    question.inputs.prompt = Some(
        "The client supports device code and PKCE. Which one should the CLI use by default, and should the other stay \
         reachable behind a flag?"
            .to_owned(),
    );
    question.inputs.choices = vec!["device code".to_owned(), "PKCE".to_owned(), "both".to_owned()];
    let mut parser = ticket("PLF-074", "parser drops CRLF", Shell, Normal);
    parser.status = Status::InProgress;
    parser.labels = vec!["bug".to_owned(), "parser".to_owned()];
    parser.files = vec!["src/parser.rs".to_owned(), "src/lexer.rs".to_owned()];
    parser.description =
        "A lone CR ends a line too; the parser swallows it.\n\nSee the failing test.".to_owned();
    let mut deps = ticket("PLF-066", "bump dependencies", Shell, Normal);
    deps.status = Status::InProgress;
    let mut flaky = ticket("PLF-070", "flaky login test", Shell, Normal);
    flaky.status = Status::InProgress;
    let mut migrate = ticket("PLF-061", "migrate schema", Shell, High);
    migrate.status = Status::Failed;
    migrate.execution.finished_at = Some(ago(3_700));
    migrate.execution.last_error = Some("exit 2: relation \"users\" already exists".to_owned());
    let mut lost = ticket("PLF-059", "nightly report", Shell, Normal);
    lost.status = Status::InProgress;
    let csv = ticket("PLF-083", "import CSV", Llm, Normal);
    let waits = Standing::Waiting {
        reasons: vec![WaitReason::BlockedBy { id: id("PLF-074"), status: "in_progress".to_owned() }],
    };
    let mut snapshot = with(vec![
        (lost, Standing::LeaseExpired),
        (migrate, Standing::Failed),
        (deps, Standing::Running),
        (flaky, Standing::Running),
        (parser, Standing::Running),
        (question, Standing::NeedsYou),
        (ticket("PLF-082", "rate limit headers", Api, High), Standing::Ready { position: 0 }),
        (csv, waits),
        (ticket("PLF-090", "tidy README", Shell, Low), Standing::Ready { position: 1 }),
        done("PLF-001", "first steps"),
        done("PLF-002", "second steps"),
    ]);
    let lifted = Effective { priority: High, reasons: vec![Lift::Bug, Lift::Blocks(vec![id("PLF-083")])] };
    Arc::make_mut(&mut snapshot.order).effective.insert(id("PLF-074"), lifted);
    let mut stalled = run("r3", "PLF-070", RunState::Stalled, 420);
    stalled.last_output_at = Some(ago(240));
    snapshot.runs = vec![
        Arc::new(run("r1", "PLF-074", RunState::Running, 192)),
        Arc::new(run("r2", "PLF-066", RunState::Running, 9)),
        Arc::new(stalled),
    ];
    snapshot.queue = QueueView { running: true, jobs: 3, active: 3 };
    snapshot
}

/// The output of a test run, with colours and an error line.
pub(crate) fn output(run: &str, lines: &[&str]) -> RuntimeMessage {
    let lines: Vec<OutputLine> = lines
        .iter()
        .zip(0u64..)
        .map(|(text, at)| {
            let channel = if text.starts_with("error") { Channel::Err } else { Channel::Out };
            OutputLine::new(at * 1_000, channel, *text)
        })
        .collect();
    RuntimeMessage::Run(RunEvent::Output { run: RunId(run.into()), first: 0, lines: lines.into() })
}

/// A console under test.
pub(crate) struct Bench {
    pub(crate) console: Console,
    pub(crate) now: Timestamp,
    pub(crate) effects: Vec<Effect>,
    size: (u16, u16),
}

impl Bench {
    pub(crate) fn new(snapshot: Snapshot, width: u16, height: u16) -> Bench {
        Bench::with_settings(Settings::default(), snapshot, width, height)
    }

    pub(crate) fn with_settings(settings: Settings, snapshot: Snapshot, width: u16, height: u16) -> Bench {
        let console = Console::new(settings, Arc::new(snapshot), noon());
        let mut bench = Bench { console, now: noon(), effects: Vec::new(), size: (width, height) };
        bench.screen();
        bench
    }

    /// Draws a frame.
    pub(crate) fn buffer(&mut self) -> Buffer {
        let area = Rect::new(0, 0, self.size.0, self.size.1);
        let mut buffer = Buffer::empty(area);
        self.console.paint(area, &mut buffer);
        self.effects.extend(self.console.take_effects());
        buffer
    }

    /// Draws a frame, as text.
    pub(crate) fn screen(&mut self) -> String {
        text(&self.buffer())
    }

    pub(crate) fn resize(&mut self, width: u16, height: u16) {
        self.size = (width, height);
        self.tell(Message::Input(InputMessage::Resize(width, height)));
    }

    pub(crate) fn tell(&mut self, message: Message) {
        let effects = self.console.update(self.now, message);
        self.effects.extend(effects);
    }

    pub(crate) fn hear(&mut self, message: RuntimeMessage) {
        self.tell(Message::Runtime(message));
    }

    /// Presses keys, a frame between two of them. Words are typed letter by letter when they stand in quotes.
    pub(crate) fn keys(&mut self, script: &str) -> &mut Bench {
        for (index, part) in script.split('"').enumerate() {
            let keys: Vec<Key> = if index % 2 == 1 {
                part.chars().map(|c| Key::parse(&c.to_string()).unwrap()).collect()
            } else {
                part.split_whitespace().map(|name| Key::parse(name).unwrap()).collect()
            };
            for key in keys {
                self.tell(Message::Input(InputMessage::Key(key)));
                self.screen();
            }
        }
        self
    }

    /// Lets time pass and gives the tick that the console asked for.
    pub(crate) fn pass(&mut self, milliseconds: i64) {
        self.now = self.now.checked_add(jiff::SignedDuration::from_millis(milliseconds)).unwrap();
        if self.console.next_wake().is_some_and(|at| at <= self.now) {
            self.tell(Message::System(SystemMessage::Tick));
        }
    }

    /// The commands sent since the last call.
    pub(crate) fn sent(&mut self) -> Vec<Command> {
        self.effects
            .drain(..)
            .filter_map(|effect| match effect {
                Effect::Send { command, .. } => Some(command),
                _ => None,
            })
            .collect()
    }

    /// The numbers of the commands sent since the last call, with the commands.
    pub(crate) fn requests(&mut self) -> Vec<(RequestId, Command)> {
        self.effects
            .drain(..)
            .filter_map(|effect| match effect {
                Effect::Send { request, command } => Some((request, command)),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn reply(&mut self, request: RequestId, outcome: Outcome) {
        self.hear(RuntimeMessage::Reply { request, outcome });
    }
}

/// A buffer as text, lines without blanks at their ends.
pub(crate) fn text(buffer: &Buffer) -> String {
    use unicode_width::UnicodeWidthStr;
    let area = buffer.area;
    let mut lines = Vec::new();
    for y in 0..area.height {
        let mut line = String::new();
        let mut x = 0;
        while x < area.width {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            x += u16::try_from(symbol.width().max(1)).unwrap();
        }
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n")
}
