//! Gates leave the work as it was committed. What they leave behind (reports, caches, lock files) is nobody's work: it is
//! taken away, so that neither the next turn nor a person's decision mistakes it for some.

use super::place::Place;
use super::{AgentRun, Plan};
use crate::execute::fence::Breach;
use crate::execute::isolation::{self, Change};
use crate::execute::recorder::Recorder;
use crate::execute::stop::StopWatch;
use crate::verify::gates::GateReport;

/// Files that gates left that the transcript names.
const NAMED: usize = 5;

impl AgentRun<'_> {
    /// Gates on the commit `head`, and the worktree as it was before them.
    ///
    /// # Errors
    /// A sentence for the operator: what the gates left may still be there.
    pub(super) async fn checked_clean(
        &self,
        plan: &Plan,
        place: &Place,
        head: &str,
        stop: StopWatch,
        recorder: &mut Recorder,
    ) -> Result<(GateReport, Vec<Breach>), String> {
        let before = differing(place, head).await?;
        let checked = self.checked(plan, place, stop, recorder).await;
        let mut left = differing(place, head).await?;
        // What differed from the commit before them stays.
        left.retain(|change| !before.iter().any(|other| other.path == change.path));
        if !left.is_empty() {
            undo(place, head, left, recorder).await?;
        }
        Ok(checked)
    }
}

/// What differs from the commit `head` in the worktree.
///
/// # Errors
/// A sentence for the operator.
pub(super) async fn differing(place: &Place, head: &str) -> Result<Vec<Change>, String> {
    let (worktree, head) = (place.worktree.clone(), head.to_owned());
    let read = tokio::task::spawn_blocking(move || isolation::since(&worktree, &head)).await;
    let read = read.map_err(|error| error.to_string())?;
    read.map_err(|error| error.to_string())
}

/// Takes away what gates left, and puts back what they changed.
async fn undo(place: &Place, head: &str, left: Vec<Change>, recorder: &mut Recorder) -> Result<(), String> {
    let named: Vec<&str> = left.iter().take(NAMED).map(|change| change.path.as_str()).collect();
    let more = if left.len() > NAMED { ", …" } else { "" };
    recorder.note(&format!("[left by gates, and undone: {}{more}]", named.join(", ")));
    let (worktree, head) = (place.worktree.clone(), head.to_owned());
    let back = tokio::task::spawn_blocking(move || isolation::put_back(&worktree, &head, &left)).await;
    back.map_err(|error| error.to_string())?
        .map_err(|error| format!("undoing what gates left failed: {error}"))
}
