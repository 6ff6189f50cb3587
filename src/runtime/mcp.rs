//! Runs of `mcp` tickets: whether the project has a server for them at all, what the executor is told of the project,
//! and what its answer is held to.

use std::path::Path;
use std::sync::Arc;

use super::launch::Ground;
use super::proof;
use crate::execute::action::Action;
use crate::execute::mcp::{self, request::McpRequest};
use crate::execute::outcome::Outcome;
use crate::execute::recorder::Recorder;
use crate::execute::stop::StopWatch;
use crate::plan::settings::Settings;
use crate::plan::ticket::{ExecutorKind, Ticket};

/// What `ticket` asks for in the project at `root`. Only a ticket that needs a server has the configuration read.
pub(super) fn action(root: &Path, ticket: &Ticket) -> Action {
    let action = Action::of(ticket);
    match ticket.executor.kind {
        ExecutorKind::Mcp => action.in_project(ticket, &Settings::load(root).0.mcp),
        _ => action,
    }
}

/// Calls the tool that `ticket` asks for.
pub(super) async fn run(
    ground: &Ground,
    ticket: &Arc<Ticket>,
    request: &McpRequest,
    run: &str,
    stop: StopWatch,
    recorder: Recorder,
) -> Outcome {
    let (settings, _) = Settings::load(&ground.root);
    let known = mcp::Ground {
        environment: &ground.environment,
        settings: &settings,
        folder: &ground.root,
        keys: &ticket.inputs.env_keys,
        extra: &[("KORU_TICKET", ticket.id.as_str()), ("KORU_RUN", run)],
        grace: ground.grace,
    };
    let before = proof::look_before(ground, ticket).await;
    let outcome = mcp::run(request, &known, || ground.direct_http(), stop, recorder).await;
    proof::hold(before, outcome).await
}
