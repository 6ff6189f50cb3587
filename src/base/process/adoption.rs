//! Orphans of fenced children: who forked twice, left the session and emptied its environment, and so cannot be found by
//! anything that it carries.
//!
//! While a fenced child of ours runs, we are the subreaper of all that descends from us: an orphan's parent is then we
//! ourselves and not the first process of the machine. A child of ours that nobody here started, in another session than
//! ours, is such an orphan; that it gave up gaining privileges, which nobody can take back, says that it comes from a
//! fence and not from an editor that the operator was lent. Whose of several runs it is cannot be told in every case: it
//! counts for a run when no other one was there when it was started. Owns the list of children that were started here and of
//! runs that are looked after; a dead orphan is reaped by whoever looks.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use nix::sys::wait::{WaitPidFlag, waitpid};

use super::group::raw;
use super::stat::Stat;

/// A fenced child that is looked after; ends when the last clone is dropped.
#[derive(Debug)]
pub(super) struct Adoption {
    /// Clock ticks since boot at its start; the largest number until they are known.
    since: AtomicU64,
}

/// Children that were started here and not reaped yet. Held while one is started, so that nobody takes it for an orphan.
pub(super) fn leaders() -> MutexGuard<'static, HashSet<u32>> {
    static LEADERS: OnceLock<Mutex<HashSet<u32>>> = OnceLock::new();
    LEADERS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

fn active() -> MutexGuard<'static, Vec<Weak<Adoption>>> {
    static ACTIVE: Mutex<Vec<Weak<Adoption>>> = Mutex::new(Vec::new());
    ACTIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Adoption {
    /// From before the child is started.
    pub(super) fn begin() -> Arc<Adoption> {
        let adoption = Arc::new(Adoption { since: AtomicU64::new(u64::MAX) });
        let mut active = active();
        active.retain(|other| other.strong_count() > 0);
        active.push(Arc::downgrade(&adoption));
        subreaper(true);
        adoption
    }

    /// The child was started then.
    pub(super) fn started(&self, ticks: u64) {
        self.since.store(ticks, Ordering::Release);
    }

    /// Whether an orphan is to be taken for one of this child's.
    pub(super) fn claims(&self, stat: &Stat, leaders: &HashSet<u32>) -> bool {
        let was_there = |since: u64| since <= stat.start_ticks;
        if !was_there(self.since.load(Ordering::Acquire)) || !is_orphan(stat, leaders) {
            return false;
        }
        let others: Vec<Arc<Adoption>> = active().iter().filter_map(Weak::upgrade).collect();
        let rivals = others.iter().filter(|other| was_there(other.since.load(Ordering::Acquire))).count();
        rivals == 1 && !is_fenced("self") && is_fenced(&stat.pid.to_string())
    }
}

impl Drop for Adoption {
    fn drop(&mut self) {
        let mut active = active();
        active.retain(|other| other.strong_count() > 0);
        if active.is_empty() {
            subreaper(false);
        }
    }
}

/// Reaps a dead orphan, which is nobody else's to wait for.
pub(super) fn reap(stat: &Stat, leaders: &HashSet<u32>) {
    if stat.zombie
        && is_orphan(stat, leaders)
        && let Some(pid) = raw(stat.pid)
    {
        let _ = waitpid(pid, Some(WaitPidFlag::WNOHANG));
    }
}

/// A child of ours, in a session that is not ours, that was not started here.
fn is_orphan(stat: &Stat, leaders: &HashSet<u32>) -> bool {
    let own = std::process::id();
    stat.parent == own
        && !leaders.contains(&stat.pid)
        && Stat::read(own).is_some_and(|ours| ours.session != stat.session)
}

/// Whether a process can gain no privileges any more, as everybody behind the kernel's fence.
fn is_fenced(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/status"))
        .is_ok_and(|status| status.lines().any(|line| line.split_ascii_whitespace().eq(["NoNewPrivs:", "1"])))
}

fn subreaper(is_one: bool) {
    #[cfg(target_os = "linux")]
    if let Err(error) = nix::sys::prctl::set_child_subreaper(is_one) {
        tracing::warn!(%error, "orphans of fenced children cannot be adopted");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = is_one;
}
