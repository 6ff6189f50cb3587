//! The project's configuration, `.planfile/.koru/config.yaml` (DESIGN §4): roles, agents, budgets, MCP servers, what
//! runs see of the environment.
//!
//! The file belongs to the operator; `init` writes a commented stub once ([`STUB`]) and nothing else writes it.
//! [`Settings::load`] never fails: whatever cannot be understood leaves the default in force and is reported as a
//! [`SettingsNote`]. Invariant: a mistake in the file never loosens anything. Since the defaults know no spending limit,
//! a file that cannot be read, or a limit that cannot (a misspelt one included), means that **no agent is started** ([`Settings::agent`] refuses)
//! until the operator corrected it.
//!
//! The parts: [`load`] reads the file, [`blocks`] each of its blocks through the [`reader`], [`choice`] says which agent
//! works a ticket, `near` finds the key that was meant, `place` where it stands.

mod blocks;
mod choice;
mod load;
mod near;
mod place;
mod promotion;
mod reader;
mod server;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use choice::{AgentChoice, AgentChoiceError};
pub use load::{NoteLevel, SettingsNote};
pub use promotion::{Onto, PromotionSettings, Risk};
pub use server::McpServer;

/// The words of the agents that are known by name, in order of preference; `execute::agents::kind` gives them meaning.
pub const AGENT_WORDS: [&str; 6] = ["claude", "codex", "pi", "opencode", "gemini", "aider"];

/// The word of an agent that is a command of the operator's own.
pub const CUSTOM: &str = "custom";

/// The role that works a delegated ticket.
pub const WORKER: &str = "worker";

/// The role that judges the work of a round. Where nobody has it, work is not reviewed.
pub const REVIEWER: &str = "reviewer";

/// What `init` writes: every key with its default, as comments.
pub const STUB: &str = include_str!("../../../assets/config.yaml");

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
    /// Rounds of worker and reviewer.
    pub review: ReviewSettings,
    /// What may land, and how.
    pub promotion: PromotionSettings,
    /// Names of variables, or globs of names, that runs get besides the usual ones. A glob never gives away a variable
    /// whose name says that it is a secret: such a one is named in full, or by a ticket's `inputs.env_keys`.
    pub environment: Vec<String>,
    /// Why no agent may be started, as a sentence: the file, or a limit in it, cannot be understood.
    #[serde(skip)]
    pub refused: Option<String>,
    /// Agents of the file that cannot be used, by name, with what is wrong with them.
    #[serde(skip)]
    pub unusable: BTreeMap<String, String>,
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
    /// For `custom`: how its output is read: `text` (default) or the word of an agent whose stream it speaks. For `codex`:
    /// `exec` starts it once a round, so that it hears nothing while it works, instead of its app server.
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

/// Longest time that is honoured; longer ones are shortened to it.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

impl Budgets {
    /// How long one run may take.
    pub fn run_timeout(&self) -> Duration {
        minutes(self.run_minutes)
    }

    /// Silence after which a run is shown as stalled.
    pub fn stalled_after(&self) -> Duration {
        minutes(self.stalled_minutes)
    }

    /// Silence after which a run is stopped; `None` when silence stops nothing.
    pub fn silence_limit(&self) -> Option<Duration> {
        self.silence_minutes.map(minutes)
    }
}

impl Budgets {
    /// What stops a run, a short text each, for the brief of an agent.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("at most {} minutes", self.run_minutes)];
        lines.extend(
            self.silence_minutes.map(|minutes| format!("stopped after {minutes} minutes of silence")),
        );
        lines.extend(self.run_tokens.map(|tokens| format!("at most {tokens} tokens")));
        lines.extend(self.run_usd.map(|usd| format!("at most {usd} US dollars")));
        lines.extend(
            self.day_tokens.map(|tokens| format!("at most {tokens} tokens a day, all runs together")),
        );
        lines.extend(self.day_usd.map(|usd| format!("at most {usd} US dollars a day, all runs together")));
        lines
    }
}

/// Minutes that were checked on reading; whatever else is in there counts as nothing.
fn minutes(minutes: f64) -> Duration {
    Duration::try_from_secs_f64(minutes * 60.0).unwrap_or_default().min(LONGEST)
}

/// The chat executor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LlmSettings {
    /// Whether answers are cached (koru §6.8): off unless said.
    pub cache: bool,
    /// Hours that a cached answer counts; 24 when missing.
    pub cache_hours: Option<f64>,
    /// Host → variable that holds the key for it, or `none` for a host that is called without one. A key goes to no
    /// other host.
    pub keys: BTreeMap<String, String>,
}

/// Rounds of worker and reviewer. The defaults are loop-kit's and kagura-engineer's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReviewSettings {
    /// Rounds that a ticket may take before a person decides.
    pub max_rounds: u32,
    /// Times that `review --fix` lets an agent mend before it gives up.
    pub max_loops: u32,
    /// Command line of a reviewing program that speaks `kagura-code-reviewer`'s envelope; the role `reviewer` judges
    /// when it is empty.
    pub command: Vec<String>,
}

impl Default for ReviewSettings {
    fn default() -> Self {
        Self { max_rounds: 3, max_loops: 3, command: Vec::new() }
    }
}

impl Settings {
    /// The settings of the project at `root`, and everything in the file that did not count. A missing file is no
    /// mistake.
    pub fn load(root: &Path) -> (Settings, Vec<SettingsNote>) {
        load::load(root)
    }

    /// Which agent works, by its name, by an agent's own word or koru's id for it, or by a role; for `None` whoever has
    /// the role `worker`, else the only agent of the file. `Ok(None)` leaves the choice to what is installed: the caller
    /// asks again with each of [`AGENT_WORDS`] that it finds on the machine, in that order.
    ///
    /// # Errors
    /// See [`AgentChoiceError`]. Nobody may be started past such an error.
    pub fn agent(&self, name: Option<&str>) -> Result<Option<AgentChoice>, AgentChoiceError> {
        choice::choose(self, name)
    }
}
