//! What is said to an agent that hears while it runs, and what it answers to that.
//!
//! A dialogue makes bytes and reads lines; it writes nothing itself. It knows which messages the agent has taken: when
//! the agent says that it is finished, input is closed only once nothing is on its way, since a message that came too
//! late for this turn starts another.

mod claude;
mod codex;
mod pi;

pub(super) use claude::ClaudeDialogue;
pub(super) use codex::{CodexDialogue, CodexOpening};
pub(super) use pi::PiDialogue;

use crate::execute::agents::event::AgentEvent;

/// The operator's side of an agent's standard input.
pub(in crate::execute::agents) trait Dialogue: Send {
    /// The first thing to write: the prompt.
    fn open(&mut self) -> Vec<u8>;

    /// A message of the operator.
    fn say(&mut self, text: &str) -> Vec<u8>;

    /// Asks for the end of the turn, now.
    fn interrupt(&mut self) -> Vec<u8>;

    /// Looks at a line of the stream before its parser does. What it means beyond what the parser will read from it is
    /// appended to `out`, what must be answered to `answer`. True when the parser must not see the line.
    fn hear(&mut self, line: &[u8], out: &mut Vec<AgentEvent>, answer: &mut Vec<u8>) -> bool;

    /// The operator's messages that the agent has not taken yet, oldest first.
    fn on_their_way(&self) -> &[String];
}

/// One line of JSON.
fn line(value: &serde_json::Value) -> Vec<u8> {
    let mut bytes = value.to_string().into_bytes();
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests;
