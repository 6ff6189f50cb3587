//! `ticket runs`: every kept run of one ticket, newest first.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::context::Context;
use super::super::error::{Exit, VerbError};
use super::super::output::{Out, Tone};
use crate::base::paths::ProjectPaths;
use crate::plan::store::MutateError;
use crate::plan::ticket::TicketId;
use crate::runtime::past_runs;
use crate::runtime::protocol::{Cost, RunState, RunView};

/// Lists them.
///
/// # Errors
/// A ticket that is in no file and of which no run is kept.
pub(super) fn run(context: &Context, id: &str, out: &mut Out) -> Result<Exit, VerbError> {
    let root = context.root()?;
    let ticket = TicketId::new(id);
    let runs = ProjectPaths::new(&root).runs();
    let (list, total) = past_runs::list(&runs, &ticket);
    if list.is_empty() && context.store()?.plan().ticket(&ticket).is_none() {
        return Err(MutateError::NoTicket(ticket).into());
    }
    if context.json() {
        let rows: Vec<Value> = list.iter().map(|view| row(view, &runs.join(&*view.id.0))).collect();
        out.json(&rows);
        return Ok(Exit::Ok);
    }
    let now = context.clock.now();
    for view in &list {
        line(view, now, out);
    }
    match total.saturating_sub(list.len() as u64) {
        0 if list.is_empty() => out.line(&format!("no run of {id} is kept")),
        0 => {}
        more => out.line(&format!("and {more} older ones")),
    }
    Ok(Exit::Ok)
}

fn line(view: &RunView, now: Timestamp, out: &mut Out) {
    let (word, tone) = state(view.state);
    let who = view.agent.as_ref().map_or(&*view.executor, |agent| &*agent.agent);
    let cost = cost(view).map(shown_cost).unwrap_or_default();
    let lasted = seconds(view, now).map_or_else(|| "-".to_owned(), duration);
    let why = view.message.as_deref().unwrap_or(&view.label).lines().next().unwrap_or_default();
    out.pieces(&[
        (Tone::Strong, &format!("{:<30}", &*view.id.0)),
        (tone, &format!(" {word:<12}")),
        (Tone::Plain, &format!(" {who:<9} {lasted:>6} {cost:>11}  ")),
        (Tone::Faint, why),
    ]);
}

/// One run for programs.
fn row(view: &RunView, folder: &std::path::Path) -> Value {
    let agent = view.agent.as_ref();
    let cost = cost(view);
    json!({
        "run": view.id,
        "ticket": view.ticket,
        "executor": view.executor,
        "agent": agent.map(|agent| &agent.agent),
        "state": view.state,
        "started_at": view.started_at,
        "ended_at": view.ended_at,
        "exit_code": view.exit_code,
        "turns": agent.map(|agent| agent.tally.turns),
        "tokens": agent.map(|agent| agent.tally.tokens),
        "cost": cost,
        "label": view.label,
        "message": view.message,
        "branch": agent.and_then(|agent| agent.worktree.as_ref()).map(|worktree| &worktree.branch),
        "folder": folder,
    })
}

fn cost(view: &RunView) -> Option<Cost> {
    view.agent.as_ref()?.tally.cost
}

fn shown_cost(cost: Cost) -> String {
    if cost.estimated { format!("~${:.2} est.", cost.usd) } else { format!("${:.2}", cost.usd) }
}

/// How long it lasted, or has lasted; of a run that broke off nobody knows.
fn seconds(view: &RunView, now: Timestamp) -> Option<i64> {
    let until = view.ended_at.or_else(|| view.state.is_active().then_some(now))?;
    Some(until.duration_since(view.started_at).as_secs().max(0))
}

fn duration(seconds: i64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3_600, seconds / 60 % 60),
    }
}

fn state(state: RunState) -> (&'static str, Tone) {
    match state {
        RunState::Running => ("running", Tone::Strong),
        RunState::Stalled => ("stalled", Tone::Warn),
        RunState::Sleeping => ("sleeping", Tone::Warn),
        RunState::Stopping => ("stopping", Tone::Warn),
        RunState::NeedsYou => ("needs you", Tone::Warn),
        RunState::Done => ("done", Tone::Good),
        RunState::Failed => ("failed", Tone::Bad),
        RunState::Stopped => ("stopped", Tone::Faint),
        RunState::Interrupted => ("interrupted", Tone::Warn),
        RunState::Violation => ("broke policy", Tone::Bad),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_carry_units() {
        assert_eq!([9, 192, 7_500].map(duration), ["9s", "3m12s", "2h05m"]);
    }
}
