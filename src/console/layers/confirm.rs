//! A question before something that cannot be taken back: one named key says yes, everything else says no.
//!
//! The key that says yes differs from the key that asked (rule A).

use crate::console::promotions::Seen;
use crate::plan::ticket::TicketId;
use crate::runtime::protocol::RunId;

/// What happens on yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Confirmed {
    /// Stop this run.
    Stop(RunId),
    /// Take the last change of this ticket back.
    Undo(TicketId),
    /// Call this ticket failed.
    Fail(TicketId),
    /// Remove the worktrees of these tickets; all that may go when there are none.
    Prune(Vec<TicketId>),
    /// Drop this comment on a ticket's work.
    DropComment(TicketId, String),
    /// Let the work pass that was on screen at this commit.
    Approve { ticket: TicketId, seen: String },
    /// Let the work be judged again that was on screen at this commit.
    ReviewAgain { ticket: TicketId, seen: String },
    /// Land this work, one after the other.
    Land(Vec<Seen>),
    /// Take the promotion of this name back.
    UndoPromotion(String),
    /// Throw the draft of the form below away.
    Discard,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Confirm {
    /// What is asked, safe text.
    pub(crate) question: String,
    /// What it means, safe text.
    pub(crate) detail: String,
    /// The word of the key that says yes.
    pub(crate) yes: &'static str,
    pub(crate) then: Confirmed,
}

impl Confirm {
    /// The key that says yes.
    pub(crate) const YES: char = 'y';
}
