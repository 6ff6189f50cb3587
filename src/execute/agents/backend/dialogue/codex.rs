//! Codex's app server on standard streams (measured with 0.169.0): JSON-RPC, one message a line, without `jsonrpc` in
//! what it says.
//!
//! The opening is a ladder: `initialize`, then `thread/start` or `thread/resume`, then `turn/start`, each when the one
//! before is answered. A message during a turn is `turn/steer`, which the turn takes with its next request; when the turn
//! is over by then it is refused, and said again as a turn of its own. What the server asks for is refused: it works
//! with `approvalPolicy: never`, and whoever would ask wants out of the fence. End of file ends the program at once, so
//! it must not come before `turn/completed`.

use serde_json::{Value, json};

use super::{Dialogue, line};
use crate::execute::agents::event::{AgentEvent, Finish};

const INITIALIZE: &str = "initialize";
const THREAD: &str = "thread";
const TURN: &str = "turn";
const STEER: &str = "steer";

/// What a conversation is begun or gone on with.
pub(in crate::execute::agents::backend) struct CodexOpening {
    /// What it is told.
    pub(in crate::execute::agents::backend) prompt: String,
    /// The worktree.
    pub(in crate::execute::agents::backend) folder: String,
    /// `danger-full-access` or `workspace-write`.
    pub(in crate::execute::agents::backend) sandbox: &'static str,
    /// Model, if not its own.
    pub(in crate::execute::agents::backend) model: Option<String>,
    /// Thread to go on with.
    pub(in crate::execute::agents::backend) resume: Option<String>,
    /// JSON schema of the final answer.
    pub(in crate::execute::agents::backend) schema: Option<Value>,
}

/// See the module.
pub(in crate::execute::agents::backend) struct CodexDialogue {
    opening: CodexOpening,
    thread: Option<String>,
    /// The turn that runs.
    turn: Option<String>,
    /// A turn was asked for and has not begun.
    starting: bool,
    /// Messages that were not taken, oldest first.
    said: Vec<String>,
    /// How many of `said` were sent and wait for an answer.
    sent: usize,
}

impl CodexDialogue {
    /// A dialogue that begins so.
    pub(in crate::execute::agents::backend) fn new(opening: CodexOpening) -> Self {
        Self { opening, thread: None, turn: None, starting: false, said: Vec::new(), sent: 0 }
    }

    /// `thread/start` or `thread/resume`.
    fn ask_for_thread(&self) -> Vec<u8> {
        let opening = &self.opening;
        let mut params =
            json!({"cwd": opening.folder, "sandbox": opening.sandbox, "approvalPolicy": "never"});
        if let Some(model) = &opening.model {
            params["model"] = json!(model);
        }
        let method = match &opening.resume {
            Some(thread) => {
                params["threadId"] = json!(thread);
                params["excludeTurns"] = json!(true);
                "thread/resume"
            }
            None => "thread/start",
        };
        request(THREAD, method, &params)
    }

    fn start_turn(&mut self, text: &str) -> Vec<u8> {
        self.starting = true;
        let mut params = json!({"threadId": self.thread, "input": input(text)});
        if let Some(schema) = &self.opening.schema {
            params["outputSchema"] = schema.clone();
        }
        request(TURN, "turn/start", &params)
    }

    /// Sends what was not sent yet, the way that it can be heard now.
    fn send(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while let Some(text) = self.said.get(self.sent).cloned().filter(|_| !self.starting) {
            match &self.turn {
                Some(turn) => {
                    let params =
                        json!({"threadId": self.thread, "expectedTurnId": turn, "input": input(&text)});
                    bytes.extend(request(STEER, "turn/steer", &params));
                    self.sent += 1;
                }
                None if self.thread.is_some() => {
                    // One turn takes all that waits; what was sent as steering is answered first.
                    if self.sent > 0 {
                        break;
                    }
                    let all = self.said.join("\n\n");
                    self.sent = self.said.len();
                    bytes.extend(self.start_turn(&all));
                }
                None => break,
            }
        }
        bytes
    }

    fn answered(&mut self, value: &Value, out: &mut Vec<AgentEvent>, answer: &mut Vec<u8>) {
        let refused = value.get("error").map(|error| error["message"].as_str().unwrap_or("no reason"));
        match (value["id"].as_str().unwrap_or_default(), refused) {
            (INITIALIZE, None) => {
                answer.extend(line(&json!({"method": "initialized"})));
                answer.extend(self.ask_for_thread());
            }
            (THREAD, None) => {
                let id = value["result"]["thread"]["id"].as_str().unwrap_or_default().to_owned();
                let model = value["result"]["model"].as_str().map(str::to_owned);
                out.push(AgentEvent::Session { id: id.clone(), model, version: None });
                self.thread = Some(id);
                let prompt = std::mem::take(&mut self.opening.prompt);
                answer.extend(self.start_turn(&prompt));
            }
            (STEER, None) => {
                self.said.remove(0);
                self.sent -= 1;
            }
            // The turn was over by then: once all are answered, they are said again in another.
            (STEER, Some(_)) => {
                self.sent -= 1;
                self.turn = None;
                if self.sent == 0 {
                    answer.extend(self.send());
                }
            }
            (INITIALIZE | THREAD | TURN, Some(why)) => {
                self.starting = false;
                let reason = Some(why.to_owned());
                out.push(AgentEvent::Done(Finish { reason, ..Finish::default() }));
            }
            _ => {}
        }
    }

    fn told(&mut self, value: &Value, answer: &mut Vec<u8>) {
        let turn = &value["params"]["turn"];
        match value["method"].as_str() {
            Some("turn/started") if value["params"]["threadId"].as_str() == self.thread.as_deref() => {
                self.turn = turn["id"].as_str().map(str::to_owned);
                if std::mem::take(&mut self.starting) {
                    self.said.drain(..std::mem::take(&mut self.sent));
                }
                answer.extend(self.send());
            }
            Some("turn/completed") if turn["id"].as_str() == self.turn.as_deref() => {
                self.turn = None;
                answer.extend(self.send());
            }
            _ => {}
        }
    }
}

impl Dialogue for CodexDialogue {
    fn open(&mut self) -> Vec<u8> {
        let us = json!({"name": "koru-tui", "title": "koru-tui", "version": env!("CARGO_PKG_VERSION")});
        request(INITIALIZE, "initialize", &json!({ "clientInfo": us }))
    }

    fn say(&mut self, text: &str) -> Vec<u8> {
        self.said.push(text.to_owned());
        self.send()
    }

    fn interrupt(&mut self) -> Vec<u8> {
        match &self.turn {
            Some(turn) => {
                request("interrupt", "turn/interrupt", &json!({"threadId": self.thread, "turnId": turn}))
            }
            None => Vec::new(),
        }
    }

    fn hear(&mut self, bytes: &[u8], out: &mut Vec<AgentEvent>, answer: &mut Vec<u8>) -> bool {
        // Nearly all lines are pieces of items, and of no interest here.
        if bytes.starts_with(br#"{"method":"item/"#)
            && memchr::memmem::find(&bytes[..bytes.len().min(64)], b"/request").is_none()
            && !bytes.starts_with(br#"{"method":"item/tool/call""#)
        {
            return false;
        }
        let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return false };
        match (value.get("method").is_some(), value.get("id").filter(|id| !id.is_null())) {
            (true, None) => {
                self.told(&value, answer);
                false
            }
            (true, Some(_)) => {
                let (reply, notice) = refuse(&value);
                answer.extend(line(&reply));
                out.push(AgentEvent::Notice { message: notice });
                true
            }
            (false, Some(_)) => {
                self.answered(&value, out, answer);
                true
            }
            (false, None) => false,
        }
    }

    fn on_their_way(&self) -> &[String] {
        &self.said
    }
}

fn request(id: &str, method: &str, params: &Value) -> Vec<u8> {
    line(&json!({"id": id, "method": method, "params": params}))
}

fn input(text: &str) -> Value {
    json!([{"type": "text", "text": text}])
}

/// The answer to a request of the server, and what to say of it.
fn refuse(value: &Value) -> (Value, String) {
    let (id, method) = (&value["id"], value["method"].as_str().unwrap_or_default());
    let declined = match method {
        "item/commandExecution/requestApproval" | "item/fileChange/requestApproval" => {
            Some(json!({"decision": "decline"}))
        }
        "execCommandApproval" | "applyPatchApproval" => {
            Some(json!({"decision": {"denied": {"rejection": "the project's policy decides, not a person"}}}))
        }
        "mcpServer/elicitation/request" => Some(json!({"action": "decline", "content": null})),
        _ => None,
    };
    let notice = format!("the agent asked for `{method}`, which was refused");
    match declined {
        Some(result) => (json!({"id": id, "result": result}), notice),
        None => (json!({"id": id, "error": {"code": -32601, "message": "not supported"}}), notice),
    }
}
