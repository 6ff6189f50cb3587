//! The header: project, branch, a count of each run state, the queue.
//!
//! Counts stand in shape, number and word; where the screen is narrow, the words of what calls for nobody go first.

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

/// How much the counts say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Say {
    /// Shape, number, word: all of them.
    Words,
    /// Words for what counts something; of the others shape and number.
    Counted,
    /// Words for what waits for the operator or went wrong; of the others shape and number.
    Calls,
    /// Shapes and numbers.
    Numbers,
}

/// Each way to say a count, and how much of what was spent stands beside it: the first that fits is taken. Money that
/// has a limit is worth more than the words of states that need nobody.
const WAYS: [(Say, usize); 10] = [
    (Say::Words, 0),
    (Say::Counted, 0),
    (Say::Counted, 1),
    (Say::Calls, 0),
    (Say::Calls, 1),
    (Say::Counted, 2),
    (Say::Numbers, 0),
    (Say::Numbers, 1),
    (Say::Numbers, 2),
    (Say::Numbers, 3),
];

pub(super) fn draw(console: &Console, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let theme = &console.theme;
    let dim = theme.style(Role::Dim);
    let counts = counts(console);
    let total = usize::from(area.width);
    let name = fit(safe_text(&console.snapshot.name).as_str(), (total / 4).max(8), console.glyphs.ellipsis);
    let left = width(&name) + 8;
    let rights = rights(console);
    let (say, right) = WAYS
        .into_iter()
        .map(|(say, less)| (say, rights.get(less).or(rights.last()).cloned().unwrap_or_default()))
        .find(|(say, right)| left + measure(&counts, *say) + 2 + width(right) < total)
        .unwrap_or((Say::Numbers, String::new()));

    let mut pen = Pen::new(buffer, area.x, area.y, area.right().saturating_sub(1));
    pen.write(" koru ", theme.style(Role::Accent)).write(console.glyphs.into, dim).write(" ", dim);
    pen.write(&name, theme.style(Role::Text));
    pen.write_right(&right, queue_style(console)).write_right("  ", dim);
    let needed = measure(&counts, say);
    if let Some(branch) = console.snapshot.branch.as_deref() {
        let room = pen.room().saturating_sub(needed + 2);
        if room >= 4 {
            let branch = fit(safe_text(branch).as_str(), room.min(30), console.glyphs.ellipsis);
            pen.write("  ", dim).write(&branch, dim);
        }
    }
    let slack = pen.room().saturating_sub(needed);
    pen.skip(slack / 2);
    for count in counts {
        // A count of nothing is there to be read, not to be seen.
        let style = if count.1 == 0 { dim } else { theme.style(count.3) };
        pen.write(&words_of(&count, say), style);
    }
}

/// Columns of the counts.
fn measure(counts: &[Count], say: Say) -> usize {
    counts.iter().map(|count| width(&words_of(count, say))).sum()
}

fn words_of((glyph, number, word, role): &Count, say: Say) -> String {
    let calls = matches!(role, Role::NeedsYou | Role::Failed | Role::Stalled | Role::Interrupted);
    match say {
        Say::Words => format!("  {glyph} {number} {word}"),
        Say::Counted if *number > 0 => format!("  {glyph} {number} {word}"),
        Say::Calls if calls && *number > 0 => format!("  {glyph} {number} {word}"),
        Say::Counted | Say::Calls | Say::Numbers => format!("  {glyph}{number}"),
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
    rights.push(String::new());
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
