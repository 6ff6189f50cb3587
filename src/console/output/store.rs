//! The lines that are held: chunks of the transcript, under a limit of bytes.
//!
//! Chunks may be missing anywhere. When the limit is passed, the chunk goes that is farthest from both what is on
//! screen and the tail, so that neither a frozen view nor following ever loses its lines to the other. What is on screen
//! is a list of chunks: with folds and a filter, lines far apart stand beside each other.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::base::text;
use crate::runtime::protocol::{Channel, OutputLine};

/// Lines of one chunk: the unit of dropping and of searching.
pub(super) const CHUNK: u64 = 64;
/// Bytes that a line costs besides its text.
const OVERHEAD: usize = 64;
/// Longest line held; the sanitiser would not show more of it either.
const LONGEST: usize = text::LINE_BYTES - 64;

/// One held line, foreign text.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) at_ms: u64,
    pub(super) channel: Channel,
    pub(super) block: u32,
    pub(super) text: Box<str>,
    /// Printable ASCII only: what is shown is the text itself.
    pub(super) plain: bool,
}

/// [`CHUNK`] lines, some of them perhaps missing.
#[derive(Debug)]
pub(super) struct Chunk {
    lines: Vec<Option<Line>>,
    bytes: usize,
    /// The search whose matches `hits` are; 0 for none.
    pub(super) searched: u64,
    /// Lines with matches, as (place in the chunk, number of matches), in order.
    pub(super) hits: Vec<(u8, u32)>,
}

impl Chunk {
    fn new() -> Self {
        let lines = (0..CHUNK).map(|_| None).collect();
        Self { lines, bytes: 0, searched: 0, hits: Vec::new() }
    }

    /// The held lines with their place in the chunk.
    pub(super) fn lines(&self) -> impl Iterator<Item = (u8, &Line)> {
        (0_u8..).zip(&self.lines).filter_map(|(place, line)| Some((place, line.as_ref()?)))
    }

    /// Bytes of its lines.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// What is held of one run's output.
#[derive(Debug)]
pub(super) struct Store {
    chunks: BTreeMap<u64, Chunk>,
    bytes: usize,
    limit: usize,
    total: u64,
}

impl Store {
    pub(super) fn new(limit: usize) -> Self {
        Self { chunks: BTreeMap::new(), bytes: 0, limit, total: 0 }
    }

    /// Lines that the run has printed, as far as we were told.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// The run has printed at least this many lines.
    pub(super) fn raise_total(&mut self, total: u64) {
        self.total = self.total.max(total);
    }

    /// Bytes held, with what the lines cost besides their text.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes lines. `seen` are the chunks on screen, in order, which stay.
    pub(super) fn insert(&mut self, first: u64, lines: &[OutputLine], seen: &[u64]) {
        let end = first.saturating_add(lines.len() as u64);
        self.raise_total(end);
        for (number, line) in (first..end).zip(lines) {
            let chunk = self.chunks.entry(number / CHUNK).or_insert_with(Chunk::new);
            let Some(slot @ None) = chunk.lines.get_mut(place(number)) else { continue };
            let line = keep(line);
            let cost = line.text.len() + OVERHEAD;
            *slot = Some(line);
            chunk.bytes += cost;
            chunk.searched = 0;
            self.bytes += cost;
            if self.bytes > self.limit {
                self.drop_far(seen);
            }
        }
    }

    /// The line with this number, if it is held.
    pub(super) fn line(&self, number: u64) -> Option<&Line> {
        self.chunks.get(&(number / CHUNK))?.lines.get(place(number))?.as_ref()
    }

    /// Lines of `range` that are not held, as the smallest range around them.
    pub(super) fn missing(&self, range: Range<u64>) -> Option<Range<u64>> {
        let mut missing = range.filter(|number| self.line(*number).is_none());
        let first = missing.next()?;
        Some(first..missing.next_back().unwrap_or(first) + 1)
    }

    /// The held chunks, in order.
    pub(super) fn chunks(&self) -> impl DoubleEndedIterator<Item = (u64, &Chunk)> {
        self.chunks.iter().map(|(key, chunk)| (*key, chunk))
    }

    pub(super) fn chunk(&self, key: u64) -> Option<&Chunk> {
        self.chunks.get(&key)
    }

    pub(super) fn chunk_mut(&mut self, key: u64) -> Option<&mut Chunk> {
        self.chunks.get_mut(&key)
    }

    /// The first held chunk at or after `key`, or the last one at or before it.
    pub(super) fn nearest(&self, key: u64, forward: bool) -> Option<u64> {
        if forward {
            self.chunks.range(key..).next().map(|(key, _)| *key)
        } else {
            self.chunks.range(..=key).next_back().map(|(key, _)| *key)
        }
    }

    fn drop_far(&mut self, seen: &[u64]) {
        let tail = self.total.saturating_sub(1) / CHUNK;
        let distance = |key: u64| {
            let at = seen.partition_point(|chunk| *chunk < key);
            let beside = [at.checked_sub(1), Some(at)].into_iter().flatten().filter_map(|at| seen.get(at));
            beside.map(|chunk| chunk.abs_diff(key)).min().unwrap_or(u64::MAX).min(tail.saturating_sub(key))
        };
        while self.bytes > self.limit {
            let farthest =
                self.chunks.keys().copied().max_by_key(|key| (distance(*key), std::cmp::Reverse(*key)));
            match farthest.filter(|key| distance(*key) > 0) {
                Some(key) => {
                    if let Some(chunk) = self.chunks.remove(&key) {
                        self.bytes -= chunk.bytes;
                    }
                }
                None => return,
            }
        }
    }
}

fn place(number: u64) -> usize {
    usize::try_from(number % CHUNK).unwrap_or(0)
}

fn keep(line: &OutputLine) -> Line {
    let text: Box<str> = if line.text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|end| line.text.is_char_boundary(*end)).unwrap_or(0);
        format!("{}… {} more bytes", &line.text[..end], line.text.len() - end).into()
    } else {
        line.text.clone()
    };
    let plain = text::is_plain(text.as_bytes());
    Line { at_ms: line.at_ms, channel: line.channel, block: line.block, text, plain }
}
