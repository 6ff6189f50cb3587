//! The output pane's own state: which run is shown, and the output of each run that was shown or heard.
//!
//! Invariants: the shown run changes by a key of the operator; by itself only from nothing to something, to a run that
//! just began of the ticket that is looked at, or on from a run that has ended while its tail was being followed and the
//! pane has no focus. Of ended runs that are not shown at
//! most [`ENDED`] outputs are held; the others are fetched again when they are looked at.

use std::collections::{HashMap, HashSet};

use crate::base::redact::Redactor;
use crate::console::output::OutputView;
use crate::runtime::protocol::{RunId, Snapshot};

/// Outputs of ended runs that are held beside the shown one.
const ENDED: usize = 4;

/// The output pane.
#[derive(Debug, Default)]
pub(crate) struct RunPane {
    pub(crate) shown: Option<RunId>,
    views: HashMap<RunId, OutputView>,
    pub(crate) grid: bool,
    /// A search goes on over the output: another frame is wanted soon.
    pub(crate) busy: bool,
}

impl RunPane {
    pub(crate) fn view(&self, run: &RunId) -> Option<&OutputView> {
        self.views.get(run)
    }

    /// The output of a run, made when there is none yet.
    pub(crate) fn view_mut(&mut self, run: &RunId) -> &mut OutputView {
        self.views.entry(run.clone()).or_insert_with(|| {
            let mut view = OutputView::new();
            view.set_redactor(Redactor::default());
            view
        })
    }

    pub(crate) fn shown_view(&self) -> Option<&OutputView> {
        self.views.get(self.shown.as_ref()?)
    }

    pub(crate) fn shown_view_mut(&mut self) -> Option<&mut OutputView> {
        self.views.get_mut(self.shown.as_ref()?)
    }

    /// Whether the shown output is being searched.
    pub(crate) fn is_searched(&self) -> bool {
        self.shown_view().is_some_and(|view| view.status().search.is_some())
    }

    /// Learns how much the runs have printed and lets go of what is not looked at.
    pub(crate) fn refresh(&mut self, snapshot: &Snapshot) {
        let mut kept = HashSet::new();
        let mut ended = 0;
        for run in &snapshot.runs {
            let shown = self.shown.as_ref() == Some(&run.id);
            let Some(view) = self.views.get_mut(&run.id) else { continue };
            view.set_total(run.lines);
            if !run.state.is_active() && !shown {
                ended += 1;
            }
            if ended <= ENDED || shown || run.state.is_active() {
                kept.insert(run.id.clone());
            }
        }
        self.views.retain(|run, _| kept.contains(run));
    }
}
