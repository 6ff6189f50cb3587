//! Rounds of worker and reviewer: what a console may ask for, decide on and comment.

use serde::{Deserialize, Serialize};

use crate::plan::ticket::TicketId;
pub use crate::verify::finding::{Finding, Severity, Source};
pub use crate::verify::rounds::{Part, Progress, Review, Round, Stage, Wait};
pub use crate::verify::verdict::{Contradiction, Decision, Verdict};

/// Commands on the review of one ticket. The reviews themselves are in [`super::Snapshot::reviews`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum ReviewCommand {
    /// Decides on work that waits for a person, or that is approved and not landed. Refused when the work is not any more
    /// what was on the operator's screen.
    Decide {
        /// Ticket.
        ticket: TicketId,
        /// Commit that was on screen, 40 hexadecimal digits; the decision is about that one and no other.
        seen: String,
        /// The decision.
        choice: ReviewChoice,
    },
    /// The next round's fix list gets these findings (comments of the operator on lines, collected over files and sent
    /// once). A round is started for them when none runs; while the worker works, they are said in its next round.
    SendFindings {
        /// Ticket.
        ticket: TicketId,
        /// Commit that they were written about.
        seen: String,
        /// The findings, [`Source::Operator`] all of them.
        findings: Vec<Finding>,
    },
}

/// What a person decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "choice", rename_all = "snake_case")]
pub enum ReviewChoice {
    /// One more round with this fix list, above the limit if need be.
    Another {
        /// What is to be mended.
        fixes: Vec<Finding>,
    },
    /// The reviewer judges again; the worker is not paid again.
    ReviewAgain,
    /// The work passes as it is.
    Accept,
    /// The ticket fails with this reason; the branch stays.
    Reject {
        /// The reason; blank is refused.
        reason: String,
    },
}
