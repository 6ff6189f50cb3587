//! The brief as markdown, sections in koru's order (koru §2.3).
//!
//! Every text passes through `base::text`: a ticket's name stays on its line, its prompt stays in its block quote, and
//! nothing acts on the terminal that shows it.

use std::fmt::Write;

use serde_json::Value;

use crate::base::text::{safe_block, safe_text};

/// Notes of a ticket that are shown, the newest.
const MAX_NOTES: usize = 5;

/// Renders the value of a brief.
pub(super) fn render(brief: &Value) -> String {
    let environment = &brief["environment"];
    let mut page = Page(String::new());
    page.line(&format!("# koru handoff — {}", plain(&brief["project"])));
    page.section("What koru is");
    page.line(
        "koru turns the tickets of this project's planfile into reviewed changes. This brief is your contract: the \
         ticket to work on, the policy that binds you, and the commands you may use. Run `koru-tui brief` at the start \
         of every session.",
    );
    detected(&mut page, environment);
    lanes(&mut page, environment);
    tools(&mut page, environment);
    run(&mut page, &brief["run"]);
    ticket(&mut page, brief);
    on_change(&mut page, environment);
    policy(&mut page, &brief["policy"]);
    page.section("Rules");
    for rule in items(&brief["instructions"]) {
        page.line(&format!("- {}", plain(rule)));
    }
    page.section("Self-service commands");
    for (name, command) in brief["self_service"].as_object().into_iter().flatten() {
        page.line(&format!("- {name}: {}", code(&plain(command))));
    }
    if brief["run"].is_null() {
        page.line("\nAlways there, as koru has them:\n");
        page.line("- task: `koru-tui ticket create \"<what and why>\"` records work for later");
        page.line("- agent: `koru-tui agent --list` shows the lanes, `koru-tui agent --launch` starts one with this brief");
        page.line("- scan: `koru-tui scan --apply` looks for work, where this version has it");
    }
    page.0
}

struct Page(String);

impl Page {
    fn line(&mut self, text: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{text}");
    }

    fn section(&mut self, title: &str) {
        self.line(&format!("\n## {title}\n"));
    }
}

fn detected(page: &mut Page, environment: &Value) {
    page.section("Detected environment");
    let project = &environment["project"];
    page.line(&format!("- Project: {}", plain(&project["name"])));
    page.line(&format!("- Folder: {}", code(&plain(&project["cwd"]))));
    let python = match project["python"].as_str() {
        Some(path) => format!(", python {}", code(&text(path))),
        None => String::new(),
    };
    page.line(&format!("- Runtime: {}{python}", plain(&project["platform"])));
    let git = &environment["git"];
    if git["head"].is_string() || git["branch"].is_string() {
        let state = if git["dirty"] == Value::Bool(true) { "with uncommitted changes" } else { "clean" };
        let branch = if git["branch"].is_null() { "detached".to_owned() } else { plain(&git["branch"]) };
        page.line(&format!("- Git: {} at {}, {state}", code(&branch), code(&plain(&git["head"]))));
    }
    let markers: Vec<&str> = project["markers"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, there)| **there == Value::Bool(true))
        .map(|(name, _)| name.as_str())
        .collect();
    page.line(&format!(
        "- Markers: {}",
        if markers.is_empty() { "none".to_owned() } else { markers.join(", ") }
    ));
    let recommended = environment["recommended_agent"].as_str().unwrap_or("none found");
    page.line(&format!("- Recommended agent: {}", text(recommended)));
}

fn lanes(page: &mut Page, environment: &Value) {
    page.section("Available LLM/IDE lanes");
    page.line("| lane | available | launchable | note |\n| --- | --- | --- | --- |");
    for agent in items(&environment["llm_agents"]) {
        let (available, launchable) = (yes(&agent["available"]), yes(&agent["launchable"]));
        page.line(&format!(
            "| {} | {available} | {launchable} | {} |",
            cell(&agent["id"]),
            cell(&agent["reason"])
        ));
    }
}

fn tools(page: &mut Page, environment: &Value) {
    page.section("Available semcod tools");
    let available: Vec<&Value> = items(&environment["semcod_tools"])
        .iter()
        .filter(|tool| tool["available"] == Value::Bool(true))
        .collect();
    if available.is_empty() {
        page.line("None on PATH.");
    }
    for tool in available {
        let (id, role) = (plain(&tool["id"]), plain(&tool["role"]));
        page.line(&format!("- {id}: {role} ({})", code(&plain(&tool["command_hint"]))));
    }
}

/// The run of an agent; nothing for somebody who works alone.
fn run(page: &mut Page, run: &Value) {
    if run.is_null() {
        return;
    }
    page.section("Your run");
    page.line(&format!("- You are: {}", plain(&run["agent"])));
    page.line(&format!("- Your worktree: {}", code(&plain(&run["folder"]))));
    let (branch, base) = (code(&plain(&run["branch"])), code(&plain(&run["base"])));
    page.line(&format!("- Branch: {branch}, made from {base}; what counts is the difference to it"));
    for limit in items(&run["limits"]) {
        page.line(&format!("- Limit: {}", plain(limit)));
    }
    let gates = items(&run["gates"]);
    if gates.is_empty() {
        page.line("- Gates: none was found");
    } else {
        page.line("- Gates after your work:");
        for gate in gates {
            page.line(&format!("  - {}", code(&plain(gate))));
        }
    }
    quote(page, "The operator says to you, within the policy", run["note"].as_str());
}

fn ticket(page: &mut Page, brief: &Value) {
    if brief["environment"]["planfile_initialised"] != Value::Bool(true) {
        page.section("⚠ Setup required");
        page.line("This project has no planfile yet. Ask the operator to run one of:\n");
        page.line("```\nkoru-tui init\nkoru-tui init --from <pipeline.yaml>\n```\n");
        page.line("koru's spellings work too: `koru-tui --init`, `koru-tui --init --from <pipeline.yaml>`.");
        return;
    }
    let ticket = &brief["ticket"];
    if ticket.is_null() {
        page.section(&format!("No active ticket — {}", plain(&brief["ticket_error"])));
        page.line("1. Record what needs doing: `koru-tui scan --apply` where this version has it, else `koru-tui ticket create`.");
        page.line("2. Read the brief again: `koru-tui brief`.");
        return;
    }
    page.section(&format!("Active ticket: {} — {}", code(&plain(&ticket["id"])), plain(&ticket["name"])));
    let executor = &ticket["executor"];
    let kind = executor["kind"].as_str().unwrap_or("human");
    page.line(&format!("- Executor: {}", text(kind)));
    page.line(&format!("- Status: {}", plain(&ticket["status"])));
    let (written, effective) = (plain(&ticket["priority"]), plain(&ticket["effective_priority"]));
    let reasons: Vec<String> = items(&ticket["priority_reasons"]).iter().map(plain).collect();
    if reasons.is_empty() {
        page.line(&format!("- Priority: {written}"));
    } else {
        page.line(&format!("- Priority: {effective} (written {written}; {})", reasons.join("; ")));
    }
    let files = items(&ticket["files"]);
    if !files.is_empty() {
        page.line("- Files in scope:");
        for file in files {
            page.line(&format!("  - {}", code(&plain(file))));
        }
    }
    quote(page, "Description", ticket["description"].as_str());
    let criteria = items(&ticket["acceptance_criteria"]);
    if !criteria.is_empty() {
        page.line("\nAcceptance criteria:\n");
        for criterion in criteria {
            page.line(&format!("> - {}", plain(criterion)));
        }
    }
    quote(page, "Prompt", ticket["inputs"]["prompt"].as_str());
    quote(page, "The last attempt ended with", ticket["execution"]["last_error"].as_str());
    let notes = items(&ticket["outputs"]["notes"]);
    let shown = notes.len().saturating_sub(MAX_NOTES);
    for note in &notes[shown..] {
        quote(page, "Note on the ticket", note.as_str());
    }
}

fn quote(page: &mut Page, title: &str, body: Option<&str>) {
    let Some(body) = body.filter(|body| !body.trim().is_empty()) else { return };
    page.line(&format!("\n{title}:\n"));
    for line in safe_block(body) {
        page.line(format!("> {line}").trim_end());
    }
}

fn on_change(page: &mut Page, environment: &Value) {
    let markers = &environment["project"]["markers"];
    let gates = [
        ("wup_yaml", "`wup status` after each change"),
        ("regix_yaml", "`regix gates` before completing"),
        ("testql_scenarios", "`testql suite` before completing"),
    ];
    let present: Vec<&str> = gates
        .iter()
        .filter(|(marker, _)| markers[*marker] == Value::Bool(true))
        .map(|(_, gate)| *gate)
        .collect();
    if !present.is_empty() {
        page.section("On-change gates");
        for gate in present {
            page.line(&format!("- {gate}"));
        }
    }
}

fn policy(page: &mut Page, policy: &Value) {
    page.section("Policy");
    page.line("| gate | value |\n| --- | --- |");
    for gate in [
        "allow_commit",
        "allow_push",
        "allow_branch_create",
        "allow_branch_switch",
        "allow_tag",
        "allow_destructive_shell",
        "require_planfile_lifecycle",
        "require_ci_pass_before_complete",
    ] {
        page.line(&format!("| {gate} | {} |", policy[gate]));
    }
    let command = match policy["ci_command"].as_str() {
        None | Some("") => "(none set)".to_owned(),
        Some(command) => code(&text(command)).replace('|', "\\|"),
    };
    page.line(&format!("| ci_command | {command} |"));
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A text of the brief on one line.
fn plain(value: &Value) -> String {
    match value {
        Value::String(words) => text(words),
        Value::Null => "-".to_owned(),
        other => text(&other.to_string()),
    }
}

fn text(words: &str) -> String {
    safe_text(words).to_string()
}

fn cell(value: &Value) -> String {
    plain(value).replace('|', "\\|")
}

/// A code span that its content cannot leave.
fn code(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    if longest == 0 { format!("`{text}`") } else { format!("{fence} {text} {fence}") }
}

fn yes(value: &Value) -> &'static str {
    if *value == Value::Bool(true) { "yes" } else { "no" }
}
