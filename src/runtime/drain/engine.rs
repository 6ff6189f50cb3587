//! The loop of a drain: dispatch what may run, write what must be written in one go, wait for the next thing to happen.
//!
//! `choose` decides what the next ticket of the line is and what becomes of it, `runs` follows launched runs to their
//! end. A finished run's last step and the next run's first are one write, except when others wait for the finished
//! one: then the order is computed again in between.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::run_order::RunOrder;
use super::runs::Active;
use super::ticks::{Now, Slot, Ticks};
use super::{DrainIo, DrainOptions, DrainReport, TickStatus};
use crate::base::paths::ProjectPaths;
use crate::plan::queue::Scope;
use crate::plan::store::{MutateError, Mutated, Step};
use crate::plan::ticket::{Ticket, TicketId};
use crate::runtime::claim::Claimant;
use crate::runtime::holder::Life;
use crate::runtime::launch::{Ground, RunNotice};
use crate::runtime::protocol::PlanHealth;
use crate::runtime::storage::{Storage, View};
use crate::runtime::{holder, leases};

/// Finished tickets that may wait in the sprint file before they are moved to the history together.
const ARCHIVE_EVERY: usize = 256;

/// Longest time that a finished run's ticket waits for others to be written with it.
const LINGER: Duration = Duration::from_millis(10);

/// What the owner thread and the runs send.
#[derive(Debug)]
pub(super) enum Mail {
    /// Results of the steps of one turn, and when they were sent.
    Stepped(Instant, Vec<(Purpose, Result<Mutated, MutateError>)>),
    /// A run says something.
    Run(Arc<str>, RunNotice),
}

/// Why a step was sent.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// A run is to begin.
    Start(Slot, Arc<Ticket>),
    /// A run is over; the how-manieth try to record it.
    Finish(Arc<str>, u32),
    /// A lease moves on.
    Renew,
    /// A missing input is asked for.
    Input(Slot, String),
}

/// One drain.
pub(super) struct Engine<'a> {
    pub(super) options: DrainOptions,
    pub(super) io: &'a mut dyn DrainIo,
    pub(super) paths: ProjectPaths,
    pub(super) ground: Arc<Ground>,
    pub(super) claimant: Claimant,
    pub(super) storage: Storage,
    views: watch::Receiver<View>,
    pub(super) view: View,
    mail: mpsc::UnboundedReceiver<Mail>,
    pub(super) post: mpsc::UnboundedSender<Mail>,
    pub(super) run_order: RunOrder,
    pub(super) ticks: Ticks,
    pub(super) active: Vec<Active>,
    /// Tickets whose claim is on its way.
    pub(super) starting: Vec<Arc<Ticket>>,
    /// Ended runs whose ticket is being written, with whether others wait for it.
    pub(super) ending: Vec<(Active, bool)>,
    /// Attempts of this drain.
    pub(super) attempts: HashMap<TicketId, i64>,
    /// Starts that somebody else was faster with.
    pub(super) races: HashMap<TicketId, u32>,
    /// Tickets that are not looked at again in this drain.
    pub(super) passed: HashSet<TicketId>,
    pub(super) steps: Vec<(Step, Purpose)>,
    /// Nothing new is dispatched.
    pub(super) halted: bool,
    renew_at: Option<Instant>,
    /// How long the last write took.
    write_time: Duration,
    interrupted: Vec<TicketId>,
}

impl<'a> Engine<'a> {
    /// Sets everything up; reads nothing yet.
    pub(super) fn new(options: DrainOptions, io: &'a mut dyn DrainIo) -> Engine<'a> {
        let paths = ProjectPaths::new(&options.root);
        let (storage, views) = Storage::start(options.root.clone(), None, None, options.clock.clone());
        let view = views.borrow().clone();
        let (post, mail) = mpsc::unbounded_channel();
        let (root, clock) = (options.root.clone(), options.clock.clone());
        let ground = Ground::new(root, paths.runs(), &options.actor, options.grace, clock);
        let claimant = Claimant::new(&options.actor, &ground.holder, options.lease);
        let actor = Some(options.actor.clone());
        let scope = Scope { queue: options.queue.clone(), actor, ..Scope::default() };
        Engine {
            options,
            io,
            paths,
            ground: Arc::new(ground),
            claimant,
            storage,
            views,
            view,
            mail,
            post,
            run_order: RunOrder::new(scope),
            ticks: Ticks::new(),
            active: Vec::new(),
            starting: Vec::new(),
            ending: Vec::new(),
            attempts: HashMap::new(),
            races: HashMap::new(),
            passed: HashSet::new(),
            steps: Vec::new(),
            halted: false,
            renew_at: None,
            write_time: Duration::ZERO,
            interrupted: Vec::new(),
        }
    }

    /// Drains.
    pub(super) async fn work(mut self) -> DrainReport {
        self.load().await;
        // Without a planfile there is no folder for a log either, and none is made.
        let there = matches!(self.view.health, PlanHealth::Open { .. });
        if self.options.log && !self.options.dry_run && there {
            self.ticks.open_log(&self.options, self.io);
        }
        if let Some(error) = self.unusable() {
            let slot = self.ticks.dispatch(None);
            self.settle(slot, TickStatus::PlanfileError, &error);
        } else if self.options.dry_run {
            self.preview();
        } else {
            self.tidy().await;
            self.run_all().await;
            self.flush().await;
        }
        let capped = self.options.looped
            && !self.options.dry_run
            && self.ticks.count() >= self.options.max_iterations
            && self.work_left();
        self.storage.close();
        self.ticks.finish(capped, self.interrupted, self.io)
    }

    async fn load(&mut self) {
        while matches!(self.view.health, PlanHealth::Loading) {
            if self.views.changed().await.is_err() {
                return;
            }
            self.take_view();
        }
    }

    pub(super) fn take_view(&mut self) {
        self.view = self.views.borrow_and_update().clone();
    }

    /// Why nothing can be drained here: the sprint that is worked on cannot be read or must not be written.
    fn unusable(&mut self) -> Option<String> {
        let message = match &self.view.health {
            PlanHealth::Loading => Some("the planfile could not be read".to_owned()),
            PlanHealth::Uninitialised => {
                Some(format!("{} holds no planfile; run `koru-tui init` there", self.options.root.display()))
            }
            PlanHealth::Refused { message } => Some(message.clone()),
            PlanHealth::Open { read_only: Some(why), .. } if !self.options.dry_run => Some(why.clone()),
            PlanHealth::Open { .. } => None,
        };
        let sprint = ".planfile/sprints/current.yaml";
        for fault in self.view.plan.faults.iter().filter(|fault| fault.path != sprint) {
            self.io.warn(&format!("{fault}; its tickets are left alone"));
        }
        let broken = self.view.plan.faults.iter().find(|fault| fault.path == sprint);
        message.or_else(|| broken.map(|fault| format!("{fault}; repair the file, nothing was run")))
    }

    /// Releases tickets whose lease is over, and names those whose runner died under a lease that is not: they wait for
    /// a decision, as running them again by itself could do their work twice.
    async fn tidy(&mut self) {
        let (plan, now) = (Arc::clone(&self.view.plan), self.options.clock.now());
        // A single tick moves its ticket in the very write that ends it.
        let looped = self.options.looped;
        self.storage.work(
            move |store| {
                store.more_to_come();
                if looped {
                    store.batch_archive(ARCHIVE_EVERY);
                }
                Box::new(|| ())
            },
            drop,
        );
        let expired: Vec<&Arc<Ticket>> = leases::expired(&plan.tickets, &self.ground.holder, now).collect();
        let steps: Vec<Step> =
            expired.iter().map(|ticket| self.claimant.step_on(ticket, leases::release(ticket))).collect();
        if !steps.is_empty() {
            let results = self.storage.applied(steps).await;
            self.take_view();
            for (ticket, _) in expired.iter().zip(results).filter(|(_, result)| result.is_ok()) {
                self.io.warn(&format!("{} was left running under a lease that is over; released", ticket.id));
            }
        }
        for ticket in self.view.plan.tickets.iter().filter(|ticket| leases::is_running(ticket)) {
            let assigned = ticket.execution.assigned_to.as_deref().unwrap_or_default();
            if holder::life_of(assigned, &self.ground.holder) == Life::Dead {
                self.interrupted.push(ticket.id.clone());
                let id = &ticket.id;
                self.io.warn(&format!(
                    "{id} is in progress, but its runner {assigned} died; decide with `ticket ready {id}` or \
                     `ticket fail {id}`"
                ));
            }
        }
    }

    async fn run_all(&mut self) {
        loop {
            self.wake();
            self.dispatch().await;
            self.send_steps();
            if self.active.is_empty() && self.starting.is_empty() && self.ending.is_empty() {
                if self.halted || self.options.stop.is_cancelled() {
                    return;
                }
                self.come_to_rest().await;
                if self.halted {
                    return;
                }
                continue;
            }
            self.wait().await;
        }
    }

    /// Waits for one thing to happen, and takes what waits behind it.
    async fn wait(&mut self) {
        let renew_at = self.renew_at;
        let timer = async {
            match renew_at {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let stop = self.options.stop.clone();
        let stopping = self.halted && stop.is_cancelled();
        tokio::select! {
            Some(mail) = self.mail.recv() => self.take_mail(mail),
            () = stop.cancelled(), if !stopping => self.stop_all(),
            () = timer => self.renew(),
        }
        while let Ok(mail) = self.mail.try_recv() {
            self.take_mail(mail);
        }
        self.linger().await;
        self.renew_at = match (self.active.is_empty(), self.renew_at) {
            (true, _) => None,
            (false, None) => Some(Instant::now() + self.options.lease / 3),
            (false, at) => at,
        };
    }

    /// Runs that began together often end together. With an end to write and others still running, waits a moment for
    /// theirs, so that they share a lock, a write and its syncs, each of which costs more than the wait.
    async fn linger(&mut self) {
        let until = Instant::now() + (self.write_time / 4).min(LINGER);
        while !self.steps.is_empty() && !self.active.is_empty() {
            match tokio::time::timeout_at(until, self.mail.recv()).await {
                Ok(Some(mail)) => self.take_mail(mail),
                Ok(None) | Err(_) => return,
            }
        }
    }

    fn take_mail(&mut self, mail: Mail) {
        if self.views.has_changed().unwrap_or(false) {
            self.take_view();
        }
        match mail {
            Mail::Run(run, notice) => self.take_notice(&run, notice),
            Mail::Stepped(sent, results) => {
                self.write_time = sent.elapsed();
                for (purpose, result) in results {
                    match purpose {
                        Purpose::Start(slot, ticket) => self.started(slot, &ticket, result),
                        Purpose::Finish(run, tries) => self.finished(&run, tries, result),
                        Purpose::Renew => {}
                        Purpose::Input(slot, what) => self.asked(slot, &what, result),
                    }
                }
            }
        }
    }

    fn renew(&mut self) {
        let now = self.options.clock.now();
        for run in &self.active {
            self.steps.push((self.claimant.renewal(&run.ticket, now), Purpose::Renew));
        }
        self.renew_at = Some(Instant::now() + self.options.lease / 3);
    }

    /// Hands the steps of this turn over in one request.
    pub(super) fn send_steps(&mut self) {
        if self.steps.is_empty() {
            return;
        }
        let (steps, purposes): (Vec<Step>, Vec<Purpose>) = self.steps.drain(..).unzip();
        let (post, sent) = (self.post.clone(), Instant::now());
        self.storage.apply(steps, move |results| {
            let _ = post.send(Mail::Stepped(sent, purposes.into_iter().zip(results).collect()));
        });
    }

    /// Moves what is finished to the history files.
    async fn flush(&mut self) {
        let (sender, done) = tokio::sync::oneshot::channel();
        self.storage.work(
            |store| {
                store.batch_archive(0);
                let flushed = store.flush_archive();
                Box::new(move || {
                    let _ = sender.send(flushed);
                })
            },
            drop,
        );
        if let Ok(Err(error)) = done.await {
            self.io.warn(&format!("finished tickets stay in the sprint file for now: {error}"));
        }
    }

    pub(super) fn settle(&mut self, slot: Slot, status: TickStatus, message: &str) {
        let at = self.options.clock.now();
        self.ticks.settle(slot, status, message, Now { at, io: self.io });
    }
}
