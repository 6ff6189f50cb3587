//! The structured final answer: what the program checked itself, else the object that the last message is.

use serde_json::Value;

use crate::execute::agents::assemble::Assembler;
use crate::execute::agents::single;

/// The structured answer of a run.
pub(super) fn structured(assembler: &Assembler) -> Option<Value> {
    let checked = assembler.finish_said().and_then(|finish| finish.structured.clone());
    checked.or_else(|| serde_json::from_str(single::object(assembler.answer()?).ok()?).ok())
}
