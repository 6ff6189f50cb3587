//! The first words to an agent: the brief of its ticket, and where and within what limits it works.

use std::path::Path;

use super::Plan;
use crate::base::clock::Clock;
use crate::execute::isolation::Worktree;
use crate::plan::brief::{self, AgentGround};
use crate::plan::surroundings::Surroundings;
use crate::plan::ticket::Ticket;
use crate::verify::gates::{GatePlan, Planned};

/// The whole prompt of a run that begins anew. Reads the planfile and the worktree: blocking.
pub(super) fn first(
    root: &Path,
    ticket: &Ticket,
    worktree: &Worktree,
    plan: &Plan,
    gates: &[GatePlan],
    note: Option<&str>,
) -> String {
    let runs = |gate: &&GatePlan| matches!(gate.planned, Planned::Run { .. });
    let ground = AgentGround {
        agent: plan.name.clone(),
        folder: worktree.work_folder(),
        branch: worktree.branch.clone(),
        base: worktree.base.chars().take(12).collect(),
        limits: plan.settings.budgets.lines(),
        gates: gates.iter().filter(runs).map(GatePlan::line).collect(),
        note: note.map(str::to_owned),
        surroundings: Surroundings::of_process(),
    };
    brief::for_agent(root, ticket, &ground, &Clock::System)
}
