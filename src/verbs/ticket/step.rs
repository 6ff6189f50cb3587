//! `ticket claim|start|complete|done|fail|input|ready|block|update`: one lifecycle operation on one ticket.

use jiff::{SignedDuration, Timestamp};

use super::super::cli::DEFAULT_ACTOR;
use super::super::cli::ticket::{TicketVerb, UpdateFields};
use super::super::context::Context;
use super::super::error::{Exit, VerbError};
use super::super::output::Out;
use super::{changed, json, priority, status};
use crate::plan::lifecycle::{Op, Patch};
use crate::plan::ticket::{ExecutorKind, TicketId};

/// Runs the verb.
///
/// # Errors
/// See [`VerbError`].
pub(super) fn run(context: &Context, verb: TicketVerb, out: &mut Out) -> Result<Exit, VerbError> {
    let Some((id, did, op)) = operation(verb, context.clock.now())? else { return Ok(Exit::Ok) };
    let mut store = context.store()?;
    let actor = match &op {
        Op::Claim { by, .. } | Op::Start { by: Some(by), .. } => Some(by.clone()),
        _ => None,
    };
    let id = TicketId::new(id);
    let mutated = store.mutate(&id, op, actor.as_deref()).map_err(|error| {
        // A ticket of a file that does not parse is not "missing": say what is broken instead.
        let faults = &store.plan().faults;
        match error {
            crate::plan::store::MutateError::NoTicket(_) if !faults.is_empty() => {
                VerbError::Broken(faults.clone())
            }
            other => VerbError::Mutate(other),
        }
    })?;
    changed(context, &store, &mutated, did, out);
    Ok(Exit::Ok)
}

type Named = (String, &'static str, Op);

/// The operation that a verb asks for, with its ticket and the word that says it was done.
fn operation(verb: TicketVerb, now: Timestamp) -> Result<Option<Named>, VerbError> {
    let until =
        |seconds: Option<i64>| seconds.and_then(|n| now.checked_add(SignedDuration::from_secs(n)).ok());
    let result = |text: Option<String>| text.map(|text| json("--result-json", &text)).transpose();
    Ok(Some(match verb {
        TicketVerb::Claim(args) => {
            let by = args.assigned_to.unwrap_or_else(|| DEFAULT_ACTOR.to_owned());
            (args.id, "claimed", Op::Claim { by, until: until(args.lease_seconds) })
        }
        TicketVerb::Start(args) => {
            (args.id, "started", Op::Start { by: args.assigned_to, until: until(args.lease_seconds) })
        }
        TicketVerb::Complete(args) => {
            let result = result(args.result_json)?;
            (args.id, "completed", Op::Complete { note: args.note, artifacts: args.artifact, result })
        }
        TicketVerb::Done(args) => {
            (args.id, "completed", Op::Complete { note: None, artifacts: Vec::new(), result: None })
        }
        TicketVerb::Fail(args) => {
            (args.id, "failed", Op::Fail { error: args.error, result: result(args.result_json)? })
        }
        TicketVerb::Input(args) => (
            args.id,
            "waits for input",
            Op::Input { prompt: args.prompt, env_keys: args.env_key, note: args.note },
        ),
        TicketVerb::Ready(args) => (args.id, "made ready", Op::Ready { note: args.note }),
        TicketVerb::Block(args) => (args.id, "blocked", Op::Block { reason: args.reason }),
        TicketVerb::Update(args) => (args.id, "updated", Op::Update(patch(args.fields)?)),
        TicketVerb::List(_)
        | TicketVerb::Show(_)
        | TicketVerb::Next(_)
        | TicketVerb::Create(_)
        | TicketVerb::Answer(_)
        | TicketVerb::Run(_)
        | TicketVerb::Review(_)
        | TicketVerb::Decide(_)
        | TicketVerb::Runs(_)
        | TicketVerb::Undo(_)
        | TicketVerb::Log(_) => {
            return Ok(None);
        }
    }))
}

fn patch(fields: UpdateFields) -> Result<Patch, VerbError> {
    if fields.name.as_deref().is_some_and(|name| name.trim().is_empty()) {
        return Err(VerbError::Usage("--name: a ticket needs a title that is not blank".to_owned()));
    }
    let filled = |list: Option<Vec<String>>| -> Option<Vec<String>> {
        list.map(|words| words.into_iter().filter(|word| !word.is_empty()).collect())
    };
    Ok(Patch {
        name: fields.name,
        description: fields.description,
        status: fields.status.as_deref().map(status).transpose()?,
        priority: fields.priority.as_deref().map(priority).transpose()?,
        labels: filled(fields.label),
        blocked_by: filled(fields.blocked_by).map(|ids| ids.into_iter().map(TicketId::new).collect()),
        files: filled(fields.files),
        executor: fields.executor.map(ExecutorKind::from),
        prompt: fields.prompt,
        script: fields.script,
        note: fields.note,
    })
}
