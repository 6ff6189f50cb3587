//! The verdict pane: rounds as a timeline, why it waits and what can be done, findings with what became of them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::actions::Action;
use super::super::source::Line;
use super::super::state::verdict::standing;
use super::super::state::{Console, Pane};
use super::super::theme::Role;
use super::super::words;
use super::text::{Pen, fit, width, wrap};
use crate::base::text::safe_text;
use crate::runtime::protocol::review::{
    Decision, Finding, Part, Progress, Review, Round, Severity, Source, Stage,
};
use crate::runtime::protocol::{GateResult, GateState};

/// Rows that the pane takes below the output, with its title; 0 when there is no review to show.
pub(super) fn wanted_height(console: &Console, width: u16, room: u16) -> u16 {
    let Some(review) = console.reviewed() else { return 0 };
    if room < 16 {
        return 0;
    }
    let lines = lines(console, review, usize::from(width.saturating_sub(3))).len() + 1;
    u16::try_from(lines).unwrap_or(u16::MAX).min(room * 2 / 5).max(4)
}

/// Where the cursor stands, and scrolling to it.
pub(super) fn prepare(console: &mut Console, area: Rect) {
    let Some(review) = console.reviewed().cloned() else { return };
    if console.verdict.ticket.as_ref() != Some(&review.ticket) {
        console.verdict.cursor = 0;
        console.verdict.scroll = 0;
        console.verdict.ticket = Some(review.ticket.clone());
    }
    let findings = standing(&review).len();
    console.verdict.cursor = console.verdict.cursor.min(findings.saturating_sub(1));
    let height = usize::from(area.height.saturating_sub(1));
    let all = lines(console, &review, usize::from(area.width.saturating_sub(3))).len();
    let cursor = all.saturating_sub(findings) + console.verdict.cursor;
    let first = console.verdict.scroll.min(all.saturating_sub(height));
    // At the first finding everything above it is wanted too.
    let first = if console.verdict.cursor == 0 { 0 } else { first.min(cursor) };
    console.verdict.scroll = first.max((cursor + 1).saturating_sub(height)).min(all.saturating_sub(height));
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
    let mut pen = Pen::new(buffer, area.x, area.y, area.right().saturating_sub(1));
    pen.write(" VERDICT ", super::title_style(console, Pane::Verdict));
    let Some(review) = console.reviewed() else {
        if area.height > 1 {
            let say = "This ticket has no rounds.";
            Pen::new(buffer, area.x + 1, area.y + 1, area.right()).write(say, console.theme.style(Role::Dim));
        }
        return;
    };
    for (text, role) in title(console, review) {
        pen.write(&text, console.theme.style(role));
    }
    pen.write(" ", console.theme.style(Role::Dim));
    let all = lines(console, review, usize::from(area.width.saturating_sub(3)));
    let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let seen = (console.verdict.scroll + usize::from(body.height)).min(all.len());
    if all.len() > usize::from(body.height) {
        pen.write_right(&format!(" {seen}/{} ", all.len()), console.theme.style(Role::Dim));
    }
    let findings = standing(review).len();
    let cursor = all.len().saturating_sub(findings) + console.verdict.cursor;
    let focused = console.focus == Pane::Verdict && findings > 0;
    let numbered = all.iter().enumerate().skip(console.verdict.scroll);
    for (y, (at, line)) in (body.y..body.bottom()).zip(numbered) {
        let mut pen = Pen::new(buffer, body.x + 1, y, body.right());
        let selected = focused && at == cursor;
        for (text, role) in line {
            let style = console.theme.style(*role);
            let style = if selected { style.patch(console.theme.style(Role::Selected)) } else { style };
            pen.write(text, style);
        }
    }
}

/// `PLF-074 round 1 of 3  ✕ changes required  2 high · 1 low`.
fn title(console: &Console, review: &Review) -> Line {
    let number = review.rounds.last().map_or(0, |round| round.number);
    let mut line: Line = vec![
        (words::safe(&review.ticket), Role::Title),
        (format!("  round {number} of {}  ", review.max_rounds), Role::Dim),
    ];
    let (glyph, text, role) = stage(console, review);
    line.push((format!("{glyph} {text}"), role));
    let judged = review.rounds.iter().rev().find_map(|round| round.verdict.as_ref());
    let findings = judged.map(|verdict| verdict.findings.as_slice()).unwrap_or_default();
    let counts: Vec<String> = Severity::WORST_FIRST
        .iter()
        .filter_map(|severity| {
            let count = findings.iter().filter(|finding| finding.severity == *severity).count();
            (count > 0).then(|| format!("{count} {}", severity.word()))
        })
        .collect();
    if !counts.is_empty() {
        line.push((format!("  {}", counts.join(" · ")), Role::Text));
    }
    line
}

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

/// All lines; the last ones are the findings, one line each.
fn lines(console: &Console, review: &Review, columns: usize) -> Vec<Line> {
    let mut lines: Vec<Line> =
        review.rounds.iter().map(|round| timeline(console, review, round, columns)).collect();
    match &review.stage {
        Stage::Waiting { why } => {
            let glyph = console.glyphs.needs_you;
            for (at, piece) in
                wrap(safe_text(&why.ask()).as_str(), columns.saturating_sub(2)).into_iter().enumerate()
            {
                let lead = if at == 0 { format!("{glyph} ") } else { "  ".to_owned() };
                lines.push(vec![(lead, Role::NeedsYou), (piece, Role::Text)]);
            }
            lines.push(choices(console));
        }
        Stage::Ended { why } => {
            let pieces = wrap(safe_text(why).as_str(), columns);
            lines.extend(pieces.into_iter().map(|piece| vec![(piece, Role::Text)]));
        }
        Stage::Working | Stage::Checking | Stage::Reviewing | Stage::Approved => {}
    }
    lines.extend(
        standing(review).into_iter().map(|(progress, finding)| row(console, progress, finding, columns)),
    );
    lines
}

/// The keys that decide, those of the pane.
fn choices(console: &Console) -> Line {
    let mut line: Line = vec![("  ".to_owned(), Role::Dim)];
    for action in [
        Action::VerdictApprove,
        Action::VerdictReject,
        Action::VerdictAnother,
        Action::VerdictAgain,
        Action::Attach,
    ] {
        let title = if action == Action::Attach { "take over" } else { action.spec().title };
        line.push((console.key_of(action), Role::Key));
        line.push((format!(" {title}   "), Role::Dim));
    }
    if console.focus != Pane::Verdict {
        line.push((format!("({} first)", console.key_of(Action::VerdictShow)), Role::Dim));
    }
    line
}

/// `1  claude 3m12s $0.38   ci ✓   codex 41s   ✕ changes required 3`.
fn timeline(console: &Console, review: &Review, round: &Round, columns: usize) -> Line {
    let last = review.rounds.last().is_some_and(|last| last.number == round.number);
    let mut line: Line = vec![(format!("{:>2}  ", round.number), Role::Accent)];
    let mut pushed = 4;
    let mut push = |text: String, role: Role| {
        // What does not fit is left out whole.
        if pushed + width(&text) <= columns {
            pushed += width(&text);
            line.push((text, role));
        }
    };
    if let Some(part) = &round.worker {
        push(words_of(console, part), Role::Text);
    }
    if let (Some(head), true) = (&round.head, columns > 70) {
        push(format!(" {}", head.get(..7).unwrap_or(head)), Role::Dim);
    }
    for gate in &round.gates {
        let (glyph, role) = mark(console, gate);
        push(format!("   {} ", safe_text(&gate.gate)), Role::Dim);
        push(glyph.to_owned(), role);
    }
    if let Some(part) = &round.reviewer {
        push(format!("   {}", words_of(console, part)), Role::Text);
    }
    match &round.verdict {
        Some(verdict) => {
            let (glyph, word, role) = match verdict.decision {
                Decision::Approve => (console.glyphs.done, "approve", Role::Done),
                Decision::ChangesRequired => (console.glyphs.failed, "changes required", Role::Failed),
            };
            let by = match &verdict.by {
                Source::Gate { gate } => format!(" by {}", safe_text(gate)),
                Source::Operator { actor } => format!(" by {}", safe_text(actor)),
                Source::Reviewer { .. } => String::new(),
            };
            push(format!("   {glyph} {word}{by}"), role);
            if !verdict.findings.is_empty() {
                push(format!(" {}", verdict.findings.len()), role);
            }
        }
        None if last => {
            let (glyph, text, role) = stage(console, review);
            push(format!("   {glyph} {text}"), role);
        }
        None => {}
    }
    line
}

fn mark(console: &Console, gate: &GateResult) -> (&'static str, Role) {
    match &gate.state {
        GateState::Passed => (console.glyphs.done, Role::Done),
        GateState::Failed { .. } => (console.glyphs.failed, Role::Failed),
        GateState::Skipped { .. } => (console.glyphs.canceled, Role::Warning),
        GateState::Waived { .. } => (console.glyphs.review, Role::Warning),
    }
}

/// `claude 3m12s $0.38`.
fn words_of(console: &Console, part: &Part) -> String {
    let mut text = safe_text(&part.by).to_string();
    let end = match part.took {
        Some(took) => jiff::SignedDuration::try_from(took)
            .ok()
            .and_then(|took| part.began.checked_add(took).ok())
            .unwrap_or(part.began),
        None => console.now,
    };
    text.push_str(&format!(" {}", words::duration(part.began, end)));
    if let Some(cost) = part.cost {
        text.push_str(&format!(" {}", words::cost(cost)));
    }
    text
}

/// `● still  high  src/lexer.rs:40  same bug in the lexer`.
fn row(console: &Console, progress: Progress, finding: &Finding, columns: usize) -> Line {
    let glyphs = console.glyphs;
    let (glyph, word, role) = match progress {
        Progress::Fixed => (glyphs.done, "fixed", Role::Done),
        Progress::Still => (glyphs.failed, "still", Role::Failed),
        Progress::New if finding.blocking => (glyphs.running, "new", Role::Stalled),
        Progress::New => (glyphs.review, "new", Role::Dim),
    };
    let severity = finding.severity.word();
    let serious = finding.blocking && progress != Progress::Fixed;
    let place = finding.place().map(|place| format!("{}  ", safe_text(&place))).unwrap_or_default();
    let lead = format!("{glyph} {word:<5} ");
    let level = format!("{severity:<8} ");
    let used = width(&lead) + width(&level);
    let place = fit(&place, columns.saturating_sub(used) / 2, glyphs.ellipsis);
    let reason = safe_text(finding.reason.lines().next().unwrap_or_default()).to_string();
    let reason = fit(&reason, columns.saturating_sub(used + width(&place)), glyphs.ellipsis);
    let words = if progress == Progress::Fixed { Role::Dim } else { Role::Text };
    vec![
        (lead, role),
        (level, if serious { Role::Failed } else { Role::Dim }),
        (place, Role::Accent),
        (reason, words),
    ]
}
