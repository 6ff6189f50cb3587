//! What a round of worker and reviewer costs beyond its agents, against the real loop-kit with the same instant scripts.
//!
//! A loop of one round and one of several are timed in turn; the difference is what a further round costs, and the agents'
//! own time, measured apart, is taken off.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Options;
use crate::measure::{Report, Samples, shown};

/// Rounds of the long loop.
const ROUNDS: u32 = 5;

/// Loops of each kind.
const SAMPLES: usize = 7;

/// Agents of a round.
const AGENTS: u32 = 2;

/// Adds the rows of this section.
pub fn rounds(options: &Options, report: &mut Report) {
    let what = "a round of worker and reviewer beyond its agents";
    let scratch = Scratch::new();
    let ours = PathBuf::from(env!("CARGO_BIN_EXE_koru-tui"));
    let agents = scratch.agents() * AGENTS;
    let cost = |program: &Path, words: &[&str]| scratch.marginal(program, words).saturating_sub(agents);
    let own = cost(&ours, &["loop", "run", "--loop-dir", ".loop", "--auto-dispatch"]);
    let said = format!("{} (agents {})", shown(own), shown(agents));
    let limit = Duration::from_millis(25);
    let Some(peer) = &options.loop_kit else {
        report.row(what, said, "agent-task-runner is absent".into(), "≤ 25 ms".into(), Some(own <= limit));
        return;
    };
    let theirs = cost(peer, &["run", "--auto-dispatch"]);
    let ratio = theirs.as_secs_f64() / own.as_secs_f64().max(1e-6);
    let budget = format!("≤ 25 ms, ≥ 10× faster: {ratio:.0}×");
    let peer = format!("loop-kit 0.3.1: {}", shown(theirs));
    report.row(what, said, peer, budget, Some(own <= limit && ratio >= 10.0));
}

/// A repository, agents that do at once what they are told, and a bus.
struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    fn new() -> Self {
        use std::os::unix::fs::PermissionsExt;
        let scratch = Self { folder: tempfile::Builder::new().prefix("koru-tui-rounds-").tempdir().unwrap() };
        let fakes = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/loop-kit/fakes");
        let bin = scratch.folder.path().join("bin");
        fs::create_dir(&bin).unwrap();
        fs::copy(fakes.join("codex"), bin.join("codex")).unwrap();
        fs::set_permissions(bin.join("codex"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::copy(fakes.join("task_card.json"), scratch.folder.path().join("card.json")).unwrap();
        scratch
    }

    /// A fresh repository with one commit.
    fn fresh(&self) {
        let root = self.root();
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join("src")).unwrap();
        fs::create_dir_all(root.join(".loop/templates")).unwrap();
        fs::write(root.join("src/app.py"), "pass\n").unwrap();
        fs::write(root.join(".gitignore"), ".loop/\n").unwrap();
        fs::copy(self.folder.path().join("card.json"), root.join(".loop/task_card.json")).unwrap();
        for name in ["worker", "reviewer"] {
            let text = format!("Role: {name}\nCurrent task_id: {{task_id}}, round: {{round_num}}.\n");
            fs::write(root.join(format!(".loop/templates/{name}_prompt.txt")), text).unwrap();
        }
        for words in [&["init", "-q", "-b", "main"][..], &["add", "-A"], &["commit", "-q", "-m", "init"]] {
            assert!(self.command(Path::new("git"), words, 1).status().unwrap().success());
        }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    fn command(&self, program: &Path, words: &[&str], rounds: u32) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        command
            .args(words)
            .current_dir(self.root())
            .env("PATH", format!("{}:{path}", self.folder.path().join("bin").display()))
            .env("FAKE_APPROVE_AT", rounds.to_string())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .envs([("GIT_AUTHOR_NAME", "dev"), ("GIT_AUTHOR_EMAIL", "dev@example.invalid")])
            .envs([("GIT_COMMITTER_NAME", "dev"), ("GIT_COMMITTER_EMAIL", "dev@example.invalid")]);
        command
    }

    /// What a further round takes, its agents included.
    fn marginal(&self, program: &Path, words: &[&str]) -> Duration {
        let (mut short, mut long) = (Samples::default(), Samples::default());
        for _ in 0..SAMPLES {
            // The first two rounds differ (an approval may not follow failed tests), so that two are the short loop.
            for (rounds, samples) in [(2, &mut short), (ROUNDS, &mut long)] {
                self.fresh();
                let limit = ROUNDS.to_string();
                let words = [words, &["--max-rounds", &limit]].concat();
                let mut command = self.command(program, &words, rounds);
                let started = Instant::now();
                let output = command.output().unwrap();
                samples.push(started.elapsed());
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            }
        }
        long.percentile(50).saturating_sub(short.percentile(50)) / (ROUNDS - 2)
    }

    /// What one agent takes by itself.
    fn agents(&self) -> Duration {
        let mut samples = Samples::default();
        for n in 0..2 * SAMPLES {
            self.fresh();
            let (role, script) = if n % 2 == 0 { ("worker", "codex") } else { ("reviewer", "codex") };
            let prompt = format!("Role: {role}\nCurrent task_id: T-001, round: 2.\n");
            let program = self.folder.path().join("bin").join(script);
            let mut command = self.command(&program, &[], 9);
            let started = Instant::now();
            let mut child = command
                .stdin(std::process::Stdio::piped())
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap();
            std::io::Write::write_all(child.stdin.as_mut().unwrap(), prompt.as_bytes()).unwrap();
            drop(child.stdin.take());
            assert!(child.wait().unwrap().success());
            samples.push(started.elapsed());
        }
        samples.trimmed_mean()
    }
}
