//! All state of the console, with one owner: [`Console`]. It is changed by [`Console::update`] only and read by the
//! views. No clock, file, terminal or channel is touched in here; time comes in with each message.

mod notices;
mod queue;
mod requests;
mod runs;
mod undo;
pub(crate) mod verdict;

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::plan::ticket::{Ticket, TicketId};
use crate::runtime::protocol::{AuditRow, Command, PlanHealth, RunView, Snapshot};

use super::actions::Action;
use super::glyphs::{self, Glyphs};
use super::keymap::Keymap;
use super::layers::Layer;
use super::message::Effect;
use super::notify::Notify;
use super::promotions::Batch;
use super::review::ReviewScreen;
use super::rows::{RowState, held_why, is_live, state_of};
use super::source::Sources;
use super::theme::{Depth, Theme, Themes};
use super::view;

pub(crate) use notices::{Notice, NoticeKind, Notices};
pub(crate) use queue::QueuePane;
pub(crate) use requests::{Draft, Drafts, Pending, Requests, Then};
pub(crate) use runs::{Opened, RunPane};
pub(crate) use undo::Changes;
pub(crate) use verdict::VerdictPane;

/// What the console is told from outside, once.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name of the theme.
    pub theme: String,
    /// The themes there are.
    pub themes: Themes,
    /// Colours that the terminal has.
    pub depth: Depth,
    /// Draw with ASCII only.
    pub ascii: bool,
    /// How the operator is called who looks elsewhere.
    pub notify: Notify,
    /// The keys.
    pub keymap: Keymap,
    /// Zone of times that are shown.
    pub zone: TimeZone,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: "koru-dark".to_owned(),
            themes: Themes::default(),
            depth: Depth::default(),
            ascii: false,
            notify: Notify::default(),
            keymap: Keymap::default(),
            zone: TimeZone::UTC,
        }
    }
}

/// A pane of the board.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Pane {
    #[default]
    Queue,
    Run,
    Verdict,
    Detail,
}

impl Pane {
    pub(crate) const ALL: [Pane; 4] = [Pane::Queue, Pane::Run, Pane::Verdict, Pane::Detail];
}

/// How the operator chose to leave while runs were active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// Runs are being stopped; the console goes with the last one.
    Stopping,
    /// Runs go on; the console goes with the last one.
    Waiting,
}

/// What stood on the screen at the last frame: rule A and B decide on that and on nothing newer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Drawn {
    /// Tickets with the `updated_at` that was shown.
    pub(crate) tickets: Vec<(TicketId, Option<Timestamp>)>,
    /// Tickets whose rounds were shown, with the commit that their decisions are about.
    pub(crate) heads: Vec<(TicketId, String)>,
}

/// Scroll position of a text pane.
#[derive(Clone, Debug, Default)]
pub(crate) struct DetailPane {
    pub(crate) scroll: usize,
    /// Lines of the text at its last preparation, so that scrolling stops at the end.
    pub(crate) cache: view::detail::Cache,
}

/// The console without its terminal.
#[derive(Debug)]
pub struct Console {
    pub(crate) settings: Settings,
    pub(crate) theme: Theme,
    pub(crate) glyphs: &'static Glyphs,
    pub(crate) now: Timestamp,
    pub(crate) size: (u16, u16),
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) queue: QueuePane,
    pub(crate) runs: RunPane,
    pub(crate) detail: DetailPane,
    pub(crate) verdict: VerdictPane,
    pub(crate) focus: Pane,
    pub(crate) zoom: bool,
    pub(crate) layers: Vec<Layer>,
    pub(crate) notices: Notices,
    pub(crate) requests: Requests,
    /// What was changed from here and can be taken back.
    pub(crate) changes: Changes,
    /// The audit as it was last heard, newest first.
    pub(crate) audit: Option<Vec<AuditRow>>,
    pub(crate) drafts: Drafts,
    pub(crate) sources: Sources,
    /// Number of the diff that was opened last.
    pub(crate) last_diff: u64,
    /// Comments that are on their way, so that none is sent twice.
    pub(crate) sending: Vec<String>,
    /// Work that was approved together and is landing.
    pub(crate) batch: Option<Batch>,
    pub(crate) drawn: Drawn,
    /// The ticket that keys mean was changed by an event, not by the operator, and was not drawn since: a key that was
    /// meant for the old one must not fall on it (rule A).
    pub(crate) strayed: bool,
    pub(crate) leaving: Option<Leaving>,
    /// The window's title as it was set last.
    pub(crate) title: String,
    /// When the spinner and the ages of active runs were last moved on.
    pub(crate) moved: Timestamp,
    pub(crate) dirty: bool,
    pub(crate) effects: Vec<Effect>,
}

/// How often the spinner moves while something runs.
pub(crate) const SPIN: SignedDuration = SignedDuration::from_millis(250);

/// How soon a search over much output goes on.
const SEARCH: SignedDuration = SignedDuration::from_millis(20);

impl Console {
    /// The console on this snapshot. A theme that cannot be had is replaced by the first built-in one and said.
    pub fn new(settings: Settings, snapshot: Arc<Snapshot>, now: Timestamp) -> Console {
        let mut notices = Notices::default();
        let theme = match settings.themes.load(&settings.theme, settings.depth) {
            Ok(theme) => theme,
            Err(error) => {
                notices.push(now, NoticeKind::Refused, error.to_string());
                fallback_theme(settings.depth)
            }
        };
        let glyphs = if settings.ascii { &glyphs::ASCII } else { &glyphs::UNICODE };
        let mut console = Console {
            settings,
            theme,
            glyphs,
            now,
            size: (80, 24),
            queue: QueuePane::default(),
            runs: RunPane::default(),
            detail: DetailPane::default(),
            verdict: VerdictPane::default(),
            focus: Pane::Queue,
            zoom: false,
            layers: Vec::new(),
            notices,
            requests: Requests::default(),
            changes: Changes::default(),
            audit: None,
            drafts: Drafts::default(),
            sources: Sources::default(),
            last_diff: 0,
            sending: Vec::new(),
            batch: None,
            drawn: Drawn::default(),
            strayed: false,
            leaving: None,
            title: String::new(),
            moved: now,
            dirty: true,
            effects: Vec::new(),
            snapshot: Arc::clone(&snapshot),
        };
        console.take_snapshot(snapshot);
        console.effects.clear();
        console.title.clear();
        console
    }

    /// Whether something visible changed since the last frame.
    pub fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// Draws one frame. Prepares what is costly (cached by version and width), then only reads.
    pub fn paint(&mut self, area: Rect, buffer: &mut Buffer) {
        self.size = (area.width, area.height);
        self.runs.busy = false;
        view::prepare(self, area);
        // What this frame shows may be decided on from now on, and its footer already offers that.
        self.drawn.tickets = view::shown_tickets(self, area);
        self.drawn.heads = view::shown_heads(self, area);
        self.strayed = false;
        view::draw(self, area, buffer);
        self.notices.drawn();
        // A search over files that are there already looks into some a frame: nothing else would ask for the next one.
        self.dirty = self.review().is_some_and(ReviewScreen::goes_on);
    }

    /// What drawing found to be missing (lines of output to fetch), to be done after each frame.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Whether a frame should come before the next key: the operator moved to a ticket that was not drawn yet, and a
    /// decision must fall on what was shown (rule A).
    pub fn wants_frame_before_key(&self) -> bool {
        if let Some(Layer::Promotions(screen)) = self.layers.last() {
            return self.dirty && !screen.strayed && screen.chosen().is_some() && !screen.is_drawn();
        }
        self.dirty
            && !self.strayed
            && self.subject_id().is_some_and(|id| !self.drawn.tickets.iter().any(|(drawn, _)| drawn == &id))
    }

    /// When [`super::message::SystemMessage::Tick`] is wanted; `None` while nothing moves by itself, so that an idle
    /// console sleeps for ever.
    pub fn next_wake(&self) -> Option<Timestamp> {
        let spin = self.has_active_runs().then(|| self.moved + SPIN);
        let draft = self.layers.iter().filter_map(Layer::save_due).min();
        let search = self.runs.busy.then(|| self.now + SEARCH);
        [spin, draft, search, self.notices.expires()].into_iter().flatten().min()
    }

    /// Revision of the snapshot that is shown.
    pub(crate) fn revision(&self) -> u64 {
        self.snapshot.revision
    }

    /// The project folder.
    pub(crate) fn root(&self) -> &str {
        &self.snapshot.root
    }

    /// Commands that were sent and not answered yet.
    pub fn unanswered(&self) -> usize {
        self.requests.len()
    }

    pub(crate) fn has_active_runs(&self) -> bool {
        self.snapshot.runs.iter().any(|run| is_live(run))
    }

    pub(crate) fn active_runs(&self) -> impl Iterator<Item = &Arc<RunView>> {
        self.snapshot.runs.iter().filter(|run| is_live(run))
    }

    /// Whether the grid is asked for and has something to show.
    pub(crate) fn shows_grid(&self) -> bool {
        self.runs.grid && self.active_runs().nth(1).is_some()
    }

    /// The newest run of a ticket.
    pub(crate) fn run_of(&self, id: &TicketId) -> Option<&Arc<RunView>> {
        self.snapshot.runs.iter().find(|run| run.ticket == *id)
    }

    pub(crate) fn shown_run(&self) -> Option<&Arc<RunView>> {
        let shown = self.runs.shown.as_ref()?;
        self.snapshot.runs.iter().find(|run| run.id == *shown).or_else(|| self.runs.earlier(shown))
    }

    /// The ticket that a decision key is about: that of the open page, of the output with the focus, or the selected.
    pub(crate) fn subject_id(&self) -> Option<TicketId> {
        if let Some(Layer::Page(page)) = self.layers.last() {
            return Some(page.ticket.clone());
        }
        if let Some(screen) = self.review() {
            return Some(screen.ticket.clone());
        }
        if let Some(screen) = self.promotions() {
            return screen.chosen().map(|one| one.promotion.ticket.clone());
        }
        match self.focus {
            Pane::Run => {
                self.shown_run().map(|run| run.ticket.clone()).or_else(|| self.queue.selected.clone())
            }
            Pane::Verdict => self.reviewed_id().or_else(|| self.queue.selected.clone()),
            Pane::Queue | Pane::Detail => self.queue.selected.clone(),
        }
    }

    /// The state of a ticket as its row shows it.
    pub(crate) fn state_of(&self, ticket: &Ticket) -> RowState {
        let standing = self.snapshot.order.standing.get(&ticket.id);
        let run = self.run_of(&ticket.id).map(|run| &**run);
        let served = !self.snapshot.servers.is_empty();
        state_of(ticket, standing, run, held_why(&self.snapshot, &ticket.id), served)
    }

    pub(crate) fn subject(&self) -> Option<&Arc<Ticket>> {
        self.snapshot.plan.ticket(&self.subject_id()?)
    }

    /// The `updated_at` of a ticket as it stood on the screen; `None` when it did not stand there.
    pub(crate) fn seen(&self, id: &TicketId) -> Option<Option<Timestamp>> {
        self.drawn.tickets.iter().find(|(drawn, _)| drawn == id).map(|(_, at)| *at)
    }

    /// The key of an action as the operator has it, for sentences; the palette's way where it has none.
    pub(crate) fn key_of(&self, action: Action) -> String {
        self.settings.keymap.key_name(action).unwrap_or_else(|| format!(":{}", action.spec().title))
    }

    /// Why nothing may be written at the moment, if so.
    pub(crate) fn read_only(&self) -> Option<String> {
        match &self.snapshot.health {
            PlanHealth::Loading => Some("the planfile is still being read".to_owned()),
            PlanHealth::Uninitialised => {
                Some(format!("there is no planfile here yet; {} makes one", self.key_of(Action::Init)))
            }
            PlanHealth::Open { read_only: None, .. } => None,
            PlanHealth::Open { read_only: Some(reason), .. } => Some(reason.clone()),
            PlanHealth::Refused { message } => Some(message.clone()),
        }
    }

    /// Queues a command for the runtime and remembers what it was for.
    pub(crate) fn send(&mut self, command: Command, pending: Pending) {
        let request = self.requests.add(pending);
        self.changes.asked(request, &command);
        self.effects.push(Effect::Send { request, command });
    }

    pub(crate) fn say(&mut self, kind: NoticeKind, text: impl Into<String>) {
        self.notices.push(self.now, kind, text.into());
        self.dirty = true;
    }
}

fn fallback_theme(depth: Depth) -> Theme {
    Themes::default().load("koru-dark", depth).unwrap_or_else(|_| Theme::plain(depth))
}
