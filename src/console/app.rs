//! The loop: wait for one event, take in whatever else is queued, then draw at most once; at most sixty frames a
//! second; no event, no frame.
//!
//! Owns the display, the key stream and the receiver of events; the state is [`Console`]'s. Signals come first, then
//! keys, then the runtime, so that a flood of output never keeps a key waiting.

mod lend;
mod signals;

use std::future::poll_fn;
use std::io;
use std::task::Poll;
use std::time::Duration;

use crossterm::event::{Event as TerminalEvent, EventStream};
use futures_util::{Stream, StreamExt};
use tokio::time::Instant;

use crate::base::clock::Clock;
use crate::base::terminal::TerminalError;
use crate::runtime::Events;
use crate::runtime::protocol::{Command, Event, QueueCommand, RequestId};

use super::display::{Control, Display, RealDisplay};
use super::frames::{Cause, FrameLimiter};
use super::keys::Key;
use super::message::{Effect, ExitReason, InputMessage, Message, RuntimeMessage, SystemMessage};
use super::notify;
use super::port::Port;
use super::preferences::Preferences;
use super::review::paint::PaintedPart;
use super::review::painter::PartPainter;
use super::settings::ConsoleOptions;
use super::source::Painted;
use super::source::painter::Painter;
use super::state::Console;
use signals::{Signal, Signals};

/// Why the console ended with an error.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// The terminal was not had.
    #[error(transparent)]
    Terminal(#[from] TerminalError),
    /// Drawing failed: the terminal is gone.
    #[error("drawing failed: {0}")]
    Draw(#[source] io::Error),
    /// A task of this program panicked; its message stands above.
    #[error("a part of koru-tui stopped working; the terminal was given back, runs were stopped")]
    Panicked,
}

/// Opens the console on a runtime, and ends the runtime with it. Needs a tokio runtime with I/O and time.
///
/// The first frame is painted before anything of the planfile was read.
///
/// # Errors
/// See [`ConsoleError`]. The terminal is given back in every case.
pub async fn run<P: Port>(
    options: ConsoleOptions,
    port: P,
    events: Events,
) -> Result<ExitReason, ConsoleError> {
    let display = RealDisplay::enter()?;
    let (settings, troubles) = options.settings();
    let clock = Clock::System;
    let console = Console::new(settings, port.snapshot(), clock.now());
    let signals = Signals::listen().map_err(TerminalError::Io)?;
    let mut app = App {
        console,
        display,
        port,
        events,
        keys: EventStream::new,
        signals,
        painter: Painter::default(),
        parts: PartPainter::default(),
        preferences: options.preferences(),
        clock,
        frames: FrameLimiter::default(),
        cause: Cause::Event,
        stale: false,
    };
    if options.work {
        // Number 0 is never used by the console itself; its reply is not waited for.
        app.port.send(RequestId(0), Command::Queue(QueueCommand::Resume));
    }
    let ended = app.work(troubles).await;
    let _ = app.display.leave();
    app.port.shutdown().await;
    ended
}

/// Messages taken in at most before a frame: a flood must not keep the screen still.
const DRAIN: usize = 4_096;
/// How long the last drafts may take to become durable when the console ends.
const SETTLE: Duration = Duration::from_secs(2);

/// The loop's parts; `keys` makes a stream of terminal events, anew after another program had the terminal.
struct App<P, D, F> {
    console: Console,
    display: D,
    port: P,
    events: Events,
    keys: F,
    signals: Signals,
    painter: Painter,
    parts: PartPainter,
    preferences: Preferences,
    clock: Clock,
    frames: FrameLimiter,
    /// What the next frame is for: a key since the last one makes it urgent.
    cause: Cause,
    /// What the terminal shows is not known any more: the next frame paints every cell.
    stale: bool,
}

/// What the loop woke up for.
enum Wake {
    Signal(Signal),
    Terminal(Option<io::Result<TerminalEvent>>),
    Runtime(Option<Event>),
    Painted(Painted),
    Part(PaintedPart),
    Trouble(String),
    Tick,
    Frame,
}

impl<P, D, F, K> App<P, D, F>
where
    P: Port,
    D: Display,
    F: FnMut() -> K,
    K: Stream<Item = io::Result<TerminalEvent>> + Unpin,
{
    async fn work(&mut self, troubles: Vec<String>) -> Result<ExitReason, ConsoleError> {
        self.paint()?;
        for trouble in troubles {
            self.console.update(self.clock.now(), Message::System(SystemMessage::Trouble(trouble)));
        }
        let mut keys = (self.keys)();
        loop {
            let wake = self.wait(&mut keys).await;
            let mut exit = self.take(wake, &mut keys).await?;
            let mut taken = 1;
            while exit.is_none() && taken < DRAIN {
                let Some(wake) = self.queued(&mut keys).await else { break };
                exit = self.take(wake, &mut keys).await?;
                taken += 1;
            }
            if let Some(reason) = exit {
                self.settle().await;
                return Ok(reason);
            }
            if self.display.is_lost() {
                return Err(ConsoleError::Panicked);
            }
            if self.console.is_dirty() && self.frames.wait(Instant::now().into_std(), self.cause).is_zero() {
                self.paint()?;
            }
        }
    }

    /// Waits for whatever comes first.
    async fn wait(&mut self, keys: &mut K) -> Wake {
        let frame = self.console.is_dirty().then(|| self.frames.wait(Instant::now().into_std(), self.cause));
        let now = self.clock.now();
        // A clock that was set back must not put the console to sleep for hours.
        let tick = self.console.next_wake().map(|at| {
            Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO).min(Duration::from_secs(5))
        });
        tokio::select! {
            biased;
            signal = self.signals.next() => Wake::Signal(signal),
            event = keys.next() => Wake::Terminal(event),
            event = self.events.recv() => Wake::Runtime(event),
            painted = self.painter.next() => Wake::Painted(painted),
            part = self.parts.next() => Wake::Part(part),
            sentence = self.preferences.trouble() => Wake::Trouble(sentence),
            () = sleep(frame) => Wake::Frame,
            () = sleep(tick) => Wake::Tick,
        }
    }

    /// What is there already, keys first.
    async fn queued(&mut self, keys: &mut K) -> Option<Wake> {
        // Asked with this task's own waker: the key stream keeps the first waker that it is given until a key comes, and
        // with one that wakes nobody that key would wait for the next event of another kind.
        let key = poll_fn(|context| match keys.poll_next_unpin(context) {
            Poll::Ready(event) => Poll::Ready(Some(event)),
            Poll::Pending => Poll::Ready(None),
        });
        if let Some(event) = key.await {
            return Some(Wake::Terminal(event));
        }
        self.events.try_recv().ok().map(|event| Wake::Runtime(Some(event)))
    }

    /// Takes one event in and does what follows from it.
    async fn take(&mut self, wake: Wake, keys: &mut K) -> Result<Option<ExitReason>, ConsoleError> {
        let message = match wake {
            Wake::Frame => return Ok(None),
            Wake::Tick => {
                let due = self.console.next_wake().unwrap_or_else(|| self.clock.now());
                let now = self.clock.now().max(due);
                let effects = self.console.update(now, Message::System(SystemMessage::Tick));
                return self.perform(effects, keys).await;
            }
            Wake::Painted(painted) => Message::System(SystemMessage::Painted(painted)),
            Wake::Part(part) => Message::System(SystemMessage::PaintedPart(part)),
            Wake::Trouble(sentence) => Message::System(SystemMessage::Trouble(sentence)),
            Wake::Signal(Signal::Terminate) | Wake::Terminal(None | Some(Err(_))) => {
                Message::System(SystemMessage::Terminate)
            }
            Wake::Signal(Signal::Suspend) => return self.perform(vec![Effect::Suspend], keys).await,
            Wake::Signal(Signal::Continued) => return self.perform(vec![Effect::Repaint], keys).await,
            Wake::Signal(Signal::Resized) => {
                let Ok((width, height)) = crossterm::terminal::size() else { return Ok(None) };
                self.stale = true;
                Message::Input(InputMessage::Resize(width, height))
            }
            Wake::Terminal(Some(Ok(event))) => match input(event) {
                Some(message) => {
                    // A storm that ends in the size it began with has left cells behind that are not what was drawn.
                    self.stale |= matches!(message, InputMessage::Resize(..));
                    Message::Input(message)
                }
                None => return Ok(None),
            },
            Wake::Runtime(event) => match self.heard(event) {
                Some(message) => Message::Runtime(message),
                None => return Ok(None),
            },
        };
        if matches!(message, Message::Input(InputMessage::Key(_))) {
            if self.console.wants_frame_before_key() {
                self.paint()?;
            }
            self.cause = Cause::Key;
        }
        let effects = self.console.update(self.clock.now(), message);
        self.perform(effects, keys).await
    }

    /// An event of the runtime as a message; a burst of changes is one snapshot.
    fn heard(&mut self, event: Option<Event>) -> Option<RuntimeMessage> {
        Some(match event {
            None => RuntimeMessage::Gone,
            Some(Event::Changed { revision }) if revision <= self.console.revision() => return None,
            Some(Event::Changed { .. }) => RuntimeMessage::Snapshot(self.port.snapshot()),
            Some(Event::Reply { request, outcome }) => RuntimeMessage::Reply { request, outcome },
            Some(Event::Run(event)) => RuntimeMessage::Run(event),
            Some(Event::Project(event)) => RuntimeMessage::Project(event),
            Some(Event::Diff(event)) => RuntimeMessage::Diff(event),
            Some(Event::Promotion(event)) => RuntimeMessage::Promotion(event),
        })
    }

    async fn perform(
        &mut self,
        effects: Vec<Effect>,
        keys: &mut K,
    ) -> Result<Option<ExitReason>, ConsoleError> {
        for effect in effects {
            match effect {
                Effect::Send { request, command } => self.port.send(request, command),
                Effect::Copy { text } => {
                    self.display.control(&Control::Copy(text)).map_err(ConsoleError::Draw)?
                }
                Effect::Paint(job) => self.painter.start(job),
                Effect::PaintPart(job) => self.parts.start(job),
                Effect::KeepTheme(name) => self.preferences.keep_theme(&name),
                Effect::Bell => self.display.control(&Control::Bell).map_err(ConsoleError::Draw)?,
                Effect::Title(text) => {
                    self.display.control(&Control::Title(text)).map_err(ConsoleError::Draw)?;
                }
                Effect::Notify(call) => {
                    notify::start(&self.console.settings.notify.command, &call);
                    if let Some(how) = self.console.settings.notify.desktop {
                        self.display.control(&Control::Desktop(how, call)).map_err(ConsoleError::Draw)?;
                    }
                }
                Effect::Repaint => self.repaint()?,
                Effect::Suspend => {
                    // The old stream reads the terminal on a thread of its own and must be gone meanwhile.
                    let stopped = self.display.suspend().map_err(ConsoleError::Draw)?;
                    *keys = (self.keys)();
                    if !stopped {
                        let say = "no shell could continue this program, so it was not suspended".to_owned();
                        self.console.update(self.clock.now(), Message::System(SystemMessage::Trouble(say)));
                    }
                    self.repaint()?;
                }
                Effect::Edit { key, text } => {
                    if let Some(reason) = self.edit(key, &text, keys).await? {
                        return Ok(Some(reason));
                    }
                }
                Effect::Attach { folder } => {
                    if let Some(reason) = self.attach(&folder, keys).await? {
                        return Ok(Some(reason));
                    }
                }
                Effect::Exit(reason) => return Ok(Some(reason)),
            }
        }
        Ok(None)
    }

    fn repaint(&mut self) -> Result<(), ConsoleError> {
        self.display.forget().map_err(ConsoleError::Draw)?;
        self.paint()
    }

    fn paint(&mut self) -> Result<(), ConsoleError> {
        if std::mem::take(&mut self.stale) {
            self.display.forget().map_err(ConsoleError::Draw)?;
        }
        self.display.paint(&mut self.console).map_err(ConsoleError::Draw)?;
        self.frames.drawn(Instant::now().into_std());
        self.cause = Cause::Event;
        for effect in self.console.take_effects() {
            match effect {
                Effect::Send { request, command } => self.port.send(request, command),
                Effect::Paint(job) => self.painter.start(job),
                Effect::PaintPart(job) => self.parts.start(job),
                _ => {}
            }
        }
        Ok(())
    }

    /// Waits until what was handed over last (drafts) is durable, within reason.
    async fn settle(&mut self) {
        let all = async {
            while self.console.unanswered() > 0 {
                let Some(event) = self.events.recv().await else { break };
                if let Event::Reply { request, outcome } = event {
                    self.console.update(
                        self.clock.now(),
                        Message::Runtime(RuntimeMessage::Reply { request, outcome }),
                    );
                }
            }
        };
        let _ = tokio::time::timeout(SETTLE, all).await;
    }
}

/// Sleeps, or for ever when there is nothing to wait for.
async fn sleep(duration: Option<Duration>) {
    match duration {
        Some(duration) => tokio::time::sleep(duration).await,
        None => std::future::pending().await,
    }
}

/// A terminal event as a message; `None` for what we do not use.
fn input(event: TerminalEvent) -> Option<InputMessage> {
    match event {
        TerminalEvent::Key(event) => Key::of(&event).map(InputMessage::Key),
        TerminalEvent::Paste(text) => Some(InputMessage::Paste(text)),
        TerminalEvent::Resize(width, height) => Some(InputMessage::Resize(width, height)),
        TerminalEvent::FocusGained | TerminalEvent::FocusLost | TerminalEvent::Mouse(_) => None,
    }
}

#[cfg(test)]
mod tests;
