//! Everybody that descends from one child, also who left its session: coding agents run each tool in a session of the
//! tool's own, so that a signal to the agent's session does not reach a server that a tool left in the background.
//!
//! A process belongs to the tree when it is in the child's session or group, when its environment carries the child's
//! [`MARKER`](super::MARKER) (inherited by whatever does not empty its environment), when its parent belongs, or when it
//! belonged the last time somebody looked. Who does all three of forking twice, leading a session of its own and
//! emptying its environment between two looks is found by [`super::adoption`] when the child is fenced, and gets away
//! when it is not.
//!
//! Reads all of `/proc`, the environment of every process of ours included: milliseconds. Ask now and then, and when
//! something ends or is being stopped.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use nix::sys::signal::{Signal, kill};

use super::adoption::{self, Adoption};
use super::group::{Group, has_marker, raw};
use super::stat::Stat;

/// A child of ours with everybody that descends from it.
#[derive(Clone, Debug)]
pub struct Tree {
    group: Group,
    marker: Option<String>,
    /// Nobody that is older than the leader can descend from it.
    since: u64,
    /// Who belonged at the last look, by pid, with the ticks of its start.
    known: HashMap<u32, u64>,
    adoption: Option<Arc<Adoption>>,
}

impl Tree {
    pub(super) fn new(
        group: Group,
        marker: Option<String>,
        since: u64,
        adoption: Option<Arc<Adoption>>,
    ) -> Self {
        Self { group, marker, since, known: HashMap::new(), adoption }
    }

    /// Who lives of it; zombies do not.
    pub fn members(&mut self) -> Vec<u32> {
        self.living().into_iter().map(|stat| stat.pid).collect()
    }

    /// The command names (`/proc/<pid>/comm`: foreign text) of those who live, each once, sorted.
    pub fn names(&mut self) -> Vec<String> {
        let name = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/comm")).ok();
        let mut names: Vec<String> =
            self.members().into_iter().filter_map(name).map(|name| name.trim_end().to_owned()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// TERM to all, then CONT, because a stopped process does not hear TERM before it is continued. Says who they were.
    pub fn terminate_now(&mut self) -> Vec<u32> {
        self.signal(Signal::SIGTERM);
        self.signal(Signal::SIGCONT)
    }

    /// KILL to all who can be seen now; says who they were. Ask again until nobody is left.
    pub fn kill_now(&mut self) -> Vec<u32> {
        self.signal(Signal::SIGKILL)
    }

    fn signal(&mut self, signal: Signal) -> Vec<u32> {
        let living = self.living();
        for stat in &living {
            let _ = raw(stat.pid).map(|pid| kill(pid, signal));
        }
        living.into_iter().map(|stat| stat.pid).collect()
    }

    fn living(&mut self) -> Vec<Stat> {
        let in_group: HashSet<u32> = self.group.members().into_iter().collect();
        let leaders = adoption::leaders();
        let younger: Vec<Stat> = Stat::all().filter(|stat| stat.start_ticks >= self.since).collect();
        younger.iter().for_each(|stat| adoption::reap(stat, &leaders));
        let adopted = |stat: &Stat| {
            let adoption = self.adoption.as_ref();
            !stat.zombie && adoption.is_some_and(|adoption| adoption.claims(stat, &leaders))
        };
        let marked = |stat: &Stat| {
            let marker = self.marker.as_deref();
            !stat.zombie && marker.is_some_and(|marker| has_marker(stat.pid, marker))
        };
        let mut ours: HashSet<u32> = younger
            .iter()
            .filter(|stat| {
                in_group.contains(&stat.pid)
                    || self.known.get(&stat.pid) == Some(&stat.start_ticks)
                    || marked(stat)
                    || adopted(stat)
            })
            .map(|stat| stat.pid)
            .collect();
        // Children of ours are ours; a zombie has none, so a chain is never broken by one. Deeper ones take more rounds.
        loop {
            let before = ours.len();
            ours.extend(
                younger
                    .iter()
                    .filter(|stat| ours.contains(&stat.parent))
                    .map(|stat| stat.pid)
                    .collect::<Vec<_>>(),
            );
            if ours.len() == before {
                break;
            }
        }
        let own = std::process::id();
        let living: Vec<Stat> = younger
            .into_iter()
            .filter(|stat| ours.contains(&stat.pid) && !stat.zombie && stat.pid != own)
            .collect();
        self.known = living.iter().map(|stat| (stat.pid, stat.start_ticks)).collect();
        living
    }
}
