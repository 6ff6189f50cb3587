//! pi, `--mode json` and the events of `--mode rpc` (measured on 0.87.1; `reference/agent-streams.md` §4).
//!
//! Every text comes up to four times: as deltas, in `text_end`, in `message_end` and in `turn_end`. The first two are
//! taken; of `message_end` only blocks that never came in pieces; `turn_end` and `agent_end` repeat. The exit code says
//! nothing: the last assistant message's `stopReason` decides, and only `agent_settled` is the end.

mod update;

use std::sync::Arc;

use serde_json::Value;

use super::pending::Pending;
use super::trouble::Trouble;
use super::{StreamParser, diff, json, small, unknown};
use crate::execute::agents::event::{AgentEvent, ChangeKind, Finish, Scope, Speech};
use crate::execute::agents::tally::Tokens;

/// Blocks of one message that are told apart; a message has a handful.
const BLOCKS: usize = 256;

/// What pi appends to the output of a command that failed.
const EXITED: &str = "Command exited with code ";

/// Reads pi's stream.
#[derive(Default)]
pub(super) struct Pi {
    session: Option<String>,
    model: Option<String>,
    /// How the frequent lines begin.
    head: update::Head,
    /// Blocks of the message that is being written.
    blocks: Vec<Block>,
    keys: u64,
    /// Name and path of the tools that run.
    running: Pending<(String, Option<String>)>,
    /// How the last assistant message ended, and its error.
    stopped: Option<(String, Option<String>)>,
    denied: Vec<String>,
    /// `agent_end` was there and nothing is to follow it but `agent_settled`.
    ending: bool,
}

struct Block {
    index: u64,
    key: Arc<str>,
    whole: bool,
}

impl StreamParser for Pi {
    fn line(&mut self, line: &[u8], out: &mut Vec<AgentEvent>) {
        if line.starts_with(b"{\"type\":\"message_update\"") && self.update(line, out) {
            return;
        }
        let Some(mut value) = json::object(line) else { return unknown(line, out) };
        if !self.rare(&mut value, line, out) {
            unknown(line, out);
        }
    }

    fn end(&mut self, out: &mut Vec<AgentEvent>) {
        // Releases without `agent_settled` end with `agent_end`.
        if self.ending {
            self.settled(out);
        }
    }
}

impl Pi {
    /// Takes any line but the frequent ones; `false` if it is not known.
    fn rare(&mut self, value: &mut Value, line: &[u8], out: &mut Vec<AgentEvent>) -> bool {
        match json::text(value, "type") {
            // Fields in another order, or bytes that are no UTF-8.
            "message_update" => self.update(String::from_utf8_lossy(line).as_bytes(), out),
            "session" => self.session(json::named(value, "id"), None, out),
            "message_start" => self.message_start(value, out),
            "message_end" => self.message_end(value, out),
            "tool_execution_start" => self.tool_start(value, out),
            "tool_execution_update" => {
                let id = json::name(value, "toolCallId");
                let output = output(&mut json::take(value, "partialResult"));
                if !output.is_empty() {
                    out.push(AgentEvent::ToolProgress { id, output });
                }
                true
            }
            "tool_execution_end" => self.tool_end(value, out),
            "turn_end" => {
                let message = value.get("message").unwrap_or(&Value::Null);
                if !failed(json::text(message, "stopReason")) {
                    out.push(AgentEvent::Reply);
                }
                true
            }
            "agent_end" => {
                self.ending = value.get("willRetry") != Some(&Value::Bool(true));
                true
            }
            "agent_settled" => {
                self.settled(out);
                true
            }
            "auto_retry_start" => retry(value, out),
            "auto_retry_end" => {
                if let Some(message) = json::word(value, "finalError") {
                    error(&message, out);
                }
                true
            }
            "compaction_start" | "auto_compaction_start" => {
                out.push(AgentEvent::Notice { message: "the conversation is being compacted".to_owned() });
                true
            }
            "response" => self.response(value, out),
            "extension_error" => {
                out.push(AgentEvent::Notice { message: json::text(value, "error").to_owned() });
                true
            }
            "agent_start"
            | "turn_start"
            | "entry_appended"
            | "compaction_end"
            | "auto_compaction_end"
            | "queue_update"
            | "session_info_changed"
            | "thinking_level_changed"
            | "extension_ui_request" => true,
            _ => false,
        }
    }

    fn session(&mut self, id: Option<String>, model: Option<String>, out: &mut Vec<AgentEvent>) -> bool {
        let Some(id) = id.or_else(|| self.session.clone()) else { return true };
        let news = self.session.as_ref() != Some(&id) || (model.is_some() && self.model != model);
        self.session = Some(id.clone());
        self.model = model.or(self.model.take());
        if news {
            out.push(AgentEvent::Session { id, model: self.model.clone(), version: None });
        }
        true
    }

    fn message_start(&mut self, value: &Value, out: &mut Vec<AgentEvent>) -> bool {
        let message = value.get("message").unwrap_or(&Value::Null);
        if json::text(message, "role") == "assistant" {
            self.blocks.clear();
            self.ending = false;
            self.session(None, json::named(message, "model"), out);
        }
        true
    }

    fn message_end(&mut self, value: &mut Value, out: &mut Vec<AgentEvent>) -> bool {
        let mut message = json::take(value, "message");
        if json::text(&message, "role") != "assistant" {
            return true;
        }
        let stop = json::name(&message, "stopReason");
        for (index, mut block) in (0..).zip(json::take_list(&mut message, "content")) {
            let known = self.blocks.iter().find(|known| known.index == index);
            // A block whose end never came was cut off: its pieces are out, and void if the request is repeated.
            if known.is_some_and(|known| known.whole || failed(&stop)) {
                continue;
            }
            let kind = json::text(&block, "type").to_owned();
            let text = match &*kind {
                "text" | "thinking" => json::take_text(&mut block, &kind),
                _ => continue,
            };
            if !text.is_empty() {
                let speech = self.speech(index, text, true);
                out.push(if kind == "text" {
                    AgentEvent::Text(speech)
                } else {
                    AgentEvent::Thinking(speech)
                });
            }
        }
        if let Some(usage) = message.get("usage") {
            spent(usage, out);
        }
        let message = json::word(&message, "errorMessage");
        if let (true, Some(message)) = (failed(&stop), &message) {
            error(message, out);
        }
        self.stopped = Some((stop, message));
        true
    }

    fn speech(&mut self, index: u64, text: String, whole: bool) -> Speech {
        let at = self.blocks.iter().position(|block| block.index == index).unwrap_or_else(|| {
            if self.blocks.len() == BLOCKS {
                self.blocks.remove(0);
            }
            self.keys += 1;
            self.blocks.push(Block { index, key: self.keys.to_string().into(), whole: false });
            self.blocks.len() - 1
        });
        let block = &mut self.blocks[at];
        block.whole |= whole;
        Speech { key: block.key.clone(), text, whole, aside: false }
    }

    fn tool_start(&mut self, value: &mut Value, out: &mut Vec<AgentEvent>) -> bool {
        let id = json::name(value, "toolCallId");
        let name = json::name(value, "toolName");
        let input = json::take(value, "args");
        self.running.put(&id, (name.clone(), json::word(&input, "path")));
        out.push(AgentEvent::ToolCall { id, name, input });
        true
    }

    fn tool_end(&mut self, value: &mut Value, out: &mut Vec<AgentEvent>) -> bool {
        let id = json::name(value, "toolCallId");
        let ok = value.get("isError") != Some(&Value::Bool(true));
        let mut result = json::take(value, "result");
        let mut output = output(&mut result);
        let mut exit_code = None;
        if let Some(at) = output.rfind(EXITED).filter(|_| !ok) {
            exit_code = output[at + EXITED.len()..].trim().parse().ok();
            if exit_code.is_some() {
                output.truncate(output[..at].trim_end().len());
            }
        }
        let (name, path) = self.running.take(&id).unwrap_or_default();
        // The only fence that pi has: a tool that is not offered does not exist.
        if !ok && output == format!("Tool {name} not found") && self.denied.len() < BLOCKS {
            self.denied.push(name.clone());
        }
        out.push(AgentEvent::ToolResult { id, ok, output, exit_code });
        let patch = result.get("details").map(|details| json::text(details, "patch")).unwrap_or_default();
        if let Some(path) = path.filter(|_| ok && (!patch.is_empty() || name == "write")) {
            let diff = diff::hunks(patch);
            out.push(AgentEvent::FileChange { path, kind: ChangeKind::Modified, diff });
        }
        true
    }

    fn settled(&mut self, out: &mut Vec<AgentEvent>) {
        self.ending = false;
        let denied = std::mem::take(&mut self.denied);
        let (ok, reason) = match self.stopped.take() {
            Some((stop, _)) if stop == "stop" => (true, None),
            Some((_, Some(message))) => (false, Some(Trouble::read(&message).message)),
            Some((stop, None)) => (false, Some(format!("its last message ended with {stop:?}"))),
            None => (false, Some("it settled without an answer".to_owned())),
        };
        out.push(AgentEvent::Done(Finish { ok, reason, denied, ..Finish::default() }));
        out.push(AgentEvent::TurnEnd);
    }

    /// An answer to one of our commands in rpc mode.
    fn response(&mut self, value: &Value, out: &mut Vec<AgentEvent>) -> bool {
        if value.get("success") == Some(&Value::Bool(false)) {
            error(json::text(value, "error"), out);
        }
        let data = value.get("data").unwrap_or(&Value::Null);
        let model = data.get("model").and_then(|model| json::named(model, "id"));
        self.session(json::named(data, "sessionId"), model, out)
    }
}

/// Whether a message with that stop reason was cut off.
fn failed(stop: &str) -> bool {
    matches!(stop, "error" | "aborted")
}

fn output(result: &mut Value) -> String {
    json::content(json::take(result, "content"))
}

fn error(message: &str, out: &mut Vec<AgentEvent>) {
    let Trouble { message, status, .. } = Trouble::read(message);
    out.push(AgentEvent::Error { message, status });
}

fn retry(value: &Value, out: &mut Vec<AgentEvent>) -> bool {
    let trouble = Trouble::read(json::text(value, "errorMessage"));
    let delay_ms = json::number(value, "delayMs");
    if trouble.is_rate_limit() {
        let retry_after_seconds = trouble.retry_after_seconds.or(delay_ms.map(|ms| ms.div_ceil(1000)));
        let message = trouble.message.clone();
        out.push(AgentEvent::RateLimit { message, retry_after_seconds, resets_at: None });
    }
    out.push(AgentEvent::Retry {
        attempt: small(json::count(value, "attempt")),
        max: json::number(value, "maxAttempts").map(small),
        delay_ms,
        reason: trouble.message,
    });
    true
}

/// Usage and cost of one reply. `input` leaves cached tokens out already; a cost of nothing means that pi has no price.
fn spent(usage: &Value, out: &mut Vec<AgentEvent>) {
    let tokens = Tokens {
        input: json::count(usage, "input"),
        cache_read: json::count(usage, "cacheRead"),
        cache_write: json::count(usage, "cacheWrite"),
        output: json::count(usage, "output"),
    };
    if tokens != Tokens::default() {
        out.push(AgentEvent::Usage { scope: Scope::Step, tokens });
    }
    let usd = usage.get("cost").and_then(|cost| json::amount(cost, "total"));
    if let Some(usd) = usd.filter(|usd| *usd > 0.0) {
        out.push(AgentEvent::Cost { scope: Scope::Step, usd });
    }
}
