//! One reply of the model on its way to the wire: what is said, with the tools that are really called, and the frames
//! that a protocol makes of it. Pure.

use serde_json::{Value, json};

use super::scenario::{self, Reply, Usage};
use super::tools::{self, Call, Input, Offered};

/// A reply, ready for a protocol.
#[derive(Clone, Debug)]
pub struct Message {
    /// Number of the request, from 0: whatever needs an identity takes it from here.
    pub number: usize,
    /// The model that was asked for.
    pub model: String,
    pub thinking: String,
    pub text: String,
    pub calls: Vec<Call>,
    pub usage: Usage,
    /// Characters a delta.
    pub chunk: usize,
}

/// A message in a protocol: in one piece, and as a stream.
pub struct Wire {
    pub whole: Value,
    pub frames: Vec<Frame>,
}

/// One server-sent event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its name, where the protocol names them.
    pub event: Option<String>,
    pub data: String,
    /// Whether it is one of those that pace and breaks count.
    pub is_delta: bool,
}

impl Frame {
    /// An event that carries JSON.
    pub fn json(event: Option<&str>, data: &Value, is_delta: bool) -> Self {
        Self { event: event.map(str::to_owned), data: data.to_string(), is_delta }
    }
}

impl Message {
    /// What `reply` says to the request with this number and body.
    pub fn new(reply: &Reply, number: usize, request: &Value, offered: &Offered) -> Self {
        let mut text = reply.text.clone();
        let mut calls = Vec::new();
        if let Some(structured) = reply.structured.as_ref().map(|value| about(value, request)) {
            if offered.contains_key("StructuredOutput") {
                calls.push(Call { name: "StructuredOutput".to_owned(), input: Input::Json(structured) });
            } else {
                text.push_str(&structured.to_string());
            }
        }
        calls.extend(reply.tools.iter().map(|tool| tools::call(tool, offered)));
        let said = text.len() + reply.thinking.len();
        let called: usize = calls.iter().map(|call| call.input.text().len()).sum();
        let tokens = |bytes: usize| (bytes as u64 / 4).max(1);
        let usage = reply.usage.unwrap_or_else(|| Usage {
            input: tokens(request.to_string().len()),
            output: tokens(said + called),
            cached: 0,
            reasoning: reply.thinking.len() as u64 / 4,
        });
        Self {
            number,
            model: request["model"].as_str().unwrap_or("stub-model").to_owned(),
            thinking: reply.thinking.clone(),
            text,
            calls,
            usage,
            chunk: if reply.chunk == 0 { 24 } else { reply.chunk },
        }
    }

    /// An identity that no other message has.
    pub fn id(&self, prefix: &str) -> String {
        format!("{prefix}_stub{:06}", self.number)
    }

    /// An identity for the part `index` of this message.
    pub fn part_id(&self, prefix: &str, index: usize) -> String {
        format!("{prefix}_stub{:06}x{index}", self.number)
    }

    /// `text` in pieces of [`Self::chunk`] characters.
    pub fn pieces(&self, text: &str) -> Vec<String> {
        let characters: Vec<char> = text.chars().collect();
        characters.chunks(self.chunk).map(|piece| piece.iter().collect()).collect()
    }
}

/// A structured answer in which [`scenario::HEAD`] is the commit that the request asks about: a verdict names it, and
/// nobody knows it beforehand.
fn about(structured: &Value, request: &Value) -> Value {
    let text = structured.to_string();
    if !text.contains(scenario::HEAD) {
        return structured.clone();
    }
    let asked = request.to_string();
    let head = asked.rsplit_once("`head`: ").map(|(_, rest)| {
        let rest = rest.trim_start_matches(|c: char| !c.is_ascii_hexdigit());
        rest.chars().take_while(char::is_ascii_hexdigit).collect::<String>()
    });
    let head = head.unwrap_or_else(|| panic!("no commit is named in {asked}"));
    serde_json::from_str(&text.replace(scenario::HEAD, &head)).unwrap()
}

/// The error that a protocol answers with this status, in the shape that two of the four share.
pub fn error_kind(status: u16) -> &'static str {
    match status {
        400 => "invalid_request_error",
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        _ => "api_error",
    }
}

/// The error in the words of the OpenAI protocols.
pub fn openai_error(status: u16, message: &str) -> Value {
    // What a prompt that is too long is called; agents look for the word.
    let code = if message.contains("too long") { "context_length_exceeded" } else { error_kind(status) };
    json!({"error": {"message": message, "type": error_kind(status), "param": null, "code": code}})
}
