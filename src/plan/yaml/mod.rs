//! YAML 1.1 as PyYAML reads it, with byte spans, and edits that change nothing but what they name.
//!
//! The parts: `tape` (a flat list of nodes with spans over the source), `fast` (the strict block subset that PyYAML
//! itself emits, parsed line by line), `scan` and `full` (any YAML, token by token as libyaml reads it), `scalar` (what
//! PyYAML's safe loader makes of a plain scalar), `check` (what its constructor refuses), `value` and `json` (tape → JSON value, JSON text), `emit`
//! (values as text that PyYAML reads back as meant), `edit` (set or remove a key of one mapping, in place), `read`
//! (tape → `Ticket`), `layout`, `load` and `tail` (where the tickets of a file stand), `sprint` (one sprint file), `stream` (a large one straight to JSON), `change` (whole edits of
//! it, each read back before it is believed).
//!
//! `full` is our own rather than an event parser for YAML 1.2, because the question is never "is this YAML" but "what
//! will planfile make of it": a text that we read and libyaml refuses is a file that planfile treats as empty.
//!
//! Invariant: whatever text an edit returns was parsed again and equals the intended value before it left this module.

mod change;
mod check;
mod edit;
mod emit;
mod fast;
mod fault;
mod full;
mod json;
mod layout;
mod load;
mod parallel;
mod patch;
mod read;
mod reread;
mod scalar;
mod scan;
pub mod sprint;
pub mod stream;
mod tail;
mod tape;
#[cfg(test)]
mod tests;
mod value;

pub use patch::Patch;
pub use sprint::{EditError, Outline, SprintDoc, SprintFault, SprintWarning};
