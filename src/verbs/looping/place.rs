//! Which folder is meant: the one that `--loop-dir` names, counted from the current folder; in a project with a planfile
//! the task's own below `.planfile/.koru/loop/`; else `.loop`, as in loop-kit.

use std::path::{Path, PathBuf};

use super::super::context::Context;
use super::super::error::VerbError;
use crate::base::paths::ProjectPaths;
use crate::base::repo::names::safe_component;
use crate::verify::bus::check_task_id;

/// Folder of loop-kit.
const FOREIGN: &str = ".loop";

/// The folder of a loop. `task` is its task's id, when that is known.
///
/// # Errors
/// An id that is none, or several loops to choose from.
pub(super) fn bus(
    context: &Context,
    loop_dir: Option<&Path>,
    task: Option<&str>,
) -> Result<PathBuf, VerbError> {
    if let Some(task) = task {
        check_task_id(task).map_err(|bad| VerbError::Failed(bad.to_string()))?;
    }
    let from = start(context)?;
    if let Some(folder) = loop_dir {
        return Ok(from.join(folder));
    }
    let Some(paths) = ProjectPaths::find(&from) else { return Ok(from.join(FOREIGN)) };
    if let Some(task) = task {
        return Ok(paths.loops().join(safe_component(task)));
    }
    let entries = std::fs::read_dir(paths.loops()).into_iter().flatten().flatten();
    let mut known: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| path.join("task_card.json").is_file()).collect();
    known.sort();
    match known.as_slice() {
        [one] => Ok(one.clone()),
        [] if from.join(FOREIGN).is_dir() => Ok(from.join(FOREIGN)),
        [] => Err(VerbError::Failed(
            "this project has no loop yet; name the task, or a folder with --loop-dir".to_owned(),
        )),
        several => {
            let names: Vec<String> = several
                .iter()
                .filter_map(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()))
                .collect();
            Err(VerbError::Failed(format!(
                "this project has several loops: name one of {}",
                names.join(", ")
            )))
        }
    }
}

/// The folder that relative paths count from.
///
/// # Errors
/// It is not there.
pub(super) fn start(context: &Context) -> Result<PathBuf, VerbError> {
    let from = context.project.clone().unwrap_or_else(|| PathBuf::from("."));
    from.canonicalize().map_err(|source| VerbError::Io { doing: "opening the folder", path: from, source })
}
