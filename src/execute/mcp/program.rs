//! A server that is a program of ours for the length of one call: its start, what it says on standard error, its end.
//!
//! It leads a process group of its own, dies with us, and leaves nobody behind: first its input is closed, which ends a
//! server that behaves; then TERM to the group, grace, KILL to the group.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::notifications::Said;
use super::stdio::StdioTransport;
use crate::base::process::{PIPE_GRACE, Program, Running};
use crate::execute::group::Watched;
use crate::execute::output::Channel;
use crate::execute::recorder::Recorder;
use crate::execute::stop::{Stop, StopWatch};

/// How long a server may take to end by itself once its input is closed.
const LEAVE: Duration = Duration::from_secs(1);
/// How long a killed group may take to disappear.
const KILL_WAIT: Duration = Duration::from_secs(5);
/// Between two looks whether a group is gone; only while it is being ended.
const GONE_POLL: Duration = Duration::from_millis(20);
/// Bytes read at once from standard error.
const READ_AT_ONCE: usize = 16 * 1024;

/// A server that was started.
pub(super) struct Server {
    child: Running,
    group: Watched,
    errors: Option<ChildStderr>,
    buffer: Vec<u8>,
    status: Option<ExitStatus>,
    grace: Duration,
    /// We sent it a signal, so how it ended says nothing.
    signalled: bool,
}

/// Something that the program did.
pub(super) enum Event {
    /// So many bytes of standard error are in the buffer.
    Errors(usize),
    /// It closed its standard error.
    Silent,
    /// Its leader ended.
    Ended,
}

/// How a server is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Push {
    /// Its input was closed.
    Leave,
    /// TERM.
    Ask,
    /// KILL.
    Kill,
}

impl Server {
    /// Starts the program `command`, and the conversation's wire to it.
    ///
    /// # Errors
    /// A sentence for the ticket.
    pub(super) async fn start(
        command: &[String],
        env: Vec<(OsString, OsString)>,
        folder: &Path,
        grace: Duration,
        said: mpsc::Sender<Said>,
    ) -> Result<(Server, StdioTransport<ChildStdout, ChildStdin>), String> {
        let Some((name, arguments)) = command.split_first() else {
            return Err("its `command` is empty".to_owned());
        };
        let program = Program::new(name, folder).args(arguments).env(env).open_input();
        let mut child = program.spawn().await.map_err(|error| error.to_string())?;
        let group = Watched::new(child.group());
        let (Some(input), Some((output, errors))) = (child.take_input(), child.take_output()) else {
            return Err(format!("starting {name} failed: it has no pipes"));
        };
        let server = Server {
            child,
            group,
            errors: Some(errors),
            buffer: vec![0; READ_AT_ONCE],
            status: None,
            grace,
            signalled: false,
        };
        Ok((server, StdioTransport::new(output, input, said)))
    }

    /// Who it is, for the run's record.
    pub(super) fn started(&self, recorder: &mut Recorder) {
        recorder.started(self.child.identity().cloned());
    }

    /// The next thing that it does; waits for ever when there is nothing more. Cancel-safe.
    pub(super) async fn event(&mut self) -> Event {
        let errors = async {
            match &mut self.errors {
                Some(errors) => errors.read(&mut self.buffer).await.unwrap_or(0),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            read = errors => {
                if read == 0 {
                    self.errors = None;
                    return Event::Silent;
                }
                Event::Errors(read)
            }
            status = self.child.wait(), if self.status.is_none() => {
                self.status = Some(status.unwrap_or_default());
                Event::Ended
            }
        }
    }

    /// Writes down what it did.
    pub(super) fn note(&self, event: &Event, recorder: &mut Recorder) {
        if let Event::Errors(read) = event {
            recorder.bytes(Channel::Err, &self.buffer[..*read]);
        }
    }

    /// Ends it, beginning with `push`; a stop that is asked meanwhile hurries it. `shown`: whether a screen says that
    /// the run is being stopped.
    pub(super) async fn end(
        &mut self,
        push: Push,
        shown: bool,
        stop: &mut StopWatch,
        recorder: &mut Recorder,
    ) {
        let mut push = push;
        let mut until = self.push(push, shown, recorder);
        while self.status.is_none() || self.group.has_members() {
            let now = Instant::now();
            if now >= until {
                push = match push {
                    Push::Leave => Push::Ask,
                    Push::Ask => Push::Kill,
                    Push::Kill => {
                        recorder.note("[a killed process does not go away; giving up on it]");
                        break;
                    }
                };
                until = self.push(push, shown, recorder);
                continue;
            }
            let wake = if self.status.is_some() { until.min(now + GONE_POLL) } else { until };
            tokio::select! {
                event = self.event() => self.note(&event, recorder),
                asked = stop.changed() => {
                    let wanted = match asked {
                        Stop::No => Push::Leave,
                        Stop::Polite => Push::Ask,
                        Stop::Now => Push::Kill,
                    };
                    if wanted > push {
                        push = wanted;
                        until = self.push(push, true, recorder);
                    }
                }
                () = sleep_until(wake) => {}
            }
        }
        self.group.disarm();
        // Its last words are in the pipe; a daemon of its that left the group may hold that open for ever.
        while self.errors.is_some() {
            let Ok(event) = timeout(PIPE_GRACE, self.event()).await else { break };
            self.note(&event, recorder);
        }
    }

    /// Gives the push; until when it may work.
    fn push(&mut self, push: Push, shown: bool, recorder: &mut Recorder) -> Instant {
        let wait = match push {
            Push::Leave => LEAVE,
            Push::Ask => {
                self.signalled |= self.status.is_none();
                self.group.terminate();
                self.grace
            }
            Push::Kill => {
                self.signalled |= self.status.is_none();
                self.group.kill();
                KILL_WAIT
            }
        };
        if shown && push > Push::Leave {
            recorder.stopping(if push == Push::Ask { self.grace } else { Duration::ZERO });
        }
        Instant::now() + wait
    }

    /// How it ended, in words, where that was its own doing.
    pub(super) fn farewell(&self) -> Option<String> {
        let status = self.status.filter(|_| !self.signalled)?;
        match (status.signal(), status.code()) {
            (Some(signal), _) => Some(format!("signal {signal}")),
            (None, code) => Some(format!("exit code {}", code.unwrap_or(1))),
        }
    }
}
