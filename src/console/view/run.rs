//! The output pane: which run, its output, and whether it follows. With the grid, all running ones beside each other.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::base::text::safe_text;
use crate::runtime::protocol::{RunState, RunView};

use super::super::state::{Console, Pane};
use super::super::theme::Role;
use super::super::words;
use super::text::{Pen, fit};

pub(super) fn draw(console: &Console, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let active: Vec<_> = console.active_runs().take(9).collect();
    if console.runs.grid && active.len() > 1 {
        return draw_grid(console, &active, area, buffer);
    }
    match console.shown_run() {
        Some(run) => draw_run(console, run, area, buffer),
        None => draw_nothing(console, area, buffer),
    }
}

fn draw_nothing(console: &Console, area: Rect, buffer: &mut Buffer) {
    let dim = console.theme.style(Role::Dim);
    Pen::new(buffer, area.x, area.y, area.right()).write(" RUN", super::title_style(console, Pane::Run));
    if area.height > 2 {
        let say = "Nothing has run yet. `s` runs the selected ticket, `w` works the queue.";
        super::pages::write_lines(
            &[say.to_owned()],
            dim,
            Rect { y: area.y + 2, height: area.height - 2, ..area },
            buffer,
        );
    }
}

fn draw_grid(console: &Console, runs: &[&std::sync::Arc<RunView>], area: Rect, buffer: &mut Buffer) {
    let across = if area.width >= 120 && runs.len() > 2 { 2 } else { 1 };
    let count = u16::try_from(runs.len()).unwrap_or(1);
    let down = count.div_ceil(across);
    let (width, height) = (area.width / across, area.height / down);
    for (index, run) in (0u16..).zip(runs) {
        let cell = Rect {
            x: area.x + index % across * width,
            y: area.y + index / across * height,
            width: if index % across + 1 == across { area.width - width * (across - 1) } else { width },
            height,
        };
        if height >= 2 {
            draw_run(console, run, cell, buffer);
        }
    }
}

fn draw_run(console: &Console, run: &RunView, area: Rect, buffer: &mut Buffer) {
    draw_title(console, run, area, buffer);
    if area.height < 3 {
        return;
    }
    let body =
        Rect { x: area.x + 1, y: area.y + 1, width: area.width.saturating_sub(1), height: area.height - 2 };
    if let Some(stream) = console.runs.stream(&run.id) {
        stream.draw(&console.theme, body, buffer);
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
    let stream = console.runs.stream(&run.id);
    let mut pen = Pen::new(buffer, area.x + 1, area.y, area.right().saturating_sub(1));
    let following = stream.is_none_or(|stream| stream.is_following());
    let tail = match (following, run.state.is_active()) {
        (true, true) => "following".to_owned(),
        (true, false) => "end".to_owned(),
        (false, _) => format!("frozen {} {} follows", console.glyphs.ellipsis, "G"),
    };
    pen.write_right(&tail, if following { dim } else { theme.style(Role::Warning) }).write_right("  ", dim);
    if let Some(query) = stream.map(|stream| stream.query()).filter(|query| !query.is_empty()) {
        pen.write(&format!("/ {}  ", safe_text(query)), theme.style(Role::Accent));
    }
    match run.state {
        RunState::Stopping => {
            let left = run.kill_at.map(|at| words::duration(console.now, at));
            let text = left.map_or_else(
                || "stopping".to_owned(),
                |left| format!("stopping, kill in {left} (x kills now)"),
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
        RunState::Interrupted => (glyphs.interrupted, "interrupted", Role::Interrupted),
    }
}
