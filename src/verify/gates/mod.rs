//! Quality gates, run in the folder of the work before a ticket may be complete (koru §4.5, §4.6).
//!
//! The policy's `ci.command` is the one gate when it is set; otherwise test runners and tools are detected. What was
//! not run is *skipped* and says why: it never counts as passed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What one gate said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateResult {
    /// Name: `ci`, `cargo test`, `pytest`, …
    pub gate: String,
    /// How it went.
    pub state: GateState,
    /// Command line, if one was run.
    pub command: Option<String>,
    /// Exit code, if it ended by itself.
    pub exit_code: Option<i32>,
    /// End of its output (foreign text, redacted).
    pub output: String,
    /// Wall time.
    pub duration: Duration,
}

/// How a gate went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum GateState {
    /// It ran and exited 0.
    Passed,
    /// It ran and did not, or took too long.
    Failed {
        /// Sentence.
        why: String,
    },
    /// It was not run.
    Skipped {
        /// Sentence.
        why: String,
    },
    /// It was waived by somebody, on record (koru §6.5).
    Waived {
        /// Who and why.
        why: String,
    },
}
