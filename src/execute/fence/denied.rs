//! What the kernel's fence kept from a git of the run, as git itself tells it.
//!
//! Where the policy lets no reference move, git cannot even make its lock file, so it says "Permission denied" before it
//! asks a hook, and nobody learns which gate that was. Each git of the run therefore writes its trace (`trace2`, measured
//! with git 2.47) into a file of the run's TMPDIR; an error there names the lock file, and the lock file the gate. A git
//! that ends well all the same (`git reset` tries to lock what it needs not) was refused nothing.
//!
//! It serves people who wonder, not the judgement: the run can write the file, and it goes with the TMPDIR.

use std::collections::HashMap;
use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;

use serde::Deserialize;

use super::{Guard, Refusal};
use crate::plan::policy::{Gate, Policy};

/// Most bytes that are read of it: the run can write it.
const LIMIT: u64 = 16 * 1024 * 1024;

/// Most gits that are followed at once.
const GITS: usize = 256;

/// Most refusals that are told.
const REFUSALS: usize = 200;

/// Longest command line that is told, in characters.
const COMMAND: usize = 160;

/// Reads the trace as it grows.
#[derive(Debug, Default)]
pub(super) struct Denials {
    at: u64,
    /// The gits at work, by the name that each has in the trace.
    gits: HashMap<String, Git>,
    told: Vec<Refusal>,
}

/// One git at work.
#[derive(Debug, Default)]
struct Git {
    command: String,
    refused: Option<&'static str>,
}

/// A line of the trace, as far as it matters here.
#[derive(Deserialize)]
struct Event {
    event: String,
    sid: String,
    #[serde(default)]
    argv: Vec<String>,
    #[serde(default)]
    msg: String,
    #[serde(default)]
    code: i64,
}

impl Denials {
    /// What has been added to the trace of `guard`'s run, each refusal once.
    pub(super) fn more(&mut self, guard: &Guard) -> Vec<Refusal> {
        let first = self.told.len();
        let text = self.read(guard).unwrap_or_default();
        for line in text.lines() {
            // Most lines are something else.
            let matters = ["start", "error", "exit"]
                .iter()
                .any(|name| line.strip_prefix(r#"{"event":""#).is_some_and(|rest| rest.starts_with(name)));
            if matters && let Ok(event) = serde_json::from_str::<Event>(line) {
                self.take(event, guard);
            }
        }
        self.told[first..].to_vec()
    }

    fn take(&mut self, event: Event, guard: &Guard) {
        match event.event.as_str() {
            "start" => {
                if self.gits.len() >= GITS {
                    self.gits.clear();
                }
                let command = event.argv.join(" ").chars().take(COMMAND).collect();
                self.gits.insert(event.sid, Git { command, refused: None });
            }
            "error" => {
                if let Some(git) = self.gits.get_mut(&event.sid) {
                    git.refused = git.refused.or_else(|| denied(guard, &event.msg, &git.command));
                }
            }
            "exit" => {
                let Some(Git { command, refused: Some(gate) }) = self.gits.remove(&event.sid) else { return };
                let refusal = Refusal { gate: gate.to_owned(), what: command };
                if event.code != 0 && self.told.len() < REFUSALS && !self.told.contains(&refusal) {
                    self.told.push(refusal);
                }
            }
            _ => {}
        }
    }

    /// Whole lines that came since the last look.
    fn read(&mut self, guard: &Guard) -> std::io::Result<String> {
        let path = &guard.hooks.events;
        let mut file = fs::OpenOptions::new()
            .read(true)
            .custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK)
            .open(path)?;
        file.seek(SeekFrom::Start(self.at))?;
        let mut bytes = Vec::new();
        file.take(LIMIT.saturating_sub(self.at)).read_to_end(&mut bytes)?;
        bytes.truncate(memchr::memrchr(b'\n', &bytes).map_or(0, |end| end + 1));
        self.at += bytes.len() as u64;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// Which rule an error of git ran into; `None` when it was another error.
fn denied(guard: &Guard, message: &str, command: &str) -> Option<&'static str> {
    let common = guard.common.to_str()?;
    let path = &message[message.find(common)? + common.len()..];
    let path = path.strip_prefix('/')?;
    let path = &path[..path.find(['\'', '"', '\n']).unwrap_or(path.len())];
    // A lock that somebody else holds is no refusal. Other languages than English say it otherwise, so it is asked too
    // whether the run could have made it.
    let name = path.strip_suffix(".lock")?;
    if guard.could_write(name) || message.contains("File exists") {
        return None;
    }
    let name = name.strip_prefix("logs/").unwrap_or(name);
    let gate = gate(name, command, &guard.policy).filter(|gate| !is_open(&guard.policy, *gate));
    Some(gate.map_or("write_fence", Gate::key))
}

/// The gate that a file of git's folder stands behind; what the kernel keeps closed whatever the policy says has none.
fn gate(name: &str, command: &str, policy: &Policy) -> Option<Gate> {
    match name {
        "packed-refs" if command.split(' ').any(|word| word == "tag") => Some(Gate::AllowTag),
        "packed-refs" => Some(Gate::AllowBranchCreate),
        _ if name.starts_with("refs/heads/") && policy.allow_branch_create => Some(Gate::AllowCommit),
        _ if name.starts_with("refs/tags/") => Some(Gate::AllowTag),
        _ if name.starts_with("refs/remotes/") => Some(Gate::AllowPush),
        _ if name == "refs/stash" || name.starts_with("refs/notes/") => Some(Gate::AllowCommit),
        _ if name.starts_with("refs/") => Some(Gate::AllowBranchCreate),
        _ if name.ends_with("HEAD") => Some(Gate::AllowBranchSwitch),
        _ => None,
    }
}

fn is_open(policy: &Policy, gate: Gate) -> bool {
    match gate {
        Gate::AllowCommit => policy.allow_commit,
        Gate::AllowPush => policy.allow_push,
        Gate::AllowBranchCreate => policy.allow_branch_create,
        Gate::AllowBranchSwitch => policy.allow_branch_switch,
        Gate::AllowTag => policy.allow_tag,
        Gate::AllowDestructiveShell => policy.allow_destructive_shell,
    }
}
