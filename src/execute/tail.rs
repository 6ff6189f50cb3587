//! The end of one stream, bounded: what goes into `outputs.result`, error texts and the run log.

/// Characters that a result keeps of each stream (koru §4.3).
pub const RESULT_CHARS: usize = 4000;

/// When this many bytes are held, the front is dropped down to what a result needs (a character has at most 4 bytes).
const COMPACT_AT: usize = 16 * RESULT_CHARS;

/// The last characters of a text that only grows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    text: String,
    dropped: u64,
}

impl Tail {
    /// Appends.
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
        if self.text.len() > COMPACT_AT {
            let keep = tail_chars(&self.text, RESULT_CHARS).len();
            let cut = self.text.len() - keep;
            self.text.drain(..cut);
            self.dropped += cut as u64;
        }
    }

    /// The last `chars` characters, at most [`RESULT_CHARS`].
    pub fn last(&self, chars: usize) -> &str {
        tail_chars(&self.text, chars.min(RESULT_CHARS))
    }

    /// Bytes that went through, those that are no longer held included.
    pub fn bytes(&self) -> u64 {
        self.dropped + self.text.len() as u64
    }

    /// Whether a result shows less than there was.
    pub fn is_cut(&self) -> bool {
        self.bytes() > self.last(RESULT_CHARS).len() as u64
    }
}

impl From<&str> for Tail {
    fn from(text: &str) -> Self {
        let mut tail = Tail::default();
        tail.push(text);
        tail
    }
}

/// The last `chars` characters of `text`.
pub fn tail_chars(text: &str, chars: usize) -> &str {
    match chars.checked_sub(1).and_then(|skip| text.char_indices().rev().nth(skip)) {
        Some((at, _)) => &text[at..],
        None if chars == 0 => "",
        None => text,
    }
}

/// The first `chars` characters of `text`.
pub fn head_chars(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).map_or(text, |(at, _)| &text[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_counted_in_characters() {
        assert_eq!(tail_chars("aéo", 2), "éo");
        assert_eq!(tail_chars("aéo", 9), "aéo");
        assert_eq!(tail_chars("aéo", 0), "");
        assert_eq!(head_chars("éao", 2), "éa");
        assert_eq!(head_chars("é", 5), "é");
    }

    #[test]
    fn a_long_text_is_bounded_and_ends_right() {
        let mut tail = Tail::default();
        for n in 0..100_000 {
            tail.push(&format!("{n:07}é\n"));
        }
        assert!(tail.text.capacity() <= 4 * COMPACT_AT);
        assert!(tail.is_cut());
        assert_eq!(tail.bytes(), 1_000_000);
        assert_eq!(tail.last(RESULT_CHARS).chars().count(), RESULT_CHARS);
        assert!(tail.last(10).ends_with("099999é\n"));
    }
}
