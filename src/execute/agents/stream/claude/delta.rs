//! The hot lines of Claude Code: pieces of a reply as they come in.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Claude, ID, Open};
use crate::execute::agents::event::{AgentEvent, Scope, Speech};
use crate::execute::agents::stream::prefix;
use crate::execute::agents::stream::scan::Scan;
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

/// What else such a line has: strings that say nothing here.
const UNASKED: [&[u8]; 4] =
    [br#""session_id":"#, br#""uuid":"#, br#""api_message_id":"#, br#""thinking_display":"#];

/// A piece of a reply, exactly as the program writes it: nearly all lines of a stream.
struct Piece<'a> {
    index: u64,
    text: Option<Cow<'a, str>>,
    thinking: Option<Cow<'a, str>>,
}

impl<'a> Piece<'a> {
    /// `None` for any other line, and for one of a subagent.
    fn read(line: &'a [u8]) -> Option<Self> {
        let mut scan = Scan::new(line);
        scan.pass(br#"{"type":"stream_event","event":{"type":"content_block_delta","index":"#)?;
        let index = scan.number()?;
        scan.pass(br#","delta":{"type":"#)?;
        let (text, thinking) = if scan.pass(br#""text_delta","text":"#).is_some() {
            (Some(scan.string()?), None)
        } else {
            scan.pass(br#""thinking_delta","thinking":"#)?;
            (None, Some(scan.string()?))
        };
        scan.pass(b"}}")?;
        let mut parents = 0;
        while scan.pass(b",").is_some() {
            if scan.pass(br#""parent_tool_use_id":null"#).is_some() {
                parents += 1;
            } else {
                UNASKED.iter().find_map(|key| scan.pass(key))?;
                scan.skip_string()?;
            }
        }
        scan.pass(b"}")?;
        (scan.is_over() && parents < 2).then_some(Self { index, text, thinking })
    }
}

impl Claude {
    /// Takes the most frequent line; `false` if it is any other.
    pub(super) fn hot_line(&mut self, line: &[u8], out: &mut Vec<AgentEvent>) -> bool {
        let Some(Piece { index, text, thinking }) = Piece::read(line) else { return false };
        self.piece("", Some(index), text.map(Cow::into_owned), thinking.map(Cow::into_owned), out);
        true
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"type":"stream_event","event":{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a \"b\n\u00e9"}},"session_id":"s","parent_tool_use_id":null,"uuid":"u","api_message_id":"m"}"#;
    const THOUGHT: &str = r#"{"type":"stream_event","event":{"type":"content_block_delta","index":12,"delta":{"type":"thinking_delta","thinking":"so"}},"session_id":"s","parent_tool_use_id":null,"uuid":"u","thinking_display":"updates"}"#;

    fn said(take: impl FnOnce(&mut Claude, &mut Vec<AgentEvent>) -> bool) -> Option<Vec<AgentEvent>> {
        let (mut claude, mut events) = (Claude::default(), Vec::new());
        take(&mut claude, &mut events).then_some(events)
    }

    /// What both readers make of a line; the quick one may only refuse it.
    fn agree(line: &[u8]) -> Option<Vec<AgentEvent>> {
        let quick = said(|claude, events| claude.hot_line(line, events));
        if quick.is_some() {
            let whole = said(|claude, events| claude.delta_line(line, events));
            assert_eq!(quick, whole, "{}", String::from_utf8_lossy(line));
        }
        quick
    }

    #[test]
    fn pieces_are_read_quickly_and_as_the_decoder_reads_them() {
        let of = |line: &str| agree(line.as_bytes()).map(|events| events.len());
        assert_eq!([of(TEXT), of(THOUGHT)], [Some(1), Some(1)]);
        let subagent = TEXT.replace("null", "\"t\"");
        let abandoned = TEXT.replace("\"uuid\"", "\"abandoned_blocks\":[1],\"uuid\"");
        assert_eq!([of(&subagent), of(&abandoned), of(&TEXT[..TEXT.len() - 1])], [None; 3]);
    }

    #[test]
    fn a_line_that_is_wrong_anywhere_is_refused_or_read_alike() {
        for line in [TEXT, THOUGHT].map(str::as_bytes) {
            for at in 0..line.len() {
                let (before, after) = (&line[..at], &line[at + 1..]);
                agree(before);
                agree(&[before, after].concat());
                for other in b"\"\\{}[],:0a\n\xff" {
                    agree(&[before, &[*other], after].concat());
                    agree(&[before, &[*other], &line[at..]].concat());
                }
            }
        }
    }
}
