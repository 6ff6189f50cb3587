//! How long a file and a function may be, unless the top of the file says why.

use proc_macro2::Delimiter;

use super::source::{Flat, SourceFile};

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 60;

/// What is too long in this file, one line each.
pub fn offences(file: &SourceFile) -> Vec<String> {
    let top = file.top_comment();
    let mut found = Vec::new();
    let lines = file.line_count();
    if lines > FILE_LINES && !top.contains(&format!("{FILE_LINES} lines")) {
        found.push(format!(
            "{}: {lines} lines ({FILE_LINES} at most, or say why in the top comment, naming \"{FILE_LINES} lines\")",
            file.path
        ));
    }
    if !top.contains(&format!("{FUNCTION_LINES} lines")) {
        found.extend(functions(file).into_iter().filter(|(_, first, last)| last + 1 - first > FUNCTION_LINES).map(
            |(name, first, last)| {
                let lines = last + 1 - first;
                format!(
                    "{}:{first}: fn {name} has {lines} lines ({FUNCTION_LINES} at most, or say why in the top \
                     comment, naming \"{FUNCTION_LINES} lines\")",
                    file.path
                )
            },
        ));
    }
    found
}

/// Name, first and last line of every function with a body.
fn functions(file: &SourceFile) -> Vec<(String, usize, usize)> {
    let flat = file.flat();
    let mut found = Vec::new();
    for at in 0..flat.len() {
        let (Flat::Word(word), first) = &flat[at] else { continue };
        let Some((Flat::Word(name), _)) = flat.get(at + 1) else { continue };
        if word == "fn"
            && let Some(last) = body_end(&flat, at + 2)
        {
            found.push((name.clone(), *first, last));
        }
    }
    found
}

/// The line of the brace that closes the body of the function whose signature goes on at `at`; `None` without a body.
fn body_end(flat: &[(Flat, usize)], at: usize) -> Option<usize> {
    let mut depth = 0usize;
    let mut in_body = false;
    for (token, line) in &flat[at..] {
        match token {
            Flat::Mark(';') if depth == 0 => return None,
            Flat::Open(delimiter) => {
                in_body |= depth == 0 && *delimiter == Delimiter::Brace;
                depth += 1;
            }
            Flat::Close(_) if depth == 0 => return None,
            Flat::Close(_) => {
                depth -= 1;
                if depth == 0 && in_body {
                    return Some(*line);
                }
            }
            _ => {}
        }
    }
    None
}
