//! What is to be done with a ticket, and what the operator wished about it before the run is launched. Plain data.

use std::path::Path;

use super::mcp;
use crate::execute::action::Action;
use crate::plan::ticket::Ticket;

/// The operator's wish that an agent works a ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Delegation {
    /// Agent by its name in the configuration; the role `worker`'s when `None`.
    pub(crate) agent: Option<String>,
    /// Said to it after the brief.
    pub(crate) note: Option<String>,
    /// Whether and by whom its work is reviewed.
    pub(crate) review: ReviewWish,
}

/// The operator's wish about the review of an agent's work, where it differs from the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReviewWish {
    /// Whether it is reviewed at all; as configured when `None`.
    pub on: Option<bool>,
    /// Who judges, by name in the configuration; the role `reviewer`'s when `None`.
    pub reviewer: Option<String>,
    /// Rounds before a person decides; `review.max_rounds` when `None`.
    pub max_rounds: Option<u32>,
}

/// What is to be done with a ticket.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Order {
    /// What is run.
    pub(crate) action: Action,
    /// Said to an agent after the brief.
    pub(crate) note: Option<String>,
    /// Whether and by whom an agent's work is reviewed.
    pub(crate) review: ReviewWish,
}

impl Order {
    /// What the ticket itself asks for, in the project at `root`.
    pub(crate) fn of(root: &Path, ticket: &Ticket) -> Order {
        Order { action: mcp::action(root, ticket), note: None, review: ReviewWish::default() }
    }

    /// What the operator wants, else what the ticket asks for.
    pub(crate) fn wanted(root: &Path, ticket: &Ticket, delegation: Option<&Delegation>) -> Order {
        match delegation {
            Some(Delegation { agent, note, review }) => Order {
                action: Action::Agent { agent: agent.clone() },
                note: note.clone(),
                review: review.clone(),
            },
            None => Order::of(root, ticket),
        }
    }
}
