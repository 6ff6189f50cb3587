//! `queue run`: drains the queue and prints koru's rows as ticks end (koru §4.2). The one verb with an async runtime.

mod answers;
mod rows;
mod signals;

use tokio::runtime::{Builder, Runtime};

use super::cli::{DEFAULT_JOBS, QueueRunArgs};
use super::context::Context;
use super::error::{Exit, VerbError};
use super::logging;
use super::output::Out;
use crate::plan::scaffold::is_initialised;
use crate::plan::store::OpenError;
use crate::runtime::drain::{DrainOptions, drain};
use answers::Answers;
use rows::Rows;

/// Runs the queue; the exit code is the report's.
///
/// # Errors
/// A project folder that does not exist, or an async runtime that cannot start.
pub(super) fn run(context: &Context, args: &QueueRunArgs, out: &mut Out) -> Result<Exit, VerbError> {
    let root = context.root()?;
    if !is_initialised(&root) {
        // Said before a run log makes the folder look like a project.
        return Err(OpenError::Uninitialised(root).into());
    }
    let _log = logging::start();
    let runtime = async_runtime(2)?;
    let report = runtime.block_on(async {
        let signals = signals::listen()
            .map_err(|error| VerbError::Failed(format!("listening for signals failed: {error}")))?;
        let options = DrainOptions {
            actor: args.actor.clone(),
            queue: args.queue_name.clone(),
            looped: args.looping,
            max_iterations: args.max_iterations,
            dry_run: args.dry_run,
            interactive: args.interactive,
            jobs: args.jobs.unwrap_or(DEFAULT_JOBS),
            log: !args.no_log,
            clock: context.clock.clone(),
            stop: signals.stop.clone(),
            ..DrainOptions::new(root)
        };
        let answers = Answers::new(signals);
        let mut rows = Rows::new(out, context.json(), args.looping, answers);
        Ok::<_, VerbError>(drain(options, &mut rows).await)
    });
    // A thread that waits for a line of standard input must not keep us here.
    runtime.shutdown_background();
    let report = report?;
    let exit = if report.exit_code() == 0 { Exit::Ok } else { Exit::Failed };
    if context.json() {
        out.json(&report);
    } else {
        rows::summary(&report, args.looping, out);
    }
    Ok(exit)
}

/// An async runtime with this many threads.
///
/// # Errors
/// The system refuses threads or a poller.
pub(super) fn async_runtime(threads: usize) -> Result<Runtime, VerbError> {
    Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(|error| VerbError::Failed(format!("starting the async runtime failed: {error}")))
}
