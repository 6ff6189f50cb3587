//! Commands on diffs: handed to their threads, or, for notes, to the files' thread.

use std::sync::Arc;

use super::{Mail, Supervisor};
use crate::runtime::diffs::{Said, Say};
use crate::runtime::protocol::diff::{DiffCommand, DiffEvent};
use crate::runtime::protocol::{Event, Outcome, RequestId};
use crate::verify::comments::store;

impl Supervisor {
    pub(super) fn diff_command(&mut self, request: RequestId, command: DiffCommand) {
        let post = self.post.clone();
        if let DiffCommand::Note { ticket, change } = command {
            let root = self.options.root.clone();
            return self.files.work(move || {
                let mail = match store::change(&root, &ticket, change) {
                    Ok(notes) => {
                        let event = DiffEvent::Notes { ticket: ticket.clone(), notes: Arc::new(notes) };
                        Mail::Told(
                            request,
                            Event::Diff(event),
                            Outcome::Done { ticket: Some(ticket), run: None },
                        )
                    }
                    Err(error) => Mail::Replied(request, Outcome::Refused { message: error.to_string() }),
                };
                let _ = post.send(mail);
            });
        }
        let say: Say = Arc::new(move |said| {
            let _ = post.send(match said {
                Said::Event(event) => Mail::Said(Event::Diff(event)),
                Said::Reply(request, outcome) => Mail::Replied(request, outcome),
            });
        });
        self.diffs.take(request, command, &self.options.root, &say);
    }
}
