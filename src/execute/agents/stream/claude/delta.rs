//! The hot lines of Claude Code: pieces of a reply as they come in.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Claude, ID, Open};
use crate::execute::agents::event::{AgentEvent, Scope, Speech};
use crate::execute::agents::stream::prefix;
use crate::execute::agents::tally::Tokens;

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    event: Event<'a>,
    parent_tool_use_id: Option<String>,
    /// Blocks that were cut off; the reply is asked for again.
    abandoned_blocks: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    index: Option<u64>,
    delta: Option<Delta>,
    message: Option<Message>,
    content_block: Option<Block>,
    usage: Option<Usage>,
}

/// Fields of every kind of delta; arguments of tools (`partial_json`) come whole later and are passed over.
#[derive(Deserialize)]
struct Delta {
    text: Option<String>,
    thinking: Option<String>,
    stop_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    id: String,
}

#[derive(Deserialize)]
struct Block {
    text: Option<String>,
    thinking: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    output_tokens: Option<u64>,
}

impl Claude {
    /// Takes a `stream_event` line; `false` if it is not as expected.
    pub(super) fn delta_line(&mut self, line: &[u8], out: &mut Vec<AgentEvent>) -> bool {
        let Ok(line) = serde_json::from_slice::<Line<'_>>(line) else { return false };
        let parent = line.parent_tool_use_id.as_deref().unwrap_or_default();
        let event = line.event;
        match &*event.kind {
            "content_block_delta" => {
                if let Some(Delta { text, thinking, .. }) = event.delta {
                    self.piece(parent, event.index, text, thinking, out);
                }
            }
            "content_block_start" => {
                self.lane(parent).open = None;
                let Block { text, thinking } =
                    event.content_block.unwrap_or(Block { text: None, thinking: None });
                self.piece(parent, event.index, text, thinking, out);
            }
            "content_block_stop" => self.lane(parent).open = None,
            "message_start" => self.message_start(parent, event.message, out),
            "message_delta" => {
                if let Some(usage) = event.usage {
                    out.push(AgentEvent::Usage { scope: Scope::Step, tokens: usage.tokens() });
                }
                if parent.is_empty() && event.delta.is_some_and(|delta| delta.stop_reason.is_some()) {
                    out.push(AgentEvent::Reply);
                }
            }
            "message_stop" | "ping" => {}
            _ => return false,
        }
        if line.abandoned_blocks.is_some() {
            self.lane(parent).open = None;
            out.push(AgentEvent::Abandoned {
                reason: "the reply broke off and is asked for again".to_owned(),
            });
        }
        true
    }

    fn message_start(&mut self, parent: &str, message: Option<Message>, out: &mut Vec<AgentEvent>) {
        let lane = self.lane(parent);
        if lane.open.take().is_some() {
            out.push(AgentEvent::Abandoned { reason: "the reply broke off".to_owned() });
        }
        if lane.unended && parent.is_empty() {
            out.push(AgentEvent::Reply);
        }
        lane.unended = false;
        lane.message = message.map(|message| prefix(&message.id, ID).to_owned()).unwrap_or_default();
    }

    /// Hands out a piece of a block, and remembers which block is open.
    fn piece(
        &mut self,
        parent: &str,
        index: Option<u64>,
        text: Option<String>,
        thinking: Option<String>,
        out: &mut Vec<AgentEvent>,
    ) {
        if text.is_none() && thinking.is_none() {
            return;
        }
        let index = index.unwrap_or_default();
        let fresh = self.blocks + 1;
        let lane = self.lane(parent);
        let key = match &lane.open {
            Some(open) if open.index == index => open.key.clone(),
            _ => {
                let key: Arc<str> = fresh.to_string().into();
                lane.open = Some(Open { index, key: key.clone() });
                self.blocks = fresh;
                key
            }
        };
        let aside = !parent.is_empty();
        let speech = |text| Speech { key: key.clone(), text, whole: false, aside };
        if let Some(text) = thinking.filter(|text| !text.is_empty()) {
            out.push(AgentEvent::Thinking(speech(text)));
        }
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            out.push(AgentEvent::Text(speech(text)));
        }
    }
}

impl Usage {
    fn tokens(&self) -> Tokens {
        Tokens {
            input: self.input_tokens.unwrap_or_default(),
            cache_read: self.cache_read_input_tokens.unwrap_or_default(),
            cache_write: self.cache_creation_input_tokens.unwrap_or_default(),
            output: self.output_tokens.unwrap_or_default(),
        }
    }
}
