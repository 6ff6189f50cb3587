//! Values as YAML text that PyYAML reads back as meant.
//!
//! A string is plain only when it is words of ASCII letters, digits and `_ - . / +` that begin with a letter and that
//! no YAML version types as anything else; every other string is quoted, so that nothing depends on which YAML a reader
//! speaks (`reference: planfile.md §4`). No block scalars, no folding: one pair is one line unless it holds a
//! collection. Block style as PyYAML writes it: two spaces, list items not indented below their key, keys sorted.

use std::fmt::Write as _;

use serde_json::{Number, Value};

use super::scalar::{Implicit, implicit};

/// Longest key written before `:`; libyaml looks for the colon within 1,024 characters.
const MAX_KEY: usize = 900;

/// How lines end and where a block stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style<'n> {
    /// Line end of the file.
    pub(super) newline: &'n str,
}

impl Style<'_> {
    /// `key: value` lines of a mapping at `indent`, without indentation of the first and line end of the last.
    pub(super) fn block_map(self, map: &serde_json::Map<String, Value>, indent: usize, out: &mut String) {
        let mut pairs: Vec<(&String, &Value)> = map.iter().collect();
        pairs.sort_by_key(|(key, _)| *key);
        for (index, (key, value)) in pairs.into_iter().enumerate() {
            if index > 0 {
                self.line(indent, out);
            }
            self.pair(key, value, indent, out);
        }
    }

    /// One `key: value`, as [`Style::block_map`].
    pub(super) fn pair(self, key: &str, value: &Value, indent: usize, out: &mut String) {
        if key.len() > MAX_KEY {
            out.push_str("? ");
            string(key, out);
            self.line(indent, out);
            out.push_str(": ");
            flow(value, out);
            return;
        }
        string(key, out);
        out.push(':');
        self.after_colon(value, indent, out);
    }

    /// What follows `key:` when the key stands at `indent`: ` value`, or the lines of a collection.
    pub(super) fn after_colon(self, value: &Value, indent: usize, out: &mut String) {
        match value {
            Value::Array(items) if !items.is_empty() => {
                self.line(indent, out);
                self.block_seq(items, indent, out);
            }
            Value::Object(map) if !map.is_empty() => {
                self.line(indent + 2, out);
                self.block_map(map, indent + 2, out);
            }
            _ => {
                out.push(' ');
                flow(value, out);
            }
        }
    }

    /// `- ` lines at `indent`, without indentation of the first and line end of the last.
    pub(super) fn block_seq(self, items: &[Value], indent: usize, out: &mut String) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.line(indent, out);
            }
            out.push_str("- ");
            match item {
                Value::Array(items) if !items.is_empty() => self.block_seq(items, indent + 2, out),
                Value::Object(map) if !map.is_empty() => self.block_map(map, indent + 2, out),
                _ => flow(item, out),
            }
        }
    }

    /// A line end and the next line's indentation.
    pub(super) fn line(self, indent: usize, out: &mut String) {
        out.push_str(self.newline);
        out.extend(std::iter::repeat_n(' ', indent));
    }
}

/// A value on one line, collections in flow style.
pub(super) fn flow(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(value) => number(value, out),
        Value::String(text) => string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                flow(item, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            let mut pairs: Vec<(&String, &Value)> = map.iter().collect();
            pairs.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (index, (key, value)) in pairs.into_iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                flow_pair(key, value, out);
            }
            out.push('}');
        }
    }
}

/// `key: value` inside a flow mapping.
pub(super) fn flow_pair(key: &str, value: &Value, out: &mut String) {
    if key.len() > MAX_KEY {
        out.push_str("? ");
    }
    string(key, out);
    out.push_str(": ");
    flow(value, out);
}

/// A number; a float keeps its point and its exponent a sign, without which YAML 1.1 reads text.
fn number(value: &Number, out: &mut String) {
    match value.as_f64() {
        Some(float) if value.is_f64() => {
            let text = format!("{float:?}");
            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, ""));
            out.push_str(mantissa);
            if !mantissa.contains('.') {
                out.push_str(".0");
            }
            if !exponent.is_empty() {
                out.push('e');
                if !exponent.starts_with('-') {
                    out.push('+');
                }
                out.push_str(exponent);
            }
        }
        _ => {
            let _ = write!(out, "{value}");
        }
    }
}

/// A string scalar on one line.
pub(super) fn string(text: &str, out: &mut String) {
    if is_safe_word(text) {
        out.push_str(text);
    } else if text.chars().all(is_plainly_printable) {
        out.push('\'');
        out.push_str(&text.replace('\'', "''"));
        out.push('\'');
    } else {
        double_quoted(text, out);
    }
}

/// Words that mean text in every YAML there is.
fn is_safe_word(text: &str) -> bool {
    let mut previous = ' ';
    for character in text.chars() {
        let fine = match character {
            'a'..='z' | 'A'..='Z' => true,
            '0'..='9' | '_' | '-' | '.' | '/' | '+' => previous != ' ' || !text.starts_with(character),
            ' ' => previous != ' ',
            _ => false,
        };
        if !fine {
            return false;
        }
        previous = character;
    }
    let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    begins && previous != ' ' && implicit(text) == Implicit::Str && !matches!(text, "y" | "Y" | "n" | "N")
}

/// Characters that may stand raw in quotes: what PyYAML leaves readable, less what hides or reorders text.
fn is_plainly_printable(character: char) -> bool {
    match character {
        ' '..='~' => true,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => false,
        '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' => true,
        _ => false,
    }
}

fn double_quoted(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            _ if is_plainly_printable(character) => out.push(character),
            _ => {
                let code = u32::from(character);
                let _ = match code {
                    0..=0xFF => write!(out, "\\x{code:02X}"),
                    0x100..=0xFFFF => write!(out, "\\u{code:04X}"),
                    _ => write!(out, "\\U{code:08X}"),
                };
            }
        }
    }
    out.push('"');
}
