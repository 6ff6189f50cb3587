//! What consoles ask for, one function a command. Each request gets exactly one reply.

use std::io;

use jiff::Timestamp;

use super::{Mail, Purpose, Supervisor};
use crate::execute::human::HumanAnswer;
use crate::plan::lifecycle::Op;
use crate::plan::store::{MutateError, Step};
use crate::plan::ticket::{ExecutorKind, TicketId};
use crate::runtime::answering::AnswerJob;
use crate::runtime::interrupted;
use crate::runtime::launch::Delegation;
use crate::runtime::protocol::{
    Command, DraftCommand, Outcome, ProjectCommand, QueueCommand, RequestId, Resolution, RunCommand, RunId,
    RunState, TicketCommand,
};

/// Most lines that one fetch returns.
const FETCH_LINES: u32 = 10_000;

impl Supervisor {
    pub(super) fn take_command(&mut self, request: RequestId, command: Command) {
        self.audit_command(&command);
        match command {
            Command::Ticket(TicketCommand::Create(new)) => self.create(request, *new),
            Command::Ticket(TicketCommand::Apply { id, op, seen }) => {
                let actor = Some(self.options.actor.clone());
                let step = Step { seen, actor, ..Step::new(id, op) };
                self.apply_noted(request, step);
            }
            Command::Ticket(TicketCommand::Undo { id }) => self.undo(request, id),
            Command::Ticket(TicketCommand::Answer { id, text, seen }) => {
                self.answer(request, &id, text, seen)
            }
            Command::Run(RunCommand::Start { ticket }) => self.start_asked(request, &ticket, None),
            Command::Run(RunCommand::Delegate { ticket, agent, note }) => {
                let delegation = Delegation { agent, note: filled(note), ..Delegation::default() };
                self.start_asked(request, &ticket, Some(delegation))
            }
            Command::Run(RunCommand::Say { run, text }) => self.say(request, run, text),
            Command::Run(RunCommand::PauseAfterTurn { run, on }) => self.pause(request, run, on),
            Command::Run(RunCommand::Stop { run }) => self.stop(request, run),
            Command::Run(RunCommand::Resolve { run, how, note }) => {
                self.resolve(request, run, how, filled(note))
            }
            Command::Run(RunCommand::Fetch { run, from, count }) => self.fetch(request, run, from, count),
            Command::Run(RunCommand::FetchRaw { run, from, count }) => {
                self.fetch_raw(request, run, from, count)
            }
            Command::Run(RunCommand::Earlier { ticket }) => self.earlier(request, ticket),
            Command::Run(RunCommand::Open { run }) => self.open(request, run),
            Command::Worktree(command) => self.worktree_command(request, command),
            Command::Diff(command) => self.diff_command(request, command),
            Command::Review(command) => self.review_command(request, command),
            Command::Promotion(command) => self.promotion_command(request, command),
            Command::Queue(command) => self.queue_command(request, command),
            Command::Draft(command) => self.draft_command(request, command),
            Command::Project(ProjectCommand::Init) => self.init(request),
            Command::Project(ProjectCommand::Audit { count }) => self.audit(request, count),
            Command::Project(ProjectCommand::Reload) => {
                self.storage.refresh();
                self.ask_staff();
                self.reply(request, Outcome::Done { ticket: None, run: None });
            }
        }
    }

    fn create(&mut self, request: RequestId, new: crate::plan::lifecycle::NewTicket) {
        let (post, closed, undoing) = (self.post.clone(), self.post.clone(), self.undoing());
        self.storage.work(
            move |store| {
                let outcome = match store.create(&new) {
                    Ok(mutated) => {
                        undoing.made(store, &mutated.ticket.id);
                        Outcome::Done { ticket: Some(mutated.ticket.id.clone()), run: None }
                    }
                    Err(error) => refused(error),
                };
                Box::new(move || drop(post.send(Mail::Replied(request, outcome))))
            },
            move |error| drop(closed.send(Mail::Replied(request, refused(error)))),
        );
    }

    /// Keeps the answer first, then claims, starts and completes in one write: whatever fails, the text is not lost, and
    /// no ticket is half answered or answered by two people.
    fn answer(&mut self, request: RequestId, id: &TicketId, text: String, seen: Option<Timestamp>) {
        if text.trim().is_empty() {
            return self.refuse(request, "an empty answer is not sent; write something or cancel");
        }
        let Some(ticket) = self.view.ticket(id) else {
            return self.refuse(request, format!("no ticket {id} in this planfile"));
        };
        if ticket.executor.kind != ExecutorKind::Human && ticket.execution.state != "waiting_input" {
            return self.refuse(request, format!("{id} asks nothing"));
        }
        let answer = HumanAnswer {
            ticket: id.clone(),
            actor: self.options.actor.clone(),
            prompt: ticket.question().to_owned(),
            answer: text,
        };
        let job = AnswerJob {
            human: ticket.executor.kind == ExecutorKind::Human,
            seen: seen.or(ticket.updated_at),
            holder: self.claimant.holder().to_owned(),
            until: self.claimant.lease_end(self.now()),
            prompts: Some(self.paths.prompts()),
            now: self.now(),
            answer,
        };
        let (post, closed, files) = (self.post.clone(), self.post.clone(), self.files.clone());
        let (undoing, id) = (self.undoing(), id.clone());
        let key = id.as_str().to_owned();
        self.storage.work(
            move |store| {
                let text = job.answer.answer.clone();
                let given = undoing.noted(store, &id, "answered", Some(&text), |store| job.give(store));
                let outcome = match given {
                    Ok(ticket) => {
                        files.save(key, String::new(), |_| ());
                        Outcome::Done { ticket: Some(ticket), run: None }
                    }
                    Err(message) => Outcome::Refused { message },
                };
                Box::new(move || drop(post.send(Mail::Replied(request, outcome))))
            },
            move |error| drop(closed.send(Mail::Replied(request, refused(error)))),
        );
    }

    fn stop(&mut self, request: RequestId, run: RunId) {
        if self.stop_run(&run.0) {
            return self.reply(request, Outcome::Done { ticket: None, run: Some(run) });
        }
        let orphaned = self.past.iter().any(|view| view.id == run && view.orphaned);
        if !orphaned {
            return self.refuse(request, format!("the run {} is over", run.0));
        }
        let (runs, grace, post) = (self.paths.runs(), self.options.grace, self.post.clone());
        tokio::spawn(async move {
            let outcome = if interrupted::stop_orphan(&runs, &run.0, grace).await {
                Outcome::Done { ticket: None, run: Some(run.clone()) }
            } else {
                Outcome::Refused { message: "nothing of that run is alive any more".to_owned() }
            };
            let _ = post.send(Mail::OrphanStopped(run));
            let _ = post.send(Mail::Replied(request, outcome));
        });
    }

    /// Nothing of this past run is alive any more.
    pub(super) fn orphan_stopped(&mut self, run: &RunId) {
        for view in self.past.iter_mut().filter(|view| view.id == *run && view.orphaned) {
            std::sync::Arc::make_mut(view).orphaned = false;
            self.dirty = true;
        }
    }

    /// Looks whether what a past run left behind still lives: when the run was found, it may have been about to end.
    fn seek_orphan(&self, request: RequestId, run: RunId, note: Option<String>) {
        let (runs, post) = (self.paths.runs(), self.post.clone());
        self.files.work(move || {
            let lives = interrupted::is_left(&runs, &run.0);
            let _ = post.send(Mail::OrphanSought { request, run, note, lives });
        });
    }

    /// What was left of `run`, which is to be retried, lives or not.
    pub(super) fn orphan_sought(
        &mut self,
        request: RequestId,
        run: RunId,
        note: Option<String>,
        lives: bool,
    ) {
        if lives {
            return self.refuse(request, "processes of that run are still alive; stop them first");
        }
        self.orphan_stopped(&run);
        self.resolve(request, run, Resolution::Retry, note);
    }

    fn resolve(&mut self, request: RequestId, run: RunId, how: Resolution, note: Option<String>) {
        let Some(view) = self.past.iter().find(|view| view.id == run) else {
            return self.refuse(request, format!("the run {} is not one that waits for a decision", run.0));
        };
        if view.orphaned && how == Resolution::Retry {
            return self.seek_orphan(request, run, note);
        }
        let Some(ticket) = self.view.ticket(&view.ticket) else {
            return self.refuse(request, format!("no ticket {} in this planfile", view.ticket));
        };
        let actor = &self.options.actor;
        let words = if view.state == RunState::Interrupted { "interrupted" } else { "ended" };
        let said = note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
        let op = match how {
            Resolution::Retry => Op::Ready { note: Some(format!("Run {words}; retried by {actor}{said}")) },
            Resolution::Release => {
                Op::Ready { note: Some(format!("Run {words}; released by {actor}{said}")) }
            }
            Resolution::MarkFailed => {
                Op::Fail { error: format!("run {words}; marked as failed by {actor}{said}"), result: None }
            }
        };
        let step = self.claimant.step_on(ticket, op);
        // Who worked it works it again, also where the operator had chosen the agent.
        let again = view.agent.as_ref().map(|agent| {
            let agent = Some(agent.agent.clone());
            Delegation { agent, note, ..Delegation::default() }
        });
        let retry = (how == Resolution::Retry).then_some(again);
        self.step(step, Purpose::Resolve { request, run, retry });
    }

    /// The decision about a past run is durable, or not.
    pub(super) fn resolved(
        &mut self,
        request: RequestId,
        run: &RunId,
        retry: Option<Option<Delegation>>,
        result: Result<crate::plan::store::Mutated, MutateError>,
    ) {
        let ticket = match result {
            Ok(mutated) => mutated.ticket,
            Err(error) => return self.reply(request, refused(error)),
        };
        let (runs, name, now) = (self.paths.runs(), run.0.to_string(), self.now());
        self.files.work(move || interrupted::settle(&runs, &name, now));
        self.past.retain(|view| view.id != *run || view.state != RunState::Interrupted);
        self.queue.failures.remove(&ticket.id);
        self.dirty = true;
        match retry {
            Some(delegation) => self.begin(&ticket, Some(request), delegation),
            None => self.reply(request, Outcome::Done { ticket: Some(ticket.id.clone()), run: None }),
        }
    }

    fn fetch(&mut self, request: RequestId, run: RunId, from: u64, count: u32) {
        let post = self.post.clone();
        self.files.fetch(run.0.to_string(), from, count.min(FETCH_LINES), move |lines| {
            let mail = match lines {
                Ok(lines) => Mail::Fetched { request, run, from, lines },
                Err(error) => Mail::Replied(request, failed("reading the transcript", &error)),
            };
            let _ = post.send(mail);
        });
    }

    fn queue_command(&mut self, request: RequestId, command: QueueCommand) {
        match command {
            QueueCommand::Resume => self.queue.running = self.closing.is_none(),
            QueueCommand::Pause => self.queue.running = false,
            QueueCommand::Jobs { limit: 0 } => {
                return self.refuse(request, "at least one job is needed; pause the queue to start nothing");
            }
            QueueCommand::Jobs { limit } => self.queue.jobs = limit,
        }
        // Resuming is also the way to say "try again now".
        self.queue.refused.clear();
        self.dirty = true;
        self.upkeep();
        self.reply(request, Outcome::Done { ticket: None, run: None });
    }

    fn draft_command(&mut self, request: RequestId, command: DraftCommand) {
        let post = self.post.clone();
        match command {
            DraftCommand::Save { key, text } => self.files.save(key, text, move |saved| {
                let outcome = match saved {
                    Ok(()) => Outcome::Done { ticket: None, run: None },
                    Err(error) => failed("keeping the draft", &error),
                };
                let _ = post.send(Mail::Replied(request, outcome));
            }),
            DraftCommand::Load { key } => {
                let asked = key.clone();
                self.files.load(asked, move |loaded| {
                    let mail = match loaded {
                        Ok(text) => Mail::Draft { request, key, text },
                        Err(error) => Mail::Replied(request, failed("reading the draft", &error)),
                    };
                    let _ = post.send(mail);
                });
            }
        }
    }

    fn init(&mut self, request: RequestId) {
        let (root, clock, post) = (self.options.root.clone(), self.options.clock.clone(), self.post.clone());
        self.storage.make(move || {
            let options = crate::plan::scaffold::InitOptions::default();
            let outcome = match crate::plan::scaffold::init(&root, &options, &clock) {
                Ok(_) => Outcome::Done { ticket: None, run: None },
                Err(error) => Outcome::Refused { message: error.to_string() },
            };
            Box::new(move || drop(post.send(Mail::Replied(request, outcome))))
        });
    }
}

/// A note with something in it.
fn filled(note: Option<String>) -> Option<String> {
    note.filter(|note| !note.trim().is_empty())
}

fn refused(error: impl std::fmt::Display) -> Outcome {
    Outcome::Refused { message: error.to_string() }
}

fn failed(what: &str, error: &io::Error) -> Outcome {
    Outcome::Refused { message: format!("{what} failed: {error}") }
}
