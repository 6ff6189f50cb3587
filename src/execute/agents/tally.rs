//! What a run of an agent amounts to so far: shown in the status line, stored with the result, held against budgets.

use serde::{Deserialize, Serialize};

/// Token counts. `input` never includes what was read from a cache, whatever the agent's own habit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// Sent and not cached.
    pub input: u64,
    /// Read from a cache.
    pub cache_read: u64,
    /// Written to a cache.
    pub cache_write: u64,
    /// Received, reasoning included.
    pub output: u64,
}

impl Tokens {
    /// All of them: what a token budget counts.
    pub fn total(self) -> u64 {
        self.input + self.cache_read + self.cache_write + self.output
    }
}

/// Money in US dollars.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// US dollars of this run.
    pub usd: f64,
    /// Computed by us from a price table instead of reported by the agent.
    pub estimated: bool,
}

/// What a run amounts to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Conversation id to resume by.
    pub conversation: Option<String>,
    /// Model in use.
    pub model: Option<String>,
    /// Replies so far.
    pub turns: u32,
    /// Tool calls so far.
    pub tools: u32,
    /// Tools that failed.
    pub failed_tools: u32,
    /// File changes reported so far.
    pub changes: u32,
    /// Tokens of this run.
    pub tokens: Tokens,
    /// Cost of this run.
    pub cost: Option<Cost>,
    /// What it does right now, in a few words (foreign text): the running tool, `thinking`, a retry.
    pub doing: Option<String>,
    /// Last error that it reported (foreign text).
    pub last_error: Option<String>,
}
