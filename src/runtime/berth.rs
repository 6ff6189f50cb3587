//! The job that a run occupies, seen from both its sides: the run leaves it while it sleeps over a rate limit and wants
//! it back when it wakes; whoever deals the jobs out gives it back when one is free.
//!
//! One berth belongs to one run. A run that never sleeps keeps its job from the beginning to the end and never looks at
//! this.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Notify;

const HELD: u8 = 0;
const LEFT: u8 = 1;
const WANTED: u8 = 2;

#[derive(Debug)]
struct Inner {
    state: AtomicU8,
    given: Notify,
}

/// One run's hold on a job.
#[derive(Clone, Debug)]
pub(crate) struct Berth(Arc<Inner>);

impl Default for Berth {
    fn default() -> Self {
        Berth(Arc::new(Inner { state: AtomicU8::new(HELD), given: Notify::new() }))
    }
}

impl Berth {
    /// The run sleeps: its job is free for another.
    pub(super) fn leave(&self) {
        self.0.state.store(LEFT, Ordering::SeqCst);
    }

    /// The run is awake and wants a job again. Whoever deals them out has to be told apart from this.
    pub(super) fn want(&self) {
        self.0.state.store(WANTED, Ordering::SeqCst);
    }

    /// Waits until a job was given.
    pub(super) async fn given(&self) {
        while self.0.state.load(Ordering::SeqCst) != HELD {
            self.0.given.notified().await;
        }
    }

    /// Takes a job whether one is free or not: the run is to end.
    pub(super) fn take(&self) {
        self.0.state.store(HELD, Ordering::SeqCst);
    }

    /// Whether the run occupies a job.
    pub(super) fn is_held(&self) -> bool {
        self.0.state.load(Ordering::SeqCst) == HELD
    }

    /// Gives a job to the run if it waits for one; whether it did.
    pub(super) fn give(&self) -> bool {
        let state = &self.0.state;
        let waited = state.compare_exchange(WANTED, HELD, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        if waited {
            self.0.given.notify_one();
        }
        waited
    }
}

/// Gives the jobs that are free to runs that woke and wait for one, in this order, before any new run gets one.
pub(super) fn deal<'a>(berths: impl Iterator<Item = &'a Berth>, mut free: usize) {
    for berth in berths {
        if free == 0 {
            return;
        }
        free -= usize::from(berth.give());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_job_is_left_wanted_and_given() {
        let berths: [Berth; 4] = Default::default();
        let held = || berths.iter().map(Berth::is_held).collect::<Vec<_>>();
        assert_eq!(held(), [true; 4]);
        berths.iter().skip(1).for_each(Berth::leave);
        berths.iter().skip(2).for_each(Berth::want);
        assert_eq!(held(), [true, false, false, false]);
        deal(berths.iter(), 0);
        assert_eq!(held(), [true, false, false, false]);
        deal(berths.iter(), 1);
        assert_eq!(held(), [true, false, true, false], "who sleeps on is given nothing");
        berths[2].given().await;
        deal(berths.iter(), 9);
        assert_eq!(held(), [true, false, true, true]);
        berths[1].take();
        assert_eq!(held(), [true; 4]);
    }
}
