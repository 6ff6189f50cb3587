//! Making tickets: an id above every id on disk, the counter in the config first, then the ticket.

use super::MutateError;
use super::Mutated;
use super::archive::is_archive;
use super::batch::edit_error;
use super::engine::Engine;
use super::files::{Files, Rank};
use super::journal;
use super::reading::read_whole;
use crate::base::atomic;
use crate::plan::lifecycle::{NewTicket, Refusal, new_record};
use crate::plan::ticket::TicketId;
use crate::plan::yaml::sprint::EditError;
use crate::plan::yaml::{Outline, SprintDoc};

/// How many taken ids are passed over before we give up (a map key that differs from its record's id).
const TRIES: u64 = 1000;

impl Engine {
    /// See [`super::Store::create`].
    pub(super) fn create(&mut self, new: &NewTicket) -> Result<Mutated, MutateError> {
        let stem = new.sprint.clone().unwrap_or_else(|| "current".to_owned());
        if !is_sprint_id(&stem) || is_archive(&stem) {
            let reason =
                format!("{stem:?} is no sprint for new tickets: letters, digits, `_`, `-`, no history file");
            return Err(Refusal::Invalid { field: "sprint", reason }.into());
        }
        let lock = self.lock()?;
        self.look_again()?;
        self.complaints.clear();
        let now = self.clock.now();
        // Everything that can refuse the ticket does so before its id is burnt.
        new_record(&TicketId::new("new"), new, now)?;
        let doc = self.target(&stem)?;
        let (number, id) = self.free_id(&doc)?;
        let mut record = new_record(&id, new, now)?;
        record["sprint"] = stem.as_str().into();
        let grown = doc.insert(id.as_str(), &record).map_err(|source| edit_error(&stem, source))?;
        self.write_next_id(number + 1)?;
        self.write(&Rank::of(&stem), grown)?;
        let actor = record.pointer("/source/tool").and_then(serde_json::Value::as_str).unwrap_or("system");
        self.journal(&[journal::create_row(id.as_str(), &record, actor)]);
        self.note_whole();
        self.publish();
        drop(lock);
        self.seen_now(&id)
    }

    /// The document that takes the ticket; an empty one for a sprint that is not there yet, as planfile makes it.
    fn target(&self, stem: &str) -> Result<SprintDoc, MutateError> {
        if self.files.sprint(stem).is_some() {
            return self.files.doc(stem);
        }
        let text = SprintDoc::empty_text(stem, &title(stem), "active");
        SprintDoc::parse(stem, text.into_bytes(), None)
            .map_err(|fault| MutateError::Broken(super::FileFault { path: Files::shown(stem), fault }))
    }

    /// The number and id above the counter and above every id in any file, the unreadable ones included.
    fn free_id(&self, target: &SprintDoc) -> Result<(u64, TicketId), MutateError> {
        let counter = self.files.config.next_id.as_ref().map_err(|found| {
            let reason =
                format!("{found:?} in .planfile/config.yaml is no number; put the next free number there");
            Refusal::Invalid { field: "next_id", reason }
        })?;
        let first =
            self.highest_number().map_or(*counter, |highest| (*counter).max(highest.saturating_add(1)));
        let prefix = &self.files.config.prefix;
        for number in first..first.saturating_add(TRIES) {
            let id = format!("{prefix}-{number:03}");
            if target.ticket(&id).is_none() && target.source(&id).is_none() {
                return Ok((number, TicketId::new(id)));
            }
        }
        Err(edit_error(target.stem(), EditError::Taken(format!("{prefix}-{first:03}"))))
    }

    fn highest_number(&self) -> Option<u64> {
        let prefix = format!("{}-", self.files.config.prefix);
        let number = |id: &str| id.strip_prefix(&prefix)?.parse::<u64>().ok();
        let mut highest = None;
        for (rank, file) in &self.files.sprints {
            let known = file
                .outline
                .iter()
                .flat_map(Outline::tickets)
                .filter_map(|ticket| number(ticket.id.as_str()));
            highest = highest.max(known.max());
            if file.fault.is_some() {
                let read = read_whole(&self.files.sprint_path(rank.stem()));
                let bytes = read.ok().flatten().map(|(_, bytes)| bytes).unwrap_or_default();
                highest = highest.max(highest_in(&bytes, &prefix));
            }
        }
        highest
    }

    fn write_next_id(&mut self, next: u64) -> Result<(), MutateError> {
        if self.files.config.next_id == Ok(next) {
            return Ok(());
        }
        let path = self.files.paths.config();
        let Some(text) = self.files.config.with_next_id(next) else {
            let detail = format!("`next_id` is not on a line of its own; write `next_id: {next}`");
            let source = EditError::NotAsMeant { id: "config".to_owned(), detail };
            return Err(MutateError::Edit { path: ".planfile/config.yaml".to_owned(), source });
        };
        atomic::replace(&path, &[text.as_bytes()])
            .map_err(|source| MutateError::Io { path: path.clone(), source })?;
        super::apply::drop_mirror(&path);
        self.files.forget_config();
        self.files.refresh();
        Ok(())
    }
}

/// The highest number behind `prefix` anywhere in a text that does not parse: rather too high than taken.
fn highest_in(bytes: &[u8], prefix: &str) -> Option<u64> {
    let found = memchr::memmem::find_iter(bytes, prefix.as_bytes());
    let digits = |at: usize| {
        let rest = &bytes[at + prefix.len()..];
        let count = rest.iter().take(18).take_while(|byte| byte.is_ascii_digit()).count();
        std::str::from_utf8(&rest[..count]).ok()?.parse::<u64>().ok()
    };
    found.filter_map(digits).max()
}

/// planfile's pattern for sprint ids.
fn is_sprint_id(stem: &str) -> bool {
    (1..=128).contains(&stem.len())
        && stem.starts_with(|first: char| first.is_ascii_alphanumeric())
        && stem.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

/// Python's `title()` of a sprint id, as planfile names a sprint that it makes.
fn title(stem: &str) -> String {
    let mut start = true;
    let cased = stem.chars().map(|c| {
        let cased = if start { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
        start = !c.is_ascii_alphabetic();
        cased
    });
    cased.collect()
}
