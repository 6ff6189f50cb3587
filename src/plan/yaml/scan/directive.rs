//! `%` lines before a document.

use super::super::fault::Bad;
use super::{Scanner, Tok, Token};

/// Most digits of a version number that libyaml reads.
const MAX_DIGITS: usize = 9;

impl<'a> Scanner<'a> {
    /// Scans a directive line with its line end; the position is at its `%`.
    pub(super) fn fetch_directive(&mut self) -> Result<(), Bad> {
        self.reset_for_marker()?;
        let start = self.pos;
        self.pos += 1;
        let name = self.word_len();
        let name = &self.text[self.pos..self.pos + name];
        self.pos += name.len();
        let tok = match name {
            "YAML" if self.blank_or_end(0) => self.version(),
            "TAG" if self.blank_or_end(0) => self.tag_directive(start)?,
            _ => None,
        };
        let tok = tok.ok_or_else(|| unknown(start))?;
        let end = self.pos;
        self.skip_blanks();
        if self.at(0) == Some(b'#') {
            while self.at(0).is_some() && self.break_len(self.pos) == 0 {
                self.pos += 1;
            }
        }
        let len = self.break_len(self.pos);
        if len == 0 && self.at(0).is_some() {
            return Err(unknown(start));
        }
        // The line end belongs to the directive: unlike others it does not allow an implicit key after it.
        if len > 0 {
            self.newline(len);
        }
        self.tokens.push_back(Token { tok, start, end });
        Ok(())
    }

    fn skip_blanks(&mut self) {
        while self.blank_at(0) {
            self.pos += 1;
        }
    }

    /// The version behind `%YAML`.
    fn version(&mut self) -> Option<Tok<'a>> {
        self.skip_blanks();
        let major = self.version_number()?;
        if self.at(0) != Some(b'.') {
            return None;
        }
        self.pos += 1;
        let minor = self.version_number()?;
        Some(Tok::Version(major == 1 && matches!(minor, 1 | 2)))
    }

    fn version_number(&mut self) -> Option<u32> {
        let digits = self.src[self.pos..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = self.text[self.pos..self.pos + digits].parse().ok();
        self.pos += digits;
        number.filter(|_| digits <= MAX_DIGITS)
    }

    /// Handle and prefix behind `%TAG`.
    fn tag_directive(&mut self, start: usize) -> Result<Option<Tok<'a>>, Bad> {
        self.skip_blanks();
        let from = self.pos;
        if self.at(0) != Some(b'!') {
            return Ok(None);
        }
        self.pos += 1;
        self.pos += self.word_len();
        if self.at(0) == Some(b'!') {
            self.pos += 1;
        } else if self.pos > from + 1 {
            return Ok(None);
        }
        let handle = self.text[from..self.pos].to_owned();
        if !self.blank_at(0) {
            return Ok(None);
        }
        self.skip_blanks();
        let prefix = self.tag_uri(true, start)?;
        let fine = !prefix.is_empty() && self.blank_or_end(0);
        Ok(fine.then_some(Tok::TagDirective(handle, prefix)))
    }
}

fn unknown(at: usize) -> Bad {
    Bad::new(at, "this `%` line is no YAML directive that planfile reads; remove or quote it")
}
