//! The scene: a project with a remote, a worktree, a raised fence, and a script in the agent's place.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use koru_tui::base::process::Program;
use koru_tui::execute::fence::{Breach, FenceRequest, Raised, Settlement, judge, raise};
use koru_tui::execute::isolation::{self, Identity, Worktree};
use koru_tui::plan::policy::Policy;
use koru_tui::plan::ticket::TicketId;
use tokio::io::AsyncReadExt;

pub struct Scene {
    pub keep: tempfile::TempDir,
    pub root: PathBuf,
    pub remote: PathBuf,
    pub worktree: Worktree,
    pub policy: Policy,
    pub kernel: bool,
    /// Folders beside the worktree that the run may write to.
    pub writable: Vec<PathBuf>,
}

/// What a script did and what was found after it.
pub struct Outcome {
    pub exit: i32,
    pub said: String,
    pub settled: Settlement,
    /// [`judge`] on the difference.
    pub judged: Vec<Breach>,
}

impl Outcome {
    pub fn rules(&self) -> Vec<(&str, bool)> {
        self.settled.breaches.iter().map(|breach| (breach.rule.as_str(), breach.undone)).collect()
    }
}

impl Scene {
    pub fn new(kernel: bool) -> Scene {
        let keep = tempfile::tempdir().unwrap();
        let top = keep.path().canonicalize().unwrap();
        let (root, remote) = (top.join("project"), top.join("remote.git"));
        std::fs::create_dir_all(root.join("src")).unwrap();
        std::fs::create_dir_all(root.join(".planfile/.koru")).unwrap();
        git(&top, &["init", "-q", "--bare", "-b", "main", "remote.git"]);
        git(&root, &["init", "-q", "-b", "main"]);
        git(&root, &["config", "user.name", "Op"]);
        git(&root, &["config", "user.email", "op@example.invalid"]);
        std::fs::write(root.join("src/a.txt"), "one\n").unwrap();
        std::fs::write(root.join(".planfile/config.yaml"), "project: x\n").unwrap();
        std::fs::write(root.join(".gitignore"), ".planfile/.koru/\n*.o\n").unwrap();
        git(&root, &["add", "."]);
        git(&root, &["commit", "-qm", "one"]);
        git(&root, &["remote", "add", "origin", remote.to_str().unwrap()]);
        git(&root, &["push", "-q", "origin", "main"]);
        git(&root, &["branch", "victim"]);
        git(&root, &["switch", "-qc", "other"]);
        std::fs::write(root.join("src/a.txt"), "other\n").unwrap();
        git(&root, &["commit", "-qam", "other"]);
        git(&root, &["switch", "-q", "main"]);
        git(&root, &["tag", "v1"]);
        let (worktree, _) = isolation::prepare(&root, &TicketId::new("PLF-1"), None).unwrap();
        Scene { keep, root, remote, worktree, policy: Policy::default(), kernel, writable: Vec::new() }
    }

    pub fn allowing(kernel: bool, open: impl FnOnce(&mut Policy)) -> Scene {
        let mut scene = Scene::new(kernel);
        open(&mut scene.policy);
        scene
    }

    pub fn raise(&self) -> Raised {
        let run = self.root.join(".planfile/.koru/runs/PLF-1-0");
        std::fs::create_dir_all(&run).unwrap();
        let env = self.env();
        let request = FenceRequest {
            worktree: &self.worktree,
            policy: &self.policy,
            run: &run,
            writable: &self.writable,
            env: &env,
            kernel: self.kernel,
            looks_only: false,
        };
        let raised = raise(&request).unwrap();
        assert_eq!(raised.fence.writable.is_empty(), !self.kernel, "{:?}", raised.notes);
        raised
    }

    pub fn env(&self) -> Vec<(OsString, OsString)> {
        let home = self.keep.path().join("home");
        std::fs::create_dir_all(&home).unwrap();
        let path = std::env::var_os("PATH").unwrap();
        vec![("PATH".into(), path), ("HOME".into(), home.into()), ("LANG".into(), "C".into())]
    }

    /// Runs `script` in the agent's place: in the worktree, behind the fence. `$ROOT`, `$REMOTE` and `$WT` are set.
    pub fn run(&self, script: &str) -> Outcome {
        self.run_with(script, || ())
    }

    /// As [`Scene::run`]; `meanwhile` is done by the operator before the run is settled.
    pub fn run_with(&self, script: &str, meanwhile: impl FnOnce()) -> Outcome {
        let raised = self.raise();
        let (exit, said) = self.act(&raised, script);
        meanwhile();
        let settled = raised.guard.settle();
        let survey = isolation::survey(&self.worktree).unwrap();
        let judged = judge(&self.worktree, &survey, &self.policy, &[]);
        Outcome { exit, said, settled, judged }
    }

    pub fn act(&self, raised: &Raised, script: &str) -> (i32, String) {
        let own = [
            ("ROOT", self.root.as_os_str()),
            ("REMOTE", self.remote.as_os_str()),
            ("WT", self.worktree.path.as_os_str()),
        ];
        let program =
            Program::shell(&format!("exec 2>&1\n{script}"), &self.worktree.path).env(self.env()).env(own);
        let program = raised.fence.around(program).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut running = program.spawn().await.unwrap();
            let (mut out, _) = running.take_output().unwrap();
            let mut said = String::new();
            out.read_to_string(&mut said).await.unwrap();
            let status = running.wait().await.unwrap();
            (status.code().unwrap_or(-1), said)
        })
    }

    pub fn commit_all(&self) -> isolation::Committed {
        isolation::commit_all(&self.worktree, "PLF-1: work", &Identity::default(), &self.policy).unwrap()
    }

    /// All references but the ticket's own, with HEAD of the operator.
    pub fn references(&self) -> String {
        let all = git(&self.root, &["for-each-ref", "--format=%(refname) %(objectname)"]);
        let others: Vec<&str> = all.lines().filter(|line| !line.contains("refs/heads/koru/")).collect();
        format!("{}\n{}", git(&self.root, &["symbolic-ref", "HEAD"]), others.join("\n"))
    }

    pub fn rev(&self, name: &str) -> String {
        git(&self.root, &["rev-parse", name]).trim().to_owned()
    }
}

/// git as the operator runs it.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .env_remove("GIT_CONFIG_COUNT")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

pub fn write_script(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
