//! `ticket answer`: a human's answer to one ticket, the verb of the console's inline form.
//!
//! A human ticket is completed with it; a ticket of another kind that waits for input becomes ready again.

use std::io::{IsTerminal, Read, stdin};

use jiff::SignedDuration;

use super::super::cli::DEFAULT_ACTOR;
use super::super::cli::ticket::AnswerArgs;
use super::super::context::Context;
use super::super::error::{Exit, VerbError};
use super::super::output::{Out, Tone};
use super::{changed, found};
use crate::base::paths::ProjectPaths;
use crate::execute::human::HumanAnswer;
use crate::plan::store::Mutated;
use crate::plan::ticket::{ExecutorKind, TicketId};
use crate::runtime::answering::AnswerJob;

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
        None => {
            if stdin().is_terminal() {
                out.note(Tone::Plain, ticket.question());
                out.note(Tone::Faint, "(end of input, Ctrl-D, submits; Ctrl-C cancels)");
            }
            from_stdin()?
        }
    };
    if text.trim().is_empty() {
        return Err(VerbError::Usage("an empty answer is not sent; give --text or pipe it in".to_owned()));
    }
    let now = context.clock.now();
    let actor = args.actor.unwrap_or_else(|| DEFAULT_ACTOR.to_owned());
    let job = AnswerJob {
        human: ticket.executor.kind == ExecutorKind::Human,
        seen: ticket.updated_at,
        holder: actor.clone(),
        until: now.checked_add(CLAIM).unwrap_or(now),
        prompts: Some(ProjectPaths::new(store.root()).prompts()),
        now,
        answer: HumanAnswer {
            ticket: ticket.id.clone(),
            actor,
            prompt: ticket.question().to_owned(),
            answer: text.trim().to_owned(),
        },
    };
    let id = job.give(&mut store).map_err(VerbError::Failed)?;
    let ticket = found(&store, &id)?;
    let mutated = Mutated { sprint: ticket.sprint.clone(), ticket };
    changed(context, &store, &mutated, "answered", out);
    Ok(Exit::Ok)
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
