//! Reading the file, failing closed.

use std::fmt;
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_yaml::Value;

use super::reader::Reader;
use super::{PromotionSettings, Settings, blocks};
use crate::base::paths::ProjectPaths;
use crate::base::regular::{self, Links};
use crate::base::yaml;
use crate::plan::kind::kind;

/// Where the file is, from the project's root; what notes call it.
const PATH: &str = ".planfile/.koru/config.yaml";

/// A file larger than this is not read.
const MAX_BYTES: u64 = 1024 * 1024;

/// How much a note weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteLevel {
    /// The whole file does not count.
    WholeFile,
    /// A value does not count; something that the operator set up is not in force.
    Error,
    /// A key that nobody knows.
    Warning,
}

/// Something in the file that did not count. Displays as one sentence that names the file, the key, what is wrong and what
/// is in force instead (foreign text).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsNote {
    /// How much it weighs.
    pub level: NoteLevel,
    /// Dotted key, empty for the whole file.
    pub key: String,
    /// What is wrong, what is in force, what to do.
    pub message: String,
    /// Line and column, both from 1: where the file stops being YAML, or where a limit that is not understood stands.
    pub at: Option<(usize, usize)>,
}

impl fmt::Display for SettingsNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PATH}")?;
        if let Some((line, column)) = self.at {
            write!(f, ", line {line}, column {column}")?;
        }
        match self.key.is_empty() {
            true => write!(f, ": {}", self.message),
            false => write!(f, ": `{}` {}", self.key, self.message),
        }
    }
}

/// Loads the settings of the project at `root`.
pub(super) fn load(root: &Path) -> (Settings, Vec<SettingsNote>) {
    let path = ProjectPaths::new(root).koru_config();
    match regular::read(&path, Links::Followed, MAX_BYTES) {
        Ok(bytes) => from_bytes(&bytes),
        Err(error) => match error.kind() {
            ErrorKind::NotFound => (Settings::default(), Vec::new()),
            ErrorKind::InvalidInput => refused("is not a regular file".to_owned(), None),
            ErrorKind::FileTooLarge => refused(format!("is larger than {MAX_BYTES} bytes"), None),
            _ => refused(format!("cannot be read ({error})"), None),
        },
    }
}

/// The settings that `bytes` describe.
pub(super) fn from_bytes(bytes: &[u8]) -> (Settings, Vec<SettingsNote>) {
    let root: Value = match yaml::from_slice(bytes) {
        Ok(root) => root,
        Err(error) => {
            let at = error.location().map(|place| (place.line(), place.column()));
            return refused(format!("is not readable YAML ({error})"), at);
        }
    };
    match root {
        Value::Mapping(root) => {
            let text = String::from_utf8_lossy(bytes);
            let mut reader = Reader::of(&text);
            let mut settings = blocks::settings(&mut reader, &root);
            settings.refused = reader.refused;
            (settings, reader.notes)
        }
        // A file of nothing but comments says nothing, which is no mistake.
        Value::Null => (Settings::default(), Vec::new()),
        other => refused(format!("has {} at its top level, not a mapping", kind(&other)), None),
    }
}

/// Nothing of the file counts. What the operator wanted to limit is not known, so no agent runs.
fn refused(why: String, at: Option<(usize, usize)>) -> (Settings, Vec<SettingsNote>) {
    let message =
        format!("the file {why}; no agent is started until it is repaired, and every default is in force");
    let note = SettingsNote { level: NoteLevel::WholeFile, key: String::new(), message, at };
    let refused = Some(format!("{PATH} {why}; repair it"));
    let promotion = PromotionSettings { refused: refused.clone(), ..PromotionSettings::default() };
    let settings = Settings { refused, promotion, ..Settings::default() };
    (settings, vec![note])
}
