//! The hot lines of pi: pieces of a reply as they come in.

use std::borrow::Cow;

use serde::Deserialize;

use super::Pi;
use crate::execute::agents::event::AgentEvent;

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow, rename = "assistantMessageEvent")]
    event: Piece<'a>,
}

#[derive(Deserialize)]
struct Piece<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(rename = "contentIndex")]
    index: Option<u64>,
    delta: Option<String>,
    content: Option<String>,
}

impl Pi {
    /// Takes a `message_update` line; `false` if it is not as expected. Its `usage` is a running one that
    /// `message_end` says for good; tool calls come with their execution.
    pub(super) fn update(&mut self, line: &[u8], out: &mut Vec<AgentEvent>) -> bool {
        let Ok(Line { event }) = serde_json::from_slice::<Line<'_>>(line) else { return false };
        let (whole, text) = match &*event.kind {
            "text_delta" | "thinking_delta" => (false, event.delta),
            "text_end" | "thinking_end" => (true, event.content),
            "start" | "done" | "error" | "text_start" | "thinking_start" | "toolcall_start"
            | "toolcall_delta" | "toolcall_end" => return true,
            _ => return false,
        };
        let Some(text) = text.filter(|text| !text.is_empty()) else { return true };
        let speech = self.speech(event.index.unwrap_or_default(), text, whole);
        out.push(if event.kind.starts_with("text") {
            AgentEvent::Text(speech)
        } else {
            AgentEvent::Thinking(speech)
        });
        true
    }
}
