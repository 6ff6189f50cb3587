//! The OpenAI Responses protocol, which Codex speaks. Pure.

use serde_json::{Value, json};

use super::tools::Input;
use super::wire::{Frame, Message, Wire};

/// `message` as an answer.
pub fn wire(message: &Message) -> Wire {
    let items = items(message);
    let usage = &message.usage;
    let response = |status: &str, output: Value| {
        json!({
            "id": message.id("resp"), "object": "response", "created_at": 0, "model": message.model,
            "status": status, "output": output,
        })
    };
    let mut whole = response("completed", json!(items));
    whole["usage"] = json!({
        "input_tokens": usage.input, "input_tokens_details": {"cached_tokens": usage.cached},
        "output_tokens": usage.output, "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    });
    let mut stream = Stream::default();
    stream.add("response.created", json!({"response": response("in_progress", json!([]))}));
    for (index, item) in items.iter().enumerate() {
        stream.item(message, index, item);
    }
    stream.add("response.completed", json!({ "response": whole }));
    Wire { whole, frames: stream.frames }
}

fn items(message: &Message) -> Vec<Value> {
    let mut items = Vec::new();
    if !message.thinking.is_empty() {
        let summary = json!([{"type": "summary_text", "text": message.thinking}]);
        items.push(json!({"type": "reasoning", "id": message.id("rs"), "summary": summary}));
    }
    if !message.text.is_empty() {
        let content = json!([{"type": "output_text", "text": message.text, "annotations": []}]);
        items.push(json!({
            "type": "message", "id": message.id("msg"), "role": "assistant", "status": "completed",
            "content": content,
        }));
    }
    for (index, call) in message.calls.iter().enumerate() {
        let (kind, id, key) = match call.input {
            Input::Json(_) => ("function_call", "fc", "arguments"),
            Input::Free(_) => ("custom_tool_call", "ctc", "input"),
        };
        items.push(json!({
            "type": kind, "id": message.part_id(id, index), "call_id": message.part_id("call", index),
            "name": call.name, key: call.input.text(), "status": "completed",
        }));
    }
    items
}

/// The events of a response, numbered.
#[derive(Default)]
struct Stream {
    frames: Vec<Frame>,
}

impl Stream {
    fn add(&mut self, kind: &str, body: Value) {
        self.put(kind, body, false);
    }

    fn put(&mut self, kind: &str, mut body: Value, is_delta: bool) {
        body["type"] = json!(kind);
        body["sequence_number"] = json!(self.frames.len());
        self.frames.push(Frame::json(Some(kind), &body, is_delta));
    }

    fn item(&mut self, message: &Message, index: usize, item: &Value) {
        let at = |mut body: Value| {
            body["output_index"] = json!(index);
            body["item_id"] = item["id"].clone();
            body
        };
        let mut empty = item.clone();
        let (delta, key) = match item["type"].as_str() {
            Some("reasoning") => ("response.reasoning_summary_text", "summary"),
            Some("message") => ("response.output_text", "content"),
            Some("function_call") => ("response.function_call_arguments", "arguments"),
            _ => ("response.custom_tool_call_input", "input"),
        };
        empty[key] = if item[key].is_array() { json!([]) } else { json!("") };
        self.add("response.output_item.added", json!({"output_index": index, "item": empty}));
        let (text, which) = match key {
            "summary" => {
                let part = json!({"type": "summary_text", "text": ""});
                self.add(
                    "response.reasoning_summary_part.added",
                    at(json!({"summary_index": 0, "part": part})),
                );
                (item[key][0]["text"].clone(), Some("summary_index"))
            }
            "content" => {
                let part = json!({"type": "output_text", "text": "", "annotations": []});
                self.add("response.content_part.added", at(json!({"content_index": 0, "part": part})));
                (item[key][0]["text"].clone(), Some("content_index"))
            }
            _ => (item[key].clone(), None),
        };
        for piece in message.pieces(text.as_str().unwrap_or_default()) {
            let mut body = at(json!({ "delta": piece }));
            if let Some(which) = which {
                body[which] = json!(0);
            }
            self.put(&format!("{delta}.delta"), body, true);
        }
        self.add("response.output_item.done", json!({"output_index": index, "item": item}));
    }
}
