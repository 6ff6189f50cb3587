//! What happened, line by line: `logs/feed.jsonl` (loop-kit §10), rotated at 5 MiB with three older files kept. A log: it
//! is not synced, and failing to write it stops nobody.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use jiff::Timestamp;
use nix::fcntl::OFlag;
use serde_json::{Value, json};

use super::{Bus, Role, stamp};

/// Bytes after which a log begins anew.
const LIMIT: u64 = 5 * 1024 * 1024;

/// Older files that are kept.
const KEPT: u32 = 3;

/// How much an entry matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// For the record.
    Info,
    /// To be looked at.
    Warning,
    /// Something failed.
    Error,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

impl Bus {
    /// Adds an entry to the feed.
    pub fn tell(&self, now: Timestamp, level: Level, event: &str, data: Value) {
        let entry = json!({"ts": stamp(now), "level": level.word(), "event": event, "data": data});
        self.append("feed.jsonl", format!("{entry}\n").as_bytes());
    }

    /// Adds what an agent was called with and what it said to `logs/<role>_dispatch.log`.
    pub fn tell_dispatch(&self, role: Role, entry: &str) {
        self.append(&format!("{}_dispatch.log", role.word()), entry.as_bytes());
    }

    fn append(&self, name: &str, bytes: &[u8]) {
        let Ok(folder) = self.make_folder(&["logs"]) else { return };
        let path = folder.join(name);
        if let Some(mut file) = open(&path) {
            if file.metadata().is_ok_and(|found| found.len() >= LIMIT) {
                rotate(&path);
                match open(&path) {
                    Some(fresh) => file = fresh,
                    None => return,
                }
            }
            // A log that cannot be written must not stop the work.
            let _ = file.write_all(bytes);
        }
    }
}

fn open(path: &Path) -> Option<File> {
    let flags = (OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits();
    let mut options = OpenOptions::new();
    let file = options.append(true).create(true).mode(0o600).custom_flags(flags).open(path).ok()?;
    file.metadata().is_ok_and(|found| found.is_file()).then_some(file)
}

fn rotate(path: &Path) {
    let old = |n: u32| {
        path.with_extension(format!("{}.{n}", path.extension().unwrap_or_default().to_string_lossy()))
    };
    for n in (1..KEPT).rev() {
        let _ = std::fs::rename(old(n), old(n + 1));
    }
    let _ = std::fs::rename(path, old(1));
}
