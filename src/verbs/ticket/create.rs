//! `ticket create`: one new ticket.

use serde_json::{Map, Value};

use super::super::cli::ticket::CreateArgs;
use super::super::context::Context;
use super::super::error::{Exit, VerbError};
use super::super::output::Out;
use super::{changed, json, priority};
use crate::plan::lifecycle::NewTicket;
use crate::plan::ticket::{ExecutorKind, TicketId};

/// Makes the ticket.
///
/// # Errors
/// See [`VerbError`].
pub(super) fn run(context: &Context, args: CreateArgs, out: &mut Out) -> Result<Exit, VerbError> {
    let new = ticket(args)?;
    let mut store = context.store()?;
    let mutated = store.create(&new)?;
    changed(context, &store, &mutated, "created", out);
    Ok(Exit::Ok)
}

fn ticket(args: CreateArgs) -> Result<NewTicket, VerbError> {
    if args.name.trim().is_empty() {
        return Err(VerbError::Usage("a ticket needs a title that is not blank".to_owned()));
    }
    if !args.force
        && let Some(hole) = placeholder(&args.name).or_else(|| placeholder(&args.description))
    {
        // planfile 0.1.126 refuses the same way, with the same exit code.
        return Err(VerbError::Usage(format!(
            "{hole} was not filled in; fill it, or say --force to keep it"
        )));
    }
    let mut inputs = match args.inputs_json.as_deref().map(|text| json("--inputs-json", text)).transpose()? {
        None => Map::new(),
        Some(Value::Object(map)) => map,
        Some(_) => return Err(VerbError::Usage("--inputs-json: a JSON object is needed".to_owned())),
    };
    let mut set = |key: &str, value: Value| drop(inputs.insert(key.to_owned(), value));
    for (key, value) in [
        ("prompt", args.prompt),
        ("script", args.script),
        ("api_endpoint", args.endpoint),
        ("api_method", args.method.map(|method| method.to_uppercase())),
    ] {
        if let Some(value) = value {
            set(key, Value::String(value));
        }
    }
    if !args.env_key.is_empty() {
        set("env_keys", args.env_key.into());
    }
    if !args.choice.is_empty() {
        set("choices", args.choice.into());
    }
    // The one spelling by which a ticket says that an agent works it.
    let (executor, handler) = match args.agent.as_deref().map(str::trim) {
        None => (ExecutorKind::from(args.executor), args.handler),
        Some("") => (ExecutorKind::Llm, Some("agent".to_owned())),
        Some(name) => (ExecutorKind::Llm, Some(format!("agent:{name}"))),
    };
    Ok(NewTicket {
        name: args.name,
        description: args.description,
        priority: priority(&args.priority)?,
        sprint: Some(args.sprint),
        labels: args.label,
        blocked_by: args.blocked_by.into_iter().map(TicketId::new).collect(),
        files: args.files,
        acceptance_criteria: args.accept,
        executor,
        mode: None,
        handler,
        queue: args.queue,
        max_attempts: args.max_attempts,
        inputs,
        source_tool: args.source,
        source_context: Map::new(),
    })
}

/// An unfilled `<placeholder>`: lower-case words of letters, digits, `_`, `+`, `-` in angle brackets (planfile 0.1.126).
fn placeholder(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        rest = &rest[open..];
        // The innermost pair counts: `<<x>` holds `<x>`.
        let close = rest.find('>')?;
        let word = &rest[1..close];
        let starts = word.starts_with(|c: char| c.is_ascii_lowercase());
        if starts && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_+- ".contains(c))
        {
            return Some(&rest[..=close]);
        }
        rest = &rest[1..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::placeholder;

    #[test]
    fn only_unfilled_words_in_brackets_count_as_placeholders() {
        assert_eq!(placeholder("Fix <module_name> now"), Some("<module_name>"));
        assert_eq!(placeholder("a < b and c > d"), None);
        assert_eq!(placeholder("<<x>"), Some("<x>"));
        assert_eq!(placeholder("Vec<String> <"), None);
    }
}
