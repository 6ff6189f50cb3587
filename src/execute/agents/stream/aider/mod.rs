//! aider, plain text without a terminal (measured on 0.86.2; `reference/agent-streams.md` §7).
//!
//! There is no protocol: the program's own lines are told from the model's by their fixed words, and everything else is
//! the model's. An error follows a cut-off text on the same line and is wrapped at 80 columns. The exit code is 0
//! whatever happened, so the end is made up from what came last: a reply is over when its `Tokens:` line is there.

mod edits;
mod report;

use std::sync::Arc;

use self::edits::Edits;
use super::trouble::Trouble;
use super::{StreamParser, decoded};
use crate::execute::agents::event::{AgentEvent, Finish, Scope, Speech};

/// Bytes of a wrapped error that are put together.
const ERROR_LIMIT: usize = 2048;

/// How the lines before the first reply begin.
const PREAMBLE: [&str; 12] = [
    "Analytics have been",
    "Detected dumb terminal",
    "Update git name with:",
    "Update git email with:",
    "Warning:",
    "Weak model:",
    "Editor model:",
    "Git repo:",
    "Repo-map:",
    "Added ",
    "Using ",
    "Restored previous conversation",
];

/// The last words of what aider says to the model about an edit that did not apply.
const EDIT_ADVICE_ENDS: &str = "white space, comments, indentation, docstrings, etc";

/// Reads aider's output.
#[derive(Default)]
pub(super) struct Aider {
    place: Place,
    last: Last,
    /// Key of the reply that is being written.
    reply: Option<Arc<str>>,
    keys: u64,
    /// Empty lines that are only written when a text follows.
    blank: usize,
    /// A line of dashes that may be the first half of a heading.
    rule: Option<String>,
    /// The reply is at its reasoning.
    thinking: bool,
    version: Option<String>,
    /// An error that is being put together, and the status that its class means.
    error: Option<(String, Option<u16>)>,
    tries: u32,
    edits: Edits,
}

/// Whose lines come.
#[derive(Clone, Copy, Default, PartialEq)]
enum Place {
    /// The program presents itself.
    #[default]
    Preamble,
    /// The model, unless the words are the program's.
    Reply,
    /// The program tells the model why an edit did not apply.
    EditAdvice,
}

/// What came last.
#[derive(Default)]
enum Last {
    #[default]
    Nothing,
    /// Text of a reply that is not over.
    Text,
    /// A reply that is over.
    Reply,
    Error(String),
    Interrupted,
}

impl StreamParser for Aider {
    fn line(&mut self, line: &[u8], out: &mut Vec<AgentEvent>) {
        let line = decoded(line);
        if self.place == Place::Preamble && self.preamble(&line, out) {
            return;
        }
        if self.error_goes_on(&line, out) || self.program(&line, out) {
            return;
        }
        match self.place {
            Place::EditAdvice => {
                if line.trim() == EDIT_ADVICE_ENDS {
                    self.place = Place::Reply;
                }
            }
            _ => self.reply(&line, out),
        }
    }

    fn end(&mut self, out: &mut Vec<AgentEvent>) {
        self.end_error(out);
        self.end_rule(out);
        let (ok, reason) = match std::mem::take(&mut self.last) {
            Last::Nothing if self.place == Place::Preamble => return,
            Last::Nothing => (false, Some("it ended without an answer".to_owned())),
            Last::Text => (false, Some("it ended within a reply".to_owned())),
            Last::Reply => (true, None),
            Last::Error(message) => (false, Some(message)),
            Last::Interrupted => (false, Some("it was interrupted".to_owned())),
        };
        out.push(AgentEvent::Done(Finish { ok, reason, ..Finish::default() }));
        out.push(AgentEvent::TurnEnd);
    }
}

impl Aider {
    /// Takes a line of the preamble; `false` for the first line after it.
    fn preamble(&mut self, line: &str, out: &mut Vec<AgentEvent>) -> bool {
        if let Some(version) = line.strip_prefix("Aider v") {
            self.version = Some(version.trim().to_owned());
        } else if let Some(model) = line.strip_prefix("Model: ").or_else(|| line.strip_prefix("Main model: "))
        {
            let model = model.split(" with ").next().unwrap_or(model);
            let model = Some(model.trim().to_owned());
            out.push(AgentEvent::Session { id: String::new(), model, version: self.version.take() });
        } else if !line.trim().is_empty() && !PREAMBLE.iter().any(|start| line.starts_with(start)) {
            self.place = Place::Reply;
            return false;
        }
        true
    }

    /// Takes a line that is the program's own by its words.
    fn program(&mut self, line: &str, out: &mut Vec<AgentEvent>) -> bool {
        if let Some(report) = report::read(line) {
            self.end_rule(out);
            out.push(AgentEvent::Usage { scope: Scope::Step, tokens: report.tokens });
            out.extend(report.usd.map(|usd| AgentEvent::Cost { scope: Scope::Step, usd }));
            self.reply_over(out);
        } else if let Some(seconds) = report::retrying(line) {
            self.tries += 1;
            let reason = match &self.last {
                Last::Error(message) => message.clone(),
                _ => "no reason given".to_owned(),
            };
            let delay_ms = Some(seconds);
            out.push(AgentEvent::Retry { attempt: self.tries, max: None, delay_ms, reason });
            self.new_reply();
            self.edits = Edits::default();
        } else if let Some(path) = line.strip_prefix("Applied edit to ") {
            out.push(self.edits.applied(path.trim()));
        } else if line.starts_with("# ")
            && line.contains("SEARCH/REPLACE block")
            && line.contains("failed to match")
        {
            self.failed(line.trim_matches(['#', ' ', '!']).to_owned(), None, out);
            self.place = Place::EditAdvice;
        } else if line.starts_with("The LLM did not conform to the edit format.") {
            out.push(AgentEvent::Notice { message: line.trim().to_owned() });
            self.place = Place::EditAdvice;
        } else if line.starts_with("Empty response received from LLM")
            || line.starts_with("Only ") && line.contains("reflections allowed, stopping")
        {
            self.failed(line.trim().to_owned(), None, out);
        } else if line.starts_with("^C again to exit") || line.starts_with("^C KeyboardInterrupt") {
            self.last = Last::Interrupted;
            out.push(AgentEvent::Notice { message: "it was interrupted".to_owned() });
        } else {
            return false;
        }
        true
    }

    /// A line of a reply. Reasoning and answer are set apart by headings under a line of dashes.
    fn reply(&mut self, line: &str, out: &mut Vec<AgentEvent>) {
        if let ("► **THINKING**" | "► **ANSWER**", true) = (line.trim(), self.rule.is_some()) {
            self.new_reply();
            self.thinking = line.contains("THINKING");
            return;
        }
        self.end_rule(out);
        if line.len() >= 10 && line.bytes().all(|byte| byte == b'-') {
            self.rule = Some(line.to_owned());
        } else {
            self.text(line, out);
        }
    }

    /// A line of dashes was not half a heading.
    fn end_rule(&mut self, out: &mut Vec<AgentEvent>) {
        if let Some(rule) = self.rule.take() {
            self.text(&rule, out);
        }
    }

    fn new_reply(&mut self) {
        self.reply = None;
        self.rule = None;
        self.thinking = false;
        self.blank = 0;
    }

    /// A line of the model's, or the text that an error cut off.
    fn text(&mut self, line: &str, out: &mut Vec<AgentEvent>) {
        let error = report::error_in(line);
        let text = error.map_or(line, |at| &line[..at]);
        if error.is_none() && text.trim().is_empty() {
            self.blank += usize::from(self.reply.is_some());
            return;
        }
        if !text.is_empty() {
            self.edits.line(text);
            let key = self.reply.get_or_insert_with(|| {
                self.keys += 1;
                self.keys.to_string().into()
            });
            let mut said = "\n".repeat(std::mem::take(&mut self.blank).min(10));
            said.push_str(text);
            if error.is_none() {
                said.push('\n');
            }
            self.last = Last::Text;
            let speech = Speech { key: key.clone(), text: said, whole: false, aside: false };
            out.push(if self.thinking { AgentEvent::Thinking(speech) } else { AgentEvent::Text(speech) });
        }
        if let Some(at) = error {
            let message = &line[at..];
            self.error = Some((message.to_owned(), report::status_of(message)));
        }
    }

    /// Takes a line that goes on with a wrapped error. An empty line, a retry or a report ends it.
    fn error_goes_on(&mut self, line: &str, out: &mut Vec<AgentEvent>) -> bool {
        let Some((message, _)) = &mut self.error else { return false };
        let over = line.trim().is_empty() || report::retrying(line).is_some() || report::read(line).is_some();
        if over {
            self.end_error(out);
        } else if message.len() + line.len() < ERROR_LIMIT {
            // Wrapped lines keep the blank that they were wrapped at.
            if !message.ends_with(' ') {
                message.push(' ');
            }
            message.push_str(line);
        }
        !over
    }

    fn end_error(&mut self, out: &mut Vec<AgentEvent>) {
        if let Some((message, status)) = self.error.take() {
            self.failed(message.trim().to_owned(), status, out);
        }
    }

    fn failed(&mut self, message: String, status: Option<u16>, out: &mut Vec<AgentEvent>) {
        let trouble = Trouble { status, ..Trouble::read(&message) };
        if status == Some(429) {
            out.extend(trouble.rate_limit());
        }
        self.last = Last::Error(message.clone());
        out.push(AgentEvent::Error { message, status });
    }

    /// A reply is over. One without a word makes no error good.
    fn reply_over(&mut self, out: &mut Vec<AgentEvent>) {
        if matches!(self.last, Last::Text) {
            self.last = Last::Reply;
        }
        self.new_reply();
        self.tries = 0;
        out.push(AgentEvent::Reply);
    }
}
