//! Events of an agent become lines of the transcript and a running tally; partial text is kept aside.
//!
//! Owns the tally of one run, the line that is being written, and small tables of what is open: memory is bounded
//! whatever the stream does (see the limits in the submodules). A text that comes in pieces and then whole is written
//! once; a line is written when it is complete, or when something else has to come after it.

mod body;
mod signs;
mod speech;
mod title;
mod tools;
mod words;

use self::signs::Watch;
pub use self::signs::{LimitSign, Signs, TroubleSign};
use self::speech::Speeches;
use self::tools::Tools;
use super::account::Account;
use super::event::{AgentEvent, Finish};
use super::tally::Tally;
use crate::execute::output::{Channel, OutputLine};
use crate::plan::settings::Price;

/// Characters of [`Tally::doing`].
const DOING: usize = 80;

/// Turns one run's events into lines.
#[derive(Debug, Default)]
pub struct Assembler {
    tally: Tally,
    account: Account,
    speeches: Speeches,
    tools: Tools,
    watch: Watch,
    finish: Option<Finish>,
    /// The last error that was written, so that an agent that says it twice is heard once.
    error: Option<String>,
    limit: Option<String>,
    blocks: u32,
    /// Something was said that no closing status line counts yet.
    due: bool,
}

/// Where the lines of one event go.
pub(super) struct Sink<'a> {
    at_ms: u64,
    blocks: &'a mut u32,
    out: &'a mut Vec<OutputLine>,
}

impl Sink<'_> {
    fn line(&mut self, channel: Channel, text: impl Into<Box<str>>, block: u32) {
        self.out.push(OutputLine { at_ms: self.at_ms, channel, text: text.into(), block });
    }

    /// Number of a new block.
    fn block(&mut self) -> u32 {
        *self.blocks = self.blocks.saturating_add(1);
        *self.blocks
    }
}

impl Assembler {
    /// An assembler of one run. `before` is what the conversation had used before it, taken off what the agent reports
    /// for the whole conversation; `price` estimates the cost of an agent that reports none.
    pub fn new(before: Option<&Tally>, price: Option<Price>) -> Self {
        Self { account: Account::new(before, price), ..Self::default() }
    }

    /// Takes one event, said at `at_ms`; complete lines are appended to `out`.
    pub fn take(&mut self, at_ms: u64, event: AgentEvent, out: &mut Vec<OutputLine>) {
        self.watch.see(&event);
        self.due |= !matches!(event, AgentEvent::Unknown { .. } | AgentEvent::TurnEnd);
        let mut blocks = self.blocks;
        let mut sink = Sink { at_ms, blocks: &mut blocks, out };
        match event {
            AgentEvent::Text(speech) => {
                if !speech.aside {
                    self.doing("writing");
                    self.error = None;
                }
                self.speeches.say(Channel::Text, speech, &mut sink);
            }
            AgentEvent::Thinking(speech) => {
                if !speech.aside {
                    self.doing("thinking");
                }
                self.speeches.say(Channel::Thinking, speech, &mut sink);
            }
            event => self.take_rare(event, &mut sink),
        }
        self.blocks = blocks;
    }

    fn take_rare(&mut self, event: AgentEvent, sink: &mut Sink<'_>) {
        match event {
            AgentEvent::Usage { scope, tokens } => self.account.used(scope, tokens, &mut self.tally),
            AgentEvent::Cost { scope, usd } => self.account.paid(scope, usd, &mut self.tally),
            AgentEvent::Reply => {
                self.speeches.settle(sink);
                self.tally.turns = self.tally.turns.saturating_add(1);
            }
            AgentEvent::TurnEnd => self.tally.doing = None,
            event => {
                // Everything else is a line of its own, after what was said so far.
                self.speeches.interrupt(sink);
                self.take_line(event, sink);
            }
        }
    }

    fn take_line(&mut self, event: AgentEvent, sink: &mut Sink<'_>) {
        match event {
            AgentEvent::Session { id, model, version } => self.session(id, model, version.as_deref(), sink),
            AgentEvent::ToolCall { id, name, input } => {
                self.error = None;
                self.tally.tools = self.tally.tools.saturating_add(1);
                let title = self.tools.call(id, &name, &input, sink);
                self.doing(&title);
            }
            AgentEvent::ToolProgress { id, output } => self.tools.progress(&id, &output, sink),
            AgentEvent::ToolResult { id, ok, output, exit_code } => {
                self.tally.failed_tools = self.tally.failed_tools.saturating_add(u32::from(!ok));
                self.tools.result(&id, ok, exit_code, &output, sink);
                let running = self.tools.running().map(str::to_owned);
                self.tally.doing = None;
                if let Some(title) = running {
                    self.doing(&title);
                }
            }
            AgentEvent::FileChange { path, kind, diff } => {
                self.tally.changes = self.tally.changes.saturating_add(1);
                tools::change(&path, kind, diff.as_deref(), sink);
            }
            AgentEvent::RateLimit { message, retry_after_seconds, resets_at } => {
                self.doing("rate limited");
                let known = self.error.as_ref() == Some(&message);
                let said = if known { "" } else { &*message };
                let text = words::rate_limit(said, retry_after_seconds, resets_at);
                sink.line(Channel::Retry, text, 0);
                self.limit = Some(message);
            }
            AgentEvent::Retry { attempt, max, delay_ms, reason } => {
                self.speeches.void(sink);
                let known = [&self.limit, &self.error].into_iter().flatten().any(|said| *said == reason);
                let text = words::retry(attempt, max, delay_ms, if known { "" } else { &reason });
                self.doing(&text);
                sink.line(Channel::Retry, text, 0);
            }
            AgentEvent::Abandoned { reason } => {
                if self.speeches.void(sink) {
                    sink.line(Channel::Retry, words::one_line(&reason), 0);
                }
            }
            AgentEvent::Error { message, .. } => self.failed(message, sink),
            AgentEvent::Notice { message } => {
                sink.line(Channel::Status, format!("notice: {}", words::one_line(&message)), 0);
            }
            AgentEvent::Done(finish) => self.done(finish, sink),
            AgentEvent::Unknown { line } => sink.line(Channel::Unknown, words::raw(&line), 0),
            // Taken before.
            AgentEvent::Text(_)
            | AgentEvent::Thinking(_)
            | AgentEvent::Usage { .. }
            | AgentEvent::Cost { .. }
            | AgentEvent::Reply
            | AgentEvent::TurnEnd => {}
        }
    }

    fn session(&mut self, id: String, model: Option<String>, version: Option<&str>, sink: &mut Sink<'_>) {
        let id = Some(id).filter(|id| !id.is_empty());
        // Some agents say it again with every turn, or tell the model later: only news is written.
        let news = words::session(
            id.as_deref().filter(|id| self.tally.conversation.as_deref() != Some(id)),
            model.as_deref().filter(|model| self.tally.model.as_deref() != Some(model)),
            version.filter(|_| id.is_none() || self.tally.conversation != id),
        );
        if !news.is_empty() {
            sink.line(Channel::Status, news, 0);
        }
        self.tally.conversation = id.or(self.tally.conversation.take());
        self.tally.model = model.or(self.tally.model.take());
    }

    fn failed(&mut self, message: String, sink: &mut Sink<'_>) {
        if self.error.as_ref() != Some(&message) {
            body::block(Channel::Error, &message, sink);
        }
        self.tally.last_error = Some(message.clone());
        self.error = Some(message);
    }

    fn done(&mut self, finish: Finish, sink: &mut Sink<'_>) {
        self.tally.doing = None;
        if let Some(reason) = finish.reason.clone().filter(|_| !finish.ok) {
            self.failed(reason, sink);
        }
        if !finish.denied.is_empty() {
            sink.line(Channel::Status, words::denied(&finish.denied), 0);
        }
        sink.line(Channel::Status, words::summary(if finish.ok { "done" } else { "failed" }, &self.tally), 0);
        self.due = false;
        self.finish = Some(finish);
    }

    /// The text that has no line end yet, and what it is: shown below the last line, not in the transcript.
    pub fn partial(&self) -> Option<(Channel, &str)> {
        self.speeches.partial()
    }

    /// The stream is over: what is left becomes lines.
    pub fn finish(&mut self, at_ms: u64, out: &mut Vec<OutputLine>) {
        let mut blocks = self.blocks;
        let mut sink = Sink { at_ms, blocks: &mut blocks, out };
        self.speeches.end(&mut sink);
        if std::mem::take(&mut self.due) {
            sink.line(Channel::Status, words::summary("ended", &self.tally), 0);
        }
        self.tally.doing = None;
        self.blocks = blocks;
    }

    /// What the run amounts to so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The last [`AgentEvent::Done`], if there was one.
    pub fn finish_said(&self) -> Option<&Finish> {
        self.finish.as_ref()
    }

    /// The final answer: the finish's own text, else the last answer text, whole or (of an agent that only sends
    /// pieces) put together. Cut after 1 MiB.
    pub fn answer(&self) -> Option<&str> {
        let said = self.finish.as_ref().and_then(|finish| finish.text.as_deref());
        said.or_else(|| self.speeches.answer()).map(|answer| answer.trim_end_matches(['\n', '\r']))
    }

    /// What the run looks like to whoever judges it.
    pub fn signs(&self) -> Signs<'_> {
        self.watch.signs(self.finish.as_ref())
    }

    /// Whether the agent is between two replies: no tool runs and no text is open. A good moment to pause it.
    pub fn at_rest(&self) -> bool {
        self.watch.at_rest() && self.tools.running().is_none()
    }

    fn doing(&mut self, what: &str) {
        if self.tally.doing.as_deref() == Some(what) {
            return;
        }
        let what = what.char_indices().nth(DOING).map_or(what, |(end, _)| &what[..end]);
        if self.tally.doing.as_deref() != Some(what) {
            self.tally.doing = Some(what.to_owned());
        }
    }
}

#[cfg(test)]
mod tests;
