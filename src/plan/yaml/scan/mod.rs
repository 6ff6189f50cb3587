//! Tokens of a YAML 1.1 text, by the rules of libyaml 0.2.5, which is what planfile's loader runs on.
//!
//! Accepting exactly what libyaml accepts matters more than accepting YAML: a text that this scanner reads and planfile
//! refuses is a file that planfile would silently treat as empty. Positions are byte offsets. Columns are counted in
//! bytes from the line start; they differ from libyaml's only after non-ASCII text on the same line, where no block
//! collection can begin. The caller has checked that the text holds no forbidden characters (`super::fault`).

mod block;
mod flow;
mod plain;
mod props;

use std::borrow::Cow;
use std::collections::VecDeque;

use super::fault::Bad;
use super::tape::Kind;

/// Deepest nesting of flow collections; Python fails near 900, and nobody writes 100.
pub(super) const MAX_DEPTH: usize = 100;

/// Longest implicit key in characters (YAML 1.1 §7.4).
const MAX_KEY: usize = 1024;

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tok<'a> {
    /// End of the text.
    End,
    /// `---`.
    DocStart,
    /// `...`.
    DocEnd,
    /// `%YAML`; true when the version is one that libyaml reads.
    Version(bool),
    /// `%TAG handle prefix`.
    TagDirective(String, String),
    /// A block sequence begins.
    SeqStart,
    /// A block mapping begins.
    MapStart,
    /// A block collection ends.
    BlockEnd,
    /// `[`.
    FlowSeqStart,
    /// `]`.
    FlowSeqEnd,
    /// `{`.
    FlowMapStart,
    /// `}`.
    FlowMapEnd,
    /// `- `.
    Entry,
    /// `,`.
    Comma,
    /// A key follows.
    Key,
    /// A value follows.
    Value,
    /// `*name`.
    Alias(&'a str),
    /// `&name`.
    Anchor(&'a str),
    /// Handle (empty for a verbatim tag) and suffix.
    Tag(&'a str, String),
    /// A scalar with its style.
    Scalar(Kind, Cow<'a, str>),
}

/// A token and its bytes.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    /// What it is.
    pub(super) tok: Tok<'a>,
    /// First byte.
    pub(super) start: usize,
    /// One past the last byte.
    pub(super) end: usize,
}

/// A place where an implicit key may have begun.
#[derive(Clone, Copy, Debug, Default)]
struct SimpleKey {
    possible: bool,
    required: bool,
    token: usize,
    pos: usize,
    column: usize,
    line: usize,
}

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

    /// Whether an implicit key may still come at this flow level; a required one that cannot is an error.
    fn key_valid(&mut self, level: usize) -> Result<bool, Bad> {
        let key = self.keys[level];
        if !key.possible {
            return Ok(false);
        }
        let far = self.pos - key.pos > MAX_KEY
            && (self.pos - key.pos > MAX_KEY * 4 || self.text[key.pos..self.pos].chars().count() > MAX_KEY);
        if key.line < self.line || far {
            if key.required {
                return Err(missing_colon(key.pos));
            }
            self.keys[level].possible = false;
            return Ok(false);
        }
        Ok(true)
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

    fn save_key(&mut self) -> Result<(), Bad> {
        if self.key_allowed {
            let key = SimpleKey {
                possible: true,
                required: self.keys.len() == 1 && self.indent == self.column() as isize,
                token: self.taken + self.tokens.len(),
                pos: self.pos,
                column: self.column(),
                line: self.line,
            };
            self.drop_key()?;
            if let Some(slot) = self.keys.last_mut() {
                *slot = key;
            }
        }
        Ok(())
    }

    fn drop_key(&mut self) -> Result<(), Bad> {
        if let Some(key) = self.keys.last_mut() {
            if key.possible && key.required {
                return Err(missing_colon(key.pos));
            }
            key.possible = false;
        }
        Ok(())
    }

    /// Opens a block collection when `column` is deeper than the current one.
    fn roll(&mut self, column: isize, before: Option<usize>, tok: Tok<'a>, at: usize) {
        if self.keys.len() > 1 || self.indent >= column {
            return;
        }
        self.indents.push(self.indent);
        self.indent = column;
        let token = Token { tok, start: at, end: at };
        match before {
            Some(number) => self.tokens.insert(number - self.taken, token),
            None => self.tokens.push_back(token),
        }
    }

    /// Closes the block collections deeper than `column`.
    fn unroll(&mut self, column: isize) {
        if self.keys.len() > 1 {
            return;
        }
        while self.indent > column {
            self.tokens.push_back(Token { tok: Tok::BlockEnd, start: self.pos, end: self.pos });
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn column(&self) -> usize {
        self.pos - self.line_start
    }

    fn at(&self, ahead: usize) -> Option<u8> {
        self.src.get(self.pos + ahead).copied()
    }

    fn blank_at(&self, ahead: usize) -> bool {
        matches!(self.at(ahead), Some(b' ' | b'\t'))
    }

    fn blank_or_end(&self, ahead: usize) -> bool {
        self.at(ahead).is_none() || self.blank_at(ahead) || self.break_len(self.pos + ahead) > 0
    }

    /// Bytes of the line break at `at`, 0 if there is none. YAML 1.1 also breaks lines at NEL, LS and PS.
    fn break_len(&self, at: usize) -> usize {
        match self.src.get(at) {
            Some(b'\n') => 1,
            Some(b'\r') => 1 + usize::from(self.src.get(at + 1) == Some(&b'\n')),
            Some(0xC2) if self.src.get(at + 1) == Some(&0x85) => 2,
            Some(0xE2)
                if self.src.get(at + 1) == Some(&0x80)
                    && matches!(self.src.get(at + 2), Some(0xA8 | 0xA9)) =>
            {
                3
            }
            _ => 0,
        }
    }

    /// Moves past a line break of `len` bytes.
    fn newline(&mut self, len: usize) {
        self.pos += len;
        self.line_start = self.pos;
        self.line += 1;
    }

    /// Moves past a line break and says how it reads: every break is `\n` but LS and PS, which stay.
    fn read_break(&mut self) -> &'a str {
        let len = self.break_len(self.pos);
        let text = if len == 3 { &self.text[self.pos..self.pos + 3] } else { "\n" };
        self.newline(len);
        text
    }

    fn marker(&self) -> Option<Tok<'a>> {
        if !self.blank_or_end(3) {
            return None;
        }
        match self.src.get(self.pos..self.pos + 3)? {
            b"---" => Some(Tok::DocStart),
            b"..." => Some(Tok::DocEnd),
            _ => None,
        }
    }

    fn skip_to_token(&mut self) {
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

fn missing_colon(at: usize) -> Bad {
    Bad::new(
        at,
        "this line is neither a `key: value` nor a list item of its block; add the missing `:` or indent it",
    )
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
