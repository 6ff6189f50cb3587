//! The verdict pane's own state, and which review it shows. The review itself is the snapshot's.

use std::sync::Arc;

use crate::plan::ticket::TicketId;
use crate::runtime::protocol::Review;
use crate::runtime::protocol::review::{Finding, Progress, Round};

use super::{Console, Pane};
use crate::console::glyphs::Glyphs;
use crate::console::layers::Layer;
use crate::console::theme::Role;

/// The pane.
#[derive(Clone, Debug, Default)]
pub(crate) struct VerdictPane {
    /// Which finding has the cursor.
    pub(crate) cursor: usize,
    /// Whose it was: of another ticket the cursor begins anew.
    pub(crate) ticket: Option<TicketId>,
    /// First line that is seen.
    pub(crate) scroll: usize,
}

impl Console {
    /// The ticket whose review is shown: the selected one, else that of the shown run.
    pub(crate) fn reviewed_id(&self) -> Option<TicketId> {
        if let Some(Layer::Page(page)) = self.layers.last() {
            return Some(page.ticket.clone());
        }
        let run = || self.shown_run().map(|run| &run.ticket);
        let first = if self.focus == Pane::Run { run() } else { self.queue.selected.as_ref() };
        let candidates = [first, self.queue.selected.as_ref(), run()];
        let found = candidates.into_iter().flatten().find(|id| self.snapshot.reviews.contains_key(*id));
        found.cloned()
    }

    /// The review that is shown.
    pub(crate) fn reviewed(&self) -> Option<&Arc<Review>> {
        self.snapshot.reviews.get(&self.reviewed_id()?)
    }

    /// The commit that a decision on a review is about: the one of its last round.
    pub(crate) fn head_of(review: &Review) -> Option<&str> {
        let last = review.rounds.last()?;
        Some(last.head.as_deref().unwrap_or(&last.from))
    }

    /// The commit of the review as it stood on the screen; `None` when it did not stand there.
    pub(crate) fn seen_head(&self, id: &TicketId) -> Option<&str> {
        self.drawn.heads.iter().find(|(drawn, _)| drawn == id).map(|(_, head)| head.as_str())
    }
}

/// The newest round that has a verdict.
pub(crate) fn judged(review: &Review) -> Option<&Round> {
    review.rounds.iter().rev().find(|round| round.verdict.is_some())
}

/// The newest round whose reviewer said this: of a finding that was mended the one before it was.
pub(crate) fn said_in(review: &Review, id: &str) -> Option<u32> {
    let said = |round: &&Round| {
        let verdict = round.verdict.as_ref();
        verdict.is_some_and(|verdict| verdict.findings.iter().any(|finding| finding.id == id))
    };
    review.rounds.iter().rev().find(said).map(|round| round.number)
}

/// The findings that are shown: those of the newest round that was judged, with what became of those before; worst first
/// within each.
pub(crate) fn standing(review: &Review) -> Vec<(Progress, &Finding)> {
    let mut all = judged(review).map(|round| review.progress(round.number)).unwrap_or_default();
    let rank = |progress: Progress| match progress {
        Progress::Still => 0,
        Progress::New => 1,
        Progress::Fixed => 2,
    };
    all.sort_by_key(|(progress, finding)| {
        (
            *progress == Progress::Fixed,
            !finding.blocking,
            std::cmp::Reverse(finding.severity),
            rank(*progress),
        )
    });
    all
}

/// Shape, word and colour of what became of a finding: the same wherever one is listed.
pub(crate) fn shape(
    progress: Progress,
    finding: &Finding,
    glyphs: &Glyphs,
) -> (&'static str, &'static str, Role) {
    match progress {
        Progress::Fixed => (glyphs.done, "fixed", Role::Done),
        Progress::Still if finding.blocking => (glyphs.failed, "still", Role::Failed),
        Progress::Still => (glyphs.review, "still", Role::Dim),
        Progress::New if finding.blocking => (glyphs.running, "new", Role::Stalled),
        Progress::New => (glyphs.review, "new", Role::Dim),
    }
}
