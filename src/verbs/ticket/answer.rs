//! `ticket answer`: a human's answer to one ticket, the verb of the console's inline form.
//!
//! The answer is kept under `.koru/prompts/` first; then the ticket is claimed, which keeps everybody else out, and
//! only then started and completed in one write. A ticket of another kind that waits for input becomes ready again.

use std::io::{Read, stdin};

use jiff::SignedDuration;

use super::super::cli::DEFAULT_ACTOR;
use super::super::cli::ticket::AnswerArgs;
use super::super::context::Context;
use super::super::error::{Exit, VerbError};
use super::super::output::Out;
use super::{changed, found};
use crate::base::paths::ProjectPaths;
use crate::execute::human::HumanAnswer;
use crate::plan::lifecycle::Op;
use crate::plan::store::{MutateError, Mutated, Step, Store};
use crate::plan::ticket::{ExecutorKind, Ticket, TicketId};

/// Longest answer that is read from standard input, in bytes.
const LONGEST: u64 = 1024 * 1024;
/// How long the claim may last in between; it is gone with the completion.
const CLAIM: SignedDuration = SignedDuration::from_mins(5);

/// Answers the ticket's question.
///
/// # Errors
/// A blank answer, a ticket that asks nothing or that somebody else holds, or a failing write.
pub(super) fn run(context: &Context, args: AnswerArgs, out: &mut Out) -> Result<Exit, VerbError> {
    let mut store = context.store()?;
    let ticket = found(&store, &TicketId::new(args.id))?;
    if ticket.executor.kind != ExecutorKind::Human && ticket.execution.state != "waiting_input" {
        return Err(VerbError::Usage(format!(
            "{} asks nothing; only human or waiting tickets are answered",
            ticket.id
        )));
    }
    let text = match args.text {
        Some(text) => text,
        None => from_stdin()?,
    };
    if text.trim().is_empty() {
        return Err(VerbError::Usage("an empty answer is not sent; give --text or pipe it in".to_owned()));
    }
    let answer = HumanAnswer {
        ticket: ticket.id.clone(),
        actor: args.actor.unwrap_or_else(|| DEFAULT_ACTOR.to_owned()),
        prompt: ticket.question().to_owned(),
        answer: text.trim().to_owned(),
    };
    let prompts = ProjectPaths::new(store.root()).prompts();
    answer.capture(&prompts, context.clock.now()).map_err(|source| VerbError::Io {
        doing: "keeping the answer in",
        path: prompts.clone(),
        source,
    })?;
    let mutated = give(context, &mut store, &ticket, &answer)?;
    changed(context, &store, &mutated, "answered", out);
    Ok(Exit::Ok)
}

fn give(
    context: &Context,
    store: &mut Store,
    ticket: &Ticket,
    answer: &HumanAnswer,
) -> Result<Mutated, VerbError> {
    let step = |op: Op, seen| Step { id: ticket.id.clone(), op, seen, actor: Some(answer.actor.clone()) };
    if ticket.executor.kind != ExecutorKind::Human {
        let ready = Op::Ready { note: Some(answer.note()) };
        return last(store.apply(&[step(ready, ticket.updated_at)]), ticket);
    }
    let until = context.clock.now().checked_add(CLAIM).ok();
    let claim = Op::Claim { by: answer.actor.clone(), until };
    last(store.apply(&[step(claim, ticket.updated_at)]), ticket)?;
    let start = Op::Start { by: Some(answer.actor.clone()), until: None };
    let complete =
        Op::Complete { note: Some(answer.note()), artifacts: Vec::new(), result: Some(answer.result()) };
    last(store.apply(&[step(start, None), step(complete, None)]), ticket)
}

/// The last result, or the first failure.
fn last(results: Vec<Result<Mutated, MutateError>>, ticket: &Ticket) -> Result<Mutated, VerbError> {
    let mut mutated = Err(MutateError::NoTicket(ticket.id.clone()));
    for result in results {
        mutated = Ok(result?);
    }
    Ok(mutated?)
}

fn from_stdin() -> Result<String, VerbError> {
    let mut text = Vec::new();
    let read = stdin().lock().take(LONGEST + 1).read_to_end(&mut text);
    let read = read.map_err(|error| {
        VerbError::Failed(format!("reading the answer from standard input failed: {error}"))
    })?;
    if read as u64 > LONGEST {
        return Err(VerbError::Usage(
            "the answer is longer than 1 MiB; put it into a file and name that".to_owned(),
        ));
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}
