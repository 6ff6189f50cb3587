//! Runs the real binary for the suites of the command line: no user configuration, a time limit, whole outputs kept.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "ran.rs"]
mod ran;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::support::leftover;
use crate::support::project::Project;
pub use ran::Ran;

/// A folder that is nobody's project yet; goes away with the value. Whoever still works there then fails the test.
pub struct Empty {
    folder: tempfile::TempDir,
}

impl Empty {
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("koru-tui-cli-").tempdir().unwrap();
        fs::create_dir(folder.path().join("shop")).unwrap();
        Self { folder }
    }
}

impl Drop for Empty {
    fn drop(&mut self) {
        leftover::end(self.folder.path());
    }
}

/// A folder in which the binary is run.
pub trait Place {
    /// The working folder.
    fn root(&self) -> PathBuf;

    /// The home folder of the programs started here.
    fn home_folder(&self) -> PathBuf;

    /// The binary, ready to run here.
    fn command(&self, args: &[&str]) -> assert_cmd::Command {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_koru-tui"));
        configure(&mut command, &self.home_folder());
        command.current_dir(self.root()).args(args);
        command
    }

    /// Runs it to its end, standard input empty.
    fn run(&self, args: &[&str]) -> Ran {
        finish(&mut self.command(args))
    }

    /// Runs it to its end with standard input piped.
    fn run_with(&self, args: &[&str], input: &str) -> Ran {
        finish(self.command(args).write_stdin(input))
    }

    /// Writes a file, with its folders.
    fn put(&self, relative: &str, text: &str) {
        let path = self.root().join(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Reads a file.
    #[track_caller]
    fn get(&self, relative: &str) -> String {
        fs::read_to_string(self.root().join(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
    }

    /// Names in the working folder.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.root())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Every file below `.planfile`, with its bytes; locks, mirrors and the journal's day marks excepted.
    fn planfile_bytes(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        files(&self.root().join(".planfile"))
    }

    /// The record of a ticket on disk as PyYAML-like JSON, in whichever sprint file it stands.
    #[track_caller]
    fn on_disk(&self, id: &str) -> Value {
        let folder = self.root().join(".planfile/sprints");
        let mut found = Vec::new();
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension() != Some(OsStr::new("yaml")) {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let document: Value =
                serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
            if let Some(record) = document["sprint"]["tickets"].get(id) {
                found.push(record.clone());
            }
        }
        assert_eq!(found.len(), 1, "{id} must stand in exactly one sprint file");
        found.remove(0)
    }

    /// The record of a ticket in one sprint file; the others need not parse.
    #[track_caller]
    fn on_disk_in(&self, sprint: &str, id: &str) -> Value {
        let document: Value =
            serde_yaml::from_str(&self.get(&format!(".planfile/sprints/{sprint}.yaml"))).unwrap();
        document["sprint"]["tickets"][id].clone()
    }

    /// Ids of the tickets in `current`, in file order.
    fn current_ids(&self) -> Vec<String> {
        let document: Value = serde_yaml::from_str(&self.get(".planfile/sprints/current.yaml")).unwrap();
        document["sprint"]["tickets"].as_object().unwrap().keys().cloned().collect()
    }
}

impl Place for Empty {
    fn root(&self) -> PathBuf {
        self.folder.path().join("shop")
    }

    fn home_folder(&self) -> PathBuf {
        self.folder.path().join("home")
    }
}

impl Place for Project {
    fn root(&self) -> PathBuf {
        self.path().to_owned()
    }

    fn home_folder(&self) -> PathBuf {
        self.home()
    }
}

fn configure(command: &mut assert_cmd::Command, home: &Path) {
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("XDG_STATE_HOME", home.join("state"))
        .env("XDG_CACHE_HOME", home.join("cache"))
        .timeout(Duration::from_secs(60));
}

fn finish(command: &mut assert_cmd::Command) -> Ran {
    let output = command.output().unwrap();
    assert!(output.status.code().is_some(), "the program was killed or ran into the time limit");
    Ran::of(output)
}

/// Every file below `folder`, with its bytes; locks and mirrors excepted.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        let Ok(entries) = fs::read_dir(&next) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                open.push(path);
            } else if name != ".store.lock" && !name.ends_with(".fast.json") {
                found.insert(path.clone(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// Whether text holds anything that acts on a terminal or hides in it (line ends excepted).
pub fn acts_on_a_terminal(text: &str) -> Option<char> {
    text.chars().find(|c| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    })
}
