//! Work that a verb waits for: what it says goes to standard error meanwhile, and Ctrl-C stops it politely.

use std::future::Future;

use tokio::sync::mpsc;

use super::error::VerbError;
use super::output::{Out, Tone};
use super::queue;
use crate::execute::stop::{Stop, StopWatch, stop_pair};

/// Lets `work` go on to its end; it is given where to tell its progress, and the watch of whoever stops it.
///
/// # Errors
/// The work's own sentence, or signals that cannot be listened for.
pub(super) async fn watched<T, W>(
    out: &mut Out,
    work: impl FnOnce(mpsc::UnboundedSender<String>, StopWatch) -> W,
) -> Result<T, VerbError>
where
    W: Future<Output = Result<T, String>>,
{
    let (progress, mut lines) = mpsc::unbounded_channel::<String>();
    let (stopper, stop) = stop_pair();
    let signals = queue::signals::listen()
        .map_err(|error| VerbError::Failed(format!("listening for signals failed: {error}")))?;
    let work = work(progress, stop);
    tokio::pin!(work);
    let done = loop {
        tokio::select! {
            done = &mut work => break done,
            Some(line) = lines.recv() => out.note(Tone::Faint, &line),
            () = signals.stop.cancelled(), if stopper.current() == Stop::No => drop(stopper.press()),
        }
    };
    while let Ok(line) = lines.try_recv() {
        out.note(Tone::Faint, &line);
    }
    done.map_err(VerbError::Failed)
}
