//! The runs of one ticket over the board: when, who, how it ended, how long it took, what it cost, and why.

use ratatui::buffer::Buffer;
use ratatui::style::Style;

use super::super::layers::Earlier;
use super::super::rows::is_live;
use super::super::state::Console;
use super::super::theme::Role;
use super::super::words;
use super::Areas;
use super::overlays::{centered, frame};
use super::run::state_of;
use super::text::{Pen, column, column_right, fit};
use crate::base::text::safe_text;
use crate::runtime::protocol::RunView;

/// From this width on a row has room for the exact time and more.
const ROOMY: u16 = 96;

pub(super) fn draw(console: &Console, layer: &Earlier, areas: &Areas, buffer: &mut Buffer) {
    let all = layer.list.as_deref().unwrap_or_default();
    let height = u16::try_from(all.len().max(1) + 3).unwrap_or(u16::MAX);
    let id = words::safe(&layer.ticket);
    let title = match &layer.list {
        None => format!("runs of {id}"),
        Some(list) => format!("{} of {id}", words::count(list.len(), "run", "runs")),
    };
    let inside = frame(console, &title, centered(areas, 118, height), buffer);
    let ground = console.theme.style(Role::Overlay);
    let dim = Style { bg: ground.bg, ..console.theme.style(Role::Dim) };
    let mut line = |y: u16, text: &str| {
        let text = fit(text, usize::from(inside.width), console.glyphs.ellipsis);
        Pen::new(buffer, inside.x, y, inside.right()).write(&text, dim);
    };
    match &layer.list {
        None => return line(inside.y, "reading them…"),
        Some(list) if list.is_empty() => return line(inside.y, "Nothing is kept of any run of it."),
        Some(list) if inside.height > 1 => {
            let older = layer.total.saturating_sub(list.len() as u64);
            let text = match older {
                0 => "newest first".to_owned(),
                older => format!("newest first; {older} older ones are not listed"),
            };
            line(inside.bottom() - 1, &text);
        }
        Some(_) => {}
    }
    let rows = usize::from(inside.height.saturating_sub(1)).max(1);
    let first = (layer.selected + 1).saturating_sub(rows);
    for (offset, run) in all.iter().enumerate().skip(first).take(rows) {
        let y = inside.y + u16::try_from(offset - first).unwrap_or(0);
        let chosen = offset == layer.selected;
        let style = if chosen { console.theme.style(Role::Selected) } else { ground };
        let row = ratatui::layout::Rect { y, height: 1, ..inside };
        buffer.set_style(row.intersection(buffer.area), style);
        draw_row(console, run, style, &mut Pen::new(buffer, inside.x, y, inside.right()));
    }
}

fn draw_row(console: &Console, run: &RunView, ground: Style, pen: &mut Pen<'_>) {
    let on =
        |role: Role| Style { bg: ground.bg, ..console.theme.style(role) }.add_modifier(ground.add_modifier);
    let plain = |role: Role| if ground.fg.is_some() { ground } else { on(role) };
    let ellipsis = console.glyphs.ellipsis;
    let roomy = pen.room() >= usize::from(ROOMY) - 4;
    let when = match roomy {
        true => words::exact(run.started_at, &console.settings.zone),
        false => column_right(&words::age(run.started_at, console.now), 4, ellipsis),
    };
    pen.write(&when, plain(Role::Overlay)).write("  ", ground);
    let (glyph, word, role) = state_of(console, run.state);
    pen.write(glyph, plain(role)).write(" ", ground);
    pen.write(&column(word, 12, ellipsis), plain(role)).write(" ", ground);
    let who = run.agent.as_ref().map_or(&*run.executor, |agent| &*agent.agent);
    pen.write(&column(safe_text(who).as_str(), 9, ellipsis), plain(Role::Accent)).write(" ", ground);
    // Of a run that broke off nobody knows how long it lasted.
    let until = run.ended_at.or(is_live(run).then_some(console.now));
    let lasted = until.map_or_else(|| "-".to_owned(), |until| words::duration(run.started_at, until));
    pen.write(&column_right(&lasted, 6, ellipsis), plain(Role::Overlay)).write(" ", ground);
    let cost = run.agent.as_ref().and_then(|agent| agent.tally.cost);
    let cost = cost.map(|cost| match roomy || !cost.estimated {
        true => words::cost(cost),
        false => format!("~{}", words::usd(cost.usd)),
    });
    let cost = cost.unwrap_or_default();
    pen.write(&column_right(&cost, if roomy { 11 } else { 7 }, ellipsis), plain(Role::Overlay))
        .write("  ", ground);
    let text = run.message.as_deref().unwrap_or(&run.label);
    let room = pen.room();
    let role = if run.message.is_some() { Role::Overlay } else { Role::Dim };
    pen.write(&fit(safe_text(text).as_str(), room, ellipsis), plain(role));
}
