//! Words of one text that were judged and are harmless.
//!
//! An agent's stream says the same on every line: the names of its fields, the id of its conversation. A judgement
//! depends on certain bytes alone, so it is made once for each text and remembered with the place of those bytes; what
//! comes later is taken for the same only when it is, byte for byte.

use std::ops::Range;

/// Words that are remembered, as a power of two; one that shares its slot with another takes its place.
const BITS: u32 = 5;

/// Shortest text that is worth a memory: most texts are single lines.
const WORTH: usize = 1024;

/// The memory for one text.
pub(super) struct Seen<'a> {
    text: &'a [u8],
    /// `None` for a text that is not worth it.
    slots: Option<[Slot; 1 << BITS]>,
}

#[derive(Clone, Copy)]
struct Slot {
    /// Of the word.
    mark: Mark,
    /// All bytes that the judgement depended on: the word, and perhaps what follows it. Never empty when used.
    begin: usize,
    end: usize,
}

/// A word's first and last bytes and its length, which are all of it when it has no more than sixteen.
#[derive(Clone, Copy, PartialEq)]
struct Mark {
    head: u64,
    tail: u64,
    length: usize,
}

impl<'a> Seen<'a> {
    /// Nothing was seen of this text.
    pub(super) fn of(text: &'a str) -> Self {
        const FREE: Slot = Slot { mark: Mark { head: 0, tail: 0, length: 0 }, begin: 0, end: 0 };
        Self { text: text.as_bytes(), slots: (text.len() >= WORTH).then_some([FREE; 1 << BITS]) }
    }

    /// Whether the word that stands there was found harmless before, with what follows it if that was looked at.
    pub(super) fn is_harmless(&self, word: Range<usize>) -> bool {
        let Some(slots) = &self.slots else { return false };
        let mark = Mark::of(&self.text[word.clone()]);
        let slot = &slots[mark.slot()];
        let is_whole = slot.end - slot.begin == mark.length && mark.length <= 2 * size_of::<u64>();
        slot.mark == mark
            && (is_whole || self.text[word.start..].starts_with(&self.text[slot.begin..slot.end]))
    }

    /// Remembers that the word that stands there is harmless, whatever else there is.
    pub(super) fn harmless(&mut self, word: Range<usize>) {
        let end = word.end;
        self.harmless_before(word, end);
    }

    /// Remembers that the word is harmless where the same follows it, up to `end`.
    pub(super) fn harmless_before(&mut self, word: Range<usize>, end: usize) {
        if let Some(slots) = &mut self.slots {
            let mark = Mark::of(&self.text[word.clone()]);
            slots[mark.slot()] = Slot { mark, begin: word.start, end };
        }
    }
}

impl Mark {
    fn of(word: &[u8]) -> Self {
        let part = |chunk: &[u8; 8]| u64::from_le_bytes(*chunk);
        let short = || word.iter().fold(0, |bytes, byte| bytes << 8 | u64::from(*byte));
        let head = word.first_chunk().map_or_else(short, part);
        Self { head, tail: word.last_chunk().map_or(0, part), length: word.len() }
    }

    fn slot(self) -> usize {
        let mixed = self.head ^ self.tail.rotate_left(23) ^ self.length as u64;
        (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - BITS)) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_bytes_are_harmless_again() {
        let filled = |text: &str| format!("{text:<1100}");
        let text = filled("abc abd abc abcdefghijklmnopqrstu abcdefghXjklmnopqrstu abcdefghijklmnopqrstu");
        let mut seen = Seen::of(&text);
        for word in [0..3, 12..33] {
            seen.harmless(word);
        }
        let harmless = [0..3, 4..7, 8..11, 12..33, 34..55, 56..77].map(|word| seen.is_harmless(word));
        assert_eq!(harmless, [true, false, true, true, false, true]);
        assert!(!Seen::of(&text).is_harmless(0..3));
    }

    #[test]
    fn what_follows_a_word_counts_where_it_was_looked_at() {
        let text = format!("{:<1100}", "sid=aaaa;sid=aaab;sid=aaaa;");
        let mut seen = Seen::of(&text);
        seen.harmless_before(0..3, 9);
        assert_eq!([9..12, 18..21].map(|word| seen.is_harmless(word)), [false, true]);
    }
}
