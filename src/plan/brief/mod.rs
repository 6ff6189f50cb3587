//! The brief that an agent reads first (koru §2), as JSON and as markdown.
//!
//! Building it reads and never writes: in a folder without a planfile nothing is created (koru A07). A problem with the
//! planfile is data in the brief (`ticket_error`), not an error of the call.
//!
//! There are two readers. Whoever reads [`build`] works on their own account: they claim, check and complete by
//! commands. An agent that the runtime starts reads [`for_agent`]: the same brief and what its run is, and the rules say
//! that claiming, committing, checking and completing are done around it.
//!
//! The parts: [`select`] finds the ticket, [`environment`] and [`lanes`] look at the project and the machine, [`rules`],
//! [`ground`] and [`vocabulary`] say what the agent may do and with which commands, [`markdown`] renders. Invariant: what
//! leaves this module has its secrets taken out, and the markdown is plain text that cannot act on a terminal. Text of
//! tickets stands in block quotes and is said to be no rule.

mod environment;
mod ground;
pub mod lanes;
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
use super::ticket::Ticket;
use crate::base::clock::Clock;
use crate::base::redact::Redactor;

pub use ground::AgentGround;

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
    assemble(root, options, store, clock, None)
}

/// The prompt of an agent that the runtime starts on `ticket`: the brief of that ticket, and its run: worktree, limits,
/// gates, the operator's note.
pub fn for_agent(root: &Path, ticket: &Ticket, ground: &AgentGround, clock: &Clock) -> String {
    let options = BriefOptions {
        ticket: Some(ticket.id.to_string()),
        surroundings: ground.surroundings.clone(),
        ..BriefOptions::default()
    };
    assemble(root, &options, None, clock, Some((ticket, ground))).to_markdown()
}

fn assemble(
    root: &Path,
    options: &BriefOptions,
    store: Option<&Store>,
    clock: &Clock,
    run: Option<(&Ticket, &AgentGround)>,
) -> Brief {
    let project =
        root.canonicalize().or_else(|_| std::path::absolute(root)).unwrap_or_else(|_| root.to_owned());
    let machine = options.surroundings.clone().with_env_files(&project);
    let initialised = scaffold::is_initialised(&project);
    let mut selection = if initialised {
        select::select(&project, options, &machine, store, clock.now())
    } else {
        select::Selection::failed("project not initialised")
    };
    if let Some((ticket, _)) = run {
        selection.insist(ticket);
    }
    let (policy, _) = Policy::load(&project);
    let agents = lanes::agents(&project, &machine);
    let recommended = agents.iter().find(|agent| agent.available).map(|agent| agent.id.clone());
    let focus = selection.focus.as_deref();
    let ground = run.map(|(_, ground)| ground);
    let rules = match (ground, focus) {
        (Some(ground), Some(ticket)) => ground::rules(ground, &policy, ticket, &selection.dependants),
        _ => rules::rules(&policy, initialised, focus, &selection.dependants),
    };
    let commands = match (ground, focus) {
        (Some(_), Some(ticket)) => vocabulary::of_run(&policy, ticket),
        _ => vocabulary::commands(&policy, initialised, focus, options.queue.as_deref()),
    };
    let mut value = json!({
        "schema_version": "1",
        "project": project.to_string_lossy(),
        "instructions": rules,
        "self_service": commands,
        "ticket": selection.ticket,
        "ticket_error": selection.error,
        "open_tickets": selection.open,
        "all_tickets": selection.all,
        "policy": policy,
        "environment": {
            "git": environment::git(ground.map_or(&project, |ground| &ground.folder)),
            "planfile_initialised": initialised,
            "queue_name": options.queue,
            "project": environment::project(&project, &machine),
            "llm_agents": agents,
            "recommended_agent": recommended,
            "semcod_tools": lanes::semcod_tools(&project, &machine),
        },
    });
    if let Some(ground) = ground {
        value["run"] = ground.value();
    }
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
