//! Commands that wait for their answer, and the drafts that the console knows of.
//!
//! Owns the numbering of requests. A draft stays here until the runtime says that the answer is durable, so that a
//! refusal loses no text.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::plan::ticket::TicketId;
use crate::runtime::protocol::diff::DiffId;
use crate::runtime::protocol::{RequestId, RunId};

/// What to do when the answer comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// Say it.
    Say,
    /// Say only a refusal.
    Quiet,
    /// A draft was saved.
    DraftSaved(String),
    /// A form was sent; its draft goes when done and stays with the reason when refused.
    FormSent(String),
    /// Work was approved to land; a batch goes on.
    Landed,
    /// Start this ticket.
    Start(TicketId),
    /// A diff was to be opened.
    Diff(DiffId),
    /// Comments on a ticket were sent.
    CommentsSent { ticket: TicketId, ids: Vec<String> },
    /// The notebook is to say that comments were sent.
    CommentsMarked,
    /// Lines of this run were asked for: of its transcript, or of its raw stream.
    Fetch { run: RunId, raw: bool },
}

/// One unanswered command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pending {
    /// What is said when it is done, e.g. `PLF-081 answered`. `{}` stands for the ticket in the reply.
    pub(crate) done: String,
    pub(crate) then: Then,
}

impl Pending {
    pub(crate) fn say(done: impl Into<String>) -> Self {
        Self { done: done.into(), then: Then::Say }
    }

    pub(crate) fn quiet() -> Self {
        Self { done: String::new(), then: Then::Quiet }
    }
}

/// The unanswered commands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requests {
    last: u64,
    pending: HashMap<RequestId, Pending>,
}

impl Requests {
    pub(crate) fn add(&mut self, pending: Pending) -> RequestId {
        self.last += 1;
        let id = RequestId(self.last);
        self.pending.insert(id, pending);
        id
    }

    pub(crate) fn take(&mut self, id: RequestId) -> Option<Pending> {
        self.pending.remove(&id)
    }

    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }
}

/// One draft.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) text: String,
    /// When it was last durable.
    pub(crate) saved_at: Option<Timestamp>,
    /// Why sending it was refused, if so.
    pub(crate) refused: Option<String>,
}

/// Drafts by key: a ticket's id, `edit-<id>`, or `new`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Drafts {
    by_key: HashMap<String, Draft>,
}

impl Drafts {
    pub(crate) fn get(&self, key: &str) -> Option<&Draft> {
        self.by_key.get(key)
    }

    pub(crate) fn entry(&mut self, key: &str) -> &mut Draft {
        self.by_key.entry(key.to_owned()).or_default()
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.by_key.remove(key);
    }
}
