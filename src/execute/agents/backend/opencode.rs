//! OpenCode (measured: 1.18.33). The prompt goes through standard input, which it reads to its end first.
//!
//! `--auto` approves what its configuration does not deny; without it a question ends the run. Some failures it tries
//! again for ever, so it needs the session's limits.

use std::io;
use std::path::PathBuf;

use super::detect::Login;
use super::files::Files;
use super::providers;
use super::{Arguments, Backend, Input, Launch, Place, asking_for};
use crate::execute::agents::session::AgentJob;

pub(super) struct OpenCode;

impl Backend for OpenCode {
    fn program(&self) -> &'static str {
        "opencode"
    }

    fn variables(&self) -> &'static [&'static str] {
        &["OPENCODE_*"]
    }

    fn speaks_to_any_host(&self) -> bool {
        true
    }

    fn fixed(&self) -> &'static [(&'static str, &'static str)] {
        &[("OPENCODE_DISABLE_AUTOUPDATE", "1"), ("OPENCODE_DISABLE_SHARE", "1")]
    }

    fn launch(&self, job: &AgentJob, _files: &Files) -> io::Result<Launch> {
        let mut arguments = Arguments::of(["run", "--format", "json", "--thinking", "--auto"]);
        arguments.option("--model", job.settings.model.as_deref());
        arguments.option("--session", job.resume.as_deref());
        arguments.configured(&job.settings);
        let prompt = asking_for(job.schema.as_ref(), &job.prompt);
        Ok(Launch {
            program: self.program().into(),
            arguments: arguments.0,
            input: Input::Bytes(prompt.into_bytes()),
            conversation: None,
        })
    }

    fn state(&self, place: &Place<'_>) -> Vec<PathBuf> {
        let xdg = [
            ("XDG_DATA_HOME", ".local/share"),
            ("XDG_CONFIG_HOME", ".config"),
            ("XDG_STATE_HOME", ".local/state"),
            ("XDG_CACHE_HOME", ".cache"),
        ];
        let folders = xdg.into_iter().filter_map(|(variable, below)| place.folder(variable, below));
        folders.map(|folder| folder.join("opencode")).collect()
    }

    fn login(&self, place: &Place<'_>) -> Login {
        let data = place.folder("XDG_DATA_HOME", ".local/share");
        let otherwise = match data.map(|data| data.join("opencode/auth.json").is_file()) {
            Some(true) => Login::yes("its stored login"),
            // Providers of its configuration, and free models, need no login.
            Some(false) | None => Login::Unknown,
        };
        Login::by_variable(place, &providers::KEYS).or(otherwise)
    }
}
