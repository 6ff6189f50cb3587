//! One line of a run's output as plain data; the runtime's protocol carries it on to consoles.
//!
//! A coding agent's stream is made into lines too, each with the [`Channel`] that says what it is, so that one number
//! space, one search and one window serve every kind of run. Lines that belong together (a tool call with its
//! arguments, a result, a thought, a diff) carry the same [`OutputLine::block`]; the first line of a block is its head,
//! which is what remains when the block is folded.

use serde::{Deserialize, Serialize};

/// One line of output (lossy UTF-8, no line end, known secrets taken out): not safe to show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputLine {
    /// Milliseconds since the run started.
    pub at_ms: u64,
    /// Where it came from, or what an agent said with it.
    pub channel: Channel,
    /// The text; longer lines than the limit are cut and say so.
    pub text: Box<str>,
    /// The foldable block it belongs to, counted from 1 within the run; 0 when it stands alone.
    #[serde(default, skip_serializing_if = "alone")]
    pub block: u32,
}

impl OutputLine {
    /// A line that stands alone.
    pub fn new(at_ms: u64, channel: Channel, text: impl Into<Box<str>>) -> Self {
        Self { at_ms, channel, text: text.into(), block: 0 }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn alone(block: &u32) -> bool {
    *block == 0
}

/// Where an output line came from, or what kind of thing an agent said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Standard output of a command.
    Out,
    /// Standard error of a command or an agent.
    Err,
    /// Said by koru-tui itself about the run.
    Note,
    /// What the operator said to the agent.
    Operator,
    /// An agent's answer text, one line of it.
    Text,
    /// An agent's reasoning.
    Thinking,
    /// Head of a tool call: its name and what it is about.
    Tool,
    /// An argument of a tool call.
    ToolInput,
    /// Result of a tool call, or output while it runs. The head says how it went and how much there is.
    ToolOutput,
    /// The same of a call that failed.
    ToolError,
    /// Head of a file change: path and how many lines went and came.
    File,
    /// A line of a file change's diff, with its leading `+`, `-`, ` ` or `@`.
    Diff,
    /// Usage, cost, a conversation's start and end, in one line.
    Status,
    /// A rate limit or a retry.
    Retry,
    /// An error that the agent reported.
    Error,
    /// A line of the stream that was not understood, kept as it came.
    Unknown,
}
