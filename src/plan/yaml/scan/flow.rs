//! Quoted scalars, single and double.

use std::borrow::Cow;

use super::super::fault::Bad;
use super::super::tape::Kind;
use super::plain::Gap;
use super::{Scanner, Tok, Token};

impl<'a> Scanner<'a> {
    /// Scans a quoted scalar; the position is at its opening quote.
    pub(super) fn quoted(&mut self, quote: u8) -> Result<(), Bad> {
        let start = self.pos;
        self.pos += 1;
        let kind = if quote == b'\'' { Kind::Single } else { Kind::Double };
        if let Some(text) = self.quoted_plainly(quote) {
            let end = self.pos;
            self.tokens.push_back(Token { tok: Tok::Scalar(kind, Cow::Borrowed(text)), start, end });
            return Ok(());
        }
        let mut out = String::new();
        let mut gap = Gap::default();
        loop {
            if self.column() == 0 && self.marker().is_some() {
                return Err(Bad::new(
                    start,
                    "this quote is still open where a document marker begins; close it",
                ));
            }
            if self.pos >= self.src.len() {
                return Err(Bad::new(start, "this quote is never closed; close it (was the file cut off?)"));
            }
            let joined = self.quoted_word(quote, start, &mut out)?;
            if self.at(0) == Some(quote) {
                break;
            }
            self.quoted_gap(&mut gap, joined, &mut out);
        }
        self.pos += 1;
        self.tokens.push_back(Token { tok: Tok::Scalar(kind, Cow::Owned(out)), start, end: self.pos });
        Ok(())
    }

    /// The quoted scalar at `at`, for a caller that scans lines itself: its text and its end.
    pub(in super::super) fn quoted_at(&mut self, at: usize) -> Option<(Cow<'a, str>, usize)> {
        self.tokens.clear();
        self.pos = at;
        self.line_start =
            self.src[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        self.quoted(*self.src.get(at)?).ok()?;
        let token = self.tokens.pop_front()?;
        match token.tok {
            Tok::Scalar(_, text) => Some((text, token.end)),
            _ => None,
        }
    }

    /// The common case: no escape, no line end before the closing quote. Leaves the position when it is not so.
    fn quoted_plainly(&mut self, quote: u8) -> Option<&'a str> {
        let from = self.pos;
        let mut at = from;
        loop {
            match *self.src.get(at)? {
                byte if byte == quote => break,
                b'\\' if quote == b'"' => return None,
                b'\n' | b'\r' => return None,
                0xC2 | 0xE2 if self.break_len(at) > 0 => return None,
                _ => at += 1,
            }
        }
        if quote == b'\'' && self.src.get(at + 1) == Some(&b'\'') {
            return None;
        }
        self.pos = at + 1;
        Some(&self.text[from..at])
    }

    /// Reads characters up to a blank, a break or the closing quote. True when it ended on an escaped line end.
    fn quoted_word(&mut self, quote: u8, start: usize, out: &mut String) -> Result<bool, Bad> {
        let mut from = self.pos;
        while let Some(byte) = self.at(0) {
            if byte == b'\'' && quote == b'\'' && self.at(1) == Some(b'\'') {
                out.push_str(&self.text[from..=self.pos]);
                self.pos += 2;
                from = self.pos;
            } else if byte == quote || byte == b' ' || byte == b'\t' || self.break_len(self.pos) > 0 {
                break;
            } else if byte == b'\\' && quote == b'"' {
                out.push_str(&self.text[from..self.pos]);
                let len = self.break_len(self.pos + 1);
                if len > 0 {
                    self.pos += 1;
                    self.newline(len);
                    return Ok(true);
                }
                self.escape(start, out)?;
                from = self.pos;
            } else {
                self.pos += 1;
            }
        }
        out.push_str(&self.text[from..self.pos]);
        Ok(false)
    }

    fn quoted_gap(&mut self, gap: &mut Gap, joined: bool, out: &mut String) {
        let mut crossed = joined;
        let from = self.pos;
        let mut spaces = from;
        loop {
            if self.blank_at(0) {
                self.pos += 1;
                if !crossed {
                    spaces = self.pos;
                }
            } else if self.break_len(self.pos) > 0 {
                let text = self.read_break();
                if crossed && gap.first.is_none() {
                    // After an escaped line end every further break counts in full.
                    gap.rest.push_str(text);
                } else {
                    gap.push(text);
                }
                crossed = true;
            } else {
                break;
            }
        }
        if crossed {
            if gap.first.is_some() {
                gap.fold_into(out);
            } else {
                out.push_str(&gap.rest);
                gap.clear();
            }
        } else {
            out.push_str(&self.text[from..spaces]);
        }
    }

    /// Reads one escape of a double-quoted scalar; the position is at the backslash.
    fn escape(&mut self, start: usize, out: &mut String) -> Result<(), Bad> {
        let Some(byte) = self.at(1) else {
            return Err(Bad::new(start, "this quote is never closed; close it (was the file cut off?)"));
        };
        let plain = match byte {
            b'0' => '\0',
            b'a' => '\x07',
            b'b' => '\x08',
            b't' | b'\t' => '\t',
            b'n' => '\n',
            b'v' => '\x0b',
            b'f' => '\x0c',
            b'r' => '\r',
            b'e' => '\x1b',
            b' ' => ' ',
            b'"' => '"',
            b'/' => '/',
            b'\\' => '\\',
            b'N' => '\u{85}',
            b'_' => '\u{a0}',
            b'L' => '\u{2028}',
            b'P' => '\u{2029}',
            b'x' => return self.hex(2, out),
            b'u' => return self.hex(4, out),
            b'U' => return self.hex(8, out),
            _ => {
                return Err(Bad::new(
                    self.pos,
                    "this backslash escape is not one of YAML's; double the backslash or use single quotes",
                ));
            }
        };
        out.push(plain);
        self.pos += 2;
        Ok(())
    }

    fn hex(&mut self, digits: usize, out: &mut String) -> Result<(), Bad> {
        let at = self.pos;
        let code = self
            .src
            .get(at + 2..at + 2 + digits)
            .filter(|bytes| bytes.iter().all(u8::is_ascii_hexdigit))
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .and_then(|text| u32::from_str_radix(text, 16).ok());
        let Some(code) = code else {
            return Err(Bad::new(
                at,
                format!("this escape needs {digits} hexadecimal digits; write them or double the backslash"),
            ));
        };
        let Some(character) = char::from_u32(code) else {
            return Err(Bad::new(
                at,
                "this escape is half of a surrogate pair or no character at all; write the character itself or \\U with 8 digits",
            ));
        };
        out.push(character);
        self.pos += 2 + digits;
        Ok(())
    }
}
