//! Claude Code, `--output-format stream-json` (measured on 2.1.329; `reference/agent-streams.md` §2).
//!
//! With `--include-partial-messages` every block of a reply comes as deltas first and then whole, in an `assistant` line
//! that names the message but not the block: it is the block that is open at that moment. A subagent's messages carry
//! `parent_tool_use_id` and run beside the main ones, so what is open is kept per parent.

mod delta;
mod result;

use std::sync::Arc;

use serde_json::Value;

use super::trouble::Trouble;
use super::{StreamParser, diff, json, prefix, small, unknown};
use crate::execute::agents::event::{AgentEvent, Speech};
use crate::execute::agents::tally::Tokens;

/// Subagents whose open message is remembered; the one that was quiet longest is forgotten first.
const LANES: usize = 32;

/// Bytes of an id that are remembered.
const ID: usize = 256;

/// Bytes of a sentence that the program wrote itself.
const SENTENCE: usize = 4096;

/// Reads Claude Code's stream.
#[derive(Default)]
pub(super) struct Claude {
    lanes: Vec<Lane>,
    /// Blocks so far: each has a key of its own, whatever ids the stream repeats.
    blocks: u64,
    /// What all results of this process said together.
    used: Tokens,
    usd: f64,
}

/// The message that one parent is in.
#[derive(Default)]
struct Lane {
    /// The tool call that a subagent works for; empty for the main conversation.
    parent: String,
    message: String,
    open: Option<Open>,
    /// The message came without deltas and nothing has told its end.
    unended: bool,
}

/// The block that deltas come for.
struct Open {
    index: u64,
    key: Arc<str>,
}

impl StreamParser for Claude {
    fn line(&mut self, line: &[u8], out: &mut Vec<AgentEvent>) {
        // Nearly all lines of a stream are these, and the only ones that are worth a decoder of their own.
        if self.hot_line(line, out)
            || (line.starts_with(b"{\"type\":\"stream_event\"") && self.delta_line(line, out))
        {
            return;
        }
        let Some(mut value) = json::object(line) else { return unknown(line, out) };
        let understood = match json::text(&value, "type") {
            // Fields in another order, or bytes that are no UTF-8.
            "stream_event" => self.delta_line(String::from_utf8_lossy(line).as_bytes(), out),
            "system" => self.system(&value, out),
            "assistant" => self.assistant(&mut value, out),
            "user" => user(&mut value, out),
            "result" => self.result(&mut value, out),
            "rate_limit_event" => rate_limit(&value, out),
            // Answers to our own control messages, and signs of life.
            "control_response"
            | "control_request"
            | "control_cancel_request"
            | "keep_alive"
            | "tool_progress" => true,
            _ => false,
        };
        if !understood {
            unknown(line, out);
        }
    }

    fn end(&mut self, _out: &mut Vec<AgentEvent>) {}
}

impl Claude {
    fn lane(&mut self, parent: &str) -> &mut Lane {
        let parent = prefix(parent, ID);
        if let Some(at) = self.lanes.iter().position(|lane| lane.parent == parent) {
            // The one in use goes to the end: forgetting takes from the front.
            if at + 1 != self.lanes.len() {
                let lane = self.lanes.remove(at);
                self.lanes.push(lane);
            }
        } else {
            if self.lanes.len() == LANES {
                self.lanes.remove(0);
            }
            self.lanes.push(Lane { parent: parent.to_owned(), ..Lane::default() });
        }
        let last = self.lanes.len() - 1;
        &mut self.lanes[last]
    }

    fn system(&mut self, value: &Value, out: &mut Vec<AgentEvent>) -> bool {
        match json::text(value, "subtype") {
            "init" => out.push(AgentEvent::Session {
                id: json::name(value, "session_id"),
                model: json::named(value, "model"),
                version: json::named(value, "claude_code_version"),
            }),
            "api_retry" => {
                for lane in &mut self.lanes {
                    lane.open = None;
                }
                retry(value, out);
            }
            "permission_denied" => out.push(AgentEvent::Notice {
                message: format!("{} was refused: {}", json::text(value, "tool_name"), refusal(value)),
            }),
            "compact_boundary" => {
                out.push(AgentEvent::Notice { message: "the conversation was compacted".to_owned() });
            }
            "status" | "thinking_tokens" | "task_started" | "task_progress" | "task_updated"
            | "task_notification" | "hook_started" | "hook_progress" | "hook_response" => {}
            _ => return false,
        }
        true
    }

    fn assistant(&mut self, value: &mut Value, out: &mut Vec<AgentEvent>) -> bool {
        let mut message = json::take(value, "message");
        let blocks = json::take_list(&mut message, "content");
        if json::text(&message, "model") == "<synthetic>" {
            synthetic(value, blocks, out);
            return true;
        }
        let parent = json::name(value, "parent_tool_use_id");
        self.enter(&parent, &json::name(&message, "id"), out);
        for mut block in blocks {
            match json::text(&block, "type") {
                "text" => {
                    let text = json::take_text(&mut block, "text");
                    out.push(AgentEvent::Text(self.whole(&parent, text)));
                }
                "thinking" => {
                    let text = json::take_text(&mut block, "thinking");
                    out.push(AgentEvent::Thinking(self.whole(&parent, text)));
                }
                "redacted_thinking" => {}
                kind if kind.ends_with("tool_use") => out.push(AgentEvent::ToolCall {
                    id: json::name(&block, "id"),
                    name: json::name(&block, "name"),
                    input: json::take(&mut block, "input"),
                }),
                kind if kind.ends_with("tool_result") => out.push(tool_result(&mut block)),
                _ => out.push(AgentEvent::Unknown { line: block.to_string().chars().take(500).collect() }),
            }
        }
        true
    }

    /// Goes on with a message, or begins it when it came without deltas.
    fn enter(&mut self, parent: &str, id: &str, out: &mut Vec<AgentEvent>) {
        let lane = self.lane(parent);
        if lane.message == id {
            return;
        }
        if lane.unended && parent.is_empty() {
            out.push(AgentEvent::Reply);
        }
        *lane = Lane { parent: parent.to_owned(), message: id.to_owned(), open: None, unended: true };
    }

    /// The whole of the block that is open, or of one that was never streamed.
    fn whole(&mut self, parent: &str, text: String) -> Speech {
        let open = self.lane(parent).open.as_ref().map(|open| open.key.clone());
        let key = open.unwrap_or_else(|| self.fresh_key());
        Speech { key, text, whole: true, aside: !parent.is_empty() }
    }

    fn fresh_key(&mut self) -> Arc<str> {
        self.blocks += 1;
        self.blocks.to_string().into()
    }
}

/// Why a tool was refused: the first sentence, without the advice to the model after it.
fn refusal(value: &Value) -> &str {
    let message = json::text(value, "message");
    message.split_once(". ").map_or(message, |(first, _)| first)
}

/// A line that the program itself wrote in the model's place.
fn synthetic(value: &Value, blocks: Vec<Value>, out: &mut Vec<AgentEvent>) {
    let message = prefix(&json::content(Value::Array(blocks)), SENTENCE).to_owned();
    let failed = value.get("error").is_some_and(|error| !error.is_null())
        || value.get("is_api_error_message") == Some(&Value::Bool(true));
    if !failed {
        out.push(AgentEvent::Notice { message });
        return;
    }
    let read = Trouble::read(&message);
    let status = json::status(value, "api_error_status").or(read.status);
    if json::text(value, "error") == "rate_limit" || read.is_rate_limit() || status == Some(429) {
        // Older releases end the sentence with `|` and the second since 1970 at which a subscription may go on.
        let resets_at = message.rsplit_once('|').and_then(|(_, at)| at.trim().parse().ok());
        let retry_after_seconds = read.retry_after_seconds;
        out.push(AgentEvent::RateLimit { message: message.clone(), retry_after_seconds, resets_at });
    }
    out.push(AgentEvent::Error { message, status });
}

fn user(value: &mut Value, out: &mut Vec<AgentEvent>) -> bool {
    let mut message = json::take(value, "message");
    for mut block in json::take_list(&mut message, "content") {
        match json::text(&block, "type") {
            "tool_result" => {
                let result = tool_result(&mut block);
                let ok = matches!(result, AgentEvent::ToolResult { ok: true, .. });
                out.push(result);
                if ok {
                    out.extend(diff::of_claude(&json::take(value, "tool_use_result")));
                }
            }
            "text" if json::text(&block, "text").starts_with("[Request interrupted") => {
                out.push(AgentEvent::Notice { message: json::take_text(&mut block, "text") });
            }
            // What it was told, said back.
            _ => {}
        }
    }
    true
}

fn tool_result(block: &mut Value) -> AgentEvent {
    let ok = block.get("is_error") != Some(&Value::Bool(true));
    let mut output = json::content(json::take(block, "content"));
    let mut exit_code = None;
    if !ok {
        if let Some(inner) = output
            .strip_prefix("<tool_use_error>")
            .and_then(|rest| rest.trim_end().strip_suffix("</tool_use_error>"))
        {
            output = inner.trim_end().to_owned();
        }
        if let Some(rest) = output.strip_prefix("Exit code ") {
            let (code, rest) = rest.split_once('\n').unwrap_or((rest, ""));
            if let Ok(code) = code.trim().parse() {
                exit_code = Some(code);
                output = rest.to_owned();
            }
        }
    }
    AgentEvent::ToolResult { id: json::name(block, "tool_use_id"), ok, output, exit_code }
}

fn retry(value: &Value, out: &mut Vec<AgentEvent>) {
    let status = json::status(value, "error_status");
    let error = json::text(value, "error");
    let word = error.replace('_', " ");
    let reason = match status {
        Some(status) => format!("{word} ({status})"),
        None if word.is_empty() || word == "unknown" => "the connection broke".to_owned(),
        None => word,
    };
    let delay_ms = json::number(value, "retry_delay_ms");
    if status == Some(429) || error == "rate_limit" {
        out.push(AgentEvent::RateLimit {
            message: reason.clone(),
            retry_after_seconds: delay_ms.map(|ms| ms.div_ceil(1000)),
            resets_at: None,
        });
    }
    out.push(AgentEvent::Retry {
        attempt: small(json::count(value, "attempt")),
        max: json::number(value, "max_retries").map(small),
        delay_ms,
        reason,
    });
}

/// What a subscription login says of its limits. Not in any capture (an API key has none): taken as the vendor's SDK
/// types have it, and anything else stays unknown.
fn rate_limit(value: &Value, out: &mut Vec<AgentEvent>) -> bool {
    let Some(info) = value.get("rate_limit_info") else { return false };
    let resets_at = info.get("resetsAt").and_then(Value::as_i64);
    let which = json::word(info, "rateLimitType").unwrap_or_else(|| "usage".to_owned()).replace('_', " ");
    match json::text(info, "status") {
        "allowed" => {}
        "allowed_warning" => {
            let share = json::amount(info, "utilization").map(|share| format!(" ({:.0} %)", share * 100.0));
            let message = format!("the {which} limit is near{}", share.unwrap_or_default());
            out.push(AgentEvent::Notice { message });
        }
        "rejected" => out.push(AgentEvent::RateLimit {
            message: format!("the {which} limit is used up"),
            retry_after_seconds: None,
            resets_at,
        }),
        _ => return false,
    }
    true
}
