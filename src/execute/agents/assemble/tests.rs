//! Bounds, blocks and states that no capture has.

use serde_json::json;

use super::*;
use crate::execute::agents::event::Speech;

fn text(key: &str, text: &str, whole: bool) -> AgentEvent {
    AgentEvent::Text(Speech { key: key.into(), text: text.to_owned(), whole, aside: false })
}

fn call(id: &str, command: &str) -> AgentEvent {
    AgentEvent::ToolCall { id: id.to_owned(), name: "Bash".to_owned(), input: json!({ "command": command }) }
}

fn result(id: &str, ok: bool, output: &str, exit_code: Option<i32>) -> AgentEvent {
    AgentEvent::ToolResult { id: id.to_owned(), ok, output: output.to_owned(), exit_code }
}

fn progress(id: &str, output: &str) -> AgentEvent {
    AgentEvent::ToolProgress { id: id.to_owned(), output: output.to_owned() }
}

/// Lines of the events, as `(channel, block, text)`.
fn lines(events: impl IntoIterator<Item = AgentEvent>) -> Vec<(Channel, u32, String)> {
    let mut assembler = Assembler::default();
    let mut out = Vec::new();
    for event in events {
        assembler.take(0, event, &mut out);
    }
    out.into_iter().map(|line| (line.channel, line.block, line.text.into())).collect()
}

fn line(channel: Channel, block: u32, text: &str) -> (Channel, u32, String) {
    (channel, block, text.to_owned())
}

#[test]
fn a_long_output_keeps_its_head_and_its_tail() {
    let output: String = (0..500).map(|n| format!("{n}\n")).collect();
    let written = lines([call("a", "seq"), result("a", true, &output, Some(0))]);
    let mut expected =
        vec![line(Channel::Tool, 1, "Bash  seq"), line(Channel::ToolOutput, 2, "ok, 500 lines")];
    expected.extend((0..140).map(|n| line(Channel::ToolOutput, 2, &n.to_string())));
    expected.push(line(Channel::ToolOutput, 2, "(300 lines left out; see the raw stream)"));
    expected.extend((440..500).map(|n| line(Channel::ToolOutput, 2, &n.to_string())));
    assert_eq!(written, expected);
}

#[test]
fn one_endless_line_is_cut_wherever_it_comes() {
    let long = "é".repeat(500_000);
    let long_lines = lines([
        text("k", &long, false),
        text("k", "\n", false),
        call("a", &long),
        result("a", false, &long, None),
    ]);
    let longest = long_lines.iter().map(|(_, _, text)| text.len()).max();
    assert_eq!(longest, Some(16 * 1024 - 64 + " … [line cut: 983680 more bytes]".len()));
    let many = lines([call("a", "x"), result("a", true, &"y".repeat(70_000), None)]);
    assert!(many[2].2.ends_with(" … [line cut: 65904 more bytes]"), "{}", many[2].2);
}

#[test]
fn output_of_a_running_tool_is_written_once() {
    let written = lines([
        call("a", "make"),
        call("b", "test"),
        progress("a", "one\ntw"),
        progress("a", "one\ntwo\nth"),
        progress("a", "one\ntwo\nth"),
        result("a", false, "one\ntwo\nthree", Some(2)),
        result("b", true, "", None),
    ]);
    let expected = [
        line(Channel::Tool, 1, "Bash  make"),
        line(Channel::Tool, 2, "Bash  test"),
        line(Channel::ToolOutput, 3, "Bash  make: output so far"),
        line(Channel::ToolOutput, 3, "one"),
        line(Channel::ToolOutput, 3, "two"),
        line(Channel::ToolError, 4, "failed, exit 2: one"),
        line(Channel::ToolError, 4, "three"),
        line(Channel::ToolOutput, 5, "Bash  test: ok, no output"),
    ];
    assert_eq!(written, expected);
}

#[test]
fn output_that_was_rewritten_is_written_with_its_result() {
    let written = lines([
        call("a", "make"),
        progress("a", "one\n"),
        progress("a", "[cut]\nfour\n"),
        result("a", true, "[cut]\nfour\n", None),
    ]);
    let expected = [
        line(Channel::Tool, 1, "Bash  make"),
        line(Channel::ToolOutput, 1, "one"),
        line(Channel::ToolOutput, 2, "ok, 2 lines"),
        line(Channel::ToolOutput, 2, "[cut]"),
        line(Channel::ToolOutput, 2, "four"),
    ];
    assert_eq!(written, expected);
}

#[test]
fn what_is_open_is_bounded() {
    let mut assembler = Assembler::default();
    let mut out = Vec::new();
    for n in 0..10_000 {
        assembler.take(0, text(&n.to_string(), "x", false), &mut out);
        assembler.take(0, call(&n.to_string(), "x"), &mut out);
    }
    assert_eq!((assembler.speeches.open_texts(), assembler.tools.calls()), (16, 64));
}

#[test]
fn a_finished_text_that_is_said_again_is_not_written_again() {
    let written = lines([
        text("k", "a\nb", false),
        text("k", "a\nbc", true),
        text("k", "a\nbc", true),
        text("k", "d", false),
        AgentEvent::Thinking(Speech { key: "t".into(), text: "why\nhow".into(), whole: true, aside: false }),
        AgentEvent::Text(Speech { key: "s".into(), text: "found\nit".into(), whole: true, aside: true }),
    ]);
    let expected = [
        line(Channel::Text, 0, "a"),
        line(Channel::Text, 0, "bc"),
        line(Channel::Thinking, 1, "why"),
        line(Channel::Thinking, 1, "how"),
        line(Channel::ToolOutput, 2, "subagent: found"),
        line(Channel::ToolOutput, 2, "it"),
    ];
    assert_eq!(written, expected);
}

#[test]
fn the_present_state_is_in_a_few_words() {
    let mut assembler = Assembler::default();
    let retry =
        AgentEvent::Retry { attempt: 1, max: None, delay_ms: Some(2000), reason: "terminated".into() };
    let steps = [
        (text("k", "x", false), Some("writing"), false),
        (call("a", "cargo test"), Some("Bash  cargo test"), false),
        (call("b", "ls"), Some("Bash  ls"), false),
        (AgentEvent::Reply, Some("Bash  ls"), false),
        (result("b", true, "", None), Some("Bash  cargo test"), false),
        (result("a", true, "", None), None, true),
        (retry, Some("trying again (1) in 2.0 s: terminated"), true),
        (text("l", "x", false), Some("writing"), false),
        (AgentEvent::TurnEnd, None, true),
    ];
    for (event, doing, rest) in steps {
        let shown = format!("{event:?}");
        assembler.take(0, event, &mut Vec::new());
        assert_eq!((assembler.tally().doing.as_deref(), assembler.at_rest()), (doing, rest), "{shown}");
    }
}

#[test]
fn a_conversation_is_named_once_and_its_news_later() {
    let session = |id: &str, model: Option<&str>| AgentEvent::Session {
        id: id.to_owned(),
        model: model.map(str::to_owned),
        version: None,
    };
    let written =
        lines([session("s", None), session("s", Some("m")), session("s", Some("m")), session("", Some("n"))]);
    let expected = [
        line(Channel::Status, 0, "session s"),
        line(Channel::Status, 0, "model m"),
        line(Channel::Status, 0, "model n"),
    ];
    assert_eq!(written, expected);
}

#[test]
fn an_error_is_written_once_until_something_else_is_said() {
    let error = || AgentEvent::Error { message: "no".to_owned(), status: None };
    let failed = AgentEvent::Done(Finish { reason: Some("no".to_owned()), ..Finish::default() });
    let written = lines([error(), failed, text("k", "x", true), error()]);
    let expected = [
        line(Channel::Error, 0, "no"),
        line(Channel::Status, 0, "failed: 0 replies"),
        line(Channel::Text, 0, "x"),
        line(Channel::Error, 0, "no"),
    ];
    assert_eq!(written, expected);
}
