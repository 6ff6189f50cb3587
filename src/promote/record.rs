//! A promotion as data: what would land, what is known of it, what was decided. Kept as one file each by
//! [`super::shelf`].
//!
//! Invariants: `base`, `head` and `diff` never change once a promotion is made, so that what was approved is what was
//! shown; another commit is another promotion. `history` only grows.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::combine::Way;
use super::landing::Move;
use crate::execute::agents::tally::Cost;
use crate::plan::settings::Risk;
use crate::plan::ticket::TicketId;
use crate::verify::gates::GateResult;
use crate::verify::verdict::Decision;

/// Version of the file. A reader refuses what is newer and ignores unknown keys.
pub(super) const FORMAT: u32 = 1;

/// A request to land the work of a ticket, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Promotion {
    /// Version of the file.
    pub format: u32,
    /// Its name: the ticket's, and the commit's first twelve digits.
    pub id: String,
    /// Ticket.
    pub ticket: TicketId,
    /// The ticket's name when it was made (foreign text).
    pub title: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Branch with the work, its short name.
    pub branch: String,
    /// Branch that it lands on.
    pub base_branch: String,
    /// Commit that both have in common, 40 hexadecimal digits.
    pub base: String,
    /// Commit that lands.
    pub head: String,
    /// What it changes.
    pub diff: DiffMark,
    /// What the gates said of `head`.
    #[serde(default)]
    pub checks: Vec<GateResult>,
    /// What the reviewer said of `head`.
    #[serde(default)]
    pub verdict: Option<VerdictMark>,
    /// How much it may hurt.
    pub risk: Risk,
    /// Why the risk is what it is (foreign text in it).
    #[serde(default)]
    pub reasons: Vec<String>,
    /// Why it may not land, if so: a sentence (foreign text in it).
    #[serde(default)]
    pub blocked: Option<String>,
    /// What the work cost so far, all rounds together.
    #[serde(default)]
    pub cost: Option<Cost>,
    /// What became of it.
    pub state: State,
    /// What was done with it, oldest first.
    #[serde(default)]
    pub history: Vec<Deed>,
}

/// The change as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffMark {
    /// SHA-256 over the paths, modes and contents before and after, 64 hexadecimal digits.
    pub hash: String,
    /// Files changed.
    pub files: u32,
    /// Lines added.
    pub added: u32,
    /// Lines removed.
    pub removed: u32,
    /// Paths from the top of the repository, sorted, at most five hundred (foreign text).
    pub paths: Vec<String>,
}

/// The last verdict in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictMark {
    /// Decision.
    pub decision: Decision,
    /// Who judged.
    pub by: String,
    /// Round.
    pub round: u32,
    /// Findings that must be mended.
    pub blocking: u32,
    /// All findings.
    pub findings: u32,
}

/// How work comes, or came, onto its base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Landed {
    /// The move of the base.
    pub going: Move,
    /// How the work was joined with it.
    pub way: Way,
    /// Who approved.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// What became of a promotion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// A person, or policy, decides.
    Pending,
    /// It was approved and is landing: the move was not seen to its end yet.
    Landing(Landed),
    /// It is on the base branch.
    Applied(Landed),
    /// It is being taken back: the move was not seen to its end yet.
    Undoing {
        /// How it came onto the base.
        landed: Landed,
        /// The move back, or on to a commit that takes it out again.
        going: Move,
        /// Who wants it back.
        by: String,
    },
    /// It was taken back.
    Undone {
        /// How it had come onto the base.
        landed: Landed,
        /// The move that took it back.
        back: Move,
        /// Who wanted it.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// It was rejected.
    Rejected {
        /// Why (foreign text).
        reason: String,
        /// Who decided.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// It cannot land any more.
    Expired {
        /// Why.
        why: String,
        /// When that was seen.
        at: Timestamp,
    },
}

impl State {
    /// The state in one word, as filters know it.
    pub fn word(&self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Landing(_) => "landing",
            State::Applied(_) => "applied",
            State::Undoing { .. } => "undoing",
            State::Undone { .. } => "undone",
            State::Rejected { .. } => "rejected",
            State::Expired { .. } => "expired",
        }
    }

    /// All words, for filters.
    pub const WORDS: [&str; 7] =
        ["pending", "landing", "applied", "undoing", "undone", "rejected", "expired"];
}

/// One thing that was done with a promotion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What, a sentence (foreign text in it).
    pub what: String,
}

impl Promotion {
    /// Notes what was done.
    pub(super) fn note(&mut self, at: Timestamp, by: &str, what: impl Into<String>) {
        self.history.push(Deed { at, by: by.to_owned(), what: what.into() });
    }
}
