//! Which ticket runs now: the queue's own choice and the operator's.
//!
//! A ticket is started by one durable step that claims it for this process, refused when anything about it changed
//! since it was looked at. Only then is a child spawned.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::runs::ActiveRun;
use super::{Mail, Purpose, Supervisor};
use crate::execute::action::Action;
use crate::plan::lifecycle::Op;
use crate::plan::policy::Policy;
use crate::plan::queue::Standing;
use crate::plan::store::{MutateError, Mutated};
use crate::plan::ticket::{Ticket, TicketId};
use crate::runtime::job_slot;
use crate::runtime::launch::{Delegation, Order, launch};
use crate::runtime::overlap;
use crate::runtime::protocol::{Held, HeldWhy, Outcome, RequestId, RunId};
use crate::runtime::wording;

/// Seconds before a failed ticket is tried again by the queue, doubled with each failure of this session.
const BACKOFF_SECONDS: i64 = 5;

/// Longest of these waits.
const BACKOFF_LIMIT_SECONDS: i64 = 900;

/// The queue runner's own state.
#[derive(Debug)]
pub(super) struct QueueState {
    /// Whether runnable tickets are being started.
    pub(super) running: bool,
    /// Limit of parallel runs.
    pub(super) jobs: u32,
    /// What is passed over right now.
    pub(super) held: Vec<Held>,
    /// Failures of this session, and when each ticket may be tried again.
    pub(super) failures: HashMap<TicketId, (u32, Timestamp)>,
    /// Starts that were refused, with the `updated_at` they were refused at: not tried again until it changes.
    pub(super) refused: HashMap<TicketId, (Option<Timestamp>, String)>,
}

impl QueueState {
    /// A paused queue.
    pub(super) fn new(jobs: u32) -> Self {
        Self {
            running: false,
            jobs: jobs.max(1),
            held: Vec::new(),
            failures: HashMap::new(),
            refused: HashMap::new(),
        }
    }

    /// A run of `ticket` failed at `now`: the queue waits before it tries again.
    pub(super) fn failed(&mut self, ticket: &TicketId, now: Timestamp) {
        let (count, until) = self.failures.entry(ticket.clone()).or_insert((0, now));
        let seconds = BACKOFF_SECONDS.saturating_mul(1_i64 << (*count).min(16)).min(BACKOFF_LIMIT_SECONDS);
        *count += 1;
        *until = now.saturating_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(now);
    }

    /// When the next waiting ticket may be tried again.
    pub(super) fn next_try(&self) -> Option<Timestamp> {
        let waits = self.held.iter().filter_map(|held| match held.why {
            HeldWhy::Backoff { until } | HeldWhy::Asleep { until, .. } => Some(until),
            HeldWhy::Files { .. } | HeldWhy::Policy { .. } | HeldWhy::Start { .. } => None,
        });
        waits.min()
    }
}

impl Supervisor {
    /// Starts what the queue may start. Human tickets are left to the operator and block nobody.
    pub(super) fn fill(&mut self) {
        // Who began earlier goes on before anything new begins, also while the queue is paused.
        let free = (self.queue.jobs as usize).saturating_sub(self.busy());
        job_slot::grant(self.runs.iter().map(|run| &run.launched.slot), free);
        let before = std::mem::take(&mut self.queue.held);
        if self.queue.running && self.closing.is_none() {
            let order = Arc::clone(&self.view.order);
            for id in &order.runnable {
                if self.busy() >= self.queue.jobs as usize {
                    break;
                }
                if let Some(ticket) = self.view.ticket(id).cloned() {
                    self.consider(&ticket);
                }
            }
        }
        self.dirty |= before != self.queue.held;
    }

    fn consider(&mut self, ticket: &Arc<Ticket>) {
        if self.is_taken(&ticket.id) {
            return;
        }
        let action = Order::of(&self.options.root, ticket).action;
        match &action {
            Action::Human { .. } | Action::Unsupported { .. } => return,
            Action::Missing { what } => return self.ask_for_input(ticket, what),
            Action::Shell { .. }
            | Action::Api(_)
            | Action::Llm(_)
            | Action::Mcp(_)
            | Action::Agent { .. } => {}
        }
        match self.why_held(ticket, &action) {
            Some(why) => self.queue.held.push(Held { ticket: ticket.id.clone(), why }),
            None => self.begin(ticket, None, None),
        }
    }

    /// Why the queue passes this ticket over.
    fn why_held(&self, ticket: &Ticket, action: &Action) -> Option<HeldWhy> {
        if let Some((at, message)) = self.queue.refused.get(&ticket.id)
            && *at == ticket.updated_at
        {
            return Some(HeldWhy::Start { message: message.clone() });
        }
        if let Some((_, until)) = self.queue.failures.get(&ticket.id)
            && *until > self.now()
        {
            return Some(HeldWhy::Backoff { until: *until });
        }
        // Who starts it by hand may have it sleep; the queue would only fill up with sleepers.
        if let Some((agent, until)) = self.ground.asleep(action) {
            return Some(HeldWhy::Asleep { agent, until });
        }
        self.why_not_now(ticket, action)
    }

    /// Why this ticket must not be started now, whoever asks.
    fn why_not_now(&self, ticket: &Ticket, action: &Action) -> Option<HeldWhy> {
        let violations = violations(&self.options.root, action);
        if !violations.is_empty() {
            return Some(HeldWhy::Policy { violations });
        }
        let running = self.runs.iter().map(|run| &run.ticket);
        let starting = self.starting.iter().filter_map(|id| self.view.ticket(id));
        running.chain(starting).find_map(|other| {
            let path = overlap::collision(&ticket.files, &other.files)?;
            Some(HeldWhy::Files { with: other.id.clone(), path: path.to_owned() })
        })
    }

    fn is_taken(&self, id: &TicketId) -> bool {
        self.starting.contains(id) || self.runs.iter().any(|run| run.ticket.id == *id)
    }

    /// The operator asks for one ticket, by its own executor or by an agent.
    pub(super) fn start_asked(&mut self, request: RequestId, id: &TicketId, delegation: Option<Delegation>) {
        match self.startable(id, delegation.as_ref()) {
            Ok(ticket) => self.begin(&ticket, Some(request), delegation),
            Err(message) => self.refuse(request, message),
        }
    }

    fn startable(&self, id: &TicketId, delegation: Option<&Delegation>) -> Result<Arc<Ticket>, String> {
        if self.closing.is_some() {
            return Err("koru-tui is closing; nothing new is started".to_owned());
        }
        let ticket = self.view.ticket(id).ok_or_else(|| format!("no ticket {id} in this planfile"))?;
        if self.is_taken(id) {
            return Err(format!("{id} runs already"));
        }
        let Order { action, .. } = Order::wanted(&self.options.root, ticket, delegation);
        match &action {
            Action::Human { .. } => {
                return Err(format!("{id} asks a person; answer it instead of running it"));
            }
            Action::Missing { what } => return Err(what.clone()),
            Action::Unsupported { why, .. } => return Err(format!("{id} cannot run: {why}")),
            Action::Shell { .. }
            | Action::Api(_)
            | Action::Llm(_)
            | Action::Mcp(_)
            | Action::Agent { .. } => {}
        }
        match self.view.order.standing.get(id) {
            Some(Standing::Ready { .. }) => {}
            // What asks a person may be handed to an agent instead.
            Some(Standing::NeedsYou) if delegation.is_some() => {}
            Some(standing) => return Err(format!("{id} cannot run now: {}", wording::why_not(standing))),
            None => return Err(format!("{id} cannot run now")),
        }
        match self.why_not_now(ticket, &action) {
            Some(why) => Err(format!("{id} {why}")),
            None => Ok(Arc::clone(ticket)),
        }
    }

    /// Sends the claim.
    pub(super) fn begin(
        &mut self,
        ticket: &Arc<Ticket>,
        request: Option<RequestId>,
        delegation: Option<Delegation>,
    ) {
        self.starting.push(ticket.id.clone());
        self.dirty = true;
        let step = self.claimant.claim(ticket, self.now());
        self.step(step, Purpose::Start { ticket: ticket.id.clone(), request, delegation });
    }

    /// The claim is durable: the run begins.
    pub(super) fn started(
        &mut self,
        id: &TicketId,
        request: Option<RequestId>,
        delegation: Option<&Delegation>,
        result: Result<Mutated, MutateError>,
    ) {
        let ticket = match result {
            Ok(mutated) => mutated.ticket,
            Err(error) => return self.not_started(id, request, &error),
        };
        self.starting.retain(|starting| starting != id);
        self.queue.refused.remove(id);
        if self.closing.is_some() {
            let note = Some("Released: koru-tui was closed before the run began".to_owned());
            let step = self.claimant.step_on(&ticket, Op::Ready { note });
            self.step(step, Purpose::Tidy { ticket: id.clone() });
            if let Some(request) = request {
                self.refuse(request, "koru-tui is closing; nothing new is started");
            }
            return;
        }
        let post = self.post.clone();
        let launched = launch(
            &self.ground,
            &ticket,
            Order::wanted(&self.options.root, &ticket, delegation),
            move |run, notice| {
                let _ = post.send(Mail::Run(Arc::clone(run), notice));
            },
        );
        let run = ActiveRun::new(ticket, launched, self.claimant.lease_end(self.now()));
        if let Some(request) = request {
            let run = Some(RunId(Arc::clone(&run.launched.id)));
            self.reply(request, Outcome::Done { ticket: Some(id.clone()), run });
        }
        if self.runs.is_empty() {
            self.upkeep.renew_at = Some(Instant::now() + self.options.lease / 3);
        }
        self.runs.push(run);
        self.dirty = true;
    }

    fn not_started(&mut self, id: &TicketId, request: Option<RequestId>, error: &MutateError) {
        self.starting.retain(|starting| starting != id);
        self.dirty = true;
        let message = format!("{id} was not started: {error}");
        match request {
            Some(request) => self.refuse(request, message),
            None => {
                let at = self.view.ticket(id).and_then(|ticket| ticket.updated_at);
                self.queue.refused.insert(id.clone(), (at, message));
            }
        }
    }

    /// A required input is not there: the ticket says so and waits for a person (koru §4.1 step 4).
    fn ask_for_input(&mut self, ticket: &Ticket, what: &str) {
        let op = Op::Input { prompt: what.to_owned(), env_keys: Vec::new(), note: None };
        let refused_at = self.queue.refused.get(&ticket.id).map(|(at, _)| *at);
        if refused_at == Some(ticket.updated_at) {
            return;
        }
        self.queue.refused.insert(ticket.id.clone(), (ticket.updated_at, what.to_owned()));
        let step = self.claimant.step_on(ticket, op);
        self.step(step, Purpose::Tidy { ticket: ticket.id.clone() });
    }
}

/// What the policy has against `action`. The file is read each time: the operator may just have changed it.
pub(crate) fn violations(root: &std::path::Path, action: &Action) -> Vec<String> {
    let Some(command) = action.command_line() else { return Vec::new() };
    let (policy, _) = Policy::load(root);
    policy.check_command(command).iter().map(ToString::to_string).collect()
}

/// Time until `at` as this process measures it.
pub(super) fn until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO)
}
