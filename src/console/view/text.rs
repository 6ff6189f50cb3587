//! Measuring, cutting and wrapping of safe text, and a pen that writes spans along one row.
//!
//! Owns no data. Widths are terminal columns.

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Columns of a text.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The text within `columns`, its end replaced by `ellipsis` when it is longer.
pub(crate) fn fit(text: &str, columns: usize, ellipsis: &str) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(width(ellipsis));
    let mut out = cut(text, room).to_owned();
    if columns >= width(ellipsis) {
        out.push_str(ellipsis);
    }
    out
}

/// The longest start of `text` within `columns`.
pub(crate) fn cut(text: &str, columns: usize) -> &str {
    let mut used = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        used += width(grapheme);
        if used > columns {
            return &text[..at];
        }
    }
    text
}

/// A path within `columns`: whole folders in the middle give way to `ellipsis`, the first and the file's name stay
/// longest; only a name that is too long by itself is cut, at its front, since its end tells files apart.
pub(crate) fn fit_path(path: &str, columns: usize, ellipsis: &str) -> String {
    if width(path) <= columns {
        return path.to_owned();
    }
    let parts: Vec<&str> = path.split('/').collect();
    let Some((name, folders)) = parts.split_last() else { return fit(path, columns, ellipsis) };
    // From the most that could stay to the least; one folder fewer is left at a time, in the middle.
    let mut kept: Vec<(usize, usize)> = Vec::new();
    for left_out in 1..=folders.len() {
        let stays = folders.len() - left_out;
        // Of those that stay the ones next to the file say more than the outer ones; the very first says which part.
        kept.push((usize::from(stays > 0), stays.saturating_sub(1)));
    }
    for (first, last) in kept {
        let mut shown: Vec<&str> = folders[..first].to_vec();
        shown.push(ellipsis);
        shown.extend(&folders[folders.len() - last..]);
        shown.push(name);
        let text = shown.join("/");
        if width(&text) <= columns {
            return text;
        }
    }
    fit_end(name, columns, ellipsis)
}

/// The end of a text within `columns`, its front replaced by `ellipsis`.
fn fit_end(text: &str, columns: usize, ellipsis: &str) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let Some(room) = columns.checked_sub(width(ellipsis)) else { return String::new() };
    let mut start = text.len();
    for (at, _) in text.grapheme_indices(true).rev() {
        if width(&text[at..]) > room {
            break;
        }
        start = at;
    }
    format!("{ellipsis}{}", &text[start..])
}

/// A text within `columns` in which each word that is a path is shortened as [`fit_path`] does, before the end of the
/// whole is cut: `Edit  src/…/TrailerRecordParser.java`.
pub(crate) fn fit_with_paths(text: &str, columns: usize, ellipsis: &str) -> String {
    let over = width(text).saturating_sub(columns);
    if over == 0 {
        return text.to_owned();
    }
    let longest = text.split(' ').filter(|word| word.contains('/')).max_by_key(|word| width(word));
    let Some(path) = longest.filter(|path| width(path) > over + width(ellipsis)) else {
        return fit(text, columns, ellipsis);
    };
    let short = fit_path(path, width(path) - over, ellipsis);
    fit(&text.replacen(path, &short, 1), columns, ellipsis)
}

/// Lines of at most `columns`, broken between words where that is possible. Indentation of the first line is kept.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    if columns == 0 {
        return Vec::new();
    }
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for mut word in pieces(text) {
        let blank = word.trim().is_empty();
        if used + width(word) > columns {
            if used > 0 {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
                used = 0;
            }
            if blank {
                continue;
            }
            while width(word) > columns {
                let head = cut(word, columns);
                // A single character that is wider than the room would never fit; it is left out.
                if head.is_empty() {
                    word = "";
                    break;
                }
                lines.push(head.to_owned());
                word = &word[head.len()..];
            }
        }
        line.push_str(word);
        used += width(word);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// Runs of blanks and runs of anything else, in turn: punctuation stays with its word.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let blank = rest.chars().next()?.is_whitespace();
        let end = rest.find(|c: char| c.is_whitespace() != blank).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}

/// Writes along one row and never past its end.
pub(crate) struct Pen<'a> {
    buffer: &'a mut Buffer,
    x: u16,
    y: u16,
    end: u16,
}

impl<'a> Pen<'a> {
    /// A pen at column `x` of row `y` that stops before column `end`.
    pub(crate) fn new(buffer: &'a mut Buffer, x: u16, y: u16, end: u16) -> Self {
        let end = end.min(buffer.area.right());
        Self { buffer, x, y, end }
    }

    pub(crate) fn write(&mut self, text: &str, style: Style) -> &mut Self {
        if self.x < self.end && self.y < self.buffer.area.bottom() {
            let (x, _) = self.buffer.set_stringn(self.x, self.y, text, usize::from(self.end - self.x), style);
            self.x = x;
        }
        self
    }

    /// Writes `text` so that it ends where the pen's room ends, if there is room for it.
    pub(crate) fn write_right(&mut self, text: &str, style: Style) -> &mut Self {
        let columns = u16::try_from(width(text)).unwrap_or(u16::MAX);
        if self.x.saturating_add(columns) <= self.end {
            let x = self.end - columns;
            self.buffer.set_stringn(x, self.y, text, usize::from(columns), style);
            self.end = x;
        }
        self
    }

    /// Columns left.
    pub(crate) fn room(&self) -> usize {
        usize::from(self.end.saturating_sub(self.x))
    }

    /// Moves to this many columns from where the pen stands.
    pub(crate) fn skip(&mut self, columns: usize) -> &mut Self {
        self.x = self.x.saturating_add(u16::try_from(columns).unwrap_or(u16::MAX)).min(self.end);
        self
    }
}

/// `text` padded with blanks to `columns`, or cut to it.
pub(crate) fn column(text: &str, columns: usize, ellipsis: &str) -> String {
    let fitted = fit(text, columns, ellipsis);
    let pad = columns.saturating_sub(width(&fitted));
    fitted + &" ".repeat(pad)
}

/// As [`column`], against the right side.
pub(crate) fn column_right(text: &str, columns: usize, ellipsis: &str) -> String {
    let fitted = fit(text, columns, ellipsis);
    let pad = columns.saturating_sub(width(&fitted));
    " ".repeat(pad) + &fitted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_by_columns_and_not_by_characters() {
        assert_eq!(fit("parser drops CRLF", 9, "…"), "parser d…");
        assert_eq!(fit("日本語のテスト", 7, "…"), "日本語…");
        assert_eq!(fit("abc", 3, "…"), "abc");
        assert_eq!(fit("abc", 0, "…"), "");
        assert_eq!(column("日本", 6, "…"), "日本  ");
        assert_eq!(column_right("9s", 4, "…"), "  9s");
    }

    #[test]
    fn paths_give_up_whole_folders_and_keep_the_file() {
        let path = "services/settlement/src/main/java/parser/TrailerParser.java";
        assert_eq!(fit_path(path, 59, "…"), path);
        assert_eq!(fit_path(path, 58, "…"), "services/…/src/main/java/parser/TrailerParser.java");
        assert_eq!(fit_path(path, 40, "…"), "services/…/parser/TrailerParser.java");
        assert_eq!(fit_path(path, 29, "…"), "services/…/TrailerParser.java");
        assert_eq!(fit_path(path, 28, "…"), "…/TrailerParser.java");
        assert_eq!(fit_path(path, 12, "…"), "…Parser.java");
        assert_eq!(fit_path(path, 0, "…"), "");
        assert_eq!(fit_path("a-long-name-without-folders.rs", 10, "…"), "…olders.rs");
        assert_eq!(fit_with_paths(&format!("Edit  {path}"), 40, "…"), "Edit  services/…/TrailerParser.java");
        assert_eq!(fit_with_paths("cargo test --workspace", 10, "…"), "cargo tes…");
        for columns in 0..70 {
            assert!(width(&fit_path(path, columns, "…")) <= columns, "{columns}");
            assert!(width(&fit_with_paths(&format!("Edit  {path}"), columns, "…")) <= columns, "{columns}");
        }
    }

    #[test]
    fn wrapping_keeps_words_whole_and_lines_within() {
        assert_eq!(wrap("The client supports device code", 12), ["The client", "supports", "device code"]);
        assert_eq!(wrap("aaaaaaaaaa", 4), ["aaaa", "aaaa", "aa"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("日", 1), [""]);
        for columns in 1..40 {
            for line in wrap("  mixed 日本語 words, and a-very-long-identifier_that_never_ends 🎉🎉", columns)
            {
                assert!(width(&line) <= columns);
            }
        }
    }
}
