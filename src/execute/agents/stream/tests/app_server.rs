//! Codex's app server, as it was heard from the program (0.169.0), shortened.

use super::*;

/// A notification of the thread `thread`.
fn told(thread: &str, method: &str, mut params: serde_json::Value) -> serde_json::Value {
    params["threadId"] = json!(thread);
    json!({"method": method, "params": params})
}

fn shell(status: &str, output: Option<&str>, code: Option<i32>) -> serde_json::Value {
    let command = json!({
        "type": "commandExecution", "id": "c1", "command": "/bin/bash -lc ls", "cwd": "/w", "status": status,
        "aggregatedOutput": output, "exitCode": code,
    });
    json!({ "item": command })
}

fn total(input: u64, output: u64) -> serde_json::Value {
    let total =
        json!({"totalTokens": 1, "inputTokens": input, "cachedInputTokens": 40, "outputTokens": output});
    json!({"turnId": "u1", "tokenUsage": {"total": total, "last": {}}})
}

#[test]
fn texts_and_output_grow_and_become_whole() {
    let message = |text: &str| json!({"item": {"type": "agentMessage", "id": "m1", "text": text}});
    let delta = |item: &str, text: &str| json!({"itemId": item, "delta": text});
    let lines = [
        told("t", "turn/started", json!({"turn": {"id": "u1", "status": "inProgress"}})),
        told("t", "item/started", message("")),
        told("t", "item/agentMessage/delta", delta("m1", "Loo")),
        told("t", "item/completed", message("Looking.")),
        told("t", "item/started", shell("inProgress", None, None)),
        told("t", "item/commandExecution/outputDelta", delta("c1", "a\n")),
        told("t", "item/commandExecution/outputDelta", delta("c1", "b\n")),
        told("t", "item/completed", shell("completed", Some("a\nb\n"), Some(0))),
        told("t", "thread/tokenUsage/updated", total(100, 7)),
        told("t", "turn/completed", json!({"turn": {"id": "u1", "status": "completed"}})),
    ];
    let progress = |output: &str| AgentEvent::ToolProgress { id: "c1".to_owned(), output: output.to_owned() };
    let tokens = Tokens { input: 60, cache_read: 40, output: 7, ..Tokens::default() };
    let want = vec![
        AgentEvent::Thinking(speech("turn", "", false, false)),
        AgentEvent::Text(speech("m1", "Loo", false, false)),
        AgentEvent::Text(speech("m1", "Looking.", true, false)),
        AgentEvent::ToolCall {
            id: "c1".to_owned(),
            name: "shell".to_owned(),
            input: json!({"command": "/bin/bash -lc ls"}),
        },
        progress("a\n"),
        progress("a\nb\n"),
        AgentEvent::ToolResult {
            id: "c1".to_owned(),
            ok: true,
            output: "a\nb\n".to_owned(),
            exit_code: Some(0),
        },
        AgentEvent::Usage { scope: Scope::Conversation, tokens },
        AgentEvent::Reply,
        AgentEvent::Done(Finish { ok: true, ..Finish::default() }),
        AgentEvent::TurnEnd,
    ];
    assert_eq!(events(AgentKind::Codex, &lines), want);
}

#[test]
fn a_helpers_thread_is_shown_aside_and_ends_nothing() {
    let turn = |status: &str| json!({"turn": {"id": "u2", "status": status}});
    let lines = [
        told("t", "turn/started", turn("inProgress")),
        told("helper", "turn/started", turn("inProgress")),
        told(
            "helper",
            "item/completed",
            json!({"item": {"type": "agentMessage", "id": "m2", "text": "found it"}}),
        ),
        told("helper", "thread/tokenUsage/updated", total(100, 7)),
        told("helper", "thread/tokenUsage/updated", total(150, 9)),
        told("other", "thread/tokenUsage/updated", total(60, 1)),
        told("helper", "turn/completed", turn("completed")),
    ];
    let used = |input, cache_read, output| AgentEvent::Usage {
        scope: Scope::Aside,
        tokens: Tokens { input, cache_read, output, ..Tokens::default() },
    };
    let want = vec![
        AgentEvent::Thinking(speech("turn", "", false, false)),
        AgentEvent::Text(speech("m2", "found it", true, true)),
        used(60, 40, 7),
        used(50, 0, 2),
        used(20, 40, 1),
    ];
    assert_eq!(events(AgentKind::Codex, &lines), want);
}

#[test]
fn a_failed_turn_says_why_and_what_nobody_knows_is_kept() {
    let failed = json!({"turn": {"id": "u1", "status": "failed", "error": {"message": "out of tea"}}});
    let strange = told("t", "tea/brewed", json!({}));
    let found = events(AgentKind::Codex, &[strange.clone(), told("t", "turn/completed", failed)]);
    assert!(matches!(&found[0], AgentEvent::Unknown { .. }), "{found:?}");
    let done = |event: &&AgentEvent| matches!(event, AgentEvent::Done(_));
    let reason = Some("out of tea".to_owned());
    assert_eq!(found.iter().find(done), Some(&AgentEvent::Done(Finish { reason, ..Finish::default() })));
}
