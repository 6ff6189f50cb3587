//! The queue pane. Only the visible rows are formatted, so ten thousand tickets cost as much as twenty.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::base::text::safe_text;
use crate::plan::queue::Standing;
use crate::plan::ticket::Ticket;
use crate::runtime::protocol::PlanHealth;

use super::super::actions::Action;
use super::super::layers::Layer;
use super::super::layers::line::LineKind;
use super::super::rows::{Row, RowState, held_why, is_live};
use super::super::state::{Console, Pane};
use super::super::theme::Role;
use super::super::words;
use super::text::{Pen, column, column_right, fit, width};

/// Columns that the state takes at most: `waits` and an id of ten letters. What is left belongs to the title.
const STATE: usize = 16;

/// Columns of a row; 0 leaves a column out.
struct Columns {
    id: usize,
    priority: usize,
    kind: usize,
    state: usize,
    age: usize,
}

pub(super) fn draw(console: &Console, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    draw_title(console, area, buffer);
    let height = usize::from(area.height - 1);
    let rows = console.queue.visible(height);
    if rows.is_empty() {
        let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
        return super::pages::draw_empty(console, body, buffer);
    }
    let columns = measure(console, rows, usize::from(area.width));
    for (offset, row) in rows.iter().enumerate() {
        let y = area.y + 1 + u16::try_from(offset).unwrap_or(u16::MAX);
        draw_row(console, row, &columns, Rect { y, height: 1, ..area }, buffer);
    }
}

fn draw_title(console: &Console, area: Rect, buffer: &mut Buffer) {
    let style = super::title_style(console, Pane::Queue);
    let dim = console.theme.style(Role::Dim);
    let counts = console.queue.rows.counts;
    let view = &console.queue.view;
    let sprint =
        view.sprint.as_deref().map_or_else(|| "all sprints".to_owned(), |name| safe_text(name).to_string());
    let mut pen = Pen::new(buffer, area.x, area.y, area.right().saturating_sub(1));
    pen.write(" QUEUE", style);
    if filter_is_typed(console) {
        pen.write("  / ", style);
        return;
    }
    let position = if console.queue.rows.rows.is_empty() {
        String::new()
    } else {
        format!("{}/{}", console.queue.cursor.at() + 1, console.queue.rows.rows.len())
    };
    pen.write(&format!("  {}", fit(&sprint, 16, console.glyphs.ellipsis)), dim);
    if console.snapshot.health != PlanHealth::Loading {
        pen.write(&format!("  {} open", counts.open), dim);
    }
    pen.write_right(&position, dim).write_right(" ", dim);
    if !view.filter.is_empty() {
        let room = pen.room().saturating_sub(4);
        pen.write(
            &format!("  / {}", fit(&view.filter, room, console.glyphs.ellipsis)),
            console.theme.style(Role::Accent),
        );
    } else if console.queue.rows.folded > 0 {
        let key = console.key_of(Action::Finished);
        pen.write(&format!("  {} {} finished", console.glyphs.folded, console.queue.rows.folded), dim);
        pen.write(&format!("  {key}"), console.theme.style(Role::Key)).write(" shows them", dim);
    }
}

fn filter_is_typed(console: &Console) -> bool {
    matches!(console.layers.last(), Some(Layer::Line(input)) if matches!(input.kind, LineKind::Filter { .. }))
}

fn measure(console: &Console, rows: &[Row], total: usize) -> Columns {
    let tickets = &console.snapshot.plan.tickets;
    let ids = rows
        .iter()
        .filter_map(|row| tickets.get(row.ticket as usize))
        .map(|ticket| width(ticket.id.as_str()));
    let id = ids.max().unwrap_or(7).clamp(4, 12);
    let states = rows.iter().filter_map(|row| Some((tickets.get(row.ticket as usize)?, row.state)));
    let state = states.map(|(ticket, state)| width(&state_words(console, ticket, state))).max().unwrap_or(0);
    let state = state.min(STATE);
    let ages = rows.iter().filter_map(|row| tickets.get(row.ticket as usize));
    let age = ages.map(|ticket| width(&age(console, ticket))).max().unwrap_or(0).clamp(3, 4);
    match total {
        0..24 => Columns { id, priority: 0, kind: 0, state: 0, age: 0 },
        24..40 => Columns { id, priority: 0, kind: 0, state: 9, age: 0 },
        40..48 => Columns { id, priority: 5, kind: 0, state: 11, age: 0 },
        48..80 => Columns { id, priority: 5, kind: 0, state, age },
        80..100 => Columns { id, priority: 5, kind: 5, state, age },
        _ => Columns { id, priority: 9, kind: 5, state, age },
    }
}

fn draw_row(console: &Console, row: &Row, columns: &Columns, area: Rect, buffer: &mut Buffer) {
    let Some(ticket) = console.snapshot.plan.tickets.get(row.ticket as usize) else { return };
    let theme = &console.theme;
    let selected = console.queue.selected.as_ref() == Some(&ticket.id);
    let ground = match (selected, console.focus == Pane::Queue) {
        (true, true) => theme.style(Role::Selected),
        (true, false) => theme.style(Role::SelectedFaint),
        (false, _) => Style::new(),
    };
    buffer.set_style(area.intersection(buffer.area), ground);
    let on = |role: Role| theme.over(role, ground);
    let quiet = if row.state.is_finished() { Role::Dim } else { Role::Text };
    let ellipsis = console.glyphs.ellipsis;
    let mut pen = Pen::new(buffer, area.x, area.y, area.right().saturating_sub(1));
    pen.write(" ", ground).write(row.state.glyph(console.glyphs), on(row.state.role())).write(" ", ground);
    pen.write(&column(safe_text(ticket.id.as_str()).as_str(), columns.id, ellipsis), on(Role::Dim))
        .write(" ", ground);
    if columns.age > 0 {
        pen.write_right(&column_right(&age(console, ticket), columns.age, ellipsis), on(Role::Dim));
        pen.write_right(" ", ground);
    }
    if columns.state > 0 {
        let word = state_words(console, ticket, row.state);
        let word = if columns.kind > 0 {
            column(&word, columns.state, ellipsis)
        } else {
            // With no column before it, what a short word leaves free is the title's.
            fit(&word, columns.state, ellipsis)
        };
        pen.write_right(&word, on(row.state.role()));
        pen.write_right("  ", ground);
    }
    if columns.kind > 0 {
        let kind = safe_text(ticket.executor.kind.word()).to_string();
        pen.write_right(&column(&kind, columns.kind, ellipsis), on(Role::Dim)).write_right("  ", ground);
    }
    if columns.priority > 0 {
        let (text, role) = priority(console, ticket, columns.priority);
        pen.write(&column(&text, columns.priority, ellipsis), on(role)).write(" ", ground);
    }
    // Two blanks at least between the title and what stands at the right.
    let room = pen.room();
    pen.write(&fit(safe_text(&ticket.name).as_str(), room, ellipsis), on(quiet));
}

/// The word of a state, or what says more in as much room.
fn state_words(console: &Console, ticket: &Ticket, state: RowState) -> String {
    match state {
        RowState::Waiting => match console.snapshot.order.standing.get(&ticket.id) {
            Some(Standing::Waiting { reasons }) if !reasons.is_empty() => words::waiting_short(&reasons[0]),
            _ => state.word().to_owned(),
        },
        RowState::Held => {
            held_why(&console.snapshot, &ticket.id).map_or_else(|| state.word().to_owned(), words::held_short)
        }
        RowState::Running | RowState::NeedsYou => match console.snapshot.reviews.get(&ticket.id) {
            Some(review) if !review.rounds.is_empty() => format!("{} r{}", state.word(), review.rounds.len()),
            _ => state.word().to_owned(),
        },
        _ => state.word().to_owned(),
    }
}

/// The priority that counts, marked when it is higher than the one on disk.
fn priority(console: &Console, ticket: &Ticket, columns: usize) -> (String, Role) {
    let effective = console.snapshot.order.effective.get(&ticket.id);
    let counts = effective.map_or(&ticket.priority, |effective| &effective.priority);
    let lifted = effective.is_some_and(|effective| !effective.reasons.is_empty());
    let word = if columns < 9 { words::priority_short(counts) } else { safe_text(counts.word()).to_string() };
    let role = if counts.rank() <= 1 { Role::Urgent } else { Role::Dim };
    (if lifted { word + console.glyphs.lifted } else { word }, role)
}

/// How long it is as it is: of a run its time, else since the last change.
fn age(console: &Console, ticket: &Ticket) -> String {
    let run = console.run_of(&ticket.id).filter(|run| is_live(run)).map(|run| run.started_at);
    let since = run.or(ticket.execution.finished_at).or(ticket.updated_at).or(ticket.created_at);
    since.map(|since| words::age(since, console.now)).unwrap_or_default()
}
