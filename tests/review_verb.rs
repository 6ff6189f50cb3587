#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! `review` through the real binary: kagura-engineer's acceptance cases K15–K26 with its scripted reviewer, worker and
//! `gh`, agents as reviewers, repositories in every state, and findings of every source.

#[path = "support/cli.rs"]
mod cli;
mod support;

#[path = "review_verb/agents.rs"]
mod agents;
#[path = "review_verb/findings.rs"]
mod findings;
#[path = "review_verb/fixing.rs"]
mod fixing;
#[path = "review_verb/hostile.rs"]
mod hostile;
#[path = "review_verb/program.rs"]
mod program;
#[path = "review_verb/pulls.rs"]
mod pulls;
#[path = "review_verb/stopping.rs"]
mod stopping;
#[path = "review_verb/targets.rs"]
mod targets;

use std::path::{Path, PathBuf};

use cli::{Place, Ran};
use serde_json::Value;
use support::project::{Project, shell};

/// A project with a change on `feat/x`, while `main` is checked out.
pub(crate) struct Scene {
    pub(crate) project: Project,
}

/// kagura's recorded data.
pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/kagura")
}

impl Scene {
    /// With this configuration.
    pub(crate) fn with(config: &str) -> Scene {
        let ticket = shell("PLF-001", "Add a greeting", "true");
        let scene = Scene { project: Project::with(&[ticket]) };
        scene.project.write(".planfile/.koru/config.yaml", config);
        scene.project.write("app.py", "def add(a, b):\n    return a + b\n");
        scene.git(&["add", "app.py"]);
        scene.git(&["commit", "-q", "-m", "App"]);
        scene.git(&["checkout", "-q", "-b", "feat/x"]);
        scene.project.write("app.py", "def add(a, b):\n    return a - b\n");
        scene.git(&["commit", "-q", "-a", "-m", "Change"]);
        scene.git(&["checkout", "-q", "main"]);
        std::fs::create_dir_all(scene.log()).unwrap();
        scene
    }

    /// With kagura's scripted reviewer, and its scripted worker for fixes.
    pub(crate) fn new() -> Scene {
        let fakes = fixtures().join("fakes");
        let fakes = fakes.display();
        Scene::with(&format!(
            "review: {{command: ['{fakes}/kagura-code-reviewer']}}\nenvironment: ['FAKE_*']\nroles: {{worker: fixer}}\n\
             agents:\n  fixer: {{kind: custom, args: ['{fakes}/claude', '-p', '{{prompt}}']}}\n"
        ))
    }

    /// Where the scripts write down how they were called: in the one folder of theirs that a fence leaves open.
    pub(crate) fn log(&self) -> PathBuf {
        self.project.home().join("cache/fake")
    }

    pub(crate) fn logged(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.log().join(name)).ok()
    }

    #[track_caller]
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let output = std::process::Command::new("git")
            .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"])
            .args(args)
            .current_dir(self.project.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Runs `review` with the scripts' variables.
    pub(crate) fn review(&self, args: &[&str], vars: &[(&str, &str)]) -> Ran {
        let mut command = self.project.command(&["review"]);
        command.args(args).env("FAKE_LOG", self.log()).env("FAKE_ENVELOPES", fixtures().join("envelopes"));
        command.envs(vars.iter().copied());
        let output = command.output().unwrap();
        Ran {
            code: output.status.code().expect("the program was killed or ran into the time limit"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The same, its report as JSON.
    #[track_caller]
    pub(crate) fn report(&self, args: &[&str], vars: &[(&str, &str)], code: i32) -> Value {
        self.review(&[args, &["--json"]].concat(), vars).expect(code).json()
    }

    /// The same, not waited for.
    pub(crate) fn start(&self, args: &[&str]) -> std::process::Child {
        let home = self.project.home();
        std::process::Command::new(env!("CARGO_BIN_EXE_koru-tui"))
            .arg("review")
            .args(args)
            .current_dir(self.project.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &home)
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("XDG_STATE_HOME", home.join("state"))
            .env("XDG_CACHE_HOME", home.join("cache"))
            .env("FAKE_LOG", self.log())
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Every branch, and what the operator's checkout looks like to git.
    pub(crate) fn state(&self) -> (String, String) {
        let branches = self.git(&["for-each-ref", "--format=%(refname) %(objectname)"]);
        (branches, self.git(&["status", "--porcelain", "--untracked-files=no"]))
    }
}
