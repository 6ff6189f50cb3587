//! `ticket review`: the rounds of one ticket, and what is asked of a person; the verb of the console's verdict pane.

use serde_json::Value;

use super::super::context::Context;
use super::super::error::{Exit, VerbError};
use super::super::output::{Out, Tone};
use crate::plan::store::MutateError;
use crate::plan::ticket::TicketId;
use crate::runtime::protocol::review::{Decision, Finding, Part, Progress, Review, Round, Source, Stage};
use crate::runtime::protocol::{GateResult, GateState};
use crate::runtime::reviews::ReviewFolder;

/// Shows them.
///
/// # Errors
/// A ticket that is in no file, or rounds that cannot be read.
pub(super) fn run(context: &Context, id: &str, out: &mut Out) -> Result<Exit, VerbError> {
    let root = context.root()?;
    let ticket = TicketId::new(id);
    let folder = ReviewFolder::of(&root, &ticket);
    let review = folder.read().map_err(|error| {
        VerbError::Failed(format!(
            "reading the rounds of {id} in {} failed: {error}",
            folder.path().display()
        ))
    })?;
    if review.is_none() && context.store()?.plan().ticket(&ticket).is_none() {
        return Err(MutateError::NoTicket(ticket).into());
    }
    match (&review, context.json()) {
        (Some(review), true) => out.json(review),
        (None, true) => out.json(&Value::Null),
        (Some(review), false) => show(review, out),
        (None, false) => {
            out.line(&format!("{id} has no rounds; `ticket run {id} --review` works it in rounds"))
        }
    }
    Ok(Exit::Ok)
}

fn show(review: &Review, out: &mut Out) {
    for round in &review.rounds {
        line(round, out);
    }
    let (tone, stage) = match &review.stage {
        Stage::Working => (Tone::Plain, "the worker's turn".to_owned()),
        Stage::Checking => (Tone::Plain, "gates run".to_owned()),
        Stage::Reviewing => (Tone::Plain, "the reviewer's turn".to_owned()),
        Stage::Waiting { why } => (Tone::Warn, format!("waits for you: {}", why.ask())),
        Stage::Approved => (Tone::Good, "approved".to_owned()),
        Stage::Ended { why } => (Tone::Bad, why.clone()),
    };
    out.pieces(&[(tone, &stage), (Tone::Faint, &format!("  ({} rounds at most)", review.max_rounds))]);
    if let Some(judged) = review.rounds.iter().rev().find(|round| round.verdict.is_some()) {
        for (progress, finding) in review.progress(judged.number) {
            told(progress, finding, out);
        }
    }
    if let (Stage::Waiting { .. }, Some(head)) = (&review.stage, review.rounds.last().and_then(head)) {
        let id = &review.ticket;
        let decide = format!("koru-tui ticket decide {id} approve|reject|another|review-again --seen {head}");
        out.pieces(&[(Tone::Faint, &decide)]);
    }
}

fn head(round: &Round) -> Option<&str> {
    round.head.as_deref().or(Some(&round.from))
}

fn line(round: &Round, out: &mut Out) {
    let head = round.head.as_deref().and_then(|head| head.get(..12)).unwrap_or("-");
    let mut text = format!(" {head}");
    text.extend(round.worker.as_ref().map(|part| format!("  {}", who(part))));
    text.extend(round.gates.iter().map(|gate| format!("  {} {}", gate.gate, word(gate))));
    text.extend(round.reviewer.as_ref().map(|part| format!("  {}", who(part))));
    let (tone, verdict) = match &round.verdict {
        None => (Tone::Faint, "no verdict".to_owned()),
        Some(verdict) => {
            let by = match &verdict.by {
                Source::Gate { gate } => format!(" by {gate}"),
                Source::Operator { actor } => format!(" by {actor}"),
                Source::Reviewer { .. } => String::new(),
            };
            match verdict.decision {
                Decision::Approve => (Tone::Good, format!("approve{by}")),
                Decision::ChangesRequired => (Tone::Bad, format!("changes required{by}")),
            }
        }
    };
    let number = format!("round {}", round.number);
    out.pieces(&[(Tone::Strong, &number), (Tone::Plain, &text), (tone, &format!("  {verdict}"))]);
}

fn word(gate: &GateResult) -> &'static str {
    match gate.state {
        GateState::Passed => "passed",
        GateState::Failed { .. } => "failed",
        GateState::Skipped { .. } => "skipped",
        GateState::Waived { .. } => "waived",
    }
}

/// `claude 192s $0.38`.
fn who(part: &Part) -> String {
    let took = part.took.map_or_else(|| " …".to_owned(), |took| format!(" {}s", took.as_secs()));
    let cost = part.cost.map(|cost| format!(" ${:.2}", cost.usd)).unwrap_or_default();
    format!("{}{took}{cost}", part.by)
}

fn told(progress: Progress, finding: &Finding, out: &mut Out) {
    let (tone, word) = match progress {
        Progress::Fixed => (Tone::Good, "fixed"),
        Progress::Still => (Tone::Bad, "still"),
        Progress::New => (Tone::Warn, "new  "),
    };
    let place = finding.place().map(|place| format!(" {place}")).unwrap_or_default();
    let reason = finding.reason.lines().next().unwrap_or_default();
    out.pieces(&[
        (tone, &format!("  {word}")),
        (Tone::Plain, &format!(" {:<8}", finding.severity.word())),
        (Tone::Strong, &place),
        (Tone::Plain, &format!(" {reason}")),
    ]);
}
