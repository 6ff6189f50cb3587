//! Configuration, hooks and the like of the repository: what can make git run programs or see other content.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::{Breach, Settlement};
use crate::base::regular::{self, Links};

/// Files whose change always counts, besides everything in `hooks/`. The exclude file is not among them: it only hides.
const WATCHED: [&str; 4] = ["info/attributes", "info/grafts", "objects/info/alternates", "config.worktree"];

/// Beginnings and ends of configuration keys that name programs to run or other places to go.
const RUNS_PROGRAMS: [&str; 16] = [
    "core.hookspath",
    "core.fsmonitor",
    "core.sshcommand",
    "core.editor",
    "core.pager",
    "core.askpass",
    "core.gitproxy",
    "core.attributesfile",
    "core.worktree",
    "filter.",
    "alias.",
    "include",
    "credential.",
    "gpg.",
    "url.",
    "pager.",
];
const RUNS_PROGRAMS_END: [&str; 8] =
    [".textconv", ".command", ".driver", ".cmd", ".path", ".uploadpack", ".receivepack", ".proxy"];

/// Files larger than this are told apart by their length alone.
const KEPT: u64 = 1024 * 1024;

/// Files below `.planfile/.koru` that say what runs may do.
const OURS: [&str; 2] = ["policy.yaml", "config.yaml"];

/// How the files stood.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    config: BTreeMap<String, Vec<String>>,
    watched: BTreeMap<PathBuf, Vec<u8>>,
    ours: BTreeMap<PathBuf, Option<Vec<u8>>>,
}

impl Files {
    /// Reads those of the repository `common` and of the project that `worktree` belongs to.
    pub(super) fn read(common: &Path, worktree: &Path) -> Files {
        let koru = worktree.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == ".koru"));
        let ours = koru.into_iter().flat_map(|koru| OURS.map(|name| koru.join(name)));
        let ours = ours.map(|path| (path.clone(), content(&path))).collect();
        let hooks = fs::read_dir(common.join("hooks")).into_iter().flatten().flatten();
        let hooks = hooks.map(|entry| Path::new("hooks").join(entry.file_name()));
        let watched = WATCHED.iter().map(PathBuf::from).chain(hooks);
        let watched = watched.filter_map(|name| content(&common.join(&name)).map(|text| (name, text)));
        Files { config: config(&common.join("config")), watched: watched.collect(), ours }
    }

    /// Says whether what runs may do was changed: for this run it counted as it stood when it began.
    pub(super) fn compare_ours(&self, found: &mut Settlement) {
        for (path, before) in &self.ours {
            if content(path) != *before {
                let path = path.display();
                found
                    .meanwhile
                    .push(format!("{path} changed while the run worked; it counts from the next on"));
            }
        }
    }

    /// Says what differs now. Nothing is put back: it cannot be told whose doing it is.
    pub(super) fn compare(&self, common: &Path, found: &mut Settlement) {
        let now = Files::read(common, Path::new(""));
        let names: BTreeSet<&PathBuf> = self.watched.keys().chain(now.watched.keys()).collect();
        for name in names {
            if self.watched.get(name) != now.watched.get(name) {
                found.breaches.push(breach(
                    format!("{} of the repository changed while the run worked", name.display()),
                    format!("{}; look at it, git may run what it says", common.join(name).display()),
                ));
            }
        }
        let keys: BTreeSet<&String> = self.config.keys().chain(now.config.keys()).collect();
        let (mut grave, mut harmless) = (Vec::new(), Vec::new());
        for key in keys {
            if self.config.get(key) != now.config.get(key) {
                if runs_programs(key) { &mut grave } else { &mut harmless }.push(key.as_str());
            }
        }
        if !grave.is_empty() {
            found.breaches.push(breach(
                "the repository's configuration changed so that git may run programs or go elsewhere"
                    .to_owned(),
                format!("{}: {}", common.join("config").display(), grave.join(", ")),
            ));
        }
        if !harmless.is_empty() {
            found.meanwhile.push(format!("the repository's configuration changed: {}", harmless.join(", ")));
        }
    }
}

fn breach(what: String, evidence: String) -> Breach {
    Breach { rule: "git_config".to_owned(), what, evidence, undone: false }
}

fn runs_programs(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    RUNS_PROGRAMS.iter().any(|start| key.starts_with(start))
        || RUNS_PROGRAMS_END.iter().any(|end| key.ends_with(end))
}

/// Content and mode of a file, or where a link points; `None` when it is not there.
fn content(path: &Path) -> Option<Vec<u8>> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = path.symlink_metadata().ok()?;
    let mut text = format!("{:o} {} ", metadata.permissions().mode(), metadata.len()).into_bytes();
    if metadata.is_symlink() {
        text.extend_from_slice(fs::read_link(path).ok()?.as_os_str().as_encoded_bytes());
    } else if metadata.is_file() && metadata.len() <= KEPT {
        text.extend(regular::read(path, Links::Refused, KEPT).ok()?);
    }
    Some(text)
}

/// Every key of a configuration file with its values. A file that cannot be read any more is one key that changed.
fn config(path: &Path) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let read = git2::Config::open(path).and_then(|config| {
        let entries = config.entries(None)?;
        entries.for_each(|entry| {
            let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
            found.entry(name).or_default().push(String::from_utf8_lossy(entry.value_bytes()).into_owned());
        })
    });
    if let Err(error) = read {
        found.insert("include (unreadable)".to_owned(), vec![error.message().to_owned()]);
    }
    found
}
