//! The form that makes or changes a ticket: one field a row, texts that may be long get more rows.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use super::super::layers::TicketForm;
use super::super::layers::field::TextField;
use super::super::layers::ticket::{FieldName, Subject};
use super::super::state::Console;
use super::super::theme::Role;
use super::super::words;
use super::Areas;
use super::overlays::{centered, frame};
use super::text::{Pen, fit};
use crate::base::text::safe_text;

const LABEL: u16 = 15;

/// Gives the form its looks.
pub(super) fn dress(console: &Console, form: &mut TicketForm) {
    let (text, cursor) = (console.theme.style(Role::Overlay), console.theme.style(Role::Cursor));
    let focus = form.focus;
    for name in FieldName::ALL {
        if let Some(field) = form.text(name) {
            field.dress(text, cursor, focus == name);
        }
    }
}

pub(super) fn draw(console: &Console, form: &TicketForm, areas: &Areas, buffer: &mut Buffer) {
    let title = match &form.subject {
        Subject::New => "new ticket".to_owned(),
        Subject::Existing { ticket, .. } => format!("edit {}", words::safe(&ticket.id)),
    };
    let inside = frame(console, &title, centered(areas, 100, 18), buffer);
    if inside.is_empty() {
        return;
    }
    let mut y = inside.y;
    for (name, rows) in heights(form, inside.height) {
        let area = Rect { y, height: rows.min(inside.bottom().saturating_sub(y)), ..inside };
        if !area.is_empty() {
            draw_field(console, form, name, area, buffer);
        }
        y = y.saturating_add(rows);
    }
}

/// Rows of each field. On a low screen the fields around the focus stay and long texts shrink to a row.
fn heights(form: &TicketForm, room: u16) -> Vec<(FieldName, u16)> {
    let shown: Vec<FieldName> = FieldName::ALL
        .into_iter()
        .filter(|name| *name != FieldName::Work || form.work_label().is_some())
        .collect();
    let count = u16::try_from(shown.len()).unwrap_or(u16::MAX);
    if room < count {
        let at = shown.iter().position(|name| *name == form.focus).unwrap_or(0);
        let first = at.min(shown.len().saturating_sub(usize::from(room)));
        return shown.into_iter().skip(first).take(usize::from(room)).map(|name| (name, 1)).collect();
    }
    let long = shown.iter().filter(|name| is_long(**name)).count();
    let spare = (room - count) / u16::try_from(long.max(1)).unwrap_or(1);
    shown.into_iter().map(|name| (name, if is_long(name) { 1 + spare.min(3) } else { 1 })).collect()
}

fn is_long(name: FieldName) -> bool {
    matches!(name, FieldName::Description | FieldName::Work)
}

fn draw_field(console: &Console, form: &TicketForm, name: FieldName, area: Rect, buffer: &mut Buffer) {
    let ground = console.theme.style(Role::Overlay);
    let on = |role: Role| console.theme.over(role, ground);
    let focused = form.focus == name;
    if name == FieldName::Submit {
        return draw_button(console, form, area, buffer);
    }
    let label = match name {
        FieldName::Name => "name",
        FieldName::Description => "description",
        FieldName::Priority => "priority",
        FieldName::Kind => "worked by",
        FieldName::Work => form.work_label().unwrap_or_default(),
        FieldName::Labels => "labels",
        FieldName::BlockedBy => "after",
        FieldName::Files => "files",
        FieldName::Submit => "",
    };
    let mark = if focused { console.glyphs.into } else { " " };
    let style = on(if focused { Role::Accent } else { Role::Dim });
    Pen::new(buffer, area.x, area.y, area.right()).write(&format!("{mark} {label}"), style);
    let left = LABEL.min(area.width);
    let value = Rect { x: area.x + left, width: area.width - left, ..area };
    if value.is_empty() {
        return;
    }
    match name {
        FieldName::Priority => {
            let items = form.priorities.iter().map(|priority| safe_text(priority.word()).to_string());
            draw_choice(console, items, form.priority, focused, value, buffer);
        }
        FieldName::Kind => {
            let items = form.kinds.iter().map(|kind| safe_text(kind.word()).to_string());
            draw_choice(console, items, form.kind, focused, value, buffer);
        }
        FieldName::Name => draw_text(console, &form.name, hint(name, form), focused, value, buffer),
        FieldName::Description => {
            draw_text(console, &form.description, hint(name, form), focused, value, buffer)
        }
        FieldName::Work => draw_text(console, &form.work, hint(name, form), focused, value, buffer),
        FieldName::Labels => draw_text(console, &form.labels, hint(name, form), focused, value, buffer),
        FieldName::BlockedBy => {
            draw_text(console, &form.blocked_by, hint(name, form), focused, value, buffer)
        }
        FieldName::Files => draw_text(console, &form.files, hint(name, form), focused, value, buffer),
        FieldName::Submit => {}
    }
}

/// What an empty field says.
fn hint(name: FieldName, form: &TicketForm) -> &'static str {
    match name {
        FieldName::Name => "what shall be done, in one line",
        FieldName::Labels => "with commas between; `bug` goes first in the queue",
        FieldName::BlockedBy => "ids of tickets that must be done first",
        FieldName::Files => "paths that it works on; runs on the same files never overlap",
        FieldName::Description => "why, and how to tell that it is done",
        FieldName::Work => match form.work_label() {
            Some("script") => "shell text, run in the project folder",
            Some("url") => "https://…",
            _ => "",
        },
        FieldName::Priority | FieldName::Kind | FieldName::Submit => "",
    }
}

fn draw_text(
    console: &Console,
    field: &TextField,
    hint: &str,
    focused: bool,
    area: Rect,
    buffer: &mut Buffer,
) {
    field.widget().render(area, buffer);
    let dim = console.theme.over(Role::Dim, console.theme.style(Role::Overlay));
    if field.is_blank() && !field.is_locked() {
        let x = area.x + u16::from(focused);
        let room = usize::from(area.right().saturating_sub(x));
        Pen::new(buffer, x, area.y, area.right()).write(&fit(hint, room, console.glyphs.ellipsis), dim);
    }
    if field.is_locked() && focused {
        let say = " holds control characters or lines: Ctrl-E edits it ";
        Pen::new(buffer, area.x, area.bottom() - 1, area.right())
            .write_right(say, console.theme.style(Role::Warning));
    }
}

fn draw_choice(
    console: &Console,
    items: impl Iterator<Item = String>,
    chosen: usize,
    focused: bool,
    area: Rect,
    buffer: &mut Buffer,
) {
    let ground = console.theme.style(Role::Overlay);
    let dim = console.theme.over(Role::Dim, ground);
    let mut pen = Pen::new(buffer, area.x, area.y, area.right());
    for (index, item) in items.enumerate() {
        // Brackets, not colour alone, say which one is chosen.
        if index == chosen {
            let style = if focused { console.theme.style(Role::Selected) } else { ground };
            pen.write(&format!("[{item}]"), style);
        } else {
            pen.write(&format!(" {item} "), dim);
        }
        pen.write(" ", ground);
    }
}

fn draw_button(console: &Console, form: &TicketForm, area: Rect, buffer: &mut Buffer) {
    let ground = console.theme.style(Role::Overlay);
    let on = |role: Role| console.theme.over(role, ground);
    let focused = form.focus == FieldName::Submit;
    let mut pen = Pen::new(buffer, area.x, area.bottom() - 1, area.right());
    let word = if matches!(form.subject, Subject::New) { "[ Create ]" } else { "[ Save ]" };
    pen.write(word, if focused { console.theme.style(Role::Selected) } else { on(Role::Key) });
    if let Some((_, error)) = &form.error {
        let room = pen.room().saturating_sub(2);
        pen.write("  ", ground).write(&fit(error, room, console.glyphs.ellipsis), on(Role::Error));
        return;
    }
    let other = console.key_of(super::super::actions::Action::OtherDraft);
    match form.offered {
        Some(_) => pen.write(&format!("   {other} takes the other draft"), on(Role::Warning)),
        None => pen.write("   Tab to here, then Enter", on(Role::Dim)),
    };
    if let Some(at) = form.saved_at.filter(|_| !form.unsaved.is_some()) {
        pen.write_right(&format!("draft saved {}", words::clock(at, &console.settings.zone)), on(Role::Dim));
    }
}
