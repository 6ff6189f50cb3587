//! What a run of an agent amounts to so far: shown in the status line, stored with the result, held against budgets.
//!
//! Foreign numbers come in here: nothing overflows.

use serde::{Deserialize, Serialize};

use crate::plan::settings::Price;

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
    /// All of them: what a token budget counts. Foreign numbers: saturating, as all arithmetic here.
    pub fn total(self) -> u64 {
        [self.cache_read, self.cache_write, self.output].into_iter().fold(self.input, u64::saturating_add)
    }

    /// Both together.
    pub fn plus(self, other: Tokens) -> Tokens {
        Tokens {
            input: self.input.saturating_add(other.input),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            cache_write: self.cache_write.saturating_add(other.cache_write),
            output: self.output.saturating_add(other.output),
        }
    }

    /// Whether there are none.
    fn is_nothing(&self) -> bool {
        *self == Tokens::default()
    }

    /// What `other` leaves of these, count by count; never below zero.
    pub fn less(self, other: Tokens) -> Tokens {
        Tokens {
            input: self.input.saturating_sub(other.input),
            cache_read: self.cache_read.saturating_sub(other.cache_read),
            cache_write: self.cache_write.saturating_sub(other.cache_write),
            output: self.output.saturating_sub(other.output),
        }
    }
}

/// What so many tokens cost at that price, in US dollars.
pub fn estimate(tokens: Tokens, price: Price) -> f64 {
    const MILLION: f64 = 1_000_000.0;
    // Exact up to 2^53 tokens.
    #[expect(clippy::cast_precision_loss, reason = "money estimated from a price table")]
    let part = |count: u64, usd: f64| count as f64 * usd / MILLION;
    part(tokens.input, price.input)
        + part(tokens.cache_read, price.cache_read)
        + part(tokens.cache_write, price.cache_write)
        + part(tokens.output, price.output)
}

/// Money in US dollars.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// US dollars of this run.
    pub usd: f64,
    /// Computed by us from a price table instead of reported by the agent.
    pub estimated: bool,
}

impl std::ops::Add for Tokens {
    type Output = Tokens;

    fn add(self, other: Tokens) -> Tokens {
        self.plus(other)
    }
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
    /// Those of them that helpers of the agent used in conversations of their own.
    #[serde(default, skip_serializing_if = "Tokens::is_nothing")]
    pub aside: Tokens,
    /// Cost of this run.
    pub cost: Option<Cost>,
    /// What it does right now, in a few words (foreign text): the running tool, `thinking`, a retry.
    pub doing: Option<String>,
    /// Last error that it reported (foreign text).
    pub last_error: Option<String>,
}

impl Tally {
    /// This and what a later session of the same run amounts to: numbers are added, names are the later one's.
    #[must_use]
    pub fn plus(&self, later: &Tally) -> Tally {
        let cost = match (self.cost, later.cost) {
            (Some(a), Some(b)) => Some(Cost { usd: a.usd + b.usd, estimated: a.estimated || b.estimated }),
            (one, other) => other.or(one),
        };
        Tally {
            conversation: later.conversation.clone().or_else(|| self.conversation.clone()),
            model: later.model.clone().or_else(|| self.model.clone()),
            turns: self.turns.saturating_add(later.turns),
            tools: self.tools.saturating_add(later.tools),
            failed_tools: self.failed_tools.saturating_add(later.failed_tools),
            changes: self.changes.saturating_add(later.changes),
            tokens: self.tokens + later.tokens,
            aside: self.aside + later.aside,
            cost,
            doing: later.doing.clone(),
            last_error: later.last_error.clone(),
        }
    }
}
