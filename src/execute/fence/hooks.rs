//! The hooks of a run: one script under several names in a folder of the run, given to git through its environment.
//!
//! `GIT_CONFIG_COUNT` has git take our folder for its hooks in every repository that the run uses; the script asks which
//! one it is called for and is transparent in all but the ticket's. Project hooks that exist keep working.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use git2::Repository;

use super::Refusal;
use crate::base::atomic;
use crate::base::regular::{self, Links};
use crate::execute::isolation::Worktree;
use crate::plan::policy::{Gate, Policy};

/// The script; the settings go in at [`MARK`].
const SCRIPT: &str = include_str!("hook.sh");

/// Where the settings go.
const MARK: &str = "# @SETTINGS@";

/// Longest hooks' log that is read: the run can write it.
const LOG_LIMIT: u64 = 64 * 1024;

/// Most refusals that are reported.
const REFUSALS: usize = 200;

/// Where the things of the hooks are, below the run's folder.
#[derive(Clone, Debug)]
pub(super) struct HookFolder {
    /// What `core.hooksPath` is set to.
    pub(super) hooks: PathBuf,
    /// What the hooks refused; the run must be able to write it.
    pub(super) log: PathBuf,
    /// What each git of the run says of itself ([`super::denied`]).
    pub(super) events: PathBuf,
    known: PathBuf,
}

impl HookFolder {
    /// The places below `fence`, a folder of the run that the run itself cannot write, and in its TMPDIR.
    pub(super) fn new(fence: &Path, tmp: &Path) -> Self {
        HookFolder {
            hooks: fence.join("hooks"),
            log: fence.join("refused"),
            events: tmp.join(".git-events"),
            known: fence.join("references"),
        }
    }

    /// Writes script, names and what they need.
    pub(super) fn install(
        &self,
        repo: &Repository,
        common: &Path,
        worktree: &Worktree,
        policy: &Policy,
        known: impl Iterator<Item = String>,
    ) -> io::Result<()> {
        atomic::make_private_dir(&self.hooks)?;
        write_new(&self.log, b"", 0o600)?;
        let mut names: String = known.collect::<Vec<_>>().join("\n");
        names.push('\n');
        write_new(&self.known, names.as_bytes(), 0o600)?;
        let project = project_hooks(repo, common);
        let script = self.script(common, worktree, policy, &project);
        for name in wanted(policy, &project, &worktree.path) {
            write_new(&self.hooks.join(name), &script, 0o700)?;
        }
        Ok(())
    }

    fn script(&self, common: &Path, worktree: &Worktree, policy: &Policy, project: &Path) -> Vec<u8> {
        let mut settings = Vec::new();
        let mut set = |name: &str, value: &OsStr| {
            settings.extend_from_slice(name.as_bytes());
            settings.push(b'=');
            settings.extend_from_slice(&quoted(value.as_bytes()));
            settings.push(b'\n');
        };
        set("common", common.as_os_str());
        set("git_dir", worktree.git_dir.as_os_str());
        set("hooks", project.as_os_str());
        set("branch", worktree.branch.as_ref());
        set("own", worktree.branch_ref().as_ref());
        set("known", self.known.as_os_str());
        set("log", self.log.as_os_str());
        for (gate, open) in [
            (Gate::AllowCommit, policy.allow_commit),
            (Gate::AllowPush, policy.allow_push),
            (Gate::AllowBranchCreate, policy.allow_branch_create),
            (Gate::AllowBranchSwitch, policy.allow_branch_switch),
            (Gate::AllowTag, policy.allow_tag),
        ] {
            set(gate.key(), if open { "yes" } else { "no" }.as_ref());
        }
        let (before, after) = SCRIPT.split_once(MARK).unwrap_or((SCRIPT, ""));
        [before.as_bytes(), &settings, after.as_bytes()].concat()
    }

    /// What the hooks refused, as far as their log can be believed: the run can write it.
    pub(super) fn refusals(&self) -> Vec<Refusal> {
        use io::Read;
        let mut text = Vec::new();
        if let Ok((file, _)) = regular::open(&self.log, Links::Refused) {
            let _ = file.take(LOG_LIMIT).read_to_end(&mut text);
        }
        let text = String::from_utf8_lossy(&text).into_owned();
        let mut found: Vec<Refusal> = Vec::new();
        for line in text.lines().take(REFUSALS) {
            let (gate, what) = line.split_once('\t').unwrap_or(("", line));
            let refusal = Refusal { gate: gate.to_owned(), what: what.to_owned() };
            if found.last() != Some(&refusal) {
                found.push(refusal);
            }
        }
        found
    }
}

/// Adds configuration for every git of the run to its variables, after what `env` has of that kind already.
///
/// Twice, the second time in the way that `git -c` uses, which counts more: Gemini CLI, for one, appends an empty
/// `core.hooksPath` to the first list for each of its shell commands.
pub(super) fn config_variables(
    env: &[(OsString, OsString)],
    entries: &[(String, OsString)],
) -> Vec<(OsString, OsString)> {
    let count = env.iter().rev().find(|(name, _)| name == "GIT_CONFIG_COUNT");
    let first = count.and_then(|(_, value)| value.to_str()?.parse::<usize>().ok()).unwrap_or(0);
    let mut vars = vec![("GIT_CONFIG_COUNT".into(), (first + entries.len()).to_string().into())];
    let mut parameters = Vec::new();
    if let Some((_, earlier)) = env.iter().rev().find(|(name, _)| name == "GIT_CONFIG_PARAMETERS") {
        parameters.extend_from_slice(earlier.as_bytes());
    }
    for (at, (key, value)) in entries.iter().enumerate() {
        vars.push((format!("GIT_CONFIG_KEY_{}", first + at).into(), key.into()));
        vars.push((format!("GIT_CONFIG_VALUE_{}", first + at).into(), value.clone()));
        if !parameters.is_empty() {
            parameters.push(b' ');
        }
        parameters.extend(quoted(key.as_bytes()));
        parameters.push(b'=');
        parameters.extend(quoted(value.as_bytes()));
    }
    vars.push(("GIT_CONFIG_PARAMETERS".into(), OsString::from_vec(parameters)));
    vars
}

/// The folder of the project's own hooks, as git would find it; a relative one is meant from the top of the worktree,
/// which is where git calls hooks.
fn project_hooks(repo: &Repository, common: &Path) -> PathBuf {
    let configured = repo.config().and_then(|config| config.get_path("core.hooksPath"));
    configured.unwrap_or_else(|_| common.join("hooks"))
}

/// Names that the script is needed under: what refuses, and what the project has.
fn wanted(policy: &Policy, project: &Path, top: &Path) -> BTreeSet<OsString> {
    let mut names = BTreeSet::from([OsString::from("reference-transaction")]);
    if !policy.allow_commit {
        names.extend(["pre-commit", "pre-merge-commit", "pre-rebase", "pre-applypatch"].map(OsString::from));
    }
    if !policy.allow_push {
        names.insert("pre-push".into());
    }
    for entry in fs::read_dir(top.join(project)).into_iter().flatten().flatten() {
        let executable = entry
            .path()
            .metadata()
            .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0);
        // git's hooks are plain words; samples, helpers and folders are none.
        let plain =
            entry.file_name().as_bytes().iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'-');
        if executable && plain {
            names.insert(entry.file_name());
        }
    }
    names
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    use io::Write;
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)
}

/// In single quotes for `sh`, and for git, which reads the same.
fn quoted(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![b'\''];
    for byte in bytes {
        match byte {
            b'\'' => out.extend_from_slice(b"'\\''"),
            byte => out.push(*byte),
        }
    }
    out.push(b'\'');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configuration_comes_after_what_is_there() {
        let env = [
            ("GIT_CONFIG_COUNT".into(), "2".into()),
            ("GIT_CONFIG_PARAMETERS".into(), "'a.b'='c'".into()),
            ("A".into(), "b".into()),
        ];
        let vars = config_variables(&env, &[("core.hooksPath".to_owned(), "/h".into())]);
        let want: Vec<(OsString, OsString)> = [
            ("GIT_CONFIG_COUNT", "3"),
            ("GIT_CONFIG_KEY_2", "core.hooksPath"),
            ("GIT_CONFIG_VALUE_2", "/h"),
            ("GIT_CONFIG_PARAMETERS", "'a.b'='c' 'core.hooksPath'='/h'"),
        ]
        .map(|(name, value)| (name.into(), value.into()))
        .into();
        assert_eq!(vars, want);
    }

    #[test]
    fn quotes_of_a_path_stay_in_the_path() {
        assert_eq!(quoted(b"/it's $(here)"), b"'/it'\\''s $(here)'");
    }
}
