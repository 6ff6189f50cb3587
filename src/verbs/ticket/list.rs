//! `ticket list`: the tickets of a sprint, fast enough for ten thousand of them: no git, no async runtime, one write.

use std::collections::HashSet;
use std::sync::Arc;

use globset::{Glob, GlobSet, GlobSetBuilder};
use unicode_width::UnicodeWidthStr;

use super::super::cli::Format;
use super::super::cli::ticket::ListArgs;
use super::super::context::Context;
use super::super::error::{Exit, VerbError, fault_line};
use super::super::output::{Out, Tone};
use super::{priority, status, words};
use crate::base::text::safe_text;
use crate::plan::queue::{Order, Scope, order};
use crate::plan::store::{Plan, Store};
use crate::plan::ticket::{Priority, Status, Ticket};

/// How often the planfile is looked at while somebody keeps writing it.
const LOOKS: u32 = 50;

/// Prints the tickets that match. Files that do not parse are named on standard error and make the exit code 1; what
/// parses is listed all the same.
///
/// # Errors
/// See [`VerbError`].
pub(super) fn run(context: &Context, args: &ListArgs, out: &mut Out) -> Result<Exit, VerbError> {
    let wanted = Wanted::new(args)?;
    let mut store = context.store()?;
    if context.json()
        && args.sprint == "current"
        && let Some(pieces) = store.current_records(wanted.filter().as_deref())
    {
        array(&pieces, out);
        return Ok(Exit::Ok);
    }
    let mut looks = 0;
    let plan = loop {
        let plan = store.plan();
        if printed(context, args, &wanted, &store, &plan, out)? {
            break plan;
        }
        looks += 1;
        if looks == LOOKS {
            let why = "the planfile is written again and again while it is read; try once more".to_owned();
            return Err(VerbError::Failed(why));
        }
        store.refresh();
    };
    for fault in &plan.faults {
        out.note(Tone::Bad, &format!("koru-tui: {}", fault_line(fault)));
    }
    Ok(if plan.faults.is_empty() { Exit::Ok } else { Exit::Failed })
}

/// Prints the tickets of the plan that match; false, and nothing is printed, when a file was written since it was made.
fn printed(
    context: &Context,
    args: &ListArgs,
    wanted: &Wanted,
    store: &Store,
    plan: &Plan,
    out: &mut Out,
) -> Result<bool, VerbError> {
    if args.sprint != "all" && !known_sprint(plan, &args.sprint) {
        return Err(VerbError::Usage(format!(
            "no sprint {}; there are: {}",
            args.sprint,
            sprint_names(plan)
        )));
    }
    let tickets: Vec<&Arc<Ticket>> = plan.tickets.iter().filter(|ticket| wanted.matches(ticket)).collect();
    if context.json() {
        let mut records = Vec::new();
        if !store.write_records(&tickets, &mut records) {
            return Ok(false);
        }
        array(&[String::from_utf8_lossy(&records)], out);
    } else {
        let scope = Scope { sprint: scope_sprint(args), ..Scope::default() };
        let order = order(&plan.tickets, &scope, context.clock.now());
        match context.format {
            Some(Format::Markdown) => markdown(&tickets, &order, out),
            _ => table(&tickets, &order, out),
        }
    }
    Ok(true)
}

/// Prints pieces of JSON text, each of some values with commas between them, as one array.
fn array<T: AsRef<str>>(pieces: &[T], out: &mut Out) {
    out.json_text("[");
    for (number, piece) in pieces.iter().enumerate() {
        if number > 0 {
            out.json_text(",");
        }
        out.json_text(piece.as_ref());
    }
    out.json_text("]\n");
}

fn scope_sprint(args: &ListArgs) -> String {
    if args.sprint == "all" { Scope::default().sprint } else { args.sprint.clone() }
}

fn known_sprint(plan: &Plan, stem: &str) -> bool {
    // A file that does not parse is there too; its fault is reported with the list.
    plan.sprints.iter().any(|(name, _)| name == stem)
        || plan.faults.iter().any(|fault| fault.path.ends_with(&format!("/{stem}.yaml")))
        || stem == "current"
}

fn sprint_names(plan: &Plan) -> String {
    plan.sprints.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}

/// What is asked of a ticket, for several threads.
type Filter<'w> = Box<dyn Fn(&Ticket) -> bool + Sync + 'w>;

/// The filters of one call.
struct Wanted {
    sprint: Option<String>,
    status: Option<Status>,
    priority: Option<Priority>,
    labels: Vec<String>,
    source: Option<String>,
    files: Option<GlobSet>,
    queue: Option<String>,
}

impl Wanted {
    fn new(args: &ListArgs) -> Result<Self, VerbError> {
        let mut globs = GlobSetBuilder::new();
        for pattern in &args.files {
            let glob = Glob::new(pattern).map_err(|error| VerbError::Usage(format!("--files: {error}")))?;
            globs.add(glob);
        }
        let globs = globs.build().map_err(|error| VerbError::Usage(format!("--files: {error}")))?;
        Ok(Self {
            sprint: Some(args.sprint.clone()).filter(|sprint| sprint != "all"),
            status: args.status.as_deref().filter(|word| *word != "all").map(status).transpose()?,
            priority: args.priority.as_deref().map(priority).transpose()?,
            labels: args.label.clone(),
            source: args.source.clone(),
            files: Some(globs).filter(|globs| !globs.is_empty()),
            queue: args.queue.clone(),
        })
    }

    /// What is asked of a ticket of `current` besides standing there, if anything is.
    fn filter(&self) -> Option<Filter<'_>> {
        let all = self.status.is_none()
            && self.priority.is_none()
            && self.labels.is_empty()
            && self.source.is_none()
            && self.files.is_none()
            && self.queue.is_none();
        (!all).then(|| Box::new(|ticket: &Ticket| self.matches(ticket)) as Filter<'_>)
    }

    fn matches(&self, ticket: &Ticket) -> bool {
        let labels: HashSet<&str> = if self.labels.is_empty() {
            HashSet::new()
        } else {
            ticket.labels.iter().map(String::as_str).collect()
        };
        self.sprint.as_ref().is_none_or(|sprint| ticket.sprint == *sprint)
            && self.status.is_none_or(|status| ticket.status == status && ticket.invalid.is_none())
            && self.priority.as_ref().is_none_or(|priority| ticket.priority == *priority)
            && self.labels.iter().all(|label| labels.contains(label.as_str()))
            && self
                .source
                .as_ref()
                .is_none_or(|tool| ticket.source.as_ref().is_some_and(|source| source.tool == *tool))
            && self.files.as_ref().is_none_or(|globs| ticket.files.iter().any(|file| globs.is_match(file)))
            && self.queue.as_ref().is_none_or(|queue| ticket.execution.queue == *queue)
    }
}

/// The cells of one row: id, standing, priority, executor, title.
fn cells(ticket: &Ticket, order: &Order) -> ([String; 4], Tone) {
    let (word, tone) =
        order.standing.get(&ticket.id).map_or((ticket.status.word(), Tone::Plain), words::standing);
    let effective = order.effective.get(&ticket.id).filter(|effective| !effective.reasons.is_empty());
    let rank = match effective {
        Some(effective) => format!("{} ↑{}", ticket.priority.word(), effective.priority.word()),
        None => ticket.priority.word().to_owned(),
    };
    let row = [ticket.id.as_str(), word, &rank, ticket.executor.kind.word()]
        .map(|cell| safe_text(cell).to_string());
    (row, tone)
}

fn table(tickets: &[&Arc<Ticket>], order: &Order, out: &mut Out) {
    let rows: Vec<([String; 4], Tone)> = tickets.iter().map(|ticket| cells(ticket, order)).collect();
    let mut widths = [2, 8, 8, 4];
    for (row, _) in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width().min(40));
        }
    }
    for ((row, tone), ticket) in rows.iter().zip(tickets) {
        let [id, word, rank, kind] = [0, 1, 2, 3].map(|at| pad(&row[at], widths[at]));
        let reason = order.standing.get(&ticket.id).and_then(words::why_not);
        let reason = match order.standing.get(&ticket.id) {
            Some(
                crate::plan::queue::Standing::Waiting { .. } | crate::plan::queue::Standing::Invalid { .. },
            ) => reason.map(|reason| format!("  — {reason}")).unwrap_or_default(),
            _ => String::new(),
        };
        out.pieces(&[
            (Tone::Strong, &id),
            (*tone, &word),
            (Tone::Plain, &rank),
            (Tone::Faint, &kind),
            (Tone::Plain, &ticket.name),
            (Tone::Faint, &reason),
        ]);
    }
    if tickets.is_empty() {
        out.line("No ticket matches");
    }
}

fn pad(cell: &str, width: usize) -> String {
    format!("{cell}{}", " ".repeat((width + 2).saturating_sub(cell.width())))
}

fn markdown(tickets: &[&Arc<Ticket>], order: &Order, out: &mut Out) {
    out.line("| id | state | priority | executor | name |");
    out.line("| --- | --- | --- | --- | --- |");
    for ticket in tickets {
        let ([id, word, rank, kind], _) = cells(ticket, order);
        let name = ticket.name.replace('|', "\\|");
        out.line(&format!("| {id} | {word} | {rank} | {kind} | {name} |"));
    }
}
