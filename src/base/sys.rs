//! The only module with `unsafe`: the few system calls that std, nix and tokio do not offer safely.
//!
//! What stands here is as small as it can be, and each `unsafe` block says why it is sound.
#![expect(unsafe_code, reason = "this is the one module that may, see the head")]

use std::fs::File;
use std::io;
use std::ops::Range;
#[cfg(target_os = "linux")]
use std::os::fd::{AsRawFd, OwnedFd};

use tokio::process::Command;

/// Makes the child of `command` lead a session (and with it a process group) of its own, without a controlling
/// terminal, and be killed when the *thread* that spawns it ends, which is why [`super::process`] spawns from a thread
/// that never ends. A child whose parent died in between does not start.
pub(super) fn lead_session_and_die_with_parent(command: &mut Command) {
    let parent = nix::unistd::getpid();
    let in_child = move || {
        close_rest();
        nix::unistd::setsid()?;
        #[cfg(target_os = "linux")]
        nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?;
        if nix::unistd::getppid() == parent { Ok(()) } else { Err(io::Error::from(nix::errno::Errno::ESRCH)) }
    };
    // SAFETY: the closure runs between fork and exec. It makes four system calls (all async-signal-safe), takes no
    // lock, and allocates nothing: both error conversions keep the bare error number.
    unsafe {
        command.pre_exec(in_child);
    }
}

/// Has everything but the three standard descriptors closed when the program starts: what we inherited from whoever
/// started us is nothing to a child. (What we open ourselves is marked so from the beginning.)
fn close_rest() {
    #[cfg(target_os = "linux")]
    {
        use nix::libc;
        // SAFETY: the call touches no memory of ours; marking a descriptor closes nothing before the program starts.
        // An old kernel that does not know it leaves everything as it was.
        let _ = unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    }
}

/// Capabilities with which a superuser behind the fence could look or reach around it: at other processes' memory and
/// environment, at files by their handles or as devices, at the kernel and its clock.
#[cfg(target_os = "linux")]
const BEYOND: [u32; 11] = [
    2,  // CAP_DAC_READ_SEARCH
    16, // CAP_SYS_MODULE
    17, // CAP_SYS_RAWIO
    19, // CAP_SYS_PTRACE
    21, // CAP_SYS_ADMIN
    22, // CAP_SYS_BOOT
    25, // CAP_SYS_TIME
    27, // CAP_MKNOD
    38, // CAP_PERFMON
    39, // CAP_BPF
    40, // CAP_CHECKPOINT_RESTORE
];

/// Confines the child of `command`, and all that it starts, to the Landlock `rules`; it gains no privileges any more.
/// A child that cannot be confined does not start.
#[cfg(target_os = "linux")]
pub(super) fn enter_landlock(command: &mut Command, rules: OwnedFd) {
    use nix::libc;
    let in_child = move || {
        // The kernel lets only those fence themselves who cannot gain privileges by it.
        nix::sys::prctl::set_no_new_privs()?;
        for capability in BEYOND {
            // SAFETY: the call touches no memory of ours. Who is no superuser may not and has nothing to drop.
            let _ = unsafe { libc::prctl(libc::PR_CAPBSET_DROP, libc::c_ulong::from(capability), 0, 0, 0) };
        }
        // SAFETY: the descriptor is owned by this closure, and the call touches no memory of ours.
        let entered = unsafe { libc::syscall(libc::SYS_landlock_restrict_self, rules.as_raw_fd(), 0) };
        if entered == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    };
    // SAFETY: the closure runs between fork and exec. It only makes system calls, takes no lock, and allocates nothing:
    // both errors keep the bare error number. The descriptor was made close-on-exec, so the program does not get it.
    unsafe {
        command.pre_exec(in_child);
    }
}

/// Version of the kernel's Landlock interface.
///
/// # Errors
/// What the kernel says: `ENOSYS` when it is built without, `EOPNOTSUPP` when it is switched off.
pub(super) fn landlock_version() -> io::Result<i32> {
    #[cfg(target_os = "linux")]
    {
        use nix::libc;
        const ASK_VERSION: u32 = 1;
        let nothing = std::ptr::null::<libc::c_void>();
        // SAFETY: with this flag the call takes no attributes and only answers a number.
        let version =
            unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, nothing, 0_usize, ASK_VERSION) };
        if version < 0 {
            return Err(io::Error::last_os_error());
        }
        i32::try_from(version).map_err(io::Error::other)
    }
    #[cfg(not(target_os = "linux"))]
    Err(io::Error::from_raw_os_error(nix::libc::ENOSYS))
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
