//! Changing tickets of `current` by writing their lines only: the rest is copied from the old file to the new one by
//! the block, neither read as YAML nor held in memory.
//!
//! Two kinds of caller come here. A process that does one thing and ends has read nothing: it finds the lines by
//! searching, and only when the version on disk is the one noted as whole ([`super::whole`]). A store that has read the
//! files knows where the lines stand. Either way the ticket's lines must make sense by themselves; everything else takes
//! the long way: no answer here ever means an error. `moving` takes finished tickets to the history file.

mod moving;

use std::collections::HashMap;
use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use super::apply::drop_mirror;
use super::batch::check_seen;
use super::engine::Engine;
use super::files::Rank;
use super::locate::{self, ticket_lines};
use super::moves::Alone;
use super::reading::open_regular;
use super::whole::{self, Known, Noted};
use super::{MutateError, Mutated, Step, journal};
use crate::base::atomic::{self, Part, Stamp};
use crate::plan::lifecycle::{self, history};
use crate::plan::ticket::Ticket;
use crate::plan::yaml::Patch;

/// One ticket's lines and what became of them.
#[derive(Debug)]
struct Piece {
    id: String,
    /// Where they stand now.
    range: Range<u64>,
    alone: Alone,
    changed: bool,
    /// The history file's stem and the lines that go there.
    moved: Option<(String, Alone)>,
}

impl Piece {
    fn ticket(&self) -> Option<&Arc<Ticket>> {
        self.alone.doc.ticket(&self.id)
    }

    /// What it becomes in `current`; `None` when it stays as it is.
    fn patch(&self) -> Option<Patch<'_>> {
        match (&self.moved, self.changed) {
            (Some(_), _) => Some(Patch::Remove(&self.id)),
            (None, true) => Some(Patch::Replace(&self.id, &self.alone.doc)),
            (None, false) => None,
        }
    }
}

/// One version of a sprint file, open.
#[derive(Debug)]
struct Opened {
    file: File,
    stamp: Stamp,
}

impl Opened {
    fn is_unchanged(&self) -> bool {
        stamp_of(&self.file) == Some(self.stamp)
    }
}

/// What the steps come to, before anything is written.
struct Prepared {
    current: Opened,
    known: Known,
    pieces: Vec<Piece>,
    rows: Vec<String>,
    outcomes: Vec<Result<Mutated, MutateError>>,
    /// Finished tickets that wait to be moved afterwards.
    waiting: usize,
}

impl Engine {
    /// Applies the steps under the lock that is held; `None` when the long way has to be taken (nothing was written).
    pub(super) fn apply_quickly(&mut self, steps: &[Step]) -> Option<Vec<Result<Mutated, MutateError>>> {
        let mut prepared = self.prepare(steps)?;
        // What was read must be one version, also where nothing is written.
        if !prepared.current.is_unchanged() {
            return None;
        }
        if prepared.pieces.iter().all(|piece| !piece.changed) {
            return Some(prepared.outcomes);
        }
        let moves = self.moves(&mut prepared)?;
        let patches: Vec<Patch<'_>> = prepared.pieces.iter().filter_map(Piece::patch).collect();
        if self.loaded && !self.files.sprint("current")?.outline.as_ref()?.accepts(&patches) {
            return None;
        }
        prepared.pieces.sort_by_key(|piece| piece.range.start);
        if prepared.pieces.iter().any(|piece| !piece.alone.lines().ends_with('\n')) {
            return None;
        }
        // A complaint that is answered by now has to leave the plan, too.
        let calm = self.complaints.is_empty();
        self.complaints.clear();
        self.carry_over(&mut prepared, moves);
        Some(self.write_current(prepared, calm))
    }

    /// Carries the steps out on the lines of their tickets.
    fn prepare(&self, steps: &[Step]) -> Option<Prepared> {
        if !self.torn.is_empty() || !self.loaded && self.files.config_changed() {
            return None;
        }
        let known = if self.loaded { Known::new() } else { whole::read(&self.files.paths.koru()) };
        let current = self.opened("current", &known)?;
        let now = self.clock.now();
        let (mut pieces, mut rows) = (Vec::new(), Vec::new());
        let mut outcomes = Vec::with_capacity(steps.len());
        for step in steps {
            let place = self.piece(&current.file, step.id.as_str(), &mut pieces)?;
            let (outcome, said) = carry_out(&mut pieces[place], step, now)?;
            rows.extend(said);
            outcomes.push(outcome);
        }
        Some(Prepared { current, known, pieces, rows, outcomes, waiting: self.archive_waiting })
    }

    /// The sprint file `stem`, if it is the version that we know.
    fn opened(&self, stem: &str, known: &Known) -> Option<Opened> {
        let stamp = if self.loaded {
            self.files.sprint(stem).filter(|file| file.fault.is_none() && file.outline.is_some())?.stamp
        } else {
            known.get(stem)?.stamp
        };
        let path = self.files.sprint_path(stem);
        if Stamp::read(&path).ok()?? != stamp {
            return None;
        }
        let opened = Opened { file: open_regular(&path).ok()?, stamp };
        opened.is_unchanged().then_some(opened)
    }

    /// The piece that holds the ticket, found now unless an earlier step did.
    fn piece(&self, file: &File, id: &str, pieces: &mut Vec<Piece>) -> Option<usize> {
        if let Some(place) = pieces.iter().position(|piece| piece.id == id) {
            return Some(place);
        }
        let (range, source) = if self.loaded {
            let lines = self.files.sprint("current")?.outline.as_ref()?.lines_of(id)?;
            let range = lines.start as u64..lines.end as u64;
            let source = locate::text_at(file, &range)?;
            (range, source)
        } else {
            let (range, source) = ticket_lines(file, id)?;
            // An anchor could be used by a ticket that we do not look at.
            if source.contains(": &") || source.contains("- &") {
                return None;
            }
            (range, source)
        };
        let alone = Alone::new("current", &source).filter(|_| source.ends_with('\n'))?;
        // A record that names another id than its key is looked at beside the whole file.
        alone.doc.ticket(id).filter(|ticket| ticket.id.as_str() == id)?;
        pieces.push(Piece { id: id.to_owned(), range, alone, changed: false, moved: None });
        Some(pieces.len() - 1)
    }

    /// Writes `current`, the last of the files; with it everything counts.
    fn write_current(&mut self, prepared: Prepared, calm: bool) -> Vec<Result<Mutated, MutateError>> {
        let Prepared { current, mut known, pieces, rows, outcomes, waiting } = prepared;
        self.archive_waiting = waiting;
        let path = self.files.sprint_path("current");
        let stamp = match atomic::replace_parts(&path, current.stamp, &parts(&current, &pieces)) {
            Ok(stamp) => stamp,
            Err(source) => {
                let error = MutateError::Io { path, source };
                if self.loaded {
                    // What moved stands in two files now, and the next change takes it out of one of them.
                    self.publish();
                }
                return outcomes
                    .into_iter()
                    .map(|outcome| outcome.and_then(|_| Err(error.again())))
                    .collect();
            }
        };
        drop_mirror(&path);
        let patches: Vec<Patch<'_>> = pieces.iter().filter_map(Piece::patch).collect();
        self.took("current", stamp, &patches, &mut known);
        self.journal(&rows);
        if self.loaded {
            self.publish_pieces(&pieces, calm);
            self.note_whole();
        } else {
            whole::write(&self.files.paths.koru(), &known);
        }
        let stems: HashMap<&str, &str> =
            pieces.iter().filter_map(|piece| Some((&*piece.id, &*piece.moved.as_ref()?.0))).collect();
        let placed = |done: Mutated| match stems.get(done.ticket.id.as_str()) {
            Some(stem) => {
                let moved = pieces.iter().find(|piece| piece.id == done.ticket.id.as_str());
                let moved = moved.and_then(|piece| piece.moved.as_ref()?.1.doc.ticket(&piece.id).cloned());
                Mutated { ticket: moved.unwrap_or(done.ticket), sprint: (*stem).to_owned() }
            }
            None => done,
        };
        outcomes.into_iter().map(|outcome| outcome.map(placed)).collect()
    }

    /// Remembers the version of a file that we just wrote.
    fn took(&mut self, stem: &str, stamp: Stamp, patches: &[Patch<'_>], known: &mut Known) {
        if !self.loaded {
            let takes_more = known.get(stem).is_some_and(|noted| noted.takes_more);
            known.insert(stem.to_owned(), Noted { stamp, takes_more });
        } else if let Some(file) = self.files.sprints.get_mut(&Rank::of(stem)) {
            file.stamp = stamp;
            file.outline = file.outline.take().map(|outline| outline.patched(patches));
        }
    }

    /// Makes the plan, at small cost where tickets only changed in their places.
    fn publish_pieces(&mut self, pieces: &[Piece], calm: bool) {
        let only_replaced =
            calm && self.complaints.is_empty() && pieces.iter().all(|piece| piece.moved.is_none());
        let changed = pieces.iter().filter(|piece| piece.changed).filter_map(Piece::ticket);
        if !only_replaced || !self.publish_replaced(changed) {
            self.publish();
        }
    }
}

type Carried = (Result<Mutated, MutateError>, Vec<String>);

/// One step on one piece; `None` when the piece cannot take it by itself.
fn carry_out(piece: &mut Piece, step: &Step, now: jiff::Timestamp) -> Option<Carried> {
    let id = step.id.as_str();
    let ticket = Arc::clone(piece.ticket()?);
    if piece.changed && step.seen.is_some() {
        return None;
    }
    if let Err(error) = check_seen(&ticket, step, ticket.updated_at) {
        return Some((Err(error), Vec::new()));
    }
    // On a copy: a step is done whole or not at all.
    let (mut alone, mut rows, mut changed) = (piece.alone.clone(), Vec::new(), false);
    for op in step.ops() {
        let mut changes = match lifecycle::changes(alone.doc.ticket(id)?, op, now) {
            Ok(changes) => changes,
            Err(refusal) => return Some((Err(refusal.into()), Vec::new())),
        };
        let actor = step.actor.as_deref();
        let facts = history::complete(&alone.doc.record(id)?, &mut changes, op, actor, now);
        if !changes.is_empty() {
            changed = alone.edit(id, &changes).then_some(true)?;
            rows.extend(facts.map(|facts| journal::change_row(id, &facts, actor)));
        }
    }
    let ticket = Arc::clone(alone.doc.ticket(id)?);
    piece.changed |= changed;
    piece.alone = alone;
    Some((Ok(Mutated { ticket, sprint: "current".to_owned() }), rows))
}

fn stamp_of(file: &File) -> Option<Stamp> {
    file.metadata().ok().map(|metadata| Stamp::of(&metadata))
}

/// The new file: the old one's bytes with the pieces' lines, which are in file order, in place of theirs.
fn parts<'a>(current: &'a Opened, pieces: &'a [Piece]) -> Vec<Part<'a>> {
    let file = &current.file;
    let mut parts = Vec::with_capacity(pieces.len() * 2 + 1);
    let mut at = 0;
    for piece in pieces.iter().filter(|piece| piece.patch().is_some()) {
        parts.push(Part::Range { file, bytes: at..piece.range.start });
        if piece.moved.is_none() {
            parts.push(Part::Bytes(piece.alone.lines().as_bytes()));
        }
        at = piece.range.end;
    }
    parts.push(Part::Range { file, bytes: at..current.stamp.size });
    parts
}
