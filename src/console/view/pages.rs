//! Pages and banners for what is not the usual board: no planfile, a refused one, a broken file, an empty queue.
//!
//! A broken file keeps its last good state on the board behind the banner, and says so.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::base::text::safe_text;
use crate::runtime::protocol::PlanHealth;

use super::super::actions::Action;
use super::super::state::Console;
use super::super::theme::Role;
use super::super::words;
use super::text::{Pen, fit, wrap};

/// Rows that the banner wants.
pub(super) fn banner_height(console: &Console) -> u16 {
    let faults = u16::try_from(console.snapshot.plan.faults.len()).unwrap_or(u16::MAX);
    match (&console.snapshot.health, faults) {
        (PlanHealth::Refused { .. }, _) if !console.snapshot.plan.tickets.is_empty() => 1,
        (PlanHealth::Open { read_only: Some(_), .. }, 0) => 1,
        (_, 0) => 0,
        (_, many) => 3 + u16::from(many > 1),
    }
}

pub(super) fn draw_banner(console: &Console, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let error = console.theme.style(Role::Error);
    let glyph = console.glyphs.failed;
    if let Some(fault) = console.snapshot.plan.faults.first() {
        let place =
            format!("{} line {}, column {}", safe_text(&fault.path), fault.fault.line, fault.fault.column);
        let mut lines = vec![(format!(" {glyph} {place}: {}", safe_text(&fault.fault.message)), Role::Error)];
        if let Some(excerpt) = &fault.fault.excerpt {
            lines.push((format!("   {} {}", console.glyphs.vertical, safe_text(excerpt)), Role::Text));
        }
        let last = "   Its last good state is shown and it is not written. Repair the file; it is read again by itself.";
        lines.push((last.to_owned(), Role::Dim));
        let more = console.snapshot.plan.faults.len() - 1;
        if more > 0 {
            lines.push((
                format!("   and {} more: `koru-tui doctor` lists them", words::count(more, "file", "files")),
                Role::Dim,
            ));
        }
        for (y, (text, role)) in (area.y..area.bottom()).zip(lines) {
            let text = fit(&text, usize::from(area.width), console.glyphs.ellipsis);
            Pen::new(buffer, area.x, y, area.right()).write(&text, console.theme.style(role));
        }
        return;
    }
    let reason = match &console.snapshot.health {
        PlanHealth::Open { read_only: Some(reason), .. } => {
            format!(" {glyph} read-only: {}", safe_text(reason))
        }
        PlanHealth::Refused { message } => format!(" {glyph} {}", safe_text(message)),
        PlanHealth::Loading | PlanHealth::Uninitialised | PlanHealth::Open { .. } => return,
    };
    let text = fit(&reason, usize::from(area.width), console.glyphs.ellipsis);
    Pen::new(buffer, area.x, area.y, area.right()).write(&text, error);
}

/// The page of a folder without a planfile.
pub(super) fn draw_start(console: &Console, area: Rect, buffer: &mut Buffer) {
    let init = console.settings.keymap.key_name(Action::Init).unwrap_or_else(|| ":".to_owned());
    let lines = [
        ("There is no planfile in this folder yet.".to_owned(), Role::Accent),
        (String::new(), Role::Text),
        (safe_text(&console.snapshot.root).to_string(), Role::Dim),
        (String::new(), Role::Text),
        (
            format!("{init}  makes one: .planfile/ with a queue of two starter tickets that you may delete."),
            Role::Text,
        ),
        (
            "   Tickets are plain YAML that you own; the `planfile` package reads and writes the same files."
                .to_owned(),
            Role::Dim,
        ),
        (String::new(), Role::Text),
        ("To import a pipeline instead, leave and run  koru-tui init --from FILE".to_owned(), Role::Dim),
        ("To look around first, run  koru-tui demo".to_owned(), Role::Dim),
    ];
    draw_page(console, &lines, area, buffer);
}

/// The page of a planfile that cannot be opened.
pub(super) fn draw_refused(console: &Console, area: Rect, buffer: &mut Buffer) {
    let PlanHealth::Refused { message } = &console.snapshot.health else { return };
    let lines = [
        ("This planfile cannot be opened.".to_owned(), Role::Error),
        (String::new(), Role::Text),
        (safe_text(message).to_string(), Role::Text),
        (String::new(), Role::Text),
        ("Nothing was written. ctrl-r reads it again; `koru-tui doctor` says more.".to_owned(), Role::Dim),
    ];
    draw_page(console, &lines, area, buffer);
}

/// What an empty list says.
pub(super) fn draw_empty(console: &Console, area: Rect, buffer: &mut Buffer) {
    let queue = &console.queue;
    let lines: Vec<String> = if console.snapshot.health == PlanHealth::Loading {
        vec!["Reading the planfile…".to_owned()]
    } else if !queue.view.filter.is_empty() {
        vec!["No ticket holds these words.".to_owned(), "Esc drops the filter.".to_owned()]
    } else if queue.rows.folded > 0 {
        vec![
            "Everything is done.".to_owned(),
            format!(
                "f shows {}, n makes a new one.",
                words::count(queue.rows.folded, "finished ticket", "finished tickets")
            ),
        ]
    } else if queue.view.sprint.is_some() && !console.snapshot.plan.tickets.is_empty() {
        vec!["No ticket stands in this sprint.".to_owned(), "S shows the next sprint.".to_owned()]
    } else {
        vec!["The queue is empty.".to_owned(), "n makes a ticket.".to_owned()]
    };
    if area.height > 1 {
        write_lines(
            &lines,
            console.theme.style(Role::Dim),
            Rect { y: area.y + 1, height: area.height - 1, ..area },
            buffer,
        );
    } else {
        write_lines(&lines, console.theme.style(Role::Dim), area, buffer);
    }
}

fn draw_page(console: &Console, lines: &[(String, Role)], area: Rect, buffer: &mut Buffer) {
    let columns = usize::from(area.width).min(96).saturating_sub(4);
    let wrapped: Vec<(String, Role)> = lines
        .iter()
        .flat_map(|(text, role)| wrap(text, columns).into_iter().map(|line| (line, *role)))
        .collect();
    let rows = u16::try_from(wrapped.len()).unwrap_or(u16::MAX);
    let top = area.y + area.height.saturating_sub(rows) / 3;
    let left = area.x + 2 + area.width.saturating_sub(96) / 4;
    for (y, (text, role)) in (top..area.bottom()).zip(wrapped) {
        Pen::new(buffer, left, y, area.right()).write(&text, console.theme.style(role));
    }
}

/// Writes sentences, wrapped, from the top of an area.
pub(super) fn write_lines(lines: &[String], style: Style, area: Rect, buffer: &mut Buffer) {
    let columns = usize::from(area.width.saturating_sub(3));
    let wrapped = lines.iter().flat_map(|line| wrap(line, columns));
    for (y, line) in (area.y..area.bottom()).zip(wrapped) {
        Pen::new(buffer, area.x + 2, y, area.right()).write(&line, style);
    }
}
