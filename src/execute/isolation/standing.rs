//! How a worktree's files stand: the links between its folder and its administrative folder, and locks left behind.
//!
//! Three small files join the two: `.git` in the folder, `gitdir` and `commondir` in the administrative folder. An agent
//! can write all three, so they are compared with what they must say and never believed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Worktree;
use crate::base::regular::{self, Links};

/// Longest link file that is read.
const LINK_LIMIT: u64 = 16 * 1024;

/// Entries of the administrative folder that are looked at: git makes a few dozen.
const ENTRIES: usize = 10_000;

/// Locks that a git of the run may leave behind in the administrative folder when it is killed.
const LOCKS: [&str; 5] =
    ["index.lock", "HEAD.lock", "ORIG_HEAD.lock", "config.worktree.lock", "logs/HEAD.lock"];

/// Removes a file; one that is not there is fine.
pub(in crate::execute) fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// What is wrong with the links between the worktree's folder and its administrative folder, if anything.
pub(in crate::execute) fn broken_links(worktree: &Worktree) -> Option<String> {
    if !is_dir(&worktree.path) {
        return Some("its folder is not there".to_owned());
    }
    if !is_dir(&worktree.git_dir) {
        return Some(format!("git's folder for it, {}, is not there", worktree.git_dir.display()));
    }
    for link in links(worktree) {
        match read_link_file(&link.file) {
            Some(text) if (link.accepts)(&text, worktree) => {}
            Some(_) => return Some(format!("{} does not say what it should", link.file.display())),
            None => return Some(format!("{} is not there or no plain file", link.file.display())),
        }
    }
    let own_config = worktree.git_dir.join("config.worktree");
    if own_config.symlink_metadata().is_ok() {
        return Some(format!("{} is not ours", own_config.display()));
    }
    let odd = odd_files(worktree).into_iter().next();
    odd.map(|path| format!("{} is neither a file nor a folder", path.display()))
}

/// Pipes, sockets and devices in the administrative folder and in the place of the branch's log: git would wait for
/// them. Of very many only the first.
fn odd_files(worktree: &Worktree) -> Vec<PathBuf> {
    let odd = |path: &Path| {
        path.symlink_metadata().is_ok_and(|found| !found.is_file() && !found.is_dir() && !found.is_symlink())
    };
    let common = worktree.git_dir.parent().and_then(Path::parent);
    let log = common.map(|common| common.join("logs").join(worktree.branch_ref()));
    let mut found: Vec<PathBuf> = log.into_iter().filter(|log| odd(log)).collect();
    let (mut folders, mut seen) = (vec![worktree.git_dir.clone()], 0);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            seen += 1;
            if seen > ENTRIES {
                return found;
            }
            if is_dir(&entry.path()) {
                folders.push(entry.path());
            } else if odd(&entry.path()) {
                found.push(entry.path());
            }
        }
    }
    found
}

/// Writes the links anew. What was wrong (also a link or folder in the place of a file) is taken away, except a `.git`
/// folder, which may be a repository with work.
pub(in crate::execute) fn mend_links(worktree: &Worktree) -> io::Result<()> {
    let dot_git = worktree.path.join(".git");
    if is_dir(&dot_git) {
        return Err(io::Error::other(format!(
            "{} is a folder, maybe a repository of its own",
            dot_git.display()
        )));
    }
    remove_file(&worktree.git_dir.join("config.worktree"))?;
    odd_files(worktree).iter().try_for_each(|path| remove_file(path))?;
    for link in links(worktree) {
        if is_dir(&link.file) {
            fs::remove_dir(&link.file)?;
        }
        match read_link_file(&link.file) {
            Some(text) if (link.accepts)(&text, worktree) => {}
            _ => {
                // Removed first: writing through a symbolic link would write elsewhere.
                remove_file(&link.file)?;
                fs::write(&link.file, format!("{}\n", link.usual.display()))?;
            }
        }
    }
    Ok(())
}

/// Removes locks of a git that is no more; says which. Only for a worktree that no run uses.
pub(in crate::execute) fn remove_locks(worktree: &Worktree, common: &Path) -> io::Result<Vec<String>> {
    let mut removed = Vec::new();
    let branch = common.join(format!("{}.lock", worktree.branch_ref()));
    for path in LOCKS.iter().map(|name| worktree.git_dir.join(name)).chain([branch]) {
        if path.symlink_metadata().is_ok() {
            remove_file(&path)?;
            removed.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    Ok(removed)
}

/// Why git says that the worktree is locked, if it is.
pub(super) fn lock_reason(worktree: &Worktree) -> Option<String> {
    let text = match regular::read(&worktree.git_dir.join("locked"), Links::Refused, LINK_LIMIT) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        text => text.unwrap_or_default(),
    };
    let text = String::from_utf8_lossy(&text).trim().to_owned();
    Some(if text.is_empty() { "no reason given".to_owned() } else { text })
}

/// A folder and not a link to one.
pub(super) fn is_dir(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir())
}

/// One of the files that join folder and administrative folder.
struct Link {
    file: PathBuf,
    /// What it says when we write it, as a path with its prefix.
    usual: PathBuf,
    accepts: fn(&str, &Worktree) -> bool,
}

fn links(worktree: &Worktree) -> [Link; 3] {
    let git_dir = &worktree.git_dir;
    let dot_git = worktree.path.join(".git");
    let mut points = std::ffi::OsString::from("gitdir: ");
    points.push(git_dir);
    [
        Link {
            file: dot_git.clone(),
            usual: points.into(),
            accepts: |text, worktree| {
                text.strip_prefix("gitdir: ")
                    .is_some_and(|said| same(&worktree.path.join(said), &worktree.git_dir))
            },
        },
        Link {
            file: git_dir.join("gitdir"),
            usual: dot_git,
            accepts: |text, worktree| {
                let said = worktree.git_dir.join(text);
                said.file_name().is_some_and(|name| name == ".git")
                    && said.parent().is_some_and(|folder| same(folder, &worktree.path))
            },
        },
        Link {
            file: git_dir.join("commondir"),
            usual: PathBuf::from("../.."),
            accepts: |text, worktree| {
                worktree
                    .git_dir
                    .parent()
                    .and_then(Path::parent)
                    .is_some_and(|common| same(&worktree.git_dir.join(text), common))
            },
        },
    ]
}

fn same(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// The text of a small plain file, without the line end.
pub(super) fn read_link_file(path: &Path) -> Option<String> {
    let text = regular::read_text(path, Links::Refused, LINK_LIMIT).ok()?;
    Some(text.trim_end_matches(['\n', '\r']).to_owned())
}
