//! The record of a new ticket.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::checks::{invalid, known_priority, none_blank, not_blank, sound_blockers};
use super::instant::with_z;
use super::{NewTicket, Refusal};
use crate::plan::ticket::{ExecutorKind, TicketId};

/// The record of a new ticket as planfile 0.1.126 would write it, nulls left out. The optional `dsl`, a
/// second copy of the whole record that planfile keeps in each ticket, is left to the journal.
///
/// # Errors
/// [`Refusal::Invalid`] with the first field that planfile could not read back.
pub(crate) fn new_record(id: &TicketId, new: &NewTicket, now: Timestamp) -> Result<Value, Refusal> {
    not_blank("name", &new.name)?;
    known_priority(&new.priority)?;
    none_blank("labels", &new.labels)?;
    none_blank("files", &new.files)?;
    none_blank("acceptance_criteria", &new.acceptance_criteria)?;
    sound_blockers(Some(id), &new.blocked_by)?;
    not_blank("executor", new.executor.word())?;
    if new.max_attempts.is_some_and(|max| max < 1) {
        return Err(invalid("max_attempts", "at least 1"));
    }
    let sprint = new.sprint.as_deref().unwrap_or("current");
    let stamp = with_z(now);
    let mut executor = Map::new();
    executor.insert("kind".to_owned(), json!(new.executor.word()));
    executor.insert("mode".to_owned(), json!(new.mode.as_deref().unwrap_or(default_mode(&new.executor))));
    if let Some(handler) = new.handler.as_deref().filter(|handler| !handler.trim().is_empty()) {
        executor.insert("handler".to_owned(), json!(handler));
    }
    let mut record = json!({
        "id": id, "name": new.name, "contract_version": "planfile.ticket/v1", "status": "open",
        "priority": new.priority.word(), "sprint": sprint, "description": new.description,
        "acceptance_criteria": new.acceptance_criteria, "labels": new.labels, "blocked_by": new.blocked_by,
        "blocks": [], "children": [], "files": new.files, "history": [], "sync": {},
        "source": {
            "tool": new.source_tool.as_deref().unwrap_or("koru-tui"),
            "timestamp": stamp, "context": new.source_context,
        },
        "executor": executor,
        "execution": {
            "queue": new.queue.as_deref().unwrap_or("default"), "state": "pending",
            "attempt": 0, "max_attempts": new.max_attempts.unwrap_or(1),
        },
        "created_at": stamp, "updated_at": stamp,
    });
    if !new.inputs.is_empty() {
        record["inputs"] = inputs_of(new);
    }
    Ok(record)
}

/// The free inputs as given, completed by the defaults that planfile writes beside them.
fn inputs_of(new: &NewTicket) -> Value {
    let mut inputs = json!({
        "api_headers": {}, "api_method": "GET", "api_timeout_seconds": 30.0, "env_keys": [], "uri_processes": [],
    });
    for (key, value) in new.inputs.iter().filter(|(_, value)| !value.is_null()) {
        inputs[key] = value.clone();
    }
    inputs
}

/// The mode that goes with a kind.
pub(super) fn default_mode(kind: &ExecutorKind) -> &'static str {
    if *kind == ExecutorKind::Human { "interactive" } else { "automatic" }
}
