//! Untrusted bytes become display lines here and nowhere else (contract: `performance-and-safety.md` §4.3).
//!
//! Two ways in, by what the text is for:
//!
//! - [`safe_line`] is for *output*, a stream made for a terminal. Lossy UTF-8, then a VT parse: SGR survives as styles;
//!   CR, BS, erase-in-line and moves within the line act as a terminal would, so that progress bars read as their last
//!   state; tabs expand to multiples of 8; every other escape and string sequence (OSC, DCS, APC, PM, SOS, also
//!   unterminated ones) is dropped; remaining controls are shown.
//! - [`safe_text`] and [`safe_block`] are for *names, messages and bodies*, on which a human decides. They hide
//!   nothing: an escape sequence is shown, not interpreted, so that no part of a command line can vanish from the
//!   screen that asks for its approval.
//!
//! Shown as visible escapes: C0 and DEL as `^[`, everything else as `<U+202E>`: C1, bidi controls, zero-width and
//! format characters, line and paragraph separators, BOM, tags, noncharacters. At most [`MARKS`] combining marks stay
//! on a cell. A line longer than [`LINE_BYTES`] ends in `… n more bytes`. Text whose foreground equals its background
//! loses the background, so that nothing is there but unseen.
//!
//! **Emoji.** Terminals disagree on how wide a merged emoji is, so none is merged: joiners, variation selectors and
//! skin tones that follow a pictograph are dropped, and a family stands as its members, two columns each. The width of
//! a safe text is therefore the sum over its characters, equal to the sum over its grapheme clusters, and holds on
//! every terminal.
//!
//! Idempotent: `safe(safe(x)) == safe(x)` on the text. The types make the difference visible: a widget takes
//! [`SafeLine`] or [`SafeText`], never a raw `&str` that we did not write ourselves. Both are immutable values that
//! belong to whoever made them.

mod glyph;
mod line;
mod measure;
mod plain;
mod row;
mod sgr;

use std::borrow::Cow;

pub use line::{SafeLine, SafeSpan};
pub use measure::width;
pub use plain::SafeText;

/// Longest line shown, in bytes of UTF-8, the note of what was cut included.
pub const LINE_BYTES: usize = 8 * 1024;

/// Combining marks kept on one cell; further ones are dropped.
pub const MARKS: u8 = 4;

/// Columns between tab stops.
const TAB: usize = 8;

/// Bytes of one line of output that are looked at: what dropped sequences and overwritten text may cost.
const INPUT_BYTES: usize = 8 * LINE_BYTES;

/// A colour as the stream named it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TextColor {
    /// 0–15 the ANSI colours, 16–255 the fixed palette.
    Indexed(u8),
    /// Direct colour.
    Rgb(u8, u8, u8),
}

/// Style kept from SGR.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TextStyle {
    /// Foreground.
    pub fg: Option<TextColor>,
    /// Background.
    pub bg: Option<TextColor>,
    /// Bold.
    pub bold: bool,
    /// Dim.
    pub dim: bool,
    /// Italic.
    pub italic: bool,
    /// Underlined.
    pub underline: bool,
    /// Reversed.
    pub reverse: bool,
    /// Struck out.
    pub strike: bool,
}

/// One line of output, styles kept. Stateless: a style never leaks into the next line.
///
/// Cost is bounded by [`LINE_BYTES`], however long `bytes` is. A line end inside is shown as `⏎`.
pub fn safe_line(bytes: &[u8]) -> SafeLine {
    if bytes.len() <= LINE_BYTES && glyph::is_plain(bytes) {
        // Printable ASCII only: nothing to parse, and one column a byte.
        return SafeLine::plain_ascii(String::from_utf8_lossy(bytes).into_owned());
    }
    let seen = &bytes[..bytes.len().min(INPUT_BYTES)];
    let text: Cow<'_, str> = String::from_utf8_lossy(seen);
    row::parse(&text, bytes.len() - seen.len())
}

/// A name, path or message as one plain line; line ends are shown as `⏎`.
pub fn safe_text(text: &str) -> SafeText {
    plain::clean(text)
}

/// A body as plain lines (split at line ends). An empty text has no lines; a line end at the end adds none.
pub fn safe_block(text: &str) -> Vec<SafeText> {
    text.lines().map(safe_text).collect()
}

/// Whether `bytes` is printable ASCII only: [`safe_line`] would show it as it is.
pub fn is_plain(bytes: &[u8]) -> bool {
    bytes.len() <= LINE_BYTES && glyph::is_plain(bytes)
}

/// Whether a character acts on a terminal, changes how text around it is read, or carries something unseen: what
/// [`safe_text`] shows as an escape wherever it stands.
pub fn is_hidden(c: char) -> bool {
    glyph::is_hidden(c)
}

/// Whether a character is a mark on the cell before it.
pub fn is_mark(c: char) -> bool {
    !c.is_ascii() && measure::columns(c) == 0
}

/// The note at the end of a cut line.
fn cut_note(bytes: usize) -> String {
    format!("… {bytes} more bytes")
}

/// Room kept for [`cut_note`], so that a cut line is not cut again.
const NOTE_BYTES: usize = 48;

#[cfg(test)]
mod tests;
