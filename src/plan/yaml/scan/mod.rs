//! Tokens of a YAML 1.1 text, by the rules of libyaml 0.2.5, which is what planfile's loader runs on.
//!
//! Accepting exactly what libyaml accepts matters more than accepting YAML: a text that this scanner reads and planfile
//! refuses is a file that planfile would silently treat as empty. Positions are byte offsets. Columns are counted in
//! bytes from the line start; they differ from libyaml's only after non-ASCII text on the same line, where no block
//! collection can begin. The caller has checked that the text holds no forbidden characters (`super::fault`).

mod block;
mod cursor;
mod directive;
mod flow;
mod keys;
mod plain;
mod props;
mod token;

use std::collections::VecDeque;

use super::fault::Bad;
pub(super) use cursor::break_len;
use keys::SimpleKey;
pub(super) use token::{Tok, Token};

/// Deepest nesting of flow collections; Python fails near 900, and nobody writes 100.
pub(super) const MAX_DEPTH: usize = 100;

/// The scanner.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    src: &'a [u8],
    pos: usize,
    line_start: usize,
    line: usize,
    tokens: VecDeque<Token<'a>>,
    taken: usize,
    indent: isize,
    indents: Vec<isize>,
    keys: Vec<SimpleKey>,
    key_allowed: bool,
    ended: bool,
}

impl<'a> Scanner<'a> {
    /// A scanner over `text` from byte `from` (past a byte order mark, if any), which is a line start.
    pub(super) fn new(text: &'a str, from: usize) -> Self {
        Scanner {
            text,
            src: text.as_bytes(),
            pos: from,
            line_start: from,
            line: 0,
            tokens: VecDeque::new(),
            taken: 0,
            indent: -1,
            indents: Vec::new(),
            keys: vec![SimpleKey::default()],
            key_allowed: true,
            ended: false,
        }
    }

    /// The next token, not taken.
    pub(super) fn peek(&mut self) -> Result<&Token<'a>, Bad> {
        self.fill()?;
        match self.tokens.front() {
            Some(token) => Ok(token),
            None => Err(Bad::new(self.pos, "the text ends too early")),
        }
    }

    /// Takes the next token.
    pub(super) fn take(&mut self) -> Result<Token<'a>, Bad> {
        self.fill()?;
        self.taken += 1;
        self.tokens.pop_front().ok_or_else(|| Bad::new(self.pos, "the text ends too early"))
    }

    /// Fetches until the first token cannot change any more (a later `:` may turn it into a key).
    fn fill(&mut self) -> Result<(), Bad> {
        loop {
            let mut need = self.tokens.is_empty();
            if !need {
                for level in 0..self.keys.len() {
                    if self.key_valid(level)? && self.keys[level].token == self.taken {
                        need = true;
                        break;
                    }
                }
            }
            if !need || self.ended {
                return Ok(());
            }
            self.fetch()?;
        }
    }

    fn fetch(&mut self) -> Result<(), Bad> {
        self.skip_to_token();
        for level in 0..self.keys.len() {
            self.key_valid(level)?;
        }
        self.unroll(self.column() as isize);
        let Some(&byte) = self.src.get(self.pos) else { return self.fetch_end() };
        if self.column() == 0 {
            if byte == b'%' {
                return self.fetch_directive();
            }
            if let Some(tok) = self.marker() {
                self.reset_for_marker()?;
                return self.emit(tok, 3);
            }
        }
        let in_flow = self.keys.len() > 1;
        match byte {
            b'[' => self.flow_start(Tok::FlowSeqStart),
            b'{' => self.flow_start(Tok::FlowMapStart),
            b']' => self.flow_end(Tok::FlowSeqEnd),
            b'}' => self.flow_end(Tok::FlowMapEnd),
            b',' => {
                self.drop_key()?;
                self.key_allowed = true;
                self.emit(Tok::Comma, 1)
            }
            b'-' if self.blank_or_end(1) => self.fetch_entry(),
            b'?' if in_flow || self.blank_or_end(1) => self.fetch_key(),
            b':' if in_flow || self.blank_or_end(1) => self.fetch_value(),
            b'*' | b'&' => self.fetch_anchor(byte == b'*'),
            b'!' => self.fetch_tag(),
            b'|' | b'>' if !in_flow => {
                self.drop_key()?;
                self.key_allowed = true;
                self.block_scalar(byte == b'|')
            }
            b'\'' | b'"' => {
                self.save_key()?;
                self.key_allowed = false;
                self.quoted(byte)
            }
            _ if self.starts_plain(byte, in_flow) => {
                self.save_key()?;
                self.key_allowed = false;
                self.plain()
            }
            b'\t' => Err(Bad::new(
                self.pos,
                "a tab stands where spaces must indent the line; replace it with spaces",
            )),
            _ => Err(cannot_start(self.pos, byte)),
        }
    }

    fn starts_plain(&self, byte: u8, in_flow: bool) -> bool {
        match byte {
            b'-' => !self.blank_at(1),
            b'?' | b':' => !in_flow && !self.blank_or_end(1),
            b' ' | b'\t' | b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>'
            | b'\'' | b'"' | b'%' | b'@' | b'`' => false,
            _ => self.break_len(self.pos) == 0,
        }
    }

    fn fetch_end(&mut self) -> Result<(), Bad> {
        self.unroll(-1);
        self.drop_key()?;
        self.key_allowed = false;
        self.ended = true;
        self.emit(Tok::End, 0)
    }

    fn reset_for_marker(&mut self) -> Result<(), Bad> {
        self.unroll(-1);
        self.drop_key()?;
        self.key_allowed = false;
        Ok(())
    }

    fn fetch_entry(&mut self) -> Result<(), Bad> {
        if self.keys.len() == 1 {
            if !self.key_allowed {
                return Err(Bad::new(
                    self.pos,
                    "a list item (`- `) may not stand here; put it on a line of its own",
                ));
            }
            self.roll(self.column() as isize, None, Tok::SeqStart, self.pos);
        }
        self.drop_key()?;
        self.key_allowed = true;
        self.emit(Tok::Entry, 1)
    }

    fn fetch_key(&mut self) -> Result<(), Bad> {
        if self.keys.len() == 1 {
            if !self.key_allowed {
                return Err(Bad::new(self.pos, "a mapping key (`? `) may not stand here"));
            }
            self.roll(self.column() as isize, None, Tok::MapStart, self.pos);
        }
        self.drop_key()?;
        self.key_allowed = self.keys.len() == 1;
        self.emit(Tok::Key, 1)
    }

    fn fetch_value(&mut self) -> Result<(), Bad> {
        let level = self.keys.len() - 1;
        let key = self.keys[level];
        if key.possible {
            let token = Token { tok: Tok::Key, start: key.pos, end: key.pos };
            self.tokens.insert(key.token - self.taken, token);
            self.roll(key.column as isize, Some(key.token), Tok::MapStart, key.pos);
            self.keys[level].possible = false;
            self.key_allowed = false;
        } else {
            if level == 0 {
                if !self.key_allowed {
                    let message = "a second `: ` stands in this line (or the line is indented deeper than its \
                                   neighbours); quote the text or align the key";
                    return Err(Bad::new(self.pos, message));
                }
                self.roll(self.column() as isize, None, Tok::MapStart, self.pos);
            }
            self.key_allowed = level == 0;
        }
        self.emit(Tok::Value, 1)
    }

    fn flow_start(&mut self, tok: Tok<'a>) -> Result<(), Bad> {
        self.save_key()?;
        if self.keys.len() > MAX_DEPTH {
            return Err(too_deep(self.pos));
        }
        self.keys.push(SimpleKey::default());
        self.key_allowed = true;
        self.emit(tok, 1)
    }

    fn flow_end(&mut self, tok: Tok<'a>) -> Result<(), Bad> {
        self.drop_key()?;
        if self.keys.len() > 1 {
            self.keys.pop();
        }
        self.key_allowed = false;
        self.emit(tok, 1)
    }

    /// Queues a token of `len` bytes from the current position and moves past it.
    fn emit(&mut self, tok: Tok<'a>, len: usize) -> Result<(), Bad> {
        let start = self.pos;
        self.pos += len;
        self.tokens.push_back(Token { tok, start, end: self.pos });
        Ok(())
    }
}

/// The message for nesting that is only ever hostile.
pub(super) fn too_deep(at: usize) -> Bad {
    Bad::new(
        at,
        format!(
            "nested more than {MAX_DEPTH} levels deep; planfile would fail on it and read the file as empty"
        ),
    )
}

fn cannot_start(at: usize, byte: u8) -> Bad {
    let character = char::from(byte);
    Bad::new(at, format!("`{character}` cannot begin a plain value; put the value in quotes"))
}
