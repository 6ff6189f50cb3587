//! Colours as written in a theme, brought down to what the terminal can show.
//!
//! Owns no data. Truecolor → the 256 fixed colours → the 16 → none, chosen by `NO_COLOR`, `COLORTERM` and `TERM`.

use std::collections::HashMap;

use ratatui::style::Color;

use crate::base::text::TextColor;

/// How many colours the terminal shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Depth {
    /// 24 bits.
    True,
    /// The fixed palette.
    #[default]
    Indexed256,
    /// The sixteen of ANSI.
    Ansi16,
    /// None: `NO_COLOR` is set, or the terminal is dumb.
    None,
}

impl Depth {
    /// What the environment promises; `get` reads one variable.
    pub fn detect(get: impl Fn(&str) -> Option<String>) -> Depth {
        let set = |name: &str| get(name).filter(|value| !value.is_empty());
        let term = set("TERM").unwrap_or_default();
        let colorterm = set("COLORTERM").unwrap_or_default();
        if set("NO_COLOR").is_some() || term == "dumb" || term.ends_with("-mono") || term.starts_with("vt1") {
            Depth::None
        } else if matches!(colorterm.as_str(), "truecolor" | "24bit") || term.ends_with("-direct") {
            Depth::True
        } else if term.contains("256color") || term.contains("kitty") || term.contains("ghostty") {
            Depth::Indexed256
        } else {
            Depth::Ansi16
        }
    }
}

/// The colour of a theme's value at `depth`. The error is the value as written.
pub(super) fn resolve(
    value: &serde_yaml::Value,
    palette: &HashMap<String, serde_yaml::Value>,
    depth: Depth,
) -> Result<Color, String> {
    let shown = || serde_yaml::to_string(value).unwrap_or_default().trim().to_owned();
    if let Some(number) = value.as_u64() {
        return u8::try_from(number)
            .map(|index| bring_down(Color::Indexed(index), depth))
            .map_err(|_| shown());
    }
    let text = value.as_str().ok_or_else(shown)?;
    if text == "default" {
        return Ok(Color::Reset).map(|color| bring_down(color, depth));
    }
    if let Some(rgb) = hex(text) {
        return Ok(bring_down(rgb, depth));
    }
    match palette.get(text) {
        // A palette entry names a colour and no other entry, so this ends.
        Some(inner) if inner.as_str().is_none_or(|name| !palette.contains_key(name)) => {
            resolve(inner, palette, depth)
        }
        _ => Err(shown()),
    }
}

fn hex(text: &str) -> Option<Color> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
    let part = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
    Some(Color::Rgb(part(0)?, part(2)?, part(4)?))
}

/// One of the sixteen by number.
pub(super) fn ansi(index: u8) -> Option<Color> {
    const SIXTEEN: [Color; 16] = [
        Color::Black,
        Color::Red,
        Color::Green,
        Color::Yellow,
        Color::Blue,
        Color::Magenta,
        Color::Cyan,
        Color::Gray,
        Color::DarkGray,
        Color::LightRed,
        Color::LightGreen,
        Color::LightYellow,
        Color::LightBlue,
        Color::LightMagenta,
        Color::LightCyan,
        Color::White,
    ];
    SIXTEEN.get(usize::from(index)).copied()
}

/// A colour that a stream of output named, at `depth`.
pub(crate) fn degrade_text_color(color: TextColor, depth: Depth) -> Option<Color> {
    if depth == Depth::None {
        return None;
    }
    Some(match color {
        TextColor::Indexed(index) => ansi(index).unwrap_or_else(|| bring_down(Color::Indexed(index), depth)),
        TextColor::Rgb(r, g, b) => bring_down(Color::Rgb(r, g, b), depth),
    })
}

/// The red, green and blue of a colour; of the sixteen, those that xterm gives them. `None` for the terminal's own.
pub(super) fn rgb(color: Color) -> Option<[u8; 3]> {
    match color {
        Color::Rgb(r, g, b) => Some([r, g, b]),
        Color::Indexed(index) => Some(indexed_rgb(index)),
        Color::Reset => None,
        named => (0..16).find(|index| ansi(*index) == Some(named)).map(indexed_rgb),
    }
}

/// A colour as a depth shows it, and what it is then.
pub(super) fn shown(wanted: [u8; 3], depth: Depth) -> (Color, [u8; 3]) {
    let color = bring_down(Color::Rgb(wanted[0], wanted[1], wanted[2]), depth);
    (color, rgb(color).unwrap_or(wanted))
}

fn bring_down(color: Color, depth: Depth) -> Color {
    match (depth, color) {
        (Depth::None, _) => Color::Reset,
        (_, Color::Indexed(index)) if index < 16 => ansi(index).unwrap_or(color),
        (Depth::Indexed256, Color::Rgb(r, g, b)) => Color::Indexed(nearest_indexed([r, g, b])),
        (Depth::Ansi16, Color::Rgb(r, g, b)) => nearest_ansi([r, g, b]),
        (Depth::Ansi16, Color::Indexed(index)) => nearest_ansi(indexed_rgb(index)),
        _ => color,
    }
}

/// The values that xterm gives the sixteen; terminals differ, which is why themes may name `ansi` themselves.
const SIXTEEN_RGB: [[u8; 3]; 16] = [
    [0, 0, 0],
    [205, 0, 0],
    [0, 205, 0],
    [205, 205, 0],
    [0, 0, 238],
    [205, 0, 205],
    [0, 205, 205],
    [229, 229, 229],
    [127, 127, 127],
    [255, 0, 0],
    [0, 255, 0],
    [255, 255, 0],
    [92, 92, 255],
    [255, 0, 255],
    [0, 255, 255],
    [255, 255, 255],
];

/// Distance with the eye's weights; good enough to choose among few.
fn distance(a: [u8; 3], b: [u8; 3]) -> u32 {
    let part = |at: usize| u32::from(a[at].abs_diff(b[at])).pow(2);
    2 * part(0) + 4 * part(1) + 3 * part(2)
}

fn level(step: u8) -> u8 {
    if step == 0 { 0 } else { 55 + 40 * step }
}

/// The colour of one of the 256: 16 as xterm has them, 240 fixed.
pub(super) fn indexed_rgb(index: u8) -> [u8; 3] {
    match index {
        0..16 => SIXTEEN_RGB[usize::from(index)],
        232.. => [8 + 10 * (index - 232); 3],
        16.. => {
            let cube = index - 16;
            [level(cube / 36), level(cube / 6 % 6), level(cube % 6)]
        }
    }
}

fn nearest_indexed(rgb: [u8; 3]) -> u8 {
    (16..=255u8).min_by_key(|index| distance(rgb, indexed_rgb(*index))).unwrap_or(16)
}

fn nearest_ansi(rgb: [u8; 3]) -> Color {
    let nearest = (0..16u8).min_by_key(|index| distance(rgb, SIXTEEN_RGB[usize::from(*index)])).unwrap_or(7);
    ansi(nearest).unwrap_or(Color::Reset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(pairs: &[(&str, &str)]) -> Depth {
        Depth::detect(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_environment_decides_the_depth() {
        assert_eq!(detect(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]), Depth::True);
        assert_eq!(detect(&[("TERM", "xterm-256color")]), Depth::Indexed256);
        assert_eq!(detect(&[("TERM", "linux")]), Depth::Ansi16);
        assert_eq!(
            detect(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("NO_COLOR", "1")]),
            Depth::None
        );
        assert_eq!(detect(&[("TERM", "xterm-256color"), ("NO_COLOR", "")]), Depth::Indexed256);
        assert_eq!(detect(&[("TERM", "dumb")]), Depth::None);
    }

    #[test]
    fn colours_come_down_to_their_neighbours() {
        assert_eq!(bring_down(Color::Rgb(255, 0, 0), Depth::Indexed256), Color::Indexed(196));
        assert_eq!(bring_down(Color::Rgb(250, 10, 10), Depth::Ansi16), Color::LightRed);
        assert_eq!(bring_down(Color::Indexed(46), Depth::Ansi16), Color::LightGreen);
        assert_eq!(bring_down(Color::Rgb(8, 8, 8), Depth::Ansi16), Color::Black);
        assert_eq!(degrade_text_color(TextColor::Indexed(1), Depth::True), Some(Color::Red));
        assert_eq!(degrade_text_color(TextColor::Rgb(1, 2, 3), Depth::None), None);
    }
}
