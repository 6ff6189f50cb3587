//! A file's text as numbered lines: what is drawn, searched, folded and quoted.
//!
//! Invariant: the lines are those that git counts (cut at LF, a missing last LF ends no line), so numbers agree with
//! every other tool. Bytes that are no UTF-8 stand as `<0xE9>`, so that two files that differ in such a byte differ on
//! screen too. The text is foreign: it passes `base::text` before it is drawn.

use std::fmt::Write as _;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Lines of one text. Cheap to ask, costly to copy: shared through `Arc`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Lines {
    text: String,
    /// Where each line begins.
    starts: Vec<u32>,
}

impl Lines {
    /// The text of a file. A text of 4 GiB or more is none (see [`super::TEXT_LIMIT`]).
    pub fn decode(bytes: &[u8]) -> Lines {
        match std::str::from_utf8(bytes) {
            Ok(text) => Lines::of(text.to_owned()),
            Err(_) => {
                let mut text = String::with_capacity(bytes.len() + 64);
                for chunk in bytes.utf8_chunks() {
                    text.push_str(chunk.valid());
                    for byte in chunk.invalid() {
                        let _ = write!(text, "<0x{byte:02X}>");
                    }
                }
                Lines::of(text)
            }
        }
    }

    /// This text.
    pub fn of(text: String) -> Lines {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        let begins = std::iter::once(0).chain(ends).filter(|at| *at < text.len());
        let starts = begins.filter_map(|at| u32::try_from(at).ok()).collect();
        Lines { text, starts }
    }

    /// How many there are.
    pub fn len(&self) -> u32 {
        u32::try_from(self.starts.len()).unwrap_or(u32::MAX)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// The line with this number, from 0, without its LF (a CR before it is part of the line).
    pub fn get(&self, number: u32) -> Option<&str> {
        let at = number as usize;
        let begin = *self.starts.get(at)? as usize;
        let end = self.starts.get(at + 1).map_or(self.text.len(), |next| *next as usize);
        let line = &self.text[begin..end];
        Some(line.strip_suffix('\n').unwrap_or(line))
    }

    /// Whether the last line has no line end.
    pub fn is_unended(&self) -> bool {
        !self.text.is_empty() && !self.text.ends_with('\n')
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The line that holds the byte `at` of [`Lines::text`], from 0.
    pub fn line_at(&self, at: usize) -> u32 {
        let after = self.starts.partition_point(|start| *start as usize <= at);
        u32::try_from(after.saturating_sub(1)).unwrap_or(u32::MAX)
    }
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lines({} bytes, {} lines)", self.text.len(), self.starts.len())
    }
}

impl Serialize for Lines {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Lines::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(lines: &Lines) -> Vec<&str> {
        (0..lines.len()).filter_map(|number| lines.get(number)).collect()
    }

    #[test]
    fn lines_are_counted_as_git_counts_them() {
        for (text, lines, unended) in [
            ("", vec![], false),
            ("a", vec!["a"], true),
            ("a\n", vec!["a"], false),
            ("a\n\n", vec!["a", ""], false),
            ("a\r\nb\rc", vec!["a\r", "b\rc"], true),
            ("\n", vec![""], false),
        ] {
            let found = Lines::decode(text.as_bytes());
            assert_eq!((all(&found), found.is_unended()), (lines, unended), "{text:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_stay_apart() {
        let (one, other) = (Lines::decode(b"caf\xe9\n"), Lines::decode(b"caf\xea\n"));
        assert_eq!((all(&one), all(&other)), (vec!["caf<0xE9>"], vec!["caf<0xEA>"]));
    }

    #[test]
    fn a_place_in_the_text_has_its_line() {
        let lines = Lines::of("ab\n\nc".to_owned());
        let found: Vec<u32> = (0..5).map(|at| lines.line_at(at)).collect();
        assert_eq!(found, [0, 0, 0, 1, 2]);
    }
}
