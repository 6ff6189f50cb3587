//! What an outcome means for its ticket, as an operation (koru §4.1 step 7).

use crate::execute::outcome::{Ending, Outcome};
use crate::plan::lifecycle::Op;

/// The operation that records `outcome`; `label` is what was executed, by `actor`.
///
/// A run that was stopped by the operator did not fail: its ticket goes back to ready and keeps its attempts.
pub(crate) fn operation(outcome: &Outcome, actor: &str, label: &str) -> Op {
    let label = outcome.label.as_deref().unwrap_or(label);
    match outcome.ending {
        Ending::Succeeded => Op::Complete {
            note: Some(format!("Executed by {actor}: {label}")),
            artifacts: Vec::new(),
            result: Some(outcome.result_json()),
        },
        Ending::Failed | Ending::TimedOut => {
            Op::Fail { error: outcome.error_text(), result: Some(outcome.result_json()) }
        }
        // Neither done nor failed: the ticket waits for the operator, and the queue goes on with others.
        Ending::Waiting | Ending::Violation => Op::Wait {
            question: outcome.error_text(),
            result: Some(outcome.result_json()),
            note: Some(format!("Executed by {actor}: {label}; waits for a decision")),
        },
        Ending::Stopped => {
            Op::Ready { note: Some(format!("Stopped by {actor} while executing: {label}; released")) }
        }
    }
}
