//! From bytes of an agent's standard output to the recorder: raw, parsed, assembled, all within the call that brought
//! the bytes, so that nothing waits for more to come.

use std::collections::HashSet;

use super::blocks::Block;
use super::raw::RawStream;
use super::repeats::Repeats;
use super::split::{Line, Splitter};
use crate::execute::agents::assemble::Assembler;
use crate::execute::agents::backend::Dialogue;
use crate::execute::agents::event::AgentEvent;
use crate::execute::agents::kind::AgentKind;
use crate::execute::agents::stream::{StreamParser, UNKNOWN_LIMIT, parser};
use crate::execute::agents::tally::Tally;
use crate::execute::output::{Channel, OutputLine};
use crate::execute::recorder::Recorder;

/// One run's output.
pub(super) struct Stream {
    splitter: Splitter,
    raw: RawStream,
    parser: Box<dyn StreamParser>,
    dialogue: Option<Box<dyn Dialogue>>,
    /// Lines are text: what has no line end yet can be shown.
    plain: bool,
    assembler: Assembler,
    turn: Turn,
    torn: bool,
    repeats: Repeats,
    circles: Option<String>,
    events: Vec<AgentEvent>,
    lines: Vec<OutputLine>,
    answer: Vec<u8>,
}

impl Stream {
    /// The output of an agent that speaks as `kind` does.
    pub(super) fn new(
        kind: AgentKind,
        raw: RawStream,
        dialogue: Option<Box<dyn Dialogue>>,
        assembler: Assembler,
    ) -> Self {
        Self {
            splitter: Splitter::default(),
            raw,
            parser: parser(kind),
            dialogue,
            plain: matches!(kind, AgentKind::Aider | AgentKind::Custom),
            assembler,
            turn: Turn { at_results: kind != AgentKind::OpenCode, ..Turn::default() },
            torn: false,
            repeats: Repeats::default(),
            circles: None,
            events: Vec::new(),
            lines: Vec::new(),
            answer: Vec::new(),
        }
    }

    /// Takes bytes. What must be written to the agent in return, if anything.
    pub(super) fn push(&mut self, block: &Block, recorder: &mut Recorder) -> Vec<u8> {
        self.raw.take(block);
        let at_ms = recorder.now_ms();
        let mut splitter = std::mem::take(&mut self.splitter);
        splitter.push(block, |line| self.line(&line, at_ms));
        self.splitter = splitter;
        self.hand_over(recorder);
        std::mem::take(&mut self.answer)
    }

    /// The stream is over.
    pub(super) fn end(&mut self, recorder: &mut Recorder) {
        self.raw.end();
        let at_ms = recorder.now_ms();
        let mut splitter = std::mem::take(&mut self.splitter);
        self.torn = !splitter.pending().is_empty();
        splitter.finish(|line| self.line(&line, at_ms));
        self.parser.end(&mut self.events);
        self.take_events(at_ms);
        self.assembler.finish(at_ms, &mut self.lines);
        self.hand_over(recorder);
    }

    /// The other side of standard input, for agents that hear.
    pub(super) fn dialogue(&mut self) -> Option<&mut dyn Dialogue> {
        Some(&mut **self.dialogue.as_mut()?)
    }

    /// What the run amounts to so far.
    pub(super) fn tally(&self) -> &Tally {
        self.assembler.tally()
    }

    /// A sentence when the agent turns in circles.
    pub(super) fn circles(&mut self) -> Option<String> {
        self.circles.take()
    }

    /// Where the agent's turn stands.
    pub(super) fn turn(&self) -> &Turn {
        &self.turn
    }

    /// Nothing more is taken, whether the stream is over or not.
    pub(super) fn close(&mut self) {
        self.raw.end();
    }

    /// Everything that says how it ended, and whether its last line had no end.
    pub(super) fn into_parts(self) -> (Assembler, bool) {
        (self.assembler, self.torn)
    }

    fn line(&mut self, line: &Line<'_>, at_ms: u64) {
        if line.dropped > 0 {
            let head = String::from_utf8_lossy(&line.bytes[..line.bytes.len().min(UNKNOWN_LIMIT)]);
            let line = format!("{head}… [a line of {} bytes]", line.bytes.len() as u64 + line.dropped);
            self.events.push(AgentEvent::Unknown { line });
        } else {
            let dialogue = self.dialogue.as_mut();
            let taken = dialogue
                .is_some_and(|dialogue| dialogue.hear(line.bytes, &mut self.events, &mut self.answer));
            if !taken {
                // The dialogue's own view of a line comes after the parser's: an error, then that it was the end.
                let own = std::mem::take(&mut self.events);
                self.parser.line(line.bytes, &mut self.events);
                self.events.extend(own);
            }
        }
        self.take_events(at_ms);
    }

    fn take_events(&mut self, at_ms: u64) {
        for event in self.events.drain(..) {
            self.turn.take(&event);
            if self.circles.is_none() {
                self.circles = self.repeats.take(&event);
            }
            self.assembler.take(at_ms, event, &mut self.lines);
        }
    }

    fn hand_over(&mut self, recorder: &mut Recorder) {
        match self.lines.is_empty() {
            true => recorder.alive(),
            false => recorder.lines(std::mem::take(&mut self.lines)),
        }
        let half = self.plain.then(|| String::from_utf8_lossy(self.splitter.pending()));
        let half = half.as_deref().filter(|half| !half.is_empty()).map(|half| (Channel::Text, half));
        recorder.partial(self.assembler.partial().or(half));
        recorder.tally(self.assembler.tally());
    }
}

/// Where the agent's turn stands.
#[derive(Debug, Default)]
pub(super) struct Turn {
    /// A turn of several tools shows each result when it is there (OpenCode shows a call only with its result, so that
    /// none seems to be running).
    at_results: bool,
    running: HashSet<String>,
    /// The last thing that happened was the end of a reply with all its tools.
    between: bool,
    /// The agent said that it is finished, and nothing came after that.
    finished: bool,
}

impl Turn {
    /// Whether the agent has just ended a reply and all tools of it: it can be ended here without losing work.
    pub(super) fn is_between(&self) -> bool {
        self.between
    }

    /// Whether it said that it is finished.
    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    fn take(&mut self, event: &AgentEvent) {
        match event {
            AgentEvent::ToolCall { id, .. } => {
                self.running.insert(id.clone());
                self.between = false;
                self.finished = false;
            }
            AgentEvent::ToolResult { id, .. } => {
                self.running.remove(id);
                self.between = self.at_results && self.running.is_empty();
            }
            AgentEvent::Reply | AgentEvent::TurnEnd => self.between = self.running.is_empty(),
            AgentEvent::Text(speech) | AgentEvent::Thinking(speech) if !speech.aside => {
                self.between = false;
                self.finished = false;
            }
            AgentEvent::Done(_) => {
                self.running.clear();
                self.between = true;
                self.finished = true;
            }
            _ => {}
        }
    }
}
