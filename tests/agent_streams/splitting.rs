//! However a text is cut into pieces, the same lines are written, and each character of it once.

use koru_tui::execute::agents::assemble::Assembler;
use koru_tui::execute::agents::kind::AgentKind;
use koru_tui::execute::agents::stream::parser;
use koru_tui::execute::output::{Channel, OutputLine};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The stream of one reply whose text comes in those pieces, as that agent writes it.
fn stream(kind: AgentKind, pieces: &[String]) -> Vec<Value> {
    let whole = pieces.concat();
    let mut lines = Vec::new();
    match kind {
        AgentKind::Claude => {
            let event =
                |event: Value| json!({"type": "stream_event", "event": event, "parent_tool_use_id": null});
            lines.push(event(json!({"type": "message_start", "message": {"id": "m"}})));
            lines.push(event(json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})));
            for piece in pieces {
                let delta = json!({"type": "text_delta", "text": piece});
                lines.push(event(json!({"type": "content_block_delta", "index": 0, "delta": delta})));
            }
            lines.push(json!({"type": "assistant", "message": {"id": "m", "content": [{"type": "text", "text": whole}]}}));
            lines.push(event(json!({"type": "content_block_stop", "index": 0})));
            lines.push(event(json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}})));
        }
        AgentKind::Pi => {
            let update = |event: Value| json!({"type": "message_update", "assistantMessageEvent": event});
            lines.push(json!({"type": "message_start", "message": {"role": "assistant", "content": []}}));
            for piece in pieces {
                lines.push(update(json!({"type": "text_delta", "contentIndex": 0, "delta": piece})));
            }
            lines.push(update(json!({"type": "text_end", "contentIndex": 0, "content": whole})));
            let message = json!({"role": "assistant", "stopReason": "stop", "content": [{"type": "text", "text": whole}]});
            lines.push(json!({"type": "message_end", "message": message}));
            lines.push(json!({"type": "turn_end", "message": message}));
            lines.push(json!({"type": "agent_end", "messages": [message], "willRetry": false}));
            lines.push(json!({"type": "agent_settled"}));
        }
        _ => {
            for piece in pieces {
                lines.push(json!({"type": "message", "role": "assistant", "content": piece, "delta": true}));
            }
            lines.push(json!({"type": "result", "status": "success"}));
        }
    }
    lines
}

/// The text lines of a stream, with what was shown as partial taken for what it is: no line.
fn text_lines(kind: AgentKind, pieces: &[String]) -> (Vec<OutputLine>, Option<String>) {
    let mut parser = parser(kind);
    let mut assembler = Assembler::default();
    let (mut events, mut lines) = (Vec::new(), Vec::new());
    for line in stream(kind, pieces) {
        parser.line(line.to_string().as_bytes(), &mut events);
        for event in events.drain(..) {
            assembler.take(0, event, &mut lines);
        }
    }
    parser.end(&mut events);
    for event in events.drain(..) {
        assembler.take(0, event, &mut lines);
    }
    assembler.finish(0, &mut lines);
    lines.retain(|line| line.channel != Channel::Status);
    (lines, assembler.answer().map(str::to_owned))
}

fn pieces() -> impl Strategy<Value = Vec<String>> {
    let piece = prop_oneof![
        "[a-z ]{0,12}",
        Just("\n".to_owned()),
        Just("a\n\nb".to_owned()),
        Just("漢\u{301}\u{202e}".to_owned()),
        Just("\"\\\u{7}\t".to_owned()),
    ];
    proptest::collection::vec(piece, 1..30)
}

proptest! {
    #[test]
    fn the_cut_of_the_pieces_does_not_matter(pieces in pieces()) {
        let whole = pieces.concat();
        for kind in [AgentKind::Claude, AgentKind::Pi, AgentKind::Gemini] {
            let in_pieces = text_lines(kind, &pieces);
            let letters: Vec<String> = whole.chars().map(String::from).collect();
            prop_assert_eq!(&in_pieces, &text_lines(kind, std::slice::from_ref(&whole)), "{:?}", kind);
            prop_assert_eq!(&in_pieces, &text_lines(kind, &letters), "{:?}", kind);
            // Every character once: the lines are the text's own, but for the end of the last one.
            let written: Vec<&str> = in_pieces.0.iter().map(|line| &*line.text).collect();
            let mut expected: Vec<&str> = whole.split('\n').collect();
            if expected.last() == Some(&"") {
                expected.pop();
            }
            prop_assert_eq!(written, expected, "{:?}", kind);
            prop_assert_eq!(in_pieces.1.unwrap_or_default(), whole.trim_end_matches('\n'), "{:?}", kind);
        }
    }
}

#[test]
fn a_whole_that_differs_from_its_pieces_is_written_and_said_so() {
    let mut assembler = Assembler::default();
    let mut lines = Vec::new();
    let mut parser = parser(AgentKind::Claude);
    let mut events = Vec::new();
    for mut line in stream(AgentKind::Claude, &["one\ntw".to_owned()]) {
        if line["type"] == "assistant" {
            line["message"]["content"][0]["text"] = json!("one\nthree");
        }
        parser.line(line.to_string().as_bytes(), &mut events);
    }
    for event in events {
        assembler.take(5, event, &mut lines);
    }
    let expected = [
        (Channel::Text, "one"),
        (Channel::Text, "tw"),
        (Channel::Note, "[the text above was taken back; what the agent says it is follows]"),
        (Channel::Text, "one"),
        (Channel::Text, "three"),
    ];
    assert_eq!(lines, expected.map(|(channel, text)| OutputLine::new(5, channel, text)));
    assert_eq!(assembler.answer(), Some("one\nthree"));
}
