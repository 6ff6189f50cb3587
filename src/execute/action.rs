//! From a ticket to what will be done, decided once and without side effects (koru §4.1 step 3–5, §4.3).
//!
//! An [`Action`] is plain data: dry runs print it, the policy judges it, an executor performs it.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::llm::{self, request::LlmRequest};
use crate::plan::ticket::{ExecutorKind, Ticket};

/// Seconds a shell command may take when `inputs.timeout_seconds` is not set (ours; koru has no limit).
const SHELL_TIMEOUT_SECONDS: f64 = 600.0;

/// Seconds a request may take when `inputs.api_timeout_seconds` is not set (koru §4.3).
const API_TIMEOUT_SECONDS: f64 = 30.0;

/// Seconds a question to a language model may take when `inputs.llm_timeout_seconds` is not set (koru §7).
const LLM_TIMEOUT_SECONDS: f64 = 60.0;

/// Longest timeout that is honoured; longer ones are shortened to it.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(7 * 24 * 3600);

/// What one ticket asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A command line for `/bin/sh -c` in the project folder.
    Shell {
        /// The text.
        command: String,
        /// Limit of the whole run.
        timeout: Duration,
    },
    /// One HTTP request.
    Api(ApiRequest),
    /// One question to a language model.
    Llm(Box<LlmRequest>),
    /// A question to a person.
    Human {
        /// What is asked.
        question: String,
    },
    /// A coding agent in a worktree of its own.
    Agent {
        /// Its name in the configuration; the role `worker`'s when `None`.
        agent: Option<String>,
    },
    /// The kind can be run, but a required input is not there.
    Missing {
        /// What is missing, as a prompt for the operator.
        what: String,
    },
    /// The kind cannot be run by this version.
    Unsupported {
        /// Its word.
        kind: String,
    },
}

/// One HTTP request as the ticket describes it; not validated yet.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiRequest {
    /// Method, upper case.
    pub method: String,
    /// Endpoint as written.
    pub url: String,
    /// Headers in file order; `content-type: application/json` is added when there is a body and no such header.
    pub headers: Vec<(String, String)>,
    /// JSON body.
    pub body: Option<Value>,
    /// Limit of the whole exchange.
    pub timeout: Duration,
}

impl Action {
    /// Reads what `ticket` asks for.
    pub fn of(ticket: &Ticket) -> Action {
        match &ticket.executor.kind {
            ExecutorKind::Human => Action::Human { question: ticket.question().to_owned() },
            ExecutorKind::Shell => shell(ticket),
            ExecutorKind::Api => api(ticket),
            ExecutorKind::Llm if agent(ticket).is_some() => {
                Action::Agent { agent: agent(ticket).flatten().map(str::to_owned) }
            }
            ExecutorKind::Llm => chat(ticket),
            kind @ (ExecutorKind::Mcp | ExecutorKind::Other(_)) => {
                Action::Unsupported { kind: kind.word().to_owned() }
            }
        }
    }

    /// One line for lists and notes: the shell text, `METHOD URL` or `llm MODEL` (koru §4.1).
    pub fn label(&self) -> String {
        match self {
            Action::Shell { command, .. } => command.clone(),
            Action::Api(request) => format!("{} {}", request.method, request.url),
            Action::Llm(request) => format!("llm {}", request.model),
            Action::Human { question } => question.clone(),
            Action::Agent { agent: Some(name) } => format!("agent {name}"),
            Action::Agent { agent: None } => "agent".to_owned(),
            Action::Missing { what } => what.clone(),
            Action::Unsupported { kind } => kind.clone(),
        }
    }

    /// What a dry run says: the command, or the request as JSON (koru §4.1 step 5).
    pub fn dry_run_text(&self, llm: &llm::Ground<'_>) -> String {
        match self {
            Action::Llm(request) => llm.preview(request).to_string(),
            Action::Api(request) => request.to_json().to_string(),
            other => other.label(),
        }
    }

    /// The command line that the policy must judge before the ticket is claimed.
    pub fn command_line(&self) -> Option<&str> {
        match self {
            Action::Shell { command, .. } => Some(command),
            Action::Api(_)
            | Action::Llm(_)
            | Action::Human { .. }
            | Action::Agent { .. }
            | Action::Missing { .. }
            | Action::Unsupported { .. } => None,
        }
    }
}

impl ApiRequest {
    /// The request as JSON, for a dry run.
    pub fn to_json(&self) -> Value {
        let headers: Map<String, Value> =
            self.all_headers().into_iter().map(|(name, value)| (name, Value::String(value))).collect();
        json!({
            "method": self.method,
            "url": self.url,
            "headers": headers,
            "body": self.body,
            "timeout_seconds": self.timeout.as_secs_f64(),
        })
    }

    /// The headers that are sent. The test for an existing content type ignores case (koru's does not).
    pub fn all_headers(&self) -> Vec<(String, String)> {
        let mut headers = self.headers.clone();
        if self.body.is_some() && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        headers
    }
}

/// Whether the handler says that an agent works the ticket, and which: `agent` or `agent:<name>`.
fn agent(ticket: &Ticket) -> Option<Option<&str>> {
    let handler = ticket.executor.handler.as_deref()?.trim();
    match handler.strip_prefix("agent") {
        Some("") => Some(None),
        Some(rest) => rest.strip_prefix(':').map(str::trim).map(|name| (!name.is_empty()).then_some(name)),
        None => None,
    }
}

/// `script`, else `executor.handler`.
fn shell(ticket: &Ticket) -> Action {
    match first_filled([ticket.inputs.script.as_deref(), ticket.executor.handler.as_deref()]) {
        Some(command) => Action::Shell {
            command: command.to_owned(),
            timeout: timeout(ticket.inputs.timeout_seconds, SHELL_TIMEOUT_SECONDS),
        },
        None => Action::Missing {
            what: format!(
                "{}: a shell ticket needs inputs.script or executor.handler; neither is set",
                ticket.id
            ),
        },
    }
}

/// `api_endpoint`, else `executor.handler`.
fn api(ticket: &Ticket) -> Action {
    let inputs = &ticket.inputs;
    let Some(url) = first_filled([inputs.api_endpoint.as_deref(), ticket.executor.handler.as_deref()]) else {
        return Action::Missing {
            what: format!(
                "{}: an api ticket needs inputs.api_endpoint or executor.handler; neither is set",
                ticket.id
            ),
        };
    };
    let method = inputs.api_method.as_deref().map(str::trim).filter(|method| !method.is_empty());
    Action::Api(ApiRequest {
        method: method.unwrap_or("GET").to_uppercase(),
        url: url.trim().to_owned(),
        headers: inputs.api_headers.clone(),
        body: inputs.api_body.clone().filter(|body| !body.is_null()),
        timeout: timeout(inputs.api_timeout_seconds, API_TIMEOUT_SECONDS),
    })
}

/// `prompt`, else description, else name; the endpoint is `llm_endpoint`, else `executor.handler` (koru §7). A handler
/// that cannot be an endpoint (`reviewer`) is somebody's name: nobody is asked in its place.
fn chat(ticket: &Ticket) -> Action {
    let inputs = &ticket.inputs;
    let more = inputs.llm.as_deref().cloned().unwrap_or_default();
    let prompt = [inputs.prompt.as_deref(), Some(&*ticket.description), Some(&*ticket.name)];
    let Some(prompt) = first_filled(prompt) else {
        return Action::Missing {
            what: format!(
                "{}: an llm ticket needs inputs.prompt, a description or a name; all are empty",
                ticket.id
            ),
        };
    };
    let handler = first_filled([ticket.executor.handler.as_deref()]);
    let endpoint = match (first_filled([more.endpoint.as_deref()]), handler) {
        (Some(endpoint), _) => Some(endpoint),
        (None, Some(handler)) if !llm::endpoint::looks_like_one(handler) => {
            return Action::Missing {
                what: format!(
                    "{}: executor.handler is {handler:?}, which is no URL to ask a language model at; write \
                     agent:{handler} for a coding agent of that name, or leave it out",
                    ticket.id
                ),
            };
        }
        (None, handler) => handler,
    };
    let model = first_filled([inputs.llm_model.as_deref()]).unwrap_or(llm::request::MODEL);
    Action::Llm(Box::new(LlmRequest {
        endpoint: endpoint.map(|endpoint| endpoint.trim().to_owned()),
        model: model.trim().to_owned(),
        system: first_filled([more.system.as_deref()]).map(str::to_owned),
        prompt: prompt.to_owned(),
        temperature: more.temperature.unwrap_or(0.0),
        max_tokens: more.max_tokens,
        schema: more.response_schema,
        timeout: timeout(more.timeout_seconds, LLM_TIMEOUT_SECONDS),
    }))
}

fn first_filled<'a>(texts: impl IntoIterator<Item = Option<&'a str>>) -> Option<&'a str> {
    texts.into_iter().flatten().find(|text| !text.trim().is_empty())
}

/// Seconds as written, or the default when they are missing, not a number, zero or negative.
fn timeout(seconds: Option<f64>, default: f64) -> Duration {
    let seconds = seconds.filter(|seconds| seconds.is_finite() && *seconds > 0.0).unwrap_or(default);
    Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST_TIMEOUT).min(LONGEST_TIMEOUT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ticket::{Executor, Inputs, TicketId};

    fn ticket(kind: &str, inputs: Inputs, handler: Option<&str>) -> Ticket {
        Ticket {
            id: TicketId::new("PLF-001"),
            executor: Executor {
                kind: kind.to_owned().into(),
                mode: None,
                handler: handler.map(str::to_owned),
            },
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

        let blank =
            Inputs { script: Some("  \n".to_owned()), timeout_seconds: Some(1.5), ..Inputs::default() };
        let want = Action::Shell { command: "other".to_owned(), timeout: Duration::from_millis(1500) };
        assert_eq!(Action::of(&ticket("shell", blank, Some("other"))), want);
    }

    #[test]
    fn missing_inputs_name_the_fields() {
        let Action::Missing { what } = Action::of(&ticket("shell", Inputs::default(), None)) else {
            panic!()
        };
        assert_eq!(what, "PLF-001: a shell ticket needs inputs.script or executor.handler; neither is set");
        let Action::Missing { what } = Action::of(&ticket("api", Inputs::default(), Some(""))) else {
            panic!()
        };
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
        for kind in ["mcp", "martian"] {
            let action = Action::of(&ticket(kind, Inputs::default(), None));
            assert_eq!(action, Action::Unsupported { kind: kind.to_owned() });
        }
    }
}
