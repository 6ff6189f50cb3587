//! The words of `promotion …`.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use super::DEFAULT_ACTOR;
use crate::promote::State;

/// `promotion …`.
#[derive(Debug, Subcommand)]
pub(crate) enum PromotionVerb {
    /// List what waits to land, and with --all what became of the rest
    #[command(
        after_help = "Finished tickets whose work is not on its base yet are listed by themselves; what a crash cut off \
                      is settled first.\n\nJSON: {promotions[{id, ticket, title, branch, base_branch, base, head, diff{hash, \
                      files, added, removed, paths}, checks[], verdict, risk, reasons[], blocked, cost, state{state, …}, \
                      history[]}], unreadable[{path, why}], troubles[]}\n\nExamples:\n  koru-tui promotion list\n  \
                      koru-tui promotion list --state applied --format json"
    )]
    List(ListArgs),
    /// Show one promotion: what it changes, its checks, verdict, risk, cost and history
    #[command(after_help = "Example:\n  koru-tui promotion show PLF-007.1a2b3c4d5e6f")]
    Show {
        /// Promotion, or a ticket whose newest promotion is meant
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Land a promotion on its base branch
    #[command(
        after_help = "The base goes forward to the work, or the work is put on top of a base that has moved on (promotion.onto \
                      in .planfile/.koru/config.yaml) and checked again there. A checkout of the base follows as git would \
                      have it; changes of your own in the same files refuse it by name.\n\nExamples:\n  koru-tui promotion \
                      apply PLF-007 --seen 1a2b3c4d5e6f\n  koru-tui promotion apply PLF-007 --seen 1a2b3c4d5e6f --high-risk \
                      PLF-007"
    )]
    Apply(ApplyArgs),
    /// Reject a promotion, with a reason
    #[command(
        after_help = "The ticket goes back to a worker with the reason, or with --close is over.\n\nExample:\n  koru-tui \
                      promotion reject PLF-007 --reason 'the old format must still be read'"
    )]
    Reject(RejectArgs),
    /// Take back what landed: the base returns to where it was, or gets a commit that takes the change out
    #[command(after_help = "Example:\n  koru-tui promotion undo PLF-007")]
    Undo(UndoArgs),
}

/// Options of `promotion list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// In this state only
    #[arg(long, value_name = "STATE", value_parser = PossibleValuesParser::new(State::WORDS), conflicts_with = "all")]
    pub(crate) state: Option<String>,
    /// Of this ticket only
    #[arg(long, value_name = "ID")]
    pub(crate) ticket: Option<String>,
    /// In every state
    #[arg(long)]
    pub(crate) all: bool,
}

/// Options of `promotion apply`.
#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// Promotion, or the ticket that it is of
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Commit, or diff hash, that you looked at: seven digits or more
    #[arg(long, value_name = "HASH")]
    pub(crate) seen: String,
    /// The ticket's id, once more: what high-risk work asks for
    #[arg(long, value_name = "TICKET")]
    pub(crate) high_risk: Option<String>,
    /// Recorded as who decided
    #[arg(long, value_name = "NAME", default_value = DEFAULT_ACTOR)]
    pub(crate) actor: String,
}

/// Options of `promotion reject`.
#[derive(Debug, Args)]
pub(crate) struct RejectArgs {
    /// Promotion, or the ticket that it is of
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Why: the worker is told
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// The ticket is over, instead of going back to a worker
    #[arg(long)]
    pub(crate) close: bool,
    /// Recorded as who decided
    #[arg(long, value_name = "NAME", default_value = DEFAULT_ACTOR)]
    pub(crate) actor: String,
}

/// Options of `promotion undo`.
#[derive(Debug, Args)]
pub(crate) struct UndoArgs {
    /// Promotion, or the ticket that it is of
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Recorded as who decided
    #[arg(long, value_name = "NAME", default_value = DEFAULT_ACTOR)]
    pub(crate) actor: String,
}
