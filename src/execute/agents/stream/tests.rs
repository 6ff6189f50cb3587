//! Parsers on lines that no capture has. The captures themselves are in `tests/agent_streams.rs`.

use serde_json::json;

use super::*;
use crate::execute::agents::event::{ChangeKind, Finish, Scope, Speech};
use crate::execute::agents::tally::Tokens;

/// Events of the lines, the end included.
fn events(kind: AgentKind, lines: &[serde_json::Value]) -> Vec<AgentEvent> {
    let mut parser = parser(kind);
    let mut out = Vec::new();
    for line in lines {
        parser.line(line.to_string().as_bytes(), &mut out);
    }
    parser.end(&mut out);
    out
}

fn speech(key: &str, text: &str, whole: bool, aside: bool) -> Speech {
    Speech { key: key.into(), text: text.to_owned(), whole, aside }
}

mod app_server;
mod claude;
mod others;
