//! The output pane: which run, its output, and whether it follows. With the grid, all running ones beside each other.

mod status;

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::runtime::protocol::{PlanHealth, RunView};

use super::super::actions::Action;
use super::super::output::{Marks, OutputStyle};
use super::super::source::Line;
use super::super::state::{Console, NoticeKind, Pane};
use super::super::theme::Role;
use super::text::Pen;
pub(super) use status::state as state_of;
use status::{draw_status, draw_title};

/// Narrowest tile of the grid that has another beside it.
const TILE: u16 = 48;

/// The runs that are shown and where: one, or with the grid all active ones.
fn cells(console: &Console, area: Rect) -> Vec<(Arc<RunView>, Rect)> {
    if area.is_empty() {
        return Vec::new();
    }
    let active: Vec<_> = console.active_runs().take(9).cloned().collect();
    if !console.runs.grid || active.len() < 2 {
        return console.shown_run().map(|run| (Arc::clone(run), area)).into_iter().collect();
    }
    // As many beside each other as stay readable, but no more than make the grid square.
    let count = u16::try_from(active.len()).unwrap_or(1);
    let square = (1..=count).find(|side| side * side >= count).unwrap_or(1);
    let across = (area.width / TILE).clamp(1, square);
    let down = count.div_ceil(across);
    let (width, height) = (area.width / across, area.height / down);
    (0u16..)
        .zip(active)
        .map(|(index, run)| {
            let (column, row) = (index % across, index / across);
            let (x, y) = (area.x + column * width, area.y + row * height);
            // The last of a row and of a column take what is left; the others leave a column for the line between.
            let right = if column + 1 == across { area.right() } else { x + width - 1 };
            let bottom = if row + 1 == down { area.bottom() } else { y + height };
            (run, Rect { x, y, width: right - x, height: bottom - y })
        })
        .filter(|(_, cell)| !cell.is_empty())
        .collect()
}

/// Lowest pane in which what became of the work has room under the output.
const ROOMY: u16 = 12;

/// Whether a pane of this size tells under the output what became of the work.
pub(super) fn tells_outcome(area: Rect) -> bool {
    area.height >= ROOMY
}

/// The parts of a cell: the output, without title and status, and below them what became of an agent's work.
fn parts(console: &Console, run: &RunView, cell: Rect) -> (Rect, Vec<Line>) {
    if cell.height < 3 {
        return (Rect::default(), Vec::new());
    }
    let mut below = Vec::new();
    if let Some(agent) = run.agent.as_deref().filter(|_| cell.height >= ROOMY && !console.runs.grid) {
        let columns = usize::from(cell.width.saturating_sub(3));
        // The rounds in the verdict pane name each gate already.
        let areas = super::areas(console);
        let judged = console.reviewed().is_some_and(|review| review.ticket == run.ticket);
        let parts = super::agent::Parts { gates: !judged || areas.verdict.is_empty() };
        below = super::agent::outcome(console, agent, columns, false, parts);
        let most = usize::from(cell.height / 3);
        if below.len() > most {
            below.truncate(most.saturating_sub(1));
            let open = console.key_of(Action::Open);
            below.push(vec![(format!("{} {open} shows all of it", console.glyphs.ellipsis), Role::Dim)]);
        }
    }
    let taken = u16::try_from(below.len()).unwrap_or(0) + u16::from(!below.is_empty());
    (Rect { y: cell.y + 1, height: cell.height - 2 - taken, ..cell }, below)
}

/// Makes the visible lines ready and asks for those that are missing.
pub(super) fn prepare(console: &mut Console, area: Rect) {
    for (run, cell) in cells(console, area) {
        let (body, _) = parts(console, &run, cell);
        if body.is_empty() {
            continue;
        }
        let prepared = console.runs.looked_at(&run.id).prepare(body.width, body.height);
        console.runs.busy |= prepared.busy;
        if let Some(need) = prepared.need {
            let raw = console.runs.is_raw(&run.id);
            console.fetch(run.id.clone(), raw, need.from, need.count);
        }
        if let Some(said) = prepared.said {
            console.say(NoticeKind::Info, said);
        }
    }
}

pub(super) fn draw(console: &Console, area: Rect, buffer: &mut Buffer) {
    let cells = cells(console, area);
    if cells.is_empty() && !area.is_empty() {
        draw_nothing(console, area, buffer);
    }
    for (run, cell) in cells {
        draw_run(console, &run, cell, buffer);
        if cell.right() < area.right() {
            for y in cell.y..cell.bottom() {
                buffer.set_string(cell.right(), y, console.glyphs.vertical, console.theme.style(Role::Rule));
            }
        }
    }
}

fn draw_nothing(console: &Console, area: Rect, buffer: &mut Buffer) {
    let dim = console.theme.style(Role::Dim);
    Pen::new(buffer, area.x, area.y, area.right()).write(" RUN", super::title_style(console, Pane::Run));
    if area.height > 2 {
        let mut say = "Nothing has run yet.".to_owned();
        if console.queue.selected.is_some() {
            say.push_str(&format!(" {} runs the selected ticket", console.key_of(Action::Start)));
            say.push_str(&format!(", {} works the queue.", console.key_of(Action::Queue)));
        }
        if console.snapshot.health == PlanHealth::Loading {
            say.clear();
        }
        super::pages::write_lines(
            &[say],
            dim,
            Rect { y: area.y + 2, height: area.height - 2, ..area },
            buffer,
        );
    }
}

fn draw_run(console: &Console, run: &RunView, area: Rect, buffer: &mut Buffer) {
    draw_title(console, run, area, buffer);
    if area.height < 3 {
        return;
    }
    let (body, below) = parts(console, run, area);
    if let Some(view) = console.runs.view(&run.id) {
        let style = |role: Role| console.theme.style(role);
        let glyphs = console.glyphs;
        let focused = console.focus == Pane::Run && console.runs.shown.as_ref() == Some(&run.id);
        let looks = OutputStyle {
            text: style(Role::Text),
            error: style(Role::Error),
            note: style(Role::Accent),
            dim: style(Role::Dim),
            operator: style(Role::Key).add_modifier(Modifier::BOLD),
            warning: style(Role::Warning),
            added: style(Role::DiffAdd),
            removed: style(Role::DiffRemove),
            found: style(Role::Hit),
            current: style(Role::HitCurrent),
            found_chosen: console.theme.hit(Role::Hit, style(Role::Selected)),
            current_chosen: console.theme.hit(Role::HitCurrent, style(Role::Selected)),
            cursor: focused.then(|| style(Role::Selected)),
            marks: Marks {
                error: "!",
                note: glyphs.note,
                operator: glyphs.operator,
                retry: glyphs.retry,
                failed: glyphs.failed,
                unknown: "?",
                folded: glyphs.folded,
                open: glyphs.unfolded,
                wrapped: glyphs.ellipsis,
            },
            color: &|asked| console.theme.worker(asked),
        };
        view.draw(body, buffer, &looks);
    }
    draw_status(console, run, Rect { y: body.bottom(), height: 1, ..area }, buffer);
    if !below.is_empty() {
        let rule = console.glyphs.horizontal.repeat(usize::from(area.width));
        let mut y = body.bottom() + 1;
        Pen::new(buffer, area.x, y, area.right()).write(&rule, console.theme.style(Role::Rule));
        for line in below {
            y += 1;
            let mut pen = Pen::new(buffer, area.x + 1, y, area.right().saturating_sub(1));
            for (text, role) in line {
                pen.write(&text, console.theme.style(role));
            }
        }
    }
}
