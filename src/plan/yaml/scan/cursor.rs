//! Moving over the text: columns, line breaks, comments, document markers.

use super::{Scanner, Tok};

impl<'a> Scanner<'a> {
    pub(super) fn column(&self) -> usize {
        self.pos - self.line_start
    }

    pub(super) fn at(&self, ahead: usize) -> Option<u8> {
        self.src.get(self.pos + ahead).copied()
    }

    pub(super) fn blank_at(&self, ahead: usize) -> bool {
        matches!(self.at(ahead), Some(b' ' | b'\t'))
    }

    pub(super) fn blank_or_end(&self, ahead: usize) -> bool {
        self.at(ahead).is_none() || self.blank_at(ahead) || self.break_len(self.pos + ahead) > 0
    }

    /// As [`break_len`] in the text at hand.
    pub(super) fn break_len(&self, at: usize) -> usize {
        break_len(self.src, at)
    }

    /// Moves past a line break of `len` bytes.
    pub(super) fn newline(&mut self, len: usize) {
        self.pos += len;
        self.line_start = self.pos;
        self.line += 1;
    }

    /// Moves past a line break and says how it reads: every break is `\n` but LS and PS, which stay.
    pub(super) fn read_break(&mut self) -> &'a str {
        let len = self.break_len(self.pos);
        let text = if len == 3 { &self.text[self.pos..self.pos + 3] } else { "\n" };
        self.newline(len);
        text
    }

    pub(super) fn marker(&self) -> Option<Tok<'a>> {
        if !self.blank_or_end(3) {
            return None;
        }
        match self.src.get(self.pos..self.pos + 3)? {
            b"---" => Some(Tok::DocStart),
            b"..." => Some(Tok::DocEnd),
            _ => None,
        }
    }

    pub(super) fn skip_to_token(&mut self) {
        loop {
            // libyaml passes over a byte order mark at any line start and counts it as one column.
            if self.column() == 0 && self.src[self.pos..].starts_with(b"\xEF\xBB\xBF") {
                self.pos += 3;
                self.line_start += 2;
            }
            let tabs = self.keys.len() > 1 || !self.key_allowed;
            while self.at(0) == Some(b' ') || (tabs && self.at(0) == Some(b'\t')) {
                self.pos += 1;
            }
            if self.at(0) == Some(b'#') {
                while self.at(0).is_some() && self.break_len(self.pos) == 0 {
                    self.pos += 1;
                }
            }
            let len = self.break_len(self.pos);
            if len == 0 {
                return;
            }
            self.newline(len);
            if self.keys.len() == 1 {
                self.key_allowed = true;
            }
        }
    }
}

/// Bytes of the line break at `at`, 0 if there is none. YAML 1.1 also breaks lines at NEL, LS and PS.
pub(in super::super) fn break_len(src: &[u8], at: usize) -> usize {
    match src.get(at) {
        Some(b'\n') => 1,
        Some(b'\r') => 1 + usize::from(src.get(at + 1) == Some(&b'\n')),
        Some(0xC2) if src.get(at + 1) == Some(&0x85) => 2,
        Some(0xE2) if src.get(at + 1) == Some(&0x80) && matches!(src.get(at + 2), Some(0xA8 | 0xA9)) => 3,
        _ => 0,
    }
}
