//! Other lines for single tickets of a file whose text is not in memory: the outline afterwards, without reading a byte.
//!
//! Why that is sound: in a file that is read by chunks (`layout`), the lines of a ticket mean the same wherever they
//! stand, and what is around the tickets does not depend on them. The new lines were parsed as the only ticket of a small
//! document, where they must read as one ticket under the same key at the same depth. Files with warnings, and tickets
//! that anything is odd about, are not patched: the caller edits the whole text then. The tests compare an outline that
//! was patched with one that was read.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::layout::Layout;
use super::sprint::{Entry, Outline, SprintDoc, index};

/// What becomes of one ticket.
#[derive(Clone, Copy, Debug)]
pub enum Patch<'p> {
    /// Its lines are those of the only ticket of this document now.
    Replace(&'p str, &'p SprintDoc),
    /// Its lines are gone.
    Remove(&'p str),
    /// One more stands at the end: the only ticket of this document.
    Append(&'p SprintDoc),
}

impl Outline {
    /// Where a ticket's lines stand, with what follows them up to the next ticket; `None` when it cannot be patched.
    pub fn lines_of(&self, id: &str) -> Option<Range<usize>> {
        self.layout().filter(|_| self.warnings().is_empty())?;
        let entry = self.entry(id).filter(|entry| is_plain(entry, id))?;
        (!self.is_ambiguous(id)).then(|| entry.span.clone())
    }

    /// Whether lines of further tickets, keys at column 4, can be put behind the last byte.
    pub fn takes_more(&self) -> bool {
        let at_end = |layout: &Layout| layout.indent == 4 && layout.end == self.size();
        self.warnings().is_empty()
            && self.layout().is_some_and(at_end)
            && self.entries().last().is_some_and(ends_with_itself)
    }

    /// Whether all of these can be patched in.
    pub fn accepts(&self, patches: &[Patch<'_>]) -> bool {
        let Some(indent) = self.layout().map(|layout| layout.indent) else { return false };
        let removed = patches.iter().filter(|patch| matches!(patch, Patch::Remove(_))).count();
        removed < self.entries().len()
            && patches.iter().all(|patch| match patch {
                Patch::Replace(id, doc) => {
                    self.lines_of(id).is_some() && only(doc, indent).is_some_and(|entry| is_plain(entry, id))
                }
                Patch::Remove(id) => {
                    self.lines_of(id).is_some() && self.entry(id).is_some_and(ends_with_itself)
                }
                Patch::Append(doc) => {
                    self.takes_more()
                        && only(doc, indent).is_some_and(|entry| {
                            is_plain(entry, &entry.key)
                                && ends_with_itself(entry)
                                && self.entry(&entry.key).is_none()
                        })
                }
            })
    }

    /// The outline with these patched in, which [`Outline::accepts`].
    pub fn patched(mut self, patches: &[Patch<'_>]) -> Outline {
        let mut by_key: HashMap<&str, Option<&Entry>> = HashMap::new();
        let mut added: Vec<&Entry> = Vec::new();
        for patch in patches {
            match patch {
                Patch::Replace(id, doc) => drop(by_key.insert(id, doc.entries().first())),
                Patch::Remove(id) => drop(by_key.insert(id, None)),
                Patch::Append(doc) => added.extend(doc.entries().first()),
            }
        }
        let Some(layout) = self.layout().cloned() else { return self };
        let behind = self.size() - layout.end;
        let count = self.entries().len();
        let mut at = layout.start;
        let mut place = |entry: &mut Entry| {
            let length = entry.span.len();
            entry.span = at..at + length;
            at += length;
        };
        let entries = Arc::make_mut(&mut self.entries);
        entries.retain_mut(|entry| {
            match by_key.get(&*entry.key) {
                Some(Some(new)) => *entry = (*new).clone(),
                Some(None) => return false,
                None => {}
            }
            place(entry);
            true
        });
        let removed = entries.len() < count;
        for entry in added {
            let mut entry = entry.clone();
            place(&mut entry);
            if !removed {
                let number = u32::try_from(entries.len()).unwrap_or(u32::MAX);
                Arc::make_mut(&mut self.index).insert(Arc::clone(&entry.key), number);
            }
            entries.push(entry);
        }
        if removed {
            self.index = Arc::new(index(entries).0);
        }
        let starts = entries.iter().map(|entry| entry.span.start).collect();
        self.layout = Some(Arc::new(Layout { starts, end: at, ..layout }));
        self.size = at + behind;
        self
    }
}

impl SprintDoc {
    /// Whether it holds this ticket only, with nothing odd about it and nothing behind it.
    pub fn is_one_ticket(&self, id: &str) -> bool {
        let indent = self.layout().map(|layout| layout.indent);
        let entry = indent.and_then(|indent| only(self, indent));
        entry.is_some_and(|entry| is_plain(entry, id) && ends_with_itself(entry))
    }
}

/// The only ticket of a small document that is read by chunks and about which nothing is odd.
fn only(doc: &SprintDoc, indent: usize) -> Option<&Entry> {
    let layout = doc.layout().filter(|layout| layout.indent == indent && layout.end == doc.size())?;
    match doc.entries() {
        [entry] if doc.warnings().is_empty() && entry.span.start == layout.start => Some(entry),
        _ => None,
    }
}

fn is_plain(entry: &Entry, id: &str) -> bool {
    &*entry.key == id
        && entry.ticket.id.as_str() == id
        && entry.record
        && !entry.twin
        && !entry.shadowed
        && entry.duplicate.is_none()
}

/// Whether the lines end with the ticket's last one: no comment that belongs to none stands behind it.
fn ends_with_itself(entry: &Entry) -> bool {
    entry.span.len() == if entry.tail > entry.body { entry.tail } else { entry.body + 1 }
}

#[cfg(test)]
mod tests;
