//! The header: project, branch, a count of each run state, the queue.
//!
//! Counts stand in shape, number and word; where the screen is narrow, in shape and number.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::base::text::safe_text;
use crate::runtime::protocol::{Cost, PlanHealth};

use super::super::state::{Console, Leaving};
use super::super::theme::Role;
use super::super::words;
use super::text::{Pen, fit, width};

/// A count: shape, number, word, colour.
type Count = (&'static str, usize, &'static str, Role);

pub(super) fn draw(console: &Console, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let theme = &console.theme;
    let dim = theme.style(Role::Dim);
    let counts = counts(console);
    let total = usize::from(area.width);
    let long: usize =
        counts.iter().map(|(glyph, n, word, _)| width(glyph) + width(&n.to_string()) + width(word) + 4).sum();
    let short: usize = counts.iter().map(|(glyph, n, ..)| width(glyph) + width(&n.to_string()) + 1).sum();
    let name = fit(safe_text(&console.snapshot.name).as_str(), (total / 4).max(8), console.glyphs.ellipsis);
    let left = width(&name) + 8;
    // What was spent gives way to the words of the counts, and the whole of it to their numbers.
    let rights = rights(console);
    let fits = |counts: usize| move |right: &&String| counts + width(right) + 4 <= total.saturating_sub(left);
    let with_words = rights.iter().find(fits(long));
    let words_fit = with_words.is_some();
    let right = with_words.or_else(|| rights.iter().find(fits(short)));

    let mut pen = Pen::new(buffer, area.x, area.y, area.right().saturating_sub(1));
    pen.write(" koru ", theme.style(Role::Accent)).write(console.glyphs.into, dim).write(" ", dim);
    pen.write(&name, theme.style(Role::Text));
    if let Some(right) = right {
        pen.write_right(right, queue_style(console));
        pen.write_right("  ", dim);
    }
    let needed = if words_fit { long } else { short };
    if let Some(branch) = console.snapshot.branch.as_deref() {
        let room = pen.room().saturating_sub(needed + 4);
        if room >= 6 {
            let branch = fit(safe_text(branch).as_str(), room.min(30), console.glyphs.ellipsis);
            pen.write("  ", dim).write(&branch, dim);
        }
    }
    if words_fit {
        let slack = pen.room().saturating_sub(needed);
        pen.skip(slack / 2);
    }
    for (glyph, number, word, role) in counts {
        // A count of nothing is there to be read, not to be seen.
        let style = if number == 0 { dim } else { theme.style(role) };
        let text = if words_fit { format!("  {glyph} {number} {word}") } else { format!(" {glyph}{number}") };
        pen.write(&text, style);
    }
}

fn counts(console: &Console) -> Vec<Count> {
    let (counts, glyphs) = (console.queue.rows.counts, console.glyphs);
    let mut shown = vec![
        (glyphs.running, counts.running, "running", Role::Running),
        (
            glyphs.needs_you,
            counts.needs_you,
            if counts.needs_you == 1 { "needs you" } else { "need you" },
            Role::NeedsYou,
        ),
        (glyphs.stalled, counts.stalled, "stalled", Role::Stalled),
        (glyphs.failed, counts.failed, "failed", Role::Failed),
    ];
    if counts.violations > 0 {
        shown.push((glyphs.violation, counts.violations, "broke policy", Role::Failed));
    }
    if counts.sleeping > 0 {
        shown.push((glyphs.sleeping, counts.sleeping, "sleeping", Role::Stalled));
    }
    if counts.refused > 0 {
        shown.push((glyphs.refused, counts.refused, "refused", Role::Failed));
    }
    if counts.interrupted > 0 {
        shown.push((glyphs.interrupted, counts.interrupted, "interrupted", Role::Interrupted));
    }
    let lands = console.snapshot.promotions.waiting();
    if lands > 0 {
        shown.push((glyphs.lands, lands, "to land", Role::NeedsYou));
    }
    shown.push((glyphs.done, counts.done, "done", Role::Done));
    shown
}

fn queue_words(console: &Console) -> String {
    let queue = console.snapshot.queue;
    match (&console.snapshot.health, console.leaving) {
        (PlanHealth::Loading, _) => "reading the planfile".to_owned(),
        (PlanHealth::Uninitialised | PlanHealth::Refused { .. }, _) => String::new(),
        (_, Some(Leaving::Stopping)) => "stopping all".to_owned(),
        (_, Some(Leaving::Waiting)) => {
            format!("leaving after {}", words::count(queue.active as usize, "run", "runs"))
        }
        (_, None) if queue.running => format!("queue works {}/{}", queue.active, queue.jobs),
        (_, None) if queue.active > 0 => format!("queue paused {}/{}", queue.active, queue.jobs),
        (_, None) => "queue paused".to_owned(),
    }
}

/// What stands at the right, the fullest first: what was spent today and may be, and the queue.
fn rights(console: &Console) -> Vec<String> {
    let queue = queue_words(console);
    let mut rights = Vec::new();
    if let Some(spent) = console.snapshot.cost_today.or_else(|| session_cost(console)) {
        let cost = format!("{}{}", if spent.estimated { "~" } else { "" }, words::usd(spent.usd));
        if let Some(limit) = console.snapshot.day_usd {
            rights.push(format!("{cost} / {}  {queue}", words::usd(limit)));
        }
        rights.push(format!("{cost}  {queue}"));
    }
    rights.push(queue);
    rights
}

/// The sum over the runs that are known here; `None` where none has said what it cost.
fn session_cost(console: &Console) -> Option<Cost> {
    let costs = console.snapshot.runs.iter().filter_map(|run| run.agent.as_ref()?.tally.cost);
    costs.reduce(|a, b| Cost { usd: a.usd + b.usd, estimated: a.estimated || b.estimated })
}

fn queue_style(console: &Console) -> ratatui::style::Style {
    let role = match console.leaving {
        Some(_) => Role::Warning,
        None if console.snapshot.queue.running => Role::Running,
        None => Role::Dim,
    };
    console.theme.style(role)
}
