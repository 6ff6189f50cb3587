//! Decisions on one ticket. Each carries the `updated_at` that stood on the screen (rule B); what cannot be taken back
//! asks first, with another key (rule A).

use std::sync::Arc;

use jiff::Timestamp;

use crate::base::text::safe_text;
use crate::plan::lifecycle::{Op, Patch};
use crate::plan::ticket::{Priority, Ticket, TicketId};
use crate::runtime::protocol::{Command, Resolution, RunCommand, RunState, RunView, TicketCommand};

use super::super::actions::Action;
use super::super::layers::confirm::Confirmed;
use super::super::layers::line::LineKind;
use super::super::layers::menu::{Choice, Menu};
use super::super::layers::message::Purpose;
use super::super::layers::{Confirm, Layer, LineInput};
use super::super::rows::is_live;
use super::super::state::{Console, NoticeKind, Pending, Then};
use super::super::words;
use super::availability::{is_stoppable, next_priority};

impl Console {
    /// Does a decision on the ticket that the keys are about; availability was asked before.
    pub(super) fn decide(&mut self, action: Action) {
        let Some(ticket) = self.subject().cloned() else { return };
        let seen = self.seen(&ticket.id).flatten();
        match action {
            Action::Answer if self.waits_for_decision(&ticket.id) => self.show_verdict(),
            Action::Answer => self.open_answer(&ticket, seen),
            Action::Edit => self.open_edit(ticket, seen),
            Action::Block => {
                let kind = LineKind::Block { ticket: ticket.id.clone(), seen };
                self.layers.push(Layer::Line(Box::new(LineInput::new(kind, ""))));
            }
            Action::Raise | Action::Lower => {
                let by = if action == Action::Raise { -1 } else { 1 };
                if let Some(priority) = next_priority(&ticket.priority, by) {
                    self.set_priority(&ticket.id, seen, priority);
                }
            }
            Action::Priority => self.open_priority_menu(&ticket, seen),
            Action::Start => {
                let said = Pending::say(format!("{} runs", words::safe(&ticket.id)));
                self.send(Command::Run(RunCommand::Start { ticket: ticket.id.clone() }), said);
            }
            Action::Retry => self.again(&ticket, seen, Resolution::Retry, None),
            Action::Release => self.again(&ticket, seen, Resolution::Release, None),
            Action::Fail => self.ask_fail(&ticket),
            Action::Stop => self.stop(&ticket),
            Action::RetryNote => self.open_message(ticket.id.clone(), Purpose::Retry { seen }),
            Action::Delegate => self.open_delegate_menu(&ticket),
            Action::Say => self.open_say(),
            Action::Pause => self.toggle_pause(),
            Action::Attach => self.attach(),
            _ => {}
        }
    }

    /// Applies one lifecycle operation.
    pub(super) fn apply(&mut self, id: &TicketId, seen: Option<Timestamp>, op: Op, pending: Pending) {
        self.send(Command::Ticket(TicketCommand::Apply { id: id.clone(), op, seen }), pending);
    }

    pub(super) fn set_priority(&mut self, id: &TicketId, seen: Option<Timestamp>, priority: Priority) {
        let said = Pending::say(format!("{} is {} now", words::safe(id), safe_text(priority.word())));
        let patch = Patch { priority: Some(priority), ..Patch::default() };
        self.apply(id, seen, Op::Update(patch), said);
    }

    fn open_priority_menu(&mut self, ticket: &Ticket, seen: Option<Timestamp>) {
        let choice = |priority: &Priority| Choice::Priority {
            ticket: ticket.id.clone(),
            seen,
            priority: priority.clone(),
        };
        let items =
            Priority::KNOWN.iter().map(|priority| (priority.word().to_owned(), choice(priority))).collect();
        let selected = Priority::KNOWN.iter().position(|known| *known == ticket.priority).unwrap_or(0);
        let title = format!("priority of {}", words::safe(&ticket.id));
        self.layers.push(Layer::Menu(Menu::new(title, items, selected)));
    }

    /// Retry or release: through its run where this session knows one, else through the ticket.
    pub(super) fn again(
        &mut self,
        ticket: &Ticket,
        seen: Option<Timestamp>,
        how: Resolution,
        note: Option<(String, String)>,
    ) {
        let id = words::safe(&ticket.id);
        let retry = how == Resolution::Retry;
        let said =
            if retry { format!("{id} is ready again and runs") } else { format!("{id} is ready again") };
        let resolvable = self.run_of(&ticket.id).filter(|run| is_resolvable(run)).map(|run| run.id.clone());
        let (key, note) = note.unzip();
        match resolvable {
            Some(run) => {
                let then = key.map_or(Then::Say, Then::FormSent);
                self.send(Command::Run(RunCommand::Resolve { run, how, note }), Pending { done: said, then });
            }
            None => {
                let then = if retry { Then::Start(ticket.id.clone()) } else { Then::Say };
                self.apply(&ticket.id, seen, Op::Ready { note }, Pending { done: said, then });
            }
        }
    }

    fn ask_fail(&mut self, ticket: &Ticket) {
        self.layers.push(Layer::Confirm(Confirm {
            question: format!("call {} failed?", words::safe(&ticket.id)),
            detail: "Its interrupted run counts as a failed attempt.".to_owned(),
            yes: "mark failed",
            then: Confirmed::Fail(ticket.id.clone()),
        }));
    }

    /// The operator said yes to calling it failed.
    pub(super) fn mark_failed(&mut self, id: &TicketId) {
        let said = Pending::say(format!("{} counts as failed", words::safe(id)));
        let run = self.run_of(id).filter(|run| is_resolvable(run)).map(|run| run.id.clone());
        match run {
            Some(run) => self.send(
                Command::Run(RunCommand::Resolve { run, how: Resolution::MarkFailed, note: None }),
                said,
            ),
            None => {
                let error = "interrupted; called failed by the operator".to_owned();
                let seen = self.seen(id).flatten();
                self.apply(id, seen, Op::Fail { error, result: None }, said);
            }
        }
    }

    /// First press asks; a press while it stops kills (rule K).
    fn stop(&mut self, ticket: &Ticket) {
        let Some(run) = self.run_of(&ticket.id).map(Arc::clone) else { return };
        let id = words::safe(&ticket.id);
        if run.state == RunState::Stopping {
            self.say(NoticeKind::Info, format!("killing {id}"));
            return self.send(Command::Run(RunCommand::Stop { run: run.id.clone() }), Pending::quiet());
        }
        let question = if is_stoppable(run.state) {
            format!("stop the run of {id}?")
        } else {
            format!("stop the processes that {id} left behind?")
        };
        self.layers.push(Layer::Confirm(Confirm {
            question,
            detail: format!(
                "The whole group is asked to end; after the grace it is killed. {} again skips the wait.",
                self.key_of(Action::Stop)
            ),
            yes: "stop",
            then: Confirmed::Stop(run.id.clone()),
        }));
    }
}

/// Whether what became of an ended run is for the operator to decide.
pub(super) fn is_resolvable(run: &RunView) -> bool {
    !is_live(run)
        && matches!(
            run.state,
            RunState::Interrupted
                | RunState::Failed
                | RunState::Stopped
                | RunState::Violation
                | RunState::NeedsYou
        )
}
