//! A note of which file versions were last known to be whole, under `.planfile/.koru/`, so that a one-shot mutation of
//! one ticket need not read 20 MB of others again. Disposable: without it everything is read.
//!
//! A version counts as the noted one by modification time, size and inode, as planfile's own mirrors do by time alone.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::base::atomic::{Stamp, make_own_dir};
use crate::base::regular::{self, Links};

/// Version of the note's format.
const VERSION: u64 = 2;

/// A note larger than this, in bytes, is none of ours.
const LIMIT: u64 = 1024 * 1024;

/// One known version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Noted {
    /// Which.
    pub(super) stamp: Stamp,
    /// Whether tickets can be put behind its last byte.
    pub(super) takes_more: bool,
}

/// Known versions by file stem.
pub(super) type Known = BTreeMap<String, Noted>;

fn file(koru: &Path) -> PathBuf {
    koru.join("known-whole.json")
}

/// Reads the note; empty when there is none that can be read.
pub(super) fn read(koru: &Path) -> Known {
    let Ok(bytes) = regular::read(&file(koru), Links::Refused, LIMIT) else { return Known::new() };
    let Ok(note) = serde_json::from_slice::<Value>(&bytes) else { return Known::new() };
    if note.get("version").and_then(Value::as_u64) != Some(VERSION) {
        return Known::new();
    }
    let files = note.get("files").and_then(Value::as_object).into_iter().flatten();
    files.filter_map(|(stem, at)| Some((stem.clone(), noted(at)?))).collect()
}

fn noted(at: &Value) -> Option<Noted> {
    let mtime_ns = at.get(0)?.as_str()?.parse().ok()?;
    let stamp = Stamp { mtime_ns, size: at.get(1)?.as_u64()?, inode: at.get(2)?.as_u64()? };
    Some(Noted { stamp, takes_more: at.get(3)?.as_bool()? })
}

/// Writes the note. Not synced and failures ignored: it is only ever trusted where it matches the disk.
pub(super) fn write(koru: &Path, known: &Known) {
    let files: Value = known
        .iter()
        .map(|(stem, Noted { stamp, takes_more })| {
            (stem.clone(), json!([stamp.mtime_ns.to_string(), stamp.size, stamp.inode, takes_more]))
        })
        .collect::<serde_json::Map<String, Value>>()
        .into();
    let text = json!({"version": VERSION, "files": files}).to_string();
    let temporary = koru.join(format!(".known-whole.{}.tmp", std::process::id()));
    // A link with that name is not followed: whoever made it does not say where we write.
    let _ = std::fs::remove_file(&temporary);
    let done = make_own_dir(koru)
        .and_then(|()| std::fs::File::create_new(&temporary))
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| std::fs::rename(&temporary, file(koru)));
    if done.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_back_and_garbage_is_no_note() {
        let folder = tempfile::tempdir().unwrap();
        let koru = folder.path().join(".koru");
        assert_eq!(read(&koru), Known::new());
        let stamp = Stamp { mtime_ns: 1_795_237_326_513_978_037, size: 20_000_000, inode: u64::MAX };
        let noted = |takes_more| Noted { stamp, takes_more };
        let known = Known::from([("current".to_owned(), noted(false)), ("old".to_owned(), noted(true))]);
        write(&koru, &known);
        assert_eq!(read(&koru), known);
        for garbage in
            ["", "{", "[]", "{\"version\":1,\"files\":{}}", "{\"version\":2,\"files\":{\"a\":[1]}}"]
        {
            std::fs::write(file(&koru), garbage).unwrap();
            assert_eq!(read(&koru), Known::new(), "{garbage}");
        }
    }
}
