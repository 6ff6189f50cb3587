//! Starting one run: its folder, its record, its task; what it says comes back as [`RunNotice`]s. What an agent's run
//! needs beyond that is in [`super::agents`].
//!
//! The ticket was claimed before; nothing here writes a planfile. Children are spawned from the runtime's worker
//! threads, which live as long as the runtime: the kernel ends a child when the *thread* that made it dies.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::agents::AgentRun;
use super::agents::ledger::Ledger;
use super::feed::{Batch, Feed};
use super::holder::Holder;
use super::job_slot::JobSlot;
use super::keeper::Keeper;
use super::listener::RecordingListener;
use super::llm;
use super::mcp;
pub use super::order::ReviewWish;
pub(crate) use super::order::{Delegation, Order};
use super::proof;
use crate::base::clock::Clock;
use crate::base::process::ProcessIdentity;
use crate::base::redact::Redactor;
use crate::execute::action::Action;
use crate::execute::agents::session::Steer;
use crate::execute::environment::{Environment, Recipient, Wanted};
use crate::execute::fence::Fence;
use crate::execute::folder::{FORMAT, RecordState, RunFolder, RunRecord};
use crate::execute::outcome::{Ending, Outcome};
use crate::execute::recorder::Recorder;
use crate::execute::shell::ShellJob;
use crate::execute::stop::{StopWatch, Stopper, stop_pair};
use crate::execute::transcript::TranscriptWriter;
use crate::execute::{api, shell};
use crate::plan::settings::Settings;
use crate::plan::ticket::Ticket;

/// What every run of one supervisor shares.
#[derive(Debug)]
pub(crate) struct Ground {
    /// Project folder.
    pub(crate) root: PathBuf,
    /// Folder of run folders.
    pub(crate) runs: PathBuf,
    /// Who holds the tickets.
    pub(crate) holder: Holder,
    /// Variables of this process.
    pub(crate) environment: Environment,
    /// TERM to KILL.
    pub(crate) grace: Duration,
    /// The clock.
    pub(crate) clock: Clock,
    /// What agents have used today, and which of them a rate limit keeps asleep.
    pub(crate) ledger: Ledger,
    http: std::sync::OnceLock<Result<reqwest::Client, String>>,
    direct: std::sync::OnceLock<Result<reqwest::Client, String>>,
}

impl Ground {
    /// The ground of a supervisor of the project at `root`.
    pub(crate) fn new(root: PathBuf, runs: PathBuf, actor: &str, grace: Duration, clock: Clock) -> Ground {
        let holder = Holder::own(actor);
        let environment = Environment::of_process();
        let (http, direct) = (std::sync::OnceLock::new(), std::sync::OnceLock::new());
        Ground { root, runs, holder, environment, grace, clock, ledger: Ledger::default(), http, direct }
    }

    /// The HTTP client, made with the first request: it loads the trusted roots, which most projects never need.
    fn http(&self) -> Result<reqwest::Client, String> {
        self.http.get_or_init(|| crate::base::http::client().map_err(|error| error.to_string())).clone()
    }

    /// The same, following no redirects: for requests with a key in them.
    pub(super) fn direct_http(&self) -> Result<reqwest::Client, String> {
        let make = || crate::base::http::direct_client().map_err(|error| error.to_string());
        self.direct.get_or_init(make).clone()
    }

    /// The agent that `action` asks for and until when a rate limit keeps it asleep, if it does.
    pub(crate) fn asleep(&self, action: &Action) -> Option<(String, Timestamp)> {
        let Action::Agent { agent } = action else { return None };
        let now = self.clock.now();
        if !self.ledger.any_asleep(now) {
            return None;
        }
        let name = match agent {
            Some(name) => name.clone(),
            None => Settings::load(&self.root).0.agent(None).ok().flatten()?.name,
        };
        let until = self.ledger.asleep(&name, now)?;
        Some((name, until))
    }

    /// A redactor that also knows what the operator's settings name and give away.
    fn redactor(&self, keys: &[String]) -> Redactor {
        self.environment.redactor_of(&Settings::load(&self.root).0, keys)
    }
}

/// What a run says.
#[derive(Debug)]
pub(crate) enum RunNotice {
    /// Output, a sign of life, or a step of the stop ladder.
    Batch(Batch),
    /// It is over; its folder is written, its ticket is not.
    Over(Box<Outcome>),
}

/// A run that was launched.
#[derive(Debug)]
pub(crate) struct Launched {
    /// Folder name; the run's id.
    pub(crate) id: Arc<str>,
    /// What is run, in one line, redacted.
    pub(crate) label: String,
    /// Kind word of what runs it.
    pub(crate) executor: String,
    /// Start.
    pub(crate) started_at: Timestamp,
    /// Stops it.
    pub(crate) stopper: Stopper,
    /// The job that it occupies, or not while it sleeps.
    pub(crate) slot: JobSlot,
    /// Says something to its agent, if one works.
    pub(crate) steer: Option<mpsc::UnboundedSender<Steer>>,
    /// Ends right after [`RunNotice::Over`].
    pub(crate) task: JoinHandle<()>,
}

/// Launches `order` for `ticket` on the current runtime; `sink` is called on the run's task and must not block.
pub(crate) fn launch(
    ground: &Arc<Ground>,
    ticket: &Arc<Ticket>,
    order: Order,
    sink: impl Fn(&Arc<str>, RunNotice) + Send + Sync + 'static,
) -> Launched {
    let started_at = ground.clock.now();
    let keys = ticket.inputs.env_keys.clone();
    let redactor = ground.redactor(&keys);
    let label = redactor.clean(&order.action.label()).into_owned();
    let (stopper, watch) = stop_pair();
    let folder = RunFolder::create(&ground.runs, &ticket.id, started_at);
    let id: Arc<str> = match &folder {
        Ok(folder) => folder.name().into(),
        Err(_) => format!("{}-{}-unkept", ticket.id, started_at.strftime("%Y%m%dT%H%M%SZ")).into(),
    };
    let record = RunRecord {
        format: FORMAT,
        run: id.to_string(),
        ticket: ticket.id.clone(),
        executor: executor_word(ticket, &order.action),
        label: label.clone(),
        holder: ground.holder.to_string(),
        supervisor: ProcessIdentity::own(),
        child: None,
        started_at,
        state: RecordState::Running,
        ended_at: None,
        exit_code: None,
        message: None,
        agent: None,
        spent: None,
    };
    let executor = record.executor.clone();
    let (steer, heard) = mpsc::unbounded_channel();
    let steer = matches!(order.action, Action::Agent { .. }).then_some(steer);
    let ticket = Arc::clone(ticket);
    let slot = JobSlot::default();
    let run = Run { ground: Arc::clone(ground), ticket, keys, order, record, redactor, slot: slot.clone() };
    let task = tokio::spawn(run.work(folder, watch, heard, Arc::clone(&id), sink));
    Launched { id, label, executor, started_at, stopper, slot, steer, task }
}

/// What a run shows as its kind: an agent's is an agent's, whatever the ticket says.
fn executor_word(ticket: &Ticket, action: &Action) -> String {
    match action {
        Action::Agent { .. } => "agent".to_owned(),
        _ => ticket.executor.kind.word().to_owned(),
    }
}

/// One run before it works.
struct Run {
    ground: Arc<Ground>,
    ticket: Arc<Ticket>,
    keys: Vec<String>,
    order: Order,
    record: RunRecord,
    redactor: Redactor,
    slot: JobSlot,
}

impl Run {
    async fn work(
        self,
        folder: std::io::Result<RunFolder>,
        watch: StopWatch,
        heard: mpsc::UnboundedReceiver<Steer>,
        id: Arc<str>,
        sink: impl Fn(&Arc<str>, RunNotice) + Send + Sync + 'static,
    ) {
        let feed = Feed::default();
        let outcome = {
            let pump = feed.pump(|batch| sink(&id, RunNotice::Batch(batch)));
            tokio::select! {
                outcome = self.perform(&folder, watch, heard, feed.clone()) => outcome,
                () = pump => Outcome::not_started("the run's feed ended"),
            }
        };
        if let Some(rest) = feed.take() {
            sink(&id, RunNotice::Batch(rest));
        }
        if let Ok(folder) = &folder {
            self.settle(folder, &outcome);
        }
        sink(&id, RunNotice::Over(Box::new(outcome)));
    }

    /// Does the work. Whatever is wrong before the start is an outcome too: the ticket is held and must be let go.
    async fn perform(
        &self,
        folder: &std::io::Result<RunFolder>,
        watch: StopWatch,
        heard: mpsc::UnboundedReceiver<Steer>,
        feed: Feed,
    ) -> Outcome {
        let folder = match folder {
            Ok(folder) => folder,
            Err(error) => {
                let runs = self.ground.runs.display();
                return Outcome::not_started(format!("making a run folder in {runs} failed: {error}"));
            }
        };
        let keeper = Keeper::new(folder.clone(), self.record.clone());
        if let Err(error) = keeper.write() {
            let path = folder.path().display();
            return Outcome::not_started(format!("writing the run's record in {path} failed: {error}"));
        }
        let missing = self.ground.environment.missing(&self.keys);
        if !missing.is_empty() {
            return Outcome::not_started(format!(
                "environment variables that the ticket needs are not set: {}",
                missing.join(", ")
            ));
        }
        let transcript = TranscriptWriter::new(folder.transcript(), folder.name());
        let listener = self.listener(folder, &feed, &keeper);
        let mut recorder = Recorder::new(self.redactor.clone(), Some(transcript), Box::new(listener));
        match &self.order.action {
            Action::Shell { command, timeout } => {
                self.shell(command, *timeout, folder.name(), watch, &mut recorder).await
            }
            Action::Api(request) => match self.ground.http() {
                Ok(client) => api::run(request, &client, watch, recorder).await,
                Err(error) => Outcome::not_started(error),
            },
            Action::Llm(request) => {
                let run = folder.name().into();
                llm::run(&self.ground, &run, &self.ticket, request, watch, recorder).await
            }
            Action::Mcp(request) => {
                mcp::run(&self.ground, &self.ticket, request, folder.name(), watch, recorder).await
            }
            Action::Agent { agent } => {
                let agent = agent.as_deref();
                self.agent(agent, folder, &feed, &keeper).perform(watch, heard, recorder).await
            }
            Action::Human { .. } | Action::Missing { .. } | Action::Unsupported { .. } => {
                Outcome::not_started(format!("there is nothing to execute: {}", self.order.action.label()))
            }
        }
    }

    fn agent<'a>(
        &'a self,
        agent: Option<&'a str>,
        folder: &'a RunFolder,
        feed: &'a Feed,
        keeper: &'a Keeper,
    ) -> AgentRun<'a> {
        AgentRun {
            ground: &self.ground,
            ticket: &self.ticket,
            agent,
            note: self.order.note.as_deref(),
            review: &self.order.review,
            folder,
            feed,
            keeper,
            slot: &self.slot,
        }
    }

    fn listener(&self, folder: &RunFolder, feed: &Feed, keeper: &Keeper) -> RecordingListener {
        let chat = matches!(self.order.action, Action::Llm(_));
        let chat = chat.then(|| (Arc::clone(&self.ground), Arc::from(folder.name())));
        RecordingListener { feed: feed.clone(), keeper: keeper.clone(), chat }
    }

    /// Runs the command of a shell ticket, and judges it.
    async fn shell(
        &self,
        command: &str,
        timeout: Duration,
        run: &str,
        watch: StopWatch,
        recorder: &mut Recorder,
    ) -> Outcome {
        let (settings, _) = Settings::load(&self.ground.root);
        let given = self.ground.environment.for_child(&Wanted {
            recipient: Recipient::Command,
            allowed: &settings.environment,
            keys: &self.keys,
            own: &[],
            extra: &[("KORU_TICKET", self.ticket.id.as_str()), ("KORU_RUN", run)],
        });
        let withheld = given.note();
        let job = ShellJob {
            command: command.to_owned(),
            folder: self.ground.root.clone(),
            env: given.vars,
            fence: Fence::default(),
            timeout,
            grace: self.ground.grace,
        };
        let before = proof::look_before(&self.ground, &self.ticket).await;
        let outcome = shell::run_with(&job, watch.clone(), recorder).await;
        // Worth a word only to somebody who wonders why it failed.
        if let (Ending::Failed | Ending::TimedOut, Some(note)) = (outcome.ending, &withheld) {
            recorder.note(&format!("[{note}]"));
        }
        let (ground, ticket) = (&self.ground, &self.ticket);
        proof::judge(ground, ticket, job.env, before, outcome, watch, recorder).await
    }

    /// Records the end in the folder. Failing to is only worth a log line: the ticket is what counts.
    fn settle(&self, folder: &RunFolder, outcome: &Outcome) {
        let mut record = folder.read_record().unwrap_or_else(|| self.record.clone());
        record.state = match outcome.ending {
            Ending::Succeeded => RecordState::Done,
            Ending::Failed | Ending::TimedOut => RecordState::Failed,
            Ending::Stopped => RecordState::Stopped,
            Ending::Waiting => RecordState::Waiting,
            Ending::Violation => RecordState::Violation,
        };
        record.ended_at = Some(self.ground.clock.now());
        record.exit_code = Some(shown_code(outcome));
        record.message = (!outcome.succeeded()).then(|| outcome.error_text());
        let written = folder.write_result(&outcome.result_json()).and_then(|()| folder.write_record(&record));
        if let Err(error) = written {
            tracing::warn!(run = folder.name(), %error, "the end of a run cannot be recorded in its folder");
        }
    }
}

/// The number that a screen shows for an outcome: the HTTP status if there was one, else the exit code.
pub(crate) fn shown_code(outcome: &Outcome) -> i32 {
    outcome.status_code.map_or(outcome.exit_code, i32::from)
}
