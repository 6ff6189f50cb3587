#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]
//! Waiting for what other processes do to the file system.

use std::path::Path;
use std::time::{Duration, Instant};

use super::pty::patience;

/// Asks every 10 ms until there is an answer; panics after [`patience`]. Other processes announce nothing to us, so this
/// is the one place that polls.
#[track_caller]
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + patience();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited {:?} for {what}", patience());
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits for a file and gives its trimmed text once it has any.
#[track_caller]
pub fn text_in(path: &Path) -> String {
    until(&format!("text in {}", path.display()), || {
        let text = std::fs::read_to_string(path).ok()?;
        (text.ends_with('\n') && !text.trim().is_empty()).then(|| text.trim().to_owned())
    })
}

/// Whether a process lives; a zombie does not.
pub fn is_alive(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .ok()
        .and_then(|stat| {
            stat.rsplit(')').next().map(|rest| !matches!(rest.trim_start().chars().next(), Some('Z' | 'X')))
        })
        .unwrap_or(false)
}

/// Waits until a process is gone.
#[track_caller]
pub fn gone(pid: &str) {
    until(&format!("process {pid} to end"), || (!is_alive(pid)).then_some(()));
}
