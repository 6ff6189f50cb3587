//! What becomes of the next ticket in line (koru §4.1), and what a drain says when the line is empty.

use std::sync::Arc;

use super::engine::{Engine, Purpose};
use super::ticks::Slot;
use super::{Target, TickStatus};
use crate::execute::action::Action;
use crate::execute::human::HumanAnswer;
use crate::execute::llm;
use crate::plan::lifecycle::Op;
use crate::plan::queue::{Scope, Standing, order};
use crate::plan::settings::Settings;
use crate::plan::store::{MutateError, Mutated};
use crate::plan::ticket::Ticket;
use crate::runtime::answering::AnswerJob;
use crate::runtime::job_slot;
use crate::runtime::launch::{Delegation, Order};
use crate::runtime::overlap;
use crate::runtime::supervisor::violations;
use crate::runtime::wording;

/// What to do next.
enum Choice {
    /// Run it.
    Run(Arc<Ticket>),
    /// The policy refuses it.
    Deny(Arc<Ticket>, Vec<String>),
    /// A person is asked. Only when nothing runs: koru's loop would stop here.
    Ask(Arc<Ticket>, String),
    /// An input is missing. Only when nothing runs, for the same reason.
    Lack(Arc<Ticket>, String),
    /// It cannot be run by this version. Only when nothing runs, for the same reason.
    Leave(Arc<Ticket>, String),
    /// The ticket that was asked for cannot run now, and why.
    Refuse(Option<Arc<Ticket>>, String),
    /// Nothing for now: wait for what runs, or the line is empty.
    Nothing,
}

impl Engine<'_> {
    /// Dispatches as much as may be.
    pub(super) async fn dispatch(&mut self) {
        while self.may_dispatch() {
            let now = self.options.clock.now();
            self.run_order.follow(&self.view.plan, now);
            match self.choose() {
                Choice::Run(ticket) => self.begin(ticket),
                Choice::Deny(ticket, violations) => {
                    self.passed.insert(ticket.id.clone());
                    let slot = self.ticks.dispatch(Some(&ticket));
                    self.settle(slot, TickStatus::PolicyDenied, &violations.join("\n"));
                }
                Choice::Ask(ticket, question) => self.ask(&ticket, question).await,
                Choice::Lack(ticket, what) => {
                    let slot = self.ticks.dispatch(Some(&ticket));
                    let op = Op::Input { prompt: what.clone(), env_keys: Vec::new(), note: None };
                    let step = self.claimant.step_on(&ticket, op);
                    self.starting.push(ticket);
                    self.steps.push((step, Purpose::Input(slot, what)));
                    self.halted = true;
                }
                Choice::Leave(ticket, why) => {
                    self.halted = true;
                    let slot = self.ticks.dispatch(Some(&ticket));
                    self.settle(slot, TickStatus::UnsupportedExecutor, &why);
                }
                Choice::Refuse(ticket, why) => {
                    self.halted = true;
                    let slot = self.ticks.dispatch(ticket.as_deref());
                    self.settle(slot, TickStatus::TargetNotRunnable, &why);
                }
                Choice::Nothing => return,
            }
        }
    }

    fn may_dispatch(&self) -> bool {
        let cap = if self.options.looped { self.options.max_iterations } else { 1 };
        !self.halted
            && !self.options.stop.is_cancelled()
            && self.ticks.count() < cap
            && self.busy() < self.options.jobs.max(1) as usize
            // The end of a ticket that others wait for decides what is next.
            && !self.ending.iter().any(|(_, awaited)| *awaited)
    }

    /// Runs that occupy a job; who sleeps over a rate limit occupies none.
    fn busy(&self) -> usize {
        self.active.iter().filter(|run| run.launched.slot.is_held()).count() + self.starting.len()
    }

    /// Gives free jobs to runs that slept, before anything new begins.
    pub(super) fn wake(&self) {
        let free = (self.options.jobs.max(1) as usize).saturating_sub(self.busy());
        job_slot::grant(self.active.iter().map(|run| &run.launched.slot), free);
    }

    fn choose(&self) -> Choice {
        match &self.options.target {
            Some(target) => self.choose_target(target),
            None => self.choose_next(),
        }
    }

    /// The one ticket that was asked for, or why it cannot run.
    fn choose_target(&self, target: &Target) -> Choice {
        let id = &target.ticket;
        let Some(ticket) = self.view.plan.ticket(id) else {
            return Choice::Refuse(None, format!("no ticket {id} in this planfile"));
        };
        if self.passed.contains(id) || self.is_taken(ticket) || self.attempts.contains_key(id) {
            return Choice::Nothing;
        }
        let scope = Scope { actor: Some(self.options.actor.clone()), ..Scope::default() };
        let order = order(&self.view.plan.tickets, &scope, self.options.clock.now());
        match order.standing.get(id) {
            Some(Standing::Ready { .. }) => {}
            // A question may be answered here, and what asks a person may be handed to an agent instead.
            Some(Standing::NeedsYou) if target.agent.is_some() => {}
            Some(Standing::NeedsYou) if ticket.execution.state != "waiting_input" => {}
            Some(standing) => {
                let why = format!("{id} cannot run now: {}", wording::why_not(standing));
                return Choice::Refuse(Some(Arc::clone(ticket)), why);
            }
            None => return Choice::Refuse(Some(Arc::clone(ticket)), format!("{id} cannot run now")),
        }
        let action = self.order(ticket).action;
        let violations = violations(&self.options.root, &action);
        match action {
            Action::Human { question } => Choice::Ask(Arc::clone(ticket), question),
            Action::Missing { what } => Choice::Lack(Arc::clone(ticket), what),
            Action::Unsupported { why, .. } => Choice::Leave(Arc::clone(ticket), why),
            _ if !violations.is_empty() => Choice::Deny(Arc::clone(ticket), violations),
            _ => Choice::Run(Arc::clone(ticket)),
        }
    }

    /// What is done with a ticket of this drain.
    pub(super) fn order(&self, ticket: &Ticket) -> Order {
        let target = self.options.target.as_ref().filter(|target| target.ticket == ticket.id);
        let delegation = target.and_then(|target| {
            let (agent, note) = (target.agent.clone(), target.note.clone());
            agent.map(|agent| Delegation { agent, note, review: target.review.clone() })
        });
        let order = Order::wanted(&self.options.root, ticket, delegation.as_ref());
        match target {
            Some(target) => Order {
                note: order.note.or_else(|| target.note.clone()),
                review: target.review.clone(),
                ..order
            },
            None => order,
        }
    }

    fn choose_next(&self) -> Choice {
        let quiet = self.active.is_empty() && self.starting.is_empty() && self.ending.is_empty();
        let mut second = None;
        for ticket in self.run_order.iter() {
            if self.passed.contains(&ticket.id) || self.is_taken(ticket) {
                continue;
            }
            let action = Order::of(&self.options.root, ticket).action;
            match &action {
                Action::Human { question } if quiet => {
                    return Choice::Ask(Arc::clone(ticket), question.clone());
                }
                Action::Missing { what } if quiet => return Choice::Lack(Arc::clone(ticket), what.clone()),
                Action::Unsupported { why, .. } if quiet => {
                    return Choice::Leave(Arc::clone(ticket), why.clone());
                }
                Action::Human { .. } | Action::Missing { .. } | Action::Unsupported { .. } => {
                    return Choice::Nothing;
                }
                Action::Shell { .. }
                | Action::Api(_)
                | Action::Llm(_)
                | Action::Mcp(_)
                | Action::Agent { .. } => {}
            }
            let violations = violations(&self.options.root, &action);
            if !violations.is_empty() {
                return Choice::Deny(Arc::clone(ticket), violations);
            }
            // An agent that sleeps would only have one more run sleep.
            if self.collides(ticket) || self.ground.asleep(&action).is_some() {
                continue;
            }
            // A ticket that failed in this drain is tried again, but only when nothing else can run.
            if self.attempts.contains_key(&ticket.id) {
                second = second.or(Some(ticket));
                continue;
            }
            return Choice::Run(Arc::clone(ticket));
        }
        match second {
            Some(ticket) if quiet => Choice::Run(Arc::clone(ticket)),
            Some(_) | None => Choice::Nothing,
        }
    }

    fn is_taken(&self, ticket: &Ticket) -> bool {
        let active = self.active.iter().chain(self.ending.iter().map(|(run, _)| run));
        active
            .map(|run| &run.ticket.id)
            .chain(self.starting.iter().map(|ticket| &ticket.id))
            .any(|id| *id == ticket.id)
    }

    fn collides(&self, ticket: &Ticket) -> bool {
        let active = self.active.iter().map(|run| &run.ticket);
        active.chain(&self.starting).any(|other| overlap::collision(&ticket.files, &other.files).is_some())
    }

    /// A person is asked, or not; without an answer the ticket is untouched and the loop stops.
    async fn ask(&mut self, ticket: &Arc<Ticket>, question: String) {
        let slot = self.ticks.dispatch(Some(ticket));
        let answer = match self.options.interactive {
            true => {
                let stop = self.options.stop.clone();
                tokio::select! {
                    answer = self.io.ask(ticket) => answer,
                    () = stop.cancelled() => None,
                }
            }
            false => None,
        };
        let answer = answer.map(|answer| answer.trim().to_owned()).filter(|answer| !answer.is_empty());
        let Some(answer) = answer else {
            self.halted = true;
            return self.settle(slot, TickStatus::WaitingInput, &question);
        };
        let given = self.give(ticket, &question, answer).await;
        self.take_view();
        self.run_order.distrust();
        match given {
            Ok(()) => self.settle(slot, TickStatus::Completed, &question),
            Err(message) => {
                self.halted = true;
                self.settle(slot, TickStatus::ClaimFailed, &message);
            }
        }
    }

    async fn give(&self, ticket: &Ticket, question: &str, answer: String) -> Result<(), String> {
        let job = AnswerJob {
            human: true,
            seen: ticket.updated_at,
            holder: self.claimant.holder().to_owned(),
            until: self.claimant.lease_end(self.options.clock.now()),
            prompts: Some(self.paths.prompts()),
            now: self.options.clock.now(),
            answer: HumanAnswer {
                ticket: ticket.id.clone(),
                actor: self.options.actor.clone(),
                prompt: question.to_owned(),
                answer,
            },
        };
        let (sender, given) = tokio::sync::oneshot::channel();
        self.storage.work(
            move |store| {
                let given = job.give(store).map(drop);
                Box::new(move || {
                    let _ = sender.send(given);
                })
            },
            drop,
        );
        given.await.unwrap_or_else(|_| Err("the planfile cannot be opened any more".to_owned()))
    }

    /// The missing input stands on the ticket, or not.
    pub(super) fn asked(&mut self, slot: Slot, what: &str, result: Result<Mutated, MutateError>) {
        self.starting.clear();
        match result {
            Ok(_) => self.settle(slot, TickStatus::WaitingInput, what),
            Err(error) => self.settle(slot, TickStatus::PlanfileError, &error.to_string()),
        }
    }

    /// Nothing runs and nothing was dispatched: looks at the disk once more, then ends with the reason.
    pub(super) async fn come_to_rest(&mut self) {
        let cap = if self.options.looped { self.options.max_iterations } else { 1 };
        if self.ticks.count() >= cap {
            self.halted = true;
            return;
        }
        self.storage.refreshed().await;
        self.take_view();
        self.run_order.distrust();
        let now = self.options.clock.now();
        self.run_order.follow(&self.view.plan, now);
        if !matches!(self.choose(), Choice::Nothing) {
            return;
        }
        self.halted = true;
        self.settle_idle();
    }

    fn settle_idle(&mut self) {
        let slot = self.ticks.dispatch(None);
        self.settle(slot, TickStatus::Idle, "nothing is runnable");
    }

    /// Whether something could still be dispatched.
    pub(super) fn work_left(&mut self) -> bool {
        let now = self.options.clock.now();
        self.take_view();
        self.run_order.distrust();
        self.run_order.follow(&self.view.plan, now);
        !matches!(self.choose(), Choice::Nothing)
    }

    /// A dry run: what would be dispatched, in order, as if every run ended well. Nothing is asked, run or written.
    pub(super) fn preview(&mut self) {
        let cap = if self.options.looped { self.options.max_iterations } else { 1 };
        let now = self.options.clock.now();
        let (settings, _) = Settings::load(&self.options.root);
        self.run_order.follow(&self.view.plan, now);
        while self.ticks.count() < cap {
            let choice = self.choose();
            let (ticket, status, message) = match choice {
                Choice::Run(ticket) => {
                    let llm = llm::Ground {
                        environment: &self.ground.environment,
                        settings: &settings.llm,
                        clock: self.options.clock.clone(),
                    };
                    let text = self.order(&ticket).action.dry_run_text(&llm);
                    (ticket, TickStatus::DryRun, text)
                }
                Choice::Deny(ticket, violations) => (ticket, TickStatus::PolicyDenied, violations.join("\n")),
                Choice::Ask(ticket, question) => (ticket, TickStatus::WaitingInput, question),
                Choice::Lack(ticket, what) => (ticket, TickStatus::WaitingInput, what),
                Choice::Leave(ticket, why) => (ticket, TickStatus::UnsupportedExecutor, why),
                Choice::Refuse(ticket, why) => {
                    let slot = self.ticks.dispatch(ticket.as_deref());
                    return self.settle(slot, TickStatus::TargetNotRunnable, &why);
                }
                Choice::Nothing => return self.settle_idle(),
            };
            let slot = self.ticks.dispatch(Some(&ticket));
            self.settle(slot, status, &message);
            self.passed.insert(ticket.id.clone());
            match status {
                TickStatus::WaitingInput | TickStatus::UnsupportedExecutor => return,
                TickStatus::DryRun => self.pretend_done(&ticket),
                _ => {}
            }
        }
    }

    /// In our own copy of the plan only.
    fn pretend_done(&mut self, ticket: &Ticket) {
        if !self.run_order.is_blocker(&ticket.id) {
            return self.run_order.take(&ticket.id);
        }
        let mut plan = crate::plan::store::Plan::clone(&self.view.plan);
        for one in plan.tickets.iter_mut().filter(|one| one.id == ticket.id) {
            Arc::make_mut(one).status = crate::plan::ticket::Status::Done;
        }
        self.view.plan = Arc::new(plan);
        self.run_order.distrust();
        self.run_order.follow(&self.view.plan, self.options.clock.now());
    }
}
