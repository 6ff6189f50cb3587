//! Answers that are kept, where the operator turned that on (`llm.cache`, koru §6.8 [OURS]): one file an answer under
//! `.planfile/.koru/llm-cache/`, which may be deleted at any time.
//!
//! A file is named by a hash of everything that decides an answer: endpoint, model, messages, parameters, schema. Keys
//! are no part of it, and an answer is kept without its secrets. Only whole, good answers come here. A file that is too
//! old, cannot be read or is of another format does not count; old ones are removed when a new one comes.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::base::atomic;
use crate::base::clock::Clock;
use crate::base::regular::{self, Links};

/// Hours that an answer counts when the operator says nothing.
pub(super) const HOURS: f64 = 24.0;
/// Format of the files.
const FORMAT: u32 = 1;
/// Largest file that is read.
const LARGEST: u64 = 8 * 1024 * 1024;
/// Files that are looked at when old ones are removed.
const LOOKS: usize = 10_000;

/// Where answers are kept, and how long.
#[derive(Clone, Debug)]
pub struct Cache {
    /// Folder.
    pub folder: PathBuf,
    /// How long an answer counts.
    pub keep: Duration,
    /// What time it is.
    pub clock: Clock,
}

/// An answer that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    format: u32,
    /// When it came.
    pub(super) at: Timestamp,
    /// Model that answered.
    pub(super) model: String,
    /// Its text.
    pub(super) text: String,
}

/// The name of a question's answer.
pub(super) fn name(url: &str, body: &Value) -> String {
    let mut hash = Sha256::new();
    hash.update(url.as_bytes());
    hash.update([0]);
    hash.update(body.to_string().as_bytes());
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    hex + ".json"
}

impl Cache {
    /// The answer under `name`, if one counts. Blocking.
    pub(super) fn get(&self, name: &str) -> Option<Kept> {
        let path = self.folder.join(name);
        let kept: Kept = serde_json::from_slice(&regular::read(&path, Links::Refused, LARGEST).ok()?).ok()?;
        (kept.format == FORMAT && self.counts(kept.at)).then_some(kept)
    }

    /// Keeps an answer. That it cannot be kept is only worth a log line. Blocking.
    pub(super) fn put(&self, name: &str, model: String, text: String) {
        let kept = Kept { format: FORMAT, at: self.clock.now(), model, text };
        let written = atomic::make_own_dir(&self.folder).and_then(|()| {
            let bytes = serde_json::to_vec(&kept)?;
            atomic::replace_derived(&self.folder.join(name), &[&bytes]).map(drop)
        });
        if let Err(error) = written {
            tracing::warn!(folder = %self.folder.display(), %error, "an answer cannot be kept in the cache");
            return;
        }
        remove_older(&self.folder, self.keep);
    }

    /// An answer from the future does not count: its clock was wrong.
    fn counts(&self, at: Timestamp) -> bool {
        Duration::try_from(self.clock.now().duration_since(at)).is_ok_and(|age| age <= self.keep)
    }
}

/// Removes files of ours that were written longer ago.
fn remove_older(folder: &Path, keep: Duration) {
    let Some(since) = SystemTime::now().checked_sub(keep) else { return };
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten().take(LOOKS) {
        let ours = entry.path().extension().is_some_and(|ending| ending == "json");
        let old = entry.metadata().and_then(|meta| meta.modified()).is_ok_and(|at| at < since);
        if ours && old {
            // Somebody else may have removed it first.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn cache(folder: &Path, clock: Clock) -> Cache {
        Cache { folder: folder.join("llm-cache"), keep: Duration::from_secs(3600), clock }
    }

    #[test]
    fn an_answer_counts_until_it_is_too_old() {
        let folder = tempfile::tempdir().unwrap();
        let start: Timestamp = "2026-11-21T11:00:00Z".parse().unwrap();
        let clock = Clock::manual(start);
        let cache = cache(folder.path(), clock.clone());
        let name = name("https://x/v1", &json!({"model": "m"}));
        assert_eq!(cache.get(&name), None);
        cache.put(&name, "m".to_owned(), "hi".to_owned());
        let kept = Kept { format: 1, at: start, model: "m".to_owned(), text: "hi".to_owned() };
        assert_eq!(cache.get(&name), Some(kept.clone()));
        clock.set("2026-11-21T12:00:00Z".parse().unwrap());
        assert_eq!(cache.get(&name), Some(kept));
        for outside in ["2026-11-21T12:00:01Z", "2026-11-21T10:59:59Z"] {
            clock.set(outside.parse().unwrap());
            assert_eq!(cache.get(&name), None, "{outside}");
        }
        std::fs::write(folder.path().join("llm-cache").join(&name), "{}").unwrap();
        clock.set(start);
        assert_eq!(cache.get(&name), None);
    }

    #[test]
    fn files_are_private_and_named_by_all_that_decides_an_answer() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path(), Clock::System);
        let names = [
            name("https://x/v1", &json!({"model": "m"})),
            name("https://y/v1", &json!({"model": "m"})),
            name("https://x/v1", &json!({"model": "n"})),
            name("https://x/v1", &json!({"model": "m", "temperature": 0.5})),
        ];
        for (at, one) in names.iter().enumerate() {
            assert!(names[..at].iter().all(|other| other != one));
            cache.put(one, String::new(), String::new());
        }
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&cache.folder), mode(&cache.folder.join(&names[0]))), (0o700, 0o600));
    }

    #[test]
    fn old_files_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path(), Clock::System);
        cache.put("a.json", String::new(), String::new());
        let other = cache.folder.join("note.txt");
        std::fs::write(&other, "").unwrap();
        for path in [cache.folder.join("a.json"), other.clone()] {
            let file = std::fs::File::options().write(true).open(path).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(7200)).unwrap();
        }
        cache.put("b.json", String::new(), String::new());
        let mut names: Vec<_> =
            std::fs::read_dir(&cache.folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["b.json", "note.txt"]);
    }
}
