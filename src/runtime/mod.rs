//! The supervisor: commands in, events out, snapshots to read. One owner of all mutable state.
//!
//! [`protocol`] holds the versioned serde types that also travel over a socket later; nothing in them borrows from the
//! process. The supervisor's task owns the store, the runs and the clock; callers hold a [`Handle`].

mod agents;
pub(crate) mod answering;
mod claim;
pub(crate) mod deciding;
mod diffs;
pub mod drain;
mod ending;
mod feed;
mod files;
pub(crate) mod fixlist;
mod holder;
mod interrupted;
mod job_slot;
mod keeper;
mod launch;
mod leases;
mod listener;
mod llm;
mod mcp;
mod order;
mod overlap;
pub(crate) mod past_runs;
pub(crate) mod promotions;
mod proof;
pub mod protocol;
pub(crate) mod reviews;
mod storage;
mod supervisor;
pub(crate) mod undoing;
mod wording;

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::base::clock::Clock;
use protocol::{Command, Event, PROTOCOL, PlanHealth, QueueView, RequestId, Snapshot};
use supervisor::{Call, Supervisor};

/// Events that may wait for a console; with more, output is left to be fetched.
const EVENTS_WAITING: usize = 1024;

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
    /// Length of a run's lease; it is renewed at a third of it. Renewing writes the planfile (once for all runs), so
    /// a few minutes are better than a few seconds.
    pub lease: Duration,
    /// Silence after which a run counts as stalled.
    pub stall_after: Duration,
    /// TERM to KILL.
    pub grace: Duration,
    /// The clock.
    pub clock: Clock,
}

impl Options {
    /// The defaults for the project at `root`.
    pub fn new(root: PathBuf) -> Self {
        Self {
            root,
            actor: "koru-shell".to_owned(),
            queue: None,
            jobs: 2,
            lease: Duration::from_secs(300),
            stall_after: Duration::from_secs(120),
            grace: Duration::from_secs(10),
            clock: Clock::System,
        }
    }
}

/// The latest snapshot, swapped as a whole.
type SharedSnapshot = Arc<RwLock<Arc<Snapshot>>>;

/// A running supervisor. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Handle {
    calls: mpsc::UnboundedSender<Call>,
    snapshot: SharedSnapshot,
}

/// Events of one supervisor, in order.
pub type Events = mpsc::Receiver<Event>;

/// Starts the supervisor on the current tokio runtime. Returns at once: the first snapshot says
/// [`protocol::PlanHealth::Loading`] and the disk is read off the caller's thread. When every handle is dropped, the
/// supervisor stops its runs and ends as after [`Handle::shutdown`].
pub fn start(options: Options) -> (Handle, Events) {
    let first = Snapshot {
        version: PROTOCOL,
        revision: 0,
        root: options.root.display().to_string(),
        name: project_name("", &options.root),
        branch: None,
        health: PlanHealth::Loading,
        plan: Arc::default(),
        order: Arc::default(),
        runs: Vec::new(),
        queue: QueueView { running: false, jobs: options.jobs.max(1), active: 0 },
        held: Vec::new(),
        actor: options.actor.clone(),
        agents: Vec::new(),
        servers: Vec::new(),
        cost_today: None,
        day_usd: None,
        reviews: std::collections::BTreeMap::new(),
        promotions: Arc::default(),
    };
    let snapshot: SharedSnapshot = Arc::new(RwLock::new(Arc::new(first)));
    let (calls, inbox) = mpsc::unbounded_channel();
    let (events, receiver) = mpsc::channel(EVENTS_WAITING);
    tokio::spawn(Supervisor::new(options, inbox, events, Arc::clone(&snapshot)).work());
    (Handle { calls, snapshot }, receiver)
}

impl Handle {
    /// Sends a command; its reply carries `request`.
    pub fn send(&self, request: RequestId, command: Command) {
        let _ = self.calls.send(Call::Command(request, command));
    }

    /// The latest snapshot; never blocks for longer than a pointer copy.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Stops every run by the ladder, releases their tickets (back to ready, with a note), and ends. Called again while
    /// it works, it skips the grace. Bounded: what cannot be killed is given up on.
    pub async fn shutdown(&self) {
        let (done, ended) = oneshot::channel();
        if self.calls.send(Call::Shutdown(done)).is_ok() {
            let _ = ended.await;
        }
    }
}

/// The project's name: from its config, else its folder.
fn project_name(configured: &str, root: &Path) -> String {
    if configured.is_empty() {
        root.file_name().map_or_else(|| "/".to_owned(), |name| name.to_string_lossy().into_owned())
    } else {
        configured.to_owned()
    }
}
