//! Codex, `exec --json` (measured on 0.169.0; `reference/agent-streams.md` §3); lines with a `method` are its app server's
//! ([`super::app_server`]).
//!
//! No deltas: one line an item. `error` lines are mostly retries, `error` items are warnings, and only `turn.failed`
//! fails a turn. Usage is the whole thread's, earlier runs included, and `input_tokens` includes cached ones.

use serde_json::{Value, json};

use super::app_server::Growing;
use super::pending::Pending;
use super::trouble::Trouble;
use super::{StreamParser, json, unknown};
use crate::execute::agents::event::{AgentEvent, ChangeKind, Finish, Scope, Speech};
use crate::execute::agents::tally::Tokens;

/// How a retry begins; ` n/m (reason)` follows.
pub(super) const RECONNECTING: &str = "Reconnecting...";

/// Names of denied tools that are kept.
const DENIED: usize = 100;

/// Reads Codex's stream.
#[derive(Default)]
pub(super) struct Codex {
    /// Items that were started.
    started: Pending<()>,
    keys: u64,
    /// The model has spoken since its last reply was taken to be over.
    speaking: bool,
    /// A tool ended since it last spoke.
    worked: bool,
    denied: Vec<String>,
    /// What only the app server has.
    pub(super) growing: Growing,
}

impl StreamParser for Codex {
    fn line(&mut self, line: &[u8], out: &mut Vec<AgentEvent>) {
        let Some(mut value) = json::object(line) else { return unknown(line, out) };
        if value.get("method").is_some() {
            if !self.notification(value, out) {
                unknown(line, out);
            }
            return;
        }
        let understood = match json::text(&value, "type") {
            "thread.started" => {
                let id = json::name(&value, "thread_id");
                out.push(AgentEvent::Session { id, model: None, version: None });
                true
            }
            "turn.started" => true,
            "item.started" => self.item(Stage::Started, json::take(&mut value, "item"), out),
            "item.updated" => self.item(Stage::Updated, json::take(&mut value, "item"), out),
            "item.completed" => self.item(Stage::Completed, json::take(&mut value, "item"), out),
            "error" => {
                error(json::text(&value, "message"), out);
                true
            }
            "turn.completed" => {
                if let Some(usage) = value.get("usage") {
                    out.push(used(usage));
                }
                self.turn_end(None, out);
                true
            }
            "turn.failed" => {
                let message =
                    value.get("error").map(|error| json::text(error, "message")).unwrap_or_default();
                error(message, out);
                self.turn_end(Some(Trouble::read(message).message), out);
                true
            }
            _ => false,
        };
        if !understood {
            unknown(line, out);
        }
    }

    fn end(&mut self, _out: &mut Vec<AgentEvent>) {}
}

/// How far an item is.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Stage {
    Started,
    Updated,
    Completed,
}

impl Codex {
    pub(super) fn item(&mut self, stage: Stage, mut item: Value, out: &mut Vec<AgentEvent>) -> bool {
        let kind = json::text(&item, "type").to_owned();
        match &*kind {
            "agent_message" | "reasoning" if stage == Stage::Completed => {
                self.spoke(out);
                self.keys += 1;
                let text = json::take_text(&mut item, "text");
                let speech = Speech { key: self.keys.to_string().into(), text, whole: true, aside: false };
                let make = if kind == "reasoning" { AgentEvent::Thinking } else { AgentEvent::Text };
                out.push(make(speech));
            }
            "agent_message" | "reasoning" => {}
            "error" => out.push(AgentEvent::Notice { message: json::take_text(&mut item, "message") }),
            "todo_list" => {
                if let Some(message) = plan(&item) {
                    out.push(AgentEvent::Notice { message });
                }
            }
            "command_execution" | "file_change" | "mcp_tool_call" | "web_search" => {
                self.tool(stage, &kind, item, out);
            }
            _ => return false,
        }
        true
    }

    fn tool(&mut self, stage: Stage, kind: &str, mut item: Value, out: &mut Vec<AgentEvent>) {
        let id = json::name(&item, "id");
        let known = stage != Stage::Started && self.started.take(&id).is_some();
        if !known {
            self.speaking = true;
            let (name, input) = call(kind, &mut item);
            out.push(AgentEvent::ToolCall { id: id.clone(), name, input });
        }
        if stage != Stage::Completed {
            self.started.put(&id, ());
            let output = json::take_text(&mut item, "aggregated_output");
            if !output.is_empty() {
                out.push(AgentEvent::ToolProgress { id, output });
            }
            return;
        }
        self.worked = true;
        let exit_code = json::exit_code(&item, "exit_code");
        let status = json::text(&item, "status").to_owned();
        let ok = !matches!(&*status, "failed" | "declined") && exit_code.unwrap_or_default() == 0;
        if status == "declined" && self.denied.len() < DENIED {
            self.denied.push(kind.to_owned());
        }
        let output = output(kind, &status, &mut item);
        out.push(AgentEvent::ToolResult { id, ok, output, exit_code });
        if kind == "file_change" && ok {
            for change in item.get("changes").and_then(Value::as_array).into_iter().flatten() {
                let path = json::text(change, "path").to_owned();
                let diff = json::word(change, "diff");
                out.push(AgentEvent::FileChange { path, kind: change_kind(change), diff });
            }
        }
    }

    /// The model says something: if a tool ended before, that was another reply.
    pub(super) fn spoke(&mut self, out: &mut Vec<AgentEvent>) {
        if self.speaking && self.worked {
            out.push(AgentEvent::Reply);
        }
        self.speaking = true;
        self.worked = false;
    }

    pub(super) fn turn_end(&mut self, failed: Option<String>, out: &mut Vec<AgentEvent>) {
        if std::mem::take(&mut self.speaking) {
            out.push(AgentEvent::Reply);
        }
        self.worked = false;
        let denied = std::mem::take(&mut self.denied);
        out.push(AgentEvent::Done(Finish {
            ok: failed.is_none(),
            reason: failed,
            denied,
            ..Finish::default()
        }));
        out.push(AgentEvent::TurnEnd);
    }
}

fn call(kind: &str, item: &mut Value) -> (String, Value) {
    match kind {
        "command_execution" => ("shell".to_owned(), json!({ "command": json::text(item, "command") })),
        "file_change" => ("apply_patch".to_owned(), json!({ "changes": item.get("changes") })),
        "web_search" => ("web_search".to_owned(), json!({ "query": json::text(item, "query") })),
        _ => {
            let name = format!("{}.{}", json::name(item, "server"), json::name(item, "tool"));
            (name, json::take(item, "arguments"))
        }
    }
}

fn output(kind: &str, status: &str, item: &mut Value) -> String {
    match kind {
        "command_execution" => json::take_text(item, "aggregated_output"),
        "mcp_tool_call" => {
            let error = item.get("error").and_then(|error| json::word(error, "message"));
            error.unwrap_or_else(|| {
                let mut result = json::take(item, "result");
                let content = json::take(&mut result, "content");
                json::content(if content.is_null() { result } else { content })
            })
        }
        "file_change" if status != "completed" => format!("the change was not made ({status})"),
        _ => String::new(),
    }
}

fn change_kind(change: &Value) -> ChangeKind {
    match json::text(change, "kind") {
        "add" => ChangeKind::Added,
        "delete" => ChangeKind::Deleted,
        _ => ChangeKind::Modified,
    }
}

/// The agent's own list of steps, as one sentence.
fn plan(item: &Value) -> Option<String> {
    let steps = item.get("items")?.as_array()?;
    let done = |step: &&Value| step.get("completed") == Some(&Value::Bool(true));
    let next = steps.iter().find(|step| !done(step)).map(|step| json::text(step, "text"));
    let count = steps.iter().filter(done).count();
    Some(match next {
        Some(next) => format!("plan: {count} of {} done, next: {next}", steps.len()),
        None => format!("plan: {count} of {} done", steps.len()),
    })
}

pub(super) fn error(message: &str, out: &mut Vec<AgentEvent>) {
    let Some(rest) = message.strip_prefix(RECONNECTING) else {
        let trouble = Trouble::read(message);
        out.extend(trouble.rate_limit());
        out.push(AgentEvent::Error { message: trouble.message, status: trouble.status });
        return;
    };
    let (tries, reason) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
    let (attempt, max) = tries.split_once('/').unwrap_or((tries, ""));
    let reason = reason.strip_prefix('(').and_then(|reason| reason.strip_suffix(')')).unwrap_or(reason);
    let trouble = Trouble::read(reason);
    out.extend(trouble.rate_limit());
    out.push(AgentEvent::Retry {
        attempt: attempt.parse().unwrap_or_default(),
        max: max.parse().ok(),
        delay_ms: trouble.retry_after_seconds.map(|seconds| seconds * 1000),
        reason: trouble.message,
    });
}

/// Usage of the thread, with cached input taken off `input_tokens`. Reasoning is part of `output_tokens`.
pub(super) fn used(usage: &Value) -> AgentEvent {
    let cache_read = json::count(usage, "cached_input_tokens");
    let cache_write = json::count(usage, "cache_write_input_tokens");
    let input = json::count(usage, "input_tokens").saturating_sub(cache_read).saturating_sub(cache_write);
    let tokens = Tokens { input, cache_read, cache_write, output: json::count(usage, "output_tokens") };
    AgentEvent::Usage { scope: Scope::Conversation, tokens }
}
