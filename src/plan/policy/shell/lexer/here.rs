//! Here-documents: announced on one line, read after it.

use super::{Lexer, Piece, written};

/// Here-documents whose delimiter is looked for and not found before the text counts as unreadable.
const MAX_UNENDED: usize = 64;

/// A here-document that was announced.
pub(super) struct HereDocument {
    pub(super) delimiter: String,
    pub(super) strip_tabs: bool,
    pub(super) literal: bool,
    /// Index of the command that reads it.
    pub(super) command: Option<usize>,
}

impl Lexer {
    pub(super) fn here_document_start(&mut self) {
        self.at += 2;
        let strip_tabs = self.peek(0) == Some('-');
        if strip_tabs {
            self.at += 1;
        }
        let word = self.next_word();
        let literal = word.iter().any(|piece| matches!(piece, Piece::Char(_, true)));
        self.pending.push(HereDocument { delimiter: written(&word), strip_tabs, literal, command: None });
    }

    /// Reads the bodies of the here-documents that the line before announced. A body without its delimiter is read as
    /// commands instead, so that nothing can hide behind a `<<` that was no here-document.
    pub(super) fn here_documents(&mut self) {
        for document in std::mem::take(&mut self.pending) {
            if self.unended > MAX_UNENDED {
                self.script.overflow = true;
                return;
            }
            let start = self.at;
            let mut body = String::new();
            let mut found = false;
            while self.at < self.chars.len() && !found {
                let line_end = self.chars[self.at..]
                    .iter()
                    .position(|c| *c == '\n')
                    .map_or(self.chars.len(), |length| self.at + length);
                let line: String = self.chars[self.at..line_end].iter().collect();
                let line = if document.strip_tabs { line.trim_start_matches('\t').to_owned() } else { line };
                self.at = (line_end + 1).min(self.chars.len());
                found = line == document.delimiter;
                if !found {
                    body.push_str(&line);
                    body.push('\n');
                }
            }
            if !found {
                self.at = start;
                self.unended += 1;
                continue;
            }
            if !document.literal {
                self.expansions_of(&body);
            }
            if let Some(command) = document.command.and_then(|index| self.script.commands.get_mut(index)) {
                command.input.push(body);
            }
        }
    }
}
