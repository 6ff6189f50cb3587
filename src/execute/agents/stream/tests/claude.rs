//! What the captures do not have: subagents, subscription limits, odd shapes.

use super::*;

fn delta(parent: Option<&str>, index: u64, text: &str) -> serde_json::Value {
    json!({"type": "stream_event", "parent_tool_use_id": parent, "event": {
        "type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}}})
}

fn start(parent: Option<&str>, id: &str) -> serde_json::Value {
    json!({"type": "stream_event", "parent_tool_use_id": parent,
        "event": {"type": "message_start", "message": {"id": id}}})
}

fn whole(parent: Option<&str>, id: &str, text: &str) -> serde_json::Value {
    json!({"type": "assistant", "parent_tool_use_id": parent,
        "message": {"id": id, "content": [{"type": "text", "text": text}]}})
}

#[test]
fn a_subagents_text_is_kept_apart_from_the_main_one() {
    let said = events(
        AgentKind::Claude,
        &[
            start(None, "m"),
            start(Some("task"), "s"),
            delta(None, 0, "main "),
            delta(Some("task"), 0, "side "),
            delta(None, 0, "text"),
            whole(Some("task"), "s", "side "),
            whole(None, "m", "main text"),
        ],
    );
    let expected = vec![
        AgentEvent::Text(speech("1", "main ", false, false)),
        AgentEvent::Text(speech("2", "side ", false, true)),
        AgentEvent::Text(speech("1", "text", false, false)),
        AgentEvent::Text(speech("2", "side ", true, true)),
        AgentEvent::Text(speech("1", "main text", true, false)),
    ];
    assert_eq!(said, expected);
}

#[test]
fn without_deltas_each_message_is_a_reply() {
    let mut end = json!({"type": "result", "subtype": "success", "is_error": false, "result": "b"});
    end["structured_output"] = json!({"verdict": "approve"});
    let said = events(AgentKind::Claude, &[whole(None, "m1", "a"), whole(None, "m2", "b"), end]);
    let finish = Finish {
        ok: true,
        text: Some("b".to_owned()),
        structured: Some(json!({"verdict": "approve"})),
        ..Finish::default()
    };
    let expected = vec![
        AgentEvent::Text(speech("1", "a", true, false)),
        AgentEvent::Reply,
        AgentEvent::Text(speech("2", "b", true, false)),
        AgentEvent::Reply,
        AgentEvent::Done(finish),
        AgentEvent::TurnEnd,
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_subscription_limit_tells_when_it_resets() {
    let event = |status: &str| {
        json!({"type": "rate_limit_event", "rate_limit_info": {
            "status": status, "resetsAt": 1_795_240_000_i64, "rateLimitType": "five_hour", "utilization": 0.91}})
    };
    let said = events(
        AgentKind::Claude,
        &[event("allowed"), event("allowed_warning"), event("rejected"), event("?")],
    );
    let unknown = event("?").to_string();
    let expected = vec![
        AgentEvent::Notice { message: "the five hour limit is near (91 %)".to_owned() },
        AgentEvent::RateLimit {
            message: "the five hour limit is used up".to_owned(),
            retry_after_seconds: None,
            resets_at: Some(1_795_240_000),
        },
        AgentEvent::Unknown { line: unknown },
    ];
    assert_eq!(said, expected);
}

#[test]
fn results_of_one_process_add_up() {
    let result = |input: u64, usd: f64| {
        json!({"type": "result", "subtype": "success", "model_usage_since_last_result": {
            "m": {"inputTokens": input, "outputTokens": 1, "costUSD": usd}}})
    };
    let said = events(AgentKind::Claude, &[result(10, 0.5), result(5, 0.25)]);
    let last =
        said.iter().rev().filter(|event| matches!(event, AgentEvent::Usage { .. } | AgentEvent::Cost { .. }));
    let last: Vec<_> = last.take(2).cloned().collect();
    let tokens = Tokens { input: 15, output: 2, ..Tokens::default() };
    let expected = vec![
        AgentEvent::Cost { scope: Scope::Run, usd: 0.75 },
        AgentEvent::Usage { scope: Scope::Run, tokens },
    ];
    assert_eq!(last, expected);
}

#[test]
fn a_made_file_is_shown_as_added() {
    let said = events(
        AgentKind::Claude,
        &[json!({"type": "user", "message": {"content": [
            {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "made"}]}]},
            "tool_use_result": {"type": "create", "filePath": "/r/a", "content": "x\ny\n", "structuredPatch": []}})],
    );
    let expected = vec![
        AgentEvent::ToolResult { id: "t".to_owned(), ok: true, output: "made".to_owned(), exit_code: None },
        AgentEvent::FileChange {
            path: "/r/a".to_owned(),
            kind: ChangeKind::Added,
            diff: Some("@@ -0,0 +1,2 @@\n+x\n+y\n".to_owned()),
        },
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_line_is_read_whatever_the_order_of_its_fields() {
    let mut parser = parser(AgentKind::Claude);
    let mut out = Vec::new();
    parser.line(
        br#"{"event":{"delta":{"text":"a"},"type":"content_block_delta","index":3},"type":"stream_event"}"#,
        &mut out,
    );
    parser.line(br#"{"type":"stream_event","event":{"type":"ping"}}"#, &mut out);
    parser.line(br#"{"type":"stream_event","event":7}"#, &mut out);
    let expected = vec![
        AgentEvent::Text(speech("1", "a", false, false)),
        AgentEvent::Unknown { line: r#"{"type":"stream_event","event":7}"#.to_owned() },
    ];
    assert_eq!(out, expected);
}
