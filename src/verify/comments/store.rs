//! The notebook on disk: `.koru/loop/<ticket>/comments.json`.
//!
//! Every change is read, made and written under a lock, so that two consoles lose nothing of each other; written beside,
//! synced and renamed. A file that cannot be read is left as it is and every change refused, so that nothing is lost.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Notebook, NotebookChange};
use crate::base::atomic;
use crate::base::lock::{FileLock, LockError};
use crate::base::paths::ProjectPaths;
use crate::base::repo::names::safe_component;
use crate::plan::ticket::TicketId;
use crate::verify::diff::rounds_on_disk;

/// Version of the file that is written.
const FORMAT: u32 = 1;

/// Longest notebook that is read or written.
const LIMIT: u64 = 16 * 1024 * 1024;

/// How long another console may hold the lock.
const WAIT: Duration = Duration::from_secs(5);

/// Why a notebook was not read or not changed. Nothing is lost in either case.
#[derive(Debug, thiserror::Error)]
pub enum NotebookError {
    /// The system refused.
    #[error("{doing} {path} failed: {source}")]
    Io {
        /// Operation, as a gerund.
        doing: &'static str,
        /// File or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another console is changing it.
    #[error("the comments are being changed by somebody else: {0}")]
    Locked(#[from] LockError),
    /// It is no notebook.
    #[error(
        "the comments in {path} cannot be read ({why}); they were left as they are: mend the file or move it away"
    )]
    Broken {
        /// File.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// There is no planfile.
    #[error("there is no .planfile folder in {0}; comments are kept in it")]
    NoPlanfile(PathBuf),
    /// It would be too long.
    #[error("the comments in {path} would be longer than {LIMIT} bytes; drop some that were sent")]
    Full {
        /// File.
        path: PathBuf,
    },
}

/// Makes `change` in the notebook of `ticket` of the project at `root`, durably, and gives it as it is then.
///
/// # Errors
/// See [`NotebookError`].
pub fn change(root: &Path, ticket: &TicketId, change: NotebookChange) -> Result<Notebook, NotebookError> {
    let paths = ProjectPaths::new(root);
    let folder = paths.loops().join(safe_component(ticket.as_str()));
    let path = folder.join("comments.json");
    if change == NotebookChange::Read {
        return read(&path);
    }
    if !paths.planfile().is_dir() {
        return Err(NotebookError::NoPlanfile(root.to_path_buf()));
    }
    let io = |doing, path: &Path| {
        let path = path.to_path_buf();
        move |source| NotebookError::Io { doing, path, source }
    };
    atomic::make_own_dir(&folder).map_err(io("making the folder", &folder))?;
    let _lock = FileLock::acquire(&folder.join("comments.lock"), WAIT)?;
    let mut notebook = read(&path)?;
    notebook.apply(change);
    // Rounds that cannot be read answer nothing.
    notebook.prune(rounds_on_disk(root, ticket).ok().flatten().as_ref());
    notebook.format = FORMAT;
    let bytes = serde_json::to_vec_pretty(&notebook).map_err(io::Error::from);
    let bytes = bytes.map_err(io("writing", &path))?;
    if bytes.len() as u64 >= LIMIT {
        return Err(NotebookError::Full { path });
    }
    atomic::replace(&path, &[&bytes, b"\n"]).map_err(io("writing", &path))?;
    Ok(notebook)
}

fn read(path: &Path) -> Result<Notebook, NotebookError> {
    let broken = |why: String| NotebookError::Broken { path: path.to_path_buf(), why };
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
    let file = match File::options().read(true).custom_flags(flags).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Notebook::default()),
        Err(error) => return Err(broken(error.to_string())),
        Ok(file) => file,
    };
    let metadata = file.metadata().map_err(|error| broken(error.to_string()))?;
    if !metadata.is_file() || metadata.len() > LIMIT {
        return Err(broken("it is no plain file, or far too long".to_owned()));
    }
    let mut bytes = Vec::new();
    file.take(LIMIT).read_to_end(&mut bytes).map_err(|error| broken(error.to_string()))?;
    let notebook: Notebook = serde_json::from_slice(&bytes).map_err(|error| broken(error.to_string()))?;
    if notebook.format > FORMAT {
        return Err(broken(format!("it was written by a newer release (format {})", notebook.format)));
    }
    Ok(notebook)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn viewed(file: &str) -> NotebookChange {
        NotebookChange::Viewed { file: file.to_owned(), blob: Some("1".to_owned()) }
    }

    #[test]
    fn changes_are_kept_and_a_broken_file_is_left_alone() {
        let base = tempfile::tempdir().unwrap();
        let (root, ticket) = (base.path(), TicketId::new("../evil"));
        assert!(matches!(change(root, &ticket, viewed("a")), Err(NotebookError::NoPlanfile(_))));
        std::fs::create_dir(root.join(".planfile")).unwrap();
        change(root, &ticket, viewed("a")).unwrap();
        let both = change(root, &ticket, viewed("b")).unwrap();
        assert_eq!(both.viewed.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(change(root, &ticket, NotebookChange::Read).unwrap(), both);
        let folder = ProjectPaths::new(root).loops().join(safe_component("../evil"));
        let path = folder.join("comments.json");
        for bad in ["", "{\"format\": 1, \"comments\": 3}", "{\"format\": 9}", "{\"format\": 1"] {
            std::fs::write(&path, bad).unwrap();
            assert!(matches!(change(root, &ticket, viewed("c")), Err(NotebookError::Broken { .. })), "{bad}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), bad);
        }
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", &path).unwrap();
        assert!(matches!(change(root, &ticket, viewed("c")), Err(NotebookError::Broken { .. })));
    }
}
