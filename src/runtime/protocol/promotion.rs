//! Promotions: finished work that waits to land, and what a console may decide about it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use crate::plan::settings::{Onto, Risk};
pub use crate::promote::Move;
pub use crate::promote::combine::Way;
pub use crate::promote::record::{Deed, DiffMark, Landed, Promotion, State, VerdictMark};

/// Commands on promotions. What there is stands in [`super::Snapshot::promotions`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum PromotionCommand {
    /// Looks anew what waits; the reply comes when the snapshot has it.
    Refresh,
    /// Lands one. One at a time: while another lands, it is refused. Answered by [`PromotionEvent::Carried`].
    Approve {
        /// Name of the promotion.
        id: String,
        /// Commit, or hash of the diff, that was on the operator's screen: seven hexadecimal digits at least.
        seen: String,
        /// The ticket's id as the operator typed it, where the work is high-risk.
        word: Option<String>,
    },
    /// Stops the checks of the one that lands; nothing lands then. A second stop skips the grace.
    Stop {
        /// Name of the promotion.
        id: String,
    },
    /// Rejects one. Answered by [`PromotionEvent::Carried`].
    Reject {
        /// Name of the promotion.
        id: String,
        /// Commit that was on the operator's screen.
        seen: String,
        /// The reason; blank is refused.
        reason: String,
        /// What becomes of the ticket.
        after: After,
    },
    /// Takes one back that landed. Answered by [`PromotionEvent::Carried`].
    Undo {
        /// Name of the promotion.
        id: String,
    },
}

/// What becomes of the ticket of a rejected promotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum After {
    /// It goes back to a worker, with the reason.
    Rework,
    /// It is over.
    Close,
}

/// Events about promotions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PromotionEvent {
    /// A decision was carried out; before its reply.
    Carried {
        /// The promotion as it is now.
        promotion: Arc<Promotion>,
        /// Sentence: the decision stands, but the ticket could not be told.
        trouble: Option<String>,
    },
}

/// The promotions of the project as they were at the last look.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PromotionsView {
    /// How many looks there were; 0 before the first.
    pub looks: u64,
    /// All of them, the newest first.
    pub list: Vec<Arc<PromotionView>>,
    /// Sentences: files that are no promotions, finished work that could not be requested (foreign text).
    pub troubles: Vec<String>,
    /// How work comes onto a base that has moved on.
    pub onto: Onto,
    /// The one that lands right now, by a decision of this runtime.
    pub landing: Option<LandingView>,
}

/// One promotion, and how it stands to its base.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromotionView {
    /// The promotion.
    pub promotion: Promotion,
    /// Commits that the base has beyond the work; `None` when that could not be seen, or matters no more.
    pub base_ahead: Option<u32>,
}

/// A landing under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LandingView {
    /// Name of the promotion.
    pub id: String,
    /// What its checks printed last (foreign text); empty before.
    pub says: String,
    /// It was asked to stop.
    pub stopping: bool,
}

impl PromotionsView {
    /// The promotion with this name.
    pub fn named(&self, id: &str) -> Option<&Arc<PromotionView>> {
        self.list.iter().find(|view| view.promotion.id == id)
    }

    /// How many wait for a person.
    pub fn waiting(&self) -> usize {
        self.list.iter().filter(|view| view.promotion.state == State::Pending).count()
    }
}
