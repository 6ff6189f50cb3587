//! The gates, run on exactly the commit that would land: in a worktree of its own at that commit, behind the fence, as
//! they run after an agent's work. The operator's checkout and the ticket's worktree are not touched.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::base::paths::ProjectPaths;
use crate::execute::environment::{Environment, Recipient, Wanted};
use crate::execute::fence::{self, Breach, FenceRequest, Raised};
use crate::execute::folder::{RecordState, RunFolder, RunRecord};
use crate::execute::isolation::{self, Worktree};
use crate::execute::output::OutputLine;
use crate::execute::recorder::{Listener, Recorder};
use crate::execute::scratch_runs;
use crate::execute::stop::StopWatch;
use crate::execute::transcript::TranscriptWriter;
use crate::plan::policy::Policy;
use crate::plan::settings::Settings;
use crate::plan::ticket::Ticket;
use crate::verify::gates::waiver::waiver;
use crate::verify::gates::{self, GateJob, GatePlan, GateReport};

/// TERM to KILL.
const GRACE: Duration = Duration::from_secs(5);

/// Word of worktrees and runs of such checks ([`scratch_runs`]).
const LANDING: &str = "landing";

/// What is run, and who is told about it.
#[derive(Debug)]
pub struct Proving {
    /// Project folder.
    pub root: PathBuf,
    /// Configuration.
    pub settings: Settings,
    /// Environment of the process.
    pub environment: Environment,
    /// The ticket whose work lands: its waiver counts.
    pub ticket: Ticket,
    /// Commit, 40 hexadecimal digits.
    pub commit: String,
    /// Told line by line.
    pub progress: mpsc::UnboundedSender<String>,
}

/// The place that was made for it.
struct Made {
    worktree: Worktree,
    folder: RunFolder,
    record: RunRecord,
    raised: Raised,
    gates: Vec<GatePlan>,
    env: Vec<(std::ffi::OsString, std::ffi::OsString)>,
    timeout: Duration,
}

impl Proving {
    /// Runs the gates at the commit. The transcript stays with the runs; the worktree goes.
    ///
    /// # Errors
    /// A sentence: the place could not be made, or what ran there broke the policy. Nothing was proven then.
    pub async fn run(self, stop: StopWatch) -> Result<GateReport, String> {
        let proving = std::sync::Arc::new(self);
        let making = std::sync::Arc::clone(&proving);
        let made = blocking(move || making.make()).await?;
        let transcript = TranscriptWriter::new(made.folder.transcript(), made.folder.name());
        let redactor = proving.environment.redactor_of(&proving.settings, &[]);
        let listener = Box::new(Telling(proving.progress.clone()));
        let mut recorder = Recorder::new(redactor, Some(transcript), listener);
        let job = GateJob {
            gates: made.gates.clone(),
            folder: made.worktree.work_folder(),
            env: made.env.clone(),
            fence: made.raised.fence.clone(),
            waiver: waiver(&proving.ticket),
            timeout: made.timeout,
            grace: GRACE,
        };
        let report = gates::run(&job, stop, &mut recorder).await;
        drop(recorder);
        let summary = report.summary();
        let breaches = blocking(move || Ok(proving.settle(made, &summary))).await?;
        match breaches.first() {
            Some(breach) => Err(format!("the checks broke the policy: {} ({})", breach.what, breach.rule)),
            None => Ok(report),
        }
    }

    fn make(&self) -> Result<Made, String> {
        let began = Timestamp::now();
        scratch_runs::sweep(&self.root, LANDING);
        let id = scratch_runs::scratch_id(LANDING, &format!("{}-", self.ticket.id));
        let runs = ProjectPaths::new(&self.root).runs();
        let folder = RunFolder::create(&runs, &id, began)
            .map_err(|error| format!("making a run folder in {} failed: {error}", runs.display()))?;
        let prepared = isolation::prepare(&self.root, &id, Some(&self.commit));
        let (worktree, _) = prepared.map_err(|error| error.to_string())?;
        self.raise(&worktree, folder, began).inspect_err(|_| discard(&self.root, &worktree))
    }

    fn raise(&self, worktree: &Worktree, folder: RunFolder, began: Timestamp) -> Result<Made, String> {
        let wanted = Wanted {
            recipient: Recipient::Guest,
            allowed: &self.settings.environment,
            keys: &[],
            own: &[],
            extra: &[("KORU_RUN", folder.name()), ("KORU_TICKET", self.ticket.id.as_str())],
        };
        let env = self.environment.for_child(&wanted).vars;
        let (policy, _) = Policy::load(&self.root);
        let request = FenceRequest {
            worktree,
            policy: &policy,
            run: folder.path(),
            writable: &[],
            env: &env,
            kernel: true,
            looks_only: false,
        };
        let raised = fence::raise(&request).map_err(|error| error.to_string())?;
        let gates = gates::plan(&worktree.work_folder(), &policy, &env);
        let label = format!("checks of what lands, at {}", self.commit.get(..12).unwrap_or_default());
        let record = scratch_runs::begun(LANDING, &folder, &worktree.ticket, label, began);
        // On disk before anything starts: whoever cleans up meanwhile sees that the worktree is in use.
        folder
            .write_record(&record)
            .map_err(|error| format!("writing the record of the run {} failed: {error}", folder.name()))?;
        let timeout = Duration::from_secs(policy.ci_timeout_seconds);
        Ok(Made { worktree: worktree.clone(), folder, record, raised, gates, env, timeout })
    }

    /// Closes the record and takes the worktree away. Gives what the gates broke.
    fn settle(&self, made: Made, summary: &str) -> Vec<Breach> {
        let Made { worktree, folder, record, raised, .. } = made;
        let settled = raised.guard.settle();
        let broke = !settled.breaches.is_empty();
        let record = RunRecord {
            supervisor: None,
            state: if broke { RecordState::Failed } else { RecordState::Done },
            ended_at: Some(Timestamp::now()),
            message: Some(summary.to_owned()),
            ..record
        };
        if let Err(error) = folder.write_record(&record) {
            tracing::warn!(%error, "the record of checks cannot be written");
        }
        discard(&self.root, &worktree);
        settled.breaches
    }
}

fn discard(root: &Path, worktree: &Worktree) {
    if let Err(error) = isolation::discard(root, worktree) {
        tracing::warn!(%error, "the worktree that checks ran in stays");
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(error.to_string()))
}

/// Passes on what the gates say.
struct Telling(mpsc::UnboundedSender<String>);

impl Listener for Telling {
    fn lines(&mut self, _first: u64, lines: Vec<OutputLine>) {
        for line in lines {
            // Whoever does not listen any more does not want to know.
            let _ = self.0.send(line.text.into());
        }
    }
}
