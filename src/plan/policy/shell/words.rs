//! Words as written become fields as a program gets them: braces, variables and splitting.
//!
//! What only the running machine knows stays visible as a mark ([`MARK`]) in the field, so that the checks can tell
//! `$HOME` from a folder called `$HOME`.

use std::collections::HashMap;

use super::lexer::{Piece, Word};

/// Opens and closes the name of something that is not known: `MARK HOME MARK`. Never in text that we read: control
/// characters of the source are replaced first.
pub(super) const MARK: char = '\u{1}';

/// The home folder.
pub(super) const HOME: &str = "\u{1}HOME\u{1}";

/// Values one variable may have; more are not followed.
const MAX_VALUES: usize = 64;

/// Longest text that a variable is followed through.
const MAX_VALUE: usize = 4096;

/// Words that one brace expression may become.
const MAX_BRACES: usize = 64;

/// Literal values that variables got in this text, oldest first. A variable may have several: the loop over a list, or
/// two assignments of which the checks cannot know which one counts.
#[derive(Debug, Default)]
pub(super) struct Variables {
    values: HashMap<String, Vec<String>>,
}

impl Variables {
    pub(super) fn set(&mut self, name: &str, value: String) {
        let values = self.values.entry(name.to_owned()).or_default();
        if values.len() < MAX_VALUES && value.len() <= MAX_VALUE && !values.contains(&value) {
            values.push(value);
        }
    }

    /// How many readings a word has.
    pub(super) fn readings(&self, word: &Word) -> usize {
        word.iter()
            .map(|piece| match piece {
                Piece::Variable { name, .. } => self.values.get(name).map_or(1, Vec::len),
                Piece::Char(..) | Piece::Output(_) => 1,
            })
            .max()
            .unwrap_or(1)
    }

    fn reading(&self, name: &str, nth: usize) -> Option<&str> {
        let values = self.values.get(name)?;
        values.get(nth.min(values.len().saturating_sub(1))).map(String::as_str)
    }

    /// The fields of `word` in its `nth` reading.
    pub(super) fn fields(&self, word: &Word, nth: usize) -> Vec<String> {
        let mut fields = Vec::new();
        for word in braces(word) {
            self.split(&word, nth, &mut fields);
        }
        fields
    }

    /// The text of `word` without splitting, as in an assignment.
    pub(super) fn text(&self, word: &Word, nth: usize) -> String {
        let mut fields = Vec::new();
        self.split(word, nth, &mut fields);
        fields.join(" ")
    }

    fn split(&self, word: &Word, nth: usize, fields: &mut Vec<String>) {
        let mut text = String::new();
        let mut any = false;
        let mut rest = word.as_slice();
        if let Some(length) = tilde(word) {
            text.push_str(HOME);
            any = true;
            rest = &word[length..];
        }
        for piece in rest {
            match piece {
                Piece::Char(c, _) => {
                    any = true;
                    text.push(*c);
                }
                Piece::Output(source) => {
                    any = true;
                    push_mark(&mut text, &format!("({})", source.chars().take(80).collect::<String>()));
                }
                // `git${IFS}commit` is two words.
                Piece::Variable { name, quoted: false, .. }
                    if name == "IFS" && !self.values.contains_key("IFS") =>
                {
                    if !text.is_empty() {
                        fields.push(std::mem::take(&mut text));
                    }
                }
                Piece::Variable { name, quoted, guarded, default } => {
                    let value = self.reading(name, nth).or(default.as_deref());
                    match value {
                        None if *guarded && name != "HOME" => push_mark(&mut text, "?"),
                        None => push_mark(&mut text, name),
                        Some(value) if *quoted => text.push_str(value),
                        Some(value) => {
                            let mut parts = value.split_whitespace();
                            text.push_str(parts.next().unwrap_or_default());
                            for part in parts {
                                fields.push(std::mem::replace(&mut text, part.to_owned()));
                            }
                        }
                    }
                    any = true;
                }
            }
        }
        // A quoted empty word is a field too, but no program does harm with it.
        if any && !text.is_empty() {
            fields.push(text);
        }
    }
}

fn push_mark(text: &mut String, name: &str) {
    text.push(MARK);
    text.extend(name.chars().filter(|c| *c != MARK));
    text.push(MARK);
}

/// Whether a field holds something that is not known.
pub(super) fn is_opaque(field: &str) -> bool {
    field.contains(MARK)
}

/// The field as it is when everything unknown in it is empty.
pub(super) fn without_unknown(field: &str) -> String {
    field.split(MARK).step_by(2).collect()
}

/// `name=value` at the start of a command: the name and how many pieces it and its `=` take.
pub(super) fn assignment(word: &Word) -> Option<(String, usize)> {
    let mut name = String::new();
    for (index, piece) in word.iter().enumerate() {
        match piece {
            Piece::Char('=', false) if !name.is_empty() => {
                return Some((name.trim_end_matches('+').to_owned(), index + 1));
            }
            Piece::Char(c, false) if c.is_ascii_alphanumeric() || *c == '_' => name.push(*c),
            Piece::Char('+', false) if !name.is_empty() => name.push('+'),
            _ => return None,
        }
    }
    None
}

/// An unquoted `~` or `~name` at the start: how many pieces it takes.
fn tilde(word: &Word) -> Option<usize> {
    if word.first() != Some(&Piece::Char('~', false)) {
        return None;
    }
    let end = word.iter().position(|piece| *piece == Piece::Char('/', false)).unwrap_or(word.len());
    let name_is_plain = word[1..end].iter().all(
        |piece| matches!(piece, Piece::Char(c, false) if c.is_ascii_alphanumeric() || "_-.".contains(*c)),
    );
    name_is_plain.then_some(end)
}

/// `a{b,c}d` becomes `abd` and `acd`, from the left, nested ones included.
fn braces(word: &Word) -> Vec<Word> {
    let mut done = Vec::new();
    let mut open = vec![word.clone()];
    while let Some(word) = open.pop() {
        match brace_parts(&word).filter(|_| done.len() + open.len() < MAX_BRACES) {
            Some((start, end, parts)) => {
                for part in parts.into_iter().rev() {
                    let mut expanded = word[..start].to_vec();
                    expanded.extend(part);
                    expanded.extend_from_slice(&word[end + 1..]);
                    open.push(expanded);
                }
            }
            None => done.push(word),
        }
    }
    done
}

/// The first brace expression with a comma: its ends and its alternatives.
fn brace_parts(word: &Word) -> Option<(usize, usize, Vec<Word>)> {
    let start = word.iter().position(|piece| *piece == Piece::Char('{', false))?;
    let mut level = 0_usize;
    let mut parts = vec![Word::new()];
    for (index, piece) in word.iter().enumerate().skip(start + 1) {
        match piece {
            Piece::Char('}', false) if level == 0 => {
                return (parts.len() > 1).then_some((start, index, parts));
            }
            Piece::Char(',', false) if level == 0 => {
                parts.push(Word::new());
                continue;
            }
            Piece::Char('{', false) => level += 1,
            Piece::Char('}', false) => level -= 1,
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(piece.clone());
        }
    }
    None
}
