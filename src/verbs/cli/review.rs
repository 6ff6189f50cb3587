//! The words of `review`.

use clap::Args;

/// Options of `review`.
#[derive(Debug, Args)]
pub(crate) struct ReviewArgs {
    /// Branch, commit, ticket id, or number of a pull request; your working tree when nothing is named
    #[arg(value_name = "TARGET")]
    pub(crate) target: Option<String>,
    /// Compare with this branch or commit; for a ticket where its work began, else the base branch
    #[arg(long, value_name = "REF")]
    pub(crate) base: Option<String>,
    /// Let the worker mend what is found, and review again, at most `review.max_loops` times; no gates run in between
    #[arg(long)]
    pub(crate) fix: bool,
    /// The same as --format json
    #[arg(long)]
    pub(crate) json: bool,
    /// Let this agent judge, instead of `review.command` or the role `reviewer`
    #[arg(long, value_name = "NAME")]
    pub(crate) reviewer: Option<String>,
}
