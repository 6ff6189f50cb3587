//! Bytes of a stream become lines: split on line feeds only, since strings hold raw U+2028 and escaped returns, and
//! bounded, since a tool's output may be one line of any length.

/// Longest line that is handed on whole.
pub(super) const LINE_LIMIT: usize = 16 * 1024 * 1024;

/// What is kept of a longer one.
pub(super) const KEPT: usize = 64 * 1024;

/// One line without its line feed.
pub(super) struct Line<'a> {
    /// Its bytes; the first [`KEPT`] of them when it was too long.
    pub(super) bytes: &'a [u8],
    /// How many more there were.
    pub(super) dropped: u64,
}

/// Splits one stream.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    pending: Vec<u8>,
    dropped: u64,
}

impl Splitter {
    /// Takes bytes; calls `each` for every line that they end.
    pub(super) fn push(&mut self, bytes: &[u8], mut each: impl FnMut(Line<'_>)) {
        let mut from = 0;
        for at in memchr::memchr_iter(b'\n', bytes) {
            let piece = &bytes[from..at];
            from = at + 1;
            if self.is_empty() {
                // Nearly always: no byte is copied.
                each(bounded(piece));
            } else {
                self.hold(piece);
                self.hand_out(&mut each);
            }
        }
        self.hold(&bytes[from..]);
    }

    /// Ends the line that was begun before, if one was and these bytes have its end; gives what comes after it.
    pub(super) fn push_begun<'b>(&mut self, bytes: &'b [u8], each: impl FnMut(Line<'_>)) -> &'b [u8] {
        if self.is_empty() {
            return bytes;
        }
        let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
        let (begun, rest) = bytes.split_at(end);
        self.push(begun, each);
        rest
    }

    /// The stream is over: what is left is a line too, perhaps half of one.
    pub(super) fn finish(&mut self, mut each: impl FnMut(Line<'_>)) {
        if !self.is_empty() {
            self.hand_out(&mut each);
        }
    }

    /// What came of the line that has no end yet.
    pub(super) fn pending(&self) -> &[u8] {
        &self.pending
    }

    fn is_empty(&self) -> bool {
        self.pending.is_empty() && self.dropped == 0
    }

    fn hold(&mut self, piece: &[u8]) {
        if self.dropped > 0 {
            self.dropped += piece.len() as u64;
            return;
        }
        self.pending.extend_from_slice(piece);
        if self.pending.len() > LINE_LIMIT {
            self.dropped = (self.pending.len() - KEPT) as u64;
            self.pending.truncate(KEPT);
            self.pending.shrink_to_fit();
        }
    }

    fn hand_out(&mut self, each: &mut impl FnMut(Line<'_>)) {
        let mut pending = std::mem::take(&mut self.pending);
        each(Line { bytes: &pending, dropped: std::mem::take(&mut self.dropped) });
        // The room is used again, unless it was for one giant.
        pending.clear();
        pending.shrink_to(KEPT);
        self.pending = pending;
    }
}

/// Length of the first whole lines, of about so many bytes together; of one when that is longer. The bytes end with a line
/// feed.
pub(super) fn first_lines(bytes: &[u8], about: usize) -> usize {
    let head = &bytes[..bytes.len().min(about)];
    let last = memchr::memrchr(b'\n', head).or_else(|| memchr::memchr(b'\n', bytes));
    last.map_or(bytes.len(), |at| at + 1)
}

fn bounded(piece: &[u8]) -> Line<'_> {
    match piece.len() > LINE_LIMIT {
        true => Line { bytes: &piece[..KEPT], dropped: (piece.len() - KEPT) as u64 },
        false => Line { bytes: piece, dropped: 0 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(chunks: &[&[u8]]) -> Vec<(Vec<u8>, u64)> {
        let mut splitter = Splitter::default();
        let mut out = Vec::new();
        for chunk in chunks {
            splitter.push(chunk, |line| out.push((line.bytes.to_vec(), line.dropped)));
        }
        splitter.finish(|line| out.push((line.bytes.to_vec(), line.dropped)));
        out
    }

    #[test]
    fn only_line_feeds_end_a_line() {
        let got = split(&[b"a\r", b"b\n\n", "c\u{2028}d".as_bytes()]);
        let want = [&b"a\rb"[..], b"", "c\u{2028}d".as_bytes()].map(|line| (line.to_vec(), 0));
        assert_eq!(got, want);
    }

    #[test]
    fn a_giant_is_cut_and_counted_and_the_next_line_is_whole() {
        let chunk = vec![b'x'; 1024 * 1024];
        let mut chunks: Vec<&[u8]> = vec![&chunk; 20];
        chunks.push(b"\nnext\n");
        let want = [(vec![b'x'; KEPT], (20 * 1024 * 1024 - KEPT) as u64), (b"next".to_vec(), 0)];
        assert_eq!(split(&chunks), want);
    }

    #[test]
    fn a_line_at_the_limit_is_whole() {
        let line = vec![b'x'; LINE_LIMIT];
        assert_eq!(split(&[&line, b"\n"]), [(line, 0)]);
    }

    #[test]
    fn whole_lines_are_taken_together_up_to_a_size() {
        let lengths = [2, 4, 5, 6, 99].map(|about| first_lines(b"a\nbcd\n\n", about));
        assert_eq!(lengths, [2, 2, 2, 6, 7]);
        assert_eq!([first_lines(b"abcdef\ng\n", 3), first_lines(b"\n\n", 1)], [7, 1]);
    }

    proptest! {
        #[test]
        fn chunking_does_not_matter(bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..200), size in 1usize..9) {
            let chunks: Vec<&[u8]> = bytes.chunks(size).collect();
            prop_assert_eq!(split(&chunks), split(&[&bytes]));
        }
    }
}
