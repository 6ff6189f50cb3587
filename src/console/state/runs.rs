//! The output pane's own state: which run is shown, and the output of each run that was shown or heard.
//!
//! Invariants: the shown run changes by a key of the operator; by itself only from nothing to something, or on from a
//! run that has ended while its tail was being followed and the pane has no focus.

use std::collections::HashMap;

use crate::runtime::protocol::RunId;

use crate::console::stream::Stream;

/// The output pane.
#[derive(Debug, Default)]
pub(crate) struct RunPane {
    pub(crate) shown: Option<RunId>,
    pub(crate) streams: HashMap<RunId, Stream>,
    pub(crate) grid: bool,
}

impl RunPane {
    pub(crate) fn stream(&self, run: &RunId) -> Option<&Stream> {
        self.streams.get(run)
    }

    pub(crate) fn shown_stream(&mut self) -> Option<&mut Stream> {
        self.streams.get_mut(self.shown.as_ref()?)
    }
}
