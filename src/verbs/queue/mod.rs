//! `queue run`: drains the queue and prints koru's rows as ticks end (koru §4.2). The one verb with an async runtime.

mod answers;
mod rows;
pub(super) mod signals;

use tokio::runtime::{Builder, Runtime};

use super::cli::{DEFAULT_JOBS, QueueRunArgs};
use super::context::Context;
use super::error::{Exit, VerbError};
use super::logging;
use super::output::Out;
use crate::plan::scaffold::is_initialised;
use crate::plan::store::OpenError;
use crate::runtime::drain::{DrainOptions, DrainReport, drain};
use answers::Answers;
use rows::Rows;

/// Runs the queue; the exit code is the report's.
///
/// # Errors
/// A project folder that does not exist, or an async runtime that cannot start.
pub(super) fn run(context: &Context, args: &QueueRunArgs, out: &mut Out) -> Result<Exit, VerbError> {
    let options = |options: DrainOptions| DrainOptions {
        actor: args.actor.clone(),
        queue: args.queue_name.clone(),
        looped: args.looping,
        max_iterations: args.max_iterations,
        dry_run: args.dry_run,
        interactive: args.interactive,
        jobs: args.jobs.unwrap_or(DEFAULT_JOBS),
        log: !args.no_log,
        ..options
    };
    let report = drained(context, options, args.looping, out)?;
    Ok(told(context, &report, args.looping, out))
}

/// Drains with the caller's changes to the default options, printing ticks as they end.
///
/// # Errors
/// As [`run`].
pub(super) fn drained(
    context: &Context,
    options: impl FnOnce(DrainOptions) -> DrainOptions,
    looping: bool,
    out: &mut Out,
) -> Result<DrainReport, VerbError> {
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
            clock: context.clock.clone(),
            stop: signals.stop.clone(),
            ..options(DrainOptions::new(root))
        };
        let answers = Answers::new(signals);
        let mut rows = Rows::new(out, context.json(), looping, answers);
        Ok::<_, VerbError>(drain(options, &mut rows).await)
    });
    // A thread that waits for a line of standard input must not keep us here.
    runtime.shutdown_background();
    report
}

/// Prints the report; returns its exit code.
pub(super) fn told(context: &Context, report: &DrainReport, looping: bool, out: &mut Out) -> Exit {
    if context.json() {
        out.json(report);
    } else {
        rows::summary(report, looping, out);
    }
    if report.exit_code() == 0 { Exit::Ok } else { Exit::Failed }
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
