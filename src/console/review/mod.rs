//! The review of a ticket's work on one screen: files, their differences, findings and comments at their lines.
//!
//! Owns what was asked for and what came ([`ReviewScreen`]), the rows of the shown file ([`layout`]), coloured parts
//! ([`paint`], made by [`painter`]'s thread) and the search ([`search`]). Invariants: no key waits for anything (texts,
//! counts, colours and changed words come as messages and stand plain until then); what is decided on is the commit that
//! was drawn; a comment is kept by the runtime before it counts as made.

mod bodies;
pub(crate) mod layout;
pub(crate) mod notes;
pub(crate) mod paint;
pub(crate) mod painter;
mod place;
pub(crate) mod search;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod tree;
mod words;

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use crate::plan::ticket::TicketId;
use crate::runtime::protocol::diff::{
    Body, Counted, DiffId, DiffRange, FileEntry, Listing, Notebook, Stat, TextSide,
};

use bodies::Bodies;
use layout::{Layout, Options};
use notes::Note;
use paint::{PartKey, Piece};
use search::Search;
use tree::TreeRow;

/// Coloured parts that are kept.
const PARTS: usize = 512;

/// Where the keys go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Part {
    /// The list of files.
    Files,
    /// The text.
    #[default]
    Text,
}

/// A line of a file, to be gone to when it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) side: TextSide,
    /// From 1.
    pub(crate) line: u32,
}

/// The screen.
#[derive(Debug)]
pub(crate) struct ReviewScreen {
    pub(crate) ticket: TicketId,
    pub(crate) id: DiffId,
    pub(crate) range: DiffRange,
    pub(crate) whitespace: bool,
    pub(crate) listing: Option<Arc<Listing>>,
    /// The files as a tree.
    pub(crate) tree: Vec<TreeRow>,
    /// The files in the order of their paths, which comments and findings name.
    by_path: Vec<usize>,
    counted: Vec<Option<Counted>>,
    /// Hash over all that is shown, when everything was counted.
    pub(crate) hash: Option<String>,
    /// Why there is nothing to see.
    pub(crate) refused: Option<String>,
    /// Something else was compared here before.
    pub(crate) reopened: bool,
    pub(crate) bodies: Bodies,
    /// The shown file.
    pub(crate) file: usize,
    pub(crate) part: Part,
    pub(crate) files_shown: bool,
    options: Options,
    /// What was opened in files that are not shown.
    opened: HashMap<usize, BTreeMap<usize, u32>>,
    pub(crate) layout: Layout,
    laid_out: Option<place::LayoutKey>,
    pub(crate) notes: Vec<Note>,
    pub(crate) cursor: usize,
    pub(crate) top: usize,
    /// Columns that are scrolled out to the left.
    pub(crate) left: usize,
    /// Row at which a selection began.
    pub(crate) anchor: Option<usize>,
    pub(crate) search: Option<Search>,
    pub(crate) notebook: Arc<Notebook>,
    notebook_version: u64,
    /// Where to go when the text is there.
    pub(crate) wanted: Option<Place>,
    parts: HashMap<PartKey, Option<Arc<Vec<Vec<Piece>>>>>,
    /// The commit that stood on the screen at the last frame.
    pub(crate) drawn: Option<String>,
    /// The commit of the newest round when the files came.
    pub(crate) newest: Option<String>,
    /// Rows of text at the last frame.
    pub(crate) height: usize,
    /// The file that is laid out next begins at its last change.
    pub(crate) at_end: bool,
    /// The file that is laid out next begins at its head, where notes of other rounds stand.
    pub(crate) wanted_top: bool,
    /// The finding that was gone to last.
    pub(crate) last_finding: Option<String>,
}

impl ReviewScreen {
    pub(crate) fn new(ticket: TicketId, id: DiffId, range: DiffRange) -> ReviewScreen {
        ReviewScreen {
            ticket,
            id,
            range,
            whitespace: true,
            listing: None,
            tree: Vec::new(),
            by_path: Vec::new(),
            counted: Vec::new(),
            hash: None,
            refused: None,
            reopened: false,
            bodies: Bodies::default(),
            file: 0,
            part: Part::default(),
            files_shown: false,
            options: Options::default(),
            opened: HashMap::new(),
            layout: Layout::default(),
            laid_out: None,
            notes: Vec::new(),
            cursor: 0,
            top: 0,
            left: 0,
            anchor: None,
            search: None,
            notebook: Arc::default(),
            notebook_version: 0,
            wanted: None,
            parts: HashMap::new(),
            drawn: None,
            newest: None,
            height: 0,
            at_end: false,
            wanted_top: false,
            last_finding: None,
        }
    }

    /// Another comparison in the place of this one: what is known of the old one goes, the place is kept.
    pub(crate) fn reopen(&mut self, id: DiffId, range: DiffRange, whitespace: bool) {
        let wanted = self.wanted.take().or_else(|| self.here());
        let mut fresh = ReviewScreen::new(self.ticket.clone(), id, range);
        (fresh.whitespace, fresh.reopened) = (whitespace, true);
        fresh.wanted = wanted;
        fresh.options = Options { opened: BTreeMap::new(), ..self.options.clone() };
        fresh.files_shown = self.files_shown;
        fresh.notebook = Arc::clone(&self.notebook);
        *self = fresh;
    }

    pub(crate) fn files(&self) -> &[FileEntry] {
        self.listing.as_ref().map_or(&[], |listing| &listing.files)
    }

    /// The place of the file with this path.
    pub(crate) fn file_at(&self, path: &str) -> Option<usize> {
        let files = self.files();
        let of = |file: &usize| files.get(*file).map_or("", |entry| entry.path.as_str());
        let at = self.by_path.binary_search_by(|file| of(file).cmp(path)).ok()?;
        self.by_path.get(at).copied()
    }

    /// The shown file.
    pub(crate) fn entry(&self) -> Option<&FileEntry> {
        self.files().get(self.file)
    }

    pub(crate) fn stat(&self, file: usize) -> Option<&Stat> {
        self.counted.get(file)?.as_ref().map(|counted| &counted.stat)
    }

    /// Id of a file's content now.
    pub(crate) fn blob(&self, file: usize) -> Option<&str> {
        let known = self.files().get(file)?.new_blob.as_deref();
        known.or_else(|| self.counted.get(file)?.as_ref()?.new_blob.as_deref())
    }

    /// Id of a file's content of one side, as its text is shown: a file of the worktree may have been counted before it
    /// was changed and read after.
    pub(crate) fn blob_of(&self, file: usize, side: TextSide) -> Option<&str> {
        match side {
            TextSide::New => {
                let shown = self.bodies.get(file).and_then(|body| body.new_blob.as_deref());
                shown.or_else(|| self.blob(file))
            }
            TextSide::Old => self.files().get(file)?.old_blob.as_deref(),
        }
    }

    /// The texts of the shown file, when they are there.
    pub(crate) fn body(&self) -> Option<&Arc<Body>> {
        self.bodies.get(self.file)
    }

    /// Lines added and removed, as far as they were counted, and whether that is all.
    pub(crate) fn totals(&self) -> (u64, u64, bool) {
        self.totals_of(0..self.counted.len())
    }

    /// The same of some files.
    pub(crate) fn totals_of(&self, files: Range<usize>) -> (u64, u64, bool) {
        let mut totals = (0, 0, true);
        for counted in self.counted.get(files).unwrap_or_default() {
            match counted.as_ref().map(|counted| &counted.stat) {
                Some(Stat::Text { added, removed }) => {
                    totals.0 += u64::from(*added);
                    totals.1 += u64::from(*removed);
                }
                Some(_) => {}
                None => totals.2 = false,
            }
        }
        totals
    }

    pub(crate) fn is_viewed(&self, file: usize) -> bool {
        let Some(entry) = self.files().get(file) else { return false };
        self.notebook.viewed.get(&entry.path).is_some_and(|blob| blob == self.blob(file).unwrap_or("gone"))
    }

    pub(crate) fn is_split(&self) -> bool {
        self.options.split
    }

    /// The files came. Gives the file back that was to be gone to and is not among them.
    pub(crate) fn listed(&mut self, listing: Arc<Listing>) -> Option<String> {
        self.counted = vec![None; listing.files.len()];
        self.tree = tree::rows(&listing.files);
        self.by_path = (0..listing.files.len()).collect();
        self.by_path.sort_by(|a, b| listing.files[*a].path.cmp(&listing.files[*b].path));
        self.listing = Some(listing);
        match self.file_at(&self.wanted.as_ref()?.file) {
            Some(at) => {
                self.file = at;
                if self.wanted_top {
                    self.wanted = None;
                }
                None
            }
            None => {
                self.wanted_top = false;
                self.wanted.take().map(|wanted| wanted.file)
            }
        }
    }

    /// Counts came.
    pub(crate) fn counted(&mut self, counted: Vec<Counted>, hash: Option<String>) {
        for one in counted {
            let at = one.file as usize;
            if let Some(place) = self.counted.get_mut(at) {
                *place = Some(one);
            }
        }
        self.hash = hash.or_else(|| self.hash.take());
    }

    pub(crate) fn take_notebook(&mut self, notebook: Arc<Notebook>) {
        self.notebook = notebook;
        self.notebook_version += 1;
    }

    /// Whether a part has to be handed over for colouring; true once.
    pub(crate) fn ask_part(&mut self, key: PartKey) -> bool {
        if self.parts.contains_key(&key) {
            return false;
        }
        if self.parts.len() >= PARTS {
            self.parts.clear();
        }
        self.parts.insert(key, None);
        true
    }

    /// A coloured part came; true when it is of this diff.
    pub(crate) fn part_came(&mut self, key: PartKey, lines: Option<Arc<Vec<Vec<Piece>>>>) -> bool {
        match (self.parts.get_mut(&key), lines) {
            (Some(place), Some(lines)) => *place = Some(lines),
            // Overtaken by newer wishes: asked for again when it is seen.
            (Some(_), None) => drop(self.parts.remove(&key)),
            (None, _) => return false,
        }
        true
    }

    /// The coloured pieces of a line, when they are there.
    pub(crate) fn pieces(&self, side: TextSide, line: u32) -> Option<&[Piece]> {
        let file = u32::try_from(self.file).ok()?;
        let key = PartKey { diff: self.id, file, side, part: line / paint::PART };
        let lines = self.parts.get(&key)?.as_ref()?;
        lines.get((line % paint::PART) as usize).map(Vec::as_slice)
    }

    /// Goes to a file; its own foldings come back.
    pub(crate) fn go_to_file(&mut self, file: usize) {
        let file = file.min(self.files().len().saturating_sub(1));
        if file == self.file {
            return;
        }
        let opened = std::mem::take(&mut self.options.opened);
        self.opened.insert(self.file, opened);
        self.options.opened = self.opened.remove(&file).unwrap_or_default();
        self.file = file;
        (self.cursor, self.top, self.left, self.anchor) = (0, 0, 0, None);
        self.laid_out = None;
        self.layout = Layout::default();
        if let Some(search) = &mut self.search {
            search.hits.clear();
            (search.current, search.waiting) = (0, None);
        }
    }

    /// Changes how the file is shown; the cursor stays on its line.
    pub(crate) fn with_options(&mut self, change: impl FnOnce(&mut Options)) {
        change(&mut self.options);
        self.anchor = None;
    }

    /// Opens the fold on this row, or a part of it.
    pub(crate) fn open_fold(&mut self, gap: usize, lines: u32) {
        let opened = self.options.opened.entry(gap).or_default();
        *opened = opened.saturating_add(lines);
    }
}
