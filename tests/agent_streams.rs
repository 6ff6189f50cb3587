#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! Streams of the real agent programs through parser, assembler and verdict: what an operator reads, what is counted,
//! and how each run is named, against how its process ended.

#[path = "agent_streams/captures.rs"]
mod captures;
#[path = "agent_streams/splitting.rs"]
mod splitting;
#[path = "agent_streams/verdicts.rs"]
mod verdicts;

use std::fmt::Write as _;

use captures::{Capture, Run, captures};
use koru_tui::execute::agents::kind::AgentKind;
use koru_tui::execute::agents::tally::{Cost, Tally, Tokens};
use koru_tui::execute::output::Channel;

/// Everything that came of every capture of one agent, as text: lines, tally, verdict.
fn rendered(kind: AgentKind) -> String {
    let mut text = String::new();
    for capture in captures(kind) {
        let run = Run::of(&capture);
        writeln!(
            text,
            "=== {}  ({} bytes in, {} lines out)",
            capture.scenario,
            capture.bytes.len(),
            run.lines.len()
        )
        .unwrap();
        // A long answer is the same line over and over.
        let (head, tail) = if run.lines.len() > 120 {
            (20, run.lines.len() - 8)
        } else {
            (run.lines.len(), run.lines.len())
        };
        for (at, line) in run.lines.iter().enumerate() {
            if at == head && tail > head {
                writeln!(text, "  … {} lines …", tail - head).unwrap();
            }
            if at < head || at >= tail {
                let channel = format!("{:?}", line.channel);
                writeln!(text, "{channel:<10} {:>3}  {}", line.block, shown(&line.text)).unwrap();
            }
        }
        writeln!(text, "-> {}", serde_json::to_string(&run.tally).unwrap()).unwrap();
        let judged = run.judged(&capture);
        writeln!(text, "-> {:?} {}", judged.ending, judged.reason.as_deref().map(shown).unwrap_or_default())
            .unwrap();
        writeln!(text, "-> answer: {}\n", run.answer.as_deref().map_or("none".to_owned(), shown)).unwrap();
    }
    text
}

/// The text with control characters spelt out, cut to fit a review.
fn shown(text: &str) -> String {
    let plain: String = text.chars().take(150).flat_map(char::escape_debug).collect();
    let plain = plain.replace("\\\"", "\"").replace("\\'", "'").replace("\\\\", "\\");
    if text.chars().count() > 150 { format!("{plain}… ({} bytes)", text.len()) } else { plain }
}

#[test]
fn claude_reads_well() {
    insta::assert_snapshot!("claude", rendered(AgentKind::Claude));
}

#[test]
fn codex_reads_well() {
    insta::assert_snapshot!("codex", rendered(AgentKind::Codex));
}

#[test]
fn pi_reads_well() {
    insta::assert_snapshot!("pi", rendered(AgentKind::Pi));
}

#[test]
fn opencode_reads_well() {
    insta::assert_snapshot!("opencode", rendered(AgentKind::OpenCode));
}

#[test]
fn gemini_reads_well() {
    insta::assert_snapshot!("gemini", rendered(AgentKind::Gemini));
}

#[test]
fn aider_reads_well() {
    insta::assert_snapshot!("aider", rendered(AgentKind::Aider));
}

fn of(kind: AgentKind, scenario: &str) -> Run {
    Run::of(&Capture::read(kind, scenario))
}

#[test]
fn the_same_edit_is_counted_alike_whoever_makes_it() {
    // 1,780 tokens sent, 3,850 from the cache, 164 received in every capture but aider's, which rounds and asks once.
    let tokens = Tokens { input: 1780, cache_read: 3850, cache_write: 0, output: 164 };
    for (kind, turns, changes, usd) in [
        (AgentKind::Claude, 4, 1, Some(0.008_955)),
        (AgentKind::Codex, 3, 1, None),
        (AgentKind::Pi, 4, 1, Some(0.008_955)),
        (AgentKind::OpenCode, 4, 1, Some(0.008_955)),
        (AgentKind::Gemini, 4, 1, None),
    ] {
        let run = of(kind, "edit_success");
        let expected = Tally {
            conversation: run.tally.conversation.clone(),
            model: run.tally.model.clone(),
            turns,
            tools: 3,
            changes,
            tokens,
            cost: run.tally.cost,
            ..Tally::default()
        };
        assert_eq!(run.tally, expected, "{kind:?}");
        assert!(run.tally.conversation.is_some(), "{kind:?}");
        assert_eq!(run.answer.as_deref(), Some("Done: hello.txt now says \"Hello, world!\"."), "{kind:?}");
        let cost = run.tally.cost.map(|Cost { usd, estimated }| ((usd * 1e6).round() / 1e6, estimated));
        assert_eq!(cost, usd.map(|usd| (usd, false)), "{kind:?}");
        let diff: Vec<_> =
            run.lines.iter().filter(|line| line.channel == Channel::Diff).map(|line| &*line.text).collect();
        if kind != AgentKind::Codex {
            assert!(
                diff.ends_with(&["-Hello, wrld!", "+Hello, world!", " Second line."])
                    || diff.ends_with(&["-Hello, wrld!", "+Hello, world!"]),
                "{kind:?}: {diff:?}"
            );
        }
    }
}

#[test]
fn a_resumed_conversation_is_billed_for_this_run_only() {
    for (kind, tokens, usd) in [
        (AgentKind::Claude, Tokens { input: 22_525, output: 8, ..Tokens::default() }, Some(0.067_695)),
        (AgentKind::Codex, Tokens { input: 10_513, output: 8, ..Tokens::default() }, None),
        (AgentKind::OpenCode, Tokens { input: 7726, output: 8, ..Tokens::default() }, Some(0.023_298)),
        (AgentKind::Gemini, Tokens { input: 12_742, output: 8, ..Tokens::default() }, None),
    ] {
        let before = of(kind, "resume_first").tally;
        let run = Run::after(&Capture::read(kind, "resume_second"), Some(&before));
        assert_eq!(run.tally.tokens, tokens, "{kind:?}");
        assert_eq!(run.tally.cost.map(|cost| (cost.usd * 1e6).round() / 1e6), usd, "{kind:?}");
        assert_eq!(run.tally.conversation, before.conversation, "{kind:?}");
    }
}

#[test]
fn fifty_thousand_tokens_are_written_once() {
    let sizes = [AgentKind::Claude, AgentKind::Codex, AgentKind::Pi, AgentKind::OpenCode, AgentKind::Gemini]
        .map(|kind| {
            let run = of(kind, "long_stream");
            let text: Vec<&str> = run
                .lines
                .iter()
                .filter(|line| line.channel == Channel::Text)
                .map(|line| &*line.text)
                .collect();
            let text = text.join("\n");
            assert_eq!(run.answer.as_deref(), Some(text.as_str()), "{kind:?}");
            text.len()
        });
    assert!(sizes.iter().all(|size| *size == sizes[0]), "{sizes:?}");
    assert!(sizes[0] > 250_000, "{sizes:?}");
}

#[test]
fn a_structured_answer_is_kept_as_it_was_checked() {
    let run = of(AgentKind::Claude, "review_changes");
    let finding = serde_json::json!({
        "file": "hello.txt", "line": 1, "severity": "major", "message": "'wrld' should be 'world'"});
    let expected = serde_json::json!({
        "verdict": "changes_required", "summary": "The greeting is misspelt.", "findings": [finding]});
    assert_eq!(run.finish.and_then(|finish| finish.structured), Some(expected.clone()));
    // The others say it as text.
    for kind in [AgentKind::Codex, AgentKind::Pi, AgentKind::OpenCode, AgentKind::Gemini, AgentKind::Aider] {
        let answer = of(kind, "review_changes").answer.expect("an answer");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&answer).ok(),
            Some(expected.clone()),
            "{kind:?}"
        );
    }
}

#[test]
fn no_line_of_a_capture_is_unknown() {
    let mut unknown = Vec::new();
    for kind in AgentKind::BUILT_IN {
        for capture in captures(kind) {
            let lines = Run::of(&capture).lines;
            unknown.extend(lines.into_iter().filter(|line| line.channel == Channel::Unknown));
        }
    }
    assert_eq!(unknown, []);
}
