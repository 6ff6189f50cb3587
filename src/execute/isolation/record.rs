//! The record beside each worktree: `.koru/worktrees/<name>.json`, written before anything is made.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::WorktreeError;
use super::stack::Base;
use super::{Worktree, standing};
use crate::base::atomic;
use crate::base::paths::ProjectPaths;
use crate::base::regular::{self, Links};
use crate::base::repo::names::safe_component;
use crate::plan::ticket::TicketId;

/// Version of the record. A reader refuses what is newer and ignores unknown keys.
const FORMAT: u32 = 1;

/// Longest record that is read.
const LIMIT: u64 = 64 * 1024;

/// What `<name>.json` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// [`FORMAT`].
    pub(super) format: u32,
    /// The worktree; its path is where it was made, [`Record::worktree`] says where it is.
    pub(super) worktree: Worktree,
    /// The operator's branch that it was made from; `None` when it was made from a bare commit.
    pub(super) base_branch: Option<String>,
    /// Finished tickets whose work is in its base and had not landed then.
    #[serde(default)]
    pub(super) beneath: Vec<TicketId>,
    /// When it was made.
    pub(super) created_at: Timestamp,
    /// Fingerprint of git's filter configuration then.
    #[serde(default)]
    pub(super) filters: String,
    /// It was made to its end: before that no agent has been in it, and what is there may be made again.
    pub(super) ready: bool,
}

/// The folder of all worktrees and the names in it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// `.koru/worktrees`.
    pub(super) folder: PathBuf,
    /// Name of one worktree.
    pub(super) name: String,
}

impl Place {
    /// The place of `ticket` in the project at `root`.
    pub(super) fn of(root: &Path, ticket: &TicketId) -> Place {
        Place { folder: ProjectPaths::new(root).worktrees(), name: safe_component(ticket.as_str()) }
    }

    /// The place that a worktree lies in; `None` when its path has no parent.
    pub(super) fn of_worktree(worktree: &Worktree) -> Option<Place> {
        let name = worktree.path.file_name()?.to_str()?.to_owned();
        Some(Place { folder: worktree.path.parent()?.to_path_buf(), name })
    }

    pub(super) fn checkout(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    fn record(&self) -> PathBuf {
        self.folder.join(format!("{}.json", self.name))
    }

    /// Our own index of the worktree.
    pub(super) fn index(&self) -> PathBuf {
        self.folder.join(format!("{}.index", self.name))
    }

    /// The record; `None` when there is none that can be read.
    pub(super) fn read(&self) -> Option<Record> {
        let path = self.record();
        let bytes = regular::read(&path, Links::Refused, LIMIT).ok()?;
        let record: Record = serde_json::from_slice(&bytes).ok()?;
        (record.format <= FORMAT).then_some(record)
    }

    /// Writes the record durably, and makes the folder with its own `.gitignore` when it is not there: a project
    /// without koru's line in its `.gitignore` must not show worktrees as untracked files.
    pub(super) fn write(&self, record: &Record) -> Result<(), WorktreeError> {
        atomic::make_own_dir(&self.folder).map_err(WorktreeError::io("making the folder", &self.folder))?;
        let ignore = self.folder.join(".gitignore");
        if !ignore.exists() {
            atomic::replace(&ignore, &[b"*\n"]).map_err(WorktreeError::io("writing", &ignore))?;
        }
        let path = self.record();
        let bytes = serde_json::to_vec_pretty(record).map_err(std::io::Error::from);
        let written = bytes.and_then(|bytes| atomic::replace(&path, &[&bytes, b"\n"]));
        written.map(drop).map_err(WorktreeError::io("writing the worktree's record", &path))
    }

    /// Takes record and index away.
    pub(super) fn forget(&self) -> Result<(), WorktreeError> {
        for path in [self.index(), self.record()] {
            standing::remove_file(&path).map_err(WorktreeError::io("removing", &path))?;
        }
        Ok(())
    }
}

impl Record {
    pub(super) fn new(worktree: Worktree, base: &Base, at: Timestamp, filters: String) -> Self {
        Record {
            format: FORMAT,
            worktree,
            base_branch: base.branch.clone(),
            beneath: base.beneath.clone(),
            created_at: at,
            filters,
            ready: false,
        }
    }
}

/// Every place under the project that has a readable record, by name.
pub(super) fn all(root: &Path) -> Vec<(Place, Record)> {
    let folder = ProjectPaths::new(root).worktrees();
    let Ok(entries) = fs::read_dir(&folder) else { return Vec::new() };
    let mut found: Vec<(Place, Record)> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().to_str()?.strip_suffix(".json")?.to_owned();
            let place = Place { folder: folder.clone(), name };
            let mut record = place.read()?;
            // The project may have been moved; a record never sends us elsewhere.
            record.worktree.path = place.checkout();
            Some((place, record))
        })
        .collect();
    found.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    found
}
