//! Between a run's recorder and whoever watches: what must survive a crash goes into the record first, then everything is
//! passed on.

use std::sync::Arc;
use std::time::Duration;

use super::feed::Feed;
use super::keeper::Keeper;
use super::launch::Ground;
use crate::base::process::ProcessIdentity;
use crate::execute::agents::tally::Tally;
use crate::execute::output::{Channel, OutputLine};
use crate::execute::recorder::Listener;

/// Passes everything on to the feed, and puts the child's identity, and what a question used, into the record before
/// anything else is done.
pub(super) struct RecordingListener {
    pub(super) feed: Feed,
    pub(super) keeper: Keeper,
    /// The run asks a language model: what it uses is told to the day's ledger.
    pub(super) chat: Option<(Arc<Ground>, Arc<str>)>,
}

impl Listener for RecordingListener {
    fn lines(&mut self, first: u64, lines: Vec<OutputLine>) {
        self.feed.lines(first, lines);
    }

    fn alive(&mut self) {
        self.feed.alive();
    }

    fn partial(&mut self, partial: Option<(Channel, String)>) {
        self.feed.partial(partial);
    }

    fn tally(&mut self, tally: &Tally) {
        if let Some((ground, run)) = &self.chat {
            ground.ledger.tell(run, tally);
            self.keeper.change(|record| record.spent = Some(tally.clone()));
        }
        self.feed.tally(tally);
    }

    fn started(&mut self, leader: Option<ProcessIdentity>) {
        if leader.is_some() {
            self.keeper.change(|record| record.child.clone_from(&leader));
        }
        self.feed.started(leader);
    }

    fn stopping(&mut self, kill_in: Duration) {
        self.feed.stopping(kill_in);
    }
}
