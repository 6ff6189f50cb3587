//! Single fields, checked as pydantic checks them.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::super::scalar::Scalar;
use super::super::tape::Tape;
use super::super::value::scalar;
use crate::plan::ticket::TicketId;

/// The text of a scalar that reads as a string.
pub(super) fn text_of<'t>(tape: &'t Tape<'_>, index: usize) -> Option<&'t str> {
    match scalar(tape, index) {
        Some(Scalar::Str(text)) => Some(text),
        _ => None,
    }
}

/// Reads fields and remembers the first thing that pydantic would refuse.
pub(super) struct Reader<'t, 'a> {
    pub(super) tape: &'t Tape<'a>,
    pub(super) reason: Option<Cow<'static, str>>,
}

impl<'t, 'a> Reader<'t, 'a> {
    pub(super) fn new(tape: &'t Tape<'a>) -> Self {
        Reader { tape, reason: None }
    }

    /// Notes why planfile hides the ticket.
    pub(super) fn refuse(&mut self, reason: impl Into<Cow<'static, str>>) {
        self.reason.get_or_insert_with(|| reason.into());
    }

    /// The source text of a scalar, for a message.
    pub(super) fn shown(&self, index: usize) -> String {
        let node = self.tape.node(index);
        if node.kind.is_scalar() { node.text.chars().take(60).collect() } else { "…".to_owned() }
    }

    pub(super) fn is_null(&self, index: usize) -> bool {
        scalar(self.tape, index) == Some(Scalar::Null)
    }

    /// A required string. Anything else is refused; a scalar is still shown as it is written.
    pub(super) fn text(&mut self, name: &str, index: usize, out: &mut String) {
        if let Some(text) = text_of(self.tape, index) {
            text.clone_into(out);
            return;
        }
        let node = self.tape.node(index);
        if node.kind.is_scalar() {
            node.text.as_ref().clone_into(out);
        }
        let shown = self.shown(index);
        self.refuse(format!("`{name}: {shown}` is not text; put it in quotes"));
    }

    pub(super) fn optional_text(&mut self, name: &str, index: usize) -> Option<String> {
        if self.is_null(index) {
            return None;
        }
        let mut out = String::new();
        self.text(name, index, &mut out);
        Some(out)
    }

    pub(super) fn check_optional_text(&mut self, name: &str, index: usize) {
        if text_of(self.tape, index).is_none() && !self.is_null(index) {
            let shown = self.shown(index);
            self.refuse(format!("`{name}: {shown}` is not text; put it in quotes"));
        }
    }

    /// A list of strings.
    pub(super) fn words(&mut self, name: &str, index: usize, out: &mut Vec<String>) {
        out.clear();
        let tape = self.tape;
        let list = tape.resolve(index);
        if !tape.nodes[list].kind.is_seq() {
            self.refuse(format!("`{name}` is not a list; write `- ` items"));
            if tape.nodes[list].kind.is_scalar() && !tape.nodes[list].text.is_empty() {
                out.push(tape.nodes[list].text.clone().into_owned());
            }
            return;
        }
        for item in tape.items(list) {
            match text_of(tape, item) {
                Some(text) => out.push(text.to_owned()),
                None => {
                    let shown = self.shown(item);
                    self.refuse(format!("`{name}` holds `{shown}`, which is not text; put it in quotes"));
                    out.push(shown);
                }
            }
        }
    }

    pub(super) fn optional_words(&mut self, name: &str, index: usize) {
        if !self.is_null(index) {
            self.words(name, index, &mut Vec::new());
        }
    }

    pub(super) fn ids(&mut self, name: &str, index: usize) -> Vec<TicketId> {
        let mut words = Vec::new();
        self.words(name, index, &mut words);
        words.into_iter().map(TicketId::new).collect()
    }

    /// A time; `None` when it is null or refused.
    pub(super) fn time(&mut self, name: &str, index: usize) -> Option<Timestamp> {
        let found = match scalar(self.tape, index) {
            Some(Scalar::Null) => return None,
            Some(Scalar::Str(text)) => parse_time(text),
            Some(Scalar::Date(date)) => utc(date.to_datetime(jiff::civil::Time::midnight())),
            Some(Scalar::Time(at, None)) => utc(at),
            Some(Scalar::Time(at, Some(offset))) => offset.to_timestamp(at).ok(),
            Some(Scalar::Int(seconds)) => unix(seconds as f64),
            Some(Scalar::Float(seconds)) => unix(seconds),
            _ => None,
        };
        if found.is_none() {
            let shown = self.shown(index);
            self.refuse(format!("`{name}: {shown}` is not a time; write one like '2026-05-11T10:00:00Z'"));
        }
        found
    }

    /// A mapping that is kept as it is.
    pub(super) fn mapping(&mut self, name: &str, index: usize) {
        if !self.tape.node(index).kind.is_map() {
            self.refuse(format!("`{name}` is not a mapping; write `key: value` lines or {{}}"));
        }
    }

    /// A list of mappings.
    pub(super) fn mappings(&mut self, name: &str, index: usize) {
        let list = self.tape.resolve(index);
        let fine = self.tape.nodes[list].kind.is_seq()
            && self.tape.items(list).all(|item| self.tape.node(item).kind.is_map());
        if !fine {
            self.refuse(format!("`{name}` is not a list of mappings"));
        }
    }

    /// An integer; pydantic also takes integral floats, numeric text and booleans.
    pub(super) fn integer(&mut self, name: &str, index: usize, out: &mut i64) {
        let found = match scalar(self.tape, index) {
            Some(Scalar::Int(value)) => i64::try_from(value).ok(),
            Some(Scalar::Bool(value)) => Some(i64::from(value)),
            Some(Scalar::Float(value)) if value.fract() == 0.0 && value.abs() < 9e15 => Some(value as i64),
            Some(Scalar::Str(text)) => text.trim().parse().ok(),
            _ => None,
        };
        match found {
            Some(value) => *out = value,
            None => {
                let shown = self.shown(index);
                self.refuse(format!("`{name}: {shown}` is not an integer"));
            }
        }
    }

    /// A float, with pydantic's conversions; null only where `nullable`.
    pub(super) fn float(&mut self, name: &str, index: usize, nullable: bool) -> Option<f64> {
        let found = match scalar(self.tape, index) {
            Some(Scalar::Null) if nullable => return None,
            Some(Scalar::Int(value)) => Some(value as f64),
            Some(Scalar::Bool(value)) => Some(f64::from(u8::from(value))),
            Some(Scalar::Float(value)) => Some(value),
            Some(Scalar::Str(text)) => text.trim().parse().ok(),
            _ => None,
        };
        if found.is_none() {
            let shown = self.shown(index);
            self.refuse(format!("`{name}: {shown}` is not a number"));
        }
        found
    }

    /// A reason to hide the ticket that lies in a value's type rather than in a field.
    pub(super) fn unstorable(&self, map: usize) -> Option<&'static str> {
        super::unstorable(self.tape, map).then_some("it holds a !!binary or !!set value")
    }
}

fn utc(at: DateTime) -> Option<Timestamp> {
    at.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// A Unix time in seconds, or in milliseconds when it is larger than 2e10 (pydantic's watershed).
fn unix(value: f64) -> Option<Timestamp> {
    if !value.is_finite() {
        return None;
    }
    let seconds = if value.abs() > 2e10 { value / 1000.0 } else { value };
    Timestamp::from_microsecond((seconds * 1e6) as i64).ok()
}

/// A time as planfile writes it, or as a person might: with zone, without (UTC), date only, Unix seconds.
pub(super) fn parse_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(found) = text.parse::<Timestamp>() {
        return Some(found);
    }
    if let Ok(seconds) = text.parse::<f64>() {
        return unix(seconds);
    }
    // Brackets would name a time zone, which Python does not know.
    if text.contains('[') {
        return None;
    }
    if text.len() > 10 {
        return text.parse::<DateTime>().ok().and_then(utc);
    }
    text.parse::<Date>().ok().and_then(|date| utc(date.to_datetime(jiff::civil::Time::midnight())))
}
