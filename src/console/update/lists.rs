//! Keys of the palette, of menus, of questions and of texts over the board.

use super::super::actions::Action;
use super::super::keys::Key;
use super::super::layers::confirm::Confirmed;
use super::super::layers::menu::Choice;
use super::super::layers::message::Purpose;
use super::super::layers::{Confirm, Layer, Menu, Palette, Scrolled};
use super::super::list::Motion;
use super::super::message::Effect;
use super::super::state::{Console, Leaving, NoticeKind, Pending};
use super::layers::is_enter;
use crate::runtime::protocol::diff::NotebookChange;
use crate::runtime::protocol::{Command, QueueCommand, RunCommand};

impl Console {
    pub(super) fn palette_key(&mut self, mut palette: Box<Palette>, key: Key, action: Option<Action>) {
        if action == Some(Action::Back) {
            return;
        }
        if is_enter(key) {
            match palette.found.chosen().cloned() {
                Some(found) if found.disabled.is_none() => return self.perform(found.action),
                Some(found) => {
                    let reason = found.disabled.unwrap_or_default();
                    self.say(NoticeKind::Refused, format!("{}: {reason}", found.action.spec().title));
                }
                None => {}
            }
        } else {
            // Letters are typed here, so that only keys which are none move.
            let motion = match key.to_string().as_str() {
                "up" | "ctrl-p" => Some(Motion::Up),
                "down" | "ctrl-n" => Some(Motion::Down),
                "pageup" => Some(Motion::PageUp),
                "pagedown" => Some(Motion::PageDown),
                _ => None,
            };
            match motion {
                Some(motion) => palette.found.go(motion),
                None if palette.query.key(key) => palette.search(),
                None => {}
            }
        }
        self.layers.push(Layer::Palette(palette));
    }

    pub(super) fn menu_key(&mut self, mut menu: Menu, key: Key, action: Option<Action>) {
        match action {
            Some(Action::Back | Action::Close) => {
                if let Some(before) = &menu.theme_before {
                    self.take_theme(before);
                }
                return;
            }
            Some(Action::Accept) => return self.menu_accepted(&menu),
            _ => {
                if let Some(motion) = action.and_then(Motion::of) {
                    menu.items.go(motion);
                }
                let digit = key
                    .typed()
                    .and_then(|c| c.to_digit(10))
                    .and_then(|digit| (digit as usize).checked_sub(1));
                if let Some(index) = digit.filter(|index| *index < menu.items.rows().len()) {
                    menu.items.go_to(index);
                    return self.menu_accepted(&menu);
                }
            }
        }
        if let Some(Choice::Theme(name)) = menu.chosen() {
            self.take_theme(&name.clone());
        }
        self.layers.push(Layer::Menu(menu));
    }

    fn menu_accepted(&mut self, menu: &Menu) {
        match menu.chosen().cloned() {
            Some(Choice::Priority { ticket, seen, priority }) => self.set_priority(&ticket, seen, priority),
            Some(Choice::Delegate { ticket, agent }) => {
                self.open_message(ticket, Purpose::Delegate { agent });
            }
            Some(Choice::Range(range)) => {
                let whitespace = self.review().is_none_or(|screen| screen.whitespace);
                self.reopen_diff(range, whitespace);
            }
            Some(Choice::PlaceComment(ticket, comment)) => {
                let change = NotebookChange::Keep { comment: *comment };
                self.note(ticket, change, Pending::say("the comment stands here now"));
            }
            Some(Choice::RejectPromotion { ticket, seen, after }) => {
                self.open_promotion_reason(ticket, seen, after);
            }
            Some(Choice::Kinds(filter)) => {
                if let Some(view) = self.runs.shown_view_mut() {
                    view.set_filter(filter);
                }
            }
            Some(Choice::Theme(name)) => {
                self.take_theme(&name);
                if self.theme.name() == name {
                    self.effects.push(Effect::KeepTheme(name));
                }
            }
            None => {}
        }
    }

    fn take_theme(&mut self, name: &str) {
        match self.settings.themes.load(name, self.settings.depth) {
            Ok(theme) => self.theme = theme,
            Err(error) => self.say(NoticeKind::Refused, error.to_string()),
        }
    }

    pub(super) fn confirm_key(&mut self, confirm: Confirm, key: Key) {
        if key.typed() != Some(Confirm::YES) {
            // Anything but the named key is a no, and does nothing else.
            return;
        }
        match confirm.then {
            Confirmed::Stop(run) => self.send(Command::Run(RunCommand::Stop { run }), Pending::quiet()),
            Confirmed::Undo(ticket) => self.undo(ticket),
            Confirmed::Fail(ticket) => self.mark_failed(&ticket),
            Confirmed::DropComment(ticket, id) => {
                self.note(ticket, NotebookChange::Drop { id }, Pending::say("the comment is dropped"));
            }
            Confirmed::Approve { ticket, seen } => self.send_approval(ticket, seen),
            Confirmed::ReviewAgain { ticket, seen } => self.send_review_again(ticket, seen),
            Confirmed::Prune(tickets) => self.prune(tickets),
            Confirmed::Land(wanted) => self.land(wanted),
            Confirmed::UndoPromotion(id) => self.undo_promotion(id),
            Confirmed::Discard => {
                if let Some(key) = self.layers.pop().and_then(|form| form.draft_key()) {
                    self.drop_draft(&key);
                }
            }
        }
    }

    pub(super) fn quit_key(&mut self, key: Key, action: Option<Action>) {
        match key.typed() {
            // The last run ended while the question stood there: each way to leave it offered leaves now.
            Some('s' | 'w' | 'q') if !self.has_active_runs() => self.leave(),
            Some('s') => {
                self.leaving = Some(Leaving::Stopping);
                let runs: Vec<_> = self.active_runs().map(|run| run.id.clone()).collect();
                self.send(Command::Queue(QueueCommand::Pause), Pending::quiet());
                for run in runs {
                    self.send(Command::Run(RunCommand::Stop { run }), Pending::quiet());
                }
                self.layers.push(Layer::Quit);
                self.leave_when_quiet();
            }
            Some('w') => {
                self.leaving = Some(Leaving::Waiting);
                self.send(Command::Queue(QueueCommand::Pause), Pending::quiet());
                self.say(
                    NoticeKind::Info,
                    "nothing new starts; the console goes with the last run (Esc stays)",
                );
                self.leave_when_quiet();
            }
            _ if action == Some(Action::Back) => self.leaving = None,
            _ => self.layers.push(Layer::Quit),
        }
    }

    pub(super) fn text_key(
        &mut self,
        mut text: Scrolled,
        key: Key,
        action: Option<Action>,
        back: fn(Scrolled) -> Layer,
    ) {
        match action {
            Some(Action::Back | Action::Close | Action::Accept) => return,
            // The key that opened it closes it.
            _ if matches!(key.typed(), Some('?' | 'M' | 'H')) => return,
            _ => {
                if let Some(motion) = action.and_then(Motion::of) {
                    let (lines, height) = super::super::view::overlay_extent(self, &back(text));
                    text.top = motion.scroll(text.top, lines, height);
                }
            }
        }
        self.layers.push(back(text));
    }
}
