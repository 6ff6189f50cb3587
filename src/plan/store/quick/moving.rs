//! Finished tickets on the quick way to a history file: which of them, and their lines behind the last byte there.
//!
//! The history file must be there and take more lines at its end; the day's first ticket takes the long way, which
//! makes the file. Written before `current`, in the order that [`super::super::moves`] explains.

use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::FileExt;

use super::super::MutateError;
use super::super::engine::Engine;
use super::super::locate;
use super::super::moves::Alone;
use super::{Opened, Piece, Prepared};
use crate::base::atomic::{self, Part};
use crate::plan::lifecycle::Change;
use crate::plan::ticket::Ticket;
use crate::plan::yaml::Patch;

/// Tickets that go to one history file.
pub(super) struct Move {
    stem: String,
    target: Opened,
}

impl Engine {
    /// Which finished tickets move now, noted at their pieces, and the files they go to; `None` when the long way has to
    /// be taken.
    pub(super) fn moves(&self, prepared: &mut Prepared) -> Option<Vec<Move>> {
        let covered = |piece: &Piece| {
            piece.changed && piece.ticket().is_some_and(|ticket| self.files.config.archive.covers(ticket))
        };
        let finished = prepared.pieces.iter().filter(|piece| covered(piece)).count();
        prepared.waiting += finished;
        if finished == 0 || prepared.waiting < self.archive_every {
            return Some(Vec::new());
        }
        prepared.waiting = 0;
        let chosen = if self.loaded { self.chosen(prepared)? } else { self.chosen_unread(prepared)? };
        let back = |stem: &str| [Change::set(&["sprint"], stem)];
        for (id, stem) in &chosen {
            let place = self.piece(&prepared.current.file, id, &mut prepared.pieces)?;
            let piece = &mut prepared.pieces[place];
            let mut alone = Alone::new(stem, piece.alone.lines())?;
            (alone.edit(id, &back(stem)) && alone.doc.is_one_ticket(id)).then_some(())?;
            piece.moved = Some((stem.clone(), alone));
        }
        let mut stems: Vec<String> = chosen.into_iter().map(|(_, stem)| stem).collect();
        stems.sort_unstable();
        stems.dedup();
        stems.into_iter().map(|stem| self.takes(stem, prepared)).collect()
    }

    /// What the rule selects of all tickets, as they are after the steps.
    fn chosen(&self, prepared: &Prepared) -> Option<Vec<(String, String)>> {
        let outline = self.files.sprint("current")?.outline.as_ref()?;
        let changed: HashMap<&str, &Ticket> =
            prepared.pieces.iter().filter_map(|piece| Some((&*piece.id, &**piece.ticket()?))).collect();
        let now = |ticket: &'_ Ticket| changed.get(ticket.id.as_str()).copied();
        let tickets = outline.tickets().map(|ticket| now(ticket).unwrap_or(ticket));
        let grown: u64 = prepared.pieces.iter().map(|piece| piece.alone.lines().len() as u64).sum();
        let were: u64 = prepared.pieces.iter().map(|piece| piece.range.end - piece.range.start).sum();
        let bytes = prepared.current.stamp.size + grown - were;
        let selected = self.files.config.archive.select(tickets, bytes, self.clock.now());
        Some(selected.into_iter().map(|(ticket, stem)| (ticket.id.to_string(), stem)).collect())
    }

    /// The same without having read the others: one ticket, and only where no other is finished as far as a search for
    /// status words tells.
    fn chosen_unread(&self, prepared: &Prepared) -> Option<Vec<(String, String)>> {
        let rule = &self.files.config.archive;
        let [piece] = &prepared.pieces[..] else { return None };
        let tickets = [&**piece.ticket()?];
        let alone = rule.moves_at_once()
            && has_neighbour(&prepared.current, piece)
            && !locate::any_status(&prepared.current.file, &piece.range, |word| rule.covers_word(word))?;
        let selected = rule.select(tickets.into_iter(), 0, self.clock.now());
        alone.then(|| selected.into_iter().map(|(ticket, stem)| (ticket.id.to_string(), stem)).collect())
    }

    /// The history file, if the lines that go there can be put at its end.
    fn takes(&self, stem: String, prepared: &Prepared) -> Option<Move> {
        let target = self.opened(&stem, &prepared.known)?;
        let going = || going_to(&prepared.pieces, &stem);
        let fits = if self.loaded {
            let patches: Vec<Patch<'_>> = going().map(|(_, alone)| Patch::Append(&alone.doc)).collect();
            self.files.sprint(&stem)?.outline.as_ref()?.accepts(&patches)
        } else {
            prepared.known.get(&stem)?.takes_more
                && going().all(|(piece, _)| locate::is_absent(&target.file, &piece.id) == Some(true))
        };
        fits.then_some(Move { stem, target })
    }

    /// Writes the history files and the locator. What fails is a complaint, and its tickets stay in `current`.
    pub(super) fn carry_over(&mut self, prepared: &mut Prepared, moves: Vec<Move>) {
        let mut moved = BTreeMap::new();
        for Move { stem, target } in moves {
            match self.append(&stem, &target, prepared) {
                Ok(()) => {
                    moved.extend(
                        going_to(&prepared.pieces, &stem).map(|(piece, _)| (piece.id.clone(), stem.clone())),
                    );
                }
                Err(error) => {
                    self.stays(&stem, &error);
                    stay(&mut prepared.pieces, |to| to == stem);
                }
            }
        }
        if moved.is_empty() {
            return;
        }
        if !self.loaded {
            self.files.refresh_locator();
        }
        let located = self.located(&moved);
        if let Err(error) = self.write_locator(|tickets| tickets.extend(located)) {
            self.stays("current", &error);
            stay(&mut prepared.pieces, |_| true);
        }
    }

    fn append(&mut self, stem: &str, target: &Opened, prepared: &mut Prepared) -> Result<(), MutateError> {
        let path = self.files.sprint_path(stem);
        let lines: Vec<&Alone> = going_to(&prepared.pieces, stem).map(|(_, alone)| alone).collect();
        let mut parts = vec![Part::Range { file: &target.file, bytes: 0..target.stamp.size }];
        parts.extend(lines.iter().map(|alone| Part::Bytes(alone.lines().as_bytes())));
        let stamp = atomic::replace_parts(&path, target.stamp, &parts)
            .map_err(|source| MutateError::Io { path: path.clone(), source })?;
        super::drop_mirror(&path);
        let patches: Vec<Patch<'_>> = lines.iter().map(|alone| Patch::Append(&alone.doc)).collect();
        self.took(stem, stamp, &patches, &mut prepared.known);
        Ok(())
    }
}

/// The pieces that move to `stem`, with their lines there.
fn going_to<'p>(pieces: &'p [Piece], stem: &'p str) -> impl Iterator<Item = (&'p Piece, &'p Alone)> {
    let there = move |piece: &'p Piece| {
        let (to, alone) = piece.moved.as_ref()?;
        (to == stem).then_some((piece, alone))
    };
    pieces.iter().filter_map(there)
}

fn stay(pieces: &mut [Piece], gone: impl Fn(&str) -> bool) {
    for piece in pieces {
        piece.moved = piece.moved.take().filter(|(stem, _)| !gone(stem));
    }
}

/// Whether another ticket stands right before or behind this one, so that it is not the last to leave.
fn has_neighbour(current: &Opened, piece: &Piece) -> bool {
    let mut behind = [0; 5];
    let follows = current.file.read_exact_at(&mut behind, piece.range.end).is_ok()
        && behind.starts_with(b"    ")
        && behind[4].is_ascii_alphanumeric();
    let from = piece.range.start.saturating_sub(4096);
    let mut before = vec![0; (piece.range.start - from) as usize];
    let read = current.file.read_exact_at(&mut before, from).is_ok() && before.pop() == Some(b'\n');
    let line = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    follows
        || (read && line.len() < before.len() && line.starts_with(b"      ") && line[6].is_ascii_lowercase())
}
