//! The log file of the console and of `queue run`: in the user's state folder, never on the terminal.
//!
//! `KORU_TUI_LOG` is an env-filter such as `koru_tui=debug`; the default is `info`. One file a day, five are kept.

use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::EnvFilter;

use crate::base::{atomic, paths};

/// Keeps the log going; dropping it writes what is left.
#[derive(Debug)]
pub(super) struct LogGuard {
    _worker: WorkerGuard,
}

/// Starts the log; `None` when there is nowhere to write it, which is no reason not to work.
pub(super) fn start() -> Option<LogGuard> {
    let folder = paths::state_dir()?.join("log");
    atomic::make_private_dir(&folder).ok()?;
    let file = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("koru-tui")
        .filename_suffix("log")
        .max_log_files(5)
        .build(folder)
        .ok()?;
    let (writer, worker) = tracing_appender::non_blocking(file);
    let filter = EnvFilter::try_from_env("KORU_TUI_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(false).try_init().ok()?;
    Some(LogGuard { _worker: worker })
}
