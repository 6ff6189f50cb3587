//! Whether an agent is there: its path, its version, whether it is logged in as far as that can be known offline.
//!
//! The version is asked of the program itself, with a bounded time, and remembered per file and time of change: asking
//! starts a process of a few hundred milliseconds. Call it when somebody wants to know (doctor, the choice of an agent),
//! never on the way to the first frame.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;

use super::{Place, backend};
use crate::base::process::Program;
use crate::execute::agents::kind::AgentKind;
use crate::execute::environment::Environment;
use crate::plan::settings::AgentSettings;

/// How long a program may take to say its version: some load hundreds of megabytes first.
const VERSION_LIMIT: Duration = Duration::from_secs(10);

/// Bytes of its answer that are read.
const VERSION_BYTES: u64 = 4096;

/// An agent program on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The file that would be started; `None` when there is none.
    pub path: Option<PathBuf>,
    /// What it says its version is (foreign text); `None` when it does not say.
    pub version: Option<String>,
    /// Whether it is logged in.
    pub login: Login,
}

/// Whether an agent has what it needs to be asked for an answer. Nothing is proven: a key may be expired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "login", rename_all = "snake_case")]
pub enum Login {
    /// It has.
    Yes {
        /// A variable's name, or which file.
        how: String,
    },
    /// It has not.
    No {
        /// What to do.
        hint: String,
    },
    /// That cannot be known from outside.
    Unknown,
}

impl Login {
    pub(super) fn yes(how: &str) -> Self {
        Login::Yes { how: how.to_owned() }
    }

    pub(super) fn no(hint: &str) -> Self {
        Login::No { hint: hint.to_owned() }
    }

    /// By the first of these variables that is set.
    pub(super) fn by_variable(place: &Place<'_>, names: &[&'static str]) -> Self {
        place.any_var(names).map_or(Login::Unknown, Login::yes)
    }

    /// This, unless it is unknown.
    pub(super) fn or(self, otherwise: Login) -> Self {
        if self == Login::Unknown { otherwise } else { self }
    }
}

/// Looks for the program of an agent and asks for its version. `all` are the variables of this process; the agent gets
/// of them what [`Environment::for_agent`] allows.
pub async fn detect(kind: AgentKind, settings: &AgentSettings, all: &[(OsString, OsString)]) -> Found {
    let env = all.iter().cloned().collect::<Environment>().for_agent(kind, settings, &[], &[], &[]).vars;
    let login = backend(kind).login(&Place { env: &env });
    let Some(path) = program(kind, settings, &env) else { return Found { path: None, version: None, login } };
    let version = match kind {
        // Any command may be custom: what `--version` would make it do is unknown.
        AgentKind::Custom => None,
        _ => version(&path, &env).await,
    };
    Found { path: Some(path), version, login }
}

/// The file that would be started for an agent, looked for on the `PATH` in `env` when it is a bare name.
pub fn program(kind: AgentKind, settings: &AgentSettings, env: &[(OsString, OsString)]) -> Option<PathBuf> {
    let configured = settings.program.as_deref().or(match kind {
        AgentKind::Custom => settings.args.first().map(String::as_str),
        _ => None,
    });
    find(OsStr::new(configured.unwrap_or(backend(kind).program())), env)
}

/// A program by path, or by name on the `PATH` in `env`. `~/` is the home folder; other relative paths with a folder in
/// them count from the current one, as in a shell.
pub(in crate::execute::agents) fn find(name: &OsStr, env: &[(OsString, OsString)]) -> Option<PathBuf> {
    let place = Place { env };
    let text = name.to_string_lossy();
    if text.is_empty() {
        return None;
    }
    if let Some(path) = text.strip_prefix("~/").and_then(|_| place.expand(&text)) {
        return Some(path).filter(|path| is_program(path));
    }
    if text.contains('/') {
        return std::path::absolute(name).ok().filter(|path| is_program(path));
    }
    let folders = std::env::split_paths(place.var("PATH")?).filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(name)).find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Versions that were asked for, by file and its time of change.
static KNOWN: Mutex<Option<Known>> = Mutex::new(None);

type Known = HashMap<(PathBuf, SystemTime), Option<String>>;

async fn version(path: &Path, env: &[(OsString, OsString)]) -> Option<String> {
    // Of what a link points to: that is what an update changes.
    let changed = path.metadata().and_then(|meta| meta.modified()).ok()?;
    let key = (path.to_owned(), changed);
    let known =
        KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default().get(&key).cloned();
    if let Some(known) = known {
        return known;
    }
    let version = tokio::time::timeout(VERSION_LIMIT, ask(path, env)).await.ok()?;
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.get_or_insert_default().insert(key, version.clone());
    version
}

/// Starts `<path> --version`; dropping the future kills it.
async fn ask(path: &Path, env: &[(OsString, OsString)]) -> Option<String> {
    let folder = std::env::temp_dir();
    let mut child =
        Program::new(path, folder).args(["--version"]).env(env.iter().cloned()).spawn().await.ok()?;
    let (out, _err) = child.take_output()?;
    let mut bytes = Vec::new();
    out.take(VERSION_BYTES).read_to_end(&mut bytes).await.ok()?;
    child.wait().await.ok()?;
    said(&String::from_utf8_lossy(&bytes))
}

/// The first word that begins with a digit and has a dot in it: programs print their name before or after.
fn said(text: &str) -> Option<String> {
    let words = text.split_whitespace().map(|word| word.trim_start_matches(['v', 'V']));
    let mut versions =
        words.filter(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'));
    versions.next().map(|word| word.chars().take(40).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_among_other_words() {
        let cases = [
            ("2.1.329 (Claude Code)\n", Some("2.1.329")),
            ("codex-cli 0.169.0\n", Some("0.169.0")),
            ("aider v0.86.2", Some("0.86.2")),
            ("0.87.1\n", Some("0.87.1")),
            ("usage: x 1", None),
            ("", None),
        ];
        for (text, version) in cases {
            assert_eq!(said(text).as_deref(), version, "{text}");
        }
    }
}
