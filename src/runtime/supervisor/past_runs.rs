//! What consoles ask of runs that are over: which there are of a ticket, and what is kept of one.

use std::sync::Arc;

use super::{Mail, Supervisor};
use crate::plan::ticket::TicketId;
use crate::runtime::past_runs;
use crate::runtime::protocol::{Event, Outcome, RequestId, RunEvent, RunId};

impl Supervisor {
    /// Lists the runs of a ticket. Reading many small files takes a while: it is done on a thread of its own.
    pub(super) fn earlier(&self, request: RequestId, ticket: TicketId) {
        let (post, runs) = (self.post.clone(), self.paths.runs());
        tokio::task::spawn_blocking(move || {
            let (list, total) = past_runs::list(&runs, &ticket);
            let list = list.into_iter().map(Arc::new).collect();
            let event = RunEvent::Earlier { ticket: ticket.clone(), runs: list, total };
            let done = Outcome::Done { ticket: Some(ticket), run: None };
            let _ = post.send(Mail::Told(request, Event::Run(event), done));
        });
    }

    /// Opens one run. Counting the lines of a huge transcript without its places takes a while.
    pub(super) fn open(&self, request: RequestId, run: RunId) {
        let (post, runs) = (self.post.clone(), self.paths.runs());
        tokio::task::spawn_blocking(move || {
            let mail = match past_runs::open(&runs, &run.0) {
                Some(view) => {
                    let done = Outcome::Done { ticket: Some(view.ticket.clone()), run: Some(run) };
                    let event = RunEvent::Opened { view: Arc::new(view) };
                    Mail::Told(request, Event::Run(event), done)
                }
                None => {
                    let message = format!("nothing is kept of the run {}", run.0);
                    Mail::Replied(request, Outcome::Refused { message })
                }
            };
            let _ = post.send(mail);
        });
    }
}
