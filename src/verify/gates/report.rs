//! What the gates amount to, and what follows for the ticket.

use serde::{Deserialize, Serialize};

use super::waiver::{Waiver, WaiverMode};
use super::{GateResult, GateState};
use crate::plan::policy::Policy;

/// What all gates said, in the order in which they stand.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GateReport {
    /// One result a gate.
    pub results: Vec<GateResult>,
}

/// What the gates amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// At least one ran, and all that ran passed.
    Passed,
    /// At least one failed.
    Failed,
    /// None ran, and at least one was waived on record.
    Waived,
    /// None ran: no success.
    NothingRan,
}

/// What follows for the ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// Nothing speaks against completing it.
    Complete,
    /// Its run failed.
    Fail {
        /// Sentence for `last_error`.
        why: String,
    },
    /// A person decides: the ticket waits for input, the work is kept.
    Ask {
        /// Question for the ticket.
        why: String,
    },
}

impl GateReport {
    /// What the gates amount to.
    pub fn verdict(&self) -> Verdict {
        let any = |is: fn(&GateState) -> bool| self.results.iter().any(|result| is(&result.state));
        if any(|state| matches!(state, GateState::Failed { .. })) {
            Verdict::Failed
        } else if any(|state| matches!(state, GateState::Passed)) {
            Verdict::Passed
        } else if any(|state| matches!(state, GateState::Waived { .. })) {
            Verdict::Waived
        } else {
            Verdict::NothingRan
        }
    }

    /// What follows under `policy`. Where it requires CI before a ticket is complete, *nothing ran* is not success and
    /// nobody certifies their own work: a person is asked (koru §2.5). A waiver of mode `mandatory_human` asks a person
    /// even when every gate passed (koru §4.5). Where the policy requires nothing, what the gates say is only shown.
    pub fn consequence(&self, policy: &Policy, waiver: Option<&Waiver>) -> Consequence {
        let verdict = self.verdict();
        if verdict == Verdict::Failed && policy.require_ci_pass_before_complete {
            return Consequence::Fail { why: self.failures() };
        }
        if let Some(waiver) = waiver.filter(|waiver| waiver.mode == WaiverMode::MandatoryHuman) {
            let (who, why) = (&waiver.authorized_by, &waiver.reason);
            return Consequence::Ask {
                why: format!("{who} demands that a person decides: {why} (gates: {})", self.summary()),
            };
        }
        match verdict {
            Verdict::NothingRan if policy.require_ci_pass_before_complete => Consequence::Ask {
                why: format!(
                    "no quality gate ran ({}), so nothing proves this work: look at it and decide, or set ci.command in \
                     .planfile/.koru/policy.yaml",
                    self.reasons()
                ),
            },
            _ => Consequence::Complete,
        }
    }

    /// The gates in one line: `cargo test passed, pytest skipped`.
    pub fn summary(&self) -> String {
        if self.results.is_empty() {
            return "none found".to_owned();
        }
        let word = |state: &GateState| match state {
            GateState::Passed => "passed",
            GateState::Failed { .. } => "failed",
            GateState::Skipped { .. } => "skipped",
            GateState::Waived { .. } => "waived",
        };
        let parts: Vec<String> =
            self.results.iter().map(|result| format!("{} {}", result.gate, word(&result.state))).collect();
        parts.join(", ")
    }

    /// The failed gates with the end of their output, for `last_error` and for whoever tries again.
    fn failures(&self) -> String {
        let failed = self.results.iter().filter_map(|result| match &result.state {
            GateState::Failed { why } => {
                let output = result.output.trim_end();
                let output = if output.is_empty() { String::new() } else { format!("\n{output}") };
                Some(format!("the gate {} failed: {why}{output}", result.gate))
            }
            _ => None,
        });
        failed.collect::<Vec<_>>().join("\n")
    }

    fn reasons(&self) -> String {
        if self.results.is_empty() {
            return "no test runner was found and ci.command is empty".to_owned();
        }
        let reason = |result: &GateResult| match &result.state {
            GateState::Skipped { why } => Some(format!("{}: {why}", result.gate)),
            _ => None,
        };
        self.results.iter().filter_map(reason).collect::<Vec<_>>().join("; ")
    }
}
