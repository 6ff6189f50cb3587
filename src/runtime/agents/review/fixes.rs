//! What is to be mended besides what a reviewer says: gates that failed, and the operator's own words.

use crate::verify::finding::{Finding, Severity, Source};
use crate::verify::gates::GateReport;
use crate::verify::review::from_gates;
use crate::verify::verdict::{Decision, Verdict};

/// The verdict of gates that failed; no reviewer is paid to find what they found.
pub(super) fn verdict(report: &GateReport, head: &str) -> Verdict {
    let findings = from_gates::findings(&report.results);
    let by = findings.first().map(|finding| finding.source.clone());
    Verdict {
        decision: Decision::ChangesRequired,
        summary: report.summary(),
        findings,
        by: by.unwrap_or(Source::Gate { gate: "ci".to_owned() }),
        head: Some(head.to_owned()),
    }
}

/// What the operator said while somebody judged, for the worker's next round.
pub(super) fn said(text: String, actor: &str) -> Finding {
    Finding {
        id: Finding::key(None, &text),
        severity: Severity::High,
        blocking: true,
        file: None,
        line: None,
        end_line: None,
        reason: text,
        required_change: None,
        source: Source::Operator { actor: actor.to_owned() },
        dimension: None,
        confidence: None,
    }
}
