//! Searching what is held, a bounded step at a time, so that no keystroke waits for megabytes.
//!
//! Each chunk remembers its matches for the search they belong to; new lines make their chunk forget. A *seek* walks
//! from a place in one direction, searching chunks as it comes to them, until it finds a match, wrapping once. What no
//! seek has needed is searched afterwards, for the count.

use super::layout::Layout;
use super::pattern::Pattern;
use super::store::{CHUNK, Chunk, Store};

/// Bytes of lines searched in one step.
const STEP: usize = 128 * 1024;

/// One match: the line, and which of its matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Match {
    pub(super) line: u64,
    pub(super) nth: u32,
}

/// What can be said about a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SearchStatus {
    /// What is looked for.
    pub(crate) query: String,
    /// Whether it is still being typed.
    pub(crate) editing: bool,
    /// Which match is the current one, from 1.
    pub(crate) current: Option<u64>,
    /// Matches in the lines that are held.
    pub(crate) matches: u64,
    /// Whether all lines that are held were searched.
    pub(crate) complete: bool,
    /// Whether all lines of the run are held, so that `matches` is the whole truth.
    pub(crate) everything: bool,
    /// Whether the last step went past the end, or the start.
    pub(crate) wrapped: bool,
}

#[derive(Clone, Copy, Debug)]
struct Seek {
    forward: bool,
    /// Matches beyond this place are wanted.
    from: Place,
    chunk: u64,
    wrapped: bool,
}

/// Before the first match of a line, at a match, or behind the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Before everything in this line.
    Before(u64),
    /// At this match.
    At(Match),
    /// Behind everything in this line.
    Behind(u64),
}

impl Place {
    fn line(self) -> u64 {
        match self {
            Place::Before(line) | Place::Behind(line) => line,
            Place::At(at) => at.line,
        }
    }
}

/// One search.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) query: String,
    pub(super) editing: bool,
    pub(super) current: Option<Match>,
    pattern: Option<Pattern>,
    generation: u64,
    seek: Option<Seek>,
    wrapped: bool,
}

impl Search {
    /// A search for nothing yet. `generation` tells its matches from those of others.
    pub(super) fn new(generation: u64) -> Self {
        Self {
            query: String::new(),
            editing: true,
            current: None,
            pattern: None,
            generation,
            seek: None,
            wrapped: false,
        }
    }

    /// Looks for another text.
    pub(super) fn set(&mut self, query: &str, generation: u64) {
        query.clone_into(&mut self.query);
        self.pattern = Pattern::new(query);
        self.generation = generation;
        (self.current, self.seek, self.wrapped) = (None, None, false);
    }

    /// Starts looking for the next match from a place.
    pub(super) fn seek(&mut self, from: Place, forward: bool) {
        if self.pattern.is_some() {
            self.wrapped = false;
            self.seek = Some(Seek { forward, from, chunk: from.line() / CHUNK, wrapped: false });
        }
    }

    /// Whoever moves meanwhile stays where he went: what is still being looked for is not gone to any more.
    pub(super) fn stay(&mut self) {
        self.seek = None;
    }

    /// What is looked for, if anything.
    pub(super) fn pattern(&self) -> Option<&Pattern> {
        self.pattern.as_ref()
    }

    /// Searches a bounded piece; says whether the current match is another one now.
    pub(super) fn step(&mut self, store: &mut Store, layout: &Layout) -> bool {
        let Some(pattern) = &self.pattern else { return false };
        let mut scan = Scan { pattern, layout, generation: self.generation, left: STEP };
        if let Some(seek) = &mut self.seek {
            match scan.seek(seek, store) {
                Found::NotYet => return false,
                Found::Nowhere => self.seek = None,
                Found::Match(found) => {
                    self.wrapped = seek.wrapped;
                    self.seek = None;
                    self.current = Some(found);
                    return true;
                }
            }
        }
        let open: Vec<u64> = store
            .chunks()
            .rev()
            .filter(|(_, chunk)| chunk.searched != self.generation)
            .map(|(key, _)| key)
            .collect();
        for key in open {
            if scan.left == 0 {
                break;
            }
            scan.chunk(key, store);
        }
        false
    }

    /// Whether a further [`Search::step`] has something to do.
    pub(super) fn is_busy(&self, store: &Store) -> bool {
        self.pattern.is_some()
            && (self.seek.is_some() || store.chunks().any(|(_, chunk)| chunk.searched != self.generation))
    }

    /// What can be said now.
    pub(super) fn status(&self, store: &Store) -> SearchStatus {
        let (mut matches, mut before, mut held) = (0, 0, 0);
        for (key, chunk) in store.chunks() {
            held += chunk.lines().count() as u64;
            for hit in self.hits(key, chunk) {
                matches += u64::from(hit.count);
                before += match self.current {
                    Some(current) if hit.line < current.line => u64::from(hit.count),
                    Some(current) if hit.line == current.line => u64::from(current.nth.min(hit.count)),
                    _ => 0,
                };
            }
        }
        SearchStatus {
            query: self.query.clone(),
            editing: self.editing,
            current: self.current.map(|_| before + 1),
            matches,
            complete: !self.is_busy(store),
            everything: held == store.total(),
            wrapped: self.wrapped,
        }
    }

    fn hits<'a>(&self, key: u64, chunk: &'a Chunk) -> impl Iterator<Item = Hit> + use<'a> {
        let valid = chunk.searched == self.generation;
        chunk.hits.iter().filter(move |_| valid).map(move |hit| Hit::of(key, *hit))
    }
}

/// A line with matches.
#[derive(Clone, Copy, Debug)]
struct Hit {
    line: u64,
    count: u32,
}

impl Hit {
    fn of(key: u64, (place, count): (u8, u32)) -> Self {
        Hit { line: key * CHUNK + u64::from(place), count }
    }
}

enum Found {
    Match(Match),
    Nowhere,
    NotYet,
}

/// One step's work.
struct Scan<'a> {
    pattern: &'a Pattern,
    layout: &'a Layout,
    generation: u64,
    left: usize,
}

impl Scan<'_> {
    fn seek(&mut self, seek: &mut Seek, store: &mut Store) -> Found {
        let start = seek.from.line() / CHUNK;
        loop {
            let Some(key) = store.nearest(seek.chunk, seek.forward) else {
                if std::mem::replace(&mut seek.wrapped, true) {
                    return Found::Nowhere;
                }
                seek.chunk = if seek.forward { 0 } else { u64::MAX };
                continue;
            };
            if seek.wrapped && (if seek.forward { key > start } else { key < start }) {
                return Found::Nowhere;
            }
            if store.chunk(key).is_some_and(|chunk| chunk.searched != self.generation) {
                if self.left == 0 {
                    return Found::NotYet;
                }
                self.chunk(key, store);
            }
            let hits = store.chunk(key).map_or(&[][..], |chunk| &chunk.hits);
            let mut hits = hits.iter().map(|hit| Hit::of(key, *hit));
            let found = if seek.forward {
                hits.find_map(|hit| after(hit, seek))
            } else {
                hits.rev().find_map(|hit| before(hit, seek))
            };
            if let Some(found) = found {
                return Found::Match(found);
            }
            match if seek.forward { key.checked_add(1) } else { key.checked_sub(1) } {
                Some(next) => seek.chunk = next,
                // The start was reached going back: on from the end, once.
                None if std::mem::replace(&mut seek.wrapped, true) => return Found::Nowhere,
                None => seek.chunk = u64::MAX,
            }
        }
    }

    fn chunk(&mut self, key: u64, store: &mut Store) {
        let Some(chunk) = store.chunk(key) else { return };
        self.left = self.left.saturating_sub(chunk.bytes().max(1));
        let hits = chunk
            .lines()
            .filter_map(|(place, line)| {
                // A plain line is shown as it is, or with less: what is not in it will not be on screen either, unless
                // it is looked for in the mark of a redaction, which nobody needs to find.
                if line.plain && self.pattern.count(&line.text) == 0 {
                    return None;
                }
                let count = self.pattern.count(&self.layout.searched(line));
                (count > 0).then_some((place, count))
            })
            .collect();
        if let Some(chunk) = store.chunk_mut(key) {
            chunk.hits = hits;
            chunk.searched = self.generation;
        }
    }
}

/// The first match of a line beyond the place, going forward. After wrapping every match counts.
fn after(hit: Hit, seek: &Seek) -> Option<Match> {
    let first = Match { line: hit.line, nth: 0 };
    match seek.from {
        _ if seek.wrapped => Some(first),
        Place::Before(line) => (hit.line >= line).then_some(first),
        Place::Behind(line) => (hit.line > line).then_some(first),
        Place::At(at) if hit.line == at.line => {
            let next = Match { nth: at.nth + 1, ..at };
            (next.nth < hit.count).then_some(next)
        }
        Place::At(at) => (hit.line > at.line).then_some(first),
    }
}

/// The last match of a line beyond the place, going back. After wrapping every match counts.
fn before(hit: Hit, seek: &Seek) -> Option<Match> {
    let last = Match { line: hit.line, nth: hit.count.saturating_sub(1) };
    match seek.from {
        _ if seek.wrapped => Some(last),
        Place::Before(line) => (hit.line < line).then_some(last),
        Place::Behind(line) => (hit.line <= line).then_some(last),
        Place::At(at) if hit.line == at.line => {
            Some(Match { nth: at.nth.min(hit.count).checked_sub(1)?, ..at })
        }
        Place::At(at) => (hit.line < at.line).then_some(last),
    }
}
