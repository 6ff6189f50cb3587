//! Coding agents and companion tools that this machine offers (koru §6.4), found without running any of them.

use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use crate::plan::settings::{AgentSettings, CUSTOM, Settings};
use crate::plan::surroundings::Surroundings;

/// How an agent shows that it is there.
enum Lane {
    /// A program on `PATH`.
    Program(&'static [&'static str]),
    /// A program on `PATH`, or its folder in the project.
    Editor(&'static [&'static str], &'static str),
    /// A variable; such a lane is never launched by us.
    Variable(&'static str),
}

/// koru's agents in its order of preference; pi is ours.
const AGENTS: [(&str, &str, Lane); 12] = [
    ("antigravity", "Antigravity", Lane::Variable("ANTIGRAVITY_AGENT")),
    ("claude-code", "Claude Code", Lane::Program(&["claude"])),
    ("codex", "Codex", Lane::Program(&["codex"])),
    ("pi", "pi", Lane::Program(&["pi"])),
    ("gemini-cli", "Gemini CLI", Lane::Program(&["gemini"])),
    ("cline", "Cline", Lane::Program(&["cline"])),
    ("qwen-code", "Qwen Code", Lane::Program(&["qwen-code", "qwen"])),
    ("opencode", "opencode", Lane::Program(&["opencode"])),
    ("cursor", "Cursor", Lane::Editor(&["cursor-agent", "cursor"], ".cursor")),
    ("windsurf", "Windsurf", Lane::Editor(&["windsurf"], ".windsurf")),
    ("aider", "aider", Lane::Program(&["aider"])),
    ("openrouter", "OpenRouter", Lane::Variable("OPENROUTER_API_KEY")),
];

/// An agent with what is known about it (koru §6.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LaneState {
    /// koru's id.
    pub id: String,
    /// Name for people.
    pub label: String,
    /// It can be worked with here.
    pub available: bool,
    /// It can be started by us.
    pub launchable: bool,
    /// Its program.
    pub command: Option<String>,
    /// Why it is available or not.
    pub reason: String,
    /// The project has its folder.
    pub project_hint: bool,
}

/// Every agent with what is known about it, in order of preference; last those of the project's own configuration.
pub fn agents(root: &Path, machine: &Surroundings) -> Vec<LaneState> {
    let known = AGENTS.iter().map(|(id, label, lane)| agent(id, label, lane, root, machine));
    let (settings, _) = Settings::load(root);
    let own = settings.agents.iter().filter(|(_, agent)| agent.kind.as_deref() == Some(CUSTOM));
    known.chain(own.map(|(name, agent)| custom(name, agent, root, machine))).collect()
}

/// An agent that the project's configuration makes of a command. It takes a ticket, not a brief by itself.
fn custom(name: &str, agent: &AgentSettings, root: &Path, machine: &Surroundings) -> LaneState {
    let program = agent.program.as_ref().or(agent.args.first()).map(String::as_str).unwrap_or_default();
    let found = match program.contains('/') {
        true => machine.find_program(&root.join(program).to_string_lossy()),
        false => machine.find_program(program),
    };
    let reason = match &found {
        Some(_) => format!("of this project; `koru-tui ticket run ID --agent {name}` hands it a ticket"),
        None => format!("of this project, but there is no program `{program}`"),
    };
    LaneState {
        id: name.to_owned(),
        label: name.to_owned(),
        available: found.is_some(),
        launchable: false,
        command: found.map(|path| path.to_string_lossy().into_owned()),
        reason,
        project_hint: true,
    }
}

fn agent(id: &str, label: &str, lane: &Lane, root: &Path, machine: &Surroundings) -> LaneState {
    let on_path = |programs: &[&str]| programs.iter().find_map(|program| machine.find_program(program));
    let (command, hint, available, reason) = match lane {
        Lane::Program(programs) => match on_path(programs) {
            Some(path) => (Some(path), false, true, format!("`{}` is on PATH", programs[0])),
            None => (None, false, false, format!("`{}` is not on PATH", programs[0])),
        },
        Lane::Editor(programs, folder) => {
            let hint = root.join(folder).is_dir();
            match on_path(programs) {
                Some(path) => (Some(path), hint, true, "its program is on PATH".to_owned()),
                None if hint => {
                    (None, true, true, format!("the project has {folder}/; open it there by hand"))
                }
                None => (None, false, false, format!("no program on PATH and no {folder}/ in the project")),
            }
        }
        Lane::Variable(name) => match machine.has(name) {
            true => (None, false, true, format!("{name} is set; work with it by hand")),
            false => (None, false, false, format!("{name} is not set")),
        },
    };
    LaneState {
        id: id.to_owned(),
        label: label.to_owned(),
        available,
        launchable: command.is_some(),
        command: command.map(|path| path.to_string_lossy().into_owned()),
        reason,
        project_hint: hint,
    }
}

/// Companion tools: program, role, a command that shows what it does, and configuration files or folders.
const TOOLS: [(&str, &str, &str, &[&str]); 10] = [
    ("planfile", "ticket backlog", "planfile ticket list", &[".planfile/config.yaml"]),
    ("regix", "regression metrics", "regix gates", &["regix.yaml"]),
    ("redup", "duplicate detection", "redup scan .", &["redup.yaml"]),
    ("testql", "end-to-end scenarios", "testql suite", &["testql-scenarios", "testql-testing/scenarios"]),
    ("wup", "dependency analysis on change", "wup status", &["wup.yaml"]),
    ("vallm", "patch validation", "vallm validate", &["vallm.toml", "vallm.yaml"]),
    ("prefact", "linting for generated code", "prefact scan", &["prefact.yaml"]),
    ("pfix", "import repair", "pfix", &["pfix.yaml"]),
    ("redsl", "automatic refactoring", "redsl improve", &["redsl.yaml"]),
    ("llx", "language model wrapper", "llx fix", &["llx.yaml"]),
];

/// Every companion tool with how it was found: its program, its Python module in the active or the project's own
/// environment, or only its configuration.
pub(super) fn semcod_tools(root: &Path, machine: &Surroundings) -> Vec<Value> {
    let modules = site_packages(root, machine);
    TOOLS
        .iter()
        .map(|(id, role, hint, configs)| {
            let module = || modules.iter().any(|folder| folder.join(id).join("__init__.py").is_file());
            let command = match machine.find_program(id) {
                Some(path) => Some((path.to_string_lossy().into_owned(), "PATH")),
                None if module() => Some((format!("python -m {id}"), "module")),
                None => None,
            };
            let configured = configs.iter().any(|config| root.join(config).exists());
            let via = match (&command, configured) {
                (Some((_, via)), _) => via,
                (None, true) => "config",
                (None, false) => "missing",
            };
            json!({
                "id": id,
                "role": role,
                "command_hint": hint,
                "available": command.is_some(),
                "via": via,
                "command": command.as_ref().map(|(command, _)| command),
                "config_present": configured,
            })
        })
        .collect()
}

/// Where modules of the active Python environment, or of one in the project, are.
fn site_packages(root: &Path, machine: &Surroundings) -> Vec<std::path::PathBuf> {
    let active = machine.text("VIRTUAL_ENV").map(std::path::PathBuf::from);
    let own = [root.join(".venv"), root.join("venv")];
    let libs = active.into_iter().chain(own).map(|folder| folder.join("lib"));
    let versions = libs.filter_map(|lib| std::fs::read_dir(lib).ok()).flatten().flatten();
    versions.map(|version| version.path().join("site-packages")).filter(|folder| folder.is_dir()).collect()
}
