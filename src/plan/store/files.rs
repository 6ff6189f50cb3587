//! The sprint files, config and locator of one planfile: which version of each was read last, and what it said.
//!
//! Reading takes no lock. Files change one at a time, so a load is taken again when the folder changed meanwhile; a
//! file that changes while it is read is read again. A file that does not parse keeps its last good state.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::archive::is_archive;
use super::config::Config;
use super::locate;
use super::locator::Locator;
use super::moves::Alone;
use super::reading::{open_regular, read_whole};
use super::{FileFault, FileWarning, MutateError, OpenError};
use crate::base::atomic::Stamp;
use crate::base::paths::ProjectPaths;
use crate::plan::ticket::Ticket;
use crate::plan::yaml::{Outline, SprintDoc, SprintFault};

/// How often a load is tried while somebody keeps writing; then the last answer is taken.
const ROUNDS: usize = 5;

/// One sprint file. Its text is not kept: twenty megabytes that nobody may ever edit.
#[derive(Debug)]
pub(super) struct SprintFile {
    /// The version that was looked at last.
    pub(super) stamp: Stamp,
    /// The last good state.
    pub(super) outline: Option<Outline>,
    /// Why the version that was looked at last cannot be used.
    pub(super) fault: Option<SprintFault>,
}

/// The files of one planfile.
#[derive(Debug)]
pub(super) struct Files {
    /// Where everything is.
    pub(super) paths: ProjectPaths,
    /// The last good config.
    pub(super) config: Config,
    config_stamp: Option<Stamp>,
    /// Why the config on disk cannot be used now.
    pub(super) config_fault: Option<SprintFault>,
    /// By stem, in the order of [`rank`].
    pub(super) sprints: BTreeMap<Rank, SprintFile>,
    locator_stamp: Option<Stamp>,
    /// The locator; `None` when the file is not one.
    pub(super) locator: Option<Locator>,
}

/// A stem in the order in which tickets are shown and duplicates decided.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank(u8, std::cmp::Reverse<String>, String);

impl Rank {
    /// `current`, `backlog`, others by name, history files newest first.
    pub(super) fn of(stem: &str) -> Rank {
        let newest_first = |text: &str| std::cmp::Reverse(text.to_owned());
        match stem {
            "current" => Rank(0, newest_first(""), stem.to_owned()),
            "backlog" => Rank(1, newest_first(""), stem.to_owned()),
            _ if is_archive(stem) => Rank(3, newest_first(stem), stem.to_owned()),
            _ => Rank(2, newest_first(""), stem.to_owned()),
        }
    }

    /// The stem.
    pub(super) fn stem(&self) -> &str {
        &self.2
    }
}

/// What all files say together.
#[derive(Debug, Default)]
pub(super) struct Merged {
    pub(super) tickets: Vec<Arc<Ticket>>,
    pub(super) faults: Vec<FileFault>,
    pub(super) warnings: Vec<FileWarning>,
    pub(super) sprints: Vec<(String, usize)>,
    /// Tickets of `current` that also stand in a history file: left by a crash in the middle of a move.
    pub(super) torn: Vec<(Arc<Ticket>, String)>,
}

impl Files {
    /// Reads the config of the project at `root`; no sprint file yet.
    pub(super) fn open(root: &Path) -> Result<Files, OpenError> {
        let paths = ProjectPaths::new(root);
        let path = paths.config();
        let fault = |source| OpenError::Io { path: path.clone(), source };
        let Some((stamp, bytes)) = read_whole(&path).map_err(fault)? else {
            return Err(OpenError::Uninitialised(root.to_path_buf()));
        };
        let config = match Config::parse(&bytes) {
            Ok(config) => config,
            Err(fault) => return Err(OpenError::Config { path, fault }),
        };
        if config.is_sharded() {
            let backend = config.backend.clone().unwrap_or_default();
            return Err(OpenError::UnsupportedBackend { path, backend });
        }
        let files = Files {
            paths,
            config,
            config_stamp: Some(stamp),
            config_fault: None,
            sprints: BTreeMap::new(),
            locator_stamp: None,
            locator: Some(Locator::default()),
        };
        let folder = files.paths.sprints();
        match files.list() {
            Ok(found) if found.is_empty() => Err(OpenError::Uninitialised(root.to_path_buf())),
            Ok(_) => Ok(files),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(OpenError::Uninitialised(root.to_path_buf()))
            }
            Err(source) => Err(OpenError::Io { path: folder, source }),
        }
    }

    /// Where the sprint file of this stem is.
    pub(super) fn sprint_path(&self, stem: &str) -> PathBuf {
        self.paths.sprints().join(format!("{stem}.yaml"))
    }

    /// Where the locator is.
    pub(super) fn locator_path(&self) -> PathBuf {
        self.paths.index().join("history-locations.yaml")
    }

    /// The path as shown: relative to the project.
    pub(super) fn shown(stem: &str) -> String {
        format!(".planfile/sprints/{stem}.yaml")
    }

    /// Reads again what changed; true when something did.
    pub(super) fn refresh(&mut self) -> bool {
        let mut changed = self.refresh_config();
        for _ in 0..ROUNDS {
            let Ok(found) = self.list() else { break };
            let step = self.take(&found);
            changed |= step;
            if self.list().ok().as_ref() == Some(&found) {
                break;
            }
        }
        changed | self.refresh_locator()
    }

    fn refresh_config(&mut self) -> bool {
        let path = self.paths.config();
        let stamp = Stamp::read(&path).ok().flatten();
        if stamp == self.config_stamp && stamp.is_some() {
            return false;
        }
        let before = self.config_fault.clone();
        self.config_stamp = stamp;
        match read_whole(&path) {
            Ok(Some((stamp, bytes))) => {
                self.config_stamp = Some(stamp);
                match Config::parse(&bytes) {
                    Ok(config) if config.is_sharded() => {
                        self.config_fault = Some(plain_fault(
                            "the planfile was migrated to sharded storage, which koru-tui does not edit"
                                .to_owned(),
                        ));
                    }
                    Ok(config) => {
                        self.config = config;
                        self.config_fault = None;
                        return true;
                    }
                    Err(fault) => self.config_fault = Some(fault),
                }
            }
            Ok(None) => {
                let message = "the config is gone; put it back or run `koru-tui init`".to_owned();
                self.config_fault = Some(plain_fault(message));
            }
            Err(error) => {
                self.config_fault = Some(plain_fault(format!("the config cannot be read: {error}")))
            }
        }
        before != self.config_fault
    }

    /// Reads the locator again if it changed; true when it says something else.
    pub(super) fn refresh_locator(&mut self) -> bool {
        let path = self.locator_path();
        let stamp = Stamp::read(&path).ok().flatten();
        if stamp == self.locator_stamp {
            return false;
        }
        self.locator_stamp = stamp;
        let before = self.locator.clone();
        self.locator = match read_whole(&path) {
            Ok(None) => Some(Locator::default()),
            Ok(Some((_, bytes))) => std::str::from_utf8(&bytes).ok().and_then(Locator::parse),
            Err(_) => None,
        };
        before != self.locator
    }

    /// Remembers a locator that was just written.
    pub(super) fn set_locator(&mut self, locator: Locator, stamp: Stamp) {
        self.locator = Some(locator);
        self.locator_stamp = Some(stamp);
    }

    /// Whether the config on disk is another than the one that was read.
    pub(super) fn config_changed(&self) -> bool {
        Stamp::read(&self.paths.config()).ok().flatten() != self.config_stamp
    }

    /// Forgets the config's version, so that the next refresh reads it.
    pub(super) fn forget_config(&mut self) {
        self.config_stamp = None;
    }

    /// The sprint files that are there, with their versions.
    fn list(&self) -> io::Result<BTreeMap<Rank, Stamp>> {
        let mut found = BTreeMap::new();
        for entry in std::fs::read_dir(self.paths.sprints())? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(stem) = name.to_str().and_then(|name| name.strip_suffix(".yaml")) else { continue };
            if stem.is_empty() || stem.starts_with('.') {
                continue;
            }
            if let Some(stamp) = Stamp::read(&entry.path())? {
                found.insert(Rank::of(stem), stamp);
            }
        }
        Ok(found)
    }

    /// Reads the files besides `stem`, and says which there are; `None` when `stem` is not there or another is broken.
    pub(super) fn whole_besides(&mut self, stem: &str) -> Option<BTreeMap<Rank, Stamp>> {
        let found = self.list().ok()?;
        let mut others = found.clone();
        others.remove(&Rank::of(stem))?;
        let known = super::whole::read(&self.paths.koru());
        others.retain(|rank, stamp| known.get(rank.stem()).map(|noted| noted.stamp) != Some(*stamp));
        self.take(&others);
        others
            .keys()
            .all(|rank| self.sprints.get(rank).is_some_and(|file| file.fault.is_none()))
            .then_some(found)
    }

    fn take(&mut self, found: &BTreeMap<Rank, Stamp>) -> bool {
        let before = self.sprints.len();
        self.sprints.retain(|rank, _| found.contains_key(rank));
        let mut changed = self.sprints.len() != before;
        for (rank, stamp) in found {
            if self.sprints.get(rank).is_none_or(|file| file.stamp != *stamp) {
                changed |= self.read_sprint(rank, *stamp);
            }
        }
        changed
    }

    fn read_sprint(&mut self, rank: &Rank, listed: Stamp) -> bool {
        let previous = self.sprints.remove(rank).and_then(|file| file.outline);
        let read = read_whole(&self.sprint_path(rank.stem()));
        let file = match read {
            Ok(None) => return true,
            Err(error) => {
                let fault = plain_fault(format!("the file cannot be read: {error}"));
                SprintFile { stamp: listed, outline: previous, fault: Some(fault) }
            }
            Ok(Some((stamp, bytes))) => match SprintDoc::parse(rank.stem(), bytes, previous.as_ref()) {
                Ok(doc) => SprintFile { stamp, outline: Some(doc.outline().clone()), fault: None },
                Err(fault) => SprintFile { stamp, outline: previous, fault: Some(fault) },
            },
        };
        self.sprints.insert(rank.clone(), file);
        true
    }

    /// The file of this stem.
    pub(super) fn sprint(&self, stem: &str) -> Option<&SprintFile> {
        self.sprints.get(&Rank::of(stem))
    }

    /// The file of this stem with its text, which is read again.
    ///
    /// # Errors
    /// The file does not parse now, is not there, or is another version than the one that was looked at.
    pub(super) fn doc(&self, stem: &str) -> Result<SprintDoc, MutateError> {
        let path = PathBuf::from(Files::shown(stem));
        let failed = |source| MutateError::Io { path: path.clone(), source };
        let file = self.sprint(stem).ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
        if let Some(fault) = &file.fault {
            return Err(MutateError::Broken(FileFault { path: Files::shown(stem), fault: fault.clone() }));
        }
        let outline = file.outline.as_ref().ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
        let busy =
            || io::Error::new(io::ErrorKind::ResourceBusy, "another program wrote the file at the same time");
        let (stamp, bytes) =
            read_whole(&self.sprint_path(stem)).map_err(failed)?.ok_or_else(|| failed(busy()))?;
        let text = String::from_utf8(bytes).ok().filter(|_| stamp == file.stamp);
        text.and_then(|text| outline.with_text(text).ok()).ok_or_else(|| failed(busy()))
    }

    /// One ticket of a file by itself, its lines read again; `None` when it cannot stand alone, or when the file is not the
    /// version that was looked at.
    pub(super) fn alone(&self, stem: &str, id: &str) -> Option<Alone> {
        let file = self.sprint(stem).filter(|file| file.fault.is_none())?;
        let lines = file.outline.as_ref()?.lines_of(id)?;
        let open = open_regular(&self.sprint_path(stem)).ok()?;
        let source = locate::text_at(&open, &(lines.start as u64..lines.end as u64))?;
        (Stamp::of(&open.metadata().ok()?) == file.stamp).then(|| Alone::new(stem, &source))?
    }

    /// The stem of the file in which a ticket counts: `current`, else where the locator says, else in rank order.
    pub(super) fn home_of(&self, id: &str) -> Option<&str> {
        let holds =
            |file: &SprintFile| file.outline.as_ref().is_some_and(|outline| outline.ticket(id).is_some());
        let located = self.locator.as_ref().and_then(|locator| locator.tickets.get(id));
        let first = ["current"].into_iter().chain(located.map(String::as_str));
        let first = first.filter_map(|stem| self.sprints.get_key_value(&Rank::of(stem)));
        first.chain(self.sprints.iter()).find(|(_, file)| holds(file)).map(|(rank, _)| rank.stem())
    }

    /// What all files say together; an id that stands in two files is kept once.
    pub(super) fn merged(&self) -> Merged {
        let mut merged = Merged::default();
        if let Some(fault) = &self.config_fault {
            let path = ".planfile/config.yaml".to_owned();
            merged.faults.push(FileFault { path, fault: fault.clone() });
        }
        let mut homes: HashMap<&str, (&str, usize)> = HashMap::new();
        for (rank, file) in &self.sprints {
            let path = Files::shown(rank.stem());
            if let Some(fault) = &file.fault {
                merged.faults.push(FileFault { path: path.clone(), fault: fault.clone() });
            }
            let Some(outline) = &file.outline else { continue };
            merged.warnings.extend(outline.warnings().iter().map(|warning| FileWarning {
                path: path.clone(),
                line: warning.line,
                message: warning.message.clone(),
            }));
            let mut count = 0;
            for ticket in outline.tickets() {
                count += 1;
                self.place(&mut merged, &mut homes, rank.stem(), ticket);
            }
            merged.sprints.push((rank.stem().to_owned(), count));
        }
        merged
    }

    fn place<'a>(
        &self,
        merged: &mut Merged,
        homes: &mut HashMap<&'a str, (&'a str, usize)>,
        stem: &'a str,
        ticket: &'a Arc<Ticket>,
    ) {
        let id = ticket.id.as_str();
        let Some(&(home, place)) = homes.get(id) else {
            homes.insert(id, (stem, merged.tickets.len()));
            merged.tickets.push(Arc::clone(ticket));
            return;
        };
        if home == "current" && is_archive(stem) {
            merged.torn.push((Arc::clone(&merged.tickets[place]), stem.to_owned()));
            return;
        }
        let located = self.locator.as_ref().and_then(|locator| locator.tickets.get(id));
        if home != "current" && home != stem && located.is_some_and(|located| located == stem) {
            merged.tickets[place] = Arc::clone(ticket);
            homes.insert(id, (stem, place));
        }
        merged.warnings.push(FileWarning {
            path: Files::shown(stem),
            line: 1,
            message: format!("{id} stands here and in {home}.yaml; keep one of the two"),
        });
    }
}

/// A fault that is about the file as a whole.
fn plain_fault(message: String) -> SprintFault {
    SprintFault { line: 1, column: 1, message, excerpt: None }
}
