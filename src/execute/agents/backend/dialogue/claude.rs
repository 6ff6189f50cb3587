//! Claude Code's stream-json input (measured with 2.1.329).
//!
//! A message during a turn is read with the next tool results; after the turn it starts another one. With
//! `--replay-user-messages` each message comes back as a `user` line with `"isReplay":true` at the moment it is taken.
//! `interrupt` ends the turn with an error result; end of file lets the turn finish, and then ends the program.

use serde_json::{Value, json};

use super::{Dialogue, line};
use crate::execute::agents::event::AgentEvent;

/// See the module.
pub(in crate::execute::agents::backend) struct ClaudeDialogue {
    prompt: String,
    opened: bool,
    said: Vec<String>,
    interrupts: u32,
}

impl ClaudeDialogue {
    /// A dialogue that begins with `prompt`.
    pub(in crate::execute::agents::backend) fn new(prompt: &str) -> Self {
        Self { prompt: prompt.to_owned(), opened: false, said: Vec::new(), interrupts: 0 }
    }
}

impl Dialogue for ClaudeDialogue {
    fn open(&mut self) -> Vec<u8> {
        message(&std::mem::take(&mut self.prompt))
    }

    fn say(&mut self, text: &str) -> Vec<u8> {
        self.said.push(text.to_owned());
        message(text)
    }

    fn interrupt(&mut self) -> Vec<u8> {
        self.interrupts += 1;
        let id = format!("interrupt-{}", self.interrupts);
        line(&json!({"type": "control_request", "request_id": id, "request": {"subtype": "interrupt"}}))
    }

    fn hear(&mut self, line: &[u8], out: &mut Vec<AgentEvent>, answer: &mut Vec<u8>) -> bool {
        if line.starts_with(br#"{"type":"control_"#) {
            return control(line, out, answer);
        }
        // Cheap for all other lines: replays are short user lines.
        if !line.starts_with(br#"{"type":"user""#)
            || memchr::memmem::find(line, br#""isReplay":true"#).is_none()
        {
            return false;
        }
        let Ok(value) = serde_json::from_slice::<Value>(line) else { return false };
        if value["isReplay"] != true {
            return false;
        }
        if !self.opened {
            self.opened = true;
        } else if !self.said.is_empty() {
            self.said.remove(0);
        }
        false
    }

    fn on_their_way(&self) -> &[String] {
        &self.said
    }
}

fn message(text: &str) -> Vec<u8> {
    line(&json!({"type": "user", "message": {"role": "user", "content": [{"type": "text", "text": text}]}}))
}

/// An answer to an interrupt is of no interest unless it failed. Nothing else is asked for with our arguments; a request
/// of a later version is refused, so that it does not wait for ever.
fn control(bytes: &[u8], out: &mut Vec<AgentEvent>, answer: &mut Vec<u8>) -> bool {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return false };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match value["type"].as_str() {
        Some("control_response") => {
            if value["response"]["subtype"] == "error" {
                let why = text(&value["response"]["error"]);
                out.push(AgentEvent::Notice {
                    message: format!("the agent refused to be interrupted: {why}"),
                });
            }
            false
        }
        Some("control_request") => {
            let subtype = text(&value["request"]["subtype"]);
            let refusal =
                json!({"subtype": "error", "request_id": value["request_id"], "error": "not supported"});
            answer.extend(line(&json!({"type": "control_response", "response": refusal})));
            out.push(AgentEvent::Notice {
                message: format!("the agent asked for `{subtype}`, which was refused"),
            });
            true
        }
        _ => false,
    }
}
