//! What lies over the board: forms, palette, help, menus, questions. Keys go to the topmost layer first; nothing falls
//! through a layer to the board below, and no event opens or closes one (rule A).
//!
//! Each layer owns its own small state; [`crate::console::update`] decides what its keys do.

pub(crate) mod answer;
pub(crate) mod confirm;
pub(crate) mod earlier;
pub(crate) mod field;
pub(crate) mod line;
pub(crate) mod menu;
pub(crate) mod message;
pub(crate) mod palette;
pub(crate) mod ticket;
pub(crate) mod worktrees;

use jiff::{SignedDuration, Timestamp};

use crate::plan::ticket::TicketId;

use super::actions::Scope;
use super::promotions::PromotionsScreen;
use super::review::ReviewScreen;
use super::state::Draft;

pub(crate) use answer::AnswerForm;
pub(crate) use confirm::Confirm;
pub(crate) use earlier::Earlier;
pub(crate) use line::LineInput;
pub(crate) use menu::Menu;
pub(crate) use message::MessageForm;
pub(crate) use palette::Palette;
pub(crate) use ticket::TicketForm;
pub(crate) use worktrees::Worktrees;

/// One layer.
#[derive(Debug)]
pub(crate) enum Layer {
    /// Answering a human ticket.
    Answer(Box<AnswerForm>),
    /// Making or changing a ticket.
    Ticket(Box<TicketForm>),
    /// Words for an agent.
    Message(Box<MessageForm>),
    /// The worktrees of agents.
    Worktrees(Worktrees),
    /// The runs of a ticket.
    Earlier(Earlier),
    /// One line of text: filter, search, reason.
    Line(Box<LineInput>),
    /// Search over actions.
    Palette(Box<Palette>),
    /// A choice from a list.
    Menu(Menu),
    /// A question with one key that says yes.
    Confirm(Confirm),
    /// Leaving while runs are active.
    Quit,
    /// The keys that work here.
    Help(Scrolled),
    /// What was said.
    History(Scrolled),
    /// What people did.
    Audit(Scrolled),
    /// A ticket at full size.
    Page(Page),
    /// What a ticket's work changed.
    Review(Box<ReviewScreen>),
    /// Work that waits to land.
    Promotions(Box<PromotionsScreen>),
}

/// A text over the board, and where it is scrolled to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scrolled {
    pub(crate) top: usize,
}

/// A ticket at full size.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) ticket: TicketId,
    pub(crate) scroll: usize,
    /// Whether the ticket's source is shown instead of its text.
    pub(crate) source: bool,
    pub(crate) cache: super::view::detail::Cache,
}

/// A pause this long saves the draft.
pub(crate) const PAUSE: SignedDuration = SignedDuration::from_secs(1);
/// Typing without a pause saves this often.
pub(crate) const LONGEST: SignedDuration = SignedDuration::from_secs(5);

/// When a draft was changed and not saved yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unsaved {
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

impl Unsaved {
    /// The text changed.
    pub(crate) fn touch(&mut self, now: Timestamp) {
        self.first.get_or_insert(now);
        self.last = Some(now);
    }

    /// It was handed over for saving.
    pub(crate) fn clear(&mut self) {
        *self = Unsaved::default();
    }

    pub(crate) fn is_some(self) -> bool {
        self.last.is_some()
    }

    /// When to save: after a pause, or after a while of unbroken typing.
    pub(crate) fn due(self) -> Option<Timestamp> {
        Some((self.last? + PAUSE).min(self.first? + LONGEST))
    }
}

impl Layer {
    /// Where keys are looked up; the first scope that knows the key decides.
    pub(crate) fn scopes(&self) -> &'static [Scope] {
        match self {
            Layer::Answer(_) | Layer::Ticket(_) | Layer::Message(_) | Layer::Line(_) | Layer::Palette(_) => {
                &[Scope::Form]
            }
            Layer::Worktrees(_) => &[Scope::Worktrees, Scope::List],
            Layer::Earlier(_)
            | Layer::Menu(_)
            | Layer::Confirm(_)
            | Layer::Quit
            | Layer::Help(_)
            | Layer::History(_)
            | Layer::Audit(_) => &[Scope::List],
            Layer::Page(_) => &[Scope::Detail, Scope::List, Scope::Board],
            Layer::Review(_) => &[Scope::Review, Scope::List],
            Layer::Promotions(_) => &[Scope::Promotions, Scope::List],
        }
    }

    /// Under which key its draft is kept, if it is a form.
    pub(crate) fn draft_key(&self) -> Option<String> {
        match self {
            Layer::Answer(form) => Some(form.key().to_owned()),
            Layer::Ticket(form) => Some(form.key()),
            Layer::Message(form) => Some(form.key()),
            _ => None,
        }
    }

    /// Takes a draft in, with why it was not sent, if it was refused.
    pub(crate) fn recall(&mut self, draft: &Draft) {
        let Draft { text, saved_at, refused } = draft;
        self.set_saved(*saved_at);
        match self {
            Layer::Answer(form) => {
                form.error.clone_from(refused);
                form.restore(text);
            }
            Layer::Message(form) => {
                form.error.clone_from(refused);
                form.restore(text);
            }
            Layer::Ticket(form) => {
                form.error = refused.clone().map(|reason| (form.focus, reason));
                form.restore(text);
            }
            _ => {}
        }
    }

    /// Its draft was durable then.
    pub(crate) fn set_saved(&mut self, at: Option<Timestamp>) {
        match self {
            Layer::Answer(form) => form.saved_at = at,
            Layer::Ticket(form) => form.saved_at = at,
            Layer::Message(form) => form.saved_at = at,
            _ => {}
        }
    }

    /// When its draft wants to be saved.
    pub(crate) fn save_due(&self) -> Option<Timestamp> {
        match self {
            Layer::Answer(form) => form.unsaved.due(),
            Layer::Ticket(form) => form.unsaved.due(),
            Layer::Message(form) => form.unsaved.due(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_saved_on_a_pause_and_in_unbroken_typing() {
        let at = |ms: i64| Timestamp::from_millisecond(ms).unwrap();
        let mut unsaved = Unsaved::default();
        assert_eq!(unsaved.due(), None);
        unsaved.touch(at(0));
        assert_eq!(unsaved.due(), Some(at(1_000)));
        for ms in (0..20_000).step_by(500) {
            unsaved.touch(at(ms));
        }
        assert_eq!(unsaved.due(), Some(at(5_000)));
        unsaved.clear();
        assert!(!unsaved.is_some());
    }
}
