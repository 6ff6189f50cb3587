//! What is to be mended besides what a reviewer says: gates that failed, and the operator's own words.

use super::super::unheard::said;
use super::Loop;
use crate::verify::finding::{Finding, Source};
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

impl Loop<'_> {
    /// What the operator said since the worker was last told something.
    ///
    /// # Errors
    /// A sentence for the operator: it cannot be known.
    pub(super) async fn said(&mut self) -> Result<Vec<Finding>, String> {
        self.run.put_away(self.steer, self.spent).await;
        let mut all = self.book.queued().await?;
        let actor = &self.run.ground.holder.to_string();
        all.extend(self.spent.held.drain(..).map(|text| said(text, actor)));
        self.run.feed.agent(|view| view.queued.clear());
        Ok(all)
    }

    /// The worker is told in the round that begins what was kept since anybody was told something: by an earlier run, or
    /// too late for its last look.
    pub(super) async fn add_said(&mut self) -> Result<(), String> {
        let said = self.said().await?;
        if said.is_empty() {
            return Ok(());
        }
        let more = said.clone();
        self.book.change(|round| round.fixes.extend(more)).await?;
        self.book.told(said).await;
        Ok(())
    }
}
