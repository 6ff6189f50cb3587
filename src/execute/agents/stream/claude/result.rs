//! Claude Code's `result` line: the end of a turn, what it cost and whether it went well.

use serde_json::Value;

use super::Claude;
use crate::execute::agents::event::{AgentEvent, Finish, Scope};
use crate::execute::agents::stream::json;
use crate::execute::agents::tally::Tokens;

/// Names of denied tools that are kept.
const DENIED: usize = 100;

impl Claude {
    pub(super) fn result(&mut self, value: &mut Value, out: &mut Vec<AgentEvent>) -> bool {
        for lane in &mut self.lanes {
            if lane.unended && lane.parent.is_empty() {
                out.push(AgentEvent::Reply);
            }
            lane.unended = false;
        }
        self.spent(value, out);
        // `subtype: success` comes with `is_error: true` as well: both have to agree.
        let ok = value.get("is_error") != Some(&Value::Bool(true))
            && matches!(json::text(value, "subtype"), "success" | "");
        let reason = (!ok).then(|| reason(value));
        let denied = denied(value);
        let text = Some(json::take_text(value, "result")).filter(|text| ok && !text.is_empty());
        let structured = Some(json::take(value, "structured_output")).filter(|found| !found.is_null());
        out.push(AgentEvent::Done(Finish { ok, reason, text, structured, denied }));
        out.push(AgentEvent::TurnEnd);
        true
    }

    /// Usage and cost. Per model and since the result before is exact also for an aborted reply (of which `usage` is
    /// all zeros) and after a resume (where `total_cost_usd` is the conversation's).
    fn spent(&mut self, value: &Value, out: &mut Vec<AgentEvent>) {
        let models = value.get("model_usage_since_last_result").and_then(Value::as_object);
        if let Some(models) = models.filter(|models| !models.is_empty()) {
            for model in models.values() {
                self.used = self.used.plus(Tokens {
                    input: json::count(model, "inputTokens"),
                    cache_read: json::count(model, "cacheReadInputTokens"),
                    cache_write: json::count(model, "cacheCreationInputTokens"),
                    output: json::count(model, "outputTokens"),
                });
                self.usd += json::amount(model, "costUSD").unwrap_or_default();
            }
            out.push(AgentEvent::Usage { scope: Scope::Run, tokens: self.used });
            out.push(AgentEvent::Cost { scope: Scope::Run, usd: self.usd });
            return;
        }
        if let Some(usage) = value.get("usage").filter(|usage| usage.is_object()) {
            let tokens = Tokens {
                input: json::count(usage, "input_tokens"),
                cache_read: json::count(usage, "cache_read_input_tokens"),
                cache_write: json::count(usage, "cache_creation_input_tokens"),
                output: json::count(usage, "output_tokens"),
            };
            if tokens != Tokens::default() {
                out.push(AgentEvent::Usage { scope: Scope::Run, tokens });
            }
        }
        if let Some(usd) = json::amount(value, "total_cost_usd").filter(|usd| *usd > 0.0) {
            out.push(AgentEvent::Cost { scope: Scope::Conversation, usd });
        }
    }
}

/// Why it did not go well, as plainly as the line says it. Its own diagnostics (`[ede_diagnostic] …`) say less than
/// `terminal_reason` does.
fn reason(value: &Value) -> String {
    let errors = value.get("errors").and_then(Value::as_array);
    let error = errors
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .find(|error| !error.is_empty() && !error.starts_with("[ede_diagnostic]"));
    json::word(value, "result")
        .or_else(|| error.map(str::to_owned))
        .or_else(|| json::word(value, "terminal_reason"))
        .or_else(|| json::word(value, "subtype"))
        .unwrap_or_else(|| "it ended with an error".to_owned())
}

fn denied(value: &Value) -> Vec<String> {
    let mut tools = Vec::new();
    let denials = value.get("permission_denials").and_then(Value::as_array);
    for denial in denials.into_iter().flatten().take(DENIED) {
        if let Some(tool) = json::named(denial, "tool_name").filter(|tool| !tools.contains(tool)) {
            tools.push(tool);
        }
    }
    tools
}
