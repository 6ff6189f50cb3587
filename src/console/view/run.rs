//! The output pane: which run, its output, and whether it follows. With the grid, all running ones beside each other.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::base::text::safe_text;
use crate::runtime::protocol::{RunState, RunView};

use super::super::actions::Action;
use super::super::output::{OutputStyle, OutputView};
use super::super::state::{Console, Pane};
use super::super::theme::Role;
use super::super::words;
use super::text::{Pen, fit};

/// The runs that are shown and where: one, or with the grid all active ones.
fn cells(console: &Console, area: Rect) -> Vec<(Arc<RunView>, Rect)> {
    if area.is_empty() {
        return Vec::new();
    }
    let active: Vec<_> = console.active_runs().take(9).cloned().collect();
    if !console.runs.grid || active.len() < 2 {
        return console.shown_run().map(|run| (Arc::clone(run), area)).into_iter().collect();
    }
    let across = if area.width >= 120 && active.len() > 2 { 2 } else { 1 };
    let down = u16::try_from(active.len()).unwrap_or(1).div_ceil(across);
    let (width, height) = (area.width / across, area.height / down);
    (0u16..)
        .zip(active)
        .map(|(index, run)| {
            let last = index % across + 1 == across;
            let cell = Rect {
                x: area.x + index % across * width,
                y: area.y + index / across * height,
                width: if last { area.width - width * (across - 1) } else { width },
                height,
            };
            (run, cell)
        })
        .filter(|(_, cell)| !cell.is_empty())
        .collect()
}

/// The output within a cell: without title and status.
fn body(cell: Rect) -> Rect {
    if cell.height < 3 { Rect::default() } else { Rect { y: cell.y + 1, height: cell.height - 2, ..cell } }
}

/// Makes the visible lines ready and asks for those that are missing.
pub(super) fn prepare(console: &mut Console, area: Rect) {
    for (run, cell) in cells(console, area) {
        let body = body(cell);
        if body.is_empty() {
            continue;
        }
        let prepared = console.runs.view_mut(&run.id).prepare(body.width, body.height);
        console.runs.busy |= prepared.busy;
        if let Some(need) = prepared.need {
            console.fetch(run.id.clone(), need.from, need.count);
        }
    }
}

pub(super) fn draw(console: &Console, area: Rect, buffer: &mut Buffer) {
    let cells = cells(console, area);
    if cells.is_empty() && !area.is_empty() {
        draw_nothing(console, area, buffer);
    }
    for (run, cell) in cells {
        draw_run(console, &run, cell, buffer);
    }
}

fn draw_nothing(console: &Console, area: Rect, buffer: &mut Buffer) {
    let dim = console.theme.style(Role::Dim);
    Pen::new(buffer, area.x, area.y, area.right()).write(" RUN", super::title_style(console, Pane::Run));
    if area.height > 2 {
        let say = format!(
            "Nothing has run yet. {} runs the selected ticket, {} works the queue.",
            console.key_of(Action::Start),
            console.key_of(Action::Queue)
        );
        super::pages::write_lines(
            &[say],
            dim,
            Rect { y: area.y + 2, height: area.height - 2, ..area },
            buffer,
        );
    }
}

fn draw_run(console: &Console, run: &RunView, area: Rect, buffer: &mut Buffer) {
    draw_title(console, run, area, buffer);
    if area.height < 3 {
        return;
    }
    if let Some(view) = console.runs.view(&run.id) {
        let style = |role: Role| console.theme.style(role);
        let looks = OutputStyle {
            text: style(Role::Text),
            error: style(Role::Error),
            note: style(Role::Accent),
            dim: style(Role::Dim),
            found: style(Role::Hit),
            current: style(Role::HitCurrent),
            error_mark: "!",
            note_mark: console.glyphs.into,
            wrap_mark: console.glyphs.ellipsis,
            color: &|asked| console.theme.worker(asked),
        };
        view.draw(body(area), buffer, &looks);
    }
    draw_status(console, run, Rect { y: area.bottom() - 1, height: 1, ..area }, buffer);
}

fn draw_title(console: &Console, run: &RunView, area: Rect, buffer: &mut Buffer) {
    let theme = &console.theme;
    let dim = theme.style(Role::Dim);
    let shown = console.runs.shown.as_ref() == Some(&run.id);
    let title = if shown { super::title_style(console, Pane::Run) } else { theme.style(Role::Title) };
    let (glyph, word, role) = state(console, run.state);
    let time = words::duration(run.started_at, run.ended_at.unwrap_or(console.now));
    let runs = &console.snapshot.runs;
    let mut pen = Pen::new(buffer, area.x, area.y, area.right().saturating_sub(1));
    pen.write(" RUN  ", title).write(&words::safe(&run.ticket), title).write("  ", dim);
    pen.write(glyph, theme.style(role)).write(" ", dim).write(word, theme.style(role));
    if let Some(code) = run.exit_code.filter(|_| !run.state.is_active()) {
        pen.write(&format!(" ({code})"), theme.style(role));
    }
    if let Some(at) =
        runs.iter().position(|other| other.id == run.id).filter(|_| runs.len() > 1 && !console.runs.grid)
    {
        pen.write_right(&format!("run {}/{} [ ]", at + 1, runs.len()), dim).write_right("  ", dim);
    }
    pen.write(&format!("  {} · {time} · ", safe_text(&run.executor)), dim);
    let room = pen.room();
    pen.write(&fit(safe_text(&run.label).as_str(), room, console.glyphs.ellipsis), dim);
}

fn draw_status(console: &Console, run: &RunView, area: Rect, buffer: &mut Buffer) {
    let theme = &console.theme;
    let dim = theme.style(Role::Dim);
    let status = console.runs.view(&run.id).map(OutputView::status);
    let mut pen = Pen::new(buffer, area.x + 1, area.y, area.right().saturating_sub(1));
    let following = status.as_ref().is_none_or(|status| status.following);
    let tail = match (&status, following, run.state.is_active()) {
        (_, true, true) => "following".to_owned(),
        (_, true, false) => "end".to_owned(),
        (Some(status), false, _) if status.new_lines > 0 => {
            format!("{} new, {} follows", status.new_lines, console.key_of(Action::Bottom))
        }
        (_, false, _) => format!("frozen, {} follows", console.key_of(Action::Bottom)),
    };
    pen.write_right(&tail, if following { dim } else { theme.style(Role::Warning) }).write_right("  ", dim);
    if let Some(search) = status.and_then(|status| status.search).filter(|search| !search.query.is_empty()) {
        let current = search.current.map_or_else(|| "-".to_owned(), |current| current.to_string());
        let more = if search.complete && search.everything { "" } else { "+" };
        let text = format!("/{}  {current}/{}{more}  ", safe_text(&search.query), search.matches);
        pen.write(&text, theme.style(Role::Accent));
    }
    match run.state {
        RunState::Stopping => {
            let left = run.kill_at.map(|at| words::duration(console.now, at));
            let text = left.map_or_else(
                || "stopping".to_owned(),
                |left| format!("stopping, kill in {left} ({} kills now)", console.key_of(Action::Stop)),
            );
            pen.write(&text, theme.style(Role::Stalled));
        }
        state if state.is_active() => {
            let spinner = console.glyphs.spinner;
            let turn = console.moved.as_millisecond().unsigned_abs() / 250;
            let index = usize::try_from(turn % spinner.len() as u64).unwrap_or(0);
            pen.write(spinner.get(index).copied().unwrap_or("*"), theme.style(Role::Running));
            let quiet = run.last_output_at.unwrap_or(run.started_at);
            if console.now.duration_since(quiet).as_secs() >= 3 {
                pen.write(&format!(" silent {}", words::duration(quiet, console.now)), dim);
            }
        }
        _ => {
            let message =
                run.message.as_deref().map(|message| safe_text(message).to_string()).unwrap_or_default();
            let room = pen.room();
            pen.write(&fit(&message, room, console.glyphs.ellipsis), theme.style(Role::Error));
        }
    }
}

/// Shape, word and colour of a run's state.
fn state(console: &Console, state: RunState) -> (&'static str, &'static str, Role) {
    let glyphs = console.glyphs;
    match state {
        RunState::Running => (glyphs.running, "running", Role::Running),
        RunState::NeedsYou => (glyphs.needs_you, "needs you", Role::NeedsYou),
        RunState::Stalled => (glyphs.stalled, "stalled", Role::Stalled),
        RunState::Stopping => (glyphs.stopping, "stopping", Role::Stalled),
        RunState::Done => (glyphs.done, "done", Role::Done),
        RunState::Failed => (glyphs.failed, "failed", Role::Failed),
        RunState::Stopped => (glyphs.canceled, "stopped", Role::Dim),
        RunState::Sleeping => (glyphs.stalled, "sleeping", Role::Stalled),
        RunState::Violation => (glyphs.failed, "policy broken", Role::Failed),
        RunState::Interrupted => (glyphs.interrupted, "interrupted", Role::Interrupted),
    }
}
