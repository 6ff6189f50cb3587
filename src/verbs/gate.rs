//! `gate authorize`: a waiver of gates, on record in the ticket's notes (koru §6.5) and in the audit.

use serde_json::json;

use super::cli::gate::{AuthorizeArgs, GateVerb};
use super::context::{Context, variable};
use super::error::{Exit, VerbError};
use super::output::{Out, Tone};
use crate::base::paths::ProjectPaths;
use crate::learn::audit;
use crate::plan::lifecycle::{Op, Patch};
use crate::plan::store::MutateError;
use crate::plan::ticket::TicketId;
use crate::verify::gates::{Waiver, WaiverMode};

/// Runs the verb.
///
/// # Errors
/// A blank reason, an unknown ticket, a planfile that cannot be written.
pub(super) fn run(context: &Context, verb: GateVerb, out: &mut Out) -> Result<Exit, VerbError> {
    let GateVerb::Authorize(args) = verb;
    authorize(context, args, out)
}

fn authorize(context: &Context, args: AuthorizeArgs, out: &mut Out) -> Result<Exit, VerbError> {
    let reason = args.reason.trim().to_owned();
    if reason.is_empty() {
        return Err(VerbError::Usage("--reason: say why; a waiver without a reason is none".to_owned()));
    }
    let Some(mode) = WaiverMode::parse(&args.mode) else {
        let words = WaiverMode::WORDS.join(", ");
        return Err(VerbError::Usage(format!("--mode {}: use one of {words}", args.mode)));
    };
    if let Some(run) = variable("KORU_RUN") {
        let why = format!(
            "the run {run} may not waive the gates of work in this project; ask the operator to do it"
        );
        return Err(VerbError::Failed(why));
    }
    let skipped: Vec<String> =
        args.skipped.iter().map(|gate| gate.trim().to_owned()).filter(|gate| !gate.is_empty()).collect();
    let waiver = Waiver {
        authorized_at: context.clock.now(),
        authorized_by: authorized_by(context, args.authorized_by),
        mode,
        reason,
        skipped,
        ticket: TicketId::new(args.id),
    };
    let note = waiver.note();
    let mut store = context.store()?;
    let op = Op::Update(Patch { note: Some(note.clone()), ..Patch::default() });
    let mutated = store.mutate(&waiver.ticket, op, Some(&waiver.authorized_by)).map_err(|error| {
        let faults = &store.plan().faults;
        match error {
            MutateError::NoTicket(_) if !faults.is_empty() => VerbError::Broken(faults.clone()),
            other => VerbError::Mutate(other),
        }
    })?;
    record(context, &waiver, out)?;
    if context.json() {
        out.json(&json!({
            "ticket": waiver.ticket,
            "mode": waiver.mode.word(),
            "reason": waiver.reason,
            "skipped": waiver.skipped,
            "authorized_by": waiver.authorized_by,
            "note": note,
        }));
        return Ok(Exit::Ok);
    }
    let what = match (mode, waiver.skipped.is_empty()) {
        (WaiverMode::MandatoryHuman, _) => "a person decides about it".to_owned(),
        (_, false) => format!("may skip {}", waiver.skipped.join(", ")),
        (_, true) => "names no gate, so nothing is skipped; name some with --skipped".to_owned(),
    };
    out.pieces(&[
        (Tone::Strong, mutated.ticket.id.as_str()),
        (Tone::Plain, &format!(" {what} ({}, by {})", mode.word(), waiver.authorized_by)),
    ]);
    Ok(Exit::Ok)
}

/// The audit's row. The waiver itself is on record already, so a failure is only told.
fn record(context: &Context, waiver: &Waiver, out: &mut Out) -> Result<(), VerbError> {
    let folder = ProjectPaths::new(context.root()?).audit();
    let detail = json!({
        "ticket": waiver.ticket,
        "mode": waiver.mode.word(),
        "reason": waiver.reason,
        "skipped": waiver.skipped,
    });
    let written =
        audit::append(&folder, waiver.authorized_at, "gate.authorized", &waiver.authorized_by, &detail);
    if let Err(error) = written {
        let path = folder.display();
        out.note(Tone::Warn, &format!("the waiver is on the ticket, but not in the audit {path}: {error}"));
    }
    Ok(())
}

/// koru's order: the flag, then who the environment says it is.
fn authorized_by(context: &Context, flag: Option<String>) -> String {
    let flag = flag.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    flag.unwrap_or_else(|| context.who())
}
