//! Reading parts of a loaded document again: one ticket, the surroundings, a source text on its own.

use serde_json::Value;

use super::layout::Layout;
use super::load::{Place, bom_len, reparse_chunk};
use super::sprint::{Entry, SprintDoc};
use super::tape::Tape;
use super::value::{for_each_pair, key_text, to_value};
use super::{check, full};

/// Parses the ticket of `entry` again and hands its nodes (tape, key, value) to `each`.
pub(super) fn with_ticket<T>(
    text: &str,
    layout: Option<&Layout>,
    entry: &Entry,
    each: impl FnOnce(&Tape<'_>, usize, usize) -> T,
) -> Option<T> {
    let mut tape = Tape::default();
    let (key, value) = match layout {
        Some(layout) => reparse_chunk(text, &entry.span, layout.indent, &mut tape)?,
        None => {
            full::parse(text, bom_len(text), &mut tape).ok().filter(|found| *found)?;
            pair_at(&tape, entry.span.start + entry.key_at)?
        }
    };
    Some(each(&tape, key, value))
}

/// Parses tickets of one document again, one after the other, at the cost of one parse of the file at most.
pub(super) struct Rereader<'d> {
    doc: &'d SprintDoc,
    /// The last chunk, or the whole file when it is not read by chunks.
    tape: Tape<'d>,
    whole: bool,
}

impl<'d> Rereader<'d> {
    /// A reader of `doc`.
    pub(super) fn new(doc: &'d SprintDoc) -> Self {
        let mut tape = Tape::default();
        let whole =
            doc.layout().is_none() && full::parse(doc.text(), bom_len(doc.text()), &mut tape) == Ok(true);
        Rereader { doc, tape, whole }
    }

    /// Hands the nodes of a ticket's record to `each`.
    pub(super) fn with<T>(&mut self, entry: &Entry, each: impl FnOnce(&Tape<'_>, usize) -> T) -> Option<T> {
        let (_, value) = match self.doc.layout() {
            Some(layout) => reparse_chunk(self.doc.text(), &entry.span, layout.indent, &mut self.tape)?,
            None if self.whole => pair_at(&self.tape, entry.span.start + entry.key_at)?,
            None => return None,
        };
        Some(each(&self.tape, value))
    }
}

/// The ticket whose key (anchor and tag included) begins at byte `at`.
fn pair_at(tape: &Tape<'_>, at: usize) -> Option<(usize, usize)> {
    let (_, tickets) = Place::find(tape).ok()?.tickets?;
    let map = tape.resolve(tickets);
    if !tape.nodes[map].kind.is_map() {
        return None;
    }
    let mut found = None;
    for_each_pair(tape, map, &mut |key, value| {
        if tape.outer_start(key) == at {
            found = Some((key, value));
        }
    });
    found
}

/// Parses the whole file and hands its nodes and the mapping that holds `tickets` to `each`.
pub(super) fn with_whole<T>(text: &str, each: impl FnOnce(&Tape<'_>, usize) -> T) -> Option<T> {
    let mut tape = Tape::default();
    full::parse(text, bom_len(text), &mut tape).ok().filter(|found| *found)?;
    let place = Place::find(&tape).ok()?;
    Some(each(&tape, place.map))
}

/// What the file says besides its tickets.
pub(super) fn surroundings(text: &str) -> Option<Value> {
    let mut tape = Tape::default();
    full::parse(text, bom_len(text), &mut tape).ok().filter(|found| *found)?;
    let mut root = to_value(&tape, 0);
    let wrapped = root.get("sprint").is_some();
    let holder = if wrapped { root.get_mut("sprint") } else { Some(&mut root) };
    holder.and_then(Value::as_object_mut)?.shift_remove("tickets");
    Some(root)
}

/// The record in a ticket's own source text, if that text says everything.
pub(super) fn read_source(id: &str, source: &str) -> Option<Value> {
    let mut tape = Tape::default();
    full::parse(source, 0, &mut tape).ok().filter(|found| *found)?;
    check::constructible(&tape, 0).ok()?;
    let root = tape.resolve(0);
    if !tape.nodes[root].kind.is_map() {
        return None;
    }
    let mut pairs = tape.pairs(root);
    let (key, value) = pairs.next()?;
    (pairs.next().is_none() && key_text(&tape, key) == id).then(|| to_value(&tape, value))
}
