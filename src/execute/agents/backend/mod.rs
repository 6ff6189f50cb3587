//! How each agent program is started: one module an agent, each a [`Backend`].
//!
//! Facts, not policy: which program, which arguments, which variables, where it keeps its state, whether it can hear
//! the operator while it runs. What was measured stands in `reference/agent-streams.md`; what a module adds to that was
//! measured with the same versions and is said there. Nothing is ever started through a shell, and prompts go through
//! standard input wherever the program reads it: an argument has a length limit.

mod aider;
mod claude;
mod codex;
mod custom;
pub mod detect;
pub(super) mod dialogue;
pub mod environment;
mod files;
mod gemini;
mod opencode;
mod pi;
mod providers;

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::kind::AgentKind;
use super::session::{AgentJob, Hearing};
use crate::plan::settings::AgentSettings;
pub(super) use dialogue::Dialogue;
use files::Files;

/// Folder in a run's folder where an agent may keep files of its own (aider's histories). Whoever runs it makes it, and
/// leaves it open in the write fence.
pub const OWN_FOLDER: &str = "agent";

/// What is known of one agent program.
trait Backend: Sync {
    /// Its usual name on the `PATH`.
    fn program(&self) -> &'static str;

    /// Its own variables, beside the common ones: names, or prefixes that end in `*`.
    fn variables(&self) -> &'static [&'static str];

    /// Whether it speaks to the hosts of many providers, and so reads the variables of all.
    fn speaks_to_any_host(&self) -> bool {
        false
    }

    /// Variables that it is given unless somebody set them: no updates, no telemetry, no relaunching.
    fn fixed(&self) -> &'static [(&'static str, &'static str)];

    /// Its command line.
    ///
    /// # Errors
    /// A file that it is given could not be written.
    fn launch(&self, job: &AgentJob, files: &Files) -> io::Result<Launch>;

    /// Folders that it keeps its own state in and must be able to write to.
    fn state(&self, place: &Place<'_>) -> Vec<PathBuf>;

    /// Whether it can be asked for an answer, as far as files and variables tell.
    fn login(&self, place: &Place<'_>) -> detect::Login;

    /// Whether it hears the operator while it runs.
    fn hearing(&self, settings: &AgentSettings) -> Hearing {
        let _ = settings;
        Hearing::NextRound
    }
}

fn backend(kind: AgentKind) -> &'static dyn Backend {
    match kind {
        AgentKind::Claude => &claude::Claude,
        AgentKind::Codex => &codex::Codex,
        AgentKind::Pi => &pi::Pi,
        AgentKind::OpenCode => &opencode::OpenCode,
        AgentKind::Gemini => &gemini::Gemini,
        AgentKind::Aider => &aider::Aider,
        AgentKind::Custom => &custom::Custom,
    }
}

/// A command line that is ready to be started.
pub(super) struct Launch {
    /// Program when the configuration names none (a custom command's first word).
    pub(super) program: OsString,
    /// Arguments, those of the configuration included.
    pub(super) arguments: Vec<OsString>,
    /// What it reads.
    pub(super) input: Input,
    /// The id to resume the conversation by, when the stream does not tell one.
    pub(super) conversation: Option<String>,
}

/// What an agent reads on its standard input.
pub(super) enum Input {
    /// Nothing: the prompt is in a file or an argument.
    Nothing,
    /// These bytes, then end of file.
    Bytes(Vec<u8>),
    /// A dialogue that stays open.
    Live(Box<dyn Dialogue>),
}

/// Makes the command line of `job`, and writes the files that it names into the job's scratch folder.
///
/// # Errors
/// A file could not be written.
pub(super) fn launch(job: &AgentJob) -> io::Result<Launch> {
    backend(job.kind).launch(job, &Files::new(&job.scratch))
}

/// Whether an agent of that kind, so configured, hears the operator while it runs.
pub fn hearing(kind: AgentKind, settings: &AgentSettings) -> Hearing {
    backend(kind).hearing(settings)
}

/// Folders beside its worktree that an agent must be able to write to, so that a write fence does not break it: its
/// own state and those of its configuration (`~/` counts). Folders that are not there yet are named too.
pub fn writable(kind: AgentKind, settings: &AgentSettings, env: &[(OsString, OsString)]) -> Vec<PathBuf> {
    let place = Place { env };
    let mut folders = backend(kind).state(&place);
    folders.extend(settings.writable.iter().filter_map(|folder| place.expand(folder)));
    folders.sort_unstable();
    folders.dedup();
    folders
}

/// Where the files of a user are, as a set of variables tells.
struct Place<'a> {
    env: &'a [(OsString, OsString)],
}

impl Place<'_> {
    /// The value of a variable that is set and not empty.
    fn var(&self, name: &str) -> Option<&OsStr> {
        let found = self.env.iter().rev().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_os_str()).filter(|value| !value.is_empty())
    }

    /// Whether any of these variables is set and not empty.
    fn any_var(&self, names: &[&'static str]) -> Option<&'static str> {
        names.iter().copied().find(|name| self.var(name).is_some())
    }

    fn home(&self) -> Option<&Path> {
        self.var("HOME").map(Path::new).filter(|home| home.is_absolute())
    }

    /// The folder in `variable`, else `below` the home folder.
    fn folder(&self, variable: &str, below: &str) -> Option<PathBuf> {
        match self.var(variable) {
            Some(folder) => Some(PathBuf::from(folder)),
            None => self.home().map(|home| home.join(below)),
        }
    }

    /// A path from a configuration: absolute, or below the home folder with `~/`. Others are nowhere.
    fn expand(&self, path: &str) -> Option<PathBuf> {
        match path.strip_prefix("~/") {
            Some(below) => self.home().map(|home| home.join(below)),
            None => Some(PathBuf::from(path)).filter(|path| path.is_absolute()),
        }
    }
}

/// Asks for an answer that fits `schema` in words, for programs that cannot be given one.
fn asking_for(schema: Option<&Value>, prompt: &str) -> String {
    match schema {
        Some(schema) => format!(
            "{prompt}\n\nEnd with one JSON object as your last message, without any text around it, that is valid \
             against this JSON schema:\n{schema}\n"
        ),
        None => prompt.to_owned(),
    }
}

/// A list of arguments that grows.
#[derive(Default)]
struct Arguments(Vec<OsString>);

impl Arguments {
    fn of<const N: usize>(words: [&str; N]) -> Self {
        Self(words.into_iter().map(OsString::from).collect())
    }

    /// Appends `words`.
    fn push<const N: usize>(&mut self, words: [&str; N]) {
        self.0.extend(words.into_iter().map(OsString::from));
    }

    /// Appends `flag value`, when there is a value.
    fn option(&mut self, flag: &str, value: Option<impl AsRef<OsStr>>) {
        if let Some(value) = value {
            self.0.extend([OsString::from(flag), value.as_ref().to_owned()]);
        }
    }

    /// Appends what the configuration adds.
    fn configured(&mut self, settings: &AgentSettings) {
        self.0.extend(settings.args.iter().map(OsString::from));
    }
}

#[cfg(test)]
mod tests;
