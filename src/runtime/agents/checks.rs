//! Quality gates on what an agent left, in its worktree and behind its fence: the code that they run is the agent's.

use super::breach_watch::{BreachWatch, join};
use super::found::Found;
use super::place::Place;
use super::{AgentRun, Plan};
use crate::execute::fence::{Sighting, Watched};
use crate::execute::recorder::Recorder;
use crate::execute::stop::{Stop, StopWatch, stop_pair};
use crate::runtime::protocol::AgentPhase;
use crate::verify::gates::waiver::waiver;
use crate::verify::gates::{self, GateJob, GatePlan, GateReport, GateState, Planned};

impl AgentRun<'_> {
    /// Runs the gates under watch, and compares references after them: what they run is the agent's code, which may do
    /// what the agent would not have been let do. A breach stops them; besides the report, what they broke.
    pub(super) async fn check(
        &self,
        plan: &Plan,
        place: &Place,
        stop: StopWatch,
        recorder: &mut Recorder,
    ) -> (GateReport, Found) {
        let before = place.guard.clone();
        let guard = match tokio::task::spawn_blocking(move || before.anew()).await {
            Ok(guard) => guard,
            Err(error) => return (GateReport::default(), Found::trouble(&error.to_string())),
        };
        let mut breach_watch =
            BreachWatch::start(&guard, Watched::References, recorder.redactor(), self.feed).await;
        let (stopper, inner) = stop_pair();
        let mut outer = stop;
        stopper.at_least(outer.current());
        let mut report = {
            let gates = self.gates(plan, place, inner, recorder);
            tokio::pin!(gates);
            loop {
                tokio::select! {
                    report = &mut gates => break report,
                    asked = outer.changed() => stopper.at_least(asked),
                    // What was refused is told at the end.
                    sighting = breach_watch.next() => if let Sighting::Breach(_) = sighting {
                        stopper.at_least(Stop::Polite);
                    },
                }
            }
        };
        let caught = breach_watch.finish();
        if !caught.is_empty() && outer.current() == Stop::No {
            blame(&mut report);
        }
        let settled = tokio::task::spawn_blocking(move || guard.settle()).await;
        let mut found = match settled {
            Ok(settled) => Found::of(settled),
            Err(error) => Found::trouble(&error.to_string()),
        };
        join(&mut found.breaches, caught);
        (report, found.cleaned(recorder))
    }

    /// Runs the gates, one after the other; nothing when the policy demands none and none is found.
    async fn gates(
        &self,
        plan: &Plan,
        place: &Place,
        stop: StopWatch,
        recorder: &mut Recorder,
    ) -> GateReport {
        let mut report = GateReport { results: Vec::new() };
        let gates = self.planned(plan, place).await;
        for gate in &gates {
            let name = gate.gate.clone();
            self.feed.agent(|view| view.phase = AgentPhase::Checking { gate: name });
            let job = GateJob {
                gates: vec![gate.clone()],
                folder: place.worktree.work_folder(),
                env: place.env.clone(),
                fence: place.fence.clone(),
                waiver: waiver(self.ticket),
                timeout: std::time::Duration::from_secs(plan.policy.ci_timeout_seconds),
                grace: self.ground.grace,
            };
            let one = gates::run(&job, stop.clone(), recorder).await;
            report.results.extend(one.results);
            self.feed.agent(|view| view.gates.clone_from(&report.results));
        }
        report
    }

    /// The gates as they were before the agent came, so that it cannot do away with one, and those that it added.
    async fn planned(&self, plan: &Plan, place: &Place) -> Vec<GatePlan> {
        let (folder, policy, env) = (place.worktree.work_folder(), plan.policy.clone(), place.env.clone());
        let now = tokio::task::spawn_blocking(move || gates::plan(&folder, &policy, &env)).await;
        let mut planned = place.gates.clone();
        for gate in now.unwrap_or_default() {
            match planned.iter_mut().find(|known| known.gate == gate.gate) {
                Some(known) if matches!(gate.planned, Planned::Run { .. }) => *known = gate,
                Some(_) => {}
                None => planned.push(gate),
            }
        }
        planned
    }
}

/// The gate that was stopped was not stopped by the operator.
fn blame(report: &mut GateReport) {
    let ran = report.results.iter_mut().rev().find(|result| result.command.is_some());
    if let Some(result) = ran.filter(|result| result.exit_code.is_none()) {
        result.state = GateState::Failed { why: "it broke the policy and was stopped".to_owned() };
    }
}
