//! The conversation with a server: begin, look whether it has the tool, hold the arguments to its schema, call, close.

use std::error::Error;
use std::fmt::Display;
use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig, Implementation,
    PaginatedRequestParams, ProtocolVersion, Tool,
};
use rmcp::service::{ClientInitializeError, RunningService, ServiceError};
use rmcp::transport::streamable_http_client::StreamableHttpError;
use rmcp::transport::{DynamicTransportError, Transport};
use rmcp::{RoleClient, serve_client};
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout, timeout_at};

use super::arguments::{self, Checked};
use super::notifications::{Said, brief};
use crate::base::http::reason;
use crate::execute::output::Channel;

/// Pages of tools that are read.
const PAGES: usize = 50;
/// Tools that a sentence names.
const NAMED: usize = 40;
/// Characters of a server's own words in a sentence of ours.
const QUOTED: usize = 500;
/// How long closing may take: a session is taken leave of over HTTP.
const CLOSING: Duration = Duration::from_secs(3);
/// How long a server may think about how much it wants to say.
const LEVEL: Duration = Duration::from_secs(2);

/// One call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// The server's name.
    pub(super) server: String,
    /// The tool's name there.
    pub(super) tool: String,
    pub(super) arguments: Map<String, Value>,
    pub(super) deadline: Instant,
    /// Where our own remarks go.
    pub(super) said: tokio::sync::mpsc::Sender<Said>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Failure {
    /// A sentence for the ticket.
    Told(String),
    /// It was gone while this was waited for.
    Gone(&'static str),
    /// The time was up while this was waited for.
    TimedOut(&'static str),
}

type Service = RunningService<RoleClient, ClientConfig>;

const BEGIN: &str = "introduced itself";
const LIST: &str = "listed its tools";
const ANSWER: &str = "answered the call";

impl Call {
    /// Holds it. Dropping the future tells the server that nobody waits any more.
    ///
    /// # Errors
    /// See [`Failure`].
    pub(super) async fn hold<T: Transport<RoleClient> + 'static>(
        self,
        transport: T,
    ) -> Result<CallToolResult, Failure> {
        let own = Implementation::new("koru-tui", env!("CARGO_PKG_VERSION"));
        let config = ClientConfig::new(ClientCapabilities::default(), own)
            .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE);
        let service = self
            .within(BEGIN, serve_client(config, transport))
            .await?
            .map_err(|error| self.not_begun(error))?;
        let result = self.with(&service).await;
        // It is over either way.
        let _ = timeout(CLOSING, service.cancel()).await;
        result
    }

    async fn with(&self, service: &Service) -> Result<CallToolResult, Failure> {
        self.ask_for_words(service).await;
        if let Some(tool) = self.find(service).await? {
            self.check(tool).await?;
        }
        let params = CallToolRequestParams::new(self.tool.clone()).with_arguments(self.arguments.clone());
        match self.within(ANSWER, service.call_tool(params)).await? {
            Ok(result) => Ok(result),
            Err(error) => Err(self.failed(error)),
        }
    }

    async fn within<O>(&self, what: &'static str, work: impl Future<Output = O>) -> Result<O, Failure> {
        timeout_at(self.deadline, work).await.map_err(|_| Failure::TimedOut(what))
    }

    /// Asks for log messages, which some servers send only when asked. They may refuse.
    #[expect(deprecated, reason = "servers of today send log messages; the next protocol drops them")]
    async fn ask_for_words(&self, service: &Service) {
        let logs = service.peer_info().is_some_and(|info| info.capabilities.logging.is_some());
        if logs {
            let level = rmcp::model::SetLevelRequestParams::new(rmcp::model::LoggingLevel::Info);
            let patience = (Instant::now() + LEVEL).min(self.deadline);
            let _ = timeout_at(patience, service.set_level(level)).await;
        }
    }

    /// The tool, if the server can say what it has: one that cannot may know the tool all the same.
    async fn find(&self, service: &Service) -> Result<Option<Tool>, Failure> {
        let mut names: Vec<String> = Vec::new();
        let mut cursor = None;
        for _ in 0..PAGES {
            let mut page = PaginatedRequestParams::default();
            page.cursor = cursor;
            let listed = match self.within(LIST, service.list_tools(Some(page))).await? {
                Ok(listed) => listed,
                Err(ServiceError::TransportClosed) => return Err(Failure::Gone(LIST)),
                Err(_) => return Ok(None),
            };
            for tool in listed.tools {
                if tool.name == self.tool {
                    return Ok(Some(tool));
                }
                names.push(tool.name.into_owned());
            }
            cursor = listed.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        if cursor.is_some() {
            return Ok(None);
        }
        let known = match names.len() {
            0 => "none at all".to_owned(),
            _ => names.iter().take(NAMED).map(|name| brief(name)).collect::<Vec<_>>().join(", "),
        };
        let more = if names.len() > NAMED { ", …" } else { "" };
        Err(Failure::Told(format!(
            "the MCP server {} has no tool {:?}; it has {known}{more}",
            self.server, self.tool
        )))
    }

    /// Holds the arguments to the tool's schema.
    async fn check(&self, tool: Tool) -> Result<(), Failure> {
        let given = self.arguments.clone();
        let checked = tokio::task::spawn_blocking(move || arguments::check(&tool.input_schema, &given)).await;
        match checked {
            Ok(Checked::Wrong(mistakes)) => Err(Failure::Told(format!(
                "inputs.mcp_arguments do not fit what {}/{} takes: {mistakes}",
                self.server, self.tool
            ))),
            Ok(Checked::Unchecked(why)) => {
                let note =
                    format!("[the tool's schema is of no use, so the arguments were not checked: {why}]");
                let _ = self.said.send(Said::Line(Channel::Note, note)).await;
                Ok(())
            }
            Ok(Checked::Fit) | Err(_) => Ok(()),
        }
    }

    fn not_begun(&self, error: ClientInitializeError) -> Failure {
        let server = &self.server;
        match error {
            ClientInitializeError::ConnectionClosed(_) => Failure::Gone(BEGIN),
            ClientInitializeError::TransportError { error, .. } => self.transport(error, BEGIN),
            ClientInitializeError::JsonRpcError(error) => {
                Failure::Told(format!("the MCP server {server} refused to begin: {}", quoted(&error.message)))
            }
            other => {
                Failure::Told(format!("beginning with the MCP server {server} failed: {}", quoted(other)))
            }
        }
    }

    fn failed(&self, error: ServiceError) -> Failure {
        let (server, tool) = (&self.server, &self.tool);
        match error {
            ServiceError::McpError(error) => {
                Failure::Told(format!("the MCP server {server} refused {tool}: {}", quoted(&error.message)))
            }
            ServiceError::TransportClosed => Failure::Gone(ANSWER),
            ServiceError::TransportSend(error) => self.transport(error, ANSWER),
            ServiceError::UnexpectedResponse => Failure::Told(format!(
                "the MCP server {server} answered {tool} with something else than a result"
            )),
            other => {
                Failure::Told(format!("calling {tool} of the MCP server {server} failed: {}", quoted(other)))
            }
        }
    }

    /// What a transport could not do. The URL of a request is not said: it may hold a secret.
    fn transport(&self, error: DynamicTransportError, what: &'static str) -> Failure {
        let server = &self.server;
        let error = match error.error.downcast::<StreamableHttpError<reqwest::Error>>() {
            Ok(error) => *error,
            Err(error) if error.is::<std::io::Error>() => return Failure::Gone(what),
            Err(error) => {
                return Failure::Told(format!(
                    "talking to the MCP server {server} failed: {}",
                    quoted(error)
                ));
            }
        };
        let why = match error {
            StreamableHttpError::Client(error) => match error.status() {
                Some(status) => format!("HTTP {status}"),
                None => reason(error),
            },
            StreamableHttpError::AuthRequired(_) => {
                format!("HTTP 401: it wants to know who asks; set mcp.{server}.headers")
            }
            StreamableHttpError::InsufficientScope(_) => {
                format!("HTTP 403: what mcp.{server}.headers says is not enough for it")
            }
            StreamableHttpError::TransportChannelClosed => return Failure::Gone(what),
            other => quoted(chain(&other)),
        };
        Failure::Told(format!("talking to the MCP server {server} failed: {why}"))
    }
}

/// An error with its causes.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}

fn quoted(words: impl Display) -> String {
    brief(&words.to_string()).chars().take(QUOTED).collect()
}
