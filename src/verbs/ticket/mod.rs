//! `ticket …`: reading tickets ([`list`], [`show`], [`next`]) changing one ([`create`], [`step`],
//! [`answer`]), running one ([`run`]) and reading what its runs left ([`runs`], [`log`]).

mod answer;
mod create;
mod decide;
mod list;
mod log;
mod next;
mod review;
mod run;
mod runs;
mod show;
mod step;
mod undo;
pub(super) mod words;

use std::sync::Arc;

use super::cli::ticket::TicketVerb;
use super::context::Context;
use super::error::{Exit, VerbError};
use super::output::{Out, Tone};
use crate::plan::store::{MutateError, Mutated, Store};
use crate::plan::ticket::{Priority, Status, Ticket, TicketId};

/// Runs one ticket verb.
///
/// # Errors
/// See [`VerbError`].
pub(super) fn run(context: &Context, verb: TicketVerb, out: &mut Out) -> Result<Exit, VerbError> {
    match verb {
        TicketVerb::List(args) => list::run(context, &args, out),
        TicketVerb::Show(args) => show::run(context, &args.id, out),
        TicketVerb::Next(args) => next::run(context, &args, out),
        TicketVerb::Answer(args) => answer::run(context, args, out),
        TicketVerb::Create(args) => create::run(context, *args, out),
        TicketVerb::Run(args) => run::run(context, &args, out),
        TicketVerb::Review(args) => review::run(context, &args.id, out),
        TicketVerb::Decide(args) => decide::run(context, &args, out),
        TicketVerb::Runs(args) => runs::run(context, &args.id, out),
        TicketVerb::Undo(args) => undo::run(context, &args.id, out),
        TicketVerb::Log(args) => log::run(context, &args, out),
        other => step::run(context, other, out),
    }
}

/// The ticket with this id.
///
/// # Errors
/// An unknown id; when files do not parse, their faults instead, since the ticket may stand in one of them.
fn found(store: &Store, id: &TicketId) -> Result<Arc<Ticket>, VerbError> {
    let plan = store.plan();
    match plan.ticket(id) {
        Some(ticket) => Ok(Arc::clone(ticket)),
        None if plan.faults.is_empty() => Err(MutateError::NoTicket(id.clone()).into()),
        None => Err(VerbError::Broken(plan.faults.clone())),
    }
}

/// Prints what a change led to: the record as JSON, or one line.
fn changed(context: &Context, store: &Store, mutated: &Mutated, did: &str, out: &mut Out) {
    if context.json() {
        out.json(&store.record(&mutated.ticket.id));
        return;
    }
    let ticket = &mutated.ticket;
    let place = if mutated.sprint == "current" { String::new() } else { format!(" in {}", mutated.sprint) };
    out.pieces(&[
        (Tone::Strong, ticket.id.as_str()),
        (Tone::Plain, &format!(" {did}: {}", ticket.status.word())),
        (Tone::Faint, &format!("/{}{place}  ", ticket.execution.state)),
        (Tone::Plain, &ticket.name),
    ]);
}

/// Reads a status word given by the operator.
///
/// # Errors
/// A word that planfile does not know; writing it would hide the ticket (planfile 0.1.126, `update --status bogus`).
fn status(word: &str) -> Result<Status, VerbError> {
    Status::parse(word).ok_or_else(|| {
        let known: Vec<&str> = Status::ALL.iter().map(|status| status.word()).collect();
        VerbError::Usage(format!("--status {word}: no such status; use one of {}", known.join(", ")))
    })
}

/// Reads a priority word given by the operator.
///
/// # Errors
/// A word outside of the four.
fn priority(word: &str) -> Result<Priority, VerbError> {
    match Priority::from(word.to_owned()) {
        Priority::Other(_) => {
            Err(VerbError::Usage(format!("--priority {word}: use one of critical, high, normal, low")))
        }
        known => Ok(known),
    }
}

/// Reads JSON given by the operator.
///
/// # Errors
/// Text that is not JSON.
fn json(option: &str, text: &str) -> Result<serde_json::Value, VerbError> {
    serde_json::from_str(text).map_err(|error| VerbError::Usage(format!("{option}: not JSON: {error}")))
}
