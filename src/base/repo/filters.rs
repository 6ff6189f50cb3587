//! Files under a git filter driver (`filter=lfs` in `.gitattributes`, say), which libgit2 leaves as they are stored.
//!
//! Drivers are commands from git's configuration. They are run for files that an agent wrote, as `git add` in its place
//! would, so callers compare the [`fingerprint`] of the configuration with the one from before the agent worked.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use git2::{AttrCheckFlags, Oid, Repository};

use super::program;

/// How long a filter may take for all files of a checkout, downloads of an LFS included.
const FILL_LIMIT: Duration = Duration::from_secs(600);

/// How long a filter may take for one file.
const CLEAN_LIMIT: Duration = Duration::from_secs(120);

/// Largest file that is put through a filter.
const FILE_LIMIT: u64 = 2 * 1024 * 1024 * 1024;

/// What is under filters.
#[derive(Clone, Debug, Default)]
pub struct Filtered {
    /// Names of the drivers.
    pub names: BTreeSet<String>,
    /// Tracked files, from the top of the work tree.
    pub files: Vec<PathBuf>,
}

/// A hash over every filter driver that git's configuration defines here.
pub fn fingerprint(repo: &Repository) -> String {
    let mut lines = entries(repo);
    lines.sort();
    format!("{:016x}", xxhash_rust::xxh3::xxh3_64(lines.join("\n").as_bytes()))
}

/// The tracked files of the worktree whose driver is defined; reads the index of `repo` and `.gitattributes`.
pub fn filtered_files(repo: &Repository) -> Filtered {
    let mut found = Filtered::default();
    let drivers = drivers(repo);
    let Ok(index) = repo.index() else { return found };
    if drivers.is_empty() {
        return found;
    }
    for entry in index.iter() {
        let path = PathBuf::from(std::ffi::OsStr::from_bytes(&entry.path));
        if let Some(name) = driver_of(repo, &drivers, &path) {
            found.names.insert(name);
            found.files.push(path);
        }
    }
    found
}

/// Names of the drivers that git's configuration defines.
pub fn drivers(repo: &Repository) -> BTreeSet<String> {
    let lines = entries(repo);
    let names = lines.iter().filter_map(|line| {
        let (key, value) = line.split_once('=')?;
        let (name, what) = key.strip_prefix("filter.")?.rsplit_once('.')?;
        (matches!(what, "clean" | "smudge" | "process") && !value.is_empty()).then(|| name.to_owned())
    });
    names.collect()
}

/// The driver of `path`, when it is one of `drivers`.
pub fn driver_of(repo: &Repository, drivers: &BTreeSet<String>, path: &Path) -> Option<String> {
    if drivers.is_empty() {
        return None;
    }
    let name = repo.get_attr(path, "filter", AttrCheckFlags::FILE_THEN_INDEX).ok()??;
    drivers.get(name).cloned()
}

/// Writes `files` into the worktree as their filters give them, and notes it in git's index of the worktree.
///
/// # Errors
/// A sentence (foreign text); files that could not be filled are as git stores them.
pub fn fill(repo: &Repository, files: &[PathBuf]) -> Result<(), String> {
    let workdir = repo.workdir().ok_or("the repository has no work tree")?;
    let mut input = Vec::new();
    for file in files {
        // git writes only files that differ from its index, by their stamps: an old time makes it look.
        let opened = File::options().write(true).custom_flags(nix::libc::O_NOFOLLOW).open(workdir.join(file));
        if let Ok(opened) = opened {
            let _ = opened.set_modified(std::time::UNIX_EPOCH);
        }
        input.extend_from_slice(file.as_os_str().as_bytes());
        input.push(0);
    }
    program::run(repo, &["checkout-index", "--force", "-u", "-z", "--stdin"], &input, FILL_LIMIT).map(drop)
}

/// Puts the file at `path` of the worktree through its filter and into the object database.
///
/// # Errors
/// A sentence (foreign text).
pub fn clean(repo: &Repository, path: &Path) -> Result<Oid, String> {
    let workdir = repo.workdir().ok_or("the repository has no work tree")?;
    let mut options = File::options();
    // A link would let an agent have any file of the operator read into a commit.
    options.read(true).custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK);
    let file = options.open(workdir.join(path)).map_err(|error| error.to_string())?;
    if file.metadata().map_err(|error| error.to_string())?.len() > FILE_LIMIT {
        return Err("it is too large to be filtered".to_owned());
    }
    let mut content = Vec::new();
    file.take(FILE_LIMIT).read_to_end(&mut content).map_err(|error| error.to_string())?;
    let mut named = std::ffi::OsString::from("--path=");
    named.push(path);
    let arguments = ["hash-object".as_ref(), "-w".as_ref(), "--stdin".as_ref(), named.as_os_str()];
    let said = program::run(repo, &arguments, &content, CLEAN_LIMIT)?;
    Oid::from_str(String::from_utf8_lossy(&said).trim()).map_err(|error| error.message().to_owned())
}

/// `key=value` of every entry below `filter.`.
fn entries(repo: &Repository) -> Vec<String> {
    let mut lines = Vec::new();
    let Ok(config) = repo.config().and_then(|mut config| config.snapshot()) else { return lines };
    let Ok(entries) = config.entries(Some("^filter\\.")) else { return lines };
    let _ = entries.for_each(|entry| {
        let value = String::from_utf8_lossy(entry.value_bytes());
        lines.push(format!("{}={value}", String::from_utf8_lossy(entry.name_bytes())));
    });
    lines
}
