//! Edits of a whole sprint document: plan the splices, build the new text once, read it back, compare.
//!
//! No edit is believed: the new text is loaded again (unchanged tickets are taken over by their hash), every other
//! ticket must be the same bytes, and the edited one must read as the old record plus the changes.

use std::collections::HashSet;

use serde_json::Value;

use super::edit::{self, Edit, Editor, Splice, newline_of};
use super::emit::Style;
use super::layout::Layout;
use super::reread;
use super::sprint::{EditError, Entry, SprintDoc};
use super::value::to_value;
use crate::plan::lifecycle::Change;

impl SprintDoc {
    /// A document where the named ticket's keys are changed and every other byte is the same.
    ///
    /// Values that already equal the wanted one are not touched at all. A list is given as the whole new list: when it
    /// only grows (or drops its oldest items), the items that stay keep their bytes.
    ///
    /// # Errors
    /// When the ticket is not there, or the result would not read back as intended (nothing is changed then).
    pub fn edit(&self, id: &str, changes: &[Change]) -> Result<SprintDoc, EditError> {
        let splices = self.plan(id, changes)?;
        if splices.0.is_empty() {
            return Ok(self.clone());
        }
        self.adopt(vec![Planned { id, splices: splices.0, meant: splices.1 }])
    }

    /// Applies many edits at the cost of one splice of the text. Edits are independent: one that cannot be made does
    /// not stop the others. Returns the document with those that were made, and what became of each.
    pub fn edit_many(&self, edits: &[(&str, &[Change])]) -> (SprintDoc, Vec<Result<(), EditError>>) {
        let mut results = Vec::with_capacity(edits.len());
        let mut planned: Vec<Planned<'_>> = Vec::new();
        for (id, changes) in edits {
            results.push(self.plan(id, changes).map(|(splices, meant)| {
                if !splices.is_empty() {
                    planned.push(Planned { id, splices, meant });
                }
            }));
        }
        if !has_twins(self, edits) {
            if planned.is_empty() {
                return (self.clone(), results);
            }
            if let Ok(doc) = self.adopt(planned) {
                return (doc, results);
            }
        }
        // One of them spoils the whole, or two name the same ticket: one after the other.
        let mut doc = self.clone();
        let results = edits
            .iter()
            .map(|(id, changes)| {
                doc = doc.edit(id, changes)?;
                Ok(())
            })
            .collect();
        (doc, results)
    }

    /// A document with one more ticket. `record` is emitted in block style, keys sorted as PyYAML would.
    ///
    /// # Errors
    /// When the id is taken or the result would not read back as intended.
    pub fn insert(&self, id: &str, record: &Value) -> Result<SprintDoc, EditError> {
        if self.entry(id).is_some() {
            return Err(EditError::Taken(id.to_owned()));
        }
        match self.layout().filter(|_| !self.entries().is_empty()) {
            Some(layout) => {
                let style = Style { newline: newline_of(self.text()) };
                let mut chunk = " ".repeat(layout.indent);
                style.pair(id, record, layout.indent, &mut chunk);
                self.insert_chunk(id, &chunk, record)
            }
            None => self.insert_whole(id, record),
        }
    }

    /// A document with a ticket's source text (from [`SprintDoc::source`] of another file), re-indented to fit.
    ///
    /// # Errors
    /// As [`SprintDoc::insert`].
    pub fn insert_source(&self, id: &str, source: &str) -> Result<SprintDoc, EditError> {
        if self.entry(id).is_some() {
            return Err(EditError::Taken(id.to_owned()));
        }
        let record = reread::read_source(id, source).ok_or_else(|| {
            not_as_meant(id, "its text cannot be read outside of its file; write out its aliases")
        })?;
        if self.entries().is_empty() {
            // There is no ticket line to stand beside: a placeholder shows where lines go, and gives way.
            let doc = self.insert(id, &record)?;
            return Ok(doc.with_chunk_for(id, source, &record).unwrap_or(doc));
        }
        let indent = self.layout().map(|layout| layout.indent);
        if let Some(chunk) = indent.and_then(|indent| reindent(source, indent, newline_of(self.text())))
            && let Ok(doc) = self.insert_chunk(id, &chunk, &record)
        {
            return Ok(doc);
        }
        self.insert(id, &record)
    }

    /// The document with the ticket's lines as they are written in `source`, if they fit here.
    fn with_chunk_for(&self, id: &str, source: &str, record: &Value) -> Option<SprintDoc> {
        let entry = self.entry(id)?;
        let newline = newline_of(self.text());
        let chunk = reindent(source, self.layout()?.indent, newline)?;
        let chunk = chunk.strip_suffix(newline).unwrap_or(&chunk).to_owned();
        let range = entry.span.start..entry.span.start + entry.body;
        let doc = self.rebuild(id, vec![Splice { range, text: chunk }]).ok()?;
        (doc.record(id).as_ref() == Some(record)).then_some(doc)
    }

    /// A document without the named tickets; comments that belong to none of them stay.
    ///
    /// # Errors
    /// When one of them is not there.
    pub fn remove(&self, ids: &[&str]) -> Result<SprintDoc, EditError> {
        let mut gone = HashSet::new();
        for id in ids {
            gone.insert(self.editable(id)?.key.clone());
        }
        let left = self.entries().len() > gone.len();
        let splices = match self.layout().filter(|_| left) {
            Some(_) => {
                let text = self.text();
                let entries = self.entries().iter().filter(|entry| gone.contains(&entry.key));
                entries
                    .map(|entry| Splice {
                        range: entry.span.start..self.after_body(entry, text),
                        text: String::new(),
                    })
                    .collect()
            }
            None => {
                let edits = gone.iter().map(|key| (key.to_string(), Edit::Remove)).collect();
                self.plan_tickets(edits).map_err(|detail| not_as_meant(ids.first().unwrap_or(&""), detail))?
            }
        };
        let id = ids.first().copied().unwrap_or_default();
        let doc = self.rebuild(id, splices)?;
        let expected: Vec<u64> = self.records(|entry| !gone.contains(&entry.key));
        if doc.records(|_| true) != expected {
            return Err(not_as_meant(id, "another ticket would read differently"));
        }
        Ok(doc)
    }

    /// The entry of a ticket that may be edited.
    fn editable(&self, id: &str) -> Result<&Entry, EditError> {
        let entry = self.entry(id).ok_or_else(|| EditError::Missing(id.to_owned()))?;
        if entry.twin {
            return Err(not_as_meant(id, "the ticket stands twice in the file"));
        }
        if self.is_ambiguous(id) {
            // What the operator saw under this id need not be what planfile finds under it.
            return Err(not_as_meant(id, "two tickets answer to it, one by its key and one by its `id`"));
        }
        if let Some((_, key)) = &entry.duplicate {
            return Err(not_as_meant(id, format!("`{key}` stands twice in it")));
        }
        if !entry.record {
            return Err(not_as_meant(id, "the record is not a mapping"));
        }
        Ok(entry)
    }

    /// The splices of one edit, and the record they must yield.
    fn plan(&self, id: &str, changes: &[Change]) -> Result<(Vec<Splice>, Value), EditError> {
        let entry = self.editable(id)?;
        let refuse = |detail: String| not_as_meant(id, detail);
        let edits = edit::build(changes).map_err(refuse)?;
        let planned = reread::with_ticket(self.text(), self.layout(), entry, |tape, _, value| {
            let mut meant = to_value(tape, value);
            edit::apply(&mut meant, &edits);
            // An alias as a whole record: the anchored record is not ours to change.
            if tape.resolve(value) != value {
                return Err("the whole record is an alias".to_owned());
            }
            let mut editor =
                Editor::new(tape_text(self.text(), self.layout(), entry), tape, newline_of(self.text()));
            editor.map(value, &edits)?;
            Ok((editor.finish(), meant))
        });
        planned.ok_or_else(|| refuse("it cannot be read alone".to_owned()))?.map_err(refuse)
    }

    /// Applies planned edits and reads the result back.
    fn adopt(&self, planned: Vec<Planned<'_>>) -> Result<SprintDoc, EditError> {
        let first = planned.first().map_or("", |plan| plan.id);
        let mut splices = Vec::new();
        let mut meant = Vec::new();
        for plan in planned {
            let key = self.entry(plan.id).map(|entry| entry.key.clone()).unwrap_or_default();
            splices.extend(plan.splices);
            meant.push((plan.id, key, plan.meant));
        }
        let doc = self.rebuild(first, splices)?;
        for (id, key, meant) in &meant {
            if doc.record(key).as_ref() != Some(meant) {
                return Err(not_as_meant(id, "the changed record reads differently"));
            }
        }
        let edited: HashSet<&str> = meant.iter().map(|(_, key, _)| &**key).collect();
        if self.records(|entry| !edited.contains(&*entry.key))
            != doc.records(|entry| !edited.contains(&*entry.key))
        {
            return Err(not_as_meant(first, "another ticket would read differently"));
        }
        Ok(doc)
    }

    /// A fingerprint of each ticket that `keep` likes: what may not change when something else is edited.
    fn records(&self, keep: impl Fn(&Entry) -> bool) -> Vec<u64> {
        self.entries().iter().filter(|entry| keep(entry)).map(|entry| entry.record_hash).collect()
    }

    /// The document of the spliced text.
    fn rebuild(&self, id: &str, splices: Vec<Splice>) -> Result<SprintDoc, EditError> {
        let text =
            edit::splice(self.text(), splices).ok_or_else(|| not_as_meant(id, "its changes overlap"))?;
        let doc = SprintDoc::from_text(self.stem(), text, Some(self.outline()))
            .map_err(|fault| not_as_meant(id, fault.to_string()))?;
        // Read chunk by chunk, what is around the tickets is the same bytes; else it must read the same.
        if self.layout().is_none() && reread::surroundings(self.text()) != reread::surroundings(doc.text()) {
            return Err(not_as_meant(id, "something besides the tickets would read differently"));
        }
        Ok(doc)
    }

    /// Inserts the lines of one ticket at their place. A final line end is said only where it belongs to the ticket.
    fn insert_chunk(&self, id: &str, chunk: &str, record: &Value) -> Result<SprintDoc, EditError> {
        let text = self.text();
        let newline = newline_of(text);
        let lines = chunk.strip_suffix(newline).unwrap_or(chunk);
        let entries = self.entries();
        let sorted = entries.is_sorted_by_key(|entry| &entry.key);
        let place = if sorted { entries.partition_point(|entry| &*entry.key < id) } else { entries.len() };
        let splice = match place.checked_sub(1).and_then(|before| entries.get(before)) {
            Some(entry) => {
                let at = self.after_body(entry, text);
                let ended = text[..at].ends_with(['\n', '\r']);
                Splice {
                    range: at..at,
                    text: if ended { format!("{lines}{newline}") } else { format!("{newline}{chunk}") },
                }
            }
            None => {
                let at = entries.first().map_or(text.len(), |entry| entry.span.start);
                Splice { range: at..at, text: format!("{lines}{newline}") }
            }
        };
        let doc = self.rebuild(id, vec![splice])?;
        self.verify_insert(id, record, doc)
    }

    /// Inserts where there is no ticket line yet, or where tickets have no lines of their own.
    fn insert_whole(&self, id: &str, record: &Value) -> Result<SprintDoc, EditError> {
        let edits = vec![(id.to_owned(), Edit::Set(record.clone()))];
        let splices = self.plan_tickets(edits).map_err(|detail| not_as_meant(id, detail))?;
        let doc = self.rebuild(id, splices)?;
        self.verify_insert(id, record, doc)
    }

    fn verify_insert(&self, id: &str, record: &Value, doc: SprintDoc) -> Result<SprintDoc, EditError> {
        let fine =
            doc.entry(id).is_some_and(|entry| &*entry.key == id) && doc.record(id).as_ref() == Some(record);
        if !fine {
            return Err(not_as_meant(id, "the new record reads differently"));
        }
        if doc.records(|entry| &*entry.key != id) != self.records(|_| true) {
            return Err(not_as_meant(id, "another ticket would read differently"));
        }
        Ok(doc)
    }

    /// Splices for edits of the `tickets` mapping itself.
    fn plan_tickets(&self, edits: Vec<(String, Edit)>) -> Result<Vec<Splice>, String> {
        let planned = reread::with_whole(self.text(), |tape, map| {
            let mut editor = Editor::new(self.text(), tape, newline_of(self.text()));
            editor.map(map, &[("tickets".to_owned(), Edit::Into(edits))])?;
            Ok(editor.finish())
        });
        planned.ok_or_else(|| "the file cannot be read".to_owned())?
    }

    /// The byte after the line on which a ticket's content ends.
    fn after_body(&self, entry: &Entry, text: &str) -> usize {
        if entry.tail > entry.body {
            return entry.span.start + entry.tail;
        }
        let at = entry.span.start + entry.body;
        let rest = &text.as_bytes()[at..];
        let len = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
        match rest.get(len) {
            Some(b'\r') if rest.get(len + 1) == Some(&b'\n') => at + len + 2,
            Some(_) => at + len + 1,
            None => at + len,
        }
    }
}

/// The text that the tape of a ticket describes: up to the ticket's end, or the whole file.
fn tape_text<'a>(text: &'a str, layout: Option<&Layout>, entry: &Entry) -> &'a str {
    if layout.is_some() { &text[..entry.span.end] } else { text }
}

fn has_twins(doc: &SprintDoc, edits: &[(&str, &[Change])]) -> bool {
    let mut seen = HashSet::new();
    edits.iter().filter_map(|(id, _)| doc.entry(id)).any(|entry| !seen.insert(&*entry.key))
}

struct Planned<'i> {
    id: &'i str,
    splices: Vec<Splice>,
    meant: Value,
}

fn not_as_meant(id: &str, detail: impl Into<String>) -> EditError {
    EditError::NotAsMeant { id: id.to_owned(), detail: detail.into() }
}

/// Moves a ticket's lines to another indentation and line end; `None` when a line is not indented deep enough, or
/// when the text is in flow style.
fn reindent(source: &str, indent: usize, newline: &str) -> Option<String> {
    let own = source.len() - source.trim_start_matches(' ').len();
    let lines = source.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let mut out = String::with_capacity(source.len());
    for (index, line) in lines.enumerate() {
        if index > 0 {
            out.push_str(newline);
        }
        if line.is_empty() {
            continue;
        }
        let depth = line.len() - line.trim_start_matches(' ').len();
        let blank = depth == line.len();
        if depth < own && !blank {
            return None;
        }
        out.extend(std::iter::repeat_n(' ', (depth + indent).saturating_sub(own)));
        out.push_str(&line[depth..]);
    }
    Some(out)
}
