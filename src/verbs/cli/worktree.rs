//! The words of `worktree …`.

use clap::Subcommand;

/// `worktree …`.
#[derive(Debug, Subcommand)]
pub(crate) enum WorktreeVerb {
    /// List them, biggest first, with what they hold
    #[command(
        after_help = "JSON: [{worktree{ticket, path, branch, base, …}, bytes, unmerged, dirty, in_use, trouble}]\n\n\
                            Example:\n  koru-tui worktree list --format json"
    )]
    List,
    /// Remove those of these tickets, or all that hold nothing unmerged or uncommitted
    #[command(
        after_help = "Never removes uncommitted or unmerged work, nor what a run uses. Exit 1 when one that was named \
                            stays.\n\nExamples:\n  koru-tui worktree prune\n  koru-tui worktree prune PLF-007"
    )]
    Prune {
        /// Ticket ids; every worktree when none is given
        #[arg(value_name = "ID")]
        ids: Vec<String>,
    },
}
