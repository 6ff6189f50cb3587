//! The runs of one ticket over the board: when, who, how it ended, how long it took, what it cost, and why.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::layers::Earlier;
use super::super::rows::is_live;
use super::super::state::Console;
use super::super::theme::Role;
use super::super::words;
use super::Areas;
use super::list::{self, Ground};
use super::overlays::{frame, list_box};
use super::run::state_of;
use super::text::{Pen, column, column_right, fit};
use crate::base::text::safe_text;
use crate::runtime::protocol::RunView;

/// From this width on a row has room for the exact time and more.
const ROOMY: u16 = 96;

/// The box, and the rows within it.
fn place(areas: &Areas, layer: &Earlier) -> (Rect, Rect) {
    list_box(areas, 118, layer.list.as_ref().map_or(0, |list| list.rows().len()))
}

/// The rows that are seen.
pub(super) fn rows_seen(areas: &Areas, layer: &Earlier) -> usize {
    usize::from(place(areas, layer).1.height)
}

pub(super) fn draw(console: &Console, layer: &Earlier, areas: &Areas, buffer: &mut Buffer) {
    let (outside, rows) = place(areas, layer);
    let id = words::safe(&layer.ticket);
    let title = match &layer.list {
        None => format!("runs of {id}"),
        Some(list) => format!("{} of {id}", words::count(list.rows().len(), "run", "runs")),
    };
    let inside = frame(console, &title, outside, buffer);
    let ground = console.theme.style(Role::Overlay);
    let dim = console.theme.over(Role::Dim, ground);
    let mut line = |y: u16, text: &str| {
        let text = fit(text, usize::from(inside.width), console.glyphs.ellipsis);
        Pen::new(buffer, inside.x, y, inside.right()).write(&text, dim);
    };
    match &layer.list {
        None => return line(inside.y, "reading them…"),
        Some(list) if list.rows().is_empty() => return line(inside.y, "Nothing is kept of any run of it."),
        Some(list) if inside.height > 1 => {
            let older = layer.total.saturating_sub(list.rows().len() as u64);
            let text = match older {
                0 => "newest first".to_owned(),
                older => format!("newest first; {older} older ones are not listed"),
            };
            line(inside.bottom() - 1, &text);
        }
        Some(_) => {}
    }
    if let Some(list) = &layer.list {
        list::draw(console, list, rows, buffer, |_, run, ground, pen| draw_row(console, run, ground, pen));
    }
}

fn draw_row(console: &Console, run: &RunView, ground: &Ground<'_>, pen: &mut Pen<'_>) {
    let plain = |role: Role| ground.on(role);
    let ellipsis = console.glyphs.ellipsis;
    let roomy = pen.room() >= usize::from(ROOMY) - 4;
    let when = match roomy {
        true => words::exact(run.started_at, &console.settings.zone),
        false => column_right(&words::age(run.started_at, console.now), 4, ellipsis),
    };
    pen.write(&when, plain(Role::Overlay)).write("  ", ground.bare());
    let (glyph, word, role) = state_of(console, run.state);
    pen.write(glyph, plain(role)).write(" ", ground.bare());
    pen.write(&column(word, 12, ellipsis), plain(role)).write(" ", ground.bare());
    let who = run.agent.as_ref().map_or(&*run.executor, |agent| &*agent.agent);
    pen.write(&column(safe_text(who).as_str(), 9, ellipsis), plain(Role::Accent)).write(" ", ground.bare());
    // Of a run that broke off nobody knows how long it lasted.
    let until = run.ended_at.or(is_live(run).then_some(console.now));
    let lasted = until.map_or_else(|| "-".to_owned(), |until| words::duration(run.started_at, until));
    pen.write(&column_right(&lasted, 6, ellipsis), plain(Role::Overlay)).write(" ", ground.bare());
    let cost = run.agent.as_ref().and_then(|agent| agent.tally.cost);
    let cost = cost.map(|cost| match roomy || !cost.estimated {
        true => words::cost(cost),
        false => format!("~{}", words::usd(cost.usd)),
    });
    let cost = cost.unwrap_or_default();
    pen.write(&column_right(&cost, if roomy { 11 } else { 7 }, ellipsis), plain(Role::Overlay))
        .write("  ", ground.bare());
    let text = run.message.as_deref().unwrap_or(&run.label);
    let room = pen.room();
    let role = if run.message.is_some() { Role::Overlay } else { Role::Dim };
    pen.write(&fit(safe_text(text).as_str(), room, ellipsis), plain(role));
}
