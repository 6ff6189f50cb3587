//! Work that nobody reviews: the agent works, gates check, and what the operator said meanwhile is one more turn.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::place::Place;
use super::result::Told;
use super::rounds::Spent;
use super::{AgentRun, Left, Plan, is_stopped, unheard};
use crate::execute::agents::session::Steer;
use crate::execute::outcome::Outcome;
use crate::execute::recorder::Recorder;
use crate::execute::stop::StopWatch;
use crate::verify::finding::Finding;
use crate::verify::gates::GateReport;

impl AgentRun<'_> {
    /// The agent's work, then ours on what it left, until the operator has nothing more to say.
    pub(super) async fn work(
        &self,
        plan: &Arc<Plan>,
        mut place: Place,
        stop: StopWatch,
        steer: &mut mpsc::UnboundedReceiver<Steer>,
        spent: &mut Spent,
        recorder: &mut Recorder,
    ) -> Outcome {
        let mut said = match self.kept(steer, spent).await {
            Ok(said) => said,
            Err(sentence) => return Outcome::not_started(sentence),
        };
        if !said.is_empty() {
            place.tell(&unheard::words(&said), None);
        }
        for turn in 2.. {
            let before = self.feed.tallied().turns;
            let worked = self.checked_turn(plan, &place, &stop, steer, spent, recorder).await;
            // A turn that came to its end had it in its first words, however its program counts turns: told again, it
            // would be told for ever.
            match worked.is_ok() {
                true => self.heard(said).await,
                false => self.took(said, before, spent).await,
            }
            let (left, checks) = match worked {
                Ok(worked) => worked,
                Err(outcome) => return *outcome,
            };
            let (report, found) = (&left.report, Some(&left.found));
            let told = Told { plan, place: &place, report, found, checks: Some(&checks) };
            if is_stopped(&stop) {
                return told.judged(self.ticket, true);
            }
            said = match self.last_said(steer, spent).await {
                Ok(said) if said.is_empty() => return told.judged(self.ticket, false),
                Ok(said) => said,
                Err(sentence) => return told.waiting(sentence),
            };
            recorder.note("[it is told now what you said meanwhile]");
            let earlier = unheard::conversation(&place, report);
            place = match place.again(self, plan, turn, &unheard::words(&said), earlier).await {
                Ok(place) => place,
                Err(sentence) => return told.waiting(sentence),
            };
        }
        Outcome::not_started("there are no more turns")
    }

    /// A turn of the worker and the gates on what it left; or what the run amounts to where it ends with it.
    async fn checked_turn(
        &self,
        plan: &Arc<Plan>,
        place: &Place,
        stop: &StopWatch,
        steer: &mut mpsc::UnboundedReceiver<Steer>,
        spent: &mut Spent,
        recorder: &mut Recorder,
    ) -> Result<(Left, GateReport), Box<Outcome>> {
        let turn = self.turn(plan, place, stop, steer, spent, recorder).await;
        let mut left = turn.map_err(|stopped| Box::new(stopped.outcome))?;
        let head = left.found.head.clone();
        let checked = self.checked_clean(plan, place, &head, stop.clone(), recorder).await;
        let (report, found) = (&left.report, &mut left.found);
        let (checks, broke) = match checked {
            Ok(checked) => checked,
            Err(sentence) => {
                recorder.note(&format!("[{sentence}]"));
                let told = Told { plan, place, report, found: Some(found), checks: None };
                return Err(Box::new(told.waiting(sentence)));
            }
        };
        found.breaches = broke;
        match found.breaches.is_empty() {
            true => Ok((left, checks)),
            false => {
                let told = Told { plan, place, report, found: Some(found), checks: Some(&checks) };
                Err(Box::new(told.violation()))
            }
        }
    }

    /// What was said since the last look. Where that is nothing, nobody can say more from here on.
    async fn last_said(
        &self,
        steer: &mut mpsc::UnboundedReceiver<Steer>,
        spent: &mut Spent,
    ) -> Result<Vec<Finding>, String> {
        let said = self.kept(steer, spent).await?;
        if !said.is_empty() {
            return Ok(said);
        }
        steer.close();
        self.kept(steer, spent).await
    }

    /// The worker was told this, if it replied to anything since it had replied `before` times; else it still waits.
    async fn took(&self, said: Vec<Finding>, before: u32, spent: &mut Spent) {
        if self.feed.tallied().turns > before {
            return self.heard(said).await;
        }
        let kept = self.waiting().await.unwrap_or_default();
        let lost = said.into_iter().filter(|finding| !kept.contains(finding));
        spent.held.extend(lost.map(|finding| finding.reason));
    }
}
