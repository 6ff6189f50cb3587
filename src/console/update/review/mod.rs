//! Keys of the review: opening and closing it, moving in it, what it shows; and what the runtime says about it.

mod comments;
mod decide;
mod moving;
mod possible;

pub(super) use possible::possible;

use super::super::actions::Action;
use super::super::layers::line::LineKind;
use super::super::layers::menu::{Choice, Menu};
use super::super::layers::{Layer, LineInput};
use super::super::review::{Part, Place, ReviewScreen};
use super::super::state::{Console, NoticeKind, Pending, Then};
use crate::base::text::safe_text;
use crate::plan::ticket::TicketId;
use crate::runtime::protocol::Command;
use crate::runtime::protocol::diff::{DiffCommand, DiffEvent, DiffId, DiffRange, NotebookChange, TextSide};

impl Console {
    /// Opens the review of a ticket's work; at a line of a file when one is named (path from the project's folder, line
    /// from 1, in the text as it is now).
    pub(crate) fn open_diff_at(
        &mut self,
        ticket: TicketId,
        range: DiffRange,
        file: Option<String>,
        line: Option<u32>,
    ) {
        let id = self.next_diff();
        let mut screen = ReviewScreen::new(ticket.clone(), id, range.clone());
        screen.wanted = file.map(|file| Place { file, side: TextSide::New, line: line.unwrap_or(1) });
        self.layers.push(Layer::Review(Box::new(screen)));
        self.ask_diff(id, ticket.clone(), range, true);
        self.note(ticket, NotebookChange::Read, Pending::quiet());
        self.dirty = true;
    }

    /// Opens what is most worth looking at of the ticket that the keys are about.
    pub(super) fn open_diff(&mut self) {
        let Some(ticket) = self.subject_id() else { return };
        let committed = self
            .snapshot
            .reviews
            .get(&ticket)
            .is_some_and(|review| review.rounds.iter().any(|round| round.head.is_some()));
        let works = self.run_of(&ticket).is_some_and(|run| super::super::rows::is_live(run));
        let range = if works && !committed { DiffRange::WorkingTree } else { DiffRange::Whole };
        self.open_diff_at(ticket, range, None, None);
    }

    fn next_diff(&mut self) -> DiffId {
        self.last_diff += 1;
        DiffId(self.last_diff)
    }

    fn ask_diff(&mut self, id: DiffId, ticket: TicketId, range: DiffRange, whitespace: bool) {
        let command = DiffCommand::Open { id, ticket, range, whitespace };
        self.send(Command::Diff(command), Pending { done: String::new(), then: Then::Diff(id) });
    }

    /// Changes or reads the operator's notes on a ticket.
    pub(super) fn note(&mut self, ticket: TicketId, change: NotebookChange, pending: Pending) {
        self.send(Command::Diff(DiffCommand::Note { ticket, change }), pending);
    }

    /// The open review, also under a form or a menu.
    pub(crate) fn review(&self) -> Option<&ReviewScreen> {
        self.layers.iter().rev().find_map(|layer| match layer {
            Layer::Review(screen) => Some(&**screen),
            _ => None,
        })
    }

    pub(super) fn review_mut(&mut self) -> Option<&mut ReviewScreen> {
        self.layers.iter_mut().rev().find_map(|layer| match layer {
            Layer::Review(screen) => Some(&mut **screen),
            _ => None,
        })
    }

    /// Compares something else in the place of what is shown.
    pub(super) fn reopen_diff(&mut self, range: DiffRange, whitespace: bool) {
        let id = self.next_diff();
        let Some(screen) = self.review_mut() else { return };
        let (old, ticket) = (screen.id, screen.ticket.clone());
        screen.reopen(id, range.clone(), whitespace);
        self.send(Command::Diff(DiffCommand::Close { id: old }), Pending::quiet());
        self.ask_diff(id, ticket, range, whitespace);
        self.dirty = true;
    }

    /// The same comparison of what is there now.
    pub(super) fn compare_again(&mut self) {
        if let Some((range, whitespace)) =
            self.review().map(|screen| (screen.range.clone(), screen.whitespace))
        {
            self.reopen_diff(range, whitespace);
        }
    }

    /// Whether rounds went on since the whole ticket was compared: what is shown is not the newest work any more.
    pub(crate) fn moved_on(&self, screen: &ReviewScreen) -> bool {
        let review = self.snapshot.reviews.get(&screen.ticket);
        let now = review.and_then(|review| Console::head_of(review));
        let grows = matches!(screen.range, DiffRange::Whole | DiffRange::WorkingTree);
        grows && screen.newest.as_deref().is_some_and(|then| now.is_some_and(|now| now != then))
    }

    /// Esc: ends a selection, then a search, then leaves.
    pub(super) fn review_back(&mut self) {
        let Some(screen) = self.review_mut() else { return };
        if screen.anchor.take().is_some() || screen.search.take().is_some() {
            return;
        }
        if screen.files_shown {
            (screen.files_shown, screen.part) = (false, Part::Text);
            return;
        }
        self.close_review();
    }

    /// Leaves the review, whatever is selected in it.
    pub(super) fn close_review(&mut self) {
        let Some(id) = self.review().map(|screen| screen.id) else { return };
        self.layers.pop();
        self.send(Command::Diff(DiffCommand::Close { id }), Pending::quiet());
    }

    /// Does an action of the review.
    pub(super) fn review_action(&mut self, action: Action) {
        match action {
            Action::ReviewComment | Action::ReviewDrop | Action::ReviewPlace | Action::ReviewSend => {
                return self.comment_action(action);
            }
            Action::ReviewApprove | Action::ReviewReject => return self.decide_review(action),
            Action::ReviewFinding | Action::ReviewFindingPrevious => {
                return self.step_finding(action == Action::ReviewFinding);
            }
            Action::ReviewRange => return self.open_range_menu(),
            Action::ReviewRoundNext | Action::ReviewRoundPrevious => {
                return self.step_round(action == Action::ReviewRoundNext);
            }
            Action::ReviewViewed => return self.toggle_viewed(),
            Action::ReviewSearch => {
                return self.layers.push(Layer::Line(Box::new(LineInput::new(LineKind::ReviewSearch, ""))));
            }
            _ => {}
        }
        let Some(screen) = self.review_mut() else { return };
        match action {
            Action::ReviewHunkNext => screen.step_hunk(true),
            Action::ReviewHunkPrevious => screen.step_hunk(false),
            Action::ReviewFileNext => screen.go_to_file(screen.file + 1),
            Action::ReviewFilePrevious => screen.go_to_file(screen.file.saturating_sub(1)),
            Action::ReviewSearchNext | Action::ReviewSearchPrevious => {
                screen.step_hit(action == Action::ReviewSearchNext);
            }
            Action::ReviewFold => screen.fold_at_cursor(),
            Action::ReviewWhole => screen.with_options(|options| {
                options.whole = !options.whole;
                options.opened.clear();
            }),
            Action::ReviewSplit => screen.with_options(|options| options.split = !options.split),
            Action::ReviewSelect => {
                screen.anchor = if screen.anchor.is_some() { None } else { Some(screen.cursor) };
            }
            Action::ReviewPart => {
                screen.part = if screen.part == Part::Text { Part::Files } else { Part::Text };
            }
            Action::ReviewFiles => {
                screen.files_shown = !screen.files_shown;
                screen.part = if screen.files_shown { Part::Files } else { Part::Text };
            }
            Action::ReviewLeft => screen.left = screen.left.saturating_sub(8),
            Action::ReviewRight => screen.left = (screen.left + 8).min(2_000),
            Action::ReviewWhitespace => {
                let (range, whitespace) = (screen.range.clone(), !screen.whitespace);
                self.reopen_diff(range, whitespace);
            }
            _ => {}
        }
    }

    fn toggle_viewed(&mut self) {
        let Some(screen) = self.review_mut() else { return };
        let Some(entry) = screen.entry() else { return };
        let (ticket, file) = (screen.ticket.clone(), entry.path.clone());
        let viewed = screen.is_viewed(screen.file);
        let blob = (!viewed).then(|| screen.blob(screen.file).unwrap_or("gone").to_owned());
        if !viewed {
            screen.go_to_file(screen.file + 1);
        }
        self.note(ticket, NotebookChange::Viewed { file, blob }, Pending::quiet());
    }

    fn open_range_menu(&mut self) {
        let Some(screen) = self.review() else { return };
        let now = screen.range.clone();
        let rounds: Vec<u32> = self
            .snapshot
            .reviews
            .get(&screen.ticket)
            .map(|review| {
                review.rounds.iter().filter(|round| round.head.is_some()).map(|round| round.number).collect()
            })
            .unwrap_or_default();
        let mut items = vec![
            ("the whole ticket against its base".to_owned(), DiffRange::Whole),
            ("the working tree, committed or not".to_owned(), DiffRange::WorkingTree),
        ];
        items.extend(
            rounds.iter().map(|number| (format!("round {number}"), DiffRange::Round { number: *number })),
        );
        for (at, to) in rounds.iter().enumerate() {
            for from in rounds[..at].iter().rev() {
                let range = DiffRange::Between { from: *from, to: *to };
                items.push((format!("round {from} → round {to}"), range));
            }
            if at > 0 {
                items.push((format!("base → round {to}"), DiffRange::Between { from: 0, to: *to }));
            }
        }
        let selected = items.iter().position(|(_, range)| *range == now).unwrap_or(0);
        let items = items.into_iter().map(|(text, range)| (text, Choice::Range(range))).collect();
        self.layers.push(Layer::Menu(Menu::new("what is compared", items, selected)));
    }

    /// The next round, or the one before; before the first comes the whole.
    fn step_round(&mut self, forward: bool) {
        let Some(screen) = self.review() else { return };
        let whitespace = screen.whitespace;
        let last = self.snapshot.reviews.get(&screen.ticket).map_or(0, |review| review.rounds.len());
        let last = u32::try_from(last).unwrap_or(0);
        let now = match screen.range {
            DiffRange::Round { number } | DiffRange::Between { to: number, .. } => number,
            DiffRange::Whole | DiffRange::WorkingTree => 0,
        };
        let next = if forward { now + 1 } else { now.saturating_sub(1) };
        if next == now || next > last {
            return self.say(NoticeKind::Info, "there is no further round");
        }
        let range = if next == 0 { DiffRange::Whole } else { DiffRange::Round { number: next } };
        self.reopen_diff(range, whitespace);
    }

    /// What is typed is searched at once.
    pub(super) fn review_search(&mut self, text: &str) {
        if let Some(screen) = self.review_mut() {
            screen.search_for(text);
        }
    }

    /// The runtime says something about a diff.
    pub(super) fn on_diff(&mut self, event: DiffEvent) {
        match event {
            DiffEvent::Listed { id, listing } => {
                let ticket = self.review().map(|screen| screen.ticket.clone());
                let review = ticket.and_then(|ticket| self.snapshot.reviews.get(&ticket));
                let newest = review.and_then(|review| Console::head_of(review)).map(str::to_owned);
                let mut missing = None;
                if let Some(screen) = self.review_mut().filter(|screen| screen.id == id) {
                    screen.newest = newest;
                    // Whoever chose another range keeps the place where that is possible, and asked for no file.
                    missing = screen.listed(listing).filter(|_| !screen.reopened);
                }
                if let Some(file) = missing {
                    let file = safe_text(&file).to_string();
                    self.say(NoticeKind::Info, format!("{file} is not part of this diff"));
                }
            }
            DiffEvent::Counted { id, counted, hash } => {
                if let Some(screen) = self.review_mut().filter(|screen| screen.id == id) {
                    screen.counted(counted, hash);
                }
            }
            DiffEvent::Body { id, file, body } => {
                if let Some(screen) = self.review_mut().filter(|screen| screen.id == id) {
                    screen.bodies.came(file as usize, body);
                }
            }
            DiffEvent::Notes { ticket, notes } => {
                let sent =
                    |id: &String| notes.comments.iter().any(|held| held.id == *id && held.sent.is_some());
                self.sending.retain(|id| !sent(id));
                if let Some(screen) = self.review_mut().filter(|screen| screen.ticket == ticket) {
                    screen.take_notebook(notes);
                }
            }
        }
        self.dirty |= self.review().is_some();
    }

    /// A diff could not be opened. A review that has shown nothing yet closes again; one that compared something else
    /// before stays, so that another range can be chosen.
    pub(super) fn diff_refused(&mut self, id: DiffId, message: String) {
        let Some(screen) = self.review_mut().filter(|screen| screen.id == id) else { return };
        if screen.reopened {
            screen.refused = Some(message);
            return;
        }
        self.layers.retain(|layer| !matches!(layer, Layer::Review(screen) if screen.id == id));
        self.say(NoticeKind::Refused, message);
    }
}
