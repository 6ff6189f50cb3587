//! SGR parameters to [`TextStyle`]: 16, 256 and direct colours, and the attributes that cannot hide text.
//!
//! Blink and conceal are left out: the one annoys, the other hides.

use vte::{Params, ParamsIter};

use super::{TextColor, TextStyle};

/// Applies one `CSI … m`.
pub(super) fn apply(style: &mut TextStyle, params: &Params) {
    let mut params = params.iter();
    while let Some(param) = params.next() {
        let Some((&code, sub)) = param.split_first() else { continue };
        match code {
            0 => *style = TextStyle::default(),
            1 => style.bold = true,
            2 => style.dim = true,
            3 => style.italic = true,
            // `4:0` takes the line away, `4:3` is a curly one.
            4 => style.underline = sub.first() != Some(&0),
            7 => style.reverse = true,
            9 => style.strike = true,
            21 => style.underline = true,
            22 => (style.bold, style.dim) = (false, false),
            23 => style.italic = false,
            24 => style.underline = false,
            27 => style.reverse = false,
            29 => style.strike = false,
            30..=37 => style.fg = indexed(code - 30),
            38 => style.fg = extended(sub, &mut params).or(style.fg),
            39 => style.fg = None,
            40..=47 => style.bg = indexed(code - 40),
            48 => style.bg = extended(sub, &mut params).or(style.bg),
            49 => style.bg = None,
            // The colour of an underline: read so that its numbers are not taken for attributes, then left out.
            58 => drop(extended(sub, &mut params)),
            90..=97 => style.fg = indexed(code - 90 + 8),
            100..=107 => style.bg = indexed(code - 100 + 8),
            _ => {}
        }
    }
}

fn indexed(index: u16) -> Option<TextColor> {
    u8::try_from(index).ok().map(TextColor::Indexed)
}

/// `38:5:n`, `38:2:r:g:b`, `38:2::r:g:b` in one parameter, or `38;5;n`, `38;2;r;g;b` over several.
fn extended(sub: &[u16], rest: &mut ParamsIter<'_>) -> Option<TextColor> {
    match sub {
        [5, n, ..] => indexed(*n),
        [2, _, r, g, b, ..] | [2, r, g, b] => rgb(*r, *g, *b),
        [_, ..] => None,
        [] => {
            let mut next = || rest.next().and_then(|param| param.first()).copied();
            match next()? {
                5 => indexed(next()?),
                2 => rgb(next()?, next()?, next()?),
                _ => None,
            }
        }
    }
}

fn rgb(r: u16, g: u16, b: u16) -> Option<TextColor> {
    Some(TextColor::Rgb(u8::try_from(r).ok()?, u8::try_from(g).ok()?, u8::try_from(b).ok()?))
}
