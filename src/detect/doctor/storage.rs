//! Checks of planfile's storage: who may write, the lock, the read mirrors and the modes of files.

use std::fs::TryLockError;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::findings::{Config, Findings};
use super::{Probe, Verdict, fail, pass, skip, some_of, warn};
use crate::base::atomic::Stamp;
use crate::base::regular::{self, Links};
use crate::plan::yaml::SprintDoc;

pub(super) const PROBES: &[Probe] = &[
    ("storage_backend", storage_backend),
    ("planfile_writer", planfile_writer),
    ("store_lock", store_lock),
    ("mirrors", mirrors),
    ("file_modes", file_modes),
];

fn storage_backend(findings: &Findings<'_>) -> Verdict {
    let backend = findings.config_value(&["storage", "backend"]).and_then(serde_yaml::Value::as_str);
    match backend {
        None | Some("single-yaml") => pass("single-yaml"),
        Some(other) => fail(format!(
            "storage.backend is {other}; koru-tui only works on single-yaml and would see no tickets"
        )),
    }
}

/// planfile releases up to 0.1.93 take no lock: nothing we do protects our writes from theirs.
fn planfile_writer(findings: &Findings<'_>) -> Verdict {
    if !matches!(findings.config, Config::Mapping(_)) {
        return skip("no config to tell from");
    }
    if findings.config_value(&["storage"]).is_some() {
        pass("made by a planfile release that takes the lock")
    } else {
        warn(
            "config.yaml has no `storage:` block, so a planfile release without a lock may be writing here; koru-tui \
             only reads until planfile is upgraded to 0.1.126",
        )
    }
}

/// A mirror larger than this, in bytes, is not read.
const MIRROR: u64 = 256 * 1024 * 1024;

/// How often a held lock is tried again: every planfile mutation holds it for a moment.
const LOCK_TRIES: u32 = 10;

fn store_lock(findings: &Findings<'_>) -> Verdict {
    let path = findings.paths.store_lock();
    let file = match regular::open(&path, Links::Refused) {
        Ok((file, _)) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return pass("not there yet"),
        Err(error) => return fail(format!(".planfile/.store.lock cannot be opened ({error})")),
    };
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return pass("free"),
            Err(TryLockError::Error(error)) => return Err(format!("locking {}: {error}", path.display())),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
    let inode = file.metadata().map(|metadata| metadata.ino()).unwrap_or_default();
    let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    match lock_holder(&locks, inode) {
        Some(pid) => {
            let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            let state = process_state(pid).unwrap_or("running");
            warn(format!(
                "held by {} (pid {pid}, {state}); every write to the planfile waits for it",
                name.trim()
            ))
        }
        None => warn("held by another program; every write to the planfile waits for it"),
    }
}

/// The process that holds a flock on the file with this inode, from `/proc/locks`.
fn lock_holder(locks: &str, inode: u64) -> Option<u32> {
    let place = format!(":{inode}");
    locks.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = words.iter().position(|word| *word == "FLOCK")?;
        let waits = words.contains(&"->");
        (!waits && words.get(at + 4)?.ends_with(&place)).then(|| words[at + 3].parse().ok())?
    })
}

fn process_state(pid: u32) -> Option<&'static str> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(match stat.rsplit_once(") ")?.1.chars().next()? {
        'T' | 't' => "stopped: resume or end it",
        'D' => "waiting for the disk",
        'Z' => "dead, not yet collected",
        _ => "running",
    })
}

/// planfile reads `<file>.fast.json` instead of the YAML whenever the recorded time stamp fits: a mirror that fits and
/// says something else makes planfile undo what the YAML says (`planfile.md` §5.3).
fn mirrors(findings: &Findings<'_>) -> Verdict {
    let mut lying = Vec::new();
    let mut known = 0;
    for (file, document) in findings.documents() {
        let Some(data) = trusted_mirror(&file.path) else { continue };
        known += 1;
        if !agrees(document, &data) {
            lying.push(file.name.clone());
        }
    }
    if let Some(data) = trusted_mirror(&findings.paths.config()) {
        known += 1;
        let number = |value: Option<&Value>| value.and_then(Value::as_u64);
        let next = findings.config_value(&["next_id"]).and_then(serde_yaml::Value::as_u64);
        // Of the config only the counter can cost a ticket.
        if next.is_some() && number(data.get("next_id")) != next {
            lying.push("config.yaml".to_owned());
        }
    }
    if lying.is_empty() {
        return pass(format!("{known} trusted mirror(s), none differs from its file"));
    }
    let names: Vec<String> = lying.iter().map(|name| format!("{name}.fast.json")).collect();
    fail(format!("planfile believes an outdated mirror and would undo changes; delete {}", some_of(&names)))
}

/// The data of a mirror that planfile would use.
fn trusted_mirror(yaml: &Path) -> Option<Value> {
    let mut mirror = yaml.as_os_str().to_owned();
    mirror.push(".fast.json");
    let bytes = regular::read(&PathBuf::from(mirror), Links::Followed, MIRROR).ok()?;
    let mut root: Value = serde_json::from_slice(&bytes).ok()?;
    let stamp = Stamp::read(yaml).ok()??;
    let recorded = i128::from(root.get("yaml_mtime_ns")?.as_i64()?);
    (recorded == stamp.mtime_ns).then(|| root.get_mut("data").map(Value::take))?
}

fn agrees(document: &SprintDoc, data: &Value) -> bool {
    let tickets = data.get("sprint").and_then(|sprint| sprint.get("tickets")).or_else(|| data.get("tickets"));
    let empty = serde_json::Map::new();
    let mirrored = tickets.and_then(Value::as_object).unwrap_or(&empty);
    let mut written = 0;
    for ticket in document.tickets() {
        written += 1;
        let record = document.record(ticket.id.as_str());
        // A ticket without a key of its own id cannot be compared by name; planfile keeps the key.
        let same = mirrored.get(ticket.id.as_str()).is_none_or(|mirror| record.as_ref() == Some(mirror));
        if !same {
            return false;
        }
    }
    written == mirrored.len()
}

fn file_modes(findings: &Findings<'_>) -> Verdict {
    let mut open = Vec::new();
    let root = findings.paths.root();
    let mut look = |path: PathBuf, mask: u32, what: &str| {
        let Ok(metadata) = std::fs::symlink_metadata(&path) else { return };
        if !metadata.file_type().is_symlink() && metadata.permissions().mode() & mask != 0 {
            let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            open.push(format!("{name} {what}"));
        }
    };
    let paths = &findings.paths;
    let shared = [
        paths.planfile(),
        paths.sprints(),
        paths.config(),
        paths.koru(),
        paths.policy(),
        paths.koru_config(),
    ];
    for path in shared.into_iter().chain(findings.sprints.iter().map(|file| file.path.clone())) {
        look(path, 0o002, "can be changed by every user");
    }
    for path in [paths.runs(), paths.prompts(), paths.drafts()] {
        look(path, 0o077, "can be read by other users");
    }
    if open.is_empty() {
        pass("nobody else can change the planfile or read transcripts")
    } else {
        warn(format!("{}; take the rights away with chmod", some_of(&open)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_a_flock_is_found_by_inode() {
        let locks = "1: POSIX  ADVISORY  WRITE 10 08:01:77 0 EOF\n2: FLOCK  ADVISORY  WRITE 4242 08:01:77 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 4243 08:01:77 0 EOF\n3: FLOCK  ADVISORY  WRITE 5 08:01:777 0 EOF\n";
        assert_eq!(lock_holder(locks, 77), Some(4242));
        assert_eq!(lock_holder(locks, 7), None);
        assert_eq!(lock_holder("", 77), None);
    }
}
