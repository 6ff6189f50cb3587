//! The supervisor's task: the one owner of runs, queue and snapshot. Everything reaches it as a message, in order.
//!
//! A turn takes one message and whatever waits behind it, changes state, gathers the planfile steps that follow, hands
//! them over in one request, then publishes one snapshot. Nothing here blocks and nothing ticks: without runs the only
//! timers are the next lease end and, while the queue runs, the next second try.
//!
//! The parts: `messages` (all that reaches the task), `commands` (what consoles ask), `starts` (which ticket runs now),
//! `runs` (what runs say and how they end), `past_runs` (runs of before), `reviews` (rounds and decisions on them),
//! `promotions` (work that lands), `upkeep` (leases, silence, dead holders), `closing` (leaving nobody behind), `snapshot`
//! (what consoles read), `outbox` (slow consoles).

mod agents;
mod changes;
mod closing;
mod commands;
mod diffs;
mod messages;
mod outbox;
mod past_runs;
mod promotions;
mod reviews;
mod runs;
mod snapshot;
mod starts;
pub(super) use starts::violations;
mod upkeep;

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use super::claim::Claimant;
use super::diffs::Diffs;
use super::files::Files;
use super::launch::Ground;
use super::protocol::{Event, Outcome, ProjectEvent, RequestId, RunEvent, RunView};
use super::storage::{Storage, View};
use super::{Options, SharedSnapshot};
use crate::base::paths::ProjectPaths;
use crate::plan::queue::Scope;
use crate::plan::store::watch::Noticed;
use crate::plan::store::{MutateError, Mutated, Step};
use crate::plan::ticket::TicketId;
use agents::Staff;
use closing::Closing;
pub(super) use messages::Call;
use messages::{Mail, Purpose};
use outbox::Outbox;
use promotions::Promotions;
use reviews::Reviews;
use runs::ActiveRun;
use starts::QueueState;
use upkeep::Upkeep;

/// The state of one supervisor.
pub(super) struct Supervisor {
    options: Options,
    paths: ProjectPaths,
    ground: Arc<Ground>,
    claimant: Claimant,
    storage: Storage,
    files: Files,
    views: watch::Receiver<View>,
    noticed: mpsc::UnboundedReceiver<Noticed>,
    view: View,
    /// Whether a view was taken over.
    viewed: bool,
    calls: mpsc::UnboundedReceiver<Call>,
    mail: mpsc::UnboundedReceiver<Mail>,
    post: mpsc::UnboundedSender<Mail>,
    events: mpsc::Sender<Event>,
    outbox: Outbox,
    shared: SharedSnapshot,
    runs: Vec<ActiveRun>,
    /// Tickets whose start is on its way to the planfile.
    starting: Vec<TicketId>,
    /// Ended and interrupted runs, newest first.
    past: Vec<Arc<RunView>>,
    queue: QueueState,
    upkeep: Upkeep,
    /// Steps of this turn.
    steps: Vec<(Step, Purpose)>,
    closing: Option<Closing>,
    staff: Staff,
    diffs: Diffs,
    reviews: Reviews,
    promotions: Promotions,
    branch: Option<String>,
    revision: u64,
    dirty: bool,
    /// Every handle is gone.
    alone: bool,
}

impl Supervisor {
    /// Sets everything up; reads nothing yet.
    pub(super) fn new(
        options: Options,
        calls: mpsc::UnboundedReceiver<Call>,
        events: mpsc::Sender<Event>,
        shared: SharedSnapshot,
    ) -> Supervisor {
        let paths = ProjectPaths::new(&options.root);
        let scope =
            Scope { queue: options.queue.clone(), actor: Some(options.actor.clone()), ..Scope::default() };
        let (notices, noticed) = mpsc::unbounded_channel();
        let (storage, views) =
            Storage::start(options.root.clone(), Some(scope), Some(notices), options.clock.clone());
        let view = views.borrow().clone();
        let files = Files::start(paths.clone());
        let (post, mail) = mpsc::unbounded_channel();
        let ground = Ground::new(
            options.root.clone(),
            paths.runs(),
            &options.actor,
            options.grace,
            options.clock.clone(),
        );
        let queue = QueueState::new(options.jobs);
        let claimant = Claimant::new(&options.actor, &ground.holder, options.lease);
        Supervisor {
            options,
            paths,
            ground: Arc::new(ground),
            claimant,
            storage,
            files,
            views,
            noticed,
            view,
            viewed: false,
            calls,
            mail,
            post,
            events,
            outbox: Outbox::default(),
            shared,
            runs: Vec::new(),
            starting: Vec::new(),
            past: Vec::new(),
            queue,
            upkeep: Upkeep::default(),
            steps: Vec::new(),
            closing: None,
            staff: Staff::default(),
            diffs: Diffs::default(),
            reviews: Reviews::default(),
            promotions: Promotions::default(),
            branch: None,
            revision: 0,
            dirty: false,
            alone: false,
        }
    }

    /// Works until shut down, or until every handle is gone.
    pub(super) async fn work(mut self) {
        self.ask_branch();
        while self.turn().await {
            self.fill();
            self.send_steps();
            self.publish();
        }
        self.abandon();
        self.storage.close();
        if let Some(closing) = self.closing.take() {
            closing.done();
        }
    }

    /// Waits for one message and takes it with all that wait behind it. False when it is time to end.
    async fn turn(&mut self) -> bool {
        if self.closing.as_ref().is_some_and(|closing| closing.is_over(self.busy_to_the_end())) {
            return false;
        }
        let wake = self.wake_at();
        let events = self.events.clone();
        let timer = async {
            match wake {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            call = self.calls.recv(), if !self.alone => match call {
                Some(call) => self.take_call(call),
                None => {
                    self.alone = true;
                    self.begin_closing(None);
                }
            },
            Some(mail) = self.mail.recv() => self.take_mail(mail),
            Ok(()) = self.views.changed() => self.take_view(),
            Some(noticed) = self.noticed.recv() => self.take_notice_of_disk(noticed),
            permit = events.reserve(), if !self.outbox.is_empty() => match (permit, self.outbox.pop()) {
                (Ok(permit), Some(event)) => permit.send(event),
                // Nobody listens any more; events are dropped, the work goes on until the handles are gone too.
                (Err(_), _) => self.outbox = Outbox::default(),
                (Ok(_), None) => {}
            },
            () = timer => self.upkeep(),
        }
        self.take_waiting();
        true
    }

    /// Takes what is there already, so that a burst is one turn and one snapshot.
    fn take_waiting(&mut self) {
        for _ in 0..256 {
            if let Ok(mail) = self.mail.try_recv() {
                self.take_mail(mail);
            } else if let Ok(call) = self.calls.try_recv() {
                self.take_call(call);
            } else {
                return;
            }
        }
    }

    /// Something may have changed on disk; receipts are not part of the plan.
    fn take_notice_of_disk(&mut self, noticed: Noticed) {
        if noticed == Noticed::Plan {
            self.storage.refresh();
        }
    }

    fn take_call(&mut self, call: Call) {
        match call {
            Call::Command(request, command) => self.take_command(request, command),
            Call::Shutdown(done) => self.begin_closing(Some(done)),
        }
    }

    fn take_mail(&mut self, mail: Mail) {
        // An answer of the owner thread comes after the view that shows its effect.
        if self.views.has_changed().unwrap_or(false) {
            self.take_view();
        }
        match mail {
            Mail::Stepped(results) => {
                for (purpose, result) in results {
                    self.take_step(purpose, result);
                }
            }
            Mail::Run(run, notice) => self.take_notice(&run, notice),
            Mail::Replied(request, outcome) => self.reply(request, outcome),
            Mail::Fetched { request, run, from, lines } => {
                let event = RunEvent::Lines { run: run.clone(), first: from, lines: lines.into() };
                self.outbox.push(Event::Run(event));
                self.reply(request, Outcome::Done { ticket: None, run: Some(run) });
            }
            Mail::Told(request, event, outcome) => {
                self.outbox.push(event);
                self.reply(request, outcome);
            }
            Mail::Said(event) => self.outbox.push(event),
            Mail::Draft { request, key, text } => {
                self.outbox.push(Event::Project(ProjectEvent::Draft { key, text }));
                self.reply(request, Outcome::Done { ticket: None, run: None });
            }
            Mail::Found(found) => self.take_found(found),
            Mail::Decided { request, ticket, result } => self.decided(request, &ticket, result),
            Mail::Reviews(found) => self.take_reviews(found),
            Mail::Promotion(mail) => self.take_promotion_mail(mail),
            Mail::OrphanStopped(run) => self.orphan_stopped(&run),
            Mail::OrphanSought { request, run, note, lives } => self.orphan_sought(request, run, note, lives),
            Mail::Staff(staff) => {
                self.dirty |= self.staff != staff;
                self.staff = staff;
            }
            Mail::Branch(branch) => {
                self.dirty |= self.branch != branch;
                self.branch = branch;
            }
        }
    }

    fn take_step(&mut self, purpose: Purpose, result: Result<Mutated, MutateError>) {
        match purpose {
            Purpose::Start { ticket, request, delegation } => {
                self.started(&ticket, request, delegation.as_ref(), result)
            }
            Purpose::Finish { run, tries } => self.finished(&run, tries, result),
            Purpose::Renew { run } => self.renewed(&run, result),
            Purpose::Apply { request } => {
                let outcome = match result {
                    Ok(mutated) => Outcome::Done { ticket: Some(mutated.ticket.id.clone()), run: None },
                    Err(error) => Outcome::Refused { message: error.to_string() },
                };
                self.reply(request, outcome);
            }
            Purpose::Resolve { request, run, retry } => self.resolved(request, &run, retry, result),
            Purpose::Decide { request, decided } => self.decision_written(request, &decided, result),
            Purpose::Tidy { ticket } => self.tidied(&ticket, result),
        }
    }

    /// Takes over what the planfile says now.
    fn take_view(&mut self) {
        // Told apart by this: the owner thread may have read everything before we looked for the first time.
        let first = !std::mem::replace(&mut self.viewed, true);
        self.view = self.views.borrow_and_update().clone();
        self.dirty = true;
        self.look_at_runs();
        self.look_for_interrupted();
        self.look_for_reviews();
        self.look_for_promotions();
        if first {
            self.ask_staff();
        } else {
            self.ask_branch();
        }
    }

    /// Asks for the branch on the files' thread: opening a repository reads the disk.
    fn ask_branch(&self) {
        let (post, root) = (self.post.clone(), self.options.root.clone());
        self.files.work(move || {
            let _ = post.send(Mail::Branch(crate::base::repo::branch(&root)));
        });
    }

    fn reply(&mut self, request: RequestId, outcome: Outcome) {
        self.outbox.push(Event::Reply { request, outcome });
    }

    fn refuse(&mut self, request: RequestId, message: impl Into<String>) {
        self.reply(request, Outcome::Refused { message: message.into() });
    }

    fn now(&self) -> Timestamp {
        self.options.clock.now()
    }

    /// Runs that occupy a job, those on their way included; who sleeps occupies none.
    fn busy(&self) -> usize {
        let held = self.runs.iter().filter(|run| run.launched.slot.is_held()).count();
        held + self.starting.len()
    }

    fn step(&mut self, step: Step, purpose: Purpose) {
        self.steps.push((step, purpose));
    }

    /// Hands the steps of this turn over in one request, so that one run's end and the next one's start share a write.
    fn send_steps(&mut self) {
        if self.steps.is_empty() {
            return;
        }
        let (steps, purposes): (Vec<Step>, Vec<Purpose>) = self.steps.drain(..).unzip();
        let post = self.post.clone();
        self.storage.apply(steps, move |results| {
            let _ = post.send(Mail::Stepped(purposes.into_iter().zip(results).collect()));
        });
    }
}

#[cfg(test)]
mod tests;
