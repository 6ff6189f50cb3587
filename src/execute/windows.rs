//! Windows of lines out of a file that may be huge and may still grow.
//!
//! An index holds the place of every 64th line (8 bytes for 64 lines of text) and grows with the file; the text itself
//! is read when it is asked for. A last line without its end is not a line yet.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::folder::open_private;

/// One place is kept for so many lines.
const STRIDE: u64 = 64;

/// Most bytes that one read returns; asking for more lines than fit gives fewer, but always at least one.
const READ_LIMIT: usize = 4 * 1024 * 1024;

/// Bytes read at once.
const CHUNK: usize = 256 * 1024;

/// The index of one file.
#[derive(Debug)]
pub(super) struct LineWindows {
    path: PathBuf,
    /// Place of the lines 0, 64, 128, …
    places: Vec<u64>,
    /// Lines that are ended.
    ended: u64,
    /// Bytes looked at.
    scanned: u64,
}

impl LineWindows {
    /// An index of the file at `path`, which need not be there yet.
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), places: vec![0], ended: 0, scanned: 0 }
    }

    /// Hands at most `count` lines from line `from` on to `take`, without their ends; returns how many lines there are.
    ///
    /// # Errors
    /// Any I/O error but a missing file, which has no lines.
    pub(super) fn read(&mut self, from: u64, count: u32, take: impl FnMut(&[u8])) -> io::Result<u64> {
        let file = match open_private(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        self.index(&file)?;
        if from < self.ended {
            let until = self.ended.min(from.saturating_add(u64::from(count)));
            self.window(&file, from, until, take)?;
        }
        Ok(self.ended)
    }

    /// Places that the index holds: what it costs.
    #[cfg(test)]
    pub(super) fn places(&self) -> usize {
        self.places.len()
    }

    /// Looks at what was appended since the last call.
    fn index(&mut self, file: &File) -> io::Result<()> {
        let mut buffer = vec![0; CHUNK];
        loop {
            let read = file.read_at(&mut buffer, self.scanned)?;
            if read == 0 {
                return Ok(());
            }
            for at in memchr::memchr_iter(b'\n', &buffer[..read]) {
                self.ended += 1;
                if self.ended.is_multiple_of(STRIDE) {
                    self.places.push(self.scanned + at as u64 + 1);
                }
            }
            self.scanned += read as u64;
        }
    }

    /// Lines `from..until`, all of them ended.
    fn window(&self, file: &File, from: u64, until: u64, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        let slot = usize::try_from(from / STRIDE).unwrap_or(usize::MAX);
        let Some(&place) = self.places.get(slot) else { return Ok(()) };
        let mut number = from / STRIDE * STRIDE;
        let mut at = place;
        let mut text: Vec<u8> = Vec::new();
        let mut chunk = vec![0; CHUNK];
        let mut taken = 0;
        while number < until && taken < READ_LIMIT {
            let read = file.read_at(&mut chunk, at)?;
            if read == 0 {
                break;
            }
            at += read as u64;
            let mut rest = &chunk[..read];
            while let Some(end) = memchr::memchr(b'\n', rest) {
                if number >= from && number < until && taken < READ_LIMIT {
                    text.extend_from_slice(&rest[..end]);
                    taken += text.len();
                    take(&text);
                }
                text.clear();
                number += 1;
                rest = &rest[end + 1..];
            }
            text.extend_from_slice(rest);
        }
        Ok(())
    }
}
