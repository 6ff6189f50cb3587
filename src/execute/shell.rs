//! The shell executor: `/bin/sh -c` in the project folder, watched until it, its group and its pipes are done.
//!
//! The child leads its own process group. It ends by itself, by its time limit, or because it is asked to; the ladder
//! is TERM to the group, grace, KILL to the group, also when only grandchildren are left. Grandchildren that keep the
//! pipes or the group alive after the leader ended are waited for a moment, then stopped: a run leaves nobody behind.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::Instant;

use super::fence::Fence;
use super::group::Watched;
use super::outcome::{Ending, Outcome, STOPPED};
use super::output::Channel;
use super::recorder::Recorder;
use super::stop::{Stop, StopWatch};
use crate::base::process::{PIPE_GRACE, Program, Running};

/// How long a killed group may take to disappear (a process in the kernel cannot be hurried).
const KILL_WAIT: Duration = Duration::from_secs(5);

/// Between two looks whether a group is gone; only while something is being stopped.
const GONE_POLL: Duration = Duration::from_millis(20);

/// Bytes read at once from a pipe.
const READ_AT_ONCE: usize = 64 * 1024;

/// What the shell executor runs.
#[derive(Clone, Debug)]
pub struct ShellJob {
    /// The command line.
    pub command: String,
    /// Working folder.
    pub folder: PathBuf,
    /// The whole environment before the fence's variables.
    pub env: Vec<(OsString, OsString)>,
    /// What keeps it in; the default is nothing.
    pub fence: Fence,
    /// Limit of the whole run.
    pub timeout: Duration,
    /// TERM to KILL.
    pub grace: Duration,
}

/// Runs the job to its end. Dropping the future kills the group.
pub async fn run(job: &ShellJob, stop: StopWatch, mut recorder: Recorder) -> Outcome {
    run_with(job, stop, &mut recorder).await
}

/// The same for one of several commands that share a recorder.
pub async fn run_with(job: &ShellJob, mut stop: StopWatch, recorder: &mut Recorder) -> Outcome {
    if let Some(stopped) = Outcome::of_stopped(&stop) {
        return stopped;
    }
    let program = Program::shell(&job.command, &job.folder).env(job.env.iter().cloned());
    let program = match job.fence.around(program) {
        Ok(program) => program,
        Err(error) => return Outcome::not_started(error.to_string()),
    };
    let mut child = match program.spawn().await {
        Ok(child) => child,
        Err(error) => return Outcome::not_started(error.to_string()),
    };
    recorder.started(child.identity().cloned());
    let mut watch = Watch::new(job, Watched::new(child.group()));
    watch.until_over(&mut child, &mut stop, recorder).await;
    watch.outcome(recorder)
}

/// Where the stop ladder stands.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ladder {
    /// Nothing is being stopped.
    Idle,
    /// TERM was sent.
    Asked { kill_at: Instant },
    /// KILL was sent.
    Killed { give_up_at: Instant },
}

/// What the executor knows of one child while it watches it.
struct Watch {
    started: Instant,
    group: Watched,
    timeout: Duration,
    timeout_at: Instant,
    grace: Duration,
    ladder: Ladder,
    leader: Option<ExitStatus>,
    /// Since when leader and group are gone while pipes are still open, or the leader while the group lives.
    leftover_since: Option<Instant>,
    open: [bool; 2],
    forced: Option<Ending>,
}

impl Watch {
    fn new(job: &ShellJob, group: Watched) -> Self {
        let started = Instant::now();
        let timeout_at = started + job.timeout;
        Self {
            started,
            group,
            timeout: job.timeout,
            timeout_at,
            grace: job.grace,
            ladder: Ladder::Idle,
            leader: None,
            leftover_since: None,
            open: [true; 2],
            forced: None,
        }
    }

    async fn until_over(&mut self, child: &mut Running, stop: &mut StopWatch, recorder: &mut Recorder) {
        let (mut out, mut err) = child.take_output().unzip();
        let mut out_buffer = vec![0; READ_AT_ONCE];
        let mut err_buffer = vec![0; READ_AT_ONCE];
        while !self.is_over() {
            let wake = self.wake_at();
            tokio::select! {
                read = read(&mut out, &mut out_buffer), if self.open[0] => {
                    self.open[0] = read > 0;
                    recorder.bytes(Channel::Out, &out_buffer[..read]);
                }
                read = read(&mut err, &mut err_buffer), if self.open[1] => {
                    self.open[1] = read > 0;
                    recorder.bytes(Channel::Err, &err_buffer[..read]);
                }
                status = child.wait(), if self.leader.is_none() => {
                    self.leader = Some(status.unwrap_or_default());
                    self.leftover_since = Some(Instant::now());
                }
                asked = stop.changed() => self.asked_to_stop(asked, recorder),
                () = tokio::time::sleep_until(wake) => {
                    if self.wake(recorder) {
                        break;
                    }
                }
            }
        }
        self.group.disarm();
    }

    /// The leader is reaped, both pipes are at their end and nobody is left in the group.
    fn is_over(&self) -> bool {
        self.leader.is_some() && self.open == [false; 2] && !self.group.has_members()
    }

    fn wake_at(&self) -> Instant {
        let soon = Instant::now() + GONE_POLL;
        match (self.ladder, self.leader.is_some()) {
            (Ladder::Idle, false) => self.timeout_at,
            (Ladder::Idle, true) => self.leftover_since.map_or(soon, |since| since + PIPE_GRACE),
            (Ladder::Asked { kill_at }, false) => kill_at,
            (Ladder::Asked { kill_at }, true) => kill_at.min(soon),
            (Ladder::Killed { give_up_at }, false) => give_up_at,
            (Ladder::Killed { give_up_at }, true) => give_up_at.min(soon),
        }
    }

    /// A deadline has come. True when there is nothing more to wait for.
    fn wake(&mut self, recorder: &mut Recorder) -> bool {
        let now = Instant::now();
        if self.leader.is_some() && !self.group.has_members() {
            // Only pipes are left, held by somebody who left the group on purpose: not ours to stop.
            let waited = self.leftover_since.is_none_or(|since| now >= since + PIPE_GRACE);
            if waited && self.open != [false; 2] {
                recorder
                    .note("[a process outside of the run's group keeps its output open; not waiting for it]");
            }
            return waited;
        }
        match self.ladder {
            Ladder::Idle if self.leader.is_none() => {
                let seconds = self.timeout.as_secs_f64();
                recorder.note(&format!("[time limit of {seconds} s reached; stopping]"));
                self.forced = Some(Ending::TimedOut);
                self.ask(recorder);
            }
            Ladder::Idle => {
                recorder.note("[the command ended and left processes behind; stopping them]");
                self.ask(recorder);
            }
            Ladder::Asked { kill_at } if now >= kill_at => self.kill(recorder),
            Ladder::Killed { give_up_at } if now >= give_up_at => {
                recorder.note("[a killed process does not go away; giving up on it]");
                return true;
            }
            Ladder::Asked { .. } | Ladder::Killed { .. } => {}
        }
        false
    }

    fn asked_to_stop(&mut self, asked: Stop, recorder: &mut Recorder) {
        if self.leader.is_none() && asked > Stop::No {
            self.forced.get_or_insert(Ending::Stopped);
        }
        match (asked, self.ladder) {
            (Stop::Polite, Ladder::Idle) => self.ask(recorder),
            (Stop::Now, Ladder::Idle | Ladder::Asked { .. }) => self.kill(recorder),
            (Stop::No | Stop::Polite, _) | (Stop::Now, Ladder::Killed { .. }) => {}
        }
    }

    fn ask(&mut self, recorder: &mut Recorder) {
        self.group.terminate();
        self.ladder = Ladder::Asked { kill_at: Instant::now() + self.grace };
        recorder.stopping(self.grace);
    }

    fn kill(&mut self, recorder: &mut Recorder) {
        self.group.kill();
        self.ladder = Ladder::Killed { give_up_at: Instant::now() + KILL_WAIT };
        recorder.stopping(Duration::ZERO);
    }

    fn outcome(self, recorder: &mut Recorder) -> Outcome {
        use std::os::unix::process::ExitStatusExt;
        let duration = self.started.elapsed();
        let (stdout, stderr) = recorder.take_tails();
        let signal = self.leader.and_then(|status| status.signal());
        let exit_code = match (self.leader, signal) {
            (_, Some(signal)) => 128 + signal,
            (Some(status), None) => status.code().unwrap_or(1),
            (None, None) => 128 + nix::libc::SIGKILL,
        };
        let natural = if exit_code == 0 { Ending::Succeeded } else { Ending::Failed };
        let ending = self.forced.unwrap_or(natural);
        let reason = match ending {
            Ending::TimedOut => Some(format!("timed out after {} s", self.timeout.as_secs_f64())),
            Ending::Stopped => Some(STOPPED.to_owned()),
            _ => None,
        };
        Outcome {
            ending,
            exit_code,
            signal,
            status_code: None,
            stdout,
            stderr,
            reason,
            duration,
            label: None,
            facts: serde_json::Map::new(),
        }
    }
}

/// Bytes read into `buffer`; 0 at the end, which an unreadable pipe counts as.
async fn read(pipe: &mut Option<impl AsyncRead + Unpin>, buffer: &mut [u8]) -> usize {
    match pipe {
        Some(pipe) => pipe.read(buffer).await.unwrap_or(0),
        None => 0,
    }
}
