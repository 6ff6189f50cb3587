//! From a run to whoever watches it: output in batches, at most about thirty a second, bounded however fast it comes.
//!
//! What is known of an agent's run is kept here too and handed out with the batch after it changed.
//!
//! The executor's [`Listener`] fills a small buffer and never waits; [`Feed::pump`] empties it, at once when it was
//! quiet, else after a pause. When more arrives than a screen could show in that pause, the oldest lines of the batch
//! are left out: their numbers are skipped, and a console that wants them fetches them from the transcript.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::protocol::{AgentView, Hearing, Review, Tally, Turn};
use crate::base::process::ProcessIdentity;
use crate::execute::output::{Channel, OutputLine};
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
    /// Silence that is usual for what works, when it is known.
    pub(crate) patience: Option<Duration>,
    /// The text without line end below the last line, when it changed.
    pub(crate) partial: Option<Option<(Channel, String)>>,
    /// What is known of the agent, when it changed.
    pub(crate) agent: Option<Box<AgentView>>,
    /// The review of the ticket, when it changed; it is on disk.
    pub(crate) review: Option<Arc<Review>>,
    /// The run gave a sign of life, rather than the runtime saying something about it.
    pub(crate) heard: bool,
    bytes: usize,
    touched: bool,
}

/// What is known of an agent.
#[derive(Debug)]
struct Known {
    view: AgentView,
    changed: bool,
    /// What the sessions before the present one amount to.
    before: Tally,
}

/// The buffer of one run, shared by its listener and its pump.
#[derive(Clone, Debug, Default)]
pub(crate) struct Feed {
    batch: Arc<Mutex<Batch>>,
    agent: Arc<Mutex<Option<Known>>>,
    tallied: Arc<Notify>,
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
        let mut taken = std::mem::replace(&mut *batch, next);
        drop(batch);
        let mut agent = self.agent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = agent.as_mut().filter(|known| known.changed) {
            known.changed = false;
            taken.agent = Some(Box::new(known.view.clone()));
        }
        Some(taken)
    }

    /// The run is an agent's, which may be silent for as long before it counts as stalled.
    pub(crate) fn begin_agent(&self, view: AgentView, patience: Duration) {
        *self.agent.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Known { view, changed: true, before: Tally::default() });
        self.fill(|batch| batch.patience = Some(patience));
    }

    /// Changes what is known of the agent.
    pub(crate) fn agent(&self, change: impl FnOnce(&mut AgentView)) {
        if let Some(known) = self.agent.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            change(&mut known.view);
            known.changed = true;
        }
        self.fill(|_| ());
    }

    /// A session of the agent is over; another one's numbers are added to what it amounts to.
    pub(crate) fn session_over(&self) {
        if let Some(known) = self.agent.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            known.before = known.view.tally.clone();
        }
    }

    /// Somebody else's turn begins: `tally` of the run goes on, under the name and conversation of who works now.
    pub(crate) fn turn(&self, agent: &str, turn: Turn, hearing: Hearing, conversation: Option<&str>) {
        if let Some(known) = self.agent.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            known.before = known.view.tally.clone();
            known.before.conversation = conversation.map(str::to_owned);
            known.before.model = None;
            known.before.doing = None;
            known.view.tally = known.before.clone();
            known.view.agent = agent.to_owned();
            known.view.turn = Some(turn);
            known.view.hearing = hearing;
            known.changed = true;
        }
        self.fill(|_| ());
    }

    /// The review of the ticket changed, durably.
    pub(crate) fn review(&self, review: Arc<Review>) {
        self.fill(|batch| batch.review = Some(review));
    }

    /// What the agent's run amounts to so far, all sessions together.
    pub(crate) fn tallied(&self) -> Tally {
        let agent = self.agent.lock().unwrap_or_else(PoisonError::into_inner);
        agent.as_ref().map(|known| known.view.tally.clone()).unwrap_or_default()
    }

    /// Waits until the agent's run amounts to something else.
    pub(crate) async fn tally_changed(&self) {
        self.tallied.notified().await;
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
            batch.heard = true;
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
        self.fill(|batch| batch.heard = true);
    }

    fn partial(&mut self, partial: Option<(Channel, String)>) {
        self.fill(|batch| {
            batch.heard = true;
            batch.partial = Some(partial);
        });
    }

    fn tally(&mut self, session: &Tally) {
        if let Some(known) = self.agent.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            known.view.tally = known.before.plus(session);
            known.changed = true;
        }
        self.tallied.notify_one();
        self.fill(|batch| batch.heard = true);
    }

    fn raw(&mut self, lines: u64) {
        if let Some(known) = self.agent.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            known.view.raw_lines = lines;
            known.changed = true;
        }
        // The writing comes after the lines that were made of it: nothing else may follow.
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
