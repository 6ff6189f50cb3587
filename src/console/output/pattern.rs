//! Finding a text in a line, with smart case: a pattern without capitals finds both cases.

use std::ops::Range;

use memchr::memmem::Finder;

/// A pattern, ready to be looked for.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    finder: Finder<'static>,
    exact: bool,
    ascii: bool,
}

impl Pattern {
    /// `None` for an empty text, which would be everywhere.
    pub(super) fn new(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let exact = text.chars().any(char::is_uppercase);
        let needle = if exact { text.to_owned() } else { text.chars().map(fold).collect() };
        Some(Self { finder: Finder::new(needle.as_bytes()).into_owned(), exact, ascii: text.is_ascii() })
    }

    /// Where it stands in `text`, as byte ranges that do not overlap.
    pub(super) fn find(&self, text: &str) -> Vec<Range<usize>> {
        if self.exact {
            return self.ranges(text.as_bytes()).collect();
        }
        if text.is_ascii() {
            return if self.ascii {
                self.ranges(text.to_ascii_lowercase().as_bytes()).collect()
            } else {
                vec![]
            };
        }
        // Lower case may take another number of bytes: remember where each byte came from.
        let mut folded = String::with_capacity(text.len());
        let mut origin = Vec::with_capacity(text.len() + 1);
        for (at, c) in text.char_indices() {
            folded.push(fold(c));
            origin.resize(folded.len(), at);
        }
        origin.push(text.len());
        self.ranges(folded.as_bytes()).map(|range| origin[range.start]..origin[range.end]).collect()
    }

    /// How often it stands in `text`.
    pub(super) fn count(&self, text: &str) -> u32 {
        u32::try_from(self.find(text).len()).unwrap_or(u32::MAX)
    }

    fn ranges<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = Range<usize>> + 'a {
        let length = self.finder.needle().len();
        self.finder.find_iter(bytes).map(move |at| at..at + length)
    }
}

/// Lower case where that is one character.
fn fold(c: char) -> char {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(lower), None) => lower,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_make_a_pattern_exact() {
        let find = |pattern: &str, text: &str| -> Vec<String> {
            let ranges = Pattern::new(pattern).unwrap().find(text);
            ranges.into_iter().map(|range| text[range].to_owned()).collect()
        };
        assert_eq!(find("error", "Error: ERROR error"), ["Error", "ERROR", "error"]);
        assert_eq!(find("Error", "Error: ERROR error"), ["Error"]);
        assert_eq!(find("straße", "STRAßE Straße"), ["STRAßE", "Straße"]);
        assert_eq!(find("i", "İi"), ["i"]);
        assert_eq!(find("ⱥ", "xȺy"), ["Ⱥ"]);
        assert_eq!(find("é", "ascii only"), Vec::<String>::new());
        assert_eq!(find("aa", "aaaaa"), ["aa", "aa"]);
        assert!(Pattern::new("").is_none());
    }
}
