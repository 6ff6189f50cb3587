//! A child with everything it started: who is left of it, and the stop ladder.

use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::time::{Instant, sleep, timeout_at};

use super::MARKER;
use super::identity::ProcessIdentity;
use super::stat::Stat;

/// First pause between two looks at who is left; doubled each time.
const FIRST_LOOK: Duration = Duration::from_millis(4);
/// Longest pause between two looks.
const LONGEST_LOOK: Duration = Duration::from_millis(64);
/// How long a killed process may take to vanish. Longer means that it hangs in the kernel (a dead network disk).
const KILL_LIMIT: Duration = Duration::from_secs(5);

/// The processes of one session: a child of ours and what it started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    leader: u32,
    start_ticks: Option<u64>,
    proof: Proof,
}

/// Why processes that carry the leader's number are known to be ours once the leader is gone. (While one of them
/// lives, the kernel gives its number to nobody else; after the last one, it may.)
#[derive(Clone, Debug, PartialEq, Eq)]
enum Proof {
    /// We started it and have watched it since.
    Watched,
    /// One of them has this marker in its environment.
    Marker(String),
    /// Nothing proves it: only a living leader does.
    LeaderOnly,
    /// It ran before the machine was started.
    OtherBoot,
}

/// How a stop went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// Whether KILL was needed.
    pub killed: bool,
    /// Processes that are still there 5 s after KILL: they hang in the kernel. Empty is the rule.
    pub left: Vec<u32>,
}

impl Group {
    pub(super) fn of_child(pid: u32, identity: Option<&ProcessIdentity>) -> Self {
        let start_ticks = identity.map(|identity| identity.start_ticks);
        Self { leader: pid, start_ticks, proof: Proof::Watched }
    }

    /// What may be left of a child that an earlier, dead process of ours started and wrote down.
    pub fn of_orphan(identity: &ProcessIdentity) -> Self {
        let proof = match &identity.marker {
            _ if !identity.is_of_this_boot() => Proof::OtherBoot,
            Some(marker) => Proof::Marker(marker.clone()),
            None => Proof::LeaderOnly,
        };
        Self { leader: identity.pid, start_ticks: Some(identity.start_ticks), proof }
    }

    /// Pid of the leader, which is the number of the group and of the session.
    pub fn leader(&self) -> u32 {
        self.leader
    }

    /// Its processes that live (zombies do not). Reads all of `/proc`: some milliseconds, so not on the thread that
    /// draws.
    pub fn members(&self) -> Vec<u32> {
        self.living().into_iter().map(|stat| stat.pid).collect()
    }

    /// The stop ladder: TERM to all, `grace`, KILL to all. `skip` ends the grace at once (a second request to stop);
    /// pass `std::future::pending()` when there is none. Returns when nobody is left, or 5 s after KILL.
    pub async fn stop(&self, grace: Duration, skip: impl Future<Output = ()>) -> Stopped {
        let until = Instant::now() + grace;
        let left = self.on_all(Group::terminate_now).await;
        if left.is_empty() {
            return Stopped { killed: false, left };
        }
        let polite = async { timeout_at(until, self.gone()).await.is_ok() };
        let gone = tokio::select! {
            gone = polite => gone,
            () = skip => false,
        };
        if gone { Stopped { killed: false, left: Vec::new() } } else { self.kill().await }
    }

    /// KILL to all, until nobody is left or 5 s are over.
    pub async fn kill(&self) -> Stopped {
        let until = Instant::now() + KILL_LIMIT;
        let mut pause = FIRST_LOOK;
        loop {
            // Again each time: a process may have been started between the look and the signal.
            let left = self.on_all(Group::kill_now).await;
            if left.is_empty() || Instant::now() >= until {
                return Stopped { killed: true, left };
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_LOOK);
        }
    }

    /// Waits until nobody is left.
    pub async fn gone(&self) {
        let mut pause = FIRST_LOOK;
        while !self.on_all(Group::members).await.is_empty() {
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_LOOK);
        }
    }

    /// TERM to all who can be seen now, without waiting; says who they were. For callers that keep the time
    /// themselves. CONT follows, because a stopped process does not hear TERM before it is continued.
    pub fn terminate_now(&self) -> Vec<u32> {
        self.signal_now(Signal::SIGTERM);
        self.signal_now(Signal::SIGCONT)
    }

    /// KILL to all who can be seen now, without waiting; says who they were. For destructors and callers that keep the
    /// time themselves: a process that was just being started may be missed, so ask again until nobody is left.
    pub fn kill_now(&self) -> Vec<u32> {
        self.signal_now(Signal::SIGKILL)
    }

    /// Does it off the threads of the runtime.
    async fn on_all(&self, act: fn(&Group) -> Vec<u32>) -> Vec<u32> {
        let group = self.clone();
        tokio::task::spawn_blocking(move || act(&group)).await.unwrap_or_default()
    }

    /// Signals every process group of the session; returns the processes that were there.
    fn signal_now(&self, signal: Signal) -> Vec<u32> {
        let living = self.living();
        let mut groups: Vec<u32> = living.iter().map(|stat| stat.group).collect();
        groups.sort_unstable();
        groups.dedup();
        for group in groups {
            // A group that a process of the session shares with outsiders cannot exist: groups stay in one session.
            if let Err(Errno::EPERM) = raw(group).map_or(Ok(()), |group| killpg(group, signal)) {
                // One of them changed its user; the others still hear it one by one.
                for stat in living.iter().filter(|stat| stat.group == group) {
                    let _ = raw(stat.pid).map(|pid| kill(pid, signal));
                }
            }
        }
        living.into_iter().map(|stat| stat.pid).collect()
    }

    fn living(&self) -> Vec<Stat> {
        let leader = Stat::read(self.leader);
        let is_ours = match (&leader, self.start_ticks) {
            _ if self.proof == Proof::OtherBoot => return Vec::new(),
            (Some(leader), Some(ticks)) if leader.start_ticks == ticks => true,
            // Somebody else has the number now.
            (Some(_), Some(_)) => return Vec::new(),
            _ => self.proof == Proof::Watched,
        };
        let all: Vec<Stat> = Stat::all()
            .filter(|stat| !stat.zombie && (stat.session == self.leader || stat.group == self.leader))
            .collect();
        let proven = match &self.proof {
            _ if is_ours => true,
            Proof::Marker(marker) => all.iter().any(|stat| has_marker(stat.pid, marker)),
            Proof::Watched | Proof::LeaderOnly | Proof::OtherBoot => false,
        };
        if proven { all } else { Vec::new() }
    }
}

pub(super) fn has_marker(pid: u32, marker: &str) -> bool {
    let wanted = format!("{MARKER}={marker}");
    std::fs::read(format!("/proc/{pid}/environ"))
        .is_ok_and(|environ| environ.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes()))
}

pub(super) fn raw(pid: u32) -> Option<Pid> {
    // 0 and 1 would mean "my own group" and "everybody".
    i32::try_from(pid).ok().filter(|pid| *pid > 1).map(Pid::from_raw)
}
