//! Which words of a changed line differ from the line that it replaced.
//!
//! Bounded: lines of more than [`WORDS`] words are not taken apart, and two lines that have little in common count as
//! different as a whole. Called by the painter's thread only.

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// Most words of a line that is taken apart.
const WORDS: usize = 400;

/// Byte ranges of `line` that `other` has not; empty when they have too little in common for that to say anything.
pub(super) fn changed(line: &str, other: &str) -> Vec<(usize, usize)> {
    let (mine, theirs) = (split(line), split(other));
    if mine.len() > WORDS || theirs.len() > WORDS || line == other {
        return Vec::new();
    }
    let text = |words: &[(usize, &str)]| words.iter().map(|(_, word)| word.len()).sum::<usize>();
    let (a, b): (Vec<&str>, Vec<&str>) =
        (theirs.iter().map(|(_, word)| *word).collect(), mine.iter().map(|(_, word)| *word).collect());
    let ops = capture_diff_slices(Algorithm::Myers, &a, &b);
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    let mut same = 0;
    for op in ops {
        match op {
            DiffOp::Equal { new_index, len, .. } => {
                let words = &mine[new_index..new_index + len];
                same += words
                    .iter()
                    .filter(|(_, word)| !word.trim().is_empty())
                    .map(|(_, word)| word.len())
                    .sum::<usize>();
            }
            DiffOp::Insert { new_index, new_len, .. } | DiffOp::Replace { new_index, new_len, .. } => {
                let begin = mine[new_index].0;
                let end = begin + text(&mine[new_index..new_index + new_len]);
                ranges.push((begin, end));
            }
            DiffOp::Delete { .. } => {}
        }
    }
    let most = line.trim().len().max(other.trim().len());
    if same * 3 < most { Vec::new() } else { ranges }
}

/// Words, runs of blanks and single marks, with where they begin.
fn split(line: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut begin = 0;
    let kind = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => 0,
        c if c.is_whitespace() => 1,
        _ => 2,
    };
    let mut before: Option<u8> = None;
    for (at, c) in line.char_indices() {
        let now = kind(c);
        if before.is_some_and(|before| before != now || now == 2) {
            found.push((begin, &line[begin..at]));
            begin = at;
        }
        before = Some(now);
    }
    if begin < line.len() {
        found.push((begin, &line[begin..]));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str, other: &str) -> Vec<String> {
        changed(line, other).into_iter().map(|(from, to)| line[from..to].to_owned()).collect()
    }

    #[test]
    fn only_what_differs_is_named() {
        let (old, new) = ("let end = self.buf.find('x')?;", "let end = memchr(self.buf, 'x')?;");
        assert_eq!(words(new, old), ["memchr(", ", "]);
        assert_eq!(words("  a", " a"), ["  "]);
        assert_eq!(words("same", "same"), Vec::<String>::new());
        assert_eq!(words("nothing of it", "stays here now"), Vec::<String>::new());
        let long = "a ".repeat(WORDS);
        assert_eq!(words(&long, "a a"), Vec::<String>::new());
    }
}
