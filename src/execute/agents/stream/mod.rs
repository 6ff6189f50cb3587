//! One parser an agent: a line of its standard output becomes [`AgentEvent`]s.
//!
//! Owns nothing but what the last lines said. Rules that every parser keeps: no line ends the run and none panics; what
//! is not understood becomes [`AgentEvent::Unknown`]; a text is handed out as deltas, as a whole, or both under one
//! key, never twice; what was needed of a line is copied out, so memory is bounded by one line and small tables.
//! Facts of the formats: `reference/agent-streams.md`, measured on the versions it names.

mod aider;
mod app_server;
mod claude;
mod codex;
mod diff;
mod gemini;
mod json;
mod opencode;
mod pending;
mod pi;
mod scan;
mod text;
mod trouble;

use std::borrow::Cow;

use super::event::AgentEvent;
use super::kind::AgentKind;

/// Bytes of a line that was not understood that are kept in its event.
pub const UNKNOWN_LIMIT: usize = 2048;

/// Reads one agent's stream, line by line.
pub trait StreamParser: Send {
    /// Takes one line of standard output without its line end; appends what it says.
    fn line(&mut self, line: &[u8], out: &mut Vec<AgentEvent>);

    /// The stream ended; appends what only the end tells.
    fn end(&mut self, out: &mut Vec<AgentEvent>);
}

/// A new parser for one run of that agent.
pub fn parser(kind: AgentKind) -> Box<dyn StreamParser> {
    match kind {
        AgentKind::Claude => Box::new(claude::Claude::default()),
        AgentKind::Codex => Box::new(codex::Codex::default()),
        AgentKind::Pi => Box::new(pi::Pi::default()),
        AgentKind::OpenCode => Box::new(opencode::OpenCode::default()),
        AgentKind::Gemini => Box::new(gemini::Gemini::default()),
        AgentKind::Aider => Box::new(aider::Aider::default()),
        AgentKind::Custom => Box::new(text::Text::default()),
    }
}

/// Keeps a line that says nothing to us; an empty one says nothing at all.
fn unknown(line: &[u8], out: &mut Vec<AgentEvent>) {
    let line = line.trim_ascii();
    if line.is_empty() {
        return;
    }
    let mut text = String::from_utf8_lossy(&line[..line.len().min(UNKNOWN_LIMIT)]).into_owned();
    if line.len() > UNKNOWN_LIMIT {
        text.push_str(&format!("… ({} bytes)", line.len()));
    }
    out.push(AgentEvent::Unknown { line: text });
}

/// The longest prefix of at most so many bytes.
pub(super) fn prefix(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// A count that is small by its nature.
fn small(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The line as text, without the carriage return that some launchers put before the line feed.
fn decoded(line: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line))
}

#[cfg(test)]
mod tests;
