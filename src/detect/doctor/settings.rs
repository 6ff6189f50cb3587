//! What is wrong with the project's configuration, `.planfile/.koru/config.yaml`.

use super::findings::Findings;
use super::{Probe, Verdict, fail, pass, some_of, warn};
use crate::plan::settings::NoteLevel;

pub(super) const PROBES: &[Probe] = &[("koru_config", koru_config)];

/// A file that keeps every agent from being started has failed; what only does not count is a warning.
fn koru_config(findings: &Findings<'_>) -> Verdict {
    if !findings.paths.koru_config().exists() {
        return pass("absent; every default is in force");
    }
    let mut notes: Vec<_> = findings.settings_notes.iter().collect();
    notes.sort_by_key(|note| match note.level {
        NoteLevel::WholeFile => 0,
        NoteLevel::Error => 1,
        NoteLevel::Warning => 2,
    });
    let said: Vec<String> = notes.iter().map(ToString::to_string).collect();
    if findings.settings.refused.is_some() {
        return fail(some_of(&said));
    }
    if !said.is_empty() {
        return warn(some_of(&said));
    }
    let unready = unready(findings);
    if !unready.is_empty() {
        return warn(some_of(&unready));
    }
    let (agents, servers) = (findings.settings.agents.len(), findings.settings.mcp.len());
    pass(format!("every key counts; {agents} agent(s), {servers} MCP server(s)"))
}

/// What would keep MCP servers from being called, as far as that can be seen without calling them.
fn unready(findings: &Findings<'_>) -> Vec<String> {
    let machine = &findings.options.surroundings;
    let mut found = Vec::new();
    for (name, server) in &findings.settings.mcp {
        if let Some(program) = server.command.first()
            && !(program.contains('/') && findings.paths.root().join(program).is_file())
            && machine.find_program(program).is_none()
        {
            found.push(format!("mcp.{name}: {program} is not found; install it or correct its `command`"));
        }
        let needed = server.env_keys.iter().map(String::as_str).chain(server.header_variables());
        let unset: Vec<&str> = needed.filter(|variable| machine.text(variable).is_none()).collect();
        if !unset.is_empty() {
            found.push(format!("mcp.{name}: {} is not set; its calls fail until it is", unset.join(", ")));
        }
    }
    found
}
