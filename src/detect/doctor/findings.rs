//! What the probes look at, read once: config, sprint files and tickets. Nothing is written and nothing is locked.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde_yaml::Value;

use super::DoctorOptions;
use crate::base::paths::ProjectPaths;
use crate::base::regular::{self, Links};
use crate::base::yaml;
use crate::plan::policy::{Policy, PolicyNote};
use crate::plan::settings::{Settings, SettingsNote};
use crate::plan::ticket::{Ticket, TicketId};
use crate::plan::yaml::{SprintDoc, SprintFault};

/// Longest file that is read.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// A sprint file.
pub(super) struct SprintFile {
    /// File name.
    pub(super) name: String,
    /// Full path.
    pub(super) path: PathBuf,
    /// Its tickets, or where it stops being a sprint, or why it cannot be read.
    pub(super) content: Result<SprintDoc, SprintTrouble>,
}

/// Why a sprint file is of no use.
pub(super) enum SprintTrouble {
    Unreadable(String),
    Fault(SprintFault),
}

/// planfile's config.
pub(super) enum Config {
    Missing,
    /// What is wrong, as the end of a sentence.
    Broken(String),
    Mapping(Value),
}

/// Everything.
pub(super) struct Findings<'a> {
    pub(super) options: &'a DoctorOptions,
    pub(super) paths: ProjectPaths,
    pub(super) now: Timestamp,
    pub(super) config: Config,
    pub(super) sprints_dir: bool,
    pub(super) sprints: Vec<SprintFile>,
    pub(super) policy: Policy,
    pub(super) policy_notes: Vec<PolicyNote>,
    pub(super) settings: Settings,
    pub(super) settings_notes: Vec<SettingsNote>,
    /// Every place where an id stands, by file stem; `current` first, then by name.
    pub(super) places: BTreeMap<TicketId, Vec<String>>,
    /// The ticket that counts for an id.
    pub(super) tickets: HashMap<TicketId, Arc<Ticket>>,
}

impl<'a> Findings<'a> {
    pub(super) fn gather(root: &Path, options: &'a DoctorOptions) -> Self {
        let paths = ProjectPaths::new(root);
        let (policy, policy_notes) = Policy::load(root);
        let (settings, settings_notes) = Settings::load(root);
        let mut findings = Findings {
            options,
            now: options.clock.now(),
            config: config(&paths.config()),
            sprints_dir: paths.sprints().is_dir(),
            sprints: sprints(&paths.sprints()),
            policy,
            policy_notes,
            settings,
            settings_notes,
            places: BTreeMap::new(),
            tickets: HashMap::new(),
            paths,
        };
        for file in &findings.sprints {
            let Ok(document) = &file.content else { continue };
            for ticket in document.tickets() {
                findings.places.entry(ticket.id.clone()).or_default().push(document.stem().to_owned());
                findings.tickets.entry(ticket.id.clone()).or_insert_with(|| Arc::clone(ticket));
            }
        }
        findings
    }

    /// The readable sprints.
    pub(super) fn documents(&self) -> impl Iterator<Item = (&SprintFile, &SprintDoc)> {
        self.sprints.iter().filter_map(|file| Some((file, file.content.as_ref().ok()?)))
    }

    /// Tickets that count, in the order of their ids.
    pub(super) fn tickets_in_order(&self) -> Vec<&Arc<Ticket>> {
        let mut tickets: Vec<_> = self.tickets.values().collect();
        tickets.sort_by(|a, b| a.id.natural_key().cmp(&b.id.natural_key()));
        tickets
    }

    /// A value of the config by its path.
    pub(super) fn config_value(&self, path: &[&str]) -> Option<&Value> {
        let Config::Mapping(root) = &self.config else { return None };
        path.iter().try_fold(root, |value, key| value.get(key))
    }
}

fn config(path: &Path) -> Config {
    let text = match regular::read_text(path, Links::Followed, MAX_BYTES) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Config::Missing,
        Err(error) => return Config::Broken(format!("cannot be read ({error})")),
    };
    match yaml::from_str::<Value>(&text) {
        Ok(value) if value.is_mapping() => Config::Mapping(value),
        Ok(_) => Config::Broken("is not a mapping".to_owned()),
        Err(error) => Config::Broken(format!("does not parse ({error})")),
    }
}

/// Sprint files, `current` first.
fn sprints(folder: &Path) -> Vec<SprintFile> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.ends_with(".yaml") && !name.starts_with('.'))
        .collect();
    names.sort_by_key(|name| (name != "current.yaml", name.clone()));
    names
        .into_iter()
        .map(|name| {
            let path = folder.join(&name);
            let stem = name.trim_end_matches(".yaml");
            let content = bytes(&path)
                .map_err(SprintTrouble::Unreadable)
                .and_then(|bytes| SprintDoc::parse(stem, bytes, None).map_err(SprintTrouble::Fault));
            SprintFile { name, path, content }
        })
        .collect()
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    regular::read(path, Links::Followed, MAX_BYTES).map_err(|error| error.to_string())
}
