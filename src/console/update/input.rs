//! Keys, pastes and sizes. A key goes to the topmost layer; without one, to the pane with the focus and the board.

use super::super::actions::{Action, Scope};
use super::super::keys::Key;
use super::super::layers::Layer;
use super::super::message::InputMessage;
use super::super::state::{Console, NoticeKind, Pane};
use crate::runtime::protocol::PlanHealth;

impl Console {
    pub(super) fn on_input(&mut self, message: InputMessage) {
        match message {
            InputMessage::Key(key) => {
                if self.notices.key_pressed() {
                    self.dirty = true;
                }
                self.on_key(key);
            }
            InputMessage::Paste(text) => self.paste(&text),
            InputMessage::Resize(width, height) => {
                self.size = (width, height);
                if super::super::view::is_small(self.size) {
                    // Only the list is shown there, so only the list can have the focus.
                    self.focus = Pane::Queue;
                }
                self.dirty = true;
            }
        }
    }

    fn on_key(&mut self, key: Key) {
        let scopes = self.scopes();
        let action = self.settings.keymap.lookup(&scopes, key);
        // These work above everything: they touch no text and no ticket.
        if let Some(Action::Suspend | Action::Repaint) = action {
            return self.perform_if_available(action);
        }
        match self.layers.last() {
            Some(Layer::Page(_) | Layer::Review(_) | Layer::Promotions(_)) | None => match action {
                Some(_) => self.perform_if_available(action),
                None => self.page_back_or_unknown(key),
            },
            Some(_) => self.layer_key(key, action),
        }
    }

    fn page_back_or_unknown(&mut self, key: Key) {
        // An ignored key costs nothing: no frame, no byte. Only ctrl-c is never ignored, whatever the keymap says.
        if Key::parse("ctrl-c") == Ok(key) {
            self.perform_if_available(Some(Action::Quit));
        }
    }

    fn perform_if_available(&mut self, action: Option<Action>) {
        let Some(action) = action else { return };
        match super::available(self, action) {
            Ok(()) => self.perform(action),
            Err(reason) => self.say(NoticeKind::Refused, format!("{}: {reason}", action.spec().title)),
        }
    }

    /// Where a key is looked up now, innermost first.
    pub(crate) fn scopes(&self) -> Vec<Scope> {
        self.layers.last().map_or_else(|| self.board_scopes(), |layer| layer.scopes().to_vec())
    }

    /// Where a key is looked up on the board itself.
    pub(crate) fn board_scopes(&self) -> Vec<Scope> {
        if self.snapshot.health == PlanHealth::Uninitialised {
            return vec![Scope::Init];
        }
        let pane = match self.focus {
            Pane::Queue => Scope::Queue,
            Pane::Run => Scope::Run,
            Pane::Verdict => Scope::Verdict,
            Pane::Detail => Scope::Detail,
        };
        vec![pane, Scope::Board]
    }

    fn paste(&mut self, text: &str) {
        // On the board a paste would be a burst of keys; it is dropped whole.
        if self.layer_paste(text) {
            self.dirty = true;
        }
    }
}
