//! The real agents as `tests/peers/agents/provision` installs them: where they are, and a seat for each, that is a state
//! folder, configuration and environment with which it asks a [`Stub`] and nobody else.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Instant;

use serde_json::json;

use super::stub::Stub;
use crate::support::peer;
use crate::support::pty::patience;

/// The agents that are installed for tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agent {
    Claude,
    Codex,
    Pi,
    Opencode,
    Gemini,
    /// Only where it was asked for: it is large.
    Aider,
}

/// An agent that is there.
#[derive(Clone, Debug)]
pub struct Installed {
    pub agent: Agent,
    /// Its program.
    pub program: PathBuf,
    /// Folder of what it runs on: its Node, or its Python.
    runtime: PathBuf,
}

/// An agent with a state of its own that asks one stub.
#[derive(Debug)]
pub struct Seat {
    pub installed: Installed,
    /// Everything it is given by its environment, `PATH` and `HOME` included. The environment is to hold nothing else.
    pub env: Vec<(String, String)>,
    folder: PathBuf,
}

/// What a run of an agent gave.
#[derive(Debug)]
pub struct Ran {
    pub status: ExitStatus,
    pub out: String,
    pub err: String,
}

impl Agent {
    /// The name of the agent, of its program and of its folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Codex => "codex",
            Self::Pi => "pi",
            Self::Opencode => "opencode",
            Self::Gemini => "gemini",
            Self::Aider => "aider",
        }
    }

    /// The agent as installed; `None`, noted as skipped, when it is not.
    pub fn installed(self) -> Option<Installed> {
        let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join(".peers");
        if self == Self::Aider {
            return aider_in(&peers.join("aider"));
        }
        let folder = peers.join("agents");
        let is_there = |name: &str| folder.join(name).join(".provisioned").is_file();
        let bin = |name: &str| folder.join(name).join("node_modules/.bin");
        if !is_there(self.name()) || !is_there("node") {
            peer::skipped(&format!("agent {}", self.name()));
            return None;
        }
        Some(Installed { agent: self, program: bin(self.name()).join(self.name()), runtime: bin("node") })
    }
}

/// aider where `KORU_TUI_PEER_AIDER=1` had it installed. Its absence is no skipped suite.
fn aider_in(venv: &Path) -> Option<Installed> {
    let program = venv.join("bin/aider");
    let is_there = venv.join(".provisioned").is_file() && program.is_file();
    is_there.then(|| Installed { agent: Agent::Aider, program, runtime: venv.join("bin") })
}

impl Installed {
    /// A seat with its state in `folder`, which is made. Retries are bounded to two where the agent lets them be.
    pub fn seat(&self, folder: &Path, stub: &Stub) -> Seat {
        let home = folder.join("home");
        fs::create_dir_all(&home).unwrap();
        fs::create_dir_all(folder.join("tmp")).unwrap();
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let mut env: Vec<(String, String)> = [
            ("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", text(&self.runtime))),
            ("HOME", text(&home)),
            ("TMPDIR", text(&folder.join("tmp"))),
            ("LANG", "C.UTF-8".to_owned()),
            ("TERM", "dumb".to_owned()),
            ("NO_COLOR", "1".to_owned()),
            ("NO_PROXY", "127.0.0.1,localhost".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        let own = match self.agent {
            Agent::Claude => claude(&home, &stub.url()),
            Agent::Codex => codex(folder, &stub.url()),
            Agent::Pi => pi(folder, &stub.url()),
            Agent::Opencode => opencode(folder, &home, &stub.url()),
            Agent::Gemini => gemini(&home, &stub.url()),
            Agent::Aider => aider(folder, &stub.url()),
        };
        env.extend(own.into_iter().map(|(name, value)| (name.to_owned(), value)));
        Seat { installed: self.clone(), env, folder: folder.to_owned() }
    }
}

impl Seat {
    /// The arguments of a headless run, as `claude -p` and its siblings want them.
    pub fn arguments(&self, prompt: &str) -> Vec<String> {
        let (before, after): (&str, &str) = match self.installed.agent {
            Agent::Claude => (
                "-p",
                "--output-format stream-json --verbose --include-partial-messages --permission-mode acceptEdits \
                 --allowedTools Bash,Edit,Write,Read --strict-mcp-config --model claude-sonnet-4-5",
            ),
            Agent::Codex => ("exec --json --sandbox danger-full-access", ""),
            Agent::Pi => (
                "--mode json --provider stub --model stub-model --thinking low --no-extensions --no-skills \
                 --no-prompt-templates --no-themes --no-approve -p",
                "",
            ),
            Agent::Opencode => ("run --format json --thinking --pure --auto --model stub/stub-model", ""),
            Agent::Gemini => (
                "--output-format stream-json --skip-trust --approval-mode yolo --model gemini-2.5-flash -p",
                "",
            ),
            Agent::Aider => {
                ("--model openai/stub-model --yes-always --no-auto-commits --no-gitignore --message", "")
            }
        };
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let mut all = words(before);
        all.push(prompt.to_owned());
        all.extend(words(after));
        if self.installed.agent == Agent::Claude {
            // No settings of the user or the project.
            all.extend(["--setting-sources".to_owned(), String::new()]);
        }
        all
    }

    /// A headless run in `repository`, standard input closed, output to files of the seat.
    pub fn command(&self, repository: &Path, prompt: &str) -> Command {
        let mut command = Command::new(&self.installed.program);
        command.args(self.arguments(prompt)).current_dir(repository).env_clear().envs(self.env.clone());
        command.stdin(Stdio::null());
        command.stdout(File::create(self.folder.join("out")).unwrap());
        command.stderr(File::create(self.folder.join("err")).unwrap());
        command
    }

    /// Runs to the end; kills it and panics after twelve times the patience of the screen's tests.
    #[track_caller]
    pub fn run(&self, repository: &Path, prompt: &str) -> Ran {
        let mut child = self.command(repository, prompt).spawn().unwrap();
        let deadline = Instant::now() + patience() * 12;
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if Instant::now() > deadline {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        };
        let text =
            |name: &str| String::from_utf8_lossy(&fs::read(self.folder.join(name)).unwrap()).into_owned();
        let (out, err) = (text("out"), text("err"));
        let Some(status) = status else {
            panic!("{} did not end\n--- stdout\n{out}\n--- stderr\n{err}", self.installed.agent.name())
        };
        Ran { status, out, err }
    }
}

type Env = Vec<(&'static str, String)>;

fn file(path: &Path, text: &str) -> String {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn switches(names: &[&'static str]) -> Env {
    names.iter().map(|name| (*name, "1".to_owned())).collect()
}

fn claude(home: &Path, url: &str) -> Env {
    let mut env = switches(&[
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
        "DISABLE_TELEMETRY",
        "DISABLE_ERROR_REPORTING",
        "DISABLE_AUTOUPDATER",
    ]);
    env.extend([
        ("ANTHROPIC_BASE_URL", url.to_owned()),
        ("ANTHROPIC_API_KEY", "sk-ant-stub-not-a-key".to_owned()),
        ("CLAUDE_CONFIG_DIR", home.join(".claude").to_str().unwrap().to_owned()),
        ("CLAUDE_CODE_MAX_RETRIES", "2".to_owned()),
    ]);
    env
}

/// Codex wants its home outside the folder for temporary files.
fn codex(folder: &Path, url: &str) -> Env {
    let home = folder.join("codex");
    file(
        &home.join("config.toml"),
        &format!(
            "model = \"stub-model\"\nmodel_provider = \"stub\"\ncheck_for_update_on_startup = false\n\
             [analytics]\nenabled = false\n[feedback]\nenabled = false\n[history]\npersistence = \"none\"\n\
             [model_providers.stub]\nname = \"stub\"\nbase_url = \"{url}/v1\"\nenv_key = \"OPENAI_API_KEY\"\n\
             wire_api = \"responses\"\nrequest_max_retries = 2\nstream_max_retries = 2\n"
        ),
    );
    vec![
        ("CODEX_HOME", home.to_str().unwrap().to_owned()),
        ("OPENAI_API_KEY", "sk-stub-not-a-key".to_owned()),
    ]
}

fn pi(folder: &Path, url: &str) -> Env {
    let home = folder.join("pi");
    let model = json!({
        "id": "stub-model", "name": "Stub", "reasoning": true, "input": ["text"], "contextWindow": 200_000,
        "maxTokens": 64_000, "cost": {"input": 3, "output": 15, "cacheRead": 0.3, "cacheWrite": 3.75},
    });
    let provider = json!({
        "baseUrl": format!("{url}/v1"), "api": "openai-completions", "apiKey": "stub-not-a-key",
        "models": [model],
    });
    file(&home.join("models.json"), &json!({"providers": {"stub": provider}}).to_string());
    let retry = json!({"retry": {"enabled": true, "maxRetries": 2, "baseDelayMs": 500}});
    file(&home.join("settings.json"), &retry.to_string());
    let mut env = switches(&["PI_OFFLINE", "PI_SKIP_VERSION_CHECK"]);
    env.push(("PI_TELEMETRY", "0".to_owned()));
    env.push(("PI_CODING_AGENT_DIR", home.to_str().unwrap().to_owned()));
    env
}

fn opencode(folder: &Path, home: &Path, url: &str) -> Env {
    let model = json!({
        "name": "Stub", "reasoning": true, "tool_call": true,
        "cost": {"input": 3, "output": 15, "cache_read": 0.3, "cache_write": 3.75},
        "limit": {"context": 200_000, "output": 64_000},
    });
    let provider = json!({
        "npm": "@ai-sdk/openai-compatible", "name": "Stub",
        "options": {"baseURL": format!("{url}/v1"), "apiKey": "stub-not-a-key"},
        "models": {"stub-model": model},
    });
    let permission =
        json!({"edit": "allow", "bash": "allow", "webfetch": "deny", "external_directory": "deny"});
    let config = json!({
        "autoupdate": false, "share": "disabled", "model": "stub/stub-model",
        "small_model": "stub/stub-model", "permission": permission, "provider": {"stub": provider},
    });
    let config = file(&folder.join("opencode/opencode.json"), &config.to_string());
    let mut env = switches(&[
        "OPENCODE_DISABLE_AUTOUPDATE",
        "OPENCODE_DISABLE_MODELS_FETCH",
        "OPENCODE_DISABLE_LSP_DOWNLOAD",
        "OPENCODE_DISABLE_DEFAULT_PLUGINS",
        "OPENCODE_DISABLE_SHARE",
        "OPENCODE_DISABLE_CLAUDE_CODE",
        "OPENCODE_DISABLE_PROJECT_CONFIG",
    ]);
    env.push(("OPENCODE_CONFIG", config));
    for (name, part) in [
        ("XDG_DATA_HOME", ".local/share"),
        ("XDG_CONFIG_HOME", ".config"),
        ("XDG_STATE_HOME", ".local/state"),
        ("XDG_CACHE_HOME", ".cache"),
    ] {
        env.push((name, home.join(part).to_str().unwrap().to_owned()));
    }
    env
}

fn gemini(home: &Path, url: &str) -> Env {
    let settings = json!({
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "privacy": {"usageStatisticsEnabled": false}, "telemetry": {"enabled": false},
        "general": {
            "enableAutoUpdate": false, "enableAutoUpdateNotification": false, "disableAutoUpdate": true,
            "disableUpdateNag": true, "maxAttempts": 3,
        },
        "ui": {"hideTips": true},
    });
    file(&home.join(".gemini/settings.json"), &settings.to_string());
    vec![
        ("GEMINI_API_KEY", "stub-not-a-key".to_owned()),
        ("GOOGLE_GEMINI_BASE_URL", url.to_owned()),
        ("GEMINI_TELEMETRY_ENABLED", "false".to_owned()),
        ("GEMINI_CLI_NO_RELAUNCH", "true".to_owned()),
    ]
}

/// What each of the model's tokens costs stands in a file: nobody is to be asked for it.
fn aider(folder: &Path, url: &str) -> Env {
    let model = json!({
        "max_input_tokens": 200_000, "max_output_tokens": 64_000, "input_cost_per_token": 0.000_003,
        "output_cost_per_token": 0.000_015, "litellm_provider": "openai", "mode": "chat",
    });
    let models = json!({ "openai/stub-model": model });
    let models = file(&folder.join("aider-models.json"), &models.to_string());
    vec![
        ("OPENAI_API_KEY", "sk-stub-not-a-key".to_owned()),
        ("OPENAI_API_BASE", format!("{url}/v1")),
        ("AIDER_MODEL_METADATA_FILE", models),
        ("AIDER_EDIT_FORMAT", "diff".to_owned()),
        ("AIDER_MAP_TOKENS", "0".to_owned()),
        ("AIDER_TIMEOUT", "20".to_owned()),
    ]
}
