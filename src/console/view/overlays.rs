//! Palette, menus, questions and single lines over the board. One quiet frame, never a box in a box.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use crate::base::text::safe_text;

use super::super::layers::field::TextField;
use super::super::layers::line::LineKind;
use super::super::layers::{Confirm, LineInput, Menu, Palette};
use super::super::state::{Console, Leaving};
use super::super::theme::Role;
use super::super::words;
use super::Areas;
use super::footer;
use super::list;
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
        .write(&format!(" {title} "), console.theme.over(Role::Accent, console.theme.style(Role::Overlay)));
    inside(area)
}

/// What is within the frame of a box, as [`frame`] returns it.
fn inside(area: Rect) -> Rect {
    if area.width < 4 || area.height < 3 {
        return area;
    }
    Rect { x: area.x + 2, y: area.y + 1, width: area.width - 4, height: area.height - 2 }
}

/// The box of a list with this many rows and a line below them, and the rows within it.
pub(super) fn list_box(areas: &Areas, width: u16, rows: usize) -> (Rect, Rect) {
    let height = u16::try_from(rows.max(1) + 3).unwrap_or(u16::MAX);
    let area = centered(areas, width, height);
    let inside = inside(area);
    (area, Rect { height: inside.height.saturating_sub(1).max(1).min(inside.height), ..inside })
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
        LineKind::Promotions { .. } => (areas.footer, " search / ".to_owned()),
        LineKind::Block { ticket, .. } => (areas.footer, format!(" block {} because: ", words::safe(ticket))),
        LineKind::Word { ticket, wrong, .. } => {
            let id = words::safe(ticket);
            let label = match wrong {
                false => format!(" high risk: type {id} to land it: "),
                true => format!(" nothing landed: that was not {id}; type it: "),
            };
            (areas.footer, label)
        }
    };
    let area = area.intersection(buffer.area);
    if area.is_empty() {
        return;
    }
    let ground = console.theme.style(Role::Overlay);
    super::fill(buffer, area, ground);
    // In the place of the footer it keeps what the footer says, where the text leaves room for it.
    let hints = if area == areas.footer { footer::hints(console) } else { Vec::new() };
    let keys = u16::try_from(footer::measure(&hints)).unwrap_or(u16::MAX);
    let mut area = area;
    if keys > 0 && area.width > keys + 24 {
        let right = Rect { x: area.right() - keys, width: keys, ..area };
        footer::write_hints(console, &hints, ground, &mut Pen::new(buffer, right.x, right.y, right.right()));
        area.width -= keys + 1;
    }
    let label_width = u16::try_from(width(&label)).unwrap_or(0).min(area.width);
    Pen::new(buffer, area.x, area.y, area.right()).write(&label, console.theme.style(Role::Key));
    let field = Rect { x: area.x + label_width, width: area.width - label_width, ..area };
    if !field.is_empty() {
        input.text.widget().render(field, buffer);
    }
}

fn palette_box(areas: &Areas) -> Rect {
    centered(areas, 100, 22)
}

/// The actions that are seen below the query.
pub(super) fn palette_rows(areas: &Areas) -> usize {
    usize::from(inside(palette_box(areas)).height.saturating_sub(1))
}

pub(super) fn draw_palette(console: &Console, palette: &Palette, areas: &Areas, buffer: &mut Buffer) {
    let inside = frame(console, "every action", palette_box(areas), buffer);
    if inside.height < 2 {
        return;
    }
    Pen::new(buffer, inside.x, inside.y, inside.right()).write(": ", console.theme.style(Role::Key));
    let field = Rect { x: inside.x + 2, width: inside.width.saturating_sub(2), height: 1, ..inside };
    palette.query.widget().render(field, buffer);
    if palette.found.rows().is_empty() {
        let style = console.theme.style(Role::Dim);
        Pen::new(buffer, inside.x + 2, inside.y + 1, inside.right())
            .write("no action is called like that", style);
    }
    let rows = Rect { y: inside.y + 1, height: inside.height - 1, ..inside };
    list::draw(console, &palette.found, rows, buffer, |_, found, ground, pen| {
        let spec = found.action.spec();
        let (name, rest) = match &found.disabled {
            None => (Role::Overlay, Role::Dim),
            Some(_) => (Role::Dim, Role::Dim),
        };
        let ellipsis = console.glyphs.ellipsis;
        let key = console.settings.keymap.key_name(found.action).unwrap_or_default();
        pen.write(&column(&key, 10, ellipsis), ground.on(Role::Key)).write(" ", ground.on(name));
        pen.write(&column(spec.title, 16, ellipsis), ground.on(name)).write(" ", ground.on(name));
        let text = found
            .disabled
            .as_ref()
            .map_or_else(|| spec.explain.to_owned(), |reason| format!("not now: {reason}"));
        let room = pen.room();
        pen.write(&fit(&text, room, ellipsis), ground.on(rest));
    });
}

fn menu_box(areas: &Areas, menu: &Menu) -> Rect {
    centered(areas, 44, u16::try_from(menu.items.rows().len() + 2).unwrap_or(u16::MAX))
}

/// The items that are seen.
pub(super) fn menu_rows(areas: &Areas, menu: &Menu) -> usize {
    usize::from(inside(menu_box(areas, menu)).height)
}

pub(super) fn draw_menu(console: &Console, menu: &Menu, areas: &Areas, buffer: &mut Buffer) {
    let inside = frame(console, &menu.title, menu_box(areas, menu), buffer);
    list::draw(console, &menu.items, inside, buffer, |at, (text, _), ground, pen| {
        let number = if at < 9 { format!("{} ", at + 1) } else { "  ".to_owned() };
        let text = column(&format!("{number}{text}"), usize::from(inside.width), console.glyphs.ellipsis);
        pen.write(&text, ground.bare());
    });
}

pub(super) fn draw_confirm(console: &Console, confirm: &Confirm, areas: &Areas, buffer: &mut Buffer) {
    let columns = usize::from(areas.body.width.min(64).saturating_sub(4));
    let text = console.theme.style(Role::Overlay);
    // What is asked is never cut: where it does not fit into the frame it stands under it, whole.
    let fits = width(&confirm.question) + 2 <= columns;
    let question = if fits { Vec::new() } else { wrap(&confirm.question, columns) };
    let asked = question.iter().map(|line| (line, console.theme.over(Role::Accent, text)));
    let detail = wrap(&confirm.detail, columns);
    let lines: Vec<_> = asked.chain(detail.iter().map(|line| (line, text))).collect();
    let height = u16::try_from(lines.len() + 4).unwrap_or(u16::MAX);
    let title = if fits { confirm.question.clone() } else { format!("{}?", confirm.yes) };
    let inside = frame(console, &title, centered(areas, 64, height), buffer);
    for (y, (line, style)) in (inside.y..inside.bottom()).zip(lines) {
        Pen::new(buffer, inside.x, y, inside.right()).write(line, style);
    }
    draw_choices(console, &[("y", confirm.yes), ("any other key", "no")], inside, buffer);
}

pub(super) fn draw_quit(console: &Console, areas: &Areas, buffer: &mut Buffer) {
    let stopping = console.leaving == Some(Leaving::Stopping);
    let active: Vec<_> = console.active_runs().collect();
    let height = u16::try_from(active.len().min(8) + 4).unwrap_or(u16::MAX);
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
        let ground = console.theme.style(Role::Overlay);
        let dim = console.theme.over(Role::Dim, ground);
        let kill = run
            .kill_at
            .map(|at| format!(" · kill in {}", words::duration(console.now, at)))
            .unwrap_or_default();
        pen.write_right(&format!("{}{kill}", words::duration(run.started_at, console.now)), dim);
        pen.write_right("  ", ground);
        pen.write(&words::safe(&run.ticket), console.theme.over(Role::Accent, ground)).write("  ", ground);
        let name = console.snapshot.plan.ticket(&run.ticket).map_or("", |ticket| &ticket.name);
        let room = pen.room();
        pen.write(&fit(safe_text(name).as_str(), room, console.glyphs.ellipsis), ground);
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
        pen.write(key, console.theme.over(Role::Key, text)).write(&format!(" {what}   "), text);
    }
}
