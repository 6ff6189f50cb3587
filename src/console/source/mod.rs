//! Source text on a ticket's page with its syntax coloured: scripts, request bodies, the ticket as YAML.
//!
//! Owns the painted texts of the last few pages ([`Sources`], owned by the console's state). Invariants: colouring never
//! happens on a key or while drawing, only on [`painter::Painter`]'s own thread; until it is done, and where it cannot
//! be done, the same lines stand there plain, cut at the same columns, so that nothing moves when the colours come.
//! Lines passed `base::text` before anything else reads them. Colours are roles, so a theme, its depth and `NO_COLOR`
//! decide on them at each frame, as on everything else.

pub(crate) mod code;
mod paint;
pub(super) mod painter;

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use serde_json::Value;

use crate::base::text::safe_block;
use crate::plan::ticket::{Ticket, TicketId};

use super::theme::Role;
use super::view::text::cut;

/// Lines of a text that are shown; the rest is said to be there.
const LINES: usize = 2_000;
/// Columns of a line that are shown.
const COLUMNS: usize = 500;
/// Painted texts that are kept.
const KEPT: usize = 16;

/// One line: pieces of safe text with what they are.
pub(crate) type Line = Vec<(String, Role)>;

/// What a text is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Language {
    Bash,
    Json,
    Yaml,
}

/// Which text: the ticket, and a hash of the language and the lines. A change of the text is another text.
type Key = (TicketId, u64);

/// A text to be coloured in the background.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    key: Key,
    language: Language,
    lines: Vec<String>,
}

impl Job {
    /// The text, safe to show and cut to what is shown.
    pub(crate) fn new(ticket: &TicketId, language: Language, text: &str) -> Job {
        let all = safe_block(text.trim_end());
        let mut lines: Vec<String> =
            all.iter().take(LINES).map(|line| cut(line.as_str(), COLUMNS).to_owned()).collect();
        if all.len() > LINES {
            lines.push(format!("… and {} more lines", all.len() - LINES));
        }
        let mut hasher = DefaultHasher::new();
        (language, &lines).hash(&mut hasher);
        Job { key: (ticket.clone(), hasher.finish()), language, lines }
    }

    /// Colours the text. Takes milliseconds to seconds; never called on the loop.
    pub fn paint(self) -> Painted {
        paint::paint(self)
    }

    /// Whether there is nothing to see.
    pub(crate) fn is_blank(&self) -> bool {
        self.lines.iter().all(|line| line.trim().is_empty())
    }

    /// Its lines without colours.
    pub(crate) fn plain(&self) -> Vec<Line> {
        self.lines.iter().map(|line| vec![(line.clone(), Role::Text)]).collect()
    }
}

/// A text that was coloured.
#[derive(Clone, Debug, PartialEq)]
pub struct Painted {
    key: Key,
    lines: Arc<Vec<Line>>,
}

/// The painted texts, oldest first, and those that are being painted.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    known: VecDeque<(Key, Option<Arc<Vec<Line>>>)>,
    /// Grows when a text was painted, so that what was wrapped is wrapped again.
    pub(crate) version: u64,
}

impl Sources {
    /// The coloured lines of a text, when they are ready.
    pub(crate) fn painted(&self, job: &Job) -> Option<Arc<Vec<Line>>> {
        self.known.iter().find(|(key, _)| *key == job.key)?.1.clone()
    }

    /// Whether this text has to be handed over for painting; true once.
    pub(crate) fn ask(&mut self, job: &Job) -> bool {
        if self.known.iter().any(|(key, _)| *key == job.key) {
            return false;
        }
        if self.known.len() == KEPT {
            self.known.pop_front();
        }
        self.known.push_back((job.key.clone(), None));
        true
    }

    /// Takes a painted text in; true when somebody still wants it.
    pub(crate) fn came(&mut self, painted: Painted) -> bool {
        let Some((_, lines)) = self.known.iter_mut().find(|(key, _)| *key == painted.key) else {
            return false;
        };
        *lines = Some(painted.lines);
        self.version += 1;
        true
    }
}

/// The ticket as YAML, from what the snapshot knows of it; keys that say nothing are left out.
pub(crate) fn yaml(ticket: &Ticket) -> String {
    let record = serde_json::to_value(ticket).map(prune).unwrap_or_default();
    serde_yaml::to_string(&record).unwrap_or_else(|error| format!("# it cannot be shown: {error}"))
}

fn prune(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(key, value)| (key, prune(value)))
                .filter(|(_, v)| !says_nothing(v))
                .collect(),
        ),
        other => other,
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A line within `columns`, broken where they end: source keeps its blanks, so it is not broken between words.
pub(crate) fn wrap(line: &Line, columns: usize) -> Vec<Line> {
    let mut rows = vec![Line::new()];
    let mut room = columns;
    for (text, role) in line {
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let head = cut(rest, room);
            if head.is_empty() {
                if room == columns {
                    // Not even one character fits.
                    break;
                }
                rows.push(Line::new());
                room = columns;
                continue;
            }
            if let Some(row) = rows.last_mut() {
                row.push((head.to_owned(), *role));
            }
            room -= super::view::text::width(head);
            rest = &rest[head.len()..];
        }
    }
    rows
}

#[cfg(test)]
mod tests;
