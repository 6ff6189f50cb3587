//! The only module with `unsafe`: the few system calls that std, nix and tokio do not offer safely.
//!
//! What stands here is as small as it can be, and each `unsafe` block says why it is sound.
#![expect(unsafe_code, reason = "this is the one module that may, see the head")]

use std::fs::File;
use std::io;
use std::ops::Range;
#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;

use tokio::process::Command;

/// Makes the child of `command` lead a session (and with it a process group) of its own, without a controlling
/// terminal, and be killed when the *thread* that spawns it ends, which is why [`super::process`] spawns from a thread
/// that never ends. A child whose parent died in between does not start.
pub(super) fn lead_session_and_die_with_parent(command: &mut Command) {
    let parent = nix::unistd::getpid();
    let in_child = move || {
        nix::unistd::setsid()?;
        #[cfg(target_os = "linux")]
        nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?;
        if nix::unistd::getppid() == parent { Ok(()) } else { Err(io::Error::from(nix::errno::Errno::ESRCH)) }
    };
    // SAFETY: the closure runs between fork and exec. It makes three system calls (all async-signal-safe), takes no
    // lock, and allocates nothing: both error conversions keep the bare error number.
    unsafe {
        command.pre_exec(in_child);
    }
}

/// Lets the disk begin with these bytes of `file` while the caller goes on writing; a later sync then waits less.
///
/// Only a hint: nothing is promised, and an error that the disk meets stays for the sync to report.
pub(super) fn start_writeback(file: &File, bytes: Range<u64>) {
    #[cfg(target_os = "linux")]
    if let (Ok(offset), Ok(len)) = (i64::try_from(bytes.start), i64::try_from(bytes.end - bytes.start)) {
        use nix::libc;
        // SAFETY: the descriptor is open as long as `file` is borrowed, and the call touches no memory of ours.
        let _ = unsafe { libc::sync_file_range(file.as_raw_fd(), offset, len, libc::SYNC_FILE_RANGE_WRITE) };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (file, bytes);
}
