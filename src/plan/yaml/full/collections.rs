//! Lists and mappings, block and flow.

use std::borrow::Cow;

use super::super::fault::Bad;
use super::super::scan::Tok;
use super::super::tape::Kind;
use super::Parser;

impl<'a> Parser<'a, '_> {
    pub(super) fn block_seq(&mut self, at: usize, indentless: bool) -> Result<u64, Bad> {
        if !indentless {
            self.scanner.take()?;
        }
        let index = self.tape.push(Kind::BlockSeq, at, at, Cow::Borrowed(""));
        let mut weight = 1;
        loop {
            let token = self.scanner.peek()?;
            match token.tok {
                Tok::Entry => {
                    let after = token.end;
                    self.scanner.take()?;
                    let next = &self.scanner.peek()?.tok;
                    let empty = matches!(next, Tok::Entry | Tok::BlockEnd)
                        || (indentless && matches!(next, Tok::Key | Tok::Value));
                    weight += if empty { self.empty(after) } else { self.node(true, false)? };
                }
                Tok::BlockEnd if !indentless => {
                    self.scanner.take()?;
                    break;
                }
                _ if indentless => break,
                _ => {
                    let message = "this line is neither a `- ` item of the list above nor outside of it; align its indentation";
                    return Err(Bad::new(token.start, message));
                }
            }
        }
        self.tape.close(index, self.end);
        Ok(weight)
    }

    pub(super) fn block_map(&mut self, at: usize) -> Result<u64, Bad> {
        self.scanner.take()?;
        let index = self.tape.push(Kind::BlockMap, at, at, Cow::Borrowed(""));
        let mut weight = 1;
        loop {
            let token = self.scanner.peek()?;
            match token.tok {
                Tok::Key => weight += self.pair(true)?,
                Tok::BlockEnd => {
                    self.scanner.take()?;
                    break;
                }
                _ => {
                    let message = "this is neither a `key: value` of the block above nor outside of it; align its indentation";
                    return Err(Bad::new(token.start, message));
                }
            }
        }
        self.tape.close(index, self.end);
        Ok(weight)
    }

    /// One `key: value` of a block or flow mapping; either side may be missing.
    pub(super) fn pair(&mut self, block: bool) -> Result<u64, Bad> {
        let mut weight = 0;
        let token = self.scanner.peek()?;
        let (mut at, mut known) = (token.start, false);
        if token.tok == Tok::Key {
            at = token.end;
            self.scanner.take()?;
            known = true;
        }
        let next = &self.scanner.peek()?.tok;
        let bare = if block {
            !known || matches!(next, Tok::Key | Tok::Value | Tok::BlockEnd)
        } else {
            matches!(next, Tok::Value | Tok::Comma | Tok::FlowMapEnd)
        };
        weight += if bare { self.empty(at) } else { self.node(block, block)? };
        let after_key = self.end;
        if self.scanner.peek()?.tok != Tok::Value {
            return Ok(weight + self.empty(after_key));
        }
        let after = self.scanner.take()?.end;
        let next = &self.scanner.peek()?.tok;
        let bare = if block {
            matches!(next, Tok::Key | Tok::Value | Tok::BlockEnd)
        } else {
            matches!(next, Tok::Comma | Tok::FlowMapEnd)
        };
        Ok(weight + if bare { self.empty(after) } else { self.node(block, block)? })
    }

    pub(super) fn flow_seq(&mut self) -> Result<u64, Bad> {
        let open = self.scanner.take()?;
        let index = self.tape.push(Kind::FlowSeq, open.start, open.end, Cow::Borrowed(""));
        let mut weight = 1;
        let mut first = true;
        loop {
            let mut token = self.scanner.peek()?;
            if token.tok != Tok::FlowSeqEnd && !first {
                if token.tok != Tok::Comma {
                    return Err(unclosed(self.text, open.start, token.start, "[", "]"));
                }
                self.scanner.take()?;
                token = self.scanner.peek()?;
            }
            match token.tok {
                Tok::FlowSeqEnd => {
                    self.end = self.scanner.take()?.end;
                    self.tape.close(index, self.end);
                    return Ok(weight);
                }
                Tok::Key => {
                    let at = token.start;
                    weight += self.single_pair(at)?;
                }
                Tok::End => return Err(unclosed(self.text, open.start, token.start, "[", "]")),
                _ => weight += self.node(false, false)?,
            }
            first = false;
        }
    }

    /// `[a: b]`: a mapping of one pair inside a flow sequence.
    fn single_pair(&mut self, at: usize) -> Result<u64, Bad> {
        let index = self.tape.push(Kind::FlowMap, at, at, Cow::Borrowed(""));
        self.scanner.take()?;
        let next = &self.scanner.peek()?.tok;
        let mut weight = 1;
        if matches!(next, Tok::Value | Tok::Comma | Tok::FlowSeqEnd) {
            // After a missing key libyaml loses the token that told so: `[? ]` still waits for its end, `[? : ]` is fine.
            let end = self.scanner.take()?.end;
            weight += self.empty(end);
        } else {
            weight += self.node(false, false)?;
        }
        let mut after = self.end;
        let value = self.scanner.peek()?.tok == Tok::Value;
        if value {
            after = self.scanner.take()?.end;
        }
        let bare = !value || matches!(self.scanner.peek()?.tok, Tok::Comma | Tok::FlowSeqEnd);
        weight += if bare { self.empty(after) } else { self.node(false, false)? };
        self.tape.close(index, self.end);
        Ok(weight)
    }

    pub(super) fn flow_map(&mut self) -> Result<u64, Bad> {
        let open = self.scanner.take()?;
        let index = self.tape.push(Kind::FlowMap, open.start, open.end, Cow::Borrowed(""));
        let mut weight = 1;
        let mut first = true;
        loop {
            let mut token = self.scanner.peek()?;
            if token.tok != Tok::FlowMapEnd && !first {
                if token.tok != Tok::Comma {
                    return Err(unclosed(self.text, open.start, token.start, "{", "}"));
                }
                self.scanner.take()?;
                token = self.scanner.peek()?;
            }
            match token.tok {
                Tok::FlowMapEnd => {
                    self.end = self.scanner.take()?.end;
                    self.tape.close(index, self.end);
                    return Ok(weight);
                }
                Tok::Key => weight += self.pair(false)?,
                Tok::End => return Err(unclosed(self.text, open.start, token.start, "{", "}")),
                _ => {
                    // `{a, b}`: keys without values.
                    weight += self.node(false, false)?;
                    weight += self.empty(self.end);
                }
            }
            first = false;
        }
    }
}

fn unclosed(text: &str, open: usize, at: usize, left: &str, right: &str) -> Bad {
    // Past the line of the bracket it was most likely forgotten; on the line a comma may be missing.
    if text[open..at].contains(['\n', '\r']) || at == text.len() {
        Bad::new(open, format!("this `{left}` is never closed; add the `{right}` (was the file cut off?)"))
    } else {
        Bad::new(
            at,
            format!("a `,` or `{right}` is missing before this (the `{left}` may never have been closed)"),
        )
    }
}
