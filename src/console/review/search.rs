//! Searching the texts of one file while it is typed, and from there file by file.
//!
//! Case counts only when something typed is upper case. Bounded: at most [`HITS`] hits are known. A hit is a line of one
//! side; where in the line it stands is looked for again when the line is drawn.

use super::ReviewScreen;
use crate::runtime::protocol::diff::{Body, TextSide};

/// Most hits that are known.
const HITS: usize = 100_000;

/// A search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Search {
    pub(crate) text: String,
    /// Lines with a hit, by where they stand: removed lines come at their block.
    pub(crate) hits: Vec<(TextSide, u32)>,
    pub(crate) current: usize,
    /// The text is not there yet: where to go when it is.
    pub(crate) waiting: Option<Seek>,
}

/// Where a search goes on when a text comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seek {
    /// To the first hit from the cursor on, in this file.
    Here,
    /// File by file to the next one with a hit, until it is back at this one.
    Files { forward: bool, until: usize },
}

impl Search {
    /// Searches the new text, and of the old one what was removed.
    pub(crate) fn new(text: &str, body: &Body) -> Search {
        let mut hits: Vec<(u32, TextSide, u32)> = Vec::new();
        if !text.is_empty() {
            for line in matching(body.new.text(), text) {
                hits.push((body.new.line_at(line), TextSide::New, body.new.line_at(line)));
            }
            for line in matching(body.old.text(), text) {
                let number = body.old.line_at(line);
                let at = body.blocks.partition_point(|block| block.old <= number).checked_sub(1);
                let block = at.map(|at| body.blocks[at]).filter(|block| number - block.old < block.old_len);
                if let Some(block) = block {
                    hits.push((block.new, TextSide::Old, number));
                }
            }
        }
        hits.sort_by_key(|(at, side, line)| (*at, *side == TextSide::New, *line));
        hits.dedup();
        let hits = hits.into_iter().map(|(_, side, line)| (side, line)).collect();
        Search { text: text.to_owned(), hits, current: 0, waiting: None }
    }

    /// The next hit, or the one before; goes round.
    pub(crate) fn step(&mut self, forward: bool) -> Option<(TextSide, u32)> {
        let count = self.hits.len();
        if count == 0 {
            return None;
        }
        self.current = (self.current + if forward { 1 } else { count - 1 }) % count;
        self.hits.get(self.current).copied()
    }
}

/// Where hits begin, in bytes.
fn matching(text: &str, wanted: &str) -> Vec<usize> {
    if wanted.chars().any(char::is_uppercase) {
        return memchr::memmem::find_iter(text.as_bytes(), wanted.as_bytes()).take(HITS).collect();
    }
    // Lowering ASCII alone keeps every byte at its place.
    let (text, wanted) = (text.to_ascii_lowercase(), wanted.to_ascii_lowercase());
    memchr::memmem::find_iter(text.as_bytes(), wanted.as_bytes()).take(HITS).collect()
}

/// Where hits stand in a shown line, in bytes.
pub(crate) fn within(line: &str, wanted: &str) -> Vec<(usize, usize)> {
    if wanted.is_empty() {
        return Vec::new();
    }
    matching(line, wanted).into_iter().map(|at| (at, at + wanted.len())).collect()
}

impl ReviewScreen {
    /// Searches the shown file from the cursor on, at once or as soon as its text is there.
    pub(crate) fn search_for(&mut self, text: &str) {
        if text.is_empty() {
            self.search = None;
            return;
        }
        let waiting = Search { text: text.to_owned(), waiting: Some(Seek::Here), ..Search::default() };
        let body = self.body().filter(|_| self.laid_out.is_some()).cloned();
        self.search = Some(body.as_ref().map_or(waiting, |body| Search::new(text, body)));
        if body.is_some() {
            self.search_from_here();
        }
    }

    /// The next hit or the one before; beyond the last one of the file, in the files that follow.
    pub(crate) fn step_hit(&mut self, forward: bool) {
        let files = self.files().len();
        let Some(search) = &mut self.search else { return };
        let (count, at) = (search.hits.len(), search.current);
        let edge = count == 0 || at == if forward { count - 1 } else { 0 };
        if edge && files > 1 {
            return self.seek(forward, self.file);
        }
        if let Some((side, line)) = search.step(forward) {
            self.go_to(side, line);
        }
    }

    fn seek(&mut self, forward: bool, until: usize) {
        let count = self.files().len();
        self.go_to_file((self.file + if forward { 1 } else { count - 1 }) % count);
        if let Some(search) = &mut self.search {
            search.waiting = Some(Seek::Files { forward, until });
        }
    }

    /// The text came in which it was to go on.
    pub(super) fn search_on(&mut self, seek: Seek) {
        let Some(search) = &mut self.search else { return };
        match seek {
            Seek::Here => self.search_from_here(),
            Seek::Files { forward, until } if search.hits.is_empty() => {
                if self.file != until {
                    self.seek(forward, until);
                }
            }
            Seek::Files { forward, .. } => {
                search.current = if forward { 0 } else { search.hits.len() - 1 };
                if let Some((side, line)) = search.hits.get(search.current).copied() {
                    self.go_to(side, line);
                }
            }
        }
    }

    /// Goes to the first hit from the cursor on.
    fn search_from_here(&mut self) {
        let Some(search) = &mut self.search else { return };
        let row = |hit: &(TextSide, u32)| self.layout.find(hit.0, hit.1).unwrap_or(0);
        let next = search.hits.partition_point(|hit| row(hit) < self.cursor);
        search.current = if next == search.hits.len() { 0 } else { next };
        if let Some((side, line)) = search.hits.get(search.current).copied() {
            self.go_to(side, line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::review::tests::body;

    #[test]
    fn hits_are_in_the_new_text_and_in_what_was_removed() {
        let body = body("a\nOld word\nc\n", "a\nnew word\nWORD\nc\n");
        let mut search = Search::new("word", &body);
        assert_eq!(search.hits, [(TextSide::Old, 1), (TextSide::New, 1), (TextSide::New, 2)]);
        assert_eq!(search.step(false), Some((TextSide::New, 2)));
        assert_eq!(search.step(true), Some((TextSide::Old, 1)));
        assert_eq!(Search::new("Word", &body).hits, []);
        assert_eq!(within("a word, a Word", "word"), [(2, 6), (10, 14)]);
    }
}
