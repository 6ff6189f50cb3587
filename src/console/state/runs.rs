//! The output pane's own state: which run is shown, and the output of each run that was shown or heard.
//!
//! Invariants: the shown run changes by a key of the operator; by itself only from nothing to something, to a run that
//! just began of the ticket that is looked at, or on from a run that has ended while its tail was being followed and the
//! pane has no focus; never while a run is opened that was chosen from a list. Of ended runs that are not shown at
//! most [`ENDED`] outputs are held; the others are fetched again when they are looked at. A run of an agent has its raw
//! stream beside its transcript, with a view of its own; one of the two is looked at.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::base::redact::Redactor;
use crate::console::layers::Layer;
use crate::console::output::OutputView;
use crate::console::rows::is_live;
use crate::console::state::Pane;
use crate::runtime::protocol::{RunId, RunView, Snapshot};

/// Outputs of ended runs that are held beside the shown one.
const ENDED: usize = 4;

/// A run that was opened from the list of a ticket's runs: shown until it is left, whatever else happens.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) view: Arc<RunView>,
    /// What lay over the board, the list on top.
    pub(crate) layers: Vec<Layer>,
    /// The run that was shown before.
    pub(crate) before: Option<RunId>,
    /// The pane that had the focus before.
    pub(crate) focus: Pane,
}

/// The output pane.
#[derive(Debug, Default)]
pub(crate) struct RunPane {
    pub(crate) shown: Option<RunId>,
    pub(crate) opened: Option<Opened>,
    views: HashMap<RunId, OutputView>,
    raws: HashMap<RunId, OutputView>,
    /// Runs whose raw stream is looked at.
    raw: HashSet<RunId>,
    pub(crate) grid: bool,
    /// A search goes on over the output: another frame is wanted soon.
    pub(crate) busy: bool,
}

impl RunPane {
    /// What is looked at of a run.
    pub(crate) fn view(&self, run: &RunId) -> Option<&OutputView> {
        if self.is_raw(run) { self.raws.get(run) } else { self.views.get(run) }
    }

    /// What is looked at of a run, made when there is none yet.
    pub(crate) fn looked_at(&mut self, run: &RunId) -> &mut OutputView {
        if self.is_raw(run) { self.raw_mut(run) } else { self.transcript(run) }
    }

    /// The transcript of a run.
    pub(crate) fn transcript(&mut self, run: &RunId) -> &mut OutputView {
        self.views.entry(run.clone()).or_insert_with(|| {
            let mut view = OutputView::new();
            view.set_redactor(Redactor::default());
            view
        })
    }

    /// The raw stream of a run.
    pub(crate) fn raw_mut(&mut self, run: &RunId) -> &mut OutputView {
        self.raws.entry(run.clone()).or_insert_with(|| {
            let mut view = OutputView::raw();
            view.set_redactor(Redactor::default());
            view
        })
    }

    pub(crate) fn shown_view(&self) -> Option<&OutputView> {
        self.view(self.shown.as_ref()?)
    }

    pub(crate) fn shown_view_mut(&mut self) -> Option<&mut OutputView> {
        let run = self.shown.clone()?;
        if self.is_raw(&run) { self.raws.get_mut(&run) } else { self.views.get_mut(&run) }
    }

    /// Whether this run was opened from a list.
    pub(crate) fn is_opened(&self, run: &RunId) -> bool {
        self.opened.as_ref().is_some_and(|opened| opened.view.id == *run)
    }

    /// The opened run, if it is this one.
    pub(crate) fn earlier(&self, run: &RunId) -> Option<&Arc<RunView>> {
        self.opened.as_ref().map(|opened| &opened.view).filter(|view| view.id == *run)
    }

    /// Whether the raw stream of this run is looked at.
    pub(crate) fn is_raw(&self, run: &RunId) -> bool {
        self.raw.contains(run)
    }

    pub(crate) fn is_raw_shown(&self) -> bool {
        self.shown.as_ref().is_some_and(|run| self.is_raw(run))
    }

    /// To the raw stream of the shown run, or back to its transcript.
    pub(crate) fn toggle_raw(&mut self) {
        if let Some(run) = self.shown.clone()
            && !self.raw.remove(&run)
        {
            self.raw_mut(&run);
            self.raw.insert(run);
        }
    }

    /// Whether the shown output is being searched.
    pub(crate) fn is_searched(&self) -> bool {
        self.shown_view().is_some_and(|view| view.status().search.is_some())
    }

    /// Learns how much the runs have printed and lets go of what is not looked at.
    pub(crate) fn refresh(&mut self, snapshot: &Snapshot) {
        let mut kept = HashSet::new();
        let mut ended = 0;
        let opened = self.opened.as_ref().map(|opened| &opened.view);
        // This session knows its own runs better.
        let opened = opened.filter(|view| snapshot.runs.iter().all(|run| run.id != view.id)).cloned();
        for run in snapshot.runs.iter().chain(&opened) {
            let shown = self.shown.as_ref() == Some(&run.id);
            if let (Some(view), Some(agent)) = (self.raws.get_mut(&run.id), &run.agent) {
                view.set_total(agent.raw_lines);
            }
            let Some(view) = self.views.get_mut(&run.id) else { continue };
            view.set_total(run.lines);
            if !is_live(run) && !shown {
                ended += 1;
            }
            if ended <= ENDED || shown || is_live(run) {
                kept.insert(run.id.clone());
            }
        }
        self.views.retain(|run, _| kept.contains(run));
        self.raws.retain(|run, _| kept.contains(run));
        self.raw.retain(|run| kept.contains(run));
    }
}
