//! Making a planfile where there is none (koru §1): config, first sprint, policy stub, `.gitignore` line.
//!
//! Invariants: nothing is written before everything was validated; policy and configuration are never overwritten; a live sprint
//! that `force` replaces is kept as a copy under `.planfile/.koru/`. A project counts as initialised when it has a config
//! and at least one sprint file: planfile itself makes a lone config when it is merely asked something.

mod config;
mod gitignore;
mod import;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use import::Request;

use super::pipeline::{self, PipelineError};
use crate::base::clock::Clock;
use crate::base::lock::LockError;
use crate::base::paths::ProjectPaths;

/// The pipeline of `init` without `--from`.
const STARTER: &str = include_str!("../../../assets/starter-pipeline.yaml");
/// What `.planfile/.koru/` is.
const README: &str = include_str!("../../../assets/koru-readme.md");

/// What `init` shall do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitOptions {
    /// Pipeline to import; the starter pipeline when `None`.
    pub from: Option<PathBuf>,
    /// Sprint file stem.
    pub sprint: String,
    /// Replace a live sprint; a copy is kept.
    pub force: bool,
}

impl Default for InitOptions {
    fn default() -> Self {
        Self { from: None, sprint: "current".to_owned(), force: false }
    }
}

/// What happened to `.gitignore`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GitignoreChange {
    /// The line was there.
    Untouched,
    /// The file was made.
    Created,
    /// The line was added.
    Updated,
}

/// What `init` or `bootstrap` did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitReport {
    /// Absolute project folder.
    pub project: PathBuf,
    /// Sprint file stem.
    pub sprint: String,
    /// Imported tickets.
    pub imported: usize,
    /// Whether the built-in starter pipeline was used.
    pub starter: bool,
    /// Whether a config was written.
    pub config_written: bool,
    /// Whether a policy stub was written (never by `bootstrap`).
    pub policy_written: bool,
    /// Whether a stub of the configuration was written (never by `bootstrap`).
    pub settings_written: bool,
    /// What happened to `.gitignore` (`bootstrap` leaves it alone).
    pub gitignore: GitignoreChange,
    /// Copy of the sprint that `force` replaced.
    pub backup: Option<PathBuf>,
    /// Things the operator should know, each a sentence.
    pub warnings: Vec<String>,
}

/// Why nothing was initialised or imported. Unless it says so, nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// Config and sprint are there.
    #[error(
        "{0} is already initialised; use --force to import again (a copy of the sprint is kept, the policy is not touched)"
    )]
    AlreadyInitialised(PathBuf),
    /// The sprint file is there.
    #[error("the sprint {0} already exists; use --force to replace it (a copy is kept)")]
    SprintExists(PathBuf),
    /// The pipeline is missing or wrong.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// planfile refuses such a sprint name.
    #[error(
        "{0:?} is no sprint name: use 1 to 128 letters, digits, `_` or `-`, starting with a letter or digit"
    )]
    SprintName(String),
    /// The config that is there cannot be worked with.
    #[error("{path} {message}; nothing was written", path = .path.display())]
    Config {
        /// The config file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The tickets cannot be written so that planfile reads them as meant.
    #[error("composing the sprint {sprint} failed: {detail}; nothing was written")]
    Compose {
        /// Sprint file stem.
        sprint: String,
        /// Where.
        detail: String,
    },
    /// planfile's lock was not had.
    #[error("initialising failed: {0}")]
    Lock(#[from] LockError),
    /// A file operation failed; files named before it in the report order may have been written.
    #[error("{operation} {path} failed: {source}", path = .path.display())]
    Io {
        /// What was being done.
        operation: &'static str,
        /// To which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl InitError {
    /// The exit code of the verb: 1 already there or a failing disk, 2 wrong input.
    pub fn exit_code(&self) -> u8 {
        match self {
            InitError::AlreadyInitialised(_)
            | InitError::SprintExists(_)
            | InitError::Config { .. }
            | InitError::Lock(_)
            | InitError::Io { .. } => 1,
            InitError::Pipeline(_) | InitError::SprintName(_) | InitError::Compose { .. } => 2,
        }
    }
}

/// Whether the project at `root` has a config and at least one sprint file. Creates nothing.
pub fn is_initialised(root: &Path) -> bool {
    let paths = ProjectPaths::new(root);
    let is_sprint = |name: &str| name.ends_with(".yaml") && !name.starts_with('.');
    paths.config().is_file()
        && std::fs::read_dir(paths.sprints()).is_ok_and(|entries| {
            entries.flatten().any(|entry| entry.file_name().to_str().is_some_and(is_sprint))
        })
}

/// Whether a `.gitignore` with this content keeps our working files out of commits.
pub fn ignores_runtime(gitignore: &[u8]) -> bool {
    gitignore::has_line(gitignore)
}

/// Makes the planfile of the project at `root` (created when missing), policy stub and `.gitignore` line included.
///
/// # Errors
/// See [`InitError`].
pub fn init(root: &Path, options: &InitOptions, clock: &Clock) -> Result<InitReport, InitError> {
    check_sprint_name(&options.sprint)?;
    if !options.force && is_initialised(root) {
        return Err(InitError::AlreadyInitialised(root.to_owned()));
    }
    let pipeline = match &options.from {
        Some(path) => pipeline::parse(path)?,
        None => pipeline::parse_text(Path::new("starter pipeline"), STARTER)?,
    };
    import::run(&Request {
        root,
        pipeline: &pipeline,
        starter: options.from.is_none(),
        sprint: &options.sprint,
        force: options.force,
        project_files: true,
        clock,
    })
}

/// Imports the pipeline `from` as the sprint `sprint`: no policy stub, no `.gitignore` (koru §1.1).
///
/// # Errors
/// See [`InitError`].
pub fn bootstrap(
    root: &Path,
    from: &Path,
    sprint: &str,
    force: bool,
    clock: &Clock,
) -> Result<InitReport, InitError> {
    check_sprint_name(sprint)?;
    let pipeline = pipeline::parse(from)?;
    let project_files = false;
    import::run(&Request { root, pipeline: &pipeline, starter: false, sprint, force, project_files, clock })
}

/// Makes `.planfile/.koru/runs/` and, the first time, the explainer `.planfile/.koru/README.md`.
///
/// # Errors
/// The folder or the file cannot be made.
pub fn ensure_runs_dir(root: &Path) -> Result<PathBuf, InitError> {
    let paths = ProjectPaths::new(root);
    let runs = paths.runs();
    let is_there = runs.is_dir();
    import::make_dir(&runs)?;
    if !is_there {
        let readme = paths.koru().join("README.md");
        if std::fs::symlink_metadata(&readme).is_err() {
            import::write(&readme, README.as_bytes())?;
        }
    }
    Ok(runs)
}

/// planfile takes `^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`. Its own history files are no sprint to import into.
fn check_sprint_name(name: &str) -> Result<(), InitError> {
    let legal = name.len() <= 128
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    if legal { Ok(()) } else { Err(InitError::SprintName(name.to_owned())) }
}
