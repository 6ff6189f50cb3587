//! Pipes in the place of the files that git reads on its way through a work tree.
//!
//! git opens `.gitignore`, `.gitattributes` and `.gitmodules` wherever it comes by, and an `open` of a pipe waits for a
//! writer: one `mkfifo` of an agent would hold whoever looks at its work for ever. Looking for pipes before would cost a
//! walk each time and help nobody against one that is made a moment later. So nothing is done as long as git is quick;
//! when it is not, a patrol walks the tree and opens such pipes for writing for a moment, which git takes for the end of
//! an empty file. Owns a thread while git works.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

/// Git that takes less is not looked after.
const QUICK: Duration = Duration::from_millis(500);

/// Pause after a walk that found one: there may be more, one behind the other.
const AGAIN: Duration = Duration::from_millis(5);

/// Longest pause between two walks.
const LONGEST: Duration = Duration::from_secs(12);

/// What git reads by itself, in every folder.
const READ: [&str; 3] = [".gitignore", ".gitattributes", ".gitmodules"];

/// Looks after git while it goes through a folder. Dropping it ends it.
#[derive(Debug)]
pub struct Patrol {
    done: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Patrol {
    /// Looks after git in the operator's own work tree at `top`: what stands there stays.
    pub fn watching(top: &Path) -> Patrol {
        Patrol::start(top, false)
    }

    /// Looks after git in a ticket's worktree at `top`: a pipe that held git up is taken away, there is nothing in it.
    pub fn clearing(top: &Path) -> Patrol {
        Patrol::start(top, true)
    }

    fn start(top: &Path, clears: bool) -> Patrol {
        let top = top.to_path_buf();
        let (done, ended) = mpsc::channel::<()>();
        let walk = move || {
            let mut pause = QUICK;
            while ended.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                pause = if release(&top, clears) { AGAIN } else { (pause * 2).clamp(QUICK, LONGEST) };
            }
        };
        // Without a thread git is on its own, as it always was.
        let thread = std::thread::Builder::new().name("git-patrol".to_owned()).spawn(walk).ok();
        Patrol { done: Some(done), thread }
    }
}

impl Drop for Patrol {
    fn drop(&mut self) {
        drop(self.done.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Lets everybody go who waits for such a pipe; says whether there was one.
fn release(top: &Path, clears: bool) -> bool {
    let mut released = false;
    let mut folders: Vec<PathBuf> = vec![top.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                if entry.file_name() != ".git" {
                    folders.push(entry.path());
                }
            } else if READ.iter().any(|name| entry.file_name() == *name) && !kind.is_file() {
                released |= let_go(&entry.path(), clears && kind.is_fifo());
            }
        }
    }
    released
}

/// Opens a pipe, or what a link leads to, for a moment; without a reader that is an error at once.
fn let_go(path: &Path, clears: bool) -> bool {
    if !path.metadata().is_ok_and(|found| found.file_type().is_fifo()) {
        return false;
    }
    let opened = OpenOptions::new().write(true).custom_flags(nix::libc::O_NONBLOCK).open(path).is_ok();
    if opened {
        tracing::warn!(path = %path.display(), "git waited for a pipe in the place of its file");
        if clears {
            let _ = fs::remove_file(path);
        }
    }
    opened
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_for_such_a_pipe_is_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        let mode = nix::sys::stat::Mode::S_IRWXU;
        let pipes = [deep.join(".gitattributes"), folder.path().join(".gitignore"), deep.join("other")];
        pipes.iter().for_each(|pipe| nix::unistd::mkfifo(pipe, mode).unwrap());
        std::os::unix::fs::symlink("other", deep.join(".gitmodules")).unwrap();
        let _patrol = Patrol::clearing(folder.path());
        for pipe in [&pipes[0], &pipes[1], &deep.join(".gitmodules")] {
            assert_eq!(fs::read(pipe).unwrap(), b"", "{}", pipe.display());
        }
        assert!(deep.join("other").symlink_metadata().is_ok(), "what git does not read by itself stays");
    }

    #[test]
    fn an_operators_pipe_stays() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join(".gitignore");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let patrol = Patrol::watching(folder.path());
        assert_eq!(fs::read(&pipe).unwrap(), b"");
        drop(patrol);
        assert!(pipe.symlink_metadata().is_ok());
    }
}
