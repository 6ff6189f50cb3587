#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]
//! Processes that a test left behind: who lives and belongs to a throw-away folder.
//!
//! A process belongs to a folder when it works in it or below, or when the folder's path stands in the environment it
//! was started with (every program of the suites is given a home folder in there). Both survive a new session and the
//! death of the parent. Only throw-away folders of these suites are ever asked about, so that nothing else is killed.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::wait;

/// What the names of our throw-away folders begin with.
pub const PREFIX: &str = "koru-tui-";

/// How long a process that was told to end may take.
const LIMIT: Duration = Duration::from_secs(5);

/// The environment variable that the console gives its children, with the console's pid in front.
const MARKER: &str = "KORU_TUI_SPAWN";

/// A living process: its number and its command line.
pub type Found = (Pid, String);

/// Who lives and belongs to `folder`, this process excepted.
pub fn of_folder(folder: &Path) -> Vec<Found> {
    assert!(
        folder.file_name().is_some_and(|name| name.as_bytes().starts_with(PREFIX.as_bytes())),
        "{} is no throw-away folder",
        folder.display()
    );
    living(|pid, environ| {
        let path = folder.as_os_str().as_bytes();
        contains(environ, path)
            || fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(folder))
    })
}

/// Who lives and was started by the console with this pid (at any depth).
pub fn of_console(console: Pid) -> Vec<Found> {
    let wanted = format!("{MARKER}={console}-");
    living(|_, environ| environ.split(|byte| *byte == 0).any(|var| var.starts_with(wanted.as_bytes())))
}

/// Waits up to `limit` until `who` finds nobody; gives those who are left.
pub fn wait_none(limit: Duration, who: impl Fn() -> Vec<Found>) -> Vec<Found> {
    let until = Instant::now() + limit;
    loop {
        let left = who();
        if left.is_empty() || Instant::now() >= until {
            return left;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Kills whomever `who` finds until there is nobody, and says so; whoever resists for 5 s hangs in the kernel.
pub fn kill_all(who: impl Fn() -> Vec<Found>) {
    wait_none(LIMIT, || {
        // Again each time: one of them may have been starting another.
        let left = who();
        for (pid, line) in &left {
            eprintln!("killing what was left behind: {pid} {line}");
            let _ = kill(*pid, Signal::SIGKILL);
        }
        left
    });
}

/// For the end of a throw-away folder: fails the test when somebody still lives there, after killing them.
pub fn end(folder: &Path) {
    let ours = || of_folder(folder);
    // What was told to end just now may take a moment.
    let left = wait_none(Duration::from_secs(2), ours);
    kill_all(ours);
    assert!(left.is_empty() || std::thread::panicking(), "the test left these behind: {left:?}");
}

fn living(is_meant: impl Fn(&str, &[u8]) -> bool) -> Vec<Found> {
    let own = std::process::id().to_string();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|pid| pid.bytes().all(|byte| byte.is_ascii_digit()) && *pid != own)
        .filter(|pid| {
            let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            is_meant(pid, &environ) && wait::is_alive(pid)
        })
        .map(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            (Pid::from_raw(pid.parse().unwrap()), line)
        })
        .collect()
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
