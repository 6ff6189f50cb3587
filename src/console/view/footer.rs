//! The last row: what was said last, the keys that are most useful here, and the way out.
//!
//! A key stands here only where it does something: what is offered is asked of the same table and of the same answer
//! to "does it work now" that the keys are.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::actions::{Action, Scope};
use super::super::layers::{Confirm, Layer};
use super::super::review::ReviewScreen;
use super::super::rows::{RowState, is_live};
use super::super::state::{Console, Notice, NoticeKind, Pane};
use super::super::theme::Role;
use super::super::update::available;
use super::text::{Pen, fit, width, wrap};
use crate::plan::ticket::TicketId;

/// A key and what it does here.
pub(super) type Hint = (String, &'static str);

/// Useful keys, beside the way out and the help.
const USEFUL: usize = 3;
/// On a screen of its own more is done than elsewhere, and it has the whole row.
const USEFUL_ON_SCREENS: usize = 5;
/// Hints that give way to nothing but a long message.
const LASTING: usize = 2;
/// Most rows of a message.
const SAID: usize = 3;

pub(super) fn draw(console: &Console, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let dim = console.theme.style(Role::Dim);
    let total = usize::from(area.width).saturating_sub(2);
    let notice = console.notices.current();
    // What was said takes the room of keys, but not that of the way out.
    let said = notice.map_or(0, |notice| width(&notice.text) + 3);
    let hints = fitting_into(hints(console), total.saturating_sub(said));
    let used = measure(&hints);
    // On a narrow screen what was said is worth more than the keys, which `?` shows too.
    if let Some(notice) = notice.filter(|notice| used + width(&notice.text) + 2 > total) {
        return draw_notice(console, notice, area, buffer);
    }
    let mut pen = Pen::new(buffer, area.x + 1, area.y, area.right().saturating_sub(1));
    write_hints(console, &hints, dim, &mut pen);
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

/// A message by itself. One that needs more than the row stands on the rows above too: its end says what to do next.
fn draw_notice(console: &Console, notice: &Notice, area: Rect, buffer: &mut Buffer) {
    let (shape, role) = shape(console, notice);
    let columns = usize::from(area.width).saturating_sub(4);
    let mut lines = wrap(&notice.text, columns);
    let most = SAID.min(usize::from(area.y) + 1);
    if lines.len() > most {
        let rest = lines.split_off(most - 1).join(" ");
        lines.push(fit(&rest, columns, console.glyphs.ellipsis));
    }
    let rows = u16::try_from(lines.len()).unwrap_or(1);
    let top = area.y + 1 - rows.min(area.y + 1);
    let several = rows > 1;
    let ground = console.theme.style(if several { Role::Overlay } else { Role::Text });
    super::fill(buffer, Rect { y: top, height: rows, ..area }, ground);
    let style = console.theme.over(role, ground);
    for (at, (line, y)) in lines.iter().zip(top..).enumerate() {
        let lead = if at == 0 { shape } else { " " };
        Pen::new(buffer, area.x + 1, y, area.right()).write(&format!("{lead} {line}"), style);
    }
}

/// Writes keys and what they do.
pub(super) fn write_hints(
    console: &Console,
    hints: &[Hint],
    ground: ratatui::style::Style,
    pen: &mut Pen<'_>,
) {
    for (name, title) in hints {
        pen.write(name, console.theme.over(Role::Key, ground)).write(" ", ground);
        pen.write(title, console.theme.over(Role::Dim, ground)).write("   ", ground);
    }
}

/// Columns of the hints, with the gaps between them.
pub(super) fn measure(hints: &[Hint]) -> usize {
    hints.iter().map(|(key, title)| width(key) + width(title) + 4).sum()
}

/// As many as fit whole; the way out and the help, which stand last, stay longest.
fn fitting_into(mut hints: Vec<Hint>, columns: usize) -> Vec<Hint> {
    while measure(&hints) > columns + 3 && hints.len() > LASTING {
        hints.remove(hints.len() - LASTING - 1);
    }
    hints
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
        (Action::Back, None | Some(Layer::Page(_) | Layer::Review(_) | Layer::Promotions(_))) => {
            console.way_back().map_or("back", super::super::update::Way::title)
        }
        (Action::Back, Some(Layer::Answer(_) | Layer::Ticket(_) | Layer::Message(_))) => {
            "keep the draft and close"
        }
        (Action::Back, Some(Layer::Line(line))) => line.kind.back(),
        (Action::Back, Some(Layer::Confirm(_))) => "no",
        (Action::Back, Some(Layer::Quit)) => "stay",
        (Action::Back, Some(_)) => "close",
        (Action::Accept, Some(Layer::Earlier(_))) => "read its output",
        (Action::Accept, Some(Layer::Palette(_))) => "do it",
        (Action::Accept, Some(Layer::Menu(_))) => "choose",
        (Action::Accept, Some(Layer::Line(line))) => line.kind.accept(),
        (Action::Source, Some(Layer::Page(page))) if page.source => "text",
        (Action::Grid, None) if console.shows_grid() => "one run",
        // Where one pane fills the screen, nothing else tells what else there is.
        (Action::FocusNext, _) if one_pane(console) => match console.pane_after(true) {
            Pane::Queue => "queue",
            Pane::Run => "output",
            Pane::Verdict => "verdict",
            Pane::Detail => "ticket",
        },
        _ => action.spec().title,
    }
}

/// What the footer offers, the way out and the help last.
pub(super) fn hints(console: &Console) -> Vec<Hint> {
    let mut hints = Vec::new();
    if let Some(Layer::Confirm(confirm)) = console.layers.last() {
        hints.push((Confirm::YES.to_string(), confirm.yes));
    }
    let named = |action| Some((console.settings.keymap.key_name(action)?, title(console, action)));
    hints.extend(useful(console).into_iter().filter_map(named));
    hints
}

/// The most useful actions here, the way out and the help.
fn useful(console: &Console) -> Vec<Action> {
    let mut wanted: Vec<Action> = match console.layers.last() {
        Some(Layer::Review(screen)) => reviewing(screen),
        // What moves between panes moves nothing that is seen here.
        Some(Layer::Page(_)) => {
            return usable(console, [vec![Action::Source], fitting(console), vec![Action::Edit]].concat());
        }
        Some(Layer::Promotions(_)) => promoting(),
        Some(layer) => return over_the_board(console, layer),
        None if console.scopes() == [Scope::Init] => return vec![Action::Init, Action::Help, Action::Quit],
        // Nothing is there that the keys of the board could be about.
        None if super::shows_refusal(console) => return vec![Action::Reload, Action::Help, Action::Quit],
        None if console.focus == Pane::Run => reading(console),
        None if console.focus == Pane::Verdict => {
            [vec![Action::VerdictFinding, Action::VerdictApprove, Action::VerdictReject], fitting(console)]
                .concat()
        }
        None => fitting(console),
    };
    wanted.extend([Action::Open, Action::FocusNext, Action::Create, Action::Queue, Action::Filter]);
    usable(console, wanted)
}

/// The first of the wanted that work here and now, the way out and the help.
fn usable(console: &Console, wanted: Vec<Action>) -> Vec<Action> {
    let roomy = matches!(console.layers.last(), Some(Layer::Review(_) | Layer::Promotions(_)));
    let most = if roomy { USEFUL_ON_SCREENS } else { USEFUL };
    let scopes = console.scopes();
    let mut shown: Vec<Action> = Vec::new();
    for action in wanted {
        let here = action.spec().scopes.iter().any(|scope| scopes.contains(scope));
        if here && !shown.contains(&action) && available(console, action).is_ok() {
            shown.push(action);
        }
        if shown.len() == most {
            break;
        }
    }
    if one_pane(console) && console.layers.is_empty() && !shown.contains(&Action::FocusNext) {
        shown.truncate(most);
        shown.push(Action::FocusNext);
    }
    if console.way_back().is_some() {
        shown.push(Action::Back);
    }
    shown.push(Action::Help);
    shown
}

/// Whether one pane fills the screen and Tab leads to another.
fn one_pane(console: &Console) -> bool {
    let stacked = console.zoom || !super::has_all_panes(console.size);
    stacked && !super::is_small(console.size)
}

/// Forms, lists and questions.
fn over_the_board(console: &Console, layer: &Layer) -> Vec<Action> {
    let accept = |something: bool| if something { vec![Action::Accept] } else { Vec::new() };
    let mut shown = match layer {
        Layer::Ticket(form) if form.offered.is_some() => vec![Action::Submit, Action::OtherDraft],
        Layer::Ticket(form) if !form.is_typed() => vec![Action::Submit],
        Layer::Answer(_) | Layer::Ticket(_) | Layer::Message(_) => vec![Action::Submit, Action::Editor],
        Layer::Worktrees(list) => {
            let mut wanted = vec![Action::Prune, Action::PruneAll];
            wanted.retain(|action| available(console, *action).is_ok());
            if list.chosen().is_some() {
                wanted.push(Action::Attach);
            }
            wanted
        }
        Layer::Earlier(list) => accept(list.chosen().is_some()),
        Layer::Palette(palette) => {
            accept(palette.found.chosen().is_some_and(|found| found.disabled.is_none()))
        }
        Layer::Menu(_) | Layer::Line(_) => accept(true),
        Layer::Help(scrolled) | Layer::History(scrolled) | Layer::Audit(scrolled) => {
            let (lines, height) = super::overlay_extent(console, layer);
            match lines.saturating_sub(height) {
                0 => Vec::new(),
                below if scrolled.top < below => vec![Action::PageDown],
                _ => vec![Action::PageUp],
            }
        }
        Layer::Confirm(_) | Layer::Quit | Layer::Page(_) | Layer::Review(_) | Layer::Promotions(_) => {
            Vec::new()
        }
    };
    shown.push(Action::Back);
    shown
}

/// What the output asks for: the grid first where it is shown, then what its run is about.
fn reading(console: &Console) -> Vec<Action> {
    let mut wanted = Vec::new();
    if console.shows_grid() {
        wanted.push(Action::Grid);
    }
    let frozen = console.runs.shown_view().is_some_and(|view| !view.status().following);
    if frozen {
        wanted.push(Action::Bottom);
    }
    let hits =
        console.runs.shown_view().and_then(|view| view.status().search).map_or(0, |found| found.matches);
    if hits > 1 {
        wanted.push(Action::SearchNext);
    }
    match console.shown_run().is_some_and(|run| is_live(run)) {
        true => wanted.extend([Action::Say, Action::Stop, Action::Search]),
        false => {
            wanted.extend(fitting(console));
            wanted.push(Action::Search);
        }
    }
    wanted
}

/// What a review asks for: comments that wait, else findings, else the decision.
fn reviewing(screen: &ReviewScreen) -> Vec<Action> {
    let waiting = screen.notebook.comments.iter().any(|comment| comment.sent.is_none());
    let mut wanted = Vec::new();
    if waiting {
        wanted.push(Action::ReviewSend);
    }
    if screen.search.is_some() {
        wanted.push(Action::ReviewSearchNext);
    }
    wanted.extend([
        Action::ReviewComment,
        Action::ReviewHunkNext,
        Action::ReviewApprove,
        Action::ReviewReject,
        Action::ReviewFileNext,
        Action::ReviewFinding,
        Action::ReviewRange,
    ]);
    wanted
}

/// What may be decided about the promotion with the cursor.
fn promoting() -> Vec<Action> {
    vec![
        Action::PromotionStop,
        Action::PromotionApprove,
        Action::PromotionReject,
        Action::PromotionUndo,
        Action::PromotionDiff,
        Action::PromotionFilter,
    ]
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
