//! Colours source text with syntect's grammars. The grammars are unpacked once, when the first text wants them.
//!
//! Owns nothing but that. Foreign text may drive a grammar's expressions hard, so painting has a deadline: what is left
//! of the text then stays plain.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use syntect::easy::ScopeRegionIterator;
use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxSet};

use super::{Job, Language, Line, Painted};
use crate::console::theme::Role;

/// How long one text may take.
const DEADLINE: Duration = Duration::from_secs(2);

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

struct Grammars {
    set: SyntaxSet,
    roles: Vec<(Scope, Role)>,
}

fn grammars() -> &'static Grammars {
    static GRAMMARS: OnceLock<Grammars> = OnceLock::new();
    GRAMMARS.get_or_init(|| Grammars {
        set: SyntaxSet::load_defaults_newlines(),
        roles: ROLES.iter().filter_map(|(name, role)| Some((Scope::new(name).ok()?, *role))).collect(),
    })
}

/// Colours a text. Each line has the characters of the plain one, whatever the grammar makes of them.
pub(super) fn paint(job: Job) -> Painted {
    let grammars = grammars();
    let token = match job.language {
        Language::Bash => "bash",
        Language::Json => "json",
        Language::Yaml => "yaml",
    };
    let mut lines = job.plain();
    if let Some(syntax) = grammars.set.find_syntax_by_token(token) {
        let started = Instant::now();
        let mut state = ParseState::new(syntax);
        let mut scopes = ScopeStack::new();
        for (line, text) in lines.iter_mut().zip(&job.lines) {
            if started.elapsed() > DEADLINE {
                break;
            }
            let Some(coloured) = paint_line(text, grammars, &mut state, &mut scopes) else { break };
            *line = coloured;
        }
    }
    Painted { key: job.key, lines: Arc::new(lines) }
}

/// `None` where the grammar is at its end.
fn paint_line(
    text: &str,
    grammars: &Grammars,
    state: &mut ParseState,
    scopes: &mut ScopeStack,
) -> Option<Line> {
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
