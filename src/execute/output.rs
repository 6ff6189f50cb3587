//! One line of a run's output as plain data; the runtime's protocol carries it on to consoles.

use serde::{Deserialize, Serialize};

/// One line of output as the child wrote it (lossy UTF-8, no line end, known secrets taken out): not safe to show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputLine {
    /// Milliseconds since the run started.
    pub at_ms: u64,
    /// Where it came from.
    pub channel: Channel,
    /// The text; longer lines than the limit are cut and say so.
    pub text: Box<str>,
}

/// Where an output line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
    /// Said by koru-tui itself about the run.
    Note,
}
