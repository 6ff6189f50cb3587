//! Steps carried out in memory, on copies of the documents: nothing here touches the disk.
//!
//! Where a ticket can stand alone, its steps are carried out on a small document of its own, and all tickets of a file
//! are put back with one edit at the end: a batch costs one pass over a large file, not one a step.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::archive::is_archive;
use super::files::{Files, Rank};
use super::moves::{Alone, append_all};
use super::{FileFault, MutateError, Step, journal};
use crate::plan::lifecycle::{self, Change, Op, history, with_offset};
use crate::plan::ticket::{Ticket, TicketId};
use crate::plan::yaml::SprintDoc;
use crate::plan::yaml::sprint::EditError;

/// What one step came to, before anything is written.
#[derive(Debug)]
pub(super) struct Prepared {
    /// Ticket.
    pub(super) id: TicketId,
    /// Files that must be written for it, by stem; empty when nothing changes.
    pub(super) stems: Vec<String>,
    /// Its journal rows, one an operation.
    pub(super) rows: Vec<String>,
    /// The ticket is finished now.
    pub(super) finished: bool,
    /// The ticket left a history file.
    pub(super) restored: bool,
}

impl Prepared {
    /// Nothing changes.
    fn nothing(id: TicketId) -> Prepared {
        Prepared { id, stems: Vec::new(), rows: Vec::new(), finished: false, restored: false }
    }

    /// Both, this one first.
    fn and(mut self, next: Prepared) -> Prepared {
        if next.stems.is_empty() {
            return self;
        }
        self.stems.extend(next.stems);
        self.rows.extend(next.rows);
        Prepared { finished: next.finished, restored: self.restored || next.restored, ..self }
    }
}

/// A ticket that is worked on by itself.
#[derive(Clone, Debug)]
struct Pending {
    stem: String,
    alone: Alone,
    /// What all its steps so far come to.
    changes: Vec<Change>,
}

/// Steps on copies.
#[derive(Debug)]
pub(super) struct Batch<'a> {
    files: &'a Files,
    /// Changed documents.
    docs: BTreeMap<Rank, SprintDoc>,
    /// Documents as they are on disk, read when they are first needed.
    read: RefCell<HashMap<String, SprintDoc>>,
    /// Tickets that were changed on their own and are not in `docs` yet.
    pending: HashMap<TicketId, Pending>,
    /// `updated_at` of each touched ticket before the batch: what an operator can have seen.
    before: HashMap<TicketId, Option<Timestamp>>,
    now: Timestamp,
}

impl<'a> Batch<'a> {
    pub(super) fn new(files: &'a Files, now: Timestamp) -> Self {
        Batch {
            files,
            docs: BTreeMap::new(),
            read: RefCell::default(),
            pending: HashMap::new(),
            before: HashMap::new(),
            now,
        }
    }

    /// Carries out one step: all its operations, or none.
    ///
    /// # Errors
    /// See [`MutateError`]; the documents are as before then.
    pub(super) fn step(&mut self, step: &Step) -> Result<Prepared, MutateError> {
        let (_, ticket, _) = self.look(&step.id)?;
        check_seen(&ticket, step, *self.before.entry(step.id.clone()).or_insert(ticket.updated_at))?;
        let saved = (!step.then.is_empty()).then(|| (self.docs.clone(), self.pending.get(&step.id).cloned()));
        let mut prepared = Prepared::nothing(step.id.clone());
        for op in step.ops() {
            match self.operation(&step.id, op, step.actor.as_deref()) {
                Ok(next) => prepared = prepared.and(next),
                Err(error) => {
                    if let Some((docs, pending)) = saved {
                        self.docs = docs;
                        self.pending.remove(&step.id);
                        self.pending.extend(pending.map(|pending| (step.id.clone(), pending)));
                    }
                    return Err(error);
                }
            }
        }
        Ok(prepared)
    }

    /// Carries out one operation on the ticket as it stands in this batch; a refusal changes nothing.
    fn operation(&mut self, id: &TicketId, op: &Op, actor: Option<&str>) -> Result<Prepared, MutateError> {
        let (stem, ticket, record) = self.look(id)?;
        let mut changes = lifecycle::changes(&ticket, op, self.now)?;
        let facts = history::complete(&record, &mut changes, op, actor, self.now);
        if changes.is_empty() {
            return Ok(Prepared::nothing(id.clone()));
        }
        let id = id.clone();
        let rows = facts.iter().map(|facts| journal::change_row(id.as_str(), facts, actor)).collect();
        if let Some(finished) = self.alone(&stem, &id, &changes) {
            return Ok(Prepared { id, stems: vec![stem], rows, finished, restored: false });
        }
        self.settle(&id)?;
        let edited =
            self.doc(&stem)?.edit(id.as_str(), &changes).map_err(|source| edit_error(&stem, source))?;
        let finished = edited.ticket(id.as_str()).is_some_and(|ticket| ticket.status.is_terminal());
        let restored = is_archive(&stem) && !finished;
        let stems = if restored {
            self.restore(&id, &stem, &edited)?
        } else {
            self.docs.insert(Rank::of(&stem), edited);
            vec![stem]
        };
        Ok(Prepared { id, stems, rows, finished, restored })
    }

    /// The ticket as it stands in this batch: file, ticket, record.
    fn look(&mut self, id: &TicketId) -> Result<(String, Arc<Ticket>, Value), MutateError> {
        if !self.pending.contains_key(id) {
            let stem = self.home_of(id)?;
            if !is_archive(&stem)
                && !self.docs.contains_key(&Rank::of(&stem))
                && let Some(alone) = self.files.alone(&stem, id.as_str())
            {
                self.pending.insert(id.clone(), Pending { stem, alone, changes: Vec::new() });
            }
        }
        let (stem, doc) = match self.pending.get(id) {
            Some(pending) => (pending.stem.clone(), pending.alone.doc.clone()),
            None => {
                let stem = self.home_of(id)?;
                let doc = self.doc(&stem)?;
                (stem, doc)
            }
        };
        let found = doc.ticket(id.as_str()).map(Arc::clone).zip(doc.record(id.as_str()));
        let (ticket, record) = found.ok_or_else(|| MutateError::NoTicket(id.clone()))?;
        Ok((stem, ticket, record))
    }

    /// Changes a ticket by itself; whether it is finished then, or `None` when it cannot be done like that.
    fn alone(&mut self, stem: &str, id: &TicketId, changes: &[Change]) -> Option<bool> {
        if is_archive(stem) {
            return None;
        }
        if !self.pending.contains_key(id) {
            let alone = Alone::new(stem, self.doc(stem).ok()?.source(id.as_str())?)?;
            self.pending.insert(id.clone(), Pending { stem: stem.to_owned(), alone, changes: Vec::new() });
        }
        let pending = self.pending.get_mut(id)?;
        if !pending.alone.edit(id.as_str(), changes) {
            return None;
        }
        for change in changes {
            pending.changes.retain(|earlier| earlier.path != change.path);
            pending.changes.push(change.clone());
        }
        Some(pending.alone.doc.ticket(id.as_str())?.status.is_terminal())
    }

    /// Puts a ticket that was worked on by itself back into its document.
    fn settle(&mut self, id: &TicketId) -> Result<(), MutateError> {
        let Some(Pending { stem, changes, .. }) = self.pending.remove(id) else { return Ok(()) };
        let edited =
            self.doc(&stem)?.edit(id.as_str(), &changes).map_err(|source| edit_error(&stem, source))?;
        self.docs.insert(Rank::of(&stem), edited);
        Ok(())
    }

    /// The changed documents, and the tickets whose steps could not be put back, with the reason.
    pub(super) fn finish(mut self) -> (BTreeMap<Rank, SprintDoc>, Vec<(TicketId, MutateError)>) {
        let mut by_stem: BTreeMap<String, Vec<(TicketId, Vec<Change>)>> = BTreeMap::new();
        for (id, pending) in std::mem::take(&mut self.pending) {
            if !pending.changes.is_empty() {
                by_stem.entry(pending.stem).or_default().push((id, pending.changes));
            }
        }
        let mut failures = Vec::new();
        for (stem, tickets) in by_stem {
            let edits: Vec<(&str, &[Change])> =
                tickets.iter().map(|(id, changes)| (id.as_str(), changes.as_slice())).collect();
            let (doc, results) = match self.doc(&stem) {
                Ok(doc) => doc.edit_many(&edits),
                Err(error) => {
                    failures.extend(tickets.iter().map(|(id, _)| (id.clone(), error.again())));
                    continue;
                }
            };
            if results.iter().any(Result::is_ok) {
                self.docs.insert(Rank::of(&stem), doc);
            }
            let failed =
                tickets.iter().zip(results).filter_map(|((id, _), result)| Some((id, result.err()?)));
            failures.extend(failed.map(|(id, source)| (id.clone(), edit_error(&stem, source))));
        }
        (self.docs, failures)
    }

    /// Moves an active ticket out of a history file: the destination is written first.
    fn restore(&mut self, id: &TicketId, stem: &str, edited: &SprintDoc) -> Result<Vec<String>, MutateError> {
        let at_home = |source| edit_error(stem, source);
        let back = [Change::set(&["sprint"], "current")];
        let edited = edited.edit(id.as_str(), &back).map_err(at_home)?;
        let source = edited.source(id.as_str()).ok_or_else(|| MutateError::NoTicket(id.clone()))?;
        let current = self.doc("current")?.insert_source(id.as_str(), source);
        let current = current.map_err(|source| edit_error("current", source))?;
        let rest = self.doc(stem)?.remove(&[id.as_str()]).map_err(at_home)?;
        self.docs.insert(Rank::of("current"), current);
        self.docs.insert(Rank::of(stem), rest);
        Ok(vec!["current".to_owned(), stem.to_owned()])
    }

    /// Takes a ticket that also stands in `current` out of a history file.
    pub(super) fn heal(&mut self, id: &str, stem: &str) {
        if let Ok(doc) = self.doc(stem)
            && let Ok(healed) = doc.remove(&[id])
        {
            self.docs.insert(Rank::of(stem), healed);
        }
    }

    /// The document as it stands in this batch.
    ///
    /// # Errors
    /// The file does not parse now, or is not there.
    fn doc(&self, stem: &str) -> Result<SprintDoc, MutateError> {
        if let Some(doc) = self.docs.get(&Rank::of(stem)) {
            return Ok(doc.clone());
        }
        if let Some(doc) = self.read.borrow().get(stem) {
            return Ok(doc.clone());
        }
        let doc = self.files.doc(stem)?;
        self.read.borrow_mut().insert(stem.to_owned(), doc.clone());
        Ok(doc)
    }

    fn home_of(&self, id: &TicketId) -> Result<String, MutateError> {
        let moved = self.docs.iter().find(|(_, doc)| doc.ticket(id.as_str()).is_some());
        let home = moved.map(|(rank, _)| rank.stem()).or_else(|| self.files.home_of(id.as_str()));
        if let Some(home) = home {
            return Ok(home.to_owned());
        }
        // It may stand in a file that cannot be read now: say so rather than deny that it exists.
        let broken = self.files.sprints.iter().find_map(|(rank, file)| Some((rank, file.fault.as_ref()?)));
        Err(match broken {
            Some((rank, fault)) => {
                MutateError::Broken(FileFault { path: Files::shown(rank.stem()), fault: fault.clone() })
            }
            None => MutateError::NoTicket(id.clone()),
        })
    }
}

/// Refuses a step that was decided on another state than the one on disk.
pub(super) fn check_seen(ticket: &Ticket, step: &Step, found: Option<Timestamp>) -> Result<(), MutateError> {
    let same = |a: Timestamp, b: Timestamp| a.as_microsecond() == b.as_microsecond();
    match (step.seen, found) {
        (None, _) => Ok(()),
        (Some(seen), Some(found)) if same(seen, found) => Ok(()),
        (Some(_), found) => {
            let found = found.map_or_else(|| "an unknown time".to_owned(), with_offset);
            Err(MutateError::Changed { id: ticket.id.clone(), found })
        }
    }
}

/// An edit that was refused, with its file.
pub(super) fn edit_error(stem: &str, source: EditError) -> MutateError {
    MutateError::Edit { path: Files::shown(stem), source }
}

/// Adds several tickets to a document, each as its source text.
pub(super) fn insert_all(doc: SprintDoc, sources: &[(String, String)]) -> Result<SprintDoc, EditError> {
    if let Some(grown) = append_all(&doc, sources) {
        return Ok(grown);
    }
    sources.iter().try_fold(doc, |doc, (id, source)| doc.insert_source(id, source))
}
