//! Moving tickets between files: finished ones from `current` to the history files, the locator kept right.
//!
//! Crash-safe by order: the history file with the finished record, the locator, and last `current` without it. Until
//! that last write the ticket counts as it stands in `current`, so that a crash in between undoes the move (and the
//! step that was not acknowledged); the next mutation takes the copy out of the history file again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::MutateError;
use super::batch::{edit_error, insert_all};
use super::engine::Engine;
use super::files::{Files, Rank, SprintFile};
use crate::base::atomic;
use crate::plan::lifecycle::Change;
use crate::plan::ticket::TicketId;
use crate::plan::yaml::sprint::EditError;
use crate::plan::yaml::{Outline, SprintDoc};

impl Engine {
    /// See [`super::Store::flush_archive`].
    pub(super) fn flush_archive(&mut self) -> Result<(), MutateError> {
        self.writable()?;
        self.more_to_come = false;
        if self.archive_waiting == 0 && !self.left_behind && self.torn.is_empty() {
            if self.note_due {
                self.note_whole();
            }
            return Ok(());
        }
        let lock = self.lock()?;
        self.look_again()?;
        self.complaints.clear();
        let done = self.archive(self.clock.now());
        self.note_whole();
        self.publish();
        drop(lock);
        done
    }

    /// Moves what the rule selects out of the `current` on disk.
    ///
    /// # Errors
    /// `current` could not be written; the tickets are in it still, whole and finished.
    pub(super) fn archive(&mut self, now: Timestamp) -> Result<(), MutateError> {
        let covered =
            |outline: &Outline| outline.tickets().any(|ticket| self.files.config.archive.covers(ticket));
        match self.files.sprint("current") {
            Some(SprintFile { outline: Some(outline), fault: None, .. }) if covered(outline) => {}
            _ => {
                self.archive_waiting = 0;
                return Ok(());
            }
        }
        let current = self.files.doc("current")?;
        match self.archive_from(&current, now) {
            Some(left) => self.write(&Rank::of("current"), left),
            None => Ok(()),
        }
    }

    /// Writes what the rule selects from `current` to the history files and the locator; the rest of `current`, which
    /// the caller writes, or `None` when nothing moves. Failures leave the tickets where they are and are complaints.
    pub(super) fn archive_from(&mut self, current: &SprintDoc, now: Timestamp) -> Option<SprintDoc> {
        self.archive_waiting = 0;
        self.left_behind = false;
        let tickets = current.tickets().map(|ticket| &**ticket);
        let bytes = u64::try_from(current.text().len()).unwrap_or(u64::MAX);
        let mut by_stem: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for (ticket, stem) in self.files.config.archive.select(tickets, bytes, now) {
            let id = ticket.id.as_str();
            if let Ok(source) = source_with_sprint(current, id, &stem) {
                by_stem.entry(stem).or_default().push((id.to_owned(), source));
            }
        }
        let mut moved: BTreeMap<String, String> = BTreeMap::new();
        for (stem, sources) in by_stem {
            match self.archive_into(&stem, &sources) {
                Ok(()) => moved.extend(sources.into_iter().map(|(id, _)| (id, stem.clone()))),
                Err(error) => self.stays(&stem, &error),
            }
        }
        if moved.is_empty() {
            return None;
        }
        let ids: Vec<&str> = moved.keys().map(String::as_str).collect();
        let left = current.remove(&ids).map_err(|source| edit_error("current", source));
        let located = self.located(&moved);
        let left = left.and_then(|left| self.write_locator(|tickets| tickets.extend(located)).map(|()| left));
        left.map_err(|error| self.stays("current", &error)).ok()
    }

    pub(super) fn stays(&mut self, stem: &str, error: &MutateError) {
        self.left_behind = true;
        self.complain(&Files::shown(stem), format!("finished tickets stay in current: {error}"));
    }

    fn archive_into(&mut self, stem: &str, sources: &[(String, String)]) -> Result<(), MutateError> {
        let failed = |source| edit_error(stem, source);
        let doc = match self.files.sprint(stem) {
            Some(SprintFile { fault: Some(fault), .. }) => {
                let path = Files::shown(stem);
                return Err(MutateError::Broken(super::FileFault { path, fault: fault.clone() }));
            }
            Some(SprintFile { outline: Some(_), .. }) => {
                let doc = self.files.doc(stem)?;
                // Left by a crash between this write and the removal from `current`.
                let stale: Vec<&str> =
                    sources.iter().map(|(id, _)| id.as_str()).filter(|id| doc.ticket(id).is_some()).collect();
                if stale.is_empty() { doc } else { doc.remove(&stale).map_err(failed)? }
            }
            _ => {
                let day = stem.trim_start_matches("history-");
                let text = SprintDoc::empty_text(stem, &format!("History {day}"), "archived");
                let path = Files::shown(stem);
                SprintDoc::parse(stem, text.into_bytes(), None)
                    .map_err(|fault| MutateError::Broken(super::FileFault { path, fault }))?
            }
        };
        let grown = insert_all(doc, sources).map_err(failed)?;
        self.write(&Rank::of(stem), grown)
    }

    /// Where these tickets are now, and where all others of those history files are, in case the locator lost them.
    pub(super) fn located(&self, moved: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut located = moved.clone();
        let outline = |stem: &str| self.files.sprint(stem)?.outline.as_ref();
        let current = outline("current");
        let stems: BTreeSet<&String> = moved.values().collect();
        for stem in stems {
            let tickets = outline(stem).into_iter().flat_map(Outline::tickets);
            let ids = tickets.map(|ticket| ticket.id.as_str());
            let settled = ids.filter(|id| current.is_none_or(|current| current.ticket(id).is_none()));
            for id in settled {
                located.entry(id.to_owned()).or_insert_with(|| stem.clone());
            }
        }
        located
    }

    /// Takes tickets that left the history files for `current` out of the locator.
    pub(super) fn forget_locations(&mut self, ids: &[TicketId]) {
        let current = self.files.sprint("current").and_then(|file| file.outline.as_ref());
        // One that was finished again by the same write is in a history file as before.
        let gone = |id: &&TicketId| current.is_some_and(|outline| outline.ticket(id.as_str()).is_some());
        let ids: Vec<&TicketId> = ids.iter().filter(gone).collect();
        let listed = |id: &&TicketId| {
            self.files.locator.as_ref().is_some_and(|locator| locator.tickets.contains_key(id.as_str()))
        };
        if !ids.iter().any(listed) {
            return;
        }
        let forgotten =
            self.write_locator(|tickets| ids.iter().for_each(|id| drop(tickets.remove(id.as_str()))));
        if let Err(error) = forgotten {
            self.complain(".planfile/index/history-locations.yaml", error.to_string());
        }
    }

    /// Changes the locator. A file that is no locator is left alone. A power loss may bring the old one back: what it says
    /// then stands in the history files themselves, and the next move by a process that has read them says it again.
    pub(super) fn write_locator(
        &mut self,
        change: impl FnOnce(&mut BTreeMap<String, String>),
    ) -> Result<(), MutateError> {
        let path = self.files.locator_path();
        let failed = |source| MutateError::Io { path: path.clone(), source };
        let Some(mut locator) = self.files.locator.clone() else {
            let message = "it is not a list of history locations; repair or remove it";
            return Err(failed(std::io::Error::new(std::io::ErrorKind::InvalidData, message)));
        };
        change(&mut locator.tickets);
        atomic::make_own_dir(&self.files.paths.index()).map_err(failed)?;
        let stamp = atomic::replace_derived(&path, &[locator.text().as_bytes()]).map_err(failed)?;
        super::apply::drop_mirror(&path);
        self.files.set_locator(locator, stamp);
        Ok(())
    }
}

/// A ticket's source text with another `sprint`, as it is moved to that file.
fn source_with_sprint(doc: &SprintDoc, id: &str, stem: &str) -> Result<String, EditError> {
    let missing = || EditError::Missing(id.to_owned());
    let change = [Change::set(&["sprint"], stem)];
    let source = doc.source(id).ok_or_else(missing)?;
    if let Some(mut alone) = Alone::new(doc.stem(), source)
        && alone.edit(id, &change)
    {
        return Ok(alone.lines().to_owned());
    }
    Ok(doc.edit(id, &change)?.source(id).ok_or_else(missing)?.to_owned())
}

/// A small document that holds one ticket of another file. Cloning is cheap.
#[derive(Clone, Debug)]
pub(super) struct Alone {
    /// The document.
    pub(super) doc: SprintDoc,
    head: usize,
}

impl Alone {
    /// The ticket as text of file `stem`; `None` when it cannot stand alone (an alias, flow style).
    pub(super) fn new(stem: &str, lines: &str) -> Option<Alone> {
        let indent = lines.len() - lines.trim_start_matches(' ').len();
        if indent < 2 || lines.contains(['\r', '\u{feff}']) {
            return None;
        }
        let parent = " ".repeat(indent / 2);
        let mut text =
            format!("sprint:\n{parent}id: x\n{parent}name: x\n{parent}status: active\n{parent}tickets:\n");
        let head = text.len();
        text.push_str(lines);
        let doc = SprintDoc::parse(stem, text.into_bytes(), None).ok()?;
        (doc.tickets().count() == 1).then_some(Alone { doc, head })
    }

    /// The ticket's lines as they are now, whatever follows them included.
    pub(super) fn lines(&self) -> &str {
        self.doc.text().get(self.head..).unwrap_or_default()
    }

    /// Changes the ticket; false when that cannot be done here (nothing is changed then).
    pub(super) fn edit(&mut self, id: &str, changes: &[Change]) -> bool {
        let edited = self.doc.edit(id, changes).ok();
        let edited =
            edited.filter(|edited| edited.text().get(..self.head) == self.doc.text().get(..self.head));
        edited.map(|edited| self.doc = edited).is_some()
    }
}

/// Adds tickets at the end of a document whose last lines are its tickets, in one step; `None` when it is not laid
/// out like that, or when the result is not the old tickets followed by the new ones.
pub(super) fn append_all(doc: &SprintDoc, sources: &[(String, String)]) -> Option<SprintDoc> {
    let text = doc.text();
    let indent = |text: &str| text.len() - text.trim_start_matches(' ').len();
    if sources.len() < 2 || !ends_with_tickets(text) || sources.iter().any(|(_, source)| indent(source) != 4)
    {
        return None;
    }
    let mut bytes =
        Vec::with_capacity(text.len() + sources.iter().map(|(_, source)| source.len() + 1).sum::<usize>());
    bytes.extend_from_slice(text.as_bytes());
    for (_, source) in sources {
        bytes.extend_from_slice(source.as_bytes());
        if !source.ends_with('\n') {
            bytes.push(b'\n');
        }
    }
    let grown = SprintDoc::parse(doc.stem(), bytes, Some(doc.outline())).ok()?;
    let wanted =
        doc.tickets().map(|ticket| ticket.id.as_str()).chain(sources.iter().map(|(id, _)| id.as_str()));
    wanted.eq(grown.tickets().map(|ticket| ticket.id.as_str())).then_some(grown)
}

/// Whether the text ends with the block of tickets as planfile lays it out (keys at column 4).
pub(super) fn ends_with_tickets(text: &str) -> bool {
    const KEY: &str = "\n  tickets:\n";
    let Some(start) = text.rfind(KEY).map(|at| at + KEY.len()) else { return false };
    let body = &text[start..];
    text.ends_with('\n')
        && body.starts_with("    ")
        && !body.contains('\r')
        && body.lines().all(|line| line.is_empty() || line.starts_with("    "))
}
