//! Runs: what a console may ask of them, and what they say.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Channel, OutputLine, RunId, RunState, RunView};
use crate::plan::ticket::TicketId;

/// Commands on runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum RunCommand {
    /// Runs this ticket now, if it is runnable (otherwise the reply says why not).
    Start {
        /// Ticket.
        ticket: TicketId,
    },
    /// Lets an agent work this ticket, whatever its executor says.
    Delegate {
        /// Ticket.
        ticket: TicketId,
        /// Agent by its name in the configuration; the role `worker`'s when missing.
        agent: Option<String>,
        /// Said to the agent after the brief.
        note: Option<String>,
    },
    /// Says something to the agent of a run, at once or in its next round (see [`AgentView::hearing`]).
    Say {
        /// Run.
        run: RunId,
        /// Message; blank is refused.
        text: String,
    },
    /// Lets the agent end after its turn, or not any more.
    PauseAfterTurn {
        /// Run.
        run: RunId,
        /// Whether.
        on: bool,
    },
    /// Stop ladder: TERM to the group, grace, KILL. A second stop skips the grace. On an interrupted run that left
    /// processes behind (`RunView::orphaned`), stops those.
    Stop {
        /// Run.
        run: RunId,
    },
    /// Decides what becomes of the ticket of an interrupted, failed or stopped run.
    Resolve {
        /// Run.
        run: RunId,
        /// The decision.
        how: Resolution,
        /// For a retry: said to the agent after the brief; for others kept with the ticket.
        note: Option<String>,
    },
    /// Lines of a run's transcript, answered by [`RunEvent::Lines`].
    Fetch {
        /// Run.
        run: RunId,
        /// First line, from 0.
        from: u64,
        /// At most this many.
        count: u32,
    },
    /// Which runs of this ticket are kept, whoever started them; answered by [`RunEvent::Earlier`].
    Earlier {
        /// Ticket.
        ticket: TicketId,
    },
    /// What is kept of one run: how much it printed, and what became of the work; answered by [`RunEvent::Opened`]. Its
    /// lines are fetched like those of any run.
    Open {
        /// Run.
        run: RunId,
    },
    /// Lines of the agent's stream as it came, answered by [`RunEvent::RawLines`].
    FetchRaw {
        /// Run.
        run: RunId,
        /// First line, from 0.
        from: u64,
        /// At most this many.
        count: u32,
    },
}

/// What becomes of the ticket of a run that did not end well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// Back to ready, then started again at once.
    Retry,
    /// Back to ready; whoever comes next may take it.
    Release,
    /// One failed attempt, as if the run had ended badly.
    MarkFailed,
}

/// Events of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RunEvent {
    /// New output at the tail; batched, at most about 30 batches a second per run. A console that is slow, or a child
    /// that is very fast, makes gaps: when `first` is above the number expected next, fetch what is missing.
    Output {
        /// Run.
        run: RunId,
        /// Number of the first line in `lines`.
        first: u64,
        /// Lines.
        lines: Arc<[OutputLine]>,
    },
    /// Answer to [`RunCommand::Fetch`].
    Lines {
        /// Run.
        run: RunId,
        /// Number of the first line in `lines`.
        first: u64,
        /// Lines.
        lines: Arc<[OutputLine]>,
    },
    /// Answer to [`RunCommand::FetchRaw`].
    RawLines {
        /// Run.
        run: RunId,
        /// Number of the first line in `lines`.
        first: u64,
        /// How many lines there are now.
        total: u64,
        /// Lines.
        lines: Arc<[OutputLine]>,
    },
    /// Answer to [`RunCommand::Earlier`].
    Earlier {
        /// Ticket.
        ticket: TicketId,
        /// Its runs, newest first, as their records tell; how much they printed is not counted.
        runs: Vec<Arc<RunView>>,
        /// How many there are, should `runs` not hold all of them.
        total: u64,
    },
    /// Answer to [`RunCommand::Open`].
    Opened {
        /// The run.
        view: Arc<RunView>,
    },
    /// Text at the tail that has no line end yet, shown below the last line; replaces what was said before, and an
    /// empty one takes it away. Never part of the transcript.
    Partial {
        /// Run.
        run: RunId,
        /// What it is.
        channel: Channel,
        /// The text.
        text: Arc<str>,
    },
    /// The run is over (its view in the snapshot says how).
    Ended {
        /// Run.
        run: RunId,
        /// How.
        state: RunState,
    },
}
