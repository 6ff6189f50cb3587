//! What is to be mended besides what a reviewer says: gates that failed, and the operator's own words.

use super::super::AgentRun;
use super::Loop;
use crate::execute::agents::session::Steer;
use crate::runtime::reviews::ReviewFolder;
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

impl AgentRun<'_> {
    /// Keeps what the operator said while somebody else than the worker was at it, for the worker's next round: on disk, as
    /// the run may end before there is one. Returns what could not be kept.
    pub(in crate::runtime::agents) async fn keep_said(&self, texts: Vec<String>) -> Vec<String> {
        if texts.is_empty() {
            return texts;
        }
        let folder = ReviewFolder::of(&self.ground.root, &self.ticket.id);
        let actor = self.ground.holder.to_string();
        let findings: Vec<Finding> = texts.iter().map(|text| said(text.clone(), &actor)).collect();
        let kept = tokio::task::spawn_blocking(move || folder.queue(&findings)).await;
        match kept.map_err(std::io::Error::other).and_then(|kept| kept) {
            Ok(()) => Vec::new(),
            Err(error) => {
                tracing::warn!(%error, "what the operator said is in memory only");
                texts
            }
        }
    }
}

impl Loop<'_> {
    /// What the operator said since the worker was last told something.
    ///
    /// # Errors
    /// A sentence for the operator: it cannot be known.
    pub(super) async fn said(&mut self) -> Result<Vec<Finding>, String> {
        self.put_away().await;
        let mut all = self.book.queued().await?;
        let actor = &self.run.ground.holder.to_string();
        all.extend(self.spent.held.drain(..).map(|text| said(text, actor)));
        self.run.feed.agent(|view| view.queued.clear());
        Ok(all)
    }

    /// Keeps what was said and nobody took up, between two turns or at the end.
    pub(super) async fn put_away(&mut self) {
        while let Ok(steer) = self.steer.try_recv() {
            match steer {
                Steer::Say(text) => self.spent.held.push(text),
                other => self.spent.later.push(other),
            }
        }
        self.spent.held = self.run.keep_said(std::mem::take(&mut self.spent.held)).await;
    }
}

/// What the operator said while somebody judged, for the worker's next round.
fn said(text: String, actor: &str) -> Finding {
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
