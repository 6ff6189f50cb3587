//! Copies of the corpus, opened as stores with a clock that stands still.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use koru_tui::base::clock::Clock;
use koru_tui::plan::store::Store;
use koru_tui::plan::ticket::TicketId;
use serde_json::Value;

/// A tree of the corpus, by its path below `tests/fixtures/planfile`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/planfile").join(name)
}

/// A throw-away copy of a tree of the corpus.
pub struct Copy {
    folder: tempfile::TempDir,
}

impl Copy {
    /// Copies `name`.
    pub fn of(name: &str) -> Copy {
        Copy::of_tree(&fixture(name))
    }

    /// Copies any tree.
    pub fn of_tree(from: &Path) -> Copy {
        let folder = tempfile::tempdir().unwrap();
        copy_tree(from, folder.path());
        Copy { folder }
    }

    /// The project folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A path below `.planfile`.
    pub fn at(&self, relative: &str) -> PathBuf {
        self.path().join(".planfile").join(relative)
    }

    /// The text of a file below `.planfile`.
    #[track_caller]
    pub fn read(&self, relative: &str) -> String {
        fs::read_to_string(self.at(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
    }

    /// Writes a file below `.planfile`.
    pub fn write(&self, relative: &str, text: impl AsRef<[u8]>) {
        fs::create_dir_all(self.at(relative).parent().unwrap()).unwrap();
        fs::write(self.at(relative), text).unwrap();
    }

    /// The store, its clock standing at noon of the corpus's day.
    pub fn store(&self) -> Store {
        Store::open(self.path()).unwrap().with_clock(Clock::manual(noon()))
    }

    /// Every file below `.planfile` with its bytes, our own folder and the lock left out.
    pub fn bytes(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut all = BTreeMap::new();
        collect(&self.at(""), &mut all);
        all.retain(|path, _| {
            !path.ends_with(".store.lock") && !path.components().any(|part| part.as_os_str() == ".koru")
        });
        all
    }
}

/// 2026-11-21, 12:00 UTC.
pub fn noon() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

/// The id of this text.
pub fn id(text: &str) -> TicketId {
    TicketId::new(text)
}

/// A ticket's record as it stands in a sprint file, read by the YAML library that we do not write with.
#[track_caller]
pub fn on_disk(root: &Path, stem: &str, id: &str) -> Option<Value> {
    let text = fs::read_to_string(root.join(format!(".planfile/sprints/{stem}.yaml"))).ok()?;
    let document: Value = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
    document.pointer(&format!("/sprint/tickets/{id}")).cloned()
}

/// Copies files and folders; files can be written by their owner.
pub fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::write(target, fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}

fn collect(folder: &Path, all: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), all);
        } else {
            all.insert(entry.path(), fs::read(entry.path()).unwrap());
        }
    }
}
