//! What people change: applied, noted with the way back, taken back, and told by the audit.

use serde_json::{Value, json};

use super::{Mail, Purpose, Supervisor};
use crate::learn::audit;
use crate::plan::store::{MutateError, Step};
use crate::plan::ticket::TicketId;
use crate::runtime::protocol::{
    AuditRow, Command, Event, Outcome, ProjectEvent, PromotionCommand, QueueCommand, RequestId, RunCommand,
    WorktreeCommand,
};
use crate::runtime::undoing::{Undoing, done_by};

/// Rows that one question returns at most.
const ROWS: u32 = 1_000;

impl Supervisor {
    pub(super) fn undoing(&self) -> Undoing {
        Undoing::new(&self.options.root, &self.options.actor, self.now())
    }

    /// Applies an operation that a person asked for.
    pub(super) fn apply_noted(&mut self, request: RequestId, step: Step) {
        let (undoing, what) = (self.undoing(), done_by(&step.op));
        let (post, closed) = (self.post.clone(), self.post.clone());
        self.storage.work(
            move |store| {
                let id = step.id.clone();
                let missing = || Err(MutateError::NoTicket(id.clone()));
                let result = undoing.noted(store, &id, what, None, |store| {
                    store.apply(&[step]).pop().unwrap_or_else(missing)
                });
                let stepped = Mail::Stepped(vec![(Purpose::Apply { request }, result)]);
                Box::new(move || drop(post.send(stepped)))
            },
            move |error| {
                let outcome = Outcome::Refused { message: error.to_string() };
                drop(closed.send(Mail::Replied(request, outcome)));
            },
        );
    }

    /// Takes the last change of a ticket back. What was written for it is a draft again.
    pub(super) fn undo(&mut self, request: RequestId, id: TicketId) {
        if self.runs.iter().any(|run| run.ticket.id == id) || self.starting.contains(&id) {
            return self.refuse(request, format!("{id} runs; stop it first"));
        }
        let undoing = self.undoing();
        let (post, closed, files) = (self.post.clone(), self.post.clone(), self.files.clone());
        self.storage.work(
            move |store| {
                let outcome = match undoing.undo(store, &id) {
                    Ok(undone) => {
                        if let Some(text) = undone.text {
                            files.save(id.as_str().to_owned(), text, |_| ());
                        }
                        Outcome::Done { ticket: Some(id), run: None }
                    }
                    Err(message) => Outcome::Refused { message },
                };
                Box::new(move || drop(post.send(Mail::Replied(request, outcome))))
            },
            move |error| {
                let outcome = Outcome::Refused { message: error.to_string() };
                drop(closed.send(Mail::Replied(request, outcome)));
            },
        );
    }

    /// Writes a row for what a person asks for besides changes of tickets, before it is done. Whatever only looks, and
    /// drafts, are no actions; decisions on reviews and promotions write rows of their own.
    pub(super) fn audit_command(&self, command: &Command) {
        let Some((kind, detail)) = row_of(command) else { return };
        let undoing = self.undoing();
        self.files.work(move || undoing.told(kind, &detail));
    }

    /// The newest rows of the audit.
    pub(super) fn audit(&self, request: RequestId, count: u32) {
        let (post, folder) = (self.post.clone(), self.paths.audit());
        self.files.work(move || {
            let mail = match audit::tail(&folder, count.min(ROWS) as usize) {
                Ok(tail) => {
                    let rows = tail.rows.into_iter().rev().map(AuditRow::from).collect();
                    let done = Outcome::Done { ticket: None, run: None };
                    Mail::Told(request, Event::Project(ProjectEvent::Audit { rows }), done)
                }
                Err(error) => {
                    let message = format!("reading the audit in {} failed: {error}", folder.display());
                    Mail::Replied(request, Outcome::Refused { message })
                }
            };
            let _ = post.send(mail);
        });
    }
}

fn row_of(command: &Command) -> Option<(&'static str, Value)> {
    Some(match command {
        Command::Run(RunCommand::Start { ticket }) => ("run.start", json!({ "ticket": ticket })),
        Command::Run(RunCommand::Delegate { ticket, agent, note }) => {
            ("run.delegate", json!({ "ticket": ticket, "agent": agent, "note": note }))
        }
        Command::Run(RunCommand::Say { run, text }) => ("run.say", json!({ "run": run, "text": text })),
        Command::Run(RunCommand::PauseAfterTurn { run, on }) => {
            ("run.pause", json!({ "run": run, "on": on }))
        }
        Command::Run(RunCommand::Stop { run }) => ("run.stop", json!({ "run": run })),
        Command::Run(RunCommand::Resolve { run, how, note }) => {
            ("run.resolve", json!({ "run": run, "how": how, "note": note }))
        }
        Command::Queue(QueueCommand::Resume) => ("queue.resume", Value::Null),
        Command::Queue(QueueCommand::Pause) => ("queue.pause", Value::Null),
        Command::Queue(QueueCommand::Jobs { limit }) => ("queue.jobs", json!({ "limit": limit })),
        Command::Worktree(WorktreeCommand::Prune { tickets }) => {
            ("worktree.prune", json!({ "tickets": tickets }))
        }
        Command::Promotion(PromotionCommand::Stop { id }) => ("promotion.stop", json!({ "promotion": id })),
        Command::Run(
            RunCommand::Fetch { .. }
            | RunCommand::FetchRaw { .. }
            | RunCommand::Earlier { .. }
            | RunCommand::Open { .. },
        )
        | Command::Worktree(WorktreeCommand::List)
        | Command::Ticket(_)
        | Command::Draft(_)
        | Command::Project(_)
        | Command::Review(_)
        | Command::Promotion(_)
        | Command::Diff(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::protocol::RunId;

    #[test]
    fn what_acts_is_told_and_what_looks_is_not() {
        let run = RunId("PLF-1-20261121T120000Z-0".into());
        let (kind, detail) = row_of(&Command::Run(RunCommand::Stop { run: run.clone() })).unwrap();
        assert_eq!((kind, detail), ("run.stop", json!({"run": "PLF-1-20261121T120000Z-0"})));
        assert_eq!(row_of(&Command::Run(RunCommand::Open { run })), None);
    }
}
