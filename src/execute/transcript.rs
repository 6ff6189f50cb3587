//! The transcript of one run on disk: append-only JSON lines, written as output arrives, read by windows.
//!
//! Line 0 of the file is a header with the format version; line n + 1 is output line n:
//! `{"t": <ms since start>, "c": "<channel>", "b": <block, if any>, "s": "<text>"}`. JSON escapes line feeds, so one record is always one
//! line of the file, and an index of line ends is an index of records; it is kept beside the file as it grows
//! ([`places`](super::places)), so that a transcript of any size opens at once. A reader ignores a torn last line, and
//! shows a record that does not parse as a note so that numbers stay what they were.

mod row;

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use self::row::Rows;
use super::folder::FORMAT;
use super::line_index::LineIndexWriter;
use super::output::{Channel, OutputLine};
use super::windows::LineWindows;

/// Bytes that one transcript may have (1 GiB); output beyond is not kept, and the run says so.
pub const TRANSCRIPT_LIMIT: u64 = 1024 * 1024 * 1024;

/// Memory that is kept for the next append.
const CHUNK: usize = 256 * 1024;

#[derive(Serialize, Deserialize)]
struct Header<'a> {
    format: u32,
    run: &'a str,
}

/// Read with the decoder, written by [`row`].
#[derive(Deserialize)]
#[cfg_attr(test, derive(Serialize))]
struct Row<'a> {
    t: u64,
    c: Channel,
    #[serde(default)]
    #[cfg_attr(test, serde(skip_serializing_if = "alone"))]
    b: u32,
    #[serde(borrow)]
    s: std::borrow::Cow<'a, str>,
}

#[cfg(test)]
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn alone(block: &u32) -> bool {
    *block == 0
}

/// Appends to one transcript. The file is made with the first line, so a silent run leaves none.
#[derive(Debug)]
pub struct TranscriptWriter {
    path: PathBuf,
    run: String,
    file: Option<File>,
    places: LineIndexWriter,
    bytes: u64,
    rows: Rows,
    buffer: Vec<u8>,
}

impl TranscriptWriter {
    /// A writer for the file at `path`.
    pub fn new(path: PathBuf, run: &str) -> Self {
        let places = LineIndexWriter::new(&path, 0, 0);
        Self {
            path,
            run: run.to_owned(),
            file: None,
            places,
            bytes: 0,
            rows: Rows::default(),
            buffer: Vec::new(),
        }
    }

    /// Whether the limit is reached; nothing more is appended then.
    pub fn is_full(&self) -> bool {
        self.bytes >= TRANSCRIPT_LIMIT
    }

    /// Appends lines in one write.
    ///
    /// # Errors
    /// Any I/O error; the caller must not append any more then.
    pub fn append(&mut self, lines: &[OutputLine]) -> io::Result<()> {
        self.buffer.clear();
        if self.file.is_none() {
            serde_json::to_writer(&mut self.buffer, &Header { format: FORMAT, run: &self.run })?;
            self.buffer.push(b'\n');
            let new = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&self.path)?;
            self.file = Some(new);
        }
        for line in lines {
            self.rows.append(line, &mut self.buffer)?;
        }
        if let Some(file) = &mut self.file {
            file.write_all(&self.buffer)?;
        }
        self.places.appended(&self.buffer);
        self.bytes += self.buffer.len() as u64;
        self.buffer.shrink_to(CHUNK);
        Ok(())
    }
}

/// Reads windows of one transcript, also while it grows.
#[derive(Debug)]
pub struct TranscriptReader {
    lines: LineWindows,
}

impl TranscriptReader {
    /// A reader of the file at `path`, which need not be there yet.
    pub fn new(path: &Path) -> Self {
        Self { lines: LineWindows::new(path) }
    }

    /// At most `count` lines from line `from` on, and the number of lines there are, as far as is known. `None` when the
    /// lines were not come to yet: every call looks at a further piece of a file whose places are not on disk.
    ///
    /// # Errors
    /// Any I/O error but a missing file, which has no lines.
    pub fn try_read(&mut self, from: u64, count: u32) -> io::Result<Option<(Vec<OutputLine>, u64)>> {
        let mut lines = Vec::new();
        // Line 0 of the file is the header.
        let from = from.saturating_add(1);
        let total = self.lines.try_read(from, count, |bytes| lines.push(parse(bytes)))?;
        Ok(total.map(|total| (lines, total.saturating_sub(1))))
    }

    /// How many lines there are, to the file's end.
    ///
    /// # Errors
    /// Any I/O error but a missing file, which has no lines.
    pub fn count(&mut self) -> io::Result<u64> {
        Ok(self.lines.count()?.saturating_sub(1))
    }
}

fn parse(bytes: &[u8]) -> OutputLine {
    match serde_json::from_slice::<Row<'_>>(bytes) {
        Ok(row) => OutputLine { at_ms: row.t, channel: row.c, text: row.s.into(), block: row.b },
        Err(_) => OutputLine::new(0, Channel::Note, "[unreadable line]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(n: u64) -> OutputLine {
        let channel = if n.is_multiple_of(3) { Channel::Err } else { Channel::Out };
        OutputLine::new(n, channel, format!("line {n} \"é\"\u{1b}[31m\n"))
    }

    #[test]
    fn windows_of_a_growing_transcript() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("transcript.jsonl");
        let mut reader = TranscriptReader::new(&path);
        assert_eq!(reader.try_read(0, 10).unwrap(), Some((vec![], 0)));

        let mut writer = TranscriptWriter::new(path.clone(), "r");
        let lines: Vec<OutputLine> = (0..10_000).map(line).collect();
        for part in lines.chunks(77) {
            writer.append(part).unwrap();
        }
        for (from, count) in [(0, 1), (0, 200), (62, 4), (63, 1), (64, 1), (9_990, 10), (127, 5_000)] {
            let want = &lines[from..(from + count).min(10_000)];
            let (got, total) = reader.try_read(from as u64, u32::try_from(count).unwrap()).unwrap().unwrap();
            assert_eq!((&got[..], total), (want, 10_000), "{from} {count}");
        }
        assert_eq!(reader.try_read(9_999, 50).unwrap(), Some((vec![line(9_999)], 10_000)));
        assert_eq!(reader.try_read(10_000, 50).unwrap(), Some((vec![], 10_000)));
        writer.append(&[line(10_000)]).unwrap();
        assert_eq!(reader.try_read(10_000, 50).unwrap(), Some((vec![line(10_000)], 10_001)));
        assert!(reader.lines.places() < 200);
    }

    /// A transcript of at least so many bytes, and its number of lines.
    fn long(path: &Path, bytes: u64) -> u64 {
        let mut writer = TranscriptWriter::new(path.to_owned(), "r");
        let mut count = 0;
        while writer.bytes < bytes {
            let lines: Vec<OutputLine> = (count..count + 1_000).map(line).collect();
            writer.append(&lines).unwrap();
            count += 1_000;
        }
        count
    }

    #[test]
    fn a_long_transcript_opens_at_its_end_without_being_read() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("transcript.jsonl");
        let count = long(&path, 64 << 20);
        let mut reader = TranscriptReader::new(&path);
        let (got, total) = reader.try_read(count - 100, 200).unwrap().unwrap();
        assert_eq!((got, total), ((count - 100..count).map(line).collect(), count));
        let (got, _) = reader.try_read(count / 2, 1).unwrap().unwrap();
        assert_eq!(got, [line(count / 2)]);
        assert!(reader.lines.bytes_read < 1 << 20, "{} bytes were read", reader.lines.bytes_read);
        assert_eq!(reader.lines.places() as u64, (count + 1) / 64 + 1);
    }

    #[test]
    fn without_its_places_it_is_looked_at_in_slices_and_its_beginning_is_there_at_once() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("transcript.jsonl");
        let count = long(&path, 40 << 20);
        // Places that lie are not believed.
        let places = path.with_extension("places");
        let lies: Vec<u8> = (1..1_000_u64).flat_map(|n| (n * 40).to_le_bytes()).collect();
        std::fs::write(&places, lies).unwrap();
        let mut reader = TranscriptReader::new(&path);
        let (got, _) = reader.try_read(5, 2).unwrap().unwrap();
        assert_eq!(got, [line(5), line(6)]);
        let slice = reader.lines.bytes_read;
        assert!(slice < 18 << 20, "{slice} bytes were read at once");
        assert_eq!(reader.try_read(count - 1, 9).unwrap(), None, "not come to yet");
        assert_eq!(reader.try_read(count - 1, 9).unwrap(), Some((vec![line(count - 1)], count)));
    }

    #[test]
    fn what_the_places_lack_is_found_in_the_file() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("transcript.jsonl");
        let count = long(&path, 4 << 20);
        let places = path.with_extension("places");
        let all = std::fs::read(&places).unwrap();
        // Cut in the middle of a place, half way.
        std::fs::write(&places, &all[..all.len() / 16 * 8 + 3]).unwrap();
        let mut reader = TranscriptReader::new(&path);
        assert_eq!(reader.count().unwrap(), count);
        assert_eq!(reader.try_read(count - 1, 9).unwrap(), Some((vec![line(count - 1)], count)));
    }

    #[test]
    fn a_torn_last_line_is_not_there_and_a_broken_one_keeps_its_number() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("transcript.jsonl");
        let mut writer = TranscriptWriter::new(path.clone(), "r");
        writer.append(&[line(0)]).unwrap();
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"\xff\xfe{]\n{\"t\":1,\"c\":\"o").unwrap();
        let broken = OutputLine::new(0, Channel::Note, "[unreadable line]");
        assert_eq!(TranscriptReader::new(&path).try_read(0, 9).unwrap(), Some((vec![line(0), broken], 2)));
    }

    #[test]
    fn a_link_in_place_of_a_transcript_is_not_followed() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("transcript.jsonl");
        std::fs::write(base.path().join("secret"), "x\ny\n").unwrap();
        std::os::unix::fs::symlink(base.path().join("secret"), &path).unwrap();
        assert!(TranscriptReader::new(&path).try_read(0, 9).is_err());
        assert!(TranscriptWriter::new(path, "r").append(&[line(0)]).is_err());
    }
}
