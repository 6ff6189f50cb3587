//! What an agent can say, whichever it is (`reference/agent-streams.md` §1).
//!
//! Texts are decoded and foreign. A line that cannot be decoded or is not known becomes [`AgentEvent::Unknown`]: a
//! stream never ends a run by being odd.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::tally::Tokens;

/// One thing that an agent said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum AgentEvent {
    /// The conversation began or was resumed.
    Session {
        /// Id to resume it by; empty if the agent has none.
        id: String,
        /// Model, if said.
        model: Option<String>,
        /// The program's own version, if said.
        version: Option<String>,
    },
    /// Answer text.
    Text(Speech),
    /// Reasoning.
    Thinking(Speech),
    /// A tool is called.
    ToolCall {
        /// Id that its result names.
        id: String,
        /// Name as the agent has it.
        name: String,
        /// Arguments.
        input: Value,
    },
    /// A tool says something while it runs; cumulative, the newest replaces the one before.
    ToolProgress {
        /// The call.
        id: String,
        /// All of the output so far.
        output: String,
    },
    /// A tool ended.
    ToolResult {
        /// The call.
        id: String,
        /// Whether it went well.
        ok: bool,
        /// What it gave.
        output: String,
        /// Exit code of a command, when the agent says it.
        exit_code: Option<i32>,
    },
    /// A file was changed by a tool. Git before and after the run is the truth; this is what the agent says.
    FileChange {
        /// Path as the agent says it.
        path: String,
        /// How.
        kind: ChangeKind,
        /// Unified diff hunks without file headers, when the agent gives them.
        diff: Option<String>,
    },
    /// Tokens used.
    Usage {
        /// Of what.
        scope: Scope,
        /// How many.
        tokens: Tokens,
    },
    /// Money used, in US dollars, as the agent reports it.
    Cost {
        /// Of what.
        scope: Scope,
        /// US dollars.
        usd: f64,
    },
    /// The model's host refuses for now.
    RateLimit {
        /// Sentence.
        message: String,
        /// Seconds until it may be asked again, when said.
        retry_after_seconds: Option<u64>,
        /// Seconds since 1970 when the limit resets, when said (subscription logins).
        resets_at: Option<i64>,
    },
    /// The agent tries a request again by itself; text of the reply that was cut off is void.
    Retry {
        /// Which try, from 1; 0 when the agent does not count.
        attempt: u32,
        /// Of how many.
        max: Option<u32>,
        /// Milliseconds before it.
        delay_ms: Option<u64>,
        /// Why.
        reason: String,
    },
    /// Something went wrong. Not the end unless [`AgentEvent::Done`] says so.
    Error {
        /// Sentence.
        message: String,
        /// HTTP status of the model's host.
        status: Option<u16>,
    },
    /// Worth a line, not an error (a warning, a denied permission).
    Notice {
        /// Sentence.
        message: String,
    },
    /// What was said since the last whole text was cut off; the agent says it again without counting that as a try.
    Abandoned {
        /// Why.
        reason: String,
    },
    /// One reply of the model is over; its tools may run next. For codex, which does not say so, a reply is taken to
    /// be over when the model speaks again after a tool.
    Reply,
    /// A turn of the conversation is over: the agent waits or ends.
    TurnEnd,
    /// The agent says that it is finished. Agents that mark no end (opencode, aider, plain text) have it made up from
    /// their last lines when the stream ends.
    Done(Finish),
    /// A line that was not understood.
    Unknown {
        /// The line, cut after [`super::stream::UNKNOWN_LIMIT`] bytes: the raw stream has all of it.
        line: String,
    },
}

/// Text of an answer or of reasoning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Speech {
    /// Message and block it belongs to, unique within the run, so that a whole is not shown again after its deltas.
    pub key: Arc<str>,
    /// The text.
    pub text: String,
    /// All of the block, rather than the next piece of it.
    pub whole: bool,
    /// Said by a subagent: shown apart, never part of the answer.
    pub aside: bool,
}

/// How a file was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Made.
    Added,
    /// Changed.
    Modified,
    /// Taken away.
    Deleted,
}

/// What a number of tokens or dollars counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One reply or step: to be added up.
    Step,
    /// All of this run: replaces what was said before.
    Run,
    /// All of the conversation, earlier runs included: the part before this run is taken off.
    Conversation,
    /// A helper's, which has a conversation of its own: to be added up, whatever else is reported.
    Aside,
}

/// How an agent says that it ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Finish {
    /// Whether it says that all went well.
    pub ok: bool,
    /// Its reason in one word or sentence, when it did not.
    pub reason: Option<String>,
    /// Final answer, when the stream gives it apart.
    pub text: Option<String>,
    /// Structured answer that the program itself checked against the schema.
    pub structured: Option<Value>,
    /// Tools that it was not allowed to use.
    pub denied: Vec<String>,
}
