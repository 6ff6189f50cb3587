//! Sees an agent that turns in circles. Some never end by themselves: OpenCode compacts and asks again for ever when the
//! context overflows (169 requests in a minute, each paid for), or asks four times a second when the host answers with
//! HTML; aider doubles its waits without a bound (`reference/agent-streams.md` §5, §7).
//!
//! What counts is how often the same thing comes in a row without anything new in between. The numbers are far above
//! what an agent does on purpose.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::execute::agents::event::AgentEvent;

/// The same error so often, without a tool call in between.
const SAME_ERROR: u32 = 10;

/// Replies in a row in which nothing was said or done.
const EMPTY_REPLY: u32 = 10;

/// The same tool call with the same arguments in a row.
const SAME_CALL: u32 = 50;

/// Tries in a row at one reply.
const RETRY: u32 = 25;

/// Counts what repeats itself.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    error: (u64, u32),
    call: (u64, u32),
    retries: u32,
    empty: u32,
    /// Something was said or done since the last reply.
    filled: bool,
}

impl Repeats {
    /// Takes one event. A sentence when it is enough.
    pub(super) fn take(&mut self, event: &AgentEvent) -> Option<String> {
        match event {
            AgentEvent::Error { message, .. } => {
                let count = same(&mut self.error, message);
                return (count >= SAME_ERROR).then(|| {
                    format!("the same error came {count} times without any work in between: {message}")
                });
            }
            AgentEvent::Retry { reason, .. } => {
                self.retries += 1;
                let count = self.retries;
                return (count >= RETRY).then(|| format!("it tried {count} times in a row: {reason}"));
            }
            AgentEvent::ToolCall { name, input, .. } => {
                self.error = (0, 0);
                self.retries = 0;
                self.filled = true;
                let count = same(&mut self.call, &(name, input.to_string()));
                return (count >= SAME_CALL)
                    .then(|| format!("it called {name} with the same arguments {count} times in a row"));
            }
            AgentEvent::Text(_) | AgentEvent::Thinking(_) => self.filled = true,
            AgentEvent::Reply => {
                if std::mem::take(&mut self.filled) {
                    self.retries = 0;
                    self.empty = 0;
                    return None;
                }
                self.empty += 1;
                let count = self.empty;
                return (count >= EMPTY_REPLY)
                    .then(|| format!("the model's host answered {count} times in a row with nothing in it"));
            }
            _ => {}
        }
        None
    }
}

/// How often the same value came in a row.
fn same(last: &mut (u64, u32), value: &impl Hash) -> u32 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    let hash = hasher.finish();
    *last = if last.1 > 0 && last.0 == hash { (hash, last.1 + 1) } else { (hash, 1) };
    last.1
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn error(message: &str) -> AgentEvent {
        AgentEvent::Error { message: message.to_owned(), status: None }
    }

    fn call(path: &str) -> AgentEvent {
        AgentEvent::ToolCall { id: "1".to_owned(), name: "Read".to_owned(), input: json!({"path": path}) }
    }

    /// After how many rounds of these events it is enough.
    fn rounds(events: &[AgentEvent]) -> Option<(u32, String)> {
        let mut repeats = Repeats::default();
        for round in 1..=200 {
            if let Some(why) = events.iter().find_map(|event| repeats.take(event)) {
                return Some((round, why));
            }
        }
        None
    }

    #[test]
    fn the_same_error_is_enough_unless_work_goes_on() {
        let why = "the same error came 10 times without any work in between: too long".to_owned();
        assert_eq!(rounds(&[error("too long"), AgentEvent::Reply]), Some((10, why)));
        assert_eq!(rounds(&[error("a"), error("b"), call("x"), call("y"), AgentEvent::Reply]), None);
    }

    #[test]
    fn empty_replies_are_enough() {
        let why = "the model's host answered 10 times in a row with nothing in it".to_owned();
        assert_eq!(rounds(&[AgentEvent::Reply]), Some((10, why)));
    }

    #[test]
    fn the_same_call_is_enough_and_others_are_not() {
        let why = "it called Read with the same arguments 50 times in a row".to_owned();
        assert_eq!(rounds(&[call("x"), AgentEvent::Reply]), Some((50, why)));
        assert_eq!(rounds(&[call("x"), call("y"), AgentEvent::Reply]), None);
    }

    #[test]
    fn tries_at_one_reply_are_enough() {
        let retry = AgentEvent::Retry { attempt: 0, max: None, delay_ms: None, reason: "500".to_owned() };
        assert_eq!(rounds(&[retry]), Some((25, "it tried 25 times in a row: 500".to_owned())));
    }
}
