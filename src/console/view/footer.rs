//! The last row: what was said last, and the three keys that are most useful here.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::actions::{Action, Scope};
use super::super::layers::Layer;
use super::super::review::ReviewScreen;
use super::super::rows::RowState;
use super::super::state::{Console, Notice, NoticeKind, Pane};
use super::super::theme::Role;
use super::super::update::available;
use super::text::{Pen, fit, width};
use crate::plan::ticket::TicketId;

pub(super) fn draw(console: &Console, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let (key, dim) = (console.theme.style(Role::Key), console.theme.style(Role::Dim));
    let hints: Vec<(String, &str)> = useful(console)
        .into_iter()
        .filter_map(|action| Some((console.settings.keymap.key_name(action)?, title(console, action))))
        .collect();
    let hints_width: usize = hints.iter().map(|(key, title)| width(key) + width(title) + 4).sum();
    let total = usize::from(area.width);
    let mut pen = Pen::new(buffer, area.x + 1, area.y, area.right().saturating_sub(1));
    let notice = console.notices.current();
    if let Some(notice) = notice {
        let needed = width(&notice.text) + 3;
        // On a narrow screen what was said is worth more than the keys, which `?` shows too.
        if hints_width + needed + 2 > total {
            let (shape, role) = shape(console, notice);
            pen.write(shape, console.theme.style(role)).write(" ", dim);
            let room = pen.room();
            pen.write(&fit(&notice.text, room, console.glyphs.ellipsis), console.theme.style(role));
            return;
        }
    }
    for (name, title) in &hints {
        pen.write(name, key).write(" ", dim).write(title, dim).write("   ", dim);
    }
    match notice {
        Some(notice) => {
            let (shape, role) = shape(console, notice);
            pen.write_right(&format!("{shape} {}", notice.text), console.theme.style(role));
        }
        None if console.layers.is_empty() => {
            if let Some(name) = console.settings.keymap.key_name(Action::Palette) {
                pen.write_right(&format!("{name} palette"), dim);
            }
        }
        None => {}
    }
}

fn shape(console: &Console, notice: &Notice) -> (&'static str, Role) {
    match notice.kind {
        NoticeKind::Info => (console.glyphs.into, Role::Text),
        NoticeKind::Done => (console.glyphs.done, Role::Done),
        NoticeKind::Refused => (console.glyphs.failed, Role::Error),
    }
}

/// What an action is called here.
fn title(console: &Console, action: Action) -> &'static str {
    match (action, console.layers.last()) {
        (Action::Back, Some(Layer::Answer(_) | Layer::Ticket(_) | Layer::Message(_))) => {
            "keep the draft and close"
        }
        (Action::Back, Some(Layer::Line(line))) => line.kind.back(),
        (Action::Back, Some(_)) => "close",
        (Action::Accept, Some(Layer::Earlier(_))) => "read its output",
        (Action::Accept, Some(Layer::Line(line))) => line.kind.accept(),
        (Action::Source, Some(Layer::Page(page))) if page.source => "text",
        _ => action.spec().title,
    }
}

/// The three most useful actions here, and the help.
fn useful(console: &Console) -> Vec<Action> {
    let mut wanted: Vec<Action> = match console.layers.last() {
        Some(Layer::Ticket(form)) if form.offered.is_some() => {
            return vec![Action::Submit, Action::OtherDraft, Action::Back];
        }
        Some(Layer::Worktrees(_)) => {
            return vec![Action::Prune, Action::PruneAll, Action::Attach, Action::Back];
        }
        Some(Layer::Earlier(_) | Layer::Line(_)) => return vec![Action::Accept, Action::Back],
        Some(Layer::Answer(_) | Layer::Ticket(_) | Layer::Message(_)) => {
            return vec![Action::Submit, Action::Editor, Action::Back];
        }
        Some(Layer::Review(screen)) => return reviewing(console, screen),
        Some(Layer::Promotions(_)) => return promoting(console),
        Some(Layer::Page(_)) => vec![Action::Back, Action::Source],
        Some(_) => return vec![Action::Back],
        None if console.scopes() == [Scope::Init] => return vec![Action::Init, Action::Help, Action::Quit],
        None if console.focus == Pane::Run => vec![Action::Say, Action::Stop, Action::Search, Action::Bottom],
        None if console.focus == Pane::Verdict => {
            vec![Action::VerdictFinding, Action::VerdictApprove, Action::VerdictReject]
        }
        None => Vec::new(),
    };
    wanted.extend(fitting(console));
    wanted.extend([Action::Open, Action::FocusNext, Action::Create, Action::Queue, Action::Filter]);
    let mut shown: Vec<Action> = Vec::new();
    for action in wanted {
        let here = action.spec().scopes.iter().any(|scope| console.scopes().contains(scope));
        if here && !shown.contains(&action) && available(console, action).is_ok() {
            shown.push(action);
        }
        if shown.len() == 3 {
            break;
        }
    }
    shown.push(Action::Help);
    shown
}

/// What a review asks for: comments that wait, else findings, else the decision.
fn reviewing(console: &Console, screen: &ReviewScreen) -> Vec<Action> {
    let waiting = screen.notebook.comments.iter().any(|comment| comment.sent.is_none());
    let mut wanted = vec![Action::ReviewComment, Action::ReviewHunkNext];
    if waiting {
        wanted.insert(0, Action::ReviewSend);
    }
    wanted.extend([
        Action::ReviewApprove,
        Action::ReviewReject,
        Action::ReviewFileNext,
        Action::ReviewFinding,
    ]);
    wanted.retain(|action| available(console, *action).is_ok());
    wanted.truncate(5);
    wanted.push(Action::Help);
    wanted
}

/// What may be decided about the promotion with the cursor.
fn promoting(console: &Console) -> Vec<Action> {
    let mut wanted = vec![
        Action::PromotionStop,
        Action::PromotionApprove,
        Action::PromotionReject,
        Action::PromotionUndo,
        Action::PromotionDiff,
        Action::PromotionFilter,
        Action::Back,
    ];
    wanted.retain(|action| available(console, *action).is_ok());
    wanted.truncate(4);
    wanted.push(Action::Help);
    wanted
}

/// What the selected ticket's state asks for.
fn fitting(console: &Console) -> Vec<Action> {
    let Some(ticket) = console.subject() else { return Vec::new() };
    match console.state_of(ticket) {
        RowState::NeedsYou if console.snapshot.reviews.contains_key(&ticket.id) => {
            vec![Action::VerdictShow, Action::Answer]
        }
        RowState::NeedsYou if was_worked(console, &ticket.id) => vec![Action::Answer, Action::Diff],
        RowState::NeedsYou => vec![Action::Answer],
        RowState::Violation => vec![Action::Open, Action::RetryNote, Action::Release],
        RowState::Failed if console.run_of(&ticket.id).is_none() => vec![Action::Retry, Action::Earlier],
        RowState::Failed => vec![Action::Retry, Action::Edit],
        RowState::Interrupted => vec![Action::Retry, Action::Release],
        RowState::Stalled | RowState::Running | RowState::Stopping | RowState::Sleeping => {
            vec![Action::Say, Action::Stop]
        }
        RowState::Ready | RowState::Held => vec![Action::Start, Action::Answer],
        RowState::NoRunner => vec![Action::Delegate, Action::Edit],
        RowState::Waiting | RowState::Refused => vec![Action::Edit],
        RowState::Blocked => vec![Action::Retry],
        RowState::Done if console.waits_to_land(&ticket.id).is_some() => {
            vec![Action::Promotions, Action::Diff]
        }
        RowState::Review | RowState::Done if was_worked(console, &ticket.id) => vec![Action::Diff],
        RowState::Review | RowState::Invalid | RowState::Done | RowState::Canceled => Vec::new(),
    }
}

/// Whether an agent's work on a ticket is there to be looked at.
fn was_worked(console: &Console, ticket: &TicketId) -> bool {
    let run = console.run_of(ticket).and_then(|run| run.agent.as_deref());
    run.is_some_and(|agent| agent.worktree.is_some()) || console.snapshot.reviews.contains_key(ticket)
}
