//! Pieces of words: quotes, expansions and substitutions.

use super::{End, Lexer, List, MAX_DEPTH, Piece, Word};

/// How far the end of an arithmetic expression is looked for.
const MAX_ARITHMETIC: usize = 2048;

impl Lexer {
    /// One piece of an unquoted word, quotes included.
    pub(super) fn word_piece(&mut self, list: &mut List) {
        let Some(c) = self.peek(0) else { return };
        self.at += 1;
        if c == '\\' {
            let Some(next) = self.peek(0) else { return };
            self.at += 1;
            // A backslash before a line end joins the lines.
            if next != '\n' {
                list.word.get_or_insert_default().push(Piece::Char(next, true));
            }
            return;
        }
        let mut word = list.word.take().unwrap_or_default();
        match c {
            '\'' => self.single_quoted(&mut word),
            '"' => self.double_quoted(&mut word),
            '`' => word.push(self.backticks()),
            '$' => self.dollar(&mut word, false),
            _ => word.push(Piece::Char(c, false)),
        }
        list.word = Some(word);
    }

    pub(super) fn single_quoted(&mut self, word: &mut Word) {
        while let Some(c) = self.peek(0) {
            self.at += 1;
            if c == '\'' {
                break;
            }
            word.push(Piece::Char(c, true));
        }
    }

    pub(super) fn double_quoted(&mut self, word: &mut Word) {
        while let Some(c) = self.peek(0) {
            self.at += 1;
            match c {
                '"' => break,
                '\\' => match self.peek(0) {
                    Some('\n') => self.at += 1,
                    Some(next @ ('$' | '`' | '"' | '\\')) => {
                        self.at += 1;
                        word.push(Piece::Char(next, true));
                    }
                    _ => word.push(Piece::Char('\\', true)),
                },
                '`' => word.push(self.backticks()),
                '$' => self.dollar(word, true),
                _ => word.push(Piece::Char(c, true)),
            }
        }
    }

    /// After an opening backtick.
    pub(super) fn backticks(&mut self) -> Piece {
        let mut body = String::new();
        while let Some(c) = self.peek(0) {
            self.at += 1;
            match (c, self.peek(0)) {
                ('`', _) => break,
                ('\\', Some(next @ ('`' | '\\' | '$'))) => {
                    self.at += 1;
                    body.push(next);
                }
                _ => body.push(c),
            }
        }
        self.nested(&body, |lexer| lexer.list(End::Text));
        Piece::Output(body)
    }

    /// After `$(`, `<(` or `>(`.
    pub(super) fn substitution(&mut self) -> Piece {
        let start = self.at;
        if self.depth >= MAX_DEPTH {
            self.script.overflow = true;
            self.at = self.chars.len();
        } else {
            self.depth += 1;
            self.list(End::Parenthesis);
            self.depth -= 1;
        }
        let end = self.at.saturating_sub(1).max(start);
        Piece::Output(self.chars[start..end].iter().collect())
    }

    /// After `$`.
    pub(super) fn dollar(&mut self, word: &mut Word, quoted: bool) {
        match self.peek(0) {
            Some('(') => {
                self.at += 1;
                let arithmetic = (self.peek(0) == Some('(')).then(|| self.arithmetic_end()).flatten();
                match arithmetic {
                    Some(end) => {
                        let body: String = self.chars[self.at + 1..end].iter().collect();
                        self.at = end + 2;
                        self.expansions_of(&body);
                        word.push(Piece::Output(format!("({body})")));
                    }
                    None => {
                        let output = self.substitution();
                        word.push(output);
                    }
                }
            }
            Some('{') => {
                self.at += 1;
                self.braced(word, quoted);
            }
            Some('\'') if !quoted => {
                self.at += 1;
                self.ansi_quoted(word);
            }
            Some('"') if !quoted => {
                self.at += 1;
                self.double_quoted(word);
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                let mut name = String::new();
                while let Some(c) = self.peek(0).filter(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    self.at += 1;
                    name.push(c);
                }
                word.push(Piece::Variable { name, quoted, guarded: false, default: None });
            }
            Some(c) if c.is_ascii_digit() || "@*#?$!-".contains(c) => {
                self.at += 1;
                word.push(Piece::Variable { name: c.to_string(), quoted, guarded: false, default: None });
            }
            _ => word.push(Piece::Char('$', true)),
        }
    }

    /// With the cursor on the second `(` of `$((`: the place of the closing `))`, if this is arithmetic.
    pub(super) fn arithmetic_end(&self) -> Option<usize> {
        let mut open = 0_usize;
        for (index, c) in self.chars.iter().enumerate().skip(self.at).take(MAX_ARITHMETIC) {
            match c {
                '(' => open += 1,
                ')' if open == 1 => return (self.chars.get(index + 1) == Some(&')')).then_some(index),
                ')' => open -= 1,
                _ => {}
            }
        }
        None
    }

    /// After `${`.
    pub(super) fn braced(&mut self, word: &mut Word, quoted: bool) {
        let mut name = String::new();
        while let Some(c) = self.peek(0).filter(|c| c.is_ascii_alphanumeric() || "_!#@*?-$".contains(*c)) {
            // `-` and `?` are operators once there is a name.
            if !name.is_empty() && "?-#@*$".contains(c) {
                break;
            }
            self.at += 1;
            name.push(c);
        }
        let start = self.at;
        let mut open = 1_usize;
        while let Some(c) = self.peek(0) {
            self.at += 1;
            match c {
                '\\' => self.at += 1,
                '{' => open += 1,
                '}' => {
                    open -= 1;
                    if open == 0 {
                        break;
                    }
                }
                _ => {}
            }
        }
        self.at = self.at.min(self.chars.len());
        let end = if open == 0 { self.at - 1 } else { self.at };
        let operand: String = self.chars[start..end.max(start)].iter().collect();
        self.expansions_of(&operand);
        let guarded = operand.starts_with(":?") || operand.starts_with('?');
        let default = [":-", ":=", "-", "="].iter().find_map(|operator| operand.strip_prefix(operator));
        let default = default.map(|text| text.trim_matches(['"', '\'']).to_owned());
        word.push(Piece::Variable { name, quoted, guarded, default });
    }

    /// After `$'`.
    pub(super) fn ansi_quoted(&mut self, word: &mut Word) {
        while let Some(c) = self.peek(0) {
            self.at += 1;
            let c = match c {
                '\'' => break,
                '\\' => match self.peek(0) {
                    Some('x') => {
                        self.at += 1;
                        self.number(16, 2)
                    }
                    Some('u') => {
                        self.at += 1;
                        self.number(16, 4)
                    }
                    Some('U') => {
                        self.at += 1;
                        self.number(16, 8)
                    }
                    Some('0'..='7') => self.number(8, 3),
                    Some(next) => {
                        self.at += 1;
                        match next {
                            'n' => '\n',
                            't' => '\t',
                            'r' => '\r',
                            other => other,
                        }
                    }
                    None => break,
                },
                other => other,
            };
            word.push(Piece::Char(c, true));
        }
    }

    pub(super) fn number(&mut self, radix: u32, digits: usize) -> char {
        let mut value = 0_u32;
        for _ in 0..digits {
            let Some(digit) = self.peek(0).and_then(|c| c.to_digit(radix)) else { break };
            self.at += 1;
            value = value.saturating_mul(radix).saturating_add(digit);
        }
        char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    /// Commands that stand in substitutions of a text that is otherwise data.
    pub(super) fn expansions_of(&mut self, text: &str) {
        if text.contains("$(") || text.contains('`') {
            self.nested(text, |lexer| lexer.double_quoted_text());
        }
    }

    pub(super) fn double_quoted_text(&mut self) {
        let mut ignored = Word::new();
        while self.at < self.chars.len() {
            // A lone `"` in the text ends nothing here.
            self.double_quoted(&mut ignored);
        }
    }

    /// Lexes another text into the same list of commands.
    pub(super) fn nested(&mut self, text: &str, read: impl FnOnce(&mut Lexer)) {
        if self.depth >= MAX_DEPTH {
            self.script.overflow = true;
            return;
        }
        let mut inner = Lexer::new(text, self.depth + 1);
        read(&mut inner);
        self.script.commands.append(&mut inner.script.commands);
        self.script.overflow |= inner.script.overflow;
    }
}
