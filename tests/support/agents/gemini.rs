//! The Gemini protocol, which the Gemini CLI speaks. Pure.

use serde_json::{Value, json};

use super::tools::Input;
use super::wire::{Frame, Message, Wire};

/// `message` as an answer.
pub fn wire(message: &Message) -> Wire {
    let usage = &message.usage;
    let usage = json!({
        "promptTokenCount": usage.input, "candidatesTokenCount": usage.output,
        "totalTokenCount": usage.input + usage.output, "cachedContentTokenCount": usage.cached,
        "thoughtsTokenCount": usage.reasoning,
    });
    let event = |parts: Value| {
        json!({
            "candidates": [{"content": {"role": "model", "parts": parts}, "index": 0}],
            "modelVersion": "stub-model", "responseId": message.id("resp"),
        })
    };
    let end = |mut event: Value| {
        event["candidates"][0]["finishReason"] = json!("STOP");
        event["usageMetadata"] = usage.clone();
        event
    };
    let parts = parts(message);
    let mut frames: Vec<Frame> =
        parts.iter().map(|part| Frame::json(None, &event(json!([part])), true)).collect();
    frames.push(Frame::json(None, &end(event(json!([{"text": ""}]))), false));
    let whole = if parts.is_empty() { json!([{"text": ""}]) } else { json!(parts) };
    Wire { whole: end(event(whole)), frames }
}

/// The error for a status.
pub fn error(status: u16, message: &str, retry_after: Option<u64>) -> Value {
    let word = match status {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        429 => "RESOURCE_EXHAUSTED",
        _ => "INTERNAL",
    };
    let mut error = json!({"error": {"code": status, "message": message, "status": word}});
    if let Some(seconds) = retry_after {
        let delay = json!({
            "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": format!("{seconds}s"),
        });
        error["error"]["details"] = json!([delay]);
    }
    error
}

fn parts(message: &Message) -> Vec<Value> {
    let mut parts = Vec::new();
    if !message.thinking.is_empty() {
        parts.push(json!({"text": message.thinking, "thought": true}));
    }
    parts.extend(message.pieces(&message.text).into_iter().map(|piece| json!({ "text": piece })));
    for (index, call) in message.calls.iter().enumerate() {
        let input = match &call.input {
            Input::Json(value) => value.clone(),
            Input::Free(text) => json!({ "input": text }),
        };
        let id = message.part_id("fc", index);
        parts.push(json!({"functionCall": {"name": call.name, "args": input, "id": id}}));
    }
    parts
}
