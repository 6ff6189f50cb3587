//! `ticket next`: which ticket would run next, and why the others would not.

use serde::Serialize;

use super::super::cli::ticket::NextArgs;
use super::super::context::{Context, refuse_broken};
use super::super::error::{Exit, VerbError};
use super::super::output::{Out, Tone};
use super::{show, words};
use crate::plan::queue::{Scope, order};
use crate::plan::ticket::TicketId;

/// The answer of `--debug`, keys as `planfile ticket next --debug --format json` prints them.
#[derive(Debug, Serialize)]
struct Report {
    selected: Option<TicketId>,
    servable: Vec<TicketId>,
    skipped: Vec<Skipped>,
}

#[derive(Debug, Serialize)]
struct Skipped {
    id: TicketId,
    reason: String,
}

/// Prints the next ticket, or nothing runnable.
///
/// # Errors
/// A planfile that cannot be opened, or whose sprint file does not parse.
pub(super) fn run(context: &Context, args: &NextArgs, out: &mut Out) -> Result<Exit, VerbError> {
    let store = context.store()?;
    let plan = store.plan();
    refuse_broken(&plan, Some(&args.sprint), out)?;
    let scope =
        Scope { sprint: args.sprint.clone(), queue: args.queue.clone(), actor: args.assigned_to.clone() };
    let order = order(&plan.tickets, &scope, context.clock.now());
    let selected = order.runnable.first().cloned();
    if args.debug {
        let skipped =
            plan.tickets.iter().filter(|ticket| ticket.sprint == args.sprint).filter_map(|ticket| {
                let reason = words::why_not(order.standing.get(&ticket.id)?)?;
                Some(Skipped { id: ticket.id.clone(), reason })
            });
        let report = Report { selected, skipped: skipped.collect(), servable: order.runnable };
        print_report(context, &report, out);
        return Ok(Exit::Ok);
    }
    match selected {
        Some(id) if context.json() => out.json(&store.record(&id)),
        Some(id) => show::print(context, &store, &id, &order, out),
        None if context.json() => out.json(&serde_json::Value::Null),
        None => out.line("No runnable ticket; `koru-tui ticket next --debug` says why for each"),
    }
    Ok(Exit::Ok)
}

fn print_report(context: &Context, report: &Report, out: &mut Out) {
    if context.json() {
        out.json(report);
        return;
    }
    let servable: Vec<&str> = report.servable.iter().map(TicketId::as_str).collect();
    out.pieces(&[
        (Tone::Good, &format!("servable ({}): ", servable.len())),
        (Tone::Plain, if servable.is_empty() { "none" } else { "" }),
        (Tone::Plain, &servable.join(", ")),
    ]);
    out.pieces(&[(Tone::Warn, &format!("skipped ({}):", report.skipped.len()))]);
    for skipped in &report.skipped {
        out.pieces(&[(Tone::Strong, &format!("  {}  ", skipped.id)), (Tone::Plain, &skipped.reason)]);
    }
}
