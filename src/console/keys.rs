//! One key press as a name that stands in the keymap, in help and on the footer: `a`, `G`, `ctrl-p`, `shift-tab`.
//!
//! Owns no data. Invariant: `Key::parse(&key.to_string()) == Ok(key)` for every key that [`Key::of`] can make.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// A key press, normalised: an upper-case letter carries no shift, a control letter is lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// Why a key name in a keymap file means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The name is not known.
    #[error(
        "`{0}` is no key; write a character, or one of {NAMED}, with `ctrl-`, `alt-` or `shift-` before it"
    )]
    Unknown(String),
    /// Nothing stands there.
    #[error("a key name is empty; write a key such as `x` or `ctrl-x`, or `[]` to unbind the action")]
    Empty,
}

/// The names of keys that are no characters.
const NAMED: &str =
    "enter esc tab space backspace delete up down left right home end pageup pagedown insert f1…f12";

impl Key {
    /// The key of a terminal event; `None` for releases and for keys that we do not name.
    pub fn of(event: &KeyEvent) -> Option<Key> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        let held = event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        match event.code {
            KeyCode::BackTab => Some(Key {
                code: KeyCode::Tab,
                modifiers: (held - KeyModifiers::SHIFT) | KeyModifiers::SHIFT,
            }),
            KeyCode::Char(c) => Some(Key::character(c, held)),
            KeyCode::F(1..=12)
            | KeyCode::Enter
            | KeyCode::Esc
            | KeyCode::Tab
            | KeyCode::Backspace
            | KeyCode::Delete
            | KeyCode::Insert
            | KeyCode::Up
            | KeyCode::Down
            | KeyCode::Left
            | KeyCode::Right
            | KeyCode::Home
            | KeyCode::End
            | KeyCode::PageUp
            | KeyCode::PageDown => Some(Key { code: event.code, modifiers: held }),
            _ => None,
        }
    }

    fn character(c: char, held: KeyModifiers) -> Key {
        if held.contains(KeyModifiers::CONTROL) {
            let code = KeyCode::Char(c.to_ascii_lowercase());
            return Key { code, modifiers: held - KeyModifiers::SHIFT };
        }
        // A terminal reports shift together with the character that shift made; the character says it all.
        let c = if held.contains(KeyModifiers::SHIFT) { c.to_uppercase().next().unwrap_or(c) } else { c };
        Key { code: KeyCode::Char(c), modifiers: held - KeyModifiers::SHIFT }
    }

    /// Reads a name.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn parse(name: &str) -> Result<Key, KeyError> {
        let mut rest = name.trim();
        if rest.is_empty() {
            // A lone blank is how people write the space bar.
            return if name == " " {
                Ok(Key::character(' ', KeyModifiers::NONE))
            } else {
                Err(KeyError::Empty)
            };
        }
        let mut held = KeyModifiers::NONE;
        loop {
            let lower = rest.to_ascii_lowercase();
            let (prefix, modifier) = match lower.as_str() {
                s if s.len() > 5 && s.starts_with("ctrl-") => (5, KeyModifiers::CONTROL),
                s if s.len() > 4 && s.starts_with("alt-") => (4, KeyModifiers::ALT),
                s if s.len() > 6 && s.starts_with("shift-") => (6, KeyModifiers::SHIFT),
                _ => break,
            };
            held |= modifier;
            rest = &rest[prefix..];
        }
        Key::named(rest, held).ok_or_else(|| KeyError::Unknown(name.to_owned()))
    }

    fn named(rest: &str, held: KeyModifiers) -> Option<Key> {
        let mut characters = rest.chars();
        if let (Some(c), None) = (characters.next(), characters.next()) {
            return (!c.is_control()).then(|| Key::character(c, held));
        }
        let code = match rest.to_ascii_lowercase().as_str() {
            "enter" | "return" => KeyCode::Enter,
            "esc" | "escape" => KeyCode::Esc,
            "tab" => KeyCode::Tab,
            "space" => return Some(Key::character(' ', held)),
            "backspace" => KeyCode::Backspace,
            "delete" | "del" => KeyCode::Delete,
            "insert" => KeyCode::Insert,
            "up" => KeyCode::Up,
            "down" => KeyCode::Down,
            "left" => KeyCode::Left,
            "right" => KeyCode::Right,
            "home" => KeyCode::Home,
            "end" => KeyCode::End,
            "pageup" | "pgup" => KeyCode::PageUp,
            "pagedown" | "pgdn" => KeyCode::PageDown,
            other => {
                let number = other.strip_prefix('f')?.parse().ok()?;
                if !(1..=12).contains(&number) {
                    return None;
                }
                KeyCode::F(number)
            }
        };
        Some(Key { code, modifiers: held })
    }

    /// The character that this key types, if it types one.
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if !self.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => {
                Some(c)
            }
            _ => None,
        }
    }

    /// Whether a text field needs this key for itself: characters, arrows, deleting, Enter.
    pub(crate) fn is_text(self) -> bool {
        self.typed().is_some()
            || (self.modifiers.is_empty()
                && matches!(
                    self.code,
                    KeyCode::Enter
                        | KeyCode::Backspace
                        | KeyCode::Delete
                        | KeyCode::Left
                        | KeyCode::Right
                        | KeyCode::Up
                        | KeyCode::Down
                        | KeyCode::Home
                        | KeyCode::End
                ))
    }

    /// The terminal event of this key, for text fields.
    pub(crate) fn event(self) -> KeyEvent {
        KeyEvent::new(self.code, self.modifiers)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.modifiers.contains(KeyModifiers::CONTROL) {
            f.write_str("ctrl-")?;
        }
        if self.modifiers.contains(KeyModifiers::ALT) {
            f.write_str("alt-")?;
        }
        if self.modifiers.contains(KeyModifiers::SHIFT) {
            f.write_str("shift-")?;
        }
        let name = match self.code {
            KeyCode::Char(' ') => "space",
            KeyCode::Char(c) => return write!(f, "{c}"),
            KeyCode::F(n) => return write!(f, "f{n}"),
            KeyCode::Enter => "enter",
            KeyCode::Esc => "esc",
            KeyCode::Tab => "tab",
            KeyCode::Backspace => "backspace",
            KeyCode::Delete => "delete",
            KeyCode::Insert => "insert",
            KeyCode::Up => "up",
            KeyCode::Down => "down",
            KeyCode::Left => "left",
            KeyCode::Right => "right",
            KeyCode::Home => "home",
            KeyCode::End => "end",
            KeyCode::PageUp => "pageup",
            KeyCode::PageDown => "pagedown",
            _ => "?",
        };
        f.write_str(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for name in
            ["a", "G", "ctrl-p", "shift-tab", "alt-x", "space", "f12", "pageup", "[", "-", "ctrl--", "?", "ż"]
        {
            assert_eq!(Key::parse(name).map(|key| key.to_string()), Ok(name.to_owned()));
        }
    }

    #[test]
    fn what_the_terminal_says_is_what_the_keymap_says() {
        let of = |code, modifiers| Key::of(&KeyEvent::new(code, modifiers)).map(|key| key.to_string());
        assert_eq!(of(KeyCode::Char('g'), KeyModifiers::SHIFT), Some("G".to_owned()));
        assert_eq!(of(KeyCode::Char('G'), KeyModifiers::SHIFT), Some("G".to_owned()));
        assert_eq!(of(KeyCode::BackTab, KeyModifiers::SHIFT), Some("shift-tab".to_owned()));
        assert_eq!(of(KeyCode::Char('P'), KeyModifiers::CONTROL), Some("ctrl-p".to_owned()));
        assert_eq!(of(KeyCode::CapsLock, KeyModifiers::NONE), None);
    }

    #[test]
    fn wrong_names_are_refused_with_the_name() {
        assert_eq!(Key::parse("hyper-x"), Err(KeyError::Unknown("hyper-x".to_owned())));
        assert_eq!(Key::parse("f13"), Err(KeyError::Unknown("f13".to_owned())));
        assert_eq!(Key::parse(""), Err(KeyError::Empty));
    }
}
