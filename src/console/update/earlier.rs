//! Earlier runs of a ticket: asked for, walked through, one of them opened in the output pane, and left again.

use std::sync::Arc;

use super::super::actions::Action;
use super::super::keys::Key;
use super::super::layers::{Earlier, Layer};
use super::super::list::Motion;
use super::super::state::{Console, Opened, Pane, Pending};
use crate::plan::ticket::TicketId;
use crate::runtime::protocol::{Command, RunCommand, RunView};

impl Console {
    pub(super) fn open_earlier(&mut self) {
        let Some(ticket) = self.subject_id() else { return };
        self.layers.push(Layer::Earlier(Earlier::of(ticket.clone())));
        self.send(Command::Run(RunCommand::Earlier { ticket }), Pending::quiet());
    }

    pub(super) fn earlier_key(&mut self, mut list: Earlier, key: Key, action: Option<Action>) {
        match action {
            Some(Action::Back | Action::Close) => return,
            Some(Action::Accept) if list.chosen().is_some() => return self.open_run(list),
            _ if matches!(key.typed(), Some('E')) => return,
            _ => {
                if let (Some(rows), Some(motion)) = (&mut list.list, action.and_then(Motion::of)) {
                    rows.go(motion);
                }
            }
        }
        self.layers.push(Layer::Earlier(list));
    }

    /// Shows the chosen run in the output pane. What lay over the board comes back when it is left.
    fn open_run(&mut self, list: Earlier) {
        let Some(view) = list.chosen().cloned() else { return };
        let run = view.id.clone();
        let mut layers = std::mem::take(&mut self.layers);
        layers.push(Layer::Earlier(list));
        let before = self.runs.shown.take();
        self.runs.grid = false;
        self.runs.opened = Some(Opened { view, layers, before, focus: self.focus });
        self.focus = Pane::Run;
        self.show_run(run.clone());
        // What this session ran is known already, and goes on while it is looked at.
        if !self.snapshot.runs.iter().any(|known| known.id == run) {
            self.send(Command::Run(RunCommand::Open { run }), Pending::quiet());
        }
    }

    /// Back from an opened run to the list that it was opened from.
    pub(super) fn leave_opened(&mut self) {
        let Some(opened) = self.runs.opened.take() else { return };
        self.layers = opened.layers;
        self.focus = opened.focus;
        self.runs.shown = opened.before;
        let snapshot = Arc::clone(&self.snapshot);
        self.runs.refresh(&snapshot);
        self.dirty = true;
    }

    pub(super) fn earlier_came(&mut self, ticket: &TicketId, runs: Vec<Arc<RunView>>, total: u64) {
        let lists = self.layers.iter_mut().filter_map(|layer| match layer {
            Layer::Earlier(list) if list.ticket == *ticket => Some(list),
            _ => None,
        });
        for list in lists {
            list.read(runs.clone(), total);
            self.dirty = true;
        }
    }

    /// What is kept of the opened run is known.
    pub(super) fn opened_came(&mut self, view: Arc<RunView>) {
        let Some(opened) = self.runs.opened.as_mut().filter(|opened| opened.view.id == view.id) else {
            return;
        };
        opened.view = view;
        let snapshot = Arc::clone(&self.snapshot);
        self.runs.refresh(&snapshot);
        self.dirty = true;
    }
}
