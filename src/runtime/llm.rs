//! Runs of `llm` tickets that ask a language model: what the executor is told of the project, what its answer is held
//! to, and the day's budget, which refuses a question and stops one that waits for its answer.

use std::sync::Arc;

use super::launch::Ground;
use super::proof;
use crate::execute::llm::{self, request::LlmRequest};
use crate::execute::outcome::{Ending, Outcome};
use crate::execute::recorder::Recorder;
use crate::execute::stop::{Stop, StopWatch, stop_pair};
use crate::plan::settings::Settings;
use crate::plan::ticket::Ticket;

/// Asks the question of `ticket` as the run `run`.
pub(super) async fn run(
    ground: &Arc<Ground>,
    run: &Arc<str>,
    ticket: &Arc<Ticket>,
    request: &LlmRequest,
    stop: StopWatch,
    mut recorder: Recorder,
) -> Outcome {
    let (settings, _) = Settings::load(&ground.root);
    let day = Arc::clone(ground);
    let read = move || day.ledger.read_today(&day.runs, day.clock.now());
    drop(tokio::task::spawn_blocking(read).await);
    if let Some(sentence) = ground.ledger.others_today(run).over(&settings.budgets) {
        recorder.note(&format!("[{sentence}; the question is not asked]"));
        // Only a person can allow more, and nothing failed.
        return Outcome { ending: Ending::Waiting, ..Outcome::not_started(sentence) };
    }
    let known = llm::Ground {
        environment: &ground.environment,
        settings: &settings.llm,
        clock: ground.clock.clone(),
    };
    let cache = known.cache(&ground.root);
    let before = proof::look_before(ground, ticket).await;
    let (stopper, inner) = stop_pair();
    let mut outer = stop;
    stopper.at_least(outer.current());
    let (mut changes, mut over) = (ground.ledger.changes(), None);
    let outcome = {
        let asked = llm::run(request, &known, cache.as_ref(), || ground.direct_http(), inner, recorder);
        tokio::pin!(asked);
        loop {
            tokio::select! {
                outcome = &mut asked => break outcome,
                asked = outer.changed() => stopper.at_least(asked),
                // What it used itself is used: its answer is worth having.
                Ok(()) = changes.changed(), if over.is_none() => {
                    over = ground.ledger.others_today(run).over(&settings.budgets);
                    if over.is_some() {
                        stopper.at_least(Stop::Polite);
                    }
                }
            }
        }
    };
    ground.ledger.over(run);
    let outcome = match over {
        Some(sentence) if outcome.ending == Ending::Stopped && outer.current() == Stop::No => {
            Outcome { ending: Ending::Waiting, reason: Some(sentence), ..outcome }
        }
        _ => outcome,
    };
    proof::hold(before, outcome).await
}
