#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! `agent` through the real binary (koru A50, §6.4): the list, the saved prompt, an agent started with it.

#[path = "support/cli.rs"]
mod cli;
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use cli::{Place, Ran};
use serde_json::{Value, json};
use support::project::{Project, shell};

const PROMPT: &str = ".planfile/.koru/prompts/latest-agent-prompt.md";

/// A project and a folder of programs that is the whole `PATH`.
struct Desk {
    project: Project,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { project: Project::with(&[shell("PLF-001", "Work", "true")]) };
        fs::create_dir_all(desk.bin()).unwrap();
        desk
    }

    fn bin(&self) -> PathBuf {
        self.project.around().join("bin")
    }

    /// A program that says where it runs and what it was given, and ends with `code`.
    fn program(self, name: &str, code: i32) -> Self {
        let path = self.bin().join(name);
        let script = format!(
            "#!/bin/sh\necho \"in $PWD\"\nfor word in \"$@\"; do echo \"<$word>\"; done\nexit {code}\n"
        );
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    fn run(&self, args: &[&str]) -> Ran {
        let output = self.project.command(args).env("PATH", self.bin()).output().unwrap();
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn lane(&self, id: &str) -> Value {
        let list = self.run(&["agent", "--list", "--format", "json"]).expect(0).json();
        list["agents"].as_array().unwrap().iter().find(|lane| lane["id"] == *id).unwrap().clone()
    }
}

#[test]
fn a50_a_windsurf_folder_makes_windsurf_available_and_not_launchable() {
    let desk = Desk::new();
    fs::create_dir(desk.project.path().join(".windsurf")).unwrap();
    let windsurf = desk.lane("windsurf");
    assert_eq!(
        windsurf,
        json!({
            "id": "windsurf", "label": "Windsurf", "available": true, "launchable": false, "command": null,
            "reason": "the project has .windsurf/; open it there by hand", "project_hint": true,
        })
    );
    let list = desk.run(&["agent", "--list", "--format", "json"]).expect(0).json();
    assert_eq!(list["summary"], json!({"total": 12, "available": 1, "launchable": 0, "ready": 0}));
    let text = desk.run(&["agent", "--list"]).expect(0).out;
    assert!(text.contains("✓ windsurf") && text.contains("· codex"), "{text}");
    let ran = desk.run(&["agent", "--launch"]).expect(2);
    assert!(ran.err.contains("agent --list"), "{}", ran.err);
    desk.run(&["agent", "--launch", "--agent", "windsurf"]).expect(2);
    desk.run(&["agent", "--launch", "--agent", "martian"]).expect(2);
}

#[test]
fn a50_only_claude_on_the_path_is_picked_and_really_gets_the_prompt() {
    let desk = Desk::new().program("claude", 7);
    let ran = desk.run(&["agent", "--launch"]).expect(7);
    let prompt = desk.project.read(PROMPT);
    assert!(prompt.contains("## Active ticket: `PLF-001`"), "{prompt}");
    let root = desk.project.path().canonicalize().unwrap();
    assert_eq!(ran.out, format!("in {}\n<{prompt}>\n", root.display()));
    let program = desk.bin().join("claude");
    let exact = format!("cd {} && {} \"$(cat ", root.display(), program.display());
    assert!(ran.err.starts_with(&exact) && ran.err.contains("latest-agent-prompt.md)\""), "{}", ran.err);
}

#[test]
fn several_agents_without_a_terminal_are_taken_in_the_order_of_preference() {
    let desk = Desk::new().program("aider", 0).program("codex", 0);
    let ran = desk.run(&["agent", "--launch"]).expect(0);
    assert!(ran.err.contains("/codex "), "{}", ran.err);
    let ran = desk.run(&["agent", "--launch", "--agent", "aider"]).expect(0);
    let file = desk.project.path().canonicalize().unwrap().join(PROMPT);
    assert!(ran.out.ends_with(&format!("<--message-file>\n<{}>\n", file.display())), "{}", ran.out);
}

#[test]
fn an_agent_that_does_not_start_is_told() {
    let desk = Desk::new();
    let path = desk.bin().join("codex");
    fs::write(&path, "#!/nowhere/interpreter\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let ran = desk.run(&["agent", "--launch", "--agent", "codex"]).expect(1);
    assert!(ran.err.contains("starting ") && ran.err.contains("codex failed"), "{}", ran.err);
}

#[test]
fn without_an_option_the_brief_is_printed_and_saved() {
    let desk = Desk::new();
    let ran = desk.run(&["agent", "--ticket", "PLF-001"]).expect(0);
    assert_eq!(ran.out, desk.project.read(PROMPT));
    assert!(ran.err.contains("latest-agent-prompt.md"), "{}", ran.err);
    let mode = fs::metadata(desk.project.path().join(PROMPT)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let bare = Project::bare();
    let ran = bare.run(&["agent"]).expect(0);
    assert!(ran.out.contains("Setup required") && ran.err.is_empty(), "{}", ran.err);
    assert!(!bare.path().join(".planfile").exists(), "nothing is made where there is no planfile");
}
