//! The run log of one drain: `runs/queue-<YYYYMMDDTHHMMSSZ>-<pid>.jsonl`, one JSON object a line, keys sorted (koru §4.7).
//!
//! The log owns its file and always closes it with a `run.end`, also when it is dropped on the way (a panic, an early
//! return). Writing never fails a run: the first error is handed back once, then the log is silent. Every write is one
//! line, so a reader only ever finds a torn line at the end, and ignores it.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::tail::{head_chars, tail_chars};
use crate::base::atomic;

/// Characters of a message or a tail (koru §4.7).
const TEXT_CHARS: usize = 500;

/// Longest line that is read back; ours are far shorter.
const LINE_LIMIT: u64 = 1024 * 1024;

/// What `run.start` says.
#[derive(Clone, Debug)]
pub struct LogStart<'a> {
    /// Project folder.
    pub project: &'a str,
    /// Whether it loops.
    pub looped: bool,
    /// Recorded in tickets.
    pub actor: &'a str,
    /// Only this queue.
    pub queue: Option<&'a str>,
    /// Whether answers may be asked for.
    pub interactive: bool,
    /// When.
    pub at: Timestamp,
}

/// What an `iteration` says. Texts are redacted and otherwise foreign.
#[derive(Clone, Debug)]
pub struct LogIteration<'a> {
    /// From 1.
    pub iteration: u32,
    /// Ticket.
    pub ticket: Option<&'a str>,
    /// Executor kind word.
    pub executor: Option<&'a str>,
    /// Status word.
    pub status: &'a str,
    /// Exit code.
    pub exit_code: Option<i32>,
    /// Message; the first 500 characters are kept.
    pub message: &'a str,
    /// The last 500 characters are kept.
    pub stdout: &'a str,
    /// The last 500 characters are kept.
    pub stderr: &'a str,
    /// Milliseconds from dispatch to end.
    pub duration_ms: u64,
    /// When.
    pub at: Timestamp,
}

/// Counts for `run.end`, kept up to date while the drain goes on.
#[derive(Clone, Debug, Default)]
struct Totals {
    iterations: u32,
    completed: Vec<String>,
    failed: Vec<String>,
    waiting: Vec<String>,
    last_status: Option<String>,
}

impl Totals {
    /// Each ticket stands in the list of its last result.
    fn add(&mut self, tick: &LogIteration<'_>) {
        self.iterations = tick.iteration;
        self.last_status = Some(tick.status.to_owned());
        let Some(ticket) = tick.ticket else { return };
        self.failed.retain(|other| other != ticket);
        match tick.status {
            "completed" => self.completed.push(ticket.to_owned()),
            "failed" => self.failed.push(ticket.to_owned()),
            "waiting_input" => self.waiting.push(ticket.to_owned()),
            _ => {}
        }
    }
}

/// An open run log.
#[derive(Debug)]
pub struct RunLog {
    file: Option<File>,
    name: String,
    run_id: String,
    started: Timestamp,
    clock: crate::base::clock::Clock,
    totals: Totals,
    ended: bool,
}

impl RunLog {
    /// Makes the log in the folder `runs` and writes `run.start`.
    ///
    /// # Errors
    /// Any I/O error; the drain goes on without a log.
    pub fn create(runs: &Path, start: &LogStart<'_>, clock: crate::base::clock::Clock) -> io::Result<RunLog> {
        let run_id = format!("queue-{}-{}", start.at.strftime("%Y%m%dT%H%M%SZ"), std::process::id());
        atomic::make_own_dir(runs)?;
        let (file, name) = open_new(runs, &run_id)?;
        let totals = Totals::default();
        let mut log =
            RunLog { file: Some(file), name, run_id, started: start.at, clock, totals, ended: false };
        log.write(&[
            ("type", json!("run.start")),
            ("run_id", json!(log.run_id)),
            ("started_at", json!(second(start.at))),
            ("project", json!(start.project)),
            ("mode", json!(if start.looped { "loop" } else { "single" })),
            ("pid", json!(std::process::id())),
            ("actor", json!(start.actor)),
            ("queue_name", json!(start.queue)),
            ("interactive", json!(start.interactive)),
        ])?;
        Ok(log)
    }

    /// File name inside the runs folder.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Writes one tick.
    ///
    /// # Errors
    /// The first I/O error; after it the log is silent.
    pub fn iteration(&mut self, tick: &LogIteration<'_>) -> io::Result<()> {
        self.totals.add(tick);
        self.write(&[
            ("type", json!("iteration")),
            ("run_id", json!(self.run_id)),
            ("iteration", json!(tick.iteration)),
            ("ticket_id", json!(tick.ticket)),
            ("executor_kind", json!(tick.executor)),
            ("status", json!(tick.status)),
            ("exit_code", json!(tick.exit_code)),
            ("message", json!(head_chars(tick.message, TEXT_CHARS))),
            ("stdout_tail", json!(tail_chars(tick.stdout, TEXT_CHARS))),
            ("stderr_tail", json!(tail_chars(tick.stderr, TEXT_CHARS))),
            ("duration_seconds", seconds(tick.duration_ms)),
            ("at", json!(second(tick.at))),
        ])
    }

    /// Writes `run.end`.
    ///
    /// # Errors
    /// The I/O error, if it is the first.
    pub fn end(mut self) -> io::Result<()> {
        self.write_end()
    }

    fn write_end(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.ended, true) {
            return Ok(());
        }
        let now = self.clock.now();
        let ms = u64::try_from(now.duration_since(self.started).as_millis()).unwrap_or(0);
        let totals = std::mem::take(&mut self.totals);
        self.write(&[
            ("type", json!("run.end")),
            ("run_id", json!(self.run_id)),
            ("finished_at", json!(second(now))),
            ("duration_seconds", seconds(ms)),
            ("iterations", json!(totals.iterations)),
            ("completed", json!(totals.completed)),
            ("failed", json!(totals.failed)),
            ("waiting", json!(totals.waiting)),
            ("last_status", json!(totals.last_status)),
        ])
    }

    fn write(&mut self, fields: &[(&str, Value)]) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let sorted: BTreeMap<&str, &Value> = fields.iter().map(|(name, value)| (*name, value)).collect();
        let mut line = serde_json::to_vec(&sorted)?;
        line.push(b'\n');
        let written = file.write_all(&line);
        if written.is_err() {
            self.file = None;
        }
        written
    }
}

impl Drop for RunLog {
    fn drop(&mut self) {
        // An early end has nobody to tell.
        let _ = self.write_end();
    }
}

/// One line of a log, read back.
#[derive(Clone, Debug, PartialEq)]
pub struct LogEntry {
    /// `run.start`, `iteration`, `run.end`, or what a later version added.
    pub kind: String,
    /// All fields, `type` included.
    pub fields: Map<String, Value>,
}

/// The lines of the log at `path`; torn, overlong and foreign lines are left out.
///
/// # Errors
/// The file cannot be opened or read.
pub fn read(path: &Path) -> io::Result<Vec<LogEntry>> {
    let mut reader = BufReader::new(super::folder::open_private(path)?);
    let mut entries = Vec::new();
    loop {
        let mut line = Vec::new();
        let read = io::Read::take(&mut reader, LINE_LIMIT).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(entries);
        }
        entries.extend(parse_line(&line));
    }
}

/// One line of a log; `None` when it is torn or not ours.
pub fn parse_line(line: &[u8]) -> Option<LogEntry> {
    let line = line.strip_suffix(b"\n")?;
    let Value::Object(fields) = serde_json::from_slice(line).ok()? else { return None };
    let kind = fields.get("type")?.as_str()?.to_owned();
    Some(LogEntry { kind, fields })
}

/// A new file with that name; two drains of one process in one second get a number each.
fn open_new(runs: &Path, run_id: &str) -> io::Result<(File, String)> {
    let mut n = 0_u32;
    loop {
        let name = if n == 0 { format!("{run_id}.jsonl") } else { format!("{run_id}-{n}.jsonl") };
        let path: PathBuf = runs.join(&name);
        match OpenOptions::new().append(true).create_new(true).mode(0o600).open(path) {
            Ok(file) => return Ok((file, name)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && n < 1000 => n += 1,
            Err(error) => return Err(error),
        }
    }
}

fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Seconds with three decimal places.
fn seconds(ms: u64) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "a duration in milliseconds is far below 2^52")]
    let seconds = ms as f64 / 1000.0;
    json!(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Clock;

    fn start(at: Timestamp) -> LogStart<'static> {
        LogStart { project: "/p", looped: true, actor: "me", queue: None, interactive: false, at }
    }

    fn tick<'a>(message: &'a str, at: Timestamp) -> LogIteration<'a> {
        LogIteration {
            iteration: 1,
            ticket: Some("PLF-1"),
            executor: Some("shell"),
            status: "completed",
            exit_code: Some(0),
            message,
            stdout: "out",
            stderr: "",
            duration_ms: 1500,
            at,
        }
    }

    #[test]
    fn lines_have_sorted_keys_and_short_texts() {
        let runs = tempfile::tempdir().unwrap();
        let at: Timestamp = "2026-11-21T06:00:00.5Z".parse().unwrap();
        let clock = Clock::manual(at);
        let mut log = RunLog::create(runs.path(), &start(at), clock.clone()).unwrap();
        let path = runs.path().join(log.name());
        assert_eq!(log.name(), format!("queue-20261121T060000Z-{}.jsonl", std::process::id()));
        log.iteration(&tick(&"m".repeat(5000), at)).unwrap();
        clock.set("2026-11-21T06:00:02.75Z".parse().unwrap());
        log.end().unwrap();

        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        for line in &lines {
            let Value::Object(fields) = serde_json::from_str(line).unwrap() else { panic!("{line}") };
            assert!(fields.keys().is_sorted(), "{line}");
        }
        let entries = read(&path).unwrap();
        assert_eq!(entries[1].fields["message"].as_str().unwrap().len(), 500);
        assert_eq!(entries[1].fields["duration_seconds"], json!(1.5));
        assert_eq!(
            lines[2],
            format!(
                "{{\"completed\":[\"PLF-1\"],\"duration_seconds\":2.25,\"failed\":[],\
                 \"finished_at\":\"2026-11-21T06:00:02Z\",\"iterations\":1,\"last_status\":\"completed\",\
                 \"run_id\":\"queue-20261121T060000Z-{}\",\"type\":\"run.end\",\"waiting\":[]}}",
                std::process::id()
            )
        );
    }

    #[test]
    fn a_dropped_log_is_closed_and_a_torn_line_ignored() {
        let runs = tempfile::tempdir().unwrap();
        let at: Timestamp = "2026-11-21T06:00:00Z".parse().unwrap();
        let log = RunLog::create(runs.path(), &start(at), Clock::manual(at)).unwrap();
        let second = RunLog::create(runs.path(), &start(at), Clock::manual(at)).unwrap();
        assert_ne!(log.name(), second.name());
        let path = runs.path().join(log.name());
        drop(log);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"[1]\n{\"type\": 3}\nnot json\n{\"type\":\"iter").unwrap();
        let kinds: Vec<String> = read(&path).unwrap().into_iter().map(|entry| entry.kind).collect();
        assert_eq!(kinds, ["run.start", "run.end"]);
    }
}
