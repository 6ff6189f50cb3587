//! The words of `runs …`.

use clap::{Args, Subcommand};

/// `runs …`.
#[derive(Debug, Subcommand)]
pub(crate) enum RunsVerb {
    /// Remove old runs of finished tickets, and old run logs
    #[command(
        after_help = "Never removes a run that goes on, that was interrupted and waits for a decision, whose ticket is \
                            not finished, or that is the only evidence of a broken policy. JSON: {dry_run, removed[{run, \
                            ticket, bytes}], kept[{run, why}], logs, freed}\n\nExamples:\n  koru-tui runs prune \
                            --dry-run\n  koru-tui runs prune --keep-days 7"
    )]
    Prune {
        /// Keep what ended within so many days
        #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
        keep_days: u32,
        /// Say what would go; remove nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Search what every kept run printed, newest run first
    #[command(
        after_help = "Case counts only where the words hold a capital. Exit 1 when nothing is found. JSON: [{run, ticket, \
                            line, channel, text}]\n\nExamples:\n  koru-tui runs search no space left\n  koru-tui runs \
                            search --ticket PLF-007 panicked"
    )]
    Search(SearchArgs),
}

/// Options of `runs search`.
#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    /// Words, as they stand in one line
    #[arg(value_name = "WORDS", required = true)]
    pub(crate) words: Vec<String>,
    /// Only runs of this ticket
    #[arg(long, value_name = "ID")]
    pub(crate) ticket: Option<String>,
    /// Stop after so many hits
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
}
