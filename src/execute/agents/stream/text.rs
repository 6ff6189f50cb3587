//! Plain text, for programs of the operator's own: every line is said.
//!
//! Nothing marks an end; that there was a line is the most that the stream can tell, and the exit code does the rest.

use std::sync::Arc;

use super::StreamParser;
use crate::execute::agents::event::{AgentEvent, Finish, Speech};

/// Reads plain text.
pub(super) struct Text {
    /// One key: the whole output is the answer.
    key: Arc<str>,
    said: bool,
}

impl Default for Text {
    fn default() -> Self {
        Self { key: "text".into(), said: false }
    }
}

impl StreamParser for Text {
    fn line(&mut self, line: &[u8], out: &mut Vec<AgentEvent>) {
        // As it came: the line feed takes the one carriage return before it along.
        let mut text = String::from_utf8_lossy(line).into_owned();
        self.said |= !text.trim().is_empty();
        text.push('\n');
        out.push(AgentEvent::Text(Speech { key: self.key.clone(), text, whole: false, aside: false }));
    }

    fn end(&mut self, out: &mut Vec<AgentEvent>) {
        if self.said {
            out.push(AgentEvent::Reply);
            out.push(AgentEvent::Done(Finish { ok: true, ..Finish::default() }));
        }
        out.push(AgentEvent::TurnEnd);
    }
}
