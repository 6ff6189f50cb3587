//! The flat pipeline file that `init --from` and `bootstrap --from` import (koru §1.1).
//!
//! A pipeline is one mapping with a list `tasks`; every other key is its header. All mistakes are found in one pass, so
//! that an author fixes a file once. Nothing here touches a planfile: [`super::scaffold`] writes what was parsed.

mod check;
mod convert;
mod graph;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub(crate) use graph::rings;

use serde_json::{Map, Value};

use crate::base::regular::{self, Links};
use crate::base::yaml;

/// A file larger than this, in bytes, is no pipeline.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// A valid pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    /// `project` of the header.
    pub project: Option<String>,
    /// First line of `description`, else `project`, else `Imported pipeline`: the name of the sprint.
    pub title: String,
    /// Tasks in file order, with every default filled in but `sprint` and the time stamps.
    pub tasks: Vec<Task>,
}

/// One task as a planfile record.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Unique id.
    pub id: String,
    /// The record, unknown keys included.
    pub record: Map<String, Value>,
}

/// One mistake in a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The task, or `<missing-id>`, or `<pipeline>` for the file as a whole.
    pub id: String,
    /// The field.
    pub field: String,
    /// What is wrong and what is allowed.
    pub message: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "  - {}: {}: {}", self.id, self.field, self.message)
    }
}

/// Why a pipeline cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The file is missing or cannot be read.
    #[error("reading the pipeline {path} failed: {source}", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not YAML.
    #[error("{path}: {message}; correct the file and run the command again", path = .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What the parser says, with line and column.
        message: String,
    },
    /// Readable, and wrong in at least one place.
    #[error("{path}: validation failed\n{list}", path = .path.display(),
        list = .problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Every mistake, in file order.
        problems: Vec<Problem>,
    },
}

/// Reads and validates the pipeline at `path`.
///
/// # Errors
/// See [`PipelineError`].
pub fn parse(path: &Path) -> Result<Pipeline, PipelineError> {
    let text = regular::read_text(path, Links::Followed, MAX_BYTES)
        .map_err(|source| PipelineError::Read { path: path.to_owned(), source })?;
    parse_text(path, &text)
}

/// Validates a pipeline given as text; `path` is only named in errors.
///
/// # Errors
/// See [`PipelineError`].
pub fn parse_text(path: &Path, text: &str) -> Result<Pipeline, PipelineError> {
    let syntax = |message: String| PipelineError::Syntax { path: path.to_owned(), message };
    let root: serde_yaml::Value = yaml::from_str(text).map_err(|error| syntax(error.to_string()))?;
    let root = convert::json(&root).map_err(syntax)?;
    let mut problems = Vec::new();
    let pipeline = check::pipeline(root, &mut problems);
    if problems.is_empty() {
        Ok(pipeline)
    } else {
        Err(PipelineError::Invalid { path: path.to_owned(), problems })
    }
}
