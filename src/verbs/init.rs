//! `init` and `bootstrap`: making a planfile (koru §1).

use serde_json::json;

use super::cli::{BootstrapArgs, InitArgs};
use super::context::Context;
use super::error::{Exit, VerbError};
use super::output::{Out, Tone};
use crate::plan::scaffold::{self, GitignoreChange, InitOptions, InitReport};

/// Makes config, sprint, policy stub and `.gitignore` line.
///
/// # Errors
/// See [`scaffold::InitError`].
pub(super) fn init(context: &Context, args: &InitArgs, out: &mut Out) -> Result<Exit, VerbError> {
    let options = InitOptions { from: args.from.clone(), sprint: args.sprint.clone(), force: args.force };
    let report = scaffold::init(&context.root_to_make()?, &options, &context.clock)?;
    print(context, &report, "initialised", out);
    Ok(Exit::Ok)
}

/// Imports a pipeline as a sprint.
///
/// # Errors
/// See [`scaffold::InitError`].
pub(super) fn bootstrap(context: &Context, args: &BootstrapArgs, out: &mut Out) -> Result<Exit, VerbError> {
    let root = context.root_to_make()?;
    let report = scaffold::bootstrap(&root, &args.from, &args.sprint, args.force, &context.clock)?;
    print(context, &report, "imported a pipeline into", out);
    Ok(Exit::Ok)
}

fn print(context: &Context, report: &InitReport, did: &str, out: &mut Out) {
    for warning in &report.warnings {
        out.note(Tone::Warn, warning);
    }
    let gitignore = match report.gitignore {
        GitignoreChange::Untouched => "untouched",
        GitignoreChange::Created => "created",
        GitignoreChange::Updated => "updated",
    };
    if context.json() {
        out.json(&json!({
            "project": report.project,
            "sprint": report.sprint,
            "imported": report.imported,
            "starter": report.starter,
            "config_written": report.config_written,
            "policy_written": report.policy_written,
            "settings_written": report.settings_written,
            "gitignore": gitignore,
            "backup": report.backup,
            "warnings": report.warnings,
        }));
        return;
    }
    out.pieces(&[(Tone::Good, &format!("{did} ")), (Tone::Strong, &report.project.display().to_string())]);
    let mut parts = vec![format!("tickets: {} imported", report.imported)];
    if report.policy_written {
        parts.push("policy: stub written".to_owned());
    }
    if report.settings_written {
        parts.push("configuration: stub written".to_owned());
    }
    if report.gitignore != GitignoreChange::Untouched {
        parts.push(format!(".gitignore: {gitignore}"));
    }
    if report.starter {
        parts.push("pipeline: starter scaffold".to_owned());
    }
    out.line(&format!("  {}", parts.join(", ")));
    if let Some(backup) = &report.backup {
        out.line(&format!("  the old sprint is kept as {}", backup.display()));
    }
    out.line("Next: `koru-tui brief` prints what an agent should know; `koru-tui queue run --loop` works the queue");
}
