//! Columns of safe text, and cutting it by columns. A character never stands half.

use unicode_width::UnicodeWidthChar;

/// Columns that a safe text takes on screen. For text that did not pass this module the number means nothing.
pub fn width(text: &str) -> usize {
    if super::glyph::is_plain(text.as_bytes()) {
        return text.len();
    }
    text.chars().map(columns).sum()
}

pub(super) fn columns(c: char) -> usize {
    if c.is_ascii() { 1 } else { c.width().unwrap_or(0).min(2) }
}

/// The longest start of `text` of at most `limit` columns, as (bytes, columns). Marks stay with their character.
pub(super) fn fit(text: &str, limit: usize) -> (usize, usize) {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        let next = columns(c);
        if used + next > limit {
            return (at, used);
        }
        used += next;
    }
    (text.len(), used)
}

/// The longest end of `text` of at most `limit` columns, as (first byte, columns). It does not start with a mark.
pub(super) fn fit_end(text: &str, limit: usize) -> (usize, usize) {
    let (mut start, mut used, mut total) = (text.len(), 0, 0);
    for (at, c) in text.char_indices().rev() {
        let next = columns(c);
        total += next;
        if total > limit {
            break;
        }
        if next > 0 {
            (start, used) = (at, total);
        }
    }
    (start, used)
}

/// The last character boundary at or before byte `at`.
pub(super) fn floor_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
