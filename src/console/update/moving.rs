//! Moving within panes, between panes and between runs.

use crate::plan::ticket::TicketId;
use crate::runtime::protocol::{Command, RunCommand, RunId};

use super::super::layers::Layer;
use super::super::list::Motion;
use super::super::rows::is_live;
use super::super::state::{Console, Pane, Pending, Then};
use super::super::view;

impl Console {
    /// Moves what has the focus.
    pub(super) fn move_by(&mut self, motion: Motion) {
        self.dirty = true;
        if let Some(Layer::Page(page)) = self.layers.last_mut() {
            let height = usize::from(self.size.1.saturating_sub(3));
            page.scroll = motion.scroll(page.scroll, page.cache.len(), height);
            return;
        }
        if let Some(Layer::Review(screen)) = self.layers.last_mut() {
            return screen.move_by(motion);
        }
        if let Some(Layer::Promotions(screen)) = self.layers.last_mut() {
            return screen.go(motion);
        }
        let areas = view::areas(self);
        match self.focus {
            Pane::Queue => self.move_selection(motion),
            Pane::Run => self.move_output(motion),
            Pane::Verdict => self.move_verdict(motion),
            Pane::Detail => {
                let height = usize::from(areas.detail_height());
                self.detail.scroll = motion.scroll(self.detail.scroll, self.detail.cache.len(), height);
            }
        }
    }

    fn move_selection(&mut self, motion: Motion) {
        let snapshot = std::sync::Arc::clone(&self.snapshot);
        self.queue.go(&snapshot, motion);
        self.selection_moved();
    }

    /// The selection was moved by the operator: the detail starts at its top, and the output shows the ticket's run.
    pub(super) fn selection_moved(&mut self) {
        if self.queue.let_go() {
            self.list_again();
        }
        self.detail.scroll = 0;
        self.strayed = false;
        let run = self.queue.selected.clone().and_then(|id| self.run_of(&id).map(|run| run.id.clone()));
        if let Some(run) = run {
            self.show_run(run);
        }
    }

    fn move_output(&mut self, motion: Motion) {
        let Some(view) = self.runs.shown_view_mut() else { return };
        match motion {
            Motion::Up => view.move_cursor(-1),
            Motion::Down => view.move_cursor(1),
            Motion::PageUp => view.scroll_pages(-1),
            Motion::PageDown => view.scroll_pages(1),
            Motion::Top => view.home(),
            Motion::Bottom => view.end(),
        }
    }

    /// Shows a run's output; what of it was not heard is fetched when it is drawn.
    pub(super) fn show_run(&mut self, run: RunId) {
        if self.runs.opened.as_ref().is_some_and(|opened| opened.view.id != run) {
            self.runs.opened = None;
        }
        let lines = self.snapshot.runs.iter().find(|view| view.id == run).map_or(0, |view| view.lines);
        self.runs.transcript(&run).set_total(lines);
        self.runs.shown = Some(run);
        self.dirty = true;
    }

    /// Asks for lines that a view misses, of the transcript or of the raw stream.
    pub(crate) fn fetch(&mut self, run: RunId, raw: bool, from: u64, count: u32) {
        let pending = Pending { done: String::new(), then: Then::Fetch { run: run.clone(), raw } };
        let command = if raw {
            RunCommand::FetchRaw { run, from, count }
        } else {
            RunCommand::Fetch { run, from, count }
        };
        self.send(Command::Run(command), pending);
    }

    /// The next run, or the previous one, in the order of the snapshot.
    pub(super) fn step_run(&mut self, by: isize) {
        let grid = self.shows_grid();
        // In the grid one goes from tile to tile.
        let runs: Vec<_> = self.snapshot.runs.iter().filter(|run| !grid || is_live(run)).collect();
        let at = self.runs.shown.as_ref().and_then(|shown| runs.iter().position(|run| run.id == *shown));
        let next = at.map_or(0, |at| at.saturating_add_signed(by).min(runs.len().saturating_sub(1)));
        if let Some(id) = runs.get(next).map(|run| run.id.clone()) {
            self.show_run(id);
        }
    }

    /// The grid has the keys while it is shown, and one of its tiles is the shown run.
    pub(super) fn toggle_grid(&mut self) {
        self.runs.grid = !self.runs.grid;
        if self.shows_grid() {
            self.focus = Pane::Run;
            let first = self.active_runs().next().map(|run| run.id.clone());
            if let Some(first) = first.filter(|_| !self.shown_run().is_some_and(|run| is_live(run))) {
                self.show_run(first);
            }
        }
    }

    pub(super) fn step_focus(&mut self, forward: bool) {
        self.focus = self.pane_after(forward);
        self.dirty = true;
    }

    /// The pane that the focus goes to next.
    pub(crate) fn pane_after(&self, forward: bool) -> Pane {
        let at = Pane::ALL.iter().position(|pane| *pane == self.focus).unwrap_or(0);
        let by = if forward { 1 } else { Pane::ALL.len() - 1 };
        let next = |at: usize| (at + by) % Pane::ALL.len();
        // A pane with nothing in it is no stop.
        match Pane::ALL[next(at)] {
            Pane::Verdict if self.reviewed().is_none() => Pane::ALL[next(next(at))],
            pane => pane,
        }
    }

    /// Opens the ticket's page.
    pub(super) fn open_page(&mut self, ticket: TicketId) {
        let cache = view::detail::Cache::default();
        let page = super::super::layers::Page { ticket, scroll: 0, source: false, cache };
        self.layers.push(Layer::Page(page));
        self.dirty = true;
    }

    /// Turns the open page to the ticket's source and back, or opens it there.
    pub(super) fn toggle_source(&mut self) {
        if !matches!(self.layers.last(), Some(Layer::Page(_)))
            && let Some(id) = self.subject_id()
        {
            self.open_page(id);
        }
        if let Some(Layer::Page(page)) = self.layers.last_mut() {
            page.source = !page.source;
            page.scroll = 0;
        }
        self.dirty = true;
    }
}
