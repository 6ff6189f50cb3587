//! Bytes of one stream become lines: bounded, lossy UTF-8, progress bars tamed.
//!
//! A lone carriage return starts its line over, as on a terminal: of all the texts a progress bar writes over each
//! other, the last one before the line end is kept, and meanwhile at most one a second is let through so that the run
//! is seen to move. Memory is bounded by [`LINE_LIMIT`] whatever the stream does.

/// Bytes of one line that are kept; the rest is counted and dropped.
pub(super) const LINE_LIMIT: usize = 16 * 1024;

/// Milliseconds between two states of a progress bar that are let through.
const PROGRESS_EVERY_MS: u64 = 1000;

/// What a [`LineSplitter`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A line; `ended` tells whether the stream ended it with a line feed.
    Line { text: String, ended: bool },
    /// So many bytes of the line before were dropped.
    Dropped(u64),
}

/// Splits one stream. Feed it with [`LineSplitter::push`], close it with [`LineSplitter::finish`].
#[derive(Debug, Default)]
pub(super) struct LineSplitter {
    line: Vec<u8>,
    /// The last non-empty text that a carriage return ended, in case nothing follows it.
    overwritten: Vec<u8>,
    /// A carriage return was the last byte; it only counts as a restart when no line feed follows.
    returned: bool,
    /// The current line passed the limit and was handed out already.
    cut: bool,
    dropped: u64,
    last_out_ms: u64,
}

impl LineSplitter {
    /// Takes `bytes`, read at `at_ms`, and hands out the pieces they complete.
    pub(super) fn push(&mut self, bytes: &[u8], at_ms: u64, out: &mut Vec<Piece>) {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.returned && rest[0] != b'\n' {
                self.restart(at_ms, out);
            }
            self.returned = false;
            let end = memchr::memchr2(b'\n', b'\r', rest);
            self.take(&rest[..end.unwrap_or(rest.len())], at_ms, out);
            let Some(end) = end else { return };
            if rest[end] == b'\n' {
                self.end_line(true, at_ms, out);
            } else {
                self.returned = true;
            }
            rest = &rest[end + 1..];
        }
    }

    /// The stream is over; hands out what is left.
    pub(super) fn finish(&mut self, at_ms: u64, out: &mut Vec<Piece>) {
        self.returned = false;
        if !self.line.is_empty() || !self.overwritten.is_empty() || self.cut {
            self.end_line(false, at_ms, out);
        }
    }

    fn take(&mut self, bytes: &[u8], at_ms: u64, out: &mut Vec<Piece>) {
        if self.cut {
            self.dropped += bytes.len() as u64;
            return;
        }
        let room = LINE_LIMIT - self.line.len();
        if bytes.len() <= room {
            self.line.extend_from_slice(bytes);
            return;
        }
        self.line.extend_from_slice(&bytes[..room]);
        let whole = char_boundary(&self.line);
        self.dropped = (bytes.len() - room + self.line.len() - whole) as u64;
        self.line.truncate(whole);
        let text = format!("{} … [line cut at {LINE_LIMIT} bytes]", String::from_utf8_lossy(&self.line));
        out.push(Piece::Line { text, ended: true });
        self.line = Vec::new();
        self.overwritten.clear();
        self.cut = true;
        self.last_out_ms = at_ms;
    }

    /// A lone carriage return: what stands in the line is about to be overwritten.
    fn restart(&mut self, at_ms: u64, out: &mut Vec<Piece>) {
        if self.cut {
            return;
        }
        if !self.line.is_empty() {
            self.overwritten = std::mem::take(&mut self.line);
        }
        if !self.overwritten.is_empty() && at_ms >= self.last_out_ms + PROGRESS_EVERY_MS {
            let text = String::from_utf8_lossy(&self.overwritten).into_owned();
            out.push(Piece::Line { text, ended: true });
            self.overwritten.clear();
            self.last_out_ms = at_ms;
        }
    }

    fn end_line(&mut self, ended: bool, at_ms: u64, out: &mut Vec<Piece>) {
        self.last_out_ms = at_ms;
        if std::mem::take(&mut self.cut) {
            out.push(Piece::Dropped(std::mem::take(&mut self.dropped)));
            return;
        }
        let shown = if self.line.is_empty() { &self.overwritten } else { &self.line };
        out.push(Piece::Line { text: String::from_utf8_lossy(shown).into_owned(), ended });
        self.line.clear();
        self.overwritten.clear();
    }
}

/// Length of `bytes` without a character that was cut at its end (at most three bytes shorter).
fn char_boundary(bytes: &[u8]) -> usize {
    let start = bytes.len().saturating_sub(3);
    for at in (start..bytes.len()).rev() {
        let byte = bytes[at];
        if byte & 0b1100_0000 == 0b1000_0000 {
            continue;
        }
        let length = match byte {
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            _ => 1,
        };
        return if at + length > bytes.len() { at } else { bytes.len() };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(chunks: &[(&[u8], u64)]) -> Vec<Piece> {
        let mut splitter = LineSplitter::default();
        let mut out = Vec::new();
        for (bytes, at_ms) in chunks {
            splitter.push(bytes, *at_ms, &mut out);
        }
        splitter.finish(chunks.last().map_or(0, |(_, at_ms)| *at_ms), &mut out);
        out
    }

    fn line(text: &str, ended: bool) -> Piece {
        Piece::Line { text: text.to_owned(), ended }
    }

    #[test]
    fn lines_over_chunk_borders_and_a_last_one_without_end() {
        let got = split(&[(b"one\ntw", 0), (b"o\n\nthree", 1)]);
        assert_eq!(got, [line("one", true), line("two", true), line("", true), line("three", false)]);
    }

    #[test]
    fn crlf_is_a_line_end_also_when_split() {
        assert_eq!(split(&[(b"one\r", 0), (b"\ntwo\r\n", 0)]), [line("one", true), line("two", true)]);
    }

    #[test]
    fn of_a_progress_bar_the_last_state_is_kept() {
        assert_eq!(split(&[(b"10%\r20%\r100%\ndone\n", 5)]), [line("100%", true), line("done", true)]);
        assert_eq!(split(&[(b"10%\r100%\r\n", 5)]), [line("100%", true)]);
        assert_eq!(split(&[(b"10%\r100%\r", 5)]), [line("100%", false)]);
    }

    #[test]
    fn a_progress_bar_shows_life_once_a_second() {
        let got = split(&[(b"1%\r", 0), (b"2%\r", 500), (b"3%\r", 1100), (b"4%\r", 1200), (b"5%\n", 1300)]);
        assert_eq!(got, [line("2%", true), line("5%", true)]);
    }

    #[test]
    fn a_huge_line_is_cut_at_once_and_counted() {
        let mut splitter = LineSplitter::default();
        let mut out = Vec::new();
        for _ in 0..1024 {
            splitter.push(&[b'x'; 1024], 0, &mut out);
        }
        assert_eq!(out.len(), 1, "the head is shown while the line goes on");
        splitter.push(b"\nnext\n", 0, &mut out);
        let head = format!("{} … [line cut at {LINE_LIMIT} bytes]", "x".repeat(LINE_LIMIT));
        let dropped = Piece::Dropped(1024 * 1024 - LINE_LIMIT as u64);
        assert_eq!(out, [line(&head, true), dropped, line("next", true)]);
        assert!(splitter.line.capacity() <= 2 * LINE_LIMIT);
    }

    #[test]
    fn a_cut_does_not_split_a_character() {
        let mut text = "x".repeat(LINE_LIMIT - 1);
        text.push_str("éé");
        let got = split(&[(text.as_bytes(), 0)]);
        let head = format!("{} … [line cut at {LINE_LIMIT} bytes]", "x".repeat(LINE_LIMIT - 1));
        assert_eq!(got, [line(&head, true), Piece::Dropped(4)]);
    }

    #[test]
    fn invalid_bytes_become_replacement_characters() {
        assert_eq!(split(&[(b"a\xff\x00b\n", 0)]), [line("a\u{fffd}\0b", true)]);
    }

    proptest! {
        #[test]
        fn chunking_does_not_matter(bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..300), cuts in proptest::collection::vec(1usize..7, 0..100)) {
            let mut chunks = Vec::new();
            let mut rest = &bytes[..];
            for cut in cuts {
                let (chunk, tail) = rest.split_at(cut.min(rest.len()));
                chunks.push((chunk, 0));
                rest = tail;
            }
            chunks.push((rest, 0));
            prop_assert_eq!(split(&chunks), split(&[(&bytes, 0)]));
        }
    }
}
