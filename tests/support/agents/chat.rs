//! The OpenAI Chat Completions protocol, which pi and OpenCode speak. Pure.

use serde_json::{Value, json};

use super::wire::{Frame, Message, Wire};

/// `message` as an answer.
pub fn wire(message: &Message) -> Wire {
    let usage = &message.usage;
    let usage = json!({
        "prompt_tokens": usage.input, "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    });
    let finish = if message.calls.is_empty() { "stop" } else { "tool_calls" };
    let calls: Vec<(String, &str, String)> = message
        .calls
        .iter()
        .enumerate()
        .map(|(index, call)| (message.part_id("call", index), call.name.as_str(), call.input.text()))
        .collect();
    Wire { whole: whole(message, &usage, finish, &calls), frames: frames(message, &usage, finish, &calls) }
}

fn whole(message: &Message, usage: &Value, finish: &str, calls: &[(String, &str, String)]) -> Value {
    let mut said = json!({"role": "assistant", "content": message.text});
    if !message.thinking.is_empty() {
        said["reasoning_content"] = json!(message.thinking);
    }
    if !calls.is_empty() {
        said["tool_calls"] = calls
            .iter()
            .map(|(id, name, input)| {
                json!({"id": id, "type": "function", "function": {"name": name, "arguments": input}})
            })
            .collect();
    }
    json!({
        "id": message.id("chatcmpl"), "object": "chat.completion", "created": 0, "model": message.model,
        "usage": usage, "choices": [{"index": 0, "message": said, "finish_reason": finish}],
    })
}

fn frames(message: &Message, usage: &Value, finish: &str, calls: &[(String, &str, String)]) -> Vec<Frame> {
    let event = |choices: Value| {
        json!({
            "id": message.id("chatcmpl"), "object": "chat.completion.chunk", "created": 0,
            "model": message.model, "choices": choices,
        })
    };
    let choice = |delta: Value| event(json!([{"index": 0, "delta": delta, "finish_reason": null}]));
    let mut frames = vec![Frame::json(None, &choice(json!({"role": "assistant", "content": ""})), false)];
    for (key, text) in [("reasoning_content", &message.thinking), ("content", &message.text)] {
        let pieces = message.pieces(text);
        frames.extend(pieces.iter().map(|piece| Frame::json(None, &choice(json!({ key: piece })), true)));
    }
    for (index, (id, name, input)) in calls.iter().enumerate() {
        let call = json!({
            "index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""},
        });
        frames.push(Frame::json(None, &choice(json!({"tool_calls": [call]})), true));
        for piece in message.pieces(input) {
            let more = json!({"index": index, "function": {"arguments": piece}});
            frames.push(Frame::json(None, &choice(json!({"tool_calls": [more]})), true));
        }
    }
    let end = event(json!([{"index": 0, "delta": {}, "finish_reason": finish}]));
    frames.push(Frame::json(None, &end, false));
    let mut counts = event(json!([]));
    counts["usage"] = usage.clone();
    frames.push(Frame::json(None, &counts, false));
    frames.push(Frame { event: None, data: "[DONE]".to_owned(), is_delta: false });
    frames
}
