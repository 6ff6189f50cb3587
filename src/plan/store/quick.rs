//! Changing tickets of `current` without reading the rest of it, for a process that does one thing and ends.
//!
//! Only when the version on disk is the one noted as whole ([`super::whole`]), the ticket's lines are found exactly
//! once in planfile's own layout, and they make sense by themselves. Everything else takes the long way: no answer here
//! ever means an error.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use super::batch::check_seen;
use super::engine::Engine;
use super::files::open_regular;
use super::locate::ticket_lines;
use super::moves::Alone;
use super::{MutateError, Mutated, Step, journal, whole};
use crate::base::atomic::{self, Part, Stamp};
use crate::plan::lifecycle::{self, history};

/// One ticket's lines and what became of them.
#[derive(Debug)]
struct Piece {
    range: Range<u64>,
    alone: Alone,
    changed: bool,
}

impl Engine {
    /// Applies the steps under the lock that is held; `None` when the long way has to be taken (nothing was written).
    pub(super) fn apply_quickly(&mut self, steps: &[Step]) -> Option<Vec<Result<Mutated, MutateError>>> {
        let path = self.files.sprint_path("current");
        let mut known = whole::read(&self.files.paths.koru());
        if self.files.config_changed() || Stamp::read(&path).ok()?? != *known.get("current")? {
            return None;
        }
        let file = open_regular(&path).ok()?;
        let stamp = stamp_of(&file)?;
        if Some(&stamp) != known.get("current") {
            return None;
        }
        let now = self.clock.now();
        let mut pieces: Vec<Piece> = Vec::new();
        let mut rows = Vec::new();
        let mut outcomes = Vec::with_capacity(steps.len());
        for step in steps {
            let place = self.piece(&file, step, &mut pieces)?;
            let (outcome, said) = carry_out(&mut pieces[place], step, now)?;
            rows.extend(said);
            outcomes.push(outcome);
        }
        // Finished tickets leave `current`, which needs the history file: the long way does that.
        if pieces
            .iter()
            .any(|piece| piece.alone.doc.tickets().any(|ticket| self.files.config.archive.covers(ticket)))
        {
            return None;
        }
        // What was read must be one version, also where nothing is written.
        if stamp_of(&file)? != stamp {
            return None;
        }
        if pieces.iter().all(|piece| !piece.changed) {
            return Some(outcomes);
        }
        pieces.sort_by_key(|piece| piece.range.start);
        match atomic::replace_parts(&path, stamp, &parts(&file, stamp.size, &pieces)?) {
            Ok(stamp) => {
                super::apply::drop_mirror(&path);
                self.journal(&rows);
                known.insert("current".to_owned(), stamp);
                whole::write(&self.files.paths.koru(), &known);
                Some(outcomes)
            }
            Err(source) => {
                let error = MutateError::Io { path, source };
                Some(outcomes.into_iter().map(|outcome| outcome.and_then(|_| Err(error.again()))).collect())
            }
        }
    }

    /// The piece that holds the step's ticket, found now unless an earlier step did.
    fn piece(&self, file: &File, step: &Step, pieces: &mut Vec<Piece>) -> Option<usize> {
        let id = step.id.as_str();
        if let Some(place) = pieces.iter().position(|piece| piece.alone.doc.ticket(id).is_some()) {
            return Some(place);
        }
        let (range, source) = ticket_lines(file, id)?;
        // An anchor could be used by a ticket that we do not look at.
        if source.contains(": &") || source.contains("- &") {
            return None;
        }
        let alone = Alone::new("current", &source).filter(|_| source.ends_with('\n'))?;
        // A record that names another id than its key is looked at beside the whole file.
        alone.doc.ticket(id).filter(|ticket| ticket.id == step.id)?;
        pieces.push(Piece { range, alone, changed: false });
        Some(pieces.len() - 1)
    }
}

type Carried = (Result<Mutated, MutateError>, Vec<String>);

/// One step on one piece; `None` when the piece cannot take it by itself.
fn carry_out(piece: &mut Piece, step: &Step, now: jiff::Timestamp) -> Option<Carried> {
    let id = step.id.as_str();
    let ticket = Arc::clone(piece.alone.doc.ticket(id)?);
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

/// The new file: the old one's bytes, of which there are `size`, with the pieces' lines in place of theirs.
fn parts<'a>(file: &'a File, size: u64, pieces: &'a [Piece]) -> Option<Vec<Part<'a>>> {
    let mut parts = Vec::with_capacity(pieces.len() * 2 + 1);
    let mut at = 0;
    for piece in pieces {
        parts.push(Part::Range { file, bytes: at..piece.range.start });
        let lines = piece.alone.lines();
        if !lines.ends_with('\n') {
            return None;
        }
        parts.push(Part::Bytes(lines.as_bytes()));
        at = piece.range.end;
    }
    parts.push(Part::Range { file, bytes: at..size });
    Some(parts)
}
