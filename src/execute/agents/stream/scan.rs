//! Reads the frequent lines of a stream piece by piece, where they stand exactly as their program writes them.
//!
//! What is taken here is JSON and means what a decoder would make of it; everything that looks different in any way
//! (another order, an unknown key, a nested value) is refused, and the decoder reads the whole line instead. So this
//! decides how fast a line is read, never what it says.

use std::borrow::Cow;

/// What is left of a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scan<'a>(&'a [u8]);

impl<'a> Scan<'a> {
    /// A whole line.
    pub(super) fn new(line: &'a [u8]) -> Self {
        Self(line)
    }

    /// Passes over exactly these bytes.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(bytes)?;
        Some(())
    }

    /// Whether nothing is left.
    pub(super) fn is_over(self) -> bool {
        self.0.is_empty()
    }

    /// A whole number of at most nine digits.
    pub(super) fn number(&mut self) -> Option<u64> {
        let length = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(length);
        if !(1..10).contains(&length) || (length > 1 && digits[0] == b'0') {
            return None;
        }
        self.0 = rest;
        Some(digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
    }

    /// The text of a string.
    pub(super) fn string(&mut self) -> Option<Cow<'a, str>> {
        let inner = self.0.strip_prefix(b"\"")?;
        let stop = plain(inner);
        match inner.get(stop)? {
            b'"' => {
                self.0 = &inner[stop + 1..];
                std::str::from_utf8(&inner[..stop]).ok().map(Cow::Borrowed)
            }
            b'\\' => {
                let end = closing(inner, stop)?;
                let literal = &self.0[..end + 2];
                self.0 = &inner[end + 1..];
                serde_json::from_slice::<String>(literal).ok().map(Cow::Owned)
            }
            // A control character, which JSON has not in a string.
            _ => None,
        }
    }

    /// A string without escapes that nobody asks for.
    pub(super) fn skip_string(&mut self) -> Option<()> {
        let inner = self.0.strip_prefix(b"\"")?;
        let stop = plain(inner);
        self.0 = inner[stop..].strip_prefix(b"\"")?;
        Some(())
    }
}

/// Length of what stands for itself in a string.
fn plain(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(bytes.len())
}

/// Where the quote is that ends a string whose first escape is at `at`.
fn closing(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += match bytes.get(at)? {
            b'\\' => 2,
            b'"' => return Some(at),
            _ => memchr::memchr2(b'"', b'\\', &bytes[at..])?,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn string(line: &[u8]) -> Option<(String, &[u8])> {
        let mut scan = Scan::new(line);
        scan.string().map(|text| (text.into_owned(), scan.0))
    }

    #[test]
    fn strings_are_what_a_decoder_makes_of_them() {
        assert_eq!(string(br#""plain",1"#), Some(("plain".to_owned(), &b",1"[..])));
        assert_eq!(string(br#""a\n\"b\\"}"#), Some(("a\n\"b\\".to_owned(), &b"}"[..])));
        for refused in [&b"\"open"[..], b"\"half\\", b"\"a\nb\"", b"\"\xff\"", b"\"\\x\"", b"bare", b""] {
            assert_eq!(string(refused), None, "{refused:?}");
        }
    }

    #[test]
    fn numbers_are_whole_and_plain() {
        let number = |line: &'static [u8]| Scan::new(line).number();
        assert_eq!(
            [number(b"0,"), number(b"42}"), number(b"07"), number(b"-1")],
            [Some(0), Some(42), None, None]
        );
        assert_eq!(number(b"1234567890"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_it_was_written(text in "\\PC{0,20}|[\u{0}-\u{40}\\\\\"]{0,20}") {
            let written = serde_json::to_string(&text).unwrap() + "rest";
            prop_assert_eq!(string(written.as_bytes()), Some((text, &b"rest"[..])));
        }

        #[test]
        fn a_string_is_refused_or_read_as_a_decoder_does(bytes in proptest::collection::vec(any::<u8>(), 0..12)) {
            let line = [b"\"", &bytes[..], b"\""].concat();
            if let Some((text, b"")) = string(&line) {
                prop_assert_eq!(serde_json::from_slice::<String>(&line).ok(), Some(text));
            }
        }
    }
}
