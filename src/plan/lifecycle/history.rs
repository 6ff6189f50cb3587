//! The audit trail of a change: the `history` entry and `updated_at` that every change but a heartbeat gets
//! (planfile 0.1.126: newest last, capped at 200).

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::instant::with_offset;
use super::{Change, Op};

/// planfile keeps this many history entries.
const CAP: usize = 200;

/// What the journal says about a change; also the source of the history entry.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Facts {
    /// `status_change` or `update`.
    pub(crate) action: &'static str,
    /// Top-level keys that differ, sorted.
    pub(crate) changes: Vec<String>,
    /// Why, if the operation says so.
    pub(crate) reason: Option<String>,
    /// `status` before; null when missing.
    pub(crate) previous_status: Value,
    /// `status` after.
    pub(crate) status: Value,
    /// `execution.state` before; null when missing.
    pub(crate) previous_state: Value,
    /// `execution.state` after.
    pub(crate) state: Value,
    /// The instant written to `updated_at`.
    pub(crate) at: String,
}

/// Completes `changes` with `updated_at` and a history entry. `record` is the ticket as it stands in the file.
///
/// `None` when nothing would differ (then nothing is to be written), or when the operation is a heartbeat.
pub(crate) fn complete(
    record: &Value,
    changes: &mut Vec<Change>,
    op: &Op,
    actor: Option<&str>,
    now: Timestamp,
) -> Option<Facts> {
    let mut after = record.clone();
    changes.iter().for_each(|change| apply(&mut after, change));
    let keys = differing_keys(record, &after);
    if keys.is_empty() {
        changes.clear();
        return None;
    }
    if matches!(op, Op::Renew { .. }) {
        return None;
    }
    let facts = facts(record, &after, keys, op, now);
    let mut entries = record.get("history").and_then(Value::as_array).cloned().unwrap_or_default();
    entries.push(entry(&facts, actor));
    let surplus = entries.len().saturating_sub(CAP);
    entries.drain(..surplus);
    changes.push(Change::set(&["history"], entries));
    changes.push(Change::set(&["updated_at"], facts.at.as_str()));
    Some(facts)
}

/// Carries out one change on a record in memory.
pub(crate) fn apply(record: &mut Value, change: &Change) {
    let Some((last, parents)) = change.path.split_last() else { return };
    let mut node = record;
    for key in parents {
        let Some(map) = as_map(node) else { return };
        if change.value.is_none() && !map.contains_key(key) {
            return;
        }
        node = map.entry(key.clone()).or_insert(Value::Null);
    }
    let Some(map) = as_map(node) else { return };
    match &change.value {
        Some(value) => map.insert(last.clone(), value.clone()),
        None => map.shift_remove(last),
    };
}

/// The map at a node; null counts as an empty one, as planfile merges it.
fn as_map(node: &mut Value) -> Option<&mut Map<String, Value>> {
    if node.is_null() {
        *node = Value::Object(Map::new());
    }
    node.as_object_mut()
}

fn differing_keys(before: &Value, after: &Value) -> Vec<String> {
    let empty = Map::new();
    let old = before.as_object().unwrap_or(&empty);
    let new = after.as_object().unwrap_or(&empty);
    let mut keys: Vec<String> = new
        .iter()
        .filter(|(key, value)| old.get(*key) != Some(value))
        .map(|(key, _)| key)
        .chain(old.keys().filter(|key| !new.contains_key(*key)))
        .cloned()
        .collect();
    keys.sort();
    keys
}

fn facts(before: &Value, after: &Value, changes: Vec<String>, op: &Op, now: Timestamp) -> Facts {
    let at = |record: &Value, path: &str| record.pointer(path).cloned().unwrap_or(Value::Null);
    let (previous_status, status) = (at(before, "/status"), at(after, "/status"));
    let reason = match op {
        Op::Fail { error, .. } => Some(error.clone()),
        Op::Block { reason } => Some(reason.clone()),
        Op::Wait { question, .. } => Some(question.clone()),
        _ => None,
    };
    Facts {
        action: if previous_status == status { "update" } else { "status_change" },
        changes,
        reason,
        previous_status,
        status,
        previous_state: at(before, "/execution/state"),
        state: at(after, "/execution/state"),
        at: with_offset(later_than(before, now)),
    }
}

/// `now`, or one microsecond after the record's own instant when that is not before `now` (several steps of one
/// batch): an optimistic check compares instants and must see that something changed. A record from a far future, made
/// by a wrong clock, does not push ours there.
fn later_than(record: &Value, now: Timestamp) -> Timestamp {
    let last =
        record.get("updated_at").and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok());
    match last.map(|last| (last, last.as_microsecond() - now.as_microsecond())) {
        Some((last, 0..=1_000_000)) => last.checked_add(SignedDuration::from_micros(1)).unwrap_or(now),
        _ => now,
    }
}

fn entry(facts: &Facts, actor: Option<&str>) -> Value {
    let mut entry = json!({
        "action": facts.action, "changes": facts.changes, "source": "koru-tui", "timestamp": facts.at,
    });
    if facts.previous_status != facts.status {
        entry["previous_status"] = facts.previous_status.clone();
        entry["status"] = facts.status.clone();
    }
    if facts.previous_state != facts.state {
        entry["previous_execution_state"] = facts.previous_state.clone();
        entry["execution_state"] = facts.state.clone();
    }
    if let Some(reason) = &facts.reason {
        entry["reason"] = json!(reason);
    }
    if let Some(actor) = actor {
        entry["actor"] = json!(actor);
        entry["by"] = json!(actor);
    }
    entry
}
