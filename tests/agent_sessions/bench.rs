#![allow(unreachable_pub, dead_code)]
//! A throw-away worktree, an agent in it, and an ear on what it says.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use koru_tui::base::redact::Redactor;
use koru_tui::execute::agents::kind::AgentKind;
use koru_tui::execute::agents::session::{self, AgentJob, AgentReport, Limits, Steer};
use koru_tui::execute::agents::tally::Tally;
use koru_tui::execute::fence::Fence;
use koru_tui::execute::output::{Channel, OutputLine};
use koru_tui::execute::recorder::{Listener, Recorder};
use koru_tui::execute::stop::{Stopper, stop_pair};
use koru_tui::plan::settings::AgentSettings;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::support::leftover;

/// Longer than anything here takes.
pub const LONG: Duration = Duration::from_secs(40);

/// A folder that is gone, with everybody in it, at the end of the test.
pub struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix(leftover::PREFIX).tempdir().unwrap();
        for name in ["worktree", "notes", "scratch", "checkout", "outside"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        std::fs::write(folder.path().join("worktree/hello.txt"), "Hello, wrld!\n").unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Who lives and belongs to this folder.
    pub fn left(&self) -> Vec<leftover::Found> {
        leftover::of_folder(self.folder.path())
    }

    /// A job for `misbehave BEHAVIOUR`: a custom agent that speaks Claude Code's stream.
    pub fn misbehaving(&self, behaviour: &str) -> AgentJob {
        let mut job = self.job(AgentKind::Custom);
        job.settings.args = vec![fixture("misbehave"), behaviour.to_owned()];
        job.settings.stream = Some("claude".to_owned());
        job
    }

    /// A job for `converse … BEHAVIOUR` in place of the program of `kind`.
    pub fn conversing(&self, kind: AgentKind, behaviour: &str) -> AgentJob {
        let mut job = self.job(kind);
        job.settings.program = Some(fixture("converse"));
        job.settings.args = vec![behaviour.to_owned()];
        job
    }

    fn job(&self, kind: AgentKind) -> AgentJob {
        let path = std::env::var_os("PATH").unwrap();
        let mut settings = AgentSettings::default();
        for (name, folder) in [("NOTES", "notes"), ("CHECKOUT", "checkout"), ("OUTSIDE", "outside")] {
            settings.env.insert(name.to_owned(), self.path(folder).to_str().unwrap().to_owned());
        }
        AgentJob {
            kind,
            settings,
            prompt: "Fix the greeting.".to_owned(),
            folder: self.path("worktree"),
            env: vec![("PATH".into(), path), ("HOME".into(), self.path("notes").into())],
            files: Vec::new(),
            resume: None,
            before: None,
            schema: None,
            scratch: self.path("scratch"),
            limits: Limits {
                timeout: LONG,
                silence: None,
                tokens: None,
                usd: None,
                grace: Duration::from_millis(400),
            },
            fence: Fence::default(),
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        leftover::end(self.folder.path());
    }
}

/// The path of a scripted agent.
pub fn fixture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/agents")
        .join(name)
        .to_str()
        .unwrap()
        .to_owned()
}

struct Ear {
    lines: mpsc::UnboundedSender<OutputLine>,
    partial: mpsc::UnboundedSender<String>,
    tally: Arc<Mutex<Tally>>,
}

impl Listener for Ear {
    fn lines(&mut self, _first: u64, lines: Vec<OutputLine>) {
        for line in lines {
            let _ = self.lines.send(line);
        }
    }

    fn partial(&mut self, partial: Option<(Channel, String)>) {
        if let Some((_, text)) = partial {
            let _ = self.partial.send(text);
        }
    }

    fn tally(&mut self, tally: &Tally) {
        *self.tally.lock().unwrap() = tally.clone();
    }
}

/// A session that runs.
pub struct Session {
    pub stopper: Stopper,
    pub steer: mpsc::UnboundedSender<Steer>,
    /// Lines that are being written, as they come.
    pub partial: mpsc::UnboundedReceiver<String>,
    pub tally: Arc<Mutex<Tally>>,
    lines: mpsc::UnboundedReceiver<OutputLine>,
    heard: Vec<(Channel, String)>,
    task: JoinHandle<AgentReport>,
}

/// Starts a session.
pub fn start(job: AgentJob) -> Session {
    let (stopper, watch) = stop_pair();
    let (steer, steered) = mpsc::unbounded_channel();
    let (sender, lines) = mpsc::unbounded_channel();
    let (partial_sender, partial) = mpsc::unbounded_channel();
    let tally = Arc::default();
    let ear = Ear { lines: sender, partial: partial_sender, tally: Arc::clone(&tally) };
    let redactor = Redactor::with_values(["hunter22".to_owned()]);
    let mut recorder = Recorder::new(redactor, None, Box::new(ear));
    let task = tokio::spawn(async move { session::run(job, watch, steered, &mut recorder).await });
    Session { stopper, steer, partial, tally, lines, heard: Vec::new(), task }
}

impl Session {
    /// Waits for a line of `channel` that holds `text`.
    pub async fn hears(&mut self, channel: Channel, text: &str) {
        let found = async {
            while let Some(line) = self.lines.recv().await {
                let found = line.channel == channel && line.text.contains(text);
                self.heard.push((line.channel, line.text.into()));
                if found {
                    return;
                }
            }
            panic!("the session ended without {channel:?} {text:?}: {:#?}", self.heard);
        };
        tokio::time::timeout(LONG, found).await.unwrap_or_else(|_| panic!("waited for {text:?}"));
    }

    pub fn say(&self, text: &str) {
        self.steer.send(Steer::Say(text.to_owned())).unwrap();
    }

    /// Waits for its end; gives the report and all lines of `channels`.
    pub async fn end(mut self, channels: &[Channel]) -> (AgentReport, Vec<String>) {
        let report = tokio::time::timeout(LONG, &mut self.task).await.unwrap().unwrap();
        while let Ok(line) = self.lines.try_recv() {
            self.heard.push((line.channel, line.text.into()));
        }
        let wanted = self.heard.into_iter().filter(|(channel, _)| channels.contains(channel));
        (report, wanted.map(|(_, text)| text).collect())
    }

    /// Ends the session's task, as the death of the runtime would.
    pub async fn abort(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}
