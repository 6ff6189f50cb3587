//! What a reviewer decided about a piece of work, and whether its words agree with each other.

use serde::{Deserialize, Serialize};

use super::finding::{Finding, Severity, Source};

/// The decision. The words on disk are loop-kit's (`reference/loop-kit.md` §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The work may pass.
    Approve,
    /// The work goes back.
    ChangesRequired,
}

impl Decision {
    /// The word on disk.
    pub fn word(self) -> &'static str {
        match self {
            Decision::Approve => "approve",
            Decision::ChangesRequired => "changes_required",
        }
    }
}

/// A verdict. Texts are foreign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What was decided.
    pub decision: Decision,
    /// The reviewer's summary.
    #[serde(default)]
    pub summary: String,
    /// What was found, worst first.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// Who judged.
    pub by: Source,
    /// Commit that was judged, 40 hexadecimal digits, where it is known.
    #[serde(default)]
    pub head: Option<String>,
}

/// Why a verdict cannot be taken by its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contradiction {
    /// It approves and names something that must be mended first.
    ApprovedWithBlockers,
    /// It sends the work back and names nothing that must be mended.
    RejectedWithoutReason,
    /// It approves, and names something of this severity as if it need not be mended.
    ApprovedWithGrave(Severity),
}

impl std::fmt::Display for Contradiction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Contradiction::ApprovedWithBlockers => {
                f.write_str("the reviewer approved and named findings that must be mended first")
            }
            Contradiction::RejectedWithoutReason => {
                f.write_str("the reviewer required changes and named none that must be made")
            }
            Contradiction::ApprovedWithGrave(severity) => write!(
                f,
                "the reviewer approved and names a finding of severity {} among its suggestions",
                severity.word()
            ),
        }
    }
}

impl Verdict {
    /// The same with its texts cleaned of what must not be kept.
    #[must_use]
    pub fn cleaned(mut self, clean: impl Fn(&str) -> String) -> Verdict {
        self.summary = clean(&self.summary);
        for finding in &mut self.findings {
            finding.reason = clean(&finding.reason);
            finding.required_change = finding.required_change.as_deref().map(&clean);
        }
        self
    }

    /// Findings that the work may not pass with.
    pub fn blockers(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.blocking)
    }

    /// What does not agree in it, if anything. A verdict that contradicts itself is a person's to decide on.
    pub fn contradiction(&self) -> Option<Contradiction> {
        let blocked = self.blockers().next().is_some();
        match self.decision {
            Decision::Approve if blocked => Some(Contradiction::ApprovedWithBlockers),
            Decision::ChangesRequired if !blocked => Some(Contradiction::RejectedWithoutReason),
            Decision::ChangesRequired => None,
            Decision::Approve => {
                let grave = self.findings.iter().find(|finding| finding.severity >= Severity::High);
                grave.map(|finding| Contradiction::ApprovedWithGrave(finding.severity))
            }
        }
    }
}
