//! Child processes that leave nobody behind.
//!
//! - [`Program`] says what to run; [`Program::spawn`] starts it as the leader of a session of its own (hence of a
//!   process group of its own): it has no controlling terminal, so it can neither read our keys nor draw over our
//!   screen, and whatever it starts is found again by the session's number even when a tool such as `timeout` moves
//!   itself to another group.
//! - It is killed when we die (PDEATHSIG). That signal is tied to the *thread* that spawned it, and tokio's threads
//!   come and go, so every child is spawned from one thread that never ends ([`spawn`]).
//! - [`Group::stop`] is the stop ladder: TERM (and CONT) to all, grace, KILL to all, also when the leader is long gone.
//!   "Gone" counts processes that are not zombies in `/proc`: a killed orphan stays a zombie until pid 1 looks at it.
//! - [`ProcessIdentity`] finds a child again after *we* were killed; [`Group::of_orphan`] stops what is left of it.
//!   What a killed console leaves is at worst the grandchildren: PDEATHSIG took the leader.
//!
//! What a child inherits of our environment is decided by whoever starts it: [`Program`] passes on nothing by itself.
//! To a [`Group`], a process that makes a session of its own (a daemon) has left on purpose and is left alone; a [`Tree`]
//! finds those too. This module owns no record on disk; whoever starts a run writes down its identity.
//!
//! Future work: that a *killed* console leaves nobody either. Today only the leader hears of it (PDEATHSIG is not passed
//! on to children); the rest lives until the next start finds it by its marker. The cheap and sound way is a warden: a
//! hidden call of our own binary, started in place of the command, that leads the session, holds the read end of a pipe
//! whose write end only we have, runs the command as its child and hands on its exit status. End of file on the pipe
//! means that we are gone, whichever thread or signal it was, and the warden then does what [`Group::stop`] does and
//! ends. It has to ignore TERM and CONT to its group (they are meant for the command), to close the pipe in its child,
//! to report `NotFound` as [`SpawnError`] does, and it costs one more `exec` and about a megabyte a run. Rejected:
//! PDEATHSIG in every child (lost at each `fork`), a PID namespace (scripts see other pids; often forbidden), and
//! `cgroup.kill` (needs a delegated cgroup).

mod adoption;
mod confine;
mod group;
mod identity;
mod spawn;
mod stat;
mod tree;

pub use confine::{ConfineError, Confinement, landlock_version};
pub use group::{Group, Stopped};
pub use identity::ProcessIdentity;
pub use spawn::{MARKER, Program, Running, SpawnError};
pub use tree::Tree;

use std::os::fd::AsFd;
use std::time::Duration;

/// How long output may still come once the leader has ended: a grandchild that inherited the pipe can hold it open
/// for ever. Wrap the wait for end of file in a timeout of this length, then [`Group::stop`] who is left.
pub const PIPE_GRACE: Duration = Duration::from_millis(500);

/// Lets a child write so many bytes ahead of us into this pipe of its output, where the system has a way to say so: a
/// program that prints much is woken less often. The usual 64 KiB do where it is refused.
pub fn widen(pipe: &impl AsFd, bytes: usize) {
    #[cfg(target_os = "linux")]
    if let Ok(bytes) = i32::try_from(bytes) {
        use nix::fcntl::{FcntlArg, fcntl};
        // Too much for this user, perhaps: see above.
        let _ = fcntl(pipe, FcntlArg::F_SETPIPE_SZ(bytes));
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (pipe, bytes);
}

/// Whether a process of `session` outside of `group` is the parent of one inside: then a shell can continue the group
/// after it was stopped.
pub(super) fn is_continuable(group: u32, session: u32) -> bool {
    stat::Stat::all().filter(|member| member.group == group).any(|member| {
        stat::Stat::read(member.parent)
            .is_some_and(|parent| parent.session == session && parent.group != group && !parent.zombie)
    })
}

#[cfg(test)]
mod tests;
