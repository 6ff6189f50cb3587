//! The colours that programs ask for in their output, made readable on the ground of the theme.
//!
//! A theme that sets no ground leaves the terminal's own colours alone: terminals choose theirs to be read. One that
//! sets a ground answers for what stands on it: the sixteen become the theme's own colours of the same kind, and every
//! colour is moved towards black or white until it has [`LEAST`] of contrast (WCAG 2.1 §1.4.3, large text). A theme
//! without any colour shows none.

use ratatui::style::{Color, Style};

use super::Role;
use super::color::{self, Depth};
use crate::base::text::{TextColor, TextStyle};

/// Contrast that every colour of a program has with what it stands on.
const LEAST: f32 = 3.0;

/// How a theme shows the colours of programs. Made once for a theme.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ink {
    /// None at all.
    Plain,
    /// As the terminal has them.
    Terminal(Depth),
    /// On a ground that we know.
    Ground {
        depth: Depth,
        ground: Rgb,
        text: Rgb,
        /// The 256, readable on the ground.
        indexed: Box<[Color]>,
    },
}

type Rgb = [u8; 3];

impl Ink {
    /// For a theme with these styles, as they are in 24 bits, and at this depth.
    pub(super) fn new(style: impl Fn(Role) -> Style, colourless: bool, depth: Depth) -> Ink {
        if colourless || depth == Depth::None {
            return Ink::Plain;
        }
        let rgb = |color: Option<Color>| color.and_then(color::rgb);
        let ground = style(Role::Text);
        let (Some(text), Some(ground)) = (rgb(ground.fg), rgb(ground.bg)) else {
            return Ink::Terminal(depth);
        };
        let own = |index: u8| {
            let role = match index {
                1 | 9 => Role::Failed,
                2 | 10 => Role::Done,
                3 | 11 => Role::NeedsYou,
                4 | 12 => Role::Running,
                5 | 13 => Role::Interrupted,
                6 | 14 => Role::Accent,
                7 | 15 => Role::Text,
                8 => Role::Dim,
                _ => return color::indexed_rgb(index),
            };
            rgb(style(role).fg).unwrap_or_else(|| color::indexed_rgb(index))
        };
        let indexed = (0..=255).map(|index| readable(own(index), ground, depth)).collect();
        Ink::Ground { depth, ground, text, indexed }
    }

    /// Foreground and background of a span; `None` leaves the ground's.
    pub(super) fn of(&self, span: &TextStyle) -> (Option<Color>, Option<Color>) {
        match self {
            Ink::Plain => (None, None),
            Ink::Terminal(depth) => {
                let at = |color: Option<TextColor>| {
                    color.and_then(|color| color::degrade_text_color(color, *depth))
                };
                (at(span.fg), at(span.bg))
            }
            Ink::Ground { depth, ground, text, indexed } => match (span.fg, span.bg) {
                (None, None) => (None, None),
                (Some(TextColor::Indexed(index)), None) => (indexed.get(usize::from(index)).copied(), None),
                (Some(fg), None) => (Some(readable(named(fg), *ground, *depth)), None),
                (fg, Some(bg)) => {
                    let (bg, shown) = color::shown(named(bg), *depth);
                    (Some(readable(fg.map_or(*text, named), shown, *depth)), Some(bg))
                }
            },
        }
    }
}

fn named(color: TextColor) -> Rgb {
    match color {
        TextColor::Indexed(index) => color::indexed_rgb(index),
        TextColor::Rgb(r, g, b) => [r, g, b],
    }
}

/// The colour of a depth that is nearest to `wanted` and readable on `ground`.
fn readable(wanted: Rgb, ground: Rgb, depth: Depth) -> Color {
    let ground = color::shown(ground, depth).1;
    let towards: Rgb = if contrast([255; 3], ground) >= contrast([0; 3], ground) { [255; 3] } else { [0; 3] };
    // The last step is black or white itself, and one of the two has at least 4.5 on any ground.
    for step in 0..=16_u16 {
        let mixed = mix(wanted, towards, step);
        let (color, rgb) = color::shown(mixed, depth);
        if contrast(rgb, ground) >= LEAST {
            return color;
        }
    }
    color::shown(towards, depth).0
}

fn mix(from: Rgb, to: Rgb, sixteenths: u16) -> Rgb {
    let part = |at: usize| {
        let sum = u16::from(from[at]) * (16 - sixteenths) + u16::from(to[at]) * sixteenths;
        u8::try_from(sum / 16).unwrap_or(u8::MAX)
    };
    [part(0), part(1), part(2)]
}

/// Contrast of two colours (WCAG 2.1), 1 to 21.
pub(super) fn contrast(a: Rgb, b: Rgb) -> f32 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance(rgb: Rgb) -> f32 {
    let part = |value: u8| {
        let value = f32::from(value) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * part(rgb[0]) + 0.7152 * part(rgb[1]) + 0.0722 * part(rgb[2])
}

#[cfg(test)]
mod tests {
    use super::super::Themes;
    use super::*;

    fn span(fg: Option<TextColor>, bg: Option<TextColor>) -> TextStyle {
        TextStyle { fg, bg, ..TextStyle::default() }
    }

    /// Every colour that a program can name, thinned out where there are millions.
    fn all() -> Vec<TextColor> {
        const STEPS: [u8; 7] = [0, 51, 102, 128, 153, 204, 255];
        let direct = STEPS
            .iter()
            .flat_map(|r| STEPS.iter().flat_map(|g| STEPS.iter().map(|b| TextColor::Rgb(*r, *g, *b))));
        (0..=255).map(TextColor::Indexed).chain(direct).collect()
    }

    #[test]
    fn every_colour_of_a_program_can_be_read_in_every_theme_with_a_ground() {
        for name in ["koru-dark", "koru-light", "high-contrast", "catppuccin-mocha", "gruvbox-dark"] {
            for depth in [Depth::True, Depth::Indexed256, Depth::Ansi16] {
                let theme = Themes::default().load(name, depth).unwrap();
                let ground = color::rgb(theme.style(Role::Text).bg.unwrap()).unwrap();
                for asked in all() {
                    let (fg, bg) = theme.worker(&span(Some(asked), None));
                    let found = contrast(color::rgb(fg.unwrap()).unwrap(), ground);
                    assert!(found >= LEAST && bg.is_none(), "{asked:?} in {name} at {depth:?}: {found}");
                    let (fg, bg) = theme.worker(&span(None, Some(asked)));
                    let found = contrast(color::rgb(fg.unwrap()).unwrap(), color::rgb(bg.unwrap()).unwrap());
                    assert!(found >= LEAST, "on {asked:?} in {name} at {depth:?}: {found}");
                }
            }
        }
    }

    #[test]
    fn monochrome_and_no_color_show_none() {
        let red = span(Some(TextColor::Indexed(1)), Some(TextColor::Rgb(1, 2, 3)));
        for (name, depth) in [("monochrome", Depth::True), ("koru-dark", Depth::None)] {
            assert_eq!(Themes::default().load(name, depth).unwrap().worker(&red), (None, None));
        }
    }

    #[test]
    fn a_theme_on_the_terminals_own_ground_leaves_its_colours_alone() {
        let theme = super::super::Theme::parse("mine", "roles: {accent: {fg: 6}}", Depth::True).unwrap();
        let red = span(Some(TextColor::Indexed(1)), None);
        assert_eq!(theme.worker(&red), (Some(Color::Red), None));
    }
}
