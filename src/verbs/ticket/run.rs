//! `ticket run`: exactly this ticket, now, by its own executor or by a coding agent; nothing else is run instead.

use super::super::cli::working::RunArgs;
use super::super::context::Context;
use super::super::error::{Exit, VerbError};
use super::super::output::Out;
use super::super::queue;
use crate::plan::ticket::TicketId;
use crate::runtime::drain::{DrainOptions, ReviewWish, Target};

/// Runs it; the exit code is the report's.
///
/// # Errors
/// See [`queue::drained`].
pub(super) fn run(context: &Context, args: &RunArgs, out: &mut Out) -> Result<Exit, VerbError> {
    let target = Target {
        ticket: TicketId::new(args.id.as_str()),
        agent: args.agent.as_ref().map(|name| Some(name.clone()).filter(|name| !name.trim().is_empty())),
        note: args.note.clone().filter(|note| !note.trim().is_empty()),
        review: ReviewWish {
            on: (args.review || args.reviewer.is_some() || args.max_rounds.is_some())
                .then_some(true)
                .or(args.no_review.then_some(false)),
            reviewer: args.reviewer.clone(),
            max_rounds: args.max_rounds,
        },
    };
    let options = |options: DrainOptions| DrainOptions {
        target: Some(target),
        actor: args.actor.clone(),
        dry_run: args.dry_run,
        log: !args.no_log,
        ..options
    };
    let report = queue::drained(context, options, false, out)?;
    Ok(queue::told(context, &report, false, out))
}
