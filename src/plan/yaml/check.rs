//! What PyYAML's constructor refuses although the text parses, and what it silently loses.
//!
//! A refusal makes planfile read the whole file as empty, so it is a fault. A duplicate key makes it keep the last
//! value only: the ticket stays readable and is not edited.

use std::collections::HashSet;

use super::fault::Bad;
use super::scalar::{self, Scalar};
use super::tape::{Kind, Tag, Tape};
use super::value;

/// Checks the value at `index` as planfile's loader constructs it.
///
/// Only what the loader constructs is checked: a mapping that is merged into another gives its pairs, and its own tag is
/// never looked at. One thing that PyYAML reads is refused: a mapping under the tag of a scalar (`!!str {=: a}`), which
/// stands for the value of its key `=`.
///
/// # Errors
/// At the first node that the constructor refuses.
pub(super) fn constructible(tape: &Tape<'_>, index: usize) -> Result<(), Bad> {
    Checker { tape, seen: HashSet::new() }.value(index)
}

/// The walk of the constructor; as deep as the parser lets a document be.
struct Checker<'t, 'a> {
    tape: &'t Tape<'a>,
    /// Collections whose children were checked; only kept when aliases lead to one again.
    seen: HashSet<usize>,
}

impl Checker<'_, '_> {
    fn value(&mut self, at: usize) -> Result<(), Bad> {
        let tape = self.tape;
        let node = tape.resolve(at);
        let kind = tape.nodes[node].kind;
        if kind.is_scalar() {
            return plain_value(tape, at);
        }
        collection_tag(tape, node)?;
        if kind.is_map() {
            return self.pairs(node);
        }
        if self.again(node) {
            return Ok(());
        }
        let paired = matches!(tape.tag(node), Some(Tag::Omap | Tag::Pairs));
        for item in tape.items(node) {
            match tape.pairs(tape.resolve(item)).next().filter(|_| paired) {
                // Neither merged nor hashed.
                Some((key, value)) => {
                    self.value(key)?;
                    self.value(value)?;
                }
                None => self.value(item)?,
            }
        }
        Ok(())
    }

    /// The pairs of a mapping, constructed itself or merged into another.
    fn pairs(&mut self, map: usize) -> Result<(), Bad> {
        let tape = self.tape;
        if self.again(map) {
            return Ok(());
        }
        for (key, value) in tape.pairs(map) {
            if !key_scalar(tape, key)? {
                self.value(value)?;
                continue;
            }
            merge_source(tape, value)?;
            let source = tape.resolve(value);
            if tape.nodes[source].kind.is_map() {
                self.pairs(source)?;
            } else {
                for item in tape.items(source) {
                    self.pairs(tape.resolve(item))?;
                }
            }
        }
        Ok(())
    }

    fn again(&mut self, node: usize) -> bool {
        self.tape.aliases > 0 && !self.seen.insert(node)
    }
}

/// Checks a key; true when it is the merge key.
fn key_scalar(tape: &Tape<'_>, key: usize) -> Result<bool, Bad> {
    let node = tape.node(key);
    let at = tape.nodes[key].start as usize;
    if !node.kind.is_scalar() {
        return Err(Bad::new(
            at,
            "a list or mapping is used as a key, and planfile reads such a file as empty; quote the key",
        ));
    }
    let tag = tape.tag(tape.resolve(key));
    // Nearly every key is a bare word; do not type it.
    if tag.is_none()
        && node.text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
    {
        return Ok(false);
    }
    if tag == Some(Tag::Unknown) {
        return Err(unknown_tag(tape, tape.resolve(key)));
    }
    match scalar::resolve(node.kind, tag, &node.text) {
        Ok(found) => Ok(found == Scalar::Merge),
        Err(message) => Err(Bad::new(at, message)),
    }
}

fn merge_source(tape: &Tape<'_>, value: usize) -> Result<(), Bad> {
    let source = tape.resolve(value);
    let kind = tape.nodes[source].kind;
    let fine =
        kind.is_map() || (kind.is_seq() && tape.items(source).all(|item| tape.node(item).kind.is_map()));
    if fine {
        return Ok(());
    }
    Err(Bad::new(
        tape.nodes[value].start as usize,
        "`<<` merges mappings only; give it a mapping or quote the key",
    ))
}

/// Checks a scalar in the place of a value; collections pass.
fn plain_value(tape: &Tape<'_>, index: usize) -> Result<(), Bad> {
    let node = tape.node(index);
    if !node.kind.is_scalar() {
        return Ok(());
    }
    let tag = tape.tag(tape.resolve(index));
    if tag.is_none() {
        let first = node.text.bytes().next();
        let plain = node.kind == Kind::Plain;
        if !plain || first.is_none_or(|byte| byte.is_ascii_alphabetic()) {
            return Ok(());
        }
    }
    if tag == Some(Tag::Unknown) {
        return Err(unknown_tag(tape, tape.resolve(index)));
    }
    let at = tape.outer_start(index);
    match scalar::resolve(node.kind, tag, &node.text) {
        Ok(Scalar::Merge | Scalar::Default(_)) => Err(Bad::new(
            at,
            "a bare `<<` or `=` is no value for planfile, which reads such a file as empty; quote it",
        )),
        Ok(_) => Ok(()),
        Err(message) => Err(Bad::new(at, message)),
    }
}

fn unknown_tag(tape: &Tape<'_>, node: usize) -> Bad {
    let tag = tape.unknown.iter().find(|(index, _)| *index as usize == node).map_or("", |(_, tag)| tag);
    let message =
        format!("planfile does not know the tag {tag} and would read the file as empty; remove the tag");
    Bad::new(tape.outer_start(node), message)
}

fn collection_tag(tape: &Tape<'_>, at: usize) -> Result<(), Bad> {
    let Some(tag) = tape.tag(at) else { return Ok(()) };
    let kind = tape.nodes[at].kind;
    let fine = match tag {
        Tag::NonSpecific => true,
        Tag::Map | Tag::Set => kind.is_map(),
        Tag::Seq => kind.is_seq(),
        Tag::Omap | Tag::Pairs => {
            kind.is_seq()
                && tape.items(at).all(|item| {
                    let map = tape.resolve(item);
                    tape.nodes[map].kind.is_map() && tape.pairs(map).count() == 1
                })
        }
        _ => false,
    };
    if fine {
        return Ok(());
    }
    if tag == Tag::Unknown {
        return Err(unknown_tag(tape, at));
    }
    Err(Bad::new(
        tape.outer_start(at),
        "this tag does not fit the value after it, and planfile reads such a file as empty; remove it",
    ))
}

/// The first duplicate key below `index`: the node of its later occurrence.
pub(super) fn duplicate(tape: &Tape<'_>, index: usize) -> Option<usize> {
    let end = tape.nodes[index].next as usize;
    (index..end).filter(|at| tape.nodes[*at].kind.is_map()).find_map(|map| duplicate_in(tape, map))
}

/// The later occurrence of a duplicate key of one mapping.
pub(super) fn duplicate_in(tape: &Tape<'_>, map: usize) -> Option<usize> {
    // planfile sorts keys, so that strictly rising keys are the usual case and need no set.
    let mut last = "";
    let rising = tape.pairs(map).all(|(key, _)| {
        let text: &str = &tape.node(key).text;
        let rising = last < text && tape.nodes[key].kind != Kind::Alias;
        last = text;
        rising && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
    });
    if rising {
        return None;
    }
    let mut seen = HashSet::new();
    // Two merge keys both merge.
    tape.pairs(map)
        .map(|(key, _)| key)
        .filter(|key| !value::is_merge(tape, *key))
        .find(|key| !seen.insert(value::key_text(tape, *key)))
}
