//! Approving and rejecting: always about the commit that was drawn (rule B), always with a second step (rule A).

use super::super::super::actions::Action;
use super::super::super::layers::confirm::Confirmed;
use super::super::super::layers::line::LineKind;
use super::super::super::layers::{Confirm, Layer, LineInput};
use super::super::super::state::{Console, NoticeKind, Pending};
use super::super::super::words;
use crate::plan::ticket::TicketId;
use crate::runtime::protocol::{Command, ReviewChoice, ReviewCommand};

impl Console {
    pub(super) fn decide_review(&mut self, action: Action) {
        let Some(screen) = self.review() else { return };
        let ticket = screen.ticket.clone();
        let Some(seen) = screen.drawn.clone() else {
            let say = "a decision is about a commit; look at a round or at the whole ticket first";
            return self.say(NoticeKind::Refused, say);
        };
        if action == Action::ReviewReject {
            let kind = LineKind::Reject { ticket, seen };
            return self.layers.push(Layer::Line(Box::new(LineInput::new(kind, ""))));
        }
        let short: String = seen.chars().take(12).collect();
        let waiting = screen.notebook.comments.iter().filter(|comment| comment.sent.is_none()).count();
        let rest = match waiting {
            0 => String::new(),
            count => format!(" {} not sent.", words::count(count, "comment is", "comments are")),
        };
        self.layers.push(Layer::Confirm(Confirm {
            question: format!("approve {} as it is at {short}?", words::safe(&ticket)),
            detail: format!("The work passes; refused when it is not at that commit any more.{rest}"),
            yes: "approve",
            then: Confirmed::Approve { ticket, seen },
        }));
    }

    /// Sends a decision about the commit that was on screen.
    pub(in crate::console::update) fn send_decision(
        &mut self,
        ticket: TicketId,
        seen: String,
        choice: ReviewChoice,
    ) {
        let word = if matches!(choice, ReviewChoice::Accept) { "approved" } else { "rejected" };
        let said = Pending::say(format!("{} is {word}", words::safe(&ticket)));
        self.send(Command::Review(ReviewCommand::Decide { ticket, seen, choice }), said);
    }
}
