//! What every verb is given: the project it works on, the format it prints in and the clock.

use std::path::{Path, PathBuf};

use super::cli::Format;
use super::error::VerbError;
use super::output::{Out, Tone};
use crate::base::clock::Clock;
use crate::base::paths::ProjectPaths;
use crate::base::repo;
use crate::plan::store::{Plan, Store};

/// The surroundings of one call.
#[derive(Clone, Debug)]
pub(super) struct Context {
    /// `--project` as given.
    pub(super) project: Option<PathBuf>,
    /// `--format` as given.
    pub(super) format: Option<Format>,
    /// The clock.
    pub(super) clock: Clock,
}

impl Context {
    /// Whether the answer is for a program.
    pub(super) fn json(&self) -> bool {
        self.format == Some(Format::Json)
    }

    /// The project folder: the one that holds the planfile as seen from `--project` or the current folder (a linked
    /// worktree leads to its main project); where there is none, the folder where `init` would make it.
    ///
    /// # Errors
    /// A folder that does not exist.
    pub(super) fn root(&self) -> Result<PathBuf, VerbError> {
        let from = self.start()?;
        if let Some(paths) = ProjectPaths::find(&from) {
            return Ok(paths.root().to_owned());
        }
        match (&self.project, repo::roots(&from)) {
            (None, Some((_, main))) => Ok(main.canonicalize().unwrap_or(main)),
            _ => Ok(from),
        }
    }

    /// The folder for `init`: `--project` itself, made if it is missing, else as [`Context::root`].
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub(super) fn root_to_make(&self) -> Result<PathBuf, VerbError> {
        let Some(project) = &self.project else { return self.root() };
        std::fs::create_dir_all(project).map_err(|source| VerbError::Io {
            doing: "making the project folder",
            path: project.clone(),
            source,
        })?;
        self.start()
    }

    fn start(&self) -> Result<PathBuf, VerbError> {
        let from = self.project.as_deref().unwrap_or(Path::new("."));
        let absolute = from.canonicalize().map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => {
                VerbError::Usage(format!("no folder {}; check the path given to --project", from.display()))
            }
            _ => VerbError::Io { doing: "opening the project folder", path: from.to_owned(), source },
        })?;
        if !absolute.is_dir() {
            return Err(VerbError::Usage(format!("{} is not a folder; --project takes one", from.display())));
        }
        Ok(absolute)
    }

    /// Who calls, as the environment says: an agent, else the user.
    pub(super) fn who(&self) -> String {
        ["KORU_AGENT", "USER", "LOGNAME"]
            .into_iter()
            .find_map(variable)
            .unwrap_or_else(|| "unknown".to_owned())
    }

    /// Opens the project's store.
    ///
    /// # Errors
    /// See [`crate::plan::store::OpenError`].
    pub(super) fn store(&self) -> Result<Store, VerbError> {
        Ok(Store::open(&self.root()?)?)
    }
}

/// Refuses when the file of `sprint` (or, for `None`, any file) does not parse; other faults are told on standard error.
///
/// # Errors
/// [`VerbError::Broken`].
pub(super) fn refuse_broken(plan: &Plan, sprint: Option<&str>, out: &mut Out) -> Result<(), VerbError> {
    let (needed, others): (Vec<_>, Vec<_>) = plan.faults.iter().cloned().partition(|fault| {
        sprint.is_none_or(|stem| Path::new(&fault.path).file_stem().is_some_and(|found| found == stem))
    });
    for fault in &others {
        out.note(Tone::Warn, &super::error::fault_line(fault));
    }
    if needed.is_empty() { Ok(()) } else { Err(VerbError::Broken(needed)) }
}

/// A variable of the environment with something in it.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}
