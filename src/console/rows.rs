//! The queue as the operator reads it: every ticket's state, the order by need, the counts, the filter.
//!
//! Owned by the state, computed once for one snapshot and view, never while drawing. Rows hold indices into the plan's
//! tickets; text is formatted for visible rows only. Rule D: nothing that runs or needs a human is ever left out.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::plan::queue::Standing;
use crate::plan::ticket::{ExecutorKind, Status, Ticket, TicketId};
use crate::runtime::protocol::{Held, HeldWhy, RunState, RunView, Snapshot};

use super::glyphs::Glyphs;
use super::theme::Role;

/// State of one ticket, from the file and from its run. Declared in the order of need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum RowState {
    NeedsYou,
    /// Its run broke the policy and was stopped; a human decides.
    Violation,
    Failed,
    /// The policy forbids its command line; only the operator can change one or the other.
    Refused,
    Interrupted,
    Stalled,
    Stopping,
    /// Its run sleeps until a rate limit is over.
    Sleeping,
    Running,
    Ready,
    /// In line, but of a kind that this version does not run.
    NoRunner,
    Held,
    Waiting,
    Review,
    Blocked,
    Invalid,
    Done,
    Canceled,
}

impl RowState {
    /// The word beside the shape.
    pub(crate) fn word(self) -> &'static str {
        match self {
            RowState::NeedsYou => "needs you",
            RowState::Violation => "broke policy",
            RowState::Failed => "failed",
            RowState::Refused => "refused",
            RowState::Interrupted => "interrupted",
            RowState::Stalled => "stalled",
            RowState::Stopping => "stopping",
            RowState::Sleeping => "sleeping",
            RowState::Running => "running",
            RowState::Ready => "ready",
            RowState::NoRunner => "no runner",
            RowState::Held => "held",
            RowState::Waiting => "waiting",
            RowState::Review => "review",
            RowState::Blocked => "blocked",
            RowState::Invalid => "invalid",
            RowState::Done => "done",
            RowState::Canceled => "canceled",
        }
    }

    /// The word as the end of a sentence.
    pub(crate) fn sentence(self) -> String {
        match self {
            RowState::NeedsYou => "it needs you".to_owned(),
            RowState::NoRunner => "it has no runner".to_owned(),
            RowState::Refused => "the policy refuses it".to_owned(),
            RowState::Violation => "its run broke the policy".to_owned(),
            other => format!("it is {}", other.word()),
        }
    }

    pub(crate) fn glyph(self, glyphs: &Glyphs) -> &'static str {
        match self {
            RowState::NeedsYou => glyphs.needs_you,
            RowState::Violation => glyphs.violation,
            RowState::Failed => glyphs.failed,
            RowState::Refused => glyphs.refused,
            RowState::Interrupted => glyphs.interrupted,
            RowState::Stalled => glyphs.stalled,
            RowState::Stopping => glyphs.stopping,
            RowState::Sleeping => glyphs.sleeping,
            RowState::Running => glyphs.running,
            RowState::Ready => glyphs.ready,
            RowState::NoRunner => glyphs.no_runner,
            RowState::Held | RowState::Waiting => glyphs.waiting,
            RowState::Review => glyphs.review,
            RowState::Blocked => glyphs.blocked,
            RowState::Invalid => glyphs.invalid,
            RowState::Done => glyphs.done,
            RowState::Canceled => glyphs.canceled,
        }
    }

    pub(crate) fn role(self) -> Role {
        match self {
            RowState::NeedsYou => Role::NeedsYou,
            RowState::Violation | RowState::Failed | RowState::Refused | RowState::Invalid => Role::Failed,
            RowState::Interrupted => Role::Interrupted,
            RowState::Stalled | RowState::Stopping | RowState::Sleeping => Role::Stalled,
            RowState::Running => Role::Running,
            RowState::Ready => Role::Ready,
            RowState::Done => Role::Done,
            RowState::NoRunner
            | RowState::Held
            | RowState::Waiting
            | RowState::Review
            | RowState::Blocked
            | RowState::Canceled => Role::Dim,
        }
    }

    /// Finished rows fold away.
    pub(crate) fn is_finished(self) -> bool {
        matches!(self, RowState::Done | RowState::Canceled | RowState::Blocked)
    }

    /// Whether a run works on it.
    pub(crate) fn is_worked_on(self) -> bool {
        matches!(self, RowState::Stalled | RowState::Stopping | RowState::Sleeping | RowState::Running)
    }

    /// Rows that no sprint choice hides.
    fn is_in_flight(self) -> bool {
        self <= RowState::Running
    }
}

/// How many tickets stand in each state that the header counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) running: usize,
    pub(crate) needs_you: usize,
    pub(crate) stalled: usize,
    pub(crate) failed: usize,
    pub(crate) refused: usize,
    pub(crate) violations: usize,
    pub(crate) sleeping: usize,
    pub(crate) interrupted: usize,
    pub(crate) done: usize,
    pub(crate) ready: usize,
    /// Not finished, over all sprints.
    pub(crate) open: usize,
}

/// Which tickets are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct View {
    /// Words that must all occur.
    pub(crate) filter: String,
    /// Sprint file stem; `None` shows all.
    pub(crate) sprint: Option<String>,
    /// Whether finished tickets are shown.
    pub(crate) finished: bool,
    /// A ticket whose run ended while it was selected: it stays until the operator goes elsewhere.
    pub(crate) kept: Option<TicketId>,
}

/// One row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Index into `Plan::tickets`.
    pub(crate) ticket: u32,
    pub(crate) state: RowState,
}

/// The rows of one snapshot under one view.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rows {
    pub(crate) rows: Vec<Row>,
    pub(crate) counts: Counts,
    /// Finished tickets that are folded away.
    pub(crate) folded: usize,
    /// Indices of the tickets that stand in a state which somebody should know of, whatever is filtered.
    pub(crate) calling: Vec<(u32, RowState)>,
}

/// Failures that are archived and older than this many days fold with the finished ones.
const OLD_FAILURE_DAYS: i64 = 7;

/// Computes the rows.
pub(crate) fn rows(snapshot: &Snapshot, view: &View, now: Timestamp) -> Rows {
    let runs = latest_runs(&snapshot.runs);
    let held: HashMap<&TicketId, &HeldWhy> =
        snapshot.held.iter().map(|Held { ticket, why }| (ticket, why)).collect();
    let words: Vec<String> = view.filter.split_whitespace().map(str::to_lowercase).collect();
    let served = !snapshot.servers.is_empty();
    let mut result = Rows::default();
    let mut keyed = Vec::new();
    for (index, ticket) in snapshot.plan.tickets.iter().enumerate() {
        let standing = snapshot.order.standing.get(&ticket.id);
        let run = runs.get(&ticket.id).copied();
        let state = state_of(ticket, standing, run, held.get(&ticket.id).copied(), served);
        let folds = state.is_finished() || (state == RowState::Failed && is_old_failure(ticket, now));
        count(&mut result.counts, state, folds);
        if state <= RowState::Stalled && !folds {
            result.calling.push((u32::try_from(index).unwrap_or(u32::MAX), state));
        }
        if !in_sprint(ticket, state, folds, view) || !matches_words(ticket, state, &words) {
            continue;
        }
        if folds && !view.finished && words.is_empty() && view.kept.as_ref() != Some(&ticket.id) {
            result.folded += 1;
            continue;
        }
        let row = Row { ticket: u32::try_from(index).unwrap_or(u32::MAX), state };
        keyed.push((key(snapshot, ticket, state, standing, folds, run), row));
    }
    keyed.sort_by(|a, b| a.0.cmp(&b.0));
    result.rows = keyed.into_iter().map(|(_, row)| row).collect();
    result
}

/// The newest run of each ticket; active ones stand first in the snapshot.
fn latest_runs(runs: &[Arc<RunView>]) -> HashMap<&TicketId, &RunView> {
    let mut latest = HashMap::new();
    for run in runs {
        latest.entry(&run.ticket).or_insert(&**run);
    }
    latest
}

/// The state of one ticket; `served` tells whether there is an MCP server. A live run knows better than the file; the file knows better than an ended run.
pub(crate) fn state_of(
    ticket: &Ticket,
    standing: Option<&Standing>,
    run: Option<&RunView>,
    held: Option<&HeldWhy>,
    served: bool,
) -> RowState {
    if let Some(run) = run {
        match run.state {
            RunState::Running => return RowState::Running,
            RunState::Sleeping => return RowState::Sleeping,
            // What became of it since is in the file.
            RunState::Violation if standing == Some(&Standing::NeedsYou) => return RowState::Violation,
            RunState::Stalled => return RowState::Stalled,
            RunState::Stopping => return RowState::Stopping,
            RunState::Interrupted if ticket.status == Status::InProgress => return RowState::Interrupted,
            RunState::NeedsYou
            | RunState::Done
            | RunState::Failed
            | RunState::Stopped
            | RunState::Interrupted
            | RunState::Violation => {}
        }
    }
    match standing {
        Some(Standing::NeedsYou) => RowState::NeedsYou,
        Some(Standing::Failed) => RowState::Failed,
        Some(Standing::Running) => RowState::Running,
        Some(Standing::LeaseExpired) => RowState::Interrupted,
        Some(Standing::Ready { .. }) => match (held, &ticket.executor.kind) {
            (_, ExecutorKind::Other(_)) => RowState::NoRunner,
            (_, ExecutorKind::Mcp) if !served => RowState::NoRunner,
            (Some(HeldWhy::Policy { .. }), _) => RowState::Refused,
            (Some(_), _) => RowState::Held,
            (None, _) => RowState::Ready,
        },
        Some(Standing::Waiting { .. }) => RowState::Waiting,
        Some(Standing::Review) => RowState::Review,
        Some(Standing::Blocked) => RowState::Blocked,
        Some(Standing::Done) => RowState::Done,
        Some(Standing::Canceled) => RowState::Canceled,
        Some(Standing::Invalid { .. }) => RowState::Invalid,
        None => match ticket.status {
            Status::Open => RowState::Waiting,
            Status::InProgress => RowState::Running,
            Status::Review => RowState::Review,
            Status::Done => RowState::Done,
            Status::Blocked => RowState::Blocked,
            Status::Canceled => RowState::Canceled,
            Status::Failed => RowState::Failed,
        },
    }
}

/// Whether a run goes on. One that ended by asking still says that it needs somebody.
pub(crate) fn is_live(run: &RunView) -> bool {
    run.state.is_active() && run.ended_at.is_none()
}

fn count(counts: &mut Counts, state: RowState, folds: bool) {
    let field = match state {
        RowState::NeedsYou => Some(&mut counts.needs_you),
        RowState::Violation => Some(&mut counts.violations),
        RowState::Sleeping => Some(&mut counts.sleeping),
        RowState::Failed if folds => None,
        RowState::Failed => Some(&mut counts.failed),
        RowState::Refused => Some(&mut counts.refused),
        RowState::Interrupted => Some(&mut counts.interrupted),
        RowState::Stalled => Some(&mut counts.stalled),
        RowState::Running | RowState::Stopping => Some(&mut counts.running),
        RowState::Ready => Some(&mut counts.ready),
        RowState::Done => Some(&mut counts.done),
        _ => None,
    };
    if let Some(field) = field {
        *field += 1;
    }
    if !folds {
        counts.open += 1;
    }
}

fn is_old_failure(ticket: &Ticket, now: Timestamp) -> bool {
    ticket.sprint.starts_with("history-")
        && ended_at(ticket).is_none_or(|at| now.duration_since(at).as_hours() > OLD_FAILURE_DAYS * 24)
}

fn in_sprint(ticket: &Ticket, state: RowState, folds: bool, view: &View) -> bool {
    match &view.sprint {
        None => true,
        Some(sprint) => {
            ticket.sprint == *sprint
                || (state.is_in_flight() && !folds)
                || (sprint == "current" && ticket.sprint.starts_with("history-"))
        }
    }
}

fn matches_words(ticket: &Ticket, state: RowState, words: &[String]) -> bool {
    words.iter().all(|word| {
        let holds = |text: &str| contains_folded(text, word);
        holds(ticket.id.as_str())
            || holds(&ticket.name)
            || holds(state.word())
            || holds(ticket.executor.kind.word())
            || holds(ticket.priority.word())
            || ticket.labels.iter().any(|label| holds(label))
    })
}

/// Whether `text` holds `lower` (already lower case), whatever the case; ASCII text is not copied.
fn contains_folded(text: &str, lower: &str) -> bool {
    if text.is_ascii() {
        let (text, lower) = (text.as_bytes(), lower.as_bytes());
        return lower.is_empty()
            || text.windows(lower.len()).any(|window| window.eq_ignore_ascii_case(lower));
    }
    text.to_lowercase().contains(lower)
}

/// When a finished ticket ended.
fn ended_at(ticket: &Ticket) -> Option<Timestamp> {
    ticket.execution.finished_at.or(ticket.updated_at)
}

/// What a row is sorted by: fold, need, then what matters within that need, then the natural id.
type SortKey<'a> = (bool, RowState, u64, Reverse<i64>, (&'a str, u64, &'a str));

fn key<'a>(
    snapshot: &Snapshot,
    ticket: &'a Ticket,
    state: RowState,
    standing: Option<&Standing>,
    folds: bool,
    run: Option<&RunView>,
) -> SortKey<'a> {
    let urgency = || {
        let effective = snapshot.order.effective.get(&ticket.id).map(|effective| effective.priority.rank());
        u64::from(effective.unwrap_or(ticket.priority.rank()))
    };
    let oldest_first = |at: Option<Timestamp>| Reverse(at.map_or(i64::MIN, |at| -at.as_second()));
    let newest_first = |at: Option<Timestamp>| Reverse(at.map_or(i64::MIN, Timestamp::as_second));
    let (first, second) = match (state, standing) {
        (
            RowState::Ready | RowState::NoRunner | RowState::Held | RowState::Refused,
            Some(Standing::Ready { position }),
        ) => (*position as u64, Reverse(0)),
        (RowState::NeedsYou | RowState::Waiting, _) => (urgency(), Reverse(0)),
        (RowState::Violation | RowState::Failed | RowState::Interrupted, _) => {
            (0, newest_first(ended_at(ticket)))
        }
        (RowState::Stalled | RowState::Stopping | RowState::Sleeping | RowState::Running, _) => {
            (0, oldest_first(run.map(|run| run.started_at).or(ticket.execution.started_at)))
        }
        _ if folds => (0, newest_first(ended_at(ticket))),
        _ => (0, Reverse(0)),
    };
    (folds, state, first, second, ticket.id.natural_key())
}

/// Why a held ticket is passed over, if it is.
pub(crate) fn held_why<'a>(snapshot: &'a Snapshot, id: &TicketId) -> Option<&'a HeldWhy> {
    snapshot.held.iter().find(|held| held.ticket == *id).map(|held| &held.why)
}
