//! The state of every reference of a repository, read from its files as they are.
//!
//! Read raw rather than through libgit2, because what is looked for includes references that somebody wrote by hand:
//! broken ones, links, and files that no git would have made. Repositories with another reference store (reftable) are
//! refused by libgit2 long before.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use git2::Oid;

use crate::base::regular::{self, Links};

/// Longest reference file that is read.
const REF_LIMIT: u64 = 4096;

/// Longest reflog that is looked at, from its end.
const LOG_LIMIT: u64 = 1024 * 1024;

/// What a reference holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefValue {
    /// An object.
    Id(Oid),
    /// Another reference.
    Symbolic(String),
    /// Nothing that git would write; what it says instead (foreign text).
    Broken(String),
}

impl RefValue {
    /// The object, if it names one.
    pub fn id(&self) -> Option<Oid> {
        match self {
            RefValue::Id(id) => Some(*id),
            RefValue::Symbolic(_) | RefValue::Broken(_) => None,
        }
    }
}

impl std::fmt::Display for RefValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RefValue::Id(id) => write!(f, "{id}"),
            RefValue::Symbolic(name) => write!(f, "ref: {name}"),
            RefValue::Broken(text) => write!(f, "broken: {text:?}"),
        }
    }
}

/// References by name. HEADs are under `HEAD` and, for linked worktrees, `worktrees/<name>/HEAD`.
pub type Refs = BTreeMap<String, RefValue>;

/// Reads all references of the repository whose shared folder (`.git`) is `common`. What cannot be read is missing.
///
/// The packed ones are read last, as git does: packing writes them before it takes the loose ones away, so that a
/// reference which is packed meanwhile is never missed.
pub fn read_all(common: &Path) -> Refs {
    let mut refs = Refs::new();
    let mut waiting = vec!["refs".to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(common.join(&folder)).into_iter().flatten().flatten() {
            let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => waiting.push(name),
                Ok(_) if name.ends_with(".lock") => {}
                Ok(_) => {
                    refs.extend(read(&entry.path()).map(|value| (name, value)));
                }
                Err(_) => {}
            }
        }
    }
    refs.extend(read(&common.join("HEAD")).map(|value| ("HEAD".to_owned(), value)));
    for entry in fs::read_dir(common.join("worktrees")).into_iter().flatten().flatten() {
        let name = format!("worktrees/{}/HEAD", entry.file_name().to_string_lossy());
        refs.extend(read(&entry.path().join("HEAD")).map(|value| (name, value)));
    }
    for (name, value) in packed(&common.join("packed-refs")) {
        refs.entry(name).or_insert(value);
    }
    refs
}

/// One loose reference; `None` when there is none.
pub fn read(path: &Path) -> Option<RefValue> {
    let metadata = path.symlink_metadata().ok()?;
    if metadata.is_symlink() {
        let target = fs::read_link(path).ok()?;
        return Some(RefValue::Broken(format!("a link to {}", target.display())));
    }
    if !metadata.is_file() || metadata.len() > REF_LIMIT {
        return Some(RefValue::Broken("no reference file".to_owned()));
    }
    let text = fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&text);
    let text = text.trim_end();
    Some(match text.strip_prefix("ref: ") {
        Some(name) => RefValue::Symbolic(name.to_owned()),
        None => id(text).map_or_else(|| RefValue::Broken(text.to_owned()), RefValue::Id),
    })
}

fn packed(path: &Path) -> Refs {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let entries = text.lines().filter(|line| !line.starts_with(['#', '^'])).filter_map(|line| {
        let (hex, name) = line.split_once(' ')?;
        Some((name.to_owned(), RefValue::Id(id(hex)?)))
    });
    entries.collect()
}

/// Only whole ids: libgit2 would fill up a short one with zeros.
fn id(hex: &str) -> Option<Oid> {
    (hex.len() == 40).then(|| Oid::from_str(hex).ok()).flatten()
}

/// A line of a reflog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Before.
    pub old: Oid,
    /// After.
    pub new: Oid,
    /// Address of who did it (foreign text).
    pub email: String,
    /// Why (foreign text).
    pub message: String,
}

/// The entries of a reflog, newest first; only the end of a huge one. Lines that are none are passed over.
pub fn log(path: &Path) -> Vec<LogEntry> {
    use std::io::{Read, Seek, SeekFrom};
    let mut text = Vec::new();
    if let Ok((mut file, metadata)) = regular::open(path, Links::Refused) {
        let _ = file.seek(SeekFrom::Start(metadata.len().saturating_sub(LOG_LIMIT)));
        let _ = file.take(LOG_LIMIT).read_to_end(&mut text);
    }
    let text = String::from_utf8_lossy(&text);
    text.lines().rev().filter_map(log_entry).collect()
}

fn log_entry(line: &str) -> Option<LogEntry> {
    let (head, message) = line.split_once('\t').unwrap_or((line, ""));
    let mut parts = head.splitn(3, ' ');
    let (old, new, who) = (id(parts.next()?)?, id(parts.next()?)?, parts.next()?);
    let email = who.rsplit_once('>').and_then(|(who, _)| who.rsplit_once('<')).map_or("", |(_, email)| email);
    Some(LogEntry { old, new, email: email.to_owned(), message: message.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "1111111111111111111111111111111111111111";
    const B: &str = "2222222222222222222222222222222222222222";

    fn oid(hex: &str) -> Oid {
        Oid::from_str(hex).unwrap()
    }

    #[test]
    fn loose_packed_symbolic_and_broken_references_are_all_seen() {
        let keep = tempfile::tempdir().unwrap();
        let git = keep.path();
        for folder in ["refs/heads/deep", "refs/tags", "worktrees/w"] {
            fs::create_dir_all(git.join(folder)).unwrap();
        }
        let packed = format!(
            "# pack-refs with: peeled\n{A} refs/heads/main\n{A} refs/tags/v1\n^{B}\nshort refs/tags/x\n"
        );
        let files = [
            ("packed-refs", packed.as_str()),
            ("HEAD", "ref: refs/heads/main\n"),
            ("worktrees/w/HEAD", A),
            ("refs/heads/main", &format!("{B}\n")),
            ("refs/heads/main.lock", B),
            ("refs/heads/deep/x", "garbage\n"),
            ("refs/heads/short", "1111"),
        ];
        for (name, text) in files {
            fs::write(git.join(name), text).unwrap();
        }
        std::os::unix::fs::symlink("/etc/passwd", git.join("refs/heads/link")).unwrap();
        let expected: Refs = [
            ("HEAD", RefValue::Symbolic("refs/heads/main".to_owned())),
            ("refs/heads/deep/x", RefValue::Broken("garbage".to_owned())),
            ("refs/heads/link", RefValue::Broken("a link to /etc/passwd".to_owned())),
            ("refs/heads/main", RefValue::Id(oid(B))),
            ("refs/heads/short", RefValue::Broken("1111".to_owned())),
            ("refs/tags/v1", RefValue::Id(oid(A))),
            ("worktrees/w/HEAD", RefValue::Id(oid(A))),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        assert_eq!(read_all(git), expected);
    }

    #[test]
    fn a_reflog_is_read_from_its_end() {
        let keep = tempfile::tempdir().unwrap();
        let path = keep.path().join("log");
        let text = format!("{A} {B} A <B> C <a@x> 1 +0000\tcommit: one\ntorn\n{B} {A} <> 1 +0000\n");
        fs::write(&path, text).unwrap();
        let expected = [
            LogEntry { old: oid(B), new: oid(A), email: String::new(), message: String::new() },
            LogEntry { old: oid(A), new: oid(B), email: "a@x".to_owned(), message: "commit: one".to_owned() },
        ];
        assert_eq!(log(&path), expected);
        assert_eq!(log(&keep.path().join("none")), []);
    }
}
