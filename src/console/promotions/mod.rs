//! The screen of work that lands: which promotions are listed, which one is open, which are marked, and what of it stood
//! on the screen.
//!
//! The promotions themselves are the snapshot's. Invariants: an event moves the cursor only where its row went, and then
//! nothing is decided before a frame has shown what it stands on ([`PromotionsScreen::strayed`]); what was decided on here
//! stays listed until another filter is chosen; only low-risk work that may land is marked, and a mark goes when that
//! changes.

pub(crate) mod card;

use std::sync::Arc;

use card::Card;

use super::glyphs::Glyphs;
use super::list::{List, Motion};
use super::theme::Role;
use crate::plan::ticket::TicketId;
use crate::runtime::protocol::PromotionsView;
use crate::runtime::protocol::promotion::{Promotion, PromotionView, Risk, State};

/// Which promotions are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Filter {
    /// Those that wait, and those that are on their way.
    #[default]
    Pending,
    /// Those that landed, and those that were taken back.
    Applied,
    Rejected,
    Expired,
    All,
}

impl Filter {
    const EVERY: [Filter; 5] =
        [Filter::Pending, Filter::Applied, Filter::Rejected, Filter::Expired, Filter::All];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Filter::Pending => "pending",
            Filter::Applied => "applied",
            Filter::Rejected => "rejected",
            Filter::Expired => "expired",
            Filter::All => "all",
        }
    }

    /// The one that follows, in a ring.
    pub(crate) fn next(self) -> Filter {
        let at = Filter::EVERY.iter().position(|one| *one == self).unwrap_or(0);
        Filter::EVERY[(at + 1) % Filter::EVERY.len()]
    }

    fn holds(self, state: &State) -> bool {
        match self {
            Filter::All => true,
            Filter::Pending => {
                matches!(state, State::Pending | State::Landing(_) | State::Undoing { .. })
            }
            Filter::Applied => matches!(state, State::Applied(_) | State::Undone { .. }),
            Filter::Rejected => matches!(state, State::Rejected { .. }),
            Filter::Expired => matches!(state, State::Expired { .. }),
        }
    }
}

/// A promotion as it stood on the screen: its name, and the commit that lands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) id: String,
    pub(crate) head: String,
}

impl Seen {
    pub(crate) fn of(promotion: &Promotion) -> Seen {
        Seen { id: promotion.id.clone(), head: promotion.head.clone() }
    }
}

/// Work that was approved together and lands one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    /// What is still to land, in order; the one that lands right now is not among them.
    pub(crate) left: Vec<Seen>,
    /// Tickets whose work landed.
    pub(crate) landed: Vec<TicketId>,
}

/// The screen.
#[derive(Debug, Default)]
pub(crate) struct PromotionsScreen {
    pub(crate) filter: Filter,
    /// Words that all have to be in what is listed.
    pub(crate) query: String,
    pub(crate) list: List<Arc<PromotionView>>,
    /// What was decided on here.
    kept: Vec<String>,
    /// What is marked, as it stood on the screen then.
    pub(crate) marks: Vec<Seen>,
    /// What the card showed at the last frame, with what may land of it.
    pub(crate) drawn: Option<Arc<PromotionView>>,
    /// The cursor stands on something else by an event, and no frame was drawn since.
    pub(crate) strayed: bool,
    /// First line of the card that is seen.
    pub(crate) scroll: usize,
    pub(crate) card: Card,
    /// Lines of the card that were seen at the last frame.
    pub(crate) card_height: usize,
}

impl PromotionsScreen {
    pub(crate) fn new(view: &PromotionsView) -> PromotionsScreen {
        let mut screen = PromotionsScreen::default();
        screen.list_again(view);
        screen
    }

    /// Lists what the snapshot holds now. The cursor stays on its promotion, or on its place.
    pub(crate) fn list_again(&mut self, view: &PromotionsView) {
        let words: Vec<String> = self.query.split_whitespace().map(str::to_lowercase).collect();
        let listed = |one: &&Arc<PromotionView>| {
            let promotion = &one.promotion;
            let wanted = self.filter.holds(&promotion.state) || self.kept.contains(&promotion.id);
            wanted && (words.is_empty() || holds_words(promotion, &words))
        };
        let rows: Vec<Arc<PromotionView>> = view.list.iter().filter(listed).cloned().collect();
        self.list.replace(rows, |before, row| before.promotion.id == row.promotion.id);
        self.marks
            .retain(|mark| view.named(&mark.id).is_some_and(|one| may_be_marked(&one.promotion).is_ok()));
    }

    /// The snapshot changed.
    pub(crate) fn take(&mut self, view: &PromotionsView) {
        let before = self.chosen().cloned();
        self.list_again(view);
        let now = self.chosen().map(|one| &one.promotion);
        let id = now.map(|promotion| promotion.id.clone());
        // A key that was meant for what stood there must not fall on what stands there now (rule A).
        self.strayed |= now != before.as_ref().map(|one| &one.promotion);
        if id.as_ref() != before.as_ref().map(|one| &one.promotion.id) {
            self.scroll = 0;
        }
    }

    pub(crate) fn chosen(&self) -> Option<&Arc<PromotionView>> {
        self.list.chosen()
    }

    pub(crate) fn go(&mut self, motion: Motion) {
        let before = self.chosen().map(|one| one.promotion.id.clone());
        self.list.go(motion);
        if self.chosen().map(|one| &one.promotion.id) != before.as_ref() {
            self.scroll = 0;
        }
        self.strayed = false;
    }

    /// Shows what the next filter holds.
    pub(crate) fn next_filter(&mut self, view: &PromotionsView) {
        self.filter = self.filter.next();
        self.kept.clear();
        self.list_again(view);
        (self.scroll, self.strayed) = (0, false);
    }

    pub(crate) fn search(&mut self, query: String, view: &PromotionsView) {
        self.query = query;
        self.list_again(view);
        (self.scroll, self.strayed) = (0, false);
    }

    /// It was decided on here, so it stays where it is.
    pub(crate) fn keep(&mut self, id: &str) {
        if !self.kept.iter().any(|kept| kept == id) {
            self.kept.push(id.to_owned());
        }
    }

    pub(crate) fn is_marked(&self, id: &str) -> bool {
        self.marks.iter().any(|mark| mark.id == id)
    }

    /// Whether the card of the chosen one stood on the screen as it is now.
    pub(crate) fn is_drawn(&self) -> bool {
        let drawn = self.drawn.as_ref().map(|one| &one.promotion);
        !self.strayed && drawn.is_some() && drawn == self.chosen().map(|one| &one.promotion)
    }
}

/// Why a promotion may not be marked, if so.
pub(crate) fn may_be_marked(promotion: &Promotion) -> Result<(), String> {
    match (&promotion.state, promotion.risk, &promotion.blocked) {
        (State::Pending, Risk::Low, None) => Ok(()),
        (State::Pending, Risk::Low, Some(_)) => Err("it may not land; its card says why".to_owned()),
        (State::Pending, risk, _) => {
            Err(format!("it is {}-risk; only low-risk work is approved together", risk.word()))
        }
        (state, ..) => Err(format!("it is {}", state.word())),
    }
}

fn holds_words(promotion: &Promotion, words: &[String]) -> bool {
    let text = format!(
        "{} {} {} {} {} {}-risk {}",
        promotion.ticket,
        promotion.title,
        promotion.branch,
        promotion.base_branch,
        promotion.state.word(),
        promotion.risk.word(),
        promotion.diff.paths.join(" ")
    )
    .to_lowercase();
    words.iter().all(|word| text.contains(word.as_str()))
}

/// Shape, word and colour of a promotion's state.
pub(crate) fn shape(promotion: &Promotion, glyphs: &Glyphs) -> (&'static str, &'static str, Role) {
    match (&promotion.state, &promotion.blocked) {
        (State::Pending, Some(_)) => (glyphs.blocked, "blocked", Role::Failed),
        (State::Pending, None) => (glyphs.needs_you, "pending", Role::NeedsYou),
        (State::Landing(_) | State::Undoing { .. }, _) => {
            (glyphs.running, promotion.state.word(), Role::Running)
        }
        (State::Applied(_), _) => (glyphs.done, "applied", Role::Done),
        (State::Undone { .. }, _) => (glyphs.retry, "undone", Role::Interrupted),
        (State::Rejected { .. }, _) => (glyphs.failed, "rejected", Role::Failed),
        (State::Expired { .. }, _) => (glyphs.canceled, "expired", Role::Dim),
    }
}

/// Word and colour of a risk.
pub(crate) fn risk(risk: Risk) -> (&'static str, Role) {
    let role = match risk {
        Risk::Low => Role::Dim,
        Risk::Medium => Role::Text,
        Risk::High => Role::Urgent,
    };
    (risk.word(), role)
}
