//! The process group of one run: signals to all of it, and whether anybody is left in it.

use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::base::process::ProcessIdentity;

/// A group led by our child. Dropping it while armed kills what is left of it.
#[derive(Debug)]
pub(super) struct Group {
    id: Pid,
    armed: bool,
}

impl Group {
    /// The group of a child that was spawned as a group leader.
    pub(super) fn led_by(pid: u32) -> Option<Group> {
        let id = Pid::from_raw(i32::try_from(pid).ok().filter(|pid| *pid > 1)?);
        Some(Group { id, armed: true })
    }

    /// Identity of the leader, while it lives or is not reaped.
    pub(super) fn leader(&self) -> Option<ProcessIdentity> {
        ProcessIdentity::of(self.id.as_raw().unsigned_abs())
    }

    /// TERM to everybody; CONT too, because a stopped process would not notice.
    pub(super) fn terminate(&self) {
        let _ = killpg(self.id, Signal::SIGTERM);
        let _ = killpg(self.id, Signal::SIGCONT);
    }

    /// KILL to everybody.
    pub(super) fn kill(&self) {
        let _ = killpg(self.id, Signal::SIGKILL);
    }

    /// Whether a process that is no zombie is in the group. Orphans are reaped by init only when it gets to it, so a
    /// plain signal 0 would find the dead ones too.
    pub(super) fn has_members(&self) -> bool {
        match killpg(self.id, None) {
            Err(Errno::ESRCH) => false,
            Ok(()) | Err(_) => living_member(self.id.as_raw()),
        }
    }

    /// The group is done; it is not ours any more.
    pub(super) fn disarm(&mut self) {
        self.armed = false;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.armed {
            self.kill();
        }
    }
}

/// Stops the group that `leader` leads: TERM, `grace`, KILL. Blocks the calling thread. False when the leader is gone
/// already; its number may be somebody else's by now, so nothing is signalled then.
pub fn stop_group_of(leader: &ProcessIdentity, grace: Duration) -> bool {
    if !leader.is_alive() {
        return false;
    }
    let Some(mut group) = Group::led_by(leader.pid) else { return false };
    group.terminate();
    let kill_at = Instant::now() + grace;
    while group.has_members() && Instant::now() < kill_at {
        std::thread::sleep(Duration::from_millis(20));
    }
    group.kill();
    group.disarm();
    true
}

/// Looks through `/proc` for a process of `group` that is no zombie. Without `/proc`, says that there is one.
fn living_member(group: i32) -> bool {
    let Ok(entries) = std::fs::read_dir("/proc") else { return true };
    entries.flatten().any(|entry| {
        let is_pid = entry.file_name().to_str().is_some_and(|name| name.bytes().all(|b| b.is_ascii_digit()));
        is_pid && std::fs::read_to_string(entry.path().join("stat")).is_ok_and(|stat| lives_in(&stat, group))
    })
}

/// Whether a line of `/proc/<pid>/stat` is of a living process in `group`. The name in it may hold anything.
fn lives_in(stat: &str, group: i32) -> bool {
    let Some((_, rest)) = stat.rsplit_once(')') else { return false };
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next().unwrap_or("Z");
    let pgrp = fields.nth(1).and_then(|field| field.parse::<i32>().ok());
    pgrp == Some(group) && !matches!(state, "Z" | "X")
}
