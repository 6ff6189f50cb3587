//! `ticket undo`: the last change of a ticket that was made from a console, taken back.

use serde_json::json;

use super::super::context::Context;
use super::super::error::{Exit, VerbError};
use super::super::output::{Out, Tone};
use crate::plan::ticket::TicketId;
use crate::runtime::undoing::Undoing;

/// Takes it back.
///
/// # Errors
/// Nothing to take back, or a ticket that was changed since.
pub(super) fn run(context: &Context, id: &str, out: &mut Out) -> Result<Exit, VerbError> {
    let undoing = Undoing::new(&context.root()?, &context.who(), context.clock.now());
    let ticket = TicketId::new(id);
    let undone = undoing.undo(&mut context.store()?, &ticket).map_err(VerbError::Failed)?;
    match context.json() {
        true => out.json(&json!({"ticket": ticket, "undone": undone.what, "text": undone.text})),
        false => {
            out.pieces(&[
                (Tone::Strong, ticket.as_str()),
                (Tone::Plain, &format!(" is as it was before it was {}", undone.what)),
            ]);
            if let Some(text) = undone.text {
                out.note(Tone::Faint, &format!("these words had been written for it: {text}"));
            }
        }
    }
    Ok(Exit::Ok)
}
