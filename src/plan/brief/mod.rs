//! The brief that an agent reads first (koru §2), as JSON and as markdown.
//!
//! Building it reads and never writes: in a folder without a planfile nothing is created (koru A07). A problem with the
//! planfile is data in the brief (`ticket_error`), not an error of the call.
//!
//! The parts: [`select`] finds the ticket, [`environment`] and [`lanes`] look at the project and the machine, [`rules`]
//! and [`vocabulary`] say what the agent may do and with which commands, [`markdown`] renders. Invariant: what leaves
//! this module has its secrets taken out, and the markdown is plain text that cannot act on a terminal.

mod environment;
mod lanes;
mod markdown;
mod rules;
mod select;
#[cfg(test)]
mod tests;
mod vocabulary;

use std::path::Path;

use serde_json::{Value, json};

use super::policy::Policy;
use super::scaffold;
use super::store::Store;
use super::surroundings::Surroundings;
use crate::base::clock::Clock;
use crate::base::redact::Redactor;

/// What the brief shall be about.
#[derive(Clone, Debug, Default)]
pub struct BriefOptions {
    /// A named ticket; the next runnable one when `None`.
    pub ticket: Option<String>,
    /// Only tickets of this queue.
    pub queue: Option<String>,
    /// Show fixture tickets; `None` asks the variable `KORU_INCLUDE_FIXTURES`.
    pub include_fixtures: Option<bool>,
    /// The machine to probe for tools.
    pub surroundings: Surroundings,
}

/// A brief, ready to be shown. All text in it is free of known secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct Brief {
    value: Value,
}

/// Builds the brief of the project at `root`. With `store: None` the project's store is opened here, when there is one.
pub fn build(root: &Path, options: &BriefOptions, store: Option<&Store>, clock: &Clock) -> Brief {
    let project =
        root.canonicalize().or_else(|_| std::path::absolute(root)).unwrap_or_else(|_| root.to_owned());
    let machine = options.surroundings.clone().with_env_files(&project);
    let initialised = scaffold::is_initialised(&project);
    let selection = if initialised {
        select::select(&project, options, &machine, store, clock.now())
    } else {
        select::Selection::failed("project not initialised")
    };
    let (policy, _) = Policy::load(&project);
    let agents = lanes::agents(&project, &machine);
    let recommended =
        agents.iter().find(|agent| agent["available"] == json!(true)).map(|agent| agent["id"].clone());
    let focus = selection.focus.as_deref();
    let mut value = json!({
        "schema_version": "1",
        "project": project.to_string_lossy(),
        "instructions": rules::rules(&policy, initialised, focus, &selection.dependants),
        "self_service": vocabulary::commands(&policy, initialised, focus, options.queue.as_deref()),
        "ticket": selection.ticket,
        "ticket_error": selection.error,
        "open_tickets": selection.open,
        "all_tickets": selection.all,
        "policy": policy,
        "environment": {
            "git": environment::git(&project),
            "planfile_initialised": initialised,
            "queue_name": options.queue,
            "project": environment::project(&project, &machine),
            "llm_agents": agents,
            "recommended_agent": recommended,
            "semcod_tools": lanes::semcod_tools(&project, &machine),
        },
    });
    redact(&mut value, &Redactor::with_values(machine.secret_values()));
    value.sort_all_objects();
    Brief { value }
}

fn redact(value: &mut Value, redactor: &Redactor) {
    match value {
        Value::String(text) => {
            if let std::borrow::Cow::Owned(clean) = redactor.clean(text) {
                *text = clean;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, redactor)),
        Value::Object(map) => map.values_mut().for_each(|item| redact(item, redactor)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl Brief {
    /// JSON, keys sorted, indented by 2, ending in a line end. Strings hold the exact text of the tickets: print it
    /// through something that escapes what acts on a terminal.
    pub fn to_json(&self) -> String {
        format!("{:#}\n", self.value)
    }

    /// Markdown, sections in koru's order (§2.3), ending in a line end.
    pub fn to_markdown(&self) -> String {
        markdown::render(&self.value)
    }
}
