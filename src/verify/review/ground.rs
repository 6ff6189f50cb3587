//! What every step of a review shares, and the places where reviewers and menders work.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::base::atomic;
use crate::base::paths::ProjectPaths;
use crate::execute::agents::backend::{OWN_FOLDER, detect, writable};
use crate::execute::agents::kind::AgentKind;
use crate::execute::agents::session::{self, AgentJob, AgentReport, Limits};
use crate::execute::agents::tally::Tally;
use crate::execute::agents::used::Used;
use crate::execute::environment::{Environment, Recipient, Wanted};
use crate::execute::fence::{self, Breach, Fence, FenceRequest, Guard};
use crate::execute::folder::{AgentRecord, RecordState, RunFolder, RunRecord};
use crate::execute::isolation::{self, Note, Worktree};
use crate::execute::output::{Channel, OutputLine};
use crate::execute::recorder::{Listener, Recorder};
use crate::execute::scratch_runs;
use crate::execute::stop::StopWatch;
use crate::execute::transcript::TranscriptWriter;
use crate::plan::policy::Policy;
use crate::plan::settings::{AgentChoice, REVIEWER, Settings};

/// Word of worktrees and runs for one look ([`scratch_runs`]).
pub(super) const LOOK: &str = "review";

/// TERM to KILL.
const GRACE: Duration = Duration::from_secs(5);

/// What a review shares.
pub(super) struct Ground {
    pub(super) root: PathBuf,
    pub(super) settings: Settings,
    pub(super) environment: Environment,
    pub(super) progress: mpsc::UnboundedSender<String>,
    pub(super) stop: StopWatch,
}

/// Who judges.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one a review")]
pub(super) enum Who {
    /// A program with `kagura-code-reviewer`'s options and envelope.
    Program(Vec<String>),
    /// An agent.
    Agent(Agent),
}

/// An agent that may be started.
#[derive(Clone, Debug)]
pub(super) struct Agent {
    pub(super) choice: AgentChoice,
    pub(super) kind: AgentKind,
}

/// What an agent is asked to do in one session.
#[derive(Default)]
pub(super) struct Task {
    pub(super) prompt: String,
    /// What its answer has to look like.
    pub(super) schema: Option<serde_json::Value>,
    /// Conversation to go on with.
    pub(super) resume: Option<String>,
    /// What earlier sessions of the run amount to: they count against the run's limits.
    pub(super) spent: Tally,
}

/// One run: its folder, its recorder, its place.
pub(super) struct Run {
    pub(super) folder: RunFolder,
    pub(super) recorder: Recorder,
    pub(super) worktree: Worktree,
    pub(super) fence: Fence,
    pub(super) env: Vec<(OsString, OsString)>,
    record: RunRecord,
    /// What the day allowed when it began.
    allowance: (Option<u64>, Option<f64>),
    guard: Guard,
}

impl Ground {
    pub(super) fn say(&self, text: impl Into<String>) {
        // Whoever does not listen any more does not want to know.
        let _ = self.progress.send(text.into());
    }

    /// Who judges: the one that is named, else the program of the configuration, else the role's agent, else the first
    /// that is installed.
    pub(super) fn reviewer(&self, name: Option<&str>) -> Result<Who, String> {
        match name {
            Some(name) => self.agent(Some(name)).map(Who::Agent),
            None if !self.settings.review.command.is_empty() => {
                Ok(Who::Program(self.settings.review.command.clone()))
            }
            None if self.settings.roles.contains_key(REVIEWER) => self.agent(Some(REVIEWER)).map(Who::Agent),
            None => self.agent(None).map(Who::Agent),
        }
    }

    /// An agent by name, or whoever has the role `worker`, or the first that is installed.
    pub(super) fn agent(&self, name: Option<&str>) -> Result<Agent, String> {
        let choice = self.settings.agent(name).map_err(|error| error.to_string())?;
        let choice = match choice {
            Some(choice) => choice,
            None => self.first_installed().ok_or(
                "no coding agent was found on PATH; install one, or name its program in .planfile/.koru/config.yaml \
                 under `agents`",
            )?,
        };
        let kind = AgentKind::parse(&choice.kind)
            .ok_or_else(|| format!("no agent program is called {:?}", choice.kind))?;
        Ok(Agent { choice, kind })
    }

    fn first_installed(&self) -> Option<AgentChoice> {
        let all = self.environment.all();
        AgentKind::BUILT_IN.into_iter().find_map(|kind| {
            let choice = self.settings.agent(Some(kind.word())).ok().flatten()?;
            detect::program(kind, &choice.settings, &all).map(|_| choice)
        })
    }

    /// A worktree of its own at `head`, and the operator is told what it lacks. Blocking.
    pub(super) fn scratch(&self, what: &str, head: &str) -> Result<Worktree, String> {
        let id = scratch_runs::scratch_id(what, "");
        let prepared = isolation::prepare(&self.root, &id, Some(head));
        let (worktree, prepared) = prepared.map_err(|error| error.to_string())?;
        for note in prepared.notes {
            let lacks = match &note {
                Note::Submodules { empty, .. } => !empty.is_empty(),
                Note::Filters { unfilled, .. } => unfilled.is_some(),
                _ => false,
            };
            if lacks {
                self.say(note.to_string());
            }
        }
        Ok(worktree)
    }

    /// Makes the folder of a run with its record, and raises its fence around `worktree`. Blocking.
    pub(super) fn start(
        &self,
        who: &Who,
        worktree: Worktree,
        policy: &Policy,
        label: &str,
    ) -> Result<Run, String> {
        let began = Timestamp::now();
        let allowance = match who {
            Who::Agent(_) => self.allowance()?,
            Who::Program(_) => (None, None),
        };
        let runs = ProjectPaths::new(&self.root).runs();
        let folder = RunFolder::create(&runs, &worktree.ticket, began)
            .map_err(|error| format!("making a run folder in {} failed: {error}", runs.display()))?;
        let own = folder.path().join(OWN_FOLDER);
        atomic::make_private_dir(&own)
            .map_err(|error| format!("making {} failed: {error}", own.display()))?;
        let (env, mut open) = self.outfit(who, folder.name());
        open.push(own);
        let request = FenceRequest {
            worktree: &worktree,
            policy,
            run: folder.path(),
            writable: &open,
            env: &env,
            kernel: true,
            looks_only: false,
        };
        let raised = fence::raise(&request).map_err(|error| error.to_string())?;
        let transcript = TranscriptWriter::new(folder.transcript(), folder.name());
        let redactor = self.environment.redactor_of(&self.settings, &[]);
        let listener = Box::new(Telling(self.progress.clone()));
        let recorder = Recorder::new(redactor, Some(transcript), listener);
        // On disk before anybody starts: whoever cleans up or works meanwhile sees that the worktree is in use.
        let record = scratch_runs::begun(LOOK, &folder, &worktree.ticket, recorder.clean(label), began);
        folder
            .write_record(&record)
            .map_err(|error| format!("writing the record of the run {} failed: {error}", folder.name()))?;
        Ok(Run {
            folder,
            recorder,
            worktree,
            fence: raised.fence,
            env,
            record,
            allowance,
            guard: raised.guard,
        })
    }

    /// The variables that `who` is given in the run of that name, and what it may write to besides its place.
    fn outfit(&self, who: &Who, run: &str) -> (Vec<(OsString, OsString)>, Vec<PathBuf>) {
        let allowed = &self.settings.environment;
        let extra = [("KORU_RUN", run)];
        match who {
            Who::Agent(agent) => {
                let settings = &agent.choice.settings;
                let env = self.environment.for_agent(agent.kind, settings, allowed, &[], &extra).vars;
                let open = writable(agent.kind, settings, &env);
                (env, open)
            }
            Who::Program(_) => {
                let recipient = Recipient::Command;
                let wanted = Wanted { recipient, allowed, keys: &[], own: &[], extra: &extra };
                (self.environment.for_child(&wanted).vars, Vec::new())
            }
        }
    }

    /// What the day still allows: tokens and US dollars, `None` without a limit. Blocking.
    ///
    /// # Errors
    /// A sentence: the day's budget is used up.
    pub(super) fn allowance(&self) -> Result<(Option<u64>, Option<f64>), String> {
        let budgets = &self.settings.budgets;
        let used = Used::of_day(&ProjectPaths::new(&self.root).runs(), Timestamp::now(), |_| false);
        match used.over(budgets) {
            Some(why) => Err(why),
            None => Ok(used.left(budgets)),
        }
    }

    /// Lets `agent` work at `task` in the place of `run` until it ends.
    pub(super) async fn session(&self, agent: &Agent, run: &mut Run, task: Task) -> AgentReport {
        let budgets = &self.settings.budgets;
        let (tokens, usd) = run.allowance;
        let spent = (task.spent.tokens.total(), task.spent.cost.map_or(0.0, |cost| cost.usd));
        let tokens = [budgets.run_tokens, tokens].into_iter().flatten().min();
        let usd = [budgets.run_usd, usd].into_iter().flatten().reduce(f64::min);
        let job = AgentJob {
            kind: agent.kind,
            settings: agent.choice.settings.clone(),
            prompt: task.prompt,
            folder: run.worktree.work_folder(),
            env: run.env.clone(),
            files: Vec::new(),
            resume: task.resume,
            before: None,
            schema: task.schema,
            scratch: run.folder.path().to_owned(),
            limits: Limits {
                timeout: budgets.run_timeout(),
                silence: budgets.silence_limit(),
                tokens: tokens.map(|limit| limit.saturating_sub(spent.0)),
                usd: usd.map(|limit| (limit - spent.1).max(0.0)),
                grace: GRACE,
            },
            fence: run.fence.clone(),
        };
        let (_words, heard) = mpsc::unbounded_channel();
        session::run(job, self.stop.clone(), heard, &mut run.recorder).await
    }
}

impl Run {
    /// What the run did besides its work, undone where that was possible. Blocking; once, when all its processes are gone.
    pub(super) fn settle(self) -> (Vec<Breach>, Finished) {
        let settled = self.guard.settle();
        let Run { folder, recorder, worktree, record, .. } = self;
        (settled.breaches, Finished { folder, recorder, worktree, record })
    }
}

/// A run that was settled.
pub(super) struct Finished {
    pub(super) folder: RunFolder,
    pub(super) recorder: Recorder,
    pub(super) worktree: Worktree,
    record: RunRecord,
}

impl Finished {
    /// Closes the run's record, so that it is found again and its cost counts into the day.
    pub(super) fn record(&self, good: bool, agent: Option<(&Agent, &AgentReport)>, message: &str) {
        let record = RunRecord {
            supervisor: None,
            state: if good { RecordState::Done } else { RecordState::Failed },
            ended_at: Some(Timestamp::now()),
            exit_code: agent.map(|(_, report)| report.outcome.exit_code),
            message: (!message.is_empty()).then(|| self.recorder.clean(message)),
            agent: agent.map(|(agent, report)| AgentRecord {
                agent: agent.choice.name.clone(),
                worktree: None,
                tally: report.tally.clone(),
                ending: Some(report.ending.clone()),
            }),
            ..self.record.clone()
        };
        if let Err(error) = self.folder.write_record(&record) {
            tracing::warn!(%error, "the record of a review cannot be written");
        }
    }
}

/// Passes on what a run says.
struct Telling(mpsc::UnboundedSender<String>);

impl Listener for Telling {
    fn lines(&mut self, _first: u64, lines: Vec<OutputLine>) {
        for line in lines {
            if line.channel != Channel::Unknown {
                let _ = self.0.send(line.text.into());
            }
        }
    }
}
