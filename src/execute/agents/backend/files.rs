//! Files that an agent is given: in the run's folder, private, replaced whole.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The folder for them.
pub(super) struct Files {
    folder: PathBuf,
}

impl Files {
    /// Files in `folder`, which exists.
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The path of a file that the agent itself will write: in [`super::OWN_FOLDER`], which the write fence leaves open.
    pub(super) fn own(&self, name: &str) -> PathBuf {
        self.folder.join(super::OWN_FOLDER).join(name)
    }

    /// Writes a file, 0600, and gives its path.
    pub(super) fn write(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let path = self.folder.join(name);
        // A file of an earlier session of the same run is replaced; a link in its place is not followed.
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(text.as_bytes())?;
        Ok(path)
    }
}
