//! The thread of one diff: lists, then counts, and answers for texts in between.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::{Said, Say};
use crate::plan::ticket::TicketId;
use crate::runtime::protocol::diff::{Counted, DiffEvent, DiffId, DiffRange};
use crate::runtime::protocol::{Outcome, RequestId};
use crate::verify::diff::{DiffError, Differ, rounds_on_disk};

/// Counts are said at most this often; a screen is drawn no faster.
const PAUSE: Duration = Duration::from_millis(25);

/// Somebody wants the texts of a file.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) request: RequestId,
    pub(super) file: u32,
}

/// All that the thread knows.
pub(super) struct Worker {
    pub(super) id: DiffId,
    pub(super) root: PathBuf,
    pub(super) ticket: TicketId,
    pub(super) range: DiffRange,
    pub(super) whitespace: bool,
    pub(super) say: Say,
    /// Gone as soon as the diff is closed.
    pub(super) open: Weak<()>,
    /// Counts the threads that there are.
    pub(super) _thread: Arc<()>,
}

impl Worker {
    /// Works until nobody can ask any more.
    pub(super) fn work(self, request: RequestId, inbox: &Receiver<Ask>) {
        let opened = rounds_on_disk(&self.root, &self.ticket).and_then(|review| {
            let (root, ticket, wanted) = (&self.root, &self.ticket, || self.open.strong_count() > 0);
            Differ::open_while(root, ticket, review.as_ref(), &self.range, self.whitespace, &wanted)
        });
        let (mut differ, listing) = match opened {
            Ok(opened) => opened,
            Err(DiffError::Unwanted) => return (self.say)(Said::Reply(request, done(&self.ticket))),
            Err(error) => {
                return (self.say)(Said::Reply(request, Outcome::Refused { message: error.to_string() }));
            }
        };
        let count = listing.files.len();
        self.event(DiffEvent::Listed { id: self.id, listing: Arc::new(listing) });
        (self.say)(Said::Reply(request, done(&self.ticket)));
        let mut batch = Vec::new();
        let mut said = Instant::now();
        for file in 0..count {
            match inbox.try_recv() {
                Ok(ask) => {
                    self.answer(&mut differ, &ask);
                    // Whoever pages through the files goes before their counts.
                    while let Ok(ask) = inbox.try_recv() {
                        self.answer(&mut differ, &ask);
                    }
                }
                Err(TryRecvError::Disconnected) => return,
                Err(TryRecvError::Empty) => {}
            }
            batch.extend(differ.count(file));
            if said.elapsed() >= PAUSE {
                self.counted(&mut batch, None);
                said = Instant::now();
            }
        }
        self.counted(&mut batch, Some(differ.hash()));
        while let Ok(ask) = inbox.recv() {
            self.answer(&mut differ, &ask);
        }
    }

    fn counted(&self, batch: &mut Vec<Counted>, hash: Option<String>) {
        self.event(DiffEvent::Counted { id: self.id, counted: std::mem::take(batch), hash });
    }

    fn answer(&self, differ: &mut Differ, ask: &Ask) {
        let outcome = match differ.body(ask.file as usize) {
            Some(body) => {
                self.event(DiffEvent::Body { id: self.id, file: ask.file, body: Arc::new(body) });
                done(&self.ticket)
            }
            None => Outcome::Refused { message: "there is no such file in this diff".to_owned() },
        };
        (self.say)(Said::Reply(ask.request, outcome));
    }

    fn event(&self, event: DiffEvent) {
        (self.say)(Said::Event(event));
    }
}

fn done(ticket: &TicketId) -> Outcome {
    Outcome::Done { ticket: Some(ticket.clone()), run: None }
}
