//! One ticket worked by a coding agent, from the worktree to the commit: what a run does around the agent itself.

pub(super) mod ledger;

use std::sync::Arc;

use tokio::sync::mpsc;

use super::feed::Feed;
use super::keeper::Keeper;
use super::launch::Ground;
use crate::base::redact::Redactor;
use crate::execute::agents::session::Steer;
use crate::execute::folder::RunFolder;
use crate::execute::outcome::Outcome;
use crate::execute::recorder::Recorder;
use crate::execute::stop::StopWatch;
use crate::plan::ticket::Ticket;

/// What an agent's run is made of. Borrowed from the run that it is.
pub(super) struct AgentRun<'a> {
    pub(super) ground: &'a Arc<Ground>,
    pub(super) ticket: &'a Arc<Ticket>,
    /// Asked for by name.
    pub(super) agent: Option<&'a str>,
    /// Said to the agent after the brief.
    pub(super) note: Option<&'a str>,
    /// Variables that the ticket asks for.
    pub(super) keys: &'a [String],
    pub(super) redactor: &'a Redactor,
    pub(super) folder: &'a RunFolder,
    pub(super) feed: &'a Feed,
    pub(super) keeper: &'a Keeper,
}

impl AgentRun<'_> {
    /// Works the ticket to an outcome.
    pub(super) async fn perform(
        self,
        stop: StopWatch,
        steer: mpsc::UnboundedReceiver<Steer>,
        recorder: Recorder,
    ) -> Outcome {
        let _ = (stop, steer, recorder, self.ground, self.ticket, self.agent, self.note, self.keys);
        let _ = (self.redactor, self.folder, self.feed, self.keeper);
        Outcome::not_started("agents cannot be run yet")
    }
}
