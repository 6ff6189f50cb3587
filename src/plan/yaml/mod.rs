//! YAML 1.1 as PyYAML reads it, with byte spans, and edits that change nothing but what they name.
//!
//! The parts: `tape` (a flat list of nodes with spans over the source), `fast` (the strict block subset that PyYAML
//! itself emits, parsed line by line), `full` (any YAML, through saphyr-parser), `scalar` (what PyYAML's safe loader
//! would make of a plain scalar), `emit` (values as text that PyYAML reads back as meant), `edit` (set or remove a key
//! of one mapping, in place), `read` (tape → `Ticket`), `sprint` (one sprint file: ticket spans, whole-file edits).
//!
//! Invariant: whatever text an edit returns was parsed again and equals the intended value before it left this module.

pub mod sprint;

pub use sprint::{SprintDoc, SprintFault};
