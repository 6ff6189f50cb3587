//! Where the lines of a growing file begin, kept on disk beside it, so that a file of any size opens without being read.
//!
//! `x.jsonl` has `x.places`: 8 bytes, little endian, for each of the lines 64, 128, 192, … (a megabyte for eight million
//! lines). It is written after the lines that it tells of and never synced, so it may lack some at the end, or be
//! missing: a reader finds those by looking at the file itself. What it says is checked, not trusted.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::folder::open_private;

/// One place is kept for so many lines.
pub(super) const STRIDE: u64 = 64;

/// Places that are compared with the file before they are believed.
const SAMPLES: usize = 16;

/// Bytes of a place.
const SIZE: usize = 8;

/// The file beside `lines` that holds its places.
fn beside(lines: &Path) -> PathBuf {
    lines.with_extension("places")
}

/// Notes the places of one file that is appended to.
#[derive(Debug)]
pub(super) struct LineIndexWriter {
    path: PathBuf,
    file: Option<File>,
    /// Lines and bytes of the file.
    lines: u64,
    bytes: u64,
    fresh: Vec<u8>,
    over: bool,
}

impl LineIndexWriter {
    /// For the file `lines`, which holds so many lines and bytes so far; the first of its places are on disk already.
    pub(super) fn new(lines: &Path, held: u64, bytes: u64) -> Self {
        Self { path: beside(lines), file: None, lines: held, bytes, fresh: Vec::new(), over: false }
    }

    /// Whole lines were appended to the file. A place that cannot be kept is told to nobody: a reader does without.
    pub(super) fn appended(&mut self, bytes: &[u8]) {
        for at in memchr::memchr_iter(b'\n', bytes) {
            self.lines += 1;
            if self.lines.is_multiple_of(STRIDE) {
                self.fresh.extend_from_slice(&(self.bytes + at as u64 + 1).to_le_bytes());
            }
        }
        self.bytes += bytes.len() as u64;
        if self.fresh.is_empty() || self.over {
            return self.fresh.clear();
        }
        if let Err(error) = self.write() {
            self.over = true;
            tracing::info!(path = %self.path.display(), %error, "the places of a file's lines cannot be kept");
        }
        self.fresh.clear();
    }

    /// Lines of the file.
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    fn write(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let no_link = nix::libc::O_NOFOLLOW;
                let mut options = OpenOptions::new();
                options.write(true).append(true).create(true).mode(0o600).custom_flags(no_link);
                let file = options.open(&self.path)?;
                // Whatever lies beyond the places that were written before is not ours: half a place, or too much.
                let before = (self.lines / STRIDE) * SIZE as u64 - self.fresh.len() as u64;
                if file.metadata()?.len() < before {
                    return Err(io::Error::other("places before these are missing"));
                }
                file.set_len(before)?;
                self.file.insert(file)
            }
        };
        file.write_all(&self.fresh)
    }
}

/// The places on disk of the file `lines` that follow on `known` (which begins with the place of line 0), as far as they
/// agree with the file.
pub(super) fn read(lines: &Path, file: &File, known: &[u64]) -> Vec<u64> {
    read_checked(&beside(lines), file, known).unwrap_or_default()
}

fn read_checked(path: &Path, file: &File, known: &[u64]) -> io::Result<Vec<u64>> {
    let places = open_private(path)?;
    let count = usize::try_from(places.metadata()?.len()).unwrap_or(0) / SIZE;
    let skip = known.len().saturating_sub(1);
    let mut bytes = vec![0; count.saturating_sub(skip) * SIZE];
    places.read_exact_at(&mut bytes, (skip * SIZE) as u64)?;
    let (chunks, _) = bytes.as_chunks::<SIZE>();
    let length = file.metadata()?.len();
    let mut last = known.last().copied().unwrap_or_default();
    let rising = |place: &u64| *place <= length && std::mem::replace(&mut last, *place) < *place;
    let found: Vec<u64> = chunks.iter().copied().map(u64::from_le_bytes).take_while(rising).collect();
    let step = found.len().div_ceil(SAMPLES).max(1);
    for place in found.iter().rev().step_by(step) {
        let mut before = [0];
        file.read_exact_at(&mut before, place - 1)?;
        if before != *b"\n" {
            return Ok(Vec::new());
        }
    }
    Ok(found)
}
