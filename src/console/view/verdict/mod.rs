//! The verdict pane: rounds as a timeline, why it waits and what can be done, findings with what became of them.
//!
//! Owns no data: [`Laid`] is made of the snapshot's review and of the width, when it is measured and when it is drawn.

mod findings;
mod timeline;

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::actions::Action;
use super::super::source::Line;
use super::super::state::verdict::{judged, standing};
use super::super::state::{Console, Pane};
use super::super::theme::Role;
use super::super::words;
use super::text::{Pen, fit, width, wrap};
use crate::base::text::safe_text;
use crate::runtime::protocol::review::{Progress, Review, Severity, Stage};

/// Most lines of a reviewer's summary.
const SUMMARY: usize = 2;

/// Everything that the pane could show.
struct Laid {
    lines: Vec<Line>,
    /// The lines of the finding with the cursor; empty without findings.
    cursor: Range<usize>,
}

/// Rows that the pane takes below the output, with its title; 0 when there is no review to show.
pub(super) fn wanted_height(console: &Console, columns: u16, room: u16) -> u16 {
    if room < 16 {
        return 0;
    }
    // A pane that one is in does not vanish.
    let Some(review) = console.reviewed() else { return if console.focus == Pane::Verdict { 4 } else { 0 } };
    let lines = laid(console, review, inner(columns)).lines.len() + 1;
    u16::try_from(lines).unwrap_or(u16::MAX).min(room * 2 / 5).max(4)
}

/// Columns of text in a pane of so many.
fn inner(columns: u16) -> usize {
    usize::from(columns.saturating_sub(2))
}

/// Where the cursor stands, and scrolling to it.
pub(super) fn prepare(console: &mut Console, area: Rect) {
    let Some(review) = console.reviewed().cloned() else { return };
    if console.verdict.ticket.as_ref() != Some(&review.ticket) {
        console.verdict.cursor = 0;
        console.verdict.scroll = 0;
        console.verdict.ticket = Some(review.ticket.clone());
    }
    console.verdict.cursor = console.verdict.cursor.min(standing(&review).len().saturating_sub(1));
    let height = usize::from(area.height.saturating_sub(1));
    let Laid { lines, cursor } = laid(console, &review, inner(area.width));
    let last = lines.len().saturating_sub(height);
    // At the first finding everything above it is wanted too, where both fit.
    let first = if console.verdict.cursor == 0 { 0 } else { console.verdict.scroll.min(cursor.start) };
    console.verdict.scroll = first.max(cursor.end.saturating_sub(height)).min(last);
}

pub(super) fn draw(console: &Console, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let alone = area.width == console.size.0;
    if !alone {
        let rule = console.glyphs.horizontal.repeat(usize::from(area.width));
        Pen::new(buffer, area.x, area.y, area.right()).write(&rule, console.theme.style(Role::Rule));
    }
    let mut pen = Pen::new(buffer, area.x, area.y, area.right());
    pen.write(" VERDICT ", super::title_style(console, Pane::Verdict));
    let Some(review) = console.reviewed() else {
        if area.height > 1 {
            let say = "This ticket has no rounds.";
            Pen::new(buffer, area.x + 1, area.y + 1, area.right()).write(say, console.theme.style(Role::Dim));
        }
        return;
    };
    let Laid { lines, cursor } = laid(console, review, inner(area.width));
    let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let seen = (console.verdict.scroll + usize::from(body.height)).min(lines.len());
    if lines.len() > usize::from(body.height) {
        pen.write_right(&format!(" {seen}/{} ", lines.len()), console.theme.style(Role::Dim));
    }
    for piece in title(console, review) {
        // What does not fit is left out whole: half a count would be another one.
        if piece.iter().map(|(text, _)| width(text)).sum::<usize>() > pen.room() {
            break;
        }
        for (text, role) in piece {
            pen.write(&text, console.theme.style(role));
        }
    }
    pen.write(" ", console.theme.style(Role::Dim));
    let numbered = lines.iter().enumerate().skip(console.verdict.scroll);
    for (y, (at, line)) in (body.y..body.bottom()).zip(numbered) {
        let mut pen = Pen::new(buffer, body.x + 1, y, body.right());
        let selected = console.focus == Pane::Verdict && at == cursor.start && !cursor.is_empty();
        for (text, role) in line {
            let style = match selected {
                true => console.theme.over(*role, console.theme.style(Role::Selected)),
                false => console.theme.style(*role),
            };
            pen.write(text, style);
        }
        if selected {
            pen.write(&" ".repeat(pen.room()), console.theme.style(Role::Selected));
        }
    }
}

/// `PLF-074  round 2/3  ✕ changes required   1 high · 1 low · 1 fixed`, in pieces that stand whole or not at all.
fn title(console: &Console, review: &Review) -> Vec<Line> {
    let number = review.rounds.last().map_or(0, |round| round.number);
    let (glyph, text, role) = stage(console, review);
    let mut pieces: Vec<Line> = vec![
        vec![(words::safe(&review.ticket), Role::Title)],
        vec![(format!("  round {number}/{}", review.max_rounds), Role::Dim)],
        vec![(format!("  {glyph} {text}"), role)],
    ];
    let found = standing(review);
    let mut counts: Vec<String> = Severity::WORST_FIRST
        .iter()
        .filter_map(|severity| {
            let open = |(progress, finding): &&(Progress, &crate::runtime::protocol::review::Finding)| {
                *progress != Progress::Fixed && finding.severity == *severity
            };
            let count = found.iter().filter(open).count();
            (count > 0).then(|| format!("{count} {}", severity.word()))
        })
        .collect();
    let fixed = found.iter().filter(|(progress, _)| *progress == Progress::Fixed).count();
    if fixed > 0 {
        counts.push(format!("{fixed} fixed"));
    }
    if !counts.is_empty() {
        pieces.push(vec![(format!("  {}", counts.join(" · ")), Role::Text)]);
    }
    pieces
}

/// What happens now: glyph, words, colour.
fn stage(console: &Console, review: &Review) -> (&'static str, String, Role) {
    let glyphs = console.glyphs;
    match &review.stage {
        Stage::Working => (glyphs.running, "worker's turn".to_owned(), Role::Running),
        Stage::Checking => (glyphs.running, "checks".to_owned(), Role::Running),
        Stage::Reviewing => (glyphs.running, "reviewer's turn".to_owned(), Role::Running),
        Stage::Waiting { why } => (glyphs.needs_you, why.word().to_owned(), Role::NeedsYou),
        Stage::Approved => (glyphs.done, "approved".to_owned(), Role::Done),
        Stage::Ended { .. } => (glyphs.canceled, "ended".to_owned(), Role::Dim),
    }
}

/// All lines: rounds, the last reviewer's summary, what a person is asked, findings.
fn laid(console: &Console, review: &Review, columns: usize) -> Laid {
    let mut lines = timeline::lines(console, review, columns);
    let summary = judged(review).and_then(|round| round.verdict.as_ref()).map(|verdict| &verdict.summary);
    if let Some(summary) = summary.filter(|summary| !summary.trim().is_empty()) {
        let mut pieces = wrap(safe_text(summary.trim()).as_str(), columns.saturating_sub(4));
        if pieces.len() > SUMMARY {
            let rest = pieces.split_off(SUMMARY - 1).join(" ");
            pieces.push(fit(&rest, columns.saturating_sub(4), console.glyphs.ellipsis));
        }
        lines.extend(pieces.into_iter().map(|piece| vec![(format!("    {piece}"), Role::Dim)]));
    }
    match &review.stage {
        Stage::Waiting { why } => {
            let pieces = wrap(safe_text(&why.ask()).as_str(), columns.saturating_sub(2));
            for (at, piece) in pieces.into_iter().enumerate() {
                let lead = if at == 0 { console.glyphs.needs_you } else { " " };
                lines.push(vec![(format!("{lead} "), Role::NeedsYou), (piece, Role::Text)]);
            }
            lines.extend(choices(console, columns));
        }
        Stage::Ended { why } => {
            let pieces = wrap(safe_text(why).as_str(), columns);
            lines.extend(pieces.into_iter().map(|piece| vec![(piece, Role::Text)]));
        }
        Stage::Working | Stage::Checking | Stage::Reviewing | Stage::Approved => {}
    }
    let mut cursor = lines.len()..lines.len();
    let found = standing(review);
    let severity = found.iter().map(|(_, finding)| finding.severity.word().len()).max().unwrap_or(0);
    for (at, (progress, finding)) in found.into_iter().enumerate() {
        let open = at == console.verdict.cursor && console.focus == Pane::Verdict;
        let begins = lines.len();
        lines.extend(findings::lines(console, progress, finding, open, severity, columns));
        if at == console.verdict.cursor {
            cursor = begins..lines.len();
        }
    }
    Laid { lines, cursor }
}

/// The keys that decide, those of the pane; on as many lines as they need.
fn choices(console: &Console, columns: usize) -> Vec<Line> {
    let mut words: Vec<Line> = Vec::new();
    if console.focus != Pane::Verdict {
        let key = console.key_of(Action::VerdictShow);
        words.push(vec![(key, Role::Key), (" to decide:".to_owned(), Role::Dim)]);
    }
    let decisions = [
        Action::VerdictApprove,
        Action::VerdictReject,
        Action::VerdictAnother,
        Action::VerdictAgain,
        Action::Attach,
    ];
    words.extend(decisions.map(|action| {
        let title = if action == Action::Attach { "take over" } else { action.spec().title };
        vec![(console.key_of(action), Role::Key), (format!(" {title}"), Role::Dim)]
    }));
    let indent = || vec![("  ".to_owned(), Role::Dim)];
    let (mut lines, mut used) = (vec![indent()], 2);
    for word in words {
        let needs: usize = word.iter().map(|(text, _)| width(text)).sum();
        if used > 2 && used + 3 + needs > columns {
            lines.push(indent());
            used = 2;
        }
        if let Some(line) = lines.last_mut() {
            if used > 2 {
                line.push(("   ".to_owned(), Role::Dim));
                used += 3;
            }
            line.extend(word);
            used += needs;
        }
    }
    lines
}
