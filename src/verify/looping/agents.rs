//! Starting an agent and hearing how it ended. loop-kit's three are called as it calls them; any other agent is one of the
//! project's configuration, called as the house calls it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::argv::{command_line, known_backend, other_places};
use super::attempts::AgentEnd;
use super::display::Display;
use super::{Driver, Said};
use crate::base::process::{Group, ProcessIdentity};
use crate::base::redact::Redactor;
use crate::base::regular::{self, Links};
use crate::execute::agents::backend::{OWN_FOLDER, detect};
use crate::execute::agents::kind::AgentKind;
use crate::execute::agents::session::{self, AgentEnding, AgentJob, AgentReport, Limits};
use crate::execute::environment::Environment;
use crate::execute::fence::Fence;
use crate::execute::output::OutputLine;
use crate::execute::raw_stream::RawReader;
use crate::execute::recorder::{Listener, Recorder};
use crate::plan::settings::{AgentSettings, Settings};
use crate::verify::bus::{Bus, Level, LoopState, Role, stamp};

/// TERM to KILL.
const GRACE: Duration = Duration::from_secs(3);

/// Stands for no limit.
const NEVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Lines of the raw stream that are read at once.
const WINDOW: u32 = 200;

/// Bytes of an agent's stream that its log keeps.
const LOGGED: u64 = 2 * 1024 * 1024;

/// Words on standard error that make another try useless (loop-kit §10).
const PERMANENT: [&str; 5] =
    ["not found", "authentication", "unauthorized", "invalid api key", "permission denied"];

/// Words that mean that a conversation is not known.
const LOST: [&str; 5] =
    ["no conversation found", "session not found", "invalid session", "no rollout found", "unknown session"];

impl Driver {
    /// Starts the role's agent and waits for its end; `None` when somebody stopped it.
    pub(super) async fn dispatch(
        &mut self,
        role: Role,
        round: u32,
        attempt: u32,
        resume: Option<String>,
        state: &LoopState,
    ) -> Option<AgentEnd> {
        let backend = self.plan.rules.backends[usize::from(role == Role::Reviewer)].clone();
        let scratch = match self.scratch(role, round, attempt) {
            Ok(scratch) => scratch,
            Err(why) => return Some(failed(why)),
        };
        let prompt = self.prompt(role, round, state);
        let (job, session) = match self.job(&backend, prompt, resume.clone(), &scratch) {
            Ok(job) => job,
            Err(why) => return Some(failed(why)),
        };
        let shown = shown(&job);
        let stream = job.settings.stream.clone().unwrap_or_else(|| job.kind.word().to_owned());
        let listener = Watcher {
            reader: RawReader::new(&scratch.join("stream.jsonl")),
            at: 0,
            display: Display::new(&stream, self.plan.verbose),
            role,
            said: self.said.clone(),
            bus: self.bus.clone(),
        };
        let mut recorder = Recorder::new(Redactor::default(), None, Box::new(listener));
        let (_steer, heard) = unbounded_channel();
        let report = session::run(job, self.stop.clone(), heard, &mut recorder).await;
        // A note that stays names a process that is gone.
        let _ = self.bus.forget_child(role);
        let end = self.named(&report, role, resume.is_some(), session);
        self.log(role, attempt, &shown, &report, &scratch);
        // It holds nothing but what the log has now.
        let _ = std::fs::remove_dir_all(&scratch);
        end
    }

    fn scratch(&self, role: Role, round: u32, attempt: u32) -> Result<PathBuf, String> {
        let name = format!("{}-r{round}-{attempt}-{}", role.word(), std::process::id());
        let folder = self.bus.make_folder(&["runtime", &name]).map_err(|error| error.to_string())?;
        self.bus.make_folder(&["runtime", &name, OWN_FOLDER]).map_err(|error| error.to_string())?;
        Ok(folder)
    }

    /// What to start, and the conversation when it is known before.
    fn job(
        &self,
        backend: &str,
        prompt: String,
        resume: Option<String>,
        scratch: &Path,
    ) -> Result<(AgentJob, Option<String>), String> {
        let all = Environment::of_process().all();
        let root = &self.plan.root;
        let (kind, settings, session) = if known_backend(backend) {
            let line = command_line(backend, root, resume.as_deref());
            let settings = AgentSettings {
                program: Some(found(backend, &all)?),
                args: line.arguments,
                stream: Some(backend.to_owned()),
                ..AgentSettings::default()
            };
            (AgentKind::Custom, settings, line.session)
        } else {
            let (settings, _) = Settings::load(root);
            let choice = settings.agent(Some(backend)).map_err(|error| error.to_string())?;
            let choice = choice.ok_or_else(|| format!("there is no agent `{backend}`"))?;
            let kind = AgentKind::parse(&choice.kind)
                .ok_or_else(|| format!("no agent is called {}", choice.kind))?;
            (kind, choice.settings, None)
        };
        let limits = Limits {
            timeout: self.plan.dispatch_timeout.unwrap_or(NEVER),
            silence: None,
            tokens: None,
            usd: None,
            grace: GRACE,
        };
        let job = AgentJob {
            kind,
            settings,
            prompt,
            folder: root.clone(),
            env: all,
            files: Vec::new(),
            resume,
            before: None,
            schema: None,
            scratch: scratch.to_owned(),
            limits,
            fence: Fence::default(),
        };
        Ok((job, session))
    }

    /// What its end means here; `None` when somebody stopped it.
    fn named(
        &self,
        report: &AgentReport,
        role: Role,
        resumed: bool,
        session: Option<String>,
    ) -> Option<AgentEnd> {
        let outcome = &report.outcome;
        let session = session.or_else(|| report.tally.conversation.clone());
        let stderr = outcome.stderr.last(4096).to_owned();
        Some(match &report.ending {
            AgentEnding::Stopped | AgentEnding::Paused => return None,
            AgentEnding::Limit { which } if which == "time" => {
                AgentEnd::TimedOut { limit: self.plan.dispatch_timeout.unwrap_or(NEVER) }
            }
            AgentEnding::Missing => {
                let why = outcome.reason.clone().unwrap_or_default();
                AgentEnd::Failed { why, permanent: true, session_lost: false }
            }
            _ if outcome.exit_code == 0 && outcome.signal.is_none() => AgentEnd::Exited { session },
            ending => {
                let low = stderr.to_lowercase();
                let has = |words: &[&str]| words.iter().any(|word| low.contains(word));
                let session_lost = resumed && has(&LOST);
                let login = matches!(ending, AgentEnding::NotLoggedIn);
                let permanent = login || matches!(ending, AgentEnding::WrongVersion) || has(&PERMANENT);
                let last = stderr.lines().rev().map(str::trim).find(|line| !line.is_empty());
                let why = last.or(outcome.reason.as_deref()).unwrap_or("it failed");
                let code = outcome.exit_code;
                let hint = hint(&low, login, role);
                AgentEnd::Failed { why: format!("exit code {code}: {why}{hint}"), permanent, session_lost }
            }
        })
    }

    fn log(&self, role: Role, attempt: u32, shown: &str, report: &AgentReport, scratch: &Path) {
        use std::io::Read;
        let now = jiff::Timestamp::now();
        let mut stdout = Vec::new();
        if let Ok((file, _)) = regular::open(&scratch.join("stream.jsonl"), Links::Refused) {
            // What was not kept is only missing in the log.
            let _ = file.take(LOGGED).read_to_end(&mut stdout);
        }
        let code = report.outcome.exit_code;
        let session = report.tally.conversation.as_deref().unwrap_or("-");
        let entry = format!(
            "[{}] role={} attempt={attempt} returncode={code}\nsession_id={session}\ncmd={shown}\nstdout:\n{}stderr:\n{}\n{}\n",
            stamp(now),
            role.word(),
            String::from_utf8_lossy(&stdout),
            report.outcome.stderr.last(64 * 1024).trim_end(),
            "-".repeat(60)
        );
        self.bus.tell_dispatch(role, &entry);
        let data = serde_json::json!({
            "role": role.word(), "mode": "native", "returncode": code, "attempt": attempt,
            "max_attempts": self.plan.rules.retries + 1, "session_id": report.tally.conversation,
            "stdout_len": stdout.len(), "task_id": self.card.task_id,
        });
        self.bus.tell(now, Level::Info, "dispatch_summary", data);
    }
}

/// Stops what a loop that was killed left of its agents: two would work in one tree. Needs the lock of the bus.
pub(super) async fn stop_orphans(bus: &Bus, said: &UnboundedSender<Said>) {
    for role in Role::BOTH {
        let Some(child) = bus.noted_child(role) else { continue };
        let group = Group::of_orphan(&child);
        // Reads all of /proc, before anything else runs here.
        if !group.members().is_empty() {
            let left = group.stop(GRACE, std::future::pending()).await.left;
            let text = match left.is_empty() {
                true => format!("the {} of a loop that was killed still ran; it was stopped", role.word()),
                false => format!("the {} of a loop that was killed cannot be stopped: {left:?}", role.word()),
            };
            let _ = said.send(Said::Note(Level::Warning, text));
        }
        let _ = bus.forget_child(role);
    }
}

fn failed(why: String) -> AgentEnd {
    AgentEnd::Failed { why, permanent: true, session_lost: false }
}

/// What helps.
fn hint(stderr: &str, login: bool, role: Role) -> &'static str {
    let login = login
        || ["authentication", "unauthorized", "invalid api key"].iter().any(|word| stderr.contains(word));
    match (login, role) {
        (true, _) => "; check the login of the agent (run it once by hand and log in)",
        (false, _) if stderr.contains("not found") => "; check that the agent is installed and on the PATH",
        (false, Role::Worker) => "; logs/worker_dispatch.log has all of it",
        (false, Role::Reviewer) => "; logs/reviewer_dispatch.log has all of it",
    }
}

/// The program's path: on the `PATH`, else where npm and others put it.
fn found(name: &str, env: &[(OsString, OsString)]) -> Result<String, String> {
    let settings = AgentSettings { program: Some(name.to_owned()), ..AgentSettings::default() };
    let on_path = detect::program(AgentKind::Custom, &settings, env);
    let home = env.iter().rev().find(|(key, _)| key == "HOME").map(|(_, home)| PathBuf::from(home));
    let others = || other_places(home.as_deref(), name).into_iter().find(|path| path.is_file());
    let path = on_path.or_else(others);
    path.map(|path| path.to_string_lossy().into_owned())
        .ok_or_else(|| format!("`{name}` was not found on the PATH; install it, or choose another backend"))
}

fn shown(job: &AgentJob) -> String {
    let program = job.settings.program.clone().unwrap_or_else(|| job.kind.word().to_owned());
    std::iter::once(program).chain(job.settings.args.iter().cloned()).collect::<Vec<_>>().join(" ")
}

/// Shows an agent's stream while it runs.
struct Watcher {
    reader: RawReader,
    at: u64,
    display: Display,
    role: Role,
    said: UnboundedSender<Said>,
    bus: Bus,
}

impl Listener for Watcher {
    fn started(&mut self, leader: Option<ProcessIdentity>) {
        let Some(child) = leader else { return };
        if let Err(error) = self.bus.note_child(self.role, &child) {
            let text = format!("{error}; if this loop is killed, nobody stops the {}", self.role.word());
            let _ = self.said.send(Said::Note(Level::Warning, text));
        }
    }

    fn lines(&mut self, _first: u64, lines: Vec<OutputLine>) {
        for line in lines {
            if let Some(shown) = self.display.transcript(&line) {
                let _ = self.said.send(Said::Agent(self.role, shown));
            }
        }
    }

    fn raw(&mut self, lines: u64) {
        while self.at < lines {
            let Ok(Some((window, _))) = self.reader.try_read(self.at, WINDOW) else { return };
            if window.is_empty() {
                return;
            }
            for line in &window {
                self.at += 1;
                for shown in self.display.line(&line.text) {
                    // Nobody listens any more: the log has it.
                    let _ = self.said.send(Said::Agent(self.role, shown));
                }
            }
        }
    }
}
