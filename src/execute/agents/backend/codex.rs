//! Codex (measured: 0.169.0), through its app server ([`super::dialogue`]), so that it hears the operator while it works
//! and its texts and its commands' output come as they grow. `stream: exec` in its configuration starts `codex exec`
//! instead: the prompt goes through standard input (`-`), and messages wait for the next round.
//!
//! Inside our own write fence its sandbox is switched off: it would forbid what the fence allows, and a sandbox in a
//! sandbox does not start everywhere. Without the fence, its own keeps it in the worktree.

use std::io;
use std::path::PathBuf;

use super::detect::Login;
use super::dialogue::{CodexDialogue, CodexOpening};
use super::files::Files;
use super::{Arguments, Backend, Input, Launch, Place};
use crate::base::regular::{self, Links};
use crate::execute::agents::session::{AgentJob, Hearing};
use crate::plan::settings::AgentSettings;

pub(super) struct Codex;

impl Backend for Codex {
    fn program(&self) -> &'static str {
        "codex"
    }

    fn variables(&self) -> &'static [&'static str] {
        &["OPENAI_*", "CODEX_*", "RUST_LOG"]
    }

    fn fixed(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    fn launch(&self, job: &AgentJob, files: &Files) -> io::Result<Launch> {
        let fenced = !job.fence.writable.is_empty();
        let sandbox = if fenced { "danger-full-access" } else { "workspace-write" };
        if hears(&job.settings) { Ok(serve(job, sandbox)) } else { exec(job, sandbox, files) }
    }

    fn state(&self, place: &Place<'_>) -> Vec<PathBuf> {
        place.folder("CODEX_HOME", ".codex").into_iter().collect()
    }

    fn login(&self, place: &Place<'_>) -> Login {
        let otherwise = match self.state(place).first() {
            Some(folder) if folder.join("auth.json").is_file() => Login::yes("its stored login"),
            // Another provider may need no key, or another one.
            Some(folder) if has_provider(&folder.join("config.toml")) => Login::Unknown,
            Some(_) => Login::no("run `codex login`, or set OPENAI_API_KEY"),
            None => Login::Unknown,
        };
        Login::by_variable(place, &["OPENAI_API_KEY", "CODEX_API_KEY", "CODEX_ACCESS_TOKEN"]).or(otherwise)
    }

    fn hearing(&self, settings: &AgentSettings) -> Hearing {
        if hears(settings) { Hearing::Live } else { Hearing::NextRound }
    }
}

/// Settings that both ways of starting it have.
fn configured(arguments: &mut Arguments) {
    arguments.push(["-c", "check_for_update_on_startup=false"]);
    arguments.push(["-c", "analytics.enabled=false", "-c", "feedback.enabled=false"]);
}

fn serve(job: &AgentJob, sandbox: &'static str) -> Launch {
    let mut arguments = Arguments::of(["app-server"]);
    configured(&mut arguments);
    arguments.configured(&job.settings);
    let opening = CodexOpening {
        prompt: job.prompt.clone(),
        folder: job.folder.to_string_lossy().into_owned(),
        sandbox,
        model: job.settings.model.clone(),
        resume: job.resume.clone(),
        schema: job.schema.clone(),
    };
    Launch {
        program: Codex.program().into(),
        arguments: arguments.0,
        input: Input::Live(Box::new(CodexDialogue::new(opening))),
        conversation: None,
    }
}

fn exec(job: &AgentJob, sandbox: &str, files: &Files) -> io::Result<Launch> {
    let mut arguments = Arguments::of(["exec"]);
    if let Some(conversation) = &job.resume {
        // `resume` has no `--sandbox`.
        arguments.push(["resume", conversation]);
    }
    arguments.push(["--json", "--skip-git-repo-check"]);
    arguments.push(["-c", &format!("sandbox_mode=\"{sandbox}\"")]);
    configured(&mut arguments);
    arguments.option("--model", job.settings.model.as_deref());
    if let Some(schema) = &job.schema {
        arguments.option("--output-schema", Some(files.write("schema.json", &schema.to_string())?));
    }
    arguments.configured(&job.settings);
    arguments.push(["-"]);
    Ok(Launch {
        program: Codex.program().into(),
        arguments: arguments.0,
        input: Input::Bytes(job.prompt.clone().into_bytes()),
        conversation: None,
    })
}

/// Unless it is asked to be started once a round.
fn hears(settings: &AgentSettings) -> bool {
    settings.stream.as_deref() != Some("exec")
}

fn has_provider(config: &std::path::Path) -> bool {
    regular::read_text(config, Links::Followed, 1 << 20).is_ok_and(|text| text.contains("model_provider"))
}
