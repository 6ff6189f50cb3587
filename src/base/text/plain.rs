//! One line of plain text: names, paths, messages. Nothing is hidden, see the head of [`super`].

use std::fmt;

use super::glyph::{self, Shape, Shaper};
use super::{LINE_BYTES, NOTE_BYTES, TAB, cut_note, measure};

/// One line of plain text, safe to print or to draw.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SafeText(String);

pub(super) fn clean(text: &str) -> SafeText {
    if text.len() <= LINE_BYTES && glyph::is_plain(text.as_bytes()) {
        return SafeText(text.to_owned());
    }
    let mut out = String::with_capacity(text.len().min(LINE_BYTES) + 16);
    let mut shaper = Shaper::default();
    let mut column = 0;
    let mut rest = text.len();
    for c in text.chars() {
        if out.len() > LINE_BYTES {
            break;
        }
        rest -= c.len_utf8();
        match c {
            '\t' => {
                let blanks = TAB - column % TAB;
                out.extend(std::iter::repeat_n(' ', blanks));
                column += blanks;
                shaper.shape(' ');
            }
            // The CR of a CRLF says nothing of its own.
            '\r' if text[text.len() - rest..].starts_with('\n') => {}
            '\n' => {
                out.push('⏎');
                column += 1;
                shaper.shape('⏎');
            }
            c => match shaper.shape(c) {
                Shape::Cell(width) => {
                    out.push(c);
                    column += width;
                }
                Shape::Mark => out.push(c),
                Shape::Drop => {}
                Shape::Escape => {
                    let before = out.len();
                    glyph::escape(c, &mut out);
                    column += out.len() - before;
                }
            },
        }
    }
    if out.len() > LINE_BYTES || rest > 0 {
        let keep = measure::floor_boundary(&out, LINE_BYTES - NOTE_BYTES);
        let lost = out.len() - keep + rest;
        out.truncate(keep);
        out.push_str(&cut_note(lost));
    }
    SafeText(out)
}

impl SafeText {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Columns on screen.
    pub fn width(&self) -> usize {
        measure::width(&self.0)
    }

    /// At most `columns` columns; a cut end is replaced by `…`.
    #[must_use]
    pub fn truncate_end(&self, columns: usize) -> SafeText {
        if self.width() <= columns {
            return self.clone();
        }
        if columns == 0 {
            return SafeText::default();
        }
        let (bytes, _) = measure::fit(&self.0, columns - 1);
        SafeText(format!("{}…", &self.0[..bytes]))
    }

    /// At most `columns` columns; a cut middle is replaced by `…`. For paths: both the folder and the name stay
    /// recognisable, the end gets the larger half.
    #[must_use]
    pub fn truncate_middle(&self, columns: usize) -> SafeText {
        if self.width() <= columns {
            return self.clone();
        }
        if columns == 0 {
            return SafeText::default();
        }
        let head = (columns - 1) / 2;
        let (bytes, used) = measure::fit(&self.0, head);
        let (start, _) = measure::fit_end(&self.0, columns - 1 - used);
        SafeText(format!("{}…{}", &self.0[..bytes], &self.0[start..]))
    }

    /// Exactly `columns` columns: cut at the end, or filled with blanks on the right.
    #[must_use]
    pub fn pad(&self, columns: usize) -> SafeText {
        let mut text = self.truncate_end(columns);
        let missing = columns.saturating_sub(text.width());
        text.0.extend(std::iter::repeat_n(' ', missing));
        text
    }

    /// Rows of at most `columns` columns, broken at blanks where there are any. At least one row. The blanks at a
    /// break are left out; a wide character that no row can hold becomes `…`.
    pub fn wrap(&self, columns: usize) -> Vec<SafeText> {
        let columns = columns.max(1);
        let mut rows = Vec::new();
        let mut rest = self.0.as_str();
        loop {
            let (mut bytes, used) = measure::fit(rest, columns);
            if bytes == rest.len() {
                rows.push(SafeText(rest.to_owned()));
                return rows;
            }
            if used == 0 {
                // Two columns do not fit into one.
                let wide = rest.chars().next().map_or(rest.len(), char::len_utf8);
                let marks = rest[wide..].find(|c| measure::columns(c) > 0).unwrap_or(rest.len() - wide);
                rows.push(SafeText("…".to_owned()));
                rest = &rest[wide + marks..];
            } else {
                if !rest[bytes..].starts_with(' ')
                    && let Some(blank) = rest[..bytes].rfind(' ')
                    && !rest[..blank].trim_end().is_empty()
                {
                    bytes = blank;
                }
                rows.push(SafeText(rest[..bytes].trim_end_matches(' ').to_owned()));
                rest = rest[bytes..].trim_start_matches(' ');
            }
            if rest.is_empty() {
                return rows;
            }
        }
    }
}

/// Width and precision of the format count columns, not characters.
impl fmt::Display for SafeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cut;
        let text = match f.precision() {
            Some(columns) => {
                cut = self.truncate_end(columns);
                &cut
            }
            None => self,
        };
        let missing = f.width().unwrap_or(0).saturating_sub(text.width());
        let left = match f.align() {
            Some(fmt::Alignment::Right) => missing,
            Some(fmt::Alignment::Center) => missing / 2,
            Some(fmt::Alignment::Left) | None => 0,
        };
        write!(f, "{:left$}{}{:right$}", "", text.0, "", right = missing - left)
    }
}

impl AsRef<str> for SafeText {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<SafeText> for String {
    fn from(text: SafeText) -> String {
        text.0
    }
}
