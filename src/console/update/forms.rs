//! Opening, saving and sending forms. Sending closes the form at the operator's own key, never at the runtime's answer
//! (rule A); a refusal leaves the text in its draft, with the reason shown when the form is opened again.

use std::sync::Arc;

use jiff::Timestamp;

use crate::plan::lifecycle::{Op, Patch};
use crate::plan::ticket::Ticket;
use crate::runtime::protocol::{Command, DraftCommand, TicketCommand};

use super::super::layers::field::TextField;
use super::super::layers::ticket::Subject;
use super::super::layers::{AnswerForm, Layer, TicketForm};
use super::super::message::Effect;
use super::super::state::{Console, NoticeKind, Pending, Then};
use super::super::words;

impl Console {
    pub(super) fn open_answer(&mut self, ticket: &Ticket, seen: Option<Timestamp>) {
        self.open_form(Layer::Answer(Box::new(AnswerForm::new(ticket, seen))));
    }

    pub(super) fn open_create(&mut self) {
        self.open_form(Layer::Ticket(Box::new(TicketForm::create())));
    }

    pub(super) fn open_edit(&mut self, ticket: Arc<Ticket>, seen: Option<Timestamp>) {
        self.open_form(Layer::Ticket(Box::new(TicketForm::edit(ticket, seen))));
    }

    /// Opens a form with what was typed into it before. Where this session does not know that, it is asked for.
    pub(super) fn open_form(&mut self, mut form: Layer) {
        if let Some(key) = form.draft_key() {
            match self.drafts.get(&key) {
                Some(draft) => form.recall(draft),
                None => self.load_draft(key),
            }
        }
        self.layers.push(form);
    }

    fn load_draft(&mut self, key: String) {
        self.send(Command::Draft(DraftCommand::Load { key }), Pending::quiet());
    }

    /// Saves drafts whose pause is over.
    pub(super) fn save_due_drafts(&mut self) {
        let now = self.now;
        self.save_drafts_if(|layer| layer.save_due().is_some_and(|due| due <= now));
    }

    /// Saves every draft that was changed.
    pub(super) fn save_drafts(&mut self) {
        self.save_drafts_if(|layer| layer.save_due().is_some());
    }

    fn save_drafts_if(&mut self, wanted: impl Fn(&Layer) -> bool) {
        let mut due = Vec::new();
        for layer in self.layers.iter_mut().filter(|layer| wanted(layer)) {
            match layer {
                Layer::Answer(form) => {
                    form.unsaved.clear();
                    due.push((form.key().to_owned(), form.text.text()));
                }
                Layer::Ticket(form) => {
                    form.unsaved.clear();
                    due.push((form.key(), form.draft()));
                }
                Layer::Message(form) => {
                    form.unsaved.clear();
                    due.push((form.key(), form.text.text()));
                }
                _ => {}
            }
        }
        for (key, text) in due {
            self.save_draft(key, text);
        }
    }

    pub(super) fn save_draft(&mut self, key: String, text: String) {
        self.drafts.entry(&key).text.clone_from(&text);
        let pending = Pending { done: String::new(), then: Then::DraftSaved(key.clone()) };
        self.send(Command::Draft(DraftCommand::Save { key, text }), pending);
    }

    /// Drops a draft; the other one of its form stays behind. An empty draft is none.
    pub(super) fn drop_draft(&mut self, key: &str) {
        let other = self.drafts.get(key).and_then(|draft| TicketForm::other_in(&draft.text));
        self.drafts.remove(key);
        if let Some(other) = other {
            return self.save_draft(key.to_owned(), other);
        }
        let command = DraftCommand::Save { key: key.to_owned(), text: String::new() };
        self.send(Command::Draft(command), Pending::quiet());
    }

    /// Closes a form and keeps what was typed.
    pub(super) fn close_form(&mut self, layer: Layer) {
        let (key, text, changed) = match &layer {
            Layer::Answer(form) => (form.key().to_owned(), form.text.text(), form.unsaved.is_some()),
            Layer::Ticket(form) => (form.key(), form.draft(), form.unsaved.is_some()),
            Layer::Message(form) => (form.key(), form.text.text(), form.unsaved.is_some()),
            _ => return,
        };
        if changed {
            self.save_draft(key.clone(), text);
        }
        if self.drafts.get(&key).is_some_and(|draft| !draft.text.is_empty()) {
            self.say(NoticeKind::Info, "the draft is kept; opening the form again brings it back");
        }
    }

    /// Sends an answer. The form comes back when it cannot be sent.
    pub(super) fn submit_answer(&mut self, mut form: Box<AnswerForm>) {
        if form.text.is_blank() {
            form.error = Some("an answer needs words; Esc closes without one".to_owned());
            self.layers.push(Layer::Answer(form));
            return;
        }
        let (key, text) = (form.key().to_owned(), form.text.text());
        // The draft is durable before the answer is on its way, so a crash in between loses nothing.
        self.save_draft(key.clone(), text.clone());
        self.drafts.entry(&key).refused = None;
        let done = format!("{} is answered", words::safe(&form.ticket));
        let command = TicketCommand::Answer { id: form.ticket.clone(), text, seen: form.seen };
        self.send(Command::Ticket(command), Pending { done, then: Then::FormSent(key) });
        self.say(NoticeKind::Info, format!("sending the answer to {}…", words::safe(&form.ticket)));
    }

    /// Sends a new ticket or a change. The form comes back when it cannot be sent.
    pub(super) fn submit_ticket(&mut self, mut form: Box<TicketForm>) {
        let subject = form.subject.clone();
        let command = match &subject {
            Subject::New => form.new_ticket().map(|new| Some(TicketCommand::Create(Box::new(new)))),
            Subject::Existing { ticket, seen } => form.patch(ticket).map(|patch| {
                let op = Op::Update(patch.clone());
                (patch != Patch::default()).then(|| TicketCommand::Apply {
                    id: ticket.id.clone(),
                    op,
                    seen: *seen,
                })
            }),
        };
        let key = form.key();
        match command {
            Err(error) => {
                form.focus = error.0;
                form.error = Some(error);
                self.layers.push(Layer::Ticket(form));
            }
            Ok(None) => {
                self.drop_draft(&key);
                self.say(NoticeKind::Info, "nothing was changed");
            }
            Ok(Some(command)) => {
                self.save_draft(key.clone(), form.draft());
                self.drafts.entry(&key).refused = None;
                let done = match subject {
                    Subject::New => "{} is made".to_owned(),
                    Subject::Existing { ticket, .. } => format!("{} is changed", words::safe(&ticket.id)),
                };
                self.send(Command::Ticket(command), Pending { done, then: Then::FormSent(key) });
            }
        }
    }

    /// Hands the field with the focus to the operator's editor.
    pub(super) fn hand_to_editor(&mut self) {
        let (key, text) = match self.layers.last_mut() {
            Some(Layer::Answer(form)) => (form.key().to_owned(), form.text.text()),
            Some(Layer::Message(form)) => (form.key(), form.text.text()),
            Some(Layer::Ticket(form)) => {
                let (key, focus) = (form.key(), form.focus);
                match form.text(focus) {
                    Some(field) => (key, field.text()),
                    None => return,
                }
            }
            _ => return,
        };
        self.save_drafts();
        self.effects.push(Effect::Edit { key, text });
    }

    /// The editor came back.
    pub(super) fn edited(&mut self, key: &str, result: Result<String, String>) {
        self.dirty = true;
        let text = match result {
            Ok(text) => text,
            Err(reason) => return self.say(NoticeKind::Refused, reason),
        };
        // Editors end a file with a line end; the text that was handed over had none.
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let now = self.now;
        let put = |field: &mut TextField| {
            if field.text() != text {
                field.set(text);
            }
        };
        match self.layers.last_mut() {
            Some(Layer::Answer(form)) if form.key() == key => {
                put(&mut form.text);
                form.unsaved.touch(now);
            }
            Some(Layer::Message(form)) if form.key() == key => {
                put(&mut form.text);
                form.unsaved.touch(now);
            }
            Some(Layer::Ticket(form)) if form.key() == key => {
                let focus = form.focus;
                if let Some(field) = form.text(focus) {
                    put(field);
                    form.unsaved.touch(now);
                }
            }
            _ => {}
        }
    }
}
