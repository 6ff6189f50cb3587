//! Ending: every run is stopped by the ladder, its ticket released, and only then does the supervisor end. Bounded.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Supervisor;
use crate::execute::stop::Stop;

/// What stopping may take beyond the grace before everything is killed.
const PATIENCE: Duration = Duration::from_secs(5);

/// What writing may take after everything was killed.
const LAST_WAIT: Duration = Duration::from_secs(10);

/// A shutdown under way.
#[derive(Debug)]
pub(super) struct Closing {
    kill_at: Instant,
    give_up_at: Instant,
    killed: bool,
    done: Vec<oneshot::Sender<()>>,
}

impl Closing {
    /// Whether there is nothing more to wait for, with `busy` runs left.
    pub(super) fn is_over(&self, busy: usize) -> bool {
        busy == 0 || Instant::now() >= self.give_up_at
    }

    /// When patience ends.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        Some(if self.killed { self.give_up_at } else { self.kill_at })
    }

    /// Tells whoever asked.
    pub(super) fn done(self) {
        for done in self.done {
            let _ = done.send(());
        }
    }
}

impl Supervisor {
    /// What closing waits for.
    pub(super) fn busy_to_the_end(&self) -> usize {
        self.runs.len() + self.starting.len() + self.promotions.deciding()
    }

    /// Stops everything politely; asked again, without grace. Without `done`, nobody waits for the end.
    pub(super) fn begin_closing(&mut self, done: Option<oneshot::Sender<()>>) {
        self.queue.running = false;
        self.dirty = true;
        let again = self.closing.is_some() && done.is_some();
        let kill_at = Instant::now() + self.options.grace + PATIENCE;
        let closing = self.closing.get_or_insert(Closing {
            kill_at,
            give_up_at: kill_at + LAST_WAIT,
            killed: false,
            done: Vec::new(),
        });
        closing.done.extend(done);
        if again {
            closing.kill_at = Instant::now();
        }
        let stop = if again { Stop::Now } else { Stop::Polite };
        for run in &self.runs {
            run.launched.stopper.at_least(stop);
        }
        self.promotions.stop(stop);
    }

    /// Kills what is left when patience is over.
    pub(super) fn escalate_closing(&mut self) {
        let Some(closing) = &mut self.closing else { return };
        if !closing.killed && Instant::now() >= closing.kill_at {
            closing.killed = true;
            for run in &self.runs {
                run.launched.stopper.at_least(Stop::Now);
            }
            self.promotions.stop(Stop::Now);
        }
    }

    /// At the very end: runs that would not go are cut off, which kills their groups.
    pub(super) fn abandon(&mut self) {
        for run in self.runs.drain(..) {
            run.launched.task.abort();
        }
    }
}
