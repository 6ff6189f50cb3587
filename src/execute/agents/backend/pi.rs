//! pi (measured: 0.87.1), in its rpc mode: the same events as in json mode, and it hears the operator.
//!
//! What differs from json mode: the session is not announced but asked for, commands are answered, and the end of the
//! work does not end the process; [`super::dialogue`] deals with all three. Files of the project (`--no-approve`) do
//! not count, since they could change what it is and nobody would be asked; AGENTS.md is read all the same. Prompt
//! templates are off because a message that begins with a slash would become one.

use std::io;
use std::path::PathBuf;

use super::detect::Login;
use super::dialogue::PiDialogue;
use super::files::Files;
use super::providers;
use super::{Arguments, Backend, Input, Launch, Place, asking_for};
use crate::execute::agents::session::{AgentJob, Hearing};
use crate::plan::settings::AgentSettings;

pub(super) struct Pi;

impl Backend for Pi {
    fn program(&self) -> &'static str {
        "pi"
    }

    fn variables(&self) -> &'static [&'static str] {
        &["PI_*"]
    }

    fn speaks_to_any_host(&self) -> bool {
        true
    }

    fn fixed(&self) -> &'static [(&'static str, &'static str)] {
        &[("PI_OFFLINE", "1"), ("PI_SKIP_VERSION_CHECK", "1"), ("PI_TELEMETRY", "0")]
    }

    fn launch(&self, job: &AgentJob, _files: &Files) -> io::Result<Launch> {
        let mut arguments =
            Arguments::of(["--mode", "rpc", "--no-approve", "--no-prompt-templates", "--no-themes"]);
        arguments.option("--model", job.settings.model.as_deref());
        arguments.option("--session", job.resume.as_deref());
        arguments.configured(&job.settings);
        let prompt = asking_for(job.schema.as_ref(), &job.prompt);
        Ok(Launch {
            program: self.program().into(),
            arguments: arguments.0,
            input: Input::Live(Box::new(PiDialogue::new(&prompt))),
            conversation: None,
        })
    }

    fn state(&self, place: &Place<'_>) -> Vec<PathBuf> {
        place.folder("PI_CODING_AGENT_DIR", ".pi").into_iter().collect()
    }

    fn login(&self, place: &Place<'_>) -> Login {
        let folder = place.folder("PI_CODING_AGENT_DIR", ".pi/agent");
        let otherwise = match folder {
            Some(folder) if folder.join("auth.json").is_file() => Login::yes("its stored login"),
            Some(folder) if folder.join("models.json").is_file() => {
                Login::yes("providers in its models.json")
            }
            Some(_) => Login::no("run `pi` and log in, or set the key of a model host"),
            None => Login::Unknown,
        };
        Login::by_variable(place, &providers::KEYS).or(otherwise)
    }

    fn hearing(&self, _settings: &AgentSettings) -> Hearing {
        Hearing::Live
    }
}
