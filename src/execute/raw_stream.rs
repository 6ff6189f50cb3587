//! An agent's stream as it came: `stream.jsonl` in the run's folder, one line a line, secrets taken out.
//!
//! It is the evidence behind the transcript, and what another program can be fed with.

use std::io;
use std::path::Path;

use super::output::{Channel, OutputLine};
use super::windows::LineWindows;

/// Bytes of one line that a window shows; the file has all of it.
const SHOWN: usize = 64 * 1024;

/// Reads windows of one stream, also while it grows.
#[derive(Debug)]
pub struct RawReader {
    lines: LineWindows,
}

impl RawReader {
    /// A reader of the file at `path`, which need not be there yet.
    pub fn new(path: &Path) -> Self {
        Self { lines: LineWindows::new(path) }
    }

    /// At most `count` lines from line `from` on (longer ones than 64 KiB cut, saying so), and how many there are now, as
    /// far as is known. Their times are not known. `None` when the lines were not come to yet: ask again.
    ///
    /// # Errors
    /// Any I/O error but a missing file, which has no lines.
    pub fn try_read(&mut self, from: u64, count: u32) -> io::Result<Option<(Vec<OutputLine>, u64)>> {
        let mut lines = Vec::new();
        let total = self.lines.try_read(from, count, |bytes| {
            let mut text = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN)]).into_owned();
            if bytes.len() > SHOWN {
                text.push_str(&format!(" … [{} more bytes]", bytes.len() - SHOWN));
            }
            lines.push(OutputLine::new(0, Channel::Out, text));
        })?;
        Ok(total.map(|total| (lines, total)))
    }

    /// How many lines there are, to the file's end.
    ///
    /// # Errors
    /// Any I/O error but a missing file, which has no lines.
    pub fn count(&mut self) -> io::Result<u64> {
        self.lines.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_read_while_the_stream_grows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stream.jsonl");
        let mut reader = RawReader::new(&path);
        assert_eq!(reader.try_read(0, 10).unwrap(), Some((Vec::new(), 0)));
        std::fs::write(&path, "{\"a\":1}\n{\"b\":2}\n{\"torn").unwrap();
        let line = |text: &str| OutputLine::new(0, Channel::Out, text);
        assert_eq!(reader.try_read(1, 10).unwrap(), Some((vec![line("{\"b\":2}")], 2)));
        let long = "x".repeat(SHOWN + 3);
        std::fs::write(&path, format!("{{\"a\":1}}\n{{\"b\":2}}\n{{\"torn\":3}}\n{long}\n")).unwrap();
        let cut = format!("{} … [3 more bytes]", "x".repeat(SHOWN));
        assert_eq!(reader.try_read(2, 10).unwrap(), Some((vec![line("{\"torn\":3}"), line(&cut)], 4)));
    }
}
