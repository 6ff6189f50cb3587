//! The ticket as plain data, read from a planfile (planfile 0.1.126, `reference/planfile.md` §2).
//!
//! These types are read-only views: a change never goes through them but through [`super::lifecycle::Op`], which edits
//! the text of the named ticket. Unknown keys are therefore not kept here; they stay in the file untouched.
//! All text in here is foreign and must pass `base::text` before it is shown.

mod inputs;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use inputs::{Inputs, LlmInputs, McpInputs};

/// A ticket's id such as `PLF-074`. Compares as text; use [`TicketId::natural_key`] to sort.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TicketId(Arc<str>);

impl TicketId {
    /// Wraps an id as it stands in the file; no validation, foreign ids are legal on disk.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The id as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Sorts `PLF-999` before `PLF-1000`: the prefix, then the trailing number, then the text itself.
    pub fn natural_key(&self) -> (&str, u64, &str) {
        let digits = self.0.len() - self.0.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let (prefix, number) = self.0.split_at(self.0.len() - digits);
        (prefix, number.parse().unwrap_or(u64::MAX), &self.0)
    }
}

impl fmt::Display for TicketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `status` of a ticket. Spelling variants of planfile (`cancelled`, `completed`) are folded on reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not started.
    #[default]
    Open,
    /// Started and not finished.
    InProgress,
    /// Waits for a review outside of the queue.
    Review,
    /// Finished well.
    Done,
    /// Cannot go on; terminal for the archive.
    Blocked,
    /// Given up.
    Canceled,
    /// Ended badly.
    Failed,
}

impl Status {
    /// Every status in planfile's order.
    pub const ALL: [Status; 7] = [
        Status::Open,
        Status::InProgress,
        Status::Review,
        Status::Done,
        Status::Blocked,
        Status::Canceled,
        Status::Failed,
    ];

    /// The word on disk.
    pub fn word(self) -> &'static str {
        match self {
            Status::Open => "open",
            Status::InProgress => "in_progress",
            Status::Review => "review",
            Status::Done => "done",
            Status::Blocked => "blocked",
            Status::Canceled => "canceled",
            Status::Failed => "failed",
        }
    }

    /// Reads the word on disk, with planfile's two aliases; exact case as planfile demands.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "open" => Status::Open,
            "in_progress" => Status::InProgress,
            "review" => Status::Review,
            "done" | "completed" => Status::Done,
            "blocked" => Status::Blocked,
            "canceled" | "cancelled" => Status::Canceled,
            "failed" => Status::Failed,
            _ => return None,
        })
    }

    /// Whether a dependant of a ticket in this status may run (planfile: done or canceled).
    pub fn satisfies_dependants(self) -> bool {
        matches!(self, Status::Done | Status::Canceled)
    }

    /// Whether planfile treats it as finished and archives it.
    pub fn is_terminal(self) -> bool {
        matches!(self, Status::Done | Status::Canceled | Status::Failed | Status::Blocked)
    }
}

/// The four priorities planfile intends, highest first; anything else is kept as text and ranks last.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[derive(Default)]
pub enum Priority {
    /// Rank 0.
    Critical,
    /// Rank 1.
    High,
    /// Rank 2.
    #[default]
    Normal,
    /// Rank 3.
    Low,
    /// Any other word; rank 99 as in planfile.
    Other(String),
}

impl Priority {
    /// The four intended priorities.
    pub const KNOWN: [Priority; 4] = [Priority::Critical, Priority::High, Priority::Normal, Priority::Low];

    /// The word on disk.
    pub fn word(&self) -> &str {
        match self {
            Priority::Critical => "critical",
            Priority::High => "high",
            Priority::Normal => "normal",
            Priority::Low => "low",
            Priority::Other(word) => word,
        }
    }

    /// planfile 0.1.126's rank, lowest runs first.
    pub fn rank(&self) -> u8 {
        match self {
            Priority::Critical => 0,
            Priority::High => 1,
            Priority::Normal => 2,
            Priority::Low => 3,
            Priority::Other(_) => 99,
        }
    }
}

impl From<String> for Priority {
    fn from(word: String) -> Self {
        match word.as_str() {
            "critical" => Priority::Critical,
            "high" => Priority::High,
            "normal" => Priority::Normal,
            "low" => Priority::Low,
            _ => Priority::Other(word),
        }
    }
}

impl From<Priority> for String {
    fn from(priority: Priority) -> Self {
        priority.word().to_owned()
    }
}

/// `executor.kind`: who works the ticket. planfile does not validate the word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum ExecutorKind {
    /// A person answers (planfile's default).
    #[default]
    Human,
    /// A command line through `/bin/sh -c`.
    Shell,
    /// One HTTP request.
    Api,
    /// A language model or a coding agent.
    Llm,
    /// A tool of an MCP server.
    Mcp,
    /// Any other word.
    Other(String),
}

impl ExecutorKind {
    /// The word on disk.
    pub fn word(&self) -> &str {
        match self {
            ExecutorKind::Human => "human",
            ExecutorKind::Shell => "shell",
            ExecutorKind::Api => "api",
            ExecutorKind::Llm => "llm",
            ExecutorKind::Mcp => "mcp",
            ExecutorKind::Other(word) => word,
        }
    }
}

impl From<String> for ExecutorKind {
    fn from(word: String) -> Self {
        match word.as_str() {
            "human" => ExecutorKind::Human,
            "shell" => ExecutorKind::Shell,
            "api" => ExecutorKind::Api,
            "llm" => ExecutorKind::Llm,
            "mcp" => ExecutorKind::Mcp,
            _ => ExecutorKind::Other(word),
        }
    }
}

impl From<ExecutorKind> for String {
    fn from(kind: ExecutorKind) -> Self {
        kind.word().to_owned()
    }
}

/// The `executor` block.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Executor {
    /// Who works it.
    pub kind: ExecutorKind,
    /// `interactive` or `automatic`, as written.
    pub mode: Option<String>,
    /// Command, URL or agent name, depending on the kind.
    pub handler: Option<String>,
}

/// The `execution` block; absent on disk until the first lifecycle step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    /// Queue name; planfile's default is `default`.
    pub queue: String,
    /// `pending ready running waiting_input done failed skipped blocked canceled`, or anything else as written;
    /// empty when missing.
    pub state: String,
    /// Who holds it.
    pub assigned_to: Option<String>,
    /// First start.
    pub started_at: Option<Timestamp>,
    /// End.
    pub finished_at: Option<Timestamp>,
    /// Until when the holder may keep it. planfile stores and never evaluates this; we do.
    pub lease_expires_at: Option<Timestamp>,
    /// Failed attempts so far.
    pub attempt: i64,
    /// Attempts allowed.
    pub max_attempts: i64,
    /// Text of the last failure.
    pub last_error: Option<String>,
}

/// The `outputs` block.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outputs {
    /// Paths or URLs.
    pub artifacts: Vec<String>,
    /// Notes, oldest first.
    pub notes: Vec<String>,
    /// Anything.
    pub result: Option<Value>,
}

/// The `source` block: who made the ticket.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Producing tool.
    pub tool: String,
    /// Free context.
    pub context: Option<Value>,
}

/// One ticket as read from one file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ticket {
    /// Id; the map key when the record carries none.
    pub id: TicketId,
    /// Title.
    pub name: String,
    /// Body.
    pub description: String,
    /// Status.
    pub status: Status,
    /// Priority on disk; see `plan::queue` for the effective one.
    pub priority: Priority,
    /// Stem of the containing file (`current`, `backlog`, `history-2026-11-21`), not the `sprint` key.
    pub sprint: String,
    /// Labels.
    pub labels: Vec<String>,
    /// Ids that must be done first.
    pub blocked_by: Vec<TicketId>,
    /// Informative reverse edges.
    pub blocks: Vec<TicketId>,
    /// Parent ticket.
    pub parent: Option<TicketId>,
    /// Files in scope.
    pub files: Vec<String>,
    /// Acceptance criteria.
    pub acceptance_criteria: Vec<String>,
    /// Who works it.
    pub executor: Executor,
    /// Where the work stands.
    pub execution: Execution,
    /// What the work needs.
    pub inputs: Inputs,
    /// What the work gave.
    pub outputs: Outputs,
    /// Who made it.
    pub source: Option<Source>,
    /// Creation; `None` when missing or unreadable.
    pub created_at: Option<Timestamp>,
    /// Last change; the text is what optimistic checks compare as an instant.
    pub updated_at: Option<Timestamp>,
    /// Reason why planfile itself would hide this ticket (bad type, unknown status, …). Such a ticket is shown and
    /// never run.
    pub invalid: Option<String>,
}

impl Default for TicketId {
    fn default() -> Self {
        TicketId::new("")
    }
}

impl Ticket {
    /// Whether the exact, case-sensitive label `bug` is set (planfile's rule).
    pub fn is_bug(&self) -> bool {
        self.labels.iter().any(|label| label == "bug")
    }

    /// What a human ticket asks: `inputs.prompt`, else description, else name, else the id (koru §4.3). A ticket that is
    /// no question by itself and waits for a decision asks what its last run left in `execution.last_error`
    /// ([`super::lifecycle::Op::Wait`]): its prompt is for its executor.
    pub fn question(&self) -> &str {
        let decision = (self.executor.kind != ExecutorKind::Human && self.execution.state == "waiting_input")
            .then_some(self.execution.last_error.as_deref())
            .flatten();
        [decision, self.inputs.prompt.as_deref(), Some(&*self.description), Some(&*self.name)]
            .into_iter()
            .flatten()
            .find(|text| !text.trim().is_empty())
            .unwrap_or(self.id.as_str())
    }
}
