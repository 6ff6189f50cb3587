//! Whether anybody is left of a run once its command has ended, asked cheaply: it is asked after every run.
//!
//! Whatever a command started got a process number after its own, so only the numbers given out since need a look:
//! none at all on a quiet machine, where looking through all of `/proc` would cost more than a short command does.

use crate::base::process::Group;

/// With more numbers than this to look at, all of `/proc` is read instead.
const LOOKS: u32 = 256;

/// A run's group, watched from its start. Dropping it while armed kills what is left.
#[derive(Debug)]
pub(super) struct Watched {
    group: Group,
    armed: bool,
}

impl Watched {
    /// Watches the group of a child that was just started.
    pub(super) fn new(group: Group) -> Self {
        Self { group, armed: true }
    }

    /// TERM to everybody.
    pub(super) fn terminate(&self) {
        self.group.terminate_now();
    }

    /// KILL to everybody.
    pub(super) fn kill(&self) {
        self.group.kill_now();
    }

    /// Whether a living process is left in the leader's session or group.
    pub(super) fn has_members(&self) -> bool {
        let leader = self.group.leader();
        match newest_pid() {
            Some(newest) if newest >= leader && newest - leader <= LOOKS => {
                (leader..=newest).any(|pid| lives_in(pid, leader))
            }
            _ => !self.group.members().is_empty(),
        }
    }

    /// Nobody is left, or nothing more can be done.
    pub(super) fn disarm(&mut self) {
        self.armed = false;
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if self.armed {
            self.kill();
        }
    }
}

/// The process number given out last: the fifth field of `/proc/loadavg`.
fn newest_pid() -> Option<u32> {
    let line = std::fs::read_to_string("/proc/loadavg").ok()?;
    line.split_ascii_whitespace().nth(4)?.parse().ok()
}

/// Whether `pid` is a living process in the session or group of `leader`.
fn lives_in(pid: u32, leader: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| belongs(&stat, leader))
}

/// The same from a line of `/proc/<pid>/stat`, where the name in parentheses may hold anything.
fn belongs(stat: &str, leader: u32) -> bool {
    let Some((_, rest)) = stat.rsplit_once(')') else { return false };
    let fields: Vec<&str> = rest.split_ascii_whitespace().take(4).collect();
    let [state, _parent, group, session] = fields[..] else { return false };
    let is_leader = |field: &str| field.parse() == Ok(leader);
    (is_leader(group) || is_leader(session)) && !matches!(state, "Z" | "X")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn membership_is_read_from_group_or_session_and_zombies_do_not_count() {
        assert!(belongs("12 (sh) S 1 7 7 0", 7));
        assert!(belongs("12 (a) b) R) S 1 9 7 0", 7));
        assert!(belongs("12 (sh) R 1 7 3 0", 7));
        assert!(!belongs("12 (sh) Z 1 7 7 0", 7));
        assert!(!belongs("12 (sh) S 7 9 9 0", 7));
        assert!(!belongs("", 7));
    }
}
