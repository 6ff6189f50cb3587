//! What source text is made of, by syntect's grammars. The grammars are unpacked once, when the first text wants them.
//!
//! Owns nothing but that. Called by threads that colour, never by the loop.

use std::path::Path;
use std::sync::OnceLock;

use syntect::easy::ScopeRegionIterator;
use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet};

use super::Line;
use crate::console::theme::Role;

/// Which scope of a grammar has which role; the first that fits the innermost scope counts.
const ROLES: &[(&str, Role)] = &[
    ("comment", Role::CodeComment),
    ("entity.name.tag", Role::CodeName),
    ("meta.mapping.key", Role::CodeName),
    ("string", Role::CodeString),
    ("constant", Role::CodeNumber),
    ("keyword", Role::CodeKeyword),
    ("storage", Role::CodeKeyword),
    ("support.function", Role::CodeName),
    ("entity.name", Role::CodeName),
    ("variable", Role::CodeName),
];

pub(super) struct Grammars {
    pub(super) set: SyntaxSet,
    roles: Vec<(Scope, Role)>,
}

pub(super) fn grammars() -> &'static Grammars {
    static GRAMMARS: OnceLock<Grammars> = OnceLock::new();
    GRAMMARS.get_or_init(|| Grammars {
        set: SyntaxSet::load_defaults_newlines(),
        roles: ROLES.iter().filter_map(|(name, role)| Some((Scope::new(name).ok()?, *role))).collect(),
    })
}

/// The grammar for a file of this name, or that its first line names.
pub(crate) fn syntax_of(path: &str, first: &str) -> Option<&'static SyntaxReference> {
    let set = &grammars().set;
    let name = Path::new(path).file_name()?.to_str()?;
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str()).unwrap_or(name);
    // Of the default grammars none is for these; the nearest one colours most of them well.
    let near = match extension {
        "ts" | "tsx" | "jsx" | "mjs" | "cjs" => "js",
        "toml" | "lock" => "properties",
        "pyi" => "py",
        other => other,
    };
    let found = set.find_syntax_by_extension(name).or_else(|| set.find_syntax_by_extension(near));
    found.or_else(|| set.find_syntax_by_first_line(first)).filter(|syntax| syntax.name != "Plain Text")
}

/// `None` where the grammar is at its end.
pub(crate) fn paint_line(text: &str, state: &mut ParseState, scopes: &mut ScopeStack) -> Option<Line> {
    let grammars = grammars();
    let text = format!("{text}\n");
    let ops = state.parse_line(&text, &grammars.set).ok()?;
    let mut line = Line::new();
    for (piece, op) in ScopeRegionIterator::new(&ops, &text) {
        scopes.apply(op).ok()?;
        let piece = piece.trim_end_matches('\n');
        if piece.is_empty() {
            continue;
        }
        let role = role(scopes, &grammars.roles);
        match line.last_mut() {
            Some((last, same)) if *same == role => last.push_str(piece),
            _ => line.push((piece.to_owned(), role)),
        }
    }
    Some(line)
}

fn role(scopes: &ScopeStack, roles: &[(Scope, Role)]) -> Role {
    let of =
        |scope: &Scope| roles.iter().find(|(prefix, _)| prefix.is_prefix_of(*scope)).map(|(_, role)| *role);
    scopes.as_slice().iter().rev().find_map(of).unwrap_or(Role::Text)
}
