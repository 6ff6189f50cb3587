//! From a ticket to what will be done, decided once and without side effects (koru §4.1 step 3–5, §4.3).
//!
//! An [`Action`] is plain data: dry runs print it, the policy judges it, an executor performs it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::llm::{self, request::LlmRequest};
use super::mcp::{self, request::McpRequest};
use crate::plan::settings::McpServer;
use crate::plan::ticket::{ExecutorKind, Ticket};

/// Seconds a shell command may take when `inputs.timeout_seconds` is not set (ours; koru has no limit).
const SHELL_TIMEOUT_SECONDS: f64 = 600.0;

/// Seconds a request may take when `inputs.api_timeout_seconds` is not set (koru §4.3).
const API_TIMEOUT_SECONDS: f64 = 30.0;

/// Seconds a question to a language model may take when `inputs.llm_timeout_seconds` is not set (koru §7).
const LLM_TIMEOUT_SECONDS: f64 = 60.0;

/// Seconds until a tool of an MCP server must have answered when `inputs.timeout_seconds` is not set (ours).
const MCP_TIMEOUT_SECONDS: f64 = 120.0;

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
    /// One call of a tool of an MCP server.
    Mcp(Box<McpRequest>),
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
        /// Why, as a sentence.
        why: String,
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
            ExecutorKind::Mcp => tool(ticket),
            ExecutorKind::Other(kind) => {
                let why = format!("this version cannot run executor kind {kind}");
                Action::Unsupported { kind: kind.clone(), why }
            }
        }
    }

    /// The same where the project's configuration is known: without an MCP server there, no MCP ticket can be run (koru
    /// A33), and with one, the call says which it means.
    #[must_use]
    pub fn in_project(self, ticket: &Ticket, servers: &BTreeMap<String, McpServer>) -> Action {
        match (self, &ticket.executor.kind) {
            (Action::Mcp(_) | Action::Missing { .. }, ExecutorKind::Mcp) if servers.is_empty() => {
                let kind = ticket.executor.kind.word().to_owned();
                Action::Unsupported { kind, why: mcp::request::none_configured() }
            }
            (Action::Mcp(request), _) => Action::Mcp(Box::new(request.settled(servers))),
            (action, _) => action,
        }
    }

    /// One line for lists and notes: the shell text, `METHOD URL`, `llm MODEL` (koru §4.1) or `mcp SERVER/TOOL`.
    pub fn label(&self) -> String {
        match self {
            Action::Shell { command, .. } => command.clone(),
            Action::Api(request) => format!("{} {}", request.method, request.url),
            Action::Llm(request) => format!("llm {}", request.model),
            Action::Mcp(request) => format!("mcp {}", request.name()),
            Action::Human { question } => question.clone(),
            Action::Agent { agent: Some(name) } => format!("agent {name}"),
            Action::Agent { agent: None } => "agent".to_owned(),
            Action::Missing { what } => what.clone(),
            Action::Unsupported { kind, .. } => kind.clone(),
        }
    }

    /// What a dry run says: the command, or the request as JSON (koru §4.1 step 5).
    pub fn dry_run_text(&self, llm: &llm::Ground<'_>) -> String {
        match self {
            Action::Llm(request) => llm.preview(request).to_string(),
            Action::Api(request) => request.to_json().to_string(),
            Action::Mcp(request) => request.to_json().to_string(),
            other => other.label(),
        }
    }

    /// The command line that the policy must judge before the ticket is claimed.
    pub fn command_line(&self) -> Option<&str> {
        match self {
            Action::Shell { command, .. } => Some(command),
            Action::Api(_)
            | Action::Llm(_)
            | Action::Mcp(_)
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

/// `mcp_tool`, else `executor.handler`.
fn tool(ticket: &Ticket) -> Action {
    let inputs = &ticket.inputs;
    let more = inputs.mcp.as_deref().cloned().unwrap_or_default();
    let missing = |what: &str| Action::Missing { what: format!("{}: {what}", ticket.id) };
    let Some(tool) = first_filled([inputs.mcp_tool.as_deref(), ticket.executor.handler.as_deref()]) else {
        return missing("an mcp ticket needs inputs.mcp_tool or executor.handler; neither is set");
    };
    let arguments = match more.arguments {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(arguments)) => arguments,
        Some(_) => return missing("inputs.mcp_arguments is not a mapping; write it as {name: value}"),
    };
    Action::Mcp(Box::new(McpRequest {
        server: first_filled([more.server.as_deref()]).map(|server| server.trim().to_owned()),
        tool: tool.trim().to_owned(),
        arguments,
        timeout: timeout(inputs.timeout_seconds, MCP_TIMEOUT_SECONDS),
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
mod tests;
