//! OpenCode, `run --format json` (measured on 1.18.33; `reference/agent-streams.md` §5).
//!
//! One line a finished part, no deltas; a tool call comes with its result when it is over. There is no line for the end
//! of a run: it is made up from the last step and the last error when the stream ends. `step_finish` with `stop` is not
//! the end by itself, since a compaction ends that way too and an error or another step follows.

use serde_json::Value;

use super::trouble::Trouble;
use super::{StreamParser, diff, json, unknown};
use crate::execute::agents::event::{AgentEvent, ChangeKind, Finish, Scope, Speech};
use crate::execute::agents::tally::Tokens;

/// What it says of a call that nobody allowed.
const REJECTED: &str = "rejected permission";

/// Names of denied tools that are kept.
const DENIED: usize = 100;

/// Reads OpenCode's stream.
#[derive(Default)]
pub(super) struct OpenCode {
    session: String,
    keys: u64,
    /// Calls without an id of their own get one.
    calls: u64,
    last: Last,
    denied: Vec<String>,
}

/// What the stream was at last.
#[derive(Default)]
enum Last {
    /// Nothing came.
    #[default]
    Nothing,
    /// A step is open.
    Open,
    /// A step ended for that reason.
    Step(String),
    /// An error.
    Error(String),
}

impl StreamParser for OpenCode {
    fn line(&mut self, line: &[u8], out: &mut Vec<AgentEvent>) {
        let Some(mut value) = json::object(line) else { return unknown(line, out) };
        let id = json::name(&value, "sessionID");
        if !id.is_empty() && id != self.session {
            self.session.clone_from(&id);
            out.push(AgentEvent::Session { id, model: None, version: None });
        }
        let mut part = json::take(&mut value, "part");
        match json::text(&value, "type") {
            "step_start" => self.last = Last::Open,
            "text" => self.said(&mut part, AgentEvent::Text, out),
            "reasoning" => self.said(&mut part, AgentEvent::Thinking, out),
            "tool_use" => self.tool(&mut part, out),
            "step_finish" => self.step(&part, out),
            "error" => self.error(value.get("error").unwrap_or(&Value::Null), out),
            _ => unknown(line, out),
        }
    }

    fn end(&mut self, out: &mut Vec<AgentEvent>) {
        let (ok, reason) = match std::mem::take(&mut self.last) {
            Last::Nothing => return,
            Last::Step(reason) if reason == "stop" => (true, None),
            Last::Step(reason) if reason == "tool-calls" && !self.denied.is_empty() => {
                (false, Some("a tool was refused, and it stopped".to_owned()))
            }
            Last::Step(reason) => (false, Some(format!("its last step ended with {reason:?}"))),
            Last::Open => (false, Some("it ended within a step".to_owned())),
            Last::Error(message) => (false, Some(message)),
        };
        let denied = std::mem::take(&mut self.denied);
        out.push(AgentEvent::Done(Finish { ok, reason, denied, ..Finish::default() }));
        out.push(AgentEvent::TurnEnd);
    }
}

impl OpenCode {
    fn said(&mut self, part: &mut Value, make: fn(Speech) -> AgentEvent, out: &mut Vec<AgentEvent>) {
        self.last = Last::Open;
        let text = json::take_text(part, "text");
        // Put in by the program, not said by the model.
        if part.get("synthetic") == Some(&Value::Bool(true)) {
            out.push(AgentEvent::Notice { message: text });
            return;
        }
        self.keys += 1;
        out.push(make(Speech { key: self.keys.to_string().into(), text, whole: true, aside: false }));
    }

    fn tool(&mut self, part: &mut Value, out: &mut Vec<AgentEvent>) {
        self.last = Last::Open;
        let name = json::name(part, "tool");
        let id = json::named(part, "callID").unwrap_or_else(|| {
            self.calls += 1;
            format!("call {}", self.calls)
        });
        let mut state = json::take(part, "state");
        let input = json::take(&mut state, "input");
        let written = (name == "write").then(|| json::word(&input, "filePath")).flatten();
        out.push(AgentEvent::ToolCall { id: id.clone(), name: name.clone(), input });
        let metadata = json::take(&mut state, "metadata");
        // A command that fails has the status "completed" as well: its exit code tells.
        let exit_code = json::exit_code(&metadata, "exit");
        let failed = json::text(&state, "status") == "error";
        let ok = !failed && exit_code.unwrap_or_default() == 0;
        let output = json::content(json::take(&mut state, if failed { "error" } else { "output" }));
        if failed && output.contains(REJECTED) && self.denied.len() < DENIED {
            self.denied.push(name);
        }
        out.push(AgentEvent::ToolResult { id, ok, output, exit_code });
        if ok {
            out.extend(change(&metadata, written));
        }
    }

    fn step(&mut self, part: &Value, out: &mut Vec<AgentEvent>) {
        if let Some(tokens) = part.get("tokens") {
            let cache = tokens.get("cache").unwrap_or(&Value::Null);
            let tokens = Tokens {
                input: json::count(tokens, "input"),
                cache_read: json::count(cache, "read"),
                cache_write: json::count(cache, "write"),
                output: json::count(tokens, "output").saturating_add(json::count(tokens, "reasoning")),
            };
            out.push(AgentEvent::Usage { scope: Scope::Step, tokens });
        }
        // Nothing paid for something used means that it knows no price.
        if let Some(usd) = json::amount(part, "cost").filter(|usd| *usd > 0.0) {
            out.push(AgentEvent::Cost { scope: Scope::Step, usd });
        }
        out.push(AgentEvent::Reply);
        self.last = Last::Step(json::name(part, "reason"));
    }

    fn error(&mut self, error: &Value, out: &mut Vec<AgentEvent>) {
        let data = error.get("data").unwrap_or(&Value::Null);
        let said = json::word(data, "message").or_else(|| json::word(error, "message"));
        let name = json::named(error, "name").unwrap_or_else(|| "an error without a name".to_owned());
        let mut trouble = Trouble::read(said.as_deref().unwrap_or(&name));
        trouble.status = json::status(data, "statusCode").or(trouble.status);
        if let Some(headers) = data.get("responseHeaders") {
            let header = json::text(headers, "retry-after").trim().parse().ok();
            trouble.retry_after_seconds = header.or(trouble.retry_after_seconds);
        }
        out.extend(trouble.rate_limit());
        self.last = Last::Error(trouble.message.clone());
        out.push(AgentEvent::Error { message: trouble.message, status: trouble.status });
    }
}

/// The file that a tool changed: `metadata.filediff`, or what it wrote.
fn change(metadata: &Value, written: Option<String>) -> Option<AgentEvent> {
    if let Some(found) = metadata.get("filediff") {
        let path = json::word(found, "file")?;
        let diff = diff::hunks(json::text(found, "patch"));
        return Some(AgentEvent::FileChange { path, kind: ChangeKind::Modified, diff });
    }
    let new = metadata.get("exists") == Some(&Value::Bool(false));
    let kind = if new { ChangeKind::Added } else { ChangeKind::Modified };
    let diff = diff::hunks(json::text(metadata, "diff"));
    written.map(|path| AgentEvent::FileChange { path, kind, diff })
}
