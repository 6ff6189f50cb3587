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
    let (agents, servers) = (findings.settings.agents.len(), findings.settings.mcp.len());
    pass(format!("every key counts; {agents} agent(s), {servers} MCP server(s)"))
}
