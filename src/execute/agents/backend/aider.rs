//! aider (facts of 0.86.2). It has neither a stream nor tools nor ids: its conversation is a file of history, whose path
//! is the id to resume by, and it edits the files that it is told about.

use std::io;
use std::path::PathBuf;

use super::detect::Login;
use super::files::Files;
use super::providers;
use super::{Arguments, Backend, Input, Launch, Place, asking_for};
use crate::execute::agents::session::AgentJob;

pub(super) struct Aider;

impl Backend for Aider {
    fn program(&self) -> &'static str {
        "aider"
    }

    fn variables(&self) -> &'static [&'static str] {
        &["AIDER_*", "LITELLM_*", "AZURE_API_*", "OLLAMA_API_BASE"]
    }

    fn speaks_to_any_host(&self) -> bool {
        true
    }

    fn fixed(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("AIDER_ANALYTICS", "false"),
            ("AIDER_CHECK_UPDATE", "false"),
            ("LITELLM_LOCAL_MODEL_COST_MAP", "True"),
        ]
    }

    fn launch(&self, job: &AgentJob, files: &Files) -> io::Result<Launch> {
        let prompt = files.write("prompt.txt", &asking_for(job.schema.as_ref(), &job.prompt))?;
        let history = job.resume.as_ref().map_or_else(|| files.own("aider.chat.md"), PathBuf::from);
        let mut arguments = Arguments::of([
            "--yes-always",
            "--no-auto-commits",
            "--no-gitignore",
            "--no-pretty",
            "--no-fancy-input",
            "--no-detect-urls",
            "--no-suggest-shell-commands",
            "--no-show-model-warnings",
            "--no-show-release-notes",
            "--no-check-update",
            "--analytics-disable",
        ]);
        arguments.option("--model", job.settings.model.as_deref());
        arguments.option("--input-history-file", Some(files.own("aider.input")));
        arguments.option("--llm-history-file", Some(files.own("aider.llm")));
        arguments.option("--chat-history-file", Some(&history));
        if job.resume.is_some() {
            arguments.push(["--restore-chat-history"]);
        }
        arguments.option("--message-file", Some(prompt));
        arguments.configured(&job.settings);
        arguments.push(["--"]);
        // What is not there it would make, empty, and it takes a glob for a name. It may still add files by itself.
        let files = job.files.iter().filter(|file| job.folder.join(file).is_file());
        arguments.0.extend(files.map(Into::into));
        Ok(Launch {
            program: self.program().into(),
            arguments: arguments.0,
            input: Input::Nothing,
            conversation: Some(history.to_string_lossy().into_owned()),
        })
    }

    fn state(&self, place: &Place<'_>) -> Vec<PathBuf> {
        place.home().map(|home| home.join(".aider")).into_iter().collect()
    }

    fn login(&self, place: &Place<'_>) -> Login {
        // Keys may also stand in an .env or configuration file of the project.
        Login::by_variable(place, &providers::KEYS).or(Login::Unknown)
    }
}
