//! Our own source files as tokens with line numbers.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// One source file.
pub struct SourceFile {
    /// Path from the repository's root, with `/`.
    pub path: String,
    text: String,
    tokens: TokenStream,
}

/// One token of a flat reading: groups are opened and closed by their own tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flat {
    /// An identifier or keyword.
    Word(String),
    /// One character of punctuation.
    Mark(char),
    /// A group begins.
    Open(Delimiter),
    /// A group ends.
    Close(Delimiter),
    /// A literal.
    Literal,
}

impl SourceFile {
    /// Reads `text` as the file at `path`.
    pub fn new(path: &str, text: &str) -> Self {
        let tokens =
            TokenStream::from_str(text).unwrap_or_else(|error| panic!("{path} is not Rust: {error}"));
        Self { path: path.to_owned(), text: text.to_owned(), tokens }
    }

    /// Tokens in order, each with its line (from 1).
    pub fn flat(&self) -> Vec<(Flat, usize)> {
        let mut out = Vec::new();
        flatten(self.tokens.clone(), &mut out);
        out
    }

    /// Identifiers and keywords with their lines.
    pub fn words(&self) -> impl Iterator<Item = (String, usize)> {
        self.flat().into_iter().filter_map(|(token, line)| match token {
            Flat::Word(word) => Some((word, line)),
            _ => None,
        })
    }

    /// Number of lines.
    pub fn line_count(&self) -> usize {
        self.text.lines().count()
    }

    /// The `//!` lines at the top, without their marks. Inner attributes and blank lines may stand between.
    pub fn top_comment(&self) -> String {
        let mut lines = Vec::new();
        let mut in_attribute = false;
        for line in self.text.lines().map(str::trim) {
            if in_attribute || line.starts_with("#![") {
                in_attribute = !line.ends_with(")]");
            } else if let Some(words) = line.strip_prefix("//!") {
                lines.push(words);
            } else if !line.is_empty() {
                break;
            }
        }
        lines.join("\n")
    }
}

fn flatten(tokens: TokenStream, out: &mut Vec<(Flat, usize)>) {
    for token in tokens {
        let line = token.span().start().line;
        match token {
            TokenTree::Ident(word) => out.push((Flat::Word(word.to_string()), line)),
            TokenTree::Punct(mark) => out.push((Flat::Mark(mark.as_char()), line)),
            TokenTree::Literal(_) => out.push((Flat::Literal, line)),
            TokenTree::Group(group) => {
                out.push((Flat::Open(group.delimiter()), group.span_open().start().line));
                flatten(group.stream(), out);
                out.push((Flat::Close(group.delimiter()), group.span_close().end().line));
            }
        }
    }
}

/// Every file of the crate itself.
pub fn crate_sources() -> Vec<SourceFile> {
    read_all(&["src"])
}

/// Every Rust file that we wrote: the crate, its tests, its benches.
pub fn all_sources() -> Vec<SourceFile> {
    read_all(&["src", "tests", "benches"])
}

fn read_all(folders: &[&str]) -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    for folder in folders {
        collect(&root.join(folder), &mut paths);
    }
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let relative = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            SourceFile::new(&relative, &text)
        })
        .collect()
}

/// Rust files below `folder`, leaving out build output and test data.
fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !matches!(name.as_str(), "target" | "fixtures" | "corpus" | "artifacts") {
                collect(&path, into);
            }
        } else if name.ends_with(".rs") {
            into.push(path);
        }
    }
}
