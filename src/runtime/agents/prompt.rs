//! The first words to an agent: the brief, and where and within what limits it works.

use std::path::Path;

use super::Plan;
use crate::execute::isolation::Worktree;
use crate::plan::ticket::Ticket;
use crate::verify::gates::GatePlan;

/// The whole prompt of a run that begins anew.
pub(super) fn first(
    root: &Path,
    ticket: &Ticket,
    worktree: &Worktree,
    plan: &Plan,
    gates: &[GatePlan],
    note: Option<&str>,
) -> String {
    let _ = (root, plan, gates);
    let said = note.map(|note| format!("\n\nThe operator says:\n{note}")).unwrap_or_default();
    format!(
        "Ticket {}: {}\n\n{}\n\nWorktree: {}{said}",
        ticket.id,
        ticket.name,
        ticket.question(),
        worktree.path.display()
    )
}
