//! Block scalars, literal and folded.

use std::borrow::Cow;

use super::super::fault::Bad;
use super::super::tape::Kind;
use super::{Scanner, Tok, Token};

impl<'a> Scanner<'a> {
    /// Scans a block scalar; the position is at its `|` or `>`.
    pub(super) fn block_scalar(&mut self, literal: bool) -> Result<(), Bad> {
        let start = self.pos;
        self.pos += 1;
        let (chomp, increment, mut end) = self.block_header(start)?;
        let base = self.indent.max(0);
        let mut indent = if increment > 0 { base + increment } else { 0 };
        let mut out = String::new();
        let mut leading = String::new();
        let mut trailing = String::new();
        let mut leading_blank = false;
        self.block_breaks(&mut indent, &mut trailing)?;
        while self.column() as isize == indent && self.pos < self.src.len() {
            let trailing_blank = self.blank_at(0);
            if !literal && leading == "\n" && !leading_blank && !trailing_blank {
                if trailing.is_empty() {
                    out.push(' ');
                }
            } else {
                out.push_str(&leading);
            }
            leading.clear();
            out.push_str(&trailing);
            trailing.clear();
            leading_blank = trailing_blank;
            let from = self.pos;
            while self.pos < self.src.len() && self.break_len(self.pos) == 0 {
                self.pos += 1;
            }
            out.push_str(&self.text[from..self.pos]);
            end = self.pos;
            if self.pos < self.src.len() {
                leading.push_str(self.read_break());
            }
            self.block_breaks(&mut indent, &mut trailing)?;
        }
        if chomp != Chomp::Strip {
            out.push_str(&leading);
        }
        if chomp == Chomp::Keep {
            out.push_str(&trailing);
        }
        let kind = if literal { Kind::Literal } else { Kind::Folded };
        self.tokens.push_back(Token { tok: Tok::Scalar(kind, Cow::Owned(out)), start, end });
        Ok(())
    }

    /// Reads chomping and indentation indicators and the rest of the header line.
    fn block_header(&mut self, start: usize) -> Result<(Chomp, isize, usize), Bad> {
        let mut chomp = Chomp::Clip;
        let mut increment = 0;
        for _ in 0..2 {
            match self.at(0) {
                Some(b'+') if chomp == Chomp::Clip => chomp = Chomp::Keep,
                Some(b'-') if chomp == Chomp::Clip => chomp = Chomp::Strip,
                Some(b'0') if increment == 0 => {
                    return Err(Bad::new(start, "a block text cannot be indented by 0; use 1 to 9"));
                }
                Some(digit @ b'1'..=b'9') if increment == 0 => increment = isize::from(digit - b'0'),
                _ => break,
            }
            self.pos += 1;
        }
        while self.blank_at(0) {
            self.pos += 1;
        }
        if self.at(0) == Some(b'#') {
            while self.pos < self.src.len() && self.break_len(self.pos) == 0 {
                self.pos += 1;
            }
        }
        if !self.blank_or_end(0) {
            return Err(Bad::new(
                self.pos,
                "only a comment may follow `|` or `>`; begin the text on the next line",
            ));
        }
        let end = self.pos;
        let len = self.break_len(self.pos);
        if len > 0 {
            self.newline(len);
        }
        Ok((chomp, increment, end))
    }

    /// Moves over indentation and empty lines; finds the indentation when it is not known yet.
    fn block_breaks(&mut self, indent: &mut isize, breaks: &mut String) -> Result<(), Bad> {
        let mut deepest = 0;
        loop {
            while (*indent == 0 || (self.column() as isize) < *indent) && self.at(0) == Some(b' ') {
                self.pos += 1;
            }
            deepest = deepest.max(self.column() as isize);
            if (*indent == 0 || (self.column() as isize) < *indent) && self.at(0) == Some(b'\t') {
                return Err(Bad::new(self.pos, "a tab indents this text; replace it with spaces"));
            }
            if self.break_len(self.pos) == 0 {
                break;
            }
            breaks.push_str(self.read_break());
        }
        if *indent == 0 {
            *indent = deepest.max(self.indent + 1).max(1);
        }
        Ok(())
    }
}

/// What happens to the line ends at the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomp {
    Clip,
    Strip,
    Keep,
}
