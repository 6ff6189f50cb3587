//! An answer on its way into a ticket. Runs on the planfile's owner thread.
//!
//! The answer is kept first, then the ticket is claimed, refused when it changed since it was seen, then started and
//! completed: whatever fails, the text is not lost, and a ticket is not answered by two people.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use crate::execute::human::HumanAnswer;
use crate::plan::lifecycle::Op;
use crate::plan::store::{MutateError, Step, Store};
use crate::plan::ticket::{Ticket, TicketId};

/// An answer on its way into a ticket.
pub(crate) struct AnswerJob {
    /// Whether the ticket asks a person; otherwise the answer only makes it ready again.
    pub(crate) human: bool,
    /// `updated_at` on the operator's screen.
    pub(crate) seen: Option<Timestamp>,
    /// Who claims.
    pub(crate) holder: String,
    /// End of the claim.
    pub(crate) until: Timestamp,
    /// Where the answer is kept first; `None` when the caller has kept it.
    pub(crate) prompts: Option<PathBuf>,
    /// Now.
    pub(crate) now: Timestamp,
    /// The answer.
    pub(crate) answer: HumanAnswer,
}

impl AnswerJob {
    /// Keeps the answer, then claims, then starts and completes in one write.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub(crate) fn give(&self, store: &mut Store) -> Result<TicketId, String> {
        if let Some(prompts) = &self.prompts {
            self.answer.capture(prompts, self.now).map_err(|error| {
                format!("keeping the answer in {} failed: {error}; nothing was sent", prompts.display())
            })?;
        }
        let claim = Op::Claim { by: self.holder.clone(), until: Some(self.until) };
        let last = if self.human {
            let claimed = self.apply(store, claim, self.seen)?;
            let start = Op::Start { by: Some(self.holder.clone()), until: None };
            let complete = Op::Complete {
                note: Some(self.answer.note()),
                artifacts: Vec::new(),
                result: Some(self.answer.result()),
            };
            // Start and complete share one write; the claim before keeps everybody else out.
            let steps = [start, complete].map(|op| self.step(op, None));
            store.apply(&steps).pop().unwrap_or(Err(MutateError::NoTicket(claimed.id.clone())))
        } else {
            let ready = Op::Ready { note: Some(self.answer.note()) };
            store
                .apply(&[self.step(ready, self.seen)])
                .pop()
                .unwrap_or_else(|| Err(MutateError::NoTicket(self.answer.ticket.clone())))
        };
        last.map(|mutated| mutated.ticket.id.clone()).map_err(|error| error.to_string())
    }

    fn apply(&self, store: &mut Store, op: Op, seen: Option<Timestamp>) -> Result<Arc<Ticket>, String> {
        let result = store.apply(&[self.step(op, seen)]).pop();
        let result = result.unwrap_or_else(|| Err(MutateError::NoTicket(self.answer.ticket.clone())));
        result.map(|mutated| mutated.ticket).map_err(|error| error.to_string())
    }

    fn step(&self, op: Op, seen: Option<Timestamp>) -> Step {
        Step { id: self.answer.ticket.clone(), op, seen, actor: Some(self.answer.actor.clone()) }
    }
}
