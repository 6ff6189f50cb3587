//! Copies prepared rows into a buffer. No parsing, no searching, no state.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use super::rows::{Content, Note, Row};
use super::view::{OutputView, TIME};
use crate::base::text::{SafeLine, TextColor, TextStyle, width};
use crate::runtime::protocol::Channel;

/// From what a program asked for to foreground and background.
type Colors<'a> = dyn Fn(&TextStyle) -> (Option<Color>, Option<Color>) + 'a;

/// How the pane looks; the colours are the theme's. Marks are one column wide: colour alone does not reach everybody.
#[derive(Clone, Copy)]
pub(crate) struct OutputStyle<'a> {
    /// Standard output and answers, and the ground of everything.
    pub(crate) text: Style,
    /// Standard error, errors, failed calls.
    pub(crate) error: Style,
    /// What koru-tui itself says about the run, and the names of tools and files.
    pub(crate) note: Style,
    /// Reasoning, results, times, lines on their way.
    pub(crate) dim: Style,
    /// What the operator said.
    pub(crate) operator: Style,
    /// Retries and rate limits.
    pub(crate) warning: Style,
    /// Lines that a diff adds.
    pub(crate) added: Style,
    /// Lines that a diff takes away.
    pub(crate) removed: Style,
    /// Matches of the search.
    pub(crate) found: Style,
    /// The current match.
    pub(crate) current: Style,
    /// Matches in the row with the cursor.
    pub(crate) found_chosen: Style,
    /// The current match in the row with the cursor.
    pub(crate) current_chosen: Style,
    /// The row with the cursor; `None` where the pane has no focus.
    pub(crate) cursor: Option<Style>,
    /// The marks.
    pub(crate) marks: Marks,
    /// Foreground and background for what the program asked for; `None` leaves the ground's.
    pub(crate) color: &'a Colors<'a>,
}

/// What stands in the first column of a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Marks {
    /// Standard error.
    pub(crate) error: &'static str,
    /// A note of ours.
    pub(crate) note: &'static str,
    /// The operator's words.
    pub(crate) operator: &'static str,
    /// A retry or a rate limit.
    pub(crate) retry: &'static str,
    /// An error or a failed call.
    pub(crate) failed: &'static str,
    /// A line that was not understood.
    pub(crate) unknown: &'static str,
    /// A folded block.
    pub(crate) folded: &'static str,
    /// An open block.
    pub(crate) open: &'static str,
    /// A row that goes on from the one above.
    pub(crate) wrapped: &'static str,
}

impl Default for OutputStyle<'_> {
    /// Without colours but those of the programs.
    fn default() -> Self {
        let with = |modifier| Style::new().add_modifier(modifier);
        Self {
            text: Style::new(),
            error: Style::new(),
            note: with(Modifier::ITALIC),
            dim: with(Modifier::DIM),
            operator: with(Modifier::BOLD),
            warning: Style::new(),
            added: Style::new(),
            removed: Style::new(),
            found: with(Modifier::UNDERLINED),
            current: with(Modifier::REVERSED),
            found_chosen: with(Modifier::UNDERLINED),
            current_chosen: with(Modifier::REVERSED),
            cursor: None,
            marks: Marks {
                error: "!",
                note: "*",
                operator: ">",
                retry: "~",
                failed: "x",
                unknown: "?",
                folded: "+",
                open: "-",
                wrapped: "\\",
            },
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
fn text_style(style: &TextStyle, color: &Colors<'_>) -> Style {
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
            if let Some(cursor) = style.cursor.filter(|_| self.cursor == Some(row.at)) {
                buffer.set_style(line, cursor);
                // A hit stays a hit under the cursor.
                self.draw_hits(row, line, buffer, [style.found_chosen, style.current_chosen]);
            }
        }
        if self.follow {
            let taken = u16::try_from(self.rows.len()).unwrap_or(u16::MAX);
            self.draw_partial(taken, area, buffer, style);
        }
    }

    fn draw_partial(&self, taken: u16, area: Rect, buffer: &mut Buffer, style: &OutputStyle<'_>) {
        let margin = self.margin().min(area.width);
        let ground = match self.partial_channel() {
            Some(Channel::Thinking) => style.dim,
            _ => style.text,
        };
        for (y, row) in (area.top().saturating_add(taken)..area.bottom()).zip(&self.partial_rows) {
            let text = Rect { x: area.x + margin, y, width: area.width - margin, height: 1 };
            draw_line(row, text, buffer, ground, style);
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
            Content::Text { at_ms, channel, line, indent, fold, head, note, .. } => {
                let (mark, ground) = look(*channel, *head, *fold, line, style);
                if margin > 0 {
                    let (mark, mark_style) =
                        if row.at.row == 0 { (mark, ground) } else { (style.marks.wrapped, style.dim) };
                    put(buffer, area.x, area.y, mark, 1, mark_style);
                }
                if margin > TIME && row.at.row == 0 {
                    put(buffer, area.x + margin - TIME, area.y, &elapsed(*at_ms), TIME - 1, style.dim);
                }
                let indent = (*indent).min(text.width);
                let text = Rect { x: text.x + indent, width: text.width - indent, ..text };
                draw_line(line, text, buffer, ground, style);
                if *head && row.at.row == 0 && matches!(channel, Channel::Tool | Channel::File) {
                    emphasise(line, text, buffer, style);
                }
                draw_note(note.as_ref(), text, buffer, style);
            }
        }
        self.draw_hits(row, area, buffer, [style.found, style.current]);
    }

    /// Colours what the search found; of the two looks the second is that of the current hit.
    fn draw_hits(&self, row: &Row, area: Rect, buffer: &mut Buffer, [found, current]: [Style; 2]) {
        let Content::Text { indent, matches, .. } = &row.content else { return };
        let left = self.margin().min(area.width);
        let left = left + (*indent).min(area.width - left);
        let text = Rect { x: area.x + left, width: area.width - left, ..area };
        for (columns, chosen) in matches {
            let start = clamp(columns.start).min(text.width);
            let end = clamp(columns.end).min(text.width);
            let look = if *chosen { current } else { found };
            buffer.set_style(Rect { x: text.x + start, width: end - start, ..text }, look);
        }
    }
}

/// Mark and ground of a line by what it is.
fn look(
    channel: Channel,
    head: bool,
    fold: Option<bool>,
    line: &SafeLine,
    style: &OutputStyle<'_>,
) -> (&'static str, Style) {
    let marks = &style.marks;
    let folded = match fold {
        Some(true) => marks.folded,
        Some(false) => marks.open,
        None => " ",
    };
    match channel {
        Channel::Out => (" ", style.text),
        Channel::Err => (marks.error, style.error),
        Channel::Note => (marks.note, style.note),
        Channel::Operator => (if head { marks.operator } else { " " }, style.operator),
        // Answers are read, not folded; that they can be needs no mark.
        Channel::Text => (if fold == Some(true) { marks.folded } else { " " }, style.text),
        Channel::Thinking | Channel::ToolInput | Channel::ToolOutput => (folded, style.dim),
        Channel::Tool | Channel::File => (folded, style.text),
        Channel::ToolError | Channel::Error => (if head { marks.failed } else { " " }, style.error),
        Channel::Diff => (" ", diff_style(line, style)),
        Channel::Status => (" ", style.dim),
        Channel::Retry => (if head { marks.retry } else { " " }, style.warning),
        Channel::Unknown => (marks.unknown, style.dim),
    }
}

fn diff_style(line: &SafeLine, style: &OutputStyle<'_>) -> Style {
    match line.spans().first().and_then(|span| span.text.chars().next()) {
        Some('+') => style.added,
        Some('-') => style.removed,
        Some('@') => style.dim,
        _ => style.text,
    }
}

/// The name of a tool, or of a file, stands out from what is said of it.
fn emphasise(line: &SafeLine, area: Rect, buffer: &mut Buffer, style: &OutputStyle<'_>) {
    let name = line.plain();
    let end = name.find("  ").or_else(|| name.find(' ')).unwrap_or(name.len());
    let columns = clamp(width(&name[..end])).min(area.width);
    buffer.set_style(Rect { width: columns, ..area }, style.note);
}

fn draw_note(note: Option<&Note>, area: Rect, buffer: &mut Buffer, style: &OutputStyle<'_>) {
    let Some(note) = note else { return };
    let columns = clamp(width(&note.text));
    if columns < area.width {
        let ground = if note.channel == Channel::ToolError { style.error } else { style.dim };
        put(buffer, area.right() - columns, area.y, &note.text, columns, ground);
        if note.channel == Channel::ToolError && columns + 2 < area.width {
            put(buffer, area.right() - columns - 2, area.y, style.marks.failed, 1, ground);
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
fn put(buffer: &mut Buffer, x: u16, y: u16, text: &str, columns: u16, style: Style) -> u16 {
    if columns == 0 {
        return x;
    }
    buffer.set_stringn(x, y, text, usize::from(columns), style).0
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
