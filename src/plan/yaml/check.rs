//! What PyYAML's constructor refuses although the text parses, and what it silently loses.
//!
//! A refusal makes planfile read the whole file as empty, so it is a fault. A duplicate key makes it keep the last
//! value only: the ticket stays readable and is not edited.

use std::collections::HashSet;

use super::fault::Bad;
use super::scalar::{self, Scalar};
use super::tape::{Kind, Tag, Tape};
use super::value;

/// Checks every node from `index` to the end of its subtree.
///
/// # Errors
/// At the first node that the constructor refuses.
pub(super) fn constructible(tape: &Tape<'_>, index: usize) -> Result<(), Bad> {
    let end = tape.nodes[index].next as usize;
    if tape.nodes[index].kind.is_scalar() {
        plain_value(tape, index)?;
    }
    for at in index..end {
        let node = &tape.nodes[at];
        if node.kind.is_map() {
            collection_tag(tape, at)?;
            for (key, value) in tape.pairs(at) {
                let merge = key_scalar(tape, key)?;
                if merge {
                    merge_source(tape, value)?;
                }
                plain_value(tape, value)?;
            }
        } else if node.kind.is_seq() {
            collection_tag(tape, at)?;
            for item in tape.items(at) {
                plain_value(tape, item)?;
            }
        }
    }
    Ok(())
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
    let at = tape.nodes[index].start as usize;
    match scalar::resolve(node.kind, tag, &node.text) {
        Ok(Scalar::Merge | Scalar::Default) => Err(Bad::new(
            at,
            "a bare `<<` or `=` is no value for planfile, which reads such a file as empty; quote it",
        )),
        Ok(_) => Ok(()),
        Err(message) => Err(Bad::new(at, message)),
    }
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
    tape.pairs(map).map(|(key, _)| key).find(|key| !seen.insert(value::key_text(tape, *key)))
}
