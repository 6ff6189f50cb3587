//! Filling a new version of a file, from memory and from ranges of an open file.
//!
//! The disk is told to begin while we still write, so that the sync at the end of a large file waits for little. The
//! bytes belong to the caller; nothing is kept between two calls but how far the file is.

use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;

use crate::base::sys;

/// Bytes after which the disk is told to begin.
const STRETCH: u64 = 2 << 20;

/// Bytes copied at once: few enough to stay in the processor's cache between reading and writing.
const COPIED: usize = 256 << 10;

/// A part of a new version.
#[derive(Clone, Debug)]
pub enum Part<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// These bytes of an open file; a file that is shorter is an error.
    Range {
        /// Where they are read.
        file: &'a File,
        /// Their offsets.
        bytes: Range<u64>,
    },
}

/// A file that is being filled.
pub(super) struct Sink<'f> {
    file: &'f File,
    written: u64,
    started: u64,
    buffer: Vec<u8>,
}

impl<'f> Sink<'f> {
    /// Fills the empty `file`.
    pub(super) fn new(file: &'f File) -> Self {
        Sink { file, written: 0, started: 0, buffer: Vec::new() }
    }

    /// Appends a part.
    pub(super) fn part(&mut self, part: &Part<'_>) -> io::Result<()> {
        match part {
            Part::Bytes(bytes) => self.bytes(bytes),
            Part::Range { file, bytes } => self.copied(file, bytes.clone()),
        }
    }

    /// Appends bytes.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        for piece in bytes.chunks(STRETCH as usize) {
            self.write(piece)?;
        }
        Ok(())
    }

    fn copied(&mut self, from: &File, bytes: Range<u64>) -> io::Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(COPIED, 0);
        let mut at = bytes.start;
        while at < bytes.end {
            let len = (bytes.end - at).min(COPIED as u64);
            let piece = &mut buffer[..len as usize];
            from.read_exact_at(piece, at)?;
            self.write(piece)?;
            at += len;
        }
        self.buffer = buffer;
        Ok(())
    }

    fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.file.write_all(piece)?;
        self.written += piece.len() as u64;
        // Whole stretches only: a page that is still being written to would go to the disk twice.
        let ready = self.written / STRETCH * STRETCH;
        if ready > self.started {
            sys::start_writeback(self.file, self.started..ready);
            self.started = ready;
        }
        Ok(())
    }
}
