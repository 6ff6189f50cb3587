//! A list of changes as a tree of edits, so that each mapping is touched once.

use serde_json::{Map, Value};

use crate::plan::lifecycle::Change;

/// An edit of one key.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Edit {
    /// The key gets this value.
    Set(Value),
    /// The key goes.
    Remove,
    /// The mapping below the key is edited; it is made when it is missing or null.
    Into(Vec<(String, Edit)>),
}

/// The tree of `changes`; a later change of the same path wins.
///
/// # Errors
/// When a path is empty.
pub(in super::super) fn build(changes: &[Change]) -> Result<Vec<(String, Edit)>, String> {
    let mut root = Vec::new();
    for change in changes {
        let edit = change.value.clone().map_or(Edit::Remove, Edit::Set);
        add(&mut root, &change.path, edit)?;
    }
    Ok(root)
}

fn add(edits: &mut Vec<(String, Edit)>, path: &[String], edit: Edit) -> Result<(), String> {
    let Some((name, rest)) = path.split_first() else { return Err("a change names no key".to_owned()) };
    let at = edits.iter().position(|(known, _)| known == name);
    if rest.is_empty() {
        match at {
            Some(at) => edits[at].1 = edit,
            None => edits.push((name.clone(), edit)),
        }
        return Ok(());
    }
    let at = at.unwrap_or_else(|| {
        edits.push((name.clone(), Edit::Into(Vec::new())));
        edits.len() - 1
    });
    match &mut edits[at].1 {
        Edit::Into(children) => add(children, rest, edit),
        Edit::Set(value) => {
            let mut children = Vec::new();
            add(&mut children, rest, edit)?;
            apply(value, &children);
            Ok(())
        }
        removed @ Edit::Remove => {
            let mut value = Value::Object(Map::new());
            let mut children = Vec::new();
            add(&mut children, rest, edit)?;
            apply(&mut value, &children);
            *removed = Edit::Set(value);
            Ok(())
        }
    }
}

/// Applies edits to a value: what the edited text must read as.
pub(in super::super) fn apply(value: &mut Value, edits: &[(String, Edit)]) {
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    let Value::Object(map) = value else { return };
    for (name, edit) in edits {
        match edit {
            Edit::Set(new) => {
                map.insert(name.clone(), new.clone());
            }
            Edit::Remove => {
                map.shift_remove(name);
            }
            Edit::Into(children) => {
                let before = map.get(name).cloned();
                let mut after = before.clone().unwrap_or(Value::Null);
                let was_map = after.is_object();
                apply(&mut after, children);
                // Removing keys below a missing mapping does not make the mapping.
                if was_map || !after.as_object().is_some_and(Map::is_empty) {
                    map.insert(name.clone(), after);
                }
            }
        }
    }
}
