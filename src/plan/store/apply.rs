//! The transaction: lock, look again, carry out the steps in memory, write each touched file once, journal, archive.

use std::io;
use std::sync::Arc;

use super::batch::{Batch, Prepared};
use super::engine::Engine;
use super::files::{Files, Rank, SprintFile};
use super::{FileFault, MutateError, Mutated, Step, journal};
use crate::base::atomic;
use crate::base::faults;
use crate::plan::ticket::TicketId;
use crate::plan::yaml::SprintDoc;

/// What became of one step.
type Outcome = Result<Mutated, MutateError>;

impl Engine {
    /// See [`super::Store::apply`].
    pub(super) fn apply(&mut self, steps: &[Step]) -> Vec<Outcome> {
        if steps.is_empty() {
            return Vec::new();
        }
        let lock = match self.lock() {
            Ok(lock) => lock,
            Err(error) => return steps.iter().map(|_| Err(error.again())).collect(),
        };
        if !self.loaded
            && let Some(outcomes) = self.apply_quickly(steps)
        {
            return outcomes;
        }
        if let Err(error) = self.look_again() {
            return steps.iter().map(|_| Err(error.again())).collect();
        }
        let outcomes = self.apply_quickly(steps).unwrap_or_else(|| self.apply_locked(steps));
        drop(lock);
        outcomes
    }

    fn apply_locked(&mut self, steps: &[Step]) -> Vec<Outcome> {
        self.complaints.clear();
        let now = self.clock.now();
        let mut batch = Batch::new(&self.files, now);
        let mut outcomes: Vec<Result<Prepared, MutateError>> =
            steps.iter().map(|step| batch.step(step)).collect();
        let mut healed = Vec::new();
        for (ticket, stem) in &self.torn {
            // A finished ticket is moved again by the archive below; an active one belongs to `current` alone.
            if !self.files.config.archive.covers(ticket) {
                batch.heal(ticket.id.as_str(), stem);
                healed.push(ticket.id.clone());
            }
        }
        let (mut docs, failures) = batch.finish();
        for (id, error) in failures {
            let steps =
                outcomes.iter_mut().filter(|outcome| outcome.as_ref().is_ok_and(|done| done.id == id));
            steps.for_each(|outcome| *outcome = Err(error.again()));
        }
        if docs.is_empty() {
            return outcomes
                .into_iter()
                .map(|outcome| outcome.and_then(|done| self.seen_now(&done.id)))
                .collect();
        }
        let finished = outcomes.iter().flatten().filter(|done| done.finished).count();
        self.archive_waiting += finished;
        let archive = finished > 0 && self.archive_waiting >= self.archive_every;
        if archive && docs.keys().all(|rank| rank.stem() == "current") {
            // The usual case saves a write: `current` goes to the disk once, without what just finished.
            let left = docs.values().next().and_then(|current| self.archive_from(current, now));
            docs.extend(left.map(|left| (Rank::of("current"), left)));
            self.write_all(docs, &mut outcomes);
        } else {
            self.write_all(docs, &mut outcomes);
            if archive && let Err(error) = self.archive(now) {
                self.complain(&Files::shown("current"), format!("finished tickets stay in current: {error}"));
            }
        }
        let done = || outcomes.iter().flatten();
        let rows: Vec<String> = done().flat_map(|done| done.rows.iter().cloned()).collect();
        healed.extend(done().filter(|done| done.restored).map(|done| done.id.clone()));
        self.journal(&rows);
        self.forget_locations(&healed);
        self.note_whole();
        self.publish();
        outcomes.into_iter().map(|outcome| outcome.and_then(|done| self.seen_now(&done.id))).collect()
    }

    /// Writes the changed documents, destinations before sources. The first failure ends it: what was not written is
    /// reported by every step that needed it.
    fn write_all(
        &mut self,
        docs: std::collections::BTreeMap<Rank, SprintDoc>,
        outcomes: &mut [Result<Prepared, MutateError>],
    ) {
        let mut failure: Option<MutateError> = None;
        for (rank, doc) in docs {
            if failure.is_none() {
                failure = self.write(&rank, doc).err();
                if failure.is_none() {
                    continue;
                }
            }
            for outcome in outcomes.iter_mut() {
                let needs = |done: &Prepared| done.stems.first().is_some_and(|stem| stem == rank.stem());
                if let (true, Some(error)) = (outcome.as_ref().is_ok_and(needs), &failure) {
                    *outcome = Err(error.again());
                }
            }
        }
    }

    /// Writes one sprint file durably and drops its mirror.
    pub(super) fn write(&mut self, rank: &Rank, doc: SprintDoc) -> Result<(), MutateError> {
        let path = self.files.sprint_path(rank.stem());
        let stamp = atomic::replace(&path, &[doc.text().as_bytes()])
            .map_err(|source| MutateError::Io { path: path.clone(), source })?;
        drop_mirror(&path);
        let outline = Some(doc.outline().clone());
        self.files.sprints.insert(rank.clone(), SprintFile { stamp, outline, fault: None });
        Ok(())
    }

    /// Appends rows to planfile's journal. The tickets are durable already and nothing is rebuilt from the journal, so a
    /// failure is a complaint, not an error.
    pub(super) fn journal(&mut self, rows: &[String]) {
        if rows.is_empty() {
            return;
        }
        if let Err(error) = journal::append(&self.files.paths.events(), rows) {
            let message = format!("the change is saved, but journaling it failed: {error}");
            self.complain(".planfile/events/operations.jsonl", message);
        }
    }

    /// The ticket where it stands now.
    pub(super) fn seen_now(&self, id: &TicketId) -> Outcome {
        let missing = || MutateError::NoTicket(id.clone());
        let home = self.files.home_of(id.as_str()).ok_or_else(missing)?;
        let outline = self.files.sprint(home).and_then(|file| file.outline.as_ref()).ok_or_else(missing)?;
        let ticket = outline.ticket(id.as_str()).ok_or_else(missing)?;
        Ok(Mutated { ticket: Arc::clone(ticket), sprint: home.to_owned() })
    }
}

/// Removes planfile's read mirror of a file that was just replaced. The new modification time already makes the mirror
/// stale, so a failure is harmless.
pub(super) fn drop_mirror(path: &std::path::Path) {
    if let Some(name) = path.file_name().and_then(|name| name.to_str())
        && faults::step("drop mirror").is_ok()
    {
        let _ = std::fs::remove_file(path.with_file_name(format!("{name}.fast.json")));
    }
}

impl MutateError {
    /// The same error once more, for the other steps of a batch that failed as a whole.
    pub(super) fn again(&self) -> MutateError {
        let io = |source: &io::Error| io::Error::new(source.kind(), source.to_string());
        match self {
            MutateError::NoTicket(id) => MutateError::NoTicket(id.clone()),
            MutateError::Changed { id, found } => {
                MutateError::Changed { id: id.clone(), found: found.clone() }
            }
            MutateError::Refused(refusal) => MutateError::Refused(refusal.clone()),
            MutateError::Broken(fault) => {
                MutateError::Broken(FileFault { path: fault.path.clone(), fault: fault.fault.clone() })
            }
            MutateError::Edit { path, source } => {
                MutateError::Edit { path: path.clone(), source: source.clone() }
            }
            MutateError::LegacyWriter(path) => MutateError::LegacyWriter(path.clone()),
            MutateError::Locked { path, waited_ms } => {
                MutateError::Locked { path: path.clone(), waited_ms: *waited_ms }
            }
            MutateError::Open(error) => MutateError::Io {
                path: Files::shown("current").into(),
                source: io::Error::other(error.to_string()),
            },
            MutateError::Io { path, source } => MutateError::Io { path: path.clone(), source: io(source) },
        }
    }
}
