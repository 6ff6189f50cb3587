//! What was changed from this console, newest last, so that it can be named and taken back.
//!
//! Only what the runtime said is durable stands here. The way back itself is kept by the runtime; a change that somebody
//! made since is found out there.

use std::collections::HashMap;

use crate::plan::lifecycle::{Op, Patch};
use crate::plan::ticket::TicketId;
use crate::runtime::protocol::{Command, RequestId, TicketCommand};

/// Changes that are remembered.
const KEPT: usize = 100;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// The ticket; that of a creation is known with its answer.
    pub(crate) ticket: Option<TicketId>,
    /// What was done, as the end of a sentence: `blocked`.
    pub(crate) what: &'static str,
}

/// The changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    asked: HashMap<RequestId, Change>,
    done: Vec<Change>,
}

impl Changes {
    /// A command is on its way.
    pub(crate) fn asked(&mut self, request: RequestId, command: &Command) {
        if let Some(change) = change_of(command) {
            self.asked.insert(request, change);
        }
    }

    /// A command was answered: done, with the ticket concerned, or not (`None`).
    pub(crate) fn answered(&mut self, request: RequestId, done: Option<Option<&TicketId>>) {
        let Some(mut change) = self.asked.remove(&request) else { return };
        let Some(ticket) = done else { return };
        change.ticket = change.ticket.or_else(|| ticket.cloned());
        if self.done.len() == KEPT {
            self.done.remove(0);
        }
        self.done.push(change);
    }

    /// The change that would be taken back next.
    pub(crate) fn last(&self) -> Option<(&TicketId, &'static str)> {
        let change = self.done.last()?;
        Some((change.ticket.as_ref()?, change.what))
    }

    /// It is being taken back, or cannot be.
    pub(crate) fn pop(&mut self) {
        self.done.pop();
    }
}

/// What a command changes in a ticket, if it does.
fn change_of(command: &Command) -> Option<Change> {
    let Command::Ticket(command) = command else { return None };
    let (ticket, what) = match command {
        TicketCommand::Create(_) => (None, "made"),
        TicketCommand::Answer { id, .. } => (Some(id), "answered"),
        TicketCommand::Apply { id, op: Op::Block { .. }, .. } => (Some(id), "blocked"),
        TicketCommand::Apply { id, op: Op::Ready { .. }, .. } => (Some(id), "released"),
        TicketCommand::Apply { id, op: Op::Fail { .. }, .. } => (Some(id), "called failed"),
        TicketCommand::Apply { id, op: Op::Update(patch), .. } => (Some(id), edited(patch)),
        TicketCommand::Apply { id, .. } => (Some(id), "changed"),
        TicketCommand::Undo { .. } => return None,
    };
    Some(Change { ticket: ticket.cloned(), what })
}

fn edited(patch: &Patch) -> &'static str {
    let priority = Patch { priority: patch.priority.clone(), ..Patch::default() };
    if *patch == priority { "given another priority" } else { "edited" }
}
