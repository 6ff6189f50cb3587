//! One sprint file in memory: its text, where each ticket stands in it, and each ticket as plain data.
//!
//! The document owns the text. An edit returns a new document; nothing here touches a disk.

use std::collections::hash_map::Entry as Place;
use std::collections::{HashMap, HashSet};
use std::ops::{Deref, Range};
use std::sync::Arc;

use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use super::emit::Style;
use super::layout::Layout;
use super::value::to_value;
use super::{fault, load, reread};
use crate::plan::ticket::Ticket;

/// Why a sprint file cannot be used. Such a file is never overwritten and never treated as empty.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct SprintFault {
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    /// What is wrong and what to do, in a sentence.
    pub message: String,
    /// The offending line of the file as it stands (foreign text, not yet safe to show), if there is one.
    pub excerpt: Option<String>,
}

/// A fact about a file that reads but that planfile would silently misread (duplicate key, ticket without id, …).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SprintWarning {
    /// 1-based line.
    pub line: usize,
    /// What planfile would do and what to do about it.
    pub message: String,
}

/// A parsed sprint file. Cloning is cheap (`Arc`).
#[derive(Clone, Debug)]
pub struct SprintDoc {
    /// Not `Arc<str>`: that would copy twenty megabytes once more.
    text: Arc<String>,
    outline: Outline,
}

/// A parsed sprint file without its text: what is kept of a file that nobody edits now. Cloning is cheap (`Arc`).
#[derive(Clone, Debug)]
pub struct Outline {
    stem: Arc<str>,
    pub(super) entries: Arc<Vec<Entry>>,
    pub(super) index: Arc<HashMap<Arc<str>, u32>>,
    /// Ids that more than one ticket answers to, by key or by the `id` inside.
    ambiguous: Arc<HashSet<Arc<str>>>,
    warnings: Arc<Vec<SprintWarning>>,
    pub(super) layout: Option<Arc<Layout>>,
    /// Length of the text in bytes.
    pub(super) size: usize,
}

/// A document reads as its outline; it only has the text besides.
impl Deref for SprintDoc {
    type Target = Outline;

    fn deref(&self) -> &Outline {
        &self.outline
    }
}

/// Where one ticket stands, and what it says.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its key in `tickets`.
    pub(super) key: Arc<str>,
    /// Its bytes in the file: whole lines with what follows them up to the next ticket, where the file is block style.
    pub(super) span: Range<usize>,
    /// Offset of the key in `span`.
    pub(super) key_at: usize,
    /// Offset of the end of the record's content in `span`.
    pub(super) body: usize,
    /// As `body`, with the line ends that belong to a block text at the end.
    pub(super) tail: usize,
    /// xxh3 of the bytes of `span`.
    pub(super) hash: u64,
    /// xxh3 of the record's value: what must not change when another ticket is edited.
    pub(super) record_hash: u64,
    /// Offset in `span` and text of a key that stands twice.
    pub(super) duplicate: Option<(usize, Arc<str>)>,
    /// Whether a later ticket has the same key, so that planfile does not see this one.
    pub(super) shadowed: bool,
    /// Whether another ticket has the same key.
    pub(super) twin: bool,
    /// Whether the value is a mapping.
    pub(super) record: bool,
    /// The ticket.
    pub(super) ticket: Arc<Ticket>,
}

impl SprintDoc {
    /// Parses `bytes` of the file `stem`. With `previous`, tickets whose text did not change are taken over, not parsed.
    ///
    /// # Errors
    /// The first place where the file stops being a sprint that planfile reads as its author meant.
    pub fn parse(stem: &str, bytes: Vec<u8>, previous: Option<&Outline>) -> Result<SprintDoc, SprintFault> {
        SprintDoc::from_text(stem, fault::decode(bytes)?, previous)
    }

    /// Parses text that is known to hold no forbidden characters.
    pub(super) fn from_text(
        stem: &str,
        text: String,
        previous: Option<&Outline>,
    ) -> Result<SprintDoc, SprintFault> {
        let loaded = load::load(&text, stem, previous)?;
        let (index, ambiguous) = index(&loaded.entries);
        let outline = Outline {
            stem: Arc::from(stem),
            index: Arc::new(index),
            ambiguous: Arc::new(ambiguous),
            entries: Arc::new(loaded.entries),
            warnings: Arc::new(loaded.warnings),
            layout: loaded.layout.map(Arc::new),
            size: text.len(),
        };
        Ok(SprintDoc { text: Arc::new(text), outline })
    }

    /// The file's text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The document without its text.
    pub fn outline(&self) -> &Outline {
        &self.outline
    }

    /// The whole record of a ticket as JSON, unknown keys included, values as PyYAML reads them.
    pub fn record(&self, id: &str) -> Option<Value> {
        let entry = self.entry(id)?;
        reread::with_ticket(&self.text, self.layout(), entry, |tape, _, value| to_value(tape, value))
    }

    /// The ticket's own source text with its key line, as it stands in the file (for moving it to another file). It has
    /// its last line end only where a block text at its end would read otherwise without.
    pub fn source(&self, id: &str) -> Option<&str> {
        let entry = self.entry(id)?;
        self.text.get(entry.span.start..entry.span.start + entry.tail)
    }

    /// The text of a new, empty sprint file.
    pub fn empty_text(id: &str, name: &str, status: &str) -> String {
        let mut map = serde_json::Map::new();
        map.insert("id".to_owned(), Value::from(id));
        map.insert("name".to_owned(), Value::from(name));
        map.insert("status".to_owned(), Value::from(status));
        map.insert("tickets".to_owned(), Value::Object(serde_json::Map::new()));
        let mut text = "sprint:\n  ".to_owned();
        Style { newline: "\n" }.block_map(&map, 2, &mut text);
        text.push('\n');
        text
    }
}

impl Outline {
    /// The document again, with the text it was read from.
    ///
    /// # Errors
    /// The text, when it is not the one: a caller that read another version of the file must parse it.
    pub fn with_text(&self, text: String) -> Result<SprintDoc, String> {
        let same = text.len() == self.size
            && self.entries.iter().all(|entry| {
                text.as_bytes().get(entry.span.clone()).is_some_and(|bytes| xxh3_64(bytes) == entry.hash)
            });
        if same { Ok(SprintDoc { text: Arc::new(text), outline: self.clone() }) } else { Err(text) }
    }

    /// Length of the text in bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// File stem.
    pub fn stem(&self) -> &str {
        &self.stem
    }

    /// Tickets in file order, invalid ones included; of two with the same key only the one that planfile sees.
    pub fn tickets(&self) -> impl Iterator<Item = &Arc<Ticket>> {
        self.entries.iter().filter(|entry| !entry.shadowed).map(|entry| &entry.ticket)
    }

    /// As [`SprintDoc::tickets`], with the key that each stands under (planfile finds tickets by key, not by `id`).
    pub fn keyed(&self) -> impl Iterator<Item = (&str, &Arc<Ticket>)> {
        self.entries.iter().filter(|entry| !entry.shadowed).map(|entry| (&*entry.key, &entry.ticket))
    }

    /// The ticket under this key, else the one whose record names this id.
    pub fn ticket(&self, id: &str) -> Option<&Arc<Ticket>> {
        self.entry(id).map(|entry| &entry.ticket)
    }

    /// What planfile would misread.
    pub fn warnings(&self) -> &[SprintWarning] {
        &self.warnings
    }

    /// The entries, shadowed ones included.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The layout, when tickets stand in lines of their own.
    pub(super) fn layout(&self) -> Option<&Layout> {
        self.layout.as_deref()
    }

    /// The entry of a ticket.
    pub(super) fn entry(&self, id: &str) -> Option<&Entry> {
        self.entries.get(*self.index.get(id)? as usize)
    }

    /// Whether more than one ticket answers to this id, so that nobody can say which one is meant.
    pub(super) fn is_ambiguous(&self, id: &str) -> bool {
        self.ambiguous.contains(id)
    }
}

/// Finds entries by key, as planfile does, and by the id inside where no key says so; and names the ids that two
/// tickets answer to.
pub(super) fn index(entries: &[Entry]) -> (HashMap<Arc<str>, u32>, HashSet<Arc<str>>) {
    let mut index = HashMap::with_capacity(entries.len());
    let mut ambiguous = HashSet::new();
    let seen = || entries.iter().zip(0u32..).filter(|(entry, _)| !entry.shadowed);
    for (entry, number) in seen() {
        index.insert(entry.key.clone(), number);
    }
    for (entry, number) in seen().filter(|(entry, _)| entry.ticket.id.as_str() != &*entry.key) {
        let id: Arc<str> = Arc::from(entry.ticket.id.as_str());
        match index.entry(id) {
            Place::Occupied(first) => {
                ambiguous.insert(first.key().clone());
            }
            Place::Vacant(free) => {
                free.insert(number);
            }
        }
    }
    (index, ambiguous)
}

/// Why an edit was not made; the document is unchanged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// No such ticket in this file.
    #[error("no ticket {0} in this file")]
    Missing(String),
    /// The id is already in this file.
    #[error("ticket {0} is already in this file")]
    Taken(String),
    /// The edited text would read differently from what was meant.
    #[error(
        "the edit of {id} would not read back as meant ({detail}); nothing was written, please edit the file by hand"
    )]
    NotAsMeant {
        /// Ticket.
        id: String,
        /// Where it differs.
        detail: String,
    },
}
