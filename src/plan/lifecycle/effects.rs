//! The effects table: one small function per operation, each yielding the keys that planfile 0.1.126 would write.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::checks::{invalid, known_priority, none_blank, not_blank, sound_blockers};
use super::instant::{with_offset, with_z};
use super::record::default_mode;
use super::{Change, Op, Patch, Refusal, live_holder};
use crate::plan::ticket::{ExecutorKind, Status, Ticket};

/// See [`super::changes`].
pub(super) fn changes(ticket: &Ticket, op: &Op, now: Timestamp) -> Result<Vec<Change>, Refusal> {
    if let (Some(reason), false) = (&ticket.invalid, matches!(op, Op::Update(_))) {
        let reason =
            format!("{} cannot be read by planfile ({reason}); repair it with an update first", ticket.id);
        return Err(Refusal::Invalid { field: "ticket", reason });
    }
    match op {
        Op::Claim { by, until } => claim(ticket, by, *until, now),
        Op::Start { by, until } => start(ticket, by.as_deref(), *until, now),
        Op::Renew { by, until } => renew(ticket, by, *until),
        Op::Complete { note, artifacts, result } => {
            complete(ticket, note.as_deref(), artifacts, result.as_ref(), now)
        }
        Op::Fail { error, result } => fail(ticket, error, result.as_ref(), now),
        Op::Input { prompt, env_keys, note } => input(ticket, prompt, env_keys, note.as_deref()),
        Op::Wait { question, result, note } => wait(ticket, question, result.as_ref(), note.as_deref()),
        Op::Ready { note } => ready(ticket, note.as_deref()),
        Op::Block { reason } => block(ticket, reason, now),
        Op::Update(patch) => update(ticket, patch, now),
        Op::Restore { changes } => restore(changes),
    }
}

/// Only what an operation may change: never who the ticket is, nor what tells of its changes.
fn restore(changes: &[Change]) -> Result<Vec<Change>, Refusal> {
    const FIXED: [&str; 4] = ["id", "history", "updated_at", "created_at"];
    let fixed =
        changes.iter().find(|change| change.path.first().is_none_or(|key| FIXED.contains(&key.as_str())));
    match fixed {
        Some(change) => Err(invalid("restore", format!("{} is never put back", change.path.join(".")))),
        None => Ok(changes.to_vec()),
    }
}

fn claim(
    ticket: &Ticket,
    by: &str,
    until: Option<Timestamp>,
    now: Timestamp,
) -> Result<Vec<Change>, Refusal> {
    not_blank("assigned_to", by)?;
    refuse_other_holder(ticket, Some(by), now)?;
    let mut out = block_defaults(ticket);
    out.push(Change::set(&["execution", "assigned_to"], by));
    if let Some(until) = until {
        out.push(Change::set(&["execution", "lease_expires_at"], with_z(until)));
    } else if lease_is_over(ticket, now) {
        // planfile would keep the old end and so hand out a claim that is over before it begins.
        out.push(Change::remove(&["execution", "lease_expires_at"]));
    }
    if matches!(ticket.execution.state.as_str(), "" | "pending") {
        out.push(Change::set(&["execution", "state"], "ready"));
    }
    Ok(out)
}

fn start(
    ticket: &Ticket,
    by: Option<&str>,
    until: Option<Timestamp>,
    now: Timestamp,
) -> Result<Vec<Change>, Refusal> {
    refuse_reopening(ticket)?;
    if let Some(by) = by {
        not_blank("assigned_to", by)?;
    }
    refuse_other_holder(ticket, by, now)?;
    refuse_second_run(ticket, now)?;
    let mut out = block_defaults(ticket);
    out.push(Change::set(&["status"], Status::InProgress.word()));
    out.push(Change::set(&["execution", "state"], "running"));
    if let Some(by) = by {
        out.push(Change::set(&["execution", "assigned_to"], by));
    }
    if let Some(until) = until {
        out.push(Change::set(&["execution", "lease_expires_at"], with_z(until)));
    } else if lease_is_over(ticket, now) {
        out.push(Change::remove(&["execution", "lease_expires_at"]));
    }
    if ticket.execution.started_at.is_none() {
        out.push(Change::set(&["execution", "started_at"], with_z(now)));
    }
    Ok(out)
}

fn renew(ticket: &Ticket, by: &str, until: Timestamp) -> Result<Vec<Change>, Refusal> {
    not_blank("assigned_to", by)?;
    if ticket.status.is_terminal() || ticket.execution.assigned_to.as_deref() != Some(by) {
        return Err(Refusal::NotHeld { id: ticket.id.clone(), by: by.to_owned() });
    }
    Ok(vec![Change::set(&["execution", "lease_expires_at"], with_z(until))])
}

fn complete(
    ticket: &Ticket,
    note: Option<&str>,
    artifacts: &[String],
    result: Option<&Value>,
    now: Timestamp,
) -> Result<Vec<Change>, Refusal> {
    for artifact in artifacts {
        not_blank("artifacts", artifact)?;
    }
    let mut out = terminal(ticket, Status::Done, now);
    out.push(Change::remove(&["execution", "last_error"]));
    let all: Vec<&String> = ticket.outputs.artifacts.iter().chain(artifacts).collect();
    out.push(Change::set(&["outputs", "artifacts"], json!(all)));
    out.push(Change::set(&["outputs", "notes"], notes_with(ticket, note)));
    out.extend(result.map(|result| Change::set(&["outputs", "result"], result.clone())));
    Ok(out)
}

fn fail(
    ticket: &Ticket,
    error: &str,
    result: Option<&Value>,
    now: Timestamp,
) -> Result<Vec<Change>, Refusal> {
    not_blank("error", error)?;
    let attempt = ticket.execution.attempt.saturating_add(1);
    let exhausted = attempt >= max_attempts(ticket);
    let mut out = if exhausted {
        terminal(ticket, Status::Failed, now)
    } else {
        refuse_reopening(ticket)?;
        let mut out = block_defaults(ticket);
        out.push(Change::set(&["status"], Status::Open.word()));
        out.push(Change::set(&["execution", "state"], "ready"));
        out.extend(removed(&["assigned_to", "lease_expires_at", "finished_at"]));
        out
    };
    out.retain(|change| change.path != ["execution", "attempt"]);
    out.push(Change::set(&["execution", "attempt"], attempt));
    out.push(Change::set(&["execution", "last_error"], error));
    out.extend(result.map(|result| Change::set(&["outputs", "result"], result.clone())));
    Ok(out)
}

fn input(
    ticket: &Ticket,
    prompt: &str,
    env_keys: &[String],
    note: Option<&str>,
) -> Result<Vec<Change>, Refusal> {
    refuse_reopening(ticket)?;
    not_blank("prompt", prompt)?;
    let mut keys = ticket.inputs.env_keys.clone();
    for key in env_keys {
        if key.trim().is_empty() || key.contains(['=', '\0']) {
            return Err(invalid("env_keys", "a variable's name is not blank and holds no `=`"));
        }
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    let mut out = block_defaults(ticket);
    out.push(Change::set(&["execution", "state"], "waiting_input"));
    out.push(Change::set(&["inputs", "prompt"], prompt));
    if !keys.is_empty() {
        out.push(Change::set(&["inputs", "env_keys"], json!(keys)));
    }
    out.extend(noted(ticket, note)?);
    Ok(out)
}

fn wait(
    ticket: &Ticket,
    question: &str,
    result: Option<&Value>,
    note: Option<&str>,
) -> Result<Vec<Change>, Refusal> {
    refuse_reopening(ticket)?;
    not_blank("question", question)?;
    let mut out = block_defaults(ticket);
    out.push(Change::set(&["status"], Status::Open.word()));
    out.push(Change::set(&["execution", "state"], "waiting_input"));
    out.extend(removed(&["assigned_to", "lease_expires_at", "finished_at"]));
    out.push(Change::set(&["execution", "last_error"], question));
    out.extend(result.map(|result| Change::set(&["outputs", "result"], result.clone())));
    out.extend(noted(ticket, note)?);
    Ok(out)
}

fn ready(ticket: &Ticket, note: Option<&str>) -> Result<Vec<Change>, Refusal> {
    refuse_reopening(ticket)?;
    let mut out = block_defaults(ticket);
    out.push(Change::set(&["status"], Status::Open.word()));
    out.push(Change::set(&["execution", "state"], "ready"));
    out.extend(removed(&["assigned_to", "started_at", "finished_at", "lease_expires_at", "last_error"]));
    out.extend(noted(ticket, note)?);
    Ok(out)
}

fn block(ticket: &Ticket, reason: &str, now: Timestamp) -> Result<Vec<Change>, Refusal> {
    not_blank("reason", reason)?;
    let mut out = terminal(ticket, Status::Blocked, now);
    out.push(Change::set(&["execution", "last_error"], reason));
    out.extend(noted(ticket, Some(&format!("BLOCKED: {reason}")))?);
    Ok(out)
}

fn update(ticket: &Ticket, patch: &Patch, now: Timestamp) -> Result<Vec<Change>, Refusal> {
    if *patch == Patch::default() {
        return Err(invalid("update", "nothing to change was given"));
    }
    let mut out = match patch.status {
        None => Vec::new(),
        Some(Status::Open) => ready(ticket, None)?,
        Some(status) if status.is_terminal() => terminal(ticket, status, now),
        Some(status) => {
            refuse_reopening(ticket)?;
            vec![Change::set(&["status"], status.word())]
        }
    };
    if let Some(name) = &patch.name {
        not_blank("name", name)?;
        out.push(Change::set(&["name"], name.as_str()));
    }
    if let Some(priority) = &patch.priority {
        known_priority(priority)?;
        out.push(Change::set(&["priority"], priority.word()));
    }
    out.extend(patch.description.as_deref().map(|text| Change::set(&["description"], text)));
    out.extend(patch_lists(ticket, patch)?);
    if let Some(kind) = &patch.executor {
        out.extend(executor_changes(ticket, kind)?);
    }
    for (key, text) in [("prompt", &patch.prompt), ("script", &patch.script)] {
        if let Some(text) = text {
            let value = (!text.trim().is_empty()).then(|| Value::from(text.as_str()));
            out.push(Change { path: vec!["inputs".to_owned(), key.to_owned()], value });
        }
    }
    out.extend(noted(ticket, patch.note.as_deref())?);
    Ok(out)
}

fn patch_lists(ticket: &Ticket, patch: &Patch) -> Result<Vec<Change>, Refusal> {
    let mut out = Vec::new();
    if let Some(labels) = &patch.labels {
        none_blank("labels", labels)?;
        out.push(Change::set(&["labels"], json!(labels)));
    }
    if let Some(blockers) = &patch.blocked_by {
        sound_blockers(Some(&ticket.id), blockers)?;
        out.push(Change::set(&["blocked_by"], json!(blockers)));
    }
    if let Some(files) = &patch.files {
        none_blank("files", files)?;
        out.push(Change::set(&["files"], json!(files)));
    }
    Ok(out)
}

/// The mode goes with the kind, as planfile's delegation does it: a human is interactive, everything else automatic.
fn executor_changes(ticket: &Ticket, kind: &ExecutorKind) -> Result<Vec<Change>, Refusal> {
    not_blank("executor", kind.word())?;
    let mut out = vec![Change::set(&["executor", "kind"], kind.word())];
    if ticket.executor.kind != *kind {
        out.push(Change::set(&["executor", "mode"], default_mode(kind)));
    }
    Ok(out)
}

/// A terminal status forces the state, frees the holder with explicit nulls and sets the end (planfile 0.1.126).
fn terminal(ticket: &Ticket, status: Status, now: Timestamp) -> Vec<Change> {
    let mut out = block_defaults(ticket);
    out.push(Change::set(&["status"], status.word()));
    out.push(Change::set(&["execution", "state"], status.word()));
    out.push(Change::set(&["execution", "assigned_to"], Value::Null));
    out.push(Change::set(&["execution", "lease_expires_at"], Value::Null));
    out.push(Change::set(&["execution", "finished_at"], with_offset(now)));
    out
}

/// What planfile fills in when a ticket gets its `execution` block by a lifecycle step.
fn block_defaults(ticket: &Ticket) -> Vec<Change> {
    if !ticket.execution.state.is_empty() {
        return Vec::new();
    }
    let queue = if ticket.execution.queue.is_empty() { "default" } else { &ticket.execution.queue };
    vec![
        Change::set(&["execution", "attempt"], ticket.execution.attempt),
        Change::set(&["execution", "max_attempts"], max_attempts(ticket)),
        Change::set(&["execution", "queue"], queue),
    ]
}

/// planfile's default is one attempt; a reader that met no block may say zero.
fn max_attempts(ticket: &Ticket) -> i64 {
    ticket.execution.max_attempts.max(1)
}

fn removed<'a>(keys: &'a [&'a str]) -> impl Iterator<Item = Change> + 'a {
    keys.iter().map(|key| Change::remove(&["execution", key]))
}

/// The whole list of notes with one more; a blank note adds nothing.
fn notes_with(ticket: &Ticket, note: Option<&str>) -> Value {
    let note = note.filter(|note| !note.trim().is_empty());
    let all: Vec<&str> = ticket.outputs.notes.iter().map(String::as_str).chain(note).collect();
    json!(all)
}

/// A note creates the `outputs` block with both lists, as planfile does.
fn noted(ticket: &Ticket, note: Option<&str>) -> Result<Vec<Change>, Refusal> {
    let Some(note) = note else { return Ok(Vec::new()) };
    not_blank("note", note)?;
    Ok(vec![
        Change::set(&["outputs", "artifacts"], json!(ticket.outputs.artifacts)),
        Change::set(&["outputs", "notes"], notes_with(ticket, Some(note))),
    ])
}

fn refuse_reopening(ticket: &Ticket) -> Result<(), Refusal> {
    if ticket.status.satisfies_dependants() {
        return Err(Refusal::Terminal { id: ticket.id.clone(), status: ticket.status.word() });
    }
    Ok(())
}

/// Without a name the caller acts for whoever holds the ticket, as in planfile.
fn refuse_other_holder(ticket: &Ticket, by: Option<&str>, now: Timestamp) -> Result<(), Refusal> {
    match (live_holder(ticket, now), by) {
        (Some(holder), Some(by)) if holder != by => Err(held(ticket, holder)),
        _ => Ok(()),
    }
}

fn refuse_second_run(ticket: &Ticket, now: Timestamp) -> Result<(), Refusal> {
    let leased = ticket.execution.lease_expires_at.is_some_and(|end| end > now);
    match live_holder(ticket, now) {
        Some(holder) if leased && ticket.execution.state == "running" => Err(held(ticket, holder)),
        _ => Ok(()),
    }
}

fn held(ticket: &Ticket, holder: &str) -> Refusal {
    let until = ticket.execution.lease_expires_at.map_or_else(|| "no end".to_owned(), with_z);
    Refusal::Held { id: ticket.id.clone(), holder: holder.to_owned(), until }
}

fn lease_is_over(ticket: &Ticket, now: Timestamp) -> bool {
    ticket.execution.lease_expires_at.is_some_and(|end| end <= now)
}
