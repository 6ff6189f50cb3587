//! Edits of made-up files: one value set, removed or added to, a ticket put in or taken out.

use koru_tui::plan::lifecycle::Change;
use koru_tui::plan::yaml::SprintDoc;
use serde_json::{Map, Value, json};

use super::dice::Dice;

/// A file, what was done to it, and what PyYAML must find in it then.
pub(crate) struct Edited {
    pub(crate) before: String,
    pub(crate) after: String,
    pub(crate) done: Done,
}

/// What was done, to be done again to what PyYAML read before.
#[derive(Debug)]
pub(crate) enum Done {
    Set(String, Vec<String>, Option<Value>),
    Inserted(String, Value),
    Removed(String),
}

impl Done {
    /// The tickets as they must read now.
    pub(crate) fn again(&self, tickets: &Value) -> Value {
        let mut tickets = tickets.clone();
        let map = tickets.as_object_mut().unwrap();
        match self {
            Done::Set(id, path, value) => set(map.get_mut(id).unwrap(), path, value.as_ref()),
            Done::Inserted(id, record) => drop(map.insert(id.clone(), record.clone())),
            Done::Removed(id) => drop(map.shift_remove(id)),
        }
        tickets
    }
}

fn set(record: &mut Value, path: &[String], value: Option<&Value>) {
    if record.is_null() {
        *record = Value::Object(Map::new());
    }
    let map = record.as_object_mut().expect("an edit below what is no mapping is refused");
    match (path, value) {
        ([last], Some(value)) => drop(map.insert(last.clone(), value.clone())),
        ([last], None) => drop(map.shift_remove(last)),
        ([first, rest @ ..], _) => set(map.entry(first.clone()).or_insert(Value::Null), rest, value),
        ([], _) => {}
    }
}

fn fresh_value(dice: &mut Dice) -> Value {
    match dice.roll(12) {
        0 => json!(["a", "b: c", "- d"]),
        1 => json!({"x": 1, "y": {"z": ["#"]}}),
        2 => json!(null),
        3 => json!([]),
        4 => json!({}),
        5 => json!(12),
        6 => json!(true),
        7 => json!(["one", {"k": null, "l": "m\n"}]),
        _ => json!(dice.pick(&[
            "plain",
            "yes",
            "2026-05-11",
            "a: b # c",
            "line\nline\n",
            "'\"\\",
            "",
            " x ",
            "ż\u{85}\u{feff}\u{2028}",
            "1e3",
            "- a",
            "{",
            "\t",
            "x y z",
        ])),
    }
}

/// Keys of mappings below `value`, and what to give the last of them.
fn change(dice: &mut Dice, record: &Value) -> (Vec<String>, Option<Value>) {
    let mut path = Vec::new();
    let mut at = record;
    loop {
        let keys: Vec<&String> = at.as_object().map(|map| map.keys().collect()).unwrap_or_default();
        if keys.is_empty() || dice.once_in(3) {
            path.push(dice.pick(&["name", "zz", "a", "execution", "0"]).to_owned());
            if dice.once_in(3) {
                path.push("state".to_owned());
            }
            return (path, Some(fresh_value(dice)));
        }
        let key = keys[dice.roll(keys.len())].clone();
        at = &at[&key];
        path.push(key);
        match dice.roll(4) {
            0 => return (path, None),
            1 => return (path, Some(fresh_value(dice))),
            _ => {}
        }
        if let Some(items) = at.as_array() {
            let mut items = items[dice.roll(items.len().min(2) + 1).min(items.len())..].to_vec();
            items.push(fresh_value(dice));
            return (path, Some(Value::Array(items)));
        }
        if !at.is_object() {
            return (path, Some(fresh_value(dice)));
        }
    }
}

/// Does something to a file; `None` when it cannot be read or the edit is refused, which is always right.
pub(crate) fn edited(dice: &mut Dice, text: String) -> Option<Edited> {
    let doc = SprintDoc::parse("current", text.clone().into_bytes(), None).ok()?;
    let keys: Vec<String> = doc.keyed().map(|(key, _)| key.to_owned()).collect();
    let pick = |dice: &mut Dice| keys.get(dice.roll(keys.len().max(1))).cloned();
    let (after, done) = match dice.roll(8) {
        0 => {
            let id = dice.pick(&["A-0", "C-9", "a b", "1"]).to_owned();
            let record = json!({"id": id, "name": fresh_value(dice), "more": fresh_value(dice)});
            (doc.insert(&id, &record), Done::Inserted(id, record))
        }
        1 => {
            let id = pick(dice)?;
            (doc.remove(&[&id]), Done::Removed(id))
        }
        2 => {
            // The text of a ticket, moved to a file of planfile's own layout.
            let id = pick(dice)?;
            let record = doc.record(&id)?;
            let other = "sprint:\n  id: o\n  tickets:\n    A-0:\n      id: A-0\n    Z-1:\n      id: Z-1\n";
            let target = SprintDoc::parse("backlog", other.into(), None).unwrap();
            let after = target.insert_source(&id, doc.source(&id)?).ok()?.text().to_owned();
            return Some(Edited { before: other.to_owned(), after, done: Done::Inserted(id, record) });
        }
        _ => {
            let id = pick(dice)?;
            let (path, value) = change(dice, &doc.record(&id)?);
            let change = Change { path: path.clone(), value: value.clone() };
            (doc.edit(&id, &[change]), Done::Set(id, path, value))
        }
    };
    Some(Edited { before: text, after: after.ok()?.text().to_owned(), done })
}
