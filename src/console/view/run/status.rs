//! The two lines around a run's output: which run it is and how it is; what it does right now and where the view is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::base::text::safe_text;
use crate::console::actions::Action;
use crate::console::output::{Filter, OutputView};
use crate::console::rows::is_live;
use crate::console::state::{Console, Pane};
use crate::console::theme::Role;
use crate::console::view::text::{Pen, fit, fit_with_paths, width};
use crate::console::words;
use crate::runtime::protocol::{AgentPhase, AgentView, Hearing, RunState, RunView};

/// Shape, word and colour of a run's state.
pub(in crate::console::view) fn state(
    console: &Console,
    state: RunState,
) -> (&'static str, &'static str, Role) {
    let glyphs = console.glyphs;
    match state {
        RunState::Running => (glyphs.running, "running", Role::Running),
        RunState::NeedsYou => (glyphs.needs_you, "needs you", Role::NeedsYou),
        RunState::Stalled => (glyphs.stalled, "stalled", Role::Stalled),
        RunState::Stopping => (glyphs.stopping, "stopping", Role::Stalled),
        RunState::Done => (glyphs.done, "done", Role::Done),
        RunState::Failed => (glyphs.failed, "failed", Role::Failed),
        RunState::Stopped => (glyphs.canceled, "stopped", Role::Dim),
        RunState::Sleeping => (glyphs.sleeping, "sleeping", Role::Stalled),
        RunState::Violation => (glyphs.violation, "broke policy", Role::Failed),
        RunState::Interrupted => (glyphs.interrupted, "interrupted", Role::Interrupted),
    }
}

/// The word of a run's state; of an agent that works, what it is at.
fn state_words(console: &Console, run: &RunView) -> String {
    let word = state(console, run.state).1;
    match (run.state, run.agent.as_deref()) {
        (RunState::Running, Some(agent)) if agent.phase != AgentPhase::Over => words::phase(&agent.phase),
        (RunState::Sleeping, Some(AgentView { waits_for_job: true, .. })) => "waits for a job".to_owned(),
        (RunState::Sleeping, Some(AgentView { sleeping_until: Some(until), .. })) => {
            format!("{word} until {}", words::clock_minutes(*until, &console.settings.zone))
        }
        _ => word.to_owned(),
    }
}

pub(super) fn draw_title(console: &Console, run: &RunView, area: Rect, buffer: &mut Buffer) {
    let theme = &console.theme;
    let dim = theme.style(Role::Dim);
    let shown = console.runs.shown.as_ref() == Some(&run.id);
    let title = if shown { super::super::title_style(console, Pane::Run) } else { theme.style(Role::Title) };
    let (glyph, _, role) = state(console, run.state);
    let runs = &console.snapshot.runs;
    let mut pen = Pen::new(buffer, area.x, area.y, area.right().saturating_sub(1));
    let name = if console.runs.is_raw(&run.id) { " RAW  " } else { " RUN  " };
    pen.write(name, title).write(&words::safe(&run.ticket), title).write("  ", dim);
    pen.write(glyph, theme.style(role)).write(" ", dim);
    pen.write(&state_words(console, run), theme.style(role));
    if let Some(code) = run.exit_code.filter(|_| !is_live(run)) {
        pen.write(&format!(" ({code})"), theme.style(role));
    }
    if let Some(at) = runs
        .iter()
        .position(|other| other.id == run.id)
        .filter(|_| runs.len() > 1 && !console.runs.grid && !console.runs.is_opened(&run.id))
    {
        // The keys that go through the runs stand around the place among them.
        let keys = [Action::RunPrevious, Action::RunNext].map(|action| console.key_of(action));
        let key = theme.style(Role::Key);
        pen.write_right(&keys[1], key).write_right(&format!(" run {}/{} ", at + 1, runs.len()), dim);
        pen.write_right(&keys[0], key).write_right("  ", dim);
    }
    if console.runs.is_opened(&run.id) {
        let back = console.key_of(Action::Back);
        pen.write_right(&format!("earlier run · {back} back"), dim).write_right("  ", dim);
    }
    pen.write("  ", dim);
    let ellipsis = console.glyphs.ellipsis;
    match run.agent.as_deref() {
        // What does not fit is left out from the end, whole words only: half a number is a wrong one.
        Some(agent) => {
            for (at, fact) in facts(console, run, agent).into_iter().enumerate() {
                let fact = if at == 0 { fact } else { format!(" · {fact}") };
                if width(&fact) > pen.room() {
                    break;
                }
                pen.write(&fact, dim);
            }
        }
        None => {
            let time = words::duration(run.started_at, run.ended_at.unwrap_or(console.now));
            pen.write(&format!("{} · {time} · ", safe_text(&run.executor)), dim);
            let room = pen.room();
            pen.write(&fit(safe_text(&run.label).as_str(), room, ellipsis), dim);
        }
    }
}

/// What an agent's run amounts to, the most wanted first.
fn facts(console: &Console, run: &RunView, agent: &AgentView) -> Vec<String> {
    let tally = &agent.tally;
    let mut facts = vec![safe_text(&agent.agent).to_string()];
    facts.extend(agent.turn.map(|turn| format!("round {}/{} {}", turn.round, turn.of, turn.role.word())));
    facts.push(words::duration(run.started_at, run.ended_at.unwrap_or(console.now)));
    facts.extend(tally.cost.map(words::cost));
    if tally.tokens.total() > 0 {
        facts.push(words::tokens(tally.tokens));
    }
    if tally.turns > 0 {
        facts.push(words::count(tally.turns as usize, "turn", "turns"));
    }
    let model = tally.model.as_deref().map(|model| safe_text(model).to_string());
    facts.extend(model.filter(|model| !model.is_empty()));
    facts
}

pub(super) fn draw_status(console: &Console, run: &RunView, area: Rect, buffer: &mut Buffer) {
    let theme = &console.theme;
    let dim = theme.style(Role::Dim);
    let status = console.runs.view(&run.id).map(OutputView::status);
    let mut pen = Pen::new(buffer, area.x + 1, area.y, area.right().saturating_sub(1));
    let following = status.as_ref().is_none_or(|status| status.following);
    let tail = match (&status, following, is_live(run)) {
        (_, true, true) => "following".to_owned(),
        (_, true, false) => "end".to_owned(),
        (Some(status), false, _) if status.new_lines > 0 => {
            format!("{} new, {} follows", status.new_lines, console.key_of(Action::Bottom))
        }
        (_, false, _) => format!("frozen, {} follows", console.key_of(Action::Bottom)),
    };
    pen.write_right(&tail, if following { dim } else { theme.style(Role::Warning) }).write_right("  ", dim);
    if let Some(status) = &status {
        if status.reading {
            pen.write("reading…  ", theme.style(Role::Accent));
        }
        if status.filter != Filter::All {
            let text = format!("{} only  ", status.filter.word());
            let text = if status.filter == Filter::NoThinking { "no thinking  " } else { &text };
            pen.write(text, theme.style(Role::Accent));
        }
    }
    let mut searched = false;
    if let Some(search) = status.and_then(|status| status.search).filter(|search| !search.query.is_empty()) {
        let complete = search.complete && search.everything;
        let more = if complete { "" } else { "+" };
        let found = match search.current {
            None if search.matches == 0 && complete => "no hit".to_owned(),
            None => format!("{}{more} hits", search.matches),
            Some(current) => format!("hit {current}/{}{more}", search.matches),
        };
        let room = pen.room().saturating_sub(width(&found) + 5);
        let query = fit(safe_text(&search.query).as_str(), room, console.glyphs.ellipsis);
        pen.write(&format!("/{query}  {found}  "), theme.style(Role::Accent));
        searched = true;
    }
    match run.state {
        // What is searched is what is looked at; the rest of what it does stands in the title.
        _ if searched && pen.room() < 24 => {}
        RunState::Stopping => {
            let left = run.kill_at.map(|at| words::duration(console.now, at));
            let text = left.map_or_else(
                || "stopping".to_owned(),
                |left| format!("stopping, kill in {left} ({} kills now)", console.key_of(Action::Stop)),
            );
            pen.write(&text, theme.style(Role::Stalled));
        }
        RunState::Sleeping => draw_sleep(console, run, &mut pen),
        _ if is_live(run) => draw_activity(console, run, &mut pen),
        _ => {
            let message =
                run.message.as_deref().map(|message| safe_text(message).to_string()).unwrap_or_default();
            let room = pen.room();
            pen.write(&fit(&message, room, console.glyphs.ellipsis), theme.style(Role::Error));
        }
    }
}

fn draw_sleep(console: &Console, run: &RunView, pen: &mut Pen<'_>) {
    if run.agent.as_ref().is_some_and(|agent| agent.waits_for_job) {
        let jobs = words::count(console.snapshot.queue.jobs as usize, "job is", "jobs are");
        let more = console.key_of(Action::JobsMore);
        pen.write(
            &format!("awake again; {jobs} taken, {more} allows one more"),
            console.theme.style(Role::Stalled),
        );
        return;
    }
    let until = run.agent.as_ref().and_then(|agent| agent.sleeping_until);
    let left = until.map(|until| format!("goes on by itself in {}", words::duration(console.now, until)));
    let why = run.message.as_deref().map(|why| format!(": {}", safe_text(why))).unwrap_or_default();
    let text = format!("{}{why}", left.unwrap_or_else(|| "goes on by itself".to_owned()));
    let room = pen.room();
    pen.write(&fit(&text, room, console.glyphs.ellipsis), console.theme.style(Role::Stalled));
}

/// Columns for what an agent does right now, before less wanted facts are told.
const DOING: usize = 24;

/// What it does right now, how long it has been silent, and whether it hears.
fn draw_activity(console: &Console, run: &RunView, pen: &mut Pen<'_>) {
    let theme = &console.theme;
    let dim = theme.style(Role::Dim);
    let spinner = console.glyphs.spinner;
    let turn = console.moved.as_millisecond().unsigned_abs() / 250;
    let index = usize::try_from(turn % spinner.len() as u64).unwrap_or(0);
    pen.write(spinner.get(index).copied().unwrap_or("*"), theme.style(Role::Running));
    let quiet = run.last_output_at.unwrap_or(run.started_at);
    let silent = console.now.duration_since(quiet).as_secs() >= 3;
    let silence = format!("silent {}", words::duration(quiet, console.now));
    let Some(agent) = run.agent.as_deref() else {
        if silent {
            pen.write(&format!(" {silence}"), dim);
        }
        return;
    };
    // The most wanted first; what does not fit is left out whole.
    let mut facts = Vec::new();
    if silent {
        facts.push((silence, if run.state == RunState::Stalled { Role::Stalled } else { Role::Dim }));
    }
    if agent.pausing {
        facts.push(("pauses after this turn".to_owned(), Role::Warning));
    }
    if !agent.queued.is_empty() {
        let waiting = words::count(agent.queued.len(), "message waits", "messages wait");
        facts.push((waiting, Role::Accent));
    }
    let hearing = match agent.hearing {
        Hearing::Live => "hears you",
        Hearing::NextRound => "hears later",
    };
    facts.push((hearing.to_owned(), Role::Dim));

    let mut room = pen.room().saturating_sub(2);
    let mut shown: Vec<(String, Role)> = Vec::new();
    for (text, role) in facts {
        let wide = width(&text) + 3;
        // What it does is worth more than whether it hears: that stands where a message is written.
        let usual = agent.hearing == Hearing::Live && text == hearing;
        let spare = if usual { room.saturating_sub(DOING) } else { room };
        if wide <= spare {
            room -= wide;
            shown.push((text, role));
        }
    }
    for (at, (text, role)) in shown.iter().enumerate().rev() {
        pen.write_right(text, theme.style(*role)).write_right(if at > 0 { " · " } else { " " }, dim);
    }
    // A word and a half of it would say nothing.
    if let Some(doing) = agent.tally.doing.as_ref().filter(|_| pen.room() >= DOING / 2) {
        let room = pen.room().saturating_sub(2);
        let doing = safe_text(doing);
        pen.write(" ", dim).write(&fit_with_paths(doing.as_str(), room, console.glyphs.ellipsis), dim);
    }
}
