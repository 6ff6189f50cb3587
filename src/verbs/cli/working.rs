//! The words of `ticket run` and of `ticket decide`.

use clap::{Args, ValueEnum};

use super::DEFAULT_ACTOR;

/// Options of `ticket run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Ticket id, such as PLF-007
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Let this agent work it; without a name, the one that has the role `worker`
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "")]
    pub(crate) agent: Option<String>,
    /// Say this to the agent after the brief
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) note: Option<String>,
    /// Have an agent's work reviewed in rounds, also where the configuration names no reviewer
    #[arg(long, conflicts_with = "no_review")]
    pub(crate) review: bool,
    /// Who judges it: an agent by its name in the configuration; without one, the role `reviewer`
    #[arg(long, value_name = "NAME", conflicts_with = "no_review")]
    pub(crate) reviewer: Option<String>,
    /// Rounds before a person decides
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000), conflicts_with = "no_review")]
    pub(crate) max_rounds: Option<u32>,
    /// Have it not reviewed, also where the configuration names a reviewer
    #[arg(long)]
    pub(crate) no_review: bool,
    /// Who works, as recorded in the ticket
    #[arg(long, value_name = "NAME", default_value = DEFAULT_ACTOR)]
    pub(crate) actor: String,
    /// Say what would run; run and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write no run log
    #[arg(long)]
    pub(crate) no_log: bool,
}
/// What a person decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DecisionWord {
    /// The work passes as it is
    Approve,
    /// The ticket fails; its branch stays
    Reject,
    /// One more round with a fix list
    Another,
    /// The reviewer judges again; the worker is not paid again
    ReviewAgain,
}

impl DecisionWord {
    /// As it is typed.
    pub(crate) fn word(self) -> &'static str {
        match self {
            DecisionWord::Approve => "approve",
            DecisionWord::Reject => "reject",
            DecisionWord::Another => "another",
            DecisionWord::ReviewAgain => "review-again",
        }
    }

    /// What was done.
    pub(crate) fn did(self) -> &'static str {
        match self {
            DecisionWord::Approve => "approved",
            DecisionWord::Reject => "rejected",
            DecisionWord::Another => "goes back",
            DecisionWord::ReviewAgain => "is to be reviewed again",
        }
    }
}

/// Options of `ticket decide`.
#[derive(Debug, Args)]
pub(crate) struct DecideArgs {
    /// Ticket id, such as PLF-007
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// The decision
    #[arg(value_name = "DECISION")]
    pub(crate) decision: DecisionWord,
    /// Commit that you looked at, at least 7 digits of it
    #[arg(long, value_name = "HASH")]
    pub(crate) seen: String,
    /// Why it is rejected
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) reason: Option<String>,
    /// File with what the next round mends, one paragraph a finding; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) fixes: Option<std::path::PathBuf>,
    /// Who decides
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: Option<String>,
    /// Only make the ticket ready; do not work it now
    #[arg(long)]
    pub(crate) no_run: bool,
}
