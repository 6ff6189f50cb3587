//! pi's rpc mode (measured with 0.87.1).
//!
//! Every command is answered by a `response` line. A `prompt` with `streamingBehavior: steer` is read after the running
//! tools, or starts a turn when pi is idle (`steer` alone would wait there for ever). `abort` ends the turn; end of file
//! ends the program at once, so it must not come before `agent_settled`.

use serde_json::{Value, json};

use super::{Dialogue, line};
use crate::execute::agents::event::{AgentEvent, Finish};

const PROMPT: &str = "prompt";
const STATE: &str = "state";
const SAY: &str = "say-";

/// See the module.
pub(in crate::execute::agents::backend) struct PiDialogue {
    prompt: String,
    said: Vec<String>,
    /// Number of the first in `said`.
    first: u64,
    count: u64,
}

impl PiDialogue {
    /// A dialogue that begins with `prompt`.
    pub(in crate::execute::agents::backend) fn new(prompt: &str) -> Self {
        Self { prompt: prompt.to_owned(), said: Vec::new(), first: 0, count: 0 }
    }

    /// Whether that is the id of the oldest message that was not taken yet.
    fn is_next(&self, id: &str) -> bool {
        !self.said.is_empty() && id == format!("{SAY}{}", self.first)
    }

    fn answered(&mut self, value: &Value, out: &mut Vec<AgentEvent>) {
        let refused = (value["success"] == false).then(|| value["error"].as_str().unwrap_or("no reason"));
        match (value["id"].as_str(), refused) {
            // No turn begins, so none will end.
            (Some(PROMPT), Some(why)) => {
                out.push(AgentEvent::Done(Finish { reason: Some(why.to_owned()), ..Finish::default() }));
            }
            (Some(id), refused) if self.is_next(id) => {
                self.first += 1;
                let text = self.said.remove(0);
                if refused.is_some() {
                    let message = format!("the agent did not take the message: {text}");
                    out.push(AgentEvent::Notice { message });
                }
            }
            _ => {}
        }
    }
}

impl Dialogue for PiDialogue {
    fn open(&mut self) -> Vec<u8> {
        let mut bytes = line(&json!({"id": STATE, "type": "get_state"}));
        let prompt = std::mem::take(&mut self.prompt);
        bytes.extend(line(&json!({"id": PROMPT, "type": "prompt", "message": prompt})));
        bytes
    }

    fn say(&mut self, text: &str) -> Vec<u8> {
        let id = format!("{SAY}{}", self.count);
        self.count += 1;
        self.said.push(text.to_owned());
        line(&json!({"id": id, "type": "prompt", "message": text, "streamingBehavior": "steer"}))
    }

    fn interrupt(&mut self) -> Vec<u8> {
        line(&json!({"id": "abort", "type": "abort"}))
    }

    fn hear(&mut self, bytes: &[u8], out: &mut Vec<AgentEvent>, answer: &mut Vec<u8>) -> bool {
        let heads: [&[u8]; 3] =
            [br#"{"id":"#, br#"{"type":"response""#, br#"{"type":"extension_ui_request""#];
        if !heads.iter().any(|head| bytes.starts_with(head)) {
            return false;
        }
        let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return false };
        match value["type"].as_str() {
            Some("response") => self.answered(&value, out),
            // An extension asks the person at the terminal: there is none, and it would wait for ever.
            Some("extension_ui_request") => {
                let method = value["method"].as_str().unwrap_or_default();
                if ["select", "confirm", "input", "editor"].contains(&method) {
                    let cancel =
                        json!({"type": "extension_ui_response", "id": value["id"], "cancelled": true});
                    answer.extend(line(&cancel));
                    let title = value["title"].as_str().unwrap_or_default();
                    let message = format!(
                        "an extension asked `{title}` ({method}); nobody can answer, it was cancelled"
                    );
                    out.push(AgentEvent::Notice { message });
                }
            }
            _ => {}
        }
        false
    }

    fn on_their_way(&self) -> &[String] {
        &self.said
    }
}
