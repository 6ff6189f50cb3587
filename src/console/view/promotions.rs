//! The screen of work that lands: a list, and the card of the one with the cursor; beside each other where there is room,
//! else under each other.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::actions::Action;
use super::super::promotions::{PromotionsScreen, card::Around, risk, shape};
use super::super::state::Console;
use super::super::theme::Role;
use super::super::words;
use super::Areas;
use super::list::{self, Ground};
use super::text::{Pen, column, column_right, fit};
use crate::base::text::safe_text;
use crate::runtime::protocol::promotion::PromotionView;

/// From this width on the card stands beside the list.
const BESIDE: u16 = 110;

struct Places {
    title: Rect,
    list: Rect,
    /// A line of what is wrong, above the card.
    card: Rect,
}

fn places(body: Rect) -> Places {
    let title = Rect { height: 1.min(body.height), ..body };
    let rest = Rect { y: body.y + title.height, height: body.height - title.height, ..body };
    if body.width >= BESIDE {
        let columns = body.width * 11 / 20;
        let card = Rect { x: rest.x + columns + 2, width: rest.width - columns - 2, ..rest };
        return Places { title, list: Rect { width: columns, ..rest }, card };
    }
    let rows = (rest.height / 3).clamp(1, 12).min(rest.height);
    let below = (rows + 1).min(rest.height);
    let card = Rect {
        x: rest.x + 1,
        width: rest.width.saturating_sub(2),
        y: rest.y + below,
        height: rest.height - below,
    };
    Places { title, list: Rect { height: rows, ..rest }, card }
}

/// Does what drawing must not: wraps the card, and notes what this frame shows of it.
pub(super) fn prepare(console: &Console, screen: &mut PromotionsScreen, areas: &Areas) {
    let places = places(areas.body);
    screen.list.reveal(usize::from(places.list.height));
    let chosen = screen.chosen().cloned();
    let around = Around {
        view: &console.snapshot.promotions,
        glyphs: console.glyphs,
        zone: &console.settings.zone,
        stop: console.key_of(Action::PromotionStop),
    };
    screen.card.refresh(chosen.as_ref(), &around, usize::from(places.card.width));
    screen.card_height = usize::from(places.card.height);
    screen.scroll = screen.scroll.min(screen.card.lines.len().saturating_sub(screen.card_height));
    // A card of which nothing is seen shows nothing to decide on.
    screen.drawn = chosen.filter(|_| !places.card.is_empty() && !places.list.is_empty());
    screen.strayed = false;
}

pub(super) fn draw(console: &Console, screen: &PromotionsScreen, areas: &Areas, buffer: &mut Buffer) {
    let body = areas.body.intersection(buffer.area);
    if body.is_empty() {
        return;
    }
    super::fill(buffer, body, console.theme.style(Role::Text));
    let places = places(body);
    draw_title(console, screen, places.title, buffer);
    let rule = console.theme.style(Role::Rule);
    if body.width >= BESIDE {
        for y in places.list.y..places.list.bottom() {
            buffer.set_string(places.list.right(), y, console.glyphs.vertical, rule);
        }
    } else if places.card.height > 0 {
        let line = console.glyphs.horizontal.repeat(usize::from(body.width));
        Pen::new(buffer, body.x, places.list.bottom(), body.right()).write(&line, rule);
    }
    if screen.list.rows().is_empty() {
        return draw_nothing(console, screen, places.list, buffer);
    }
    list::draw_on(Role::Text, console, &screen.list, places.list, buffer, |_, one, ground, pen| {
        draw_row(console, screen, one, ground, pen);
    });
    for (y, line) in (places.card.y..places.card.bottom()).zip(screen.card.lines.iter().skip(screen.scroll)) {
        let mut pen = Pen::new(buffer, places.card.x, y, places.card.right());
        for (text, role) in line {
            pen.write(text, console.theme.style(*role));
        }
    }
}

fn draw_title(console: &Console, screen: &PromotionsScreen, area: Rect, buffer: &mut Buffer) {
    let (dim, view) = (console.theme.style(Role::Dim), &console.snapshot.promotions);
    let mut pen = Pen::new(buffer, area.x, area.y, area.right().saturating_sub(1));
    pen.write(" PROMOTIONS ", console.theme.style(Role::TitleFocus)).write(" ", dim);
    pen.write(screen.filter.word(), console.theme.style(Role::Accent));
    let rows = screen.list.rows().len();
    pen.write(&format!(" {rows} of {}", view.list.len()), dim);
    if !screen.query.is_empty() {
        let query = fit(safe_text(&screen.query).as_str(), 24, console.glyphs.ellipsis);
        pen.write(&format!("  / {query}"), console.theme.style(Role::Accent));
    }
    if !screen.marks.is_empty() {
        pen.write(&format!("  {} marked", screen.marks.len()), console.theme.style(Role::Accent));
    }
    if let Some(trouble) = view.troubles.first() {
        let more = match view.troubles.len() {
            1 => String::new(),
            many => format!(" (and {} more)", many - 1),
        };
        let text = format!("  {} {}{more}", console.glyphs.failed, safe_text(trouble));
        let text = fit(&text, pen.room(), console.glyphs.ellipsis);
        pen.write(&text, console.theme.style(Role::Warning));
        return;
    }
    let lines = screen.card.lines.len();
    if lines > screen.card_height {
        let seen = (screen.scroll + screen.card_height).min(lines);
        pen.write_right(&format!("card {seen}/{lines}"), dim);
    }
}

fn draw_nothing(console: &Console, screen: &PromotionsScreen, area: Rect, buffer: &mut Buffer) {
    let text = match (console.snapshot.promotions.looks, screen.query.as_str(), screen.filter.word()) {
        (0, ..) => "looking…".to_owned(),
        (_, "", "pending") => "Nothing waits to land: finished work of an agent comes here.".to_owned(),
        (_, "", "all") => "There was no finished work of an agent yet.".to_owned(),
        (_, "", word) => format!("Nothing is {word}."),
        _ => "Nothing here holds these words.".to_owned(),
    };
    let text = fit(&text, usize::from(area.width).saturating_sub(2), console.glyphs.ellipsis);
    let style = console.theme.style(Role::Dim);
    Pen::new(buffer, area.x + 1, area.y, area.right()).write(&text, style);
}

fn draw_row(
    console: &Console,
    screen: &PromotionsScreen,
    one: &Arc<PromotionView>,
    ground: &Ground<'_>,
    pen: &mut Pen<'_>,
) {
    let promotion = &one.promotion;
    let (ellipsis, wide) = (console.glyphs.ellipsis, pen.room() >= 76);
    let on = |role: Role| ground.on(role);
    let lands =
        console.snapshot.promotions.landing.as_ref().is_some_and(|landing| landing.id == promotion.id);
    let (glyph, word, role) = match lands {
        true => (console.glyphs.running, "landing", Role::Running),
        false => shape(promotion, console.glyphs),
    };
    let mark = if screen.is_marked(&promotion.id) { console.glyphs.note } else { " " };
    pen.write(mark, on(Role::Accent)).write(glyph, on(role)).write(" ", ground.bare());
    pen.write(&column(word, 8, ellipsis), on(role)).write(" ", ground.bare());
    let (word, role) = risk(promotion.risk);
    pen.write(&column(word, 6, ellipsis), on(role)).write(" ", ground.bare());
    let id = words::safe(&promotion.ticket);
    pen.write(&column(&id, 9, ellipsis), on(Role::Accent)).write(" ", ground.bare());
    let diff = &promotion.diff;
    if wide {
        let files = words::count(diff.files as usize, "file", "files");
        pen.write(&column_right(&files, 9, ellipsis), on(Role::Text)).write(" ", ground.bare());
    }
    let lines = format!("+{} −{}", diff.added, diff.removed);
    pen.write(&column_right(&lines, 9, ellipsis), on(Role::Dim)).write(" ", ground.bare());
    let age = words::age(promotion.created_at, console.now);
    pen.write(&column_right(&age, 4, ellipsis), on(Role::Dim)).write("  ", ground.bare());
    if wide {
        let base = format!("{} {}", console.glyphs.into, safe_text(&promotion.base_branch));
        pen.write_right(&fit(&base, 16, ellipsis), on(Role::Dim));
    }
    let title = fit(safe_text(&promotion.title).as_str(), pen.room().saturating_sub(1), ellipsis);
    pen.write(&title, on(Role::Text));
}
