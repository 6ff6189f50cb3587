//! The words of `diff …`.

use clap::Args;

/// Options of `diff`.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// Ticket id
    #[arg(value_name = "TICKET")]
    pub(crate) ticket: String,
    /// What this round did
    #[arg(long, value_name = "N", conflicts_with_all = ["between", "working_tree"])]
    pub(crate) round: Option<u32>,
    /// What changed from the end of round A (0: the base) to the end of round B
    #[arg(long, value_names = ["A", "B"], num_args = 2, conflicts_with = "working_tree")]
    pub(crate) between: Vec<u32>,
    /// The files of the worktree, committed or not
    #[arg(long)]
    pub(crate) working_tree: bool,
    /// Only the files with their counts
    #[arg(long)]
    pub(crate) stat: bool,
    /// Leave out what differs in white space alone
    #[arg(long, short = 'w')]
    pub(crate) ignore_whitespace: bool,
    /// No colours, also on a terminal
    #[arg(long)]
    pub(crate) no_color: bool,
}
