//! Where an agent works: its worktree, its fence and what it is told. All git work, on blocking threads.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::earlier::{self, Earlier};
use super::found::{Found, Looking};
use super::raising::{Raising, own_conversation, own_folder};
use super::{AgentRun, Plan};
use super::{breach_watch, prompt};
use crate::execute::agents::backend::writable;
use crate::execute::agents::tally::Tally;
use crate::execute::fence::{self, Breach, Fence, FenceRequest, Guard, Settlement};
use crate::execute::folder::worked_elsewhere;
use crate::execute::isolation::{self, Worktree};
use crate::plan::store::Store;
use crate::plan::ticket::{Status, Ticket, TicketId};
use crate::runtime::launch::Ground;
use crate::runtime::protocol::Role;
use crate::verify::gates::{self, GatePlan};

/// Variables with their values.
pub(super) type Variables = Vec<(OsString, OsString)>;

/// Where one run works.
pub(super) struct Place {
    pub(super) worktree: Worktree,
    pub(super) fence: Fence,
    /// What the agent is told first.
    pub(super) brief: String,
    /// An earlier conversation that it goes on with.
    pub(super) earlier: Option<Earlier>,
    /// Its environment, without the fence's variables.
    pub(super) env: Variables,
    /// The gates as they were before the agent came.
    pub(super) gates: Vec<GatePlan>,
    /// Worth saying about the fence.
    pub(super) notes: Vec<String>,
    /// Worth keeping about worktree and environment.
    pub(super) quiet: Vec<String>,
    /// Who works here.
    pub(super) role: Role,
    /// Round that the work belongs to, when it is reviewed.
    pub(super) round: Option<u32>,
    /// JSON schema of the answer.
    pub(super) schema: Option<Value>,
    anew: Anew,
    root: PathBuf,
    /// Knows how everything stood before the agent came.
    pub(super) guard: Guard,
    /// What was caught while the agent worked.
    caught: Mutex<Vec<Breach>>,
}

/// What whoever begins anew is told.
#[derive(Clone, Debug)]
enum Anew {
    /// The brief of the ticket, then this.
    Brief(Option<String>),
    /// The same as before.
    Same,
}

impl Place {
    /// Makes everything.
    ///
    /// # Errors
    /// A sentence for the operator. Nothing was started; a worktree that was made stays.
    pub(super) async fn make(run: &AgentRun<'_>, plan: &Arc<Plan>) -> Result<Place, String> {
        let making = Making {
            root: run.ground.root.clone(),
            runs: run.ground.runs.clone(),
            ticket: Arc::clone(run.ticket),
            folder: run.folder.path().to_owned(),
            own: run.folder.name().to_owned(),
            note: run.note.map(str::to_owned),
            ground: Arc::clone(run.ground),
            plan: Arc::clone(plan),
        };
        let made = tokio::task::spawn_blocking(move || making.make());
        made.await.unwrap_or_else(|error| Err(format!("making the worktree failed: {error}")))
    }

    /// What an agent is told that begins anew where an earlier conversation could not go on.
    pub(super) async fn anew(&self, run: &AgentRun<'_>, plan: &Arc<Plan>) -> String {
        let more = match &self.anew {
            Anew::Brief(more) => more.clone(),
            Anew::Same => return self.brief.clone(),
        };
        let (root, worktree, gates) = (self.root.clone(), self.worktree.clone(), self.gates.clone());
        let (ticket, plan, note) = (Arc::clone(run.ticket), Arc::clone(plan), run.note.map(str::to_owned));
        let first = move || prompt::first(&root, &ticket, &worktree, &plan, &gates, note.as_deref());
        match tokio::task::spawn_blocking(first).await {
            Ok(brief) => with(brief, more.as_deref()),
            Err(error) => {
                tracing::error!(%error, "the brief cannot be made again; the first words are said once more");
                self.brief.clone()
            }
        }
    }

    /// Keeps what was caught while the agent worked.
    pub(super) fn keep(&self, mut caught: Vec<Breach>) {
        self.caught.lock().unwrap_or_else(PoisonError::into_inner).append(&mut caught);
    }

    /// What was caught so far.
    pub(super) fn caught(&self) -> Vec<Breach> {
        self.caught.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Gives the worker more to do than the brief says, in `earlier`'s conversation if it goes on with none yet.
    pub(super) fn tell(&mut self, words: &str, earlier: Option<Earlier>) {
        self.anew = Anew::Brief(Some(words.to_owned()));
        match (&self.earlier, earlier) {
            (None, Some(earlier)) => {
                self.brief = words.to_owned();
                self.earlier = Some(earlier);
            }
            _ => self.brief = with(std::mem::take(&mut self.brief), Some(words)),
        }
    }

    /// The worker's place for one more round: the same worktree behind a new fence.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub(super) async fn again(
        &self,
        run: &AgentRun<'_>,
        plan: &Arc<Plan>,
        round: u32,
        words: &str,
        earlier: Option<Earlier>,
    ) -> Result<Place, String> {
        let raising = Raising {
            folder: run.folder.path().join(format!("{}.r{round}", run.folder.name())),
            worktree: self.worktree.clone(),
            plan: Arc::clone(plan),
            env: self.env.clone(),
            earlier: earlier.as_ref().and_then(|earlier| own_conversation(earlier, &run.ground.runs)),
            looks_only: false,
        };
        let raised = raising.raise().await?;
        let mut place = Place {
            worktree: self.worktree.clone(),
            fence: raised.fence,
            brief: self.brief.clone(),
            earlier: None,
            env: self.env.clone(),
            gates: self.gates.clone(),
            notes: raised.notes,
            quiet: Vec::new(),
            role: Role::Worker,
            round: Some(round),
            schema: None,
            anew: Anew::Brief(None),
            root: self.root.clone(),
            guard: raised.guard,
            caught: Mutex::default(),
        };
        if earlier.is_none() {
            place.brief = place.anew(run, plan).await;
        }
        place.tell(words, earlier);
        Ok(place)
    }

    /// Where somebody judges the work: the same worktree, and nothing of it may be written.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub(super) async fn bench(
        &self,
        run: &AgentRun<'_>,
        judge: &Arc<Plan>,
        asked: Asked,
    ) -> Result<Place, String> {
        let given = run.ground.environment.for_agent(
            judge.kind,
            &judge.choice.settings,
            &judge.settings.environment,
            &run.ticket.inputs.env_keys,
            &[("KORU_TICKET", run.ticket.id.as_str()), ("KORU_RUN", run.folder.name())],
        );
        let withheld = given.note();
        let raising = Raising {
            folder: run.folder.path().join(format!("{}.v{}", run.folder.name(), asked.round)),
            worktree: self.worktree.clone(),
            plan: Arc::clone(judge),
            env: given.vars.clone(),
            earlier: None,
            looks_only: true,
        };
        let raised = raising.raise().await?;
        Ok(Place {
            worktree: self.worktree.clone(),
            fence: raised.fence,
            brief: asked.prompt,
            earlier: None,
            env: given.vars,
            gates: Vec::new(),
            notes: raised.notes.into_iter().chain(withheld).collect(),
            quiet: Vec::new(),
            role: Role::Reviewer,
            round: Some(asked.round),
            schema: Some(asked.schema),
            anew: Anew::Same,
            root: self.root.clone(),
            guard: raised.guard,
            caught: Mutex::default(),
        })
    }

    /// Asks once more, in the same conversation where there is one. `used` is what the asking took so far: programs that
    /// report what a conversation amounts to report it once more.
    pub(super) fn ask_again(&mut self, words: &str, used: Tally) {
        match used.conversation.clone() {
            Some(conversation) => {
                let tally = used;
                self.brief = words.to_owned();
                self.earlier = Some(Earlier { conversation, tally, why: "was asked again".to_owned() });
            }
            None => self.brief = with(std::mem::take(&mut self.brief), Some(words)),
        }
    }

    /// What a judge did to references, put back. Call when every process of it is gone.
    pub(super) async fn settle(&self) -> Settlement {
        let guard = self.guard.clone();
        let mut settled = tokio::task::spawn_blocking(move || guard.settle()).await.unwrap_or_default();
        breach_watch::join(&mut settled.breaches, self.caught());
        settled
    }

    /// What the run did to refs and files; forbidden changes of refs are undone, and what is allowed is committed. Call
    /// when every process of the run is gone.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub(super) async fn inspect(&self, run: &AgentRun<'_>, plan: &Arc<Plan>) -> Result<Found, String> {
        let looking = Looking {
            guard: self.guard.clone(),
            caught: self.caught(),
            round: self.round,
            worktree: self.worktree.clone(),
            ticket: Arc::clone(run.ticket),
            plan: Arc::clone(plan),
        };
        let inspected = tokio::task::spawn_blocking(move || looking.look());
        inspected.await.unwrap_or_else(|error| Err(format!("looking at the agent's work failed: {error}")))
    }
}

/// What making a place needs, owned so that it can go to another thread.
struct Making {
    root: PathBuf,
    runs: PathBuf,
    ticket: Arc<Ticket>,
    folder: PathBuf,
    own: String,
    note: Option<String>,
    ground: Arc<Ground>,
    plan: Arc<Plan>,
}

impl Making {
    fn make(self) -> Result<Place, String> {
        let plan = &self.plan;
        let id = &self.ticket.id;
        if let Some(run) = worked_elsewhere(&self.runs, id, &self.own) {
            return Err(format!(
                "the run {run} works in the worktree of {id} now; wait for its end, or stop it there"
            ));
        }
        let (worktree, prepared) = isolation::prepare_on(&self.root, &self.ticket.id, &self.done_before())
            .map_err(|error| error.to_string())?;
        let given = self.ground.environment.for_agent(
            plan.kind,
            &plan.choice.settings,
            &plan.settings.environment,
            &self.ticket.inputs.env_keys,
            &[("KORU_TICKET", self.ticket.id.as_str()), ("KORU_RUN", &self.own)],
        );
        let withheld = given.note();
        let env = given.vars;
        let earlier = earlier::find(&self.runs, &self.ticket, &plan.name, self.note.is_some(), &self.own);
        let mut writable = writable(plan.kind, &plan.choice.settings, &env);
        writable.extend(self.own_folders(earlier.as_ref())?);
        let request = FenceRequest {
            worktree: &worktree,
            policy: &plan.policy,
            run: &self.folder,
            writable: &writable,
            env: &env,
            kernel: true,
            looks_only: false,
        };
        let raised = fence::raise(&request).map_err(|error| error.to_string())?;
        let gates = gates::plan(&worktree.work_folder(), &plan.policy, &env);
        let note = self.note.as_deref();
        let brief = match &earlier {
            Some(earlier) => earlier::prompt(&self.ticket, earlier, note),
            None => prompt::first(&self.root, &self.ticket, &worktree, plan, &gates, note),
        };
        let quiet = prepared.notes.iter().map(ToString::to_string).chain(withheld).collect();
        Ok(Place {
            worktree,
            fence: raised.fence,
            brief,
            earlier,
            env,
            gates,
            notes: raised.notes,
            quiet,
            role: Role::Worker,
            round: None,
            schema: None,
            anew: Anew::Brief(None),
            root: self.root.clone(),
            guard: raised.guard,
            caught: Mutex::default(),
        })
    }

    /// Finished tickets that this one depends on and that agents worked: what they left may not have landed yet.
    fn done_before(&self) -> Vec<TicketId> {
        let worked = |id: &&TicketId| isolation::known(&self.root, id).is_some();
        let worked: Vec<TicketId> = self.ticket.blocked_by.iter().filter(worked).cloned().collect();
        if worked.is_empty() {
            return worked;
        }
        // Canceled ones let it run as well, and leave nothing that it could build on.
        let Ok(store) = Store::open(&self.root) else { return Vec::new() };
        let plan = store.plan();
        let done = |id: &TicketId| plan.ticket(id).is_some_and(|ticket| ticket.status == Status::Done);
        worked.into_iter().filter(done).collect()
    }

    /// Where the agent may keep files of its own in the run's folder, and where an earlier conversation is a file there.
    fn own_folders(&self, earlier: Option<&Earlier>) -> Result<Vec<PathBuf>, String> {
        let own = own_folder(&self.folder)?;
        let before = earlier.and_then(|earlier| own_conversation(earlier, &self.runs));
        Ok(before.into_iter().chain([own]).collect())
    }
}

/// What a judge is asked.
pub(super) struct Asked {
    pub(super) round: u32,
    pub(super) prompt: String,
    pub(super) schema: Value,
}

fn with(brief: String, more: Option<&str>) -> String {
    match more {
        Some(more) => format!("{brief}\n\n{more}"),
        None => brief,
    }
}
