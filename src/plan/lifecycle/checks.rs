//! Values that planfile would write and then not read back are refused here, by field.

use super::Refusal;
use crate::plan::ticket::{Priority, TicketId};

/// A refusal of a value.
pub(super) fn invalid(field: &'static str, reason: impl Into<String>) -> Refusal {
    Refusal::Invalid { field, reason: reason.into() }
}

/// Refuses a text without visible characters.
pub(super) fn not_blank(field: &'static str, text: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() { Err(invalid(field, "must not be blank")) } else { Ok(()) }
}

/// Refuses a list with a blank text.
pub(super) fn none_blank(field: &'static str, texts: &[String]) -> Result<(), Refusal> {
    texts.iter().try_for_each(|text| not_blank(field, text))
}

/// Refuses a priority that is none of planfile's four intended ones.
pub(super) fn known_priority(priority: &Priority) -> Result<(), Refusal> {
    match priority {
        Priority::Other(word) => {
            Err(invalid("priority", format!("`{word}` is none of critical, high, normal, low")))
        }
        _ => Ok(()),
    }
}

/// Refuses blank blockers and a ticket that waits for itself.
pub(super) fn sound_blockers(own: Option<&TicketId>, blockers: &[TicketId]) -> Result<(), Refusal> {
    for blocker in blockers {
        not_blank("blocked_by", blocker.as_str())?;
        if own == Some(blocker) {
            return Err(invalid("blocked_by", format!("{blocker} cannot wait for itself")));
        }
    }
    Ok(())
}
