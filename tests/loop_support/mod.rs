//! A scratch repository, scripted agents on the PATH, and the real binary for the suites of `loop`.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/ran.rs"]
mod ran;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub use ran::Ran;
use serde_json::Value;

/// loop-kit's fixtures.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/loop-kit")
}

/// A repository with one commit and `.loop/` ignored, and the scripted agents beside it.
pub struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    /// With the example card in the bus.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("koru-tui-loop-").tempdir().unwrap();
        let scratch = Self { folder };
        fs::create_dir_all(scratch.root().join("src")).unwrap();
        fs::create_dir(scratch.root().join(".loop")).unwrap();
        scratch.agents();
        scratch.put("src/app.py", "def add(a, b):\n    pass\n");
        scratch.put(".gitignore", ".loop/\n");
        scratch.git(&["init", "-q", "-b", "main"]);
        scratch.commit("init");
        fs::copy(fixtures().join("fakes/task_card.json"), scratch.bus().join("task_card.json")).unwrap();
        scratch
    }

    /// From a bundle, with the bus that belongs to it.
    pub fn of_fixture(name: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("koru-tui-loop-").tempdir().unwrap();
        let scratch = Self { folder };
        let bundle = fixtures().join(name).join("repo.bundle");
        let clone = Command::new("git")
            .args(["clone", "-q", "-b", "main"])
            .arg(bundle)
            .arg(scratch.root())
            .output()
            .unwrap();
        assert!(clone.status.success(), "{}", String::from_utf8_lossy(&clone.stderr));
        copy(&fixtures().join(name).join(".loop"), &scratch.bus());
        scratch.agents();
        scratch
    }

    fn agents(&self) {
        use std::os::unix::fs::PermissionsExt;
        let bin = self.folder.path().join("bin");
        fs::create_dir_all(&bin).unwrap();
        for name in ["codex", "claude", "opencode"] {
            fs::copy(fixtures().join("fakes").join(name), bin.join(name)).unwrap();
            fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    pub fn outside(&self) -> &Path {
        self.folder.path()
    }

    pub fn bus(&self) -> PathBuf {
        self.root().join(".loop")
    }

    /// Where the agents note how they were called.
    pub fn noted(&self) -> PathBuf {
        self.folder.path().join("noted")
    }

    pub fn put(&self, name: &str, text: &str) {
        let path = self.root().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Runs git here; its output.
    #[track_caller]
    pub fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=dev", "-c", "user.email=dev@example.invalid"])
            .args(args)
            .current_dir(self.root())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
    }

    /// A program here, with the agents first on the PATH and the knobs given.
    pub fn program(&self, program: &Path, args: &[&str], knobs: &[(&str, &str)]) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        command
            .args(args)
            .current_dir(self.root())
            .env_clear()
            .env("PATH", format!("{}:{path}", self.folder.path().join("bin").display()))
            .env("HOME", self.folder.path().join("home"))
            .env("FAKE_LOG", self.noted())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .envs([("GIT_AUTHOR_NAME", "dev"), ("GIT_AUTHOR_EMAIL", "dev@example.invalid")])
            .envs([("GIT_COMMITTER_NAME", "dev"), ("GIT_COMMITTER_EMAIL", "dev@example.invalid")])
            .envs(knobs.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// `koru-tui loop …`.
    pub fn command(&self, args: &[&str], knobs: &[(&str, &str)]) -> Command {
        let args = [&["loop"], args].concat();
        self.program(Path::new(env!("CARGO_BIN_EXE_koru-tui")), &args, knobs)
    }

    pub fn call(&self, args: &[&str], knobs: &[(&str, &str)]) -> Ran {
        Ran::of(self.command(args, knobs).output().unwrap())
    }

    /// `loop run --auto-dispatch` with more.
    pub fn run(&self, more: &[&str], knobs: &[(&str, &str)]) -> Ran {
        self.call(&[&["run", "--loop-dir", ".loop", "--auto-dispatch"], more].concat(), knobs)
    }

    #[track_caller]
    pub fn read(&self, name: &str) -> Value {
        let text =
            fs::read_to_string(self.bus().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        serde_json::from_str(&text).unwrap()
    }

    pub fn state(&self) -> Value {
        self.read("state.json")
    }

    /// Names of calls that agents noted, such as `codex.worker.r1`.
    pub fn calls(&self) -> Vec<String> {
        let entries = fs::read_dir(self.noted()).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().into_string().unwrap());
        let mut names: Vec<String> =
            names.filter_map(|name| Some(name.strip_suffix(".argv")?.to_owned())).collect();
        names.sort();
        names
    }

    pub fn archived(&self, task: &str) -> Vec<String> {
        let entries = fs::read_dir(self.bus().join("archive").join(task)).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
