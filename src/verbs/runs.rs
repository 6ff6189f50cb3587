//! `runs prune`: making room where runs of finished tickets are kept. `runs search` is in [`super::search`].

use super::cli::runs::RunsVerb;
use super::context::Context;
use super::error::{Exit, VerbError};
use super::output::{Out, Tone};
use super::worktree::size;
use crate::runtime::past_runs::prune::{PruneError, PruneReport, days_before, prune};

/// Prunes.
///
/// # Errors
/// A planfile that cannot be read whole, as nobody knows then whose ticket is open.
pub(super) fn run(context: &Context, verb: &RunsVerb, out: &mut Out) -> Result<Exit, VerbError> {
    let (keep_days, dry_run) = match verb {
        RunsVerb::Prune { keep_days, dry_run } => (keep_days, dry_run),
        RunsVerb::Search(args) => return super::search::run(context, args, out),
    };
    let before = days_before(context.clock.now(), *keep_days);
    let report = prune(&context.root()?, before, *dry_run).map_err(|error| match error {
        PruneError::Open(error) => VerbError::Open(error),
        other => VerbError::Failed(other.to_string()),
    })?;
    match context.json() {
        true => out.json(&report),
        false => told(&report, out),
    }
    Ok(Exit::Ok)
}

fn told(report: &PruneReport, out: &mut Out) {
    let did = if report.dry_run { "would go" } else { "removed" };
    for removed in &report.removed {
        out.pieces(&[
            (Tone::Strong, &removed.run),
            (Tone::Good, &format!(" {did}")),
            (Tone::Faint, &format!("  {}", size(removed.bytes))),
        ]);
    }
    for kept in &report.kept {
        out.pieces(&[(Tone::Strong, &kept.run), (Tone::Plain, &format!(" stays: {}", kept.why))]);
    }
    let freed = if report.dry_run { "to be freed" } else { "freed" };
    out.line(&format!(
        "{} runs and {} run logs {did}, {} {freed}",
        report.removed.len(),
        report.logs,
        size(report.freed)
    ));
}
