//! The project's configuration, `.planfile/.koru/config.yaml` (DESIGN §4): roles, agents, budgets, MCP servers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The whole file. Every key is optional.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Role → agent name; the role `worker` is who works a delegated ticket.
    pub roles: BTreeMap<String, String>,
    /// Agent name → how it is run. A name that is an agent's own word needs no `kind`.
    pub agents: BTreeMap<String, AgentSettings>,
    /// Limits of a run and of a day.
    pub budgets: Budgets,
    /// MCP servers by name.
    pub mcp: BTreeMap<String, McpServer>,
    /// The chat executor.
    pub llm: LlmSettings,
}

/// How one agent is run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentSettings {
    /// Which program it is (`claude`, `codex`, `pi`, `opencode`, `gemini`, `aider`, `custom`); the name when missing.
    pub kind: Option<String>,
    /// Path or name of the program; its usual name when missing.
    pub program: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Arguments added to the built-in ones; for `custom` the whole command line as a template
    /// (`{prompt}`, `{prompt_file}`, `{model}`, `{resume}`, `{worktree}`).
    pub args: Vec<String>,
    /// Variables that it gets.
    pub env: BTreeMap<String, String>,
    /// Variables of koru-tui's own environment that it gets, secrets included.
    pub env_keys: Vec<String>,
    /// Folders beside its worktree that it may write to (its own state); the agent's usual ones are known.
    pub writable: Vec<String>,
    /// For `custom`: how its output is read: `text` (default) or the word of an agent whose stream it speaks.
    pub stream: Option<String>,
    /// US dollars per million tokens, for estimates when the agent reports no cost.
    pub price: Option<Price>,
}

/// US dollars per million tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Price {
    /// Sent.
    pub input: f64,
    /// Read from a cache.
    pub cache_read: f64,
    /// Written to a cache.
    pub cache_write: f64,
    /// Received.
    pub output: f64,
}

/// Limits. Missing numbers have the defaults of [`Budgets::default`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Budgets {
    /// Minutes that one run may take.
    pub run_minutes: f64,
    /// Minutes of silence after which a run is shown as stalled.
    pub stalled_minutes: f64,
    /// Minutes of silence after which a run is stopped; none by default.
    pub silence_minutes: Option<f64>,
    /// Tokens of one run.
    pub run_tokens: Option<u64>,
    /// US dollars of one run.
    pub run_usd: Option<f64>,
    /// Tokens of one day (local calendar), all runs together.
    pub day_tokens: Option<u64>,
    /// US dollars of one day, all runs together.
    pub day_usd: Option<f64>,
    /// How often a run may be put to sleep by a rate limit and go on by itself.
    pub rate_limit_sleeps: u32,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            run_minutes: 60.0,
            stalled_minutes: 5.0,
            silence_minutes: None,
            run_tokens: None,
            run_usd: None,
            day_tokens: None,
            day_usd: None,
            rate_limit_sleeps: 3,
        }
    }
}

/// An MCP server: a program that speaks on its standard streams, or a URL.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct McpServer {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Variables for the program.
    pub env: BTreeMap<String, String>,
    /// Variables of koru-tui's own environment that the program gets.
    pub env_keys: Vec<String>,
    /// Streamable HTTP endpoint.
    pub url: Option<String>,
    /// Headers for the endpoint.
    pub headers: BTreeMap<String, String>,
}

/// The chat executor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LlmSettings {
    /// Whether answers are cached (koru §6.8): off unless said.
    pub cache: bool,
    /// Hours that a cached answer counts; 24 when missing.
    pub cache_hours: Option<f64>,
}
