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
    u16::try_from(banner_lines(console).len()).unwrap_or(u16::MAX)
}

/// What stands in the banner, wrapped to the screen.
fn banner_lines(console: &Console) -> Vec<(String, Role)> {
    let columns = usize::from(console.size.0).saturating_sub(4);
    let mut lines = Vec::new();
    let mut say = |lead: &str, text: &str, role: Role| {
        for (index, piece) in wrap(text, columns).into_iter().take(3).enumerate() {
            lines.push((format!(" {} {piece}", if index == 0 { lead } else { " " }), role));
        }
    };
    let glyph = console.glyphs.failed;
    let faults = &console.snapshot.plan.faults;
    if let Some(fault) = faults.first() {
        let place =
            format!("{} line {}, column {}", safe_text(&fault.path), fault.fault.line, fault.fault.column);
        say(glyph, &format!("{place}: {}", safe_text(&fault.fault.message)), Role::Error);
        if let Some(excerpt) = &fault.fault.excerpt {
            // One line, cut rather than wrapped: the column is counted in it.
            let excerpt = fit(safe_text(excerpt).as_str(), columns, console.glyphs.ellipsis);
            lines.push((format!(" {} {excerpt}", console.glyphs.vertical), Role::Text));
        }
        let mut say = |text: &str| lines.push((format!("   {text}"), Role::Dim));
        say("Shown is its last good state, and it is not written. Repair the file; it is read again.");
        if faults.len() > 1 {
            let more = words::count(faults.len() - 1, "file", "files");
            say(&format!("and {more} more: `koru-tui doctor` lists them"));
        }
        return lines;
    }
    match &console.snapshot.health {
        PlanHealth::Open { read_only: Some(reason), .. } => {
            say(glyph, &format!("read-only: {}", safe_text(reason)), Role::Error);
        }
        PlanHealth::Refused { message } if !console.snapshot.plan.tickets.is_empty() => {
            say(glyph, safe_text(message).as_str(), Role::Error);
        }
        PlanHealth::Loading
        | PlanHealth::Uninitialised
        | PlanHealth::Open { .. }
        | PlanHealth::Refused { .. } => {}
    }
    lines
}

pub(super) fn draw_banner(console: &Console, area: Rect, buffer: &mut Buffer) {
    for (y, (text, role)) in (area.y..area.bottom()).zip(banner_lines(console)) {
        let text = fit(&text, usize::from(area.width), console.glyphs.ellipsis);
        Pen::new(buffer, area.x, y, area.right()).write(&text, console.theme.style(role));
    }
}

/// The page of a folder without a planfile.
pub(super) fn draw_start(console: &Console, area: Rect, buffer: &mut Buffer) {
    let init = console.key_of(Action::Init);
    let lines = [
        ("There is no planfile in this folder yet.".to_owned(), Role::Accent),
        (String::new(), Role::Text),
        (safe_text(&console.snapshot.root).to_string(), Role::Dim),
        (String::new(), Role::Text),
        (format!("{init}  makes one: .planfile/ with two starter tickets."), Role::Text),
        ("   Plain YAML that you own; the planfile package works on the same files.".to_owned(), Role::Dim),
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
        (
            format!(
                "Nothing was written. {} reads it again; `koru-tui doctor` says more.",
                console.key_of(Action::Reload)
            ),
            Role::Dim,
        ),
    ];
    draw_page(console, &lines, area, buffer);
}

/// What an empty list says.
pub(super) fn draw_empty(console: &Console, area: Rect, buffer: &mut Buffer) {
    let queue = &console.queue;
    let lines: Vec<String> = if console.snapshot.health == PlanHealth::Loading {
        vec!["Reading the planfile…".to_owned()]
    } else if !queue.view.filter.is_empty() {
        vec![
            "No ticket holds these words.".to_owned(),
            format!("{} drops the filter.", console.key_of(Action::Back)),
        ]
    } else if queue.rows.folded > 0 {
        vec![
            "Everything is done.".to_owned(),
            format!(
                "{} shows {}, {} makes a new one.",
                console.key_of(Action::Finished),
                words::count(queue.rows.folded, "finished ticket", "finished tickets"),
                console.key_of(Action::Create)
            ),
        ]
    } else if queue.view.sprint.is_some() && !console.snapshot.plan.tickets.is_empty() {
        vec![
            "No ticket stands in this sprint.".to_owned(),
            format!("{} shows the next sprint.", console.key_of(Action::Sprint)),
        ]
    } else {
        vec!["The queue is empty.".to_owned(), format!("{} makes a ticket.", console.key_of(Action::Create))]
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
