//! The supervisor: commands in, events out, snapshots to read. One owner of all mutable state.
//!
//! [`protocol`] holds the versioned serde types that also travel over a socket later; nothing in them borrows from the
//! process. The supervisor's task owns the store, the runs and the clock; callers hold a [`Handle`].

pub mod drain;
pub mod protocol;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::base::clock::Clock;
use protocol::{Command, Event, RequestId, Snapshot};

/// How a runtime is hosted.
#[derive(Clone, Debug)]
pub struct Options {
    /// Project folder.
    pub root: PathBuf,
    /// Recorded in tickets; koru's default is `koru-shell`.
    pub actor: String,
    /// Only tickets of this queue are started.
    pub queue: Option<String>,
    /// Parallel runs.
    pub jobs: u32,
    /// Length of a run's lease; it is renewed at a third of it.
    pub lease: Duration,
    /// Silence after which a run counts as stalled.
    pub stall_after: Duration,
    /// TERM to KILL.
    pub grace: Duration,
    /// The clock.
    pub clock: Clock,
}

/// A running supervisor. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Handle {
    commands: mpsc::UnboundedSender<(RequestId, Command)>,
    snapshot: Arc<std::sync::RwLock<Arc<Snapshot>>>,
}

/// Events of one supervisor, in order.
pub type Events = mpsc::Receiver<Event>;

/// Starts the supervisor on the current tokio runtime. Returns at once: the first snapshot says
/// [`protocol::PlanHealth::Loading`] and the disk is read off the caller's thread.
pub fn start(options: Options) -> (Handle, Events) {
    let _ = options;
    unimplemented!()
}

impl Handle {
    /// Sends a command; its reply carries `request`.
    pub fn send(&self, request: RequestId, command: Command) {
        let _ = self.commands.send((request, command));
    }

    /// The latest snapshot; never blocks for longer than a pointer copy.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Stops every run by the ladder, releases their tickets as `interrupted` work that can be retried, and ends.
    pub async fn shutdown(&self) {
        unimplemented!()
    }
}
