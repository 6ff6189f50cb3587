//! A choice from a short list: a priority, a theme, kinds of output.

use jiff::Timestamp;

use crate::console::list::List;
use crate::console::output::Filter;
use crate::console::promotions::Seen;
use crate::plan::ticket::{Priority, TicketId};
use crate::runtime::protocol::diff::{Comment, DiffRange};
use crate::runtime::protocol::promotion::After;

/// What a line of a menu does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Gives this ticket that priority.
    Priority { ticket: TicketId, seen: Option<Timestamp>, priority: Priority },
    /// Takes this theme; moving shows it, leaving goes back.
    Theme(String),
    /// Gives this ticket to this agent, or to the usual one.
    Delegate { ticket: TicketId, agent: Option<String> },
    /// Compares this.
    Range(DiffRange),
    /// Puts a stale comment where it was chosen to be.
    PlaceComment(TicketId, Box<Comment>),
    /// Shows these lines of the output.
    Kinds(Filter),
    /// Rejects this work, with a reason that is asked for.
    RejectPromotion { ticket: TicketId, seen: Seen, after: After },
}

/// A menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Menu {
    pub(crate) title: String,
    /// Safe text of each line, and what it does.
    pub(crate) items: List<(String, Choice)>,
    /// The theme to go back to.
    pub(crate) theme_before: Option<String>,
}

impl Menu {
    /// A menu with the cursor on that item.
    pub(crate) fn new(title: impl Into<String>, items: Vec<(String, Choice)>, selected: usize) -> Menu {
        Menu { title: title.into(), items: List::at(items, selected), theme_before: None }
    }

    /// What the item with the cursor does.
    pub(crate) fn chosen(&self) -> Option<&Choice> {
        self.items.chosen().map(|(_, choice)| choice)
    }
}
