//! Whether an action works now, and if not, why: one answer for keys, help, footer and palette.

use crate::plan::ticket::{ExecutorKind, Priority, Status, Ticket};
use crate::runtime::protocol::diff::DiffRange;
use crate::runtime::protocol::{PlanHealth, RunState};

use super::super::actions::Action;
use super::super::layers::Layer;
use super::super::layers::worktrees::keeps;
use super::super::rows::{RowState, is_live};
use super::super::state::{Console, Pane};

/// `Err` is the reason as a sentence without its end; it is safe to show.
pub(crate) fn available(console: &Console, action: Action) -> Result<(), String> {
    match action {
        Action::ReviewApprove | Action::ReviewReject => decidable_review(console, action),
        Action::ReviewSearchNext | Action::ReviewSearchPrevious => review_searched(console),
        Action::ReviewComment
        | Action::ReviewHunkNext
        | Action::ReviewHunkPrevious
        | Action::ReviewFileNext
        | Action::ReviewFilePrevious
        | Action::ReviewFinding
        | Action::ReviewFindingPrevious => super::review::possible(console, action),
        Action::ReviewSend => review_sendable(console),
        Action::Prune | Action::PruneAll => prune(console, action),
        Action::Init => init(console),
        Action::Undo => undo(console),
        Action::Create => writable(console),
        Action::Edit | Action::Raise | Action::Lower | Action::Priority => changeable(console, action),
        Action::Block => block(console),
        Action::Answer => answer(console),
        Action::Start => start(console),
        Action::Stop => stop(console),
        Action::Retry | Action::RetryNote | Action::Release => again(console),
        Action::Delegate => delegate(console),
        Action::Say | Action::Pause => steer(console),
        Action::Attach if matches!(console.layers.last(), Some(Layer::Worktrees(_))) => Ok(()),
        Action::Attach => attach(console),
        Action::VerdictShow | Action::VerdictFinding => super::verdict::shown(console),
        Action::VerdictApprove | Action::VerdictReject | Action::VerdictAnother | Action::VerdictAgain => {
            super::verdict::decidable(console, action)
        }
        Action::Fail => fail(console),
        Action::OtherDraft => other_draft(console),
        Action::Queue | Action::JobsMore => writable(console),
        Action::JobsFewer if console.snapshot.queue.jobs <= 1 => no("one run at a time is the least"),
        Action::JobsFewer => writable(console),
        _ if action.is_of_review() => review(console),
        _ if action.is_of_promotions() => super::promotions::promotable(console, action),
        _ => lookable(console, action),
    }
}

/// The same for what only changes what is looked at.
fn lookable(console: &Console, action: Action) -> Result<(), String> {
    match action {
        Action::Sprint if console.snapshot.plan.sprints.is_empty() => no("there are no sprint files"),
        Action::Sprint => Ok(()),
        Action::Open if matches!(console.layers.last(), Some(Layer::Page(_))) => no("it is open"),
        Action::Open | Action::Source | Action::Earlier | Action::Diff => ticket(console).map(drop),
        Action::Accept if console.layers.is_empty() => no("nothing is listed over the board"),
        Action::Close if console.layers.is_empty() => no("nothing lies over the board"),
        Action::Copy if console.focus == Pane::Run && console.shown_run().is_some() => Ok(()),
        Action::Copy => ticket(console).map(drop),
        Action::RunPrevious
        | Action::RunNext
        | Action::Search
        | Action::Times
        | Action::Wrap
        | Action::Left
        | Action::Right
        | Action::Fold
        | Action::FoldAll
        | Action::OpenAll
        | Action::Kinds
        | Action::ErrorNext
        | Action::ErrorPrevious => runs(console),
        Action::Raw => raw(console),
        Action::Grid if console.has_active_runs() || console.runs.grid => Ok(()),
        Action::Grid => no("nothing runs"),
        Action::SearchNext | Action::SearchPrevious => searched(console),
        Action::FocusNext | Action::FocusPrevious if super::super::view::is_small(console.size) => {
            no("only the list has room here")
        }
        // What moves, shows, types or leaves works wherever its key is heard.
        _ => Ok(()),
    }
}

fn no<T>(reason: &str) -> Result<T, String> {
    Err(reason.to_owned())
}

fn writable(console: &Console) -> Result<(), String> {
    console.read_only().map_or(Ok(()), Err)
}

fn undo(console: &Console) -> Result<(), String> {
    match console.changes.last() {
        Some(_) => writable(console),
        None => no(
            "nothing was changed from here yet; `koru-tui ticket undo ID` takes back what was changed before",
        ),
    }
}

fn ticket(console: &Console) -> Result<&Ticket, String> {
    let ticket = console.subject().ok_or_else(|| "no ticket is selected".to_owned())?;
    // Rule A: a decision falls on what was drawn.
    if console.strayed {
        return no("the ticket was not on the screen yet; look and press again");
    }
    if console.seen(&ticket.id).is_none() {
        let next = console.key_of(Action::FocusNext);
        return Err(format!(
            "{} is not on the screen; {next} goes to the queue",
            super::super::words::safe(&ticket.id)
        ));
    }
    Ok(ticket)
}

/// The ticket with its state, where it may be written.
fn decidable(console: &Console) -> Result<(&Ticket, RowState), String> {
    writable(console)?;
    let ticket = ticket(console)?;
    let state = console.state_of(ticket);
    if let Some(reason) = &ticket.invalid {
        return Err(format!(
            "planfile itself would not read this ticket ({})",
            crate::base::text::safe_text(reason)
        ));
    }
    Ok((ticket, state))
}

fn changeable(console: &Console, action: Action) -> Result<(), String> {
    let (ticket, state) = decidable(console)?;
    let step = match action {
        Action::Raise => Some(-1),
        Action::Lower => Some(1),
        _ => None,
    };
    match step {
        Some(_) if state.is_finished() => Err(state.sentence()),
        Some(by) if next_priority(&ticket.priority, by).is_none() => {
            Err(format!("its priority is {} already", super::super::words::priority_short(&ticket.priority)))
        }
        _ => Ok(()),
    }
}

/// The priority one step up (-1) or down (1); `None` at the end of the scale.
pub(super) fn next_priority(from: &Priority, by: isize) -> Option<Priority> {
    match Priority::KNOWN.iter().position(|known| known == from) {
        Some(at) => Priority::KNOWN.get(at.checked_add_signed(by)?).cloned(),
        // A word that planfile does not know ranks below all; the scale is entered at its end.
        None if by < 0 => Some(Priority::Low),
        None => None,
    }
}

fn block(console: &Console) -> Result<(), String> {
    let (ticket, state) = decidable(console)?;
    match ticket.status {
        Status::Blocked | Status::Done | Status::Canceled => Err(format!("it is {}", ticket.status.word())),
        _ if state.is_worked_on() => no("it runs; stop it first"),
        _ => Ok(()),
    }
}

fn answer(console: &Console) -> Result<(), String> {
    let (ticket, state) = decidable(console)?;
    match (&ticket.executor.kind, state) {
        (_, RowState::NeedsYou) => Ok(()),
        (ExecutorKind::Human, RowState::Ready | RowState::Held) => Ok(()),
        (ExecutorKind::Human, RowState::Waiting) => no("it waits for others first; its detail says for what"),
        (ExecutorKind::Human, _) => Err(state.sentence()),
        _ => no("it asks nothing; it is not a human ticket"),
    }
}

fn start(console: &Console) -> Result<(), String> {
    let (ticket, state) = decidable(console)?;
    match (&ticket.executor.kind, state) {
        (ExecutorKind::Human, RowState::Ready | RowState::NeedsYou) => {
            Err(format!("a person works it; {} answers", console.key_of(Action::Answer)))
        }
        // A refusal is asked about anew: the policy may have been changed since.
        (_, RowState::Ready | RowState::Held | RowState::Refused) => Ok(()),
        (kind, RowState::NoRunner) => Err(super::super::words::no_runner(kind)),
        (_, RowState::Waiting) => {
            use crate::plan::queue::Standing;
            match console.snapshot.order.standing.get(&ticket.id) {
                Some(Standing::Waiting { reasons }) if !reasons.is_empty() => {
                    Err(super::super::words::waiting_long(&reasons[0], &console.settings.zone))
                }
                _ => no("it cannot run yet"),
            }
        }
        (_, RowState::Failed | RowState::Interrupted | RowState::Blocked) => {
            Err(format!("{} makes it ready again and runs it", console.key_of(Action::Retry)))
        }
        _ => Err(state.sentence()),
    }
}

fn stop(console: &Console) -> Result<(), String> {
    let ticket = ticket(console)?;
    match console.run_of(&ticket.id) {
        Some(run) if is_live(run) || run.orphaned => Ok(()),
        _ => no("it does not run here"),
    }
}

fn again(console: &Console) -> Result<(), String> {
    let (ticket, state) = decidable(console)?;
    match (state, ticket.status) {
        (RowState::Violation | RowState::Failed | RowState::Interrupted | RowState::Blocked, _) => Ok(()),
        // An agent that paused or reached a limit goes on with a retry.
        (RowState::NeedsYou, _) if console.run_of(&ticket.id).is_some_and(|run| run.agent.is_some()) => {
            Ok(())
        }
        // A ticket of another program that seems to run: only its lease says when it is over.
        (_, Status::InProgress) => Err(state.sentence()),
        _ => Err(format!(
            "{}; only failed, blocked and interrupted tickets are made ready again",
            state.sentence()
        )),
    }
}

fn delegate(console: &Console) -> Result<(), String> {
    let (ticket, state) = decidable(console)?;
    match state {
        RowState::Ready | RowState::Held | RowState::Refused | RowState::NoRunner => Ok(()),
        RowState::NeedsYou if console.run_of(&ticket.id).is_none() => Ok(()),
        RowState::Violation | RowState::Failed | RowState::Interrupted | RowState::Blocked => {
            Err(format!("it is {}; {} makes it ready again", state.word(), console.key_of(Action::Release)))
        }
        _ => Err(state.sentence()),
    }
}

/// An agent that works now.
fn steer(console: &Console) -> Result<(), String> {
    match console.steered() {
        None => no("it does not run"),
        Some(run) if run.agent.is_none() => no("no agent works it"),
        Some(run) if !is_live(run) => {
            Err(format!("its run is over; {} starts it again with a note", console.key_of(Action::RetryNote)))
        }
        Some(_) => Ok(()),
    }
}

fn attach(console: &Console) -> Result<(), String> {
    match console.steered_agent() {
        None if console.worktree_of_steered().is_some() => Ok(()),
        None => no("no agent has worked it in this session"),
        Some(_) if console.worktree_of_steered().is_none() => no("its worktree is not made yet"),
        Some(_) => Ok(()),
    }
}

fn fail(console: &Console) -> Result<(), String> {
    let (_, state) = decidable(console)?;
    match state {
        RowState::Interrupted => Ok(()),
        _ => Err(format!("{}; only an interrupted ticket is called failed by hand", state.sentence())),
    }
}

fn runs(console: &Console) -> Result<(), String> {
    match console.snapshot.runs.is_empty() && console.runs.opened.is_none() {
        true => no("nothing has run yet"),
        false => Ok(()),
    }
}

fn raw(console: &Console) -> Result<(), String> {
    match console.shown_run().and_then(|run| run.agent.as_ref()) {
        Some(agent) if agent.raw_lines > 0 => Ok(()),
        Some(_) => no("the agent has said nothing yet"),
        None => no("only runs of agents have a stream of their own"),
    }
}

fn searched(console: &Console) -> Result<(), String> {
    if console.runs.is_searched() {
        Ok(())
    } else {
        Err(format!("search first, with {}", console.key_of(Action::Search)))
    }
}

fn review(console: &Console) -> Result<(), String> {
    if console.review().is_some() { Ok(()) } else { no("no review is open") }
}

/// Comments go to the next round, or else to the next run of work that waits for a decision.
fn review_sendable(console: &Console) -> Result<(), String> {
    writable(console)?;
    let screen = console.review().ok_or("no review is open")?;
    let ticket = console.snapshot.plan.ticket(&screen.ticket).ok_or("the ticket is in no file any more")?;
    match console.state_of(ticket) {
        RowState::Done | RowState::Canceled => {
            no("the ticket is finished; the comments stay here, make a new ticket for what is to follow")
        }
        _ => Ok(()),
    }
}

fn review_searched(console: &Console) -> Result<(), String> {
    match console.review().and_then(|screen| screen.search.as_ref()) {
        Some(_) => Ok(()),
        None => Err(format!("search first, with {}", console.key_of(Action::ReviewSearch))),
    }
}

/// A decision is about the commit that was drawn, of work that is under review.
fn decidable_review(console: &Console, action: Action) -> Result<(), String> {
    writable(console)?;
    let screen = console.review().ok_or("no review is open")?;
    let Some(review) = console.snapshot.reviews.get(&screen.ticket) else {
        return no("this ticket is under no review");
    };
    super::verdict::undecided(console, review, action)?;
    if screen.drawn.is_none() {
        return no("what is shown is no commit; look at a round or at the whole ticket");
    }
    if console.run_of(&screen.ticket).is_some_and(|run| super::super::rows::is_live(run)) {
        return no("it is being worked on; stop it first");
    }
    let newest = review.rounds.iter().rev().find(|round| round.head.is_some()).map(|round| round.number);
    match screen.range {
        DiffRange::Round { number } | DiffRange::Between { to: number, .. } if Some(number) != newest => {
            Err(format!("work went on after round {number}; look at the whole ticket, then decide"))
        }
        _ => Ok(()),
    }
}

fn other_draft(console: &Console) -> Result<(), String> {
    match console.layers.last() {
        Some(Layer::Ticket(form)) if form.offered.is_some() => Ok(()),
        _ => no("there is no other draft"),
    }
}

/// What a worktree holds is asked again when it is removed; here it only counts that there is one that may go.
fn prune(console: &Console, action: Action) -> Result<(), String> {
    let Some(Layer::Worktrees(list)) = console.layers.last() else {
        return Err(format!("open the worktrees first, with {}", console.key_of(Action::Worktrees)));
    };
    match action {
        Action::PruneAll if list.prunable().is_empty() => no("none may go"),
        Action::Prune => match list.chosen().map(keeps) {
            None => no("there is none"),
            Some(Some(why)) => Err(format!("it stays: {why}")),
            Some(None) => Ok(()),
        },
        _ => Ok(()),
    }
}

fn init(console: &Console) -> Result<(), String> {
    match console.snapshot.health {
        PlanHealth::Uninitialised => Ok(()),
        PlanHealth::Loading => no("the folder is still being read"),
        PlanHealth::Open { .. } | PlanHealth::Refused { .. } => no("there is a planfile here already"),
    }
}

/// Whether a run occupies a job and is not being stopped yet.
pub(super) fn is_stoppable(state: RunState) -> bool {
    match state {
        RunState::Running | RunState::Stalled | RunState::Sleeping => true,
        RunState::Stopping
        | RunState::NeedsYou
        | RunState::Done
        | RunState::Failed
        | RunState::Stopped
        | RunState::Interrupted
        | RunState::Violation => false,
    }
}
