//! From a run to whoever watches it: output in batches, at most about thirty a second, bounded however fast it comes.
//!
//! The executor's [`Listener`] fills a small buffer and never waits; [`Feed::pump`] empties it, at once when it was
//! quiet, else after a pause. When more arrives than a screen could show in that pause, the oldest lines of the batch
//! are left out: their numbers are skipped, and a console that wants them fetches them from the transcript.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::base::process::ProcessIdentity;
use crate::execute::output::OutputLine;
use crate::execute::recorder::Listener;

/// Pause between two batches.
const PAUSE: Duration = Duration::from_millis(33);

/// Most lines of one batch.
const BATCH_LINES: usize = 500;

/// Most bytes of text of one batch.
const BATCH_BYTES: usize = 256 * 1024;

/// What happened in a run since the last batch.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Number of the first line in `lines`.
    pub(crate) first: u64,
    /// The newest lines.
    pub(crate) lines: VecDeque<OutputLine>,
    /// Lines kept in the transcript so far.
    pub(crate) total: u64,
    /// The child was started; its group's leader, when it is a process.
    pub(crate) started: Option<Option<ProcessIdentity>>,
    /// The run is being stopped, and killed after so long.
    pub(crate) stopping: Option<Duration>,
    bytes: usize,
    touched: bool,
}

/// The buffer of one run, shared by its listener and its pump.
#[derive(Clone, Debug, Default)]
pub(crate) struct Feed {
    batch: Arc<Mutex<Batch>>,
    filled: Arc<Notify>,
}

impl Feed {
    /// Hands batches to `sink` until dropped.
    pub(crate) async fn pump(&self, mut sink: impl FnMut(Batch)) {
        loop {
            self.filled.notified().await;
            if let Some(batch) = self.take() {
                sink(batch);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// What was not handed out yet.
    pub(crate) fn take(&self) -> Option<Batch> {
        let mut batch = self.batch.lock().unwrap_or_else(PoisonError::into_inner);
        if !batch.touched {
            return None;
        }
        let next = Batch { first: batch.total, total: batch.total, ..Batch::default() };
        Some(std::mem::replace(&mut *batch, next))
    }

    fn fill(&self, change: impl FnOnce(&mut Batch)) {
        let mut batch = self.batch.lock().unwrap_or_else(PoisonError::into_inner);
        batch.touched = true;
        change(&mut batch);
        drop(batch);
        self.filled.notify_one();
    }
}

impl Listener for Feed {
    fn lines(&mut self, first: u64, lines: Vec<OutputLine>) {
        self.fill(|batch| {
            batch.total = first + lines.len() as u64;
            batch.bytes += lines.iter().map(|line| line.text.len()).sum::<usize>();
            batch.lines.extend(lines);
            while batch.lines.len() > BATCH_LINES || (batch.bytes > BATCH_BYTES && batch.lines.len() > 1) {
                batch.bytes -= batch.lines.pop_front().map_or(0, |line| line.text.len());
                batch.first += 1;
            }
        });
    }

    fn alive(&mut self) {
        self.fill(|_| ());
    }

    fn started(&mut self, leader: Option<ProcessIdentity>) {
        self.fill(|batch| batch.started = Some(leader));
    }

    fn stopping(&mut self, kill_in: Duration) {
        self.fill(|batch| batch.stopping = Some(kill_in));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execute::output::Channel;

    fn lines(from: u64, count: u64) -> Vec<OutputLine> {
        let line = |n: u64| OutputLine::new(n, Channel::Out, n.to_string());
        (from..from + count).map(line).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_fast_run_gives_thirty_batches_a_second_and_loses_no_count() {
        let feed = Feed::default();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let pump = {
            let (feed, seen) = (feed.clone(), Arc::clone(&seen));
            tokio::spawn(async move {
                feed.pump(|batch| seen.lock().unwrap().push((batch.first, batch.lines.len(), batch.total)))
                    .await;
            })
        };
        let mut listener = feed.clone();
        // One second of 1,000 lines, one at a time.
        for n in 0..1000 {
            listener.lines(n, lines(n, 1));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(PAUSE).await;
        pump.abort();
        let seen = seen.lock().unwrap();
        assert!((25..=32).contains(&seen.len()), "{} batches", seen.len());
        let mut next = 0;
        for (first, count, total) in seen.iter() {
            assert_eq!((*first, *first + *count as u64), (next, *total));
            next = *total;
        }
        assert_eq!(next, 1000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_cut_to_its_newest_lines() {
        let feed = Feed::default();
        let mut listener = feed.clone();
        listener.lines(0, lines(0, 10_000));
        let batch = feed.take().unwrap();
        assert_eq!((batch.first, batch.total, batch.lines.len()), (9_500, 10_000, 500));
        assert_eq!(batch.lines[0].text.as_ref(), "9500");
        assert!(feed.take().is_none());
    }
}
