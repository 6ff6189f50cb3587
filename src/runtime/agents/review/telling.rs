//! What a run in rounds comes to: the outcome that its ticket is told, with everything that is known of the work.

use serde_json::Value;

use super::super::Left;
use super::super::found::Found;
use super::super::result::Told;
use super::Loop;
use super::book::Book;
use crate::execute::agents::backend;
use crate::execute::agents::session::{AgentEnding, AgentReport};
use crate::execute::agents::tally::Tally;
use crate::execute::isolation;
use crate::execute::outcome::Outcome;
use crate::runtime::protocol::{Role, Turn};
use crate::verify::gates::GateReport;

impl Loop<'_> {
    /// An outcome with everything that is known of the run; from here on it is the worker's again.
    pub(super) async fn told(&mut self, outcome: impl FnOnce(&Told<'_>) -> Outcome) -> Outcome {
        let conversation = self.book.conversation(&self.plan.name).map(|earlier| earlier.conversation);
        let turn =
            Turn { round: self.book.round().number, of: self.book.review().max_rounds, role: Role::Worker };
        let hearing = backend::hearing(self.plan.kind, &self.plan.choice.settings);
        self.run.feed.turn(&self.plan.name, turn, hearing, conversation.as_deref());
        let tally = self.run.feed.tallied();
        self.run.keeper.change(|record| {
            if let Some(agent) = &mut record.agent {
                agent.tally = tally.clone();
            }
        });
        let mut left = match self.left.take() {
            Some(left) => left,
            None => self.as_found().await,
        };
        left.report.tally = tally;
        let checks = GateReport { results: self.book.round().gates.clone() };
        let told = Told {
            plan: self.plan,
            place: &self.place,
            report: &left.report,
            found: Some(&left.found),
            checks: Some(&checks),
        };
        let mut outcome = outcome(&told);
        outcome.facts.insert("review".to_owned(), summary(&self.book));
        outcome
    }

    /// What there is to say of work that this run did not do.
    pub(super) async fn as_found(&mut self) -> Left {
        let worktree = self.place.worktree.clone();
        let head = self.book.round().head.clone().unwrap_or_default();
        let changed = tokio::task::spawn_blocking(move || isolation::changes(&worktree)).await;
        let changed = changed.ok().and_then(Result::ok).unwrap_or_default();
        let outcome = Outcome { exit_code: 0, reason: None, ..Outcome::not_started("") };
        let answer = self.book.round().worker.as_ref().map(|part| part.notes.clone());
        let report = AgentReport {
            ending: AgentEnding::Finished,
            outcome,
            tally: Tally::default(),
            answer: answer.filter(|answer| !answer.is_empty()),
            structured: None,
            unheard: Vec::new(),
        };
        Left { report, found: Found { changed, commit: Some(head.clone()), head, ..Found::default() } }
    }
}

/// What a ticket keeps of its review.
fn summary(book: &Book<'_>) -> Value {
    let verdict = book.round().verdict.as_ref();
    serde_json::json!({
        "rounds": book.round().number,
        "max_rounds": book.review().max_rounds,
        "stage": book.review().stage,
        "head": book.round().head,
        "decision": verdict.map(|verdict| verdict.decision),
        "by": verdict.map(|verdict| &verdict.by),
        "findings": verdict.map_or(0, |verdict| verdict.findings.len()),
    })
}
