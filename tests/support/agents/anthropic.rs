//! The Anthropic Messages protocol, which Claude Code speaks. Pure.

use serde_json::{Value, json};

use super::tools::Input;
use super::wire::{Frame, Message, Wire, error_kind};

/// `message` as an answer to `request`.
pub fn wire(message: &Message, request: &Value) -> Wire {
    let blocks = blocks(message, request);
    let stop = if message.calls.is_empty() { "end_turn" } else { "tool_use" };
    let usage = json!({
        "input_tokens": message.usage.input.saturating_sub(message.usage.cached),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": message.usage.cached,
        "output_tokens": message.usage.output,
        "service_tier": "standard",
    });
    let whole = json!({
        "id": message.id("msg"), "type": "message", "role": "assistant", "model": message.model,
        "content": blocks, "stop_reason": stop, "stop_sequence": null, "usage": usage,
    });
    let mut frames = Vec::new();
    let mut frame = |kind: &str, is_delta: bool, mut body: Value| {
        body["type"] = json!(kind);
        frames.push(Frame::json(Some(kind), &body, is_delta));
    };
    let mut start = whole.clone();
    start["content"] = json!([]);
    start["stop_reason"] = Value::Null;
    start["usage"]["output_tokens"] = json!(1);
    frame("message_start", false, json!({ "message": start }));
    for (index, block) in blocks.iter().enumerate() {
        let (empty, key, kind, text) = parts(block);
        frame("content_block_start", false, json!({"index": index, "content_block": empty}));
        for piece in message.pieces(&text) {
            frame("content_block_delta", true, json!({"index": index, "delta": {"type": kind, key: piece}}));
        }
        if kind == "thinking_delta" {
            let signature = json!({"type": "signature_delta", "signature": block["signature"]});
            frame("content_block_delta", false, json!({"index": index, "delta": signature}));
        }
        frame("content_block_stop", false, json!({ "index": index }));
    }
    frame(
        "message_delta",
        false,
        json!({"delta": {"stop_reason": stop, "stop_sequence": null}, "usage": usage}),
    );
    frame("message_stop", false, json!({}));
    Wire { whole, frames }
}

/// The error for a status.
pub fn error(status: u16, message: &str) -> Value {
    json!({"type": "error", "error": {"type": error_kind(status), "message": message}})
}

fn blocks(message: &Message, request: &Value) -> Vec<Value> {
    let mut blocks = Vec::new();
    let is_thinking_wanted = matches!(request["thinking"]["type"].as_str(), Some("enabled" | "adaptive"));
    if !message.thinking.is_empty() && is_thinking_wanted {
        blocks.push(json!({"type": "thinking", "thinking": message.thinking, "signature": "c3R1Yg=="}));
    }
    if !message.text.is_empty() {
        blocks.push(json!({"type": "text", "text": message.text}));
    }
    for (index, call) in message.calls.iter().enumerate() {
        let input = match &call.input {
            Input::Json(value) => value.clone(),
            Input::Free(text) => json!({ "input": text }),
        };
        let id = message.part_id("toolu", index);
        blocks.push(json!({"type": "tool_use", "id": id, "name": call.name, "input": input}));
    }
    blocks
}

/// How a block is streamed: the block without its content, key and kind of its deltas, the content.
fn parts(block: &Value) -> (Value, &'static str, &'static str, String) {
    let mut empty = block.clone();
    let text = |key: &str| block[key].as_str().unwrap_or_default().to_owned();
    match block["type"].as_str() {
        Some("thinking") => {
            empty["thinking"] = json!("");
            empty["signature"] = json!("");
            (empty, "thinking", "thinking_delta", text("thinking"))
        }
        Some("text") => {
            empty["text"] = json!("");
            (empty, "text", "text_delta", text("text"))
        }
        _ => {
            empty["input"] = json!({});
            (empty, "partial_json", "input_json_delta", block["input"].to_string())
        }
    }
}
