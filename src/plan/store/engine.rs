//! What the store knows and how it looks again: the state behind [`super::Store`].

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::files::{Files, Merged};
use super::reading::ROUNDS;
use super::whole::{self, Noted};
use super::{FileWarning, MutateError, OpenError, Plan, evidence};
use crate::base::clock::Clock;
use crate::base::lock::{FileLock, LockError};
use crate::base::regular::{self, Links};
use crate::plan::ticket::{Ticket, TicketId};

/// How long a writer waits for planfile's lock. planfile's own newest release gives up after the same time.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// An evidence file larger than this, in bytes, is not read.
const EVIDENCE: u64 = 64 * 1024 * 1024;

/// The state of one store.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) files: Files,
    /// Whether the sprint files were read; until then `plan` is empty.
    pub(super) loaded: bool,
    plan: Arc<Plan>,
    pub(super) clock: Clock,
    pub(super) lock_wait: Duration,
    /// Finished tickets that are moved together; 0 moves each at once.
    pub(super) archive_every: usize,
    /// Finished tickets that wait to be moved.
    pub(super) archive_waiting: usize,
    /// Whether a move failed, so that finished tickets stand in `current` still.
    pub(super) left_behind: bool,
    /// Whether notes for other processes wait for the end of the work.
    pub(super) more_to_come: bool,
    pub(super) note_due: bool,
    /// Tickets that stand in `current` and in a history file.
    pub(super) torn: Vec<(Arc<Ticket>, String)>,
    /// What went wrong beside the tickets themselves (journal, archive), by the latest write.
    pub(super) complaints: Vec<FileWarning>,
}

impl Engine {
    pub(super) fn open(root: &Path) -> Result<Engine, OpenError> {
        Ok(Engine {
            files: Files::open(root)?,
            loaded: false,
            plan: Arc::default(),
            clock: Clock::System,
            lock_wait: LOCK_WAIT,
            archive_every: 0,
            archive_waiting: 0,
            left_behind: false,
            more_to_come: false,
            note_due: false,
            torn: Vec::new(),
            complaints: Vec::new(),
        })
    }

    /// The plan, read now if it never was.
    pub(super) fn plan(&mut self) -> Arc<Plan> {
        if !self.loaded {
            self.refresh();
        }
        Arc::clone(&self.plan)
    }

    /// Reads again what changed; true when the plan changed.
    pub(super) fn refresh(&mut self) -> bool {
        let changed = self.files.refresh();
        if changed || !self.loaded {
            self.loaded = true;
            return self.publish();
        }
        false
    }

    /// Makes the plan from the files; true when it differs from the last one.
    pub(super) fn publish(&mut self) -> bool {
        let Merged { tickets, faults, mut warnings, sprints, torn } = self.files.merged();
        self.torn = torn;
        warnings.extend(self.complaints.iter().cloned());
        let plan = Plan {
            revision: self.plan.revision,
            project: self.project_name(),
            tickets,
            faults,
            warnings,
            sprints,
            ..Plan::default()
        };
        if same(&plan, &self.plan) {
            return false;
        }
        self.plan = Arc::new(Plan { revision: self.plan.revision + 1, ..plan });
        true
    }

    /// Makes the plan where nothing changed but these tickets, each of which is where it was; false, with nothing done,
    /// when one of them is not in the plan.
    pub(super) fn publish_replaced<'t>(&mut self, changed: impl Iterator<Item = &'t Arc<Ticket>>) -> bool {
        let mut plan = Plan::clone(&self.plan);
        for ticket in changed {
            let Some(place) = self.plan.place(&ticket.id) else { return false };
            plan.tickets[place] = Arc::clone(ticket);
        }
        self.plan = Arc::new(Plan { revision: self.plan.revision + 1, ..plan });
        true
    }

    fn project_name(&self) -> String {
        let folder = || self.files.paths.root().file_name().map(|name| name.to_string_lossy().into_owned());
        self.files.config.project.clone().or_else(folder).unwrap_or_default()
    }

    /// See [`super::Store::record`].
    pub(super) fn record(&mut self, id: &TicketId) -> Option<Value> {
        for _ in 0..ROUNDS {
            let record = self.record_as_looked_at(id);
            // The file was written since it was looked at; or it holds no such ticket.
            if record.is_some() || self.files.home_of(id.as_str()).is_none() {
                return record;
            }
            self.refresh();
        }
        None
    }

    /// The record in the version of its file that was looked at last; `None` when the file is another one by now.
    pub(super) fn record_as_looked_at(&mut self, id: &TicketId) -> Option<Value> {
        if !self.loaded {
            self.refresh();
        }
        let home = self.files.home_of(id.as_str())?;
        let mut record = self.files.alone(home, id.as_str()).and_then(|alone| alone.doc.record(id.as_str()));
        if record.is_none() {
            record = self.files.doc(home).ok()?.record(id.as_str());
        }
        let mut record = record?;
        if let Some(path) = evidence::path_of(&self.files.paths.evidence(), id.as_str())
            && let Ok(bytes) = regular::read(&path, Links::Followed, EVIDENCE)
        {
            evidence::merge(&mut record, &String::from_utf8_lossy(&bytes));
        }
        Some(record)
    }

    /// Whether this store may be written at all.
    ///
    /// # Errors
    /// [`MutateError::LegacyWriter`] when a release without a lock may be writing it.
    pub(super) fn writable(&self) -> Result<(), MutateError> {
        if self.files.config.backend.is_none() {
            return Err(MutateError::LegacyWriter(self.files.paths.config()));
        }
        Ok(())
    }

    /// Takes planfile's lock.
    ///
    /// # Errors
    /// The store must not be written, or the lock was not had in time.
    pub(super) fn lock(&self) -> Result<FileLock, MutateError> {
        self.writable()?;
        FileLock::acquire(&self.files.paths.store_lock(), self.lock_wait).map_err(|error| match error {
            LockError::Busy { path, waited_ms } => MutateError::Locked { path, waited_ms },
            LockError::Io { path, source } => MutateError::Io { path, source },
        })
    }

    /// Reads what changed, under the lock, and refuses when the config cannot be trusted.
    pub(super) fn look_again(&mut self) -> Result<(), MutateError> {
        self.refresh();
        self.writable()?;
        match &self.files.config_fault {
            Some(fault) => Err(MutateError::Broken(super::FileFault {
                path: ".planfile/config.yaml".to_owned(),
                fault: fault.clone(),
            })),
            None => Ok(()),
        }
    }

    /// Notes which versions are whole, for later processes that change one ticket only; later, while more is to come.
    pub(super) fn note_whole(&mut self) {
        self.note_due = self.more_to_come;
        if self.more_to_come {
            return;
        }
        let good = self.files.sprints.iter().filter(|(_, file)| file.fault.is_none());
        let known = good.filter_map(|(rank, file)| {
            let takes_more = file.outline.as_ref()?.takes_more();
            Some((rank.stem().to_owned(), Noted { stamp: file.stamp, takes_more }))
        });
        whole::write(&self.files.paths.koru(), &known.collect());
    }

    /// Remembers a complaint about a side file; shown with the plan's warnings until the next write.
    pub(super) fn complain(&mut self, path: &str, message: String) {
        self.complaints.push(FileWarning { path: path.to_owned(), line: 1, message });
    }
}

/// Whether two plans say the same; tickets that were taken over need no look inside.
fn same(new: &Plan, old: &Plan) -> bool {
    let tickets = new.tickets.len() == old.tickets.len()
        && new.tickets.iter().zip(&old.tickets).all(|(new, old)| Arc::ptr_eq(new, old) || new == old);
    tickets
        && new.project == old.project
        && new.faults == old.faults
        && new.warnings == old.warnings
        && new.sprints == old.sprints
}
