//! Windows of lines out of a file that may be huge and may still grow.
//!
//! An index holds the place of every 64th line (8 bytes for 64 lines of text). It begins with what [`places`] has on disk
//! and grows by looking at the rest of the file, [`SLICE`] bytes a call, so that no call takes long whatever the file's
//! size; the text itself is read when it is asked for. A last line without its end is not a line yet.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::folder::open_private;
use super::line_index::{self, STRIDE};

/// Most bytes that one read returns; asking for more lines than fit gives fewer, but always at least one.
const READ_LIMIT: usize = 4 * 1024 * 1024;

/// Bytes read at once.
const CHUNK: usize = 256 * 1024;

/// Bytes looked at in one call: a few milliseconds.
const SLICE: u64 = 16 * 1024 * 1024;

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
    /// Bytes read from the file, for whatever reason.
    #[cfg(test)]
    pub(super) bytes_read: u64,
}

impl LineWindows {
    /// An index of the file at `path`, which need not be there yet.
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            places: vec![0],
            ended: 0,
            scanned: 0,
            #[cfg(test)]
            bytes_read: 0,
        }
    }

    /// Hands at most `count` lines from line `from` on to `take`, without their ends; returns how many lines there are,
    /// as far as is known. `None` when the lines were not come to yet: every call looks at a further piece of the file.
    ///
    /// # Errors
    /// Any I/O error but a missing file, which has no lines.
    pub(super) fn try_read(
        &mut self,
        from: u64,
        count: u32,
        take: impl FnMut(&[u8]),
    ) -> io::Result<Option<u64>> {
        let file = match open_private(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(0)),
            Err(error) => return Err(error),
        };
        let complete = self.look(&file)?;
        if from >= self.ended {
            return Ok(complete.then_some(self.ended));
        }
        let until = self.ended.min(from.saturating_add(u64::from(count)));
        self.window(&file, from, until, take)?;
        Ok(Some(self.ended))
    }

    /// How many lines there are, to the file's end.
    ///
    /// # Errors
    /// Any I/O error but a missing file, which has no lines.
    pub(super) fn count(&mut self) -> io::Result<u64> {
        loop {
            if let Some(total) = self.try_read(u64::MAX, 0, |_| ())? {
                return Ok(total);
            }
        }
    }

    /// Places that the index holds: what it costs.
    #[cfg(test)]
    pub(super) fn places(&self) -> usize {
        self.places.len()
    }

    /// Looks at a piece of what was appended since the last call; true when that was all.
    fn look(&mut self, file: &File) -> io::Result<bool> {
        let length = file.metadata()?.len();
        if length < self.scanned {
            // Another file stands there now.
            (self.places, self.ended, self.scanned) = (vec![0], 0, 0);
        }
        if length - self.scanned > CHUNK as u64 {
            self.places.extend(line_index::read(&self.path, file, &self.places));
            let last = self.places.last().copied().unwrap_or_default();
            if last > self.scanned {
                (self.scanned, self.ended) = (last, (self.places.len() as u64 - 1) * STRIDE);
            }
        }
        let stop = self.scanned + SLICE;
        let mut buffer = vec![0; CHUNK.min(usize::try_from(length - self.scanned).unwrap_or(CHUNK))];
        while self.scanned < stop && self.scanned < length {
            let read = self.read_at(file, &mut buffer, self.scanned)?;
            if read == 0 {
                break;
            }
            for at in memchr::memchr_iter(b'\n', &buffer[..read]) {
                self.ended += 1;
                if self.ended.is_multiple_of(STRIDE) {
                    self.places.push(self.scanned + at as u64 + 1);
                }
            }
            self.scanned += read as u64;
        }
        Ok(self.scanned >= length)
    }

    /// Lines `from..until`, all of them ended.
    fn window(&mut self, file: &File, from: u64, until: u64, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        let slot = usize::try_from(from / STRIDE).unwrap_or(usize::MAX);
        let Some(&place) = self.places.get(slot) else { return Ok(()) };
        let mut number = from / STRIDE * STRIDE;
        let mut at = place;
        let mut text: Vec<u8> = Vec::new();
        let mut chunk = vec![0; CHUNK];
        let mut taken = 0;
        while number < until && taken < READ_LIMIT {
            let read = self.read_at(file, &mut chunk, at)?;
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

    fn read_at(&mut self, file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let read = file.read_at(buffer, at)?;
        #[cfg(test)]
        {
            self.bytes_read += read as u64;
        }
        Ok(read)
    }
}
