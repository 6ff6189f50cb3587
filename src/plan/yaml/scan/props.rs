//! Anchors, aliases and tags.

use super::super::fault::Bad;
use super::{Scanner, Tok, Token};

impl<'a> Scanner<'a> {
    /// Scans `&name` or `*name`.
    pub(super) fn fetch_anchor(&mut self, alias: bool) -> Result<(), Bad> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.pos;
        self.pos += 1;
        let from = self.pos;
        while self.at(0).is_some_and(is_word) {
            self.pos += 1;
        }
        let ends_well = self.blank_or_end(0)
            || matches!(self.at(0), Some(b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`'));
        if self.pos == from || !ends_well {
            let what = if alias { "`*` begins an alias" } else { "`&` begins an anchor" };
            return Err(Bad::new(
                start,
                format!(
                    "{what}, and its name must be letters, digits, `-` or `_`; quote the text if it is none"
                ),
            ));
        }
        let name = &self.text[from..self.pos];
        let tok = if alias { Tok::Alias(name) } else { Tok::Anchor(name) };
        self.tokens.push_back(Token { tok, start, end: self.pos });
        Ok(())
    }

    /// Scans `!tag`, `!!tag`, `!h!tag` or `!<uri>`.
    pub(super) fn fetch_tag(&mut self) -> Result<(), Bad> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.pos;
        let (handle, suffix) = if self.at(1) == Some(b'<') {
            self.pos += 2;
            let uri = self.tag_uri(true, start)?;
            if uri.is_empty() || self.at(0) != Some(b'>') {
                return Err(bad_tag(start));
            }
            self.pos += 1;
            ("", uri)
        } else {
            self.pos += 1;
            let word = self.word_len();
            if self.at(word) == Some(b'!') {
                self.pos += word + 1;
                let suffix = self.tag_uri(false, start)?;
                if suffix.is_empty() {
                    return Err(bad_tag(start));
                }
                (&self.text[start..start + word + 2], suffix)
            } else {
                let suffix = self.tag_uri(false, start)?;
                if suffix.is_empty() { ("", "!".to_owned()) } else { ("!", suffix) }
            }
        };
        if !self.blank_or_end(0) && (self.keys.len() == 1 || self.at(0) != Some(b',')) {
            return Err(bad_tag(start));
        }
        self.tokens.push_back(Token { tok: Tok::Tag(handle, suffix), start, end: self.pos });
        Ok(())
    }

    pub(super) fn word_len(&self) -> usize {
        let mut len = 0;
        while self.at(len).is_some_and(is_word) {
            len += 1;
        }
        len
    }

    /// Reads a tag's URI; flow indicators end it unless `verbatim`. `%XX` escapes are decoded.
    pub(super) fn tag_uri(&mut self, verbatim: bool, start: usize) -> Result<String, Bad> {
        let mut bytes = Vec::new();
        while let Some(byte) = self.at(0) {
            match byte {
                b'%' => {
                    let digits = self.text.get(self.pos + 1..self.pos + 3);
                    // `from_str_radix` would take a sign as well.
                    let digits =
                        digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
                    let code = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                    bytes.push(code.ok_or_else(|| bad_tag(start))?);
                    self.pos += 2;
                }
                b',' | b'[' | b']' if !verbatim => break,
                b';' | b'/' | b'?' | b':' | b'@' | b'&' | b'=' | b'+' | b'$' | b'.' | b'!' | b'~' | b'*'
                | b'\'' | b'(' | b')' | b',' | b'[' | b']' => bytes.push(byte),
                byte if is_word(byte) => bytes.push(byte),
                _ => break,
            }
            self.pos += 1;
        }
        String::from_utf8(bytes).map_err(|_| bad_tag(start))
    }
}

pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

fn bad_tag(at: usize) -> Bad {
    Bad::new(at, "`!` begins a tag, and this is not a well-formed one; quote the text if it is no tag")
}
