//! Claude Code (measured: 2.1.329).
//!
//! Prompt and steering go through `--input-format stream-json`. The settings of the user and of the project count, the
//! latter because `CLAUDE.md` is read only with them; MCP servers do not, because nobody would see them. Tools that
//! leave the worktree, wake up later or outlive the run are taken away.

use std::io;
use std::path::PathBuf;

use super::detect::Login;
use super::dialogue::ClaudeDialogue;
use super::files::Files;
use super::{Arguments, Backend, Input, Launch, Place};
use crate::base::regular::{self, Links};
use crate::execute::agents::session::{AgentJob, Hearing};
use crate::plan::settings::AgentSettings;

const ALLOWED: &str = "Bash,Edit,Write,NotebookEdit,Read,Glob,Grep";
const TAKEN_AWAY: &str = "EnterWorktree,ExitWorktree,CronCreate,CronDelete,CronList,ScheduleWakeup";

pub(super) struct Claude;

impl Backend for Claude {
    fn program(&self) -> &'static str {
        "claude"
    }

    fn variables(&self) -> &'static [&'static str] {
        &["ANTHROPIC_*", "CLAUDE_*", "DISABLE_*", "API_TIMEOUT_MS", "MAX_THINKING_TOKENS", "IS_SANDBOX"]
    }

    fn fixed(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
            // The default of ten keeps a refused key waiting for minutes.
            ("CLAUDE_CODE_MAX_RETRIES", "5"),
            ("DISABLE_AUTOUPDATER", "1"),
            ("DISABLE_ERROR_REPORTING", "1"),
            ("DISABLE_TELEMETRY", "1"),
        ]
    }

    fn launch(&self, job: &AgentJob, _files: &Files) -> io::Result<Launch> {
        let mut arguments = Arguments::of([
            "-p",
            "--input-format",
            "stream-json",
            "--replay-user-messages",
            "--output-format",
            "stream-json",
            "--verbose",
            "--include-partial-messages",
            "--permission-mode",
            "acceptEdits",
            "--allowedTools",
            ALLOWED,
            "--disallowedTools",
            TAKEN_AWAY,
            "--setting-sources",
            "user,project",
            "--strict-mcp-config",
        ]);
        arguments.option("--model", job.settings.model.as_deref());
        arguments.option("--resume", job.resume.as_deref());
        arguments.option("--json-schema", job.schema.as_ref().map(ToString::to_string));
        arguments.configured(&job.settings);
        Ok(Launch {
            program: self.program().into(),
            arguments: arguments.0,
            input: Input::Live(Box::new(ClaudeDialogue::new(&job.prompt))),
            conversation: None,
        })
    }

    fn state(&self, place: &Place<'_>) -> Vec<PathBuf> {
        match place.var("CLAUDE_CONFIG_DIR") {
            Some(folder) => vec![folder.into()],
            // The second is a file; it is written in place when it cannot be replaced.
            None => place.home().map_or_else(Vec::new, |home| {
                vec![home.join(".claude"), home.join(".claude.json"), home.join(".cache/claude")]
            }),
        }
    }

    fn login(&self, place: &Place<'_>) -> Login {
        let keys = [
            "ANTHROPIC_API_KEY",
            "ANTHROPIC_AUTH_TOKEN",
            "CLAUDE_CODE_OAUTH_TOKEN",
            "CLAUDE_CODE_USE_BEDROCK",
            "CLAUDE_CODE_USE_VERTEX",
            "CLAUDE_CODE_USE_FOUNDRY",
        ];
        let Some(folder) = place.folder("CLAUDE_CONFIG_DIR", ".claude") else {
            return Login::by_variable(place, &keys);
        };
        let helper = || {
            regular::read_text(&folder.join("settings.json"), Links::Followed, 1 << 20)
                .is_ok_and(|settings| settings.contains("\"apiKeyHelper\""))
        };
        let otherwise = match () {
            () if folder.join(".credentials.json").is_file() => Login::yes("its stored login"),
            () if helper() => Login::yes("apiKeyHelper in its settings"),
            // The login is in the keychain there.
            () if cfg!(target_os = "macos") => Login::Unknown,
            () => Login::no("run `claude` and log in, or set ANTHROPIC_API_KEY"),
        };
        Login::by_variable(place, &keys).or(otherwise)
    }

    fn hearing(&self, _settings: &AgentSettings) -> Hearing {
        Hearing::Live
    }
}
