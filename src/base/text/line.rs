//! One display line with styles, and what a pane does with it: cut, slice, wrap.

use super::{SafeText, TextStyle, measure};

/// A run of characters of one style. Only this module makes one that stands in a [`SafeLine`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafeSpan {
    /// Printable text.
    pub text: String,
    /// Style.
    pub style: TextStyle,
}

/// One display line, safe to hand to a terminal widget.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SafeLine {
    spans: Vec<SafeSpan>,
    width: usize,
}

impl SafeLine {
    pub(super) fn new(spans: Vec<SafeSpan>, width: usize) -> Self {
        Self { spans, width }
    }

    pub(super) fn plain_ascii(text: String) -> Self {
        let width = text.len();
        let spans =
            if text.is_empty() { Vec::new() } else { vec![SafeSpan { text, style: TextStyle::default() }] };
        Self { spans, width }
    }

    /// The styled runs.
    pub fn spans(&self) -> &[SafeSpan] {
        &self.spans
    }

    /// The text without styles.
    pub fn plain(&self) -> String {
        self.spans.iter().map(|span| span.text.as_str()).collect()
    }

    /// Columns on screen.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// At most `columns` columns; what is cut is replaced by `…`.
    #[must_use]
    pub fn truncate_end(&self, columns: usize) -> SafeLine {
        if self.width <= columns {
            return self.clone();
        }
        let mut cut = self.slice(0, columns.saturating_sub(1));
        if columns > 0 {
            cut.push("…", cut.spans.last().map(|span| span.style).unwrap_or_default());
        }
        cut
    }

    /// The columns from `first` on, at most `columns` of them. Half of a wide character becomes a blank.
    #[must_use]
    pub fn slice(&self, first: usize, columns: usize) -> SafeLine {
        let mut out = SafeLine::default();
        let (mut at, end) = (0, first.saturating_add(columns));
        // A mark follows its character: it is kept when the character was.
        let mut kept = false;
        for span in &self.spans {
            for (start, c) in span.text.char_indices() {
                let text = &span.text[start..start + c.len_utf8()];
                let next = at + measure::columns(c);
                if next == at {
                    if kept {
                        out.push(text, span.style);
                    }
                    continue;
                }
                kept = at >= first && next <= end;
                if kept {
                    out.push(text, span.style);
                } else {
                    for _ in at.max(first)..next.min(end) {
                        out.push(" ", span.style);
                    }
                }
                at = next;
            }
            if at >= end && !kept {
                break;
            }
        }
        out
    }

    /// Rows of at most `columns` columns, broken anywhere, as a terminal would. At least one row; `columns` of 0 are
    /// taken for 1. A wide character that no row can hold becomes `…`.
    pub fn wrap(&self, columns: usize) -> Vec<SafeLine> {
        let columns = columns.max(1);
        if self.width <= columns {
            return vec![self.clone()];
        }
        let mut rows = vec![];
        let mut row = SafeLine::default();
        for span in &self.spans {
            let mut rest = span.text.as_str();
            while !rest.is_empty() {
                let (bytes, used) = measure::fit(rest, columns - row.width);
                row.append(&rest[..bytes], used, span.style);
                rest = &rest[bytes..];
                if rest.is_empty() {
                    break;
                }
                if row.width == 0 {
                    // Two columns do not fit into one.
                    let c = rest.chars().next().map_or(0, char::len_utf8);
                    row.append("…", 1, span.style);
                    rest = &rest[c..];
                    let marks = rest.find(|c| measure::columns(c) > 0).unwrap_or(rest.len());
                    rest = &rest[marks..];
                }
                rows.push(std::mem::take(&mut row));
            }
        }
        if !row.is_empty() || rows.is_empty() {
            rows.push(row);
        }
        rows
    }

    /// As [`SafeLine::wrap`], broken between words where that leaves no row emptier than half. Blanks at a break
    /// stand nowhere; each row comes with the column of the line in which it begins.
    pub fn wrap_words(&self, columns: usize) -> Vec<(usize, SafeLine)> {
        let columns = columns.max(1);
        let mut rows = Vec::new();
        let mut start = 0;
        // Where the row could be broken: before this column, and where the next row would begin.
        let (mut end, mut next, mut at, mut blank) = (0, 0, 0, false);
        let mut chars = self.spans.iter().flat_map(|span| span.text.chars()).peekable();
        while let Some(c) = chars.next() {
            let wide = measure::columns(c);
            // A blank that carries a mark is there to be seen.
            let bare = c == ' ' && chars.peek().is_none_or(|next| measure::columns(*next) > 0);
            if bare {
                if !blank {
                    end = at;
                }
                next = at + 1;
            } else if at > start && wide > 0 && at + wide > start + columns {
                if end > start + columns / 2 || (blank && end > start) {
                    rows.push((start, end));
                    start = next;
                } else {
                    // Blanks that the line begins with may be more than a row holds.
                    rows.push((start, if blank { at.min(start + columns) } else { at }));
                    start = at;
                }
                (end, next) = (start, start);
            }
            blank = bare;
            at += wide;
        }
        rows.push((start, self.width.min(start.saturating_add(columns))));
        self.pieces(&rows, columns)
    }

    /// The column ranges as lines, in one pass. Ranges are in order and begin and end between characters.
    fn pieces(&self, ranges: &[(usize, usize)], columns: usize) -> Vec<(usize, SafeLine)> {
        let mut rows: Vec<(usize, SafeLine)> =
            ranges.iter().map(|(start, _)| (*start, SafeLine::default())).collect();
        let (mut row, mut at) = (0, 0);
        for span in &self.spans {
            for (from, c) in span.text.char_indices() {
                let wide = measure::columns(c);
                // A mark belongs to the character before it, which stands in the row before a break.
                while wide > 0 && ranges.get(row + 1).is_some_and(|(start, _)| at >= *start) {
                    row += 1;
                }
                let within = ranges.get(row).is_some_and(|(_, end)| at < *end || (wide == 0 && at == *end));
                if let Some((_, line)) = rows.get_mut(row).filter(|_| within) {
                    if wide > columns {
                        line.append("…", 1, span.style);
                    } else {
                        line.append(&span.text[from..from + c.len_utf8()], wide, span.style);
                    }
                }
                at += wide;
            }
        }
        rows
    }

    fn push(&mut self, text: &str, style: TextStyle) {
        self.append(text, measure::width(text), style);
    }

    fn append(&mut self, text: &str, width: usize, style: TextStyle) {
        if text.is_empty() {
            return;
        }
        self.width += width;
        match self.spans.last_mut() {
            Some(span) if span.style == style => span.text.push_str(text),
            _ => self.spans.push(SafeSpan { text: text.to_owned(), style }),
        }
    }
}

impl From<SafeText> for SafeLine {
    fn from(text: SafeText) -> Self {
        let width = text.width();
        let text = String::from(text);
        let spans =
            if text.is_empty() { Vec::new() } else { vec![SafeSpan { text, style: TextStyle::default() }] };
        Self { spans, width }
    }
}
