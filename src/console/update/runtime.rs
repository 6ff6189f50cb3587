//! What the runtime says. Rule A holds here: nothing in this file opens, closes or moves anything that has the keys.

use std::collections::HashMap;
use std::sync::Arc;

use crate::base::text::safe_text;
use crate::plan::ticket::TicketId;
use crate::runtime::protocol::{
    Channel, Command, Outcome, OutputLine, PlanHealth, ProjectEvent, PromotionEvent, RequestId, RunCommand,
    RunEvent, RunId, RunState, Snapshot,
};

use super::super::actions::Action;
use super::super::layers::{Layer, MessageForm};
use super::super::message::{Effect, ExitReason, RuntimeMessage};
use super::super::rows::is_live;
use super::super::state::{Console, NoticeKind, Pane, Pending, Then};
use super::super::words;

impl Console {
    pub(super) fn on_runtime(&mut self, message: RuntimeMessage) {
        match message {
            RuntimeMessage::Snapshot(snapshot) => {
                self.take_snapshot(snapshot);
                self.leave_when_quiet();
            }
            RuntimeMessage::Reply { request, outcome } => self.reply(request, outcome),
            RuntimeMessage::Run(event) => self.run_event(event),
            RuntimeMessage::Project(ProjectEvent::Draft { key, text }) => self.draft_came(&key, &text),
            RuntimeMessage::Project(ProjectEvent::Worktrees { list }) => self.worktrees_came(list),
            RuntimeMessage::Project(ProjectEvent::Pruned { report }) => self.pruned(&report),
            RuntimeMessage::Project(ProjectEvent::Audit { rows }) => {
                self.audit = Some(rows);
                self.dirty = true;
            }
            RuntimeMessage::Diff(event) => self.on_diff(event),
            RuntimeMessage::Promotion(PromotionEvent::Carried { promotion, trouble }) => {
                self.promotion_carried(&promotion, trouble.as_deref());
            }
            RuntimeMessage::Gone => {
                self.save_drafts();
                self.effects.push(Effect::Exit(ExitReason::RuntimeGone));
            }
        }
    }

    /// Takes a newer snapshot. The selection stays on its ticket while that is listed, an open form on its text.
    pub(crate) fn take_snapshot(&mut self, snapshot: Arc<Snapshot>) {
        let calls = self.settings.notify.calls();
        let called_before = if calls { self.calling() } else { HashMap::new() };
        let meant = self.subject_id();
        let before = std::mem::replace(&mut self.snapshot, snapshot);
        self.list_again();
        if !self.follow_new_run(&before) {
            self.follow_on();
        }
        self.strayed |= meant != self.subject_id();
        self.runs.refresh(&self.snapshot);
        let promotions = Arc::clone(&self.snapshot.promotions);
        if !Arc::ptr_eq(&before.promotions, &promotions)
            && let Some(screen) = self.promotions_mut()
        {
            screen.take(&promotions);
        }
        // What was so before we looked for the first time is on the screen, and nobody is called for it.
        if calls && matches!(before.health, PlanHealth::Open { .. }) {
            self.call(&called_before);
        }
        self.name_window();
        self.dirty = true;
    }

    /// Computes the rows again and starts the detail at its top where the selection had to move.
    pub(super) fn list_again(&mut self) {
        let (selected, meant) = (self.queue.selected.clone(), self.subject_id());
        self.queue.refresh(&self.snapshot, self.now);
        if self.queue.selected != selected {
            self.detail.scroll = 0;
        }
        self.strayed |= meant != self.subject_id();
    }

    /// Shows a run that just began of the ticket that is looked at (a retry shows its own output, not the old one's),
    /// unless older output is being read; true when it did.
    fn follow_new_run(&mut self, before: &Snapshot) -> bool {
        if self.runs.opened.is_some() {
            return false;
        }
        let reads =
            self.focus == Pane::Run && self.runs.shown_view().is_some_and(|view| !view.status().following);
        let shown = self.shown_run().map(|run| run.ticket.clone());
        let selected = self.queue.selected.clone().filter(|_| self.focus != Pane::Run);
        let began = [selected, shown].into_iter().flatten().find_map(|ticket| {
            let newest = self.run_of(&ticket)?;
            let known = before.runs.iter().any(|run| run.id == newest.id);
            (!known && self.runs.shown.as_ref() != Some(&newest.id)).then(|| newest.id.clone())
        });
        match began {
            Some(run) if !reads => {
                self.show_run(run);
                true
            }
            _ => false,
        }
    }

    /// Shows a run where none is shown, or goes on from one that ended while nobody reads it.
    fn follow_on(&mut self) {
        // What the operator opened from a list stays until it is left.
        if self.runs.opened.is_some() {
            return;
        }
        let shown = self.shown_run().cloned();
        let next = self.active_runs().next().cloned();
        match (shown, next) {
            (None, Some(next)) => self.show_run(next.id.clone()),
            (None, None) => {
                self.runs.shown = None;
                if let Some(last) = self.snapshot.runs.first().map(|run| run.id.clone()) {
                    self.show_run(last);
                }
            }
            (Some(shown), Some(next)) if !is_live(&shown) => {
                let tail = self.runs.view(&shown.id).is_none_or(|view| view.status().following);
                let chosen = self.queue.selected.as_ref() == Some(&shown.ticket);
                if tail && !chosen && self.focus != Pane::Run {
                    self.show_run(next.id.clone());
                }
            }
            (Some(_), _) => {}
        }
    }

    fn reply(&mut self, request: RequestId, outcome: Outcome) {
        let Some(pending) = self.requests.take(request) else { return };
        self.changes.answered(
            request,
            match &outcome {
                Outcome::Done { ticket, .. } => Some(ticket.as_ref()),
                Outcome::Refused { .. } => None,
            },
        );
        match outcome {
            Outcome::Done { ticket, .. } => self.done(pending, ticket),
            Outcome::Refused { message } => self.refused(pending, &message),
        }
        self.dirty = true;
    }

    fn done(&mut self, pending: Pending, ticket: Option<TicketId>) {
        let id = ticket.as_ref().map(words::safe).unwrap_or_default();
        let text = pending.done.replace("{}", &id);
        match pending.then {
            Then::Say => self.say(NoticeKind::Done, text),
            Then::Landed => self.landed(ticket),
            Then::Quiet | Then::Fetch { .. } | Then::Diff(_) | Then::CommentsMarked => {}
            Then::CommentsSent { ticket, ids } => {
                self.comments_sent(ticket, ids, true);
                self.say(NoticeKind::Done, text);
            }
            Then::DraftSaved(key) => self.draft_saved(&key),
            Then::FormSent(key) => {
                // The runtime drops the draft of an answer itself; those of other forms are ours to drop.
                if key == "new" || key.starts_with("edit-") || MessageForm::is_key(&key) {
                    self.drop_draft(&key);
                } else {
                    self.drafts.remove(&key);
                }
                self.say(NoticeKind::Done, text);
            }
            Then::Start(ticket) => {
                let note = format!("retry-{ticket}");
                if self.drafts.get(&note).is_some() {
                    self.drop_draft(&note);
                }
                let done = Pending::say(format!("{} is ready again and runs", words::safe(&ticket)));
                self.send(Command::Run(RunCommand::Start { ticket }), done);
            }
        }
    }

    fn refused(&mut self, pending: Pending, message: &str) {
        let message = safe_text(message).to_string();
        if let Then::FormSent(key) = &pending.then {
            self.drafts.entry(key).refused = Some(message.clone());
            let again = if key == "new" {
                "make a ticket again to look and to send"
            } else {
                "open it again to look and to send"
            };
            self.say(NoticeKind::Refused, format!("not sent, your text is kept: {message} ({again})"));
            return;
        }
        if let Then::Fetch { run, raw } = &pending.then {
            let view = if *raw { self.runs.raw_mut(run) } else { self.runs.transcript(run) };
            return view.forget_request();
        }
        if let Then::Diff(id) = pending.then {
            return self.diff_refused(id, message);
        }
        if let Then::CommentsSent { ticket, ids } = pending.then {
            self.comments_sent(ticket, ids, false);
            return self.say(NoticeKind::Refused, format!("not sent, the comments are kept: {message}"));
        }
        if pending.then == Then::CommentsMarked {
            let message = format!(
                "the comments were sent, but after a restart they look as if they were not: {message}"
            );
            return self.say(NoticeKind::Refused, message);
        }
        if pending.then == Then::Landed {
            return self.not_landed(&message);
        }
        if let Then::Start(ticket) = &pending.then {
            return self.say(NoticeKind::Refused, format!("{}: {message}", words::safe(ticket)));
        }
        self.say(NoticeKind::Refused, message);
    }

    fn run_event(&mut self, event: RunEvent) {
        match event {
            RunEvent::Output { run, first, lines } => {
                self.runs.transcript(&run).push(first, &lines);
                self.output_changed(&run);
            }
            RunEvent::Lines { run, first, lines } => {
                self.runs.transcript(&run).supply(first, &lines);
                self.output_changed(&run);
            }
            RunEvent::RawLines { run, first, total, lines } => {
                // Of a stream as it came nothing is known but its text.
                let plain = |line: &OutputLine| OutputLine::new(line.at_ms, Channel::Out, line.text.clone());
                let lines: Vec<OutputLine> = lines.iter().map(plain).collect();
                let view = self.runs.raw_mut(&run);
                view.set_total(total);
                view.supply(first, &lines);
                self.output_changed(&run);
            }
            RunEvent::Partial { run, channel, text } => {
                self.runs.transcript(&run).set_partial(channel, &text);
                self.output_changed(&run);
            }
            RunEvent::Ended { run, state } => self.ended(&run, state),
            RunEvent::Earlier { ticket, runs, total } => self.earlier_came(&ticket, runs, total),
            RunEvent::Opened { view } => self.opened_came(view),
        }
    }

    /// Output that nobody sees costs no frame.
    fn output_changed(&mut self, run: &RunId) {
        if self.runs.shown.as_ref() == Some(run) || self.runs.grid {
            self.dirty = true;
        }
    }

    fn ended(&mut self, run: &RunId, state: RunState) {
        self.runs.transcript(run).set_partial(Channel::Text, "");
        let Some(view) = self.snapshot.runs.iter().find(|view| view.id == *run) else { return };
        let id = words::safe(&view.ticket);
        match state {
            RunState::Done => self.say(NoticeKind::Done, format!("{id} is done")),
            RunState::Failed => {
                self.say(NoticeKind::Info, format!("{id} failed; {} tries again", self.key_of(Action::Retry)))
            }
            RunState::Stopped => self.say(NoticeKind::Info, format!("{id} was stopped")),
            RunState::Interrupted => self.say(NoticeKind::Info, format!("{id} was interrupted")),
            RunState::Violation => {
                self.say(NoticeKind::Info, format!("{id} broke the policy and was stopped"))
            }
            RunState::NeedsYou => self.say(NoticeKind::Info, format!("{id} needs you")),
            RunState::Running | RunState::Stalled | RunState::Stopping | RunState::Sleeping => {}
        }
    }

    fn draft_saved(&mut self, key: &str) {
        let now = self.now;
        self.drafts.entry(key).saved_at = Some(now);
        for form in self.layers.iter_mut().filter(|layer| layer.draft_key().as_deref() == Some(key)) {
            form.set_saved(Some(now));
        }
    }

    fn draft_came(&mut self, key: &str, text: &str) {
        let mut offered = false;
        for layer in &mut self.layers {
            match layer {
                Layer::Answer(form) if form.key() == key && form.awaits_draft => form.restore(text),
                Layer::Message(form) if form.key() == key && form.awaits_draft => form.restore(text),
                Layer::Ticket(form) if form.key() == key && form.awaits_draft => {
                    offered |= !form.restore(text) && form.offered.is_some();
                }
                _ => {}
            }
        }
        if offered {
            let key = self.key_of(Action::OtherDraft);
            self.say(
                NoticeKind::Info,
                format!("an earlier draft of this form is kept too; {key} goes from one to the other"),
            );
        }
        self.dirty = true;
    }
}
