//! What reaches the supervisor: calls of handles, mail of its threads and runs, and why each planfile step was sent.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::agents::Staff;
use super::promotions::PromotionMail;
use crate::execute::output::OutputLine;
use crate::plan::store::{MutateError, Mutated};
use crate::plan::ticket::TicketId;
use crate::runtime::deciding::Decided;
use crate::runtime::interrupted::Interrupted;
use crate::runtime::launch::{Delegation, RunNotice};
use crate::runtime::protocol::{Command, Event, Outcome, RequestId, Review, RunId};

/// What a [`crate::runtime::Handle`] sends.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one message at a time is moved; boxing each would cost more")]
pub(in crate::runtime) enum Call {
    /// A command.
    Command(RequestId, Command),
    /// Stop everything and end.
    Shutdown(oneshot::Sender<()>),
}

/// What the threads and runs send.
#[derive(Debug)]
pub(in crate::runtime) enum Mail {
    /// Results of the steps of one turn.
    Stepped(Vec<(Purpose, Result<Mutated, MutateError>)>),
    /// A run says something.
    Run(Arc<str>, RunNotice),
    /// A command was carried out elsewhere.
    Replied(RequestId, Outcome),
    /// Lines that were asked for.
    Fetched { request: RequestId, run: RunId, from: u64, lines: Vec<OutputLine> },
    /// Something else that was asked for, said as an event before the reply.
    Told(RequestId, Event, Outcome),
    /// An event that answers no command.
    Said(Event),
    /// A draft that was asked for.
    Draft { request: RequestId, key: String, text: String },
    /// Runs whose supervisor is dead.
    Found(Vec<Interrupted>),
    /// What a dead supervisor's run left behind is stopped.
    OrphanStopped(RunId),
    /// Whether anything of a past run lives whose retry, with this note, was asked for.
    OrphanSought { request: RequestId, run: RunId, note: Option<String>, lives: bool },
    /// A decision on reviewed work is on record, or not.
    Decided { request: RequestId, ticket: TicketId, result: Result<Box<Decided>, String> },
    /// Reviews that the disk knows.
    Reviews(Vec<Review>),
    /// About promotions.
    Promotion(PromotionMail),
    /// Which agents there are.
    Staff(Staff),
    /// The git branch.
    Branch(Option<String>),
}

/// Why a step was sent.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// A run is to begin.
    Start { ticket: TicketId, request: Option<RequestId>, delegation: Option<Delegation> },
    /// A run is over; the how-manieth try to record it.
    Finish { run: Arc<str>, tries: u32 },
    /// A lease moves on.
    Renew { run: Arc<str> },
    /// An operator's operation.
    Apply { request: RequestId },
    /// An operator's decision about a past run; with `retry` the ticket is started again, perhaps by an agent.
    Resolve { request: RequestId, run: RunId, retry: Option<Option<Delegation>> },
    /// A decision on reviewed work.
    Decide { request: RequestId, decided: Box<Decided> },
    /// A lease that was over is released, or a missing input is asked for.
    Tidy { ticket: TicketId },
}
