//! The loop under a paused clock, with a display that counts instead of drawing.

use std::sync::{Arc, Mutex};

use futures_util::stream;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::sync::mpsc;

use super::*;
use crate::console::state::Settings;
use crate::plan::queue::Order;
use crate::plan::store::Plan;
use crate::runtime::protocol::{DraftCommand, Outcome, PROTOCOL, PlanHealth, QueueView, Snapshot};

/// What the loop did to its display.
#[derive(Debug, Default, PartialEq)]
struct Counts {
    frames: usize,
    screen: String,
    controls: Vec<Control>,
}

struct CountingDisplay(Arc<Mutex<Counts>>);

impl Display for CountingDisplay {
    fn paint(&mut self, console: &mut Console) -> io::Result<()> {
        let area = Rect::new(0, 0, 80, 24);
        let mut buffer = Buffer::empty(area);
        console.paint(area, &mut buffer);
        let mut counts = self.0.lock().unwrap();
        counts.frames += 1;
        counts.screen = buffer.content().iter().map(|cell| cell.symbol()).collect();
        Ok(())
    }

    fn forget(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn control(&mut self, control: &Control) -> io::Result<()> {
        self.0.lock().unwrap().controls.push(control.clone());
        Ok(())
    }

    fn leave(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn retake(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn suspend(&mut self) -> io::Result<bool> {
        Ok(true)
    }

    fn is_lost(&self) -> bool {
        false
    }
}

#[derive(Clone)]
struct FakePort {
    snapshot: Arc<Mutex<Arc<Snapshot>>>,
    sent: Arc<Mutex<Vec<Command>>>,
    replies: mpsc::Sender<Event>,
}

impl Port for FakePort {
    fn send(&self, request: RequestId, command: Command) {
        self.sent.lock().unwrap().push(command);
        let _ = self
            .replies
            .try_send(Event::Reply { request, outcome: Outcome::Done { ticket: None, run: None } });
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.lock().unwrap())
    }

    async fn shutdown(&self) {}
}

fn snapshot(revision: u64) -> Arc<Snapshot> {
    Arc::new(Snapshot {
        version: PROTOCOL,
        revision,
        root: "/nowhere".to_owned(),
        name: format!("app-{revision}"),
        branch: None,
        health: PlanHealth::Open { read_only: None, watching: "watch".to_owned() },
        plan: Arc::new(Plan::default()),
        order: Arc::new(Order::default()),
        runs: Vec::new(),
        queue: QueueView { running: false, jobs: 1, active: 0 },
        held: Vec::new(),
        actor: "koru-shell".to_owned(),
        agents: Vec::new(),
        servers: Vec::new(),
        cost_today: None,
        day_usd: None,
        reviews: std::collections::BTreeMap::new(),
        promotions: Arc::default(),
    })
}

/// A terminal's events, in order, and then none for ever.
type Keys = std::pin::Pin<Box<dyn Stream<Item = io::Result<TerminalEvent>>>>;

struct Stage {
    counts: Arc<Mutex<Counts>>,
    port: FakePort,
    events: mpsc::Sender<Event>,
    app: App<FakePort, CountingDisplay, Box<dyn FnMut() -> Keys>>,
}

fn stage(make_keys: impl FnMut() -> Keys + 'static) -> Stage {
    let (sender, events) = mpsc::channel(20_000);
    let port = FakePort {
        snapshot: Arc::new(Mutex::new(snapshot(1))),
        sent: Arc::default(),
        replies: sender.clone(),
    };
    let counts = Arc::new(Mutex::new(Counts::default()));
    let clock = Clock::manual("2026-11-21T12:00:00Z".parse().unwrap());
    let app = App {
        console: Console::new(Settings::default(), port.snapshot(), clock.now()),
        display: CountingDisplay(Arc::clone(&counts)),
        port: port.clone(),
        events,
        keys: Box::new(make_keys) as Box<dyn FnMut() -> Keys>,
        signals: Signals::default(),
        painter: Painter::default(),
        parts: PartPainter::default(),
        preferences: Preferences::in_folder(None),
        clock,
        frames: FrameLimiter::default(),
        cause: Cause::Event,
        stale: false,
    };
    Stage { counts, port, events: sender, app }
}

fn press(text: &'static str) -> impl Iterator<Item = io::Result<TerminalEvent>> {
    text.chars().map(|c| Ok(TerminalEvent::Key(Key::parse(&c.to_string()).unwrap().event())))
}

#[tokio::test(start_paused = true)]
async fn an_idle_minute_draws_nothing() {
    let mut stage = stage(|| Box::pin(stream::pending()));
    let idle = tokio::time::timeout(Duration::from_secs(60), stage.app.work(Vec::new())).await;
    assert!(idle.is_err(), "it is still waiting");
    assert_eq!(stage.counts.lock().unwrap().frames, 1, "the first frame only");
    assert_eq!(*stage.port.sent.lock().unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn a_burst_of_changes_is_one_frame_of_the_last_state() {
    let mut stage = stage(|| Box::pin(stream::pending()));
    for revision in 2..=3_000 {
        stage.events.try_send(Event::Changed { revision }).unwrap();
    }
    *stage.port.snapshot.lock().unwrap() = snapshot(3_000);
    let _ = tokio::time::timeout(Duration::from_secs(1), stage.app.work(Vec::new())).await;
    let counts = stage.counts.lock().unwrap();
    assert_eq!(counts.frames, 2);
    assert!(counts.screen.contains("app-3000"));
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_changes_draws_at_most_sixty_frames_a_second() {
    let mut stage = stage(|| Box::pin(stream::pending()));
    let (events, port) = (stage.events.clone(), stage.port.clone());
    let storm = tokio::spawn(async move {
        for revision in 2..1_002 {
            *port.snapshot.lock().unwrap() = snapshot(revision);
            events.send(Event::Changed { revision }).await.unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    let _ = tokio::time::timeout(Duration::from_millis(1_500), stage.app.work(Vec::new())).await;
    storm.await.unwrap();
    let counts = stage.counts.lock().unwrap();
    assert!((50..=63).contains(&counts.frames), "{} frames", counts.frames);
    assert!(counts.screen.contains("app-1001"), "the last state is shown");
}

#[tokio::test(start_paused = true)]
async fn keys_that_come_at_once_are_all_heard_and_quit_leaves() {
    let mut stage = stage(|| Box::pin(stream::pending()));
    let escape = TerminalEvent::Key(Key::parse("esc").unwrap().event());
    let mut first = true;
    stage.app.keys = Box::new(move || {
        let script = if std::mem::take(&mut first) {
            press("jjk?").chain([Ok(escape.clone())]).chain(press("q")).collect::<Vec<_>>()
        } else {
            Vec::new()
        };
        Box::pin(stream::iter(script).chain(stream::pending()))
    });
    let ended = tokio::time::timeout(Duration::from_secs(5), stage.app.work(Vec::new())).await;
    assert!(matches!(ended, Ok(Ok(ExitReason::Quit))), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn a_terminal_that_goes_away_saves_the_draft_and_ends() {
    let mut stage = stage(|| Box::pin(stream::iter(press("nab"))));
    let ended = tokio::time::timeout(Duration::from_secs(5), stage.app.work(Vec::new())).await;
    assert!(matches!(ended, Ok(Ok(ExitReason::Terminated))), "{ended:?}");
    let sent = stage.port.sent.lock().unwrap();
    let saved = sent.iter().find_map(|command| match command {
        Command::Draft(DraftCommand::Save { key, text }) => {
            Some((key.as_str(), text.contains("\"name\":\"ab\"")))
        }
        _ => None,
    });
    assert_eq!(saved, Some(("new", true)), "{sent:?}");
    assert_eq!(stage.app.console.unanswered(), 0, "the draft was durable before the end");
}

#[tokio::test(start_paused = true)]
async fn a_runtime_that_ends_ends_the_console() {
    let mut stage = stage(|| Box::pin(stream::pending()));
    let (sender, events) = mpsc::channel(1);
    stage.app.events = events;
    drop(sender);
    let ended = tokio::time::timeout(Duration::from_secs(5), stage.app.work(Vec::new())).await;
    assert!(matches!(ended, Ok(Ok(ExitReason::RuntimeGone))), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn trouble_with_our_own_files_is_said_on_the_screen() {
    let mut stage = stage(|| Box::pin(stream::pending()));
    let trouble = vec!["keymap.yaml: there is no action `x`".to_owned()];
    let _ = tokio::time::timeout(Duration::from_secs(1), stage.app.work(trouble)).await;
    assert!(stage.counts.lock().unwrap().screen.contains("there is no action `x`"));
}
