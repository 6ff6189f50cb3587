//! The inline answer: a panel over the lower part of the board, so that what arrives above stays visible.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use super::super::layers::AnswerForm;
use super::super::layers::answer::Part;
use super::super::state::Console;
use super::super::theme::Role;
use super::super::words;
use super::Areas;
use super::overlays::frame;
use super::text::{Pen, fit, wrap};

/// Gives the form its looks.
pub(super) fn dress(console: &Console, form: &mut AnswerForm) {
    let focused = form.part == Part::Text;
    form.text.dress(console.theme.style(Role::Overlay), console.theme.style(Role::Cursor), focused);
}

pub(super) fn draw(console: &Console, form: &AnswerForm, areas: &Areas, buffer: &mut Buffer) {
    let body = areas.body;
    let columns = usize::from(body.width.saturating_sub(4)).max(1);
    let question: Vec<String> = form.question.iter().flat_map(|line| wrap(line, columns)).collect();
    let choices = choice_lines(form, columns);
    // The question may take a third of the screen, the text grows with what is typed.
    let question_rows = u16::try_from(question.len()).unwrap_or(u16::MAX).clamp(1, (body.height / 3).max(1));
    let choice_rows = u16::try_from(choices.len()).unwrap_or(0);
    let text_rows = u16::try_from(form.text.lines())
        .unwrap_or(u16::MAX)
        .saturating_add(1)
        .clamp(4, (body.height / 3).max(4));
    let height =
        (question_rows + choice_rows + text_rows + 4 + u16::from(form.error.is_some())).min(body.height);
    let area = Rect { y: body.bottom() - height, height, ..body };
    let inside = frame(console, &format!("{}  {}", words::safe(&form.ticket), form.title), area, buffer);
    draw_asked(console, form, area, buffer);
    if inside.height < 3 {
        return form.text.widget().render(inside, buffer);
    }
    let mut y = inside.y;
    let ground = console.theme.style(Role::Overlay);
    let mut line = |text: &str, role: Role, buffer: &mut Buffer| {
        if y + 3 < inside.bottom() {
            let style = console.theme.over(role, ground);
            Pen::new(buffer, inside.x, y, inside.right()).write(text, style);
            y += 1;
        }
    };
    for text in question.iter().skip(form.scroll).take(usize::from(question_rows)) {
        line(text, Role::Overlay, buffer);
    }
    for text in &choices {
        line(text, if form.part == Part::Choices { Role::Key } else { Role::Dim }, buffer);
    }
    if let Some(error) = &form.error {
        line(&fit(error, columns, console.glyphs.ellipsis), Role::Error, buffer);
    }
    let rule = console.glyphs.horizontal.repeat(columns);
    line(&rule, Role::Rule, buffer);
    let text = Rect { y, height: inside.bottom().saturating_sub(y + 1), ..inside };
    if !text.is_empty() {
        form.text.widget().render(text, buffer);
    }
    draw_keys(console, form, Rect { y: inside.bottom() - 1, height: 1, ..inside }, buffer);
}

/// Who asks since when, at the right of the frame.
fn draw_asked(console: &Console, form: &AnswerForm, area: Rect, buffer: &mut Buffer) {
    let Some(ticket) = console.snapshot.plan.ticket(&form.ticket) else { return };
    let since = ticket
        .updated_at
        .or(ticket.created_at)
        .map(|at| format!(" · waiting {}", words::age(at, console.now)));
    let effective =
        console.snapshot.order.effective.get(&form.ticket).map(|effective| effective.priority.clone());
    let priority = effective.unwrap_or_else(|| ticket.priority.clone());
    let text = format!(" {}{} ", crate::base::text::safe_text(priority.word()), since.unwrap_or_default());
    if area.width > 60 {
        let style = console.theme.over(Role::Dim, console.theme.style(Role::Overlay));
        Pen::new(buffer, area.x + area.width / 2, area.y, area.right() - 2).write_right(&text, style);
    }
}

/// The choices, as many on a line as fit.
fn choice_lines(form: &AnswerForm, columns: usize) -> Vec<String> {
    if form.choices.is_empty() {
        return Vec::new();
    }
    let choices: Vec<String> = form
        .choices
        .iter()
        .enumerate()
        .map(|(index, choice)| format!("{} {}", index + 1, crate::base::text::safe_text(choice)))
        .collect();
    wrap(&choices.join("   "), columns).into_iter().take(4).collect()
}

/// The last line of the form: button, keys, and whether the draft is safe.
fn draw_keys(console: &Console, form: &AnswerForm, area: Rect, buffer: &mut Buffer) {
    let ground = console.theme.style(Role::Overlay);
    let on = |role: Role| console.theme.over(role, ground);
    let mut pen = Pen::new(buffer, area.x, area.y, area.right());
    let saved = match (form.unsaved.is_some(), form.saved_at) {
        (true, _) => "draft not saved yet".to_owned(),
        (false, Some(at)) => format!("draft saved {}", words::clock(at, &console.settings.zone)),
        (false, None) => String::new(),
    };
    pen.write_right(&saved, on(Role::Dim)).write_right("  ", ground);
    let button = if form.part == Part::Submit { console.theme.style(Role::Selected) } else { on(Role::Key) };
    pen.write("[ Submit ]", button);
    pen.write("   Tab to here, then Enter", on(Role::Dim));
}
