//! A finding: one line, and all that was said of it while it has the cursor.

use super::super::super::source::Line;
use super::super::super::state::Console;
use super::super::super::state::verdict::shape;
use super::super::super::theme::Role;
use super::super::text::{fit, fit_path, width, wrap};
use crate::base::text::safe_text;
use crate::runtime::protocol::review::{Finding, Progress};

/// Most lines of the reason, and of what is required.
const OPEN: usize = 6;

/// `✕ still  high  src/lexer.rs:40  same bug in the lexer`; below it, when it is `open`, what did not fit and what is
/// required. `severity` is the width of that column.
pub(super) fn lines(
    console: &Console,
    progress: Progress,
    finding: &Finding,
    open: bool,
    severity: usize,
    columns: usize,
) -> Vec<Line> {
    let glyphs = console.glyphs;
    let (glyph, word, role) = shape(progress, finding, glyphs);
    let serious = finding.blocking && progress != Progress::Fixed;
    let lead = format!("{glyph} {word:<5}  ");
    let level = format!("{:<severity$}  ", finding.severity.word());
    let used = width(&lead) + width(&level);
    let place = finding.place().map(|place| safe_text(&place).to_string()).unwrap_or_default();
    let place = fit_path(&place, (columns.saturating_sub(used) / 2).saturating_sub(2), glyphs.ellipsis);
    let place = if place.is_empty() { place } else { place + "  " };
    let room = columns.saturating_sub(used + width(&place));
    let reason = safe_text(finding.reason.trim()).to_string();
    let first = reason.lines().next().unwrap_or_default();
    let short = fit(first, room, glyphs.ellipsis);
    let cut = short != reason;
    let words = if progress == Progress::Fixed { Role::Dim } else { Role::Text };
    let mut lines = vec![vec![
        (lead, role),
        (level, if serious { Role::Failed } else { Role::Dim }),
        (place, Role::Accent),
        (short, words),
    ]];
    if !open {
        return lines;
    }
    let indent = 4;
    let mut more = |lead: &str, text: &str, role: Role| {
        let pieces = text.lines().flat_map(|line| wrap(line, columns.saturating_sub(indent + width(lead))));
        for (at, piece) in pieces.take(OPEN).enumerate() {
            let lead = if at == 0 { lead.to_owned() } else { " ".repeat(width(lead)) };
            lines.push(vec![(format!("    {lead}"), Role::Dim), (piece, role)]);
        }
    };
    if cut {
        more("", &reason, words);
    }
    if let Some(required) = finding.required_change.as_deref().filter(|text| !text.trim().is_empty()) {
        more("required: ", safe_text(required.trim()).as_str(), words);
    }
    lines
}
