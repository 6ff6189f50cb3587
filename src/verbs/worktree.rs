//! `worktree list` and `worktree prune`: the checkouts that agents worked in, and making room (DESIGN §4).

use super::cli::worktree::WorktreeVerb;
use super::context::Context;
use super::error::{Exit, VerbError};
use super::output::{Out, Tone};
use crate::execute::isolation::{self, PruneReport, WorktreeInfo};
use crate::plan::ticket::TicketId;

/// Lists or prunes.
///
/// # Errors
/// A project folder that does not exist, or worktrees that somebody else is making right now.
pub(super) fn run(context: &Context, verb: &WorktreeVerb, out: &mut Out) -> Result<Exit, VerbError> {
    let root = context.root()?;
    match verb {
        WorktreeVerb::List => {
            let mut list = isolation::list(&root);
            list.sort_by_key(|info| std::cmp::Reverse(info.bytes));
            match context.json() {
                true => out.json(&list),
                false => table(&list, out),
            }
            Ok(Exit::Ok)
        }
        WorktreeVerb::Prune { ids } => {
            let tickets: Vec<TicketId> = ids.iter().map(|id| TicketId::new(id.as_str())).collect();
            let report = match tickets.is_empty() {
                true => isolation::prune_all(&root),
                false => isolation::prune(&root, &tickets),
            };
            let report = report.map_err(|error| VerbError::Failed(error.to_string()))?;
            match context.json() {
                true => out.json(&report),
                false => told(&report, out),
            }
            // Asked for by name and not done is a failure; what stays of all that there is, is not.
            let refused = !tickets.is_empty() && !report.kept.is_empty();
            Ok(if refused { Exit::Failed } else { Exit::Ok })
        }
    }
}

fn table(list: &[WorktreeInfo], out: &mut Out) {
    if list.is_empty() {
        return out.line("no worktrees");
    }
    let total: u64 = list.iter().map(|info| info.bytes).sum();
    for info in list {
        let mut why = Vec::new();
        if info.in_use {
            why.push("in use".to_owned());
        }
        if info.unmerged > 0 {
            why.push(format!("{} unmerged", info.unmerged));
        }
        if info.dirty > 0 {
            why.push(format!("{} uncommitted", info.dirty));
        }
        why.extend(info.trouble.clone());
        let state = if why.is_empty() { "may go".to_owned() } else { why.join(", ") };
        out.pieces(&[
            (Tone::Strong, &format!("{:<14}", info.worktree.ticket.as_str())),
            (Tone::Plain, &format!(" {:>9}  {:<28}  ", size(info.bytes), info.worktree.branch)),
            (if why.is_empty() { Tone::Good } else { Tone::Plain }, &state),
        ]);
    }
    out.line(&format!("{} worktrees, {}", list.len(), size(total)));
}

fn told(report: &PruneReport, out: &mut Out) {
    for removed in &report.removed {
        let branch = if removed.branch_removed { " and its branch" } else { "; the branch stays" };
        out.pieces(&[
            (Tone::Strong, removed.ticket.as_str()),
            (Tone::Good, &format!(" removed{branch}")),
            (Tone::Faint, &format!("  {}", removed.branch)),
        ]);
    }
    for kept in &report.kept {
        out.pieces(&[(Tone::Strong, kept.ticket.as_str()), (Tone::Plain, &format!(" stays: {}", kept.why))]);
    }
    out.line(&format!("{} removed, {} freed", report.removed.len(), size(report.freed)));
}

/// Bytes in the largest unit that leaves a number of at least one.
pub(super) fn size(bytes: u64) -> String {
    let (mut rest, mut unit) = (bytes, 0);
    while rest >= 10 * 1024 && unit < 3 {
        rest /= 1024;
        unit += 1;
    }
    format!("{rest} {}", ["B", "KiB", "MiB", "GiB"][unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short_and_carry_their_unit() {
        let sizes = [0, 10_239, 10_240, 52_428_800, 26 * 1024 * 1024 * 1024].map(size);
        assert_eq!(sizes, ["0 B", "10239 B", "10 KiB", "50 MiB", "26 GiB"]);
    }
}
