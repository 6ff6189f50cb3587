//! A project in which agents work, and what stands in it before and after: the operator's checkout, refs, branches and
//! worktrees of agents, runs on disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};

use super::installed::{Agent, Seat};
use super::scenario;
use crate::support::leftover;
use crate::support::project::{Project, Ticket};
use crate::support::pty::patience;

/// The agent of the configuration that is the script `tests/fixtures/agents/misbehave`.
pub const SCRIPTED: &str = "scripted";

/// The strictest policy, and a check that says whether the scenarios' edit was made.
const POLICY: &str = "llm: {}\nci:\n  command: grep -qx 'Hello, world!' hello.txt\n";

/// A project, its agents and the folders around it.
pub struct Bench {
    pub project: Project,
    /// `.planfile/.koru/config.yaml` as it grows.
    config: Value,
}

/// All that an agent must leave alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    /// Where HEAD points, as a branch and a commit.
    pub head: String,
    /// Every ref but the branches below `koru/`, which are ours.
    pub refs: BTreeMap<String, String>,
    /// Every file outside `.git` and `.planfile`.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
    /// What is staged.
    pub index: String,
    /// The repository's own configuration.
    pub config: String,
}

/// What a call of our binary gave.
#[derive(Debug)]
pub struct Ran {
    /// `None` after a signal.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// A call of our binary that goes on.
pub struct Running {
    child: Child,
    folder: PathBuf,
}

impl Bench {
    /// A repository with the file of the scenarios committed, a stray change of the operator's in it, and these tickets.
    pub fn new(tickets: &[Ticket]) -> Self {
        let project = Project::with(tickets);
        project.write(scenario::FILE, scenario::GREETING);
        project.write("notes.txt", "committed\n");
        let bench = Self { project, config: json!({}) };
        for folder in ["notes", "outside", "state"] {
            fs::create_dir(bench.around(folder)).unwrap();
        }
        git(&bench.around("outside"), &["init", "-q", "--bare", "remote.git"]);
        bench.git(&["add", scenario::FILE, "notes.txt"]);
        bench.git(&["commit", "-q", "-m", "Greet"]);
        bench.project.write(".planfile/.koru/policy.yaml", POLICY);
        // The operator is at work: staged, changed and new files that nobody may touch.
        bench.project.write("notes.txt", "changed by the operator\n");
        bench.project.write("staged.txt", "staged by the operator\n");
        bench.git(&["add", "staged.txt"]);
        bench.project.write("new.txt", "new\n");
        bench
    }

    /// A folder beside the project: `notes`, `outside`, `state`.
    pub fn around(&self, name: &str) -> PathBuf {
        self.project.around().join(name)
    }

    /// Runs git in the operator's checkout, without anybody's configuration.
    #[track_caller]
    pub fn git(&self, arguments: &[&str]) -> String {
        git(self.project.path(), arguments)
    }

    /// Writes `.planfile/.koru/config.yaml` with this block besides those that it has.
    pub fn configure(&mut self, block: &str, value: Value) {
        self.config[block] = value;
        // JSON is YAML.
        self.project.write(".planfile/.koru/config.yaml", &format!("{:#}\n", self.config));
    }

    /// Configures an agent as `name`.
    pub fn agent(&mut self, name: &str, settings: Value) {
        let mut agents = self.config["agents"].take();
        agents[name] = settings;
        self.configure("agents", agents);
    }

    /// Configures a real agent under its own name.
    pub fn seat(&mut self, seat: &Seat) {
        let model = match seat.installed.agent {
            Agent::Claude => "claude-sonnet-4-5",
            Agent::Codex => "stub-model",
            Agent::Pi | Agent::Opencode => "stub/stub-model",
            Agent::Gemini => "gemini-2.5-flash",
            Agent::Aider => "openai/stub-model",
        };
        let env: BTreeMap<&str, &str> =
            seat.env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let settings = json!({
            "program": seat.installed.program, "model": model, "env": env, "writable": [self.around("state")],
        });
        self.agent(seat.installed.agent.name(), settings);
    }

    /// Configures the script that misbehaves in one way as [`SCRIPTED`].
    pub fn misbehaves(&mut self, behaviour: &str) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/agents/misbehave");
        let settings = json!({
            "kind": "custom", "stream": "claude", "args": [script, behaviour, "{prompt}"],
            "env": {
                "NOTES": self.around("notes"), "OUTSIDE": self.around("outside"), "CHECKOUT": self.project.path(),
            },
            "writable": [self.around("notes")],
        });
        self.agent(SCRIPTED, settings);
    }

    /// What the misbehaving script noted under `name`.
    #[track_caller]
    pub fn noted(&self, name: &str) -> String {
        let path = self.around("notes").join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}")).trim().to_owned()
    }

    /// All that an agent must leave alone, as it is now.
    pub fn checkout(&self) -> Checkout {
        let refs = self.git(&["for-each-ref", "--format=%(refname) %(objectname)"]);
        let refs = refs.lines().filter_map(|line| line.split_once(' '));
        Checkout {
            head: format!("{}{}", self.git(&["symbolic-ref", "HEAD"]), self.git(&["rev-parse", "HEAD"])),
            refs: refs
                .filter(|(name, _)| !name.starts_with("refs/heads/koru/"))
                .map(|(name, id)| (name.to_owned(), id.to_owned()))
                .collect(),
            files: files(self.project.path()),
            index: self.git(&["diff", "--cached", "--raw", "--no-abbrev"]),
            config: self.project.read(".git/config"),
        }
    }

    /// The worktree of a ticket.
    pub fn worktree(&self, ticket: &str) -> PathBuf {
        self.project.path().join(".planfile/.koru/worktrees").join(ticket)
    }

    /// A file as the last commit of a ticket's branch has it; `None` when there is no such branch or file.
    pub fn committed(&self, ticket: &str, file: &str) -> Option<String> {
        let mut command = git_command(self.project.path(), &["show", &format!("koru/{ticket}:{file}")]);
        let output = command.output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }

    /// The result record and the whole transcript of every run, by the name of its folder.
    pub fn runs(&self) -> BTreeMap<String, BTreeMap<String, String>> {
        let folder = self.project.path().join(".planfile/.koru/runs");
        let entries = fs::read_dir(&folder).map(|entries| entries.flatten().collect()).unwrap_or_default();
        let folders: Vec<fs::DirEntry> = entries;
        let of = |folder: &Path| {
            let entries = fs::read_dir(folder).unwrap().flatten();
            entries
                .filter(|entry| entry.path().is_file())
                .map(|entry| {
                    let text = String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into_owned();
                    (entry.file_name().into_string().unwrap(), text)
                })
                .collect()
        };
        folders
            .iter()
            .filter(|entry| entry.path().is_dir())
            .map(|entry| (entry.file_name().into_string().unwrap(), of(&entry.path())))
            .collect()
    }

    /// Starts our binary here; its outputs go to files.
    pub fn start(&self, arguments: &[&str]) -> Running {
        self.start_in(arguments, &[])
    }

    /// The same with more environment.
    pub fn start_in(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Running {
        let folder = self.project.around().join("ours");
        fs::create_dir_all(&folder).unwrap();
        let home = self.project.home();
        let file = |name: &str| fs::File::create(folder.join(name)).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_koru-tui"))
            .args(arguments)
            .current_dir(self.project.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", &home)
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("XDG_STATE_HOME", home.join("state"))
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(file("out"))
            .stderr(file("err"))
            .spawn()
            .unwrap();
        Running { child, folder }
    }

    /// Runs our binary to its end.
    #[track_caller]
    pub fn koru(&self, arguments: &[&str]) -> Ran {
        self.start(arguments).end()
    }

    /// Whoever lives here though our binary is gone.
    pub fn left(&self) -> Vec<leftover::Found> {
        leftover::of_folder(self.project.around())
    }
}

impl Running {
    /// Its process.
    pub fn pid(&self) -> nix::unistd::Pid {
        nix::unistd::Pid::from_raw(self.child.id().cast_signed())
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        nix::sys::signal::kill(self.pid(), signal).unwrap();
    }

    /// What it said so far on standard output.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.join("out")).unwrap()).into_owned()
    }

    /// Waits for its end; kills it and panics after twelve times the patience of the screen's tests.
    #[track_caller]
    pub fn end(mut self) -> Ran {
        let deadline = Instant::now() + patience() * 12;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break Some(status);
            }
            if Instant::now() > deadline {
                break None;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        };
        let text =
            |name: &str| String::from_utf8_lossy(&fs::read(self.folder.join(name)).unwrap()).into_owned();
        let (out, err) = (text("out"), text("err"));
        let Some(status) = status else { panic!("it does not end\n--- stdout\n{out}\n--- stderr\n{err}") };
        Ran { code: status.code(), out, err }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

impl Ran {
    /// Fails unless the exit code is `code`.
    #[track_caller]
    pub fn expect(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "--- stdout\n{}\n--- stderr\n{}", self.out, self.err);
        self
    }
}

fn git_command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=Test", "-c", "user.email=test@example.org"]).args(arguments);
    command.current_dir(folder).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    command
}

/// Runs git in `folder`, without anybody's configuration.
#[track_caller]
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = git_command(folder, arguments).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "git {arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_ours = path.parent() == Some(root)
                && path.file_name().is_some_and(|name| name == ".git" || name == ".planfile");
            if path.is_dir() && !is_ours {
                open.push(path);
            } else if path.is_file() {
                found.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    found
}
