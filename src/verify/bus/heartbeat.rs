//! Signs of life of people and agents that work on a bus: `runtime/<role>.heartbeat.json` (loop-kit §11). How fresh it
//! is, is told by the file's time of change alone; its content only supplies the process.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::fields::{Fields, Invalid, put};
use super::read::{BusError, Unread};
use super::{Bus, Role, read, stamp, write};

/// A sign of life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// Whose.
    pub role: Role,
    /// Process that gives it.
    pub pid: u32,
    /// Where it works (foreign text).
    pub cwd: String,
}

/// How a role is.
#[derive(Debug)]
pub enum Pulse {
    /// Its sign of life is fresh.
    Alive {
        /// Age of the sign.
        age: Duration,
        /// Process that gave it, when it says so.
        pid: Option<u32>,
    },
    /// It gave none for longer than it should.
    Stale {
        /// Age of the sign.
        age: Duration,
        /// Process that gave it, when it says so.
        pid: Option<u32>,
    },
    /// It never gave one.
    Missing,
    /// What should be its sign of life is none.
    Unreadable(BusError),
}

impl Bus {
    /// Path of a role's sign of life.
    pub fn heartbeat_path(&self, role: Role) -> PathBuf {
        self.folder().join("runtime").join(format!("{}.heartbeat.json", role.word()))
    }

    /// Gives a sign of life.
    ///
    /// # Errors
    /// See [`BusError`].
    pub fn beat(&self, heartbeat: &Heartbeat, now: Timestamp) -> Result<(), BusError> {
        self.make_folder(&["runtime"])?;
        let mut map = Map::new();
        put(&mut map, "role", heartbeat.role.word());
        put(&mut map, "pid", heartbeat.pid);
        put(&mut map, "updated_at", stamp(now));
        put(&mut map, "cwd", heartbeat.cwd.as_str());
        write(&self.heartbeat_path(heartbeat.role), &Value::Object(map))
    }

    /// How a role is, when a sign of life counts for `ttl`.
    pub fn pulse(&self, role: Role, ttl: Duration) -> Pulse {
        let path = self.heartbeat_path(role);
        let found = match std::fs::symlink_metadata(&path) {
            Ok(found) if found.is_file() => found,
            Ok(found) if found.is_symlink() => return Pulse::Unreadable(BusError::new(&path, Unread::Link)),
            Ok(_) => return Pulse::Unreadable(BusError::new(&path, Unread::NoFile)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Pulse::Missing,
            Err(error) => return Pulse::Unreadable(BusError::io(&path, "looking at", error)),
        };
        let changed = found.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        // One from the future is fresh: clocks of two machines differ.
        let age = SystemTime::now().duration_since(changed).unwrap_or_default();
        let pid = |map: Map<String, Value>| -> Result<Option<u32>, Invalid> {
            Fields::new(map).optional_number("pid")
        };
        let pid = read::object(&path, pid).ok().flatten();
        if age <= ttl { Pulse::Alive { age, pid } } else { Pulse::Stale { age, pid } }
    }
}

impl Pulse {
    /// Whether its sign is fresh.
    pub fn is_alive(&self) -> bool {
        matches!(self, Pulse::Alive { .. })
    }

    /// Why, as `health` says it.
    pub fn reason(&self) -> String {
        let of = |pid: &Option<u32>| pid.map_or_else(String::new, |pid| format!(", pid {pid}"));
        match self {
            Pulse::Alive { age, pid } => format!("heartbeat {} s old{}", age.as_secs(), of(pid)),
            Pulse::Stale { age, pid } => format!("stale heartbeat, {} s old{}", age.as_secs(), of(pid)),
            Pulse::Missing => "no heartbeat".to_owned(),
            Pulse::Unreadable(error) => format!("unreadable heartbeat: {}", error.why),
        }
    }
}
