//! Changes of one mapping as splices of its source text: only the bytes of what is named change.
//!
//! Comments, key order, quoting, flow style, line ends and everything that is not named stay byte for byte. A value
//! that already equals the wanted one is not touched, and a list that only grows keeps its old items as they are
//! written. New keys go to their sorted place when the mapping is sorted, else to its end. The result is not trusted:
//! the caller parses it again and compares it with [`apply`]'s value.

mod block;
mod flow;
mod list;
#[cfg(test)]
mod tests;
mod tree;

use std::ops::Range;

use serde_json::{Map, Value};

use super::emit::Style;
use super::tape::{Kind, Tape};
use super::value::{for_each_pair, is_merge, key_text, to_value};

pub(super) use tree::{Edit, apply, build};

/// A replacement of source bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Splice {
    /// Bytes that go.
    pub(super) range: Range<usize>,
    /// Text that comes.
    pub(super) text: String,
}

/// Applies splices to `text`; they must not overlap. `None` when they do.
pub(super) fn splice(text: &str, mut splices: Vec<Splice>) -> Option<String> {
    splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
    let added: usize = splices.iter().map(|splice| splice.text.len()).sum();
    let mut out = String::with_capacity(text.len() + added);
    let mut at = 0;
    for splice in &splices {
        out.push_str(text.get(at..splice.range.start)?);
        out.push_str(&splice.text);
        at = splice.range.end;
    }
    out.push_str(text.get(at..)?);
    Some(out)
}

/// The line end that `text` uses.
pub(super) fn newline_of(text: &str) -> &'static str {
    match text.find(['\n', '\r']) {
        Some(at) if text[at..].starts_with("\r\n") => "\r\n",
        Some(at) if text[at..].starts_with('\r') => "\r",
        _ => "\n",
    }
}

/// Plans the splices for one mapping.
pub(super) struct Editor<'t, 'a> {
    text: &'a str,
    tape: &'t Tape<'a>,
    style: Style<'static>,
    splices: Vec<Splice>,
}

impl<'t, 'a> Editor<'t, 'a> {
    /// An editor of `text`, which `tape` describes.
    pub(super) fn new(text: &'a str, tape: &'t Tape<'a>, newline: &'static str) -> Self {
        Editor { text, tape, style: Style { newline }, splices: Vec::new() }
    }

    /// The planned splices.
    pub(super) fn finish(self) -> Vec<Splice> {
        self.splices
    }

    fn replace(&mut self, range: Range<usize>, text: impl Into<String>) {
        self.splices.push(Splice { range, text: text.into() });
    }

    /// Plans `edits` on the mapping at `map` (a node, no alias).
    ///
    /// # Errors
    /// Why an edit cannot be made in place.
    pub(super) fn map(&mut self, map: usize, edits: &[(String, Edit)]) -> Result<(), String> {
        let mut fresh: Vec<(&str, Value)> = Vec::new();
        let mut gone = Vec::new();
        for (name, edit) in edits {
            match self.own_pair(map, name) {
                Some((key, value)) => {
                    if matches!(edit, Edit::Remove) {
                        gone.push(key);
                    } else {
                        self.existing(map, key, value, name, edit)?;
                    }
                }
                None => {
                    if let Some(value) = self.missing(map, name, edit)? {
                        fresh.push((name, value));
                    }
                }
            }
        }
        if self.tape.nodes[map].kind == Kind::BlockMap {
            self.remove_block(map, &gone)?;
            self.insert_block(map, &gone, fresh)
        } else {
            self.remove_flow(map, &gone);
            self.insert_flow(map, &gone, fresh);
            Ok(())
        }
    }

    /// The mapping's own pair of a key; the last when it stands twice.
    fn own_pair(&self, map: usize, name: &str) -> Option<(usize, usize)> {
        self.tape
            .pairs(map)
            .filter(|(key, _)| !is_merge(self.tape, *key) && key_text(self.tape, *key) == name)
            .last()
    }

    /// What an edit of a key that is not written here adds.
    fn missing(&self, map: usize, name: &str, edit: &Edit) -> Result<Option<Value>, String> {
        let mut merged = None;
        for_each_pair(self.tape, map, &mut |key, value| {
            if key_text(self.tape, key) == name {
                merged = Some(value);
            }
        });
        let old = merged.map(|value| to_value(self.tape, value));
        match edit {
            Edit::Remove if old.is_some() => {
                Err(format!("`{name}` comes from a merge key and cannot be removed here"))
            }
            Edit::Remove => Ok(None),
            Edit::Set(value) => Ok((old.as_ref() != Some(value)).then(|| value.clone())),
            Edit::Into(_) if old.as_ref().is_some_and(|old| !old.is_null() && !old.is_object()) => {
                Err(format!("`{name}` comes from a merge key and is not a mapping"))
            }
            Edit::Into(children) => {
                let before = old.unwrap_or_else(|| Value::Object(Map::new()));
                let mut after = before.clone();
                apply(&mut after, children);
                let nothing = after == before || after.as_object().is_some_and(Map::is_empty);
                Ok((!nothing).then_some(after))
            }
        }
    }

    /// An edit of a pair that is written here.
    fn existing(
        &mut self,
        map: usize,
        key: usize,
        value: usize,
        name: &str,
        edit: &Edit,
    ) -> Result<(), String> {
        let old = to_value(self.tape, value);
        let aliased = self.tape.nodes[value].kind == Kind::Alias;
        let new = match edit {
            Edit::Remove => return Ok(()),
            Edit::Set(new) => new.clone(),
            Edit::Into(children) => {
                let is_map = self.tape.nodes[value].kind.is_map();
                if is_map && !old.as_object().is_some_and(Map::is_empty) {
                    let mut after = old.clone();
                    apply(&mut after, children);
                    if !after.as_object().is_some_and(Map::is_empty) {
                        return self.map(value, children);
                    }
                }
                if !old.is_null() && !old.is_object() {
                    return Err(format!("`{name}` is not a mapping"));
                }
                let mut after = if old.is_null() { Value::Object(Map::new()) } else { old.clone() };
                apply(&mut after, children);
                if old.is_null() && after.as_object().is_some_and(Map::is_empty) {
                    return Ok(());
                }
                after
            }
        };
        if new == old {
            return Ok(());
        }
        let block = self.tape.nodes[map].kind == Kind::BlockMap;
        if let (Value::Array(before), Value::Array(after)) = (&old, &new)
            && !aliased
            && self.grow_list(value, block, before, after)
        {
            return Ok(());
        }
        if block { self.replace_block(map, key, value, &new) } else { self.replace_flow(key, value, &new) }
    }
}
