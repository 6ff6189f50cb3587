//! The log file of the console and of `queue run`: in the user's state folder, never on the terminal.
//!
//! `KORU_TUI_LOG` is an env-filter such as `koru_tui=debug`; the default is `info`. One file a day, five are kept. The
//! file and the thread that writes it are made with the first line: most runs of one ticket have nothing to log, and
//! their start-up is what they cost.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::writer::OptionalWriter;

use crate::base::{atomic, paths};

/// Lines that may wait for the disk; more are dropped rather than waited for. The room for them is taken at once.
const LINES: usize = 4096;

/// Keeps the log going; dropping it writes what is left.
#[derive(Debug)]
pub(super) struct LogGuard {
    log: Arc<Log>,
}

/// The log's file, once there is something to write.
#[derive(Debug)]
struct Log {
    folder: PathBuf,
    writer: OnceLock<Option<NonBlocking>>,
    worker: Mutex<Option<WorkerGuard>>,
}

/// What the subscriber writes to.
struct Late(Arc<Log>);

/// Starts the log; `None` when there is nowhere to write it, which is no reason not to work.
pub(super) fn start() -> Option<LogGuard> {
    let folder = paths::state_dir()?.join("log");
    let log = Arc::new(Log { folder, writer: OnceLock::new(), worker: Mutex::new(None) });
    let lines = tracing_subscriber::fmt().with_writer(Late(Arc::clone(&log))).with_ansi(false);
    let wanted = EnvFilter::try_from_env("KORU_TUI_LOG");
    let filter = wanted.unwrap_or_else(|_| EnvFilter::default().add_directive(LevelFilter::INFO.into()));
    // The MCP SDK logs what servers say, word for word and with every secret in it.
    let filter = match "rmcp=off".parse() {
        Ok(directive) => filter.add_directive(directive),
        Err(_) => filter,
    };
    let started = lines.with_env_filter(filter).try_init();
    started.ok().map(|()| LogGuard { log })
}

impl<'a> MakeWriter<'a> for Late {
    type Writer = OptionalWriter<NonBlocking>;

    fn make_writer(&'a self) -> Self::Writer {
        match self.0.writer.get_or_init(|| self.0.begin()) {
            Some(writer) => OptionalWriter::some(writer.clone()),
            None => OptionalWriter::none(),
        }
    }
}

impl Log {
    fn begin(&self) -> Option<NonBlocking> {
        let file = open(&self.folder)?;
        let (writer, worker) = NonBlockingBuilder::default().buffered_lines_limit(LINES).finish(file);
        *self.worker.lock().unwrap_or_else(PoisonError::into_inner) = Some(worker);
        Some(writer)
    }
}

fn open(folder: &Path) -> Option<RollingFileAppender> {
    atomic::make_private_dir(folder).ok()?;
    RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("koru-tui")
        .filename_suffix("log")
        .max_log_files(5)
        .build(folder)
        .ok()
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        drop(self.log.worker.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}
