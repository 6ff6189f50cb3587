//! Raising a fence: hooks, variables, the kernel's fence and the guard, before the run starts.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use git2::Repository;

use super::guard::Guard;
use super::hooks::{HookFolder, config_variables};
use super::tmp::PrivateTmp;
use super::writable::Wanted;
use super::{Fence, FenceRequest, Raised};
use crate::base::atomic;
use crate::base::process::{Confinement, landlock_version};

/// Why no fence could be raised. The run must not start.
#[derive(Debug, thiserror::Error)]
pub enum FenceError {
    /// A file or folder of the fence.
    #[error("raising the fence failed at {path}: {source}; see to the room and rights there, then retry")]
    Io {
        /// File or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The repository.
    #[error("raising the fence failed: the repository of {path} cannot be read: {why}")]
    Git {
        /// Worktree.
        path: PathBuf,
        /// libgit2's words.
        why: String,
    },
    /// The kernel has a fence and refuses to make this one.
    #[error("raising the kernel's fence failed: {why}")]
    Kernel {
        /// Why.
        why: String,
    },
}

/// Raises a fence for a run, and notes how everything stands.
///
/// # Errors
/// See [`FenceError`].
pub fn raise(request: &FenceRequest<'_>) -> Result<Raised, FenceError> {
    let worktree = request.worktree;
    let git =
        |error: git2::Error| FenceError::Git { path: worktree.path.clone(), why: error.message().to_owned() };
    let io = |path: &Path| {
        let path = path.to_path_buf();
        move |source| FenceError::Io { path, source }
    };
    let common = worktree.git_dir.parent().and_then(Path::parent).map(Path::to_path_buf).unwrap_or_default();
    let repo = Repository::open(&common).map_err(git)?;
    let run = request.run.canonicalize().map_err(io(request.run))?;
    let folder = run.join("fence");
    atomic::make_private_dir(&folder).map_err(io(&folder))?;
    let tmp = PrivateTmp::new(&run).map_err(io(&run))?;
    let hooks = HookFolder::new(&folder, tmp.path());
    let who = identity(&run);
    let mut notes = Vec::new();
    let mut writable = Vec::new();
    if request.kernel {
        match landlock_version() {
            Ok(_) => {
                let private = [tmp.path(), &hooks.log];
                atomic::replace(&hooks.log, &[]).map_err(io(&hooks.log))?;
                let wanted = Wanted {
                    worktree,
                    policy: request.policy,
                    common: &common,
                    private,
                    state: request.writable,
                    env: request.env,
                    looks_only: request.looks_only,
                };
                (writable, notes) = wanted.paths();
                // Made once here, so that a run that could not be fenced never starts half.
                Confinement::new(&writable).map_err(|error| FenceError::Kernel { why: error.to_string() })?;
            }
            Err(error) => notes.push(format!(
                "the kernel's write fence is off: {error}; hooks and the comparison afterwards are what is left"
            )),
        }
    }
    // Last: what is changed from here on is the run's or somebody else's.
    let guard = Guard::new(request, &common, &writable, who.clone(), hooks.clone());
    hooks.install(&repo, &common, worktree, request.policy, guard.known()).map_err(io(&folder))?;
    let mut env = variables(request, &repo, &hooks, tmp.path(), &who);
    if !writable.is_empty() {
        // There from the beginning, so that it can be watched.
        atomic::replace(&hooks.events, &[]).map_err(io(&hooks.events))?;
        env.push(("GIT_TRACE2_EVENT".into(), hooks.events.clone().into()));
        env.push(("GIT_TRACE2_EVENT_BRIEF".into(), "1".into()));
    }
    Ok(Raised { fence: Fence { env, writable, _tmp: Some(Arc::new(tmp)) }, guard, notes })
}

/// The address that reflogs get from every git of the run: what tells its doings from everybody else's.
fn identity(run: &Path) -> String {
    let name = run.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name: String =
        name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).collect();
    format!("agent+{name}@koru-tui.localhost")
}

fn variables(
    request: &FenceRequest<'_>,
    repo: &Repository,
    hooks: &HookFolder,
    tmp: &Path,
    who: &str,
) -> Vec<(OsString, OsString)> {
    let mut config: Vec<(String, OsString)> = vec![
        ("core.hooksPath".to_owned(), hooks.hooks.clone().into_os_string()),
        // Tags get a reflog too, which says who made them.
        ("core.logAllRefUpdates".to_owned(), "always".into()),
        // Tidying is not the run's business: it moves references about, and the kernel's fence would stop it.
        ("gc.auto".to_owned(), "0".into()),
        ("maintenance.auto".to_owned(), "false".into()),
    ];
    config.extend(missing_identity(repo, who));
    if !request.policy.allow_push {
        // Even `--no-verify` ends there, and git's message names the gate.
        let denied = "url./dev/null/policy.allow_push=false/.pushInsteadOf";
        config.extend(remote_urls(repo).into_iter().map(|url| (denied.to_owned(), url.into())));
    }
    let mut vars = config_variables(request.env, &config);
    let fixed: [(&str, OsString); 6] = [
        ("TMPDIR", tmp.into()),
        ("TMP", tmp.into()),
        ("TEMP", tmp.into()),
        ("GIT_COMMITTER_NAME", "koru-tui agent".into()),
        ("GIT_COMMITTER_EMAIL", who.into()),
        ("GIT_TERMINAL_PROMPT", "0".into()),
    ];
    vars.extend(fixed.into_iter().map(|(name, value)| (name.into(), value)));
    if request.looks_only {
        // git would write its index anew after a mere look.
        vars.push(("GIT_OPTIONAL_LOCKS".into(), "0".into()));
    }
    vars
}

/// An author where the operator has configured none. aider, for one, writes a made-up one into the repository's own
/// configuration then, and ends when the kernel's fence refuses it.
fn missing_identity(repo: &Repository, who: &str) -> Vec<(String, OsString)> {
    let is_set = |key| repo.config().and_then(|config| config.get_entry(key).map(drop)).is_ok();
    let mut missing = Vec::new();
    for (key, value) in [("user.name", "koru-tui agent"), ("user.email", who)] {
        if !is_set(key) {
            missing.push((key.to_owned(), value.into()));
        }
    }
    missing
}

/// Where pushes of this repository's remotes go.
fn remote_urls(repo: &Repository) -> Vec<String> {
    let Ok(names) = repo.remotes() else { return Vec::new() };
    let names = (0..names.len()).filter_map(|at| names.get(at).ok().flatten());
    let remotes = names.filter_map(|name| repo.find_remote(name).ok());
    remotes.filter_map(|remote| remote.url().ok().map(str::to_owned)).collect()
}
