//! The stream as it came: `stream.jsonl` in the run's folder, with nothing changed but secrets taken out and bytes that
//! are no UTF-8 replaced. Evidence for when a parser misunderstood, so it is written before anything is parsed.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::split::Line;
use crate::execute::places::PlaceWriter;
use crate::execute::raw::RawReader;
use crate::execute::recorder::Recorder;
use crate::execute::transcript::TRANSCRIPT_LIMIT;

/// Its name in the run's folder.
pub(super) const NAME: &str = "stream.jsonl";

/// Bytes that it may have.
const LIMIT: u64 = TRANSCRIPT_LIMIT;

/// Room that stays reserved between two writes.
const BUFFER: usize = 128 * 1024;

/// Keeps the stream of one run. The file is made with the first line; a later session of the same run appends.
pub(super) struct RawStream {
    path: PathBuf,
    file: Option<(File, PlaceWriter)>,
    buffer: Vec<u8>,
    bytes: u64,
    over: bool,
}

impl RawStream {
    /// A file in `folder`.
    pub(super) fn new(folder: &Path) -> Self {
        Self { path: folder.join(NAME), file: None, buffer: Vec::new(), bytes: 0, over: false }
    }

    /// Takes one line; it is written with the next [`RawStream::flush`].
    pub(super) fn line(&mut self, line: &Line<'_>, recorder: &Recorder) {
        if self.over {
            return;
        }
        let text = String::from_utf8_lossy(line.bytes);
        self.buffer.extend_from_slice(recorder.redacted(&text).as_bytes());
        if line.dropped > 0 {
            self.buffer
                .extend_from_slice(format!("… [{} more bytes were not kept]", line.dropped).as_bytes());
        }
        self.buffer.push(b'\n');
    }

    /// Writes what was taken. When that fails or the limit is reached, the run goes on without, and says so once.
    pub(super) fn flush(&mut self, recorder: &mut Recorder) {
        if self.buffer.is_empty() || self.over {
            return;
        }
        let written = self.write();
        self.buffer.clear();
        self.buffer.shrink_to(BUFFER);
        let note = match written {
            Ok(lines) if self.bytes < LIMIT => return recorder.raw(lines),
            Ok(_) => {
                format!("[{NAME} is full at {} MB; the raw stream is not kept any further]", LIMIT >> 20)
            }
            Err(error) => {
                format!("[{NAME} cannot be written: {error}; the raw stream is not kept any further]")
            }
        };
        self.over = true;
        recorder.note(&note);
    }

    /// Writes what was taken; gives the number of lines that the file has then.
    fn write(&mut self) -> io::Result<u64> {
        let (file, places) = match &mut self.file {
            Some(file) => file,
            None => {
                let no_link = nix::libc::O_NOFOLLOW;
                let mut options = OpenOptions::new();
                options.append(true).create(true).mode(0o600).custom_flags(no_link);
                let file = options.open(&self.path)?;
                self.bytes = file.metadata()?.len();
                let held = RawReader::new(&self.path).count()?;
                self.file.insert((file, PlaceWriter::new(&self.path, held, self.bytes)))
            }
        };
        file.write_all(&self.buffer)?;
        places.appended(&self.buffer);
        self.bytes += self.buffer.len() as u64;
        Ok(places.lines())
    }
}
