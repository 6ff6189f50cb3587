#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]
//! A throw-away project: a git repository with a planfile, written the way planfile 0.1.126 writes it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_yaml::Value;

use super::leftover;

const CONFIG: &str = "\
archive:
  enabled: true
  max_current_bytes: 1000000
  max_current_tickets: 100
  retain_terminal_days: 0
  retain_terminal_tickets: 20
  terminal_statuses:
  - done
  - canceled
  - failed
  - blocked
next_id: 1000
prefix: PLF
project: PROJECT
storage:
  backend: single-yaml
  custom_shards: 16
  index: none
  shard_size: 100
";

/// A project folder that goes away with the value. Whoever still works there then fails the test.
pub struct Project {
    /// Removed with the value; holds the project's folder and a home folder beside it.
    folder: tempfile::TempDir,
    root: PathBuf,
}

impl Project {
    /// A git repository on branch `main` with one commit and no planfile.
    pub fn bare() -> Self {
        let folder = tempfile::Builder::new().prefix("koru-tui-test-").tempdir().unwrap();
        let root = folder.path().join("app");
        let mut options = git2::RepositoryInitOptions::new();
        let repository = git2::Repository::init_opts(&root, options.initial_head("main")).unwrap();
        let author =
            git2::Signature::new("Test", "test@example.org", &git2::Time::new(1_700_000_000, 0)).unwrap();
        let tree = repository.find_tree(repository.treebuilder(None).unwrap().write().unwrap()).unwrap();
        repository.commit(Some("HEAD"), &author, &author, "Start", &tree, &[]).unwrap();
        Self { folder, root }
    }

    /// A project whose current sprint holds `tickets` (see [`shell`], [`human`], [`Ticket`]).
    pub fn with(tickets: &[Ticket]) -> Self {
        let project = Self::bare();
        project.write(".planfile/config.yaml", &CONFIG.replace("PROJECT", "test-app"));
        project.write(".planfile/.store.lock", "");
        project.write(".planfile/sprints/current.yaml", &sprint(tickets));
        project.write(
            ".planfile/sprints/backlog.yaml",
            "sprint:\n  id: backlog\n  name: Backlog\n  status: backlog\n  tickets: {}\n",
        );
        project
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The home folder that programs started here are given; it is empty.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// The throw-away folder around the project and its home.
    pub fn around(&self) -> &Path {
        self.folder.path()
    }

    /// The current sprint's file.
    pub fn current(&self) -> PathBuf {
        self.path().join(".planfile/sprints/current.yaml")
    }

    /// Writes a file of the project, with its folders.
    pub fn write(&self, relative: &str, text: &str) {
        let path = self.path().join(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Reads a file of the project.
    #[track_caller]
    pub fn read(&self, relative: &str) -> String {
        fs::read_to_string(self.path().join(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
    }

    /// A ticket's record on disk, wherever it stands now (current, backlog, history), as YAML.
    #[track_caller]
    pub fn record(&self, id: &str) -> Value {
        let folder = self.path().join(".planfile/sprints");
        let mut files: Vec<PathBuf> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|ending| ending == "yaml"));
        files.sort();
        files
            .iter()
            .find_map(|path| {
                let text = fs::read_to_string(path).unwrap();
                let document: Value =
                    serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
                document.get("sprint")?.get("tickets")?.get(id).cloned()
            })
            .unwrap_or_else(|| panic!("no ticket {id} in {files:?}"))
    }

    /// Runs our binary here to its end.
    pub fn koru(&self, args: &[&str]) -> Output {
        let home = self.home();
        Command::new(env!("CARGO_BIN_EXE_koru-tui"))
            .args(args)
            .current_dir(self.path())
            .env("HOME", &home)
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("XDG_STATE_HOME", home.join("state"))
            .env_remove("KORU_TUI_FAULT")
            .output()
            .unwrap()
    }

    /// Runs the real planfile here; panics unless it succeeds. Gives its standard output.
    #[track_caller]
    pub fn planfile(&self, planfile: &Path, args: &[&str]) -> String {
        let output = Command::new(planfile)
            .args(args)
            .current_dir(self.path())
            .env("NO_COLOR", "1")
            .env("TERM", "dumb")
            .env("COLUMNS", "100000")
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "planfile {args:?}: {}\n{stderr}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        leftover::end(self.around());
    }
}

/// A ticket to be written.
#[derive(Clone)]
pub struct Ticket {
    id: String,
    name: String,
    kind: &'static str,
    priority: String,
    status: String,
    labels: Vec<String>,
    blocked_by: Vec<String>,
    files: Vec<String>,
    /// Extra YAML under `inputs:`, one `key: value` each.
    inputs: Vec<String>,
    /// Extra YAML under `execution:`.
    execution: Vec<String>,
}

/// A shell ticket that runs `script`.
pub fn shell(id: &str, name: &str, script: &str) -> Ticket {
    Ticket::new(id, name, "shell").input(&format!("script: {}", quoted(script)))
}

/// A human ticket that asks `prompt`.
pub fn human(id: &str, name: &str, prompt: &str) -> Ticket {
    Ticket::new(id, name, "human").input(&format!("prompt: {}", quoted(prompt)))
}

impl Ticket {
    /// A ticket of the executor kind `kind`.
    pub fn new(id: &str, name: &str, kind: &'static str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            kind,
            priority: "normal".to_owned(),
            status: "open".to_owned(),
            labels: Vec::new(),
            blocked_by: Vec::new(),
            files: Vec::new(),
            inputs: Vec::new(),
            execution: Vec::new(),
        }
    }

    /// Its priority word.
    pub fn priority(mut self, word: &str) -> Self {
        word.clone_into(&mut self.priority);
        self
    }

    /// Its status word.
    pub fn status(mut self, word: &str) -> Self {
        word.clone_into(&mut self.status);
        self
    }

    /// One more label.
    pub fn label(mut self, word: &str) -> Self {
        self.labels.push(word.to_owned());
        self
    }

    /// One more blocker.
    pub fn blocked_by(mut self, id: &str) -> Self {
        self.blocked_by.push(id.to_owned());
        self
    }

    /// One more file in scope.
    pub fn file(mut self, path: &str) -> Self {
        self.files.push(path.to_owned());
        self
    }

    /// One more line of YAML under `inputs:`.
    pub fn input(mut self, line: &str) -> Self {
        self.inputs.push(line.to_owned());
        self
    }

    /// One more line of YAML under `execution:`.
    pub fn execution(mut self, line: &str) -> Self {
        self.execution.push(line.to_owned());
        self
    }

    fn yaml(&self) -> String {
        let list = |items: &[String]| {
            if items.is_empty() {
                " []".to_owned()
            } else {
                items.iter().map(|item| format!("\n      - {}", quoted(item))).collect()
            }
        };
        let block = |name: &str, lines: &[String]| {
            if lines.is_empty() {
                String::new()
            } else {
                let body: String = lines.iter().map(|line| format!("        {line}\n")).collect();
                format!("      {name}:\n{body}")
            }
        };
        let stamp = "'2026-11-20T10:00:00.000001Z'";
        format!(
            "    {id}:\n      acceptance_criteria: []\n      blocked_by:{blocked_by}\n      blocks: []\n      \
             contract_version: planfile.ticket/v1\n      created_at: {stamp}\n      description: ''\n{execution}      \
             executor:\n        kind: {kind}\n        mode: automatic\n      files:{files}\n      history: []\n      \
             id: {id}\n{inputs}      labels:{labels}\n      name: {name}\n      priority: {priority}\n      \
             source:\n        context: {{}}\n        timestamp: {stamp}\n        tool: test\n      sprint: current\n      \
             status: {status}\n      sync: {{}}\n      updated_at: {stamp}\n",
            id = self.id,
            blocked_by = list(&self.blocked_by),
            execution = block("execution", &self.execution),
            kind = self.kind,
            files = list(&self.files),
            inputs = block("inputs", &self.inputs),
            labels = list(&self.labels),
            name = quoted(&self.name),
            priority = self.priority,
            status = self.status,
        )
    }
}

/// A whole sprint file.
pub fn sprint(tickets: &[Ticket]) -> String {
    let body: String = tickets.iter().map(Ticket::yaml).collect();
    let tickets = if body.is_empty() { "  tickets: {}\n".to_owned() } else { format!("  tickets:\n{body}") };
    format!("sprint:\n  id: sprint-001\n  name: Sprint 1\n  status: active\n{tickets}")
}

/// A double-quoted YAML scalar in ASCII, so that no character can be one that YAML forbids.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            ' '..='~' => out.push(character),
            _ if u32::from(character) > 0xffff => out.push_str(&format!("\\U{:08x}", u32::from(character))),
            _ => out.push_str(&format!("\\u{:04x}", u32::from(character))),
        }
    }
    out + "\""
}
