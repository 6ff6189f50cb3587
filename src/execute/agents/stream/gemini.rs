//! Gemini CLI, `--output-format stream-json` (measured on 0.61.0; `reference/agent-streams.md` §6).
//!
//! Only deltas, without message ids: whatever is not a delta ends the text. No file changes: those of `replace` and
//! `write_file` are made up from the call when its result is good. `error` lines are warnings; `result` decides.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::diff::Diff;
use super::pending::Pending;
use super::trouble::Trouble;
use super::{StreamParser, json, unknown};
use crate::execute::agents::event::{AgentEvent, ChangeKind, Finish, Scope, Speech};
use crate::execute::agents::tally::Tokens;

/// Error types of a tool that is not offered in this mode of approval.
const REFUSED: [&str; 3] = ["tool_not_registered", "permission_denied", "execution_denied"];

/// Names of denied tools that are kept.
const DENIED: usize = 100;

/// Reads Gemini CLI's stream.
#[derive(Default)]
pub(super) struct Gemini {
    keys: u64,
    /// The text that is being written.
    text: Option<Arc<str>>,
    running: Pending<Call>,
    /// A reply is open: it ends with the first result of its tools.
    replying: bool,
    denied: Vec<String>,
}

/// What is kept of a call until its result.
struct Call {
    name: String,
    change: Option<AgentEvent>,
}

/// The hot line: a piece of text.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    content: String,
}

impl StreamParser for Gemini {
    fn line(&mut self, line: &[u8], out: &mut Vec<AgentEvent>) {
        if line.starts_with(b"{\"type\":\"message\"") && self.message(line, out) {
            return;
        }
        let Some(mut value) = json::object(line) else { return unknown(line, out) };
        match json::text(&value, "type") {
            "init" => out.push(AgentEvent::Session {
                id: json::name(&value, "session_id"),
                model: json::named(&value, "model"),
                version: None,
            }),
            "message" => {
                // Fields in another order, or bytes that are no UTF-8.
                if !self.message(String::from_utf8_lossy(line).as_bytes(), out) {
                    unknown(line, out);
                }
            }
            "tool_use" => self.call(&mut value, out),
            "tool_result" => self.result(&mut value, out),
            "error" => out.push(AgentEvent::Notice { message: json::take_text(&mut value, "message") }),
            "result" => self.finish(&value, out),
            _ => unknown(line, out),
        }
    }

    fn end(&mut self, _out: &mut Vec<AgentEvent>) {}
}

impl Gemini {
    fn message(&mut self, line: &[u8], out: &mut Vec<AgentEvent>) -> bool {
        let Ok(Message { role, content }) = serde_json::from_slice::<Message<'_>>(line) else { return false };
        // What it was told, said back.
        if role != "assistant" {
            return role == "user";
        }
        self.replying = true;
        let key = self.text.get_or_insert_with(|| {
            self.keys += 1;
            self.keys.to_string().into()
        });
        out.push(AgentEvent::Text(Speech { key: key.clone(), text: content, whole: false, aside: false }));
        true
    }

    fn call(&mut self, value: &mut Value, out: &mut Vec<AgentEvent>) {
        self.text = None;
        self.replying = true;
        let id = json::name(value, "tool_id");
        let name = json::name(value, "tool_name");
        let input = json::take(value, "parameters");
        self.running.put(&id, Call { name: name.clone(), change: change(&name, &input) });
        out.push(AgentEvent::ToolCall { id, name, input });
    }

    fn result(&mut self, value: &mut Value, out: &mut Vec<AgentEvent>) {
        self.text = None;
        if std::mem::take(&mut self.replying) {
            out.push(AgentEvent::Reply);
        }
        let id = json::name(value, "tool_id");
        let ok = json::text(value, "status") != "error";
        let error = json::take(value, "error");
        let mut output = json::content(json::take(value, "output"));
        if output.is_empty() {
            output = json::text(&error, "message").to_owned();
        }
        let call = self.running.take(&id);
        out.push(AgentEvent::ToolResult { id, ok, output, exit_code: None });
        let Some(call) = call else { return };
        if ok {
            out.extend(call.change);
        } else if REFUSED.contains(&json::text(&error, "type"))
            && self.denied.len() < DENIED
            && !self.denied.contains(&call.name)
        {
            self.denied.push(call.name);
        }
    }

    fn finish(&mut self, value: &Value, out: &mut Vec<AgentEvent>) {
        self.text = None;
        if std::mem::take(&mut self.replying) {
            out.push(AgentEvent::Reply);
        }
        if let Some(stats) = value.get("stats") {
            out.extend(used(stats));
        }
        let ok = json::text(value, "status") == "success";
        let mut reason = None;
        if !ok {
            let message = value.get("error").map(|error| json::text(error, "message")).unwrap_or_default();
            let trouble = Trouble::read(message);
            out.extend(trouble.rate_limit());
            reason = Some(trouble.message.clone());
            out.push(AgentEvent::Error { message: trouble.message, status: trouble.status });
        }
        let denied = std::mem::take(&mut self.denied);
        out.push(AgentEvent::Done(Finish { ok, reason, denied, ..Finish::default() }));
        out.push(AgentEvent::TurnEnd);
    }
}

/// Usage of the run. `input_tokens` includes `cached`, `input` is the rest; what the total has beyond input and output
/// is reasoning.
fn used(stats: &Value) -> Option<AgentEvent> {
    let all_input = json::count(stats, "input_tokens");
    let cache_read = json::count(stats, "cached");
    let input = json::number(stats, "input").unwrap_or_else(|| all_input.saturating_sub(cache_read));
    let total = json::count(stats, "total_tokens");
    let output = json::count(stats, "output_tokens").max(total.saturating_sub(all_input));
    let tokens = Tokens { input, cache_read, cache_write: 0, output };
    (tokens != Tokens::default()).then_some(AgentEvent::Usage { scope: Scope::Run, tokens })
}

/// The file change that a call will make if it goes well. The place in the file is not known.
fn change(name: &str, input: &Value) -> Option<AgentEvent> {
    let path = json::word(input, "file_path")?;
    let mut diff = Diff::default();
    match name {
        "replace" => {
            diff.line("@@", "");
            diff.lines("-", json::text(input, "old_string"));
            diff.lines("+", json::text(input, "new_string"));
        }
        "write_file" => diff.lines("+", json::text(input, "content")),
        _ => return None,
    }
    Some(AgentEvent::FileChange { path, kind: ChangeKind::Modified, diff: diff.finish() })
}
