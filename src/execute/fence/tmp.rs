//! The TMPDIR of one run, and what is left of those whose process was killed.
//!
//! Below the run's folder, or, when that is too deep for sockets, a folder with a random name in the system's. Of the
//! latter a record stands in `.koru/tmp/` until it is removed: which folder, and which process made it. Whoever makes the
//! next one removes those of processes that are gone. Only a folder is removed that is named by such a record, lies in
//! the system's folder for temporary files, has a name of ours and belongs to us: a record that somebody else wrote gains
//! nothing.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::atomic;
use crate::base::process::ProcessIdentity;

/// Longest TMPDIR below the run's folder: programs make sockets there, whose paths end at about 107 bytes.
const TMP_BYTES: usize = 60;

/// What our names in the system's folder begin with.
const PREFIX: &str = "koru-";

/// Age from which a record counts whose process cannot be asked for from here (another container made it).
const FORGOTTEN: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Longest record that is read.
const RECORD_BYTES: u64 = 64 * 1024;

/// A TMPDIR of the run's own. It is removed when this is dropped.
#[derive(Debug)]
pub(super) struct PrivateTmp {
    path: PathBuf,
    /// Says whose it is, where it does not lie below the run's folder.
    record: Option<PathBuf>,
}

/// Whose folder it is.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    path: PathBuf,
    process: Option<ProcessIdentity>,
    /// The namespace that the process id counts in.
    namespace: Option<PathBuf>,
}

impl PrivateTmp {
    /// Makes one for the run with this folder.
    ///
    /// # Errors
    /// Any I/O error.
    pub(super) fn new(run: &Path) -> io::Result<PrivateTmp> {
        PrivateTmp::within(run, &std::env::temp_dir())
    }

    fn within(run: &Path, system: &Path) -> io::Result<PrivateTmp> {
        let below = run.join("tmp");
        if below.as_os_str().len() <= TMP_BYTES {
            atomic::make_private_dir(&below)?;
            return Ok(PrivateTmp { path: below, record: None });
        }
        let system = system.canonicalize()?;
        let records = run.ancestors().find(|above| above.ends_with(".planfile/.koru"));
        let records = records.map(|koru| koru.join("tmp"));
        if let Some(records) = &records {
            atomic::make_own_dir(records)?;
            sweep(records, &system);
        }
        let made = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&system)?;
        let record = match (&records, made.path().file_name()) {
            (Some(records), Some(name)) => {
                let record = Record {
                    path: made.path().to_path_buf(),
                    process: ProcessIdentity::own(),
                    namespace: namespace(),
                };
                let file = records.join(name).with_extension("json");
                atomic::replace(&file, &[&serde_json::to_vec(&record)?])?;
                Some(file)
            }
            _ => None,
        };
        Ok(PrivateTmp { path: made.keep(), record })
    }

    /// The folder.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for PrivateTmp {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "a run's TMPDIR cannot be removed");
            return;
        }
        if let Some(record) = &self.record {
            drop(fs::remove_file(record));
        }
    }
}

fn namespace() -> Option<PathBuf> {
    fs::read_link("/proc/self/ns/pid").ok()
}

/// Removes what processes left that are gone.
fn sweep(records: &Path, system: &Path) {
    let Ok(entries) = fs::read_dir(records) else { return };
    let paths = entries.flatten().map(|entry| entry.path());
    for file in paths.filter(|path| path.extension().is_some_and(|end| end == "json")) {
        let Some((record, age)) = read(&file) else { continue };
        let gone = match (&record.process, record.namespace == namespace()) {
            (Some(process), true) => !process.is_alive(),
            _ => age > FORGOTTEN,
        };
        if !gone {
            continue;
        }
        let removed = match is_ours(&record.path, system) {
            Some(true) => fs::remove_dir_all(&record.path),
            // It is gone already, or it was never ours to remove.
            None | Some(false) => Ok(()),
        };
        match removed.and_then(|()| fs::remove_file(&file)) {
            Ok(()) => tracing::info!(path = %record.path.display(), "the TMPDIR of a killed run was removed"),
            Err(error) => {
                tracing::warn!(path = %record.path.display(), %error, "a killed run's TMPDIR cannot be removed");
            }
        }
    }
}

fn read(file: &Path) -> Option<(Record, Duration)> {
    let found = file.symlink_metadata().ok()?;
    if !found.is_file() || found.len() > RECORD_BYTES {
        return None;
    }
    let age = found.modified().ok()?.elapsed().unwrap_or_default();
    Some((serde_json::from_slice(&fs::read(file).ok()?).ok()?, age))
}

/// Whether it is a folder of ours in the system's folder; `None` when it is not there.
fn is_ours(path: &Path, system: &Path) -> Option<bool> {
    let found = path.symlink_metadata().ok()?;
    let named = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PREFIX));
    let own = found.uid() == nix::unistd::getuid().as_raw();
    Some(found.is_dir() && own && named && path.parent() == Some(system))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(run: &Path) -> Vec<PathBuf> {
        let koru = run.ancestors().find(|above| above.ends_with(".planfile/.koru")).unwrap();
        fs::read_dir(koru.join("tmp")).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_nothing_else_is() {
        let base = tempfile::tempdir().unwrap();
        let base = base.path().canonicalize().unwrap();
        let (system, deep) = (base.join("system"), "x".repeat(60));
        let run = base.join("p/.planfile/.koru/runs").join(deep);
        fs::create_dir_all(&run).unwrap();
        fs::create_dir_all(system.join("other")).unwrap();
        // As a kill -9 leaves it: nothing is dropped, and the process is not there any more.
        let killed = PrivateTmp::within(&run, &system).unwrap();
        let (left, mut record) = (killed.path.clone(), read(&records(&run)[0]).unwrap().0);
        fs::write(left.join("socket"), "").unwrap();
        let process = record.process.as_mut().unwrap();
        process.start_ticks += 1;
        let file = records(&run)[0].clone();
        fs::write(&file, serde_json::to_vec(&record).unwrap()).unwrap();
        std::mem::forget(killed);
        // Forged ones lead nowhere.
        let forge = |name: &str, path: &Path| {
            let forged =
                Record { path: path.to_path_buf(), process: record.process.clone(), namespace: namespace() };
            fs::write(file.with_file_name(name), serde_json::to_vec(&forged).unwrap()).unwrap();
        };
        forge("a.json", &system.join("other"));
        forge("b.json", &base.join("p"));
        std::os::unix::fs::symlink(base.join("p"), system.join("koru-link")).unwrap();
        forge("c.json", &system.join("koru-link"));
        let living = PrivateTmp::within(&run, &system).unwrap();
        assert!(!left.exists() && living.path().is_dir());
        assert!(system.join("other").is_dir() && run.is_dir() && system.join("koru-link").is_symlink());
        assert_eq!(records(&run).len(), 1, "{:?}", records(&run));
        let next = PrivateTmp::within(&run, &system).unwrap();
        assert!(living.path().is_dir(), "who made it is alive");
        drop((living, next));
        assert_eq!(records(&run), Vec::<PathBuf>::new());
        assert_eq!(fs::read_dir(&system).unwrap().count(), 2);
    }
}
