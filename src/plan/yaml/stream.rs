//! A large sprint file straight to the JSON text of its records: read, parsed and written block by block by a few
//! threads, with neither the file nor its tickets in memory. For a process that lists and ends.
//!
//! It takes files in planfile's own layout in which every ticket's `id` is its key and stands once. Anything else is "not mine",
//! and the caller loads the file as a whole: no answer here ever means an error. Invariant: what it does take is
//! what [`SprintDoc`](super::SprintDoc) reads and writes for the same bytes; the tests compare the two.
//!
//! Why a block can be read alone is said in `layout`: a line at the depth of a ticket key begins a ticket, or what is
//! before it does not parse alone.

use std::fs::File;
use std::num::NonZero;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use memchr::memchr;

use super::json::write_value;
use super::layout::{self, Layout};
use super::load;
use super::read;
use super::scalar::Scalar;
use super::tape::Tape;
use super::value::scalar;
use crate::plan::ticket::Ticket;

/// Bytes of a block: the tickets that begin in it are read together.
const BLOCK: u64 = 1 << 20;

/// Most threads, as in `parallel`.
const MOST: usize = 4;

/// Longest text after the tickets, and largest file (offsets in a tape are 32 bits wide, a block may be all of it).
const MAX_FOOTER: usize = 64 << 10;
const MAX_FILE: u64 = 1 << 30;

/// Which tickets are wanted.
pub type Keep<'k> = &'k (dyn Fn(&Ticket) -> bool + Sync);

/// The records of the tickets of the open sprint file `stem` of `size` bytes, in file order, as JSON objects with
/// commas between them, in pieces that a comma joins. `None` when the file is not surely mine; whether it changed
/// meanwhile is the caller's question.
pub fn records(file: &File, size: u64, stem: &str, keep: Option<Keep<'_>>) -> Option<Vec<String>> {
    by_blocks(Source { file, size, block: BLOCK, stem, keep })
}

fn by_blocks(source: Source<'_>) -> Option<Vec<String>> {
    if source.size == 0 || source.size > MAX_FILE {
        return None;
    }
    let blocks = source.size.div_ceil(source.block);
    let next = AtomicU64::new(0);
    let work = || {
        let mut worker = Worker { source: &source, buffer: Vec::new(), base: 0 };
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= blocks {
                return Some(done);
            }
            let block = worker.block(number, number + 1 == blocks);
            if block.is_none() {
                next.store(blocks, Ordering::Relaxed);
            }
            done.push((number, block?));
        }
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MOST).min(blocks as usize);
    let mut done = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut done = work()?;
        for other in others {
            done.append(&mut other.join().ok()??);
        }
        Some(done)
    })?;
    done.sort_unstable_by_key(|(number, _)| *number);
    join(done.into_iter().map(|(_, block)| block).collect())
}

/// Puts the blocks together, when head and foot make a sprint and no key stands twice.
fn join(mut blocks: Vec<Block>) -> Option<Vec<String>> {
    let head = std::mem::take(&mut blocks.first_mut()?.head);
    let foot = std::mem::take(&mut blocks.last_mut()?.foot);
    let tickets = head.rfind("tickets:")?;
    let at = head.len();
    let layout = Layout { tickets, indent: INDENT, start: at, starts: Vec::new(), end: at };
    load::skeleton(&(head + &foot), 0, &layout)?;
    let mut keys: Vec<u64> = blocks.iter().flat_map(|block| &block.keys).copied().collect();
    keys.sort_unstable();
    let twice = keys.windows(2).any(|pair| pair[0] == pair[1]);
    (!twice).then(|| {
        let records = blocks.into_iter().map(|block| block.records);
        records.filter(|records| !records.is_empty()).collect()
    })
}

/// Spaces before a ticket key in planfile's layout.
const INDENT: usize = 4;

struct Source<'s> {
    file: &'s File,
    size: u64,
    block: u64,
    stem: &'s str,
    keep: Option<Keep<'s>>,
}

/// What one block says.
#[derive(Default)]
struct Block {
    /// First block: what stands before the tickets.
    head: String,
    /// Last block: what stands after them.
    foot: String,
    /// Hashes of the keys.
    keys: Vec<u64>,
    records: String,
}

/// What a line is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Body,
    Ticket,
    Outside,
}

struct Worker<'s> {
    source: &'s Source<'s>,
    /// Bytes of the file from `base` on.
    buffer: Vec<u8>,
    base: u64,
}

impl Worker<'_> {
    /// The tickets that begin in a block.
    fn block(&mut self, number: u64, last: bool) -> Option<Block> {
        let begin = number * self.source.block;
        let end = (begin + self.source.block).min(self.source.size);
        self.buffer.clear();
        // The byte before tells whether the block begins with a line.
        self.base = begin.saturating_sub(1);
        self.read_to(end)?;
        let mut block = Block::default();
        let mut at = if number == 0 {
            let head = head_len(&self.buffer)?;
            block.head = text(&self.buffer[..head])?.to_owned();
            Some(head)
        } else {
            memchr(b'\n', &self.buffer).map(|newline| newline + 1)
        };
        if number == 0 && self.line(at?)?.1 != Line::Ticket {
            return None;
        }
        let limit = (end - self.base) as usize;
        let mut starts = Vec::new();
        // Where the last ticket of the block ends, as far as known.
        let mut stop = None;
        while let Some(line) = at.filter(|line| self.base + (*line as u64) < self.source.size) {
            if line >= limit && starts.is_empty() {
                break;
            }
            let (next, kind) = self.line(line)?;
            if kind != Line::Body {
                stop = Some(line);
                if line >= limit || kind == Line::Outside {
                    break;
                }
                starts.push(line);
                stop = None;
            }
            at = Some(next);
        }
        let stop = stop.unwrap_or(self.buffer.len());
        if stop < limit && !starts.is_empty() || starts.is_empty() && at.is_some_and(|at| at < limit) {
            // The tickets end in this block: it must be the last, and the rest is the foot.
            let foot = &self.buffer[stop..];
            if !last || foot.len() > MAX_FOOTER {
                return None;
            }
            block.foot = text(foot)?.to_owned();
        }
        let Some(&first) = starts.first() else { return Some(block) };
        starts.push(stop);
        self.tickets(first, &starts, &mut block)?;
        Some(block)
    }

    /// The end and the kind of the line at `at`; reads on where the block ends inside of it.
    fn line(&mut self, at: usize) -> Option<(usize, Line)> {
        let end = loop {
            match memchr(b'\n', self.buffer.get(at..)?) {
                Some(newline) => break at + newline + 1,
                None => {
                    let known = self.base + self.buffer.len() as u64;
                    if known >= self.source.size {
                        break self.buffer.len();
                    }
                    self.read_to((known + (64 << 10)).min(self.source.size))?;
                }
            }
        };
        let line = &self.buffer[at..end];
        let kind = match line {
            [b' ', b' ', b' ', b' ', b' ', ..] | [b'\n'] => Line::Body,
            [b' ', b' ', b' ', b' ', b'#' | b'\n' | b'\r' | b'\t', ..] => return None,
            [b' ', b' ', b' ', b' ', _, ..] => Line::Ticket,
            _ if line.trim_ascii_start().first().is_none_or(|byte| *byte == b'#') => return None,
            _ => Line::Outside,
        };
        Some((end, kind))
    }

    fn read_to(&mut self, end: u64) -> Option<()> {
        let have = self.buffer.len();
        self.buffer.resize((end - self.base) as usize, 0);
        self.source.file.read_exact_at(&mut self.buffer[have..], self.base + have as u64).ok()
    }

    /// The records of the tickets between `starts`, of which the first is at `first`.
    fn tickets(&self, first: usize, starts: &[usize], block: &mut Block) -> Option<()> {
        let text = text(&self.buffer[first..*starts.last()?])?;
        let mut tape = Tape::default();
        let mut out = Vec::with_capacity(text.len());
        for pair in starts.windows(2) {
            let span = pair[0] - first..pair[1] - first;
            let (key, value) = load::parse_chunk(text, &span, INDENT, &mut tape)?;
            let id = own_id(&tape, key, value)?;
            block.keys.push(xxhash_rust::xxh3::xxh3_64(id.as_bytes()));
            let Source { stem, keep, .. } = self.source;
            if keep.is_some_and(|keep| !keep(&read::ticket(&tape, key, value, stem))) {
                continue;
            }
            if !out.is_empty() {
                out.push(b',');
            }
            write_value(&tape, value, &mut out);
        }
        block.records = String::from_utf8(out).ok()?;
        Some(())
    }
}

/// The key of a ticket whose record is a mapping that names it as its `id`, once.
fn own_id<'t>(tape: &'t Tape<'_>, key: usize, value: usize) -> Option<&'t str> {
    if !tape.nodes[value].kind.is_map() {
        return None;
    }
    let mut ids = tape.pairs(value).filter(|(key, _)| tape.nodes[*key].text == "id");
    let (_, id) = ids.next().filter(|_| ids.next().is_none())?;
    match (scalar(tape, key)?, scalar(tape, id)?) {
        (Scalar::Str(key), Scalar::Str(id)) if key == id && !id.is_empty() => Some(key),
        _ => None,
    }
}

/// Bytes up to the line after `  tickets:`.
fn head_len(bytes: &[u8]) -> Option<usize> {
    let line = b"\n  tickets:\n";
    memchr::memmem::find(bytes, line).map(|at| at + line.len())
}

/// A part of the file as text, if it may stand in a sprint file that is read by lines.
fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let fine = super::fault::check_characters(text).is_ok() && !layout::other_line_ends(bytes);
    (fine && !text.starts_with('\u{feff}')).then_some(text)
}

#[cfg(test)]
pub(super) mod tests;
