//! The worktrees of agents over the board: ticket, branch, size, and what each one holds.

use ratatui::buffer::Buffer;
use ratatui::style::Style;

use super::super::layers::Worktrees;
use super::super::layers::worktrees::keeps;
use super::super::state::Console;
use super::super::theme::Role;
use super::super::words;
use super::Areas;
use super::overlays::{centered, frame};
use super::text::{Pen, column, column_right, fit};
use crate::base::text::safe_text;
use crate::runtime::protocol::WorktreeInfo;

pub(super) fn draw(console: &Console, layer: &Worktrees, areas: &Areas, buffer: &mut Buffer) {
    let all = layer.list.as_deref().unwrap_or_default();
    let height = u16::try_from(all.len().max(1) + 3).unwrap_or(u16::MAX);
    let title = match &layer.list {
        None => "worktrees".to_owned(),
        Some(list) => {
            let bytes = words::bytes(list.iter().map(|info| info.bytes).sum());
            format!("{} of agents, {bytes}", words::count(list.len(), "worktree", "worktrees"))
        }
    };
    let inside = frame(console, &title, centered(areas, 100, height), buffer);
    let ground = console.theme.style(Role::Overlay);
    let dim = Style { bg: ground.bg, ..console.theme.style(Role::Dim) };
    let mut line = |text: &str| {
        let text = fit(text, usize::from(inside.width), console.glyphs.ellipsis);
        Pen::new(buffer, inside.x, inside.y, inside.right()).write(&text, dim);
    };
    match &layer.list {
        None => return line("measuring them…"),
        Some(list) if list.is_empty() => {
            return line("No agent has a worktree: each gets one when it starts.");
        }
        Some(_) => {}
    }
    let rows = usize::from(inside.height.saturating_sub(1)).max(1);
    let first = (layer.selected + 1).saturating_sub(rows);
    for (offset, info) in all.iter().enumerate().skip(first).take(rows) {
        let y = inside.y + u16::try_from(offset - first).unwrap_or(0);
        let chosen = offset == layer.selected;
        let style = if chosen { console.theme.style(Role::Selected) } else { ground };
        let row = ratatui::layout::Rect { y, height: 1, ..inside };
        buffer.set_style(row.intersection(buffer.area), style);
        draw_row(console, info, style, &mut Pen::new(buffer, inside.x, y, inside.right()));
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

fn draw_row(console: &Console, info: &WorktreeInfo, ground: Style, pen: &mut Pen<'_>) {
    let on =
        |role: Role| Style { bg: ground.bg, ..console.theme.style(role) }.add_modifier(ground.add_modifier);
    let plain = |role: Role| if ground.fg.is_some() { ground } else { on(role) };
    let ellipsis = console.glyphs.ellipsis;
    let why = keeps(info);
    let (glyph, role) = match (&why, info.in_use) {
        (_, true) => (console.glyphs.running, Role::Running),
        (Some(_), _) => (console.glyphs.blocked, Role::Warning),
        (None, _) => (console.glyphs.done, Role::Done),
    };
    pen.write(glyph, plain(role)).write(" ", ground);
    pen.write(&column(&words::safe(&info.worktree.ticket), 12, ellipsis), plain(Role::Accent))
        .write(" ", ground);
    pen.write(&column_right(&words::bytes(info.bytes), 9, ellipsis), plain(Role::Overlay))
        .write("  ", ground);
    let text = why.map_or_else(|| "may go".to_owned(), |why| format!("stays: {why}"));
    let branch = safe_text(&info.worktree.branch);
    if pen.room() > 70 {
        pen.write(&column(branch.as_str(), 24, ellipsis), plain(Role::Dim)).write("  ", ground);
    }
    let room = pen.room();
    pen.write(&fit(&text, room, ellipsis), plain(role));
}
