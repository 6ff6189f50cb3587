//! Copies prepared rows into a buffer. No parsing, no searching, no state.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use super::view::{Content, OutputView, Row, TIME};
use crate::base::text::{SafeLine, TextColor, TextStyle};
use crate::runtime::protocol::Channel;

/// How the pane looks; the colours are the theme's.
#[derive(Clone, Copy)]
pub(crate) struct OutputStyle<'a> {
    /// Standard output, and the ground of everything.
    pub(crate) text: Style,
    /// Standard error.
    pub(crate) error: Style,
    /// What koru-tui itself says about the run.
    pub(crate) note: Style,
    /// Times, marks of wrapped rows, lines on their way.
    pub(crate) dim: Style,
    /// Matches of the search.
    pub(crate) found: Style,
    /// The current match.
    pub(crate) current: Style,
    /// Marks standard error, one column. Colour alone does not reach everybody.
    pub(crate) error_mark: &'a str,
    /// Marks a note, one column.
    pub(crate) note_mark: &'a str,
    /// Marks a row that goes on from the one above, one column.
    pub(crate) wrap_mark: &'a str,
    /// Foreground and background for what the program asked for; `None` leaves the ground's.
    pub(crate) color: &'a dyn Fn(&TextStyle) -> (Option<Color>, Option<Color>),
}

impl Default for OutputStyle<'_> {
    /// Without colours but those of the programs.
    fn default() -> Self {
        let reversed = Style::new().add_modifier(Modifier::REVERSED);
        Self {
            text: Style::new(),
            error: Style::new(),
            note: Style::new().add_modifier(Modifier::ITALIC),
            dim: Style::new().add_modifier(Modifier::DIM),
            found: Style::new().add_modifier(Modifier::UNDERLINED),
            current: reversed,
            error_mark: "!",
            note_mark: "*",
            wrap_mark: "\\",
            color: &|asked| {
                let as_is = |color| match color {
                    TextColor::Indexed(index) => Color::Indexed(index),
                    TextColor::Rgb(r, g, b) => Color::Rgb(r, g, b),
                };
                (asked.fg.map(as_is), asked.bg.map(as_is))
            },
        }
    }
}

/// The style of a span: what the program asked for, over a ground.
fn text_style(style: &TextStyle, color: &dyn Fn(&TextStyle) -> (Option<Color>, Option<Color>)) -> Style {
    let mut out = Style::new();
    (out.fg, out.bg) = color(style);
    for (set, modifier) in [
        (style.bold, Modifier::BOLD),
        (style.dim, Modifier::DIM),
        (style.italic, Modifier::ITALIC),
        (style.underline, Modifier::UNDERLINED),
        (style.reverse, Modifier::REVERSED),
        (style.strike, Modifier::CROSSED_OUT),
    ] {
        if set {
            out = out.add_modifier(modifier);
        }
    }
    out
}

impl OutputView {
    /// Draws what [`OutputView::prepare`] made ready for a pane of this size; a smaller area shows less of it.
    pub(crate) fn draw(&self, area: Rect, buffer: &mut Buffer, style: &OutputStyle<'_>) {
        let area = area.intersection(buffer.area);
        buffer.set_style(area, style.text);
        for (y, row) in (area.top()..area.bottom()).zip(&self.rows) {
            let line = Rect { y, height: 1, ..area };
            self.draw_row(row, line, buffer, style);
        }
    }

    fn draw_row(&self, row: &Row, area: Rect, buffer: &mut Buffer, style: &OutputStyle<'_>) {
        let margin = self.margin().min(area.width);
        let text = Rect { x: area.x + margin, width: area.width - margin, ..area };
        match &row.content {
            Content::Missing(gone) => {
                let words = if *gone { "(no longer in the transcript)" } else { "…" };
                put(buffer, text.x, text.y, words, text.width, style.dim);
            }
            Content::Text { at_ms, channel, line, matches } => {
                let (mark, ground) = match channel {
                    Channel::Out => (" ", style.text),
                    Channel::Err => (style.error_mark, style.error),
                    Channel::Note => (style.note_mark, style.note),
                    _ => (" ", style.text),
                };
                if margin > 0 {
                    let (mark, mark_style) =
                        if row.first { (mark, ground) } else { (style.wrap_mark, style.dim) };
                    put(buffer, area.x, area.y, mark, 1, mark_style);
                }
                if margin > TIME && row.first {
                    put(buffer, area.x + margin - TIME, area.y, &elapsed(*at_ms), TIME - 1, style.dim);
                }
                draw_line(line, text, buffer, ground, style);
                for (columns, current) in matches {
                    let highlight = if *current { style.current } else { style.found };
                    let start = clamp(columns.start).min(text.width);
                    let end = clamp(columns.end).min(text.width);
                    buffer.set_style(Rect { x: text.x + start, width: end - start, ..text }, highlight);
                }
            }
        }
    }
}

fn draw_line(line: &SafeLine, area: Rect, buffer: &mut Buffer, ground: Style, style: &OutputStyle<'_>) {
    let mut x = area.x;
    for span in line.spans() {
        let left = area.right().saturating_sub(x);
        if left == 0 {
            return;
        }
        x = put(buffer, x, area.y, &span.text, left, ground.patch(text_style(&span.style, style.color)));
    }
}

/// Writes into one row; returns the column after.
fn put(buffer: &mut Buffer, x: u16, y: u16, text: &str, width: u16, style: Style) -> u16 {
    if width == 0 {
        return x;
    }
    buffer.set_stringn(x, y, text, usize::from(width), style).0
}

fn clamp(columns: usize) -> u16 {
    u16::try_from(columns).unwrap_or(u16::MAX)
}

/// Time since the start of the run, right-aligned: ` 1:02:03`, `    0:07`.
fn elapsed(at_ms: u64) -> String {
    let seconds = at_ms / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let width = usize::from(TIME) - 1;
    if hours > 0 {
        format!("{:>width$}", format!("{hours}:{minutes:02}:{seconds:02}"))
    } else {
        format!("{:>width$}", format!("{minutes}:{seconds:02}"))
    }
}
