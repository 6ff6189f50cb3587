//! The loop of a run: reads both streams, steers, holds the limits, and stops the whole tree when it must.
//!
//! The stop ladder is TERM to everybody of the tree, grace, KILL, until nobody is left. Tools of agents lead sessions of
//! their own, so the tree is found by marker and parentage, not by group ([`Tree`]), and looked at now and then while
//! the agent works, so that whoever is orphaned later is still known.

use std::process::ExitStatus;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::blocks::{self, Block, Blocks};
use super::ending::Cause;
use super::input::AgentInput;
use super::raw::Kept;
use super::start::start;
use super::stream::Stream;
use super::{AgentEnding, AgentJob, AgentReport, Limits, Steer};
use crate::base::process::{self, PIPE_GRACE, Running, Tree};
use crate::execute::outcome::Outcome;
use crate::execute::output::Channel;
use crate::execute::recorder::Recorder;
use crate::execute::stop::{Stop, StopWatch};

/// How long a killed tree may take to disappear (a process in the kernel cannot be hurried).
const KILL_WAIT: Duration = Duration::from_secs(5);

/// Between two looks whether a tree is gone; only while something is being stopped.
const GONE_POLL: Duration = Duration::from_millis(25);

/// Between two looks at who belongs to the tree while the agent works.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How long an agent may take to end once it said that it is finished.
pub(super) const LINGER: Duration = Duration::from_secs(15);

/// The same once its output is closed, when nothing more can come.
const LINGER_CLOSED: Duration = Duration::from_secs(3);

/// How long an agent may take to end its turn when it is asked to, or to take a message that came too late for it.
pub(super) const TURN_WAIT: Duration = Duration::from_secs(5);

/// Bytes read at once of standard error.
const READ_AT_ONCE: usize = 64 * 1024;

/// Bytes of standard error that are kept; some programs are noisy there.
const STDERR_LIMIT: u64 = 4 * 1024 * 1024;

/// See [`super::run`].
pub(super) async fn run(
    job: AgentJob,
    mut stop: StopWatch,
    steer: &mut mpsc::UnboundedReceiver<Steer>,
    recorder: &mut Recorder,
) -> AgentReport {
    if let Some(stopped) = Outcome::of_stopped(&stop) {
        return AgentReport::not_started(AgentEnding::Stopped, stopped);
    }
    let mut started = match start(&job, recorder).await {
        Ok(started) => started,
        Err((ending, why)) => return AgentReport::not_started(ending, Outcome::not_started(why)),
    };
    let tree = started.child.tree();
    let mut watch = Watch::new(&job, tree, started.stream, started.input, started.conversation);
    watch.open();
    watch.until_over(&mut started.child, &mut started.kept, &mut stop, steer, recorder).await;
    watch.report(recorder)
}

/// Where the stop ladder stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ladder {
    /// Nothing is being stopped.
    Idle,
    /// TERM was sent.
    Asked { kill_at: Instant },
    /// KILL was sent.
    Killed { give_up_at: Instant },
}

/// Whether the agent is to end after its turn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Pause {
    No,
    Wanted,
    /// It was interrupted between two replies.
    Asked,
}

/// What is known of a run while it is watched.
pub(super) struct Watch<'a> {
    pub(super) job: &'a AgentJob,
    pub(super) limits: &'a Limits,
    tree: Guard,
    pub(super) stream: Stream,
    pub(super) input: AgentInput,
    pub(super) ladder: Ladder,
    pub(super) pause: Pause,
    pub(super) leader: Option<ExitStatus>,
    leader_ended: Option<Instant>,
    pub(super) open: [bool; 2],
    stderr_bytes: u64,
    pub(super) started: Instant,
    timeout_at: Instant,
    heard_at: Instant,
    look_at: Instant,
    /// When an agent that should end, or take its last message, has had enough time.
    pub(super) patience: Option<Instant>,
    pub(super) cause: Option<Cause>,
    pub(super) unheard: Vec<String>,
    /// What it was told by us, with the gate that it is about.
    pub(super) hints: Vec<(String, String)>,
    pub(super) conversation: Option<String>,
}

/// Kills the tree when it is dropped armed.
struct Guard {
    tree: Tree,
    armed: bool,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.armed {
            self.tree.kill_now();
        }
    }
}

impl<'a> Watch<'a> {
    fn new(
        job: &'a AgentJob,
        tree: Tree,
        stream: Stream,
        input: AgentInput,
        conversation: Option<String>,
    ) -> Self {
        let now = Instant::now();
        Self {
            job,
            limits: &job.limits,
            tree: Guard { tree, armed: true },
            stream,
            input,
            ladder: Ladder::Idle,
            pause: Pause::No,
            leader: None,
            leader_ended: None,
            open: [true; 2],
            stderr_bytes: 0,
            started: now,
            timeout_at: now + job.limits.timeout,
            heard_at: now,
            look_at: now + LOOK_EVERY,
            patience: None,
            cause: None,
            unheard: Vec::new(),
            hints: Vec::new(),
            conversation,
        }
    }

    /// Says the prompt to an agent that hears.
    fn open(&mut self) {
        if let Some(dialogue) = self.stream.dialogue() {
            let prompt = dialogue.open();
            self.input.write(prompt);
        }
    }

    async fn until_over(
        &mut self,
        child: &mut Running,
        kept: &mut Kept,
        stop: &mut StopWatch,
        steer: &mut mpsc::UnboundedReceiver<Steer>,
        recorder: &mut Recorder,
    ) {
        let (mut out, mut err) = child.take_output().unzip();
        if let Some(out) = &out {
            process::widen(out, blocks::SIZE);
        }
        let mut blocks = Blocks::default();
        let mut err_buffer = vec![0; READ_AT_ONCE];
        let (mut steerable, mut keeping) = (true, true);
        while !self.is_over() {
            let wake = self.wake_at();
            tokio::select! {
                block = read_block(&mut out, &mut blocks), if self.open[0] => self.out(block, recorder),
                read = read(&mut err, &mut err_buffer), if self.open[1] => self.err(&err_buffer[..read], recorder),
                more = kept.follow(), if keeping => match more {
                    true => kept.tell(recorder),
                    false => keeping = false,
                },
                status = child.wait(), if self.leader.is_none() => {
                    self.leader = Some(status.unwrap_or_default());
                    self.leader_ended = Some(Instant::now());
                    self.input.close();
                }
                asked = stop.changed() => self.asked_to_stop(asked, recorder),
                said = steer.recv(), if steerable => match said {
                    Some(said) => self.steered(said, recorder),
                    None => steerable = false,
                },
                () = tokio::time::sleep_until(wake) => {
                    if self.wake(recorder) {
                        break;
                    }
                }
            }
        }
        self.tree.armed = false;
        self.stream.close();
        // What was read is on disk before anybody is told that the run is over.
        while kept.follow().await {
            kept.tell(recorder);
        }
        while let Ok(said) = steer.try_recv() {
            self.steered(said, recorder);
        }
    }

    fn out(&mut self, block: Option<Block>, recorder: &mut Recorder) {
        let Some(block) = block else {
            self.open[0] = false;
            self.stream.end(recorder);
            self.give_time(LINGER_CLOSED);
            return;
        };
        self.heard_at = Instant::now();
        let answer = self.stream.push(&block, recorder);
        self.input.write(answer);
        self.hold_limits(recorder);
        self.follow_turn(recorder);
    }

    fn err(&mut self, bytes: &[u8], recorder: &mut Recorder) {
        if bytes.is_empty() {
            self.open[1] = false;
            return;
        }
        self.heard_at = Instant::now();
        let before = self.stderr_bytes;
        self.stderr_bytes += bytes.len() as u64;
        if before < STDERR_LIMIT {
            recorder.bytes(Channel::Err, bytes);
            if self.stderr_bytes >= STDERR_LIMIT {
                let limit = STDERR_LIMIT >> 20;
                recorder.note(&format!("[{limit} MB of standard error; what follows there is not kept]"));
            }
        }
    }

    fn hold_limits(&mut self, recorder: &mut Recorder) {
        let tally = self.stream.tally();
        let tokens = tally.tokens.total();
        let usd = tally.cost.map(|cost| cost.usd);
        let broken = match (self.limits.tokens, self.limits.usd.zip(usd), self.stream.circles()) {
            (Some(limit), ..) if tokens >= limit => {
                Some(("tokens", format!("used {tokens} tokens; {limit} are allowed")))
            }
            (_, Some((limit, usd)), _) if usd >= limit => {
                Some(("cost", format!("cost {usd:.4} US dollars; {limit} are allowed")))
            }
            (_, _, Some(circles)) => Some(("repeats", format!("turned in circles: {circles}"))),
            _ => None,
        };
        if let Some((which, why)) = broken {
            self.limit(which, why, recorder);
        }
    }

    fn limit(&mut self, which: &'static str, why: String, recorder: &mut Recorder) {
        if self.ladder == Ladder::Idle && self.leader.is_none() {
            recorder.note(&format!("[the agent {why}; stopping]"));
            self.cause.get_or_insert(Cause::Limit(which, format!("the agent {why}")));
            self.ask(recorder);
        }
    }

    /// Both pipes are at their end, the leader is reaped and nobody is left.
    fn is_over(&mut self) -> bool {
        self.leader.is_some() && self.open == [false; 2] && self.tree.tree.members().is_empty()
    }

    fn wake_at(&self) -> Instant {
        let soon = Instant::now() + GONE_POLL;
        match (self.ladder, self.leader_ended) {
            (Ladder::Idle, None) => {
                let silence = self.limits.silence.map(|silence| self.heard_at + silence);
                let times = [Some(self.timeout_at), Some(self.look_at), silence, self.patience];
                times.into_iter().flatten().min().unwrap_or(soon)
            }
            (Ladder::Idle, Some(ended)) => ended + PIPE_GRACE,
            (Ladder::Asked { kill_at }, _) => kill_at.min(soon),
            (Ladder::Killed { give_up_at }, _) => give_up_at.min(soon),
        }
    }

    /// A deadline has come. True when there is nothing more to wait for.
    fn wake(&mut self, recorder: &mut Recorder) -> bool {
        let now = Instant::now();
        match self.ladder {
            Ladder::Idle if self.leader.is_none() => self.wake_idle(now, recorder),
            Ladder::Idle => {
                let names = self.tree.tree.names().join(", ");
                recorder
                    .note(&format!("[the agent ended and left processes behind ({names}); stopping them]"));
                self.ask(recorder);
            }
            Ladder::Asked { kill_at } if now >= kill_at => self.kill(recorder),
            Ladder::Killed { give_up_at } if now >= give_up_at => {
                recorder.note("[a killed process does not go away; giving up on it]");
                return true;
            }
            // Whoever was started between a look and the signal is caught by the next one.
            Ladder::Killed { .. } => drop(self.tree.tree.kill_now()),
            Ladder::Asked { .. } => {}
        }
        false
    }

    fn wake_idle(&mut self, now: Instant, recorder: &mut Recorder) {
        if now >= self.look_at {
            self.tree.tree.members();
            self.look_at = Instant::now() + LOOK_EVERY;
        }
        let silence = self.limits.silence.filter(|silence| now >= self.heard_at + *silence);
        if now >= self.timeout_at {
            let seconds = self.limits.timeout.as_secs_f64();
            self.limit("time", format!("worked for {seconds} s, which is its time limit"), recorder);
        } else if let Some(silence) = silence {
            self.limit("silence", format!("said nothing for {} s", silence.as_secs_f64()), recorder);
        } else if self.patience.is_some_and(|until| now >= until) {
            self.patience = None;
            if self.pause != Pause::Asked {
                let late = self.stream.dialogue().is_some_and(|dialogue| !dialogue.on_their_way().is_empty());
                if late && self.input.is_open() {
                    self.input.close();
                    return self.give_time(LINGER);
                }
                recorder.note("[the agent has said its last word and does not end; stopping it]");
                self.cause.get_or_insert(Cause::Lingered);
            }
            self.ask(recorder);
        }
    }

    /// Lets it take so long for what it must do next; a deadline that stands already is not moved.
    pub(super) fn give_time(&mut self, time: Duration) {
        let until = Instant::now() + time;
        self.patience = Some(self.patience.map_or(until, |patience| patience.min(until)));
    }

    fn asked_to_stop(&mut self, asked: Stop, recorder: &mut Recorder) {
        if self.leader.is_none() && asked > Stop::No {
            self.cause.get_or_insert(Cause::Stopped);
        }
        match (asked, self.ladder) {
            (Stop::Polite, Ladder::Idle) => self.ask(recorder),
            (Stop::Now, Ladder::Idle | Ladder::Asked { .. }) => self.kill(recorder),
            (Stop::No | Stop::Polite, _) | (Stop::Now, Ladder::Killed { .. }) => {}
        }
    }

    pub(super) fn ask(&mut self, recorder: &mut Recorder) {
        self.input.close();
        self.tree.tree.terminate_now();
        self.ladder = Ladder::Asked { kill_at: Instant::now() + self.limits.grace };
        recorder.stopping(self.limits.grace);
    }

    fn kill(&mut self, recorder: &mut Recorder) {
        self.tree.tree.kill_now();
        self.ladder = Ladder::Killed { give_up_at: Instant::now() + KILL_WAIT };
        recorder.stopping(Duration::ZERO);
    }
}

/// The next block of a pipe; `None` at the end, which an unreadable pipe counts as.
async fn read_block(pipe: &mut Option<impl AsyncRead + Unpin>, blocks: &mut Blocks) -> Option<Block> {
    blocks.read(pipe.as_mut()?).await.ok().flatten()
}

/// Bytes read into `buffer`; 0 at the end, which an unreadable pipe counts as.
async fn read(pipe: &mut Option<impl AsyncRead + Unpin>, buffer: &mut [u8]) -> usize {
    match pipe {
        Some(pipe) => pipe.read(buffer).await.unwrap_or(0),
        None => 0,
    }
}
