//! The block subset that PyYAML itself emits, parsed line by line: ten times as fast as `full`, and never in doubt.
//!
//! It takes maps of bare keys, `- ` items, plain and quoted scalars (also folded over lines), `{}` and `[]`. At the
//! first thing it does not know for certain (tabs, comments between lines, anchors, tags, flow collections, block
//! scalars, quoted keys, CR) it answers "not mine" and the caller asks `full`. Invariant: what it does
//! take is the very tape that `full` makes; the tests compare the two on the corpus and on generated documents.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memchr3};

use super::scan::Scanner;
use super::tape::{Kind, Tape};

/// Deepest nesting taken here; far less than what `full` allows.
const MAX_DEPTH: usize = 40;

/// Longest key taken here, well below the 1,024 characters in which libyaml looks for a colon.
const MAX_KEY: usize = 200;

/// Parses `text` from the line start `from` into `tape`. `None` when the text is not surely mine. The caller has made
/// sure (`layout`) that no line ends at NEL, LS or PS.
pub(super) fn parse<'a>(text: &'a str, from: usize, tape: &mut Tape<'a>) -> Option<()> {
    tape.clear();
    let mut lines = Lines { text, bytes: text.as_bytes(), pos: from, end: from, tape, scanner: None };
    let indent = lines.indent()??;
    lines.pos += indent;
    lines.map(indent, 0)?;
    lines.indent()?.is_none().then_some(())
}

struct Lines<'a, 't> {
    text: &'a str,
    bytes: &'a [u8],
    /// Where the next token begins; between lines, a line start.
    pos: usize,
    /// End of the last node.
    end: usize,
    tape: &'t mut Tape<'a>,
    /// For quoted scalars with escapes or line ends.
    scanner: Option<Scanner<'a>>,
}

impl<'a> Lines<'a, '_> {
    /// Indentation of the line at hand; `Some(None)` when only blank lines and comments are left.
    fn indent(&self) -> Option<Option<usize>> {
        let rest = &self.bytes[self.pos..];
        let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
        match rest.get(spaces) {
            None => Some(None),
            Some(b'\n' | b'#') => self.nothing_left().then_some(None),
            Some(b'\t' | b'\r') => None,
            Some(_) => Some(Some(spaces)),
        }
    }

    fn nothing_left(&self) -> bool {
        let rest = &self.bytes[self.pos..];
        // A tab before a comment is something for `full`; so is a CR, which ends a line and with it a comment.
        memchr2(b'\t', b'\r', rest).is_none()
            && rest.split(|byte| *byte == b'\n').all(|line| {
                let line = line.trim_ascii_start();
                line.is_empty() || line[0] == b'#'
            })
    }

    /// A mapping whose first key is at hand, at column `column`.
    fn map(&mut self, column: usize, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        let index = self.tape.push(Kind::BlockMap, self.pos, self.pos, Cow::Borrowed(""));
        loop {
            let key = self.key_len(self.pos)?;
            let start = self.pos;
            self.tape.push(Kind::Plain, start, start + key, Cow::Borrowed(&self.text[start..start + key]));
            self.pos = start + key + 1;
            self.value(column, depth)?;
            match self.indent()? {
                Some(indent) if indent == column && !self.dash(self.pos + indent) => self.pos += indent,
                Some(indent) if indent > column => return None,
                _ => break,
            }
        }
        self.tape.close(index, self.end);
        Some(())
    }

    /// The value behind a key of a mapping at `column`; the position is behind the colon.
    fn value(&mut self, column: usize, depth: usize) -> Option<()> {
        match self.bytes.get(self.pos) {
            Some(b'\n') => {
                let after = self.pos;
                self.pos += 1;
                match self.indent()? {
                    Some(indent) if self.dash(self.pos + indent) && indent >= column => {
                        self.pos += indent;
                        self.seq(indent, column, depth + 1)
                    }
                    Some(indent) if indent > column => {
                        self.pos += indent;
                        self.map(indent, depth + 1)
                    }
                    _ => {
                        self.tape.push(Kind::Plain, after, after, Cow::Borrowed(""));
                        self.end = after;
                        Some(())
                    }
                }
            }
            Some(b' ') => {
                while self.bytes.get(self.pos) == Some(&b' ') {
                    self.pos += 1;
                }
                self.scalar(column)
            }
            _ => None,
        }
    }

    /// A list whose first dash is at hand, at `column`. `parent` is the column of the mapping that holds it.
    fn seq(&mut self, column: usize, parent: usize, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        let index = self.tape.push(Kind::BlockSeq, self.pos, self.pos, Cow::Borrowed(""));
        loop {
            self.pos += 2;
            if self.dash(self.pos) {
                self.seq(column + 2, column + 2, depth + 1)?;
            } else if self.key_len(self.pos).is_some() {
                self.map(column + 2, depth + 1)?;
            } else {
                self.scalar(column)?;
            }
            match self.indent()? {
                Some(indent) if indent == column && self.dash(self.pos + indent) => self.pos += indent,
                Some(indent) if indent > column || (indent == column && column != parent) => return None,
                Some(indent) if indent > parent => return None,
                _ => break,
            }
        }
        self.tape.close(index, self.end);
        Some(())
    }

    /// Whether a `- ` begins at `at`.
    fn dash(&self, at: usize) -> bool {
        self.bytes.get(at) == Some(&b'-') && self.bytes.get(at + 1) == Some(&b' ')
    }

    /// Length of a bare key at `at` that is followed by a colon and a blank.
    fn key_len(&self, at: usize) -> Option<usize> {
        let rest = &self.bytes[at..];
        let word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/');
        let len = rest.iter().take(MAX_KEY).take_while(|byte| word(byte)).count();
        let fine = rest.get(len) == Some(&b':')
            && matches!(rest.get(len + 1), Some(b' ' | b'\n'))
            && rest.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
        fine.then_some(len)
    }

    /// A scalar or an empty flow collection that reaches to the end of a line, inside a block at `column`.
    fn scalar(&mut self, column: usize) -> Option<()> {
        let start = self.pos;
        match *self.bytes.get(start)? {
            quote @ (b'\'' | b'"') => self.quoted(quote),
            b'{' => self.empty(b'}', Kind::FlowMap),
            b'[' => self.empty(b']', Kind::FlowSeq),
            b'-' if self.bytes.get(start + 1).is_none_or(|byte| matches!(byte, b' ' | b'\n' | b'\t')) => None,
            b' ' | b'|' | b'>' | b'&' | b'*' | b'!' | b'%' | b'@' | b'`' | b'#' | b'?' | b':' | b','
            | b']' | b'}' | b'\n' | b'\t' | b'\r' => None,
            _ => self.plain(column),
        }
    }

    fn empty(&mut self, close: u8, kind: Kind) -> Option<()> {
        if self.bytes.get(self.pos + 1) != Some(&close) {
            return None;
        }
        self.tape.push(kind, self.pos, self.pos + 2, Cow::Borrowed(""));
        self.finish_line(self.pos + 2)
    }

    /// Ends a node at `at`, where the line must end as well.
    fn finish_line(&mut self, at: usize) -> Option<()> {
        self.end = at;
        match self.bytes.get(at) {
            None => self.pos = at,
            Some(b'\n') => self.pos = at + 1,
            Some(_) => return None,
        }
        Some(())
    }

    fn quoted(&mut self, quote: u8) -> Option<()> {
        let start = self.pos;
        let inside = &self.bytes[start + 1..];
        let close = memchr(quote, inside)?;
        let kind = if quote == b'\'' { Kind::Single } else { Kind::Double };
        // In single quotes a backslash is a character like any other.
        let escape = if quote == b'"' { b'\\' } else { b'\n' };
        let simple = memchr3(b'\n', b'\r', escape, &inside[..close]).is_none();
        if simple && inside.get(close + 1) != Some(&quote) {
            let end = start + close + 2;
            self.tape.push(kind, start, end, Cow::Borrowed(&self.text[start + 1..end - 1]));
            return self.finish_line(end);
        }
        let text = self.text;
        let scanner = self.scanner.get_or_insert_with(|| Scanner::new(text, start));
        let (value, end) = scanner.quoted_at(start)?;
        self.tape.push(kind, start, end, value);
        self.finish_line(end)
    }

    fn plain(&mut self, column: usize) -> Option<()> {
        let start = self.pos;
        let mut end = self.plain_line(start)?;
        let mut owned: Option<String> = None;
        loop {
            self.finish_line(end)?;
            let next = self.indent()?;
            let Some(indent) = next.filter(|indent| *indent > column) else { break };
            let from = self.pos + indent;
            let to = self.plain_line(from)?;
            let text = owned.get_or_insert_with(|| self.text[start..end].to_owned());
            text.push(' ');
            text.push_str(&self.text[from..to]);
            end = to;
        }
        let text = owned.map_or(Cow::Borrowed(&self.text[start..end]), Cow::Owned);
        self.tape.push(Kind::Plain, start, end, text);
        Some(())
    }

    /// End of a line of plain text: the line end. `None` when it may be more than plain text.
    fn plain_line(&self, from: usize) -> Option<usize> {
        let rest = &self.bytes[from..];
        let len = memchr(b'\n', rest).unwrap_or(rest.len());
        let line = &rest[..len];
        if matches!(line.last()?, b' ' | b'\t' | b'\r' | b':')
            || line[0] == b'#'
            || memchr2(b'\t', b'\r', line).is_some()
        {
            return None;
        }
        let mut at = 0;
        while let Some(found) = memchr2(b':', b'#', &line[at..]) {
            let found = at + found;
            let ends = if line[found] == b':' {
                line.get(found + 1) == Some(&b' ')
            } else {
                line[found - 1] == b' '
            };
            if ends {
                return None;
            }
            at = found + 1;
        }
        Some(from + len)
    }
}
