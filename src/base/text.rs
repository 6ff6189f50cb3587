//! Untrusted bytes become display lines here and nowhere else (contract: `performance-and-safety.md` §4.3).
//!
//! Lossy UTF-8, then a VT parse: SGR survives as styles, every other escape, C0/C1 control and string sequence is
//! dropped or shown as a visible escape; CR and BS overwrite; tabs expand; bidi controls and zero-width format
//! characters become visible; combining marks and line length are capped. Idempotent: `safe(safe(x)) == safe(x)`.
//! The types make the difference visible: a widget takes [`SafeLine`] or [`SafeText`], never a raw `&str` that we did
//! not write ourselves.

use std::fmt;

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

/// A run of characters of one style.
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
}

impl SafeLine {
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
        unimplemented!()
    }
}

/// One line of plain text, safe to print or to draw.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SafeText(String);

impl SafeText {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SafeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One line of output, styles kept. Stateless: a style never leaks into the next line.
pub fn safe_line(bytes: &[u8]) -> SafeLine {
    let _ = bytes;
    unimplemented!()
}

/// A name, path or message as one plain line; line ends are shown as `⏎`.
pub fn safe_text(text: &str) -> SafeText {
    let _ = text;
    unimplemented!()
}

/// A body as plain lines (split at line ends).
pub fn safe_block(text: &str) -> Vec<SafeText> {
    let _ = text;
    unimplemented!()
}
