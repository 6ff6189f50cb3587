//! Which ticket the brief is about (koru §2.2): the named one, else the first of the queue.
//!
//! The queue is the computed one: promotion comes first, then the choice (koru chose first and promoted after).

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::BriefOptions;
use crate::plan::queue::{self, Effective, Lift, MAX_NAMED, Order, Scope};
use crate::plan::store::{OpenError, Plan, Store};
use crate::plan::surroundings::Surroundings;
use crate::plan::ticket::{Status, Ticket, TicketId};

/// Labels of tickets that exist for tests of the queue itself.
const FIXTURE_LABELS: [&str; 5] = ["test-only", "dryrun", "dry-run", "synthetic", "auto-close"];

/// The sprint that is worked.
const SPRINT: &str = "current";

/// What was chosen.
#[derive(Default)]
pub(super) struct Selection {
    /// The record shown.
    pub(super) ticket: Option<Value>,
    /// The same ticket as data.
    pub(super) focus: Option<Arc<Ticket>>,
    /// Why there is none.
    pub(super) error: Option<String>,
    /// Open tickets; only the chosen one when there is one.
    pub(super) open: Vec<Value>,
    /// Every ticket of the sprint.
    pub(super) all: Vec<Value>,
    /// Open tickets that wait for the chosen one.
    pub(super) dependants: Vec<TicketId>,
}

impl Selection {
    /// The brief is about this ticket even if it is no longer found in the planfile.
    pub(super) fn insist(&mut self, ticket: &Ticket) {
        self.error = None;
        self.focus = Some(Arc::new(ticket.clone()));
        let record = self.ticket.get_or_insert_with(|| {
            json!({
                "inputs": {"prompt": ticket.inputs.prompt},
                "executor": {"kind": ticket.executor.kind.word()},
                "acceptance_criteria": ticket.acceptance_criteria,
            })
        });
        if let Value::Object(record) = record {
            fill(record, ticket);
        }
    }

    /// Nothing, for a reason.
    pub(super) fn failed(why: impl Into<String>) -> Self {
        Self { error: Some(why.into()), ..Self::default() }
    }
}

/// Chooses. Opens the store when none is given.
pub(super) fn select(
    root: &Path,
    options: &BriefOptions,
    machine: &Surroundings,
    store: Option<&Store>,
    now: Timestamp,
) -> Selection {
    let opened;
    let store = match store {
        Some(store) => store,
        None => match Store::open(root) {
            Ok(store) => {
                opened = store;
                &opened
            }
            Err(OpenError::Uninitialised(_)) => return Selection::failed("project not initialised"),
            Err(error) => return Selection::failed(about_planfile(error.to_string())),
        },
    };
    let plan = store.plan();
    let scope = Scope { queue: options.queue.clone(), ..Scope::default() };
    let order = queue::order(&plan.tickets, &scope, now);
    let look = Look { store, plan: &plan, order: &order };
    let include_fixtures = options.include_fixtures.unwrap_or_else(|| {
        let word = machine.text("KORU_INCLUDE_FIXTURES").unwrap_or_default().trim().to_ascii_lowercase();
        matches!(word.as_str(), "true" | "1" | "yes" | "on")
    });
    let mut selection = match &options.ticket {
        Some(id) => look.named(&TicketId::new(id.as_str())),
        None => look.next(include_fixtures),
    };
    let sprint = || plan.tickets.iter().filter(|ticket| ticket.sprint == SPRINT);
    selection.all = sprint().map(|ticket| look.record(ticket)).collect();
    selection.open = match &selection.ticket {
        Some(ticket) => vec![ticket.clone()],
        None => sprint()
            .filter(|ticket| ticket.status == Status::Open && (include_fixtures || !is_fixture(ticket)))
            .map(|ticket| look.record(ticket))
            .collect(),
    };
    selection
}

struct Look<'a> {
    store: &'a Store,
    plan: &'a Plan,
    order: &'a Order,
}

impl Look<'_> {
    fn named(&self, id: &TicketId) -> Selection {
        match self.plan.ticket(id) {
            Some(ticket) => self.chosen(ticket),
            None => {
                let fault = self.plan.faults.first();
                let broken = fault.map(|fault| format!(" ({fault})")).unwrap_or_default();
                Selection::failed(format!("this planfile has no ticket {id}{broken}"))
            }
        }
    }

    fn next(&self, include_fixtures: bool) -> Selection {
        let current = format!("{SPRINT}.yaml");
        if let Some(fault) = self.plan.faults.iter().find(|fault| fault.path.ends_with(&current)) {
            return Selection::failed(about_planfile(fault.to_string()));
        }
        let runnable = || self.order.runnable.iter().filter_map(|id| self.plan.ticket(id));
        match runnable().find(|ticket| include_fixtures || !is_fixture(ticket)) {
            Some(ticket) => self.chosen(ticket),
            None if runnable().next().is_some() => Selection::failed("queue has only fixture tickets"),
            None => Selection::failed("queue is idle"),
        }
    }

    fn chosen(&self, ticket: &Arc<Ticket>) -> Selection {
        Selection {
            ticket: Some(self.record(ticket)),
            focus: Some(Arc::clone(ticket)),
            dependants: dependants(self.plan, ticket),
            ..Selection::default()
        }
    }

    /// The whole record, what is computed about it, and the fields that planfile leaves out when they are at their
    /// defaults. The `dsl` line, a coded copy of the record at its creation, is left out.
    fn record(&self, ticket: &Ticket) -> Value {
        let mut record = match self.store.record(&ticket.id) {
            Some(Value::Object(record)) => record,
            _ => serde_json::Map::new(),
        };
        record.remove("dsl");
        fill(&mut record, ticket);
        if let Some(effective) = self.order.effective.get(&ticket.id) {
            record.insert("effective_priority".to_owned(), json!(effective.priority.word()));
            record.insert("priority_reasons".to_owned(), json!(reasons(effective)));
        }
        if let Some(standing) = self.order.standing.get(&ticket.id) {
            record.insert("standing".to_owned(), json!(standing));
        }
        Value::Object(record)
    }
}

/// Fields that planfile leaves out when they are at their defaults.
fn fill(record: &mut serde_json::Map<String, Value>, ticket: &Ticket) {
    for (key, value) in [
        ("id", json!(ticket.id)),
        ("name", json!(ticket.name)),
        ("description", json!(ticket.description)),
        ("status", json!(ticket.status.word())),
        ("priority", json!(ticket.priority.word())),
        ("sprint", json!(ticket.sprint)),
        ("labels", json!(ticket.labels)),
        ("blocked_by", json!(ticket.blocked_by)),
        ("files", json!(ticket.files)),
    ] {
        record.entry(key).or_insert(value);
    }
}

/// The nearest open tickets that wait for `ticket`, directly or through others, whatever its own priority: a ticket that
/// is critical by itself is not promoted, and yet others may wait for it.
fn dependants(plan: &Plan, ticket: &Ticket) -> Vec<TicketId> {
    let mut waits: HashMap<&TicketId, Vec<&TicketId>> = HashMap::new();
    let open = plan.tickets.iter().filter(|other| other.invalid.is_none() && !other.status.is_terminal());
    for other in open {
        for blocker in &other.blocked_by {
            waits.entry(blocker).or_default().push(&other.id);
        }
    }
    let mut found: Vec<TicketId> = Vec::new();
    let mut next = VecDeque::from([&ticket.id]);
    while let Some(id) = next.pop_front() {
        for dependant in waits.remove(id).unwrap_or_default() {
            let new = *dependant != ticket.id && !found.contains(dependant);
            if new && !ticket.status.is_terminal() && found.len() < MAX_NAMED {
                found.push(dependant.clone());
                next.push_back(dependant);
            }
        }
    }
    found.sort_by(|a, b| a.natural_key().cmp(&b.natural_key()));
    found
}

/// Why the effective priority differs, as short texts.
fn reasons(effective: &Effective) -> Vec<String> {
    let reason = |lift: &Lift| match lift {
        Lift::Bug => "label bug".to_owned(),
        Lift::Blocks(ids) => {
            format!("blocks {}", ids.iter().map(TicketId::as_str).collect::<Vec<_>>().join(", "))
        }
    };
    effective.reasons.iter().map(reason).collect()
}

fn is_fixture(ticket: &Ticket) -> bool {
    ticket.labels.iter().any(|label| FIXTURE_LABELS.contains(&label.to_lowercase().as_str()))
}

/// An agent that reads only this line must know what is broken.
fn about_planfile(message: String) -> String {
    if message.contains("planfile") { message } else { format!("planfile: {message}") }
}
