//! Tape → `serde_json::Value`, as planfile's own JSON boundary would show it, and straight to JSON text.
//!
//! Merge keys are applied, the last of duplicate keys wins in the place of the first, time stamps become Python's
//! `isoformat`, keys that are no strings become what Python's `json` makes of them, NaN and infinities become null.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::{Map, Number, Value};

use super::scalar::{self, Scalar};
use super::tape::{Tag, Tape};

/// The scalar at `index` (alias followed), `None` for a collection or a text that its type refuses.
pub(super) fn scalar<'t>(tape: &'t Tape<'_>, index: usize) -> Option<Scalar<'t>> {
    let index = tape.resolve(index);
    let node = &tape.nodes[index];
    if !node.kind.is_scalar() {
        return None;
    }
    scalar::resolve(node.kind, tape.tag(index), &node.text).ok()
}

/// Whether a key is the merge key.
pub(super) fn is_merge(tape: &Tape<'_>, key: usize) -> bool {
    let likely = !tape.props.is_empty() || tape.nodes[key].text == "<<";
    likely && scalar(tape, key) == Some(Scalar::Merge)
}

/// Calls `each` for every pair of a mapping as PyYAML flattens it: merged pairs first, own pairs last, later ones win.
pub(super) fn for_each_pair(tape: &Tape<'_>, map: usize, each: &mut dyn FnMut(usize, usize)) {
    for (key, value) in tape.pairs(map) {
        if is_merge(tape, key) {
            let source = tape.resolve(value);
            if tape.nodes[source].kind.is_seq() {
                let sources: Vec<usize> = tape.items(source).collect();
                for item in sources.into_iter().rev() {
                    for_each_pair(tape, tape.resolve(item), each);
                }
            } else if tape.nodes[source].kind.is_map() {
                for_each_pair(tape, source, each);
            }
        }
    }
    for (key, value) in tape.pairs(map) {
        if !is_merge(tape, key) {
            each(key, value);
        }
    }
}

/// A mapping key as text.
pub(super) fn key_text<'t>(tape: &'t Tape<'_>, key: usize) -> Cow<'t, str> {
    match scalar(tape, key) {
        Some(Scalar::Str(text) | Scalar::Default(text)) => Cow::Borrowed(text),
        Some(Scalar::Merge) => Cow::Borrowed("<<"),
        Some(Scalar::Float(value)) if !value.is_finite() => Cow::Owned(if value.is_nan() {
            "NaN".to_owned()
        } else if value > 0.0 {
            "Infinity".to_owned()
        } else {
            "-Infinity".to_owned()
        }),
        Some(other) => match scalar_value(other) {
            Value::String(text) => Cow::Owned(text),
            value => Cow::Owned(value.to_string()),
        },
        None => Cow::Borrowed(&tape.node(key).text),
    }
}

fn scalar_value(scalar: Scalar<'_>) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Bool(value) => Value::Bool(value),
        Scalar::Int(value) => match (i64::try_from(value), u64::try_from(value)) {
            (Ok(value), _) => Value::from(value),
            (_, Ok(value)) => Value::from(value),
            _ => Number::from_f64(value as f64).map_or(Value::Null, Value::Number),
        },
        Scalar::Float(value) => Number::from_f64(value).map_or(Value::Null, Value::Number),
        Scalar::Date(date) => Value::String(date.to_string()),
        Scalar::Time(at, offset) => Value::String(scalar::iso_format(at, offset)),
        Scalar::Binary(text) | Scalar::Str(text) | Scalar::Default(text) => Value::String(text.to_owned()),
        Scalar::Merge => Value::String("<<".to_owned()),
    }
}

/// What a key that is a number is equal to in Python.
#[derive(PartialEq, Eq, Hash)]
enum Equal {
    Int(i128),
    Bits(u64),
}

/// The number that a key is equal to in Python.
fn numeric(tape: &Tape<'_>, key: usize) -> Option<Equal> {
    Some(match scalar(tape, key)? {
        Scalar::Bool(value) => Equal::Int(i128::from(value)),
        Scalar::Int(value) => Equal::Int(value),
        // Minus zero is zero.
        Scalar::Float(value) if value.fract() == 0.0 && value.abs() < i128::MAX as f64 => {
            Equal::Int(value as i128)
        }
        Scalar::Float(value) => Equal::Bits(value.to_bits()),
        _ => return None,
    })
}

/// The value of a node.
pub(super) fn to_value(tape: &Tape<'_>, index: usize) -> Value {
    let index = tape.resolve(index);
    let node = &tape.nodes[index];
    if node.kind.is_map() {
        let mut map = Map::new();
        // In Python 1, 1.0 and True are one key; the first spelling stays.
        let mut numbers: HashMap<Equal, String> = HashMap::new();
        for_each_pair(tape, index, &mut |key, value| {
            let mut text = key_text(tape, key).into_owned();
            if let Some(number) = numeric(tape, key) {
                text.clone_from(numbers.entry(number).or_insert_with(|| text.clone()));
            }
            map.insert(text, to_value(tape, value));
        });
        return Value::Object(map);
    }
    if node.kind.is_seq() {
        if matches!(tape.tag(index), Some(Tag::Omap | Tag::Pairs)) {
            return Value::Array(tape.items(index).map(|item| pair_value(tape, item)).collect());
        }
        return Value::Array(tape.items(index).map(|item| to_value(tape, item)).collect());
    }
    scalar(tape, index).map_or_else(|| Value::String(node.text.clone().into_owned()), scalar_value)
}

/// One entry of `!!omap` or `!!pairs`, which planfile turns into a list of two.
fn pair_value(tape: &Tape<'_>, item: usize) -> Value {
    let map = tape.resolve(item);
    match tape.pairs(map).next() {
        Some((key, value)) => Value::Array(vec![to_value(tape, key), to_value(tape, value)]),
        None => to_value(tape, item),
    }
}
