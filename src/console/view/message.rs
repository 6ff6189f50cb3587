//! Words for an agent: a panel over the lower part of the board, that says before they are sent when they are heard.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use super::super::layers::MessageForm;
use super::super::layers::message::{CommentPlace, Purpose};
use super::super::rows::is_live;
use super::super::state::Console;
use super::super::theme::Role;
use super::super::words;
use super::Areas;
use super::overlays::frame;
use super::text::{Pen, fit, wrap};
use crate::base::text::safe_text;
use crate::runtime::protocol::promotion::After;
use crate::runtime::protocol::{AgentView, Hearing, RunId};

/// Waiting messages that are listed.
const LISTED: usize = 4;

/// Gives the form its looks.
pub(super) fn dress(console: &Console, form: &mut MessageForm) {
    let focused = !form.on_button;
    form.text.dress(console.theme.style(Role::Overlay), console.theme.style(Role::Cursor), focused);
}

pub(super) fn draw(console: &Console, form: &MessageForm, areas: &Areas, buffer: &mut Buffer) {
    let body = areas.body;
    let columns = usize::from(body.width.saturating_sub(4)).max(1);
    let ground = console.theme.style(Role::Overlay);
    let on = |role: Role| console.theme.over(role, ground);
    let above = above(console, form, columns);
    let text_rows = u16::try_from(form.text.lines()).unwrap_or(u16::MAX).saturating_add(1);
    let text_rows = text_rows.clamp(4, (body.height / 3).max(4));
    let height = (u16::try_from(above.len()).unwrap_or(0) + text_rows + 4).min(body.height);
    let area = Rect { y: body.bottom() - height, height, ..body };
    let inside = frame(console, &title(form), area, buffer);
    if inside.height < 3 {
        return form.text.widget().render(inside, buffer);
    }
    let room = usize::from(inside.height.saturating_sub(3));
    let mut y = inside.y;
    let rule = (console.glyphs.horizontal.repeat(columns), Role::Rule);
    for (text, role) in above.into_iter().take(room.saturating_sub(1)).chain([rule]) {
        Pen::new(buffer, inside.x, y, inside.right()).write(&text, on(role));
        y += 1;
    }
    let text = Rect { y, height: inside.bottom().saturating_sub(y + 1), ..inside };
    if !text.is_empty() {
        form.text.widget().render(text, buffer);
    }
    draw_keys(console, form, Rect { y: inside.bottom() - 1, height: 1, ..inside }, buffer);
}

fn title(form: &MessageForm) -> String {
    let id = words::safe(&form.ticket);
    match &form.purpose {
        Purpose::Say(_) => format!("message to the agent of {id}"),
        Purpose::Retry { .. } => format!("retry {id} with a note"),
        Purpose::Comment(place) => {
            let file = safe_text(&place.file);
            match place.last > place.first {
                true => format!("comment on {file}:{}-{}", place.first, place.last),
                false => format!("comment on {file}:{}", place.first),
            }
        }
        Purpose::Delegate { agent: Some(agent) } => format!("{} works {id}", safe_text(agent)),
        Purpose::Delegate { agent: None } => format!("an agent works {id}"),
        Purpose::Reject { .. } | Purpose::RejectPromotion { .. } => format!("why {id} is rejected"),
        Purpose::Fixes { .. } => format!("what the next round of {id} mends"),
    }
}

/// When the words are heard, what waits already, and what went wrong.
fn above(console: &Console, form: &MessageForm, columns: usize) -> Vec<(String, Role)> {
    let mut lines = Vec::new();
    let mut say =
        |text: &str, role: Role| lines.extend(wrap(text, columns).into_iter().map(|row| (row, role)));
    match &form.purpose {
        Purpose::Say(run) => {
            heard_by(console, run, columns).into_iter().for_each(|(text, role)| say(&text, role));
        }
        Purpose::Retry { .. } => {
            say(
                "The ticket becomes ready and runs again; the agent is told this after its brief.",
                Role::Dim,
            );
        }
        Purpose::Comment(place) => {
            quoted(console, place, columns).iter().for_each(|line| say(line, Role::Dim));
            say("It is kept with its lines and sent with the other comments, once.", Role::Dim);
        }
        Purpose::Delegate { .. } => {
            say(
                "It works in a worktree of its own and spends tokens. A note is told after the brief.",
                Role::Dim,
            );
        }
        Purpose::Reject { seen } => say(
            &format!("The ticket fails with this reason, at {}; its branch stays.", short(seen)),
            Role::Dim,
        ),
        Purpose::RejectPromotion { seen, after } => {
            let then = match after {
                After::Rework => "The ticket is open again, and whoever works it next is told this",
                After::Close => "The ticket fails with this reason",
            };
            say(&format!("{then}; nothing of {} lands.", short(&seen.head)), Role::Dim);
        }
        Purpose::Fixes { seen, .. } => say(
            &format!(
                "One paragraph a finding; [severity] and place in its first line if you like. At {}.",
                short(seen)
            ),
            Role::Dim,
        ),
    }
    if let Some(error) = &form.error {
        say(error, Role::Error);
    }
    lines
}

/// When a run hears what is said, and what waits for it already.
fn heard_by(console: &Console, run: &RunId, columns: usize) -> Vec<(String, Role)> {
    let view = console.snapshot.runs.iter().find(|view| view.id == *run);
    let agent = view.and_then(|view| view.agent.as_deref());
    let mut said = vec![match agent.filter(|_| view.is_some_and(|view| is_live(view))) {
        Some(agent) => hearing(agent),
        None => ("its run is over; nothing said now is heard".to_owned(), Role::Warning),
    }];
    let queued = agent.map(|agent| agent.queued.as_slice()).unwrap_or_default();
    said.extend(queued.iter().take(LISTED).map(|message| {
        let text = format!("{} waits: {}", console.glyphs.operator, safe_text(message));
        (fit(&text, columns, console.glyphs.ellipsis), Role::Dim)
    }));
    if queued.len() > LISTED {
        said.push((format!("  and {} more", queued.len() - LISTED), Role::Dim));
    }
    said
}

/// The lines that a comment is about.
fn quoted(console: &Console, place: &CommentPlace, columns: usize) -> Vec<String> {
    let lines = place.anchor.lines.iter().skip(place.anchor.before as usize);
    let count = (place.last - place.first + 1) as usize;
    lines
        .take(count.min(LISTED))
        .map(|line| format!("{} {}", console.glyphs.vertical, safe_text(line)))
        .map(|text| fit(&text, columns, console.glyphs.ellipsis))
        .collect()
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

fn hearing(agent: &AgentView) -> (String, Role) {
    let name = safe_text(&agent.agent);
    match agent.hearing {
        Hearing::Live => (format!("{name} hears it now, in the middle of its work."), Role::Accent),
        Hearing::NextRound => {
            (format!("{name} hears nothing while it works: it is told in its next round."), Role::Warning)
        }
    }
}

/// The last line of the form: button, keys, and whether the draft is safe.
fn draw_keys(console: &Console, form: &MessageForm, area: Rect, buffer: &mut Buffer) {
    let ground = console.theme.style(Role::Overlay);
    let on = |role: Role| console.theme.over(role, ground);
    let mut pen = Pen::new(buffer, area.x, area.y, area.right());
    let saved = match (form.unsaved.is_some(), form.saved_at) {
        (true, _) => "draft not saved yet".to_owned(),
        (false, Some(at)) => format!("draft saved {}", words::clock(at, &console.settings.zone)),
        (false, None) => String::new(),
    };
    pen.write_right(&saved, on(Role::Dim)).write_right("  ", ground);
    let word = match form.purpose {
        Purpose::Say(_) => "[ Send ]",
        Purpose::Comment(_) => "[ Keep ]",
        Purpose::Retry { .. } => "[ Retry ]",
        Purpose::Delegate { .. } => "[ Start ]",
        Purpose::Reject { .. } | Purpose::RejectPromotion { .. } => "[ Reject ]",
        Purpose::Fixes { .. } => "[ Send back ]",
    };
    pen.write(word, if form.on_button { console.theme.style(Role::Selected) } else { on(Role::Key) });
    let hint = match form.purpose {
        Purpose::Comment(_)
        | Purpose::Say(_)
        | Purpose::Reject { .. }
        | Purpose::RejectPromotion { .. }
        | Purpose::Fixes { .. } => "   Tab to here, then Enter",
        _ => "   Tab to here, then Enter; a note is not needed",
    };
    pen.write(hint, on(Role::Dim));
}
