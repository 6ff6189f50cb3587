#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]
//! A terminal screen as an SVG picture: one `<rect>` for each run of background and one `<text>` for each run of one
//! style, in the viewer's monospace font. Nothing in it depends on the machine, so equal screens give equal files.

use std::fmt::Write as _;

use vt100::{Cell, Color, Screen};

const CELL_WIDTH: f32 = 8.4;
const CELL_HEIGHT: f32 = 18.0;
const MARGIN: f32 = 12.0;
/// The terminal's own colours where a cell names none.
const PAPER: &str = "#11151c";
const INK: &str = "#d4d9e2";
const ANSI: [&str; 16] = [
    "#11151c", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d4d9e2", "#5c6370",
    "#ef7c86", "#a9d48a", "#f0cf8e", "#72bcf7", "#d58bea", "#67c7d3", "#ffffff",
];

#[derive(Clone, PartialEq)]
struct Style {
    ink: String,
    paper: String,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
}

/// Draws the screen.
pub fn picture(screen: &Screen, title: &str) -> String {
    let (rows, columns) = screen.size();
    let (rows, columns) = (rows.get(), columns.get());
    let width = f32::from(columns) * CELL_WIDTH + 2.0 * MARGIN;
    let height = f32::from(rows) * CELL_HEIGHT + 2.0 * MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.1}\" height=\"{height:.1}\" viewBox=\"0 0 {width:.1} \
         {height:.1}\" font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"14\">\n\
         <title>{}</title>\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{PAPER}\"/>\n",
        escaped(title)
    );
    for row in 0..rows {
        draw_row(screen, row, columns, &mut out);
    }
    out.push_str("</svg>\n");
    out
}

fn draw_row(screen: &Screen, row: u16, columns: u16, out: &mut String) {
    let top = MARGIN + f32::from(row) * CELL_HEIGHT;
    let mut runs: Vec<(u16, u16, Style, String)> = Vec::new();
    for column in 0..columns {
        let Some(cell) = screen.cell(row, column) else { continue };
        if cell.is_wide_continuation() {
            continue;
        }
        let cells = if cell.is_wide() { 2 } else { 1 };
        let text = if cell.has_contents() { cell.contents() } else { " " };
        let style = style_of(cell);
        match runs.last_mut() {
            // A wide character is drawn by itself, so that a viewer's other idea of its width shifts nothing.
            Some((start, length, last, line))
                if *last == style && cells == 1 && *length as usize == line.chars().count() =>
            {
                debug_assert_eq!(*start + *length, column);
                *length += 1;
                line.push_str(text);
            }
            _ => runs.push((column, cells, style, text.to_owned())),
        }
    }
    for (start, length, style, _) in runs.iter().filter(|run| run.2.paper != PAPER) {
        // Half a pixel of overlap hides the seams between neighbours.
        let _ = writeln!(
            out,
            "<rect x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{}\"/>",
            MARGIN + f32::from(*start) * CELL_WIDTH,
            f32::from(*length) * CELL_WIDTH + 0.5,
            CELL_HEIGHT + 0.5,
            style.paper
        );
    }
    for (start, length, style, text) in runs.iter().filter(|run| !run.3.trim().is_empty()) {
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" textLength=\"{:.1}\" lengthAdjust=\"spacingAndGlyphs\" xml:space=\"preserve\" \
             fill=\"{}\"{}>{}</text>",
            MARGIN + f32::from(*start) * CELL_WIDTH,
            top + 13.5,
            f32::from(*length) * CELL_WIDTH,
            style.ink,
            attributes(style),
            escaped(text)
        );
    }
}

fn attributes(style: &Style) -> String {
    let mut out = String::new();
    for (on, attribute) in [
        (style.bold, " font-weight=\"bold\""),
        (style.italic, " font-style=\"italic\""),
        (style.underline, " text-decoration=\"underline\""),
        (style.dim, " opacity=\"0.6\""),
    ] {
        if on {
            out.push_str(attribute);
        }
    }
    out
}

fn style_of(cell: &Cell) -> Style {
    let (mut ink, mut paper) = (colour(cell.fgcolor(), INK), colour(cell.bgcolor(), PAPER));
    if cell.inverse() {
        std::mem::swap(&mut ink, &mut paper);
    }
    Style {
        ink,
        paper,
        bold: cell.bold(),
        dim: cell.dim(),
        italic: cell.italic(),
        underline: cell.underline(),
    }
}

fn colour(colour: Color, default: &str) -> String {
    match colour {
        Color::Default => default.to_owned(),
        Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
        Color::Idx(index @ 0..=15) => ANSI[usize::from(index)].to_owned(),
        Color::Idx(index @ 16..=231) => {
            let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
            let cube = index - 16;
            format!("#{:02x}{:02x}{:02x}", level(cube / 36), level(cube / 6 % 6), level(cube % 6))
        }
        Color::Idx(index) => {
            let grey = 8 + 10 * (index - 232);
            format!("#{grey:02x}{grey:02x}{grey:02x}")
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
