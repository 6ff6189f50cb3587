//! Decisions on work that waits to land. Each is about the commit that stood on the screen (rule B), works only on what a
//! frame has shown (rule A), and needs a second step: a key, the ticket's id for high-risk work, or a reason.

use std::sync::Arc;

use super::super::actions::Action;
use super::super::layers::confirm::Confirmed;
use super::super::layers::line::LineKind;
use super::super::layers::menu::{Choice, Menu};
use super::super::layers::message::Purpose;
use super::super::layers::{Confirm, Layer, LineInput};
use super::super::promotions::{Batch, PromotionsScreen, Seen, may_be_marked};
use super::super::state::{Console, NoticeKind, Pending, Then};
use super::super::words;
use crate::base::text::safe_text;
use crate::plan::ticket::TicketId;
use crate::runtime::protocol::diff::DiffRange;
use crate::runtime::protocol::promotion::{After, Promotion, PromotionView, Risk, State};
use crate::runtime::protocol::{Command, PromotionCommand};

/// Lines that the card goes on by.
const STEP: usize = 3;

/// Whether an action of the screen works now.
pub(super) fn promotable(console: &Console, action: Action) -> Result<(), String> {
    let Some(screen) = console.promotions() else { return no("the promotions are not open") };
    let landing = console.snapshot.promotions.landing.as_ref();
    match action {
        Action::PromotionFilter | Action::PromotionSearch => return Ok(()),
        Action::PromotionCardDown | Action::PromotionCardUp => {
            return match screen.card.lines.len() > screen.card_height {
                true => Ok(()),
                false => no("all of the card is seen"),
            };
        }
        Action::PromotionStop => {
            return match landing {
                Some(_) => Ok(()),
                None => no("nothing lands right now"),
            };
        }
        _ => {}
    }
    let Some(one) = screen.chosen() else { return no("there is none here") };
    if action == Action::PromotionDiff {
        return Ok(());
    }
    if let Some(reason) = console.read_only() {
        return Err(reason);
    }
    if !screen.is_drawn() {
        return no("it was not on the screen yet as it is now; look and press again");
    }
    let promotion = &one.promotion;
    if let Some(lands) = landing.filter(|lands| action != Action::PromotionMark && lands.id == promotion.id) {
        return Err(format!("{} lands right now", safe_text(&lands.id)));
    }
    match (action, &promotion.state) {
        (Action::PromotionMark, _) => may_be_marked(promotion),
        (Action::PromotionApprove, _) if landing.is_some() || console.batch.is_some() => {
            no("another one lands right now; one lands after the other")
        }
        (Action::PromotionApprove, _) if !screen.marks.is_empty() => Ok(()),
        (Action::PromotionApprove, State::Pending | State::Undone { .. }) => match &promotion.blocked {
            Some(why) => Err(format!("it may not land: {}", safe_text(why))),
            None => Ok(()),
        },
        (Action::PromotionReject, State::Pending) | (Action::PromotionUndo, State::Applied(_)) => Ok(()),
        (_, state) => Err(format!("it is {}", state.word())),
    }
}

fn no<T>(reason: &str) -> Result<T, String> {
    Err(reason.to_owned())
}

impl Console {
    /// The screen, also under a diff, a form or a question.
    pub(crate) fn promotions(&self) -> Option<&PromotionsScreen> {
        self.layers.iter().rev().find_map(|layer| match layer {
            Layer::Promotions(screen) => Some(&**screen),
            _ => None,
        })
    }

    pub(super) fn promotions_mut(&mut self) -> Option<&mut PromotionsScreen> {
        self.layers.iter_mut().rev().find_map(|layer| match layer {
            Layer::Promotions(screen) => Some(&mut **screen),
            _ => None,
        })
    }

    /// The promotion of a ticket's work that waits for the operator.
    pub(crate) fn waits_to_land(&self, ticket: &TicketId) -> Option<&Promotion> {
        let all = self.snapshot.promotions.list.iter().map(|one| &one.promotion);
        all.filter(|one| one.state == State::Pending).find(|one| one.ticket == *ticket)
    }

    /// Opens the screen, at the work of the ticket that the keys are about if it waits, and looks anew.
    pub(super) fn open_promotions(&mut self) {
        let mut screen = PromotionsScreen::new(&self.snapshot.promotions);
        let subject = self.subject_id();
        let rows = screen.list.rows();
        if let Some(at) = rows.iter().position(|one| Some(&one.promotion.ticket) == subject.as_ref()) {
            screen.list.go_to(at);
        }
        self.layers.push(Layer::Promotions(Box::new(screen)));
        self.look_at_promotions();
    }

    pub(super) fn look_at_promotions(&mut self) {
        self.send(Command::Promotion(PromotionCommand::Refresh), Pending::quiet());
    }

    /// Esc: drops the search, then leaves.
    pub(super) fn promotions_back(&mut self) {
        let view = Arc::clone(&self.snapshot.promotions);
        match self.promotions_mut() {
            Some(screen) if !screen.query.is_empty() => screen.search(String::new(), &view),
            _ => drop(self.layers.pop()),
        }
    }

    /// What is typed is searched at once.
    pub(super) fn promotions_search(&mut self, query: String) {
        let view = Arc::clone(&self.snapshot.promotions);
        if let Some(screen) = self.promotions_mut() {
            screen.search(query, &view);
        }
    }

    /// Does an action of the screen; availability was asked before.
    pub(super) fn promotion_action(&mut self, action: Action) {
        let view = Arc::clone(&self.snapshot.promotions);
        let Some(screen) = self.promotions_mut() else { return };
        match action {
            Action::PromotionFilter => return screen.next_filter(&view),
            Action::PromotionCardDown => return screen.scroll += STEP,
            Action::PromotionCardUp => return screen.scroll = screen.scroll.saturating_sub(STEP),
            Action::PromotionSearch => {
                let before = screen.query.clone();
                let input = LineInput::new(LineKind::Promotions { before: before.clone() }, &before);
                return self.layers.push(Layer::Line(Box::new(input)));
            }
            Action::PromotionStop => {
                if let Some(landing) = &view.landing {
                    let command = PromotionCommand::Stop { id: landing.id.clone() };
                    self.send(Command::Promotion(command), Pending::quiet());
                }
                return;
            }
            _ => {}
        }
        let Some(one) = screen.chosen().cloned() else { return };
        let seen = Seen::of(&one.promotion);
        match action {
            Action::PromotionMark if screen.is_marked(&seen.id) => {
                screen.marks.retain(|mark| mark.id != seen.id);
            }
            Action::PromotionMark => screen.marks.push(seen),
            Action::PromotionApprove if !screen.marks.is_empty() => {
                let marks = screen.marks.clone();
                self.ask_batch(marks);
            }
            Action::PromotionApprove => self.ask_landing(&one, seen),
            Action::PromotionReject => self.ask_what_becomes(&one.promotion, &seen),
            Action::PromotionUndo => self.ask_taking_back(&one.promotion),
            Action::PromotionDiff => {
                self.open_diff_at(one.promotion.ticket.clone(), DiffRange::Whole, None, None);
            }
            _ => {}
        }
    }

    fn ask_landing(&mut self, one: &PromotionView, seen: Seen) {
        let promotion = &one.promotion;
        let ticket = promotion.ticket.clone();
        if promotion.risk == Risk::High {
            return self.ask_word(ticket, seen, false);
        }
        let (id, base) = (words::safe(&ticket), safe_text(&promotion.base_branch));
        let short: String = seen.head.chars().take(12).collect();
        let how = match one.base_ahead {
            None | Some(0) => format!("{base} goes forward to it."),
            Some(ahead) => {
                let ahead = words::count(ahead as usize, "commit", "commits");
                format!("{base} has {ahead} more: the checks run again on both together, then it lands.")
            }
        };
        self.layers.push(Layer::Confirm(Confirm {
            question: format!("land {id} at {short} on {base}?"),
            detail: format!("{how} {} takes it back.", self.key_of(Action::PromotionUndo)),
            yes: "land",
            then: Confirmed::Land(vec![seen]),
        }));
    }

    fn ask_batch(&mut self, marks: Vec<Seen>) {
        let count = words::count(marks.len(), "marked promotion", "marked promotions");
        self.layers.push(Layer::Confirm(Confirm {
            question: format!("land {count}, one after the other?"),
            detail: "Each as it stood on the screen; the first that is refused ends it.".to_owned(),
            yes: "land",
            then: Confirmed::Land(marks),
        }));
    }

    fn ask_what_becomes(&mut self, promotion: &Promotion, seen: &Seen) {
        let choice = |after: After| Choice::RejectPromotion {
            ticket: promotion.ticket.clone(),
            seen: seen.clone(),
            after,
        };
        let items = vec![
            ("back to a worker, with the reason".to_owned(), choice(After::Rework)),
            ("over: the ticket fails".to_owned(), choice(After::Close)),
        ];
        let title = format!("reject {}, and then", words::safe(&promotion.ticket));
        self.layers.push(Layer::Menu(Menu::new(title, items, 0)));
    }

    fn ask_taking_back(&mut self, promotion: &Promotion) {
        let base = safe_text(&promotion.base_branch);
        self.layers.push(Layer::Confirm(Confirm {
            question: format!("take {} back from {base}?", words::safe(&promotion.ticket)),
            detail: format!(
                "{base} returns to where it was; if somebody built on it or has it, a commit takes it out."
            ),
            yes: "take back",
            then: Confirmed::UndoPromotion(promotion.id.clone()),
        }));
    }

    /// The operator said yes to one or to several.
    pub(super) fn land(&mut self, mut wanted: Vec<Seen>) {
        if wanted.len() == 1 {
            return self.send_landing(wanted.remove(0), None);
        }
        if let Some(screen) = self.promotions_mut() {
            screen.marks.clear();
        }
        self.batch = Some(Batch { left: wanted, landed: Vec::new() });
        self.land_next();
    }

    /// Sends an approval of what was seen.
    pub(super) fn send_landing(&mut self, seen: Seen, word: Option<String>) {
        if let Some(screen) = self.promotions_mut() {
            screen.keep(&seen.id);
            screen.marks.retain(|mark| mark.id != seen.id);
        }
        let command = PromotionCommand::Approve { id: seen.id, seen: seen.head, word };
        self.send(Command::Promotion(command), Pending { done: String::new(), then: Then::Landed });
    }

    /// The next of a batch, or the end of it.
    fn land_next(&mut self) {
        let Some(batch) = &mut self.batch else { return };
        if batch.left.is_empty() {
            let text = format!("landed: {}", named(&batch.landed));
            self.batch = None;
            return self.say(NoticeKind::Done, text);
        }
        let seen = batch.left.remove(0);
        // What was marked as low-risk may be judged anew since.
        let why = match self.snapshot.promotions.named(&seen.id) {
            Some(one) => may_be_marked(&one.promotion).err(),
            None => Some("it is gone".to_owned()),
        };
        match why {
            None => self.send_landing(seen, None),
            Some(why) => self.end_batch(&format!("{}: {why}", safe_text(&seen.id))),
        }
    }

    /// An approval was carried out.
    pub(super) fn landed(&mut self, ticket: Option<TicketId>) {
        if let Some(batch) = &mut self.batch {
            batch.landed.extend(ticket);
            self.land_next();
        }
    }

    /// An approval was refused. What is there now is in the snapshot.
    pub(super) fn not_landed(&mut self, message: &str) {
        match self.batch {
            Some(_) => self.end_batch(message),
            None => self.say(NoticeKind::Refused, message),
        }
    }

    fn end_batch(&mut self, why: &str) {
        let Some(batch) = self.batch.take() else { return };
        let landed = match batch.landed.as_slice() {
            [] => "nothing landed before it".to_owned(),
            landed => format!("landed before it: {}", named(landed)),
        };
        let left = match batch.left.len() {
            0 => String::new(),
            left => format!("; {left} not tried"),
        };
        self.say(NoticeKind::Refused, format!("{why} ({landed}{left})"));
    }

    /// The operator said yes to taking it back.
    pub(super) fn undo_promotion(&mut self, id: String) {
        if let Some(screen) = self.promotions_mut() {
            screen.keep(&id);
        }
        self.send(Command::Promotion(PromotionCommand::Undo { id }), Pending::quiet());
    }

    pub(super) fn open_promotion_reason(&mut self, ticket: TicketId, seen: Seen, after: After) {
        self.open_message(ticket, Purpose::RejectPromotion { seen, after });
    }

    /// Sends a rejection with its reason.
    pub(super) fn reject_promotion(
        &mut self,
        ticket: &TicketId,
        seen: Seen,
        after: After,
        reason: String,
        key: String,
    ) {
        if let Some(screen) = self.promotions_mut() {
            screen.keep(&seen.id);
        }
        let id = words::safe(ticket);
        let done = match after {
            After::Rework => format!("{id} is rejected; whoever works it next is told why"),
            After::Close => format!("{id} is rejected, and over"),
        };
        let command = PromotionCommand::Reject { id: seen.id, seen: seen.head, reason, after };
        self.send(Command::Promotion(command), Pending { done, then: Then::FormSent(key) });
    }

    fn ask_word(&mut self, ticket: TicketId, seen: Seen, wrong: bool) {
        let kind = LineKind::Word { ticket, seen, wrong };
        self.layers.push(Layer::Line(Box::new(LineInput::new(kind, ""))));
    }

    /// What high-risk work asks for was typed, or something else: then it is asked for again.
    pub(super) fn word_typed(&mut self, ticket: TicketId, seen: Seen, typed: &str) {
        match typed == ticket.as_str() {
            true => self.send_landing(seen, Some(typed.to_owned())),
            false => self.ask_word(ticket, seen, true),
        }
    }

    /// A decision was carried out.
    pub(super) fn promotion_carried(&mut self, promotion: &Promotion, trouble: Option<&str>) {
        let id = words::safe(&promotion.ticket);
        let short = |commit: &str| safe_text(commit).as_str().chars().take(12).collect::<String>();
        let text = match &promotion.state {
            State::Applied(landed) => {
                let branch = safe_text(&landed.going.branch);
                format!("{id} landed on {branch} as {}", short(&landed.going.to))
            }
            State::Undone { back, .. } => {
                let branch = safe_text(&back.branch);
                format!("{id} is taken back; {branch} is at {}", short(&back.to))
            }
            state => format!("{id} is {}", state.word()),
        };
        match trouble {
            // What a form sent is said by its answer.
            None if matches!(promotion.state, State::Rejected { .. }) => {}
            None => self.say(NoticeKind::Done, text),
            Some(trouble) => self.say(NoticeKind::Refused, format!("{text}, but {}", safe_text(trouble))),
        }
    }
}

fn named(tickets: &[TicketId]) -> String {
    tickets.iter().map(words::safe).collect::<Vec<_>>().join(", ")
}
