//! `?`: the keys that work here, from the table of actions; the history of what was said; the audit of what was done.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::base::text::safe_text;

use super::super::actions::{SPECS, Scope};
use super::super::keymap::pretty;
use super::super::layers::{Layer, Scrolled};
use super::super::state::{Console, NoticeKind};
use super::super::theme::Role;
use super::super::update::available;
use super::super::words;
use super::Areas;
use super::overlays::{centered, frame};
use super::text::{Pen, column, wrap};

/// One line: pieces of text with what they are.
type Line = Vec<(String, Role)>;

fn area(areas: &Areas) -> Rect {
    centered(areas, 110, areas.body.height)
}

/// Lines of a text over the board, and how many are seen.
pub(crate) fn overlay_extent(console: &Console, layer: &Layer) -> (usize, usize) {
    let area = area(&super::areas(console));
    let width = usize::from(area.width.saturating_sub(4));
    let lines = match layer {
        Layer::Help(_) => help_lines(console, width).len(),
        Layer::History(_) => history_lines(console, width).len(),
        Layer::Audit(_) => audit_lines(console, width).len(),
        _ => 0,
    };
    (lines, usize::from(area.height.saturating_sub(2)))
}

pub(super) fn draw_help(console: &Console, scrolled: Scrolled, areas: &Areas, buffer: &mut Buffer) {
    let area = area(areas);
    let lines = help_lines(console, usize::from(area.width.saturating_sub(4)));
    draw(console, "keys that work here", &lines, scrolled, area, buffer);
}

pub(super) fn draw_history(console: &Console, scrolled: Scrolled, areas: &Areas, buffer: &mut Buffer) {
    let area = area(areas);
    let lines = history_lines(console, usize::from(area.width.saturating_sub(4)));
    draw(console, "messages, newest first", &lines, scrolled, area, buffer);
}

pub(super) fn draw_audit(console: &Console, scrolled: Scrolled, areas: &Areas, buffer: &mut Buffer) {
    let area = area(areas);
    let lines = audit_lines(console, usize::from(area.width.saturating_sub(4)));
    draw(console, "audit, newest first", &lines, scrolled, area, buffer);
}

fn draw(console: &Console, title: &str, lines: &[Line], scrolled: Scrolled, area: Rect, buffer: &mut Buffer) {
    let inside = frame(console, title, area, buffer);
    for (y, line) in (inside.y..inside.bottom()).zip(lines.iter().skip(scrolled.top)) {
        let mut pen = Pen::new(buffer, inside.x, y, inside.right());
        let ground = console.theme.style(Role::Overlay);
        for (text, role) in line {
            pen.write(text, ratatui::style::Style { bg: ground.bg, ..console.theme.style(*role) });
        }
    }
    let seen = (scrolled.top + usize::from(inside.height)).min(lines.len());
    if lines.len() > usize::from(inside.height) && area.height > 2 {
        let y = area.bottom() - 1;
        let more = format!(" {seen}/{} ", lines.len());
        Pen::new(buffer, area.x + 2, y, area.right() - 2)
            .write_right(&more, console.theme.style(Role::Frame));
    }
}

/// The keys of the place that lies under the help.
fn help_lines(console: &Console, width: usize) -> Vec<Line> {
    let scopes = scopes_below(console);
    let mut lines = Vec::new();
    for (working, heading) in [(true, ""), (false, "not now")] {
        let mut part = Vec::new();
        for spec in SPECS.iter().filter(|spec| spec.scopes.iter().any(|scope| scopes.contains(scope))) {
            // A key that an inner scope took is not this action's here.
            let keys: Vec<String> = console
                .settings
                .keymap
                .keys(spec.action)
                .iter()
                .filter(|key| console.settings.keymap.lookup(&scopes, **key) == Some(spec.action))
                .map(|key| pretty(*key))
                .collect();
            let state = available(console, spec.action);
            if keys.is_empty() || state.is_ok() != working {
                continue;
            }
            let role = if working { Role::Overlay } else { Role::Dim };
            let text = state
                .err()
                .map_or_else(|| spec.explain.to_owned(), |reason| format!("{} ({reason})", spec.explain));
            let ellipsis = console.glyphs.ellipsis;
            let mut pieces = wrap(&text, width.saturating_sub(32)).into_iter();
            part.push(vec![
                (column(&keys.join(" "), 16, ellipsis), if working { Role::Key } else { Role::Dim }),
                (column(spec.title, 15, ellipsis) + " ", role),
                (pieces.next().unwrap_or_default(), Role::Dim),
            ]);
            part.extend(pieces.map(|piece| vec![(" ".repeat(32) + &piece, Role::Dim)]));
        }
        if !part.is_empty() && !heading.is_empty() {
            lines.push(Vec::new());
            lines.push(vec![(heading.to_owned(), Role::Title)]);
        }
        lines.append(&mut part);
    }
    lines
}

fn scopes_below(console: &Console) -> Vec<Scope> {
    let below = console.layers.iter().rev().find(|layer| !matches!(layer, Layer::Help(_)));
    match below {
        Some(layer) => layer.scopes().to_vec(),
        None => console.board_scopes(),
    }
}

fn history_lines(console: &Console, width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for notice in console.notices.newest_first() {
        let (shape, role) = match notice.kind {
            NoticeKind::Info => (console.glyphs.into, Role::Overlay),
            NoticeKind::Done => (console.glyphs.done, Role::Done),
            NoticeKind::Refused => (console.glyphs.failed, Role::Error),
        };
        for (index, piece) in wrap(&notice.text, width.saturating_sub(12)).into_iter().enumerate() {
            let time =
                if index == 0 { words::clock(notice.at, &console.settings.zone) } else { String::new() };
            let lead = if index == 0 { shape } else { " " };
            lines.push(vec![(format!("{time:<9}"), Role::Dim), (format!("{lead} {piece}"), role)]);
        }
    }
    if lines.is_empty() {
        lines.push(vec![("nothing was said yet".to_owned(), Role::Dim)]);
    }
    lines
}

fn audit_lines(console: &Console, width: usize) -> Vec<Line> {
    let Some(rows) = &console.audit else { return vec![vec![("reading…".to_owned(), Role::Dim)]] };
    let mut lines = Vec::new();
    for row in rows {
        let said = format!("{}  {}", safe_text(&row.kind), safe_text(&row.text));
        let role = if row.kind == "policy.breach" { Role::Error } else { Role::Overlay };
        let (at, who) = (words::exact(row.at, &console.settings.zone), safe_text(&row.who).truncate_end(14));
        for (index, piece) in wrap(&said, width.saturating_sub(37)).into_iter().enumerate() {
            let lead = if index == 0 { format!("{at:<21}{who:<16}") } else { " ".repeat(37) };
            lines.push(vec![(lead, Role::Dim), (piece, role)]);
        }
    }
    if lines.is_empty() {
        lines.push(vec![("nobody has done anything here yet".to_owned(), Role::Dim)]);
    }
    lines
}
