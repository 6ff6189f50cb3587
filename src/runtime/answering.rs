//! An answer on its way into a ticket. Runs on the planfile's owner thread.
//!
//! The answer is kept first. Then the ticket is claimed, started and completed in one step of the store, which is
//! refused when the ticket changed since it was seen: whatever fails, the text is not lost, no ticket is answered by two
//! people, and a crash leaves the whole answer or none of it.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::execute::human::HumanAnswer;
use crate::plan::lifecycle::Op;
use crate::plan::store::{MutateError, Step, Store};
use crate::plan::ticket::TicketId;

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
    /// Keeps the answer, then claims, starts and completes in one write.
    ///
    /// # Errors
    /// A sentence for the operator. The ticket is as it was then.
    pub(crate) fn give(&self, store: &mut Store) -> Result<TicketId, String> {
        if let Some(prompts) = &self.prompts {
            self.answer.capture(prompts, self.now).map_err(|error| {
                format!("keeping the answer in {} failed: {error}; nothing was sent", prompts.display())
            })?;
        }
        let missing = || Err(MutateError::NoTicket(self.answer.ticket.clone()));
        let given = store.apply(&[self.step()]).pop().unwrap_or_else(missing);
        given.map(|mutated| mutated.ticket.id.clone()).map_err(|error| error.to_string())
    }

    /// The whole answer. A question that only held a ticket up makes it ready again.
    fn step(&self) -> Step {
        let note = Some(self.answer.note());
        let (op, then) = if self.human {
            let claim = Op::Claim { by: self.holder.clone(), until: Some(self.until) };
            let start = Op::Start { by: Some(self.holder.clone()), until: None };
            let result = Some(self.answer.result());
            (claim, vec![start, Op::Complete { note, artifacts: Vec::new(), result }])
        } else {
            (Op::Ready { note }, Vec::new())
        };
        let actor = Some(self.answer.actor.clone());
        Step { then, seen: self.seen, actor, ..Step::new(self.answer.ticket.clone(), op) }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::base::clock::Clock;
    use crate::base::faults;
    use crate::plan::lifecycle::{NewTicket, Refusal, changes};
    use crate::plan::ticket::{ExecutorKind, Status, Ticket};

    fn now() -> Timestamp {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    /// A planfile with one question.
    fn project() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let put = |relative: &str, text: &str| {
            let path = folder.path().join(".planfile").join(relative);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put("config.yaml", "project: x\nprefix: PLF\nnext_id: 1\nstorage:\n  backend: single-yaml\n");
        put(
            "sprints/current.yaml",
            "sprint:\n  id: current\n  name: Current\n  status: active\n  tickets: {}\n",
        );
        let question =
            NewTicket { name: "Which?".to_owned(), executor: ExecutorKind::Human, ..NewTicket::default() };
        open(folder.path()).create(&question).unwrap();
        folder
    }

    fn open(root: &Path) -> Store {
        Store::open(root).unwrap().with_clock(Clock::manual(now()))
    }

    fn job(ticket: &Ticket) -> AnswerJob {
        let answer = HumanAnswer {
            ticket: ticket.id.clone(),
            actor: "ann".to_owned(),
            prompt: "Which?".to_owned(),
            answer: "the left one".to_owned(),
        };
        AnswerJob {
            human: true,
            seen: ticket.updated_at,
            holder: "ann@here".to_owned(),
            until: "2026-11-21T12:05:00Z".parse().unwrap(),
            prompts: None,
            now: now(),
            answer,
        }
    }

    fn question(store: &Store) -> Arc<Ticket> {
        Arc::clone(store.plan().ticket(&TicketId::new("PLF-001")).unwrap())
    }

    /// The states that the question went through.
    fn states(store: &Store) -> Vec<String> {
        let record = store.record(&TicketId::new("PLF-001")).unwrap();
        let entries = record["history"].as_array().unwrap();
        entries.iter().filter_map(|entry| Some(entry.get("execution_state")?.as_str()?.to_owned())).collect()
    }

    #[test]
    fn an_answer_costs_what_one_completion_costs() {
        let (one, other) = (project(), project());
        let mut store = open(one.path());
        let ticket = question(&store);
        let (given, steps) = faults::inject(None, || job(&ticket).give(&mut store));
        assert_eq!(given, Ok(ticket.id.clone()));
        let done = question(&store);
        assert_eq!((done.status, states(&store).join(" ")), (Status::Done, "ready running done".to_owned()));
        assert_eq!(done.outputs.notes, ["Answered by ann.\nPrompt: Which?\nAnswer: the left one"]);

        let mut store = open(other.path());
        store.plan();
        let complete = Op::Complete { note: None, artifacts: Vec::new(), result: None };
        let (_, completing) = faults::inject(None, || store.mutate(&ticket.id, complete, None).unwrap());
        assert_eq!(steps, completing);
    }

    #[test]
    fn a_refusal_in_the_middle_leaves_nothing_behind() {
        let folder = project();
        let mut store = open(folder.path());
        let ticket = question(&store);
        let before = fs::read(folder.path().join(".planfile/sprints/current.yaml")).unwrap();
        // Claimed by one, started by another: the second operation is refused.
        let claim = Op::Claim { by: "ann".to_owned(), until: None };
        let start = Op::Start { by: Some("bob".to_owned()), until: None };
        assert!(changes(&ticket, &start, now()).is_ok(), "alone it would be done");
        let step = Step { then: vec![start], ..Step::new(ticket.id.clone(), claim) };
        for _ in ["with the whole plan in memory", "without"] {
            let error = store.apply(std::slice::from_ref(&step)).pop().unwrap().unwrap_err();
            assert!(matches!(error, MutateError::Refused(Refusal::Held { .. })), "{error}");
            let after = fs::read(folder.path().join(".planfile/sprints/current.yaml")).unwrap();
            assert_eq!(String::from_utf8(after), String::from_utf8(before.clone()));
            store = open(folder.path());
        }
        // Another step of the same batch is done all the same, before and after it.
        let note = |text: &str| {
            let patch = crate::plan::lifecycle::Patch { note: Some(text.to_owned()), ..Default::default() };
            Step::new(ticket.id.clone(), Op::Update(patch))
        };
        let results = store.apply(&[note("one"), step, note("two")]);
        assert_eq!(results.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
        let after = question(&store);
        assert_eq!(after.outputs.notes, ["one", "two"]);
        assert_eq!((after.execution.assigned_to.as_deref(), states(&store)), (None, Vec::new()));
    }
}
