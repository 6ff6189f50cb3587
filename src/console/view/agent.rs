//! What became of an agent's work: the rules it broke with their evidence, what the gates said, which files it changed.
//! The same lines stand under its output and on the ticket's page.

use super::text::{fit, fit_path, width, wrap};
use crate::base::text::safe_text;
use crate::console::source::Line;
use crate::console::state::Console;
use crate::console::theme::Role;
use crate::console::words;
use crate::runtime::protocol::{AgentView, ChangedFile, GateResult, GateState};

/// Columns of a label.
const LABEL: usize = 10;

/// The lines, at most `columns` wide. `full` shows all of a gate's last words; without it one line a fact.
pub(super) fn outcome(
    console: &Console,
    agent: &AgentView,
    columns: usize,
    full: bool,
    parts: Parts,
) -> Vec<Line> {
    let mut lines = Vec::new();
    breaches(console, agent, columns, &mut lines);
    if parts.gates {
        gates(console, &agent.gates, columns, full, &mut lines);
    }
    changed(console, &agent.changed, columns, full, &mut lines);
    lines
}

/// What is told of it here; the rest stands beside it on the same screen.
#[derive(Clone, Copy)]
pub(super) struct Parts {
    pub(super) gates: bool,
}

/// Rule, what was done, the evidence, and whether it was put back.
fn breaches(console: &Console, agent: &AgentView, columns: usize, lines: &mut Vec<Line>) {
    for breach in &agent.breaches {
        let glyph = console.glyphs.violation;
        let (undone, role) = match breach.undone {
            true => ("undone", Role::Done),
            false => ("NOT undone", Role::Failed),
        };
        let rule = safe_text(&breach.rule);
        lines.push(vec![
            (format!("{glyph} "), Role::Failed),
            (
                format!("rule {}", fit(rule.as_str(), columns.saturating_sub(20), console.glyphs.ellipsis)),
                Role::Failed,
            ),
            (" · ".to_owned(), Role::Dim),
            (undone.to_owned(), role),
        ]);
        labelled("did", safe_text(&breach.what).as_str(), Role::Text, columns, lines);
        labelled("evidence", safe_text(&breach.evidence).as_str(), Role::Dim, columns, lines);
    }
}

fn labelled(label: &str, text: &str, role: Role, columns: usize, lines: &mut Vec<Line>) {
    for (index, piece) in wrap(text, columns.saturating_sub(LABEL + 2)).into_iter().enumerate() {
        let lead = if index == 0 { label } else { "" };
        lines.push(vec![(format!("  {lead:<LABEL$}"), Role::Dim), (piece, role)]);
    }
}

/// A text in the column beside the labels, wrapped.
fn under(text: &str, role: Role, columns: usize, lines: &mut Vec<Line>) {
    for piece in wrap(text, columns.saturating_sub(LABEL)) {
        lines.push(vec![(" ".repeat(LABEL), Role::Dim), (piece, role)]);
    }
}

/// `CHECKS   fmt ✓ 2s   test ✕ 31s`, as many on a line as fit; then why, of those that did not pass.
fn gates(console: &Console, gates: &[GateResult], columns: usize, full: bool, lines: &mut Vec<Line>) {
    if gates.is_empty() {
        return;
    }
    let mut line: Line = vec![(format!("{:<LABEL$}", "CHECKS"), Role::Title)];
    let mut used = LABEL;
    for gate in gates {
        let (glyph, word, role) = standing(console, &gate.state);
        let seconds = gate.duration.as_secs();
        let ran = gate.command.is_some() && !matches!(gate.state, GateState::Waived { .. });
        let time = if ran { format!(" {}", words::seconds(seconds)) } else { String::new() };
        let name = format!("{} ", safe_text(&gate.gate));
        let mark = if word.is_empty() { glyph.to_owned() } else { format!("{glyph} {word}") };
        let wide = width(&name) + width(&mark) + width(&time) + 3;
        if used + wide > columns && used > LABEL {
            lines.push(std::mem::replace(&mut line, vec![(" ".repeat(LABEL), Role::Dim)]));
            used = LABEL;
        }
        line.extend([(name, Role::Text), (mark, role), (time, Role::Dim), ("   ".to_owned(), Role::Dim)]);
        used += wide;
    }
    lines.push(line);
    for gate in gates {
        let why = match &gate.state {
            GateState::Passed => continue,
            GateState::Failed { why } | GateState::Skipped { why } => why.clone(),
            GateState::Waived { who, why } => format!("waived by {who}: {why}"),
        };
        let role = standing(console, &gate.state).2;
        let text = format!("{}: {}", safe_text(&gate.gate), safe_text(&why));
        if full {
            under(&text, role, columns, lines);
            if matches!(gate.state, GateState::Failed { .. }) {
                for line in crate::base::text::safe_block(gate.output.trim_end()) {
                    under(line.as_str(), Role::Dim, columns, lines);
                }
            }
        } else {
            let text = fit(&text, columns.saturating_sub(LABEL), console.glyphs.ellipsis);
            lines.push(vec![(" ".repeat(LABEL), Role::Dim), (text, role)]);
        }
    }
}

/// Shape, word and colour of how a gate went; the two that need no word have none.
fn standing(console: &Console, state: &GateState) -> (&'static str, &'static str, Role) {
    let glyphs = console.glyphs;
    match state {
        GateState::Passed => (glyphs.done, "", Role::Done),
        GateState::Failed { .. } => (glyphs.failed, "failed", Role::Failed),
        GateState::Skipped { .. } => (glyphs.canceled, "skipped", Role::Warning),
        GateState::Waived { .. } => (glyphs.review, "waived", Role::Warning),
    }
}

/// Files with the lines that came and went; without `full` the first few.
fn changed(console: &Console, files: &[ChangedFile], columns: usize, full: bool, lines: &mut Vec<Line>) {
    /// Files that are named where there is little room.
    const FEW: usize = 4;
    let shown = if full { files.len() } else { files.len().min(FEW) };
    for (index, file) in files.iter().take(shown).enumerate() {
        let lead = if index == 0 { "CHANGED" } else { "" };
        let counts = words::changed(file.added, file.removed);
        let room = columns.saturating_sub(LABEL + width(&counts.0) + width(&counts.1));
        let path = fit_path(safe_text(&file.path).as_str(), room, console.glyphs.ellipsis);
        lines.push(vec![
            (format!("{lead:<LABEL$}"), Role::Title),
            (path, Role::Text),
            (counts.0, Role::DiffAdd),
            (counts.1, Role::DiffRemove),
        ]);
    }
    if files.len() > shown {
        let more = words::count(files.len() - shown, "file", "files");
        lines.push(vec![(" ".repeat(LABEL), Role::Dim), (format!("and {more} more"), Role::Dim)]);
    }
}
