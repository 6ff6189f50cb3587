//! Active runs: what they say, how they end, and what happens when somebody else touches their ticket.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::{Options, Purpose, Supervisor};
use crate::execute::outcome::{Ending, Outcome};
use crate::execute::stop::Stop;
use crate::plan::store::{MutateError, Mutated};
use crate::plan::ticket::{Status, Ticket};
use crate::runtime::ending;
use crate::runtime::feed::Batch;
use crate::runtime::launch::{Launched, RunNotice, shown_code};
use crate::runtime::protocol::{Channel, Event, RunEvent, RunId, RunState, RunView};

/// How often the end of a run is written again after the ticket changed meanwhile, or the lock was not had.
const FINISH_TRIES: u32 = 5;

/// One run and what the supervisor knows of it.
#[derive(Debug)]
pub(super) struct ActiveRun {
    /// The ticket as it was when the run began.
    pub(super) ticket: Arc<Ticket>,
    /// The run.
    pub(super) launched: Launched,
    /// As shown.
    pub(super) view: Arc<RunView>,
    /// Last sign of life.
    pub(super) heard_at: Instant,
    /// Silence after which it is stalled, when it is not the usual one: agents think longer than commands.
    pub(super) patience: Option<Duration>,
    /// It works in rounds: it told of some, and reads what is kept for the next.
    pub(super) in_rounds: bool,
    /// How it ended; its ticket is being written.
    pub(super) outcome: Option<Box<Outcome>>,
    /// Why the ticket is not ours any more: its end is kept in the run's folder only.
    pub(super) lost: Option<String>,
}

impl ActiveRun {
    /// A run that was just launched and holds its ticket until `lease`.
    pub(super) fn new(ticket: Arc<Ticket>, launched: Launched, lease: Timestamp) -> ActiveRun {
        tracing::debug!(run = &*launched.id, ticket = ticket.id.as_str(), %lease, "a run begins");
        let view = RunView {
            id: RunId(Arc::clone(&launched.id)),
            ticket: ticket.id.clone(),
            executor: launched.executor.clone(),
            label: launched.label.clone(),
            state: RunState::Running,
            started_at: launched.started_at,
            ended_at: None,
            last_output_at: None,
            lines: 0,
            exit_code: None,
            message: None,
            kill_at: None,
            orphaned: false,
            agent: None,
        };
        ActiveRun {
            ticket,
            launched,
            view: Arc::new(view),
            heard_at: Instant::now(),
            patience: None,
            in_rounds: false,
            outcome: None,
            lost: None,
        }
    }

    /// Silence after which it is stalled.
    pub(super) fn stall_after(&self, options: &Options) -> Duration {
        self.patience.unwrap_or(options.stall_after)
    }

    fn view_mut(&mut self) -> &mut RunView {
        Arc::make_mut(&mut self.view)
    }
}

impl Supervisor {
    fn run_mut(&mut self, id: &str) -> Option<&mut ActiveRun> {
        self.runs.iter_mut().find(|run| &*run.launched.id == id)
    }

    /// A run says something.
    pub(super) fn take_notice(&mut self, id: &Arc<str>, notice: RunNotice) {
        match notice {
            RunNotice::Batch(batch) => self.take_batch(id, batch),
            RunNotice::Over(outcome) => self.take_outcome(id, outcome),
        }
    }

    fn take_batch(&mut self, id: &Arc<str>, batch: Batch) {
        let now = self.now();
        let Some(run) = self.run_mut(id) else { return };
        run.heard_at = Instant::now();
        run.patience = batch.patience.or(run.patience);
        let view = run.view_mut();
        if view.state == RunState::Stalled && batch.heard {
            view.state = RunState::Running;
        }
        if let Some(kill_in) = batch.stopping {
            view.state = RunState::Stopping;
            let kill_in = jiff::SignedDuration::try_from(kill_in).unwrap_or(jiff::SignedDuration::ZERO);
            view.kill_at = now.saturating_add(kill_in).ok();
        }
        run.in_rounds |= batch.review.is_some();
        let review = batch.review.map(|review| (run.ticket.id.clone(), review));
        let view = run.view_mut();
        view.lines = batch.total;
        if batch.heard {
            view.last_output_at = Some(now);
        }
        if let Some(agent) = batch.agent {
            let sleeps = agent.sleeping_until.is_some() || agent.waits_for_job;
            view.state = match (sleeps, view.state) {
                (true, RunState::Running | RunState::Stalled) => RunState::Sleeping,
                (false, RunState::Sleeping) => RunState::Running,
                (_, state) => state,
            };
            view.agent = Some(Arc::from(agent));
        }
        if !batch.lines.is_empty() {
            let run = RunId(Arc::clone(id));
            let lines = Vec::from(batch.lines).into();
            self.outbox.push(Event::Run(RunEvent::Output { run, first: batch.first, lines }));
        }
        if let Some((ticket, review)) = review {
            self.reviews.shown.insert(ticket, review);
        }
        if let Some(partial) = batch.partial {
            let (channel, text) = partial.unwrap_or((Channel::Out, String::new()));
            let run = RunId(Arc::clone(id));
            self.outbox.push(Event::Run(RunEvent::Partial { run, channel, text: text.into() }));
        }
        self.dirty = true;
    }

    fn take_outcome(&mut self, id: &Arc<str>, outcome: Box<Outcome>) {
        let Some(run) = self.run_mut(id) else { return };
        run.outcome = Some(outcome);
        self.record_end(id, 1);
    }

    /// Writes the end of a run into its ticket, if the ticket is still ours.
    fn record_end(&mut self, id: &Arc<str>, tries: u32) {
        let Some(run) = self.runs.iter().find(|run| run.launched.id == *id) else { return };
        let Some(outcome) = &run.outcome else { return };
        if let Some(lost) = &run.lost {
            let message = format!("{lost}; its end is kept in the run's folder only");
            return self.end(id, Some(message));
        }
        let op = ending::operation(outcome, &self.options.actor, &run.launched.label);
        let ticket = self.view.ticket(&run.ticket.id).unwrap_or(&run.ticket);
        let step = self.claimant.step_on(ticket, op);
        self.step(step, Purpose::Finish { run: Arc::clone(id), tries });
    }

    /// The end of a run was written, or not.
    pub(super) fn finished(&mut self, id: &Arc<str>, tries: u32, result: Result<Mutated, MutateError>) {
        match result {
            Ok(mutated) => {
                let ticket = mutated.ticket;
                let again = ticket.status == Status::Open && ticket.execution.attempt > 0;
                let failed = self.runs.iter().any(|run| {
                    run.launched.id == *id
                        && run.outcome.as_ref().is_some_and(|outcome| {
                            matches!(outcome.ending, Ending::Failed | Ending::TimedOut)
                        })
                });
                if failed {
                    let now = self.now();
                    self.queue.failed(&ticket.id, now);
                }
                let message = (failed && again).then(|| {
                    let left = ticket.execution.max_attempts.saturating_sub(ticket.execution.attempt);
                    format!("{left} more attempts")
                });
                self.end(id, message);
            }
            Err(MutateError::Changed { .. } | MutateError::Locked { .. } | MutateError::Io { .. })
                if tries < FINISH_TRIES =>
            {
                self.look_at_runs();
                self.record_end(id, tries + 1);
            }
            Err(error) => {
                let message = format!("the ticket was not written: {error}");
                self.end(id, Some(message));
            }
        }
    }

    /// The run is over for the console too.
    fn end(&mut self, id: &Arc<str>, message: Option<String>) {
        let Some(at) = self.runs.iter().position(|run| run.launched.id == *id) else { return };
        let now = self.now();
        let mut run = self.runs.remove(at);
        let Some(outcome) = run.outcome.take() else { return };
        let view = run.view_mut();
        view.state = match outcome.ending {
            Ending::Succeeded => RunState::Done,
            Ending::Failed | Ending::TimedOut => RunState::Failed,
            Ending::Stopped => RunState::Stopped,
            Ending::Waiting => RunState::NeedsYou,
            Ending::Violation => RunState::Violation,
        };
        view.ended_at = Some(now);
        view.exit_code = Some(shown_code(&outcome));
        view.kill_at = None;
        let error = (!outcome.succeeded()).then(|| outcome.error_text());
        view.message = match (error, message) {
            (Some(error), Some(message)) => Some(format!("{error} ({message})")),
            (one, other) => one.or(other),
        };
        let event = RunEvent::Ended { run: view.id.clone(), state: view.state };
        self.outbox.push(Event::Run(event));
        self.keep_past(run.view);
        if self.runs.is_empty() {
            self.upkeep.renew_at = None;
        }
    }

    /// Compares every run's ticket with what the planfile says now.
    pub(super) fn look_at_runs(&mut self) {
        for run in &mut self.runs {
            let found = self.view.plan.revision > 0 || !self.view.plan.tickets.is_empty();
            let lost = match self.view.ticket(&run.ticket.id) {
                Some(ticket) if self.claimant.holds(ticket) => None,
                Some(ticket) => Some(whose(ticket)),
                None if found && self.view.plan.faults.is_empty() => {
                    Some(format!("{} was removed from the planfile while it ran", run.ticket.id))
                }
                None => None,
            };
            if run.outcome.is_none() && run.lost != lost {
                run.view_mut().message.clone_from(&lost);
                run.lost = lost;
                self.dirty = true;
            } else if run.lost.is_none() {
                run.lost = lost;
            }
        }
    }

    /// A lease was moved on, or not.
    pub(super) fn renewed(&mut self, id: &Arc<str>, result: Result<Mutated, MutateError>) {
        if let Err(error) = result {
            tracing::warn!(run = &**id, %error, "a lease was not renewed");
            self.look_at_runs();
        }
    }

    /// The operator stops a run; the second time without grace.
    pub(super) fn stop_run(&mut self, id: &str) -> bool {
        let Some(run) = self.run_mut(id) else { return false };
        let asked = run.launched.stopper.press();
        tracing::debug!(run = id, ?asked, "a run is asked to stop");
        debug_assert!(asked > Stop::No);
        true
    }
}

/// Why `ticket` is not ours any more.
fn whose(ticket: &Ticket) -> String {
    match ticket.execution.assigned_to.as_deref() {
        Some(other) => format!("{} was taken over by {other} while it ran", ticket.id),
        None => {
            format!("{} was changed by someone else while it ran (now {})", ticket.id, ticket.status.word())
        }
    }
}
