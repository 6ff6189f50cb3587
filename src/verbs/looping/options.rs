//! What `loop run` goes by: a flag, else a variable, else `config.yaml` or `config.json` of the folder, else the default
//! (loop-kit §2, §14). A configuration that cannot be read counts as absent, and is told.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use nix::fcntl::OFlag;
use serde_json::{Map, Value};

use super::super::cli::looping::RunArgs;
use super::super::error::VerbError;
use crate::base::yaml;
use crate::verify::looping::{How, Rules, known_backend};

/// Bytes of a configuration that are read.
const LIMIT: u64 = 1024 * 1024;

/// Everything that `loop run` goes by.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) rules: Rules,
    pub(super) how: How,
    pub(super) dispatch_timeout: Option<Duration>,
    pub(super) artifact_timeout: Option<Duration>,
    pub(super) phase_timeout: Option<Duration>,
    pub(super) heartbeat: Option<Duration>,
    /// What of the configuration does not count.
    pub(super) notes: Vec<String>,
}

/// The folder's configuration.
struct Config {
    map: Map<String, Value>,
    notes: Vec<String>,
}

impl Config {
    fn load(folder: &Path) -> Self {
        for name in ["config.yaml", "config.json"] {
            let path = folder.join(name);
            if path.symlink_metadata().is_err() {
                continue;
            }
            let read = || -> Option<Map<String, Value>> {
                // JSON is YAML too.
                yaml::from_str(&small_text(&path)?).ok()
            };
            return match read() {
                Some(map) => Self { map, notes: Vec::new() },
                None => Self {
                    map: Map::new(),
                    notes: vec![format!("{} cannot be read; the defaults count", path.display())],
                },
            };
        }
        Self { map: Map::new(), notes: Vec::new() }
    }

    fn value<T>(&mut self, key: &str, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        let value = self.map.get(key)?;
        let read = read(value);
        if read.is_none() {
            self.notes.push(format!(
                "`{key}` in the loop's configuration is of the wrong type; the default counts"
            ));
        }
        read
    }

    fn seconds(&mut self, flag: Option<f64>, key: &str, default: f64) -> f64 {
        flag.or_else(|| self.value(key, Value::as_f64)).unwrap_or(default)
    }

    fn count(&mut self, flag: Option<i64>, key: &str, default: i64) -> i64 {
        flag.or_else(|| self.value(key, Value::as_i64)).unwrap_or(default)
    }

    fn word(&mut self, flag: Option<&String>, key: &str) -> Option<String> {
        flag.cloned().or_else(|| self.value(key, |value| value.as_str().map(str::to_owned)))
    }
}

/// The text of a file that is short enough. A pipe is opened without waiting for its writer, and left alone.
fn small_text(path: &Path) -> Option<String> {
    let flags = OFlag::O_NONBLOCK.bits();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
    file.metadata().ok().filter(|found| found.is_file() && found.len() <= LIMIT)?;
    let mut text = String::new();
    file.take(LIMIT).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Puts flags, variables and configuration together.
///
/// # Errors
/// A combination or a number that makes no sense (exit 1, loop-kit L28).
pub(super) fn choose(args: &RunArgs, folder: &Path) -> Result<Chosen, VerbError> {
    let how = how(args)?;
    let mut config = Config::load(folder);
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let rounds = args.max_rounds.or_else(|| variable("LOOP_MAX_ROUNDS")?.trim().parse().ok());
    let rounds = config.count(rounds, "max_rounds", 3);
    let max_rounds = u32::try_from(rounds)
        .ok()
        .filter(|rounds| *rounds >= 1)
        .ok_or_else(|| VerbError::Failed(format!("--max-rounds {rounds}: give a number of rounds from 1")))?;
    let limit = args.dispatch_timeout.or_else(|| variable("LOOP_DISPATCH_TIMEOUT")?.trim().parse().ok());
    let limit = config.seconds(limit, "dispatch_timeout", 600.0);
    if let Some(word) = config.word(args.dispatch_backend.as_ref(), "dispatch_backend")
        && word != "native"
    {
        return Err(VerbError::Failed(format!("--dispatch-backend {word}: there is only `native`")));
    }
    let preferred = variable("LOOP_BACKEND_PREFERENCE");
    let preferred = preferred
        .as_deref()
        .and_then(|words| words.split(',').map(str::trim).find(|word| known_backend(word)));
    let preferred = preferred.unwrap_or("codex").to_owned();
    let worker =
        config.word(args.worker_backend.as_ref(), "worker_backend").unwrap_or_else(|| preferred.clone());
    let reviewer = config.word(args.reviewer_backend.as_ref(), "reviewer_backend").unwrap_or(preferred);
    let retries = config.count(args.dispatch_retries, "dispatch_retries", 2);
    let base = config.seconds(args.dispatch_retry_base_sec, "dispatch_retry_base_sec", 5.0);
    let session_rounds = config.count(args.max_session_rounds, "max_session_rounds", 0);
    let artifact = config.seconds(args.artifact_timeout, "artifact_timeout", 90.0);
    let phase = config.seconds(args.timeout, "timeout", 0.0);
    let ttl = config.seconds(args.heartbeat_ttl, "heartbeat_ttl", 30.0);
    let auto = args.auto_dispatch || config.value("auto_dispatch", Value::as_bool).unwrap_or(false);
    let rules = Rules {
        max_rounds,
        auto,
        backends: [worker, reviewer],
        retries: u32::try_from(retries.clamp(0, 1000)).unwrap_or(0),
        retry_base: duration(base.max(1.0)).unwrap_or(Duration::from_secs(1)),
        max_session_rounds: u32::try_from(session_rounds.max(0)).unwrap_or(0),
        single: matches!(how, How::Single(_)),
    };
    Ok(Chosen {
        rules,
        how,
        dispatch_timeout: duration(limit),
        artifact_timeout: duration(artifact),
        phase_timeout: duration(phase),
        heartbeat: args.require_heartbeat.then(|| duration(ttl).unwrap_or(Duration::from_secs(1))),
        notes: config.notes,
    })
}

/// Which way of running; combinations that exclude each other are named one by one.
fn how(args: &RunArgs) -> Result<How, VerbError> {
    let no = |say: &str| Err(VerbError::Failed(say.to_owned()));
    match (args.single_round, args.round) {
        (true, None) => return no("--single-round needs --round N: say which round"),
        (false, Some(_)) => return no("--round is for --single-round only: give both"),
        (true, Some(_)) if args.resume => return no("--single-round and --resume exclude each other"),
        (true, Some(_)) if args.reset => return no("--single-round and --reset exclude each other"),
        (true, Some(round)) => {
            let round = u32::try_from(round).ok().filter(|round| *round >= 1);
            let say = || VerbError::Failed("--round: give the number of a round from 1".to_owned());
            return round.map(How::Single).ok_or_else(say);
        }
        (false, None) => {}
    }
    match (args.resume, args.reset) {
        (true, true) => no("--resume and --reset exclude each other"),
        (true, false) => Ok(How::Resume),
        (false, true) => Ok(How::Reset),
        (false, false) => Ok(How::New),
    }
}

/// Seconds as a limit; none and less are no limit.
fn duration(seconds: f64) -> Option<Duration> {
    (seconds > 0.0).then(|| Duration::try_from_secs_f64(seconds).ok()).flatten()
}
