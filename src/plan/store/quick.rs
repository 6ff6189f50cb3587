//! Changing tickets of `current` without reading the rest of it, for a process that does one thing and ends.
//!
//! Only when the version on disk is the one noted as whole ([`super::whole`]), the ticket's lines are found exactly
//! once in planfile's own layout, and they make sense by themselves. Everything else takes the long way: no answer here
//! ever means an error.

use std::ops::Range;
use std::sync::Arc;

use memchr::memmem;

use super::batch::check_seen;
use super::engine::Engine;
use super::files::read_whole;
use super::moves::Alone;
use super::{MutateError, Mutated, Step, journal, whole};
use crate::base::atomic::{self, Stamp};
use crate::plan::lifecycle::{self, history};

/// One ticket's lines and what became of them.
#[derive(Debug)]
struct Piece {
    range: Range<usize>,
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
        let (stamp, bytes) = read_whole(&path).ok()??;
        if Some(&stamp) != known.get("current") {
            return None;
        }
        let now = self.clock.now();
        let mut pieces: Vec<Piece> = Vec::new();
        let mut rows = Vec::new();
        let mut outcomes = Vec::with_capacity(steps.len());
        for step in steps {
            let place = self.piece(&bytes, step, &mut pieces)?;
            let (outcome, row) = carry_out(&mut pieces[place], step, now)?;
            rows.extend(row);
            outcomes.push(outcome);
        }
        // Finished tickets leave `current`, which needs the history file: the long way does that.
        if pieces
            .iter()
            .any(|piece| piece.alone.doc.tickets().any(|ticket| self.files.config.archive.covers(ticket)))
        {
            return None;
        }
        if pieces.iter().all(|piece| !piece.changed) {
            return Some(outcomes);
        }
        pieces.sort_by_key(|piece| piece.range.start);
        match atomic::replace(&path, &parts(&bytes, &pieces)?) {
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
    fn piece(&self, bytes: &[u8], step: &Step, pieces: &mut Vec<Piece>) -> Option<usize> {
        let id = step.id.as_str();
        if let Some(place) = pieces.iter().position(|piece| piece.alone.doc.ticket(id).is_some()) {
            return Some(place);
        }
        let range = ticket_lines(bytes, id)?;
        let source = std::str::from_utf8(&bytes[range.clone()]).ok()?;
        // An anchor could be used by a ticket that we do not look at.
        if source.contains(": &") || source.contains("- &") {
            return None;
        }
        let alone = Alone::new("current", source).filter(|_| source.ends_with('\n'))?;
        // A record that names another id than its key is looked at beside the whole file.
        alone.doc.ticket(id).filter(|ticket| ticket.id == step.id)?;
        pieces.push(Piece { range, alone, changed: false });
        Some(pieces.len() - 1)
    }
}

type Carried = (Result<Mutated, MutateError>, Option<String>);

/// One step on one piece; `None` when the piece cannot take it by itself.
fn carry_out(piece: &mut Piece, step: &Step, now: jiff::Timestamp) -> Option<Carried> {
    let id = step.id.as_str();
    let ticket = Arc::clone(piece.alone.doc.ticket(id)?);
    if piece.changed && step.seen.is_some() {
        return None;
    }
    if let Err(error) = check_seen(&ticket, step, ticket.updated_at) {
        return Some((Err(error), None));
    }
    let mut changes = match lifecycle::changes(&ticket, &step.op, now) {
        Ok(changes) => changes,
        Err(refusal) => return Some((Err(refusal.into()), None)),
    };
    let facts =
        history::complete(&piece.alone.doc.record(id)?, &mut changes, &step.op, step.actor.as_deref(), now);
    if !changes.is_empty() {
        piece.changed = piece.alone.edit(id, &changes).then_some(true)?;
    }
    let row = facts.map(|facts| journal::change_row(id, &facts, step.actor.as_deref()));
    let ticket = Arc::clone(piece.alone.doc.ticket(id)?);
    Some((Ok(Mutated { ticket, sprint: "current".to_owned() }), row))
}

/// The new file: the old bytes with the pieces' lines in place of theirs. Nothing is copied.
fn parts<'a>(bytes: &'a [u8], pieces: &'a [Piece]) -> Option<Vec<&'a [u8]>> {
    let mut parts = Vec::with_capacity(pieces.len() * 2 + 1);
    let mut at = 0;
    for piece in pieces {
        parts.push(&bytes[at..piece.range.start]);
        let lines = piece.alone.lines();
        if !lines.ends_with('\n') {
            return None;
        }
        parts.push(lines.as_bytes());
        at = piece.range.end;
    }
    parts.push(&bytes[at..]);
    Some(parts)
}

/// The lines of one ticket in planfile's layout: its key at column 4, found exactly once, up to the next line that is
/// not deeper.
fn ticket_lines(bytes: &[u8], id: &str) -> Option<Range<usize>> {
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        return None;
    }
    let key = format!("\n    {id}:\n");
    let mut found = memmem::find_iter(bytes, key.as_bytes());
    let start = found.next()? + 1;
    if found.next().is_some() {
        return None;
    }
    let mut at = start + key.len() - 1;
    while at < bytes.len() {
        let line = &bytes[at..];
        if !line.starts_with(b"     ") && !line.starts_with(b"\n") {
            break;
        }
        at += memchr::memchr(b'\n', line).map_or(line.len(), |end| end + 1);
    }
    Some(start..at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tickets_lines_end_where_the_next_key_begins() {
        let text = b"sprint:\n  tickets:\n    A-1:\n      id: A-1\n\n      name: x\n    A-10:\n      id: A-10\n  z: 1\n";
        let lines = |id: &str| ticket_lines(text, id).map(|range| std::str::from_utf8(&text[range]).unwrap());
        assert_eq!(lines("A-1"), Some("    A-1:\n      id: A-1\n\n      name: x\n"));
        assert_eq!(lines("A-10"), Some("    A-10:\n      id: A-10\n"));
        for id in ["A-2", "", "A 1", "id"] {
            assert_eq!(lines(id), None, "{id}");
        }
    }

    #[test]
    fn a_key_that_stands_twice_is_not_guessed() {
        let text = b"x:\n    A-1:\n      id: A-1\ny:\n    A-1:\n      id: A-1\n";
        assert_eq!(ticket_lines(text, "A-1"), None);
    }
}
