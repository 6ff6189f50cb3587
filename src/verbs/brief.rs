//! `brief`: what an agent reads first (koru §2). A problem is data in the brief; the exit code is 0.

use super::cli::{BriefArgs, Format};
use super::context::Context;
use super::error::{Exit, VerbError};
use super::output::Out;
use crate::plan::brief::{BriefOptions, build};
use crate::plan::surroundings::Surroundings;

/// Prints the brief: markdown unless JSON is asked for.
///
/// # Errors
/// A project folder that does not exist.
pub(super) fn run(context: &Context, args: &BriefArgs, out: &mut Out) -> Result<Exit, VerbError> {
    let include_fixtures = match (args.include_fixtures, args.no_include_fixtures) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    };
    let options = BriefOptions {
        ticket: args.ticket.clone(),
        queue: args.queue_name.clone(),
        include_fixtures,
        surroundings: Surroundings::of_process(),
    };
    let brief = build(&context.root()?, &options, None, &context.clock);
    match context.format {
        Some(Format::Json) => out.json_text(&brief.to_json()),
        Some(Format::Text | Format::Markdown) | None => out.block(&brief.to_markdown()),
    }
    Ok(Exit::Ok)
}
