//! Taking changes back, and the list of what people did.

use super::super::layers::confirm::Confirmed;
use super::super::layers::{Confirm, Layer, Scrolled};
use super::super::state::{Console, Pending};
use super::super::words;
use crate::plan::ticket::TicketId;
use crate::runtime::protocol::{Command, ProjectCommand, TicketCommand};

/// Rows of the audit that are asked for.
const ROWS: u32 = 500;

impl Console {
    /// Names the change before it is taken back: it may be about a ticket that is not on the screen.
    pub(super) fn ask_undo(&mut self) {
        let Some((ticket, what)) = self.changes.last() else { return };
        let (id, then) = (words::safe(ticket), Confirmed::Undo(ticket.clone()));
        self.layers.push(Layer::Confirm(Confirm {
            question: format!("take back that {id} was {what}?"),
            detail: "It gets the values from before; refused when somebody changed it since.".to_owned(),
            yes: "take it back",
            then,
        }));
    }

    /// The operator said yes. Whatever comes of it, the next one is the change before: one that was refused would only be
    /// refused again.
    pub(super) fn undo(&mut self, ticket: TicketId) {
        self.changes.pop();
        let done = format!("{} is as it was before", words::safe(&ticket));
        self.drafts.remove(ticket.as_str());
        self.send(Command::Ticket(TicketCommand::Undo { id: ticket }), Pending::say(done));
    }

    pub(super) fn open_audit(&mut self) {
        self.audit = None;
        self.layers.push(Layer::Audit(Scrolled::default()));
        self.send(Command::Project(ProjectCommand::Audit { count: ROWS }), Pending::quiet());
    }
}
