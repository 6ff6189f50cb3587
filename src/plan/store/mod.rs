//! The planfile store: the only code that writes `.planfile/`'s sprints, config, journal and mirrors.
//!
//! The store owns the last good state of every sprint file. It reads without a lock (with a stability check, as files
//! change one at a time) and writes under planfile's own flock: lock, read again, edit the named ticket's spans, write
//! beside, sync, rename, sync the folder, drop the mirror, journal, archive, unlock (`reference/planfile.md` §5.4).
//! A file that does not parse is never overwritten; its last good state stays visible next to the fault.
//!
//! The parts: [`files`] reads and remembers versions, `config`, `locator`, `journal`, `evidence` know planfile's side
//! files, `apply` and `create` are the transactions, `archive` and `moves` the way to the history files and back,
//! `quick` changes single tickets of a large file without touching the others, [`watch`] tells when to look again,

mod apply;
mod archive;
mod batch;
mod config;
mod create;
mod engine;
mod evidence;
mod files;
mod journal;
mod listing;
mod locate;
mod locator;
mod moves;
mod quick;
mod reading;
mod secrets;
#[cfg(test)]
mod tests;
pub mod watch;
mod whole;

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lifecycle::{NewTicket, Op, Refusal};
use super::ticket::{Ticket, TicketId};
use super::yaml::SprintFault;
use super::yaml::stream::Keep;
use crate::base::clock::Clock;
use engine::Engine;

/// What the store knows at one moment. Shared, immutable.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Grows by one with every visible change.
    pub revision: u64,
    /// Project name from the config, else the folder's name.
    pub project: String,
    /// Every ticket of every readable sprint file: `current` first, then `backlog`, others by name, history newest
    /// first; within a file in file order. An id that stands in two files is kept once (current wins, then locator).
    pub tickets: Vec<Arc<Ticket>>,
    /// Files that cannot be used right now. Their tickets above are the last good state.
    pub faults: Vec<FileFault>,
    /// Things planfile would misread.
    pub warnings: Vec<FileWarning>,
    /// Sprint files, by stem, with their number of tickets.
    pub sprints: Vec<(String, usize)>,
    /// Where each id stands; made by itself at the first question.
    #[serde(skip)]
    pub lookup: Lookup,
}

impl Plan {
    /// The ticket with this id.
    pub fn ticket(&self, id: &TicketId) -> Option<&Arc<Ticket>> {
        self.tickets.get(self.place(id)?)
    }

    /// Where in [`Plan::tickets`] the ticket with this id is.
    fn place(&self, id: &TicketId) -> Option<usize> {
        let places = self.lookup.places.get_or_init(|| {
            let ids = self.tickets.iter().enumerate().rev();
            ids.map(|(place, ticket)| (ticket.id.clone(), place)).collect()
        });
        places.get(id).copied()
    }
}

/// The index behind [`Plan::ticket`]. Derived from the tickets, so it is equal to any other and never travels. A clone is
/// the same index: whoever gives a cloned plan other tickets, or the same in another order, gives it a new one.
#[derive(Clone, Debug, Default)]
pub struct Lookup {
    places: Arc<OnceLock<HashMap<TicketId, usize>>>,
}

impl PartialEq for Lookup {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// A file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{path}: {fault}")]
pub struct FileFault {
    /// Path relative to the project.
    pub path: String,
    /// Where and why.
    pub fault: SprintFault,
}

/// A warning about one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileWarning {
    /// Path relative to the project.
    pub path: String,
    /// 1-based line.
    pub line: usize,
    /// What and what to do.
    pub message: String,
}

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No config or no sprint file.
    #[error("{0} holds no planfile; run `koru-tui init` there")]
    Uninitialised(PathBuf),
    /// Sharded storage.
    #[error("{path} uses storage.backend={backend}, which koru-tui does not edit; use single-yaml storage")]
    UnsupportedBackend {
        /// The config file.
        path: PathBuf,
        /// The backend word.
        backend: String,
    },
    /// The config does not parse or has the wrong shape.
    #[error("{path}: {fault}")]
    Config {
        /// The config file.
        path: PathBuf,
        /// Where and why.
        fault: SprintFault,
    },
    /// Reading failed.
    #[error("reading {path} failed: {source}")]
    Io {
        /// What was read.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Why a write was not made. Nothing was changed on disk unless the variant says so.
#[derive(Debug, thiserror::Error)]
pub enum MutateError {
    /// No such ticket anywhere.
    #[error("no ticket {0} in this planfile; `koru-tui ticket list` shows what there is")]
    NoTicket(TicketId),
    /// The ticket changed since the operator saw it.
    #[error("{id} was changed by someone else at {found}; look at it again before deciding")]
    Changed {
        /// Ticket.
        id: TicketId,
        /// Its `updated_at` now.
        found: String,
    },
    /// A rule forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The file does not parse.
    #[error("{0}; repair the file, nothing was written")]
    Broken(FileFault),
    /// The edit cannot be made faithfully.
    #[error("{path}: {source}")]
    Edit {
        /// The file, relative to the project.
        path: String,
        /// Why.
        source: super::yaml::sprint::EditError,
    },
    /// planfile 0.1.93 or another writer without lock owns this store.
    #[error(
        "this planfile was written by a planfile release that takes no lock (no `storage:` section in {0}); open it read-only or upgrade planfile"
    )]
    LegacyWriter(PathBuf),
    /// The lock was not had in time.
    #[error("the planfile is locked by another program ({path}); it did not let go within {waited_ms} ms")]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// How long we waited.
        waited_ms: u64,
    },
    /// Opening again failed.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Writing failed; the old file is whole.
    #[error("writing {path} failed: {source}; the old file is whole")]
    Io {
        /// What was written.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// What one operation did.
#[derive(Clone, Debug, PartialEq)]
pub struct Mutated {
    /// The ticket after the operation.
    pub ticket: Arc<Ticket>,
    /// File stem where it stands now.
    pub sprint: String,
}

/// One operation of a batch, or several on one ticket that belong together.
#[derive(Clone, Debug)]
pub struct Step {
    /// Ticket.
    pub id: TicketId,
    /// Operation.
    pub op: Op,
    /// What follows, each on the ticket as the one before left it. `op` and all of these reach the disk in one write, or,
    /// when one of them is refused, none does.
    pub then: Vec<Op>,
    /// `updated_at` the operator saw; a different instant on disk refuses the step ([`MutateError::Changed`]).
    pub seen: Option<jiff::Timestamp>,
    /// Recorded as `actor` in the ticket's history.
    pub actor: Option<String>,
}

impl Step {
    /// A step whoever asks for it and whatever the ticket says now.
    pub fn new(id: TicketId, op: Op) -> Step {
        Step { id, op, then: Vec::new(), seen: None, actor: None }
    }

    /// All its operations in order.
    pub(crate) fn ops(&self) -> impl Iterator<Item = &Op> {
        std::iter::once(&self.op).chain(&self.then)
    }
}

/// The store of one project. Not `Sync`: one owner.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    engine: RefCell<Engine>,
}

impl Store {
    /// Opens the store of the project at `root` (the folder that holds `.planfile/`). Creates nothing.
    ///
    /// The config is read here; the sprint files are read when they are first needed, so that a process that changes
    /// one ticket and ends does not pay for reading thousands of others.
    ///
    /// # Errors
    /// See [`OpenError`]. A broken sprint file is not an error here: it is a fault in the plan.
    pub fn open(root: &Path) -> Result<Store, OpenError> {
        Ok(Store { root: root.to_path_buf(), engine: RefCell::new(Engine::open(root)?) })
    }

    /// The same store with another clock.
    pub fn with_clock(mut self, clock: Clock) -> Store {
        self.engine.get_mut().clock = clock;
        self
    }

    /// The same store that waits at most this long for planfile's lock (10 s otherwise).
    pub fn with_lock_wait(mut self, wait: Duration) -> Store {
        self.engine.get_mut().lock_wait = wait;
        self
    }

    /// The project folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Why this store must not be written, as a sentence; `None` when it may be.
    pub fn read_only(&self) -> Option<String> {
        self.engine.borrow().writable().err().map(|error| error.to_string())
    }

    /// The state as of the last load.
    pub fn plan(&self) -> Arc<Plan> {
        self.engine.borrow_mut().plan()
    }

    /// Reads again what changed on disk; true when the plan changed. Files with equal (mtime, size, inode) are not read.
    pub fn refresh(&mut self) -> bool {
        self.engine.get_mut().refresh()
    }

    /// The whole record of a ticket as JSON, unknown keys included, evidence merged in as planfile shows it. `None` when
    /// there is no such ticket, or its file is written again and again while we look.
    pub fn record(&self, id: &TicketId) -> Option<Value> {
        self.engine.borrow_mut().record(id)
    }

    /// Appends the records of these tickets of the plan, each as [`Store::record`] gives it, as JSON objects with commas
    /// between them. Far cheaper than one by one. False when a file was written since the plan was made: what is in `out`
    /// is worth nothing then; look again, with a fresh plan.
    #[must_use]
    pub fn write_records(&self, tickets: &[&Arc<Ticket>], out: &mut Vec<u8>) -> bool {
        self.engine.borrow_mut().write_records(tickets, out)
    }

    /// What [`Store::write_records`] writes for the tickets of `current` that `keep` likes (all without it), in pieces to
    /// be joined by commas: for a process that lists and ends, several times as fast because no plan is made of the
    /// files. `None` when that way is not open: a plan was made already, receipts are to be merged, a file is
    /// broken or laid out otherwise than planfile does.
    pub fn current_records(&self, keep: Option<Keep<'_>>) -> Option<Vec<String>> {
        self.engine.borrow_mut().current_records(keep)
    }

    /// Applies steps in one lock, each file written at most twice. Steps are independent: one refused step does not
    /// stop the others; the operations of one step are not ([`Step::then`]). Every returned `Ok` is durable.
    pub fn apply(&mut self, steps: &[Step]) -> Vec<Result<Mutated, MutateError>> {
        self.engine.get_mut().apply(steps)
    }

    /// Applies one operation.
    ///
    /// # Errors
    /// See [`MutateError`].
    pub fn mutate(&mut self, id: &TicketId, op: Op, actor: Option<&str>) -> Result<Mutated, MutateError> {
        let step = Step { actor: actor.map(str::to_owned), ..Step::new(id.clone(), op) };
        match self.apply(std::slice::from_ref(&step)).pop() {
            Some(result) => result,
            None => Err(MutateError::NoTicket(id.clone())),
        }
    }

    /// Makes a ticket with the next free id (above every id on disk, whatever `next_id` says).
    ///
    /// # Errors
    /// See [`MutateError`].
    pub fn create(&mut self, new: &NewTicket) -> Result<Mutated, MutateError> {
        self.engine.get_mut().create(new)
    }

    /// From now on finished tickets stay in `current` until `every` of them are moved to the history files at once.
    /// Meanwhile the planfile is whole: planfile itself moves them whenever it writes. For long drains, where moving
    /// each ticket by itself would rewrite a growing history file every time. `0` moves at once again.
    pub fn batch_archive(&mut self, every: usize) {
        self.engine.get_mut().archive_every = every;
    }

    /// From now on what is noted for later processes alone waits for [`Store::flush_archive`]: more steps follow soon.
    /// Without the note they read more, and find the same.
    pub fn more_to_come(&mut self) {
        self.engine.get_mut().more_to_come = true;
    }

    /// Moves finished tickets that wait to the history files now; to be called at the end of a drain.
    ///
    /// # Errors
    /// See [`MutateError`].
    pub fn flush_archive(&mut self) -> Result<(), MutateError> {
        self.engine.get_mut().flush_archive()
    }
}
