//! Asking a run to stop, from polite to final. The asker keeps the sender, the run watches the receiver.

use tokio::sync::watch;

/// How much a run is asked to stop. Only ever grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Not at all.
    #[default]
    No,
    /// TERM, grace, KILL.
    Polite,
    /// KILL.
    Now,
}

/// The run's side.
#[derive(Clone, Debug)]
pub struct StopWatch(watch::Receiver<Stop>);

/// The asker's side.
#[derive(Debug)]
pub struct Stopper(watch::Sender<Stop>);

/// A pair of both sides.
pub fn stop_pair() -> (Stopper, StopWatch) {
    let (sender, receiver) = watch::channel(Stop::No);
    (Stopper(sender), StopWatch(receiver))
}

impl Stopper {
    /// Asks politely, or, when that was asked before, finally. Returns what is asked now.
    pub fn press(&self) -> Stop {
        let next = if *self.0.borrow() == Stop::No { Stop::Polite } else { Stop::Now };
        self.0.send_replace(next);
        next
    }

    /// Asks at least for `stop`.
    pub fn at_least(&self, stop: Stop) {
        self.0.send_if_modified(|current| {
            let grows = stop > *current;
            *current = stop.max(*current);
            grows
        });
    }

    /// What is asked now.
    pub fn current(&self) -> Stop {
        *self.0.borrow()
    }
}

impl StopWatch {
    /// What is asked now.
    pub fn current(&self) -> Stop {
        *self.0.borrow()
    }

    /// Waits until more is asked; for ever when the asker is gone.
    pub async fn changed(&mut self) -> Stop {
        match self.0.changed().await {
            Ok(()) => *self.0.borrow_and_update(),
            Err(_) => std::future::pending().await,
        }
    }
}
