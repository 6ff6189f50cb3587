//! Quality gates on what an agent left, in its worktree and behind its fence: the code that they run is the agent's.

use super::place::Place;
use super::{AgentRun, Plan};
use crate::execute::recorder::Recorder;
use crate::execute::stop::StopWatch;
use crate::runtime::protocol::AgentPhase;
use crate::verify::gates::waiver::waiver;
use crate::verify::gates::{self, GateJob, GatePlan, GateReport, Planned};

impl AgentRun<'_> {
    /// Runs the gates, one after the other; nothing when the policy demands none and none is found.
    pub(super) async fn check(
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
