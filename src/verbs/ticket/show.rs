//! `ticket show`: everything that is known about one ticket, with where it stands and why.

use super::super::context::Context;
use super::super::error::{Exit, VerbError, fault_line};
use super::super::output::{Out, Tone};
use super::{found, words};
use crate::plan::queue::{Order, Scope, order};
use crate::plan::store::{Plan, Store};
use crate::plan::ticket::{Ticket, TicketId};

/// Prints the ticket.
///
/// # Errors
/// An unknown id; when files do not parse, their faults instead, since the ticket may stand in one of them.
pub(super) fn run(context: &Context, id: &str, out: &mut Out) -> Result<Exit, VerbError> {
    let store = context.store()?;
    let plan = store.plan();
    let id = TicketId::new(id);
    let ticket = found(&store, &id)?;
    if context.json() {
        out.json(&store.record(&id));
    } else {
        let scope = Scope { sprint: ticket.sprint.clone(), ..Scope::default() };
        let order = order(&plan.tickets, &scope, context.clock.now());
        print(context, &store, &id, &order, out);
    }
    for fault in &plan.faults {
        out.note(Tone::Warn, &fault_line(fault));
    }
    Ok(Exit::Ok)
}

/// Prints one ticket for people.
pub(super) fn print(_context: &Context, store: &Store, id: &TicketId, order: &Order, out: &mut Out) {
    let plan = store.plan();
    let Some(ticket) = plan.ticket(id) else { return };
    out.pieces(&[(Tone::Strong, ticket.id.as_str()), (Tone::Plain, "  "), (Tone::Strong, &ticket.name)]);
    state(ticket, order, out);
    work(ticket, &plan, out);
    body("description", Some(&ticket.description), out);
    body("prompt", ticket.inputs.prompt.as_ref(), out);
    body("script", ticket.inputs.script.as_ref(), out);
    list("choices", &ticket.inputs.choices, out);
    list("acceptance", &ticket.acceptance_criteria, out);
    list("notes", &ticket.outputs.notes, out);
    list("artifacts", &ticket.outputs.artifacts, out);
    body("last error", ticket.execution.last_error.as_ref(), out);
    if let Some(result) = &ticket.outputs.result {
        body("result", Some(&serde_json::to_string_pretty(result).unwrap_or_default()), out);
    }
}

fn field(name: &str, value: &str, tone: Tone, out: &mut Out) {
    if !value.is_empty() {
        out.pieces(&[(Tone::Faint, &format!("  {name:<12}")), (tone, value)]);
    }
}

fn state(ticket: &Ticket, order: &Order, out: &mut Out) {
    if let Some(standing) = order.standing.get(&ticket.id) {
        let (word, tone) = words::standing(standing);
        field("state", &format!("{word} ({}/{})", ticket.status.word(), ticket.execution.state), tone, out);
        let reason = words::why_not(standing).unwrap_or_else(|| "can run now".to_owned());
        field("", &reason, Tone::Plain, out);
    }
    let lifted = order.effective.get(&ticket.id).filter(|effective| !effective.reasons.is_empty());
    let priority = match lifted {
        Some(effective) => {
            let reasons: Vec<String> = effective.reasons.iter().map(words::lift).collect();
            let counts = effective.priority.word();
            format!("{}, counts as {counts} ({})", ticket.priority.word(), reasons.join("; "))
        }
        None => ticket.priority.word().to_owned(),
    };
    field("priority", &priority, Tone::Plain, out);
    field("sprint", &format!("{}, queue {}", ticket.sprint, ticket.execution.queue), Tone::Plain, out);
    field("labels", &ticket.labels.join(", "), Tone::Plain, out);
}

fn work(ticket: &Ticket, plan: &Plan, out: &mut Out) {
    let executor = &ticket.executor;
    let handler = executor.handler.as_deref().map(|handler| format!(": {handler}")).unwrap_or_default();
    field("executor", &format!("{}{handler}", executor.kind.word()), Tone::Plain, out);
    if let Some(endpoint) = &ticket.inputs.api_endpoint {
        let method = ticket.inputs.api_method.as_deref().unwrap_or("GET");
        field("request", &format!("{method} {endpoint}"), Tone::Plain, out);
    }
    let execution = &ticket.execution;
    if let Some(holder) = &execution.assigned_to {
        let until = execution.lease_expires_at.map(|at| format!(", lease until {at:.0}")).unwrap_or_default();
        field("held by", &format!("{holder}{until}"), Tone::Plain, out);
    }
    if execution.attempt > 0 {
        field(
            "attempts",
            &format!("{} of {} failed", execution.attempt, execution.max_attempts),
            Tone::Warn,
            out,
        );
    }
    let blockers: Vec<String> = ticket
        .blocked_by
        .iter()
        .map(|id| match plan.ticket(id) {
            Some(blocker) => format!("{id} ({})", blocker.status.word()),
            None => format!("{id} (missing)"),
        })
        .collect();
    field("blocked by", &blockers.join(", "), Tone::Plain, out);
    field("files", &ticket.files.join(", "), Tone::Plain, out);
    field("env", &ticket.inputs.env_keys.join(", "), Tone::Plain, out);
    let times = [
        ("created", ticket.created_at),
        ("started", execution.started_at),
        ("finished", execution.finished_at),
    ];
    for (name, at) in times {
        field(name, &at.map(|at| format!("{at:.0}")).unwrap_or_default(), Tone::Faint, out);
    }
}

fn body(name: &str, text: Option<&String>, out: &mut Out) {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return };
    out.pieces(&[(Tone::Faint, &format!("  {name}"))]);
    for line in text.lines() {
        out.line(&format!("    {line}"));
    }
}

fn list(name: &str, items: &[String], out: &mut Out) {
    if items.is_empty() {
        return;
    }
    out.pieces(&[(Tone::Faint, &format!("  {name}"))]);
    for item in items {
        let mut lines = item.lines();
        out.line(&format!("    - {}", lines.next().unwrap_or_default()));
        for line in lines {
            out.line(&format!("      {line}"));
        }
    }
}
