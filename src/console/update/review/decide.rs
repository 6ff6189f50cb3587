//! Approving and rejecting: always about the commit that was drawn (rule B), always with a second step (rule A).

use super::super::super::actions::Action;
use super::super::super::layers::confirm::Confirmed;
use super::super::super::layers::message::Purpose;
use super::super::super::layers::{Confirm, Layer};
use super::super::super::review::notes;
use super::super::super::state::{Console, NoticeKind, Pending};
use super::super::super::words;
use crate::plan::ticket::TicketId;
use crate::runtime::protocol::review::Progress;
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
            return self.open_message(ticket, Purpose::Reject { seen });
        }
        let short: String = seen.chars().take(12).collect();
        let waiting = screen.notebook.comments.iter().filter(|comment| comment.sent.is_none()).count();
        let mut rest = match waiting {
            0 => String::new(),
            count => format!(" {} not sent.", words::count(count, "comment is", "comments are")),
        };
        let left_out = screen.listing.as_ref().map_or(0, |listing| listing.left_out);
        if left_out > 0 {
            rest += &format!(" {left_out} changed files are not listed here and were not seen.");
        }
        let review = self.snapshot.reviews.get(&ticket);
        let open = notes::findings(screen, review)
            .iter()
            .filter(|listed| listed.finding.blocking && listed.progress != Progress::Fixed)
            .count();
        let still = match open {
            0 => String::new(),
            open => format!(", with {} still standing", words::count(open, "blocker", "blockers")),
        };
        self.layers.push(Layer::Confirm(Confirm {
            question: format!("approve {} as it is at {short}{still}?", words::safe(&ticket)),
            detail: format!("The work passes; refused when it is not at that commit any more.{rest}"),
            yes: "approve",
            then: Confirmed::Approve { ticket, seen },
        }));
    }

    /// Approves the commit that was on screen.
    pub(in crate::console::update) fn send_approval(&mut self, ticket: TicketId, seen: String) {
        let said = Pending::say(format!("{} is approved", words::safe(&ticket)));
        let choice = ReviewChoice::Accept;
        self.send(Command::Review(ReviewCommand::Decide { ticket, seen, choice }), said);
    }
}
