//! JSON schemas of others, held against values of others. Nothing is fetched for a schema, and no pattern of one may
//! take for ever.

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

/// Mistakes that are named.
const NAMED: usize = 5;
/// Characters of one mistake.
const CHARS: usize = 200;
/// Steps that a pattern of a schema may go back; a pattern that needs more does not match.
const BACKTRACKS: usize = 100_000;

/// A schema that can be checked against.
///
/// # Errors
/// What is wrong with it.
pub(super) fn compile(schema: &Value) -> Result<Validator, String> {
    let patterns = PatternOptions::fancy_regex().backtrack_limit(BACKTRACKS);
    let built = jsonschema::options().with_pattern_options(patterns).build(schema);
    built.map_err(|error| error.to_string())
}

/// What does not fit, with its place in the value (`/a/0`); `None` when all does. A pattern of the schema may take its
/// time: not for threads that others wait for.
pub(super) fn mistakes(validator: &Validator, value: &Value) -> Option<String> {
    let mut errors = validator.iter_errors(value);
    let named: Vec<String> = errors
        .by_ref()
        .take(NAMED)
        .map(|error| {
            let path = error.instance_path().to_string();
            let place = if path.is_empty() { "the whole" } else { &path };
            let what: String = error.to_string().chars().take(CHARS).collect();
            format!("{place}: {what}")
        })
        .collect();
    if named.is_empty() {
        return None;
    }
    let more = if errors.next().is_some() { "; and more" } else { "" };
    Some(format!("{}{more}", named.join("; ")))
}
