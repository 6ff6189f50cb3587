//! What a ticket asks of an MCP tool, as plain data, and which server is meant.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::plan::settings::McpServer;

/// Where servers are named.
const PLACE: &str = "`mcp` in .planfile/.koru/config.yaml";

/// One call of a tool, as the ticket describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct McpRequest {
    /// Name of the server in the configuration, if the ticket says it apart.
    pub server: Option<String>,
    /// Tool, with the server's name and a slash before it where `server` does not say it.
    pub tool: String,
    /// Arguments.
    pub arguments: Map<String, Value>,
    /// Limit until the answer, the server's start included.
    pub timeout: Duration,
}

/// Which server a call is meant for, and what the tool is called there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target<'a> {
    /// Name of the server.
    pub name: &'a str,
    /// The server.
    pub server: &'a McpServer,
    /// Tool.
    pub tool: &'a str,
}

impl McpRequest {
    /// Finds the server: the one that is named, else the one before the slash, else the only one.
    ///
    /// # Errors
    /// A sentence that names the servers that are known.
    pub fn target<'a>(&'a self, servers: &'a BTreeMap<String, McpServer>) -> Result<Target<'a>, String> {
        if servers.is_empty() {
            return Err(none_configured());
        }
        let known = || servers.keys().cloned().collect::<Vec<_>>().join(", ");
        let unknown = |name: &str| format!("no MCP server {name:?} under {PLACE}; known: {}", known());
        if let Some(name) = &self.server {
            let (name, server) = servers.get_key_value(name).ok_or_else(|| unknown(name))?;
            return Ok(Target { name, server, tool: &self.tool });
        }
        let parts = self.tool.split_once('/');
        let found = parts.and_then(|(name, tool)| Some((servers.get_key_value(name)?, tool)));
        if let Some(((name, server), tool)) = found {
            return Ok(Target { name, server, tool });
        }
        let mut all = servers.iter();
        match (all.next(), all.next(), parts) {
            // A tool may have a slash in its own name: with one server there is nobody else to be meant.
            (Some((name, server)), None, _) => Ok(Target { name, server, tool: &self.tool }),
            (_, _, Some((name, _))) => Err(unknown(name)),
            _ => Err(format!(
                "which MCP server has the tool {:?}? Write SERVER/{} or inputs.mcp_server; known: {}",
                self.tool,
                self.tool,
                known()
            )),
        }
    }

    /// The same, with its server said apart where the configuration tells which one is meant.
    #[must_use]
    pub fn settled(self, servers: &BTreeMap<String, McpServer>) -> McpRequest {
        match self.target(servers).map(|target| (target.name.to_owned(), target.tool.to_owned())) {
            Ok((server, tool)) => McpRequest { server: Some(server), tool, ..self },
            Err(_) => self,
        }
    }

    /// `SERVER/TOOL`, as far as the server is known.
    pub fn name(&self) -> String {
        match &self.server {
            Some(server) => format!("{server}/{}", self.tool),
            None => self.tool.clone(),
        }
    }

    /// The call as JSON, for a dry run (koru §4.1 step 5).
    pub fn to_json(&self) -> Value {
        json!({
            "server": self.server, "tool": self.tool, "arguments": self.arguments,
            "timeout_seconds": self.timeout.as_secs_f64(),
        })
    }
}

/// Why no MCP ticket runs without a server.
pub fn none_configured() -> String {
    format!(
        "no MCP server is configured: name one under {PLACE} (koru-tui doctor says what does not count there)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(server: Option<&str>, tool: &str) -> McpRequest {
        McpRequest {
            server: server.map(str::to_owned),
            tool: tool.to_owned(),
            arguments: Map::new(),
            timeout: Duration::from_secs(1),
        }
    }

    fn servers(names: &[&str]) -> BTreeMap<String, McpServer> {
        names.iter().map(|name| ((*name).to_owned(), McpServer::default())).collect()
    }

    fn told(server: Option<&str>, tool: &str, names: &[&str]) -> Result<(String, String), String> {
        let (request, servers) = (request(server, tool), servers(names));
        request.target(&servers).map(|target| (target.name.to_owned(), target.tool.to_owned()))
    }

    #[test]
    fn a_server_is_named_apart_before_the_slash_or_is_the_only_one() {
        let is = |server: &str, tool: &str| Ok((server.to_owned(), tool.to_owned()));
        assert_eq!(told(Some("b"), "x/y", &["a", "b"]), is("b", "x/y"));
        assert_eq!(told(None, "b/x/y", &["a", "b"]), is("b", "x/y"));
        assert_eq!(told(None, "x", &["a"]), is("a", "x"));
        assert_eq!(told(None, "x/y", &["a"]), is("a", "x/y"));
        let unknown = Err(format!("no MCP server \"c\" under {PLACE}; known: a, b"));
        assert_eq!(told(Some("c"), "x", &["a", "b"]), unknown);
        assert_eq!(told(None, "c/x", &["a", "b"]), unknown);
        let which = "which MCP server has the tool \"x\"? Write SERVER/x or inputs.mcp_server; known: a, b";
        assert_eq!(told(None, "x", &["a", "b"]), Err(which.to_owned()));
        assert_eq!(told(None, "x", &[]), Err(none_configured()));
    }

    #[test]
    fn a_request_is_settled_where_its_server_is_known() {
        let settled = |request: McpRequest, names: &[&str]| request.settled(&servers(names)).name();
        assert_eq!(settled(request(None, "b/x"), &["a", "b"]), "b/x");
        assert_eq!(settled(request(None, "x"), &["a"]), "a/x");
        assert_eq!(settled(request(None, "x"), &["a", "b"]), "x");
        assert_eq!(settled(request(Some("c"), "x"), &["a"]), "c/x");
        let kept = request(None, "b/x").settled(&servers(&["a", "b"]));
        assert_eq!(kept, request(Some("b"), "x"));
    }
}
