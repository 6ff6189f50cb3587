//! Keys of the layers over the board. A layer is taken off, handles the key, and is put back unless it closed itself.

use super::super::actions::Action;
use super::super::keys::Key;
use super::super::layers::answer::Part;
use super::super::layers::confirm::Confirmed;
use super::super::layers::line::LineKind;
use super::super::layers::ticket::FieldName;
use super::super::layers::{AnswerForm, Confirm, Layer, LineInput, TicketForm};
use super::super::list::Motion;
use super::super::state::{Console, NoticeKind, Pane, Pending};
use crate::plan::lifecycle::Op;

impl Console {
    /// Gives a key to the topmost layer; `action` is what the keymap says it means there.
    pub(super) fn layer_key(&mut self, key: Key, action: Option<Action>) {
        let Some(layer) = self.layers.pop() else { return };
        self.dirty = true;
        match layer {
            Layer::Answer(form) => self.answer_key(form, key, action),
            Layer::Ticket(form) => self.ticket_key(form, key, action),
            Layer::Message(form) => self.message_key(form, key, action),
            Layer::Worktrees(list) => self.worktrees_key(list, action),
            Layer::Earlier(list) => self.earlier_key(list, key, action),
            Layer::Line(input) => self.line_key(input, key, action),
            Layer::Palette(palette) => self.palette_key(palette, key, action),
            Layer::Menu(menu) => self.menu_key(menu, key, action),
            Layer::Confirm(confirm) => self.confirm_key(confirm, key),
            Layer::Quit => self.quit_key(key, action),
            Layer::Help(text) => self.text_key(text, key, action, Layer::Help),
            Layer::History(text) => self.text_key(text, key, action, Layer::History),
            Layer::Audit(text) => self.text_key(text, key, action, Layer::Audit),
            page @ (Layer::Page(_) | Layer::Review(_) | Layer::Promotions(_)) => self.layers.push(page),
        }
    }

    /// Gives a paste to the topmost layer; true when it took it.
    pub(super) fn layer_paste(&mut self, text: &str) -> bool {
        let now = self.now;
        match self.layers.last_mut() {
            Some(Layer::Answer(form)) => {
                form.part = Part::Text;
                if form.text.paste(text) {
                    form.unsaved.touch(now);
                }
            }
            Some(Layer::Ticket(form)) => {
                let focus = form.focus;
                if form.text(focus).is_some_and(|field| field.paste(text)) {
                    form.unsaved.touch(now);
                }
            }
            Some(Layer::Message(form)) => {
                form.on_button = false;
                if form.text.paste(text) {
                    form.unsaved.touch(now);
                }
            }
            Some(Layer::Line(input)) => {
                input.text.paste(text);
                self.line_changed();
            }
            Some(Layer::Palette(palette)) => {
                palette.query.paste(text);
                palette.search();
            }
            _ => return false,
        }
        true
    }

    fn answer_key(&mut self, mut form: Box<AnswerForm>, key: Key, action: Option<Action>) {
        match action {
            Some(Action::Back) => return self.close_form(Layer::Answer(form)),
            Some(Action::Submit) => return self.submit_answer(form),
            Some(Action::FieldNext | Action::FieldPrevious) => form.step(action == Some(Action::FieldNext)),
            Some(Action::Editor) => {
                self.layers.push(Layer::Answer(form));
                return self.hand_to_editor();
            }
            Some(Action::Discard) => {
                self.layers.push(Layer::Answer(form));
                return self.ask_discard();
            }
            _ => {
                let digit = key.typed().and_then(|c| c.to_digit(10)).map(|digit| digit as usize);
                let enter = is_enter(key);
                match form.part {
                    Part::Submit if enter => return self.submit_answer(form),
                    Part::Submit => {}
                    Part::Choices | Part::Text => {
                        let chosen =
                            form.part == Part::Choices && digit.is_some_and(|number| form.choose(number));
                        // Typing goes to the text wherever the focus is; digits that choose nothing are typed too.
                        form.part = Part::Text;
                        if chosen || form.text.key(key) {
                            form.unsaved.touch(self.now);
                            form.error = None;
                        }
                    }
                }
            }
        }
        self.layers.push(Layer::Answer(form));
    }

    fn ticket_key(&mut self, mut form: Box<TicketForm>, key: Key, action: Option<Action>) {
        match action {
            Some(Action::Back) => return self.close_form(Layer::Ticket(form)),
            Some(Action::Submit) => return self.submit_ticket(form),
            Some(Action::FieldNext | Action::FieldPrevious) => form.step(action == Some(Action::FieldNext)),
            Some(Action::Editor) => {
                self.layers.push(Layer::Ticket(form));
                return self.hand_to_editor();
            }
            Some(Action::Discard) => {
                self.layers.push(Layer::Ticket(form));
                return self.ask_discard();
            }
            Some(Action::OtherDraft) => {
                if form.swap() {
                    form.unsaved.touch(self.now);
                    form.error = None;
                }
            }
            _ if form.focus == FieldName::Submit && is_enter(key) => return self.submit_ticket(form),
            _ => self.field_key(&mut form, key),
        }
        self.layers.push(Layer::Ticket(form));
    }

    fn field_key(&mut self, form: &mut TicketForm, key: Key) {
        let name = key.to_string();
        let turned = match name.as_str() {
            "left" => form.turn(-1),
            "right" | "space" => form.turn(1),
            _ => false,
        };
        if turned {
            form.unsaved.touch(self.now);
            return;
        }
        let focus = form.focus;
        let multi = matches!(focus, FieldName::Description | FieldName::Work);
        let Some(field) = form.text(focus) else {
            // Choices and the button: arrows and Enter walk on.
            match name.as_str() {
                "down" | "enter" => form.step(true),
                "up" => form.step(false),
                _ => {}
            }
            return;
        };
        match name.as_str() {
            "enter" if !multi => form.step(true),
            "up" if field.at_edge(true) => form.step(false),
            "down" if field.at_edge(false) => form.step(true),
            _ => {
                if field.key(key) {
                    form.unsaved.touch(self.now);
                    form.error = None;
                }
            }
        }
    }

    pub(super) fn ask_discard(&mut self) {
        self.layers.push(Layer::Confirm(Confirm {
            question: "throw this draft away?".to_owned(),
            detail: "The form closes and what you typed is gone.".to_owned(),
            yes: "throw away",
            then: Confirmed::Discard,
        }));
    }

    fn line_key(&mut self, input: Box<LineInput>, key: Key, action: Option<Action>) {
        if is_enter(key) {
            return self.line_accepted(*input);
        }
        if action == Some(Action::Back) {
            return self.line_left(*input);
        }
        let motion = match key.to_string().as_str() {
            "up" => Some(Motion::Up),
            "down" => Some(Motion::Down),
            _ => None,
        };
        let filters = matches!(input.kind, LineKind::Filter { .. });
        let promotions = matches!(input.kind, LineKind::Promotions { .. });
        self.layers.push(Layer::Line(input));
        match motion {
            // The arrows walk through the matches while the filter is still being typed.
            Some(motion) if filters => {
                self.focus = Pane::Queue;
                self.move_by(motion);
            }
            Some(motion) if promotions => {
                if let Some(screen) = self.promotions_mut() {
                    screen.go(motion);
                }
            }
            Some(_) => {}
            None => {
                if let Some(Layer::Line(input)) = self.layers.last_mut()
                    && input.text.key(key)
                {
                    self.line_changed();
                }
            }
        }
    }

    /// What is typed takes effect at once where that is harmless.
    fn line_changed(&mut self) {
        let Some(Layer::Line(input)) = self.layers.last() else { return };
        let text = input.text.text();
        match input.kind {
            LineKind::Filter { .. } => {
                self.queue.view.filter = text;
                self.refresh_rows();
            }
            LineKind::Search => {
                if let Some(view) = self.runs.shown_view_mut() {
                    view.search_set(&text);
                }
            }
            LineKind::ReviewSearch => self.review_search(&text),
            LineKind::Promotions { .. } => self.promotions_search(text),
            LineKind::Block { .. } | LineKind::Word { .. } => {}
        }
    }

    fn line_accepted(&mut self, input: LineInput) {
        match &input.kind {
            // What was filtered is walked through next, wherever the filter was asked for.
            LineKind::Filter { .. } => self.focus = Pane::Queue,
            LineKind::ReviewSearch | LineKind::Promotions { .. } => {}
            LineKind::Word { ticket, seen, .. } => {
                self.word_typed(ticket.clone(), seen.clone(), input.text.text().trim());
            }
            LineKind::Search => {
                if let Some(view) = self.runs.shown_view_mut() {
                    view.search_accept();
                }
            }
            LineKind::Block { ticket, seen } => {
                let reason = input.text.text().trim().to_owned();
                if reason.is_empty() {
                    self.say(NoticeKind::Refused, "a block needs a reason; Esc leaves without one");
                    self.layers.push(Layer::Line(Box::new(input)));
                    return;
                }
                let said = Pending::say(format!("{} is blocked", super::super::words::safe(ticket)));
                self.apply(&ticket.clone(), *seen, Op::Block { reason }, said);
            }
        }
    }

    fn line_left(&mut self, input: LineInput) {
        match input.kind {
            LineKind::Filter { before } => {
                self.queue.view.filter = before;
                self.refresh_rows();
            }
            LineKind::Search => {
                if let Some(view) = self.runs.shown_view_mut() {
                    view.search_cancel();
                }
            }
            LineKind::ReviewSearch => self.review_search(""),
            LineKind::Promotions { before } => self.promotions_search(before),
            LineKind::Block { .. } | LineKind::Word { .. } => {}
        }
    }
}

/// Whether the key is Enter without anything held.
pub(super) fn is_enter(key: Key) -> bool {
    key.to_string() == "enter"
}
