//! What one character means on a screen: a cell, a mark on the cell before, nothing, or a danger to be shown.

use unicode_width::UnicodeWidthChar;

use super::MARKS;

/// Whether every byte is printable ASCII.
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    // No early exit: the compiler turns this into wide comparisons.
    bytes.iter().fold(true, |plain, byte| plain & (0x20..0x7f).contains(byte))
}

/// What to do with a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// It starts a cell of this many columns (1 or 2).
    Cell(usize),
    /// It belongs to the cell before.
    Mark,
    /// It is left out.
    Drop,
    /// It is shown as an escape, see [`escape`].
    Escape,
}

/// Decides character by character, remembering the cell that marks would go to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shaper {
    base: Option<char>,
    marks: u8,
    joined: bool,
    selected: bool,
}

impl Shaper {
    /// What to do with `c`, which follows what was asked for before.
    pub(super) fn shape(&mut self, c: char) -> Shape {
        let shape = self.judge(c);
        match shape {
            Shape::Cell(_) => *self = Shaper { base: Some(c), ..Shaper::default() },
            // Every visible escape ends in printable ASCII, which a mark may follow.
            Shape::Escape => *self = Shaper { base: Some('>'), ..Shaper::default() },
            Shape::Mark => self.marks += 1,
            Shape::Drop => {}
        }
        shape
    }

    /// As [`Shaper::shape`] for printable ASCII, which is a cell of one column.
    pub(super) fn after_ascii(&mut self, c: char) {
        *self = Shaper { base: Some(c), ..Shaper::default() };
    }

    /// Forgets the cell before: the cursor was moved.
    pub(super) fn reset(&mut self) {
        *self = Shaper::default();
    }

    fn judge(&mut self, c: char) -> Shape {
        if matches!(c, ' '..='~') {
            return Shape::Cell(1);
        }
        let after_pictograph = self.base.is_some_and(is_pictograph);
        match c {
            // The note in the module's head: what would merge emoji is dropped, once; a second one hides something.
            '\u{200d}' if after_pictograph && !std::mem::replace(&mut self.joined, true) => Shape::Drop,
            '\u{fe0e}' | '\u{fe0f}'
                if self.base.is_some() && !std::mem::replace(&mut self.selected, true) =>
            {
                Shape::Drop
            }
            '\u{1f3fb}'..='\u{1f3ff}' => {
                if after_pictograph {
                    Shape::Drop
                } else {
                    Shape::Escape
                }
            }
            c if is_hidden(c) => Shape::Escape,
            c => match c.width() {
                None => Shape::Escape,
                Some(0) if self.base.is_none() => Shape::Escape,
                Some(0) if self.marks < MARKS => Shape::Mark,
                Some(0) => Shape::Drop,
                Some(width @ 1..=2) => Shape::Cell(width),
                // The one sign of three columns; nothing that lays out text expects it.
                Some(_) => Shape::Escape,
            },
        }
    }
}

/// Appends the visible form of a character: `^[` for C0 and DEL, `<U+202E>` for others. Printable ASCII only.
pub(super) fn escape(c: char, out: &mut String) {
    use std::fmt::Write as _;
    match c {
        '\u{7f}' => out.push_str("^?"),
        '\0'..='\u{1f}' => {
            out.push('^');
            out.push(char::from(c as u8 + b'@'));
        }
        c => {
            // Writing to a string does not fail.
            let _ = write!(out, "<U+{:04X}>", u32::from(c));
        }
    }
}

/// Characters that take no ink but change how other text is shown or read, and noncharacters.
pub(super) fn is_hidden(c: char) -> bool {
    let code = u32::from(c);
    matches!(code,
        0x00..=0x1f | 0x7f..=0x9f // C0, DEL, C1
        | 0xad // soft hyphen
        | 0x34f | 0x61c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f
        | 0x200b..=0x200f // zero-width space and joiners, directional marks
        | 0x2028..=0x202e // line and paragraph separators, bidi embeddings and overrides
        | 0x2060..=0x206f // word joiner, invisible operators, bidi isolates, deprecated formats
        | 0x3164 | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb
        | 0xfdd0..=0xfdef // noncharacters
        | 0x13430..=0x1345f | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a
        | 0xe0000..=0xe0fff // tags and variation selectors, which can smuggle whole sentences
    ) || code & 0xfffe == 0xfffe
}

/// Characters that a joiner, a variation selector or a skin tone can follow to make one emoji.
fn is_pictograph(c: char) -> bool {
    matches!(u32::from(c),
        0x00a9 | 0x00ae | 0x203c | 0x2049 | 0x2122 | 0x2139 | 0x2190..=0x21ff | 0x2300..=0x23ff | 0x2460..=0x24ff
        | 0x25a0..=0x27bf | 0x2900..=0x297f | 0x2b00..=0x2bff | 0x3030 | 0x303d | 0x3297 | 0x3299
        | 0x1f000..=0x1f3fa | 0x1f400..=0x1faff
    )
}
