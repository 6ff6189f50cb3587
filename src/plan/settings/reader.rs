//! Typed values out of the file, each judged alone: one bad key does not undo a good one.

use std::collections::BTreeMap;

use serde_yaml::{Mapping, Value};

use super::load::{NoteLevel, SettingsNote};
use super::near::nearest;
use super::place::position;
use crate::plan::kind::kind;

/// Reads values and collects what did not count.
#[derive(Default)]
pub(super) struct Reader<'t> {
    /// The text of the file, to name lines.
    text: &'t str,
    pub(super) notes: Vec<SettingsNote>,
    /// Why no agent may be started: a limit cannot be understood.
    pub(super) refused: Option<String>,
}

/// A number and what it must be.
#[derive(Clone, Copy)]
pub(super) enum Number {
    /// Above 0.
    Positive,
    /// 0 or more.
    NotNegative,
}

impl<'t> Reader<'t> {
    /// A reader of what stands in `text`.
    pub(super) fn of(text: &'t str) -> Self {
        Reader { text, ..Reader::default() }
    }

    /// A value that does not count.
    pub(super) fn error(&mut self, key: &str, message: impl Into<String>) {
        self.note(NoteLevel::Error, key, message.into());
    }

    fn note(&mut self, level: NoteLevel, key: &str, message: String) {
        self.notes.push(SettingsNote { level, key: key.to_owned(), message, at: None });
    }

    /// The block under `key` of `parent`; nothing when it is missing or empty.
    pub(super) fn block<'v>(&mut self, parent: &'v Mapping, path: &str) -> Option<&'v Mapping> {
        match parent.get(last(path)) {
            None | Some(Value::Null) => None,
            Some(Value::Mapping(block)) => Some(block),
            Some(other) => {
                self.error(path, format!("is {}, not a mapping; nothing of it counts", kind(other)));
                None
            }
        }
    }

    /// The named blocks under `key`, in the order of their names.
    pub(super) fn named<'v>(&mut self, parent: &'v Mapping, path: &str) -> BTreeMap<String, &'v Mapping> {
        let mut found = BTreeMap::new();
        // The name alone says enough: `claude:`.
        static EMPTY: std::sync::LazyLock<Mapping> = std::sync::LazyLock::new(Mapping::new);
        for (name, value) in self.block(parent, path).into_iter().flatten() {
            let Some(name) = name.as_str().map(str::trim).filter(|name| !name.is_empty()) else {
                self.error(path, format!("has a name that is {}, not text", kind(name)));
                continue;
            };
            match value {
                Value::Mapping(block) => drop(found.insert(name.to_owned(), block)),
                Value::Null => drop(found.insert(name.to_owned(), &*EMPTY)),
                other => self.error(&format!("{path}.{name}"), format!("is {}, not a mapping", kind(other))),
            }
        }
        found
    }

    /// Warns of keys that nobody knows.
    pub(super) fn strangers(&mut self, block: &Mapping, path: &str, known: &[&str]) {
        self.keys(block, path, known, NoteLevel::Warning);
    }

    /// Keys that nobody knows, in a block where each that is not understood might have been a limit.
    pub(super) fn strangers_among_limits(&mut self, block: &Mapping, path: &str, known: &[&str]) {
        self.keys(block, path, known, NoteLevel::Error);
    }

    fn keys(&mut self, block: &Mapping, path: &str, known: &[&str], level: NoteLevel) {
        for key in block.keys() {
            let Some(name) = key.as_str() else {
                self.note(level, path, format!("has a key that is {}, not text", kind(key)));
                continue;
            };
            if known.contains(&name) {
                continue;
            }
            let full = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            let hint = match nearest(name, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", known.join(", ")),
            };
            self.note(level, &full, format!("is no known key and does nothing; {hint}"));
        }
    }

    /// Text that is not blank.
    pub(super) fn text(&mut self, block: &Mapping, path: &str) -> Option<String> {
        let text = match block.get(last(path))? {
            Value::Null => return None,
            Value::String(text) => text.trim().to_owned(),
            other => {
                self.error(path, format!("is {}, not text; it does not count", kind(other)));
                return None;
            }
        };
        if text.is_empty() {
            self.error(path, "is blank; leave the key out instead");
            return None;
        }
        Some(text)
    }

    /// A list of texts; a single text counts as a list of one.
    pub(super) fn texts(&mut self, block: &Mapping, path: &str) -> Vec<String> {
        let items = match block.get(last(path)) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Sequence(items)) => items.as_slice(),
            Some(single @ Value::String(_)) => std::slice::from_ref(single),
            Some(other) => {
                self.error(path, format!("is {}, not a list of texts; it does not count", kind(other)));
                return Vec::new();
            }
        };
        let mut texts = Vec::new();
        for item in items {
            match scalar(item) {
                Some(text) => texts.push(text),
                None => self.error(path, format!("holds {}, which is not text", kind(item))),
            }
        }
        texts
    }

    /// Name → value, values as text; names as they may stand in an environment when `variables`.
    pub(super) fn pairs(&mut self, block: &Mapping, path: &str, variables: bool) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for (name, value) in self.block(block, path).into_iter().flatten() {
            let Some(name) = scalar(name) else {
                self.error(path, "has a name that is not text");
                continue;
            };
            let full = format!("{path}.{name}");
            let Some(value) = scalar(value).filter(|value| !value.contains('\0')) else {
                self.error(&full, format!("is {}, not text; it is not set", kind(value)));
                continue;
            };
            if variables && !is_variable(&name) {
                self.error(&full, "is no name of a variable (letters, digits and `_`); it is not set");
                continue;
            }
            found.insert(name, value);
        }
        found
    }

    /// Names of variables.
    pub(super) fn variables(&mut self, block: &Mapping, path: &str) -> Vec<String> {
        let names = self.texts(block, path);
        let (names, strange): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| is_variable(name));
        for name in strange {
            self.error(path, format!("holds `{name}`, which is no name of a variable"));
        }
        names
    }

    /// A true boolean.
    pub(super) fn flag(&mut self, block: &Mapping, path: &str) -> Option<bool> {
        match block.get(last(path))? {
            Value::Null => None,
            Value::Bool(value) => Some(*value),
            other => {
                let message = format!("is {}, not true or false; write it bare, without quotes", kind(other));
                self.error(path, message);
                None
            }
        }
    }

    /// A finite number.
    pub(super) fn number(&mut self, block: &Mapping, path: &str, must: Number) -> Option<f64> {
        let value = block.get(last(path)).filter(|value| !value.is_null())?;
        let number = value.as_f64().filter(|number| number.is_finite());
        let fits = |number: &f64| match must {
            Number::Positive => *number > 0.0,
            Number::NotNegative => *number >= 0.0,
        };
        let number = number.filter(fits);
        if number.is_none() {
            let wanted = match must {
                Number::Positive => "a number above 0",
                Number::NotNegative => "a number of 0 or more",
            };
            self.error(path, format!("is {}, not {wanted}", shown(value)));
        }
        number
    }

    /// A whole number from `least`.
    pub(super) fn count(&mut self, block: &Mapping, path: &str, least: u64) -> Option<u64> {
        let value = block.get(last(path)).filter(|value| !value.is_null())?;
        // 2e6 and 2_000_000.0 mean what they say.
        let whole =
            |number: f64| (number.fract() == 0.0 && (0.0..9.0e15).contains(&number)).then_some(number as u64);
        let number =
            value.as_u64().or_else(|| value.as_f64().and_then(whole)).filter(|number| *number >= least);
        if number.is_none() {
            self.error(path, format!("is {}, not a whole number from {least}", shown(value)));
        }
        number
    }

    /// Runs `read` on limits: what it complains about keeps every agent from being started.
    pub(super) fn limits<T>(&mut self, read: impl FnOnce(&mut Reader<'t>) -> T) -> T {
        let before = self.notes.len();
        let value = read(self);
        for note in &mut self.notes[before..] {
            if note.level == NoteLevel::Error {
                note.message.push_str(match note.message.ends_with('?') {
                    true => " No agent is started until it is corrected",
                    false => "; no agent is started until it is corrected",
                });
                note.at = position(self.text, &note.key);
                self.refused.get_or_insert_with(|| note.to_string());
            }
        }
        value
    }
}

/// The last part of a dotted key. Names given by the operator never go through here.
fn last(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(_, last)| last)
}

/// A scalar as text; a list, a mapping or nothing is none.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) | Value::Tagged(_) => None,
    }
}

/// Whether a process may have a variable of that name.
pub(super) fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A value as a message shows it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("the text {:?}", text.chars().take(40).collect::<String>()),
        other => scalar(other).unwrap_or_else(|| kind(other).to_owned()),
    }
}
