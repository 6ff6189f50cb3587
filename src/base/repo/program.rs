//! The git program, for the few things that libgit2 cannot do: run the filters that a repository's attributes name, and
//! say its version.
//!
//! It runs outside of any fence on files that an agent wrote, so nothing but what is asked for may run: no hook, no
//! file system monitor, no prompt, no pager; the repository and the work tree are told to it and never searched for.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use git2::Repository;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// Longest output that is kept, of each stream.
const OUTPUT_LIMIT: u64 = 1024 * 1024;

/// Between two looks whether it has ended.
const LOOK: Duration = Duration::from_millis(5);

/// How long its pipes may stay open once it has ended: a helper that it started may hold them.
const PIPE_GRACE: Duration = Duration::from_millis(500);

/// Runs `git <arguments>` for the worktree of `repo` with `input`, for at most `limit`; gives its standard output.
///
/// # Errors
/// A sentence: it is not installed, took too long, or what it said last when it failed (foreign text).
pub fn run(
    repo: &Repository,
    arguments: &[impl AsRef<OsStr>],
    input: &[u8],
    limit: Duration,
) -> Result<Vec<u8>, String> {
    let workdir = repo.workdir().ok_or("the repository has no work tree")?;
    let mut command = bare_command();
    command
        .args(["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "--no-pager"])
        .args(arguments)
        .current_dir(workdir)
        .env("GIT_DIR", repo.path())
        .env("GIT_WORK_TREE", workdir);
    finish(command, input, limit)
}

/// What `git --version` says, such as `2.47.3`; `None` when git cannot be run.
pub fn version() -> Option<String> {
    let mut command = bare_command();
    command.arg("--version");
    let said = finish(command, &[], Duration::from_secs(10)).ok()?;
    let said = String::from_utf8_lossy(&said);
    Some(said.trim().strip_prefix("git version ")?.split(' ').next()?.to_owned())
}

/// git without what our own environment tells it about repositories, indexes and configuration.
fn bare_command() -> Command {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"GIT_") {
            command.env_remove(name);
        }
    }
    command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_OPTIONAL_LOCKS", "0").process_group(0);
    command
}

fn finish(mut command: Command, input: &[u8], limit: Duration) -> Result<Vec<u8>, String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "git is not installed".to_owned(),
        _ => format!("git cannot be started: {error}"),
    })?;
    let until = Instant::now() + limit;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let input = input.to_vec();
    // A git that ends early does not read its input to the end, which is its own affair.
    std::thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&input)));
    let (out, err) = (collect(stdout), collect(stderr));
    let Some(success) = wait(&mut child, until) else {
        return Err(format!("git took longer than {} s", limit.as_secs()));
    };
    let out = out.recv_timeout(PIPE_GRACE).unwrap_or_default();
    if success {
        return Ok(out);
    }
    let err = err.recv_timeout(PIPE_GRACE).unwrap_or_default();
    let said = String::from_utf8_lossy(&err);
    Err(said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("git failed").to_owned())
}

/// Whether it ended well; `None` when it had to be killed, with all that it started.
fn wait(child: &mut Child, until: Instant) -> Option<bool> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status.success()),
            Ok(None) if Instant::now() < until => std::thread::sleep(LOOK),
            Ok(None) | Err(_) => {
                if let Ok(group) = i32::try_from(child.id()) {
                    let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
                }
                let _ = child.wait();
                return None;
            }
        }
    }
}

/// Reads a pipe to its end on a thread, keeping the beginning.
fn collect(pipe: Option<impl Read + Send + 'static>) -> std::sync::mpsc::Receiver<Vec<u8>> {
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.by_ref().take(OUTPUT_LIMIT).read_to_end(&mut kept);
            let _ = std::io::copy(&mut pipe, &mut std::io::sink());
        }
        let _ = send.send(kept);
    });
    receive
}
