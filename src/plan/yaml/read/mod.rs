//! Tape → [`Ticket`], with planfile's leniency (planfile 0.1.126 `Ticket`, pydantic 2 in lax mode).
//!
//! A record that pydantic would refuse makes planfile hide the ticket. Here it stays visible, with all that can be
//! read, and `invalid` says why planfile hides it. Only the first reason is kept.

mod blocks;
mod fields;

use jiff::Timestamp;

use super::tape::{Kind, Tag, Tape};
use super::value::for_each_pair;
use crate::plan::ticket::{Priority, Status, Ticket, TicketId};
use fields::{Reader, text_of};

/// Reads the ticket `key: value` of the file `stem`.
pub(super) fn ticket(tape: &Tape<'_>, key: usize, value: usize, stem: &str) -> Ticket {
    let mut ticket = Ticket {
        id: TicketId::new(&*super::value::key_text(tape, key)),
        sprint: stem.to_owned(),
        ..Ticket::default()
    };
    defaults(&mut ticket);
    let map = tape.resolve(value);
    if !tape.nodes[map].kind.is_map() {
        ticket.invalid = Some(
            "planfile hides this ticket: the record is not a mapping; write `key: value` lines".to_owned(),
        );
        return ticket;
    }
    let mut reader = Reader::new(tape);
    let mut seen = Seen::default();
    let mut title = None;
    let mut integration = None;
    for_each_pair(tape, map, &mut |key, value| {
        if let Some(name) = text_of(tape, key) {
            match name {
                "title" => title = Some(value),
                "integration" => integration = Some(value),
                _ => field(&mut reader, &mut ticket, &mut seen, name, value),
            }
        }
    });
    if !seen.name {
        match title {
            Some(value) => reader.text("title", value, &mut ticket.name),
            None => reader.refuse("`name` is missing"),
        }
    }
    if let Some(value) = integration {
        match text_of(tape, value) {
            Some(label) => ticket.labels = vec![label.to_owned()],
            None => reader.optional_words("integration", value),
        }
    }
    if !seen.id {
        reader.refuse("`id` is missing");
    }
    if let Some(reason) = reader.unstorable(map) {
        reader.refuse(reason);
    }
    ticket.invalid = reader.reason.map(|reason| format!("planfile hides this ticket: {reason}"));
    ticket
}

/// planfile's defaults where they differ from Rust's.
fn defaults(ticket: &mut Ticket) {
    ticket.execution.queue = "default".to_owned();
    ticket.execution.max_attempts = 1;
}

#[derive(Default)]
struct Seen {
    id: bool,
    name: bool,
}

fn field(reader: &mut Reader<'_, '_>, ticket: &mut Ticket, seen: &mut Seen, name: &str, value: usize) {
    match name {
        "id" => {
            seen.id = true;
            // An id that is no text is nobody's name for the ticket; the key is.
            reader.text("id", value, &mut String::new());
            if let Some(id) = text_of(reader.tape, value).filter(|id| !id.is_empty()) {
                ticket.id = TicketId::new(id);
            }
        }
        "name" => {
            seen.name = true;
            reader.text("name", value, &mut ticket.name);
        }
        "description" => reader.text("description", value, &mut ticket.description),
        "status" => {
            match text_of(reader.tape, value).and_then(Status::parse) {
                Some(status) => ticket.status = status,
                None => {
                    let word = reader.shown(value);
                    reader.refuse(format!("`status: {word}` is none of open, in_progress, review, done, blocked, canceled, failed"));
                }
            }
        }
        "priority" => {
            let mut word = String::new();
            reader.text("priority", value, &mut word);
            if !word.is_empty() {
                ticket.priority = Priority::from(word);
            }
        }
        "sprint" => reader.text("sprint", value, &mut String::new()),
        "contract_version" | "group" | "file" | "dsl" => reader.check_optional_text(name, value),
        "labels" => reader.words("labels", value, &mut ticket.labels),
        "files" => reader.words("files", value, &mut ticket.files),
        "acceptance_criteria" => reader.words("acceptance_criteria", value, &mut ticket.acceptance_criteria),
        "children" => reader.words("children", value, &mut Vec::new()),
        "blocked_by" => ticket.blocked_by = reader.ids("blocked_by", value),
        "blocks" => ticket.blocks = reader.ids("blocks", value),
        "parent" => ticket.parent = reader.optional_text("parent", value).map(TicketId::new),
        "created_at" => ticket.created_at = required_time(reader, "created_at", value),
        "updated_at" => ticket.updated_at = required_time(reader, "updated_at", value),
        "sync" => reader.mapping("sync", value),
        "history" => reader.mappings("history", value),
        "executor" => blocks::executor(reader, value, &mut ticket.executor),
        "execution" => blocks::execution(reader, value, &mut ticket.execution),
        "inputs" => blocks::inputs(reader, value, &mut ticket.inputs),
        "outputs" => blocks::outputs(reader, value, &mut ticket.outputs),
        "source" => ticket.source = blocks::source(reader, value),
        "llm_hints" => blocks::hints(reader, value),
        _ => {}
    }
}

fn required_time(reader: &mut Reader<'_, '_>, name: &'static str, value: usize) -> Option<Timestamp> {
    let found = reader.time(name, value);
    if found.is_none() && reader.is_null(value) {
        reader.refuse(format!("`{name}` is empty; write a time or remove the line"));
    }
    found
}

/// Whether a subtree holds a value that planfile cannot keep in its JSON mirror (`!!binary`, `!!set`).
fn unstorable(tape: &Tape<'_>, map: usize) -> bool {
    if tape.props.is_empty() {
        return false;
    }
    let end = tape.nodes[map].next as usize;
    (map..end).any(|at| {
        let at = if tape.nodes[at].kind == Kind::Alias { tape.resolve(at) } else { at };
        matches!(tape.tag(at), Some(Tag::Binary | Tag::Set))
    })
}
