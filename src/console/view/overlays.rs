//! Palette, menus, questions and single lines over the board. One quiet frame, never a box in a box.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use super::super::layers::field::TextField;
use super::super::layers::line::LineKind;
use super::super::layers::{Confirm, LineInput, Menu, Palette};
use super::super::state::{Console, Leaving};
use super::super::theme::Role;
use super::super::words;
use super::Areas;
use super::text::{Pen, column, fit, width, wrap};

/// Gives a field its looks.
pub(super) fn dress(console: &Console, field: &mut TextField) {
    field.dress(console.theme.style(Role::Overlay), console.theme.style(Role::Cursor), true);
}

/// A framed box with a title, in the middle of the upper part; returns its inside.
pub(super) fn frame(console: &Console, title: &str, area: Rect, buffer: &mut Buffer) -> Rect {
    let style = console.theme.style(Role::Frame);
    super::fill(buffer, area, console.theme.style(Role::Overlay));
    if area.width < 4 || area.height < 3 {
        return area;
    }
    let [top_left, top_right, bottom_left, bottom_right] = console.glyphs.corners;
    let line = console.glyphs.horizontal.repeat(usize::from(area.width - 2));
    let title = fit(title, usize::from(area.width.saturating_sub(6)), console.glyphs.ellipsis);
    let last = area.bottom() - 1;
    Pen::new(buffer, area.x, area.y, area.right()).write(&format!("{top_left}{line}{top_right}"), style);
    Pen::new(buffer, area.x, last, area.right()).write(&format!("{bottom_left}{line}{bottom_right}"), style);
    for y in area.y + 1..last {
        buffer.set_string(area.x, y, console.glyphs.vertical, style);
        buffer.set_string(area.right() - 1, y, console.glyphs.vertical, style);
    }
    Pen::new(buffer, area.x + 2, area.y, area.right() - 2)
        .write(&format!(" {title} "), console.theme.style(Role::Frame));
    Rect { x: area.x + 2, y: area.y + 1, width: area.width - 4, height: area.height - 2 }
}

/// A box of at most this size within the body.
pub(super) fn centered(areas: &Areas, width: u16, height: u16) -> Rect {
    let within = areas.body;
    let (width, height) = (width.min(within.width), height.min(within.height));
    Rect {
        x: within.x + (within.width - width) / 2,
        y: within.y + (within.height - height) / 4,
        width,
        height,
    }
}

pub(super) fn draw_line(console: &Console, input: &LineInput, areas: &Areas, buffer: &mut Buffer) {
    let (area, label) = match &input.kind {
        LineKind::Filter { .. } if !areas.queue.is_empty() => (
            Rect { x: 8, width: areas.queue.width.saturating_sub(9), height: 1, ..areas.queue },
            "/ ".to_owned(),
        ),
        LineKind::Filter { .. } => (areas.footer, " filter / ".to_owned()),
        LineKind::Search | LineKind::ReviewSearch => (areas.footer, " search / ".to_owned()),
        LineKind::Block { ticket, .. } => (areas.footer, format!(" block {} because: ", words::safe(ticket))),
    };
    let area = area.intersection(buffer.area);
    if area.is_empty() {
        return;
    }
    super::fill(buffer, area, console.theme.style(Role::Overlay));
    let label_width = u16::try_from(width(&label)).unwrap_or(0).min(area.width);
    Pen::new(buffer, area.x, area.y, area.right()).write(&label, console.theme.style(Role::Key));
    let field = Rect { x: area.x + label_width, width: area.width - label_width, ..area };
    if !field.is_empty() {
        input.text.widget().render(field, buffer);
    }
}

pub(super) fn draw_palette(console: &Console, palette: &Palette, areas: &Areas, buffer: &mut Buffer) {
    let inside = frame(console, "every action", centered(areas, 100, 22), buffer);
    if inside.height < 2 {
        return;
    }
    Pen::new(buffer, inside.x, inside.y, inside.right()).write(": ", console.theme.style(Role::Key));
    let field = Rect { x: inside.x + 2, width: inside.width.saturating_sub(2), height: 1, ..inside };
    palette.query.widget().render(field, buffer);
    let rows = usize::from(inside.height - 1);
    let first = (palette.selected + 1).saturating_sub(rows);
    if palette.found.is_empty() {
        let style = console.theme.style(Role::Dim);
        Pen::new(buffer, inside.x + 2, inside.y + 1, inside.right())
            .write("no action is called like that", style);
    }
    for (offset, found) in palette.found.iter().enumerate().skip(first).take(rows) {
        let y = inside.y + 1 + u16::try_from(offset - first).unwrap_or(0);
        let spec = found.action.spec();
        let row = Rect { y, height: 1, ..inside };
        let chosen = offset == palette.selected;
        if chosen {
            buffer.set_style(row, console.theme.style(Role::Selected));
        }
        let ground =
            if chosen { console.theme.style(Role::Selected) } else { console.theme.style(Role::Overlay) };
        let on = |role: Role| {
            let style = console.theme.style(role);
            ratatui::style::Style { bg: ground.bg, ..style }.add_modifier(ground.add_modifier)
        };
        let (name, rest) = match &found.disabled {
            None => (Role::Overlay, Role::Dim),
            Some(_) => (Role::Dim, Role::Dim),
        };
        let ellipsis = console.glyphs.ellipsis;
        let key = console.settings.keymap.key_name(found.action).unwrap_or_default();
        let mut pen = Pen::new(buffer, inside.x, y, inside.right());
        pen.write(&column(&key, 10, ellipsis), on(Role::Key)).write(" ", on(name));
        pen.write(&column(spec.title, 16, ellipsis), on(name)).write(" ", on(name));
        let text = found
            .disabled
            .as_ref()
            .map_or_else(|| spec.explain.to_owned(), |reason| format!("not now: {reason}"));
        let room = pen.room();
        pen.write(&fit(&text, room, ellipsis), on(rest));
    }
}

pub(super) fn draw_menu(console: &Console, menu: &Menu, areas: &Areas, buffer: &mut Buffer) {
    let height = u16::try_from(menu.items.len() + 2).unwrap_or(u16::MAX);
    let inside = frame(console, &menu.title, centered(areas, 44, height), buffer);
    let rows = usize::from(inside.height);
    let first = (menu.selected + 1).saturating_sub(rows);
    for (offset, (text, _)) in menu.items.iter().enumerate().skip(first).take(rows) {
        let y = inside.y + u16::try_from(offset - first).unwrap_or(0);
        let role = if offset == menu.selected { Role::Selected } else { Role::Overlay };
        let number = if offset < 9 { format!("{} ", offset + 1) } else { "  ".to_owned() };
        let text = column(&format!("{number}{text}"), usize::from(inside.width), console.glyphs.ellipsis);
        Pen::new(buffer, inside.x, y, inside.right()).write(&text, console.theme.style(role));
    }
}

pub(super) fn draw_confirm(console: &Console, confirm: &Confirm, areas: &Areas, buffer: &mut Buffer) {
    let lines = wrap(&confirm.detail, usize::from(areas.body.width.min(64).saturating_sub(4)));
    let height = u16::try_from(lines.len() + 4).unwrap_or(u16::MAX);
    let inside = frame(console, &confirm.question, centered(areas, 64, height), buffer);
    let text = console.theme.style(Role::Overlay);
    for (y, line) in (inside.y..inside.bottom()).zip(&lines) {
        Pen::new(buffer, inside.x, y, inside.right()).write(line, text);
    }
    draw_choices(console, &[("y", confirm.yes), ("any other key", "no")], inside, buffer);
}

pub(super) fn draw_quit(console: &Console, areas: &Areas, buffer: &mut Buffer) {
    let stopping = console.leaving == Some(Leaving::Stopping);
    let active: Vec<_> = console.active_runs().collect();
    let height = u16::try_from(active.len().min(8) + 5).unwrap_or(u16::MAX);
    let title = match (stopping, active.len()) {
        (_, 0) => "nothing runs any more".to_owned(),
        (true, n) => format!("stopping {}…", words::count(n, "run", "runs")),
        (false, n) => {
            format!("{} still active", if n == 1 { "1 run is".to_owned() } else { format!("{n} runs are") })
        }
    };
    let inside = frame(console, &title, centered(areas, 64, height), buffer);
    if inside.is_empty() {
        return;
    }
    for (y, run) in (inside.y..inside.bottom()).zip(active.iter().take(8)) {
        let mut pen = Pen::new(buffer, inside.x, y, inside.right());
        pen.write(&words::safe(&run.ticket), console.theme.style(Role::Accent));
        let kill = run
            .kill_at
            .map(|at| format!(" · kill in {}", words::duration(console.now, at)))
            .unwrap_or_default();
        pen.write(
            &format!("  {}{kill}", words::duration(run.started_at, console.now)),
            console.theme.style(Role::Dim),
        );
    }
    let choices: &[(&str, &str)] = if active.is_empty() {
        &[("q", "quit"), ("Esc", "stay")]
    } else if stopping {
        &[("s", "kill now"), ("Esc", "stay")]
    } else {
        &[("s", "stop all and quit"), ("w", "wait for them, then quit"), ("Esc", "stay")]
    };
    draw_choices(console, choices, inside, buffer);
}

/// Keys and what they do, on the last line of a box.
fn draw_choices(console: &Console, choices: &[(&str, &str)], inside: Rect, buffer: &mut Buffer) {
    if inside.is_empty() {
        return;
    }
    let mut pen = Pen::new(buffer, inside.x, inside.bottom() - 1, inside.right());
    for (key, what) in choices {
        let text = console.theme.style(Role::Overlay);
        let style = console.theme.style(Role::Key);
        pen.write(key, ratatui::style::Style { bg: text.bg, ..style }).write(&format!(" {what}   "), text);
    }
}
