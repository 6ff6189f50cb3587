//! Codex's app server: its notifications (measured on 0.169.0), which are `exec`'s items under other names, with deltas
//! while they grow.
//!
//! What `exec` has too is brought into its form and read by [`super::codex`]. Usage is the whole thread's, earlier runs
//! included. The conversation is the thread whose turn began first: a helper's thread is shown aside, ends nothing, and its
//! usage, which Codex does not add to the conversation's, is added by us.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::codex::{Codex, Stage, error, used};
use super::json;
use super::pending::Pending;
use super::trouble::Trouble;
use crate::execute::agents::event::{AgentEvent, Scope, Speech};
use crate::execute::agents::tally::Tokens;

/// Bytes of a command's output that are handed on while it runs.
const LIVE: usize = 64 * 1024;

/// Helpers whose usage is followed.
const HELPERS: usize = 256;

/// What has nothing to say about the work.
const OF_NO_INTEREST: [&str; 12] = [
    "account/",
    "app/",
    "fs/",
    "hook/",
    "mcpServer/",
    "model/",
    "rawResponse",
    "remoteControl/",
    "skills/",
    "thread/",
    "serverRequest/",
    "turn/diff/",
];

/// What grows.
#[derive(Default)]
pub(super) struct Growing {
    /// The conversation.
    thread: Option<String>,
    /// What is read now is a helper's.
    aside: bool,
    /// Texts that were begun.
    open: Pending<()>,
    /// Output of commands so far.
    output: Pending<String>,
    /// What each helper used so far; of more than [`HELPERS`] nobody is told apart, and only the first ones count.
    helpers: HashMap<String, Tokens>,
}

impl Codex {
    /// Takes a notification; `false` when it is not known.
    pub(super) fn notification(&mut self, mut value: Value, out: &mut Vec<AgentEvent>) -> bool {
        let method = json::text(&value, "method").to_owned();
        let mut params = json::take(&mut value, "params");
        self.growing.whose(&method, &params);
        match &*method {
            "thread/tokenUsage/updated" if self.growing.aside => out.extend(self.growing.helped(&params)),
            "turn/started" | "turn/completed" | "error" if self.growing.aside => {}
            // Nothing is said yet, but the agent is at work again.
            "turn/started" => {
                out.push(AgentEvent::Thinking(self.growing.speech("turn", String::new(), false)))
            }
            "turn/completed" => self.turn_completed(&json::take(&mut params, "turn"), out),
            "item/started" => return self.app_item(Stage::Started, json::take(&mut params, "item"), out),
            "item/completed" => return self.app_item(Stage::Completed, json::take(&mut params, "item"), out),
            "item/agentMessage/delta" => {
                let text = json::take_text(&mut params, "delta");
                out.push(AgentEvent::Text(self.growing.speech(&json::name(&params, "itemId"), text, false)));
            }
            "item/reasoning/textDelta" | "item/reasoning/summaryTextDelta" => {
                let text = json::take_text(&mut params, "delta");
                let id = json::name(&params, "itemId");
                out.push(AgentEvent::Thinking(self.growing.speech(&id, text, false)));
            }
            "item/commandExecution/outputDelta" => self.grows(&mut params, out),
            "thread/tokenUsage/updated" => {
                out.extend(params.get("tokenUsage").and_then(|usage| usage.get("total")).map(usage));
            }
            "account/rateLimits/updated" => out.extend(params.get("rateLimits").and_then(limit)),
            "error" => went_wrong(&params, out),
            "warning" | "guardianWarning" | "deprecationNotice" | "configWarning" => {
                let said = ["message", "summary"].into_iter().find_map(|key| json::word(&params, key));
                out.extend(said.map(|message| AgentEvent::Notice { message }));
            }
            "turn/plan/updated" => out.extend(plan(&params)),
            _ if method.starts_with("item/") => {}
            _ => return OF_NO_INTEREST.iter().any(|start| method.starts_with(start)),
        }
        true
    }

    fn turn_completed(&mut self, turn: &Value, out: &mut Vec<AgentEvent>) {
        match json::text(turn, "status") {
            "completed" => self.turn_end(None, out),
            "failed" => {
                let failure = turn.get("error").unwrap_or(&Value::Null);
                let message = Trouble::read(json::text(failure, "message")).message;
                error(json::text(failure, "message"), out);
                self.turn_end(Some(message), out);
            }
            other => self.turn_end(Some(format!("the turn was {other}")), out),
        }
    }

    fn app_item(&mut self, stage: Stage, mut item: Value, out: &mut Vec<AgentEvent>) -> bool {
        let id = json::name(&item, "id");
        let kind = match json::text(&item, "type") {
            "agentMessage" => return self.text(stage, &id, json::take_text(&mut item, "text"), false, out),
            "reasoning" => {
                let said = ["content", "summary"].map(|key| json::take_list(&mut item, key));
                let parts = said.into_iter().find(|parts| !parts.is_empty()).unwrap_or_default();
                let parts: Vec<&str> = parts.iter().filter_map(Value::as_str).collect();
                return self.text(stage, &id, parts.join("\n\n"), true, out);
            }
            "commandExecution" => "command_execution",
            "fileChange" => "file_change",
            "mcpToolCall" => "mcp_tool_call",
            "webSearch" => "web_search",
            "userMessage" | "hookPrompt" | "plan" | "contextCompaction" | "imageView" | "sleep" => {
                return true;
            }
            _ => return false,
        };
        self.growing.output.take(&id);
        if stage == Stage::Started && kind == "command_execution" {
            self.growing.output.put(&id, String::new());
        }
        self.item(stage, as_exec(kind, item), out)
    }

    /// A text of the model that begins, or is whole.
    fn text(
        &mut self,
        stage: Stage,
        id: &str,
        text: String,
        thinks: bool,
        out: &mut Vec<AgentEvent>,
    ) -> bool {
        if self.growing.open.take(id).is_none() && !self.growing.aside {
            self.spoke(out);
        }
        if stage == Stage::Completed {
            let make = if thinks { AgentEvent::Thinking } else { AgentEvent::Text };
            out.push(make(self.growing.speech(id, text, true)));
        } else {
            self.growing.open.put(id, ());
        }
        true
    }

    fn grows(&mut self, params: &mut Value, out: &mut Vec<AgentEvent>) {
        let id = json::name(params, "itemId");
        let Some(mut output) = self.growing.output.take(&id) else { return };
        output.push_str(&json::take_text(params, "delta"));
        if output.len() <= LIVE {
            out.push(AgentEvent::ToolProgress { id: id.clone(), output: output.clone() });
            self.growing.output.put(&id, output);
        }
    }
}

impl Growing {
    /// Notes whose notification that is.
    fn whose(&mut self, method: &str, params: &Value) {
        let thread = json::word(params, "threadId");
        if method == "turn/started" && self.thread.is_none() {
            self.thread.clone_from(&thread);
        }
        self.aside = thread.is_some() && self.thread.is_some() && thread != self.thread;
    }

    /// What a helper used since it was last told.
    fn helped(&mut self, params: &Value) -> Option<AgentEvent> {
        let thread = json::word(params, "threadId")?;
        let AgentEvent::Usage { tokens: total, .. } = usage(params.get("tokenUsage")?.get("total")?) else {
            return None;
        };
        if self.helpers.len() >= HELPERS && !self.helpers.contains_key(&thread) {
            return None;
        }
        let before = self.helpers.insert(thread, total).unwrap_or_default();
        Some(AgentEvent::Usage { scope: Scope::Aside, tokens: total.less(before) })
    }

    fn speech(&self, key: &str, text: String, whole: bool) -> Speech {
        Speech { key: key.into(), text, whole, aside: self.aside }
    }
}

/// The item as `exec` has it.
fn as_exec(kind: &str, mut item: Value) -> Value {
    item["type"] = json!(kind);
    for (new, old) in [("aggregatedOutput", "aggregated_output"), ("exitCode", "exit_code")] {
        let value = json::take(&mut item, new);
        item[old] = value;
    }
    if item["status"] == "inProgress" {
        item["status"] = json!("in_progress");
    }
    if let Some(changes) = item.get_mut("changes").and_then(Value::as_array_mut) {
        for change in changes {
            let kind = json::take(&mut change["kind"], "type");
            change["kind"] = kind;
        }
    }
    item
}

fn usage(total: &Value) -> AgentEvent {
    used(&json!({
        "input_tokens": json::count(total, "inputTokens"),
        "cached_input_tokens": json::count(total, "cachedInputTokens"),
        "cache_write_input_tokens": json::count(total, "cacheWriteInputTokens"),
        "output_tokens": json::count(total, "outputTokens"),
    }))
}

/// A limit that is reached, and when it is over.
fn limit(limits: &Value) -> Option<AgentEvent> {
    let reached = limits.get("rateLimitReachedType").filter(|reached| !reached.is_null())?;
    let window = ["primary", "secondary"].into_iter().filter_map(|name| limits.get(name));
    let resets_at = window.filter_map(|window| window.get("resetsAt")?.as_i64()).max();
    let message = format!("the usage limit is reached ({})", reached.as_str().unwrap_or("of the account"));
    Some(AgentEvent::RateLimit { message, retry_after_seconds: None, resets_at })
}

/// An error; one that is tried again is not the end.
fn went_wrong(params: &Value, out: &mut Vec<AgentEvent>) {
    let Some(failure) = params.get("error") else { return };
    let message = json::text(failure, "message");
    let details = json::word(failure, "additionalDetails");
    if params.get("willRetry") != Some(&Value::Bool(true)) {
        return error(message, out);
    }
    if message.starts_with(super::codex::RECONNECTING) {
        let reason = details.map(|details| format!(" ({details})")).unwrap_or_default();
        return error(&format!("{message}{reason}"), out);
    }
    let trouble = Trouble::read(details.as_deref().unwrap_or(message));
    out.extend(trouble.rate_limit());
    out.push(AgentEvent::Retry { attempt: 0, max: None, delay_ms: None, reason: trouble.message });
}

/// The agent's own list of steps, as one sentence.
fn plan(params: &Value) -> Option<AgentEvent> {
    let steps = params.get("plan")?.as_array()?;
    let done = |step: &&Value| json::text(step, "status") == "completed";
    let count = steps.iter().filter(done).count();
    let next = steps.iter().find(|step| !done(step)).map(|step| json::text(step, "step"));
    let next = next.map(|next| format!(", next: {next}")).unwrap_or_default();
    Some(AgentEvent::Notice { message: format!("plan: {count} of {} done{next}", steps.len()) })
}
