//! Runs of `llm` tickets that ask a language model: what the executor is told of the project, and what its answer is
//! held to.

use std::sync::Arc;

use super::launch::Ground;
use super::proof;
use crate::execute::llm::{self, request::LlmRequest};
use crate::execute::outcome::Outcome;
use crate::execute::recorder::Recorder;
use crate::execute::stop::StopWatch;
use crate::plan::settings::Settings;
use crate::plan::ticket::Ticket;

/// Asks the question of `ticket`.
pub(super) async fn run(
    ground: &Ground,
    ticket: &Arc<Ticket>,
    request: &LlmRequest,
    stop: StopWatch,
    recorder: Recorder,
) -> Outcome {
    let (settings, _) = Settings::load(&ground.root);
    let known = llm::Ground {
        environment: &ground.environment,
        settings: &settings.llm,
        clock: ground.clock.clone(),
    };
    let cache = known.cache(&ground.root);
    let before = proof::look_before(ground, ticket).await;
    let outcome = llm::run(request, &known, cache.as_ref(), || ground.direct_http(), stop, recorder).await;
    proof::hold(before, outcome).await
}
