//! The agents that are known by name.

use serde::{Deserialize, Serialize};

/// An agent program, or any command of the operator's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgentKind {
    /// Claude Code.
    Claude,
    /// Codex.
    Codex,
    /// pi.
    Pi,
    /// OpenCode.
    #[serde(rename = "opencode")]
    OpenCode,
    /// Gemini CLI.
    Gemini,
    /// aider.
    Aider,
    /// A command from the project's configuration.
    Custom,
}

impl AgentKind {
    /// Every agent that needs no configuration, in order of preference.
    pub const BUILT_IN: [AgentKind; 6] = [
        AgentKind::Claude,
        AgentKind::Codex,
        AgentKind::Pi,
        AgentKind::OpenCode,
        AgentKind::Gemini,
        AgentKind::Aider,
    ];

    /// The word in configuration, tickets and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            AgentKind::Claude => "claude",
            AgentKind::Codex => "codex",
            AgentKind::Pi => "pi",
            AgentKind::OpenCode => "opencode",
            AgentKind::Gemini => "gemini",
            AgentKind::Aider => "aider",
            AgentKind::Custom => "custom",
        }
    }

    /// Reads a word, also koru's own ids (`claude-code`, `gemini-cli`; koru §6.4).
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "claude" | "claude-code" => AgentKind::Claude,
            "codex" => AgentKind::Codex,
            "pi" => AgentKind::Pi,
            "opencode" => AgentKind::OpenCode,
            "gemini" | "gemini-cli" => AgentKind::Gemini,
            "aider" => AgentKind::Aider,
            "custom" => AgentKind::Custom,
            _ => return None,
        })
    }
}
