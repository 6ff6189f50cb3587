//! From tickets to actions, and what dry runs say.

use super::*;
use crate::plan::ticket::{Executor, Inputs, TicketId};

fn ticket(kind: &str, inputs: Inputs, handler: Option<&str>) -> Ticket {
    Ticket {
        id: TicketId::new("PLF-001"),
        executor: Executor { kind: kind.to_owned().into(), mode: None, handler: handler.map(str::to_owned) },
        inputs,
        ..Ticket::default()
    }
}

fn dry_run(action: &Action, vars: &[(&str, &str)]) -> String {
    let environment = vars.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let settings = crate::plan::settings::LlmSettings::default();
    let clock = crate::base::clock::Clock::System;
    action.dry_run_text(&llm::Ground { environment: &environment, settings: &settings, clock })
}

#[test]
fn a_chat_is_read_whole_with_korus_defaults() {
    let request = |inputs, handler| match Action::of(&ticket("llm", inputs, handler)) {
        Action::Llm(request) => *request,
        other => panic!("{other:?}"),
    };
    let prompt = Some(" Why?\n".to_owned());
    let bare = LlmRequest {
        endpoint: None,
        model: "openai/gpt-4o-mini".to_owned(),
        system: None,
        prompt: " Why?\n".to_owned(),
        temperature: 0.0,
        max_tokens: None,
        schema: None,
        timeout: Duration::from_secs(60),
    };
    assert_eq!(request(Inputs { prompt: prompt.clone(), ..Inputs::default() }, Some(" ")), bare);
    let handler = Some("http://localhost:1/v1");
    let of_handler = LlmRequest { endpoint: handler.map(str::to_owned), ..bare };
    assert_eq!(request(Inputs { prompt: prompt.clone(), ..Inputs::default() }, handler), of_handler);
    let llm = crate::plan::ticket::LlmInputs {
        endpoint: Some("http://localhost:2".to_owned()),
        system: Some("short".to_owned()),
        temperature: Some(0.5),
        max_tokens: Some(7),
        timeout_seconds: Some(2.0),
        response_schema: Some(json!({"type": "object"})),
    };
    let model = Some("m".to_owned());
    let inputs = Inputs { prompt, llm_model: model, llm: Some(Box::new(llm)), ..Inputs::default() };
    let want = LlmRequest {
        endpoint: Some("http://localhost:2".to_owned()),
        model: "m".to_owned(),
        system: Some("short".to_owned()),
        prompt: " Why?\n".to_owned(),
        temperature: 0.5,
        max_tokens: Some(7),
        schema: Some(json!({"type": "object"})),
        timeout: Duration::from_secs(2),
    };
    assert_eq!(request(inputs, Some("reviewer")), want);
}

#[test]
fn a_chat_asks_for_what_it_lacks() {
    let missing = |inputs, handler| match Action::of(&ticket("llm", inputs, handler)) {
        Action::Missing { what } => what,
        other => panic!("{other:?}"),
    };
    assert!(missing(Inputs::default(), None).contains("inputs.prompt, a description or a name"));
    let inputs = Inputs { prompt: Some("Why?".to_owned()), ..Inputs::default() };
    assert!(missing(inputs, Some("reviewer")).contains("write agent:reviewer for a coding agent"));
    let agent = Action::of(&ticket("llm", Inputs::default(), Some("agent:reviewer")));
    assert_eq!(agent, Action::Agent { agent: Some("reviewer".to_owned()) });
}

#[test]
fn a_dry_run_of_a_chat_names_the_key_and_does_not_show_it() {
    let inputs = Inputs { prompt: Some("Why?".to_owned()), ..Inputs::default() };
    let action = Action::of(&ticket("llm", inputs, None));
    assert_eq!(action.label(), "llm openai/gpt-4o-mini");
    let shown: Value =
        serde_json::from_str(&dry_run(&action, &[("OPENROUTER_API_KEY", "sk-or-hunter22")])).unwrap();
    assert_eq!(
        shown,
        json!({
            "method": "POST", "url": "https://openrouter.ai/api/v1/chat/completions",
            "headers": {"content-type": "application/json", "authorization": "Bearer $OPENROUTER_API_KEY"},
            "model": "openai/gpt-4o-mini", "prompt": "Why?",
            "body": {
                "model": "openai/gpt-4o-mini", "messages": [{"role": "user", "content": "Why?"}],
                "temperature": 0.0,
            },
            "timeout_seconds": 60.0,
        })
    );
    let refused = dry_run(&action, &[]);
    assert!(refused.contains("OPENROUTER_API_KEY is not set; refusing to call"), "{refused}");
}

#[test]
fn script_wins_over_handler_and_a_blank_one_does_not_count() {
    let both = Inputs { script: Some("make".to_owned()), ..Inputs::default() };
    let want = Action::Shell { command: "make".to_owned(), timeout: Duration::from_secs(600) };
    assert_eq!(Action::of(&ticket("shell", both, Some("other"))), want);

    let blank = Inputs { script: Some("  \n".to_owned()), timeout_seconds: Some(1.5), ..Inputs::default() };
    let want = Action::Shell { command: "other".to_owned(), timeout: Duration::from_millis(1500) };
    assert_eq!(Action::of(&ticket("shell", blank, Some("other"))), want);
}

#[test]
fn missing_inputs_name_the_fields() {
    let Action::Missing { what } = Action::of(&ticket("shell", Inputs::default(), None)) else { panic!() };
    assert_eq!(what, "PLF-001: a shell ticket needs inputs.script or executor.handler; neither is set");
    let Action::Missing { what } = Action::of(&ticket("api", Inputs::default(), Some(""))) else { panic!() };
    assert!(what.contains("inputs.api_endpoint"), "{what}");
}

#[test]
fn bad_timeouts_fall_back_and_huge_ones_are_shortened() {
    for bad in [f64::NAN, f64::INFINITY, 0.0, -3.0] {
        assert_eq!(timeout(Some(bad), 30.0), Duration::from_secs(30));
    }
    assert_eq!(timeout(Some(1e300), 30.0), LONGEST_TIMEOUT);
}

#[test]
fn request_is_read_whole_and_shown_as_json() {
    let inputs = Inputs {
        api_endpoint: Some(" http://localhost/x ".to_owned()),
        api_method: Some("post".to_owned()),
        api_headers: vec![("X-A".to_owned(), "1".to_owned())],
        api_body: Some(json!({"a": 1})),
        ..Inputs::default()
    };
    let action = Action::of(&ticket("api", inputs, None));
    assert_eq!(action.label(), "POST http://localhost/x");
    let shown: Value = serde_json::from_str(&dry_run(&action, &[])).unwrap();
    assert_eq!(
        shown,
        json!({
            "method": "POST", "url": "http://localhost/x",
            "headers": {"X-A": "1", "content-type": "application/json"},
            "body": {"a": 1}, "timeout_seconds": 30.0,
        })
    );
}

#[test]
fn content_type_is_recognised_in_any_case() {
    let request = ApiRequest {
        method: "POST".to_owned(),
        url: String::new(),
        headers: vec![("Content-TYPE".to_owned(), "text/plain".to_owned())],
        body: Some(json!(1)),
        timeout: Duration::from_secs(1),
    };
    assert_eq!(request.all_headers(), request.headers);
}

#[test]
fn other_kinds_are_unsupported_by_name() {
    let action = Action::of(&ticket("martian", Inputs::default(), None));
    let why = "this version cannot run executor kind martian".to_owned();
    assert_eq!(action, Action::Unsupported { kind: "martian".to_owned(), why });
}

#[test]
fn a_call_of_a_tool_is_read_and_named_by_the_configuration() {
    let more = crate::plan::ticket::McpInputs { server: None, arguments: Some(json!({"query": "x"})) };
    let inputs = Inputs {
        mcp_tool: Some(" search ".to_owned()),
        mcp: Some(Box::new(more)),
        timeout_seconds: Some(2.0),
        ..Inputs::default()
    };
    let ticket = ticket("mcp", inputs, None);
    let action = Action::of(&ticket);
    assert_eq!(action.label(), "mcp search");
    let none = Action::Unsupported { kind: "mcp".to_owned(), why: mcp::request::none_configured() };
    assert_eq!(action.clone().in_project(&ticket, &BTreeMap::new()), none);
    let servers = BTreeMap::from([("docs".to_owned(), McpServer::default())]);
    let action = action.in_project(&ticket, &servers);
    assert_eq!((action.label().as_str(), action.command_line()), ("mcp docs/search", None));
    let shown: Value = serde_json::from_str(&dry_run(&action, &[])).unwrap();
    let want =
        json!({"server": "docs", "tool": "search", "arguments": {"query": "x"}, "timeout_seconds": 2.0});
    assert_eq!(shown, want);
}

#[test]
fn a_call_of_a_tool_asks_for_what_it_lacks() {
    let servers = BTreeMap::from([("docs".to_owned(), McpServer::default())]);
    let missing = |inputs: Inputs| {
        let ticket = ticket("mcp", inputs, None);
        match Action::of(&ticket).in_project(&ticket, &servers) {
            Action::Missing { what } => what,
            other => panic!("{other:?}"),
        }
    };
    let what = missing(Inputs::default());
    assert_eq!(what, "PLF-001: an mcp ticket needs inputs.mcp_tool or executor.handler; neither is set");
    let more = crate::plan::ticket::McpInputs { server: None, arguments: Some(json!([1])) };
    let what =
        missing(Inputs { mcp_tool: Some("a/b".to_owned()), mcp: Some(Box::new(more)), ..Inputs::default() });
    assert_eq!(what, "PLF-001: inputs.mcp_arguments is not a mapping; write it as {name: value}");
    let handler = Action::of(&ticket("mcp", Inputs::default(), Some("docs/search")));
    assert_eq!(handler.label(), "mcp docs/search");
}
