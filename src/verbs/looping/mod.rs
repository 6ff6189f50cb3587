//! `loop …`: loop-kit's verbs on a folder of its files, one file each (`reference/loop-kit.md` §2).

mod archive;
mod diff;
mod heartbeat;
mod init;
mod options;
mod place;
mod run;
mod status;

use super::cli::looping::LoopVerb;
use super::context::Context;
use super::error::{Exit, VerbError};
use super::output::Out;

/// Runs the verb.
///
/// # Errors
/// See each verb.
pub(super) fn run(context: &Context, verb: LoopVerb, out: &mut Out) -> Result<Exit, VerbError> {
    match verb {
        LoopVerb::Init(args) => init::run(context, &args, out),
        LoopVerb::Run(args) => run::run(context, &args, out),
        LoopVerb::Status(args) => status::status(context, &args, out),
        LoopVerb::Health(args) => status::health(context, &args, out),
        LoopVerb::Heartbeat(args) => heartbeat::run(context, &args, out),
        LoopVerb::Archive(args) => archive::run(context, &args, out),
        LoopVerb::ExtractDiff(args) => diff::run(context, &args, out),
    }
}

/// A failure of the bus as a verb's.
fn failed(error: impl std::fmt::Display) -> VerbError {
    VerbError::Failed(error.to_string())
}
