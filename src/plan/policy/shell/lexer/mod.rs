//! Shell text cut into simple commands, each with its words, redirections and here-documents.
//!
//! One pass with one cursor. Commands inside `$( )`, backticks, process substitutions, subshells and groups land in the
//! same flat list: for a check it does not matter where a command stands, only that it runs. Never fails; recursion is
//! bounded by [`MAX_DEPTH`], beyond which [`Script::overflow`] is set.

mod here;
mod pieces;

use here::HereDocument;

/// Nesting of substitutions that is followed.
const MAX_DEPTH: usize = 48;

/// A piece of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A character, and whether quotes protect it from splitting and expansion.
    Char(char, bool),
    /// A variable: its name, whether it is quoted, whether `:?` guards it against being empty, and what `:-` gives.
    Variable { name: String, quoted: bool, guarded: bool, default: Option<String> },
    /// Output of a command, with its source.
    Output(String),
}

/// A word as written.
pub(super) type Word = Vec<Piece>;

/// A redirection that writes to `target`.
#[derive(Clone, Debug, Default)]
pub(super) struct Simple {
    /// Assignments, command and arguments.
    pub(super) words: Vec<Word>,
    /// Targets of `>`, `>>`, `>|`, `&>`, `<>`.
    pub(super) writes: Vec<Word>,
    /// Text given on standard input by `<<` or `<<<`.
    pub(super) input: Vec<String>,
    /// Standard input comes from the command before.
    pub(super) piped: bool,
    /// Nesting of subshells, to know where a `cd` ends.
    pub(super) depth: usize,
}

/// A whole text, cut up.
#[derive(Debug, Default)]
pub(super) struct Script {
    /// Commands in the order of their ends.
    pub(super) commands: Vec<Simple>,
    /// A function that calls itself through a pipe into the background.
    pub(super) fork_bomb: bool,
    /// Nested deeper than [`MAX_DEPTH`].
    pub(super) overflow: bool,
}

/// Cuts `text` up.
pub(super) fn lex(text: &str) -> Script {
    let mut lexer = Lexer::new(text, 0);
    lexer.list(End::Text);
    lexer.script.fork_bomb |= is_fork_bomb(text);
    lexer.script
}

/// Where a list of commands ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Text,
    Parenthesis,
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    depth: usize,
    script: Script,
    pending: Vec<HereDocument>,
    unended: usize,
}

/// State of one list.
#[derive(Default)]
struct List {
    current: Simple,
    word: Option<Word>,
    cases: usize,
    pattern: bool,
    piped: bool,
}

impl Lexer {
    fn new(text: &str, depth: usize) -> Self {
        Self {
            chars: text.chars().collect(),
            at: 0,
            depth,
            script: Script::default(),
            pending: Vec::new(),
            unended: 0,
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn starts(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(index, c)| self.peek(index) == Some(c))
    }

    fn list(&mut self, end: End) {
        let mut list = List::default();
        let subshells = self.depth;
        while let Some(c) = self.peek(0) {
            match c {
                ' ' | '\t' | '\r' => {
                    self.at += 1;
                    list.end_word();
                }
                '\n' => {
                    self.at += 1;
                    self.end_command(&mut list, false);
                    self.here_documents();
                }
                '#' if list.word.is_none() => {
                    while self.peek(0).is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
                '<' | '>' => self.redirection(&mut list),
                '&' if self.peek(1) == Some('>') => {
                    self.at += 1;
                    self.redirection(&mut list);
                }
                ';' | '&' | '|' => self.operator(&mut list),
                '(' => self.open(&mut list),
                ')' => {
                    self.at += 1;
                    self.end_command(&mut list, false);
                    list.pattern = false;
                    if list.cases == 0 {
                        if self.depth > subshells {
                            self.depth -= 1;
                        } else if end == End::Parenthesis {
                            return;
                        }
                    }
                }
                _ => self.word_piece(&mut list),
            }
        }
        self.end_command(&mut list, false);
        self.here_documents();
        self.depth = subshells;
    }

    fn operator(&mut self, list: &mut List) {
        let first = self.peek(0);
        self.at += 1;
        let mut pipe = first == Some('|');
        match (first, self.peek(0)) {
            (Some('|'), Some('|')) | (Some('&'), Some('&')) => {
                self.at += 1;
                pipe = false;
            }
            (Some('|'), Some('&')) => self.at += 1,
            (Some(';'), Some(';' | '&')) => {
                while matches!(self.peek(0), Some(';' | '&')) {
                    self.at += 1;
                }
                self.end_command(list, false);
                list.pattern = list.cases > 0;
                return;
            }
            _ => {}
        }
        self.end_command(list, pipe);
    }

    /// `(`: a function's parentheses, or a subshell.
    fn open(&mut self, list: &mut List) {
        self.at += 1;
        list.end_word();
        let blank = self.chars[self.at..].iter().take_while(|c| matches!(c, ' ' | '\t')).count();
        if list.current.words.len() == 1 && self.peek(blank) == Some(')') {
            self.at += blank + 1;
            list.current = Simple::default();
            return;
        }
        if list.pattern {
            return;
        }
        self.end_command(list, false);
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            self.script.overflow = true;
        }
    }

    fn end_command(&mut self, list: &mut List, pipe: bool) {
        list.end_word();
        let mut command = std::mem::take(&mut list.current);
        let piped = std::mem::replace(&mut list.piped, pipe);
        let first = command.words.first().and_then(plain);
        match first.as_deref() {
            Some("case") => {
                list.cases += 1;
                // Whatever ended the command, unless it was `)`, is still in the patterns; `)` clears this after.
                list.pattern = true;
                return;
            }
            Some("esac") => {
                list.cases = list.cases.saturating_sub(1);
                list.pattern = false;
            }
            _ if list.pattern => return,
            _ => {}
        }
        let index = self.script.commands.len();
        for document in self.pending.iter_mut().filter(|document| document.command.is_none()) {
            document.command = Some(index);
        }
        if command.words.is_empty() && command.writes.is_empty() && command.input.is_empty() {
            // An empty command between two operators does not break a pipe: `a | \n b`.
            list.piped |= piped;
            if !self.pending.iter().any(|document| document.command == Some(index)) {
                return;
            }
        }
        command.piped = piped;
        command.depth = self.depth;
        self.script.commands.push(command);
    }

    fn redirection(&mut self, list: &mut List) {
        let descriptor = list.word.as_ref().is_some_and(|word| {
            word.iter().all(|piece| matches!(piece, Piece::Char(c, false) if c.is_ascii_digit()))
        });
        if descriptor {
            list.word = None;
        }
        let input = self.peek(0) == Some('<');
        if matches!(self.peek(1), Some('(')) {
            self.at += 2;
            let output = self.substitution();
            list.word.get_or_insert_default().push(output);
            return;
        }
        list.end_word();
        if self.starts("<<<") {
            self.at += 3;
            let word = self.next_word();
            list.current.input.push(written(&word));
            return;
        }
        if self.starts("<<") {
            self.here_document_start();
            return;
        }
        self.at += 1;
        let read_write = input && self.peek(0) == Some('>');
        if matches!(self.peek(0), Some('>' | '|' | '<')) {
            self.at += 1;
        }
        let duplicate = self.peek(0) == Some('&');
        if duplicate {
            self.at += 1;
        }
        let target = self.next_word();
        let descriptor = duplicate
            && target
                .iter()
                .all(|piece| matches!(piece, Piece::Char(c, _) if c.is_ascii_digit() || *c == '-'));
        if (!input || read_write) && !descriptor && !target.is_empty() {
            list.current.writes.push(target);
        }
    }

    /// The word after an operator.
    fn next_word(&mut self) -> Word {
        while matches!(self.peek(0), Some(' ' | '\t')) {
            self.at += 1;
        }
        let mut list = List::default();
        while let Some(c) = self.peek(0) {
            if matches!(c, ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')') {
                break;
            }
            self.word_piece(&mut list);
        }
        list.word.unwrap_or_default()
    }
}

impl List {
    fn end_word(&mut self) {
        if let Some(word) = self.word.take() {
            self.current.words.push(word);
        }
    }
}

/// The text of a word without quotes and expansions; `None` when it has an expansion or a quoted character.
pub(super) fn plain(word: &Word) -> Option<String> {
    word.iter()
        .map(|piece| match piece {
            Piece::Char(c, false) => Some(*c),
            _ => None,
        })
        .collect()
}

/// The text of a word with its quotes taken out; expansions are left out.
fn written(word: &Word) -> String {
    word.iter()
        .filter_map(|piece| match piece {
            Piece::Char(c, _) => Some(*c),
            _ => None,
        })
        .collect()
}

/// `f(){ f|f& };f` in any spacing and under any name.
fn is_fork_bomb(text: &str) -> bool {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    compact.match_indices("(){").any(|(at, opener)| {
        let head = &compact[..at];
        let start = head.rfind([';', '&', '|', '(', ')', '{', '}', '"', '\'']).map_or(0, |place| place + 1);
        let name = head[start..].strip_prefix("function").unwrap_or(&head[start..]);
        let body = &compact[at + opener.len()..];
        !name.is_empty()
            && body.strip_prefix(name).and_then(|rest| rest.strip_prefix('|')).is_some_and(|rest| {
                rest.strip_prefix(name).is_some_and(|rest| rest.starts_with(['&', ';', '}']))
            })
    })
}
