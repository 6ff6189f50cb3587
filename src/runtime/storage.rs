//! The owner thread of the planfile: every read and write of the store happens here, one after the other.
//!
//! Locks, syncs and parsing block; the async side only sends work and gets answers. Writes that wait in line together
//! are made in one [`Store::apply`], so that runs ending at the same time share a lock, a write and a sync. What the
//! thread knows is published as a [`View`] before an answer is given: whoever reads the view after an answer sees its
//! effect. The thread sleeps in `recv` until there is work, and ends with [`Storage::close`].

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

use super::protocol::PlanHealth;
use crate::base::clock::Clock;
use crate::plan::queue::{Order, Scope, order};
use crate::plan::store::watch::{Noticed, Watcher};
use crate::plan::store::{MutateError, Mutated, OpenError, Plan, Step, Store};
use crate::plan::ticket::{Ticket, TicketId};

/// What the store says at one moment.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// Health of the planfile.
    pub(crate) health: PlanHealth,
    /// The tickets.
    pub(crate) plan: Arc<Plan>,
    /// Their order; empty when the storage was opened without a scope.
    pub(crate) order: Arc<Order>,
}

impl View {
    /// The view before anything was read.
    fn blank(health: PlanHealth) -> View {
        View { health, plan: Arc::default(), order: Arc::default() }
    }

    /// The ticket with this id.
    pub(crate) fn ticket(&self, id: &TicketId) -> Option<&Arc<Ticket>> {
        self.plan.ticket(id)
    }
}

/// Results of the steps of one request, in order.
pub(crate) type Applied = Vec<Result<Mutated, MutateError>>;

/// Gives an answer; called once the view shows what the work did.
pub(crate) type Then = Box<dyn FnOnce() + Send>;

/// Work with the store that is more than steps.
type Work = Box<dyn FnOnce(&mut Store) -> Then + Send>;

/// Called with the answer, on the owner thread; must not block.
type Answer<T> = Box<dyn FnOnce(T) + Send>;

enum Request {
    /// Steps; requests that wait in line together are merged.
    Apply(Vec<Step>, Answer<Applied>),
    /// Anything else.
    Work(Work, Answer<OpenError>),
    /// Something may have changed on disk.
    Refresh,
    /// Time has passed that matters to the order.
    Reorder,
    /// Another project state: make the planfile.
    Make(Box<dyn FnOnce() -> Then + Send>),
    /// Nothing more will come.
    Close,
}

/// The async side's handle.
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    requests: Sender<Request>,
}

impl Storage {
    /// Starts the owner thread for the project at `root`. With a `scope`, each view carries its order; with `notices`,
    /// the planfile's folders are watched and the receiver is to ask for a refresh.
    pub(crate) fn start(
        root: PathBuf,
        scope: Option<Scope>,
        notices: Option<UnboundedSender<Noticed>>,
        clock: Clock,
    ) -> (Storage, watch::Receiver<View>) {
        let (requests, inbox) = channel();
        let (views, receiver) = watch::channel(View::blank(PlanHealth::Loading));
        let storage = Storage { requests };
        let owner = move || {
            // Watching starts before the first reading, so that no change falls between the two.
            let watcher = notices.map(|notices| Watcher::start(&root, notices));
            let mut owner = Owner { root, scope, clock, store: None, views, watcher };
            owner.publish();
            owner.serve(&inbox);
        };
        if let Err(error) = std::thread::Builder::new().name("planfile".to_owned()).spawn(owner) {
            tracing::error!(%error, "the planfile's owner thread cannot be started");
        }
        (storage, receiver)
    }

    /// Applies steps; `answer` gets their results.
    pub(crate) fn apply(&self, steps: Vec<Step>, answer: impl FnOnce(Applied) + Send + 'static) {
        self.send(Request::Apply(steps, Box::new(answer)));
    }

    /// Applies steps and waits.
    pub(crate) async fn applied(&self, steps: Vec<Step>) -> Applied {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        self.apply(steps, move |results| drop(sender.send(results)));
        receiver.await.unwrap_or_default()
    }

    /// Does `work` with the store; `closed` is called instead when there is none.
    pub(crate) fn work(
        &self,
        work: impl FnOnce(&mut Store) -> Then + Send + 'static,
        closed: impl FnOnce(OpenError) + Send + 'static,
    ) {
        self.send(Request::Work(Box::new(work), Box::new(closed)));
    }

    /// Looks at the disk again.
    pub(crate) fn refresh(&self) {
        self.send(Request::Refresh);
    }

    /// Looks at the disk again and waits until the view shows it.
    pub(crate) async fn refreshed(&self) {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        self.send(Request::Make(Box::new(move || {
            Box::new(move || {
                let _ = sender.send(());
            })
        })));
        let _ = receiver.await;
    }

    /// Computes the order again.
    pub(crate) fn reorder(&self) {
        self.send(Request::Reorder);
    }

    /// Runs `make`, which may make a planfile, then looks at the disk again.
    pub(crate) fn make(&self, make: impl FnOnce() -> Then + Send + 'static) {
        self.send(Request::Make(Box::new(make)));
    }

    /// Ends the thread once everything asked before is done.
    pub(crate) fn close(&self) {
        self.send(Request::Close);
    }

    fn send(&self, request: Request) {
        // Fails only after a close, or when the thread could not be started, which was said then.
        let _ = self.requests.send(request);
    }
}

/// The thread's own state.
struct Owner {
    root: PathBuf,
    scope: Option<Scope>,
    clock: Clock,
    store: Option<Store>,
    views: watch::Sender<View>,
    watcher: Option<Watcher>,
}

impl Owner {
    fn serve(&mut self, inbox: &Receiver<Request>) {
        let mut waiting: VecDeque<Request> = VecDeque::new();
        loop {
            if waiting.is_empty() {
                match inbox.recv() {
                    Ok(request) => waiting.push_back(request),
                    Err(_) => return,
                }
            }
            waiting.extend(inbox.try_iter());
            match waiting.pop_front() {
                Some(Request::Apply(steps, answer)) => self.apply(steps, answer, &mut waiting),
                Some(Request::Work(work, closed)) => self.work(work, closed),
                Some(Request::Refresh) => {
                    waiting.retain(|request| !matches!(request, Request::Refresh));
                    self.refresh();
                }
                Some(Request::Reorder) => self.publish(),
                Some(Request::Make(make)) => {
                    let then = make();
                    self.refresh();
                    then();
                }
                Some(Request::Close) => return,
                None => {}
            }
        }
    }

    /// Applies these steps and those of all applies that stand right behind them, in one go.
    fn apply(&mut self, steps: Vec<Step>, answer: Answer<Applied>, waiting: &mut VecDeque<Request>) {
        let mut batch = steps;
        let mut answers = vec![(batch.len(), answer)];
        while let Some(Request::Apply(..)) = waiting.front() {
            if let Some(Request::Apply(steps, answer)) = waiting.pop_front() {
                answers.push((steps.len(), answer));
                batch.extend(steps);
            }
        }
        let mut results = match self.store() {
            Ok(store) => store.apply(&batch).into_iter(),
            Err(_) => {
                let closed = |_| Err(MutateError::Open(OpenError::Uninitialised(self.root.clone())));
                batch.iter().map(closed).collect::<Vec<_>>().into_iter()
            }
        };
        self.publish();
        for (count, answer) in answers {
            answer(results.by_ref().take(count).collect());
        }
    }

    fn work(&mut self, work: Work, closed: Answer<OpenError>) {
        let then = match self.store() {
            Ok(store) => work(store),
            Err(error) => Box::new(move || closed(error)),
        };
        self.publish();
        then();
    }

    fn refresh(&mut self) {
        match &mut self.store {
            Some(store) => {
                if store.refresh() {
                    self.publish();
                }
            }
            None => {
                let _ = self.store();
                self.publish();
            }
        }
    }

    /// The store, opened now if it could not be before.
    fn store(&mut self) -> Result<&mut Store, OpenError> {
        match &mut self.store {
            Some(store) => Ok(store),
            none => Ok(none.insert(Store::open(&self.root)?.with_clock(self.clock.clone()))),
        }
    }

    fn publish(&mut self) {
        let watching = self.watcher.as_ref().map_or_else(|| "off".to_owned(), Watcher::describe);
        let view = match self.store() {
            Ok(store) => {
                let plan = store.plan();
                let health = PlanHealth::Open { read_only: store.read_only(), watching };
                let order = match &self.scope {
                    Some(scope) => Arc::new(order(&plan.tickets, scope, self.clock.now())),
                    None => Arc::default(),
                };
                View { health, plan, order }
            }
            Err(OpenError::Uninitialised(_)) => View::blank(PlanHealth::Uninitialised),
            Err(error) => {
                let message = error.to_string();
                // What was last read stays on screen next to the reason.
                View { health: PlanHealth::Refused { message }, ..self.views.borrow().clone() }
            }
        };
        self.views.send_replace(view);
    }
}
