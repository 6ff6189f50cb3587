//! Drawing: reads the state, writes cells, returns nothing. What is costly was prepared before, by version and width.
//!
//! [`areas`] is the one place that says where things stand; moving and drawing both ask it, so a page is what is seen.

mod agent;
mod answer;
pub(crate) mod detail;
mod earlier;
mod footer;
mod form;
mod header;
mod help;
mod list;
mod message;
mod overlays;
mod pages;
mod promotions;
mod queue;
mod review;
mod run;
pub(crate) mod text;
mod verdict;
mod worktrees;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::plan::ticket::TicketId;
use crate::runtime::protocol::PlanHealth;

use super::layers::Layer;
use super::message::Effect;
use super::state::{Console, Pane};
use super::theme::Role;

pub(crate) use help::overlay_extent;

/// Where everything stands on a screen of one size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Areas {
    pub(crate) header: Rect,
    pub(crate) banner: Rect,
    pub(crate) queue: Rect,
    pub(crate) run: Rect,
    pub(crate) verdict: Rect,
    pub(crate) detail: Rect,
    pub(crate) body: Rect,
    pub(crate) footer: Rect,
}

impl Areas {
    /// Rows of the queue, without its title.
    pub(crate) fn list_height(&self) -> u16 {
        self.queue.height.saturating_sub(1)
    }

    /// Lines of the detail, without its title.
    pub(crate) fn detail_height(&self) -> u16 {
        self.detail.height.saturating_sub(1)
    }
}

/// Below this only header, list and footer remain.
const SMALL: (u16, u16) = (60, 15);
/// From this on all panes stand beside each other.
const WIDE: (u16, u16) = (120, 20);

/// From this width on the queue stays beside the grid.
const GRID_BESIDE: u16 = 180;

/// Whether the panes cannot be walked through because only the list is shown.
pub(crate) fn is_small(size: (u16, u16)) -> bool {
    size.0 < SMALL.0 || size.1 < SMALL.1
}

/// Whether a screen of this size has room for all panes beside each other.
pub(crate) fn has_all_panes(size: (u16, u16)) -> bool {
    size.0 >= WIDE.0 && size.1 >= WIDE.1
}

/// Where everything stands now.
pub(crate) fn areas(console: &Console) -> Areas {
    let (width, height) = console.size;
    let row = |y: u16, rows: u16| Rect::new(0, y, width, rows);
    // On very low screens the list goes last: first the footer goes, then the header.
    let header_rows = u16::from(height >= 2);
    let footer_rows = u16::from(height >= 3);
    let room = height - header_rows - footer_rows;
    let banner_rows = if height < 8 { 0 } else { pages::banner_height(console).min(room / 3) };
    let body = row(header_rows + banner_rows, room - banner_rows);
    let mut areas = Areas {
        header: row(0, header_rows),
        banner: row(header_rows, banner_rows),
        footer: row(height - footer_rows, footer_rows),
        body,
        ..Areas::default()
    };
    let grid = console.shows_grid() && !is_small(console.size);
    let wide = has_all_panes(console.size) && !console.zoom;
    if grid && width < GRID_BESIDE {
        areas.run = body;
    } else if wide {
        let left = (width * 48 / 100).clamp(52, 100);
        let below = (body.height * 2 / 5).clamp(8, 18).min(body.height);
        areas.queue = Rect { width: left, height: body.height - below, ..body };
        areas.detail = Rect { width: left, y: body.y + body.height - below, height: below, ..body };
        let beside = Rect { x: left + 1, width: width - left - 1, ..body };
        let judged = if grid { 0 } else { verdict::wanted_height(console, beside.width, body.height) };
        areas.run = Rect { height: beside.height - judged, ..beside };
        if judged > 0 {
            areas.verdict = Rect { y: beside.bottom() - judged, height: judged, ..beside };
        }
    } else {
        match if is_small(console.size) { Pane::Queue } else { console.focus } {
            Pane::Queue => areas.queue = body,
            Pane::Run => areas.run = body,
            Pane::Verdict => areas.verdict = body,
            Pane::Detail => areas.detail = body,
        }
    }
    areas
}

/// Whether the output pane shows what became of this ticket's run.
fn shows_outcome(console: &Console, ticket: Option<&TicketId>, areas: &Areas) -> bool {
    let shown = console.shown_run().filter(|_| !areas.run.is_empty() && !console.shows_grid());
    let beside = shown.is_some_and(|run| Some(&run.ticket) == ticket && run.agent.is_some());
    beside && run::tells_outcome(areas.run)
}

/// Does what drawing must not: wraps, sorts, measures.
pub(crate) fn prepare(console: &mut Console, area: Rect) {
    let areas = areas(console);
    console.queue.reveal(usize::from(areas.list_height()));
    if !areas.detail.is_empty() {
        let mut pane = std::mem::take(&mut console.detail);
        let ticket = console.queue.selected.clone();
        let beside = shows_outcome(console, ticket.as_ref(), &areas);
        pane.cache.refresh(console, ticket.as_ref(), areas.detail.width, false, beside);
        pane.scroll = pane.scroll.min(pane.cache.len().saturating_sub(usize::from(areas.detail_height())));
        console.detail = pane;
    }
    if !areas.verdict.is_empty() {
        verdict::prepare(console, areas.verdict);
    }
    run::prepare(console, areas.run);
    let mut layers = std::mem::take(&mut console.layers);
    for layer in &mut layers {
        match layer {
            Layer::Page(page) => {
                page.cache.refresh(console, Some(&page.ticket), area.width, page.source, false);
                // Only pages ask for colours: a board that is only looked at never loads a grammar.
                for job in page.cache.jobs() {
                    if console.sources.ask(&job) {
                        console.effects.push(Effect::Paint(job));
                    }
                }
            }
            Layer::Answer(form) => answer::dress(console, form),
            Layer::Ticket(form) => form::dress(console, form),
            Layer::Message(form) => message::dress(console, form),
            Layer::Line(input) => overlays::dress(console, &mut input.text),
            Layer::Palette(palette) => {
                overlays::dress(console, &mut palette.query);
                palette.found.reveal(overlays::palette_rows(&areas));
            }
            Layer::Review(screen) => review::prepare(console, screen, areas.body),
            Layer::Promotions(screen) => promotions::prepare(console, screen, &areas),
            Layer::Menu(menu) => menu.items.reveal(overlays::menu_rows(&areas, menu)),
            Layer::Worktrees(layer) => {
                let rows = worktrees::rows_seen(&areas, layer);
                layer.list.iter_mut().for_each(|list| list.reveal(rows));
            }
            Layer::Earlier(layer) => {
                let rows = earlier::rows_seen(&areas, layer);
                layer.list.iter_mut().for_each(|list| list.reveal(rows));
            }
            Layer::Confirm(_) | Layer::Quit | Layer::Help(_) | Layer::History(_) | Layer::Audit(_) => {}
        }
    }
    console.layers = layers;
}

/// Draws everything.
pub(crate) fn draw(console: &Console, area: Rect, buffer: &mut Buffer) {
    let area = area.intersection(buffer.area);
    fill(buffer, area, console.theme.style(Role::Text));
    if area.is_empty() {
        return;
    }
    let areas = areas(console);
    header::draw(console, areas.header, buffer);
    pages::draw_banner(console, areas.banner, buffer);
    match &console.snapshot.health {
        PlanHealth::Uninitialised => pages::draw_start(console, areas.body, buffer),
        PlanHealth::Refused { .. } if shows_refusal(console) => {
            pages::draw_refused(console, areas.body, buffer);
        }
        // These cover the panes.
        _ if console.review().is_some() || console.promotions().is_some() => {}
        PlanHealth::Loading | PlanHealth::Open { .. } | PlanHealth::Refused { .. } => {
            draw_panes(console, &areas, buffer)
        }
    }
    footer::draw(console, areas.footer, buffer);
    for layer in &console.layers {
        draw_layer(console, layer, &areas, buffer);
    }
    if console.settings.ascii {
        to_ascii(area, buffer);
    }
}

/// A terminal that shows only ASCII gets only ASCII, also where foreign text holds more: a `?` says that something
/// stood there.
fn to_ascii(area: Rect, buffer: &mut Buffer) {
    for y in area.y..area.bottom() {
        for x in area.x..area.right() {
            let cell = &mut buffer[(x, y)];
            if !cell.symbol().is_ascii() {
                let plain = match cell.symbol() {
                    "·" | "−" => "-",
                    "…" => "~",
                    "→" => ">",
                    _ => "?",
                };
                cell.set_symbol(plain);
            }
        }
    }
}

/// Whether the page of a planfile that cannot be opened stands in the place of the panes.
fn shows_refusal(console: &Console) -> bool {
    matches!(console.snapshot.health, PlanHealth::Refused { .. }) && console.snapshot.plan.tickets.is_empty()
}

fn draw_panes(console: &Console, areas: &Areas, buffer: &mut Buffer) {
    queue::draw(console, areas.queue, buffer);
    run::draw(console, areas.run, buffer);
    verdict::draw(console, areas.verdict, buffer);
    detail::draw(console, areas.detail, buffer);
    let rule = console.theme.style(Role::Rule);
    if !areas.queue.is_empty() && !areas.run.is_empty() {
        for y in areas.body.y..areas.body.bottom() {
            buffer.set_string(areas.run.x - 1, y, console.glyphs.vertical, rule);
        }
    }
}

fn draw_layer(console: &Console, layer: &Layer, areas: &Areas, buffer: &mut Buffer) {
    match layer {
        Layer::Answer(form) => answer::draw(console, form, areas, buffer),
        Layer::Ticket(form) => form::draw(console, form, areas, buffer),
        Layer::Message(form) => message::draw(console, form, areas, buffer),
        Layer::Worktrees(list) => worktrees::draw(console, list, areas, buffer),
        Layer::Earlier(list) => earlier::draw(console, list, areas, buffer),
        Layer::Line(input) => overlays::draw_line(console, input, areas, buffer),
        Layer::Palette(palette) => overlays::draw_palette(console, palette, areas, buffer),
        Layer::Menu(menu) => overlays::draw_menu(console, menu, areas, buffer),
        Layer::Confirm(confirm) => overlays::draw_confirm(console, confirm, areas, buffer),
        Layer::Quit => overlays::draw_quit(console, areas, buffer),
        Layer::Help(scrolled) => help::draw_help(console, *scrolled, areas, buffer),
        Layer::History(scrolled) => help::draw_history(console, *scrolled, areas, buffer),
        Layer::Audit(scrolled) => help::draw_audit(console, *scrolled, areas, buffer),
        Layer::Review(screen) => review::draw(console, screen, areas, buffer),
        Layer::Promotions(screen) => promotions::draw(console, screen, areas, buffer),
        Layer::Page(page) => detail::draw_page(console, page, areas, buffer),
    }
}

/// The tickets that a frame of this size shows, with the `updated_at` that stood there.
pub(crate) fn shown_tickets(console: &Console, area: Rect) -> Vec<(TicketId, Option<Timestamp>)> {
    let areas = areas(console);
    let mut shown = Vec::new();
    let mut show = |id: &TicketId| {
        if let Some(ticket) = console.snapshot.plan.ticket(id) {
            shown.push((ticket.id.clone(), ticket.updated_at));
        }
    };
    if area.is_empty() {
        return shown;
    }
    if let Some(Layer::Page(page)) = console.layers.last() {
        show(&page.ticket);
    }
    if let Some(one) = console.promotions().and_then(|screen| screen.drawn.as_ref()) {
        show(&one.promotion.ticket);
    }
    if let Some(review) = console.reviewed().filter(|_| !areas.verdict.is_empty()) {
        show(&review.ticket);
    }
    if let Some(run) = console.shown_run().filter(|_| !areas.run.is_empty()) {
        show(&run.ticket);
    }
    if let Some(selected) = console.queue.selected.as_ref().filter(|_| !areas.detail.is_empty()) {
        show(selected);
    }
    for row in console.queue.visible(usize::from(areas.list_height())) {
        if let Some(ticket) = console.snapshot.plan.tickets.get(row.ticket as usize) {
            shown.push((ticket.id.clone(), ticket.updated_at));
        }
    }
    shown
}

/// The rounds that a frame of this size shows, with the commit that a decision on them is about.
pub(crate) fn shown_heads(console: &Console, area: Rect) -> Vec<(TicketId, String)> {
    if area.is_empty() || areas(console).verdict.is_empty() {
        return Vec::new();
    }
    let review = console.reviewed();
    let shown = review.and_then(|review| Some((review.ticket.clone(), Console::head_of(review)?.to_owned())));
    shown.into_iter().collect()
}

/// Fills an area with blanks of one style.
pub(crate) fn fill(buffer: &mut Buffer, area: Rect, style: Style) {
    let area = area.intersection(buffer.area);
    for y in area.y..area.bottom() {
        for x in area.x..area.right() {
            buffer[(x, y)].reset();
            buffer[(x, y)].set_style(style);
        }
    }
}

/// The style of a pane's title.
pub(crate) fn title_style(console: &Console, pane: Pane) -> Style {
    let focused = console.focus == pane && console.layers.is_empty();
    console.theme.style(if focused { Role::TitleFocus } else { Role::Title })
}
