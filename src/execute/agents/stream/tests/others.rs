//! Codex, pi, OpenCode, Gemini, aider and plain text: what the captures do not have.

use super::*;

fn limit(message: &str, retry_after_seconds: Option<u64>) -> AgentEvent {
    AgentEvent::RateLimit { message: message.to_owned(), retry_after_seconds, resets_at: None }
}

fn error(message: &str, status: Option<u16>) -> AgentEvent {
    AgentEvent::Error { message: message.to_owned(), status }
}

fn done(ok: bool, reason: Option<&str>, denied: &[&str]) -> AgentEvent {
    let denied = denied.iter().map(|tool| (*tool).to_owned()).collect();
    AgentEvent::Done(Finish { ok, reason: reason.map(str::to_owned), denied, ..Finish::default() })
}

fn result(id: &str, ok: bool, output: &str, exit_code: Option<i32>) -> AgentEvent {
    AgentEvent::ToolResult { id: id.to_owned(), ok, output: output.to_owned(), exit_code }
}

#[test]
fn codex_items_of_every_kind_are_read() {
    let item = |stage: &str, item: serde_json::Value| json!({"type": format!("item.{stage}"), "item": item});
    let said = events(
        AgentKind::Codex,
        &[
            item(
                "started",
                json!({"id": "a", "type": "mcp_tool_call", "server": "s", "tool": "t", "arguments": {"n": 1}}),
            ),
            item(
                "completed",
                json!({"id": "a", "type": "mcp_tool_call", "status": "completed",
                "result": {"content": [{"type": "text", "text": "out"}]}}),
            ),
            item(
                "completed",
                json!({"id": "b", "type": "command_execution", "command": "rm x", "status": "declined",
                "aggregated_output": ""}),
            ),
            item(
                "updated",
                json!({"id": "c", "type": "todo_list",
                "items": [{"text": "read", "completed": true}, {"text": "write", "completed": false}]}),
            ),
            item("completed", json!({"id": "d", "type": "hologram"})),
            json!({"type": "turn.completed"}),
        ],
    );
    let call = |id: &str, name: &str, input: serde_json::Value| AgentEvent::ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        input,
    };
    let expected = vec![
        call("a", "s.t", json!({"n": 1})),
        result("a", true, "out", None),
        call("b", "shell", json!({"command": "rm x"})),
        result("b", false, "", None),
        AgentEvent::Notice { message: "plan: 1 of 2 done, next: write".to_owned() },
        AgentEvent::Unknown {
            line: r#"{"type":"item.completed","item":{"id":"d","type":"hologram"}}"#.to_owned(),
        },
        AgentEvent::Reply,
        done(true, None, &["command_execution"]),
        AgentEvent::TurnEnd,
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_codex_usage_limit_says_when_to_come_back() {
    let message = "You've hit your usage limit. Try again in 2 hours 5 minutes.";
    let said = events(AgentKind::Codex, &[json!({"type": "turn.failed", "error": {"message": message}})]);
    let expected = vec![
        limit(message, Some(7500)),
        error(message, None),
        done(false, Some(message), &[]),
        AgentEvent::TurnEnd,
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_pi_message_without_pieces_is_read_whole() {
    let message = json!({"role": "assistant", "model": "m", "stopReason": "stop", "usage": {"input": 3, "output": 2},
        "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "yes"}]});
    let said = events(
        AgentKind::Pi,
        &[
            json!({"type": "message_end", "message": message}),
            json!({"type": "agent_end", "willRetry": false}),
        ],
    );
    let expected = vec![
        AgentEvent::Thinking(speech("1", "hm", true, false)),
        AgentEvent::Text(speech("2", "yes", true, false)),
        AgentEvent::Usage { scope: Scope::Step, tokens: Tokens { input: 3, output: 2, ..Tokens::default() } },
        done(true, None, &[]),
        AgentEvent::TurnEnd,
    ];
    assert_eq!(said, expected);
}

#[test]
fn pi_answers_to_commands_are_heard() {
    let said = events(
        AgentKind::Pi,
        &[
            json!({"type": "response", "command": "get_state", "success": true,
                "data": {"sessionId": "s", "model": {"id": "m"}}}),
            json!({"type": "response", "command": "prompt", "success": false, "error": "busy"}),
        ],
    );
    let session = AgentEvent::Session { id: "s".to_owned(), model: Some("m".to_owned()), version: None };
    assert_eq!(said, vec![session, error("busy", None)]);
}

#[test]
fn a_tool_that_pi_was_not_given_is_denied() {
    let said = events(
        AgentKind::Pi,
        &[
            json!({"type": "tool_execution_start", "toolCallId": "a", "toolName": "bash", "args": {}}),
            json!({"type": "tool_execution_end", "toolCallId": "a", "isError": true,
                "result": {"content": [{"type": "text", "text": "Tool bash not found"}]}}),
            json!({"type": "agent_settled"}),
        ],
    );
    assert_eq!(
        said[2..],
        [done(false, Some("it settled without an answer"), &["bash"]), AgentEvent::TurnEnd]
    );
}

#[test]
fn opencode_tells_how_long_to_wait() {
    let data = json!({"message": "slow down", "statusCode": 429, "responseHeaders": {"retry-after": "17"}});
    let said = events(
        AgentKind::OpenCode,
        &[json!({"type": "error", "sessionID": "s", "error": {"name": "APIError", "data": data}})],
    );
    let expected = vec![
        AgentEvent::Session { id: "s".to_owned(), model: None, version: None },
        limit("slow down", Some(17)),
        error("slow down", Some(429)),
        done(false, Some("slow down"), &[]),
        AgentEvent::TurnEnd,
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_command_of_opencode_that_fails_is_a_failed_tool() {
    let state =
        json!({"status": "completed", "input": {"command": "x"}, "output": "no\n", "metadata": {"exit": 3}});
    let said = events(
        AgentKind::OpenCode,
        &[json!({"type": "tool_use", "part": {"tool": "bash", "callID": "a", "state": state}})],
    );
    assert_eq!(said[1], result("a", false, "no\n", Some(3)));
    assert_eq!(said[2], done(false, Some("it ended within a step"), &[]));
}

#[test]
fn a_file_that_gemini_writes_is_a_change_only_when_it_went_well() {
    let call = |id: &str| {
        json!({"type": "tool_use", "tool_name": "write_file", "tool_id": id,
        "parameters": {"file_path": "a", "content": "x\n"}})
    };
    let ended = |id: &str, status: &str| json!({"type": "tool_result", "tool_id": id, "status": status});
    let said = events(AgentKind::Gemini, &[call("1"), ended("1", "error"), call("2"), ended("2", "success")]);
    let changes: Vec<_> =
        said.iter().filter(|event| matches!(event, AgentEvent::FileChange { .. })).collect();
    let expected = AgentEvent::FileChange {
        path: "a".to_owned(),
        kind: ChangeKind::Modified,
        diff: Some("+x\n".to_owned()),
    };
    assert_eq!(changes, [&expected]);
}

#[test]
fn reasoning_of_gemini_counts_as_output() {
    let stats =
        json!({"total_tokens": 150, "input_tokens": 100, "output_tokens": 20, "cached": 40, "input": 60});
    let said = events(AgentKind::Gemini, &[json!({"type": "result", "status": "success", "stats": stats})]);
    let tokens = Tokens { input: 60, cache_read: 40, cache_write: 0, output: 50 };
    assert_eq!(said[0], AgentEvent::Usage { scope: Scope::Run, tokens });
}

/// Events of lines that are no JSON.
fn plain(kind: AgentKind, lines: &[&str]) -> Vec<AgentEvent> {
    let mut parser = parser(kind);
    let mut out = Vec::new();
    for line in lines {
        parser.line(line.as_bytes(), &mut out);
    }
    parser.end(&mut out);
    out
}

#[test]
fn a_rate_limit_of_aider_is_one() {
    let said = plain(
        AgentKind::Aider,
        &[
            "Aider v0.86.2",
            "Model: m with diff edit format",
            "litellm.RateLimitError: RateLimitError: slow down, please try again in 20s.",
            "Retrying in 0.2 seconds...",
        ],
    );
    let message = "litellm.RateLimitError: RateLimitError: slow down, please try again in 20s.";
    let expected = vec![
        AgentEvent::Session {
            id: String::new(),
            model: Some("m".to_owned()),
            version: Some("0.86.2".to_owned()),
        },
        limit(message, Some(20)),
        error(message, Some(429)),
        AgentEvent::Retry { attempt: 1, max: None, delay_ms: Some(200), reason: message.to_owned() },
        done(false, Some(message), &[]),
        AgentEvent::TurnEnd,
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_file_that_aider_makes_is_added_with_its_blocks() {
    let said = plain(
        AgentKind::Aider,
        &[
            "Aider v1",
            "Hello.",
            "a.py",
            "```",
            "<<<<<<< SEARCH",
            "=======",
            "x",
            ">>>>>>> REPLACE",
            "```",
            "Tokens: 1k sent, 2 received.",
            "Applied edit to a.py",
        ],
    );
    let change = AgentEvent::FileChange {
        path: "a.py".to_owned(),
        kind: ChangeKind::Added,
        diff: Some("@@\n+x\n".to_owned()),
    };
    assert!(said.contains(&change), "{said:?}");
    assert!(said.contains(&done(true, None, &[])), "{said:?}");
}

#[test]
fn an_aider_that_gives_up_on_an_edit_has_failed() {
    let said = plain(
        AgentKind::Aider,
        &[
            "Aider v1",
            "Editing.",
            "Tokens: 1k sent, 2 received.",
            "# 2 SEARCH/REPLACE blocks failed to match!",
            "## SearchReplaceNoExactMatch: it",
            "Only 3 reflections allowed, stopping.",
        ],
    );
    assert_eq!(said[said.len() - 2], done(false, Some("Only 3 reflections allowed, stopping."), &[]));
}

#[test]
fn plain_text_is_said_line_by_line() {
    let text = |line: &str| AgentEvent::Text(speech("text", line, false, false));
    let expected =
        vec![text("a\r\n"), text("\n"), AgentEvent::Reply, done(true, None, &[]), AgentEvent::TurnEnd];
    assert_eq!(plain(AgentKind::Custom, &["a\r", ""]), expected);
    assert_eq!(plain(AgentKind::Custom, &[""]), vec![text("\n"), AgentEvent::TurnEnd]);
}

#[test]
fn what_is_no_json_is_kept_cut() {
    let long = "x".repeat(5000);
    let cut = format!("{}… (5000 bytes)", "x".repeat(UNKNOWN_LIMIT));
    for kind in [AgentKind::Claude, AgentKind::Codex, AgentKind::Pi, AgentKind::OpenCode, AgentKind::Gemini] {
        let said = plain(kind, &["  ", "{\"type\":\"text\"", &long]);
        let expected = [
            AgentEvent::Unknown { line: "{\"type\":\"text\"".to_owned() },
            AgentEvent::Unknown { line: cut.clone() },
        ];
        assert_eq!(said, expected, "{kind:?}");
    }
}

#[test]
fn bytes_that_are_no_text_are_replaced_in_pieces_too() {
    let event: &[u8] =
        br#"{"type":"stream_event","event":{"type":"content_block_delta","index":0,"delta":{"text":"a"#;
    let update: &[u8] =
        br#"{"type":"message_update","assistantMessageEvent":{"type":"text_delta","delta":"a"#;
    let message: &[u8] = br#"{"type":"message","role":"assistant","content":"a"#;
    for (kind, head, tail) in [
        (AgentKind::Claude, event, &b"\"}}}"[..]),
        (AgentKind::Pi, update, &b"\"}}"[..]),
        (AgentKind::Gemini, message, &b"\"}"[..]),
    ] {
        let mut out = Vec::new();
        parser(kind).line(&[head, b"\xff", tail].concat(), &mut out);
        assert_eq!(out, [AgentEvent::Text(speech("1", "a\u{fffd}", false, false))], "{kind:?}");
    }
}

#[test]
fn what_is_remembered_of_a_line_is_bounded() {
    let long = "i".repeat(100_000);
    let said = events(
        AgentKind::Codex,
        &[
            json!({"type": "thread.started", "thread_id": long}),
            json!({"type": "item.started", "item": {"id": long, "type": "mcp_tool_call", "server": long, "tool": long}}),
            json!({"type": "turn.failed", "error": {"message": long}}),
        ],
    );
    let sizes: Vec<usize> = said
        .iter()
        .map(|event| match event {
            AgentEvent::Session { id, .. } => id.len(),
            AgentEvent::ToolCall { id, name, .. } => id.len() + name.len(),
            AgentEvent::Error { message, .. } => message.len(),
            AgentEvent::Done(finish) => finish.reason.as_ref().map_or(0, String::len),
            _ => 0,
        })
        .collect();
    assert_eq!(sizes, [256, 256 + 513, 4096, 0, 4096, 0]);
}
