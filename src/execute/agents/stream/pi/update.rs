//! The hot lines of pi: pieces of a reply as they come in.

use std::borrow::Cow;

use serde::Deserialize;

use super::Pi;
use crate::execute::agents::event::AgentEvent;
use crate::execute::agents::stream::scan::Scan;

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

/// Where the piece begins in a line as pi writes it.
const PIECE: &[u8] = br#""assistantMessageEvent":{"type":"#;

/// Longest beginning of a line that is remembered.
const HEAD: usize = 1024;

/// What stands before the piece in the last line that the decoder read: `usage` for the most part, which the lines of a
/// reply repeat. Together with a piece as pi writes it, it is a line that the decoder would read again: the piece closes
/// what that one closed.
#[derive(Default)]
pub(super) struct Head(Vec<u8>);

impl Head {
    /// The piece of a line that begins as the last one did; `None` for any other.
    fn piece<'a>(&self, line: &'a [u8]) -> Option<Piece<'a>> {
        let rest = line.strip_prefix(&*self.0).filter(|_| !self.0.is_empty())?;
        let mut scan = Scan::new(rest);
        let kind = [&b"\"text_delta\""[..], b"\"thinking_delta\""]
            .iter()
            .position(|kind| scan.pass(kind).is_some())?;
        scan.pass(br#","contentIndex":"#)?;
        let index = Some(scan.number()?);
        scan.pass(br#","delta":"#)?;
        let delta = Some(scan.string()?.into_owned());
        scan.pass(b"}}")?;
        let kind = ["text_delta", "thinking_delta"][kind].into();
        scan.is_over().then_some(Piece { kind, index, delta, content: None })
    }

    /// Remembers the beginning of a line that the decoder read, if lines like it can be read by it.
    fn learn(&mut self, line: &[u8]) {
        self.0.clear();
        if let Some(at) = memchr::memmem::find(&line[..line.len().min(HEAD)], PIECE) {
            self.0.extend_from_slice(&line[..at + PIECE.len()]);
            if self.piece(line).is_none() {
                self.0.clear();
            }
        }
    }
}

impl Pi {
    /// Takes a `message_update` line; `false` if it is not as expected. Its `usage` is a running one that
    /// `message_end` says for good; tool calls come with their execution.
    pub(super) fn update(&mut self, line: &[u8], out: &mut Vec<AgentEvent>) -> bool {
        if let Some(piece) = self.head.piece(line) {
            return self.piece(piece, out);
        }
        let Ok(Line { event }) = serde_json::from_slice::<Line<'_>>(line) else { return false };
        self.head.learn(line);
        self.piece(event, out)
    }

    fn piece(&mut self, event: Piece<'_>, out: &mut Vec<AgentEvent>) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = r#"{"type":"message_update","usage":{"input":0,"cost":{"total":0}},"assistantMessageEvent":{"type":"text_delta","contentIndex":0,"delta":"a\"b\n\u00e9"}}"#;
    const THOUGHT: &str = r#"{"type":"message_update","usage":{"input":0,"cost":{"total":0}},"assistantMessageEvent":{"type":"thinking_delta","contentIndex":12,"delta":"so"}}"#;

    /// What is made of a line after [`FIRST`], with what was learnt of that one and without.
    fn agree(line: &[u8]) -> Option<Vec<AgentEvent>> {
        let after = |forget: bool| {
            let (mut pi, mut events) = (Pi::default(), Vec::new());
            assert!(pi.update(FIRST.as_bytes(), &mut events));
            assert_eq!(pi.head.0.last(), Some(&b':'));
            if forget {
                pi.head = Head::default();
            }
            events.clear();
            pi.update(line, &mut events).then_some(events)
        };
        let quick = after(false);
        assert_eq!(quick, after(true), "{}", String::from_utf8_lossy(line));
        quick
    }

    #[test]
    fn a_line_that_begins_as_the_last_one_did_is_read_as_the_decoder_reads_it() {
        for line in [FIRST, THOUGHT].map(str::as_bytes) {
            assert_eq!(agree(line).map(|events| events.len()), Some(1));
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

    #[test]
    fn a_beginning_that_does_not_fit_is_not_learnt() {
        let nested = FIRST.replace(
            r#""usage":{"#,
            r#""usage":{"assistantMessageEvent":{"type":"text_delta","contentIndex":0,"delta":""},"#,
        );
        let mut pi = Pi::default();
        assert!(pi.update(nested.as_bytes(), &mut Vec::new()));
        assert_eq!(pi.head.0, b"");
    }
}
