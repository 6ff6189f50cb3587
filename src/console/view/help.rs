//! `?`: the keys that work here, from the table of actions; the history of what was said; the audit of what was done.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::base::text::safe_text;

use super::super::actions::{SPECS, Scope, Spec};
use super::super::keymap::pretty;
use super::super::keys::Key;
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
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX).min(area.height);
    let area = centered(areas, area.width, height);
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
            pen.write(text, console.theme.over(*role, ground));
        }
    }
    let seen = (scrolled.top + usize::from(inside.height)).min(lines.len());
    if lines.len() > usize::from(inside.height) && area.height > 2 {
        let y = area.bottom() - 1;
        let more = format!(" {seen}/{} ", lines.len());
        Pen::new(buffer, area.x + 2, y, area.right() - 2)
            .write_right(&more, console.theme.over(Role::Dim, console.theme.style(Role::Overlay)));
    }
}

/// The keys of the place that lies under the help: those of this place alone first, then those that work around it,
/// then what does not work now, with the reason.
fn help_lines(console: &Console, width: usize) -> Vec<Line> {
    let scopes = scopes_below(console);
    let mut lines: Vec<Line> = Vec::new();
    let mut not_now: Vec<Line> = Vec::new();
    for (at, scope) in scopes.iter().enumerate() {
        let inner = &scopes[..at];
        let of_this = |spec: &&Spec| {
            spec.scopes.contains(scope) && !spec.scopes.iter().any(|other| inner.contains(other))
        };
        let mut part = Vec::new();
        for spec in SPECS.iter().filter(of_this) {
            let state = available(console, spec.action);
            let listed = if state.is_ok() { &mut part } else { &mut not_now };
            listed.extend(key_lines(console, spec, &scopes, state.err(), width));
        }
        add_part(&mut lines, scope.heading(), part);
    }
    add_part(&mut lines, "NOT NOW", not_now);
    lines
}

fn add_part(lines: &mut Vec<Line>, heading: &str, part: Vec<Line>) {
    if part.is_empty() {
        return;
    }
    if !lines.is_empty() {
        lines.push(Vec::new());
    }
    lines.push(vec![(heading.to_owned(), Role::Title)]);
    lines.extend(part);
}

/// Columns of the keys, and of the keys with what they are called.
const KEYS: usize = 14;
const NAMED: usize = 34;

/// One action: its keys here, what it is called, what it does or why it does not. Nothing when an inner scope took all
/// its keys.
fn key_lines(
    console: &Console,
    spec: &Spec,
    scopes: &[Scope],
    not: Option<String>,
    width: usize,
) -> Vec<Line> {
    let keymap = &console.settings.keymap;
    let here = |key: &&Key| keymap.lookup(scopes, **key) == Some(spec.action);
    let keys: Vec<String> = keymap.keys(spec.action).iter().filter(here).map(|key| pretty(*key)).collect();
    if keys.is_empty() {
        return Vec::new();
    }
    let ellipsis = console.glyphs.ellipsis;
    let (key, name) = if not.is_none() { (Role::Key, Role::Overlay) } else { (Role::Dim, Role::Dim) };
    let text = not.unwrap_or_else(|| spec.explain.to_owned());
    let mut pieces = wrap(&text, width.saturating_sub(NAMED)).into_iter();
    let mut lines = vec![vec![
        (column(&keys.join(" "), KEYS, ellipsis), key),
        (column(spec.title, NAMED - KEYS - 2, ellipsis) + "  ", name),
        (pieces.next().unwrap_or_default(), Role::Dim),
    ]];
    lines.extend(pieces.map(|piece| vec![(" ".repeat(NAMED) + &piece, Role::Dim)]));
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
        lines.push(vec![("Nothing was said yet.".to_owned(), Role::Dim)]);
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
