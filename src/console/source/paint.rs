//! Colours whole source texts. Foreign text may drive a grammar's expressions hard, so painting has a deadline: what is left
//! of the text then stays plain.

use std::sync::Arc;
use std::time::{Duration, Instant};

use syntect::parsing::{ParseState, ScopeStack};

use super::code::{grammars, paint_line};
use super::{Job, Language, Painted};

/// How long one text may take.
const DEADLINE: Duration = Duration::from_secs(2);

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
            let Some(coloured) = paint_line(text, &mut state, &mut scopes) else { break };
            *line = coloured;
        }
    }
    Painted { key: job.key, lines: Arc::new(lines) }
}
