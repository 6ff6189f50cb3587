//! Diffs that consoles look at: one thread each, which holds the comparison, and nothing kept of one that is closed.
//!
//! Owns the ways to those threads. A thread ends as soon as nobody asks it any more: between any two files it looks
//! whether its diff was closed, and before it opens one between the steps of that. Notes are changed on the files' thread, which is never busy for long.

mod worker;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use super::protocol::diff::{DiffCommand, DiffEvent, DiffId};
use super::protocol::{Outcome, RequestId};
use worker::{Ask, Worker};

/// Diffs that may be open at once; the one opened first goes when there are more.
const OPEN: usize = 8;

/// Takes what the threads say, in order; must not block.
pub(super) type Say = std::sync::Arc<dyn Fn(Said) + Send + Sync>;

/// What a thread says.
#[derive(Debug)]
pub(super) enum Said {
    /// An event.
    Event(DiffEvent),
    /// The answer to a command.
    Reply(RequestId, Outcome),
}

/// Threads that there may be, those included whose diff was closed and that are not over: libgit2 is not interrupted.
const THREADS: usize = 3 * OPEN;

/// The open diffs.
#[derive(Debug, Default)]
pub(super) struct Diffs {
    open: HashMap<DiffId, (Sender<Ask>, Arc<()>)>,
    order: Vec<DiffId>,
    threads: Arc<()>,
}

impl Diffs {
    /// Carries out a command on an open diff, or opens one, of the project at `root`.
    pub(super) fn take(&mut self, request: RequestId, command: DiffCommand, root: &Path, say: &Say) {
        match command {
            DiffCommand::Open { id, ticket, range, whitespace } => {
                self.close(id);
                if self.order.len() >= OPEN {
                    self.close(self.order[0]);
                }
                if Arc::strong_count(&self.threads) > THREADS {
                    let message = "too many comparisons that were closed are not over; try again in a moment";
                    return say(Said::Reply(request, Outcome::Refused { message: message.to_owned() }));
                }
                let (asks, inbox) = channel();
                let open = Arc::new(());
                let worker = Worker {
                    id,
                    root: root.to_path_buf(),
                    ticket,
                    range,
                    whitespace,
                    say: say.clone(),
                    open: Arc::downgrade(&open),
                    _thread: Arc::clone(&self.threads),
                };
                let started = std::thread::Builder::new()
                    .name("diff".to_owned())
                    .spawn(move || worker.work(request, &inbox));
                match started {
                    Ok(_) => {
                        self.open.insert(id, (asks, open));
                        self.order.push(id);
                    }
                    Err(error) => {
                        let message = format!("no thread could be started to compare: {error}");
                        say(Said::Reply(request, Outcome::Refused { message }));
                    }
                }
            }
            DiffCommand::Body { id, file } => {
                let asked = self.open.get(&id).map(|(asks, _)| asks.send(Ask { request, file }));
                if !matches!(asked, Some(Ok(()))) {
                    let message = "this diff is closed; open it again".to_owned();
                    say(Said::Reply(request, Outcome::Refused { message }));
                }
            }
            DiffCommand::Close { id } => {
                self.close(id);
                say(Said::Reply(request, Outcome::Done { ticket: None, run: None }));
            }
            // Those are the files' thread's.
            DiffCommand::Note { .. } => {}
        }
    }

    fn close(&mut self, id: DiffId) {
        self.open.remove(&id);
        self.order.retain(|open| *open != id);
    }
}
