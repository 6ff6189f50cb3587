//! The output pane: which run, its output, and whether it follows. With the grid, all running ones beside each other.

mod status;

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::runtime::protocol::RunView;

use super::super::actions::Action;
use super::super::output::{Marks, OutputStyle};
use super::super::state::{Console, NoticeKind, Pane};
use super::super::theme::Role;
use super::text::Pen;
use status::{draw_status, draw_title};

/// The runs that are shown and where: one, or with the grid all active ones.
fn cells(console: &Console, area: Rect) -> Vec<(Arc<RunView>, Rect)> {
    if area.is_empty() {
        return Vec::new();
    }
    let active: Vec<_> = console.active_runs().take(9).cloned().collect();
    if !console.runs.grid || active.len() < 2 {
        return console.shown_run().map(|run| (Arc::clone(run), area)).into_iter().collect();
    }
    let across = if area.width >= 120 && active.len() > 2 { 2 } else { 1 };
    let down = u16::try_from(active.len()).unwrap_or(1).div_ceil(across);
    let (width, height) = (area.width / across, area.height / down);
    (0u16..)
        .zip(active)
        .map(|(index, run)| {
            let last = index % across + 1 == across;
            let cell = Rect {
                x: area.x + index % across * width,
                y: area.y + index / across * height,
                width: if last { area.width - width * (across - 1) } else { width },
                height,
            };
            (run, cell)
        })
        .filter(|(_, cell)| !cell.is_empty())
        .collect()
}

/// The output within a cell: without title and status.
fn body(cell: Rect) -> Rect {
    if cell.height < 3 { Rect::default() } else { Rect { y: cell.y + 1, height: cell.height - 2, ..cell } }
}

/// Makes the visible lines ready and asks for those that are missing.
pub(super) fn prepare(console: &mut Console, area: Rect) {
    for (run, cell) in cells(console, area) {
        let body = body(cell);
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
    }
}

fn draw_nothing(console: &Console, area: Rect, buffer: &mut Buffer) {
    let dim = console.theme.style(Role::Dim);
    Pen::new(buffer, area.x, area.y, area.right()).write(" RUN", super::title_style(console, Pane::Run));
    if area.height > 2 {
        let say = format!(
            "Nothing has run yet. {} runs the selected ticket, {} works the queue.",
            console.key_of(Action::Start),
            console.key_of(Action::Queue)
        );
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
        view.draw(body(area), buffer, &looks);
    }
    draw_status(console, run, Rect { y: area.bottom() - 1, height: 1, ..area }, buffer);
}
