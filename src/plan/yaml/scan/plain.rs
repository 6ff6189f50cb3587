//! Plain (unquoted) scalars.

use std::borrow::Cow;

use super::super::fault::Bad;
use super::super::tape::Kind;
use super::{Scanner, Tok, Token};

/// What stands between two pieces of text of a multi-line scalar.
#[derive(Debug, Default)]
pub(super) struct Gap {
    /// The first line break.
    pub(super) first: Option<&'static str>,
    /// First break as it reads, when it is LS or PS.
    first_text: String,
    /// Further breaks.
    pub(super) rest: String,
}

impl Gap {
    /// Records a break.
    pub(super) fn push(&mut self, text: &str) {
        if self.first.is_none() {
            self.first = Some(if text == "\n" { "\n" } else { "" });
            text.clone_into(&mut self.first_text);
        } else {
            self.rest.push_str(text);
        }
    }

    /// Appends the folded gap to `out` and empties it: one break is a space, n breaks are n-1 line ends.
    pub(super) fn fold_into(&mut self, out: &mut String) {
        if self.first == Some("\n") {
            if self.rest.is_empty() {
                out.push(' ');
            } else {
                out.push_str(&self.rest);
            }
        } else {
            out.push_str(&self.first_text);
            out.push_str(&self.rest);
        }
        self.clear();
    }

    /// Empties it.
    pub(super) fn clear(&mut self) {
        self.first = None;
        self.first_text.clear();
        self.rest.clear();
    }
}

impl<'a> Scanner<'a> {
    /// Scans a plain scalar; the position is at its first character.
    pub(super) fn plain(&mut self) -> Result<(), Bad> {
        let start = self.pos;
        let indent = self.indent + 1;
        let in_flow = self.keys.len() > 1;
        let mut end = start;
        // `owned` is filled from the second line on; a scalar of one line stays borrowed.
        let mut owned: Option<String> = None;
        let mut gap = Gap::default();
        let mut crossed = false;
        loop {
            if (self.column() == 0 && self.marker().is_some()) || self.at(0) == Some(b'#') {
                break;
            }
            let piece = self.pos;
            let spaces = end..piece;
            self.plain_word(start, in_flow)?;
            if self.pos > piece {
                if crossed {
                    let text = owned.get_or_insert_with(|| self.text[start..end].to_owned());
                    gap.fold_into(text);
                    crossed = false;
                } else if let Some(text) = owned.as_mut() {
                    text.push_str(&self.text[spaces]);
                }
                if let Some(text) = owned.as_mut() {
                    text.push_str(&self.text[piece..self.pos]);
                }
                end = self.pos;
            }
            if !self.blank_at(0) && self.break_len(self.pos) == 0 {
                break;
            }
            self.plain_gap(&mut gap, &mut crossed, indent)?;
            if !in_flow && (self.column() as isize) < indent {
                break;
            }
        }
        if crossed {
            self.key_allowed = true;
        }
        let text = owned.map_or(Cow::Borrowed(&self.text[start..end]), Cow::Owned);
        self.tokens.push_back(Token { tok: Tok::Scalar(Kind::Plain, text), start, end });
        Ok(())
    }

    /// Moves over characters that are neither blank nor end the scalar.
    fn plain_word(&mut self, start: usize, in_flow: bool) -> Result<(), Bad> {
        while let Some(byte) = self.at(0) {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => return Ok(()),
                b':' => {
                    if in_flow && matches!(self.at(1), Some(b',' | b'?' | b'[' | b']' | b'{' | b'}')) {
                        return Err(Bad::new(
                            start,
                            "a `:` without a space after it stands in a flow collection; quote the text",
                        ));
                    }
                    if self.blank_or_end(1) {
                        return Ok(());
                    }
                }
                b',' | b'[' | b']' | b'{' | b'}' if in_flow => return Ok(()),
                0xC2 | 0xE2 if self.break_len(self.pos) > 0 => return Ok(()),
                _ => {}
            }
            self.pos += 1;
        }
        Ok(())
    }

    /// Moves over blanks and line breaks.
    fn plain_gap(&mut self, gap: &mut Gap, crossed: &mut bool, indent: isize) -> Result<(), Bad> {
        loop {
            if self.blank_at(0) {
                if *crossed && (self.column() as isize) < indent && self.at(0) == Some(b'\t') {
                    return Err(Bad::new(self.pos, "a tab indents this line; replace it with spaces"));
                }
                self.pos += 1;
            } else if self.break_len(self.pos) > 0 {
                let text = self.read_break();
                gap.push(text);
                *crossed = true;
            } else {
                return Ok(());
            }
        }
    }
}
