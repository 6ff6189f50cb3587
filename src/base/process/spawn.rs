//! Starting a child, from the one thread that may.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, mpsc};

use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::adoption::{Adoption, leaders};
use super::{Confinement, Group, ProcessIdentity, Tree};
use crate::base::sys;

/// Set in the environment of every child that we spawn, to a value of its own.
pub const MARKER: &str = "KORU_TUI_SPAWN";

/// Why a child did not start.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// The folder to start in is not there.
    #[error(
        "starting {program} failed: its folder {folder} does not exist; create it or change where the ticket runs"
    )]
    NoFolder {
        /// Program.
        program: String,
        /// Folder.
        folder: PathBuf,
    },
    /// There is no such program.
    #[error("starting {program} failed: it was not found; install it or correct the path")]
    NotFound {
        /// Program.
        program: String,
    },
    /// The system refused.
    #[error("starting {program} failed: {source}")]
    Io {
        /// Program.
        program: String,
        /// Why.
        source: io::Error,
    },
}

/// What to run. The environment starts empty.
#[derive(Debug)]
pub struct Program {
    name: OsString,
    arguments: Vec<OsString>,
    folder: PathBuf,
    variables: Vec<(OsString, OsString)>,
    input: Input,
    confinement: Option<Confinement>,
}

/// What a child reads on its standard input.
#[derive(Debug)]
enum Input {
    /// The null device.
    Nothing,
    /// These bytes, then end of file.
    Bytes(Vec<u8>),
    /// Whatever is written to [`Running::take_input`], until that is dropped.
    Open,
}

impl Program {
    /// A program by path or name, started in `folder`, its input empty.
    pub fn new(name: impl Into<OsString>, folder: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            arguments: Vec::new(),
            folder: folder.into(),
            variables: Vec::new(),
            input: Input::Nothing,
            confinement: None,
        }
    }

    /// `/bin/sh -c <script>`.
    pub fn shell(script: &str, folder: impl Into<PathBuf>) -> Self {
        Self::new("/bin/sh", folder).args(["-c", script])
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Adds variables; a later one of the same name wins.
    #[must_use]
    pub fn env(
        mut self,
        variables: impl IntoIterator<Item = (impl Into<OsString>, impl Into<OsString>)>,
    ) -> Self {
        self.variables.extend(variables.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// What it reads on its standard input, then end of file. Empty means the null device.
    #[must_use]
    pub fn input(mut self, bytes: Vec<u8>) -> Self {
        self.input = if bytes.is_empty() { Input::Nothing } else { Input::Bytes(bytes) };
        self
    }

    /// Keeps its standard input open: see [`Running::take_input`].
    #[must_use]
    pub fn open_input(mut self) -> Self {
        self.input = Input::Open;
        self
    }

    /// Starts it behind the kernel's write fence, with everything that it will start. It does not start at all when it
    /// cannot enter.
    #[must_use]
    pub fn confine(mut self, confinement: Confinement) -> Self {
        self.confinement = Some(confinement);
        self
    }

    /// Starts it on the current tokio runtime, standard output and error as pipes.
    ///
    /// # Errors
    /// See [`SpawnError`].
    pub async fn spawn(self) -> Result<Running, SpawnError> {
        let program = self.name.to_string_lossy().into_owned();
        let folder = self.folder.clone();
        let io = |source| SpawnError::Io { program: program.clone(), source };
        let marker = next_marker();
        let adoption = self.confinement.is_some().then(Adoption::begin);
        let (command, input) = self.command(&marker);
        let (answer, answered) = oneshot::channel();
        let request = Request { command, runtime: Handle::current(), answer };
        spawner()
            .map_err(io)?
            .send(request)
            .map_err(|_| io(io::Error::other("the spawning thread ended")))?;
        let spawned = match answered.await {
            Ok(spawned) => spawned,
            Err(_) => Err(io::Error::other("the spawning thread ended")),
        };
        let mut child = spawned.map_err(|source| match source.kind() {
            io::ErrorKind::NotFound if !folder.is_dir() => {
                SpawnError::NoFolder { program: program.clone(), folder }
            }
            io::ErrorKind::NotFound => SpawnError::NotFound { program: program.clone() },
            _ => SpawnError::Io { program: program.clone(), source },
        })?;
        if let Input::Bytes(input) = input
            && let Some(mut stdin) = child.stdin.take()
        {
            tokio::spawn(async move {
                // A child that does not read what it is given is its own affair.
                let _ = stdin.write_all(&input).await;
            });
        }
        // The child is not reaped before `wait`, so its number is its own until then.
        let pid = child.id().ok_or_else(|| io(io::Error::other("the child has no process id")))?;
        let identity = ProcessIdentity::of(pid).map(|own| ProcessIdentity { marker: Some(marker), ..own });
        if let (Some(adoption), Some(identity)) = (&adoption, &identity) {
            adoption.started(identity.start_ticks);
        }
        let group = Group::of_child(pid, identity.as_ref());
        Ok(Running { group, child, identity, adoption, reaped: false })
    }

    fn command(self, marker: &str) -> (Command, Input) {
        let mut command = Command::new(self.name);
        command
            .args(self.arguments)
            .current_dir(self.folder)
            .env_clear()
            .envs(self.variables)
            .env(MARKER, marker)
            .stdin(if matches!(self.input, Input::Nothing) { Stdio::null() } else { Stdio::piped() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        sys::lead_session_and_die_with_parent(&mut command);
        #[cfg(target_os = "linux")]
        if let Some(confinement) = self.confinement {
            sys::enter_landlock(&mut command, confinement.rules);
        }
        (command, self.input)
    }
}

/// A started child. Dropping it before [`Running::wait`] has returned kills its whole group.
#[derive(Debug)]
pub struct Running {
    child: Child,
    group: Group,
    identity: Option<ProcessIdentity>,
    adoption: Option<Arc<Adoption>>,
    reaped: bool,
}

impl Running {
    /// Who it is, to be written down before anything else; `None` on a machine without `/proc`.
    pub fn identity(&self) -> Option<&ProcessIdentity> {
        self.identity.as_ref()
    }

    /// It and what it started.
    pub fn group(&self) -> Group {
        self.group.clone()
    }

    /// It and everybody that descends from it.
    pub fn tree(&self) -> Tree {
        let marker = self.identity.as_ref().and_then(|identity| identity.marker.clone());
        let since = self.identity.as_ref().map_or(0, |identity| identity.start_ticks);
        Tree::new(self.group(), marker, since, self.adoption.clone())
    }

    /// Its standard input, if it was kept open; dropping it is end of file. The second call gets `None`.
    pub fn take_input(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Its standard output and error; the second call gets `None`.
    pub fn take_output(&mut self) -> Option<(ChildStdout, ChildStderr)> {
        self.child.stdout.take().zip(self.child.stderr.take())
    }

    /// Waits for the leader only: others of the group may live on and hold the pipes, see [`super::PIPE_GRACE`].
    /// Cancel-safe.
    ///
    /// # Errors
    /// Any I/O error of waiting.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        if !self.reaped {
            self.reaped = true;
            leaders().remove(&self.group.leader());
        }
        Ok(status)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.reaped {
            self.group.kill_now();
        }
    }
}

struct Request {
    command: Command,
    runtime: Handle,
    answer: oneshot::Sender<io::Result<Child>>,
}

/// The thread that spawns: it lives as long as the process, since a child dies with the thread that spawned it.
fn spawner() -> io::Result<&'static mpsc::Sender<Request>> {
    static SPAWNER: OnceLock<mpsc::Sender<Request>> = OnceLock::new();
    if let Some(sender) = SPAWNER.get() {
        return Ok(sender);
    }
    let (sender, requests) = mpsc::channel::<Request>();
    std::thread::Builder::new().name("spawner".to_owned()).spawn(move || {
        for mut request in requests {
            let entered = request.runtime.enter();
            let mut known = leaders();
            let spawned = request.command.spawn();
            known.extend(spawned.as_ref().ok().and_then(Child::id));
            drop(known);
            if let Err(Ok(orphan)) = request.answer.send(spawned) {
                // Nobody waits any more: it must not run unseen.
                if let Some(pid) = orphan.id() {
                    Group::of_child(pid, None).kill_now();
                }
            }
            drop(entered);
        }
    })?;
    // A second thread that lost the race ends at once: its channel is dropped here.
    Ok(SPAWNER.get_or_init(|| sender))
}

/// Unique among all processes of this boot: our own identity and a count.
fn next_marker() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    static OWN: OnceLock<(u32, u64)> = OnceLock::new();
    let (pid, ticks) = OWN.get_or_init(|| {
        ProcessIdentity::own().map_or((std::process::id(), 0), |own| (own.pid, own.start_ticks))
    });
    format!("{pid}-{ticks}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}
