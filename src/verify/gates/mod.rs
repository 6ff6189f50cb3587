//! Quality gates, run in the folder of the work before a ticket may be complete (koru §4.5, §4.6).
//!
//! [`plan()`] says which gates there are: the policy's `ci.command` and nothing else when it is set, otherwise every
//! test runner and tool that the folder shows ([`detect`]; koru ran the first runner that passed and could not fail).
//! [`run`] runs them one after another and reports each. What was not run is *skipped* or *waived* and says why: it
//! never counts as passed. [`GateReport::consequence`] is the one place that says what follows for the ticket.
//!
//! A waiver ([`waiver()`]) and the tickets' promise to change files ([`expectation()`]) are judged here as well.
//!
//! Who calls this: the runtime, after the work of an agent was committed to the ticket's branch, with the ticket's
//! worktree as the folder and the environment and fence of the run. The policy is that of the main project and the
//! waiver that of the ticket *as it was claimed*: neither can have been written by the run that is judged.

mod detect;
pub mod expectation;
mod manifests;
mod report;
mod run;
#[cfg(test)]
mod tests;
pub mod waiver;

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::plan::policy::Policy;
use crate::plan::surroundings::Surroundings;

pub use expectation::expectation;
pub use report::{Consequence, GateReport, Verdict};
pub use run::{GateJob, run};
pub use waiver::{Waiver, WaiverMode, waiver};

/// Name of the one gate that the policy's `ci.command` is.
pub const CI: &str = "ci";

/// One gate before it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatePlan {
    /// Name: `ci`, `cargo test`, `pytest`, …
    pub gate: String,
    /// What will be done.
    pub planned: Planned,
}

/// What will be done about a gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "planned", rename_all = "snake_case")]
pub enum Planned {
    /// This command line runs, by `/bin/sh -c`, in the folder of the work.
    Run {
        /// Command line.
        command: String,
    },
    /// It cannot run here.
    Skip {
        /// Sentence that says why and what would help.
        why: String,
    },
}

impl GatePlan {
    /// The gate in one line, for the brief of an agent: name and command, or why it will be skipped.
    pub fn line(&self) -> String {
        match &self.planned {
            Planned::Run { command } if *command == self.gate => self.gate.clone(),
            Planned::Run { command } => format!("{}: {command}", self.gate),
            Planned::Skip { why } => format!("{} (skipped: {why})", self.gate),
        }
    }
}

/// What one gate said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateResult {
    /// Name: `ci`, `cargo test`, `pytest`, …
    pub gate: String,
    /// How it went.
    pub state: GateState,
    /// Command line, if there is one (redacted).
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
    /// It ran and did not, or took too long, or was stopped.
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
        /// Who.
        who: String,
        /// Their reason (foreign text).
        why: String,
    },
}

/// The gates of the work in `folder`: `ci.command` alone when the policy has one, else whatever is detected. `env` is the
/// environment that the gates will get: its `PATH` decides which programs there are. Reads files, runs nothing.
pub fn plan(folder: &Path, policy: &Policy, env: &[(OsString, OsString)]) -> Vec<GatePlan> {
    if !policy.ci_command.trim().is_empty() {
        let command = policy.ci_command.trim().to_owned();
        return vec![GatePlan { gate: CI.to_owned(), planned: Planned::Run { command } }];
    }
    detect::gates(folder, &env.iter().cloned().collect::<Surroundings>())
}
