//! koru's eight checks, in koru's order and with koru's meaning (koru §3).

use super::findings::{Config, Findings, SprintTrouble};
use super::{Probe, Verdict, fail, pass, some_of, warn};
use crate::base::regular::{self, Links};
use crate::plan::policy::NoteKind;

pub(super) const PROBES: &[Probe] = &[
    ("git_repo", git_repo),
    ("planfile_binary", planfile_binary),
    ("planfile_config", planfile_config),
    ("planfile_sprints", planfile_sprints),
    ("runtime_dir", runtime_dir),
    ("policy_yaml", policy_yaml),
    ("gitignore", gitignore),
    ("ci_command", ci_command),
];

fn git_repo(findings: &Findings<'_>) -> Verdict {
    let git = findings.paths.root().join(".git");
    if git.is_dir() {
        pass("initialised")
    } else if git.is_file() {
        pass("git worktree")
    } else {
        warn("no .git here; changes cannot be reviewed or undone without history: run `git init`")
    }
}

/// koru needs the program for every ticket; our store does not, so its absence is only worth a warning.
fn planfile_binary(findings: &Findings<'_>) -> Verdict {
    let machine = &findings.options.surroundings;
    if let Some(command) = machine.text("KORU_PLANFILE_CMD") {
        let first = shlex::split(command).and_then(|words| words.into_iter().next()).unwrap_or_default();
        return match machine.find_program(&first) {
            Some(path) => pass(format!("KORU_PLANFILE_CMD uses {}", path.display())),
            None => fail(format!(
                "KORU_PLANFILE_CMD names `{first}`, which is no program here; correct or unset it"
            )),
        };
    }
    match machine.find_program("planfile") {
        Some(path) => pass(path.display().to_string()),
        None => {
            warn("no `planfile` on PATH; koru-tui reads and writes the planfile itself and does not need it")
        }
    }
}

fn planfile_config(findings: &Findings<'_>) -> Verdict {
    match &findings.config {
        Config::Missing => fail(".planfile/config.yaml is missing; run `koru-tui init`"),
        Config::Broken(why) => fail(format!(".planfile/config.yaml {why}; repair it by hand")),
        Config::Mapping(_) => pass("parses"),
    }
}

fn planfile_sprints(findings: &Findings<'_>) -> Verdict {
    if !findings.sprints_dir {
        return fail(".planfile/sprints is missing; run `koru-tui init`");
    }
    let backend = findings.config_value(&["storage", "backend"]).and_then(serde_yaml::Value::as_str);
    if let Some(backend) = backend.filter(|backend| findings.sprints.is_empty() && *backend != "single-yaml")
    {
        return fail(format!("no sprint file that koru-tui can read: storage.backend is {backend}"));
    }
    if findings.sprints.is_empty() {
        return fail(".planfile/sprints holds no sprint; run `koru-tui init`");
    }
    let broken: Vec<String> =
        findings.sprints.iter().filter(|file| file.content.is_err()).map(|file| file.name.clone()).collect();
    if !broken.is_empty() {
        return fail(format!("cannot be used: {}; see sprint_syntax", some_of(&broken)));
    }
    let tickets: usize = findings.documents().map(|(_, document)| document.tickets().count()).sum();
    let detail = format!("{} sprint(s), {tickets} ticket(s)", findings.sprints.len());
    if tickets == 0 { warn(format!("{detail}; `koru-tui ticket create` makes one")) } else { pass(detail) }
}

fn runtime_dir(findings: &Findings<'_>) -> Verdict {
    let writable = |path: &std::path::Path| {
        use nix::unistd::{AccessFlags, access};
        access(path, AccessFlags::W_OK | AccessFlags::X_OK).is_ok()
    };
    let (koru, planfile) = (findings.paths.koru(), findings.paths.planfile());
    if koru.exists() {
        if !koru.is_dir() {
            return fail(".planfile/.koru is not a folder; move it away");
        }
        return if writable(&koru) { pass("writable") } else { fail(".planfile/.koru is not writable") };
    }
    if !planfile.exists() {
        return warn("no .planfile yet; run `koru-tui init`");
    }
    if writable(&planfile) {
        pass("not there yet, can be made")
    } else {
        fail(".planfile is not writable, so .planfile/.koru cannot be made")
    }
}

fn policy_yaml(findings: &Findings<'_>) -> Verdict {
    if !findings.paths.policy().exists() {
        return pass("absent; every gate is closed");
    }
    let notes: Vec<String> = findings
        .policy_notes
        .iter()
        .map(|note| {
            if note.key.is_empty() { note.message.clone() } else { format!("{} {}", note.key, note.message) }
        })
        .collect();
    if findings.policy_notes.iter().any(|note| note.kind == NoteKind::WholeFile) {
        return fail(some_of(&notes));
    }
    if notes.is_empty() { pass("every key counts") } else { warn(some_of(&notes)) }
}

fn gitignore(findings: &Findings<'_>) -> Verdict {
    if !findings.paths.root().join(".git").exists() {
        return Ok(None);
    }
    let path = findings.paths.root().join(".gitignore");
    match regular::read(&path, Links::Followed, 1 << 20) {
        Ok(text) if crate::plan::scaffold::ignores_runtime(&text) => pass("ignores .planfile/.koru/"),
        Ok(_) => warn("the line `.planfile/.koru/` is missing; add it, or run logs end up in commits"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            warn("there is no .gitignore; make one with the line `.planfile/.koru/`")
        }
        Err(error) => Err(format!("reading {} failed: {error}", path.display())),
    }
}

fn ci_command(findings: &Findings<'_>) -> Verdict {
    let command = findings.policy.ci_command.as_str();
    if command.is_empty() {
        return warn(
            "ci.command in policy.yaml is empty; nothing proves the work before a ticket is complete",
        );
    }
    let Some(words) = shlex::split(command) else {
        return fail("ci.command has an unclosed quote; correct policy.yaml");
    };
    let assigned = |word: &&String| {
        word.split_once('=')
            .is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
    };
    let Some(first) = words.iter().find(|word| !assigned(word)) else {
        return fail("ci.command names no program; correct policy.yaml");
    };
    let here = findings.paths.root().join(first);
    let found = BUILTINS.contains(&first.as_str())
        || findings.options.surroundings.find_program(first).is_some()
        || (first.contains('/') && here.is_file());
    if found {
        pass(format!("starts with `{first}`"))
    } else {
        fail(format!(
            "ci.command starts with `{first}`, which is no program here; install it or correct policy.yaml"
        ))
    }
}

/// Words that a shell runs without a program.
const BUILTINS: [&str; 19] = [
    ".", ":", "!", "[", "{", "(", "cd", "echo", "eval", "exec", "export", "false", "for", "if", "set",
    "test", "true", "type", "while",
];

/// A broken sprint in one line.
pub(super) fn trouble(name: &str, trouble: &SprintTrouble) -> String {
    match trouble {
        SprintTrouble::Unreadable(why) => format!("{name} cannot be read ({why})"),
        SprintTrouble::Fault(fault) => format!("{name}, {fault}"),
    }
}
