//! Gemini CLI (measured: 0.61.0). Without `-p` it takes its prompt from standard input.

use std::io;
use std::path::PathBuf;

use super::detect::Login;
use super::files::Files;
use super::{Arguments, Backend, Input, Launch, Place, asking_for};
use crate::execute::agents::session::AgentJob;

pub(super) struct Gemini;

impl Backend for Gemini {
    fn program(&self) -> &'static str {
        "gemini"
    }

    fn variables(&self) -> &'static [&'static str] {
        &["GEMINI_*", "GOOGLE_*", "CODE_ASSIST_ENDPOINT"]
    }

    fn fixed(&self) -> &'static [(&'static str, &'static str)] {
        // Without the second, the process that is started only starts another.
        &[("GEMINI_TELEMETRY_ENABLED", "false"), ("GEMINI_CLI_NO_RELAUNCH", "true")]
    }

    fn launch(&self, job: &AgentJob, _files: &Files) -> io::Result<Launch> {
        let mut arguments =
            Arguments::of(["--output-format", "stream-json", "--skip-trust", "--approval-mode", "yolo"]);
        arguments.option("--model", job.settings.model.as_deref());
        arguments.option("--resume", job.resume.as_deref());
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
        place.home().map(|home| home.join(".gemini")).into_iter().collect()
    }

    fn login(&self, place: &Place<'_>) -> Login {
        let keys = ["GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS"];
        let otherwise = match self.state(place).first() {
            Some(folder) if folder.join("oauth_creds.json").is_file() => Login::yes("its stored login"),
            Some(_) => Login::no("run `gemini` and log in, or set GEMINI_API_KEY"),
            None => Login::Unknown,
        };
        Login::by_variable(place, &keys).or(otherwise)
    }
}
