//! What a ticket's work needs: the `inputs` block as plain data.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The `inputs` block, with the keys that koru documents and planfile drops.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    /// Question or instruction.
    pub prompt: Option<String>,
    /// Environment variables that must be set.
    pub env_keys: Vec<String>,
    /// Shell text.
    pub script: Option<String>,
    /// URL.
    pub api_endpoint: Option<String>,
    /// HTTP method as written; `GET` when missing.
    pub api_method: Option<String>,
    /// Header values as text, in file order.
    pub api_headers: Vec<(String, String)>,
    /// JSON body.
    pub api_body: Option<Value>,
    /// Seconds; 30 when missing.
    pub api_timeout_seconds: Option<f64>,
    /// Seconds for shell; ours, 600 when missing.
    pub timeout_seconds: Option<f64>,
    /// MCP tool: `tool` or `server/tool`.
    pub mcp_tool: Option<String>,
    /// More about the tool (ours).
    pub mcp: Option<Box<McpInputs>>,
    /// Model name.
    pub llm_model: Option<String>,
    /// More about a chat with a model; boxed, because few tickets have it.
    pub llm: Option<Box<LlmInputs>>,
    /// Answer choices offered on a human ticket (ours).
    pub choices: Vec<String>,
    /// Whether the work must change files (koru, later contract): with `true` a run that changed none has failed.
    pub expect_files_changed: Option<bool>,
}

/// What koru documents of a chat and planfile drops; the keys stand in `inputs` like all others.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LlmInputs {
    /// `llm_endpoint`: URL.
    pub endpoint: Option<String>,
    /// `system_prompt`.
    pub system: Option<String>,
    /// `llm_temperature`; 0 when missing.
    pub temperature: Option<f64>,
    /// `llm_max_tokens`: most tokens of the answer.
    pub max_tokens: Option<u64>,
    /// `llm_timeout_seconds`; 60 when missing.
    pub timeout_seconds: Option<f64>,
    /// `response_schema`: JSON schema of the answer, as it stands in the file.
    pub response_schema: Option<Value>,
}

/// What a call of an MCP tool needs besides its name (ours); the keys stand in `inputs` like all others.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct McpInputs {
    /// `mcp_server`: its name in the configuration.
    pub server: Option<String>,
    /// `mcp_arguments`, as they stand in the file.
    pub arguments: Option<Value>,
}
