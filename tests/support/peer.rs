#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]
//! Programs by others that suites test against. A peer that is absent is noted by name, never passed over in silence.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The Python interpreter that has planfile 0.1.126 installed: `KORU_TUI_PEER_PYTHON`, else the one that `tests/run`
/// provisions. `None`, noted as skipped, when there is none: the test then returns at once.
pub fn planfile_python() -> Option<PathBuf> {
    let python = std::env::var_os("KORU_TUI_PEER_PYTHON")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(".peers/venv/bin/python"), PathBuf::from);
    if python.is_file() {
        return Some(python);
    }
    skipped("planfile 0.1.126");
    None
}

/// The `planfile` program that belongs to [`planfile_python`].
pub fn planfile() -> Option<PathBuf> {
    let program = planfile_python()?.with_file_name("planfile");
    program.is_file().then_some(program).or_else(|| {
        skipped("planfile 0.1.126");
        None
    })
}

/// The `loop` program of agent-task-runner 0.3.1: `KORU_TUI_PEER_LOOP`, else the one that `tests/run` provisions.
pub fn loop_kit() -> Option<PathBuf> {
    let program = std::env::var_os("KORU_TUI_PEER_LOOP").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join(".peers/loop-kit/bin/loop"),
        PathBuf::from,
    );
    program.is_file().then_some(program).or_else(|| {
        skipped("agent-task-runner 0.3.1");
        None
    })
}

/// A program on the search path. `None`, noted as skipped, when it is not installed.
pub fn program(name: &str) -> Option<PathBuf> {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    if found.is_none() {
        skipped(name);
    }
    found
}

/// Notes that a suite did not run for want of `peer`; `tests/run` counts these and fails on one in CI.
pub fn skipped(peer: &str) {
    let line = format!("SKIPPED peer: {peer}\n");
    eprint!("{line}");
    if let Some(log) = std::env::var_os("KORU_TUI_SKIP_LOG") {
        OpenOptions::new().create(true).append(true).open(log).unwrap().write_all(line.as_bytes()).unwrap();
    }
}
