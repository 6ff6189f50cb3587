//! The nested blocks of a ticket: executor, execution, inputs, outputs, source, llm_hints.

use std::collections::HashMap;

use serde_json::Value;

use super::super::scalar::Scalar;
use super::super::value::{for_each_pair, key_text, scalar, to_value};
use super::fields::{Reader, text_of};
use crate::plan::ticket::{Execution, Executor, ExecutorKind, Inputs, LlmInputs, Outputs, Source};

/// Calls `each` for the pairs of an optional block; refuses what is neither mapping nor null.
fn block<'t, 'a>(
    reader: &mut Reader<'t, 'a>,
    name: &str,
    index: usize,
    each: &mut dyn FnMut(&mut Reader<'t, 'a>, &str, usize),
) -> bool {
    let tape = reader.tape;
    let map = tape.resolve(index);
    if !tape.nodes[map].kind.is_map() {
        if !reader.is_null(index) {
            reader.refuse(format!("`{name}` is not a mapping; write `key: value` lines"));
        }
        return false;
    }
    for_each_pair(tape, map, &mut |key, value| {
        if let Some(field) = text_of(tape, key) {
            each(reader, field, value);
        }
    });
    true
}

/// Reads `executor`.
pub(super) fn executor(reader: &mut Reader<'_, '_>, index: usize, out: &mut Executor) {
    block(reader, "executor", index, &mut |reader, field, value| match field {
        "kind" => {
            let mut kind = String::new();
            reader.text("executor.kind", value, &mut kind);
            out.kind = ExecutorKind::from(kind);
        }
        "mode" => {
            let mut mode = String::new();
            reader.text("executor.mode", value, &mut mode);
            out.mode = Some(mode);
        }
        "handler" => out.handler = reader.optional_text("executor.handler", value),
        _ => {}
    });
}

/// Reads `execution`.
pub(super) fn execution(reader: &mut Reader<'_, '_>, index: usize, out: &mut Execution) {
    block(reader, "execution", index, &mut |reader, field, value| match field {
        "queue" => reader.text("execution.queue", value, &mut out.queue),
        "state" => {
            reader.text("execution.state", value, &mut out.state);
            // planfile folds this spelling of early queue writers.
            if out.state == "completed" {
                "done".clone_into(&mut out.state);
            }
        }
        "assigned_to" => out.assigned_to = reader.optional_text("execution.assigned_to", value),
        "started_at" => out.started_at = reader.time("execution.started_at", value),
        "finished_at" => out.finished_at = reader.time("execution.finished_at", value),
        "lease_expires_at" => out.lease_expires_at = reader.time("execution.lease_expires_at", value),
        "attempt" => reader.integer("execution.attempt", value, &mut out.attempt),
        "max_attempts" => reader.integer("execution.max_attempts", value, &mut out.max_attempts),
        "last_error" => out.last_error = reader.optional_text("execution.last_error", value),
        _ => {}
    });
}

/// Reads `inputs`, with the keys that planfile drops and we use.
pub(super) fn inputs(reader: &mut Reader<'_, '_>, index: usize, out: &mut Inputs) {
    block(reader, "inputs", index, &mut |reader, field, value| match field {
        "prompt" => out.prompt = reader.optional_text("inputs.prompt", value),
        "env_keys" => reader.words("inputs.env_keys", value, &mut out.env_keys),
        "script" => out.script = reader.optional_text("inputs.script", value),
        "api_endpoint" => out.api_endpoint = reader.optional_text("inputs.api_endpoint", value),
        "api_method" => {
            let mut method = String::new();
            reader.text("inputs.api_method", value, &mut method);
            out.api_method = Some(method);
        }
        "api_headers" => out.api_headers = headers(reader, value),
        "api_body" => out.api_body = Some(to_value(reader.tape, value)).filter(|body| !body.is_null()),
        "api_timeout_seconds" => {
            out.api_timeout_seconds = reader.float("inputs.api_timeout_seconds", value, false)
        }
        "timeout_seconds" => out.timeout_seconds = ours(reader, value),
        "mcp_tool" => out.mcp_tool = reader.optional_text("inputs.mcp_tool", value),
        "llm_model" => out.llm_model = reader.optional_text("inputs.llm_model", value),
        "llm_endpoint"
        | "system_prompt"
        | "llm_temperature"
        | "llm_max_tokens"
        | "llm_timeout_seconds"
        | "response_schema" => chat(reader, field, value, out.llm.get_or_insert_default()),
        "mcp_server" => out.mcp.get_or_insert_default().server = our_text(reader, value),
        "mcp_arguments" => out.mcp.get_or_insert_default().arguments = our_value(reader, value),
        "uri_processes" => processes(reader, value),
        "process_manifest" => optional_mapping(reader, "inputs.process_manifest", value),
        "choices" => out.choices = choices(reader, value),
        "expect_files_changed" => out.expect_files_changed = flag(reader, value),
        _ => {}
    });
}

/// A key that planfile does not know cannot hide a ticket, whatever it holds.
fn ours(reader: &Reader<'_, '_>, index: usize) -> Option<f64> {
    match scalar(reader.tape, index) {
        Some(Scalar::Int(value)) => Some(value as f64),
        Some(Scalar::Float(value)) if value.is_finite() => Some(value),
        Some(Scalar::Str(text)) => text.trim().parse().ok(),
        _ => None,
    }
}

/// One of the keys of a chat.
fn chat(reader: &Reader<'_, '_>, field: &str, value: usize, out: &mut LlmInputs) {
    match field {
        "llm_endpoint" => out.endpoint = our_text(reader, value),
        "system_prompt" => out.system = our_text(reader, value),
        "llm_temperature" => out.temperature = ours(reader, value),
        "llm_max_tokens" => {
            out.max_tokens = match scalar(reader.tape, value) {
                Some(Scalar::Int(count)) => u64::try_from(count).ok().filter(|count| *count > 0),
                _ => None,
            }
        }
        "llm_timeout_seconds" => out.timeout_seconds = ours(reader, value),
        _ => out.response_schema = our_value(reader, value),
    }
}

/// The text of a scalar, as it was written.
fn our_text(reader: &Reader<'_, '_>, index: usize) -> Option<String> {
    let tape = reader.tape;
    let at = tape.resolve(index);
    let kind = &tape.nodes[at].kind;
    (kind.is_scalar() && !reader.is_null(at)).then(|| tape.node(at).text.clone().into_owned())
}

fn our_value(reader: &Reader<'_, '_>, index: usize) -> Option<Value> {
    Some(to_value(reader.tape, index)).filter(|value| !value.is_null())
}

/// A true boolean; like every key that planfile does not know it cannot hide a ticket.
fn flag(reader: &Reader<'_, '_>, index: usize) -> Option<bool> {
    match scalar(reader.tape, index) {
        Some(Scalar::Bool(value)) => Some(value),
        _ => None,
    }
}

fn choices(reader: &Reader<'_, '_>, index: usize) -> Vec<String> {
    let tape = reader.tape;
    let list = tape.resolve(index);
    if !tape.nodes[list].kind.is_seq() {
        return Vec::new();
    }
    tape.items(list)
        .filter(|item| tape.node(*item).kind.is_scalar())
        .map(|item| tape.node(item).text.clone().into_owned())
        .collect()
}

fn headers(reader: &mut Reader<'_, '_>, index: usize) -> Vec<(String, String)> {
    let tape = reader.tape;
    let map = tape.resolve(index);
    let mut out: Vec<(String, String)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    if !tape.nodes[map].kind.is_map() {
        reader.refuse("`inputs.api_headers` is not a mapping");
        return out;
    }
    for_each_pair(tape, map, &mut |key, value| {
        if text_of(tape, key).is_none() {
            reader.refuse("`inputs.api_headers` has a name that is not text; put it in quotes");
        }
        let name = key_text(tape, key).into_owned();
        let mut text = String::new();
        reader.text(&format!("inputs.api_headers.{name}"), value, &mut text);
        match places.get(&name) {
            Some(place) => out[*place].1 = text,
            None => {
                places.insert(name.clone(), out.len());
                out.push((name, text));
            }
        }
    });
    out
}

fn optional_mapping(reader: &mut Reader<'_, '_>, name: &str, index: usize) {
    if !reader.is_null(index) {
        reader.mapping(name, index);
    }
}

/// Checks `inputs.uri_processes`, which planfile models and we only keep.
fn processes(reader: &mut Reader<'_, '_>, index: usize) {
    reader.mappings("inputs.uri_processes", index);
    let tape = reader.tape;
    let list = tape.resolve(index);
    if !tape.nodes[list].kind.is_seq() {
        return;
    }
    for item in tape.items(list) {
        let mut found = [false; 3];
        block(reader, "inputs.uri_processes", item, &mut |reader, field, value| match field {
            "id" | "name" | "uri" => {
                reader.text(&format!("uri_processes.{field}"), value, &mut String::new());
                found[["id", "name", "uri"].iter().position(|known| *known == field).unwrap_or(0)] = true;
            }
            "actor" | "status" => reader.text(&format!("uri_processes.{field}"), value, &mut String::new()),
            "depends_on" => reader.words("uri_processes.depends_on", value, &mut Vec::new()),
            "payload" => reader.mapping("uri_processes.payload", value),
            _ => {}
        });
        if found.contains(&false) {
            reader.refuse("an entry of `inputs.uri_processes` lacks id, name or uri");
        }
    }
}

/// Reads `outputs`.
pub(super) fn outputs(reader: &mut Reader<'_, '_>, index: usize, out: &mut Outputs) {
    block(reader, "outputs", index, &mut |reader, field, value| match field {
        "artifacts" => reader.words("outputs.artifacts", value, &mut out.artifacts),
        "notes" => reader.words("outputs.notes", value, &mut out.notes),
        "result" => out.result = Some(to_value(reader.tape, value)).filter(|result| !result.is_null()),
        "completion_receipt" => optional_mapping(reader, "outputs.completion_receipt", value),
        _ => {}
    });
}

/// Reads `source`.
pub(super) fn source(reader: &mut Reader<'_, '_>, index: usize) -> Option<Source> {
    let mut out = Source::default();
    let mut tool = false;
    let found = block(reader, "source", index, &mut |reader, field, value| match field {
        "tool" => {
            tool = true;
            reader.text("source.tool", value, &mut out.tool);
        }
        "version" => reader.check_optional_text("source.version", value),
        "timestamp" if reader.time("source.timestamp", value).is_none() => {
            reader.refuse("`source.timestamp` is empty; write a time or remove the line");
        }
        "context" => {
            reader.mapping("source.context", value);
            out.context = Some(to_value(reader.tape, value))
                .filter(|context| context.as_object().is_none_or(|map| !map.is_empty()));
        }
        _ => {}
    });
    if found && !tool {
        reader.refuse("`source.tool` is missing");
    }
    found.then_some(out)
}

/// Checks `llm_hints`, which planfile models and we only keep.
pub(super) fn hints(reader: &mut Reader<'_, '_>, index: usize) {
    block(reader, "llm_hints", index, &mut |reader, field, value| {
        if matches!(field, "design" | "implementation" | "review" | "triage") && !reader.is_null(value) {
            let known = text_of(reader.tape, value)
                .is_some_and(|tier| matches!(tier, "local" | "cheap" | "balanced" | "premium" | "free"));
            if !known {
                let shown = reader.shown(value);
                reader.refuse(format!(
                    "`llm_hints.{field}: {shown}` is none of local, cheap, balanced, premium, free"
                ));
            }
        }
    });
}
