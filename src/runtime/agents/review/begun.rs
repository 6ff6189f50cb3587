//! Rounds that an earlier run of the ticket began and that are not over: a review that somebody wished for once holds
//! until they are, whoever starts the next run and however.

use std::path::Path;
use std::sync::Arc;

use crate::execute::folder::{RecordState, records_of};
use crate::plan::ticket::{Ticket, TicketId};
use crate::runtime::agents::AgentRun;
use crate::runtime::reviews::ReviewFolder;
use crate::verify::rounds::{Review, Stage};

/// Rounds that are not over.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::runtime::agents) struct Begun {
    /// The reviewer that was wished for.
    pub(super) wished: Option<String>,
    /// Who judged last.
    pub(super) last: Option<String>,
}

impl Begun {
    /// `review`, unless it is over. Approved work is not, while the ticket was never told.
    fn of(review: &Review, cut_off: bool) -> Option<Begun> {
        match review.stage {
            Stage::Ended { .. } => None,
            Stage::Approved if !cut_off => None,
            _ => {
                let judges = review.rounds.iter().rev().filter_map(|round| round.reviewer.as_ref());
                let last = judges.map(|part| part.by.clone()).next();
                Some(Begun { wished: review.reviewer.clone(), last })
            }
        }
    }
}

/// The rounds that the ticket of `run` is in the middle of. Rounds that cannot be read are taken for such: work that was
/// to be reviewed must not pass because a file is torn.
pub(in crate::runtime::agents) async fn begun(run: &AgentRun<'_>) -> Option<Begun> {
    let (ground, ticket, own) =
        (Arc::clone(run.ground), Arc::clone(run.ticket), run.folder.name().to_owned());
    let read = move || match ReviewFolder::of(&ground.root, &ticket.id).read() {
        Ok(review) => Begun::of(&review?, cut_off(&ground.runs, &ticket, &own, None)),
        Err(_) => Some(Begun::default()),
    };
    tokio::task::spawn_blocking(read).await.unwrap_or_else(|_| Some(Begun::default()))
}

/// Whether the run before `own` was cut off: its end never reached the ticket, as far as that can be told where the
/// ticket's branch is at `tip`. Reads folders.
pub(super) fn cut_off(runs: &Path, ticket: &Ticket, own: &str, tip: Option<&str>) -> bool {
    match newest(runs, &ticket.id, own) {
        Some(RecordState::Running | RecordState::Interrupted) => true,
        // It ended on record, and died before the ticket was told.
        Some(RecordState::Done) => learned(ticket).is_none_or(|head| tip.is_some_and(|tip| tip != head)),
        _ => false,
    }
}

fn newest(runs: &Path, ticket: &TicketId, own: &str) -> Option<RecordState> {
    let records = records_of(runs, ticket).into_iter().map(|(_, record)| record);
    let newest = records.filter(|record| record.run != own).max_by_key(|record| record.started_at)?;
    Some(newest.state)
}

/// The commit that the ticket knows to be approved by its rounds.
fn learned(ticket: &Ticket) -> Option<&str> {
    let review = ticket.outputs.result.as_ref()?.get("review")?;
    let approved = review.get("stage")?.get("stage")?.as_str()? == "approved";
    review.get("head")?.as_str().filter(|_| approved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn review(stage: Stage, reviewer: Option<&str>) -> Review {
        Review {
            ticket: TicketId::new("PLF-1"),
            max_rounds: 3,
            base: "0".repeat(40),
            rounds: Vec::new(),
            stage,
            reviewer: reviewer.map(str::to_owned),
            gated: None,
        }
    }

    #[test]
    fn a_wish_holds_until_the_rounds_are_over() {
        let wished = Some(Begun { wished: Some("judge".to_owned()), last: None });
        assert_eq!(Begun::of(&review(Stage::Working, Some("judge")), false), wished);
        assert_eq!(Begun::of(&review(Stage::Working, None), false), Some(Begun::default()));
        assert_eq!(
            Begun::of(&review(Stage::Approved, Some("judge")), true),
            wished,
            "the ticket is not told"
        );
        assert_eq!(Begun::of(&review(Stage::Approved, Some("judge")), false), None);
        let ended = Stage::Ended { why: "rejected".to_owned() };
        assert_eq!(Begun::of(&review(ended, Some("judge")), true), None);
    }
}
