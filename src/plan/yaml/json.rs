//! Records straight from the tape to JSON text, without a tree in between: what `ticket list --format json` prints.
//!
//! The text equals `serde_json::to_string` of [`super::value::to_value`]; mappings with merge keys or duplicate keys
//! take that way.

use std::io::Write as _;

use super::scalar::{Implicit, Scalar, implicit};
use super::sprint::{Entry, SprintDoc};
use super::tape::{Kind, Tag, Tape};
use super::value::{is_merge, key_text, scalar, to_value};
use super::{check, parallel, reread};
use crate::plan::ticket::Ticket;

impl SprintDoc {
    /// Appends the records of the tickets that `keep` likes to `out` as JSON objects with a comma before each but the
    /// first in `out` (which the caller may have begun with `[`). Returns how many there were.
    pub fn write_records(&self, mut keep: impl FnMut(&Ticket) -> bool, out: &mut Vec<u8>) -> usize {
        let kept: Vec<&Entry> =
            self.entries().iter().filter(|entry| !entry.shadowed && keep(&entry.ticket)).collect();
        let size = kept.iter().map(|entry| entry.span.len()).sum();
        let parts = parallel::flat_map(&kept, size, |entries| Some(vec![self.write_some(entries)]));
        for part in parts.unwrap_or_default().iter().filter(|part| !part.is_empty()) {
            if !matches!(out.last(), None | Some(b'[')) {
                out.push(b',');
            }
            out.extend_from_slice(part);
        }
        kept.len()
    }

    fn write_some(&self, entries: &[&Entry]) -> Vec<u8> {
        let mut out = Vec::with_capacity(entries.iter().map(|entry| entry.span.len()).sum());
        let mut reader = reread::Rereader::new(self);
        for (number, entry) in entries.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            if reader.with(entry, |tape, value| write_value(tape, value, &mut out)).is_none() {
                out.extend_from_slice(b"null");
            }
        }
        out
    }
}

/// Appends the value of a node.
pub(super) fn write_value(tape: &Tape<'_>, index: usize, out: &mut Vec<u8>) {
    let index = tape.resolve(index);
    let node = &tape.nodes[index];
    if node.kind.is_map() {
        if has_bare_keys(tape, index) {
            return write_bare_map(tape, index, out);
        }
        let odd = check::duplicate_in(tape, index).is_some()
            || tape.pairs(index).any(|(key, _)| is_merge(tape, key) || is_numeric(tape, key));
        if odd {
            let _ = write!(out, "{}", to_value(tape, index));
            return;
        }
        out.push(b'{');
        for (number, (key, value)) in tape.pairs(index).enumerate() {
            if number > 0 {
                out.push(b',');
            }
            string(&key_text(tape, key), out);
            out.push(b':');
            write_value(tape, value, out);
        }
        out.push(b'}');
    } else if node.kind.is_seq() && !matches!(tape.tag(index), Some(Tag::Omap | Tag::Pairs)) {
        out.push(b'[');
        for (number, item) in tape.items(index).enumerate() {
            if number > 0 {
                out.push(b',');
            }
            write_value(tape, item, out);
        }
        out.push(b']');
    } else {
        match scalar(tape, index) {
            Some(Scalar::Str(text)) => string(text, out),
            Some(Scalar::Null) => out.extend_from_slice(b"null"),
            Some(Scalar::Bool(true)) => out.extend_from_slice(b"true"),
            Some(Scalar::Bool(false)) => out.extend_from_slice(b"false"),
            _ => {
                let _ = write!(out, "{}", to_value(tape, index));
            }
        }
    }
}

/// Whether every key is a bare word that reads as text and stands once: what planfile writes.
fn has_bare_keys(tape: &Tape<'_>, map: usize) -> bool {
    let mut last = "";
    tape.props.is_empty()
        && tape.pairs(map).all(|(key, _)| {
            let node = &tape.nodes[key];
            let text: &str = &node.text;
            let rising = last < text;
            last = text;
            let bare = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
            let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
            rising && bare && begins && node.kind == Kind::Plain && implicit(text) == Implicit::Str
        })
}

fn write_bare_map(tape: &Tape<'_>, map: usize, out: &mut Vec<u8>) {
    out.push(b'{');
    for (number, (key, value)) in tape.pairs(map).enumerate() {
        out.extend_from_slice(if number > 0 { b",\"" } else { b"\"" });
        out.extend_from_slice(tape.nodes[key].text.as_bytes());
        out.extend_from_slice(b"\":");
        write_value(tape, value, out);
    }
    out.push(b'}');
}

/// Whether a key is a number in Python, where `1` and `true` are one key.
fn is_numeric(tape: &Tape<'_>, key: usize) -> bool {
    let bare = tape.nodes[key].text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    let word = bare && !matches!(&*tape.nodes[key].text, "yes" | "no" | "on" | "off" | "true" | "false");
    !word && matches!(scalar(tape, key), Some(Scalar::Int(_) | Scalar::Bool(_) | Scalar::Float(_)))
}

fn string(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    // Without a branch in the fold the compiler looks at many bytes at a time; nearly no text needs an escape.
    let plain = bytes.chunks(256).all(|block| {
        !block.iter().fold(false, |odd, &byte| odd | (byte < b' ') | (byte == b'"') | (byte == b'\\'))
    });
    if plain {
        out.push(b'"');
        out.extend_from_slice(bytes);
        out.push(b'"');
        return;
    }
    // Writing to a vector cannot fail.
    let _ = serde_json::to_writer(out, text);
}
