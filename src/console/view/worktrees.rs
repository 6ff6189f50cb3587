//! The worktrees of agents over the board: ticket, branch, size, and what each one holds.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::layers::Worktrees;
use super::super::layers::worktrees::keeps;
use super::super::state::Console;
use super::super::theme::Role;
use super::super::words;
use super::Areas;
use super::list::{self, Ground};
use super::overlays::{frame, list_box};
use super::text::{Pen, column, column_right, fit};
use crate::base::text::safe_text;
use crate::runtime::protocol::WorktreeInfo;

/// The box, and the rows within it.
fn place(areas: &Areas, layer: &Worktrees) -> (Rect, Rect) {
    list_box(areas, 100, layer.list.as_ref().map_or(0, |list| list.rows().len()))
}

/// The rows that are seen.
pub(super) fn rows_seen(areas: &Areas, layer: &Worktrees) -> usize {
    usize::from(place(areas, layer).1.height)
}

pub(super) fn draw(console: &Console, layer: &Worktrees, areas: &Areas, buffer: &mut Buffer) {
    let (outside, rows) = place(areas, layer);
    let title = match &layer.list {
        None => "worktrees".to_owned(),
        Some(list) => {
            let bytes = words::bytes(list.rows().iter().map(|info| info.bytes).sum());
            format!("{} of agents, {bytes}", words::count(list.rows().len(), "worktree", "worktrees"))
        }
    };
    let inside = frame(console, &title, outside, buffer);
    let ground = console.theme.style(Role::Overlay);
    let dim = console.theme.over(Role::Dim, ground);
    let mut line = |text: &str| {
        let text = fit(text, usize::from(inside.width), console.glyphs.ellipsis);
        Pen::new(buffer, inside.x, inside.y, inside.right()).write(&text, dim);
    };
    match &layer.list {
        None => return line("measuring them…"),
        Some(list) if list.rows().is_empty() => {
            return line("No agent has a worktree: each gets one when it starts.");
        }
        Some(_) => {}
    }
    if let Some(list) = &layer.list {
        list::draw(console, list, rows, buffer, |_, info, ground, pen| draw_row(console, info, ground, pen));
    }
    let text = match layer.prunable().len() {
        0 => "none may go: each is in use or holds what is nowhere else".to_owned(),
        1 => "1 holds nothing of its own and may go".to_owned(),
        many => format!("{many} hold nothing of their own and may go"),
    };
    if inside.height > 1 {
        Pen::new(buffer, inside.x, inside.bottom() - 1, inside.right()).write(&text, dim);
    }
}

fn draw_row(console: &Console, info: &WorktreeInfo, ground: &Ground<'_>, pen: &mut Pen<'_>) {
    let plain = |role: Role| ground.on(role);
    let ellipsis = console.glyphs.ellipsis;
    let why = keeps(info);
    let (glyph, role) = match (&why, info.in_use) {
        (_, true) => (console.glyphs.running, Role::Running),
        (Some(_), _) => (console.glyphs.blocked, Role::Warning),
        (None, _) => (console.glyphs.done, Role::Done),
    };
    pen.write(glyph, plain(role)).write(" ", ground.bare());
    pen.write(&column(&words::safe(&info.worktree.ticket), 12, ellipsis), plain(Role::Accent))
        .write(" ", ground.bare());
    pen.write(&column_right(&words::bytes(info.bytes), 9, ellipsis), plain(Role::Overlay))
        .write("  ", ground.bare());
    let text = why.map_or_else(|| "may go".to_owned(), |why| format!("stays: {why}"));
    let branch = safe_text(&info.worktree.branch);
    if pen.room() > 70 {
        pen.write(&column(branch.as_str(), 24, ellipsis), plain(Role::Dim)).write("  ", ground.bare());
    }
    let room = pen.room();
    pen.write(&fit(&text, room, ellipsis), plain(role));
}
