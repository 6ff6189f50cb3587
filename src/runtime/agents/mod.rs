//! One ticket worked by a coding agent, from the worktree to the commit: what a run does around the agent itself.
//!
//! The order is fixed: choose the agent, make its worktree and fence, tell it the brief, let it work (`rounds`), compare
//! refs and files with what policy and ticket allow (`place`), commit what it did, run the quality gates (`checks`), and
//! say what the ticket should become (`result`). Where somebody reviews the work, all this goes in rounds (`review`).
//! Nothing here writes a planfile. Blocking work (git, folders) is done on
//! blocking threads; whatever fails is an outcome with a sentence, never a panic and never a lost worktree.

mod alone;
mod breach_watch;
mod checks;
mod earlier;
mod found;
pub(super) mod ledger;
mod next;
mod place;
mod prompt;
mod raising;
mod result;
mod review;
mod rounds;
mod tidy;
mod unheard;

use std::ffi::OsString;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::feed::Feed;
use super::job_slot::JobSlot;
use super::keeper::Keeper;
use super::launch::{Ground, ReviewWish};
use super::protocol::{AgentPhase, AgentView, Tally};
use crate::base::paths::ProjectPaths;
use crate::execute::agents::backend::{self, detect};
use crate::execute::agents::kind::AgentKind;
use crate::execute::agents::session::{AgentEnding, AgentReport, Steer};
use crate::execute::fence::Breach;
use crate::execute::folder::{AgentRecord, RunFolder};
use crate::execute::isolation::ChangedFile;
use crate::execute::outcome::Outcome;
use crate::execute::recorder::Recorder;
use crate::execute::stop::{Stop, StopWatch};
use crate::learn::audit;
use crate::plan::policy::Policy;
use crate::plan::settings::{AgentChoice, Settings};
use crate::plan::ticket::Ticket;
use crate::verify::gates::GateReport;
use crate::verify::gates::expectation::expectation;
use found::Found;
use place::Place;
use result::Told;
use review::Judge;
use rounds::Spent;

/// What an agent's run is made of. Borrowed from the run that it is.
pub(super) struct AgentRun<'a> {
    pub(super) ground: &'a Arc<Ground>,
    pub(super) ticket: &'a Arc<Ticket>,
    /// Asked for by name.
    pub(super) agent: Option<&'a str>,
    /// Said to the agent after the brief.
    pub(super) note: Option<&'a str>,
    /// Whether and by whom the work is reviewed, where it is not as configured.
    pub(super) review: &'a ReviewWish,
    pub(super) folder: &'a RunFolder,
    pub(super) feed: &'a Feed,
    pub(super) keeper: &'a Keeper,
    pub(super) slot: &'a JobSlot,
}

/// Everything that was decided before the agent starts.
struct Plan {
    name: String,
    kind: AgentKind,
    choice: AgentChoice,
    settings: Settings,
    policy: Policy,
}

/// What a turn of the worker left.
struct Left {
    report: AgentReport,
    found: Found,
}

/// A turn that ended the run, and what the run amounts to.
struct Stopped {
    outcome: Outcome,
    tally: Tally,
}

impl AgentRun<'_> {
    /// Works the ticket to an outcome.
    pub(super) async fn perform(
        self,
        stop: StopWatch,
        mut steer: mpsc::UnboundedReceiver<Steer>,
        mut recorder: Recorder,
    ) -> Outcome {
        let mut spent = Spent::new();
        let outcome = match self.prepared().await {
            Ok((plan, judge, place)) => {
                self.settle_in(&place, &mut recorder);
                spent.begin();
                let (steer, spent) = (&mut steer, &mut spent);
                match judge {
                    Some(judge) => {
                        self.in_rounds(&plan, (judge, place), stop, steer, spent, &mut recorder).await
                    }
                    None => self.work(&plan, place, stop, steer, spent, &mut recorder).await,
                }
            }
            Err(sentence) => Outcome::not_started(sentence),
        };
        let outcome = self.leave_said(outcome, &mut steer, &mut spent, &mut recorder).await;
        self.over(outcome, &recorder)
    }

    /// Who works, who judges, and where.
    async fn prepared(&self) -> Result<(Arc<Plan>, Option<Judge>, Place), String> {
        let plan = Arc::new(self.decide().await?);
        let begun = review::begun(self).await;
        let judge = Judge::of(&plan, self.review, begun.as_ref())?;
        self.introduce(&plan);
        let place = Place::make(self, &plan).await?;
        Ok((plan, judge, place))
    }

    fn over(&self, outcome: Outcome, recorder: &Recorder) -> Outcome {
        self.ground.ledger.over(&self.folder.name().into());
        self.feed.agent(|view| view.phase = AgentPhase::Over);
        result::cleaned(Outcome { duration: recorder.elapsed(), ..outcome }, recorder)
    }

    /// Reads configuration and policy and chooses the agent.
    async fn decide(&self) -> Result<Plan, String> {
        let (root, name) = (self.ground.root.clone(), self.agent.map(str::to_owned));
        let all = self.ground.environment.all();
        let decided = tokio::task::spawn_blocking(move || {
            let (settings, _) = Settings::load(&root);
            let (policy, _) = Policy::load(&root);
            let choice = settings.agent(name.as_deref()).map_err(|error| error.to_string())?;
            let choice = match choice {
                Some(choice) => choice,
                None => first_installed(&settings, &all)?,
            };
            let kind = AgentKind::parse(&choice.kind)
                .ok_or_else(|| format!("no agent program is called {:?}", choice.kind))?;
            Ok(Plan { name: choice.name.clone(), kind, choice, settings, policy })
        });
        decided.await.unwrap_or_else(|error| Err(format!("choosing the agent failed: {error}")))
    }

    /// Shows the agent, and puts it into the record.
    fn introduce(&self, plan: &Plan) {
        let view = AgentView {
            agent: plan.name.clone(),
            phase: AgentPhase::Preparing,
            turn: None,
            tally: Tally::default(),
            hearing: backend::hearing(plan.kind, &plan.choice.settings),
            queued: Vec::new(),
            pausing: false,
            worktree: None,
            sleeping_until: None,
            waits_for_job: false,
            breaches: Vec::new(),
            gates: Vec::new(),
            changed: Vec::new(),
            raw_lines: 0,
        };
        self.feed.begin_agent(view, plan.settings.budgets.stalled_after());
        let name = plan.name.clone();
        self.keeper.change(|record| {
            let tally = Tally::default();
            record.agent = Some(AgentRecord { agent: name, worktree: None, tally, ending: None });
        });
    }

    /// Shows where the agent works, and puts it into the record.
    fn settle_in(&self, place: &Place, recorder: &mut Recorder) {
        let worktree = &place.worktree;
        self.feed.agent(|view| view.worktree = Some(worktree.clone()));
        self.keeper.change(|record| {
            if let Some(agent) = &mut record.agent {
                agent.worktree = Some(worktree.clone());
            }
        });
        let base: String = worktree.base.chars().take(12).collect();
        // How a run begins is worth a look afterwards; what keeps it in less than it should is worth one now.
        recorder.status(&format!("[worktree of {} on {} from {base}]", worktree.ticket, worktree.branch));
        for note in &place.quiet {
            recorder.status(&format!("[{note}]"));
        }
        for note in &place.notes {
            recorder.note(&format!("[{note}]"));
        }
    }

    /// One turn of the worker: it works until it is done, then refs and files are compared with what policy and ticket
    /// allow, and what it did is committed.
    async fn turn(
        &self,
        plan: &Arc<Plan>,
        place: &Place,
        stop: &StopWatch,
        steer: &mut mpsc::UnboundedReceiver<Steer>,
        spent: &mut Spent,
        recorder: &mut Recorder,
    ) -> Result<Left, Box<Stopped>> {
        self.feed.agent(|view| view.phase = AgentPhase::Working);
        self.keeper.change(|record| {
            if let Some(agent) = &mut record.agent {
                agent.ending = None;
            }
        });
        let report = self.rounds(plan, place, stop.clone(), steer, spent, recorder).await;
        self.ground.ledger.tell(&self.folder.name().into(), &report.tally);
        self.keeper.change(|record| {
            if let Some(agent) = &mut record.agent {
                agent.tally = report.tally.clone();
                agent.ending = Some(report.ending.clone());
            }
        });
        self.feed.agent(|view| view.phase = AgentPhase::Inspecting);
        let mut told = Told { plan, place, report: &report, found: None, checks: None };
        let over = |outcome| Box::new(Stopped { outcome, tally: report.tally.clone() });
        let found = match place.inspect(self, plan).await {
            Ok(found) => found.cleaned(recorder),
            Err(sentence) => {
                recorder.note(&format!("[{sentence}]"));
                return Err(over(told.inspection_failed(&sentence)));
            }
        };
        self.present(plan, &found, recorder).await;
        result::say_what_changed(recorder, &found);
        told.found = Some(&found);
        if !found.breaches.is_empty() {
            return Err(over(told.violation()));
        }
        if report.ending != AgentEnding::Finished {
            return Err(over(told.unfinished()));
        }
        // Tickets name files from the project's folder, git from the top of the repository.
        let in_project = |file: &ChangedFile| place.worktree.in_project(&file.path).map(str::to_owned);
        let paths: Vec<String> = found.changed.iter().filter_map(in_project).collect();
        let expected = self.ticket.inputs.expect_files_changed;
        if let Err(sentence) = expectation(&paths, &self.ticket.files, expected) {
            return Err(over(told.failed(sentence)));
        }
        Ok(Left { report, found })
    }

    /// What the gates say of the work, and the breaches that what they ran made.
    async fn checked(
        &self,
        plan: &Plan,
        place: &Place,
        stop: StopWatch,
        recorder: &mut Recorder,
    ) -> (GateReport, Vec<Breach>) {
        let (checks, broke) = self.check(plan, place, stop, recorder).await;
        if broke.breaches.is_empty() {
            result::say_breaches(recorder, &broke);
        } else {
            self.present(plan, &broke, recorder).await;
        }
        (checks, broke.breaches)
    }

    /// Puts on record, shows and tells what was found.
    async fn present(&self, plan: &Plan, found: &Found, recorder: &mut Recorder) {
        if !found.breaches.is_empty() {
            self.audit(plan, &found.breaches).await;
        }
        self.feed.agent(|view| {
            view.breaches.clone_from(&found.breaches);
            if !found.changed.is_empty() {
                view.changed.clone_from(&found.changed);
            }
        });
        result::say_breaches(recorder, found);
    }

    /// Writes the breaches down before they are shown as dealt with.
    async fn audit(&self, plan: &Plan, breaches: &[Breach]) {
        let folder = ProjectPaths::new(&self.ground.root).audit();
        let (at, who) = (self.ground.clock.now(), plan.name.clone());
        let rows: Vec<Value> = breaches
            .iter()
            .map(|breach| {
                json!({ "ticket": self.ticket.id.as_str(), "run": self.folder.name(), "breach": breach })
            })
            .collect();
        let write = move || {
            for row in rows {
                if let Err(error) = audit::append(&folder, at, "policy.breach", &who, &row) {
                    tracing::warn!(%error, "a breach of the policy cannot be written to the audit");
                }
            }
        };
        drop(tokio::task::spawn_blocking(write).await);
    }
}

/// The agent programs of the machine that the configuration lets be started, in order of preference.
pub(super) fn installed(
    settings: &Settings,
    all: &[(OsString, OsString)],
) -> impl Iterator<Item = AgentChoice> {
    AgentKind::BUILT_IN.into_iter().filter_map(move |kind| {
        let choice = settings.agent(Some(kind.word())).ok().flatten()?;
        detect::program(kind, &choice.settings, all).map(|_| choice)
    })
}

/// The first agent program of the machine, in order of preference.
fn first_installed(settings: &Settings, all: &[(OsString, OsString)]) -> Result<AgentChoice, String> {
    if let Some(choice) = installed(settings, all).next() {
        return Ok(choice);
    }
    let known: Vec<&str> = AgentKind::BUILT_IN.iter().map(|kind| kind.word()).collect();
    Err(format!(
        "no coding agent was found on PATH (looked for {}); install one, or name its program in \
         .planfile/.koru/config.yaml under `agents`",
        known.join(", ")
    ))
}

/// Whether the operator asked to stop.
fn is_stopped(stop: &StopWatch) -> bool {
    stop.current() > Stop::No
}
