//! Implicit keys and indentation: where a block mapping may have begun, and which block collections are open.

use super::super::fault::Bad;
use super::{Scanner, Tok, Token};

/// Longest implicit key in characters (YAML 1.1 §7.4).
const MAX_KEY: usize = 1024;

/// A place where an implicit key may have begun.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SimpleKey {
    pub(super) possible: bool,
    pub(super) required: bool,
    pub(super) token: usize,
    pub(super) pos: usize,
    pub(super) column: usize,
    pub(super) line: usize,
}

impl<'a> Scanner<'a> {
    /// Whether an implicit key may still come at this flow level; a required one that cannot is an error.
    pub(super) fn key_valid(&mut self, level: usize) -> Result<bool, Bad> {
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

    pub(super) fn save_key(&mut self) -> Result<(), Bad> {
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

    pub(super) fn drop_key(&mut self) -> Result<(), Bad> {
        if let Some(key) = self.keys.last_mut() {
            if key.possible && key.required {
                return Err(missing_colon(key.pos));
            }
            key.possible = false;
        }
        Ok(())
    }

    /// Opens a block collection when `column` is deeper than the current one.
    pub(super) fn roll(&mut self, column: isize, before: Option<usize>, tok: Tok<'a>, at: usize) {
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
    pub(super) fn unroll(&mut self, column: isize) {
        if self.keys.len() > 1 {
            return;
        }
        while self.indent > column {
            self.tokens.push_back(Token { tok: Tok::BlockEnd, start: self.pos, end: self.pos });
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }
}

fn missing_colon(at: usize) -> Bad {
    Bad::new(
        at,
        "this line is neither a `key: value` nor a list item of its block; add the missing `:` or indent it",
    )
}
