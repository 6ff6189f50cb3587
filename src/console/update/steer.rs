//! Steering agents: words to one that works, a pause, a retry with a note, a delegation, a shell in the worktree.

use std::path::PathBuf;
use std::sync::Arc;

use super::super::actions::Action;
use super::super::keys::Key;
use super::super::layers::menu::{Choice, Menu};
use super::super::layers::message::Purpose;
use super::super::layers::{Layer, MessageForm};
use super::super::message::Effect;
use super::super::rows::is_live;
use super::super::state::{Console, NoticeKind, Pane, Pending, Then};
use super::super::words;
use super::layers::is_enter;
use crate::base::paths::ProjectPaths;
use crate::base::text::safe_text;
use crate::plan::ticket::{Ticket, TicketId};
use crate::runtime::protocol::{AgentView, Command, Hearing, Resolution, RunCommand, RunView};

impl Console {
    /// The run that steering keys are about: the shown one where the output has the focus, else the ticket's newest.
    pub(crate) fn steered(&self) -> Option<&Arc<RunView>> {
        let page = matches!(self.layers.last(), Some(Layer::Page(_)));
        match self.focus {
            Pane::Run if !page => self.shown_run(),
            _ => self.run_of(&self.subject_id()?),
        }
    }

    pub(super) fn steered_agent(&self) -> Option<(&Arc<RunView>, &Arc<AgentView>)> {
        let run = self.steered()?;
        Some((run, run.agent.as_ref()?))
    }

    pub(super) fn open_say(&mut self) {
        if let Some((run, _)) = self.steered_agent() {
            let (ticket, run) = (run.ticket.clone(), run.id.clone());
            self.open_message(ticket, Purpose::Say(run));
        }
    }

    pub(super) fn open_message(&mut self, ticket: TicketId, purpose: Purpose) {
        self.open_form(Layer::Message(Box::new(MessageForm::new(ticket, purpose))));
    }

    pub(super) fn open_delegate_menu(&mut self, ticket: &Ticket) {
        let agents = &self.snapshot.agents;
        let choice = |agent: Option<String>| Choice::Delegate { ticket: ticket.id.clone(), agent };
        let mut items: Vec<(String, Choice)> =
            agents.iter().map(|agent| (safe_text(agent).to_string(), choice(Some(agent.clone())))).collect();
        if items.is_empty() {
            items.push(("the usual agent".to_owned(), choice(None)));
        }
        let title = format!("who works {}?", words::safe(&ticket.id));
        self.layers.push(Layer::Menu(Menu::new(title, items, 0)));
    }

    pub(super) fn toggle_pause(&mut self) {
        let Some((run, agent)) = self.steered_agent() else { return };
        let (run, on) = (run.id.clone(), !agent.pausing);
        let said = if on { "it ends after this turn" } else { "it goes on after this turn" };
        self.send(Command::Run(RunCommand::PauseAfterTurn { run, on }), Pending::say(said));
    }

    pub(super) fn attach(&mut self) {
        if let Some(folder) = self.worktree_of_steered() {
            self.effects.push(Effect::Attach { folder });
        }
    }

    pub(super) fn worktree_of_steered(&self) -> Option<PathBuf> {
        if let Some((_, agent)) = self.steered_agent() {
            return agent.worktree.as_ref().map(|worktree| worktree.work_folder());
        }
        // Its rounds are of an earlier session; what they left lies where worktrees lie.
        let review = self.reviewed().filter(|_| self.focus == Pane::Verdict)?;
        let plain = |id: &&str| !id.contains(['/', '\\']) && !id.starts_with('.');
        let id = Some(review.ticket.as_str()).filter(plain)?;
        Some(ProjectPaths::new(&self.snapshot.root).worktrees().join(id))
    }

    pub(super) fn message_key(&mut self, mut form: Box<MessageForm>, key: Key, action: Option<Action>) {
        match action {
            Some(Action::Back) => return self.close_form(Layer::Message(form)),
            Some(Action::Submit) => return self.submit_message(form),
            Some(Action::FieldNext | Action::FieldPrevious) => form.on_button = !form.on_button,
            Some(Action::Editor) => {
                self.layers.push(Layer::Message(form));
                return self.hand_to_editor();
            }
            Some(Action::Discard) => {
                self.layers.push(Layer::Message(form));
                return self.ask_discard();
            }
            _ if form.on_button && is_enter(key) => return self.submit_message(form),
            _ => {
                form.on_button = false;
                if form.text.key(key) {
                    form.unsaved.touch(self.now);
                    form.error = None;
                }
            }
        }
        self.layers.push(Layer::Message(form));
    }

    /// Sends the words. The form comes back when they cannot be sent.
    fn submit_message(&mut self, mut form: Box<MessageForm>) {
        let needs_words = matches!(
            form.purpose,
            Purpose::Say(_)
                | Purpose::Comment(_)
                | Purpose::Reject { .. }
                | Purpose::RejectPromotion { .. }
                | Purpose::Fixes { .. }
        );
        if form.text.is_blank() && needs_words {
            form.error = Some("it needs words; Esc closes without".to_owned());
            self.layers.push(Layer::Message(form));
            return;
        }
        let (key, text) = (form.key(), form.text.text());
        // The draft is durable before the words are on their way, so a crash in between loses nothing.
        self.save_draft(key.clone(), text.clone());
        self.drafts.entry(&key).refused = None;
        let id = words::safe(&form.ticket);
        let note = (!form.text.is_blank()).then(|| text.clone());
        let sent = |done: String| Pending { done, then: Then::FormSent(key.clone()) };
        match form.purpose {
            Purpose::Say(run) => {
                let live = self.snapshot.runs.iter().any(|view| {
                    let hears = view.agent.as_ref().is_some_and(|agent| agent.hearing == Hearing::Live);
                    view.id == run && is_live(view) && hears
                });
                let done = if live { "is told" } else { "is told in its next round" };
                let command = RunCommand::Say { run, text };
                self.send(Command::Run(command), sent(format!("the agent of {id} {done}")));
            }
            Purpose::Comment(place) => self.keep_comment(&form.ticket, *place, text, key),
            Purpose::Delegate { agent } => {
                let who = agent.as_deref().map_or("an agent".to_owned(), |name| safe_text(name).to_string());
                let command = RunCommand::Delegate { ticket: form.ticket.clone(), agent, note };
                self.send(Command::Run(command), sent(format!("{who} works {id}")));
            }
            Purpose::RejectPromotion { seen, after } => {
                self.reject_promotion(&form.ticket, seen, after, text, key);
            }
            purpose @ (Purpose::Reject { .. } | Purpose::Fixes { .. }) => {
                if let Err(why) = self.send_judgement(&form.ticket, purpose, &text, key) {
                    self.say(NoticeKind::Refused, why);
                }
            }
            Purpose::Retry { seen } => match self.snapshot.plan.ticket(&form.ticket).cloned() {
                Some(ticket) => {
                    self.again(&ticket, seen, Resolution::Retry, note.map(|note| (key.clone(), note)));
                }
                None => self.say(NoticeKind::Refused, format!("{id} is in no file any more")),
            },
        }
    }
}
