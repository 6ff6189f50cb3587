//! Events of an agent become lines of the transcript and a running tally; partial text is kept aside.

use super::event::{AgentEvent, Finish};
use super::tally::Tally;
use crate::execute::output::{Channel, OutputLine};

/// Turns one run's events into lines.
#[derive(Debug, Default)]
pub struct Assembler {
    tally: Tally,
}

impl Assembler {
    /// Takes one event, said at `at_ms`; complete lines are appended to `out`.
    pub fn take(&mut self, at_ms: u64, event: AgentEvent, out: &mut Vec<OutputLine>) {
        let _ = (at_ms, event, out);
    }

    /// The text that has no line end yet, and what it is: shown below the last line, not in the transcript.
    pub fn partial(&self) -> Option<(Channel, &str)> {
        None
    }

    /// The stream is over: what is left becomes lines.
    pub fn finish(&mut self, at_ms: u64, out: &mut Vec<OutputLine>) {
        let _ = (at_ms, out);
    }

    /// What the run amounts to so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The last [`AgentEvent::Done`], if there was one.
    pub fn finish_said(&self) -> Option<&Finish> {
        None
    }

    /// The final answer: the finish's own text, else the last whole answer text.
    pub fn answer(&self) -> Option<&str> {
        None
    }
}
