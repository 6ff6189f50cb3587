//! The job that a run occupies, seen from both its sides: the run leaves it while it sleeps over a rate limit and wants
//! it back when it wakes; whoever deals the jobs out gives it back when one is free.
//!
//! One slot belongs to one run. A run that never sleeps keeps its job from the beginning to the end and never looks at
//! this.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Notify;

const HELD: u8 = 0;
const RELEASED: u8 = 1;
const REQUESTED: u8 = 2;

#[derive(Debug)]
struct Inner {
    state: AtomicU8,
    granted: Notify,
}

/// One run's hold on a job.
#[derive(Clone, Debug)]
pub(crate) struct JobSlot(Arc<Inner>);

impl Default for JobSlot {
    fn default() -> Self {
        JobSlot(Arc::new(Inner { state: AtomicU8::new(HELD), granted: Notify::new() }))
    }
}

impl JobSlot {
    /// The run sleeps: its job is free for another.
    pub(super) fn release(&self) {
        self.0.state.store(RELEASED, Ordering::SeqCst);
    }

    /// The run is awake and wants a job again. Whoever deals them out has to be told apart from this.
    pub(super) fn request(&self) {
        self.0.state.store(REQUESTED, Ordering::SeqCst);
    }

    /// Waits until a job was given.
    pub(super) async fn granted(&self) {
        while self.0.state.load(Ordering::SeqCst) != HELD {
            self.0.granted.notified().await;
        }
    }

    /// Takes a job whether one is free or not: the run is to end.
    pub(super) fn force(&self) {
        self.0.state.store(HELD, Ordering::SeqCst);
    }

    /// Whether the run occupies a job.
    pub(super) fn is_held(&self) -> bool {
        self.0.state.load(Ordering::SeqCst) == HELD
    }

    /// Gives a job to the run if it waits for one; whether it did.
    pub(super) fn grant(&self) -> bool {
        let state = &self.0.state;
        let waited = state.compare_exchange(REQUESTED, HELD, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        if waited {
            self.0.granted.notify_one();
        }
        waited
    }
}

/// Gives the jobs that are free to runs that woke and wait for one, in this order, before any new run gets one.
pub(super) fn grant<'a>(slots: impl Iterator<Item = &'a JobSlot>, mut free: usize) {
    for slot in slots {
        if free == 0 {
            return;
        }
        free -= usize::from(slot.grant());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_job_is_released_requested_and_granted() {
        let slots: [JobSlot; 4] = Default::default();
        let held = || slots.iter().map(JobSlot::is_held).collect::<Vec<_>>();
        assert_eq!(held(), [true; 4]);
        slots.iter().skip(1).for_each(JobSlot::release);
        slots.iter().skip(2).for_each(JobSlot::request);
        assert_eq!(held(), [true, false, false, false]);
        grant(slots.iter(), 0);
        assert_eq!(held(), [true, false, false, false]);
        grant(slots.iter(), 1);
        assert_eq!(held(), [true, false, true, false], "who sleeps on is given nothing");
        slots[2].granted().await;
        grant(slots.iter(), 9);
        assert_eq!(held(), [true, false, true, true]);
        slots[1].force();
        assert_eq!(held(), [true; 4]);
    }
}
